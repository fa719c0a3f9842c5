"""Vocabularies: SentencePiece models (rows P), those of GGUF and tokenizer.json (rows T)."""

import json
import struct

from case import Case
from files import *

ROWS = 300  # of the embedding table
PLAIN = llama2c(vocab=ROWS)
TOKENIZE = ["tokenize", "-m", "m.bin", "--ids", "-p", "ab"]


def sp(row, what, data, says, code=3, args=None, **more):
    return Case(row, what, {"m.bin": PLAIN, "tokenizer.model": data}, code, says and f"tokenizer.model: (?:{says})",
                args=args or TOKENIZE, **more)


def fields():
    good = sp_model()
    yield sp("P01", "empty", b"", "empty file")
    yield sp("P01", "random", bytes((i * 89 + 131) % 256 for i in range(1024)), r"byte \d+: .*")
    yield sp("P01", "a text", b"hello, this is a text file\n" * 9, "byte 0: not a SentencePiece model|byte \\d+: .*")
    yield sp("P01", "a web page", b"<!DOCTYPE html>", r"byte \d+: .*")
    yield sp("P02", "number of 11 bytes", good + b"\x98" + b"\xff" * 11 + b"\1", rf"byte {len(good)}: number longer than 10 bytes|byte \d+: .*")
    yield sp("P02", "number cut", good + b"\x98", r"byte \d+: .*")
    yield sp("P03", "field past the end", good + b"\x0a\x28", rf"byte {len(good)}: field 1 ends 40 bytes past end of file")
    yield sp("P03", "field of 2^63", good + b"\x0a" + varint(2**63), r"byte \d+: field 1 ends \d+ bytes past end of file")
    yield sp("P03", "field inside a piece past its end", field(1, b"\x0a\x28a") + good, r"byte \d+: .*")
    yield sp("P04", "field 0", good + b"\x02\x00", rf"byte {len(good)}: bad field.*")
    for wire in (3, 4, 6, 7):
        yield sp("P04", f"wire type {wire}", good + bytes([1 << 3 | wire]), rf"byte {len(good)}: bad field.*|byte \d+: .*")
    yield sp("P04", "groups 100,000 deep", good + b"\x0b" * 100000, rf"byte {len(good)}: .*")
    ends = {sum(len(piece(*p)) for p in PIECES[:i]) for i in range(len(PIECES) + 1)}  # there it is a shorter model
    for cut in sorted(set(range(1, len(good), 17)) - ends):
        yield sp("P03", f"cut at byte {cut}", good[:cut], r"byte \d+: .*|no .*")


def pieces():
    def with_(*extra):
        return sp_model(PIECES + list(extra))
    yield sp("P05", "piece of 4,097 bytes", with_(("x" * 4097,)), "piece 12: longer than 4096 bytes")
    yield sp("P05", "piece of 1 MiB", with_(("x" * (1 << 20),)), "piece 12: longer than 4096 bytes")
    yield sp("P06", "NUL piece", with_(("\0", -9.5)), None, code=0, out=b"1 7 12 4\n", stdin=b"a\0b",
             args=["tokenize", "-m", "m.bin", "--ids"])
    yield sp("P07", "empty piece", with_(("",)), "piece 12: empty")
    yield sp("P08", "piece twice", with_(("ab", -20)), 'pieces 5 and 12 are both "ab"')
    yield sp("P09", "no unknown piece", sp_model(PIECES[1:]), "no unknown piece")
    yield sp("P09", "two unknown pieces", with_(("<u>", 0, 2)), "pieces 0 and 12 are both the unknown piece")
    all_bytes = [(f"<0x{b:02X}>", 0, 6) for b in range(256)]
    fallback = number(35, 1)
    yield sp("P10", "255 byte pieces", sp_model(PIECES + all_bytes[:127] + all_bytes[128:], trainer=fallback),
             "byte_fallback set, piece <0x7F> missing")
    yield sp("P10", "no byte pieces", sp_model(trainer=fallback), "byte_fallback set, piece <0x00> missing")
    for bad in ("<0x-1>", "<0xZZ>", "<0x100>", "<0x0a>", "<0x0A", "0A"):
        yield sp("P11", f"byte piece {bad}", sp_model(PIECES + [(bad, 0, 6)] + all_bytes, trainer=fallback),
                 rf'piece 12: bad byte piece "{bad}"')
    for x in (float("nan"), float("inf"), float("-inf")):
        yield sp("P12", f"score {x}", with_(("q", x)), "piece 12: score is not finite")
    yield sp("P17", "more pieces than rows", sp_model(PIECES + [(f"w{i}", -10) for i in range(ROWS)]),
             f"{ROWS + 12} pieces, the model has {ROWS} embedding rows")
    yield sp("P18", "type 7", with_(("q", 0, 7)), "piece 12: type 7 not known")
    yield sp("P18", "type 2^32", with_(("q", 0, 2**32)), "piece 12: type .* not known")
    for n, name in ((3, "WORD"), (4, "CHAR")):
        yield sp("P18", f"model type {name}", b"".join(piece(*p) for p in PIECES) + field(2, number(3, n)), f"model type {name} not supported")
    yield sp("P18", "model type 9", b"".join(piece(*p) for p in PIECES) + field(2, number(3, 9)), "model type 9 not known")
    yield sp("P07", "piece that is no UTF-8", with_((b"\xff\xfe",)), "piece 12: .*")


