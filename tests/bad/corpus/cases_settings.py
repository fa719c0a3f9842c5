"""What a model says of itself, in GGUF's settings and in config.json: rows C."""

import json

from case import Case
from files import *


def gguf(row, what, says, code=3, change=None, **more):
    g = Gguf(**more)
    change(g)
    return Case(row, what, {"m.gguf": g.bytes()}, code, says and f"m.gguf: (?:{says})")


def setting(row, key, value, says, kind=U32, code=3):
    packed = {U32: u32, F32: f32, STRING: text, U64: u64, I32: u32}[kind](value)
    return gguf(row, f"{key} {value}", says, code, lambda g: g.set(f"llama.{key}", kind, packed))


def folder(config_bytes, model=None, **more):
    files = {"m/config.json": config_bytes, "m/model.safetensors": model or Tensors().bytes(),
             "m/tokenizer.model": sp_model()}
    files.update({f"m/{k}": v for k, v in more.items()})
    return files


def hf(row, what, says, code=3, raw=None, **changes):
    data = config(**changes) if raw is None else raw
    return Case(row, what, folder(data), code, says and f"m/config.json(?:{says})", args=["-m", "m"])


def counts():
    for n in (0, 1025, 2**31, 2**32 - 1):
        row = "C01" if n == 0 else "C02"
        yield setting(row, "block_count", n, rf"llama.block_count: {n} \(1 to 1024 allowed\)")
        yield hf(row, f"config.json: layers {n}", rf": num_hidden_layers: {n} \(1 to 1024 allowed\)", num_hidden_layers=n)
    yield setting("C01", "block_count", "1", "llama.block_count:? has type string, must be u32", STRING)
    yield hf("C01", "config.json: layers as text", ': num_hidden_layers: "1" .*', num_hidden_layers="1")
    yield hf("C02", "config.json: layers -1", ": num_hidden_layers: -1 .*", num_hidden_layers=-1)
    yield setting("C03", "attention.head_count", 0, r"llama.attention.head_count: 0 \(1 to 4096 allowed\)")
    yield setting("C03", "attention.head_count", 4097, r"llama.attention.head_count: 4097 \(1 to 4096 allowed\)")
    yield hf("C03", "config.json: heads 0", r": num_attention_heads: 0 \(1 to 4096 allowed\)", num_attention_heads=0)
    yield setting("C04", "attention.head_count_kv", 0, r"llama.attention.head_count_kv: 0 \(1 to .* allowed\)")
    yield hf("C04", "config.json: kv heads 0", r": num_key_value_heads: 0 \(1 to .* allowed\)", num_key_value_heads=0)
    yield hf("C05", "config.json: 32 heads, 5 kv heads", ": 32 attention heads not divisible by 5 key/value heads",
             num_attention_heads=32, num_key_value_heads=5, head_dim=16)
    yield setting("C05", "attention.head_count_kv", 3, "2 attention heads not divisible by 3 key/value heads")
    yield hf("C06", "config.json: 7 heads", f": hidden_size {DIM} not divisible by 7 attention heads",
             num_attention_heads=7, num_key_value_heads=7)
    yield hf("C14", "config.json: context 0", ": max_position_embeddings: 0 .*", max_position_embeddings=0)
    yield hf("C14", "config.json: context -1", ": max_position_embeddings: -1 .*", max_position_embeddings=-1)
    yield hf("C14", "config.json: context 2^62", ": max_position_embeddings: 4611686018427387904 .*",
             max_position_embeddings=2**62)
    yield hf("C14", "config.json: context 2^63", ":1:\\d+: .*", max_position_embeddings=2**63)
    yield setting("C14", "context_length", 0, r"llama.context_length: 0 .*")
    yield setting("C14", "context_length", 2**63, r"llama.context_length: 9223372036854775808 .*", U64)
    for n in (0, -1, 2**31, 2**24 + 1):
        yield hf("C13", f"config.json: vocabulary {n}", rf": vocab_size: {n} \(1 to 16777216 allowed\)", vocab_size=n)
    yield hf("C13", "config.json: vocabulary 4096.5", ": vocab_size: 4096.5 .*", vocab_size=4096.5)
    yield Case("C13", "config.json: vocabulary smaller than the table", folder(config(vocab_size=VOCAB - 1)), 3,
               f"m/tokenizer.model: {VOCAB} pieces, the model has {VOCAB - 1} embedding rows", args=["-m", "m"])


