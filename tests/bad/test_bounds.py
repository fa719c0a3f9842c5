#!/usr/bin/env python3
"""What a header of a million entries may cost: memory of 8 times its bytes, and no time to speak of (the bound is for a slow
machine under a sanitizer; something quadratic takes hours).  Prints TAP."""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus"))
from files import STRING, U8, text, u32, u64  # noqa: E402

N = 1 << 20
BASE = 24 << 20  # of the program, and of what it reads besides
SECONDS = 30


def mixed(i):
    """The numbers below N in an order that has to be sorted."""
    return i * 2654435761 % N


def gguf_settings():
    b = b"GGUF" + u32(3) + u64(0) + u64(N) + b"".join(text(f"k{mixed(i):07x}") + u32(U8) + b"\0" for i in range(N))
    return {"m.gguf": b}, len(b), "m.gguf"


def gguf_strings():
    b = b"GGUF" + u32(3) + u64(0) + u64(1) + text("x") + u32(9) + u32(STRING) + u64(N) + b"".join(text("word") for _ in range(N))
    return {"m.gguf": b}, len(b), "m.gguf"


def gguf_tensors():
    b = b"GGUF" + u32(3) + u64(N) + u64(0)
    b += b"".join(text(f"t{mixed(i):07x}") + u32(1) + u64(1) + u32(0) + u64(32 * i) for i in range(N))
    return {"m.gguf": b + bytes(-len(b) % 32) + bytes(32 * N)}, len(b), "m.gguf"


def safetensors():
    b = "{" + ",".join(f'"t{mixed(i):07x}":{{"dtype":"F32","shape":[1],"data_offsets":[{4 * i},{4 * i + 4}]}}' for i in range(N)) + "}"
    b = b.encode()
    return {"m/config.json": b"{}", "m/model.safetensors": u64(len(b)) + b + bytes(4 * N)}, len(b), "m"


def write(make, folder):
    """In a process of its own: what this one has resident would count as its children's.  The header's bytes, the path."""
    ours, theirs = os.pipe()
    if os.fork() == 0:
        files, header, path = make()
        for name, data in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        os.write(theirs, f"{header} {path}".encode())
        os._exit(0)
    os.close(theirs)
    header, path = os.read(ours, 100).decode().split()
    os.close(ours)
    os.wait()
    return int(header), path


def run(folder, path):
    """Peak bytes, seconds, exit code, stderr."""
    with open(os.path.join(folder, "err"), "w+b") as err:
        child = subprocess.Popen([os.environ["CHOIR_BIN"], "info", path], stdout=subprocess.DEVNULL, stderr=err, cwd=folder)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime, child.returncode, err.read()


def is_sanitized():
    return subprocess.call(["grep", "-q", "__asan_init", os.environ["CHOIR_BIN"]]) == 0


def main():
    sanitized = is_sanitized()
    makers = [gguf_settings, gguf_strings, gguf_tensors, safetensors]
    print(f"1..{len(makers)}")
    failed = False
    for i, make in enumerate(makers, 1):
        with tempfile.TemporaryDirectory(prefix="choir-bounds-") as folder:
            header, path = write(make, folder)
            peak, seconds, code, err = run(folder, path)
        good = code == 3 and err.count(b"\n") == 1 and seconds <= SECONDS and (sanitized or peak <= 8 * header + BASE)
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {i} {make.__name__}: {header} bytes")
        print(f"# exit {code}, {seconds:.2f} s, {peak} bytes at most, {peak / header:.1f} times the header; {err.decode().strip()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
