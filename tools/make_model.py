#!/usr/bin/env python3
"""Writes a Llama-family model of any shape with random weights, for benchmarks: a GGUF file, a Hugging Face folder, or a
llama2.c file.

    tools/make_model.py tinyllama-1.1b --type q8_0 -o /tmp/1b-q8_0.gguf
    tools/make_model.py tinyllama-1.1b --type q4_K_M -o /tmp/1b-q4_K_M.gguf
    tools/make_model.py stories15M --type f32 -o /tmp/15m          (a folder)
    tools/make_model.py stories15M --type q8_0 -o /tmp/15m.bin     (llama2.c: f32, or q8_0 for its runq)
    tools/make_model.py --dim 512 --hidden 1376 --layers 8 --heads 8 --kv-heads 8 --vocab 32000 --context 2048 --type f16 -o /tmp/m.gguf
    tools/make_model.py --dim 1024 --hidden 3584 --layers 12 --heads 16 --kv-heads 4 --vocab 32000 --context 4096 \
        --experts 8 --experts-used 2 --type q4_0 -o /tmp/moe.gguf       (Mixtral's form: experts of width --hidden)

Weights have mean 0 and variance 1/columns, so activations keep their size.  Floats are drawn from 256 values of the normal
distribution; quantized blocks are random bytes with scales that fit, so nothing is quantized.  Files and folders get a
stand-in vocabulary of byte pieces and made-up words, so that text goes in and out (from 259 pieces on; llama2.c's files hold
none).  The same seed gives the same file.  Python 3 alone is needed.
"""
import argparse
import itertools
import json
import math
import os
import pathlib
import random
import statistics
import struct
import sys
from typing import NamedTuple

KEYS = ("dim", "hidden", "layers", "heads", "kv_heads", "vocab", "context", "tied")
SHAPES = {
    "stories15m": (288, 768, 6, 6, 6, 32000, 256, True),
    "stories110m": (768, 2048, 12, 12, 12, 32000, 1024, True),
    "smollm2-135m": (576, 1536, 30, 9, 3, 49152, 8192, True),
    "tinyllama-1.1b": (2048, 5632, 22, 32, 4, 32000, 8192, False),
    "llama-7b": (4096, 11008, 32, 32, 32, 32000, 4096, False),
}


class Kind(NamedTuple):
    """A type of weights: its number in GGUF, and a block's values and bytes."""
    ggml: int
    length: int
    size: int
    scales: tuple = ()
    """(byte, f16) of a block of otherwise random bytes whose values then have mean 0 and deviation 1."""


KINDS = {
    "f32": Kind(0, 1, 4),
    "f16": Kind(1, 1, 2),
    "bf16": Kind(30, 1, 2),
    # With all quants and inner scales uniform, a block of scale 1 has the deviation that 1 is divided by here.
    "q4_0": Kind(2, 32, 18, ((0, 1 / 4.64),)),
    "q4_1": Kind(3, 32, 20, ((0, 1 / 4.61), (2, -7.5 / 4.61))),
    "q5_0": Kind(6, 32, 22, ((0, 1 / 9.25),)),
    "q5_1": Kind(7, 32, 24, ((0, 1 / 9.23), (2, -15.5 / 9.23))),
    "q8_0": Kind(8, 32, 34, ((0, 1 / 73.6),)),
    "q2_K": Kind(10, 256, 84, ((80, 1 / 13.9), (82, 1.5 / 13.9))),
    "q3_K": Kind(11, 256, 110, ((108, 1 / 43.3),)),
    "q4_K": Kind(12, 256, 144, ((0, 1 / 258.0), (2, 7.5 / 258.0))),
    "q5_K": Kind(13, 256, 176, ((0, 1 / 527.0), (2, 15.5 / 527.0))),
    "q6_K": Kind(14, 256, 210, ((208, 1 / 1366.0),)),
}
FILE_TYPE = {"f32": 0, "f16": 1, "bf16": 32, "q4_0": 2, "q4_1": 3, "q5_0": 8, "q5_1": 9, "q8_0": 7, "q2_K": 10, "q3_K": 12,
             "q4_K": 14, "q4_K_M": 15, "q5_K": 16, "q5_K_M": 17, "q6_K": 18}  # GGUF's numbers for whole files
