#!/usr/bin/env python3
"""Arithmetic on numbers from files: what the readers of files may not write without a reason.

  1. malloc, realloc and wts_pool_take of a product: base_array and base_array_resize check it
  2. a product of two whole numbers that are both variable, other than base_mul's (and in what a message says of memory)
  3. a shift to the left by a variable number of bits that is not taken % 64
  4. a comparison of a sum with a size ("at + n > size" is true for less than it says once the sum wraps: n > size - at)

Each may stand where a comment on its line, or on the line before, says why nothing can wrap: "fits: at most 2^48".  A comment
right above a function speaks for all of it.
Prints a line for each place that breaks the rules; nothing else.
"""
import re
import subprocess
import sys

READERS = """weights/gguf.c weights/gguf_cursor.c weights/gguf_meta.c weights/gguf_tensors.c weights/safetensors.c
    weights/st_scan.c weights/llama2c.c weights/folder.c weights/set.c weights/open.c weights/rows.c weights/pool.c
    weights/gguf_write.c weights/builtin.c weights/finite.c weights/mix.c weights/fail.c tokenizer/*.c
    src/model/config/*.c src/model/bind.c src/model/load*.c src/model/model.c src/model/params.c src/model/export.c
    src/kv/kv_store.c src/engine/state_*.c src/engine/vocabulary*.c src/engine/memory.c src/engine/open_model.c
    src/engine/config_only.c src/engine/quantize*.c src/engine/prune.c src/engine/prune_tensor.c src/engine/gguf_*.c src/engine/chat_source.c
    src/cli/perplexity/logits_file.c src/cli/jsonl/*.c src/cli/hub.c src/cli/bench/compare.c src/base/json.c src/base/file.c
    src/base/new_file.c src/base/arena.c""".split()

CONSTANT = r"(?:[0-9][\w.]*|[A-Z][A-Z0-9_]+|sizeof\b.*)"
OPERAND = r"[\w\])]"
PRODUCT = re.compile(r"(\S+) \* (\S.*)")
SHIFT = re.compile(OPERAND + r" <<=? (?!\d)(?!\(\w+ % 64\))(?!\*)")
ALLOCATION = re.compile(r"\b(?:malloc|realloc|wts_pool_take)\(.*" + OPERAND + r" \* ")
SIZE = r"[^&|?]*\b(?:\w*size|\w*left|\w*room|end)\b"
SUM_COMPARED = re.compile(r"\bif \(.*(?:" + OPERAND + r" \+ \w[^&|]* [<>]=? " + SIZE + r"|" + SIZE + r"\)? [<>]=? [^&|]*" +
                          OPERAND + r" \+ \w)")


def code_of(line):
    """The line without comments and without what is in quotes."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
    line = re.sub(r"'(?:[^'\\]|\\.)+'", "0", line)
    return re.sub(r"/\*.*?(\*/|$)", "", line)


def is_free_product(code):
    """Whether two variable numbers are multiplied."""
    for m in re.finditer(r" \* ", code):
        before, after = code[:m.start()], code[m.end():]
        left = re.search(r"[\w.>\]\)-]+$", before)
        left = re.sub(r"^[(-]*", "", left.group(0)) if left else ""
        if not re.fullmatch(CONSTANT, left) and not re.match(r"\(*(?:\(\w+\))?\(*" + CONSTANT, after):
            return True
    return False


def broken_rule(code):
    if ALLOCATION.search(code):
        return "memory of a product: base_array, base_array_resize"
    if not re.search(r"base_mul|base_fail_memory|\bdouble\b|\bfloat\b|\d\.\d", code) and is_free_product(code):
        return "product of two variable numbers: base_mul"
    if SHIFT.search(code):
        return "shift by a variable number of bits"
    if SUM_COMPARED.search(code):
        return "sum compared with a size: compare with the difference"
    return None


def check(path):
    before, comment, in_comment, function_fits = "", "", False, False
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        text = line.strip()
        is_comment = in_comment or text.startswith("/*")
        if is_comment:
            comment = (comment if in_comment else "") + text
        in_comment = is_comment and "*/" not in text
        if not is_comment:
            if not line[0].isspace() and text not in "{}":
                function_fits = "fits:" in comment
            comment = ""
            rule = broken_rule(code_of(text))
            if rule and not function_fits and "fits:" not in text and "fits:" not in before:
                print(f"{path}:{number}: {rule}, or a comment \"fits: WHY\"")
        before = text


def main():
    files = sys.argv[1:] or subprocess.run(["git", "ls-files", "--"] + READERS, capture_output=True, text=True,
                                           check=True).stdout.split()
    for path in files:
        check(path)


if __name__ == "__main__":
    main()