def charsmap(units, texts=b"b\0", trie_bytes=None):
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie) if trie_bytes is None else trie_bytes) + trie + texts


def trie(changes=()):
    units = [0x80000000] * 1024

    def unit(at, base, label, leaf):
        return (at ^ base) << 10 | leaf << 8 | label
    units[0] = unit(0, 256, 0, False)
    units[256 ^ 65] = unit(256 ^ 65, 512, 65, True)
    units[512] = 0x80000000
    for at, value in changes:
        units[at] = value
    return units


def maps():
    def normal(blob):
        return sp_model(normalizer=field(2, blob))
    yield sp("P13", "a good one", normal(charsmap(trie())), None, code=0)
    for n in (1, 3):
        yield sp("P13", f"{n} bytes", normal(bytes(n)), f"precompiled_charsmap: {n} bytes, needs at least 4")
    node = "precompiled_charsmap: node \\d+ .*"
    yield sp("P14", "offset outside", normal(charsmap(trie([(0, 0x3FFFFF << 10)]))), node)
    yield sp("P14", "offset outside, shifted", normal(charsmap(trie([(0, 0x1FFFFF << 10 | 1 << 9)]))), node)
    yield sp("P14", "leaf outside the texts", normal(charsmap(trie([(512, 0x80000FFF)]))), node)
    yield sp("P14", "a cycle", normal(charsmap(trie([(256 ^ 65, (256 ^ 65 ^ 256) << 10 | 65)]))), "precompiled_charsmap: node 321 is part of a cycle")
    for n in (4096 * 2, 2**32 - 1, 4098, 3):
        yield sp("P15", f"trie of {n} bytes", normal(charsmap(trie(), trie_bytes=n)), f"precompiled_charsmap: trie of {n} bytes in a blob of \\d+.*")
    yield sp("P16", "text without an end", normal(charsmap(trie(), b"bb")), "precompiled_charsmap: text not terminated")
    yield sp("P16", "text that is no UTF-8", normal(charsmap(trie(), b"\xff\0")), "precompiled_charsmap: text is not valid UTF-8")


def gguf(row, what, change, says, code=3, args=None, **more):
    g = Gguf()
    change(g)
    return Case(row, what, {"m.gguf": g.bytes()}, code, says and f"m.gguf: (?:{says})", args=args, **more)


