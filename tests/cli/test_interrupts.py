#!/usr/bin/env python3
"""choir generate interrupted (SIGINT) at 50 moments (CHOIR_MOMENTS), drawn with a fixed seed: the exit code is 130, stderr is
empty, and stdout holds whole tokens from the beginning of the text that is made without an interruption.  The moments are numbers
of bytes that have been read of it; the program cannot be done before, since the pipe holds less than the rest of the text.
Prints TAP."""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time

CHOIR = os.environ["CHOIR_BIN"]
with open(CHOIR, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()  # which makes it slow
MOMENTS = int(os.environ.get("CHOIR_MOMENTS", "12" if SANITIZED else "50"))
LAST, PIPE = 500, 4096
TIMEOUT = 300
# The tokens of the bytes C3 and A9 are made likely: alone they are no text, so that some has to be held back.
ARGS = ["generate", "-p", "Once upon a time", "-n", "2000", "-s", "7", "--temp", "1.2", "--ignore-eos", "--infinite", "-c", "64",
        "--logit-bias", "198=6", "--logit-bias", "172=7"]


def whole_text():
    """The text, and the numbers of bytes after each of its tokens."""
    done = subprocess.run([CHOIR, *ARGS, "--json", "--logprobs", "0"], stdout=subprocess.PIPE, timeout=TIMEOUT, check=True)
    choice = json.loads(done.stdout)["choices"][0]
    text, ends, at, chars = choice["text"], {0}, 0, 0
    for offset in choice["logprobs"]["text_offset"] + [len(text)]:
        at += len(text[chars:offset].encode())
        chars = offset
        ends.add(at)
    return text.encode(), ends


def wait_until_caught(child):
    """Until the program has said what a SIGINT does: before that it would end it as any other."""
    caught = 0
    while not caught >> (signal.SIGINT - 1) & 1 and child.poll() is None:
        time.sleep(0.001)
        with open(f"/proc/{child.pid}/status", encoding="ascii") as file:
            caught = int(next(line for line in file if line.startswith("SigCgt:")).split()[1], 16)


def interrupted(n, threads):
    """Interrupted when n bytes have been read: exit code, stdout, stderr."""
    source, sink = os.pipe()
    fcntl.fcntl(sink, 1031, PIPE)  # F_SETPIPE_SZ
    child = subprocess.Popen([CHOIR, *ARGS, "-t", str(threads)], stdin=subprocess.DEVNULL, stdout=sink,
                             stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    os.close(sink)
    text = b""
    while len(text) < n:
        more = os.read(source, n - len(text))
        if not more:
            break
        text += more
    if n == 0:
        wait_until_caught(child)
    child.send_signal(signal.SIGINT)
    with os.fdopen(source, "rb") as left:
        text += left.read()
    said = child.communicate(timeout=TIMEOUT)[1]
    return child.returncode, text, said


def main():
    if not sys.platform.startswith("linux"):
        print("ok 1 interrupted texts # SKIP needs pipes of a known size, and /proc")
        return 0
    rng = random.Random(16)
    text, ends = whole_text()
    wrong, held = [], 0
    if len(text) <= LAST + PIPE:
        wrong.append(f"the whole text has only {len(text)} bytes")
    for i in range(MOMENTS):
        n = 0 if i % 10 == 0 else rng.randint(1, LAST)
        code, got, said = interrupted(n, 1 + i % 2)
        problem = (f"exit code {code}" if code != 130 else f"says {said!r}" if said else
                   "no beginning of the text" if not text.startswith(got) else "not whole tokens" if len(got) not in ends else
                   f"only {len(got)} bytes" if len(got) < n else None)
        if problem:
            wrong.append(f"at byte {n}: {problem}; stdout ends with {got[-40:]!r}")
        held += len(got) < len(text)
    if held < MOMENTS:
        wrong.append(f"{MOMENTS - held} came too late")
    for line in wrong:
        print("#", line)
    print(f"{'not ok' if wrong else 'ok'} 1 - SIGINT at {MOMENTS} moments: whole tokens of the text, 130")
    print("1..1")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
