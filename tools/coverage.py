#!/usr/bin/env python3
"""What gcov counted in a build folder, summed over all objects: lines and branches of each part, and of each file that has
not been gone through whole with --files.

usage: coverage.py BUILD [--files]"""
import collections
import json
import os
import subprocess
import sys

# part, what its files begin with (goals: lines, branches)
PARTS = [("parsers", ("weights/gguf", "weights/safetensors", "weights/st_scan", "weights/llama2c", "weights/folder", "weights/open",
                      "weights/set", "src/base/json", "src/model/config", "src/engine/vocabulary", "src/engine/gguf_"), (95, 90)),
         ("tokenizer", ("tokenizer/",), (95, 90)),
         ("kv", ("src/kv/",), (95, 90)),
         ("state", ("src/engine/state_", "src/base/new_file"), (95, 90)),
         ("base", ("src/base/",), None), ("kernels", ("src/kernels/",), None), ("weights", ("weights/",), None),
         ("model", ("src/model/",), None), ("engine", ("src/engine/",), None), ("cli", ("src/cli/",), None),
         ("whole", ("src/", "weights/", "tokenizer/"), (85, 75))]


def gcov(build):
    """{file: ({line: count}, {(line, i): count})}, counts summed."""
    files = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    notes = [os.path.join(d, n) for d, _, names in os.walk(build) for n in names if n.endswith(".gcno") and "/tests/" not in d]
    for start in range(0, len(notes), 50):
        out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities"] + notes[start:start + 50],
                             capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            for f in json.loads(line)["files"]:
                name = os.path.relpath(f["file"])
                lines, branches = files[name]
                for l in f["lines"]:
                    lines[l["line_number"]] += l["count"]
                    for i, b in enumerate(l["branches"]):
                        branches[l["line_number"], i] += b["count"]
    return files


def share(counts):
    return 100 * sum(c > 0 for c in counts) / len(counts) if counts else 100.0


def main():
    files = gcov(sys.argv[1])
    print(f"{'part':<12}{'lines':>8}{'branches':>10}   goal")
    for part, begins, goal in PARTS:
        of = [f for f in files if f.startswith(begins)]
        lines = [c for f in of for c in files[f][0].values()]
        branches = [c for f in of for c in files[f][1].values()]
        print(f"{part:<12}{share(lines):7.1f}%{share(branches):9.1f}%   {'%d / %d' % goal if goal else ''}")
    if "--files" in sys.argv:
        for f in sorted(files, key=lambda f: share(list(files[f][0].values()))):
            if f.startswith(("src/", "weights/", "tokenizer/")):
                missing = sorted(l for l, c in files[f][0].items() if c == 0)
                if missing:
                    print(f"{share(list(files[f][0].values())):6.1f}%  {share(list(files[f][1].values())):6.1f}%  {f}: "
                          f"{','.join(map(str, missing[:40]))}")


if __name__ == "__main__":
    main()
