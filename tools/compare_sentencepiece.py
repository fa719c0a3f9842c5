#!/usr/bin/env python3
"""Our ids and texts for SentencePiece vocabularies against the libraries', on many random texts.

    compare_sentencepiece.py [-n TEXTS] [--seed N] [--bin build/release/tests/check/ids] [FILE-OR-WHEEL ...]

FILE: a SentencePiece model, a tokenizer.json or a GGUF file with a SentencePiece vocabulary; of the package mistral-common
(*.whl) its SentencePiece models.  A model is compared with sentencepiece itself; then it is written as a tokenizer.json in each
way that Hugging Face's converters know (Llama's old and new one, Gemma's, T5's, XLM-R's) and compared with tokenizers.  Special
tokens in a text are text (where tokenizers' unigram model would find their ids, such texts are left out).  Needs the packages tokenizers, sentencepiece, protobuf; for GGUF files gguf.  Exit: 0 all equal, 1 not,
77 nothing to compare."""
import argparse, base64, os, random, sys, tempfile, time, zipfile

try:
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as model_pb2
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors
    from tokenizers import pre_tokenizers as pre
    from compare_tokenizers import compare, ours, text
except ImportError as missing:
    sys.exit(print(f"skip: {missing}") or 77)

MARK = "\u2581"
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


class Vocabulary:
    """What both kinds of file say: pieces with scores and types, and the normalizer's map."""

    def __init__(self, pieces, bpe, charsmap=b"", bos=-1, unk=0, prefix=True):
        self.pieces, self.bpe, self.charsmap, self.bos, self.unk, self.prefix = pieces, bpe, charsmap, bos, unk, prefix
        self.bytes = any(t == BYTE for _, _, t in pieces)


def of_model(data):
    m = model_pb2.ModelProto()
    m.ParseFromString(data)
    t = m.trainer_spec
    return Vocabulary([(p.piece, p.score, p.type) for p in m.pieces], t.model_type == 2,
                      m.normalizer_spec.precompiled_charsmap, t.bos_id, t.unk_id, m.normalizer_spec.add_dummy_prefix)


def of_gguf(path):
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    value = lambda key, none: fields[key].parts[fields[key].data[0]][0] if key in fields else none
    tokens = fields["tokenizer.ggml.tokens"]
    column = lambda key: [fields[key].parts[i][0] for i in fields[key].data]
    pieces = [bytes(tokens.parts[i]).decode() for i in tokens.data]
    return Vocabulary(list(zip(pieces, map(float, column("tokenizer.ggml.scores")), map(int, column("tokenizer.ggml.token_type")))),
                      True, b"", int(value("tokenizer.ggml.bos_token_id", -1)), int(value("tokenizer.ggml.unknown_token_id", 0)),
                      bool(value("tokenizer.ggml.add_space_prefix", True)))


def merges_of(v):
    """Each way to make a piece of two, best pieces first: transformers' generate_merges."""
    ids = {p: i for i, (p, _, _) in enumerate(v.pieces)}
    merges = []
    for piece, score, _ in v.pieces:
        local = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids]
        merges += sorted(local, key=lambda m: (ids[m[0]], ids[m[1]]))
    merges.sort(key=lambda m: (m[2], len(m[0]), len(m[1])), reverse=True)
    return [(a, b) for a, b, _ in merges]


def model_of(v):
    unk = v.pieces[v.unk][0]
    if not v.bpe:
        return models.Unigram([(p, s) for p, s, _ in v.pieces], unk_id=v.unk, byte_fallback=v.bytes)
    return models.BPE({p: i for i, (p, _, _) in enumerate(v.pieces)}, merges_of(v), unk_token=unk, fuse_unk=True,
                      byte_fallback=v.bytes)


def finish(t, v, extra=()):
    t.add_tokens([AddedToken(p, normalized=False, special=k != USER) for p, _, k in v.pieces if k in (UNKNOWN, CONTROL, USER)])
    for a in extra:
        t.add_tokens([a])
    if v.bos >= 0:
        bos = v.pieces[v.bos][0]
        t.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, v.bos)])
    return t


