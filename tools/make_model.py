#!/usr/bin/env python3
"""Writes a Llama-family model of any shape with random weights, for benchmarks: a GGUF file or a Hugging Face folder.

    tools/make_model.py tinyllama-1.1b --type q8_0 -o /tmp/1b-q8_0.gguf
    tools/make_model.py stories15m --type f32 -o /tmp/15m          (a folder)
    tools/make_model.py --dim 512 --hidden 1376 --layers 8 --heads 8 --kv-heads 8 --vocab 32000 --context 2048 --type f16 -o /tmp/m.gguf

Weights are uniform with variance 1/columns, so activations keep their size.  A GGUF file gets a stand-in vocabulary of
byte pieces and made-up words, so that text goes in and out.  Needs numpy.
"""
import argparse
import json
import pathlib
import struct

import numpy as np

SHAPES = {  # dim, hidden, layers, heads, kv_heads, vocab, context
    "stories15m": (288, 768, 6, 6, 6, 32000, 256),
    "stories110m": (768, 2048, 12, 12, 12, 32000, 1024),
    "smollm2-135m": (576, 1536, 30, 9, 3, 49152, 8192),
    "tinyllama-1.1b": (2048, 5632, 22, 32, 4, 32000, 8192),
    "llama-7b": (4096, 11008, 32, 32, 32, 32000, 4096),
}
GGML_TYPE = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "bf16": 30}
BLOCK = {"f32": (1, 4), "f16": (1, 2), "bf16": (1, 2), "q8_0": (32, 34), "q4_0": (32, 18)}


