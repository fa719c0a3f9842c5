
/* The report: heads by kind, their figures, how alike they are. */

const kinds = {
    'previous-token': ['#7fb2ff', 'prev', 'most on the token before'],
    induction: ['#ffb454', 'ind', 'on what came after an earlier same token'],
    'same-token': ['#f3dc55', 'same', 'on earlier same tokens'],
    sink: ['#a9b6c6', 'sink', 'rests on the first token'],
    self: ['#d7a8ea', 'self', 'on the token itself'],
    positional: ['#5fd3c6', 'pos', 'on a token at a fixed distance'],
    local: ['#93d98f', 'loc', 'on the nearest five'],
    broad: ['#e3c79c', 'broad', 'spread widely'],
    uniform: ['#ff8f9e', 'unif', 'the same on all: looks at nothing'],
    mixed: ['', 'mix', 'none of these'],
};

const figureColumns = [
    ['entropy', 'entropy', 'bits', 2], ['share', 'share', 'entropy as share of the most it could be', 2], ['distance', 'distance', 'mean, in tokens', 1],
    ['sink', 'first', 'mass on the first token', 3], ['previous', 'previous', 'mass on the token before', 3], ['self', 'itself', 'mass on the token itself', 3],
    ['same', 'same', 'mass on earlier same tokens', 3], ['induction', 'induction', 'mass on what followed earlier same tokens', 3],
    ['local', 'nearest 5', 'mass on the nearest five', 3], ['sharpness', 'sharp', 'the largest weight', 3],
];

const report = { chosen: -1, colour: 'kind', kind: '', sort: 'name', down: false, apart: null };

const reportName = (i) => headName(Math.floor(i / data.n_heads), i % data.n_heads);

/* Divergence of two heads of all, from the rows of a triangle. */
function apartOf(a, b) {
    if (a === b) return 0;
    if (a > b) [a, b] = [b, a];
    const n = data.figures.length;
    return report.apart[a * n - (a * (a + 1)) / 2 + (b - a - 1)] / 65535;
}

const kindText = (f) => (f.kind === 'positional' ? `positional ${f.fixed}` : f.kind);

/* Mixed heads have no colour of their own. */
function tintKind(e, kind) {
    e.style.backgroundColor = kinds[kind][0];
    e.classList.toggle('dim', kind === 'mixed');
}

function kindTag(f) {
    const tag = el('span', { class: 'kind' }, kindText(f));
    tintKind(tag, f.kind);
    return tag;
}

/* ---- the grid ---- */

function paintCells() {
    for (const cell of document.querySelectorAll('.cell')) {
        const i = Number(cell.dataset.head), f = data.figures[i];
        if (report.colour === 'kind') {
            tintKind(cell, f.kind);
            cell.style.color = '';
            cell.textContent = kinds[f.kind][1];
        } else {
            const most = ['entropy', 'distance'].includes(report.colour) ? Math.max(...data.figures.map((g) => g[report.colour])) : 1;
            const c = rampColor(f[report.colour] / (most || 1));
            cell.classList.remove('dim');
            cell.style.backgroundColor = rgb(c);
            cell.style.color = inkOn(c);
            cell.textContent = f[report.colour].toFixed(most > 1 ? 1 : 2);
        }
        cell.classList.toggle('faded', report.kind !== '' && f.kind !== report.kind);
        cell.classList.toggle('chosen', i === report.chosen);
        cell.tabIndex = i === Math.max(0, report.chosen) ? 0 : -1;
    }
}

