#!/usr/bin/env python3
"""Writes valid files of every kind as a beginning for the fuzzers: tests/fuzz/seeds.py FOLDER makes FOLDER/TARGET/seed-*."""

import glob
import json
import os
import struct
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "bad", "corpus"))
import files as f  # noqa: E402


def gguf():
    small = f.Gguf()
    small.tensors = [["token_embd.weight", [1, f.VOCAB], f.T_F32, None, bytes(4 * f.VOCAB)], ["output_norm.weight", [1], f.T_F32, None, bytes(4)]]
    yield small.bytes()
    yield f.Gguf(tied=True, vocabulary=False).bytes()
    yield f.Gguf().header()
    words = f.byte_alphabet() + ["ab"]
    bpe = f.Gguf().set("tokenizer.ggml.model", f.STRING, f.text("gpt2")).set("tokenizer.ggml.pre", f.STRING, f.text("gpt-2"))
    bpe.set("tokenizer.ggml.tokens", f.ARRAY, f.array(f.STRING, [f.text(w) for w in words]))
    bpe.set("tokenizer.ggml.token_type", f.ARRAY, f.array(f.I32, [f.u32(1)] * len(words)))
    bpe.set("tokenizer.ggml.merges", f.ARRAY, f.array(f.STRING, [f.text("a b")])).drop("tokenizer.ggml.scores")
    bpe.tensors = [["token_embd.weight", [1, len(words)], f.T_F32, None, bytes(4 * len(words))]]
    yield bpe.bytes()
    quant = f.Gguf(vocabulary=False)
    quant.tensors = [["a", [32, 2], f.T_Q8_0, None, bytes(68)], ["b", [32], f.T_Q4_0, None, bytes(18)],
                     ["c", [5], f.T_F16, None, bytes(10)], ["d", [256], 12, None, bytes(144)]]
    yield quant.bytes()


def safetensors():
    yield f.safetensors({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
                         "b": {"dtype": "BF16", "shape": [], "data_offsets": [16, 18]},
                         "__metadata__": {"format": "pt"}}, bytes(18))
    yield f.Tensors().bytes()


def index():
    yield json.dumps({"metadata": {"total_size": 8}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}).encode()


def config():
    """What the libraries write for models of every family, with all that is said of them."""
    yield f.config() + b"\0" + b'{"eos_token_id": [1, 2], "bos_token_id": 0}'
    for path in sorted(glob.glob(os.path.join(here, "..", "golden", "families", "*.json"))):
        with open(path, encoding="utf-8") as file:
            family = json.load(file)
        for form in ("config", "saved"):
            if isinstance(family.get(form), dict):
                yield json.dumps(family[form]).encode()


def llama2c():
    yield struct.pack("<7i", 2, 2, 1, 1, 1, 2, 2) + bytes(4 * 42)
    yield struct.pack("<7i", 2, 2, 1, 1, 1, -2, 2) + bytes(4 * 46)
    yield f.u32(0x616B3432) + f.u32(1) + struct.pack("<7i", 2, 2, 1, 1, 1, 2, 4) + b"\1" + bytes(219) + bytes(4 * 38)
    yield f.u32(0x616B3432) + f.u32(2) + struct.pack("<7i", 4, 4, 1, 1, 1, 4, 4) + b"\1" + f.u32(4) + bytes(215 + 304)


def tokenizer_json():
    small = {"version": "1.0", "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True,
                  "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3, "\u2581": 4, "<0x41>": 5}, "merges": [["a", "b"]]}}
    yield json.dumps(small).encode()
    small["model"] = {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [["<unk>", 0.0], ["a", -1.5], ["b", -2.0]]}
    yield json.dumps(small).encode()
    yield json.dumps(f.tokenizer_json()).encode()
    yield json.dumps(f.tokenizer_json(), ensure_ascii=False).encode()
    for path in sorted(glob.glob(os.path.join(here, "..", "golden", "tokenizers", "*.json"))):
        with open(path, "rb") as file:
            yield file.read()


def sp_model():
    yield f.sp_model()
    pieces = [("<unk>", 0, 2)] + [(f"<0x{b:02X}>", 0, 6) for b in range(256)] + [("a", -1, 1), ("b", -1.5, 4)]
    yield f.sp_model(pieces, trainer=f.number(35, 1))
    yield f.sp_model(trainer=f.number(3, 1), normalizer=f.number(3, 1) + f.number(4, 1) + f.number(5, 1))


def added():
    token = {"content": "<x>", "special": True, "single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
    yield json.dumps({"added_tokens_decoder": {"6": token, "7": dict(token, content="a b", special=False)}, "legacy": False}).encode()
    yield b'\0{"<x>": 6, "y": 7}\0{"eos_token": "<x>", "additional_special_tokens": ["y", {"content": "z"}]}'


def jsonl():
    yield (b'{"prompt": "a", "id": 1, "max_tokens": 3, "temperature": 0.5, "top_k": 2, "top_p": 0.5, "min_p": 0.1}\n\n'
           b'{"prompt": [1, 2], "stop": ["a", "b"], "n": 2, "seed": 7, "stream": true, "typical": 0.9}\n{"cancel": 1}\n'
           b'{"custom_id": "x", "body": {"prompt": "a", "repeat_penalty": 1.1, "presence_penalty": 1}}')


def options():
    for command in range(7):
        yield bytes([command]) + b"\0".join([b"-p", b"Once", b"-n5", b"--temp=0.5", b"-s", b"7", b"--stop", b"x"]) + b"\0"
    yield b"\1" + b"\0".join([b"--logit-bias", b"5=-inf", b"--samplers", b"top_k;min_p", b"--kv-type", b"q8_0", b"-v"])
    yield b"\2" + b"\0".join([b"-p", b"128,512", b"-t", b"1,2", b"-o", b"json", b"--mem-limit", b"4G"])


def utf8():
    yield "a\u00e9\u4e2d\U0001f600\0".encode() + b"\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xf0\x90"


def encode():
    words = "Hello  world, it's 12345 \u00e9\u4e2d\u200d\U0001f600\r\n\t<s> </s> <0x0A> \u1e9b\u0323 \ufdfa \uac01"
    for kind in range(16):
        yield bytes([kind]) + words.encode()


def state():
    """A header for the model that fuzz_state.c makes; its first byte has the sums made right."""
    for computed, ids, first in ((16, 20, 0), (20, 20, 0), (0, 3, 0), (0, 0, 0)):
        header = b"choirkvs" + struct.pack("<6I", 1, 1, 1, 1, 8, 0) + struct.pack("<8Q", 0, 0, 0, ids, computed, first, 0, 0)
        tiles = -(-computed // 16)
        for tile_bytes in (512, 1024):
            yield b"\1" + header + struct.pack(f"<{ids}i", *[i % 16 for i in range(ids)]) + bytes(tiles * (tile_bytes + 8))


def main():
    makers = [gguf, safetensors, index, config, llama2c, tokenizer_json, sp_model, added, jsonl, options, utf8, encode, state]
    for make in makers:
        folder = os.path.join(sys.argv[1], make.__name__)
        os.makedirs(folder, exist_ok=True)
        for i, data in enumerate(make()):
            with open(os.path.join(folder, f"seed-{i:02}"), "wb") as file:
                file.write(data)


main()
