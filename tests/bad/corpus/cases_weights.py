"""What stands in the tensors (rows W), and llama2.c's files (rows L, which are ours)."""

import struct

from case import GENERATE, Case
from files import *


def spoiled(row, what, name, at, value, says, code=3, **how):
    g = Gguf()
    t = g.tensor(name)
    t[4] = t[4][:4 * at] + f32(value) + t[4][4 * at + 4:]
    return Case(row, what, {"m.gguf": g.bytes()}, code, says and f"m.gguf: (?:{says})", **how)


def numbers():
    for x in (float("nan"), float("inf"), float("-inf")):
        for name in ("output_norm.weight", "blk.0.attn_norm.weight"):
            yield spoiled("W01", f"{name} with {x}", name, 5, x, f"tensor {name}: element 5 is not finite")
        for name in ("blk.0.attn_q.weight", "output.weight"):
            yield spoiled("W03", f"{name} with {x}", name, 37, x, f"tensor {name}: row 1, column 5: {x}")
            yield spoiled("W03", f"{name} with {x}, in place", name, 37, x, r"logits at position \d+ are not finite", out=...,
                          args=["-m", "m.gguf", "--mmap"])
    yield spoiled("W03", "logits that overflow", "output_norm.weight", 5, 3e38, r"logits at position \d+ are not finite", out=...)
    q = Gguf()
    for name in ("blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"):
        t = q.tensor(name)
        t[2], t[4] = T_Q4_0, (b"\x00\x7c" + bytes(range(16))) * (HIDDEN * DIM // 32)
    yield Case("W02", "q4_0 with an infinite scale", {"m.gguf": q.bytes()}, 3,
               "m.gguf: tensor blk.0.ffn_gate.weight: row 0, column 0: scale inf")
    zero, small = Gguf(), Gguf()
    for t in zero.tensors:
        t[4] = bytes(len(t[4]))
    for t in small.tensors:
        t[4] = u32(1) * (len(t[4]) // 4)
    yield Case("W04", "all weights 0", {"m.gguf": zero.bytes()}, 0, None)
    yield Case("W05", "all weights subnormal", {"m.gguf": small.bytes()}, 0, None)
    turned = Gguf()
    turned.tensor("blk.0.ffn_gate.weight")[1] = [HIDDEN, DIM]
    yield Case("W07", "transposed", {"m.gguf": turned.bytes()}, 3,
               "m.gguf: tensor blk.0.ffn_gate.weight: shape 32 x 64, expected 64 x 32 from a feed-forward width of 64")
    more = Gguf()
    more.tensors.append(["blk.0.nobody.weight", [4], T_F32, None, bytes(16)])
    yield Case("W08", "a tensor nobody knows", {"m.gguf": more.bytes()}, 0, "warning: m.gguf: 1 tensor not used: blk.0.nobody.weight")
    fewer = Gguf()
    fewer.tensors = [t for t in fewer.tensors if "ffn_up" not in t[0]]
    yield Case("W07", "a tensor missing", {"m.gguf": fewer.bytes()}, 3, "m.gguf: tensor blk.0.ffn_up.weight missing")


def bin_(row, what, data, says, code=3):
    return Case(row, what, {"m.bin": data, "tokenizer.model": sp_model()}, code, says and f"m.bin: (?:{says})")


def legacy():
    good = llama2c()
    seven = [DIM, HIDDEN, 1, HEADS, KV_HEADS, VOCAB, CTX]
    yield bin_("L01", "a good one", good, None, 0)
    yield bin_("L01", "a good one with its own output matrix", llama2c(shared=False), None, 0)
    yield bin_("L02", "empty", b"", "empty file")
    for n in (1, 4, 27):
        yield bin_("L02", f"{n} bytes", good[:n], f"truncated: {n} bytes, a llama2.c header needs 28")
    needs = rf"{{}} bytes, a model of dim {DIM} and 1 layers needs {len(good)}{{}}"
    for n in (28, len(good) // 2, len(good) - 1):
        yield bin_("L03", f"{n} bytes", good[:n], needs.format(n, r" \(incomplete download\?\)"))
    yield bin_("L03", "a byte too many", good + b"\0", needs.format(len(good) + 1, ""))
    names = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")
    for i, name in enumerate(names):
        for v in (0, -1, 2**31 - 1, -2**31):
            header = list(seven)
            header[i] = v
            says = r"not a GGUF or llama2.c file.*" if i == 0 else rf"{name}: {v} \(1 to \d+ allowed\)|42908 bytes, a model .*"
            yield bin_("L04", f"{name} {v}", llama2c(header), says)
    yield bin_("L05", "7 heads", llama2c([DIM, HIDDEN, 1, 7, 7, VOCAB, CTX]), f"dim {DIM} not divisible by 7 attention heads")
    yield bin_("L05", "2 heads, 3 kv heads", llama2c([DIM, HIDDEN, 1, 2, 3, VOCAB, CTX]), "2 attention heads not divisible by 3 key/value heads")
    for v in (0, 3, -1):
        yield bin_("L06", f"version {v}", u32(0x616B3432) + struct.pack("<i", v) + bytes(248), rf"llama2.c version {v} not supported.*")
    later = u32(0x616B3432) + u32(1) + struct.pack("<7i", *seven)
    yield bin_("L06", "version 1, cut", later, r"truncated: \d+ bytes, a llama2.c header needs 256")
    yield bin_("L06", "version 1, flag 7", later + b"\7" + bytes(220), "shared classifier flag is 7.*")
    two = u32(0x616B3432) + u32(2) + struct.pack("<7i", *seven) + b"\1"
    for v in (0, -4, 2**30):
        yield bin_("L06", f"version 2, group {v}", two + struct.pack("<i", v) + bytes(216), f"group_size: {v} .*")
    yield bin_("L06", "version 2, group 7", two + u32(7) + bytes(216), ".*not a multiple of the group size 7")
    yield Case("L07", "no tokenizer", {"m.bin": good}, 3, "m.bin: no tokenizer.model or tokenizer.json beside it; give --tokenizer FILE")
    yield Case("L08", "a .safetensors by itself", {"m.safetensors": Tensors().bytes()}, 3,
               "m.safetensors: give the folder that holds it and its config.json")
    for name, data in (("an ELF program", b"\x7fELF" + bytes(600)), ("a ZIP file", b"PK\3\4" + bytes(600)), ("a PNG", b"\x89PNG\r\n\x1a\n" + bytes(600)),
                       ("a text", b"Once upon a time there was a file of text.\n" * 20), ("a web page", b"<!DOCTYPE html><html>" + b" " * 600)):
        yield bin_("L09", name, data, "not a GGUF or llama2.c file.*")


def cases():
    for part in (numbers, legacy):
        yield from part()