function makeCells() {
    const grid = el('div', { class: 'grid', id: 'kinds', role: 'group', 'aria-label': 'heads by kind, a row a layer' }, el('span'));
    for (let h = 0; h < data.n_heads; h++) grid.append(el('span', { class: 'top', 'aria-hidden': 'true' }, 'H' + h));
    data.figures.forEach((f, i) => {
        if (i % data.n_heads === 0) grid.append(el('span', { class: 'side', 'aria-hidden': 'true' }, 'L' + i / data.n_heads));
        grid.append(el('button', { type: 'button', class: 'cell', 'data-head': i, 'aria-label': `${reportName(i)}: ${kindText(f)}`,
            on: {
                click: () => chooseHead(i, false),
                pointermove: (e) => showTip(`${reportName(i)}: ${kindText(f)}\nfirst ${percent(f.sink)}, previous ${percent(f.previous)}, itself ${percent(f.self)}\ninduction ${percent(f.induction)}, entropy ${f.entropy.toFixed(2)} bits`, e.clientX, e.clientY),
                pointerleave: hideTip,
            } }));
    });
    grid.style.gridTemplateColumns = `max-content repeat(${data.n_heads}, minmax(28px, 74px))`;
    return grid;
}

function makeKinds() {
    const list = el('div', { class: 'bar', id: 'legend', role: 'group', 'aria-label': 'kinds' });
    for (const [kind, [, , what]] of Object.entries(kinds)) {
        const n = data.figures.filter((f) => f.kind === kind).length;
        if (n === 0) continue;
        const dot = el('span', { class: 'kind', 'aria-hidden': 'true' }, String(n));
        tintKind(dot, kind);
        list.append(el('button', { type: 'button', 'data-kind': kind, 'aria-pressed': 'false', title: what,
            on: { click: () => chooseKind(report.kind === kind ? '' : kind) } }, dot, ' ' + kind));
    }
    return list;
}

function chooseKind(kind) {
    report.kind = kind;
    for (const b of byId('legend').children) b.setAttribute('aria-pressed', String(b.dataset.kind === kind));
    paintCells();
    fillTable();
    say(kind === '' ? 'all kinds' : 'only ' + kind);
}

/* ---- one head ---- */

function chooseHead(i, quietly) {
    report.chosen = i;
    paintCells();
    for (const row of document.querySelectorAll('#heads tbody tr')) row.classList.toggle('chosen', Number(row.dataset.head) === i);
    const f = data.figures[i], others = data.figures.map((_, k) => k).filter((k) => k !== i);
    others.sort((a, b) => apartOf(i, a) - apartOf(i, b));
    byId('one').replaceChildren(
        el('h2', {}, `Layer ${Math.floor(i / data.n_heads)}, head ${i % data.n_heads} `, kindTag(f)),
        el('p', { class: 'quiet' }, kinds[f.kind][2]),
        el('h3', {}, 'How far back it looks (tokens; 0 is itself)'), el('canvas', { id: 'back-look', role: 'img', 'aria-label': distanceText(f) }),
        el('h3', {}, 'Most alike'),
        el('p', {}, ...others.slice(0, 6).flatMap((k) => [button(`${reportName(k)}  ${apartOf(i, k).toFixed(3)}`, 'bits of divergence; click to go there', () => chooseHead(k, false)), ' '])));
    drawDistances(f);
    if (!quietly) say(`${reportName(i)}: ${kindText(f)}`);
}

const distanceText = (f) => 'mass by distance: ' + f.at.slice(0, 8).map((w, d) => `${d}: ${w.toFixed(2)}`).join(', ');

function drawDistances(f) {
    const n = Math.min(f.at.length, data.window, 33), w = Math.max(240, Math.min(560, byId('one').clientWidth - 26)), h = 110;
    const context = sizeCanvas(byId('back-look'), w, h), most = Math.max(...f.at.slice(0, n), 0.01), step = (w - 36) / n;
    context.font = labelFont(11);
    context.fillStyle = colors.quiet;
    context.textBaseline = 'middle';
    context.textAlign = 'left'; // it may be drawn again
    context.fillText(most.toFixed(2), 0, 8);
    context.fillText('0', 0, h - 20);
    context.textAlign = 'center';
    for (let d = 0; d < n; d++) {
        const tall = ((h - 26) * f.at[d]) / most;
        context.fillStyle = isDark() ? '#5bb8e8' : '#0b6e99';
        context.fillRect(34 + d * step, h - 18 - tall, Math.max(1, step - 2), tall);
        context.fillStyle = colors.quiet;
        if (d % (step < 12 ? 8 : 4) === 0) context.fillText(String(d), 34 + (d + 0.5) * step - 1, h - 8);
    }
}