def shapes():
    name = "tensor blk.0.attn_q.weight"
    yield setting("C07", "attention.head_count", 4, "tensor blk.0.attn_k.weight: shape 16 x 32, expected 8 x 32 from 1 key/value heads of 8")
    yield gguf("C07", "attn_q too small", rf"{name}: shape 16 x 32, expected 32 x 32 from 2 heads of 16", 3, smaller("blk.0.attn_q.weight", [DIM, 16]))
    yield gguf("C07", "embedding too narrow", r"tensor token_embd.weight: shape .*", 3, smaller("token_embd.weight", [16, VOCAB]))
    yield gguf("C07", "norm too short", "tensor output_norm.weight: shape 16, expected 32.*", 3, smaller("output_norm.weight", [16]))
    yield gguf("C07", "norm of two dimensions", "tensor output_norm.weight: shape .*", 3, smaller("output_norm.weight", [16, 2]))
    yield gguf("C20", "feed-forward too narrow", r"tensor blk.0.ffn_gate.weight: shape .*", 3,
               smaller("blk.0.ffn_gate.weight", [DIM, HIDDEN - 32]))
    yield setting("C20", "feed_forward_length", 96, r"tensor blk.0.ffn_\w+.weight: shape .*")
    yield Case(
        "C20", "config.json: intermediate_size 96", folder(config(intermediate_size=96)), 3,
        r"m/model.safetensors: tensor model.layers.0.mlp.\w+.weight: shape .*", args=["-m", "m"])
    for n, says in ((127, "must be even"), (0, ""), (2**20, "")):
        yield hf("C08", f"config.json: head_dim {n}", f": head_dim: {n} .*{says}.*", head_dim=n)
    yield gguf("C08", "attention.key_length 15", "llama.attention.key_length: 15.*", 3,
               lambda g: g.set("llama.attention.key_length", U32, u32(15)).set("llama.attention.value_length", U32, u32(15)))
    yield setting("C09", "rope.dimension_count", 256, "llama.rope.dimension_count: 256 exceeds head size 16|llama.rope.dimension_count: 256.*")
    yield setting("C09", "rope.dimension_count", 7, "llama.rope.dimension_count: 7.*")
    yield gguf("C23", "no output matrix in GGUF: tied", None, 0, lambda g: None, tied=True)
    yield Case("C23", "config.json: not tied, lm_head missing",
               folder(config(), Tensors(tied=True).bytes()), 3, "m/model.safetensors: tensor lm_head.weight missing", args=["-m", "m"])


def smaller(name, dims):
    def change(g):
        t = g.tensor(name)
        t[1], t[4] = dims, floats(weights(name, size(dims)))
    return change


def reals():
    for x in (0.0, -1.0, float("nan"), float("inf"), 1e-30):
        yield setting("C10", "rope.freq_base", x, r"llama.rope.freq_base: .*", F32)
    for x in ("0", "-1", "1e-300", "0.5"):
        yield hf("C10", f"config.json: theta {x}", ": rope_theta: .*", raw=config(rope_theta=...)[:-1] + f', "rope_theta": {x}}}'.encode())
    for x in (-1.0, float("nan"), 2.0, float("inf")):
        yield setting("C12", "attention.layer_norm_rms_epsilon", x, r"llama.attention.layer_norm_rms_epsilon: .*", F32)
    for x in ("-1", "2", '"1e-5"', "[]"):
        yield hf("C12", f"config.json: eps {x}", ": rms_norm_eps: .*",
                 raw=config(rms_norm_eps=...)[:-1] + f', "rms_norm_eps": {x}}}'.encode())
    for s in ({"type": "linear", "factor": 0}, {"type": "linear", "factor": -2}, {"type": "linear"}, {"type": "foo", "factor": 2},
              {"rope_type": "llama3", "factor": 8}, {"type": 3}, [1], "linear",
              {"type": "yarn", "factor": 1e308, "original_max_position_embeddings": 0}):
        yield hf("C11", f"config.json: scaling {json.dumps(s)}", ": rope_scaling.*", rope_scaling=s)
    yield gguf("C11", "scaling.factor 0", "llama.rope.scaling.factor: .*", 3,
               lambda g: g.set("llama.rope.scaling.type", STRING, text("linear")).set("llama.rope.scaling.factor", F32, f32(0)))
    yield gguf("C11", "scaling.factor NaN", "llama.rope.scaling.factor: .*", 3,
               lambda g: g.set("llama.rope.scaling.type", STRING, text("linear")).set("llama.rope.scaling.factor", F32, f32(float("nan"))))
    yield gguf("C11", "scaling.type foo", 'llama.rope.scaling.type: "foo" not supported|.*"foo".*', 3,
               lambda g: g.set("llama.rope.scaling.type", STRING, text("foo")))


