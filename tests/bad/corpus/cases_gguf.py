"""GGUF files: rows G."""

import os

from case import Case
from files import *

Q = "blk.0.attn_q.weight"
HUGE = 2**64 - 1


def case(row, what, file, says, code=3, **more):
    data = file.bytes() if isinstance(file, Gguf) else file
    return Case(row, what, {"m.gguf": data}, code, says and f"m.gguf: (?:{says})", **more)


def header(n_tensors=0, n_kv=0, version=3, rest=b""):
    return b"GGUF" + u32(version) + u64(n_tensors) + u64(n_kv) + rest


def starts():
    yield case("G01", "empty", b"", "empty file")
    good = Gguf().bytes()
    for n in (1, 3, 4, 8, 16, 23):
        yield case("G02", f"{n} bytes", good[:n], f"truncated: {n} bytes, a GGUF header needs 24")
    yield case("G03", "other magic", b"FUGG" + good[4:], r'not a GGUF file \(starts with "FUGG"\)')
    yield case("G03", "a web page", b"<!DOCTYPE html>\n<html><body>404</body></html>\n", ".*looks like an HTML page")
    yield case("G03", "a git-lfs pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
               "not a GGUF file: it is a git-lfs pointer, not the file itself")
    yield case("G03", "zeros", bytes(64), "not a GGUF file.*")
    yield case("G03", "an escape sequence", b"\x1b[2J" + bytes(60), r'not a GGUF file \(starts with "\\x1b\[2J"\)')
    for v in (0, 1, 4, HUGE >> 32):
        yield case("G04", f"version {v}", header(version=v), rf"GGUF version {v} not supported \(2 and 3 are\)")
    yield case("G05", "big-endian", header(version=3 << 24), "big-endian GGUF not supported")
    for n in (HUGE, 2**61, 1):
        yield case("G06", f"{n} settings", header(n_kv=n), f"header: {n} metadata entries cannot fit in 0 remaining bytes")
    for n in (2**61, HUGE, 1):
        yield case("G07", f"{n} tensors", header(n_tensors=n), f"header: {n} tensors cannot fit in 0 remaining bytes")


def keys():
    def one(rest):
        return header(n_kv=1, rest=rest + bytes(64))
    for n in (HUGE, 2**63, 65535):
        yield case("G08", f"key of {n}", one(u64(n)), f"metadata entry 0: key length {n} past end of file")
    yield case("G09", "empty key", one(text("") + u32(U8)), "metadata entry 0: empty key")
    yield case("G10", "long key", one(text("k" * 65536) + u32(U8)), "metadata entry 0: key longer than 65535 bytes")
    for what, key in (("newline", "a\nb"), ("escape", "a\x1b[2J"), ("accent", "caf\u00e9")):
        yield case("G10", f"key with {what}", one(text(key) + u32(U8)), "metadata entry 0: key is not ASCII")
    for n in (2**63, 40 << 30, HUGE):
        yield case("G11", f"string of {n}", one(text("general.name") + u32(STRING) + u64(n)),
                   f"general.name: string length {n} past end of file")
    yield case("G12", "string one byte too long", header(n_kv=1, rest=text("general.name") + u32(STRING) + u64(5) + b"four"),
               "general.name: string ends 1 byte past end of file")
    for t in (13, 255, HUGE >> 32):
        yield case("G13", f"type {t}", Gguf().set("general.name", t, b"\0" * 8), f"general.name: unknown value type {t}")
    for depth in (2, 10000):
        inner = array(U8, [])
        for _ in range(depth - 1):
            inner = u32(ARRAY) + u64(1) + inner
        yield case("G14", f"arrays {depth} deep", Gguf().set("x.y", ARRAY, inner), "x.y: nested arrays not supported")
    yield case("G15", "array of unknown type", Gguf().set("x.y", ARRAY, u32(77) + u64(2**60)),
               "x.y: unknown array element type 77")
    for n in (2**61, HUGE, 2**40):
        yield case("G16", f"array of {n}", Gguf().set("x.y", ARRAY, u32(U64) + u64(n)),
                   f"x.y: array of {n} \u00d7 8 bytes past end of file")
    yield case("G16", "array of many strings", Gguf().set("x.y", ARRAY, u32(STRING) + u64(2**61)), "x.y: .*")
    yield case("G17", "key twice", Gguf().first("general.architecture", STRING, text("llama")),
               "duplicate metadata key general.architecture")
    for v in (2, 255):
        yield case("G18", f"bool {v}", Gguf().set("x.y", BOOL, bytes([v])), rf"x.y: bool value {v} \(must be 0 or 1\)")
    yield case("G18", "bool 3 in an array", Gguf().set("x.y", ARRAY, array(BOOL, [b"\1", b"\3"])), "x.y: bool value 3.*")
    for a in (0, 13, 1 << 31, 131072):
        yield case("G19", f"alignment {a}", Gguf().first("general.alignment", U32, u32(a)),
                   f"general.alignment: {a} is not a power of two up to 65536")
    yield case("G19", "alignment i32", Gguf().first("general.alignment", I32, u32(32)),
               "general.alignment: has type i32, must be u32|general.alignment has type i32, must be u32")
    yield case("G19", "alignment string", Gguf().first("general.alignment", STRING, text("32")),
               "general.alignment:? has type string, must be u32")
    yield case("G20", "no architecture", Gguf().drop("general.architecture"), "general.architecture missing")
    yield case("G20", "architecture u32", Gguf().set("general.architecture", U32, u32(1)),
               "general.architecture:? has type u32, must be string")
    yield case("G20", "architecture unknown", Gguf().set("general.architecture", STRING, text("gpt9")),
               'architecture "gpt9" not supported.*')
    yield case("G20", "architecture with NUL", Gguf().set("general.architecture", STRING, text("llama\0x")),
               'architecture .*not supported.*')


