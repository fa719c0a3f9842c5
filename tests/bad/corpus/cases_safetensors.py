"""safetensors and folders: rows S."""

import json
import os

from case import Case
from files import *

HUGE = 2**64 - 1


def case(row, what, file, says, code=3, files=None, **more):
    data = {"m/config.json": config(), "m/model.safetensors": file, "m/tokenizer.model": sp_model()}
    data.update(files or {})
    return Case(row, what, {k: v for k, v in data.items() if v is not None}, code, says and f"m/(?:{says})", args=["-m", "m"], **more)


def st(row, what, file, says, **more):
    return case(row, what, file, says and f"model.safetensors: (?:{says})", **more)


def with_warning(row, what, file, says):
    c = case(row, what, file, "", code=0)
    c.says = f"warning: m/model.safetensors: {says}"
    return c


def entry(dtype="F32", shape=(4,), offsets=(0, 16), **more):
    return dict({"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}, **more)


def raw(header, data=bytes(16)):
    return safetensors(header.encode() if isinstance(header, str) else header, data, pad=False)


def lengths():
    for n in (0, 1, 7):
        yield st("S01", f"{n} bytes", bytes(n), f"truncated: {n} bytes, the header length needs 8|empty file")
    yield st("S02", "header of 0", u64(0), "header length 0.*")
    for n in (HUGE, HUGE - 7, 2**63, 100000001):
        row = "S04" if n == 100000001 else "S03"
        yield st(row, f"header of {n}", u64(n) + bytes(64), f"header length {n} exceeds 100000000")
    yield st("S05", "header past the end", u64(4096) + b"{}" + bytes(80), "header ends at byte 4104, file has 90")
    good = Tensors().bytes()
    for cut in (8, 9, 100, 700):
        yield st("S05", f"cut at byte {cut}", good[:cut], r"header ends at byte \d+, file has \d+")
    yield st("S05", "cut in the data", good[:-1], r"tensor .*: ends at \d+, data has \d+ bytes")
    yield st("S06", "header begins with a space", raw(" {}"), "header does not start with {")
    yield st("S06", "header is a list", raw("[]"), "header does not start with {")


def headers():
    yield st("S07", "bad UTF-8 in a name", raw(b'{"a\xff":{}}'), r"header byte \d+: invalid UTF-8")
    tensor = '{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'
    for what, text_ in (("NaN", tensor.replace("[4]", "[NaN]")), ("1e3 as offset", tensor.replace("16]", "1e3]")),
                        ("01", tensor.replace("[4]", "[01]")), ("comma at the end", tensor.replace("16]", "16],")),
                        ("comment", tensor.replace("{", "{/* x */")), ("no colon", tensor.replace(":", " ")),
                        ("negative offset", tensor.replace("[0,", "[-1,")), ("text as offset", tensor.replace("[0,", '["0",'))):
        yield st("S08", what, raw('{"a":' + text_ + "}"), "header byte \\d+: expected .*|tensor a: bad shape")
    yield st("S08", "end missing", raw('{"a":' + tensor), r"header byte \d+: expected .*")
    yield st("S08", "text after the end", raw('{"a":' + tensor + "}x"), r"header byte \d+: .*")
    yield st("S08", "control character in a name", raw('{"a\x01":' + tensor + "}"), r"header byte \d+: .*")
    yield st("S08", "bad escape in a name", raw('{"\\x":' + tensor + "}"), r"header byte \d+: .*")
    yield st("S08", "lone surrogate in a name", raw('{"\\ud800":' + tensor + "}"), r"header byte \d+: .*")
    yield st("S08", "NUL in a name", raw('{"a\\u0000":' + tensor + "}"), r"header byte \d+: .*")
    yield st("S08", "arrays 100,000 deep", raw('{"a":' + "[" * 100000), r"header byte \d+: .*")
    yield st("S10", "spaces behind the header", Tensors().bytes(), None, code=0)
    second = tensor.replace("[0,16]", "[16,32]")
    yield st("S11", "name twice", raw('{"a":' + tensor + ',"a":' + second + "}", bytes(32)), 'duplicate tensor "?a"?')
    yield st("S11", "name twice, once escaped", raw('{"a":' + tensor + ',"\\u0061":' + second + "}", bytes(32)), 'duplicate tensor "?a"?')
    for what, dtype in (("F7", '"F7"'), ("a number", "4"), ("an escape sequence", '"\\u001b[2J"')):
        yield st("S12", f"dtype {what}", raw('{"a":' + tensor.replace('"F32"', dtype) + "}"), "tensor a: dtype .*")
    yield st("S12", "dtype missing", raw('{"a":' + tensor.replace('"dtype":"F32",', "") + "}"), "tensor a: dtype missing")
    yield st("S12", "shape missing", raw('{"a":' + tensor.replace('"shape":[4],', "") + "}"), "tensor a: shape missing")
    yield st("S12", "a key too many", raw('{"a":' + tensor.replace("}", ',"x":1}') + "}"), r"header byte \d+: .*")


def shapes():
    def shaped(shape):
        return raw('{"a":{"dtype":"F32","shape":' + shape + ',"data_offsets":[0,16]}}')
    for s in ("[-1]", "[1.5]", "[18446744073709551616]", "null", "[null]", '["4"]', "[" + "1," * 64 + "1]", "4", "{}"):
        yield st("S13", f"shape {s[:24]}", shaped(s), "tensor a: bad shape")
    for s in ("[4611686018427387904,4]", "[0,9223372036854775808,4]", "[4294967296,4294967296]", "[9223372036854775808,2]"):
        yield st("S14", f"shape {s}", shaped(s), "tensor a: shape overflows")
    yield st("S14", "bytes overflow", shaped("[4611686018427387904]"), "tensor a: shape overflows")


def places():
    def header(a, data=16, **others):
        return safetensors(dict({"a": a}, **others), bytes(data))
    yield st("S15", "F64 [4] in 16 bytes", header(entry("F64")), "tensor a: 16 bytes of data, shape and type need 32")
    yield st("S16", "offsets the wrong way", header(entry(offsets=(16, 0))), "tensor a: data ends before it starts")
    yield st("S16", "three offsets", header(entry(offsets=(0, 8, 16))), r"header byte \d+: expected .*")
    yield st("S16", "one offset", header(entry(offsets=(16,))), r"header byte \d+: expected .*")
    yield st("S17", "end past the file", header(entry(shape=(1024,), offsets=(0, 4096))), "tensor a: ends at 4096, data has 16 bytes")
    yield st("S17", "offsets near 2^64", header(entry(offsets=(HUGE - 15, HUGE + 1 - 1))), "tensor a: .*")
    yield st("S18", "one range", header(entry(), b=entry()), "tensors . and . overlap")
    yield st("S18", "overlap by one byte", header(entry("U8", (16,)), 24, b=entry("U8", (9,), (15, 24))), "tensors a and b overlap")
    yield st("S19", "hole at the start", header(entry(offsets=(16, 32)), 32), "16 bytes at 0 belong to no tensor")
    yield st("S19", "hole in the middle", header(entry(), 48, b=entry(offsets=(32, 48))), "16 bytes at 16 belong to no tensor")
    yield st("S19", "bytes behind the last", header(entry(), 32), "16 bytes at 16 belong to no tensor")
    n = 1 << 16
    many = ",".join(f'"t{i}":{{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}' for i in range(n))
    yield st("S20", f"{n} names on one range", raw("{" + many + "}"), "tensors .* overlap")
    yield st("S21", "metadata that is no text", safetensors({"__metadata__": {"x": 1}, "a": entry()}, bytes(16)),
             '__metadata__: value of "x" is not a string')
    yield st("S21", "metadata that is a list", safetensors({"__metadata__": []}, b""), r"header byte \d+: expected .*|__metadata__.*")
    yield st("S24", "4-bit type, odd count", header(entry("F4", (3,), (0, 2)), 2), "tensor a: does not fill whole bytes")


def models():
    def changed(name, dtype, shape, data):
        t = Tensors()
        names = [n for _, n, _ in model_tensors() if n != name]
        return Tensors(names).add(name, dtype, shape, data).bytes() if t else None
    yield st("S22", "norm of shape [0, 64]", changed("model.norm.weight", "F32", (0, 64), b""),
             r"tensor model.norm.weight: shape .*, expected 32.*")
    yield with_warning("S23", "a number nobody needs", Tensors().add("x", "F32", (), bytes(4)).bytes(), "1 tensor not used: x")
    yield st("S25", "f32 at an odd address", odd(), None, code=0)
    yield st("S29", "a tensor missing", changed("none", "F32", (1,), bytes(4)).replace(b"up_proj", b"up_prok"),
             "tensor model.layers.0.mlp.up_proj.weight missing")
    yield st("S30", "transposed", changed("model.layers.0.mlp.up_proj.weight", "F32", (DIM, HIDDEN), bytes(4 * DIM * HIDDEN)),
             "tensor model.layers.0.mlp.up_proj.weight: shape 32 x 64, expected 64 x 32 from a feed-forward width of 64")
    yield st("S31", "F8_E4M3", changed("model.layers.0.mlp.up_proj.weight", "F8_E4M3", (HIDDEN, DIM), bytes(DIM * HIDDEN)),
             "tensor model.layers.0.mlp.up_proj.weight: type F8_E4M3 not supported.*")


def odd():
    t = Tensors()
    return safetensors(json.dumps(t.entries).encode() + b" " * (1 + len(json.dumps(t.entries)) % 2), t.data, pad=False)


def indexed(weight_map, shards=None, **more):
    files = {"m/config.json": config(), "m/tokenizer.model": sp_model(),
             "m/model.safetensors.index.json": weight_map if isinstance(weight_map, bytes) else
             json.dumps({"metadata": {}, "weight_map": weight_map}).encode()}
    files.update({f"m/{k}": v for k, v in (shards or {}).items()})
    return dict(files, **more)


def index(row, what, weight_map, says, code=3, shards=None, **more):
    return Case(row, what, indexed(weight_map, shards), code, says and f"m/(?:{says})", args=["-m", "m"], **more)


def shards():
    names = [n for _, n, _ in model_tensors()]
    one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    where = {n: one if i < 5 else two for i, n in enumerate(names)}
    both = {one: Tensors(names[:5]).bytes(), two: Tensors(names[5:]).bytes()}
    json_ = "model.safetensors.index.json"
    yield index("S27", "two shards", where, None, code=0, shards=both)
    for name in ("../x", "/etc/passwd", "a/../../b", "", ".", "..", "./x", "a/b"):
        shown = name.replace("/", "/")
        yield index("S26", f'shard "{name}"', dict(where, extra=name), f'{json_}: shard name "{shown}" leaves the model directory',
                    shards=dict(both), prepare=lambda d: open(os.path.join(d, "x"), "wb").close())
    yield index("S26", "shard with NUL", json.dumps({"weight_map": {"a": "x\0y"}}).encode(), rf"{json_}:1:\d+: NUL character")
    yield index("S26", "shard with an escape sequence", {"a": "\x1b[2J"}, r".*\\x1b\[2J: No such file or directory", code=4)
    yield index("S26", "shard that is a number", {"a": 1}, f'{json_}: weight_map: value of "a" is not a string')
    yield index("S27", "a shard missing", where, f"{two}: No such file or directory", code=4, shards={one: both[one]})
    yield index("S27", "a tensor not in its shard", dict(where, **{names[0]: two}), f"{json_}: tensor {names[0]} not in {two}", shards=both)
    yield index("S27", "a tensor in no shard", dict(where, x=one), f"{json_}: tensor x not in {one}", shards=both)
    yield index("S27", "a tensor in two shards", where, ".*duplicate tensor.*",
                shards={one: Tensors(names[:6]).bytes(), two: both[two]})
    yield index("S27", "a shard that is a folder", {"a": "sub"}, "sub: Is a directory", code=4, shards={"sub/x": b""})
    yield index("S27", "no weight_map", b"{}", f"{json_}: weight_map missing")
    yield index("S27", "weight_map a list", b'{"weight_map": []}', f"{json_}: weight_map missing")
    yield index("S27", "2,000 shards", {f"t{i}": f"s{i}" for i in range(2000)}, rf"{json_}: 2000 shards \(at most 1024 allowed\)")
    yield index("S27", "index that is no JSON", b"<html>", rf"{json_}:1:\d+: .*")
    yield Case("S27", "a folder with config.json alone", {"m/config.json": config()}, 4, "m: neither model.safetensors nor .*", args=["-m", "m"])
    yield Case("S27", "an empty folder", {"m/": b""}, 4, "m: Is a directory, without config.json", args=["-m", "m"])


def cases():
    for part in (lengths, headers, shapes, places, models, shards):
        yield from part()
