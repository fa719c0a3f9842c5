#!/usr/bin/env python3
"""Measures Choir against other engines: the same model, the same threads, one program after the other, round after round.

    tools/compare_peers.py -m 1b-q8_0.gguf -t 1,2 --peer llama.cpp=/opt/llama.cpp/llama-bench --peer ik=/opt/ik/llama-bench
    tools/compare_peers.py -m 15m-f32.gguf --tests pp200,tg200 --peer llama2.c=/opt/llama2.c/run
    tools/compare_peers.py -m 1b-q4_0.gguf --choir-args '--cpu avx2' --peer avx2=/opt/llama.cpp-avx2/llama-bench --json out.json
    tools/compare_peers.py -m 1b-q8_0.gguf --tests pp512 --peer before=/tmp/old/choir

A peer is known by the name of its program:
    llama-bench  llama.cpp's, or ik_llama.cpp's; llama-batched-bench beside it does the tests with several sequences
    run          llama2.c's; takes NAME.bin for NAME.gguf, and runq beside it for the quantized files
    python       an interpreter that has openvino_genai (of GGUF it reads byte-level BPE models: make_model.py --bpe)
    choir        another Choir
Without --peer: llama-bench on the PATH, and OpenVINO GenAI where this Python has it.

Tests: pp512 is a prompt of 512 tokens, tg64 is 64 tokens one by one, tg64@4096 the same after 4096 tokens, tg64x8 the
total of 8 sequences; load is a whole run that ends with the first token, peak its memory (for llama.cpp: llama-completion or
llama-cli beside llama-bench).  Peers run with flash attention, f16 keys and values, and prompts in pieces of 512 tokens, as
Choir does.

In the table a figure is the median of the rounds, with the least and the greatest: tok/s, or where less is better ms and MB.
`choir / PEER` is how many times as fast, or as small, Choir is: the median of the rounds' ratios.  `of limit` is Choir's
share of what it found the machine to reach in the same run.  `ms of d4096` is the time a token takes longer after 4096
tokens.  What failed is one line on stderr and a dash in the table; Ctrl-C ends the rounds and shows what there is.  Python 3
alone is needed.
"""
import argparse
import itertools
import json
import math
import os
import pathlib
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

DEFAULT_TESTS = "pp512,tg64,tg64@4096,tg64x1,tg64x4,tg64x8,tg64x16"
TIMEOUT = 1800  # seconds a program may take for one test


class Failure(Exception):
    """Why a program has no figure, in one line."""


class Test(NamedTuple):
    kind: str  # pp, tg, load, peak, or depth: what the depth costs
    n: int = 0
    depth: int = 0
    seqs: int = 0  # 0: one, not as a batch

    def __str__(self):
        if self.kind == "depth":
            return f"ms of d{self.depth}"
        depth, seqs = f" @ d{self.depth}" if self.depth else "", f" x{self.seqs}" if self.seqs else ""
        return f"{self.kind}{self.n or ''}{depth}{seqs}"

    def less_is_better(self):
        return self.kind in ("load", "peak", "depth")

    def unit(self):
        return {"load": "ms", "peak": "MB", "depth": "ms"}.get(self.kind, "tok/s")


LOAD, PEAK = Test("load"), Test("peak")


def test_of(text):
    if text in ("load", "peak"):
        return Test(text)
    m = re.fullmatch(r"(pp|tg)(\d+)(?:@d?(\d+)|x(\d+))?", text.replace(" ", ""))
    if not m or int(m[2]) < 1 or m[4] and (int(m[4]) < 1 or m[1] == "pp"):
        raise argparse.ArgumentTypeError(f"{text!r} is no test (pp512, tg64, tg64@4096, tg64x8, load, peak)")
    return Test(m[1], int(m[2]), int(m[3] or 0), int(m[4] or 0))


def tests_of(text):
    return list(dict.fromkeys(test_of(word) for word in text.split(",")))


def groups_of(tests):
    """What one process measures: all the numbers of sequences together, load and peak, everything else alone."""
    groups = {}
    for test in tests:
        key = test._replace(seqs=1) if test.seqs else LOAD if test == PEAK else test
        groups.setdefault(key, []).append(test)
    return list(groups.values())


# ---- running and reading --------------------------------------------------------------------------------

