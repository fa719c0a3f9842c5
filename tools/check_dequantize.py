#!/usr/bin/env python3
"""Whether Choir reads every quantized type as published: a million random blocks of each, written back as f32 by `choir
quantize`, must be bit for bit what the Python package gguf makes of them.

    tools/check_dequantize.py [--choir build/release/choir] [--types q4_K,iq4_xs] [--blocks 1000000]

Skipped, visibly, without the packages gguf and numpy.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy as np
except ImportError as error:
    print(f"check_dequantize: skipped: no Python package {error.name}")
    sys.exit(0)

# Where a block has its f16 numbers; every other byte may be anything.
SCALES = {"q8_0": [0], "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "iq4_nl": [0], "iq4_xs": [0],
          "q2_K": [80, 82], "q3_K": [108], "q4_K": [0, 2], "q5_K": [0, 2], "q6_K": [208]}
DIM, HIDDEN, VOCAB = 1024, 2048, 8192


def random_rows(random, kind, rows, cols):
    length, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows * cols // length, size), np.uint8)
    for at in SCALES[next(name for name in SCALES if name.upper() == kind.name)]:
        halves = random.integers(0, 1 << 16, len(blocks), np.uint16)
        halves[halves & 0x7C00 == 0x7C00] ^= 0x4000  # finite ones
        blocks[:, at:at + 2] = halves.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


def write_model(path, kind, seed):
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(DIM)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(16)
    writer.add_head_count_kv(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    shapes = {"token_embd": (VOCAB, DIM), "output": (VOCAB, DIM), "blk.0.ffn_gate": (HIDDEN, DIM),
              "blk.0.ffn_up": (HIDDEN, DIM), "blk.0.ffn_down": (DIM, HIDDEN)}
    shapes |= {f"blk.0.attn_{part}": (DIM, DIM) for part in ("q", "k", "v", "output")}
    for name, (rows, cols) in shapes.items():
        writer.add_tensor(f"{name}.weight", random_rows(random, kind, rows, cols), raw_dtype=kind)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(DIM, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sum(rows * cols for rows, cols in shapes.values()) // gguf.GGML_QUANT_SIZES[kind][0]


def compare(source, wide):
    ours = {t.name: t for t in gguf.GGUFReader(wide).tensors}
    for t in gguf.GGUFReader(source).tensors:
        wanted = gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32).ravel()
        found = np.asarray(ours[t.name].data, np.float32).ravel()
        wrong = np.flatnonzero(wanted.view(np.uint32) != found.view(np.uint32))
        if len(wrong) > 0:
            at = wrong[0]
            sys.exit(f"check_dequantize: {t.tensor_type.name}: {len(wrong)} values of {t.name} differ, the first at "
                     f"{at}: {found[at]!r}, gguf has {wanted[at]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choir", default="build/release/choir")
    parser.add_argument("--types", default=",".join(SCALES))
    parser.add_argument("--blocks", type=int, default=1000000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, wide = pathlib.Path(folder, "source.gguf"), pathlib.Path(folder, "wide.gguf")
        for name in args.types.split(","):
            done, seed = 0, 0
            while done < args.blocks:
                done += write_model(source, gguf.GGMLQuantizationType[name.upper()], seed)
                subprocess.run([args.choir, "quantize", "-q", source, wide, "f32"], check=True)
                compare(source, wide)
                seed += 1
            print(f"{name:7} {done} blocks: the same bits", flush=True)


if __name__ == "__main__":
    main()
