#!/usr/bin/env python3
"""Runs a program at a terminal of its own and draws what it showed as an SVG that moves by itself.

    tools/record.py doc/complete.svg < doc/complete.steps
    tools/record.py --still doc/map.svg < doc/map.steps

Steps, one a line, in order:
    size COLUMNS ROWS   of the terminal; first
    run COMMAND         a shell with that line typed into it; build/release is first on its PATH
    type TEXT           types TEXT, a key at a time
    key NAME            enter, tab, right, up, ctrl-c, ctrl-d
    see TEXT            waits until TEXT comes out after what was seen before, 120 s at most
    wait SECONDS        shows what there is for so long; text that comes in that time is shown as it comes
Empty lines and lines that begin with # are passed over.

The picture is text: a run of cells is an element that CSS shows from one moment to another, so that it can be selected, is
small, and follows the reader's light or dark colours.  What cannot animate shows the last screen, as does a reader who wants
no motion; --still draws that alone.  Times are those of the run, but for pauses of the program above a second, which are cut.
Only the escapes that Choir, libedit and a plain shell write are understood; another one ends this with its bytes.  Python 3 alone.
"""
import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time
import unicodedata
from xml.sax.saxutils import escape

KEYS = {"enter": "\r", "tab": "\t", "right": "\x1b[C", "up": "\x1b[A", "ctrl-c": "\x03", "ctrl-d": "\x04"}
KEY_SECONDS = 0.055  # between typed keys
LONGEST_PAUSE = 1.0  # of the program
LAST_SECONDS = 4.0  # the last screen stays so long
CELL, LINE, MARGIN, BAR = 8.4, 18, 14, 30  # of the picture: width and height of a cell, what is around

ESCAPE = re.compile(r"\x1b(?:\[([?>=]?)([0-9;]*)([@-~])|([78DM=>])|\](?:[^\x07\x1b]*)(?:\x07|\x1b\\))")
HALF = re.compile(r"\x1b(?:\[[?>=]?[0-9;]*|\][^\x07\x1b]*)?$")  # cut by the end of what was read


def width_of(char):
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Screen:
    """What a terminal shows: rows of cells, each a text and its look ("" plain, "c" quiet colour, "d" dim, "r" red)."""

    def __init__(self, columns, rows):
        self.columns, self.n_rows = columns, rows
        self.rows = [self.blank() for _ in range(rows)]
        self.row = self.column = 0
        self.saved = (0, 0)
        self.look = ""
        self.rest = ""

    def blank(self):
        return [(" ", "")] * self.columns

    def feed(self, text):
        text, at = self.rest + text, 0
        half = HALF.search(text)
        text, self.rest = (text[: half.start()], half.group()) if half else (text, "")
        while at < len(text):
            if text[at] == "\x1b":
                m = ESCAPE.match(text, at)
                if not m:
                    sys.exit(f"record.py: an escape that is not known: {text[at:at + 12]!r}")
                self.escape(m)
                at = m.end()
            else:
                self.put(text[at])
                at += 1

    def put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.down()
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif char >= " ":
            width = width_of(char)
            if width == 0:  # a mark joins the cell before
                before = max(0, self.column - 1)
                self.rows[self.row][before] = (self.rows[self.row][before][0] + char, self.rows[self.row][before][1])
                return
            if self.column + width > self.columns:
                self.column = 0
                self.down()
            self.rows[self.row][self.column] = (char, self.look)
            if width == 2:
                self.rows[self.row][self.column + 1] = ("", self.look)
            self.column += width

    def down(self):
        if self.row + 1 < self.n_rows:
            self.row += 1
        else:
            self.rows = self.rows[1:] + [self.blank()]

    def escape(self, m):
        private, numbers, final, single = m.group(1, 2, 3, 4)
        if single == "7":
            self.saved = (self.row, self.column)
        elif single == "8":
            self.row, self.column = self.saved
        elif single == "D":
            self.down()
        if not final or private:
            return
        n = [int(x) for x in numbers.split(";") if x]
        count = n[0] if n else 1
        if final == "m":
            self.paint(n or [0])
        elif final in "ABCD":
            self.row = min(max(self.row + {"A": -count, "B": count}.get(final, 0), 0), self.n_rows - 1)
            self.column = min(max(self.column + {"C": count, "D": -count}.get(final, 0), 0), self.columns - 1)
        elif final == "G":
            self.column = min(count, self.columns) - 1
        elif final == "H":
            self.row, self.column = (n[0] if n else 1) - 1, (n[1] if len(n) > 1 else 1) - 1
        elif final in "JK":
            self.clear(final, n[0] if n else 0)
        elif final not in "P@":
            sys.exit(f"record.py: an escape that is not known: {m.group()!r}")
        else:
            row = self.rows[self.row]
            if final == "P":
                row[self.column :] = row[self.column + count :] + [(" ", "")] * count
            else:
                row[self.column :] = [(" ", "")] * count + row[self.column : self.columns - count]
            self.rows[self.row] = row[: self.columns]

    def clear(self, final, how):
        row = self.rows[self.row]
        first, last = {0: (self.column, self.columns), 1: (0, self.column + 1), 2: (0, self.columns)}[how]
        row[first:last] = [(" ", "")] * (last - first)
        if final == "J":
            for i in range(self.row + 1 if how != 2 else 0, self.n_rows):
                self.rows[i] = self.blank()

    def paint(self, numbers):
        for number in numbers:
            self.look = {0: "", 1: self.look, 2: "d", 31: "r", 33: "r", 36: "c", 39: ""}.get(number, self.look)

    def runs(self):
        """{(row, column, text, look)} of what is not blank; a run ends at a change of look and at two blanks."""
        found = set()
        for r, row in enumerate(self.rows):
            start, text, look = 0, "", ""
            for c, (char, its) in enumerate(row + [(" ", None)]):
                if text and (its != look or (char == " " and text.endswith(" "))):
                    if text.strip():
                        found.add((r, start, text.rstrip(), look))
                    text = ""
                if not text and char == " ":
                    continue
                if not text:
                    start, look = c, its
                text += char
            assert not text.strip()
        return found


