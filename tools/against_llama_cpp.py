#!/usr/bin/env python3
"""Holds Choir's numbers against llama.cpp's, by its library.

    tools/against_llama_cpp.py families [NAME...]           each tiny model of tests/golden/families: `choir quantize` writes it as
                                                            GGUF, and llama.cpp's logits are compared with the golden ones
    tools/against_llama_cpp.py model MODEL.gguf TEXT.txt    ids of the text, and the most likely next id at each of them

Needs numpy, a C and a C++ compiler, and llama.cpp's source (LLAMA_CPP_SOURCE) and static build (LLAMA_CPP_BUILD); says so and
ends with 77 where they are absent.  CHOIR_BUILD is Choir's build folder (build/release).  Keys and values in f32 and no flash
attention on both sides.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FAMILIES = ROOT / "tests" / "golden" / "families"
MOST_NMSE = 1e-5
LEAST_AGREEMENT = 0.99
# what GGUF, or llama.cpp, has no words for
SEES_ALL = "llama.cpp has no window in this family"
NO_SCALE = "GGUF's keys for this family do not hold query_pre_attn_scalar"
NOT_THERE = {
    "gemma2": NO_SCALE,
    "gemma3": NO_SCALE,
    "llama_dynamic": "GGUF has no dynamic scaling",
    "llama_yarn_set": "llama.cpp does not read beta_fast and beta_slow in this family",
    "mistral_long": SEES_ALL,
    "mistral_window": SEES_ALL,
    "phi3": SEES_ALL,
    "qwen2_moe_mixed": "llama.cpp has no layers without experts in this family",
    "qwen2_window": SEES_ALL,
    "starcoder2": SEES_ALL,
}


def absent(what):
    print(f"against_llama_cpp: {what} is absent: skipped")
    sys.exit(77)


def run(command, **more):
    return subprocess.run([str(x) for x in command], check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def build_drivers(folder, choir_build):
    """The two programs of tools/peer, compiled; a folder with choir_logits and llama_cpp_logits."""
    source, built = (os.environ.get(f"LLAMA_CPP_{x}") for x in ("SOURCE", "BUILD"))
    if not source or not built:
        absent("LLAMA_CPP_SOURCE or LLAMA_CPP_BUILD")
    source, built = pathlib.Path(source), pathlib.Path(built)
    archives = [built / x for x in ("src/libllama.a", "ggml/src/libggml.a", "ggml/src/libggml-cpu.a", "ggml/src/libggml-base.a")]
    for file in archives + [source / "include/llama.h", choir_build / "libchoir.a"]:
        if not file.exists():
            absent(file)
    for name, flags, libraries in (
            ("llama_cpp_logits", [f"-I{source}/include", f"-I{source}/ggml/include"], archives + ["-ldl", "-lgomp", "-lpthread"]),
            ("choir_logits", [f"-I{ROOT}/include"],
             [choir_build / "libchoir.a", "-lsentencepiece", "-ljansson", "-lpcre2-8", "-lutf8proc", "-fopenmp", "-lm"])):
        run(["gcc", "-O2", "-c", *flags, ROOT / "tools/peer" / f"{name}.c", "-o", folder / f"{name}.o"])
        run(["g++", folder / f"{name}.o", "-o", folder / name, *libraries])
    return folder


def family(name, drivers, choir, scratch):
    """None when llama.cpp agrees, else what is wrong."""
    import numpy as np
    sys.path.insert(0, str(ROOT / "tools" / "golden"))
    import hashed
    f = json.loads((FAMILIES / f"{name}.json").read_text())
    folder = scratch / name
    folder.mkdir()
    hashed.write_folder(f, folder)
    gguf, rows = scratch / f"{name}.gguf", scratch / f"{name}.f32"
    done = subprocess.run([choir, "quantize", "-q", folder, gguf, "f32"], capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip()
    vocab = f["config"]["vocab_size"]
    ids = list(hashed.token_ids(f["seed"], f["n_ids"], vocab)) + f["greedy"]
    done = subprocess.run([drivers / "llama_cpp_logits", gguf, str(f["ctx_size"]), rows, "1"],
                          input="".join(f"{i}\n" for i in ids), capture_output=True, text=True)
    if done.returncode != 0:
        return f"llama.cpp: {done.stderr.strip()}"
    got = np.fromfile(rows, "<f4").reshape(-1, vocab)[f["keep"]].astype(np.float64)
    want = np.fromfile(FAMILIES / f"{name}.f64", "<f8").reshape(-1, vocab)
    nmse = ((got - want) ** 2).sum() / (want ** 2).sum()
    greedy = [int(x) for x in done.stdout.split()][f["n_ids"] - 1:-1]
    print(f"{name:24s} NMSE {nmse:.2g}")
    if not nmse <= MOST_NMSE:
        return f"NMSE {nmse:.3g}, at most {MOST_NMSE:g} wanted"
    return None if greedy == f["greedy"] else f"greedy ids {greedy}, not {f['greedy']}"


def families(names, drivers, choir, scratch):
    n_wrong = 0
    for name in names or sorted(x.stem for x in FAMILIES.glob("*.json")):
        if name in NOT_THERE:
            print(f"{name:24s} skipped: {NOT_THERE[name]}")
            continue
        wrong = family(name, drivers, choir, scratch)
        if wrong is not None:
            print(f"{name:24s} WRONG: {wrong}")
            n_wrong += 1
    return n_wrong


def same_ids(path, text, drivers, choir):
    """llama.cpp's ids of the text, and whether ours are the same."""
    ours = subprocess.run([choir, "tokenize", "-q", "--ids", "--raw", "-m", path, "-f", text], capture_output=True, text=True)
    with open(text) as f:
        theirs = run([drivers / "llama_cpp_logits", path, "tokenize"], stdin=f).split()
    if ours.returncode != 0:
        print(f"Choir's tokenizer: {ours.stderr.strip()}")
        return theirs, False
    same = ours.stdout.split() == theirs
    print(f"ids: {len(ours.stdout.split())} and {len(theirs)}, {'the same' if same else 'NOT the same'}")
    return theirs, same


