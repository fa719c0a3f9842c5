#!/usr/bin/env python3
"""Golden logits and greedy ids of every model family, by the classes of PyPI's `transformers` (torch, safetensors).

    tools/golden/families.py [NAME...]    writes tests/golden/families/NAME.json and NAME.f64

The JSON holds `config` (config.json as models of the family have it), `saved` (config.json as the library writes it today),
`tensors` [[name, shape, base, log2 of the scale]...] of model.safetensors, the prompt's seed and length, `ctx_size` (what
scalings that look at a length look at), `keep` (positions whose logits NAME.f64 holds, little-endian float64, [keep,
vocab_size]) and `greedy` (the ids that follow the prompt).
"""
import json
import math
import pathlib
import re
import sys

import numpy as np

import exact
import hashed
from family_configs import FAMILIES

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "families"
N_GREEDY = 6
CLEAR = 0.03  # of the logits' spread


def spread(name, shape, config):
    """(base, log2 of the scale) of a tensor's values."""
    zero_based = config["model_type"].startswith("gemma")
    if len(shape) == 1 and ("norm" in name or "ln_" in name) and name.endswith(".weight"):
        return (0 if zero_based else 1), -8
    if len(shape) == 1:
        return 0, -9
    fan_in = shape[0] if config["model_type"] == "gpt2" and "wte" not in name and "wpe" not in name else shape[-1]
    return 0, round(0.5 * math.log2(3 / fan_in)) - 7


def greedy(model, ids, n):
    """The n ids that follow, and the smallest distance between best and second best, in units of the logits' spread.  The
    sequence has its final length from the start, for scalings that look at it; what follows a token does not change it."""
    ids, closest = list(ids) + [0] * n, math.inf
    for i in range(n):
        at = len(ids) - n + i
        row = model.logits(ids)[at - 1]
        best, second = np.sort(row)[:-3:-1]
        closest = min(closest, (best - second) / row.std())
        ids[at] = int(row.argmax())
    return ids, closest


class Candidate:
    """A family's model with the weights of one seed, and what follows its prompt."""

    def __init__(self, family, shapes, seed):
        config = family["config"]
        self.seed = seed
        self.tensors = [[k, v, *spread(k, v, config)] for k, v in sorted(shapes.items())]
        weights = {t[0]: hashed.values(t[0], seed, *t[1:]) for t in self.tensors if t[0] not in family.get("extra", {})}
        model = exact.Model(family.get("stand_in", config), family.get("convert", dict)(weights))
        prompt = hashed.token_ids(seed, family["n_ids"], config["vocab_size"])
        self.ids, self.gap = greedy(model, prompt, N_GREEDY)
        self.logits = model.logits(self.ids)


def build(name, family):
    config = family["config"]
    shapes, saved = family.get("disk", exact.disk_form)(exact.read_config(family.get("stand_in", config)))
    shapes = {re.sub("^" + re.escape(family.get("strip", "")), "", k): v for k, v in shapes.items()}
    shapes.update(family.get("extra", {}))
    # the first seed with which no choice is a close one
    c = next(c for c in (Candidate(family, shapes, seed) for seed in range(1, 100)) if c.gap > CLEAR)
    keep = [p if p >= 0 else family["n_ids"] + p for p in family["keep"]]
    np.ascontiguousarray(c.logits[keep]).astype("<f8").tofile(OUT / f"{name}.f64")
    text = json.dumps(dict(config=config, saved=None if "stand_in" in family else saved, seed=c.seed, n_ids=family["n_ids"],
                           ctx_size=len(c.ids), keep=keep, greedy=c.ids[-N_GREEDY:]), indent=1)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    lines = ",\n".join("  " + json.dumps(t) for t in c.tensors)
    (OUT / f"{name}.json").write_text(text[:-2] + ',\n "tensors": [\n' + lines + "\n ]\n}\n")
    print(f"{name}: {len(c.tensors)} tensors, seed {c.seed}, rms {np.sqrt((c.logits ** 2).mean()):.3f}, closest {c.gap:.3f}, "
          f"greedy {c.ids[-N_GREEDY:]}", flush=True)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or FAMILIES:
        build(name, FAMILIES[name])


if __name__ == "__main__":
    main()
