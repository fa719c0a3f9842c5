
'use strict';
/* What all pages share: elements, theme, tip, help, keys. */

let data = null;
const pages = {}; // by kind: {title, help, open, key, redraw}

const byId = (id) => document.getElementById(id);

/* An element; text becomes text, never markup. */
function el(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name === 'on') {
            for (const [event, f] of Object.entries(value)) e.addEventListener(event, f);
        } else if (name === 'class') {
            e.className = value;
        } else if (value === true) {
            e.setAttribute(name, '');
        } else if (value !== false && value !== undefined) {
            e.setAttribute(name, value);
        }
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
}

const button = (text, title, f, more) => el('button', { type: 'button', title, on: { click: f }, ...more }, text);

function say(text) {
    byId('status').textContent = text;
}

/* ---- theme ---- */

function isDark() {
    return document.documentElement.dataset.theme === 'dark';
}

function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    byId('theme').textContent = dark ? 'Light' : 'Dark';
    byId('theme').setAttribute('aria-label', dark ? 'Change to light colours' : 'Change to dark colours');
    pickColors();
    if (data) pages[data.page].redraw();
}

function startTheme() {
    const wish = matchMedia('(prefers-color-scheme: dark)');
    let chosen = false;
    setTheme(wish.matches);
    wish.addEventListener('change', () => chosen || setTheme(wish.matches));
    byId('theme').addEventListener('click', () => {
        chosen = true;
        setTheme(!isDark());
    });
}

/* ---- tip ---- */

function showTip(text, x, y) {
    const tip = byId('tip');
    tip.textContent = text;
    tip.hidden = false;
    const w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = Math.max(4, x + 16 + w > innerWidth ? x - w - 12 : x + 16) + 'px';
    tip.style.top = Math.max(4, y + 18 + h > innerHeight ? y - h - 12 : y + 18) + 'px';
}

function hideTip() {
    byId('tip').hidden = true;
}

/* ---- help and keys ---- */

function startHelp(page) {
    const keys = [['?', 'this help'], ['d', 'light or dark'], ...page.keys];
    byId('help-text').append(
        ...page.help.map((text) => el('p', {}, text)),
        el('dl', {}, ...keys.flatMap(([key, what]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, what)])));
    byId('help-open').addEventListener('click', () => byId('help').showModal());
}

function onKey(event) {
    if (byId('help').open || event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = event.target.matches('select, input:not([type=range])');
    if (typing && event.key !== 'Escape') return;
    if (event.key === '?') {
        byId('help').showModal();
    } else if (event.key === 'd') {
        byId('theme').click();
    } else if (!pages[data.page].key(event)) {
        return;
    }
    event.preventDefault();
}

/* ---- numbers ---- */

/* 16-bit numbers of base64, little-endian. */
function decode(base64) {
    const bytes = atob(base64);
    const out = new Uint16Array(bytes.length >> 1);
    for (let i = 0; i < out.length; i++) out[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    return out;
}

const percent = (p) => (100 * p).toFixed(p < 0.0995 ? 2 : 1) + ' %';
const signed = (x, digits = 3) => (x < 0 ? '\u2212' : '+') + Math.abs(x).toFixed(digits);
const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;
const headName = (layer, head) => 'L' + layer + 'H' + head;
