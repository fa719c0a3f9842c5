#!/usr/bin/env python3
"""What gcov counted in a build folder, summed over all objects: lines and branches of each part.  With beginnings of file
names, also each line of those files that was not reached (-) or has branches that were not taken (0, taken ones are dots).

What counts: a branch is an edge that the compiler leaves a condition by, so each operand of && and || has two.  Edges that
only a C++ exception takes are not counted: no source line says them.  A line of a template or an inline function counts
once, and is reached when one of its copies is.  Kernels count for every instruction set the build has: levels that this
machine lacks are built but not reached; those of other architectures are not built, and not counted.  What runs in the
sandbox or is killed leaves no counts.  Exit code 1: a part is below its goal.

usage: coverage.py BUILD [BEGINNING...]"""
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
    notes = [os.path.join(d, n) for d, _, names in os.walk(build) for n in names if n.endswith(".gcno")]
    for start in range(0, len(notes), 50):
        out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities"] + notes[start:start + 50],
                             capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            for f in json.loads(line)["files"]:
                lines, branches = files[os.path.relpath(f["file"])]
                for l in f["lines"]:
                    lines[l["line_number"]] += l["count"]
                    for i, b in enumerate(b for b in l["branches"] if not b["throw"]):
                        branches[l["line_number"], i] += b["count"]
    return files


def share(counts):
    return 100 * sum(c > 0 for c in counts) / len(counts) if counts else 100.0


def show_gaps(name, lines, branches):
    missing = sum(c == 0 for c in lines.values()), sum(c == 0 for c in branches.values())
    print(f"\n{name}: {missing[0]} of {len(lines)} lines, {missing[1]} of {len(branches)} branches are missing")
    with open(name, encoding="utf-8") as file:
        source = file.read().splitlines()
    of = collections.defaultdict(str)
    for (line, _), count in sorted(branches.items()):
        of[line] += "." if count else "0"
    for line in sorted(lines):
        mark = of[line] if lines[line] else "-"
        if mark.strip("."):
            print(f"{line:5} {mark:<10} {source[line - 1]}")


def main():
    files, below = gcov(sys.argv[1]), False
    print(f"{'part':<12}{'lines':>8}{'branches':>10}   goal")
    for part, begins, goal in PARTS:
        of = [f for f in files if f.startswith(begins)]
        lines = [c for f in of for c in files[f][0].values()]
        branches = [c for f in of for c in files[f][1].values()]
        missed = goal is not None and (share(lines) < goal[0] or share(branches) < goal[1])
        below |= missed
        print(f"{part:<12}{share(lines):7.1f}%{share(branches):9.1f}%   {'%d / %d' % goal if goal else ''}{'  MISSED' * missed}")
    for name in sorted(files):
        if name.startswith(tuple(sys.argv[2:])):
            show_gaps(name, *files[name])
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
