#!/usr/bin/env python3
"""Golden logits: a Llama-family forward pass written from the papers in numpy float64, sharing nothing with the engine.

Weights are not stored: both sides compute them from (model, tensor, element) with the same integer hash, as multiples of
a power of two with 8 significant bits, so that f32, f16 and bf16 hold them exactly.  For q8_0 and q4_0 the weights are
rounded here by the published block formulas and the forward pass runs on the rounded ones.

    tools/golden/logits.py            writes tests/golden/logits/NAME.json (a Hugging Face config) and NAME[.TYPE].f64
                                      (little-endian float64, [positions kept, vocab_size])
"""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "logits"


def config(seed, n_ids, keep, **over):
    c = dict(model_type="llama", architectures=["LlamaForCausalLM"], hidden_act="silu", hidden_size=64, intermediate_size=172,
             num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, head_dim=16, vocab_size=96,
             max_position_embeddings=1024, rms_norm_eps=1e-5, rope_theta=10000.0, rope_scaling=None,
             tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
             golden=dict(seed=seed, n_ids=n_ids, keep=keep, types=["f32"]))
    c.update(over)
    return c


MODELS = {
    "mha_tied": config(1, 24, 24, tie_word_embeddings=True),
    "gqa_wide": config(2, 24, 24, hidden_size=96, intermediate_size=160, num_hidden_layers=3, num_attention_heads=6,
                       num_key_value_heads=2, head_dim=32, vocab_size=70),
    "mqa": config(3, 24, 24, intermediate_size=128, num_attention_heads=8, num_key_value_heads=1, head_dim=8, vocab_size=130),
    "linear": config(4, 40, 8, rope_scaling=dict(type="linear", factor=4.0), num_key_value_heads=2),
    "llama3": config(5, 60, 8, rope_theta=500000.0, head_dim=32, num_key_value_heads=2,
                     rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                       original_max_position_embeddings=64)),
    "window": config(6, 40, 40, model_type="mistral", sliding_window=5, num_key_value_heads=2),
    "long": config(7, 700, 3, num_key_value_heads=2, hidden_size=32, intermediate_size=48, head_dim=8, vocab_size=50),
    # windows whose first span of the past is not the past's first; one key/value head, so that threads share its spans
    "long_window": config(11, 900, 3, model_type="mistral", sliding_window=300, num_attention_heads=3, num_key_value_heads=1,
                          hidden_size=24, intermediate_size=32, head_dim=8, vocab_size=50),
    "narrow_window": config(12, 1300, 3, model_type="mistral", sliding_window=37, num_key_value_heads=2, hidden_size=32,
                            intermediate_size=32, head_dim=8, vocab_size=50, max_position_embeddings=2048),
    "wide_window": config(13, 1300, 3, model_type="mistral", sliding_window=520, num_attention_heads=3, num_key_value_heads=1,
                          hidden_size=24, intermediate_size=32, head_dim=8, vocab_size=50, max_position_embeddings=2048),
    # a step large enough for four threads, with too few heads to go round: they share the spans.  Compared with itself only.
    "shared_spans": config(15, 1300, 0, model_type="mistral", sliding_window=600, num_attention_heads=6,
                           num_key_value_heads=3, intermediate_size=64, head_dim=8, vocab_size=26000,
                           max_position_embeddings=2048, tie_word_embeddings=True),
    # more query heads for a key/value head than the attention kernel takes rows
    "wide_group": config(14, 90, 6, num_attention_heads=70, num_key_value_heads=1, hidden_size=32, intermediate_size=48,
                         head_dim=4, vocab_size=50),
    "quant": config(8, 24, 24, hidden_size=128, intermediate_size=192, num_key_value_heads=2, head_dim=32),
    # large enough that a step is worth several threads, with no width that any tile divides
    "odd": config(9, 20, 1, hidden_size=328, intermediate_size=500, num_attention_heads=12, head_dim=26, vocab_size=1003),
    "odd_quant": config(10, 20, 1, hidden_size=352, intermediate_size=480, num_attention_heads=11, num_key_value_heads=1,
                        head_dim=32, vocab_size=999),
}
MODELS["shared_spans"]["golden"]["types"] = []
MODELS["quant"]["golden"]["types"] = ["f32", "q8_0", "q4_0"]


def splitmix64(z):
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def integers(seed, number, n):
    """n integers in [-128, 127] of tensor `number`."""
    at = (np.uint64(seed) << np.uint64(56)) + (np.uint64(number) << np.uint64(32)) + np.arange(n, dtype=np.uint64)
    return (splitmix64(at) >> np.uint64(56)).astype(np.int64) - 128


def matrix(seed, number, rows, cols):
    """Uniform, scaled by the power of two next to sqrt(3 / cols)."""
    scale = 2.0 ** np.rint(0.5 * np.log2(3.0 / cols)) / 128
    return integers(seed, number, rows * cols).reshape(rows, cols) * scale


def norm(seed, number, n):
    return 1.0 + (integers(seed, number, n) >> 3) / 64.0


def token_ids(seed, n, vocab):
    return (splitmix64((np.uint64(seed) << np.uint64(56)) + (np.uint64(0xFFFFFF) << np.uint64(32)) +
                       np.arange(n, dtype=np.uint64)) % np.uint64(vocab)).astype(np.int64)


