#!/usr/bin/env python3
"""Compose small-child stories from plots, one JSON string per line.

A plot (see compose_plots.py for the notation) is a row of beats, each with
several ways to tell it. Names, things and places are drawn once per story, so
that every beat agrees with the others; wording is drawn afresh each time.
"""
import argparse
import json
import random
import re
from collections import Counter, defaultdict

import compose_plots
import compose_plots_home
import compose_plots_wild

GIRLS = """Lily Mia Anna Sara Emma Lucy Molly Ella Zoe Ava Amy Kate Nina Rosie Daisy Ruby Clara Jane Sally Lola Tina Maya
Ellie Grace Holly Ivy Jenny Kitty Lena Mary Nora Olive Penny Poppy Sophie Susie Tilly Wendy Annie Bella Betty Lila""".split()
BOYS = """Tim Ben Tom Max Sam Jack Leo Billy Bobby Timmy Tommy Johnny Jake Luke Noah Finn Oscar Danny Andy Adam Joe Peter
Mark Mike Nick Oliver Henry Harry Jimmy Kevin Freddy Eddie Toby Theo Will George Charlie Dan Jay Rob Teddy Eli""".split()
SHE_PETS = """Coco Nibbles Dot Hazel Bella Ruby Daisy Honey Fluffy Poppy Pearl Snowy Sunny Button Maple Penny Lulu Mimi Tilly
Rosie Olive Clover Bonnie Millie""".split()
HE_PETS = """Pip Biscuit Peanut Benny Oscar Milo Rusty Bruno Barney Hugo Chip Pogo Rolly Teddy Buddy Fred Otto Bobo Gus Monty
Ollie Rocky Toby Bubbles""".split()
KINDS = "bunny bear mouse duck cat puppy fox squirrel hedgehog frog turtle pig elephant mole kitten panda".split()
TRAITS = "kind happy brave curious shy cheerful clever gentle quiet funny silly sweet lively friendly".split()

PRONOUNS = {
    "f": dict(he="she", him="her", his="her", hers="hers", himself="herself", boy="girl", king="queen", brother="sister", son="daughter"),
    "m": dict(he="he", him="him", his="his", hers="his", himself="himself", boy="boy", king="king", brother="brother", son="son"),
}

