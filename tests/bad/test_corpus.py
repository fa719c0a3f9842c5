#!/usr/bin/env python3
"""The corpus of bad inputs: made here from one seed, each given to the program ($CHOIR_BIN), which must refuse it with the
right exit code, one line on stderr of at most 400 bytes and nothing on stdout, or take it where it is only odd.  corpus/rows.txt
says what checks which row.  Prints TAP.  Usage: test_corpus.py [ROW|GROUP...]; --keep FOLDER writes the files there instead."""

import concurrent.futures
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.join(here, "corpus"))

GROUPS = ["gguf", "settings", "safetensors", "vocabularies", "weights", "streams", "valid"]
SECONDS = 60  # no case takes one; a machine under load may take some


def lay_out(case, folder):
    os.makedirs(folder, exist_ok=True)
    for name, data in case.files.items():
        path = os.path.join(folder, name)
        os.makedirs(path if name.endswith("/") else os.path.dirname(path), exist_ok=True)
        if not name.endswith("/"):
            with open(path, "wb") as file:
                file.write(data)
    if case.prepare:
        case.prepare(folder)


def start(case, program, folder):
    env = {k: v for k, v in os.environ.items() if k not in ("CHOIR_MODEL", "CHOIR_CPU", "OMP_NUM_THREADS")}
    env.update(CHOIR=program, HF_HOME=os.path.join(folder, "no-cache"), OMP_NUM_THREADS="1", **(case.env or {}))
    command = ["sh", "-c", case.shell, "sh"] if case.shell else [program]
    return subprocess.run(command + case.args, input=case.stdin, capture_output=True, cwd=folder, env=env,
                          timeout=SECONDS, check=False)


def complaints(case, ran):
    line = ran.stderr.decode("utf-8", "replace")
    if ran.returncode != case.code:
        yield f"exit {ran.returncode}, expected {case.code}"
    if case.out is not ... and ran.stdout != (case.out or b""):
        yield f"stdout {ran.stdout[:100]!r}"
    if case.says is None:
        if line:
            yield "words on stderr where none are expected"
    elif not re.fullmatch(f"choir: (?:{case.says})\n", line):
        yield f"expected: {case.says}"
    if case.code and (len(ran.stderr) > 400 or re.search(rb"[\0-\x09\x0b-\x1f\x7f]", ran.stderr)):
        yield "a line that is too long or not printable"


def check(case, program):
    folder = tempfile.mkdtemp(prefix="choir-bad-")
    try:
        lay_out(case, folder)
        before = sorted(os.listdir(folder))
        try:
            ran = start(case, program, folder)
        except subprocess.TimeoutExpired:
            return [f"not done after {SECONDS} s"]
        found = list(complaints(case, ran))
        if sorted(os.listdir(folder)) != before:
            found.append("left behind: " + " ".join(sorted(set(os.listdir(folder)) - set(before))))
        if found:
            found.append("stderr: " + ran.stderr.decode("utf-8", "replace")[:2000].replace("\n", "\n#   "))
        return found
    finally:
        shutil.rmtree(folder)


def read_rows():
    """rows.txt: {row: what stands behind it}"""
    with open(os.path.join(here, "corpus", "rows.txt"), encoding="utf-8") as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    return {row: rest.strip() for row, rest in lines}


def row_faults(cases):
    """What rows.txt says and what is here must agree."""
    rows, here_rows = read_rows(), {c.row for c in cases}
    for row, rest in rows.items():
        kind, _, where = rest.partition(" ")
        if kind not in ("here", "in", "not"):
            yield f"{row}: {rest}"
        if (kind == "here") != (row in here_rows):
            yield f"{row}: rows.txt says '{rest}', the corpus has {'some' if row in here_rows else 'none'}"
        for path in re.findall(r"\btests/[\w./-]+", where):
            if not os.path.exists(os.path.join(root, path)):
                yield f"{row}: there is no {path}"
    for row in sorted(here_rows - set(rows)):
        yield f"{row} is not in rows.txt"


def main(arguments):
    cases = [c for g in GROUPS for c in importlib.import_module(f"cases_{g}").cases()]
    if arguments[:1] == ["--keep"]:
        for i, c in enumerate(cases):
            lay_out(c, os.path.join(arguments[1], f"{i:03}-{c.row}-{re.sub('[^a-z0-9]+', '-', c.what.lower())}"))
        return 0
    faults = list(row_faults(cases))
    wanted = [c for c in cases if not arguments or c.row in arguments]
    print(f"1..{len(wanted) + 1}")
    print(f"{'not ok' if faults else 'ok'} 1 rows.txt and the corpus agree", *faults, sep="\n# ")
    program, failed = os.environ["CHOIR_BIN"], bool(faults)
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda c: check(c, program), wanted)
        for i, (c, found) in enumerate(zip(wanted, results), 2):
            print(f"{'not ok' if found else 'ok'} {i} {c.row} {c.what}", *found, sep="\n# ", flush=True)
            failed |= bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
