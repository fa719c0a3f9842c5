"""One bad input and what the program must say to it."""

GENERATE = ["generate", "-p", "ab", "-n", "2", "-t", "1", "-s", "1"]


class Case:
    """row: of rows.txt; says: a regular expression that the whole line on stderr matches behind "choir: " (None: there is no
    line); out: what stdout must be (None: empty, ...: anything).  files: name to bytes, all of one fresh folder, which is the
    working directory; a name that ends with "/" is a folder.  prepare(folder) does what bytes can't; shell: a line for sh
    with "$CHOIR" and the arguments as "$@" instead of a plain start."""

    def __init__(self, row, what, files, code, says, args=None, out=None, stdin=b"", prepare=None, shell=None, env=None):
        self.row, self.what, self.files, self.code, self.says = row, what, files, code, says
        self.args = args if args is not None else ["-m", next(iter(files))]
        if self.args and self.args[0].startswith("-") and not shell:
            self.args = GENERATE[:1] + self.args + GENERATE[1:]
        self.out, self.stdin, self.prepare, self.shell, self.env = out, stdin, prepare, shell, env
        if self.out is None and code == 0:
            self.out = ...
