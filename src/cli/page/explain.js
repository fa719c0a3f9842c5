
/* One token explained: the logit lens, and the shares of its logit. */

const explain = { chosen: null };

/* All parts: {name, long, x, layer, head}; head -1 is the feed-forward block. */
function allShares() {
    const parts = [];
    for (let l = 0; l < data.n_layers; l++) {
        for (let h = 0; h < data.n_heads; h++) {
            parts.push({ name: headName(l, h), long: `layer ${l}, head ${h}`, x: data.heads[l * data.n_heads + h], layer: l, head: h });
        }
        parts.push({ name: `L${l} FF`, long: `layer ${l}, feed-forward`, x: data.feed_forward[l], layer: l, head: -1 });
    }
    for (const [name, key] of [['embedding', 'embedding'], ['biases of W_O', 'bias'], ['constant', 'constant'],
        ['rounded inputs', 'activations'], ['rounding', 'rounding']]) {
        if (data[key] !== 0) parts.push({ name, long: name, x: data[key], layer: -1, head: -1 });
    }
    return parts;
}

function said(token, p, isIt) {
    const tag = el('span', { class: 'said mono' + (isIt ? ' it' : ''), 'data-p': p, title: percent(p) }, token);
    return tag;
}

function lensTable() {
    const rows = data.lens.map((y, k) => {
        const tags = y.tokens.flatMap((token, i) => [said(token, y.probs[i], y.ids[i] === data.id), el('span', { class: 'quiet' }, ` ${percent(y.probs[i])}  `)]);
        const meter = el('span', { class: 'meter' });
        meter.style.width = Math.max(1, Math.round(60 * y.p)) + 'px';
        return el('tr', {}, el('td', { class: 'left name' }, k === 0 ? 'embedding' : 'L' + (k - 1)), el('td', {}, String(y.rank)),
            el('td', { class: 'left' }, percent(y.p) + ' ', meter), el('td', { class: 'left' }, ...tags));
    });
    return el('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'logit lens' }, el('table', { id: 'lens' },
        el('thead', {}, el('tr', {}, ...['after', 'its place', 'its probability', 'what the model would say'].map((text, k) => el('th', { scope: 'col', class: k === 1 ? '' : 'left' }, text)))),
        el('tbody', {}, ...rows)));
}

/* ---- shares ---- */

function shareGrid(parts) {
    const grid = el('div', { class: 'grid', id: 'shares', role: 'group', 'aria-label': 'shares of the logit, a row a layer' }, el('span'));
    for (let h = 0; h < data.n_heads; h++) grid.append(el('span', { class: 'top', 'aria-hidden': 'true' }, 'H' + h));
    grid.append(el('span', { class: 'top', 'aria-hidden': 'true' }, 'FF'));
    for (const part of parts.filter((p) => p.layer >= 0)) {
        if (part.head === 0) grid.append(el('span', { class: 'side', 'aria-hidden': 'true' }, 'L' + part.layer));
        grid.append(el('button', { type: 'button', class: 'cell', 'data-part': part.name, 'data-x': part.x, tabindex: grid.querySelector('.cell') ? -1 : 0,
            'aria-label': `${part.long}: ${signed(part.x)}`, on: {
                click: () => choosePart(part.name),
                pointermove: (e) => showTip(`${part.long}\n${signed(part.x, 4)} of ${signed(data.uncapped, 4)}`, e.clientX, e.clientY),
                pointerleave: hideTip,
            } }, Math.abs(part.x) >= 0.05 ? part.x.toFixed(1).replace('-', '\u2212') : ''));
    }
    grid.style.gridTemplateColumns = `max-content repeat(${data.n_heads + 1}, minmax(28px, 70px))`;
    return grid;
}

