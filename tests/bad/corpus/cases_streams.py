"""Arguments, prompts, files of kept texts: rows R and K."""

import os
import random

from case import GENERATE, Case
from files import *

LONG = Gguf().set("llama.context_length", U32, u32(1 << 22)).bytes()  # 256 MiB of keys and values
MODEL = {"m.gguf": Gguf().bytes()}
BASE = ["generate", "-m", "m.gguf", "-n", "1", "-t", "1", "-s", "1"]


def usage(row, what, args, says, code=2, **more):
    return Case(row, what, MODEL, code, says, args=BASE + args, **more)


def prompts():
    for what, data, at in (("ff", b"ab\xff", 2), ("c0 80", b"\xc0\x80", 0), ("a surrogate", b"a\xed\xa0\x80", 1),
                           ("above U+10FFFF", b"\xf4\x90\x80\x80", 0), ("a sequence cut at the end", b"ab\xe4\xb8", 2),
                           ("a stray continuation", b"\x80", 0), ("f8", b"a\xf8\x88\x80\x80\x80", 1)):
        yield usage("R03", what, [], f"stdin: invalid UTF-8 at byte {at}.*", 6, stdin=data)
        yield usage("R03", f"{what}, --lossy", ["--lossy"], None, 0, stdin=data)
        yield usage("R03", f"{what}, as a file", ["-f", "p"], f"p: invalid UTF-8 at byte {at}.*", 6,
                    prepare=lambda d, b=data: write(d, "p", b))
    yield usage("R04", "NUL inside", [], None, 0, stdin=b"a\0b")
    yield usage("R02", "a prompt above the context", ["-c", "8"], ".*context.*", 6, stdin=b"ab" * 20)
    yield Case("R01", "empty prompt, no BOS", {"m.gguf": Gguf().drop("tokenizer.ggml.bos_token_id").bytes()}, 6, ".*empty.*",
               args=BASE, stdin=b"")
    yield usage("R14", "prompt file that is a folder", ["-f", "."], r"\.: Is a directory", 4)
    yield usage("R14", "prompt file that is not there", ["-f", "none"], "none: No such file or directory", 4)


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def arguments():
    whole = r"is not a whole number from -?\d+ to \d+"
    for option, value in (("-n", "-5"), ("-n", "1e3"), ("-n", "99999999999999999999"), ("-n", ""), ("-c", "0x10"), ("-c", "-1"),
                          ("-t", "0"), ("-t", "100000"), ("-b", "0"), ("--kv-block", "0"), ("--top-k", "-1"), ("-s", "-1"),
                          ("-s", "18446744073709551616"), ("--n-samples", "0")):
        yield usage("R06", f"{option} {value}", [option, value], rf'{option}: "{value}" is not .*' if option != "-n" else rf'-n: "{value}" {whole}')
    for option, value in (("--temp", "nan"), ("--temp", "-1"), ("--temp", "inf"), ("--temp", "1e39"), ("--top-p", "2"), ("--min-p", "-0.1"),
                          ("--typical", "x"), ("--repeat-penalty", "0"), ("--presence-penalty", "nan"), ("--temp", "0,8")):
        yield usage("R07", f"{option} {value}", [option, value], f'{option}: "{value}" must be .*')
    for value in ("5", "a=1", "5=x", "-1=0", "99999999999=0", "5=nan"):
        yield usage("R07", f"--logit-bias {value}", ["--logit-bias", value], "--logit-bias: .*")
    yield usage("R07", "--logit-bias of no token", ["--logit-bias", "12=1", "-p", "ab"], ".*12.*")
    yield usage("R08", "-c above the model's", ["-c", "1000000000", "-p", "ab"], ".*1000000000.*", 2)
    big = Case("R08", "a context that fits nowhere",
               {"m.gguf": LONG}, 5, "needs 257 MiB: .* allowed by --mem-limit.*", args=BASE + ["-c", "4194304", "--mem-limit", "64M", "-p", "ab"])
    yield big
    yield usage("R20", "unknown level", ["--cpu", "sse9", "-p", "ab"], '--cpu: "sse9" is none of: .*')
    for what, name in (("escape", "\x1b[2J"), ("newline", "a\nb"), ("no UTF-8", b"\xff\xfe")):
        shown = {"escape": r"\\x1b\[2J", "newline": r"a\\x0ab", "no UTF-8": r"\\xff\\xfe"}[what]
        yield Case("R21", f"model name with {what}", {}, 4, f"{shown}: No such file or directory", args=["generate", "-m", name, "-p", "a"])
        yield Case("R21", f"prompt file with {what}", MODEL, 4, f"{shown}: No such file or directory", args=["generate", "-m", "m.gguf", "-f", name])
    yield Case("R21", "a name of 4,000 letters", {}, 4, r"x+\.\.\.: File name too long", args=["generate", "-m", "x" * 4000, "-p", "a"])
    for args, says in ((["--foo"], "unknown option --foo.*"), (["-n"], "-n needs a value: N"), (["-p", "x", "-f", "y"], "-p and -f exclude each other"),
                       (["stray"], 'unexpected argument "stray".*'), (["--echo=1"], "--echo takes no value")):
        yield usage("R27", " ".join(args), args, says)
    yield Case("R27", "unknown command", {}, 2, "unknown command genrate; did you mean generate.*", args=["genrate"])
    yield Case("R22", "64 MiB of address space", {"m.gguf": LONG}, 5, ".*(memory|MiB).*", args=BASE + ["-c", "4194304", "-p", "ab"],
               shell='case "$(nm -D "$CHOIR" 2>/dev/null)" in *__asan*) echo "choir: memory: not under a sanitizer" >&2; exit 5;; esac; '
                     'ulimit -v 65536; exec "$CHOIR" "$@"')