# Phrases drawn afresh at each use. Slots of the cast may occur in them.
PHRASES = {
    "once": "[Once upon a time,|Once upon a time,|Once upon a time,|Once upon a time,|Once upon a time|Once|Long ago,]",
    "open": "{once} there was a [little|little|small|{trait}|{trait} little|young] {kind} [named|named|called] {a}.",
    "day": "[One day,|One day,|One [sunny|warm|bright|fine|lovely] [day|morning|afternoon],|One morning,|One afternoon,"
           "|On [Saturday|Sunday],]",
    "glad": "[happy|glad|very happy|so happy|full of joy|pleased]",
    "sad": "[sad|very sad|upset|so sad]",
    "cheer": "[clapped {his} {hands}|jumped up and down|laughed out loud|danced around|gave a big smile|smiled from ear to ear]",
    "cry": "[started to cry|began to cry|felt like crying|felt the tears come]",
    "yay": "[Yay|Hooray|Wow|Oh, good|Oh, wow|Yes]",
    "ohno": "[Oh no|Oh dear|Oh no|Uh-oh]",
    "hug2": "[gave {him} a big hug|hugged {him}|held {him} tight]",
    "hug": "[gave {him} a big hug|hugged {him}|gave {him} a warm hug|held {him} close|put an arm around {him}]",
    "very": "[very|so|really]",
}
OPENINGS = [
    (64, "{open}"),
    (12, "{once} in a [small|little|quiet|pretty] [{home}|{home}|village] [near the forest|by the river|on a hill|by the sea], "
        "there lived a [{trait}|young|{trait} little] {kind} named {a}."),
    (7, "In a [small|little|cozy] {home} near the [forest|river|lake|woods], there lived a [little|{trait}|young] {kind} named {a}."),
    (6, "There was once a [little|{trait}] {kind} [named|called] {a}."),
    (5, "There was a [{trait}|little|{trait} little] {kind} [named|called] {a}."),
    (8, "{a} was a [{trait}|little|{trait} little|very {trait}] {kind}."),
    (4, "{a} was a {trait} {kind} who lived in a [small|little|cozy] {home}."),
]
ABOUT = [
    "{He} was [three|four|five|six] years old.", "{He} had big [brown|green|blue] eyes and a [big|sweet|funny] laugh.",
    "{He} lived with {his} mom and dad.", "{He} lived with {his} mom, {his} dad and {his} [little|big] {bbrother}.",
    "{He} liked [apples|berries|honey|pancakes|soup] and [warm days|long walks|funny songs|good stories|bright colors].",
    "{His} favorite color was [red|blue|green|yellow|orange].", "{He} [smiled|laughed|sang] a lot.",
    "Everyone [liked|loved] {him}, because {he} was [so kind|always ready to help|so funny].",
    "{He} asked a lot of questions.", "{He} had a [blue|red|green|yellow] [hat|scarf|coat] that {he} wore all the time.",
]
# Other ways to say the same. Each place in a story is changed with the chance given.
REWORDINGS = [(chance, re.compile(old), new.split("|")) for chance, old, new in [
    (0.5, r"\bAll at once\b", "Suddenly|All of a sudden"), (0.5, r"\bAt last\b", "Finally|In the end"),
    (0.4, r"\bbegan to\b", "started to"), (0.3, r"\bstarted to\b", "began to"), (0.4, r"\bnext to\b", "beside"),
    (0.3, r"\bran to\b", "hurried to|rushed to"), (0.3, r"\bwonderful\b", "lovely"), (0.2, r"\bvery\b(?! first)", "really"),
    (0.3, r"\bfor a long time\b", "for a long, long time|for quite a while"), (0.4, r"\bshouted(?=[.,])", "called out|yelled"),
    (0.3, r"\bwhispered(?=[.,])", "said very softly|said quietly"), (0.2, r"\bscared\b", "frightened"),
    (0.4, r"\bAfter a while\b", "After some time|A little later"), (0.3, r"\ba lot of\b", "lots of"),
    (0.3, r"\bnobody\b", "no one"), (0.3, r"\bNobody\b", "No one"), (0.4, r"\beverybody\b", "everyone"),
    (0.3, r"\bany more\b", "anymore"), (0.3, r"\bsmiled(?=[.,])", "smiled happily|gave a smile"),
    (0.4, r"\bFrom that day on\b", "After that day|From then on|Ever since that day"),
    (0.4, r"\blearned that\b", "now knew that|understood that"), (0.3, r"\bcould hardly\b", "could not"),
    (0.2, r"\bThen (?=he|she|they)", "And then "), (0.3, r"\bso happy\b", "very happy|full of joy"),
    (0.3, r"\bvery happy\b", "so happy|filled with joy"), (0.3, r"\bhad an idea\b", "got an idea|thought of something"),
    (0.3, r"\bpretty\b", "lovely|beautiful"), (0.3, r"\ba small\b", "a little|a tiny"),
]]
SAID = re.compile(r'" (said|asked) ((?:his |her )?\w+)(?=[.,])')
SAYS = re.compile(r'" ((?!He\b|She\b|They\b|It\b)(?:(?:[Hh]is|[Hh]er) \w+|[A-Z]\w+)) (said|asked)(?=[.,])')
TWO = re.compile(r'(?<=[.!] )((?!Once |There |One |In |Long |But |Then |It |No |Now |Not )[A-Z][^.!?"\n,:]{8,55})\. (He|She|They) (?=[^"\n.!?:]*\.)')
SHORT = [(re.compile(rf"\b{verb} not\b"), verb + "n't") for verb in "did could was would were had does is".split()]
CLOSINGS = [(82, ""), (9, " The end."), (3, "\nThe end."), (2, " And they all lived happily ever after.")]
VOWEL_EXCEPTIONS = re.compile(r"(uni|use|one\b|once)", re.I)


def weighted(rng, table):
    return rng.choices([row[1] for row in table], [row[0] for row in table])[0]