class Recording:
    def __init__(self, state):
        self.state = state  # a folder for what programs remember
        self.master = self.screen = None
        self.seen, self.at = "", 0
        self.now = 0.0  # of the picture
        self.frames = []  # (time, runs, cursor)

    def start(self, command):
        columns, rows = self.screen.columns, self.screen.n_rows
        pid, self.master = pty.fork()
        if pid == 0:
            env = {k: v for k, v in os.environ.items() if not k.startswith(("CHOIR_", "CLICOLOR")) and k != "NO_COLOR"}
            env.update(TERM="xterm-256color", PS1="$ ", PATH=os.path.abspath("build/release") + ":" + env["PATH"], ENV="",
                       XDG_STATE_HOME=self.state)
            time.sleep(0.1)  # the size is set by then
            os.execvpe("sh", ["sh", "-i"], env)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.see("$ ")
        self.frame()
        self.type(command)
        self.key("enter")

    def frame(self):
        self.frames.append((self.now, self.screen.runs(), (self.screen.row, self.screen.column)))

    def read(self, seconds):
        """Shows what comes within that time; False: nothing did."""
        began = time.monotonic()
        if not select.select([self.master], [], [], seconds)[0]:
            self.now += min(seconds, LONGEST_PAUSE)
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        if not data:
            sys.exit("record.py: the program is gone")
        while data[-1] >= 0x80 and not self.whole(data):
            data += os.read(self.master, 1)
        text = data.decode()
        self.now += min(time.monotonic() - began, LONGEST_PAUSE)
        self.seen += text
        self.screen.feed(text)
        self.frame()
        return True

    @staticmethod
    def whole(data):
        try:
            data.decode()
            return True
        except UnicodeDecodeError:
            return False

    def see(self, text):
        end, idle = time.monotonic() + 120, 0.0
        while (found := self.seen.find(text, self.at)) < 0:
            if time.monotonic() > end:
                sys.exit(f"record.py: {text!r} did not come after {self.seen[self.at:]!r}")
            before = self.now
            idle = 0.0 if self.read(0.2) else idle + 0.2
            if idle > LONGEST_PAUSE:
                self.now = before
        self.at = found + len(text)

    def wait(self, seconds):
        end = self.now + seconds
        while self.now < end - 1e-6:
            self.read(min(end - self.now, 0.2))

    def type(self, text):
        for char in text:
            os.write(self.master, char.encode())
            self.wait(KEY_SECONDS)

    def key(self, name):
        if name not in KEYS:
            sys.exit(f"record.py: no key is called {name!r}: {', '.join(KEYS)}")
        os.write(self.master, KEYS[name].encode())

    def play(self, lines):
        for line in lines:
            verb, _, rest = line.rstrip("\n").partition(" ")
            if not verb or verb.startswith("#"):
                continue
            if verb == "size":
                self.screen = Screen(*(int(x) for x in rest.split()))
            elif verb == "run":
                self.start(rest)
            elif verb in ("type", "key", "see"):
                getattr(self, verb)(rest)
            elif verb == "wait":
                self.wait(float(rest))
            else:
                sys.exit(f"record.py: not a step: {line.strip()}")
        os.close(self.master)


def grown(old, new):
    """Whether the run `new` is `old` with more text behind it."""
    return old[:2] == new[:2] and old[3] == new[3] and new[2].startswith(old[2])