/* ---- the table ---- */

function sortBy(column) {
    report.down = report.sort === column ? !report.down : column !== 'name' && column !== 'kind';
    report.sort = column;
    fillTable();
    say(`sorted by ${column}, ${report.down ? 'largest first' : 'smallest first'}`);
}

function sortedHeads() {
    const value = (i) => (report.sort === 'name' ? i : report.sort === 'kind' ? Object.keys(kinds).indexOf(data.figures[i].kind) : data.figures[i][report.sort]);
    const order = data.figures.map((_, i) => i).filter((i) => report.kind === '' || data.figures[i].kind === report.kind);
    return order.sort((a, b) => (report.down ? value(b) - value(a) : value(a) - value(b)) || a - b);
}

function fillTable() {
    const columns = [['name', 'head', 'layer and head'], ['kind', 'kind', 'the first that holds'], ...figureColumns];
    byId('heads').replaceChildren(
        el('thead', {}, el('tr', {}, ...columns.map(([key, text, title], k) => el('th', { scope: 'col', class: k < 2 ? 'left' : '',
            'aria-sort': report.sort === key ? (report.down ? 'descending' : 'ascending') : 'none' },
            button(text + (report.sort === key ? (report.down ? ' \u25be' : ' \u25b4') : ''), title, () => sortBy(key), { 'data-sort': key }))))),
        el('tbody', {}, ...sortedHeads().map((i) => {
            const f = data.figures[i];
            const row = el('tr', { 'data-head': i, class: i === report.chosen ? 'chosen' : '', on: { click: () => chooseHead(i, false) } },
                el('td', { class: 'left name' }, reportName(i)), el('td', { class: 'left' }, kindTag(f)),
                ...figureColumns.map(([key, , , digits]) => el('td', {}, f[key].toFixed(digits))));
            return row;
        })));
}

/* ---- likeness ---- */

function drawApart() {
    const n = data.figures.length, canvas = byId('apart'), px = Math.max(1, Math.floor(Math.min(560, byId('apart-box').clientWidth - 2) / n));
    const context = sizeCanvas(canvas, n * px, n * px);
    for (let a = 0; a < n; a++) {
        for (let b = 0; b < n; b++) {
            context.fillStyle = rgb(rampColor(1 - Math.min(1, apartOf(a, b))));
            context.fillRect(b * px, a * px, px, px);
        }
    }
    context.fillStyle = colors.quiet;
    for (let l = 1; l < data.n_layers && px * data.n_heads > 5; l++) {
        context.globalAlpha = 0.45;
        context.fillRect(0, l * data.n_heads * px - 0.5, n * px, 1);
        context.fillRect(l * data.n_heads * px - 0.5, 0, 1, n * px);
    }
}

function makeApart() {
    const n = data.figures.length;
    const cell = (e) => {
        const box = e.currentTarget.getBoundingClientRect();
        return [e.clientY - box.top, e.clientX - box.left].map((v) => Math.min(n - 1, Math.max(0, Math.floor((v / box.width) * n))));
    };
    const canvas = el('canvas', { id: 'apart', role: 'img', 'aria-label': 'divergence of each head from each other; dark in light colours is alike', on: {
        pointermove: (e) => {
            const [a, b] = cell(e);
            showTip(`${reportName(a)} and ${reportName(b)}\n${apartOf(a, b).toFixed(4)} bits apart`, e.clientX, e.clientY);
        },
        pointerleave: hideTip,
        click: (e) => chooseHead(cell(e)[0], false),
    } });
    return el('div', { id: 'apart-box', class: 'scroll' }, canvas);
}

