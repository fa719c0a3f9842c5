
/* One head large, or two side by side: tokens along both sides, values where the pointer is. */

const shown = () => (map.other >= 0 ? [map.at, map.other] : [map.at]);
let hover = null; // {t, k}
let returnTo = 0; // how far all heads were scrolled
let widest = 0;   // of the tokens, in pixels; 0: not measured yet

function openLarge(i, other) {
    if (!map.large) returnTo = scrollY;
    map.at = i;
    map.other = other === i ? -1 : other;
    map.active = map.other >= 0 ? map.active : 0;
    map.large = true;
    hover = null;
    hideTip();
    byId('all').hidden = true;
    byId('back').hidden = false;
    byId('large').hidden = false;
    makeLarge();
    redrawMap();
    saveHash();
    say(shown().map(mapLongName).join(' and '));
}

function closeLarge() {
    if (!map.large) return;
    map.large = false;
    map.other = -1;
    hideTip();
    byId('large').hidden = true;
    byId('large').replaceChildren();
    byId('back').hidden = true;
    byId('all').hidden = false;
    byId('hint').textContent = mapHint;
    setRoving(map.at);
    redrawMap();
    saveHash();
    scrollTo(0, returnTo);
    tileOf(map.at).focus({ preventScroll: returnTo > 0 });
}

/* Another head in the active panel. */
function moveHead(dLayer, dHead) {
    const i = shown()[map.active], layer = Math.floor(i / map.nHeads) + dLayer, head = (i % map.nHeads) + dHead;
    const to = layer * map.nHeads + head;
    if (layer < 0 || layer >= map.nLayers || head < 0 || head >= map.nHeads || shown().includes(to)) return;
    if (map.active === 0) openLarge(to, map.other);
    else openLarge(map.at, to);
}

/* ---- what is on it ---- */

function makeChoice() {
    const all = Array.from(data.weights, (_, i) => i);
    const pick = (id, chosen, none) => el('select', { id },
        ...(none ? [el('option', { value: -1 }, none)] : []),
        ...all.map((i) => el('option', { value: i, selected: i === chosen }, mapName(i))));
    const first = pick('first', map.at), second = pick('second', map.other, 'nothing');
    first.addEventListener('change', () => openLarge(Number(first.value), map.other));
    second.addEventListener('change', () => openLarge(map.at, Number(second.value)));
    return el('div', { class: 'bar' },
        el('label', {}, 'Head ', first), el('label', {}, ' beside ', second),
        button('\u2190', 'Head before (Shift+\u2190)', () => moveHead(0, -1), { 'aria-label': 'head before' }),
        button('\u2192', 'Next head (Shift+\u2192)', () => moveHead(0, 1), { 'aria-label': 'next head' }),
        button('\u2191', 'Layer before (Shift+\u2191)', () => moveHead(-1, 0), { 'aria-label': 'layer before' }),
        button('\u2193', 'Next layer (Shift+\u2193)', () => moveHead(1, 0), { 'aria-label': 'next layer' }),
        button('+', 'Bigger (+)', () => setZoom(map.zoom + 1), { 'aria-label': 'bigger' }),
        button('\u2212', 'Smaller (\u2212)', () => setZoom(map.zoom - 1), { 'aria-label': 'smaller' }),
        button('Whole', 'All of it at once (w)', () => setWhole(!map.whole), { id: 'whole', 'aria-pressed': String(map.whole) }));
}

function makePanel(i, which) {
    const cells = el('div', { class: 'cells' }, el('canvas', { role: 'img', 'aria-label': `attention weights of ${mapLongName(i)}; the list has those of one token` }),
        el('div', { class: 'veil' }), el('div', { class: 'cross now' }), el('div', { class: 'cross row', hidden: true }), el('div', { class: 'cross column', hidden: true }));
    const follow = (e) => {
        const panel = cells.closest('.panel');
        const box = cells.getBoundingClientRect(), cell = cellOf(panel);
        const k = Math.floor((e.clientX - box.left) / cell.w), t = data.from + Math.floor((e.clientY - box.top) / cell.h);
        setHover(t >= data.from && t < map.n && k >= 0 && k <= t ? { t, k } : null, e);
    };
    cells.addEventListener('pointermove', follow);
    cells.addEventListener('pointerdown', follow);
    cells.addEventListener('pointerleave', () => setHover(null));
    cells.addEventListener('click', () => hover && setStep(hover.t));
    return el('section', { class: 'panel large' + (shown().length > 1 && map.active === which ? ' active' : ''), 'data-map': i, 'aria-label': mapLongName(i),
        on: { click: () => setActive(which) } },
        el('h2', {}, `Layer ${data.layers[Math.floor(i / map.nHeads)]}, head ${data.heads[i % map.nHeads]}`),
        el('p', { class: 'quiet figures' }),
        makeStrip('text, shaded by ' + mapName(i)),
        el('div', { class: 'matrix', tabindex: 0, role: 'group', 'aria-label': 'map, can be scrolled', on: { scroll: onScroll } },
            el('div', { class: 'sheet' }, el('div', { class: 'corner' }, 'looks at \u2192'), el('div', { class: 'keys', 'aria-hidden': 'true' }, el('canvas')),
                el('div', { class: 'queries', 'aria-hidden': 'true' }, el('canvas')), cells)));
}