EXTRA = [AddedToken("<|end|>", special=True, normalized=False), AddedToken("http", special=False, normalized=False, rstrip=True),
         AddedToken("[INST]", special=False, normalized=False, lstrip=True, rstrip=True),
         AddedToken("the", special=False, normalized=False, single_word=True),
         AddedToken("Hello world", special=False, normalized=True), AddedToken("return", special=False, normalized=True)]


def fallback(strip):
    steps = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] if strip else steps)


def llama(v):
    t = Tokenizer(model_of(v))
    t.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    t.decoder = fallback(True)
    return finish(t, v, EXTRA)


def llama_new(v):
    t = Tokenizer(model_of(v))
    t.pre_tokenizer = pre.Metaspace(MARK, prepend_scheme="first", split=False)
    t.decoder = fallback(True)
    return finish(t, v, EXTRA)


def gemma(v):
    t = Tokenizer(model_of(v))
    t.normalizer = normalizers.Replace(" ", MARK)
    t.pre_tokenizer = pre.Split(" ", "merged_with_previous")
    t.decoder = fallback(False)
    return finish(t, v)


def t5(v):
    t = Tokenizer(model_of(v))
    steps = [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), MARK)]
    t.normalizer = normalizers.Sequence(([normalizers.Precompiled(v.charsmap)] if v.charsmap else []) + steps)
    t.pre_tokenizer = pre.Metaspace(MARK, prepend_scheme="always")
    t.decoder = decoders.Metaspace(MARK, prepend_scheme="always")
    return finish(t, v)


def xlmr(v):
    t = Tokenizer(model_of(v))
    steps = [normalizers.Precompiled(v.charsmap)] if v.charsmap else []
    t.normalizer = normalizers.Sequence(steps + [normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace(MARK, prepend_scheme="always")])
    t.decoder = decoders.Metaspace(MARK, prepend_scheme="always")
    return finish(t, v, EXTRA)


def plain(v):
    """No splitting, no map."""
    t = Tokenizer(model_of(v))
    t.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    t.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.Fuse()])
    return finish(t, v)


def ways(v):
    return [llama, llama_new, gemma] if v.bpe else [t5, xlmr, plain]


class Library:
    """sentencepiece with the interface that compare() uses."""

    def __init__(self, path):
        self.sp = sentencepiece.SentencePieceProcessor(model_file=path)
        self.encode_special_tokens = True

    def encode_batch(self, texts, add_special_tokens):
        return [Encoded(self, self.sp.encode(t)) for t in texts]

    def id_to_token(self, i):
        return self.sp.id_to_piece(i)

    def decode(self, ids, skip_special_tokens=True):
        return self.sp.decode(ids)


class Encoded:
    def __init__(self, library, ids):
        self.ids, self.tokens = ids, [library.id_to_token(i) for i in ids]


def files(paths, folder):
    for path in paths:
        if not path.endswith(".whl"):
            yield os.path.basename(path), path
            continue
        archive = zipfile.ZipFile(path)
        for name in archive.namelist():
            if ".model" in os.path.basename(name) and not name.endswith(".py"):
                yield os.path.basename(name), archive.extract(name, folder)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=100000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--show", type=int, default=5, help="differences printed for each")
    p.add_argument("--bin", default="build/release/tests/check/ids")
    p.add_argument("--keep", help="folder for the files that are made")
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
        folder = o.keep or folder
        for name, path in files(paths, folder):
            if name.endswith(".json"):
                bad += compare(name, Tokenizer.from_file(path), path, texts, o.bin, o.show)
                continue
            gguf = name.endswith(".gguf")
            v = of_gguf(path) if gguf else of_model(open(path, "rb").read())
            if not gguf:
                bad += compare(name, Library(path), path, texts, o.bin, o.show)
            some = texts if v.bpe else [t for t in texts if not any(p in t for p, _, k in v.pieces if k in (UNKNOWN, CONTROL))]
            for way in ways(v) if not gguf else [gemma]:
                own = os.path.join(folder, f"{name}.{way.__name__}.json")
                way(v).save(own)
                bad += compare(f"{name} {way.__name__}", Tokenizer.from_file(own), own, some, o.bin, o.show)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
