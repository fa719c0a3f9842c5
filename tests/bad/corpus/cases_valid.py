"""Files that other programs load, odd as they are, must load here too: rows V (ours); and what stands beside a tokenizer.model:
rows B (ours)."""

import json
import struct

from case import Case
from files import *


def gguf(what, change=lambda g: None, says=None, **more):
    g = Gguf(**more)
    change(g)
    return Case("V01", what, {"m.gguf": g.bytes()}, 0, says)


def halves(name, count):
    return b"".join(struct.pack("<e", x) for x in weights(name, count))


def bfloats(name, count):
    return b"".join(f32(x)[2:] for x in weights(name, count))


def ggufs():
    yield gguf("as writers write it")
    yield gguf("version 2", lambda g: setattr(g, "version", u32(2)))
    yield gguf("tied", tied=True)
    for a in (8, 64, 4096):
        def aligned(g, a=a):
            g.set("general.alignment", U32, u32(a))
            g.alignment = a
        yield gguf(f"alignment {a}", aligned)

    def typed(kind, pack):
        def change(g):
            for t in g.tensors:
                if len(t[1]) == 2:
                    t[2], t[4] = kind, pack(t[0], t[1][0] * t[1][1])
        return change
    yield gguf("f16", typed(T_F16, halves))
    yield gguf("bf16", typed(T_BF16, bfloats))
    yield gguf("q8_0", typed(T_Q8_0, lambda name, n: (struct.pack("<e", 0.01) + bytes(i * 7 % 100 for i in range(32))) * (n // 32)))
    yield gguf("q4_0", typed(T_Q4_0, lambda name, n: (struct.pack("<e", 0.1) + bytes(i * 37 % 256 for i in range(16))) * (n // 32)))

    def plenty(g):
        g.set("general.file_type", U32, u32(7)).set("general.quantization_version", U32, u32(2))
        g.set("general.tags", ARRAY, array(STRING, [text("a"), text("")])).set("x.empty", ARRAY, array(U8, []))
        g.set("x.i8", I8, b"\xff").set("x.f64", F64, struct.pack("<d", 0.1)).set("x.flags", ARRAY, array(BOOL, [b"\0", b"\1"]))
        g.set("general.description", STRING, text("caf\u00e9 \U0001f600")).set("general.url", STRING, text(b"\xff not UTF-8 \x1b[2J"))
        g.set("llama.vocab_size", U32, u32(VOCAB)).set("llama.rope.dimension_count", U32, u32(HEAD))
        g.set("tokenizer.ggml.add_bos_token", BOOL, b"\1").set("tokenizer.ggml.add_eos_token", BOOL, b"\0")
        g.set("tokenizer.ggml.padding_token_id", U32, u32(2**32 - 1)).set("k" * 65535, U8, b"\0")
    yield gguf("settings of every kind", plenty)

    def all_heads(g):
        g.drop("llama.attention.head_count_kv")
        for name in ("blk.0.attn_k.weight", "blk.0.attn_v.weight"):
            t = g.tensor(name)
            t[1], t[4] = [DIM, DIM], floats(weights(name, DIM * DIM))
    yield gguf("no key/value heads said", all_heads)
    yield gguf("one number a layer", lambda g: g.set("llama.feed_forward_length", ARRAY, array(U32, [u32(HIDDEN)])))
    yield gguf("tensors in another order", lambda g: g.tensors.reverse())

    def longest(g):
        g.tensors.append(["x" * 64, [4], T_F32, None, bytes(16)])
    yield gguf("tensor name of 64 bytes", longest, says="warning: m.gguf: 1 tensor not used: x+")

    def frequencies(g):
        g.tensors.append(["rope_freqs.weight", [HEAD // 2], T_F32, None, f32(1) * (HEAD // 2)])
    yield gguf("rope_freqs", frequencies, says=None)

    def doubled(g):
        tokens = [text(p[0]) for p in PIECES]
        tokens[11] = tokens[10]
        g.set("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens))
        g.set("tokenizer.ggml.token_type", ARRAY, array(I32, [u32(p[2]) for p in PIECES[:11]] + [u32(5)]))
    yield gguf("an unused token that is there twice", doubled)


def folder(row, what, tensors=None, code=0, says=None, **files):
    data = {"config.json": config(), "model.safetensors": (tensors or Tensors()).bytes(), "tokenizer.model": sp_model()}
    data.update({k.replace("__", "."): v for k, v in files.items()})
    return Case(row, what, {f"m/{k}": v for k, v in data.items()}, code, says, args=["-m", "m"])


def folders():
    def typed(dtype, pack):
        t = Tensors([])
        for _, name, shape in model_tensors():
            t.add(name, dtype, shape, pack(name, size(shape)))
        return t
    yield folder("V02", "f16", typed("F16", halves))
    yield folder("V02", "bf16", typed("BF16", bfloats))
    reverse = Tensors([])
    for _, name, shape in reversed(model_tensors()):
        reverse.add(name, "F32", shape, floats(weights(name, size(shape))))
    yield folder("V02", "tensors in another order", reverse)
    t = Tensors()
    with_metadata = safetensors(dict({"__metadata__": {"format": "pt", "x": "\u00e9\ud83d\ude00"}}, **t.entries), t.data)
    yield folder("V02", "metadata", model__safetensors=with_metadata)
    yield folder("V02", "header padded by 1,000 spaces", model__safetensors=safetensors(json.dumps(t.entries).encode() + b" " * 1000, t.data))
    yield folder("V02", "header of many lines", model__safetensors=safetensors(json.dumps(t.entries, indent=1).encode(), t.data))
    yield folder("V02", "names escaped", model__safetensors=safetensors(json.dumps(t.entries).replace("model.norm", "mod\\u0065l.norm").encode(), t.data))
    yield folder("V02", "rotary frequencies nobody needs", Tensors().add("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", (8,), bytes(32)))
    yield folder("V02", "tied", Tensors(tied=True), config__json=config(tie_word_embeddings=True))
    yield folder("V02", "tied, and lm_head there", config__json=config(tie_word_embeddings=True))
    for what, changes in (("eos that is a list", {"eos_token_id": [1, 2]}), ("rope_scaling null", {"rope_scaling": None}),
                          ("head_dim said", {"head_dim": HEAD}),
                          ("torch_dtype, architectures", {"torch_dtype": "bfloat16", "architectures": ["LlamaForCausalLM"], "transformers_version": "4.40.0"}),
                          ("eps as 1e-05", {"rms_norm_eps": 1e-05}), ("theta that is whole", {"rope_theta": 500000}), ("pad -1", {"pad_token_id": -1})):
        yield folder("V06", what, config__json=config(**changes))
    yield folder("V06", "many lines, Windows' ends", config__json=json.dumps(CONFIG, indent=2).replace("\n", "\r\n").encode())
    yield folder("V06", "generation_config.json", generation_config__json=b'{"eos_token_id": [2], "temperature": 0.6, "do_sample": true}')


def pieces():
    def sp(what, data, out=None, rows=300, prompt="ab"):
        return Case("V03", what, {"m.bin": llama2c(vocab=rows), "tokenizer.model": data}, 0, None, out=out,
                    args=["tokenize", "-m", "m.bin", "--ids", "-p", prompt])
    every = [(f"<0x{b:02X}>", 0, 6) for b in range(256)]
    yield sp("as the trainer writes it", sp_model(), b"1 6 5\n")
    yield sp("byte fallback", sp_model(PIECES + every, trainer=number(35, 1)))
    yield sp("a NUL piece", sp_model(PIECES + [("\0", -9.5)]))
    yield sp("unigram", sp_model(trainer=number(3, 1)))
    yield sp("user-defined pieces", sp_model(PIECES + [("<x>", 0, 4), ("  ", 0, 4)]))
    yield sp("unused pieces, twice", sp_model(PIECES + [("zz", 0, 5), ("zz", 0, 5)]))
    yield sp("fields nobody knows", sp_model(extra=field(100, b"hello") + number(101, 7) + varint(102 << 3 | 1) + bytes(8) + varint(103 << 3 | 5) + bytes(4)))
    yield sp("self-test data", sp_model(extra=field(4, field(1, field(1, b"ab") + field(2, b"ab")))))
    yield sp("a piece of 4,096 bytes", sp_model(PIECES + [("x" * 4096, -20)]))
    yield sp("no scores", b"".join(field(1, field(1, p[0].encode()) + number(3, p[2])) for p in PIECES) + field(2, number(3, 2)))
    yield sp("type left out", b"".join(piece(*p) if p[2] != 1 else field(1, field(1, p[0].encode()) + bytes([21]) + f32(p[1])) for p in PIECES) + field(2, number(3, 2)))


def tokenizers():
    def tok(what, out=None, change=lambda r: None, prompt="ab", data=None, **changes):
        root = tokenizer_json(**changes)
        change(root)
        return Case("V04", what, {"m.bin": llama2c(vocab=300), "t.json": data(root) if data else json.dumps(root).encode()}, 0, None, out=out,
                    args=["tokenize", "-m", "m.bin", "--tokenizer", "t.json", "--ids", "-p", prompt])
    yield tok("as the library writes it", b"256\n")
    yield tok("many lines", b"256\n", data=lambda r: json.dumps(r, indent=2).encode())
    yield tok("in UTF-8", b"256\n", data=lambda r: json.dumps(r, ensure_ascii=False).encode())
    yield tok("merges that are pairs", b"256\n", lambda r: r["model"].update(merges=[["a", "b"]]))
    yield tok("no added tokens", b"256\n", added_tokens=[])
    yield tok("added token that the model has no row for", b"256\n", lambda r: r["added_tokens"].append(dict(r["added_tokens"][0], id=400, content="<image>")))
    yield tok("NFC", b"256\n", normalizer={"type": "NFC"})
    yield tok("digits one by one", None, pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]})
    yield tok("a post-processor", None, post_processor={"type": "ByteLevel", "trim_offsets": False})
    yield tok("ignore_merges", b"256\n", lambda r: r["model"].update(ignore_merges=True))
    yield tok("truncation and padding", b"256\n", truncation={"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
              padding={"strategy": "BatchLongest", "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"})
    yield tok("older: no ignore_merges, no fuse_unk", b"256\n", lambda r: [r["model"].pop(k) for k in ("ignore_merges", "fuse_unk", "byte_fallback")])


def beside(what, says, code=3, **files):
    return folder("B01", what, None, code, says, **files)


def besides():
    def tc(**changes):
        return json.dumps(changes).encode()
    token = {"content": "<x>", "special": True}
    yield beside("added tokens", None, 0, tokenizer_config__json=tc(added_tokens_decoder={"12": token}), config__json=config())
    yield beside("added token of id 2^40", 'm/tokenizer_config.json: id of "<x>": must be 0 to 16777215',
                 tokenizer_config__json=tc(added_tokens_decoder={str(2**40): token}))
    for key in ("-1", "x", "", "01", "1e3"):
        yield beside(f'added token of id "{key}"', 'm/tokenizer_config.json: id of "<x>": .*', tokenizer_config__json=tc(added_tokens_decoder={key: token}))
    yield beside("added token without content", 'm/tokenizer_config.json: added token "12" has no content', tokenizer_config__json=tc(added_tokens_decoder={"12": {}}))
    yield beside("flag that is a text", "m/tokenizer_config.json: special: .*", tokenizer_config__json=tc(added_tokens_decoder={"12": dict(token, special="yes")}))
    yield beside("legacy that is a number", "m/tokenizer_config.json: legacy: 1 .*", tokenizer_config__json=tc(legacy=1))
    yield beside("tokenizer_config.json that is no JSON", r"m/tokenizer_config.json:1:\d+: .*", tokenizer_config__json=b"<html>")
    yield beside("tokenizer_config.json that is a list", "m/tokenizer_config.json: not an object", tokenizer_config__json=b"[]")
    yield beside("added_tokens.json: id that is a text", 'm/added_tokens.json: id of "<x>": .*', added_tokens__json=b'{"<x>": "12"}')
    yield beside("added_tokens.json: an id of two texts", 'm/added_tokens.json: id 3 is that of "[<y]" and of "[<y]"', added_tokens__json=b'{"<": 3, "y": 3}')
    yield beside("added_tokens.json: cut", r"m/added_tokens.json:1:\d+: .*", added_tokens__json=b'{"<x>": ')
    yield beside("special_tokens_map.json: deep", r"m/special_tokens_map.json:1:\d+: nested deeper than 64", special_tokens_map__json=b'{"a":' * 1000)
    yield beside("generation_config.json: eos that is a text", "m/generation_config.json: eos_token_id.*", generation_config__json=b'{"eos_token_id": "2"}')
    yield beside("generation_config.json: eos beyond the vocabulary", "m/generation_config.json: eos_token_id.*", generation_config__json=b'{"eos_token_id": 99}')
    yield beside("generation_config.json: empty", "m/generation_config.json: empty file", generation_config__json=b"")


def chats():
    """Templates are recognized by their text: nothing of them is run."""
    def chat(what, says, code=3, **files):
        c = folder("B02", what, None, code, says, **files)
        c.args = ["generate", "-m", "m", "-p", "ab", "-n", "1", "-t", "1", "-s", "1", "--chat"]
        return c
    none = "m: (no chat template in the model|chat template not known: .*); --chat-template NAME chooses one"
    yield chat("no template", none)
    for what, value in (("a number", 5), ("an object", {}), ("an empty list", []), ("a list of texts", ["a"]), ("an empty text", ""),
                        ("a list without a default", [{"name": "tool_use", "template": "x"}]), ("a text with NUL", "a\0b")):
        yield chat(f"template that is {what}", rf"{none}|m/tokenizer_config.json:1:\d+: NUL character", tokenizer_config__json=json.dumps({"chat_template": value}).encode())
    yield chat("template file that is no UTF-8", none, chat_template__jinja=b"\xff\xfe")
    yield chat("template file that is empty", none, chat_template__jinja=b"")
    yield chat("template file of 1 MB", none, chat_template__jinja=b"{% for x in y %}" * 65536)


def cases():
    for part in (ggufs, folders, pieces, tokenizers, besides, chats):
        yield from part()