function shareBars(parts) {
    const sorted = [...parts].sort((a, b) => Math.abs(b.x) - Math.abs(a.x)), shownParts = sorted.slice(0, 25);
    const most = Math.abs(sorted[0].x) || 1, rest = sorted.slice(25).reduce((sum, p) => sum + p.x, 0);
    const row = (name, x, long) => {
        const meter = el('span', { class: 'meter' + (x < 0 ? ' less' : '') });
        meter.style.width = Math.min(100, Math.max(1, Math.round((100 * Math.abs(x)) / most))) + '%';
        return el('tr', { 'data-part': name, on: { click: () => choosePart(name) } }, el('td', { class: 'left name', title: long }, name), el('td', {}, signed(x)), el('td', { class: 'track' }, meter));
    };
    return el('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'largest shares' }, el('table', { id: 'bars' },
        el('thead', {}, el('tr', {}, el('th', { class: 'left', scope: 'col' }, 'part'), el('th', { scope: 'col' }, 'share'), el('th', { class: 'left', scope: 'col' }, ''))),
        el('tbody', {}, ...shownParts.map((p) => row(p.name, p.x, p.long)), ...(sorted.length > 25 ? [row(`${sorted.length - 25} others`, rest, 'all that is smaller')] : []))));
}

function choosePart(name) {
    explain.chosen = explain.chosen === name ? null : name;
    for (const e of document.querySelectorAll('[data-part]')) e.classList.toggle('chosen', e.dataset.part === explain.chosen);
    const part = allShares().find((p) => p.name === explain.chosen);
    say(part ? `${part.long}: ${signed(part.x)}` : 'nothing chosen');
}

function paintShares() {
    const most = Math.max(...allShares().filter((p) => p.layer >= 0).map((p) => Math.abs(p.x)));
    for (const cell of document.querySelectorAll('.cell')) {
        const c = signColor(Number(cell.dataset.x), most);
        cell.style.backgroundColor = rgb(c);
        cell.style.color = inkOn(c);
    }
    for (const tag of document.querySelectorAll('.said')) {
        const c = rampColor(0.75 * Math.sqrt(Number(tag.dataset.p)));
        tag.style.backgroundColor = rgb(c);
        tag.style.color = inkOn(c);
    }
}

function explainText() {
    const strip = el('p', { class: 'strip', id: 'text' });
    data.tokens.forEach((token, k) => strip.append(el('span', { class: 'token' + (k >= data.n_prompt ? ' written' : '') }, token)));
    strip.append(el('span', { class: 'token now' }, data.token[0]));
    return strip;
}

function explainFacts() {
    const facts = [['next token', data.token[0], 'mono'], ['id', String(data.id)], ['probability', percent(data.p)], ['logit', signed(data.logit)],
        ['left over by rounding', (data.most > 0 ? Math.abs(data.rounding) / data.most : 0).toExponential(1) + ' of the largest logit']];
    return el('div', { class: 'facts', id: 'facts' }, ...facts.map(([name, value, how]) => el('div', {}, el('span', { class: 'quiet' }, name + ' '), el('b', { class: how || '' }, value))));
}

function keyExplain(event) {
    const columns = data.n_heads + 1, cells = [...document.querySelectorAll('.cell')];
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!by || !event.target.matches('.cell')) {
        if (event.key !== 'Escape' || explain.chosen === null) return false;
        choosePart(explain.chosen);
        return true;
    }
    const to = cells[cells.indexOf(event.target) + by];
    if (to) {
        event.target.tabIndex = -1;
        to.tabIndex = 0;
        to.focus();
    }
    return true;
}

pages.explain = {
    title: 'Which heads wrote this word',
    help: ['The residual stream is the embedding plus what every head and feed-forward block added. With the last norm\u2019s factor held, a token\u2019s logit is the sum of their shares.',
        'The lens says what the model would say if it ended after that layer.'],
    keys: [['arrows', 'another part'], ['Enter', 'mark it in both pictures'], ['Esc', 'nothing marked']],
    about: () => `${count(data.n_layers, 'layer')} of ${count(data.n_heads, 'head')}; after ${count(data.tokens.length, 'token')}`,
    open(main) {
        const parts = allShares();
        main.append(explainText(), explainFacts(),
            el('div', { class: 'two' },
                el('section', {}, el('h3', {}, 'Shares of the logit: for it (blue) and against it (orange)'), el('div', { class: 'scroll' }, shareGrid(parts))),
                el('section', {}, el('h3', {}, 'Largest first'), shareBars(parts))),
            el('h3', {}, 'What the model would say after each layer'), lensTable());
        paintShares();
    },
    key: keyExplain,
    redraw: paintShares,
};
