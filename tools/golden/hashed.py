"""Weights that an integer hash of their names gives, so that files of them need not be kept.

They are integers in [-128, 127] times a power of two, plus 0 or 1.  tests/support/family.c works them out again from a list of
names and shapes.
"""
import json
import pathlib

import numpy as np

MASK = (1 << 64) - 1


def splitmix64(z):
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def fnv1a(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def hashes(name, seed, n):
    start = np.uint64((fnv1a(name) + (seed << 40)) & MASK)
    with np.errstate(over="ignore"):
        return splitmix64(start + np.arange(n, dtype=np.uint64))


def values(name, seed, shape, base, log2_scale):
    n = int(np.prod(shape))
    integers = (hashes(name, seed, n) >> np.uint64(56)).astype(np.int64) - 128
    return (base + integers * 2.0 ** log2_scale).reshape(shape).astype(np.float32)


def token_ids(seed, n, vocab):
    return (hashes("token ids", seed, n) % np.uint64(vocab)).astype(np.int64)


def write_folder(family, folder):
    """config.json and model.safetensors of a tests/golden/families/NAME.json."""
    header, blobs, at = {}, [], 0
    for name, shape, base, log2_scale in family["tensors"]:
        blob = values(name, family["seed"], shape, base, log2_scale).astype("<f4").tobytes()
        header[name] = dict(dtype="F32", shape=shape, data_offsets=[at, at + len(blob)])
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    folder = pathlib.Path(folder)
    (folder / "config.json").write_text(json.dumps(family["config"]))
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))