def last_words(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def environment(threads=None):
    env = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "CHOIR_MODEL", "CHOIR_CPU")}
    return {**env, "OMP_NUM_THREADS": str(threads)} if threads else env


def check_status(program, status, said):
    if status < 0:
        raise Failure(f"{program} was killed by {signal.Signals(-status).name}")
    if status:
        raise Failure(f"{program} ended with {status}: {last_words(said)}")


def output_of(command, threads=None, both=False):
    """What a program writes on stdout (both: and on stderr)."""
    try:
        done = subprocess.run(command, env=environment(threads), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} was stopped after {TIMEOUT} s") from None
    except OSError as e:
        raise Failure(f"{command[0]}: {os.strerror(e.errno)}") from None
    check_status(command[0], done.returncode, done.stderr or done.stdout)
    return done.stdout + done.stderr if both else done.stdout


def whole_run(command):
    """{LOAD: ms, PEAK: MB} of a program that ends after its first token."""
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        try:
            child = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        except OSError as e:
            raise Failure(f"{command[0]}: {os.strerror(e.errno)}") from None
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        ms = 1000 * (time.monotonic() - begun)
        said.seek(0)
        check_status(command[0], child.returncode, said.read().decode(errors="replace"))
    return {LOAD: ms, PEAK: usage.ru_maxrss * 1024 / 1e6}


def read_bench(text):
    """The rows of llama-bench's JSON, whose fields `choir bench` has too.  Lines before and after the array are skipped."""
    try:
        begin = re.search(r"^\[", text, re.MULTILINE).start()
        rows, _ = json.JSONDecoder().raw_decode(text[begin:])
        for row in rows:
            row["n_prompt"], row["n_gen"]  # both have to be there
            row["tok/s"] = statistics.median(row["samples_ts"])
    except (ValueError, TypeError, KeyError, AttributeError, statistics.StatisticsError):
        raise Failure(f"no result in the output: {last_words(text)}") from None
    return rows