def parse(text):
    """The plots of one text: name -> dict(hero, slots, beats)."""
    plots = {}
    for block in re.split(r"^# ", text, flags=re.M)[1:]:
        lines = block.strip().split("\n")
        plot = dict(hero="any", slots=[], beats=[])
        for line in filter(None, map(str.strip, lines[1:])):
            if line.startswith("hero "):
                plot["hero"] = line[5:]
            elif line[0] == "@":
                names, rows = line[1:].split(" = ", 1)
                plot["slots"].append((names.split(), [row.split(" ; ") for row in rows.split(" | ")]))
            elif re.fullmatch(r"[=-]\??", line):
                plot["beats"].append((line, []))
            else:
                plot["beats"][-1][1].append(line)
        plots[lines[0]] = plot
    return plots


PLOTS = {}
for module in (compose_plots, compose_plots_home, compose_plots_wild):
    PLOTS.update(parse(module.TEXT))


def choose_inline(rng, text):
    """Settle every [this|that] in the text, innermost first."""
    while "[" in text:
        text = re.sub(r"\[([^\[\]]*)\]", lambda m: rng.choice(m[1].split("|")), text)
    return text


def fill(rng, text, slots):
    """Settle choices and slots. A slot written with a capital comes out with one."""
    def value(match):
        name = match[1]
        low = name[0].lower() + name[1:]
        found = slots[low] if low in slots else choose_inline(rng, PHRASES[low])
        return found[0].upper() + found[1:] if name != low and found[0] != "{" else found
    text = choose_inline(rng, text)
    while "{" in text:
        text = choose_inline(rng, re.sub(r"\{(\w+)\}", value, text))
    return text


def pronouns(gender, prefix=""):
    return {prefix + k: v for k, v in PRONOUNS[gender].items()}


def cast(rng, hero):
    """The slots of hero (a), friend (b), parent (p) and grandparent (g)."""
    animal = hero == "animal" or hero == "any" and rng.random() < 0.22
    gender = rng.choice("fm")
    other = rng.choice("fm") if rng.random() < 0.2 else "fm"[gender == "f"]
    if animal:
        names = {"f": SHE_PETS, "m": HE_PETS}
        kind, bkind = rng.sample(KINDS, 2)
    else:
        names = {"f": GIRLS, "m": BOYS}
        kind, bkind = PRONOUNS[gender]["boy"], PRONOUNS[other]["boy"]
    a = rng.choice(names[gender])
    b = rng.choice([n for n in names[other] if n[0] != a[0]])
    slots = dict(a=a, b=b, kind=kind, bkind=bkind, trait=rng.choice(TRAITS))
    slots.update(pronouns(gender), **pronouns(other, "b"))
    slots.update(hand="paw", hands="paws", home="house") if animal else slots.update(hand="hand", hands="hands", home="house")
    mother = rng.random() < 0.62
    call = rng.choice(["Mom", "Mom", "Mommy", "Mama"] if mother else ["Dad", "Dad", "Daddy", "Papa"])
    if rng.random() < 0.4:
        slots["p"] = call
    else:
        slots["p"] = slots["his"] + " " + {"Mama": "mom", "Papa": "dad"}.get(call, call.lower())
    slots["p2"] = "my " + {"Mama": "mom", "Papa": "dad"}.get(call, call.lower())
    slots.update(pcall=call, **pronouns("f" if mother else "m", "p"))
    grandma = rng.random() < 0.6
    call = rng.choice(["Grandma", "Grandma", "Granny", "Nana"] if grandma else ["Grandpa"])
    slots["g"] = call if rng.random() < 0.5 else slots["his"] + (" grandma" if grandma else " grandpa")
    if slots["g"][0] != call[0] and slots["g"] != call:
        call = "Grandma" if grandma else "Grandpa"
    slots.update(gcall=call, **pronouns("f" if grandma else "m", "g"))
    return slots


def vary_names(text, slots):
    """Say he or she where a sentence would start with the same name as the one before."""
    name, he = slots["a"], slots["he"].capitalize()
    rivals = [slots["b"]] if slots["bhe"] == slots["he"] else []
    if slots["phe"] == slots["he"]:
        rivals += [slots["pcall"], slots["p"]]
    if slots["ghe"] == slots["he"]:
        rivals += [slots["gcall"], slots["g"]]
    out, before = [], ""
    for part in re.split(r"(?<=[.!?] )|(?<=\n)", text):
        if (part.startswith(name + " ") and before.startswith(name + " ") and not before.endswith("\n")
                and '"' not in part + before and not any(r in before for r in rivals) and f" and {slots['b']} " not in part):
            part = he + part[len(name):]
        out.append(part)
        before = part
    return "".join(out)