def model(path, text, n_tokens, drivers, choir, scratch):
    """Quantized weights are multiplied by activations that each engine rounds to 8 bits in its own way, which changes some near
    ties.  So what is held to the limit is the model in f32; the file as it is, that ours is no farther from it than theirs."""
    ids, same = same_ids(path, text, drivers, choir)
    exact = scratch / "exact.gguf"
    run([choir, "quantize", "-q", path, exact, "f32"])
    n = min(n_tokens, len(ids))
    best = {}
    for engine in ("choir", "llama_cpp"):
        for kind, file in (("as it is", path), ("in f32", exact)):
            out = run([drivers / f"{engine}_logits", file, n], input="".join(f"{i}\n" for i in ids[:n])).split()
            assert len(out) == n, f"{engine}: {len(out)} positions instead of {n}"
            best[engine, kind] = out
    agree = lambda a, b: sum(x == y for x, y in zip(best[a], best[b])) / n
    reference = ("llama_cpp", "in f32")
    print(f"most likely next id at {n} positions, against llama.cpp's with weights in f32:")
    for who in best:
        print(f"  {who[0]:10s} {who[1]:9s} {100 * agree(who, reference):6.2f} %")
    print(f"both as it is: {100 * agree(('choir', 'as it is'), ('llama_cpp', 'as it is')):.2f} %")
    ours, theirs = (agree((x, "as it is"), reference) for x in ("choir", "llama_cpp"))
    return (not same) + (agree(("choir", "in f32"), reference) < LEAST_AGREEMENT) + (ours < theirs - 1 + LEAST_AGREEMENT)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="what", required=True)
    sub.add_parser("families").add_argument("names", nargs="*")
    m = sub.add_parser("model")
    m.add_argument("path")
    m.add_argument("text")
    m.add_argument("--tokens", type=int, default=2000)
    args = p.parse_args()
    build = pathlib.Path(os.environ.get("CHOIR_BUILD", ROOT / "build" / "release"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        drivers = build_drivers(scratch, build)
        if args.what == "families":
            n_wrong = families(args.names, drivers, build / "choir", scratch)
        else:
            n_wrong = model(args.path, args.text, args.tokens, drivers, build / "choir", scratch)
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
