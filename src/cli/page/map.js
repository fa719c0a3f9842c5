
/* The page of maps: all heads small; large.js has one or two of them large. */

const map = {
    n: 0, nLayers: 0, nHeads: 0,
    rows: 0,          // of the n, those from data.from on
    at: 0, other: -1, // shown large; -1: no second
    marked: -1,       // to be compared with the next
    active: 0,        // which of the two the keys move
    large: false,
    t: 0,             // the token that looks, and the last that is shown
    linear: false, zoom: 0, whole: false, timer: 0,
    shade: new Uint8Array(4097),
    decoded: new Map(),
    sums: new Map(),
    images: new Map(), // of tiles
};

const mapName = (i) => headName(data.layers[Math.floor(i / map.nHeads)], data.heads[i % map.nHeads]);
const mapLongName = (i) => `layer ${data.layers[Math.floor(i / map.nHeads)]}, head ${data.heads[i % map.nHeads]}`;
const triangle = (t) => (t * (t + 1)) / 2;
const rowStart = (t) => triangle(t) - triangle(data.from); // in a map's weights, which begin with the row data.from

function mapWeights(i) {
    if (!map.decoded.has(i)) map.decoded.set(i, decode(data.weights[i]));
    return map.decoded.get(i);
}

const weightOf = (i, t, k) => mapWeights(i)[rowStart(t) + k] / 65535;

/* The rows that means are taken over: up to t, without the first token's, who can only look at itself. */
const firstRow = () => Math.max(1, data.from);
const rowCount = () => Math.max(0, map.t + 1 - firstRow());

/* Sums of f(t) over the rows up to each; computed once for a key, so that a step costs little in a long text. */
function sumsOf(key, f) {
    if (!map.sums.has(key)) {
        const sums = new Float64Array(map.n);
        for (let t = firstRow(), sum = 0; t < map.n; t++) sums[t] = sum += f(t);
        map.sums.set(key, sums);
    }
    return map.sums.get(key);
}

function entropyOf(i, t) {
    const w = mapWeights(i), row = rowStart(t);
    let entropy = 0;
    for (let k = 0; k <= t; k++) {
        const p = w[row + k] / 65535;
        if (p > 0) entropy -= p * Math.log2(p);
    }
    return entropy;
}

/* What a head does in this text, by means over the rows up to t: for names and tips. */
function mapFigures(i) {
    const mean = (name, f) => sumsOf(`${name} ${i}`, f)[map.t] / Math.max(1, rowCount());
    return {
        previous: mean('previous', (t) => weightOf(i, t, t - 1)), first: mean('first', (t) => weightOf(i, t, 0)),
        self: mean('self', (t) => weightOf(i, t, t)), entropy: mean('entropy', (t) => entropyOf(i, t)),
    };
}

function setShade() {
    for (let i = 0; i <= 4096; i++) {
        const w = i / 4095;
        map.shade[i] = Math.min(255, Math.round(255 * (map.linear ? w : Math.sqrt(w))));
    }
}

/* ---- the small ones ---- */

const watchTiles = new IntersectionObserver((entries) => {
    for (const entry of entries) {
        entry.target.dataset.seen = entry.isIntersecting ? '1' : '';
        if (entry.isIntersecting) drawTile(entry.target);
    }
}, { rootMargin: '200px' });

/* All rows of a tile as an image, kept for the next step. */
function tileImage(tile) {
    const i = Number(tile.dataset.map), [w, h] = [tile.clientWidth, tile.clientHeight].map((side) => Math.round(side * (devicePixelRatio || 1)));
    const key = `${map.linear} ${isDark()} ${w} ${h}`;
    if (map.images.get(i)?.key !== key) map.images.set(i, { key, image: weightsImage(mapWeights(i), map.n, data.from, w, h, map.shade) });
    return map.images.get(i).image;
}

function drawTile(tile) {
    const drawn = `${map.t} ${map.linear} ${isDark()} ${tile.clientWidth}`;
    if (!tile.clientWidth || tile.dataset.drawn === drawn) return;
    tile.dataset.drawn = drawn;
    const image = tileImage(tile);
    putRows(tile.firstChild, image, Math.floor(((map.t - data.from) * image.height) / map.rows) + 1);
}

function redrawTiles() {
    for (const tile of document.querySelectorAll('.tile[data-seen="1"]')) drawTile(tile);
}

function tileTip(i) {
    const f = mapFigures(i);
    return `${mapLongName(i)}\nprevious token ${percent(f.previous)}, first ${percent(f.first)}, itself ${percent(f.self)}\nentropy ${f.entropy.toFixed(2)} bits`;
}

function makeTile(i) {
    return el('button', {
        type: 'button', class: 'tile', 'data-map': i, tabindex: i === map.at ? 0 : -1,
        'aria-label': mapLongName(i) + ': open large',
        on: {
            click: (e) => (e.shiftKey ? markOrCompare(i) : openLarge(i, -1)),
            focus: () => setRoving(i),
            pointermove: (e) => showTip(tileTip(i), e.clientX, e.clientY),
            pointerleave: hideTip,
        },
    }, el('canvas', { 'aria-hidden': 'true' }));
}