function onScroll(event) {
    const panel = event.target.closest('.panel');
    if (panel) drawLabels(panel, cellOf(panel), marginWidth());
}

function makeLarge() {
    const list = el('section', { class: 'panel list', 'aria-label': 'weights of one token' }, el('h2', { id: 'list-title' }), el('div', { id: 'list', class: 'wide' }));
    byId('large').replaceChildren(makeChoice(), el('p', { id: 'apart', class: 'quiet' }),
        el('div', { class: 'panels' }, ...shown().map(makePanel), list));
    byId('apart').hidden = map.other < 0;
}

function setActive(which) {
    if (map.active === which || map.other < 0) return;
    map.active = which;
    document.querySelectorAll('.panel.large').forEach((panel, k) => panel.classList.toggle('active', k === which));
    say('the keys change ' + mapLongName(shown()[which]));
}

function setWhole(whole) {
    map.whole = whole;
    byId('whole').setAttribute('aria-pressed', String(whole));
    redrawMap();
}

function setZoom(zoom) {
    setWhole(false);
    map.zoom = Math.max(-4, Math.min(6, zoom));
    redrawMap();
}

/* ---- drawing ---- */

/* Pixels of a token, w along the keys and h along the queries: as the panel has room, not too small to be read; then the panel
 * scrolls.  A few rows of a long text, all at once, are higher than wide. */
function cellSize(panel, margin) {
    const room = panel.querySelector('.matrix').clientWidth - margin - 2;
    const high = parseFloat(getComputedStyle(panel.querySelector('.matrix')).maxHeight) - topHeight(margin) - 8;
    const all = Math.min(34, room / map.n, high / map.rows);
    if (map.whole) {
        const w = all >= 4 ? Math.floor(all) : all;
        return { w, h: map.rows < map.n ? Math.max(w, Math.min(13, Math.floor(high / map.rows))) : w };
    }
    const w = Math.round(Math.max(4, Math.min(48, Math.max(13, all) * 1.3 ** map.zoom)));
    return { w, h: w };
}

/* As it was last drawn. */
const cellOf = (panel) => ({ w: Number(panel.dataset.width), h: Number(panel.dataset.height) });

/* Room for the labels at the left and, turned, at the top. */
function marginWidth() {
    if (!widest) {
        const context = document.createElement('canvas').getContext('2d');
        context.font = labelFont(12);
        widest = data.tokens.reduce((most, token) => Math.max(most, context.measureText(token).width), 1);
    }
    return Math.min(innerWidth < 620 ? 84 : 150, Math.max(64, Math.ceil(widest) + 12));
}

const topHeight = (margin) => Math.min(margin, 96);
const rowTop = (t, cell) => (t - data.from) * cell.h;


/* Of a side of the map, the pixels in sight and some around them: labels are drawn there, and again when it is scrolled. */
function inSight(scrolled, room, length) {
    const begin = Math.floor(Math.max(0, Math.min(scrolled - 200, length - 1)));
    return [begin, Math.ceil(Math.min(length, scrolled + room + 200))];
}

/* The tokens, from `first` on, of those pixels that have a label: where there is no room for each, every few, and those pointed
 * out. */
function labelled(first, begin, end, size) {
    const every = Math.ceil(10 / size), out = [map.t, hover?.t, hover?.k], list = [];
    for (let t = first + Math.floor(begin / size); t < Math.min(map.n, first + end / size); t++) {
        const near = every > 1 && out.some((other) => Math.abs(t - other) < every);
        if (out.includes(t) || (t % every === 0 && !near)) list.push(t);
    }
    return list;
}