def introduce(rng, text, slots):
    """Say who the friend is at the first mention, where the plot does not."""
    name = slots["b"]
    for found in re.finditer(rf"\b{name}\b", text):
        before = text[:found.start()]
        if before.count('"') % 2:
            continue
        if re.match(r" and |,? (a|an|the|who) ", text[found.end():]):
            break
        if text.index(name) == found.start() and not re.search(r"(\b(friend|named|called|brother|sister|neighbor|and|girl|boy)|[a-z],?) $", before[-12:]) \
                or re.search(r"\b(saw|asked|told|came|said|met|for|to|with|then|day|afternoon|morning),? $", before[-12:]):
            who = rng.choice(["friend"] * 6 + ["cousin"]) if slots["kind"] in ("girl", "boy") else "friend"
            text = before + f"{slots['his']} {who} " + text[found.start():]
        break
    return text


def reword(rng, text):
    """Say some things in other words, outside and inside of speech alike."""
    for chance, old, new in REWORDINGS:
        text = old.sub(lambda m: rng.choice(new) if rng.random() < chance else m[0], text)
    text = SAID.sub(lambda m: f'" {m[2]} {m[1]}' if rng.random() < 0.3 else m[0], text)
    text = SAYS.sub(lambda m: f'" {m[2]} {m[1][0].lower() + m[1][1:] if " " in m[1] else m[1]}' if rng.random() < 0.3 else m[0], text)
    text = TWO.sub(lambda m: f"{m[1]}, and {m[2].lower()} " if " and " not in m[1] and rng.random() < 0.3 else m[0], text)
    if rng.random() < 0.4:
        for old, new in SHORT:
            text = old.sub(new, text)
    return text


def polish(text, slots):
    """Spaces, articles and capitals."""
    text = re.sub(r" +", " ", text)
    text = re.sub(r" ?\n ?", "\n", text).strip()
    text = re.sub(r" (?=[.,!?])", "", text)
    text = re.sub(r"\b([Aa])n?(?= (\w+))",
                  lambda m: m[1] + ("n" if m[2][0] in "aeiouAEIOU" and not VOWEL_EXCEPTIONS.match(m[2]) else ""), text)
    text = re.sub(r'(^|(?<!\.\.)[.!?] |\n)("?)([a-z])', lambda m: m[1] + m[2] + m[3].upper(), text)
    text = re.sub(r'(?<=[ ,])"([a-z])(?=[^"]*")', lambda m: '"' + m[1].upper(), text) if text.count('"') % 2 else text
    return vary_names(text, slots)


def told(rng, plot):
    """One telling of a plot, with its cast and the ways chosen, as bits."""
    slots = cast(rng, plot["hero"])
    for names, rows in plot["slots"]:
        row = rng.choice(rows)
        assert len(row) == len(names), (names, row)
        for name, value in zip(names, row):
            slots[name] = fill(rng, value, slots)
    text, chosen = "", 0
    for i, (mark, ways) in enumerate(plot["beats"]):
        if mark.endswith("?") and rng.random() < 0.5:
            continue
        if i == 0:
            plain = [w for w in ways if w[0] != "+"]
            if not plain or len(plain) < len(ways) and rng.random() < 0.88:
                about = " " + rng.choice(ABOUT) if rng.random() < 0.4 else ""
                way = weighted(rng, OPENINGS) + about + " " + rng.choice([w for w in ways if w[0] == "+"])[1:]
            else:
                way = rng.choice(plain)
        else:
            pick = rng.randrange(len(ways))
            chosen |= 1 << 16 * i + pick
            way = ways[pick]
        if i and way.startswith("{He} ") and re.search(r"\{[bBpPgG]", text[-170:]):
            way = "{A} " + way[5:]
        new_speaker = (way[0] == '"' or text.endswith('"')) and rng.random() < 0.85
        text += (("\n" if mark[0] == "=" or new_speaker else " ") if text else "") + way.replace(" / ", "\n")
    text = fill(rng, text + weighted(rng, CLOSINGS), slots)
    return polish(introduce(rng, reword(rng, text), slots), slots), slots, chosen


