#!/usr/bin/env python3
"""Golden files of tests/golden/test_tokenizers.c: small byte-level vocabularies trained with the pre-tokenizer and the
normal form of each family, random texts, and a hash of the ids that Hugging Face's tokenizers makes of each text.

    tools/golden/tokenizers.py        (needs the package tokenizers; writes tests/golden/tokenizers/)"""
import json, os, random, struct, sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(here))
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != here]  # this file is named like the package
from compare_tokenizers import QWEN2, WORDS, text  # noqa: E402
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, trainers  # noqa: E402
from tokenizers import pre_tokenizers as pre, processors  # noqa: E402

OUT = os.path.join(here, "..", "..", "tests", "golden", "tokenizers")
N_TEXTS = 300
VOCAB = 420

LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|")
ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
GPT4O = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDING}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDING}"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_V3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
               r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+").replace("\\\"", '"').replace(r"\r\n", "\r\n")


def split(regex, behavior="isolated"):
    return pre.Split(Regex(regex), behavior)


def level(regex=True, space=False):
    return pre.ByteLevel(add_prefix_space=space, use_regex=regex)


FAMILIES = {
    "gpt-2": dict(pre=level()),
    "roberta": dict(pre=level(space=True), bos=True),
    "olmo": dict(pre=level(), form=normalizers.NFC(), spaces=True),
    "llama-bpe": dict(pre=pre.Sequence([split(LLAMA3), level(False)]), ignore_merges=True, bos=True),
    "qwen2": dict(pre=pre.Sequence([split(QWEN2), level(False)]), form=normalizers.NFC()),
    "smollm": dict(pre=pre.Sequence([pre.Digits(True), level()])),
    "falcon": dict(pre=pre.Sequence([pre.Punctuation("contiguous"), level(), pre.Digits(False), split("[0-9][0-9][0-9]")])),
    "deepseek-coder": dict(pre=pre.Sequence([split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"),
                                             split("[一-龥ࠀ-一가-\ud7ff]+"), pre.Digits(True), level(False)])),
    "deepseek-v3": dict(pre=pre.Sequence([split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK_V3), level(False)])),
    "gpt-4o": dict(pre=pre.Sequence([split(GPT4O), level(False)])),
    # No family: each behavior, inverted ones, texts for patterns, flags of added tokens.
    "mixed": dict(pre=pre.Sequence([pre.Split("--", "removed"), split(r"\s+$"), split(r"[.!?]", "merged_with_previous"),
                                    split(r"[A-Z]", "merged_with_next"), pre.Split(Regex(r"\p{Lu}+"), "contiguous", invert=True),
                                    level(False)]),
                  form=normalizers.NFKC(), flags=True),
}


def added(family):
    out = [AddedToken("<|endoftext|>", special=True, normalized=False), AddedToken("<user>", special=False, normalized=False)]
    if family.get("spaces"):
        out += [AddedToken(" " * n, special=False, normalized=True) for n in range(2, 9)]
    if family.get("flags"):
        out += [AddedToken("the", single_word=True, special=False), AddedToken("Å", special=False, normalized=True),
                AddedToken("[INST]", lstrip=True, rstrip=True, special=False), AddedToken("http", rstrip=True, special=False)]
    return out


def train(family, corpus):
    t = Tokenizer(models.BPE(ignore_merges=family.get("ignore_merges", False)))
    t.pre_tokenizer = family["pre"]
    t.decoder = decoders.ByteLevel()
    if "form" in family:
        t.normalizer = family["form"]
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, initial_alphabet=pre.ByteLevel.alphabet(), show_progress=False)
    t.train_from_iterator(corpus, trainer)
    for a in added(family):
        (t.add_special_tokens if a.special else t.add_tokens)([a])
    if family.get("bos"):
        first = t.token_to_id("<|endoftext|>")
        t.post_processor = processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", first)])
    return t


def hash_ids(ids):
    h = 0x811C9DC5
    for byte in struct.pack(f"<{len(ids)}I", *ids):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def main():
    os.makedirs(OUT, exist_ok=True)
    r = random.Random(20)
    texts = [text(r) for _ in range(N_TEXTS)]
    texts += ["", " ", "<user>", "a<user>b", "the other the", "Å Å", "x [INST] y http  z", "don't--stop!", "ab cd   \n  \n x  "]
    with open(os.path.join(OUT, "texts.bin"), "wb") as f:
        for t in texts:
            f.write(struct.pack("<I", len(t.encode())) + t.encode())
    corpus = [text(r) for _ in range(2000)] + [" ".join(r.choice(WORDS) for _ in range(30)) for _ in range(500)]
    for name, family in FAMILIES.items():
        made = train(family, corpus)
        data = json.loads(made.to_str())
        path = os.path.join(OUT, name + ".json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(data, f, ensure_ascii=False, separators=(",", ":"))
        reference = Tokenizer.from_file(path)
        reference.encode_special_tokens = True
        with open(os.path.join(OUT, name + ".ids"), "wb") as f:
            for e in reference.encode_batch(texts, add_special_tokens=False):
                f.write(struct.pack("<I", hash_ids(e.ids)))
        print(name, reference.get_vocab_size())


main()