def one_tensor(name=Q, dims=(32, 32), kind=T_F32, offset=0, data=bytes(4096), count=1):
    g = Gguf()
    g.tensors = [[name, list(dims), kind, offset, data]] + g.tensors[:0]
    g.n_tensors = count
    return g


def tensors():
    name = "tensor blk.0.attn_q.weight"
    yield case("G21", "no name", one_tensor(name=""), "tensor 0: .*empty.*|tensor 0: name .*")
    g = Gguf()
    g.tensors[3][0] = "n" * 65
    yield case("G21", "name of 65 bytes", g, "tensor 3: name longer than 64 bytes")
    yield case("G21", "name with an escape sequence", one_tensor(name="\x1b[2J", dims=(0,)), r"tensor \\x1b\[2J: .*")
    g = Gguf()
    g.tensors[4][0] = Q
    yield case("G22", "name twice", g, "duplicate tensor blk.0.attn_q.weight")
    for n in (0, 5, HUGE >> 32):
        head = text(Q) + u32(n) + u64(1) * min(n, 5) + u32(0) + u64(0) + bytes(64)
        yield case("G23", f"{n} dimensions", header(n_tensors=1, rest=head), rf"{name}: {n} dimensions \(1 to 4 allowed\)")
    for dims, at in (((0,), 0), ((32, 0), 1), ((32, 1, 0), 2)):
        yield case("G24", f"dimension {at} is 0", one_tensor(dims=dims), f"{name}: dimension {at} is 0")
    for d in (2**63, HUGE):
        yield case("G25", f"dimension {d}", one_tensor(dims=(d, 1)), f"{name}: dimension 0 is {d}, too large")
    yield case("G26", "2^32 x 2^32", one_tensor(dims=(2**32, 2**32)), f"{name}: 4294967296 \u00d7 4294967296 elements overflow")
    for dims in ((2**62, 5), (3037000500, 3037000500), (2**31, 2**31, 2**31), (2**16,) * 4):
        yield case("G27", " x ".join(map(str, dims)), one_tensor(dims=dims), f"{name}: .*(overflow|past end of file|needs).*")
    yield case("G28", "bytes overflow", one_tensor(dims=(2**59,), kind=T_Q8_0), f"{name}: .*(needs|past end of file|overflows).*")
    yield case("G28", "f32 bytes overflow", one_tensor(dims=(2**62,)), f"{name}: size in bytes overflows")
    yield case("G29", "row of 33", one_tensor(dims=(33, 2), kind=T_Q4_0),
               f"{name}: row of 33 is not a multiple of q4_0's block of 32")
    for t in (4, 5, 255, HUGE >> 32):
        yield case("G30", f"type {t}", one_tensor(kind=t), f"{name}: unknown type {t}")


