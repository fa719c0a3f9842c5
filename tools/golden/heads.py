#!/usr/bin/env python3
"""Golden attention weights of the families' tiny models (families.py), by the classes of PyPI's `transformers`.

    tools/golden/heads.py [NAME...]    writes tests/golden/heads/NAME.f32

Little-endian float32: for each layer, each query head and each of the positions 13 and 39 of the prompt, the weights of
the tokens from 0 to that position.
"""
import json
import pathlib
import sys

import numpy as np
import torch

import exact
import hashed
from family_configs import FAMILIES

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
POSITIONS = (13, 39)
NAMES = ("falcon", "falcon_new", "gemma", "gemma2", "gemma3", "gpt2", "internlm2", "llama", "llama3", "mistral_window",
         "mixtral", "olmo2", "phi3_partial", "qwen2_moe", "qwen2_window", "qwen3", "qwen3_moe", "starcoder2")


def attentions(name):
    """Per layer [head, query, key]."""
    family, kept = FAMILIES[name], json.loads((GOLDEN / "families" / f"{name}.json").read_text())
    weights = {t[0]: hashed.values(t[0], kept["seed"], *t[1:]) for t in kept["tensors"] if t[0] not in family.get("extra", {})}
    model = exact.Model(family.get("stand_in", family["config"]), family.get("convert", dict)(weights)).model
    prompt = hashed.token_ids(kept["seed"], kept["n_ids"], family["config"]["vocab_size"])
    with exact.Exact(), torch.no_grad():
        out = model(torch.tensor([prompt.tolist()]), use_cache=False, output_attentions=True)
    return [a[0].numpy() for a in out.attentions]


def main():
    (GOLDEN / "heads").mkdir(exist_ok=True)
    for name in sys.argv[1:] or NAMES:
        layers = attentions(name)
        rows = [a[h, p, :p + 1] for a in layers for h in range(a.shape[0]) for p in POSITIONS]
        np.concatenate(rows).astype("<f4").tofile(GOLDEN / "heads" / f"{name}.f32")
        print(f"{name}: {len(layers)} layers of {layers[0].shape[0]} heads", flush=True)


if __name__ == "__main__":
    main()