function makeGrid() {
    const grid = el('div', { class: 'grid', id: 'grid', role: 'group', 'aria-label': 'all heads: a row a layer' }, el('span'));
    for (const h of data.heads) grid.append(el('span', { class: 'top', 'aria-hidden': 'true' }, 'H' + h));
    for (let i = 0; i < data.weights.length; i++) {
        if (i % map.nHeads === 0) grid.append(el('span', { class: 'side', 'aria-hidden': 'true' }, 'L' + data.layers[i / map.nHeads]));
        const tile = makeTile(i);
        tile.style.aspectRatio = `${map.n} / ${map.rows}`;
        grid.append(tile);
        watchTiles.observe(tile);
    }
    grid.style.gridTemplateColumns = `max-content repeat(${map.nHeads}, minmax(30px, 190px))`;
    return grid;
}

const tileOf = (i) => document.querySelector(`.tile[data-map="${i}"]`);

function setRoving(i) {
    tileOf(map.at)?.setAttribute('tabindex', -1);
    map.at = i;
    tileOf(i).setAttribute('tabindex', 0);
    say(mapLongName(i));
}

/* Shift-click and c: the first head is marked, the second is compared with it. */
function markOrCompare(i) {
    tileOf(map.marked)?.classList.remove('marked');
    if (map.marked >= 0 && map.marked !== i) {
        const first = map.marked;
        map.marked = -1;
        openLarge(first, i);
        return;
    }
    map.marked = map.marked === i ? -1 : i;
    if (map.marked >= 0) tileOf(i).classList.add('marked');
    byId('hint').textContent = map.marked >= 0 ? `${mapName(i)} is marked: shift-click another, or go there and press c` : mapHint;
    say(byId('hint').textContent);
}

const mapHint = 'Click a head to see it large; shift-click two to compare them.';

/* ---- the text, a token a button, shaded by what the token at t takes from each ---- */

function makeStrip(name) {
    const strip = el('div', { class: 'strip', role: 'group', 'aria-label': name });
    data.tokens.forEach((token, k) => strip.append(
        el('button', { type: 'button', class: 'token' + (k >= data.n_prompt ? ' written' : ''), tabindex: -1, 'data-token': k,
            title: `token ${k}${k >= data.n_prompt ? ', written by the model' : ''}`, on: { click: () => setStep(k) } }, token)));
    return strip;
}

function shadeStrip(strip, share) {
    for (const token of strip.children) {
        const k = Number(token.dataset.token);
        const c = k <= map.t ? rampColor(map.shade[Math.round(4095 * share(k))] / 255) : null;
        token.style.backgroundColor = c ? rgb(c) : '';
        token.style.color = c ? inkOn(c) : '';
        token.classList.toggle('ahead', k > map.t);
        token.classList.toggle('now', k === map.t);
    }
    const now = strip.children[map.t];
    if (now.offsetTop < strip.scrollTop || now.offsetTop + now.offsetHeight > strip.scrollTop + strip.clientHeight) {
        strip.scrollTop = now.offsetTop - strip.clientHeight / 2;
    }
}

function averageShare(k) {
    let sum = 0;
    for (let i = 0; i < data.weights.length; i++) sum += mapWeights(i)[rowStart(map.t) + k];
    return sum / data.weights.length / 65535;
}

/* ---- steps ---- */

function setStep(t) {
    map.t = Math.max(data.from, Math.min(map.n - 1, t));
    byId('step').value = map.t;
    byId('step').setAttribute('aria-valuetext', `token ${map.t}: ${data.tokens[map.t]}`);
    byId('step-at').textContent = `${map.t + 1} of ${map.n}`;
    redrawMap();
    saveHash();
}

function play() {
    if (map.timer) {
        clearInterval(map.timer);
        map.timer = 0;
    } else {
        if (map.t === map.n - 1) setStep(data.from);
        map.timer = setInterval(() => (map.t < map.n - 1 ? setStep(map.t + 1) : play()), 350);
    }
    byId('play').textContent = map.timer ? 'Stop' : 'Play';
}

function setLinear(linear) {
    map.linear = linear;
    byId('scale').textContent = linear ? 'Shade: linear' : 'Shade: root';
    setShade();
    redrawMap();
}

function makeBar() {
    return el('div', { class: 'bar sticky' },
        button('All heads', 'Back to all heads (Escape)', () => closeLarge(), { id: 'back' }),
        el('label', { class: 'step' }, 'Token',
            el('input', { type: 'range', id: 'step', min: data.from, max: map.n - 1, value: map.n - 1, on: { input: (e) => setStep(Number(e.target.value)) } }),
            el('output', { id: 'step-at', for: 'step' })),
        button('Play', 'Step through the text (p)', play, { id: 'play' }),
        button('Shade: root', 'Square root or linear: how weights become colours (s)', () => setLinear(!map.linear), { id: 'scale' }));
}