def f16(x):
    return x.astype(np.float32).astype(np.float16).astype(np.float64)


def q8_0(w):
    b = w.astype(np.float32).reshape(-1, 32)
    d = (np.abs(b).max(axis=1, keepdims=True) / np.float32(127)).astype(np.float32)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d > 0)
    x = (b * inverse).astype(np.float32)
    q = np.trunc(x + np.copysign(np.float32(0.5), x))  # halves away from zero, as the format's writers do
    return (q.astype(np.float64) * f16(d)).reshape(w.shape)


def q4_0(w):
    b = w.astype(np.float32).reshape(-1, 32)
    at = np.abs(b).argmax(axis=1)
    d = (b[np.arange(len(b)), at] / np.float32(-8)).astype(np.float32)[:, None]
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    q = np.minimum(15, np.trunc((b * inverse).astype(np.float32) + np.float32(8.5)))
    return ((q.astype(np.float64) - 8) * f16(d)).reshape(w.shape)


ROUND = {"f32": lambda w: w, "q8_0": q8_0, "q4_0": q4_0}


def weights(c, kind):
    seed, dim, hidden = c["golden"]["seed"], c["hidden_size"], c["intermediate_size"]
    q = c["num_attention_heads"] * c["head_dim"]
    kv = c["num_key_value_heads"] * c["head_dim"]
    number = iter(range(1 << 20))
    mat = lambda rows, cols: ROUND[kind](matrix(seed, next(number), rows, cols))
    w = dict(embed=mat(c["vocab_size"], dim), layers=[])
    for _ in range(c["num_hidden_layers"]):
        w["layers"].append(dict(att_norm=norm(seed, next(number), dim), wq=mat(q, dim), wk=mat(kv, dim), wv=mat(kv, dim),
                                wo=mat(dim, q), ffn_norm=norm(seed, next(number), dim), gate=mat(hidden, dim),
                                up=mat(hidden, dim), down=mat(dim, hidden)))
    w["norm"] = norm(seed, next(number), dim)
    w["output"] = w["embed"] if c["tie_word_embeddings"] else mat(c["vocab_size"], dim)
    return w


def inverse_frequencies(c):
    """RoFormer, with position interpolation or Llama 3.1's blend by wavelength."""
    hd = c["head_dim"]
    f = c["rope_theta"] ** (-np.arange(0, hd, 2) / hd)
    s = c["rope_scaling"]
    if s is None:
        return f
    if s.get("type") == "linear":
        return f / s["factor"]
    wavelength = 2 * np.pi / f
    low, high, old = s["low_freq_factor"], s["high_freq_factor"], s["original_max_position_embeddings"]
    blend = np.clip((old / wavelength - low) / (high - low), 0, 1)
    return (1 - blend) * f / s["factor"] + blend * f


def rotate(x, angles):
    """x [n, heads, hd], pairs (i, i + hd/2)."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def rms(x, w, eps):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps) * w


def forward(c, w, ids):
    n, hd = len(ids), c["head_dim"]
    heads, kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
    positions = np.arange(n)
    angles = positions[:, None] * inverse_frequencies(c)
    distance = positions[:, None] - positions[None, :]
    hidden = (distance < 0) | (distance >= c.get("sliding_window", n + 1))
    x = w["embed"][ids]
    for y in w["layers"]:
        h = rms(x, y["att_norm"], c["rms_norm_eps"])
        q = rotate((h @ y["wq"].T).reshape(n, heads, hd), angles)
        k = rotate((h @ y["wk"].T).reshape(n, kv_heads, hd), angles)
        v = (h @ y["wv"].T).reshape(n, kv_heads, hd)
        out = np.empty((n, heads, hd))
        for i in range(heads):
            j = i // (heads // kv_heads)
            score = q[:, i] @ k[:, j].T / np.sqrt(hd)
            score[hidden] = -np.inf
            p = np.exp(score - score.max(axis=1, keepdims=True))
            out[:, i] = p / p.sum(axis=1, keepdims=True) @ v[:, j]
        x = x + out.reshape(n, -1) @ y["wo"].T
        h = rms(x, y["ffn_norm"], c["rms_norm_eps"])
        gate = h @ y["gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ y["up"].T)) @ y["down"].T
    return rms(x, w["norm"], c["rms_norm_eps"]) @ w["output"].T


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, c in MODELS.items():
        (OUT / f"{name}.json").write_text(json.dumps(c, indent=1) + "\n")
        g = c["golden"]
        ids = token_ids(g["seed"], g["n_ids"], c["vocab_size"])
        for kind in g["types"]:
            logits = forward(c, weights(c, kind), ids)[-g["keep"]:]
            suffix = "" if kind == "f32" else "." + kind
            logits.astype("<f8").tofile(OUT / f"{name}{suffix}.f64")
            print(f"{name} {kind}: {logits.shape[0]} x {logits.shape[1]}, rms {np.sqrt((logits ** 2).mean()):.3f}, "
                  f"first {logits[0, :3]}")


if __name__ == "__main__":
    main()
