#!/usr/bin/env python3
"""The pages of choir heads: the file and what is in it, and, where a Chromium is installed, the page in it.  Prints TAP."""

import base64
import hashlib
import html.parser
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import browser  # noqa: E402

CHOIR = os.environ["CHOIR_BIN"]
TEXT = "Once upon a time Tom had a red ball. Tom"
# what could break out of a script element, of a string or of a label
HOSTILE = "a</script><script>document.title='broken'</script><!--<img src=x onerror=alert(1)> \"'`&amp;\\ \u0001\u007f \U0001F30D \u4f60\u597d \u202eabc"


def choir(*args, code=0):
    done = subprocess.run([CHOIR, "heads", *args], capture_output=True, timeout=300, check=False)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done


class Reader(html.parser.HTMLParser):
    """The elements of a page: each opened one is closed, scripts and styles with their text."""

    EMPTY = {"meta", "input", "br", "link"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)
            if tag in ("script", "style"):
                self.texts.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.texts[-1][2] += data


def read(path):
    """The data of a page, which is checked to be whole, alone and closed."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("<!DOCTYPE html>\n") and text.endswith("</html>\n")
    page = Reader(text)
    assert [(tag, a.get("type")) for tag, a, _ in page.texts] == [("style", None), ("script", None), ("script", "application/json")], page.texts
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag, _, body in page.texts[:2]:
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" in policy, tag
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text), re.search(r"https?:|//[a-z]+\.|@import|url\(", text)
    assert not any("src" in a or "href" in a and not a["href"].startswith("#") or any(k.startswith("on") for k in a) for _, a in page.elements)
    return json.loads(page.texts[2][2])


def numbers(text):
    data = base64.b64decode(text, validate=True)
    return [x / 65535 for x in struct.unpack(f"<{len(data) // 2}H", data)]


def test_map_file(folder):
    """heads map --html: the tokens and every row, to 0.00001"""
    path = os.path.join(folder, "map.html")
    done = choir("map", "-p", TEXT, "-n", "4", "--html", path, "-v")
    assert done.stdout == b"" and re.search(rb"map.html: 0\.\d MB", done.stderr), done
    want = json.loads(choir("map", "-p", TEXT, "-n", "4", "--html", path, "--json").stdout)
    data = read(path)
    assert data["page"] == "map" and data["ids"] == want["ids"] and data["n_prompt"] == want["n_prompt"] == len(want["ids"]) - 4
    assert [t.replace("\u00b7", " ") for t in data["tokens"]] == want["tokens"]
    assert data["layers"] == [x["layer"] for x in want["layers"]] and len(data["weights"]) == len(data["layers"]) * len(data["heads"])
    for i, text in enumerate(data["weights"]):
        layer, head = divmod(i, len(data["heads"]))
        rows = want["layers"][layer]["heads"][head]["weights"]
        flat = [w for row in rows for w in row]
        got = numbers(text)
        assert len(got) == len(flat) and all(abs(a - b) <= 1e-5 for a, b in zip(got, flat)), (layer, head)
    assert data["from"] == 0
    choir("map", "-p", TEXT, "-n", "4", "--from", "-4", "--html", path)
    late, n = read(path), len(data["tokens"])
    assert late["from"] == n - 4 and late["tokens"] == data["tokens"]
    for some, all_rows in zip(late["weights"], data["weights"]):
        assert numbers(some) == numbers(all_rows)[(n - 4) * (n - 3) // 2:]
    choir("map", "-p", TEXT, "--layer", "1", "--head", "2,0", "--html", path)
    data = read(path)
    assert data["layers"] == [1] and data["heads"] == [0, 2] and len(data["weights"]) == 2


def test_hostile_file(folder):
    """heads map --html: tokens that look like markup, broken characters, control characters"""
    path = os.path.join(folder, "hostile.html")
    choir("map", "-p", HOSTILE, "--html", path)
    data = read(path)
    text = "".join(data["tokens"])
    assert "<script>" in text.replace("\u00b7", "") and "\\x01" in text and "\\x7F" in text, text
    with open(path, encoding="utf-8") as file:
        assert file.read().count("<script") == 2


def test_report_file(folder):
    """heads report --html: the figures of --json"""
    path, text = os.path.join(folder, "report.html"), os.path.join(folder, "text")
    with open(text, "w", encoding="utf-8") as file:
        file.write("Once upon a time there was a girl named Mia. Mia had a red ball and a big dog. " * 16)
    want = json.loads(choir("report", "-f", text, "-c", "64", "--chunks", "2", "--json", "--html", path).stdout)
    data = read(path)
    assert data["page"] == "report" and data["tokens"] == want["tokens"] and len(data["figures"]) == len(want["heads"])
    for got, head in zip(data["figures"], want["heads"]):
        assert got["kind"] == head["kind"]
        for mine, theirs in [("entropy", "entropy"), ("sink", "sink"), ("previous", "previous"), ("induction", "induction")]:
            assert abs(got[mine] - head[theirs]) < 1e-4
    n = len(want["heads"])
    flat = [want["divergence"][a][b] for a in range(n) for b in range(a + 1, n)]
    got = numbers(data["divergence"])
    assert len(got) == len(flat) and all(abs(a - b) <= 1e-5 for a, b in zip(got, flat))


def test_explain_file(folder):
    """heads explain --html: the shares of --json, which add up"""
    path = os.path.join(folder, "explain.html")
    want = json.loads(choir("explain", "-p", TEXT, "--json", "--html", path, "--top", "2").stdout)
    data = read(path)
    assert data["page"] == "explain" and data["id"] == want["id"] and len(data["lens"]) == len(want["lens"])
    assert all(len(y["tokens"]) == len(y["probs"]) == 2 for y in data["lens"])
    heads = [x for layer in want["layers"] for x in layer["heads"]]
    assert all(abs(a - b) < 1e-4 for a, b in zip(data["heads"], heads)) and len(data["heads"]) == len(heads)
    total = sum(data["heads"]) + sum(data["feed_forward"]) + data["embedding"] + data["bias"] + data["constant"] + data["activations"] + data["rounding"]
    assert abs(total - data["uncapped"]) < 1e-3


def test_refused(folder):
    """--html: a place that is not there, a page that would be too large, commands that have none"""
    nowhere = os.path.join(folder, "none", "a.html")
    for command in ("map", "report", "explain"):
        assert b"No such file" in choir(command, "-p", TEXT, "--html", nowhere, code=4).stderr
    assert b"has no use for --html" in choir("cost", "--html", os.path.join(folder, "x.html"), code=2).stderr
    # llama2.c: dim 64, feed-forward 64, 2 layers, 4 heads, 4 key/value heads, 500 pieces, context 4096; all weights 0
    model, text = os.path.join(folder, "zeros.bin"), os.path.join(folder, "long")
    with open(model, "wb") as file:
        file.write(struct.pack("<7i", 64, 64, 2, 4, 4, 500, 4096))
        file.truncate(28 + 4 * (500 * 64 + 2 * (2 * 64 + 4 * 64 * 64 + 3 * 64 * 64) + 64 + 4096 * 16))
    with open(text, "w", encoding="utf-8") as file:
        file.write("a b " * 1200)
    vocabulary = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "tokenizers", "added", "tokenizer.model")
    path = os.path.join(folder, "large.html")
    error = choir("map", "-m", model, "--tokenizer", vocabulary, "-f", text, "--html", path, code=5).stderr
    assert b"MB, the most is 50: choose fewer with --layer, --head and --from" in error, error
    assert not os.path.exists(path)


# ---- in the browser ----

page = None


def open_page(path, width, dark=False, fragment="", ratio=1):
    page.problems.clear()
    page.requests.clear()
    page.size(width, 900, dark)
    if ratio != 1:
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=ratio, mobile=False)
    page.open(path, fragment)
    page.drawn()


def fits():
    """Nothing sticks out at the side; no complaint; nothing but the file was asked for."""
    assert page.value("document.documentElement.scrollWidth <= innerWidth"), "too wide"
    assert not page.problems, page.problems
    assert not page.value("/NaN|undefined|Infinity|\\[object/.test(document.body.innerText)"), page.value("document.body.innerText")
    assert all(url.startswith("file://") or url == "about:blank" for url in page.requests), page.requests


def shown():
    return page.value("[...document.querySelectorAll('.panel.large h2')].map((e) => e.textContent)")


def triangle(t):
    return t * (t + 1) // 2


def pixels(selector, x=0, y=0, width="c.width", height="c.height"):
    """A canvas or a part of it, row by row, each pixel as [r, g, b, a].  Read from a copy: Chromium warns of a canvas read often."""
    return page.value("(() => { const c = document.querySelector(%s), w = %s, h = %s;"
                      " const copy = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true }); copy.drawImage(c, -%d, -%d);"
                      " const d = copy.getImageData(0, 0, w, h).data;"
                      " return Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => [...d.subarray(4 * (y * w + x), 4 * (y * w + x) + 4)])); })()"
                      % (json.dumps(selector), width, height, x, y))


def ink(selector, columns):
    """Of each column or row of a canvas, whether something is drawn there."""
    return page.value("(() => { const c = document.querySelector(%s), copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });"
                      " copy.drawImage(c, 0, 0); const d = new Uint32Array(copy.getImageData(0, 0, c.width, c.height).data.buffer);"
                      " const seen = new Array(%s).fill(false); d.forEach((p, i) => { if (p) seen[%s] = true; }); return seen; })()"
                      % (json.dumps(selector), "c.width" if columns else "c.height", "i % c.width" if columns else "Math.floor(i / c.width)"))


def color(weight):
    """What the page's legend has for it, by the square root."""
    if page.ramp[0] != page.value("isDark()"):
        page.ramp = [page.value("isDark()"), page.value("colors.ramp")]
    return page.ramp[1][min(255, int(255 * math.sqrt((round(65535 * weight) >> 4) / 4095) + 0.5))]


