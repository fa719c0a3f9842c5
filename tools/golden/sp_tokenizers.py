#!/usr/bin/env python3
"""Golden files of tests/golden/test_sp_tokenizers.c: small SentencePiece models (BPE with byte fallback, unigram), written as
tokenizer.json in each way that Hugging Face's converters know, with a hash of the ids that tokenizers makes of each text of
texts.bin; and one beside a tokenizer_config.json that adds tokens, with ids by sentencepiece of the parts between them.

    tools/golden/sp_tokenizers.py     (needs tokenizers, sentencepiece, protobuf; after tools/golden/tokenizers.py)"""
import io, json, os, random, re, struct, sys, tempfile, unicodedata

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(here))
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != here]  # a file here is named like the package
import sentencepiece  # noqa: E402
import compare_sentencepiece as sp  # noqa: E402
from compare_tokenizers import WORDS, text  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

OUT = os.path.join(here, "..", "..", "tests", "golden", "tokenizers")
RULES = [("\u2126", "\u03a9"), ("\ufb01", "fi"), ("\u00bd", "1/2"), ("e\u0301", "\u00e9"), ("\u200d", ""), ("\u3000", " "),
         ("\t", " "), ("\n", " "), ("\r", " "), ("\u00a0", " ")]


def train(corpus, kind, **more):
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=made, model_type=kind, vocab_size=500,
                                             character_coverage=0.98, num_threads=1, minloglevel=2, **more)
    return made.getvalue()


def hash_ids(ids):
    h = 0x811C9DC5
    for byte in struct.pack(f"<{len(ids)}I", *ids):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def texts():
    data, at = open(os.path.join(OUT, "texts.bin"), "rb").read(), 0
    while at < len(data):
        (n,) = struct.unpack_from("<I", data, at)
        yield data[at + 4:at + 4 + n].decode()
        at += 4 + n


def write_json(name, v, way, all_texts):
    path = os.path.join(OUT, name + ".json")
    data = json.loads(way(v).to_str())
    with open(path, "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False, separators=(",", ":"))
    reference = Tokenizer.from_file(path)
    reference.encode_special_tokens = True
    special = [] if v.bpe else [p for p, _, k in v.pieces if k in (sp.UNKNOWN, sp.CONTROL)]
    with open(os.path.join(OUT, name + ".ids"), "wb") as ids, open(os.path.join(OUT, name + ".back"), "wb") as back:
        for t, e in zip(all_texts, reference.encode_batch(all_texts, add_special_tokens=False)):
            skip = any(s in t for s in special)  # whose ids tokenizers would find in the text; 0 stands for that
            ids.write(struct.pack("<I", 0 if skip else hash_ids(e.ids)))
            decoded = reference.decode(e.ids, skip_special_tokens=True).encode()
            back.write(struct.pack("<I", 0 if skip else hash_ids(list(decoded))))


# id -> (text, flags); 500 and on are behind the model's pieces.
ADDED = {500: ("<|end|>", "special"), 501: ("<user>", ""), 503: ("[INST]", "lstrip rstrip"), 504: ("the", "single_word"),
         300: ("http", "rstrip")}


def config(legacy):
    flags = ("lstrip", "normalized", "rstrip", "single_word", "special")
    decoder = {str(i): dict({"content": t}, **{f: f in own.split() for f in flags}) for i, (t, own) in ADDED.items()}
    return {"add_bos_token": True, "legacy": legacy, "added_tokens_decoder": decoder}


def is_word(c):
    """\\w of UTS #18, as far as the texts need it."""
    return unicodedata.category(c) in ("Pc", "Nd", "Nl") or unicodedata.category(c)[0] in "LM" or c in "\u200c\u200d"


def parts(t):
    """(text, None) and (token, id)."""
    at = 0
    for m in re.finditer(r"<user>|\s*\[INST\]\s*|the|http\s*", t):
        if m.group() == "the" and any(is_word(c) for c in t[max(m.start() - 1, 0):m.start()] + t[m.end():m.end() + 1]):
            continue
        if m.start() > at:
            yield t[at:m.start()], None
        yield m.group(), next(i for i, (own, _) in ADDED.items() if own == m.group().strip())
        at = m.end()
    if at < len(t):
        yield t[at:], None


def write_added(model, all_texts, legacy):
    folder = os.path.join(OUT, "added-legacy" if legacy else "added")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tokenizer.model"), "wb") as f:
        f.write(model)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
        json.dump(config(legacy), f, indent=1)
    first = sentencepiece.SentencePieceProcessor(model_proto=model)
    proto = sp.model_pb2.ModelProto()
    proto.ParseFromString(model)
    proto.normalizer_spec.add_dummy_prefix = False
    inner = first if legacy else sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    with open(folder + ".ids", "wb") as f:
        for t in all_texts:
            ids, begun = [], False
            for part, i in parts(t):
                ids += [i] if i is not None else (inner if begun else first).encode(part)
                begun = True
            f.write(struct.pack("<I", hash_ids(ids)))


def main():
    r = random.Random(21)
    corpus = [" ".join(r.choice(WORDS) for _ in range(30)) for _ in range(1500)] + [text(r).replace("\0", "") for _ in range(1500)]
    all_texts = list(texts())
    bpe = train(corpus, "bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
                user_defined_symbols=["<user>"], allow_whitespace_only_pieces=True)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for a, b in RULES:
            hexes = lambda s: " ".join(f"{ord(c):X}" for c in s)
            rules.write(f"{hexes(a)}\t{hexes(b)}\n")
        rules.flush()
        unigram = train(corpus, "unigram", normalization_rule_tsv=rules.name)
    v = sp.of_model(bpe)
    for way in (sp.llama, sp.llama_new, sp.gemma):
        write_json("sp-" + way.__name__, v, way, all_texts)
    v = sp.of_model(unigram)
    for way in (sp.t5, sp.xlmr):
        write_json("sp-" + way.__name__, v, way, all_texts)
    plain = train(corpus, "bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False)
    for legacy in (False, True):
        write_added(plain, all_texts, legacy)


main()