function layerTable() {
    const cell = (x) => el('td', {}, x === null ? '\u2013' : x.toFixed(3));
    return el('div', { class: 'wide' }, el('table', { id: 'layers' },
        el('thead', {}, el('tr', {}, ...['layer', 'in a group', 'across groups', 'verdict'].map((text, k) => el('th', { scope: 'col', class: k % 3 ? '' : 'left' }, text)))),
        el('tbody', {}, ...data.similarity.map((y, l) => el('tr', {}, el('td', { class: 'left name' }, 'L' + l), cell(y.inside), cell(y.across),
            el('td', { class: 'left' }, y.uniform ? 'uniform: looks at nothing' : y.collapsed ? 'collapsed: all look at the same' : 'fine'))))));
}

const mostOf = (key) => data.figures.reduce((at, f, i) => (f[key] > data.figures[at][key] ? i : at), 0);

function strongest() {
    return el('div', { class: 'facts', id: 'strongest' }, ...[['previous', 'on the token before'], ['sink', 'on the first (sink)'], ['same', 'on earlier same tokens'], ['induction', 'on what followed them']]
        .map(([key, what]) => {
            const i = mostOf(key);
            return el('div', {}, el('span', { class: 'quiet' }, `most ${what}: `), button(reportName(i), 'show this head', () => chooseHead(i, false), { 'data-best': key }),
                ' ', percent(data.figures[i][key]));
        }));
}

function keyReport(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -data.n_heads, ArrowDown: data.n_heads }[event.key];
    if (event.key === 'Escape' && report.kind !== '') {
        chooseKind('');
    } else if (by && (event.target.matches('.cell') || event.target === document.body || event.target.id === 'main')) {
        const to = Math.max(0, report.chosen) + by;
        if (to >= 0 && to < data.figures.length) {
            chooseHead(to, false);
            document.querySelector(`.cell[data-head="${to}"]`).focus();
        }
    } else {
        return false;
    }
    return true;
}

pages.report = {
    title: 'What each head does',
    help: ['Each head\u2019s figures are means over the rows of the text; its kind is the first that holds, by the thresholds of choir heads report.',
        'Divergence is Jensen-Shannon, in bits, of two heads\u2019 rows for the same token: 0 alike, 1 apart.'],
    keys: [['arrows', 'another head'], ['Esc', 'all kinds again'], ['click', 'a column\u2019s name sorts, a kind filters']],
    about: () => `${count(data.tokens, 'token')} in ${count(data.windows, 'window')} of up to ${data.window}; ${count(data.n_layers, 'layer')} of ${count(data.n_heads, 'head')}, ${data.n_kv_heads} for keys and values`,
    open(main) {
        report.apart = decode(data.divergence);
        const colour = el('select', { id: 'colour', on: { change: (e) => { report.colour = e.target.value; paintCells(); } } },
            el('option', { value: 'kind' }, 'kind'), ...figureColumns.map(([key, text, title]) => el('option', { value: key }, title === 'bits' ? 'entropy' : title)));
        main.append(strongest(), makeKinds(),
            el('div', { class: 'two' },
                el('section', { 'aria-label': 'grid' }, el('div', { class: 'bar' }, el('label', {}, 'Colour by ', colour)), el('div', { class: 'scroll' }, makeCells())),
                el('section', { class: 'panel', id: 'one', 'aria-label': 'chosen head', 'aria-live': 'off' })),
            el('h3', {}, 'All figures'), el('div', { class: 'wide', tabindex: 0, role: 'group', 'aria-label': 'table of heads' }, el('table', { id: 'heads' })),
            el('div', { class: 'two' }, el('section', {}, el('h3', {}, 'How alike heads are (all by all, a line between layers)'), makeApart()),
                el('section', {}, el('h3', {}, 'By layer: mean divergence in bits'), layerTable())));
        fillTable();
        chooseHead(mostOf('previous'), true);
        drawApart();
        addEventListener('resize', () => pages.report.redraw());
    },
    key: keyReport,
    redraw() {
        paintCells();
        drawApart();
        drawDistances(data.figures[report.chosen]);
    },
};