def kept(row, what, spoil, code, says, args=(), out=None, more=None):
    """A text is kept in s.kv, spoiled by a line of sh, and gone on with."""
    files = dict(MODEL, **{"s.kv": b""}, **(more or {}))
    first = '"$CHOIR" generate -m m.gguf -p abababab -n 4 -t 1 -s 1 --ignore-eos --kv-save s.kv >text 2>&1 || exit 99; rm text; '
    return Case(row, what, files, code, says, out=out, shell=first + spoil + '; exec "$CHOIR" "$@"',
                args=BASE + ["--kv-load", "s.kv", "-p", "ab"] + list(args))


def states():
    yield kept("K14", "a good one", ":", 0, None)
    yield kept("K01", "empty", ": >s.kv", 3, "s.kv: not a choir state file")
    yield kept("K01", "a text", "echo hello >s.kv", 3, "s.kv: not a choir state file")
    yield kept("K01", "a model", "cp m.gguf s.kv", 3, "s.kv: not a choir state file")
    yield kept("K02", "version 9", poke(8, 9), 3, r"s.kv: state version 9 not supported \(1 is\)")
    for n in (8, 12, 50, 95, 96, 100, 300):
        yield kept("K03", f"cut at byte {n}", f"truncate -s {n} s.kv", 3, "s.kv: (truncated.*|checksum .*)")
    yield kept("K03", "a byte too many", "echo >>s.kv", 3, "s.kv: too long.*")
    for at, section in ((12, "header"), (33, "header"), (60, "header"), (90, "header"), (98, "tokens"), (200, "keys and values of tokens 0 to .*")):
        yield kept("K04", f"byte {at} changed", flip(at), 3, f"s.kv: checksum mismatch in (section )?{section}.*")
    other = Gguf()
    other.tensor("blk.0.attn_q.weight")[4] = floats(weights("other", DIM * DIM))
    yield kept("K05", "another model", "cp other.gguf m.gguf", 3, "s.kv: was saved with another model", more={"other.gguf": other.bytes()})
    bigger = Gguf().set("llama.rope.freq_base", F32, f32(50000.0))
    yield kept("K06", "other rotations", "cp other.gguf m.gguf", 3, "s.kv: was saved with another model|s.kv: was saved with other rotations.*",
               more={"other.gguf": bigger.bytes()})
    for kind in ("f32", "q8_0"):
        yield kept("K06", f"--kv-type {kind}", ":", 3, f"s.kv: saved with f16 keys and values, this run uses {kind}", args=["--kv-type", kind])
    yield kept("K07", "a context that is too short", ":", 3, r"s.kv: \d+ tokens, context is 4; raise --ctx-size", args=["-c", "4"])
    yield kept("K12", "a folder", "rm s.kv; mkdir s.kv", 4, "s.kv: Is a directory")
    yield Case("K12", "missing", MODEL, 4, "s.kv: No such file or directory", args=BASE + ["--kv-load", "s.kv", "-p", "a"])
    yield Case("K12", "kept in a folder that is not there", MODEL, 4, "none/s.kv: No such file or directory",
               args=BASE + ["--kv-save", "none/s.kv", "-p", "a"], out=...)
    yield Case("K12", "kept in a folder", MODEL, 4, r"\.: Is a directory", args=BASE + ["--kv-save", ".", "-p", "a"], out=...)


    keep = '"$CHOIR" generate -m m.gguf -n 1 -t 1 -s 1 --kv-save s.kv -q -p %s >/dev/null & '
    shell = "".join(keep % ("ab" * n) for n in (1, 4, 9, 2)) + 'wait; exec "$CHOIR" "$@"'
    yield Case("K17", "kept by four at once", dict(MODEL, **{"s.kv": b""}), 0, None, shell=shell,
               args=BASE + ["--kv-load", "s.kv", "-p", "ab"])


def overwritten():
    """The model's file gets other bytes between two requests: any answer will do, and any refusal."""
    model = MODEL["m.gguf"]
    shell = ('mkfifo to from; "$CHOIR" generate -m m.gguf -t 1 -n 4 --jsonl "$@" <to >from 2>/dev/null & exec 3>to 4<from; '
             """echo '{"prompt": "ab"}' >&3; read -r answer <&4; dd if=other of=m.gguf conv=notrunc 2>/dev/null; """
             """echo '{"prompt": "ba"}' >&3; exec 3>&-; cat <&4 >/dev/null; rm to from; wait $!; code=$?; """
             '[ $code = 3 ] || exit $code')
    for what, other in (("random bytes", random.Random(16).randbytes(len(model))), ("ones", b"\xff" * len(model)), ("zeros", bytes(len(model)))):
        for args in ([], ["--mmap"]):
            yield Case("R16", f"{what} {' '.join(args)}", dict(MODEL, other=other), 0, None, shell=shell, args=args)


def flip(at):
    return (f'old=$(od -An -tu1 -j{at} -N1 s.kv | tr -d " "); printf "\\\\$(printf %o $((old ^ 1)))" | '
            f"dd of=s.kv bs=1 seek={at} conv=notrunc 2>/dev/null")


def poke(at, value):
    return f"printf '\\{value:03o}' | dd of=s.kv bs=1 seek={at} conv=notrunc 2>/dev/null"


def cases():
    for part in (prompts, arguments, states, overwritten):
        yield from part()
