#!/usr/bin/env python3
"""All heads of a model as one small SVG, from choir heads map --json: a map a head, a row a layer, five shades.
Usage: choir heads map -p TEXT --json | tools/heads_svg.py [TITLE] >heads.svg"""
import html
import json
import sys

SHADES = [0.03, 0.1, 0.25, 0.5, 0.8]  # a weight has the last shade that it reaches
SIDE, GAP, LEFT, TOP = 96, 8, 30, 42
LIGHT = ["#d6e6f2", "#a3cbe6", "#5ea5d3", "#2171b5", "#08306b"]
DARK = ["#22405c", "#23608c", "#2f8fb8", "#7cc9b8", "#fdf6c0"]


def shade(weight):
    return sum(weight >= at for at in SHADES) - 1


def paths(rows, size):
    """Of each shade the cells of a map; cells of a row that touch are one line."""
    found = [[] for _ in SHADES]
    for t, row in enumerate(rows):
        k = 0
        while k < len(row):
            here, first = shade(row[k]), k
            while k < len(row) and shade(row[k]) == here:
                k += 1
            if here >= 0:
                found[here].append(f"M{first} {t}h{k - first}v1h{first - k}")
    return "".join(f'<path class="s{i}" d="{"".join(d)}"/>' for i, d in enumerate(found) if d)


def main():
    data = json.load(sys.stdin)
    layers, n = data["layers"], len(data["tokens"])
    title = sys.argv[1] if len(sys.argv) > 1 else "".join(data["tokens"])
    width = LEFT + len(layers[0]["heads"]) * (SIDE + GAP)
    height = TOP + len(layers) * (SIDE + GAP)
    colors = "".join(f".s{i}{{fill:{c}}}" for i, c in enumerate(LIGHT))
    dark = "".join(f".s{i}{{fill:{c}}}" for i, c in enumerate(DARK))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
          f'font-family="system-ui,sans-serif" font-size="12" role="img"><title>{html.escape(title)}</title>'
          f'<style>.b{{fill:#f1efeb}}text{{fill:#57606a}}{colors}@media(prefers-color-scheme:dark){{.b{{fill:#1d2127}}'
          f'text{{fill:#9da7b3}}{dark}}}</style>')
    print(f'<text x="{LEFT}" y="14">{html.escape(title)}</text>')
    for j, head in enumerate(layers[0]["heads"]):
        print(f'<text x="{LEFT + j * (SIDE + GAP) + SIDE / 2:g}" y="34" text-anchor="middle">H{head["head"]}</text>')
    for i, layer in enumerate(layers):
        y = TOP + i * (SIDE + GAP)
        print(f'<text x="{LEFT - 7}" y="{y + SIDE / 2 + 4:g}" text-anchor="end">L{layer["layer"]}</text>')
        for j, head in enumerate(layer["heads"]):
            print(f'<g transform="translate({LEFT + j * (SIDE + GAP)} {y})scale({SIDE / n:.4f})"><path class="b" d="M0 0h{n}v{n}h-{n}"/>'
                  f'{paths(head["weights"], n)}</g>')
    print("</svg>")


if __name__ == "__main__":
    main()