function makeLegend() {
    return el('div', { class: 'legend' }, 'weight 0', el('canvas', { id: 'legend', 'aria-hidden': 'true' }), '1');
}

/* ---- the page ---- */

let redrawWanted = false;

function redrawMap() {
    if (redrawWanted) return;
    redrawWanted = true;
    requestAnimationFrame(() => {
        redrawWanted = false;
        drawRamp(byId('legend'), map.shade);
        if (map.large) {
            redrawLarge();
        } else {
            shadeStrip(byId('average'), averageShare);
            redrawTiles();
        }
    });
}

/* Where the page stands goes into its address: a link shows the same. */
function saveHash() {
    const parts = map.large ? [mapName(map.at) + (map.other >= 0 ? ',' + mapName(map.other) : '')] : [];
    if (map.t < map.n - 1) parts.push('t=' + map.t);
    try {
        history.replaceState(null, '', '#' + parts.join(';'));
    } catch {
        // an address that must not change: the page works without
    }
}

/* An address without a head shows all of them; without a step, the last. */
function readHash(hash) {
    const names = Array.from(data.weights, (_, i) => mapName(i));
    let t = map.n - 1, shown = [-1];
    for (const part of hash.slice(1).split(';')) {
        const heads = part.split(',').map((name) => names.indexOf(name));
        if (/^t=\d+$/.test(part)) t = Number(part.slice(2));
        else if (heads[0] >= 0) shown = heads;
    }
    setStep(t);
    if (shown[0] >= 0) openLarge(shown[0], shown.length > 1 ? shown[1] : -1);
    else closeLarge();
}

function moveTile(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -map.nHeads, ArrowDown: map.nHeads }[event.key];
    const to = map.at + by;
    if (to >= 0 && to < data.weights.length) tileOf(to).focus();
}

function keyAll(event) {
    if (event.key.startsWith('Arrow')) {
        if (event.target.id === 'step') return false;
        if (event.shiftKey) setStep(map.t + (event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0));
        else moveTile(event);
    } else if (event.key === 'Enter' && !event.target.closest('button, input')) {
        openLarge(map.at, -1);
    } else if (event.key === 'c') {
        markOrCompare(map.at);
    } else if (event.key === 'Escape' && map.marked >= 0) {
        markOrCompare(map.marked);
    } else {
        return false;
    }
    return true;
}

function keyMap(event) {
    const simple = { ',': () => setStep(map.t - 1), '.': () => setStep(map.t + 1), Home: () => setStep(0), End: () => setStep(map.n - 1),
        p: play, s: () => setLinear(!map.linear) }[event.key];
    if (simple) {
        simple();
        return true;
    }
    return map.large ? keyLarge(event) : keyAll(event);
}

pages.map = {
    title: 'What the heads look at',
    help: ['Each small picture is a head: a token a row, and in the row how much it takes from itself and each token before it. The rows of a head add up to 1.',
        'Numbers are exact to 0.00001; the colours are the legend\u2019s, by the square root unless you change that.'],
    keys: [['arrows', 'all heads: go to another'], ['Enter', 'open it large'], ['c', 'mark it, then another: compare; large: compare with the next'],
        ['\u2190 \u2192', 'large: step through the tokens'], [', .', 'step anywhere; Home and End, too'], ['Shift+arrows', 'large: another head; all heads: step'],
        ['x', 'comparing: which of the two the keys change'], ['p', 'play'], ['s', 'shade by root or linearly'], ['+ \u2212 0', 'large: bigger, smaller, as at first'], ['w', 'large: the whole map at once'], ['Esc', 'back']],
    about: () => `${count(data.n_layers, 'layer')} of ${count(data.n_heads, 'head')}, ${data.n_kv_heads} for keys and values; ${count(map.n, 'token')}` +
        (data.n_prompt < map.n ? `, the last ${map.n - data.n_prompt} written by the model` : '') +
        (data.from > 0 ? `; what the last ${map.n - data.from} look at` : ''),
    open(main) {
        map.n = data.tokens.length;
        map.rows = map.n - data.from;
        map.t = map.n - 1;
        map.nLayers = data.layers.length;
        map.nHeads = data.heads.length;
        setShade();
        main.append(makeBar(),
            el('section', { id: 'all', 'aria-label': 'All heads' },
                el('p', { class: 'quiet', id: 'hint' }, mapHint), makeLegend(),
                el('h3', {}, 'What the token takes from each other, the mean of all heads'), Object.assign(makeStrip('text'), { id: 'average' }),
                el('div', { class: 'scroll' }, makeGrid())),
            el('section', { id: 'large', hidden: true, 'aria-label': 'Large' }));
        byId('back').hidden = true;
        readHash(location.hash);
        addEventListener('hashchange', () => readHash(location.hash));
        addEventListener('resize', redrawMap);
    },
    key: keyMap,
    redraw: redrawMap,
};
