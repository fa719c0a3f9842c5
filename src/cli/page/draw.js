
/* Colours and canvases. */

const colors = { ramp: [], ink: '', quiet: '', tile: '' };

/* 256 colours through the stops. */
function makeRamp(stops) {
    const ramp = [];
    for (let i = 0; i < 256; i++) {
        const at = (i / 255) * (stops.length - 1), k = Math.min(Math.floor(at), stops.length - 2), f = at - k;
        ramp.push(stops[k].map((c, j) => Math.round(c + f * (stops[k + 1][j] - c))));
    }
    return ramp;
}

function pickColors() {
    colors.ramp = isDark()
        ? makeRamp([[34, 38, 45], [38, 72, 116], [38, 122, 170], [86, 186, 190], [196, 232, 170], [255, 250, 205]])
        : makeRamp([[250, 249, 246], [200, 224, 240], [112, 178, 218], [40, 116, 180], [16, 60, 128], [8, 22, 60]]);
    const style = getComputedStyle(document.documentElement);
    for (const name of ['ink', 'quiet', 'tile']) colors[name] = style.getPropertyValue('--' + name).trim();
}

const rgb = (c) => `rgb(${c[0]} ${c[1]} ${c[2]})`;
const rampColor = (share) => colors.ramp[Math.max(0, Math.min(255, Math.round(255 * share)))];

/* Black or white, whichever can be read on c. */
function inkOn(c) {
    const linear = c.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? '#000000' : '#ffffff';
}

/* Two hues for signs, paler towards 0. */
function signColor(x, most) {
    const share = most > 0 ? Math.min(1, Math.sqrt(Math.abs(x) / most)) : 0;
    const from = isDark() ? [34, 38, 45] : [247, 246, 243];
    const to = x >= 0 ? (isDark() ? [91, 184, 232] : [11, 110, 153]) : isDark() ? [240, 151, 90] : [190, 88, 16];
    return from.map((c, i) => Math.round(c + share * (to[i] - c)));
}

/* A canvas of w x h CSS pixels, sharp on this screen unless it had more pixels than a browser bears; the context counts in CSS
 * pixels. */
function sizeCanvas(canvas, w, h) {
    const ratio = Math.min(devicePixelRatio || 1, 16384 / Math.max(w, h), 6144 / Math.sqrt(w * h));
    const width = Math.max(1, Math.round(w * ratio)), height = Math.max(1, Math.round(h * ratio));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    canvas.style.width = w + 'px';
    canvas.style.height = h + 'px';
    const context = canvas.getContext('2d');
    context.setTransform(canvas.width / w, 0, 0, canvas.height / h, 0, 0);
    context.clearRect(0, 0, w, h);
    return context;
}

const labelFont = (px) => px + 'px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

/* As much of the text as fits, with an ellipsis. */
function fitText(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    const letters = Array.from(text);
    while (letters.length > 1 && context.measureText(letters.join('') + '\u2026').width > room) letters.pop();
    return letters.join('') + '\u2026';
}

/* Rows of weights (16 bits) of n tokens, from the row `from` to n - 1, as a picture of at most w x h pixels: a weight a pixel, or
 * the largest weight of what falls on one. */
function weightsImage(weights, n, from, w, h, shade) {
    const rows = n - from, width = Math.max(1, Math.min(n, w)), height = Math.max(1, Math.min(rows, h));
    const image = new ImageData(width, height);
    const most = new Uint16Array(width * height), end = new Uint32Array(height);
    for (let q = from, at = 0; q < n; q++) {
        const y = Math.floor(((q - from) * height) / rows);
        for (let k = 0; k <= q; k++, at++) {
            const i = y * width + Math.floor((k * width) / n);
            if (weights[at] > most[i]) most[i] = weights[at];
        }
        end[y] = y * width + Math.floor((q * width) / n) + 1;
    }
    const ramp = new Uint32Array(Uint8Array.from(colors.ramp.flatMap((c) => [...c, 255])).buffer);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y++) {
        for (let i = y * width; i < end[y]; i++) pixels[i] = ramp[shade[most[i] >> 4]];
    }
    return image;
}

/* The first rows of an image; the others are left empty. */
function putRows(canvas, image, rows) {
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext('2d').putImageData(image, 0, 0, 0, 0, image.width, rows);
}

function drawRamp(canvas, shade) {
    canvas.width = 256;
    canvas.height = 1;
    const context = canvas.getContext('2d');
    for (let i = 0; i < 256; i++) {
        context.fillStyle = rgb(colors.ramp[shade[i * 16]]);
        context.fillRect(i, 0, 1, 1);
    }
}