def in_gguf():
    tokens = [p[0] for p in PIECES]

    def words(items):
        return array(STRING, [text(t) for t in items])

    def key(name, kind, value):
        return lambda g: g.set(f"tokenizer.ggml.{name}", kind, value)
    yield gguf("T01", "no tokens", lambda g: g.drop("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens missing")
    yield gguf("T01", "no kind", lambda g: g.drop("tokenizer.ggml.model"), "tokenizer.ggml.model missing.*")
    yield gguf("T01", "no tokens in the list", key("tokens", ARRAY, array(STRING, [])), "tokenizer.ggml.tokens: 0 tokens.*")
    yield gguf("T02", "scores too few", key("scores", ARRAY, array(F32, [f32(0)] * 11)), "tokenizer.ggml.scores: 11 entries, 12 tokens")
    yield gguf("T02", "types too many", key("token_type", ARRAY, array(I32, [u32(1)] * 13)), "tokenizer.ggml.token_type: 13 entries, 12 tokens")
    yield gguf("T03", "scores as u8", key("scores", ARRAY, array(U8, [b"\0"] * 12)), "tokenizer.ggml.scores: array of u8, must be array of f32")
    yield gguf("T03", "types as u8", key("token_type", ARRAY, array(U8, [b"\1"] * 12)), "tokenizer.ggml.token_type: array of u8, must be array of i32")
    yield gguf("T03", "tokens as i32", key("tokens", ARRAY, array(I32, [u32(1)] * 12)), "tokenizer.ggml.tokens: array of i32, must be array of string")
    yield gguf("T03", "tokens as a string", key("tokens", STRING, text("a b")), "tokenizer.ggml.tokens: string, must be array of string")
    yield gguf("T03", "score NaN", key("scores", ARRAY, array(F32, [f32(float("nan"))] * 12)), ".*not finite")
    yield gguf("T03", "type 9", key("token_type", ARRAY, array(I32, [u32(2)] + [u32(9)] * 11)), ".* type 9 not known")
    for n in (12, 2**32 - 1):
        yield gguf("T05", f"eos {n}", key("eos_token_id", U32, u32(n)), rf"tokenizer.ggml.eos_token_id: {n}.*")
        yield gguf("T05", f"bos {n}", key("bos_token_id", U32, u32(n)), rf"tokenizer.ggml.bos_token_id: {n}.*")
        yield gguf("T05", f"unknown {n}", key("unknown_token_id", U32, u32(n)), rf"tokenizer.ggml.unknown_token_id: {n}.*")
    yield gguf("T06", "normal token twice", key("tokens", ARRAY, words(tokens[:11] + ["ab"])), 'tokens 5 and 11 are both "ab"')
    yield gguf("T07", "add_bos without bos", lambda g: key("add_bos_token", BOOL, b"\1")(g).drop("tokenizer.ggml.bos_token_id"),
               "add_bos_token is set but there is no bos_token_id")

    def narrow(g):
        t = g.tensor("token_embd.weight")
        t[1], t[4] = [DIM, 11], t[4][:11 * DIM * 4]
        t = g.tensor("output.weight")
        t[1], t[4] = [DIM, 11], t[4][:11 * DIM * 4]
    yield gguf("T08", "more tokens than rows", narrow, "12 tokens, the model has 11 embedding rows")

    def few(g):
        key("tokens", ARRAY, words(tokens[:10]))(g)
        key("scores", ARRAY, array(F32, [f32(p[1]) for p in PIECES[:10]]))(g)
        key("token_type", ARRAY, array(I32, [u32(p[2]) for p in PIECES[:10]]))(g)
    yield gguf("T09", "fewer tokens than rows", few, None, code=0)

    def bpe(merges, pre="gpt-2"):
        def change(g):
            alphabet = byte_alphabet() + ["ab"]
            key("model", STRING, text("gpt2"))(g)
            key("tokens", ARRAY, words(alphabet))(g)
            key("token_type", ARRAY, array(I32, [u32(1)] * len(alphabet)))(g)
            key("merges", ARRAY, words(merges))(g)
            if pre:
                key("pre", STRING, text(pre))(g)
            g.drop("tokenizer.ggml.scores")
            for name in ("token_embd.weight", "output.weight"):
                t = g.tensor(name)
                t[1], t[4] = [DIM, ROWS], bytes(4 * DIM * ROWS)
        return change
    yield gguf("T10", "good merges", bpe(["a b"]), None, code=0)
    yield gguf("T10", "merge of an unknown token", bpe(["a b", "a qq"]), 'merge 1: "qq" is not in the vocabulary')
    yield gguf("T10", "merge that gives no token", bpe(["a c"]), 'merge 0: "ac" is not in the vocabulary')
    for bad in ("ab", "", " ", "a ", " b"):
        yield gguf("T10", f'merge "{bad}"', bpe(["a b", bad]), 'merge 1: ".*" is not a pair')
    yield gguf("T11", "unknown pre-tokenizer", bpe(["a b"], "foo"), 'pre-tokenizer "foo" not supported')
    yield gguf("T11", "no pre-tokenizer", bpe(["a b"], None), "tokenizer.ggml.pre missing.*")
    yield gguf("T11", "unknown kind", key("model", STRING, text("bert")), 'tokenizer "bert" not supported.*')
    big = "{% for m in messages %}" + "x" * (10 << 20)
    chat = ["generate", "-m", "m.gguf", "-p", "ab", "-n", "1", "-t", "1", "-s", "1", "--chat"]
    for what, template in (("10 MB", big), ("endless loop", "{% for i in range(10**12) %}{% endfor %}"), ("10^9 letters", "{{ 'a' * 10**9 }}")):
        yield gguf("T15", f"template: {what}", lambda g, t=template: g.set("tokenizer.chat_template", STRING, text(t)),
                   "chat template not known: .*; --chat-template NAME chooses one", args=chat)
        yield gguf("T16", f"template: {what}, plain completion", lambda g, t=template: g.set("tokenizer.chat_template", STRING, text(t)), None, code=0)


def tok(row, what, says, code=3, raw=None, out=None, prompt="ab", change=None, **changes):
    root = tokenizer_json(**changes)
    if change:
        change(root)
    data = json.dumps(root).encode() if raw is None else raw
    return Case(row, what, {"m.bin": PLAIN, "t.json": data}, code, says and f"t.json(?:{says})", out=out,
                args=["tokenize", "-m", "m.bin", "--tokenizer", "t.json", "--ids", "-p", prompt])


def in_json():
    def model(**m):
        return lambda root: root["model"].update(m)

    def vocab(**v):
        return lambda root: root["model"]["vocab"].update(v)
    added = tokenizer_json()["added_tokens"][0]
    yield tok("T12", "a good one", None, 0, out=b"256\n")
    for i in (2**40, -1, 2**24, "7", 1.5):
        yield tok("T12", f"added token of id {i}", ': id of "<|end|>".*'.replace("|", r"\|"), added_tokens=[dict(added, id=i)])
    yield tok("T12", "vocabulary id 2^40", ': id of "x1".*', change=vocab(x1=2**40))
    yield tok("T12", "vocabulary id twice", ": id 256 is that of .*", change=vocab(x1=256))
    yield tok("T12", "hole in the ids: no text gives them", None, 0, change=vocab(x1=290), out=b"256\n")
    yield tok("T12", "ids beyond the rows", ": 301 tokens, the model has 300 embedding rows", change=vocab(x1=ROWS))
    yield tok("T12", "no vocabulary", ": model: no vocab", change=model(vocab=None))
    yield tok("T12", "vocabulary that is a list", ": .*", change=model(vocab=[1, 2]))
    yield tok("T10", "json: merge of unknown tokens", ': merge 0: "qq" is not in the vocabulary', change=model(merges=["a qq"]))
    yield tok("T10", "json: merge that is no pair", ": merge 0: not a pair", change=model(merges=["ab"]))
    yield tok("T10", "json: merges missing", ": model: no merges", change=model(merges=None))
    yield tok("T11", "json: WordPiece", ': model: type "WordPiece".*', change=model(type="WordPiece"))
    yield tok("T11", "json: unknown pre-tokenizer", ': pre_tokenizer: "foo" not supported', pre_tokenizer={"type": "foo"})
    yield tok("T11", "json: unknown normalizer", ': normalizer: "foo" not supported', normalizer={"type": "foo"})
    yield tok("T11", "json: dropout", ": model: dropout not supported", change=model(dropout=0.5))
    split = {"type": "Split", "behavior": "Isolated", "invert": False}
    pair = {"type": "Sequence", "pretokenizers": [dict(split, pattern={"Regex": "("}), {"type": "ByteLevel", "use_regex": False}]}
    yield tok("T11", "json: pattern that is none", ": pre-tokenizer, step 1: regular expression, byte 1: missing closing parenthesis", pre_tokenizer=pair)
    yield tok("T11", "json: 100,000 deep", r":1:\d+: nested deeper than 64", raw=b'{"a":' * 100000)
    yield tok("T11", "json: a list", ": byte 0: not a SentencePiece model", raw=b"[]")
    yield tok("T11", "json: empty", ": empty file", raw=b"")
    whole = json.dumps(tokenizer_json()).encode()
    for cut in range(1, len(whole), 331):
        yield tok("T11", f"json: cut at byte {cut}", ":.*", raw=whole[:cut])


def prompts():
    end, special = 257, "<|end|>"
    yield tok("T17", "text that looks special", None, 0, prompt=special, out=" ".join(map(str, as_bytes(special))).encode() + b"\n")
    plain = {"m.bin": PLAIN, "tokenizer.model": sp_model()}
    yield Case("T17", "</s> is text", plain, 0, None, args=["tokenize", "-m", "m.bin", "--ids", "-p", "</s>"], out=b"1 6 0\n")
    for what, one in (("A", "A"), ("spaces", " "), ("newlines", "\n"), ("accents", "\u00e9"), ("ideographs", "\u4e2d"), ("joiners", "\u200d")):
        n = 10**6 if one in "A " else 10**5
        for kind, args in (("sentencepiece", ["-m", "m.bin"]), ("byte-level", ["-m", "m.bin", "--tokenizer", "t.json"]), ("built-in", [])):
            files = dict(plain, **{"t.json": json.dumps(tokenizer_json()).encode()})
            yield Case("T14", f"{n} {what}, {kind}", files, 0, None, stdin=one.encode() * n,
                       shell='ulimit -s 256; "$CHOIR" tokenize --ids "$@" | wc -c | grep -q "^[0-9][0-9]*$"', args=args + ["-q"])


def as_bytes(s):
    names = byte_alphabet()
    return [names.index(names[b]) for b in s.encode()]


def cases():
    for part in (fields, pieces, maps, in_gguf, in_json, prompts):
        yield from part()