/* Font, colour and strength of a token's label. */
function setLabel(context, t, size, strong) {
    context.font = (strong ? 'bold ' : '') + labelFont(Math.min(13, Math.max(9, size - 2)));
    context.fillStyle = strong ? colors.ink : colors.quiet;
    context.globalAlpha = t > map.t ? 0.4 : 1;
    context.textBaseline = 'middle';
}

function drawKeys(panel, size, top) {
    const matrix = panel.querySelector('.matrix'), canvas = panel.querySelector('.keys canvas');
    const [begin, end] = inSight(matrix.scrollLeft, matrix.clientWidth, map.n * size);
    const context = sizeCanvas(canvas, end - begin, top);
    canvas.style.left = begin + 'px';
    for (const t of labelled(0, begin, end, size)) {
        context.save();
        setLabel(context, t, size, t === hover?.k);
        context.translate((t + 0.5) * size - begin, top - 5);
        context.rotate(-Math.PI / 2);
        context.fillText(fitText(context, data.tokens[t], top - 8), 0, 0);
        context.restore();
    }
}

function drawQueries(panel, cell, margin) {
    const matrix = panel.querySelector('.matrix'), canvas = panel.querySelector('.queries canvas');
    const [begin, end] = inSight(matrix.scrollTop, matrix.clientHeight, map.rows * cell.h);
    const context = sizeCanvas(canvas, margin, end - begin);
    canvas.style.top = begin + 'px';
    context.textAlign = 'right';
    for (const t of labelled(data.from, begin, end, cell.h)) {
        setLabel(context, t, cell.h, t === map.t || t === hover?.t);
        context.fillText(fitText(context, data.tokens[t], margin - 8), margin - 6, rowTop(t + 0.5, cell) - begin);
    }
}

function drawLabels(panel, cell, margin) {
    drawKeys(panel, cell.w, topHeight(margin));
    drawQueries(panel, cell, margin);
}

/* Size of everything that is scrolled. */
function sizeSheet(panel, cell, margin) {
    const side = (name, w, h) => Object.assign(panel.querySelector(name).style, { width: w + 'px', height: h + 'px' });
    side('.keys', cell.w * map.n, topHeight(margin));
    side('.queries', margin, cell.h * map.rows);
    side('.cells', cell.w * map.n, cell.h * map.rows);
}

/* A pixel a weight, or fewer if the screen has no more, which the style enlarges and, where there is room, lays lines over; the
 * rows to come are veiled. */
function drawCells(panel, i, cell) {
    const cells = panel.querySelector('.cells'), canvas = cells.firstChild, ratio = devicePixelRatio || 1;
    const [w, h] = [Math.min(1, cell.w * ratio) * map.n, Math.min(1, cell.h * ratio) * map.rows].map(Math.round);
    const drawn = `${map.linear} ${isDark()} ${w} ${h}`;
    if (canvas.dataset.drawn !== drawn) {
        canvas.dataset.drawn = drawn;
        putRows(canvas, weightsImage(mapWeights(i), map.n, data.from, w, h, map.shade), h);
    }
    cells.classList.toggle('lined', cell.w >= 8);
    cells.style.setProperty('--size', cell.w + 'px');
    const y = rowTop(map.t, cell), next = y + cell.h;
    Object.assign(panel.querySelector('.veil').style, { top: next + 'px', height: map.rows * cell.h - next + 'px' });
    place(panel.querySelector('.cross.now'), 0, y, (map.t + 1) * cell.w, cell.h);
}

function place(box, x, y, w, h) {
    box.hidden = false;
    Object.assign(box.style, { left: x - 1 + 'px', top: y - 1 + 'px', width: w + 1 + 'px', height: h + 1 + 'px' });
}

function describe(panel, i) {
    const f = mapFigures(i);
    panel.querySelector('.figures').textContent = `mean of ${count(rowCount(), 'row')}: previous token ${percent(f.previous)}, first ${percent(f.first)}, itself ${percent(f.self)}, entropy ${f.entropy.toFixed(2)} bits`;
}

function redrawLarge() {
    const margin = marginWidth();
    for (const panel of document.querySelectorAll('.panel.large')) {
        const i = Number(panel.dataset.map), cell = cellSize(panel, margin);
        panel.dataset.width = cell.w;
        panel.dataset.height = cell.h;
        sizeSheet(panel, cell, margin);
        drawCells(panel, i, cell);
        keepInSight(panel, cell, margin);
        drawLabels(panel, cell, margin);
        describe(panel, i);
        shadeStrip(panel.querySelector('.strip'), (k) => weightOf(i, map.t, k));
    }
    if (map.other >= 0) tellApart();
    fillList();
}

