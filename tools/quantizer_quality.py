#!/usr/bin/env python3
"""How good the quantizers are, on a real model: the mean Kullback-Leibler divergence of the quantized model's next-token
distributions from the unquantized one's, beside what llama.cpp's own quantizer reaches with the same type.

    tools/quantizer_quality.py MODEL.gguf TEXT --peers FOLDER [--types q4_0,q4_K_M] [--mixed] [--chunks 8] [--context 256]

MODEL is a llama-family GGUF of any types.  It is first written as f32, in another order and wider: the channels of the
residual stream, of the feed-forward layers and of the values in a head are shuffled, so that a block of the new file does
not meet the blocks that the model may have been rounded in before, and all widths grow to multiples of 256 by channels and
heads of zeros, so that every type fits every matrix.  Both change nothing in what the model computes.

FOLDER has llama.cpp's llama-quantize and llama-perplexity; the latter evaluates the files of both.  Needs the Python
packages gguf and numpy.  Without one of these nothing is measured, and said so.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TYPES = "q8_0,q6_K,q5_K,q5_1,q5_0,q4_K,q4_1,q4_0,q3_K,q2_K"
MIXES = "q8_0,q6_K,q5_K_M,q5_K_S,q5_1,q5_0,q4_K_M,q4_K_S,q4_1,q4_0,q3_K_L,q3_K_M,q3_K_S,q2_K"
LIMIT = 1.10


def skip(why):
    print(f"quantizer_quality: skipped: {why}")
    sys.exit(0)


try:
    import gguf
    import numpy as np
except ImportError as error:
    skip(f"no Python package {error.name}")


class Shuffled:
    """The tensors of a llama-family model in another order and wider."""

    def __init__(self, reader, seed):
        self.reader = reader
        field = lambda name: reader.fields[f"llama.{name}"].contents()
        self.dim = field("embedding_length")
        self.hidden = field("feed_forward_length")
        self.heads = field("attention.head_count")
        self.kv_heads = reader.fields["llama.attention.head_count_kv"].contents() \
            if "llama.attention.head_count_kv" in reader.fields else self.heads
        self.head_dim = self.dim // self.heads
        self.eps = field("attention.layer_norm_rms_epsilon")
        self.new_dim = -(-self.dim // 256) * 256
        self.new_hidden = -(-self.hidden // 256) * 256
        group = self.heads // self.kv_heads
        self.new_kv_heads = self.kv_heads
        while self.new_kv_heads * group * self.head_dim % 256:
            self.new_kv_heads += 1
        self.new_heads = self.new_kv_heads * group
        random = np.random.default_rng(seed)
        self.channels = random.permutation(self.dim)
        self.inner = random.permutation(self.hidden)
        self.in_head = random.permutation(self.head_dim)

    def settings(self):
        return {
            "llama.embedding_length": self.new_dim,
            "llama.feed_forward_length": self.new_hidden,
            "llama.attention.head_count": self.new_heads,
            "llama.attention.head_count_kv": self.new_kv_heads,
            "llama.attention.layer_norm_rms_epsilon": self.eps * self.dim / self.new_dim,
            "llama.rope.dimension_count": self.head_dim,
            "llama.attention.key_length": self.head_dim,
            "llama.attention.value_length": self.head_dim,
            "general.file_type": 0,
        }

    def values(self, w, heads):
        """Rows of attn_v, columns of attn_output."""
        return w.reshape(heads, self.head_dim, -1)[:, self.in_head].reshape(heads * self.head_dim, -1)

    def tensor(self, t):
        w = gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        name = t.name.split(".", 2)[-1] if t.name.startswith("blk.") else t.name
        rows, cols = {
            "attn_q.weight": (self.new_heads * self.head_dim, self.new_dim),
            "attn_k.weight": (self.new_kv_heads * self.head_dim, self.new_dim),
            "attn_v.weight": (self.new_kv_heads * self.head_dim, self.new_dim),
            "attn_output.weight": (self.new_dim, self.new_heads * self.head_dim),
            "ffn_gate.weight": (self.new_hidden, self.new_dim),
            "ffn_up.weight": (self.new_hidden, self.new_dim),
            "ffn_down.weight": (self.new_dim, self.new_hidden),
        }.get(name, (len(w), self.new_dim))
        if name.endswith("_norm.weight"):
            out = np.zeros(self.new_dim, np.float32)
            out[:self.dim] = w[self.channels] * np.float32(np.sqrt(self.dim / self.new_dim))
            return out
        if name == "attn_output.weight":
            w = self.values(w[self.channels].T, self.heads).T
        elif name == "ffn_down.weight":
            w = w[self.channels][:, self.inner]
        else:
            w = w[:, self.channels]
            w = w[self.inner] if name in ("ffn_gate.weight", "ffn_up.weight") else w
            w = self.values(w, self.kv_heads) if name == "attn_v.weight" else w
        out = np.zeros((rows, cols), np.float32)
        out[:w.shape[0], :w.shape[1]] = w
        return out


def write_base(path, model, seed):
    reader = gguf.GGUFReader(model)
    if reader.fields["general.architecture"].contents() != "llama":
        sys.exit(f"quantizer_quality: {model}: not of the llama family")
    shuffled = Shuffled(reader, seed)
    writer = gguf.GGUFWriter(path, "llama")
    settings = shuffled.settings()
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture" or field.name in settings:
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=sub)
    for name, value in settings.items():
        (writer.add_float32 if isinstance(value, float) else writer.add_uint32)(name, value)
    for t in reader.tensors:
        writer.add_tensor(t.name, shuffled.tensor(t))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"quantizer_quality: {command[0]} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def evaluate(args, model, *more):
    return run(args.peers / "llama-perplexity", "-m", model, "-f", args.text, "-c", args.context, "--chunks", args.chunks,
               "-t", args.threads, *more)


def number(pattern, text):
    found = re.search(pattern + r"\s*[:=]\s*(-?[0-9.]+)(?:\s*(?:±|\+/-)\s*([0-9.]+))?", text)
    if not found:
        sys.exit(f"quantizer_quality: no {pattern} in:\n{text[-2000:]}")
    return float(found[1]), float(found[2] or 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--peers", type=pathlib.Path, default=pathlib.Path(os.environ.get("LLAMA_BIN", "llama-bin")))
    parser.add_argument("--choir", default="build/release/choir")
    parser.add_argument("--types")
    parser.add_argument("--mixed", action="store_true", help="each type's usual mix, not one type for all matrices")
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", help="folder for the files, kept; theirs are made once")
    args = parser.parse_args()
    for tool in ("llama-quantize", "llama-perplexity"):
        if not (args.peers / tool).exists():
            skip(f"no {args.peers / tool}")
    with tempfile.TemporaryDirectory() as folder:
        measure(args, pathlib.Path(args.work or folder))


def measure(args, folder):
    base, logits = folder / "base.gguf", folder / f"base-{args.context}-{args.chunks}.kld"
    if not base.exists():
        write_base(base, args.model, args.seed)
    if not logits.exists():
        evaluate(args, base, "--kl-divergence-base", logits)
    worst = 0.0
    print(f"{'type':8} {'MiB':>7} {'their MiB':>9} {'KL':>9} {'their KL':>9} {'error':>8} {'ratio':>6}", flush=True)
    for kind in (args.types or (MIXES if args.mixed else TYPES)).split(","):
        ours, theirs = folder / "ours.gguf", folder / "theirs.gguf"
        run(args.choir, "quantize", base, ours, kind, *([] if args.mixed else ["--pure"]))
        kept = folder / f"{kind}-{args.mixed}-{args.context}-{args.chunks}.txt"
        if not kept.exists():
            run(args.peers / "llama-quantize", *([] if args.mixed else ["--pure"]), base, theirs, kind.upper())
            text = evaluate(args, theirs, "--kl-divergence", "--kl-divergence-base", logits)
            kept.write_text(f"{text}\nMiB: {theirs.stat().st_size / 1048576}\n")
        text = kept.read_text()
        their, error = number(r"Mean\s+KLD", text)
        our, _ = number(r"Mean\s+KLD", evaluate(args, ours, "--kl-divergence", "--kl-divergence-base", logits))
        worst = max(worst, our / their)
        print(f"{kind:8} {ours.stat().st_size / 1048576:7.1f} {number('MiB', text)[0]:9.1f} {our:9.6f} {their:9.6f} "
              f"{error:8.6f} {our / their:6.3f}", flush=True)
    print(f"worst ratio {worst:.3f}, limit {LIMIT:.2f}")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