def texts():
    c = config()
    body = c[:-1]
    yield hf("C15", "config.json: 1e999", r":1:\d+: number out of range", raw=body + b', "rope_theta2": 1e999}')
    yield hf("C15", "config.json: NaN", r":1:\d+: .*", raw=body + b', "x": NaN}')
    yield hf("C15", "config.json: 20 digits", r":1:\d+: number out of range", raw=body + b', "x": 12345678901234567890123}')
    yield hf("C15", "config.json: key twice", r':1:\d+: duplicate key "hidden_size"', raw=body + b', "hidden_size": 32}')
    yield hf("C15", "config.json: number as text", ': hidden_size: "32" .*', hidden_size="32")
    yield hf("C15", "config.json: 01", r":1:\d+: .*", raw=body + b', "x": 01}')
    yield hf("C15", "config.json: hexadecimal", r":1:\d+: .*", raw=body + b', "x": 0x10}')
    yield hf("C16", "config.json: 100,000 deep", ":1:65: nested deeper than 64", raw=b"[" * 100000)
    yield hf("C16", "config.json: 100,000 objects deep", r":1:\d+: nested deeper than 64", raw=b'{"a":' * 100000)
    for depth, code, says in ((64, 0, None), (65, 3, r"m/config.json:1:\d+: nested deeper than 64")):
        deep = folder(body + b', "x": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}")
        yield Case("C16", f"config.json: {depth} deep, a small stack", deep, code, says,
                   shell='ulimit -s 256; "$CHOIR" info "$@" >/dev/null', args=["-m", "m"])
    yield hf("C17", "config.json: bad UTF-8", ":1:9: invalid UTF-8", raw=b'{"name":\xff"x"}'.replace(b"name", b"nama"))
    yield hf("C17", "config.json: lone surrogate", r":1:\d+: .*", raw=body + b', "x": "\\ud800"}')
    yield hf("C17", "config.json: text after the end", r":1:\d+: text after the end", raw=c + b" x")
    yield hf("C17", "config.json: NUL inside", r":1:\d+: NUL byte", raw=body + b"\0}")
    yield hf("C17", "config.json: escaped NUL", r":1:\d+: NUL character", raw=body + b', "x": "\\u0000"}')
    yield hf("C17", "config.json: empty", ": empty file", raw=b"")
    yield hf("C17", "config.json: a list", ": not an object", raw=b"[]")
    yield hf("C17", "config.json: BOM", ":1:2: .*", raw=b"\xef\xbb\xbf" + c)
    yield hf("C17", "config.json: UTF-16", ":1:1: .*", raw=c.decode().encode("utf-16"))
    for n in (1, 20, len(c) // 2, len(c) - 1):
        yield hf("C17", f"config.json: cut at {n}", r":1:\d+: .*", raw=c[:n])
    yield hf("C17", "config.json: an escape sequence", r":1:\d+: .*", raw=b'{"\x1b[2J": 1}')
    yield hf("C18", "config.json: head_dim null, keys nobody knows", None, 0, head_dim=None, nobody="knows", x=[1, {"y": 2}])


def families():
    yield hf("C19", "config.json: no model_type", ": model_type missing.*", model_type=...)
    yield hf("C19", "config.json: unknown family", ': model_type "foo" not supported.*', model_type="foo")
    yield hf("C19", "config.json: family as number", ": model_type: 3 .*", model_type=3)
    yield hf("C19", "config.json: unknown activation", ': hidden_act "foo" not supported.*', hidden_act="foo")
    yield hf("C19", "config.json: family with an escape sequence", r': model_type "\\x1b\[2J" not supported.*', model_type="\x1b[2J")
    yield hf("C19", "config.json: family of 10,000 letters", r': model_type "f+\.\.\." not supported.*', model_type="f" * 10000)
    for used in (0, 9):
        yield hf("C21", f"config.json: {used} of 8 experts", rf": num_experts_per_tok: {used} \(1 to \d+ allowed\)",
                 model_type="mixtral", num_local_experts=8, num_experts_per_tok=used)
        yield gguf("C21", f"{used} of 8 experts", rf"llama.expert_used_count: {used} \(1 to 8 allowed\)", 3,
                   lambda g, used=used: g.set("llama.expert_count", U32, u32(8)).set("llama.expert_used_count", U32, u32(used)))
    for n in (-1, 0, 2**40):
        yield hf("C22", f"config.json: window {n}", f": sliding_window: {n} .*", model_type="mistral", sliding_window=n)


def cases():
    for part in (counts, shapes, reals, texts, families):
        yield from part()
