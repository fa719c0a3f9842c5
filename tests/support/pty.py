#!/usr/bin/env python3
"""Runs a program at a terminal of its own and logs the exact bytes that come out.

usage: pty.py LOG STEP... -- COMMAND...

Steps, in order:
    see:TEXT    waits until TEXT comes out, after what the step before has seen; 60 s at most
    send:TEXT   types TEXT; \\r \\n \\t \\x1b \\x04 and so on as in Python
    size:RxC    rows and columns (24x80 at first; the first step may set it before the program starts)
    kill:NAME   sends the program's first process a signal, as TERM
    close:      hangs up
Then waits for the end.  Exit code: the program's (128 + N for signal N), 99 if a text did not come or the program did not end.
With --in-pipe or --out-pipe before LOG that side is a pipe instead: what is sent goes through it, or what comes out of it is in
LOG.out, while LOG has what the terminal shows.
"""
import fcntl, os, select, signal, struct, sys, termios, time

DEADLINE = 60


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    def __init__(self, log, command, size, in_pipe, out_pipe):
        self.log, self.seen, self.at = log, b"", 0
        self.input = None
        self.master, slave = os.openpty()
        set_size(self.master, *size)
        if in_pipe:
            reading, self.input = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            out = os.open(log + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if out_pipe else slave
            for fd, source in enumerate([reading if in_pipe else slave, out, slave]):
                os.dup2(source, fd)
            os.closerange(3, 64)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], command)
        os.close(slave)
        if in_pipe:
            os.close(reading)

    def read(self, seconds):
        """False when the other side is gone."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def see(self, text):
        end = time.monotonic() + DEADLINE
        while True:
            found = self.seen.find(text, self.at)
            if found >= 0:
                self.at = found + len(text)
                return
            if time.monotonic() > end or not self.read(0.5):
                if self.seen.find(text, self.at) < 0:
                    self.finish(f"not seen: {text!r} in {self.seen[self.at:]!r}")

    def send(self, data):
        os.write(self.master if self.input is None else self.input, data)

    def finish(self, why):
        with open(self.log, "wb") as out:
            out.write(self.seen)
        print("pty.py:", why, file=sys.stderr)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(99)

    def wait(self):
        end = time.monotonic() + DEADLINE
        if self.input is not None:
            os.close(self.input)
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.finish("it does not end")
            if self.master is None or not self.read(0.05):
                time.sleep(0.02)
        while self.master is not None and select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        with open(self.log, "wb") as out:
            out.write(self.seen)
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def unescape(text):
    return text.encode("utf-8").decode("unicode_escape").encode("latin-1")


def main():
    args = sys.argv[1:]
    pipes = [args.pop(0) for _ in range(2) if args[0] in ("--in-pipe", "--out-pipe")]
    split = args.index("--")
    log, steps, command = args[0], args[1:split], args[split + 1 :]
    size = (24, 80)
    if steps and steps[0].startswith("size:"):
        size = tuple(map(int, steps.pop(0)[5:].split("x")))
    terminal = Terminal(log, command, size, "--in-pipe" in pipes, "--out-pipe" in pipes)
    for step in steps:
        kind, _, value = step.partition(":")
        if kind == "see":
            terminal.see(unescape(value))
        elif kind == "send":
            terminal.send(unescape(value))
        elif kind == "size":
            set_size(terminal.master, *map(int, value.split("x")))
        elif kind == "kill":
            os.kill(terminal.pid, getattr(signal, "SIG" + value))
        elif kind == "close":
            os.close(terminal.master)
            terminal.master = None
        else:
            sys.exit(f"pty.py: unknown step {step}")
    sys.exit(terminal.wait())


main()
