#!/usr/bin/env python3
"""Golden beam searches: ids and scores as `generate(num_beams=N, do_sample=False, early_stopping=False)` of PyPI's `transformers`
finds them, in float64, on models of tests/golden/families.

    tools/golden/beams.py    writes tests/golden/beams.json

Each case is also searched by the plain loop below, which tells how close the closest decision was: the end-of-text ids of a
case are the first with which none is close, a text ends by itself and the search takes the way that `want` asks for.
"""
import itertools
import json
import pathlib
import sys

import numpy as np
import torch

here = sys.path.pop(0)  # where a tokenizers.py of ours stands before the package that transformers wants
import tokenizers  # noqa: E402, F401

sys.path.insert(0, here)
import exact  # noqa: E402
import hashed  # noqa: E402
from exact import Exact  # noqa: E402

FAMILIES = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "families"
OUT = FAMILIES.parent / "beams.json"
CLEAR = 1e-4  # of a log-probability

# family, beams, most tokens, length penalty, end-of-text ids, what must come of it
CASES = [
    ("llama", 1, 12, 1.0, 1, "stop"),
    ("llama", 4, 12, 1.0, 1, "both"),
    ("llama", 4, 40, 1.0, 1, "early"),
    ("llama", 3, 12, 0.0, 1, "early"),
    ("llama", 5, 8, 1.3, 2, "stop"),
    ("qwen2", 4, 12, 1.0, 1, "both"),
    ("gpt2", 6, 16, 0.7, 2, "both"),
    ("mistral_window", 4, 24, 1.0, 1, "both"),
]


def log_softmax(x):
    return x - (x.max() + np.log(np.exp(x - x.max()).sum()))


class Search:
    """The definition, in a plain loop.  gap: the smallest distance between a log-probability or score that was taken and the next
    one that was not."""

    def __init__(self, rows, prompt, n_beams, most, alpha, eos):
        self.gap, self.done, self.n, self.alpha = np.inf, [], n_beams, alpha
        live = [(0.0, [])]
        for length in range(1, most + 1):
            ranked = sorted(((score + p, ids + [i]) for score, ids in live
                             for i, p in enumerate(log_softmax(rows(prompt + ids)))), key=lambda c: -c[0])
            self.look([c[0] for c in ranked[:(len(eos) + 1) * n_beams + 1]])
            ends = [c[1][-1] in eos or length == most for c in ranked]
            self.done += [(c[0] / length ** alpha, c[1]) for c, end in zip(ranked[:n_beams], ends) if end]
            self.done.sort(key=lambda d: -d[0])
            self.look([d[0] for d in self.done[:n_beams + 1]])
            self.done = self.done[:n_beams]
            live = [c for c, end in zip(ranked[:(max(len(eos), 1) + 1) * n_beams], ends) if not end][:n_beams]
            if live and len(self.done) == n_beams:
                best = live[0][0] / length ** alpha
                self.gap = min(self.gap, abs(best - self.done[-1][0]))
                if best <= self.done[-1][0]:
                    break
        self.length = length

    def look(self, numbers):
        self.gap = min([self.gap] + [a - b for a, b in zip(numbers, numbers[1:])])


def library(model, prompt, n_beams, most, alpha, eos):
    with Exact(), torch.no_grad():
        out = model.model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), num_beams=n_beams,
            num_return_sequences=n_beams, do_sample=False, length_penalty=alpha, early_stopping=False, max_new_tokens=most,
            eos_token_id=eos, pad_token_id=eos[0], output_scores=True, return_dict_in_generate=True, use_cache=False)
    texts = []
    for row in out.sequences[:, len(prompt):].tolist():
        end = min([row.index(e) + 1 for e in eos if e in row], default=len(row))
        texts.append(row[:end])
    return texts, getattr(out, "sequences_scores", None)


def fits(search, eos, most, want):
    stops = sum(ids[-1] in eos for _, ids in search.done)
    lengths = {len(ids) for _, ids in search.done}
    return search.gap > CLEAR and stops > 0 and (
        want == "stop" or want == "early" and search.length < most and (search.n == 1 or len(lengths) > 1) or
        want == "both" and 0 < stops < len(search.done) and len(lengths) > 1)


def candidates(rows, ids, n_beams, most, alpha, n_eos):
    """Searches from every 12 of the ids, with every choice of end-of-text ids that means anything."""
    for first in range(len(ids) - 12):
        prompt = ids[first:first + 12]
        free = Search(rows, prompt, n_beams, most, alpha, [])
        common = list(dict.fromkeys(itertools.chain(*[ids[1:] for _, ids in free.done])))
        for eos in itertools.combinations(common[:12], n_eos):
            yield first, prompt, eos, Search(rows, prompt, n_beams, most, alpha, list(eos))


def build(name, n_beams, most, alpha, n_eos, want):
    family = json.loads((FAMILIES / f"{name}.json").read_text())
    weights = {t[0]: hashed.values(t[0], family["seed"], *t[1:]) for t in family["tensors"]}
    model = exact.Model(family["config"], weights)
    all_ids = hashed.token_ids(family["seed"], family["n_ids"], family["config"]["vocab_size"]).tolist()
    memory = {}

    def rows(ids):
        key = tuple(ids)
        if key not in memory:
            memory[key] = model.logits(ids)[-1]
        return memory[key]

    tries = candidates(rows, all_ids, n_beams, most, alpha, n_eos)
    first, prompt, eos, search = next(t for t in tries if fits(t[3], t[2], most, want))
    texts, scores = library(model, prompt, n_beams, most, alpha, list(eos))
    assert texts == [ids for _, ids in search.done], (texts, search.done)
    if scores is not None:
        assert np.allclose(scores, [s for s, _ in search.done], rtol=1e-6), (scores, search.done)
    print(f"{name}: {n_beams} beams, eos {eos}, lengths {[len(t) for t in texts]} of {most}, steps {search.length}, "
          f"closest {search.gap:.5f}", flush=True)
    return dict(family=name, n_beams=n_beams, max_tokens=most, length_penalty=alpha, first=first, n_prompt=len(prompt),
                eos=list(eos), texts=texts, scores=[float(f"{s:.9g}") for s, _ in search.done])


def main():
    lines = ",\n".join(" " + json.dumps(build(*case)) for case in CASES)
    OUT.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
