"""Small model files, right ones, out of which the corpus makes wrong ones.  Everything comes from one seed."""

import json
import random
import struct

SEED = 7

# GGUF's numbers for types of values and of tensors
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
T_F32, T_F16, T_Q4_0, T_Q8_0, T_BF16 = 0, 1, 2, 8, 30

# the model: llama, one layer, two heads that share one key/value head
DIM, HIDDEN, HEADS, KV_HEADS, HEAD, VOCAB, CTX = 32, 64, 2, 1, 16, 12, 64
PIECES = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("a", -1.0, 1), ("b", -2.0, 1), ("ab", -3.0, 1),
          ("\u2581", -4.0, 1), ("\u2581a", -5.0, 1), ("c", -6.0, 1), ("\n", -7.0, 1), (".", -8.0, 1), ("d", -9.0, 1)]


def u32(n):
    return struct.pack("<I", n & 0xFFFFFFFF)


def u64(n):
    return struct.pack("<Q", n & 0xFFFFFFFFFFFFFFFF)


def f32(x):
    return struct.pack("<f", x)


def text(s):
    s = s.encode() if isinstance(s, str) else s
    return u64(len(s)) + s


def array(kind, items):
    return u32(kind) + u64(len(items)) + b"".join(items)


def weights(name, n):
    """n numbers that the name decides: norms about 1, the rest small."""
    rng = random.Random(f"{SEED} {name}")
    base, spread = (1.0, 0.1) if "norm" in name else (0.0, 0.3)
    return [base + spread * (2 * rng.random() - 1) for _ in range(n)]


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def model_tensors(tied=False):
    """(GGUF's name, Hugging Face's name, shape outermost first)"""
    kv = KV_HEADS * HEAD
    layer, hf = "blk.0.", "model.layers.0."
    rows = [("token_embd.weight", "model.embed_tokens.weight", (VOCAB, DIM)),
            (layer + "attn_norm.weight", hf + "input_layernorm.weight", (DIM,)),
            (layer + "attn_q.weight", hf + "self_attn.q_proj.weight", (DIM, DIM)),
            (layer + "attn_k.weight", hf + "self_attn.k_proj.weight", (kv, DIM)),
            (layer + "attn_v.weight", hf + "self_attn.v_proj.weight", (kv, DIM)),
            (layer + "attn_output.weight", hf + "self_attn.o_proj.weight", (DIM, DIM)),
            (layer + "ffn_norm.weight", hf + "post_attention_layernorm.weight", (DIM,)),
            (layer + "ffn_gate.weight", hf + "mlp.gate_proj.weight", (HIDDEN, DIM)),
            (layer + "ffn_up.weight", hf + "mlp.up_proj.weight", (HIDDEN, DIM)),
            (layer + "ffn_down.weight", hf + "mlp.down_proj.weight", (DIM, HIDDEN)),
            ("output_norm.weight", "model.norm.weight", (DIM,))]
    return rows if tied else rows + [("output.weight", "lm_head.weight", (VOCAB, DIM))]


def size(shape):
    n = 1
    for d in shape:
        n *= d
    return n


class Gguf:
    """A GGUF file whose every part can be replaced before bytes() puts it together."""

    def __init__(self, tied=False, vocabulary=True):
        self.magic, self.version, self.alignment = b"GGUF", u32(3), 32
        self.n_tensors = self.n_kv = None  # as counted
        self.kv = [["general.architecture", STRING, text("llama")],
                   ["general.name", STRING, text("small")],
                   ["llama.block_count", U32, u32(1)],
                   ["llama.embedding_length", U32, u32(DIM)],
                   ["llama.feed_forward_length", U32, u32(HIDDEN)],
                   ["llama.attention.head_count", U32, u32(HEADS)],
                   ["llama.attention.head_count_kv", U32, u32(KV_HEADS)],
                   ["llama.context_length", U32, u32(CTX)],
                   ["llama.attention.layer_norm_rms_epsilon", F32, f32(1e-5)]]
        if vocabulary:
            self.kv += [["tokenizer.ggml.model", STRING, text("llama")],
                        ["tokenizer.ggml.tokens", ARRAY, array(STRING, [text(p[0]) for p in PIECES])],
                        ["tokenizer.ggml.scores", ARRAY, array(F32, [f32(p[1]) for p in PIECES])],
                        ["tokenizer.ggml.token_type", ARRAY, array(I32, [u32(p[2]) for p in PIECES])],
                        ["tokenizer.ggml.bos_token_id", U32, u32(1)],
                        ["tokenizer.ggml.eos_token_id", U32, u32(2)],
                        ["tokenizer.ggml.unknown_token_id", U32, u32(0)]]
        # name, dimensions innermost first, type, offset (None: where it falls), data
        self.tensors = [[name, list(reversed(shape)), T_F32, None, floats(weights(name, size(shape)))]
                        for name, _, shape in model_tensors(tied)]
        self.tail = b""

    def set(self, key, kind, value):
        """Replaces a setting, or adds it."""
        for row in self.kv:
            if row[0] == key:
                row[1:] = [kind, value]
                return self
        self.kv.append([key, kind, value])
        return self

    def first(self, key, kind, value):
        self.kv.insert(0, [key, kind, value])
        return self

    def drop(self, key):
        self.kv = [row for row in self.kv if row[0] != key]
        return self

    def tensor(self, name):
        return next(t for t in self.tensors if t[0] == name)

    def header(self):
        b = self.magic + self.version
        b += u64(len(self.tensors) if self.n_tensors is None else self.n_tensors)
        b += u64(len(self.kv) if self.n_kv is None else self.n_kv)
        for key, kind, value in self.kv:
            b += text(key) + u32(kind) + value
        at = 0
        for name, dims, kind, offset, data in self.tensors:
            b += text(name) + u32(len(dims)) + b"".join(u64(d) for d in dims) + u32(kind)
            b += u64(at if offset is None else offset)
            at += len(data) + -len(data) % self.alignment
        return b

    def bytes(self):
        b = self.header()
        b += bytes(-len(b) % self.alignment)
        for _, _, _, _, data in self.tensors:
            b += data + bytes(-len(data) % self.alignment)
        return b + self.tail