MIXES = {"q4_K_M": "q4_K", "q5_K_M": "q5_K"}  # and q6_K where it helps most
FLOATS = ("f32", "f16", "bf16")
PIECE = 1 << 20  # values made at a time

# No writer makes an int8 quant of -128, and some readers cannot take it.
NO_MINUS_128 = bytes(0x81 if b == 0x80 else b for b in range(256))


def packed(kind, value):
    if kind == "bf16":
        return struct.pack("<f", value)[2:]
    return struct.pack("<f" if kind == "f32" else "<e", value)


def random_floats(rng, kind, n, deviation):
    """Each weight is one random byte, the index of one of 256 values; byte j of the values is a table of its own."""
    normal = statistics.NormalDist(0, deviation)
    values = [packed(kind, normal.inv_cdf((i + 0.5) / 256)) for i in range(256)]
    index = rng.randbytes(n)
    size = KINDS[kind].size
    out = bytearray(n * size)
    for j in range(size):
        out[j::size] = index.translate(bytes(v[j] for v in values))
    return out


def random_blocks(rng, kind, n, deviation):
    _, length, size, scales = KINDS[kind]
    count = n // length
    quants = rng.randbytes(count * size)
    out = bytearray(quants.translate(NO_MINUS_128) if kind == "q8_0" else quants)
    for at, scale in scales:
        low, high = struct.pack("<e", scale * deviation)
        out[at::size] = bytes([low]) * count
        out[at + 1::size] = bytes([high]) * count
    return out


class Tensor(NamedTuple):
    role: str
    gguf: str
    hugging_face: str
    shape: tuple
    kind: str

    def n_bytes(self):
        _, length, size, _ = KINDS[self.kind]
        return math.prod(self.shape) // length * size

    def weights(self, seed):
        """The bytes, piece by piece; whatever the order tensors are asked in, and the same for all floats but rounding."""
        n = math.prod(self.shape)
        if len(self.shape) == 1:  # of a norm
            yield packed(self.kind, 1.0) * n
            return
        rng = generator(self, seed)
        make = random_floats if self.kind in FLOATS else random_blocks
        for at in range(0, n, PIECE):
            yield make(rng, self.kind, min(PIECE, n - at), 1 / math.sqrt(self.shape[-1]))


def generator(tensor, seed):
    return random.Random(f"{seed} {tensor.gguf}")


def more_bits(i, n):
    """The half of the layers that get more bits in a mix: the first and last eighth, every third between."""
    return i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 2


def kind_of(a, role, layer):
    if a.type not in MIXES:
        return a.type
    last = role == ("token_embd" if a.tied else "output")
    mixed = role in ("attn_v", "ffn_down", "ffn_down_exps") and more_bits(layer, a.layers)
    return "q6_K" if last or mixed else MIXES[a.type]


def tensors(a):
    """All of them, in file order."""
    q, kv = a.heads * a.head_dim, a.kv_heads * a.head_dim
    inside = (
        ("attn_norm", "input_layernorm", (a.dim,)),
        ("attn_q", "self_attn.q_proj", (q, a.dim)),
        ("attn_k", "self_attn.k_proj", (kv, a.dim)),
        ("attn_v", "self_attn.v_proj", (kv, a.dim)),
        ("attn_output", "self_attn.o_proj", (a.dim, q)),
        ("ffn_norm", "post_attention_layernorm", (a.dim,)),
    )
    if a.experts:
        inside += (("ffn_gate_inp", "", (a.experts, a.dim)),)
    for role, other, shape in (("ffn_gate", "mlp.gate_proj", (a.hidden, a.dim)), ("ffn_up", "mlp.up_proj", (a.hidden, a.dim)),
                               ("ffn_down", "mlp.down_proj", (a.dim, a.hidden))):
        inside += ((role + "_exps", "", (a.experts, *shape)) if a.experts else (role, other, shape),)

    def tensor(role, other, shape, layer=-1):
        block, of_layer = (f"blk.{layer}.", f"model.layers.{layer}.") if layer >= 0 else ("", "")
        kind = kind_of(a, role, layer) if len(shape) >= 2 and role != "ffn_gate_inp" else "f32"
        return Tensor(role, f"{block}{role}.weight", f"{of_layer}{other}.weight", shape, kind)

    yield tensor("token_embd", "model.embed_tokens", (a.vocab, a.dim))
    for layer, (role, other, shape) in itertools.product(range(a.layers), inside):
        yield tensor(role, other, shape, layer)
    yield tensor("output_norm", "model.norm", (a.dim,))
    if not a.tied:
        yield tensor("output", "lm_head", (a.vocab, a.dim))