def on_screen(places):
    """The colours at places of the window, as they are shown."""
    png = page.call("Page.captureScreenshot", format="png")["data"]
    return page.value("createImageBitmap(new Blob([Uint8Array.from(atob('%s'), (c) => c.charCodeAt(0))])).then((b) => {"
                      " const c = new OffscreenCanvas(b.width, b.height).getContext('2d', { willReadFrequently: true }); c.drawImage(b, 0, 0);"
                      " return %s.map(([x, y]) => [...c.getImageData(x, y, 1, 1).data].slice(0, 3)); })" % (png, json.dumps(places)))


def test_map_page(folder):
    """the map's page: clicks, keys, the slider, comparing, in light and dark, at 400 and 1600 pixels"""
    path = os.path.join(folder, "map.html")
    choir("map", "-p", TEXT, "-n", "4", "--html", path)
    data = read(path)
    n, n_heads = len(data["tokens"]), len(data["heads"])
    for width, dark in ((1600, False), (400, True)):
        open_page(path, width, dark)
        fits()
        assert page.value("document.documentElement.dataset.theme") == ("dark" if dark else "light")
        assert page.value("document.querySelectorAll('.tile').length") == len(data["weights"])
        # something is drawn, in more than one colour
        assert page.value("new Set(new Uint32Array(document.querySelector('.tile canvas').getContext('2d').getImageData(0, 0, 12, 12).data.buffer)).size") > 3
        page.click(f".tile[data-map='{n_heads + 1}']")
        assert shown() == ["Layer 1, head 1"] and page.value("location.hash") == "#L1H1"
        fits()
        page.key("ArrowLeft")
        assert page.value("document.getElementById('step-at').textContent") == f"{n - 1} of {n}"
        page.key("ArrowRight", shift=True)
        page.key("ArrowDown", shift=True)
        assert shown() == ["Layer 2, head 2"]
        # the list is the row of the token
        row = numbers(data["weights"][2 * n_heads + 2])[(n - 2) * (n - 1) // 2:][:n - 1]
        assert page.value("document.querySelector('#list tbody td:nth-child(3)').textContent.trim()") == f"{max(row):.4f}"
        x, y = page.place(".cells")
        size = page.value("document.querySelector('.cells').clientWidth") / n
        left, top = page.value("(() => { const b = document.querySelector('.cells').getBoundingClientRect(); return [b.left, b.top]; })()")
        page.mouse("mouseMoved", left + 2.5 * size, top + 5.5 * size)
        page.drawn()
        value = numbers(data["weights"][2 * n_heads + 2])[5 * 6 // 2 + 2]
        assert page.value("document.getElementById('tip').textContent").endswith(f"{data['tokens'][2]} (2)\nL2H2: {value:.4f}")
        for key in "+w-0":
            page.key(key)
        assert page.value("document.querySelector('.cells canvas').getContext('2d').getImageData(2, 2, 1, 1).data[3]") == 255
        page.key("c")
        assert shown() == ["Layer 2, head 2", "Layer 2, head 3"]
        fits()
        page.key("x")
        page.key("ArrowUp", shift=True)
        assert shown() == ["Layer 2, head 2", "Layer 1, head 3"] and "differ by" in page.value("document.getElementById('apart').textContent")
        page.key("Escape")
        assert shown() == [] and page.value("document.activeElement.dataset.map") == str(2 * n_heads + 2)
        page.key("ArrowUp")
        page.key("Enter")
        assert shown() == ["Layer 1, head 2"]
        page.key("Escape")
        page.click(".tile[data-map='0']", shift=True)
        page.click(".tile[data-map='3']", shift=True)
        assert shown() == ["Layer 0, head 0", "Layer 0, head 3"]
        page.click("#back")
        page.key("?")
        assert page.value("document.getElementById('help').open")
        page.key("Escape")
        assert not page.value("document.getElementById('help').open")
        page.key("d")
        assert page.value("document.documentElement.dataset.theme") == ("light" if dark else "dark")
        page.key("Home")
        assert page.value("document.getElementById('step').value") == "0"
        fits()
        # the rows up to the token, no others
        assert [[c[3] for c in row] for row in pixels(".tile canvas")] == [[255] + [0] * (n - 1)] + [[0] * n] * (n - 1)
    open_page(path, 1600, fragment="#L1H0,L0H2;t=3")
    assert shown() == ["Layer 1, head 0", "Layer 0, head 2"] and page.value("map.t") == 3
    for fragment, heads, step in (("#", [], n - 1), ("#L1H1;t=2", ["Layer 1, head 1"], 2), ("#t=4", [], 4)):
        page.value("new Promise((done) => { addEventListener('hashchange', done, { once: true }); location.hash = %s; }).then(() => 0)" % json.dumps(fragment))
        assert shown() == heads and page.value("map.t") == step, fragment
        assert page.value("location.hash") == ("" if fragment == "#" else fragment)


def test_late_page(folder):
    """the map's page with --from: rows before it are not there, and no step goes to them"""
    path = os.path.join(folder, "late.html")
    choir("map", "-p", TEXT, "-n", "4", "--from", "-4", "--html", path)
    data = read(path)
    n, late = len(data["tokens"]), data["from"]
    for width in (1600, 400):
        open_page(path, width, fragment="#t=1")
        assert page.value("map.t") == late and page.value("document.getElementById('step').min") == str(late)
        page.key("End")
        assert page.value("map.t") == n - 1
        page.click(".strip:not([hidden] *) .token[data-token='2']")
        assert page.value("map.t") == late
        page.click(".tile[data-map='2']")
        # the row that is shown is the token's, and begins where it should
        row = numbers(data["weights"][2])[: late + 1]
        assert page.value("document.querySelector('#list tbody td:nth-child(3)').textContent.trim()") == f"{max(row):.4f}"
        assert page.value("document.querySelector('.figures').textContent").startswith("mean of 1 row:")
        # the rows before are not there; of those from then on, what is not looked at is empty
        drawn = pixels(".cells canvas")
        assert len(drawn) == n - late
        for t, cells in enumerate(drawn, late):
            assert [c[3] for c in cells] == [255] * (t + 1) + [0] * (n - 1 - t)
            assert [c[:3] for c in cells[:t + 1]] == [color(w) for w in numbers(data["weights"][2])[triangle(t) - triangle(late):][:t + 1]], t
        page.key("Home")
        page.key("ArrowRight")
        assert page.value("map.t") == late + 1
        fits()


def long_text(folder):
    path = os.path.join(folder, "long")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Once upon a time there was a girl named Mia. Mia had a red ball and a big dog. " * 32)
    return path


def test_long_late_page(folder):
    """the map's page of a long text with --from: its rows only, to be seen in the tiles and large"""
    path = os.path.join(folder, "late.html")
    choir("map", "-f", long_text(folder), "-n", "0", "--from", "-5", "--html", path)
    data = read(path)
    n, late, i = len(data["tokens"]), data["from"], 4 * len(data["heads"])
    assert n > 600 and late == n - 5
    for width, dark in ((1600, False), (400, True)):
        open_page(path, width, dark, "#t=1")
        page.mouse("mouseMoved", 1, 1)
        tile = f".tile[data-map='{i}']"
        assert page.value(f"document.querySelector(\"{tile}\").clientHeight") >= 20
        page.key("End")
        drawn = pixels(tile + " canvas")
        assert len(drawn) == 5 and all(len({tuple(c) for c in row if c[3] == 255}) > 3 for row in drawn)
        page.click(tile)
        size = page.value("Number(document.querySelector('.panel.large').dataset.width)")
        cells = "(() => { const b = document.querySelector('.cells').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        assert page.value(cells)[2:] == [n * size, 5 * size]
        assert page.value("(() => { const c = document.querySelector('.cells canvas'); return [c.width, c.height]; })()") == [n, 5]
        page.place(".matrix")
        left, top = page.value(cells)[:2]
        for t in (n - 1, late):
            page.mouse("mouseMoved", left + 2.5 * size, top + (t - late + 0.5) * size)
            page.drawn()
            value = numbers(data["weights"][i])[triangle(t) - triangle(late) + 2]
            assert page.value("document.getElementById('tip').textContent").endswith(f" ({t}) looks at {data['tokens'][2]} (2)\nL4H0: {value:.4f}")
        for kind in ("mousePressed", "mouseReleased"):
            page.mouse(kind, left + 2.5 * size, top + 1.5 * size)
        page.drawn()
        assert page.value("map.t") == late + 1
        page.key("w")  # all at once: narrow columns, rows still to be read
        left, top, wide, high = page.value(cells)
        assert wide <= page.value("document.querySelector('.matrix').clientWidth") and high >= 5 * 9
        page.mouse("mouseMoved", left + (2.5 / n) * wide, top + 0.5 * high)
        page.drawn()
        assert f" ({late + 2}) looks at {data['tokens'][2]} (2)\n" in page.value("document.getElementById('tip').textContent")
        page.key("w")
        fits()


def test_long_page(folder):
    """the map's page of a long text: each cell and each label in sight is sharp, wherever it is scrolled"""
    path = os.path.join(folder, "full.html")
    choir("map", "-f", long_text(folder), "-n", "0", "--layer", "2", "--head", "3,5", "--html", path)
    assert os.path.getsize(path) < 3e6
    data = read(path)
    n, weights, t = len(data["tokens"]), numbers(data["weights"][1]), 400
    for ratio in (1, 2):
        open_page(path, 1600, fragment=f"#L2H5;t={t}", ratio=ratio)
        page.mouse("mouseMoved", 1, 1)
        page.place(".matrix")
        size = page.value("Number(document.querySelector('.panel.large').dataset.width)")
        for first in (0, t - 30):
            page.value(f"document.querySelector('.matrix').scrollLeft = {first * size}")
            page.drawn()
            left, top = page.value("(() => { const b = document.querySelector('.cells').getBoundingClientRect(); return [b.left, b.top]; })()")
            # the cells of a row, in the picture and on the screen
            line = weights[triangle(t):][:t + 1]
            want = [color(w) for w in line[first:first + 25]]
            assert len({tuple(c) for c in want}) > 3
            assert [c[:3] for c in pixels(".cells canvas", first, t, 25, 1)[0]] == want
            for edge in (0.3, 0.7):
                places = [[int(ratio * (left + (first + k + edge) * size)), int(ratio * (top + (t + 0.5) * size))] for k in range(25)]
                assert max(abs(a - b) for x, y in zip(on_screen(places), want) for a, b in zip(x, y)) <= 2, (ratio, first, edge)
            # labels have the screen's pixels, and all that are in sight are drawn
            for side, scrolled, room, width in (("keys", "scrollLeft", "clientWidth", "width"), ("queries", "scrollTop", "clientHeight", "height")):
                begin, length, real, at, sight = page.value(
                    f"(() => {{ const m = document.querySelector('.matrix'), c = document.querySelector('.{side} canvas');"
                    f" return [parseFloat(c.style.{'left' if side == 'keys' else 'top'}), c.{room}, c.{width}, m.{scrolled}, m.{room}]; }})()")
                assert real == ratio * length and begin <= at and begin + length >= min(at + sight, n * size)
                inked = ink(f".{side} canvas", side == "keys")
                for k in range(math.ceil(at / size), int(min(at + sight, n * size) / size) - 1):
                    assert any(inked[int(ratio * (k * size - begin)):int(ratio * ((k + 1) * size - begin))]), (side, k)
        fits()


def test_hostile_page(folder):
    """the map's page: tokens that look like markup stay text"""
    path = os.path.join(folder, "hostile.html")
    choir("map", "-p", HOSTILE, "--html", path)
    data = read(path)
    for fragment in ("", "#L0H1"):
        open_page(path, 400, fragment=fragment)
        fits()
        assert page.value("[document.title, document.scripts.length, document.images.length]") == ["What the heads look at: (built-in)", 2, 0]
        assert page.value("[...document.querySelector('.strip:not([hidden] *)').children].map((e) => e.textContent)") == data["tokens"]


def test_report_page(folder):
    """the report's page: sorts, filters, goes from head to head"""
    path, text = os.path.join(folder, "report.html"), os.path.join(folder, "text")
    with open(text, "w", encoding="utf-8") as file:
        file.write("Once upon a time there was a girl named Mia. Mia had a red ball and a big dog. " * 16)
    choir("report", "-f", text, "-c", "64", "--chunks", "2", "--html", path)
    data = read(path)
    names = [f"L{l}H{h}" for l in range(data["n_layers"]) for h in range(data["n_heads"])]
    rows = "[...document.querySelectorAll('#heads tbody td.name')].map((e) => e.textContent)"
    for width, dark in ((1600, True), (400, False)):
        open_page(path, width, dark)
        fits()
        assert page.value(rows) == names
        page.click("[data-sort='previous']")
        order = sorted(range(len(names)), key=lambda i: (-data["figures"][i]["previous"], i))
        assert page.value(rows) == [names[i] for i in order]
        assert page.value("document.querySelector('[data-sort=previous]').parentElement.getAttribute('aria-sort')") == "descending"
        kind = data["figures"][0]["kind"]
        page.click(f"[data-kind='{kind}']")
        assert page.value(rows) == [names[i] for i in order if data["figures"][i]["kind"] == kind]
        page.key("Escape")
        page.click(".cell[data-head='1']")
        page.key("ArrowDown")
        assert page.value("document.querySelector('#one h2').textContent").startswith("Layer 1, head 1 ")
        fits()
        drawn = page.value("document.getElementById('back-look').toDataURL()")
        page.value("pages.report.redraw()")
        page.drawn()
        assert page.value("document.getElementById('back-look').toDataURL()") == drawn  # the numbers at the side, too


def test_explain_page(folder):
    """the page of a token: the lens, the shares, what is chosen in both"""
    path = os.path.join(folder, "explain.html")
    choir("explain", "-p", HOSTILE, "--html", path)
    data = read(path)
    for width, dark in ((1600, False), (400, True)):
        open_page(path, width, dark)
        fits()
        assert page.value("document.querySelectorAll('#lens tbody tr').length") == data["n_layers"] + 1
        assert page.value("document.querySelectorAll('.cell').length") == data["n_layers"] * (data["n_heads"] + 1)
        assert data["token"][0] in page.value("document.getElementById('facts').textContent")
        name = page.value("document.querySelector('#bars tbody tr').dataset.part")
        page.click("#bars tbody tr")
        assert page.value("[...document.querySelectorAll('.chosen')].every((e) => e.dataset.part === %s)" % json.dumps(name))
        page.click(".cell")
        page.key("ArrowRight")
        assert page.value("document.activeElement.dataset.part") == "L0H1"
        fits()


def main():
    global page
    files = [test_map_file, test_hostile_file, test_report_file, test_explain_file, test_refused]
    pages = [test_map_page, test_late_page, test_long_late_page, test_long_page, test_hostile_page, test_report_page, test_explain_page]
    failed = 0
    for number, test in enumerate(files + pages, 1):
        name = test.__doc__
        if test in pages and not browser.program():
            print(f"ok {number} - {name} # SKIP chromium is not installed")
            continue
        try:
            if test in pages and not page:
                page = browser.Browser()
                page.ramp = [None, None]
            with tempfile.TemporaryDirectory() as folder:
                test(folder)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # each test says what broke
            failed += 1
            line = error.__traceback__
            while line.tb_next and line.tb_next.tb_frame.f_code.co_filename == __file__:
                line = line.tb_next
            print(f"not ok {number} - {name}\n# line {line.tb_lineno}: {type(error).__name__}: {str(error)[:2000]}", flush=True)
    if page:
        page.close()
    print(f"1..{len(files + pages)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