# ---- Hugging Face folders ----

CONFIG = {"model_type": "llama", "hidden_size": DIM, "intermediate_size": HIDDEN, "num_hidden_layers": 1,
          "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": VOCAB,
          "max_position_embeddings": CTX, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False}


def config(**changes):
    """config.json; a value of ... takes the key out."""
    c = dict(CONFIG, **changes)
    return json.dumps({k: v for k, v in c.items() if v is not ...}).encode()


def safetensors(entries, data, pad=True, length=None):
    """entries: a dict, or the header's bytes."""
    header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    if pad:
        header += b" " * (-len(header) % 8)
    return u64(len(header) if length is None else length) + header + data


class Tensors:
    """The tensors of a model for a safetensors file."""

    def __init__(self, names=None, tied=False):
        self.entries, self.data = {}, b""
        for _, name, shape in model_tensors(tied):
            if names is None or name in names:
                self.add(name, "F32", shape, floats(weights(name, size(shape))))

    def add(self, name, dtype, shape, data):
        self.entries[name] = {"dtype": dtype, "shape": list(shape),
                              "data_offsets": [len(self.data), len(self.data) + len(data)]}
        self.data += data
        return self

    def bytes(self):
        return safetensors(self.entries, self.data)


# ---- SentencePiece ----

def varint(n):
    b = b""
    n &= 0xFFFFFFFFFFFFFFFF
    while n > 127:
        b += bytes([n & 127 | 128])
        n >>= 7
    return b + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(field_number, n):
    return varint(field_number << 3) + varint(n)


def piece(s, score=0.0, kind=1):
    s = s.encode() if isinstance(s, str) else s
    return field(1, field(1, s) + bytes([2 << 3 | 5]) + f32(score) + number(3, kind))


def sp_model(pieces=None, trainer=b"", normalizer=b"", extra=b""):
    rows = [piece(*p) for p in (PIECES if pieces is None else pieces)]
    return b"".join(rows) + field(2, number(3, 2) + trainer) + field(3, normalizer) + extra


# ---- tokenizer.json ----

def byte_alphabet():
    """GPT-2's character for each byte."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    names = {b: chr(b) for b in keep}
    for b in range(256):
        if b not in names:
            names[b] = chr(256 + len([x for x in range(b) if x not in keep]))
    return [names[b] for b in range(256)]


def tokenizer_json(**changes):
    vocab = {c: i for i, c in enumerate(byte_alphabet())}
    vocab["ab"] = 256
    root = {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": 257, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": False,
                              "normalized": False, "special": True}],
            "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": vocab, "merges": ["a b"]}}
    root.update(changes)
    return root


# ---- llama2.c ----

def llama2c(header=None, shared=True, vocab=VOCAB, cut=0, extra=b""):
    """The legacy format; header: other seven numbers."""
    kv = KV_HEADS * HEAD
    seven = header or [DIM, HIDDEN, 1, HEADS, KV_HEADS, vocab if shared else -vocab, CTX]
    n = vocab * DIM + DIM + 2 * DIM * DIM + 2 * kv * DIM + DIM + 3 * HIDDEN * DIM + DIM + 2 * CTX * (HEAD // 2)
    n += 0 if shared else vocab * DIM
    body = floats(weights("legacy", n))
    return struct.pack("<7i", *seven) + body[:len(body) - cut] + extra