# ---- vocabulary -----------------------------------------------------------------------------------------

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # SentencePiece's and GGUF's kinds of pieces


def vocabulary(n):
    """n pieces: (text, score, kind).  None when there is no room for the bytes."""
    if n < 3 + 256:
        return None
    pieces = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    pieces += [(f"<0x{b:02X}>", 0.0, BYTE) for b in range(256)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    for i in range(n - len(pieces)):
        word = "".join(letters[i // 26**k % 26] for k in range(4 if i < 26**4 else 8))
        pieces.append(("\u2581" * (i % 2) + word, -float(len(pieces)), NORMAL))
    return pieces


def bpe_vocabulary(n):
    """Byte-level BPE: 256 bytes under GPT-2's names for them, words of two and then of four letters, a mark of the end.
    (pieces, merges), or None."""
    if n < 256 + 1:
        return None
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [b for b in range(256) if b not in plain]
    names = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(other)}
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pairs = list(itertools.product(letters, letters))
    two = ["".join(pair) for pair in pairs]
    merges = list(itertools.islice(itertools.chain(pairs, itertools.product(two, two)), n - 257))
    pieces = [names[b] for b in range(256)] + ["".join(merge) for merge in merges]
    pieces += [f"<unused {i}>" for i in range(n - 1 - len(pieces))] + ["<|endoftext|>"]
    return pieces, [" ".join(merge) for merge in merges]


def sentencepiece_file(pieces):
    """A SentencePiece BPE model: protobuf's (field number and wire type, length, bytes)."""
    def field(tag, data):
        n, length = len(data), b""
        while n > 127:
            length, n = length + bytes([n & 127 | 128]), n >> 7
        return bytes([tag]) + length + bytes([n]) + data

    out = b"".join(field(0x0A, field(0x0A, text.encode()) + struct.pack("<Bf", 0x15, score) + bytes([0x18, kind]))
                   for text, score, kind in pieces)
    bpe, byte_fallback, keep_spaces = b"\x18\x02", b"\x98\x02\x01", b"\x20\x00"
    return out + field(0x12, bpe + byte_fallback) + field(0x1A, field(0x0A, b"identity") + keep_spaces)


# ---- the three kinds of output --------------------------------------------------------------------------

class Settings:
    """GGUF's key-value pairs."""

    def __init__(self):
        self.data, self.n = b"", 0

    @staticmethod
    def string(s):
        b = s.encode()
        return struct.pack("<Q", len(b)) + b

    def put(self, key, code, payload):
        self.data += self.string(key) + struct.pack("<I", code) + payload
        self.n += 1

    def u32(self, key, v):
        self.put(key, 4, struct.pack("<I", v))

    def f32(self, key, v):
        self.put(key, 6, struct.pack("<f", v))

    def text(self, key, v):
        self.put(key, 8, self.string(v))

    def array(self, key, code, items):
        self.put(key, 9, struct.pack("<IQ", code, len(items)) + b"".join(items))


def gguf_settings(a):
    s = Settings()
    s.text("general.architecture", "llama")
    s.text("general.name", a.name)
    s.u32("general.file_type", FILE_TYPE[a.type])
    s.u32("general.quantization_version", 2)
    for key, v in (("block_count", a.layers), ("context_length", a.context), ("embedding_length", a.dim),
                   ("feed_forward_length", a.hidden), ("attention.head_count", a.heads),
                   ("attention.head_count_kv", a.kv_heads), ("attention.key_length", a.head_dim),
                   ("attention.value_length", a.head_dim), ("rope.dimension_count", a.head_dim), ("vocab_size", a.vocab),
                   *((("expert_count", a.experts), ("expert_used_count", a.experts_used)) if a.experts else ())):
        s.u32("llama." + key, v)
    s.f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    s.f32("llama.rope.freq_base", 10000.0)
    put_vocabulary(s, a)
    return s


def put_vocabulary(s, a):
    if a.bpe:
        pieces, merges = bpe_vocabulary(a.vocab)
        s.text("tokenizer.ggml.model", "gpt2")
        s.text("tokenizer.ggml.pre", "gpt-2")
        s.array("tokenizer.ggml.tokens", 8, [s.string(text) for text in pieces])
        s.array("tokenizer.ggml.token_type", 5, [struct.pack("<i", NORMAL)] * (a.vocab - 1) + [struct.pack("<i", CONTROL)])
        s.array("tokenizer.ggml.merges", 8, [s.string(text) for text in merges])
        for key in ("bos", "eos", "padding"):
            s.u32(f"tokenizer.ggml.{key}_token_id", a.vocab - 1)
        return
    pieces = vocabulary(a.vocab)
    if pieces:
        s.text("tokenizer.ggml.model", "llama")
        s.array("tokenizer.ggml.tokens", 8, [s.string(text) for text, _, _ in pieces])
        s.array("tokenizer.ggml.scores", 6, [struct.pack("<f", score) for _, score, _ in pieces])
        s.array("tokenizer.ggml.token_type", 5, [struct.pack("<i", kind) for _, _, kind in pieces])
        for key, v in (("unknown", 0), ("bos", 1), ("eos", 2)):
            s.u32(f"tokenizer.ggml.{key}_token_id", v)


def write_gguf(a):
    s, all_tensors = gguf_settings(a), list(tensors(a))
    infos, offset = b"", 0
    for t in all_tensors:
        infos += s.string(t.gguf) + struct.pack(f"<I{len(t.shape)}Q", len(t.shape), *reversed(t.shape))
        infos += struct.pack("<IQ", KINDS[t.kind].ggml, offset)
        offset += -(-t.n_bytes() // 32) * 32
    with open(a.output, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, len(all_tensors), s.n) + s.data + infos)
        f.write(b"\0" * (-f.tell() % 32))
        for t in all_tensors:
            f.writelines(t.weights(a.seed))
            f.write(b"\0" * (-f.tell() % 32))


def write_folder(a):
    out = pathlib.Path(a.output)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(dict(
        model_type="llama", architectures=["LlamaForCausalLM"], hidden_act="silu", hidden_size=a.dim,
        intermediate_size=a.hidden, num_hidden_layers=a.layers, num_attention_heads=a.heads, num_key_value_heads=a.kv_heads,
        head_dim=a.head_dim, vocab_size=a.vocab, max_position_embeddings=a.context, rms_norm_eps=1e-5, rope_theta=10000.0,
        tie_word_embeddings=a.tied, bos_token_id=1, eos_token_id=2), indent=1))
    pieces = vocabulary(a.vocab)
    if pieces:
        (out / "tokenizer.model").write_bytes(sentencepiece_file(pieces))
    header, offset, all_tensors = {}, 0, [t._replace(kind=a.type) for t in tensors(a)]
    for t in all_tensors:
        header[t.hugging_face] = dict(dtype=t.kind.upper(), shape=t.shape, data_offsets=[offset, offset + t.n_bytes()])
        offset += t.n_bytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(out / "model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in all_tensors:
            f.writelines(t.weights(a.seed))


def llama2c_int8(t, seed, group):
    rng, n = generator(t, seed), math.prod(t.shape)
    for at in range(0, n, PIECE):
        yield rng.randbytes(min(PIECE, n - at)).translate(NO_MINUS_128)
    yield struct.pack("<f", 1 / 73.6 / math.sqrt(t.shape[1])) * (n // group)


def write_llama2c(a):
    """Version 0 for f32, version 2 for q8_0.  All layers' tensors of a role stand together."""
    by_role = {}
    for t in tensors(a):
        by_role.setdefault(t.role, []).append(t)
    group = 64 if a.dim % 64 == 0 and a.hidden % 64 == 0 else 32
    matrices = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_down", "ffn_up")
    sizes = (a.dim, a.hidden, a.layers, a.heads, a.kv_heads)
    with open(a.output, "wb") as f:
        if a.type == "f32":
            order = ("token_embd", "attn_norm", *matrices[:4], "ffn_norm", *matrices[4:], "output_norm", "rope", "output")
            f.write(struct.pack("<7i", *sizes, a.vocab if a.tied else -a.vocab, a.context))
        else:
            order = ("attn_norm", "ffn_norm", "output_norm", "token_embd", *matrices, "output")
            f.write(struct.pack("<Ii7iBi", 0x616B3432, 2, *sizes, a.vocab, a.context, a.tied, group).ljust(256, b"\0"))
        for role in order:
            if role == "rope":
                f.write(b"\0" * (4 * a.context * a.head_dim))  # two tables that nobody reads
            for t in by_role.get(role, ()):
                f.writelines(llama2c_int8(t, a.seed, group) if t.kind == "q8_0" else t.weights(a.seed))


# ---- command line ---------------------------------------------------------------------------------------

def check(p, a):
    for key in KEYS[:-1] + ("head_dim",):
        if getattr(a, key) < 1:
            p.error(f"--{key.replace('_', '-')}: {getattr(a, key)} is not at least 1")
    if a.heads % a.kv_heads:
        p.error(f"--heads: {a.heads} is no multiple of {a.kv_heads} key/value heads")
    if a.head_dim % 2:
        p.error(f"--head-dim: {a.head_dim} is odd")
    for t in tensors(a):
        length = KINDS[t.kind].length
        if t.shape[-1] % length:
            p.error(f"--type {a.type}: {t.gguf} has {t.shape[-1]} columns, no multiple of {length}")
    if a.experts and not (1 <= a.experts_used <= a.experts and a.output.endswith(".gguf")):
        p.error("--experts: for a GGUF file; --experts-used of them, at least 1")
    if a.bpe and (a.vocab < 257 or not a.output.endswith(".gguf")):
        p.error("--bpe: for a GGUF file of at least 257 pieces")
    if a.output.endswith(".bin"):
        if a.type not in ("f32", "q8_0"):
            p.error(f"--type {a.type}: a llama2.c file holds f32 or q8_0")
        if a.head_dim * a.heads != a.dim:
            p.error("--head-dim: a llama2.c file cannot say it")
    elif not a.output.endswith(".gguf") and a.type not in FLOATS:
        p.error(f"--type {a.type}: a folder holds f32, f16 or bf16")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("name", nargs="?", type=str.lower, choices=sorted(SHAPES), help="a known shape")
    for key in KEYS[:-1] + ("head_dim",):
        p.add_argument("--" + key.replace("_", "-"), type=int, metavar="N")
    p.add_argument("--experts", type=int, default=0, metavar="N", help="GGUF: feed-forward networks of a layer")
    p.add_argument("--experts-used", type=int, default=2, metavar="N", help="of a token (2)")
    p.add_argument("--tied", action=argparse.BooleanOptionalAction, help="output matrix = embedding table")
    p.add_argument("--bpe", action="store_true", help="GGUF: byte-level BPE (OpenVINO GenAI reads nothing else from GGUF)")
    p.add_argument("--type", choices=[*KINDS, *MIXES], default="q8_0", help="of the matrices (q8_0); norms are f32")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-o", "--output", required=True, help="NAME.gguf, NAME.bin, or a folder")
    a = p.parse_args()
    known = dict(zip(KEYS, SHAPES[a.name])) if a.name else {"tied": False}
    for key in KEYS:
        if getattr(a, key) is None:
            if key not in known:
                p.error(f"--{key.replace('_', '-')} is needed when no known shape is named")
            setattr(a, key, known[key])
    if a.head_dim is None:
        if a.heads < 1 or a.dim % a.heads:
            p.error(f"--dim: {a.dim} is no multiple of {a.heads} heads (--head-dim)")
        a.head_dim = a.dim // a.heads
    a.name = a.name or "random"
    check(p, a)
    return a


def main():
    a = arguments()
    suffix = pathlib.Path(a.output).suffix
    write = {".gguf": write_gguf, ".bin": write_llama2c}.get(suffix, write_folder)
    try:
        write(a)
    except OSError as e:
        sys.exit(f"make_model.py: {e.filename or a.output}: {os.strerror(e.errno)}")


if __name__ == "__main__":
    main()