def parts_of(frames, total):
    """[(row, column, text, look, from, to)]: what is added to a run is a part of its own, so that streaming is short."""
    live, parts = {}, []  # run as it stands -> its parts, each with its beginning
    for when, runs, _ in frames:
        gone = [run for run in live if run not in runs]
        places = {run[:2]: run for run in gone}
        for run in sorted(runs - live.keys()):
            old = places.get(run[:2])
            if old and grown(old, run):
                pieces = live.pop(old)
                gone.remove(old)
                more = run[2][len(old[2]) :]
                lead = len(more) - len(more.lstrip())
                pieces.append((run[0], run[1] + sum(map(width_of, old[2] + more[:lead])), more[lead:], run[3], when))
                live[run] = pieces
            else:
                live[run] = [(*run, when)]
        for run in gone:
            parts += [(*piece, when) for piece in live.pop(run)]
    return parts + [(*piece, total) for pieces in live.values() for piece in pieces]


STYLE = """text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:#24292f;white-space:pre}
.b{fill:#fff;stroke:#d0d7de}.o{fill:#d0d7de}.c{fill:#0a7583}.d{fill:#6e7781}.r{fill:#b35900}.k{fill:#24292f;opacity:.35}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#0d1117;stroke:#30363d}.o{fill:#30363d}.c{fill:#56d4dd}.d{fill:#8b949e}.r{fill:#f0883e}.k{fill:#e6edf3}}
"""


def percent(t, total):
    return f"{100 * t / total:.2f}".rstrip("0").rstrip(".") + "%"


def keyframes(name, start, end, total):
    """Shown from start to end."""
    steps = {start: "visible"}
    if start > 0:
        steps[0.0] = "hidden"
    if end < total:
        steps[end] = "hidden"
    text = "".join(f"{percent(t, total)}{{visibility:{steps[t]}}}" for t in sorted(steps))
    last = "visible" if end >= total else "hidden"
    return f"@keyframes {name}{{{text}}}.{name}{{animation-name:{name};visibility:{last}}}\n"


def cursor_of(frames, total):
    """The cursor's way over the screen, and its last place."""
    steps, last = [], None
    for when, _, place in frames:
        if place != last:
            steps.append((when, place))
            last = place
    moves = "".join(f"{percent(t, total)}{{x:{c * CELL:.1f}px;y:{r * LINE}px}}" for t, (r, c) in steps)
    return f"@keyframes k{{{moves}}}#k{{animation-name:k}}\n", last


def svg_of(frames, columns, rows, title, still):
    """Frames closer than a fiftieth of a second are one."""
    kept = []
    for frame in frames:
        if kept and frame[0] - kept[-1][0] < 0.02:
            kept[-1] = (kept[-1][0], *frame[1:])
        else:
            kept.append(frame)
    if still:
        kept = [(0.0, *kept[-1][1:])]
    total = kept[-1][0] + LAST_SECONDS
    width, height = columns * CELL + 2 * MARGIN, rows * LINE + 2 * MARGIN + BAR
    parts = parts_of(kept, total)
    spans = sorted({(start, end) for *_, start, end in parts if start > 0 or end < total})
    names = {span: f"f{i}" for i, span in enumerate(spans)}
    moves, (row, column) = cursor_of(kept, total)
    style, body = STYLE, []
    if not still:
        style += "".join(keyframes(names[span], *span, total) for span in spans) + moves
        style += f"[class*=f],#k{{animation-duration:{total:.2f}s;animation-timing-function:step-end;animation-iteration-count:infinite}}\n"
        style += "@media(prefers-reduced-motion:reduce){[class*=f],#k{animation:none}}\n"
    for r, c, text, look, start, end in sorted(parts, key=lambda p: (p[4], p[0], p[1])):
        if still or (start, end) not in names:
            classes = look
        else:
            classes = f"{look} {names[start, end]}".strip()
        cells = sum(map(width_of, text))
        attributes = f' class="{classes}"' if classes else ""
        fit = f' textLength="{cells * CELL:.1f}"' if cells > 1 else ""
        body.append(f'<text x="{c * CELL:.1f}" y="{r * LINE + 13}"{fit}{attributes}>{escape(text)}</text>\n')
    if not still:
        body.append(f'<rect id="k" class="k" width="{CELL}" height="{LINE - 2}" x="{column * CELL:.1f}" y="{row * LINE}"/>\n')
    dots = "".join(f'<circle class="o" cx="{MARGIN + 8 + 18 * i}" cy="17" r="5"/>' for i in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n"
        f'<rect class="b" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>{dots}\n'
        f'<g transform="translate({MARGIN} {MARGIN + BAR - 8})">\n{"".join(body)}</g>\n</svg>\n'
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--still", action="store_true", help="the last screen alone")
    parser.add_argument("--title", default="choir in a terminal")
    parser.add_argument("svg")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        recording = Recording(state)
        recording.play(sys.stdin)
    with open(args.svg, "w", encoding="utf-8") as out:
        out.write(svg_of(recording.frames, recording.screen.columns, recording.screen.n_rows, args.title, args.still))


if __name__ == "__main__":
    main()
