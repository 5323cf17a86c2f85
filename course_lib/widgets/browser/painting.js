// Numbers as weights, words and tones, and matrices on a canvas.

// ---- Numbers -------------------------------------------------------------------------------------------

// Softmax of one row, in place, over what is allowed (null: everything). Nothing allowed: all 0.
function softmaxRow(row, allowed = null) {
  let top = -Infinity, total = 0;
  for (let j = 0; j < row.length; j++) if (!allowed || allowed[j]) top = Math.max(top, row[j]);
  for (let j = 0; j < row.length; j++) {
    row[j] = top > -Infinity && (!allowed || allowed[j]) ? Math.exp(row[j] - top) : 0;
    total += row[j];
  }
  if (total > 0) for (let j = 0; j < row.length; j++) row[j] /= total;
}

// A number with few digits and a real minus sign. Only what is exactly 0 is written "0"; what is not 0 and rounds
// to it is "≈0". The stills write the same (`number` of viz/sheet.py).
function short(number, digits = 2) {
  if (number === 0) return "0";
  if (number === -Infinity) return "−∞";
  const text = Math.abs(number).toFixed(Math.abs(number) < 99.5 ? digits : 0);
  return Number(text) === 0 ? "≈0" : number < 0 ? `−${text}` : text;
}

// The same where there is room: a number too small for `digits` is written as 4·10⁻⁶.
function exact(number, digits = 3) {
  if (number === 0 || Math.abs(number) >= 0.5 * 10 ** -digits) return short(number, digits);
  const [factor, power] = number.toExponential(0).split("e");
  return `${factor}·10${[...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

// ---- Painting ------------------------------------------------------------------------------------------

const STEPS = 100; // tones between weight 0 and weight 1
const palettes = new Map();
const rampOf = (low, high) => ({ value: "flow", signed: "signed" }[high] ?? "weights"); // of the RAMPS in viz/colours.py

// The colours of the page's theme for a canvas: the tones of the ramp from `low` to `high`, the ink that can be read
// on each, ink, paper and hatching.
function paletteOf(low = "weight-0", high = "weight-1") {
  const theme = `${document.body.dataset.jpThemeLight} ${document.body.classList.contains("vscode-dark")}`;
  const key = `${theme} ${rampOf(low, high)}`;
  if (palettes.has(key)) return palettes.get(key);
  const probe = element("div", "course-view");
  document.body.append(probe);
  const style = getComputedStyle(probe), colour = (name) => style.getPropertyValue(`--course-${name}`).trim();
  const palette = {
    ink: colour("ink"), paper: colour("paper"), panel: colour("panel"), masked: colour("masked"),
    font: style.fontFamily, css: [], on: [], rgb: null, // on: the colour of text on each tone
  };
  const list = (name) => colour(name).split(",").map((one) => one.trim());
  const stops = list(`ramp-${rampOf(low, high)}`), inks = list("inks"), tones = STEPS + 1;
  const seen = pixels([...stops, ...inks, `color-mix(in oklab, ${palette.masked} 55%, ${palette.panel})`]);
  palette.rgb = new Uint8ClampedArray(4 * (tones + 1)); // the last one is a thumbnail's masked cell
  for (let i = 0; i < tones; i++) {
    const at = (i / STEPS) * (stops.length - 1), below = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 4; c++) {
      palette.rgb[4 * i + c] = seen[4 * below + c] + (at - below) * (seen[4 * below + 4 + c] - seen[4 * below + c]);
    }
    const tone = lightness(palette.rgb, i), enough = Number(colour("enough"));
    const readable = inks.findIndex((_, k) => {
      const ink = lightness(seen, stops.length + k);
      return Math.max(ink, tone) / Math.min(ink, tone) >= enough;
    });
    palette.css.push(`rgb(${palette.rgb.slice(4 * i, 4 * i + 3).join(" ")})`);
    palette.on.push(inks.at(readable)); // -1, none: the last one
  }
  palette.rgb.set(seen.slice(-4), 4 * tones);
  probe.remove();
  palettes.set(key, palette);
  return palette;
}

// Colours as pixels: four numbers each.
function pixels(colours) {
  const strip = element("canvas");
  Object.assign(strip, { width: colours.length, height: 1 });
  const pen = strip.getContext("2d", { willReadFrequently: true });
  colours.forEach((one, i) => { pen.fillStyle = one; pen.fillRect(i, 0, 1, 1); });
  return pen.getImageData(0, 0, colours.length, 1).data;
}

// Relative luminance (WCAG) of pixel i, with the offset of its contrast formula.
function lightness(rgb, i) {
  const [r, g, b] = [0, 1, 2].map((channel) => {
    const c = rgb[4 * i + channel] / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
}

const toneOf = (share) => Math.max(0, Math.min(STEPS, Math.round(share * STEPS)));

// The cells of a grid on one canvas: a thousand of them take about a millisecond.
//   share(place) from 0 to 1 is the tone; blocked(place): hatched; text(place): written into the cell
function paintCells(canvas, palette, { rows, columns, size, share, blocked, text = null }) {
  const scale = window.devicePixelRatio || 1, pitch = (size + 1) * scale, side = Math.round(size * scale);
  const width = Math.round(columns * pitch), height = Math.round(rows * pitch);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d"), radius = size < 16 ? 0 : 3 * scale;
  const hatching = hatch(pen, palette, scale);
  pen.clearRect(0, 0, width, height);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `500 ${(size < 38 ? 11 : size < 50 ? 12.5 : 14) * scale}px ${palette.font}`;
  for (let place = 0; place < rows * columns; place++) {
    const x = Math.round((place % columns) * pitch), y = Math.round(Math.floor(place / columns) * pitch);
    const tone = toneOf(share(place)), masked = blocked(place);
    pen.fillStyle = masked ? hatching : palette.css[tone];
    if (radius) {
      pen.beginPath();
      pen.roundRect(x, y, side, side, radius);
      pen.fill();
    } else pen.fillRect(x, y, side, side);
    const words = text && text(place);
    if (words) {
      pen.fillStyle = masked ? palette.ink : palette.on[tone];
      pen.fillText(words, x + side / 2, y + side / 2 + scale);
    }
  }
}

function hatch(pen, palette, scale) {
  const tile = element("canvas"), n = Math.round(7 * scale);
  tile.width = tile.height = n;
  const line = tile.getContext("2d");
  line.fillStyle = palette.panel;
  line.fillRect(0, 0, n, n);
  line.strokeStyle = palette.masked;
  line.lineWidth = scale;
  for (const shift of [-n, 0, n]) { line.moveTo(shift, n); line.lineTo(shift + n, 0); }
  line.stroke();
  return pen.createPattern(tile, "repeat");
}

// A matrix as a small picture, one pixel a cell; the style sheet makes it larger.
function paintThumbnail(canvas, palette, { rows, columns, share, blocked }) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const pen = canvas.getContext("2d"), picture = pen.createImageData(columns, rows);
  for (let place = 0; place < rows * columns; place++) {
    const tone = blocked(place) ? STEPS + 1 : toneOf(share(place));
    for (let channel = 0; channel < 4; channel++) picture.data[4 * place + channel] = palette.rgb[4 * tone + channel];
  }
  pen.putImageData(picture, 0, 0);
}