def random_rows(rng, kind, rows, cols):
    """Bytes of rows x cols weights of a type; the quantized ones are made directly, block by block."""
    deviation = 1 / np.sqrt(cols)
    n = rows * cols
    if kind in ("f32", "f16", "bf16"):
        w = (rng.random(n, dtype=np.float32) - np.float32(0.5)) * np.float32(deviation * np.sqrt(12))
        if kind == "bf16":
            return (w.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        return w.astype("<f4" if kind == "f32" else "<f2").tobytes()
    length, size = BLOCK[kind]
    blocks = np.empty((n // length, size), dtype=np.uint8)
    blocks[:, 2:] = np.frombuffer(rng.bytes(n // length * (size - 2)), dtype=np.uint8).reshape(-1, size - 2)
    spread = 73.9 if kind == "q8_0" else 4.6  # standard deviation of a uniform int8, of a nibble
    blocks[:, :2] = np.full(n // length, deviation / spread, dtype="<f2").view(np.uint8).reshape(-1, 2)
    return blocks.tobytes()


def tensors(a):
    """(GGUF name, Hugging Face name, shape) in file order."""
    q, kv = a.heads * a.head_dim, a.kv_heads * a.head_dim
    yield "token_embd.weight", "model.embed_tokens.weight", (a.vocab, a.dim)
    for i in range(a.layers):
        g, h = f"blk.{i}.", f"model.layers.{i}."
        yield g + "attn_norm.weight", h + "input_layernorm.weight", (a.dim,)
        yield g + "attn_q.weight", h + "self_attn.q_proj.weight", (q, a.dim)
        yield g + "attn_k.weight", h + "self_attn.k_proj.weight", (kv, a.dim)
        yield g + "attn_v.weight", h + "self_attn.v_proj.weight", (kv, a.dim)
        yield g + "attn_output.weight", h + "self_attn.o_proj.weight", (a.dim, q)
        yield g + "ffn_norm.weight", h + "post_attention_layernorm.weight", (a.dim,)
        yield g + "ffn_gate.weight", h + "mlp.gate_proj.weight", (a.hidden, a.dim)
        yield g + "ffn_up.weight", h + "mlp.up_proj.weight", (a.hidden, a.dim)
        yield g + "ffn_down.weight", h + "mlp.down_proj.weight", (a.dim, a.hidden)
    yield "output_norm.weight", "model.norm.weight", (a.dim,)
    if not a.tied:
        yield "output.weight", "lm_head.weight", (a.vocab, a.dim)


def kind_of(a, shape):
    return a.type if len(shape) == 2 else "f32"


def n_bytes(kind, shape):
    length, size = BLOCK[kind]
    return int(np.prod(shape)) // length * size


def data_of(rng, kind, shape):
    if len(shape) == 1:
        yield np.ones(shape, dtype="<f4").tobytes()
        return
    step = max(1, (1 << 24) // shape[1])
    for row in range(0, shape[0], step):
        yield random_rows(rng, kind, min(step, shape[0] - row), shape[1])


def vocabulary(n):
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ("\u2581" * (i % 2) + "".join(letters[i // 26 ** k % 26] for k in range(4)) for i in range(n))
    seen = set()
    for word in words:
        if len(pieces) >= n:
            break
        if word not in seen:
            seen.add(word)
            pieces.append((word, -float(len(pieces)), 1))
    return pieces[:n]


class GGUF:
    def __init__(self):
        self.settings, self.n = b"", 0

    @staticmethod
    def string(s):
        b = s.encode()
        return struct.pack("<Q", len(b)) + b

    def put(self, key, code, payload):
        self.settings += self.string(key) + struct.pack("<I", code) + payload
        self.n += 1

    def u32(self, key, v):
        self.put(key, 4, struct.pack("<I", v))

    def f32(self, key, v):
        self.put(key, 6, struct.pack("<f", v))

    def text(self, key, v):
        self.put(key, 8, self.string(v))

    def array(self, key, code, count, payload):
        self.put(key, 9, struct.pack("<IQ", code, count) + payload)


def write_gguf(a, rng):
    g = GGUF()
    g.text("general.architecture", "llama")
    g.text("general.name", a.name)
    for key, v in (("block_count", a.layers), ("context_length", a.context), ("embedding_length", a.dim),
                   ("feed_forward_length", a.hidden), ("attention.head_count", a.heads),
                   ("attention.head_count_kv", a.kv_heads), ("attention.key_length", a.head_dim),
                   ("attention.value_length", a.head_dim), ("rope.dimension_count", a.head_dim), ("vocab_size", a.vocab)):
        g.u32("llama." + key, v)
    g.f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    g.f32("llama.rope.freq_base", 10000.0)
    if a.vocab > 300:
        pieces = vocabulary(a.vocab)
        g.text("tokenizer.ggml.model", "llama")
        g.array("tokenizer.ggml.tokens", 8, len(pieces), b"".join(g.string(p[0]) for p in pieces))
        g.array("tokenizer.ggml.scores", 6, len(pieces), np.array([p[1] for p in pieces], "<f4").tobytes())
        g.array("tokenizer.ggml.token_type", 5, len(pieces), np.array([p[2] for p in pieces], "<i4").tobytes())
        for key, v in (("unknown", 0), ("bos", 1), ("eos", 2)):
            g.u32(f"tokenizer.ggml.{key}_token_id", v)
    infos, offset, all_tensors = b"", 0, list(tensors(a))
    for name, _, shape in all_tensors:
        kind = kind_of(a, shape)
        infos += g.string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        infos += struct.pack("<IQ", GGML_TYPE[kind], offset)
        offset += -(-n_bytes(kind, shape) // 32) * 32
    with open(a.output, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, len(all_tensors), g.n) + g.settings + infos)
        f.write(b"\0" * (-f.tell() % 32))
        for _, _, shape in all_tensors:
            for piece in data_of(rng, kind_of(a, shape), shape):
                f.write(piece)
            f.write(b"\0" * (-f.tell() % 32))


def write_folder(a, rng):
    out = pathlib.Path(a.output)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(dict(
        model_type="llama", architectures=["LlamaForCausalLM"], hidden_act="silu", hidden_size=a.dim,
        intermediate_size=a.hidden, num_hidden_layers=a.layers, num_attention_heads=a.heads, num_key_value_heads=a.kv_heads,
        head_dim=a.head_dim, vocab_size=a.vocab, max_position_embeddings=a.context, rms_norm_eps=1e-5, rope_theta=10000.0,
        tie_word_embeddings=a.tied, bos_token_id=1, eos_token_id=2), indent=1))
    header, offset = {}, 0
    for _, name, shape in tensors(a):
        kind = kind_of(a, shape)
        size = n_bytes(kind, shape)
        header[name] = dict(dtype=kind.upper(), shape=shape, data_offsets=[offset, offset + size])
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(out / "model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, _, shape in tensors(a):
            for piece in data_of(rng, kind_of(a, shape), shape):
                f.write(piece)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("name", nargs="?", choices=sorted(SHAPES), help="a known shape")
    for key in ("dim", "hidden", "layers", "heads", "kv-heads", "vocab", "context", "head-dim"):
        p.add_argument("--" + key, type=int)
    p.add_argument("--tied", action="store_true", help="output matrix = embedding table")
    p.add_argument("--type", choices=sorted(GGML_TYPE), default="q8_0")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-o", "--output", required=True, help="NAME.gguf, or a folder")
    a = p.parse_args()
    known = SHAPES.get(a.name, (None,) * 7)
    for key, value in zip(("dim", "hidden", "layers", "heads", "kv_heads", "vocab", "context"), known):
        if getattr(a, key) is None:
            if value is None:
                p.error(f"--{key.replace('_', '-')} is needed when no known shape is named")
            setattr(a, key, value)
    a.head_dim = a.head_dim or a.dim // a.heads
    a.name = a.name or "random"
    rng = np.random.default_rng(a.seed)
    if a.output.endswith(".gguf"):
        write_gguf(a, rng)
    elif a.type in ("f32", "f16", "bf16"):
        write_folder(a, rng)
    else:
        p.error("a folder holds f32, f16 or bf16")


if __name__ == "__main__":
    main()