def sentences(text):
    return [s for s in re.split(r"(?<=[.!?])[\" ]*[ \n]|\n", text) if s]


def sound(text, slots):
    """Whether a story has the right length, says nothing twice, and does not harp on the name."""
    words = len(text.split())
    said = [s for s in sentences(text) if len(s.split()) > 3]
    return (90 <= words <= 260 and len(said) == len(set(said)) and text.count(slots["a"]) <= 3 + words / 18
            and not re.search(r"\b(\w+) \1\b", text.replace("had had", "").replace("her her", "x")) and text.count('"') % 2 == 0)


def familiar(chosen, others, beats):
    """Whether one of the others tells too many of the beats in the same way."""
    return any((chosen & other).bit_count() > 0.85 * beats for other in others)


def compose(rng, told_before, names=None):
    """The name of a plot, drawn more often if there are more ways to tell it, and a story."""
    names = names or sorted(PLOTS)
    weights = [sum(len(ways) - 1 for _, ways in PLOTS[name]["beats"]) ** 2 for name in names]
    while True:
        name = rng.choices(names, weights)[0]
        for _ in range(6):
            text, slots, chosen = told(rng, PLOTS[name])
            if sound(text, slots) and not familiar(chosen, told_before[name], len(PLOTS[name]["beats"])):
                told_before[name].append(chosen)
                return name, text


def report(stories):
    """Print how varied the stories are."""
    seen = Counter(s for t in stories for s in sentences(t))
    total = sum(seen.values())
    runs, shares = Counter(), []
    sets = []
    for text in stories:
        words = text.split()
        sets.append({tuple(words[i:i + 5]) for i in range(len(words) - 4)})
        runs.update(sets[-1])
    where, rng = {}, random.Random(0)
    for i, s in enumerate(sets):
        for r in s:
            if 1 < runs[r] <= 200:
                where.setdefault(r, []).append(i)
    sample = rng.sample(range(len(sets)), min(400, len(sets)))
    for i in sample:
        near = Counter(j for r in sets[i] for j in where.get(r, ()) if j != i)
        shares.append(max((len(sets[i] & sets[j]) / min(len(sets[i]), len(sets[j])) for j, _ in near.most_common(60)), default=0))
    shares.sort()
    words = [len(t.split()) for t in stories]
    print(f"{len(PLOTS)} plots, {len(stories)} stories, {sum(words)} words, {min(words)} to {max(words)} a story, "
          f"{len(set(' '.join(stories).split()))} distinct words")
    print(f"once upon a time: {sum(t.startswith('Once upon') for t in stories) / len(stories):.2f}; distinct stories: {len(set(stories))}")
    print(f"sentences: {total}, distinct {len(seen) / total:.2f}, told more than once {sum(n for n in seen.values() if n > 1) / total:.2f}")
    print(f"distinct 5-word runs: {len(runs)} of {sum(runs.values())}")
    print(f"nearest story, share of 5-word runs in common: median {shares[len(shares) // 2]:.2f}, "
          f"9 in 10 below {shares[len(shares) * 9 // 10]:.2f}, over 0.6: {sum(s > 0.6 for s in shares) / len(shares):.3f}")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--n", type=int, default=40000)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--out", help="writes this jsonl; without it the stories are printed")
    args.add_argument("--plot", action="append", choices=sorted(PLOTS), help="only this plot")
    args.add_argument("--report", action="store_true", help="print figures of variety")
    args = args.parse_args()
    rng = random.Random(args.seed)
    told_before = defaultdict(list)
    stories = [compose(rng, told_before, args.plot) for _ in range(args.n)]
    if args.out:
        with open(args.out, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(text) + "\n" for _, text in stories)
    else:
        for name, text in stories:
            print(f"({name})\n{text}\n")
    if args.report:
        report([text for _, text in stories])


if __name__ == "__main__":
    main()
