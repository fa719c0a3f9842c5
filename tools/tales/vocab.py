#!/usr/bin/env python3
"""Train the SentencePiece vocabulary: BPE with byte fallback, text left as it is."""
import argparse
import json

import sentencepiece


def lines(paths):
    """Paragraphs. Those after a newline get a quote before them, since in a story they have no space before them either."""
    for path in paths:
        for story in open(path, encoding="utf-8"):
            for i, paragraph in enumerate(json.loads(story).split("\n")):
                yield paragraph if i == 0 else '"' + paragraph


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("stories", nargs="+", help="jsonl of stories")
    args.add_argument("--size", type=int, default=2048)
    args.add_argument("--out", required=True, help="writes OUT.model and OUT.vocab")
    args = args.parse_args()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines(args.stories),
        model_prefix=args.out,
        vocab_size=args.size,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        split_digits=True,
        allow_whitespace_only_pieces=False,
        character_coverage=1.0,
        required_chars="".join(map(chr, range(33, 127))),
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )


if __name__ == "__main__":
    main()