/* The row of the token that looks is on the screen. */
function keepInSight(panel, cell, margin) {
    const matrix = panel.querySelector('.matrix'), top = topHeight(margin), y = rowTop(map.t, cell) + top;
    if (y < matrix.scrollTop + top) matrix.scrollTop = y - top;
    else if (y + cell.h > matrix.scrollTop + matrix.clientHeight) matrix.scrollTop = y + cell.h - matrix.clientHeight + 2;
}

/* Jensen-Shannon divergence of a row of two heads, in bits. */
function divergence(a, b, t) {
    const wa = mapWeights(a), wb = mapWeights(b), at = rowStart(t);
    const part = (p, m) => (p > 0 ? p * Math.log2(p / m) : 0);
    let sum = 0;
    for (let k = 0; k <= t; k++) {
        const p = wa[at + k] / 65535, q = wb[at + k] / 65535, m = (p + q) / 2;
        sum += (part(p, m) + part(q, m)) / 2;
    }
    return Math.max(0, sum);
}

function tellApart() {
    const sums = sumsOf(`apart ${map.at} ${map.other}`, (t) => divergence(map.at, map.other, t));
    byId('apart').textContent = `${mapName(map.at)} and ${mapName(map.other)} differ by ${(sums[map.t] / Math.max(1, rowCount())).toFixed(3)} bits ` +
        `in the mean of the rows, by ${divergence(map.at, map.other, map.t).toFixed(3)} in this one (Jensen-Shannon: 0 alike, 1 apart)`;
}

/* The row of the token as a list: what the picture says, in numbers. */
function fillList() {
    const t = map.t, heads = shown();
    const order = Array.from({ length: t + 1 }, (_, k) => k);
    const most = order.map((k) => Math.max(...heads.map((i) => weightOf(i, t, k))));
    order.sort((a, b) => most[b] - most[a] || a - b);
    byId('list-title').textContent = `Token ${t}: ${data.tokens[t]}`;
    byId('list').replaceChildren(el('table', {},
        el('thead', {}, el('tr', {}, el('th', { class: 'left', scope: 'col' }, 'looks at'), el('th', { scope: 'col' }, 'token'),
            ...heads.map((i) => el('th', { scope: 'col', class: 'left' }, mapName(i))))),
        el('tbody', {}, ...order.slice(0, 15).map((k) => el('tr', {}, el('td', { class: 'left name' }, data.tokens[k]), el('td', {}, String(k)),
            ...heads.map((i) => bar(weightOf(i, t, k))))))));
}

function bar(w) {
    const meter = el('span', { class: 'meter' });
    meter.style.width = Math.round((map.other >= 0 ? 60 : 150) * w) + 'px';
    return el('td', { class: 'left' }, w.toFixed(4) + ' ', meter);
}

/* ---- pointer and keys ---- */

function setHover(at, event) {
    const same = at && hover && at.t === hover.t && at.k === hover.k;
    hover = at;
    const margin = marginWidth();
    for (const panel of document.querySelectorAll('.panel.large')) {
        const cell = cellOf(panel), row = panel.querySelector('.cross.row'), column = panel.querySelector('.cross.column');
        row.hidden = column.hidden = !at;
        if (at) {
            place(row, at.k * cell.w, rowTop(at.t, cell), cell.w, cell.h);
            place(column, at.k * cell.w, 0, cell.w, map.rows * cell.h);
        }
        if (!same) drawLabels(panel, cell, margin);
    }
    if (!at) {
        hideTip();
        return;
    }
    const values = shown().map((i) => `${mapName(i)}: ${weightOf(i, at.t, at.k).toFixed(4)}`);
    showTip(`${data.tokens[at.t]} (${at.t}) looks at ${data.tokens[at.k]} (${at.k})\n${values.join('\n')}`, event.clientX, event.clientY);
}

function keyLarge(event) {
    const turn = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === 'Escape') {
        closeLarge();
    } else if (turn && event.shiftKey) {
        moveHead(...turn);
    } else if (turn && turn[1] !== 0) {
        setStep(map.t + turn[1]);
    } else if (event.key === 'c') {
        openLarge(map.at, map.other >= 0 ? -1 : (map.at + 1) % data.weights.length);
    } else if (event.key === 'w') {
        setWhole(!map.whole);
    } else if (event.key === 'x') {
        setActive(1 - map.active);
    } else if ('+-0'.includes(event.key)) {
        setZoom(event.key === '0' ? 0 : map.zoom + (event.key === '+' ? 1 : -1));
    } else {
        return false;
    }
    return true;
}