def read_batched(text):
    """{sequences: total tok/s} of llama-batched-bench's table; columns are found by their titles."""
    titles, result = None, {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if "S_TG t/s" in cells:
            titles = cells
        elif titles and len(cells) == len(titles) and cells[0].isdigit():
            row = dict(zip(titles, cells))
            try:
                result[int(row["B"])] = float(row["S_TG t/s"])
            except (KeyError, ValueError):
                raise Failure(f"no result in the output: {line[:200]}") from None
    if not result:
        raise Failure(f"no result in the output: {last_words(text)}")
    return result


def read_llama2c(text):
    m = re.search(r"achieved tok/s: ([0-9.]+)", text)
    if not m:
        raise Failure(f"no result in the output: {last_words(text)}")
    return float(m[1])


# ---- engines: measure(model, threads, tests) gives {test: figure}, or raises Failure --------------------

class Choir:
    def __init__(self, path, args=()):
        self.path, self.args, self.shares = str(path), list(args), {}

    def measure(self, model, threads, tests):
        t = tests[0]
        if t in (LOAD, PEAK):
            return whole_run([self.path, "generate", "-m", model, "-t", str(threads), "-c", "256", "-n", "1", "--temp", "0",
                              "-p", "a", *self.args])
        command = [self.path, "bench", "-m", model, "-t", str(threads), "-r", "1", "-o", "json", "-d", str(t.depth),
                   "-p", str(t.n if t.kind == "pp" else 0), "-n", str(t.n if t.kind == "tg" else 0),
                   "--n-seqs", ",".join(str(test.seqs or 1) for test in tests), *self.args]
        rows = {row.get("n_seqs", 1): row for row in read_bench(output_of(command))}
        for test in tests:
            row = rows.get(test.seqs or 1, {})
            if row.get("limit_share"):
                self.shares.setdefault((model, threads, test), []).append((row["limit_share"], row["limit"]))
        return {test: rows[test.seqs or 1]["tok/s"] for test in tests if (test.seqs or 1) in rows}


class LlamaBench:
    """llama.cpp's and ik_llama.cpp's.  The latter has no -d: its -gp measures generation after a prompt."""

    def __init__(self, path):
        self.path = str(path)
        self.has_depth = None

    def beside(self, *names):
        for name in names:
            found = pathlib.Path(self.path).with_name(name)
            if found.exists():
                return str(found)
        raise Failure(f"no {' or '.join(names)} beside it")

    def measure(self, model, threads, tests):
        test = tests[0]
        if self.has_depth is None:
            self.has_depth = "--n-depth" in output_of([self.path, "--help"], both=True)
        if test in (LOAD, PEAK):
            return self.measure_load(model, threads)
        if test.seqs:
            return self.measure_batched(model, threads, tests)
        command = [self.path, "-m", model, "-t", str(threads), "-fa", "1", "-r", "1", "-o", "json"]
        if test.depth and not self.has_depth:
            if test.kind == "pp":
                raise Failure("this llama-bench measures no prompt at a depth")
            command += ["-p", "0", "-n", "0", "-gp", f"{test.depth},{test.n}"]
        else:
            command += ["-p", str(test.n if test.kind == "pp" else 0), "-n", str(test.n if test.kind == "tg" else 0)]
            command += ["-d", str(test.depth)] if test.depth else []
        rows = [row for row in read_bench(output_of(command)) if row["n_gen" if test.kind == "tg" else "n_prompt"] == test.n]
        if len(rows) != 1:
            raise Failure(f"{len(rows)} results of {test} in the output")
        return {test: rows[0]["tok/s"]}

    def measure_load(self, model, threads):
        command = [self.beside("llama-completion", "llama-cli"), "-m", model, "-t", str(threads), "-fa", "1", "-c", "256",
                   "-n", "1", "--temp", "0", "-p", "a", "--no-warmup"]
        return whole_run(command + (["-no-cnv"] if self.has_depth else []))

    def measure_batched(self, model, threads, tests):
        seqs = sorted({test.seqs for test in tests})
        context = (max(seqs) * (tests[0].n + 1) // 256 + 1) * 256
        command = [self.beside("llama-batched-bench"), "-m", model, "-t", str(threads), "-fa", "1", "-c", str(context),
                   "-b", "2048", "-ub", "512", "-npp", "1", "-ntg", str(tests[0].n), "-npl", ",".join(map(str, seqs))]
        totals = read_batched(output_of(command, both=True))
        return {test: totals[test.seqs] for test in tests if test.seqs in totals}


class Llama2C:
    """A prompt goes through it token by token, as text does.  Greedy: its sampler would sort the vocabulary."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def measure(self, model, threads, tests):
        test, file = tests[0], pathlib.Path(model).with_suffix(".bin")
        if test.kind not in ("pp", "tg") or test.seqs or test.depth:
            raise Failure("llama2.c tells pp and tg only")
        try:
            with open(file, "rb") as f:
                head = f.read(8)
        except OSError as e:
            raise Failure(f"{file}: {os.strerror(e.errno)}") from None
        quantized = head == b"24ka\x02\0\0\0"
        program = self.path.with_name("runq") if quantized else self.path
        command = [str(program), str(file), "-t", "0", "-n", str(test.n), "-z", str(self.path.with_name("tokenizer.bin"))]
        command += ["-i", "a " * test.n] if test.kind == "pp" else []
        return {test: read_llama2c(output_of(command, threads, both=True))}


class OpenVino:
    """OpenVINO GenAI under a Python of its own, so that nothing of it stays behind between two measurements."""

    def __init__(self, path):
        self.path = str(path)

    def measure(self, model, threads, tests):
        test = tests[0]
        if test.kind not in ("pp", "tg") or test.seqs:
            raise Failure("only pp and tg are measured with OpenVINO GenAI")
        words = output_of([self.path, __file__, "--openvino", model, str(threads), test.kind, str(test.n), str(test.depth)])
        try:
            return {test: float(last_words(words))}
        except ValueError:
            raise Failure(f"no result in the output: {last_words(words)}") from None


def openvino_worker(model, threads, kind, n, depth):
    """Prints tok/s.  Generation is timed without its first token, which the prompt's time holds."""
    try:
        import numpy
        import openvino
        import openvino_genai
    except ImportError as e:
        sys.exit(f"openvino_genai is not there ({e})")
    try:
        n, depth = int(n), int(depth)
        pipe = openvino_genai.LLMPipeline(model, "CPU", INFERENCE_NUM_THREADS=int(threads))
        length = n + depth if kind == "pp" else max(depth, 1)
        random = numpy.random.default_rng(1)
        mask = openvino.Tensor(numpy.ones((1, length), dtype=numpy.int64))
        config = openvino_genai.GenerationConfig(max_new_tokens=1 if kind == "pp" else n + 1, ignore_eos=True)
        for _ in range(2):  # one to warm up; never the same prompt, it might be remembered
            ids = openvino.Tensor(random.integers(0, 256, (1, length), dtype=numpy.int64))
            metrics = pipe.generate(openvino_genai.TokenizedInputs(ids, mask), config).perf_metrics
        print(1000 * length / metrics.get_ttft().mean if kind == "pp" else 1000 / metrics.get_tpot().mean)
    except Exception as e:  # whatever it throws becomes one line
        sys.exit(f"OpenVINO GenAI: {last_words(str(e))}")


def engine_of(path):
    name = pathlib.Path(path).name
    if not shutil.which(path):
        raise Failure(f"{path}: no such program")
    for begin, engine in (("llama-bench", LlamaBench), ("run", Llama2C), ("python", OpenVino), ("choir", Choir)):
        if name.startswith(begin):
            return engine(path)
    raise Failure(f"{path}: neither llama-bench, run, python nor choir")


def peers_of(words):
    """{name: engine} of the --peer arguments, or of what is found."""
    peers = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or not name or name in peers or name == "choir":
            raise Failure(f"--peer {word}: NAME=PATH, with a name of its own, is needed")
        peers[name] = engine_of(path)
    if not words:
        found = shutil.which("llama-bench")
        if found:
            peers["llama.cpp"] = LlamaBench(found)
        else:
            say("llama.cpp: skipped, no llama-bench on the PATH")
        try:
            output_of([sys.executable, "-c", "import openvino_genai"])
            peers["OpenVINO"] = OpenVino(sys.executable)
        except Failure as e:
            say(f"OpenVINO: skipped, {e}")
    return peers


# ---- the rounds -----------------------------------------------------------------------------------------

def say(text):
    print(text, file=sys.stderr, flush=True)


def read_once(model):
    """So that the first round finds the file in the page cache too."""
    try:
        with open(model, "rb") as f:
            while f.read(1 << 24):
                pass
    except IsADirectoryError:
        pass
    except OSError as e:
        raise Failure(f"{model}: {os.strerror(e.errno)}") from None


def measure(engine, model, threads, group):
    result = {test: value for test, value in engine.measure(model, threads, group).items() if test in group}
    if set(result) != set(group) or not all(0 < value < math.inf for value in result.values()):
        raise Failure("a result is missing")
    return result


def run_rounds(figures, failures, engines, model, threads, tests, rounds):
    """Fills figures, {engine: {test: [of each round]}}, and failures, {(engine, first test of the group): why}.  What failed
    once is not tried again and has no figure."""
    for round_, group, (name, engine) in itertools.product(range(rounds), groups_of(tests), engines.items()):
        if (name, group[0]) in failures:
            continue
        label = f"{name}: {pathlib.Path(model).name}, {threads} threads, {', '.join(map(str, group))}"
        try:
            result = measure(engine, model, threads, group)
            for test in group:
                figures[name].setdefault(test, []).append(result[test])
            say(f"{label}: round {round_ + 1}: {', '.join(number(result[t]) + ' ' + t.unit() for t in group)}")
        except Failure as e:
            say(f"{label}: {e}")
            failures[name, group[0]] = f"{label}: {e}"
            for test in group:
                figures[name].pop(test, None)


def add_depth_costs(figures):
    """For each tgN at a depth and without: a row of what the depth costs, in ms a token; less is better."""
    for of_engine in figures.values():
        for test in [t for t in of_engine if t.depth and t.kind == "tg"]:
            plain = of_engine.get(test._replace(depth=0))
            if plain:
                of_engine[test._replace(kind="depth")] = [1000 / deep - 1000 / flat for deep, flat in zip(of_engine[test], plain)]


def ratios_of(test, choir, peer):
    return [(b / a if test.less_is_better() else a / b) for a, b in zip(choir, peer) if a > 0 and b > 0]


def summary(values):
    return dict(median=statistics.median(values), min=min(values), max=max(values), rounds=values) if values else None


def rows_of(engines, model, threads, figures):
    """One row a test: each engine's figures, Choir's share of the limit, the ratios."""
    tests = dict.fromkeys(test for of_engine in figures.values() for test in of_engine)
    rows = []
    for test in tests:
        shares = engines["choir"].shares.get((model, threads, test))
        choir = figures["choir"].get(test)
        ratios = {name: summary(ratios_of(test, choir or [], figures[name].get(test) or []))
                  for name in engines if name != "choir"}
        rows.append(dict(model=pathlib.Path(model).name, threads=threads, test=str(test), unit=test.unit(),
                         figure={name: summary(figures[name].get(test)) for name in engines},
                         limit_share=shares and statistics.median(share for share, _ in shares),
                         limit=shares and shares[0][1], ratio=ratios))
    return rows


def number(value):
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(s):
    return f"{number(s['median'])} ({number(s['min'])}..{number(s['max'])})" if s else "-"


def table_of(engines, rows):
    peers = [name for name in engines if name != "choir"]
    table = [["model", "t", "test", "unit", "choir", "of limit", *peers, *(f"choir / {name}" for name in peers)]]
    for r in rows:
        share = f"{100 * r['limit_share']:.0f} % {r['limit']}" if r["limit_share"] else "-"
        table.append([r["model"], str(r["threads"]), r["test"], r["unit"], cell(r["figure"]["choir"]), share,
                      *(cell(r["figure"][name]) for name in peers),
                      *(f"{r['ratio'][name]['median']:.2f}" if r["ratio"][name] else "-" for name in peers)])
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    table.insert(1, ["-" * (w - 1) + (":" if i > 3 else "-") for i, w in enumerate(widths)])
    return "".join("| " + " | ".join(text.ljust(w) if i < 4 else text.rjust(w)
                                     for i, (text, w) in enumerate(zip(row, widths))) + " |\n" for row in table)


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-m", "--model", action="append", required=True, help="GGUF file; may be repeated")
    p.add_argument("-t", "--threads", default="1,2", help="numbers of threads (1,2)")
    p.add_argument("-r", "--rounds", type=int, default=3, help="(3)")
    p.add_argument("--tests", type=tests_of, default=tests_of(DEFAULT_TESTS), help=f"({DEFAULT_TESTS})")
    p.add_argument("--choir", default="build/release/choir", metavar="PATH", help="(build/release/choir)")
    p.add_argument("--choir-args", default="", metavar="ARGS", help="more for choir bench, such as '--cpu avx2'")
    p.add_argument("--peer", action="append", default=[], metavar="NAME=PATH", help="may be repeated")
    p.add_argument("--json", metavar="FILE", help="writes the figures of every round too")
    a = p.parse_args(argv)
    if a.rounds < 1:
        p.error("--rounds: at least 1")
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", a.threads):
        p.error(f"--threads: {a.threads!r} is no list of numbers")
    a.threads = [int(t) for t in a.threads.split(",")]
    return a


def measure_all(a, engines):
    """The rows, what failed, and whether Ctrl-C ended it before the end."""
    rows, reasons, interrupted = [], [], False
    for model, threads in itertools.product(a.model, a.threads):
        figures, failures = {name: {} for name in engines}, {}
        try:
            read_once(model)
            run_rounds(figures, failures, engines, model, threads, a.tests, a.rounds)
        except KeyboardInterrupt:
            say("interrupted: the table holds what was measured so far")
            interrupted = True
        add_depth_costs(figures)
        rows += rows_of(engines, model, threads, figures)
        reasons += failures.values()
        if interrupted:
            break
    return rows, reasons, interrupted


def main(argv):
    if argv[:1] == ["--openvino"]:
        return openvino_worker(*argv[1:])
    a = arguments(argv)
    try:
        engine_of(a.choir)
        engines = {"choir": Choir(a.choir, shlex.split(a.choir_args)), **peers_of(a.peer)}
        load = os.getloadavg()[0]
        if load > 0.5:
            say(f"the machine is busy (load {load:.1f}): figures will scatter")
        rows, reasons, interrupted = measure_all(a, engines)
    except Failure as e:
        sys.exit(f"compare_peers.py: {e}")
    print(table_of(engines, rows), end="")
    if a.json:
        try:
            pathlib.Path(a.json).write_text(json.dumps(dict(rows=rows, failures=reasons), indent=1) + "\n")
        except OSError as e:
            sys.exit(f"compare_peers.py: {a.json}: {os.strerror(e.errno)}")
    return 130 if interrupted else 0 if any(row["figure"]["choir"] for row in rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
