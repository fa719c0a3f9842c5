#!/usr/bin/env python3
"""Turn raw TinyStories text into one clean story per line of JSON.

Three shapes of raw text are understood:
  --marked  FILE  stories end with <|endoftext|>
  --lower   FILE  lower-cased; one blank line between paragraphs, none between stories
  --blank   FILE  one blank line between paragraphs and between stories alike

Lower-cased stories that do not also occur in a marked file get their capitals
back, from counts over the cased text. Paragraphs are joined by one newline.
"""
import argparse
import json
import random
import re
import unicodedata
from collections import Counter

OPENER = re.compile(
    r"(once upon|once,? there|one day,? (a|an|there|two|three)\b|there (once )?(was|were|lived)\b|long ago|"
    r"in a \w+( \w+)?,|[a-z]+ and [a-z]+ (are|were|like|liked|love|loved|go|went|play|played|have|had|live|lived|want|wanted|see|saw)\b|"
    r"[a-z]+ (is|was) (a|an|three|four|five|very|playing|walking)\b|[a-z]+ (liked?|loved?) to\b|once a |one (sunny|morning|night|summer|winter|hot|cold|rainy|afternoon|evening|special)\b)",
    re.I,
)
ODD = {"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "—": "-", "–": "-", "\xa0": " ", "\u200b": ""}
PLAIN = re.compile(r"[\x20-\x7e\n]*")


def clean(story):
    """One story in plain ASCII with one newline between paragraphs, or None if it is not fit."""
    for odd, plain in ODD.items():
        story = story.replace(odd, plain)
    story = unicodedata.normalize("NFKD", story)
    story = re.sub(r"[ \t]+", " ", story)
    story = re.sub(r" *\n\s*", "\n", story).strip()
    if not PLAIN.fullmatch(story) or re.search(r"[<>{}\[\]|@#\\^_~=*]", story):
        return None
    if not 250 <= len(story) <= 2400 or story[-1] not in '.!?"':
        return None
    return story


def split_marked(text):
    return text.split("<|endoftext|>")[:-1]


def split_lower(text):
    """A lone newline before a usual opening ends a story; any other newline ends a paragraph."""
    stories, lines = [], []
    for block in text.split("\n\n"):
        for i, line in enumerate(block.split("\n")):
            if i > 0 and OPENER.match(line):
                stories.append("\n".join(lines))
                lines = []
            lines.append(line)
    return stories


def split_blank(text):
    """Only stories whose two ends are both sure: a usual opening, then up to the next one."""
    stories, lines = [], []
    for paragraph in text.split("\n\n"):
        if OPENER.match(paragraph) and len("".join(lines)) > 250:
            stories.append("\n".join(lines))
            lines = []
        lines.append(paragraph)
    return [s for s in stories[1:] if len(s) < 1500]


WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")


class Recaser:
    """Gives lower-cased stories their capitals back, from counts over cased ones."""

    def __init__(self, stories):
        self.alone, self.pair = Counter(), Counter()
        for story in stories:
            before = ""
            for match in WORD.finditer(story):
                word = match.group()
                if not self.opens_sentence(story, match.start()):
                    self.alone[word] += 1
                    self.pair[before, word] += 1
                before = word.lower()

    @staticmethod
    def opens_sentence(story, at):
        head = story[max(0, at - 3) : at]
        if at == 0 or "\n" in head[-2:]:
            return True
        if head.endswith(('."', '!"', '?"')) or head.endswith(('. "', '! "', '? "', ', "', ': "')):
            return True
        return bool(re.search(r'[.!?]["\']? $|^"$|\n"$', head))

    def is_name(self, before, word, names):
        if word.split("'")[0] in names:
            return True
        up = word[0].upper() + word[1:]
        seen = self.pair[before, word] + self.pair[before, up]
        if seen >= 2:
            return self.pair[before, up] * 2 > seen
        seen = self.alone[word] + self.alone[up]
        return self.alone[up] * 2 > seen

    def recase(self, story):
        names = set(re.findall(r"\b(?:named|name is|name was) ([a-z]+)[,.!\" ]", story))
        out, at, before = [], 0, ""
        for match in WORD.finditer(story):
            word = match.group()
            out.append(story[at : match.start()])
            upper = self.opens_sentence(story, match.start()) or word.split("'")[0] == "i" or self.is_name(before, word, names)
            out.append(word[0].upper() + word[1:] if upper else word)
            at, before = match.end(), word
        out.append(story[at:])
        return "".join(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--marked", action="append", default=[])
    args.add_argument("--lower", action="append", default=[])
    args.add_argument("--blank", action="append", default=[])
    args.add_argument("--hold-out", type=int, default=100, help="stories kept for validation (default 100)")
    args.add_argument("--out", required=True, help="writes OUT.train.jsonl and OUT.val.jsonl")
    args = args.parse_args()

    def load(paths, split):
        pieces = [s for path in paths for s in split(open(path, encoding="utf-8", errors="ignore").read())]
        return [s for s in map(clean, pieces) if s]

    marked, blank, lower = load(args.marked, split_marked), load(args.blank, split_blank), load(args.lower, split_lower)
    cased = list(dict.fromkeys(marked + blank))

    def key(story):
        return re.sub(r"\W", "", story.lower())[:120]

    known = {key(s) for s in cased}
    recaser = Recaser(cased)
    recased = [recaser.recase(s) for s in lower if key(s) not in known]

    random.Random(1).shuffle(cased)
    val = cased[: args.hold_out]
    train = cased[args.hold_out :] + recased
    random.Random(2).shuffle(train)
    for name, stories in (("train", train), ("val", val)):
        with open(f"{args.out}.{name}.jsonl", "w", encoding="utf-8") as file:
            for story in stories:
                file.write(json.dumps(story) + "\n")
    print(f"cased {len(cased)} (marked {len(marked)}, blank {len(blank)}), recased {len(recased)}, "
          f"train {len(train)} ({sum(map(len, train))} bytes), val {len(val)} ({sum(map(len, val))} bytes)")


if __name__ == "__main__":
    main()