def layout():
    def moved(at, offset):
        g = Gguf()
        g.tensor(at)[3] = offset
        return g

    def name(at):
        return f"tensor {at}"
    good, full = Gguf(), Gguf().bytes()
    size_, data_at = len(full), len(Gguf().header()) + -len(Gguf().header()) % 32
    yield case("G31", "offset 31", moved(Q, 31), f"{name(Q)}: offset 31 not aligned to 32")
    yield case("G32", "offset past the end", moved("output.weight", 1 << 40),
               rf"tensor output.weight: offset {1 << 40} past end of file \({size_} bytes\)")
    yield case("G32", "offset of the file's size", moved("output.weight", size_ - size_ % 32),
               rf"tensor output.weight: offset \d+ past end of file \({size_} bytes\)")
    yield case("G33", "last byte missing", full[:-1], r"tensor output.weight: needs 1536 bytes from byte \d+, file has \d+ \(incomplete download\?\)")
    for off in (2**64 - 32, 2**63):
        yield case("G34", f"offset {off}", moved("output.weight", off), f"tensor output.weight: offset {off} past end of file.*")
    first = good.tensors[0]
    yield case("G35", "same range", moved("blk.0.attn_norm.weight", 0), "tensors .* and .* overlap")
    yield case("G35", "overlap", moved("blk.0.attn_norm.weight", len(first[4]) - 32), "tensors .* and .* overlap")
    yield case("G36", "hole", hole(), rf"tensor blk.0.attn_norm.weight: offset {len(first[4]) + 64}, expected {len(first[4])}")
    yield case("G36", "hole before the first", hole(0), "tensor token_embd.weight: offset 64, expected 0")
    for d in (2**62 - 1, 2**61, 2**60):
        g = Gguf()
        g.tensor("output.weight")[1] = [d]
        yield case("G37", f"f32 x {d}", g, "tensor output.weight: .*(past end of file|needs|overflow).*")
    for cut in (size_ - 1536, data_at + 1, (size_ + data_at) // 2):
        yield case("G39", f"cut at {cut}", full[:cut], r"tensor .*(\(incomplete download\?\)|past end of file.*)")
    yield case("G40", "bytes behind the last tensor", full + b"and so on", None, code=0)
    yield case("G42", "the next begins too early", widened(), "tensors blk.0.attn_norm.weight and blk.0.attn_q.weight overlap")


def widened():
    g = Gguf()
    offset = 0
    for t in g.tensors:
        t[3] = offset
        offset += len(t[4])
    g.tensor("blk.0.attn_norm.weight")[1] = [DIM, 2]
    return g


def hole(at=1):
    g, offset = Gguf(), 0
    for i, t in enumerate(g.tensors):
        offset += 64 if i == at else 0
        t[3] = offset
        offset += len(t[4])
    data = g.header()
    data += bytes(-len(data) % 32)
    for i, t in enumerate(g.tensors):
        data += (bytes(64) if i == at else b"") + t[4]
    return data


def cuts():
    """G38: every 29th byte of the header here; every byte in one process (test_corpus.c of tests/fuzz)."""
    full, n = Gguf().bytes(), len(Gguf().header())
    for cut in list(range(24, n, 29)) + [n - 1]:
        yield case("G38", f"cut at byte {cut}", full[:cut], ".*(truncated|past end of file|cannot fit|incomplete download).*")


def many():
    """G41: settings as many as there can be; opened or refused at once."""
    n = 1 << 17
    kv = b"".join(text(f"k{i:07x}") + u32(U8) + b"\0" for i in range(n))
    yield case("G41", f"{n} settings", header(n_kv=n, rest=kv), "general.architecture missing")
    infos = b"".join(text(f"t{(i * 2654435761) % n:07x}") + u32(1) + u64(1) + u32(0) + u64(32 * i) for i in range(n))
    yield case("G41", f"{n} tensors", header(n_tensors=n, rest=infos + bytes(-len(infos) % 32) + bytes(32 * n)),
               "general.architecture missing")


def split(no, count, names, total, drop_vocabulary=True):
    g = Gguf(vocabulary=not drop_vocabulary)
    g.tensors = [t for t in g.tensors if t[0] in names]
    return (g.set("split.no", U16, no.to_bytes(2, "little")).set("split.count", U16, count.to_bytes(2, "little"))
            .set("split.tensors.count", I32, u32(total)).bytes())


def splits():
    names = [t[0] for t in Gguf().tensors]
    one, two = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"

    def pair(row, what, code, says, a=None, b=None, out=None):
        files = {one: a or split(0, 2, names[:6], len(names), False)}
        if b != "":
            files[two] = b or split(1, 2, names[6:], len(names))
        return Case(row, what, files, code, says, out=out)
    yield pair("G43", "both there", 0, None)
    yield pair("G43", "the second is missing", 4, f"{two}: No such file or directory", b="")
    yield pair("G43", "split 5 of 2", 3, f"{two}: split.no: 4, expected 1 .*", b=split(4, 2, names[6:], len(names)))
    yield pair("G43", "of another model", 3, f"{two}: belongs to another model.*", b=split(1, 2, names[6:], 99))
    yield pair("G43", "a tensor in both", 3, ".*duplicate tensor.*", a=split(0, 2, names[:6], len(names) + 1, False),
               b=split(1, 2, names[5:], len(names) + 1))
    yield pair("G43", "split.count 3", 3, f"{one}: .*", a=split(0, 3, names[:6], len(names), False))


def no_files():
    no = Case("G44", "missing", {}, 4, "m.gguf: No such file or directory", args=["-m", "m.gguf"])
    yield no
    yield Case("G44", "a folder", {"m.gguf/": b""}, 4, "m.gguf: Is a directory.*", args=["-m", "m.gguf"])
    yield Case("G44", "a FIFO", {}, 4, "m.gguf: not a regular file", args=["-m", "m.gguf"],
               prepare=lambda d: os.mkfifo(os.path.join(d, "m.gguf")))
    yield Case("G44", "a device", {}, 4, "/dev/zero: not a regular file", args=["-m", "/dev/zero"])
    yield Case("G44", "no name", {}, 4, '"": No such file or directory.*', args=["-m", ""])
    if os.getuid() != 0:
        yield Case("G44", "not readable", {"m.gguf": b"GGUF"}, 4, "m.gguf: Permission denied",
                   prepare=lambda d: os.chmod(os.path.join(d, "m.gguf"), 0))
    yield Case("G44", "a link to itself", {}, 4, "m.gguf: Too many levels of symbolic links", args=["-m", "m.gguf"],
               prepare=lambda d: os.symlink("m.gguf", os.path.join(d, "m.gguf")))


def cases():
    for part in (starts, keys, tensors, layout, cuts, many, splits, no_files):
        yield from part()
