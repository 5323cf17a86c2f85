// What the live views share. It is put before each view's own file; nothing is fetched.
// Text reaches the page only as textContent, so a token such as "</script>" stays a token.

function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== "") node.textContent = text;
  return node;
}

// A view's outer box. Keys pressed inside it are its own: JupyterLab must not take them for its shortcuts.
function viewBox(el, title) {
  const box = element("div", "course-view");
  box.setAttribute("data-lm-suppress-shortcuts", "true");
  box.addEventListener("keydown", (event) => event.stopPropagation());
  box.append(element("div", "title", title));
  el.append(box);
  return box;
}

// The bytes of a traitlet (a DataView) as 32-bit floats.
function floats(bytes) {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// A numpy array of Python (the trait `Array` of front.py) as a typed array, and back.
function arrayOf(trait) {
  const { buffer, byteOffset, byteLength } = trait.data;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  return trait.dtype === "bool" ? new Uint8Array(bytes) : new Float64Array(bytes);
}
function traitOf(flags, shape) {
  return { dtype: "bool", shape, data: new DataView(Uint8Array.from(flags).buffer) };
}

// Listen to a trait for as long as the view stands.
function listen(model, cleanups, names, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    cleanups.push(() => model.off(`change:${name}`, callback));
  }
}

// One answer of Python changes several traits: `soon(paint)` paints once for all of them.
function soon(callback) {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    queueMicrotask(() => { planned = false; callback(); });
  };
}

// Python hears of a change a moment later, when the picture has been painted: the hand on the mouse comes first.
const MOMENT = 25; // milliseconds
const untold = new Set();
function tellPython(model) {
  if (untold.has(model)) return;
  untold.add(model);
  setTimeout(() => { untold.delete(model); model.save_changes(); }, MOMENT);
}

// Call back when JupyterLab changes between light and dark: canvases must be painted again.
function onTheme(cleanups, callback) {
  const watcher = new MutationObserver(callback);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  cleanups.push(() => watcher.disconnect());
}

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

// A number with few digits and a real minus sign. Only what is exactly 0 is written "0".
function short(number, digits = 2) {
  if (number === 0) return "0";
  if (number === -Infinity) return "−∞";
  const text = Math.abs(number).toFixed(Math.abs(number) < 99.5 ? digits : 0);
  return number < 0 && Number(text) ? `−${text}` : text;
}

// The same where there is room: a number too small for `digits` is written as 4·10⁻⁶.
function exact(number, digits = 3) {
  if (number === 0 || Math.abs(number) >= 0.5 * 10 ** -digits) return short(number, digits);
  const [factor, power] = number.toExponential(0).split("e");
  return `${factor}·10${[...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

// ---- Controls ------------------------------------------------------------------------------------------

// One choice out of several, as radio buttons side by side. options: [value, text or node] pairs.
function choice({ label, options, onChoose, className = "" }) {
  const root = element("div", `chips ${className}`);
  root.setAttribute("role", "radiogroup");
  root.setAttribute("aria-label", label);
  root.append(element("span", "soft", label));
  const group = `choice-${Math.random()}`;
  const inputs = options.map(([value, text]) => {
    const box = element("label"), input = element("input");
    Object.assign(input, { type: "radio", name: group, value });
    input.addEventListener("change", () => onChoose(value));
    box.append(text, input);
    root.append(box);
    return input;
  });
  return { root, show: (value) => inputs.forEach((input, i) => { input.checked = options[i][0] === value; }) };
}

// A switch with two states.
function toggle({ label, onChange }) {
  const root = element("label", "switch"), input = element("input");
  input.type = "checkbox";
  input.setAttribute("role", "switch");
  input.addEventListener("change", () => onChange(input.checked));
  root.append(input, label);
  return { root, show: (on) => { input.checked = on; } };
}

// A slider that says its value. `onInput` while it moves, `onRelease` when it is let go.
function slider({ label, min, max, step = 1, onInput, onRelease }) {
  const root = element("label", "slider"), input = element("input"), value = element("span", "number");
  Object.assign(input, { type: "range", min, max, step });
  input.addEventListener("input", () => onInput(Number(input.value)));
  input.addEventListener("change", onRelease);
  root.append(element("span", "soft", label), input, value);
  return {
    root,
    show(position, text) {
      if (Number(input.value) !== position) input.value = position;
      input.setAttribute("aria-valuetext", text);
      value.textContent = text;
    },
  };
}

// The trait `temperature`, from 0.1 to 10; the middle of the slider is 1.
function temperatureSlider(model) {
  const control = slider({
    label: "temperature", min: -40, max: 40,
    onInput: (position) => model.set("temperature", Number((10 ** (position / 40)).toPrecision(3))),
    onRelease: () => tellPython(model),
  });
  const show = () => {
    const temperature = model.get("temperature");
    control.show(Math.round(40 * Math.log10(temperature)), temperature.toPrecision(3).replace(/\.?0+$/, ""));
  };
  return { root: control.root, show };
}

// ---- Painting ------------------------------------------------------------------------------------------

const STEPS = 100; // tones between weight 0 and weight 1
const palettes = new Map();

// The colours of the page's theme for a canvas: tones from `low` to `high`, ink, paper and hatching.
function paletteOf(low = "weight-0", high = "weight-1") {
  const theme = `${document.body.dataset.jpThemeLight} ${document.body.classList.contains("vscode-dark")}`;
  const key = `${theme} ${low} ${high}`;
  if (palettes.has(key)) return palettes.get(key);
  const probe = element("div", "course-view");
  document.body.append(probe);
  const style = getComputedStyle(probe), colour = (name) => style.getPropertyValue(`--course-${name}`).trim();
  const palette = {
    ink: colour("ink"), paper: colour("paper"), panel: colour("panel"), masked: colour("masked"),
    font: style.fontFamily, css: [], on: [], rgb: null, // on: the colour of text on each tone
  };
  const strip = element("canvas");
  strip.width = STEPS + 4;
  strip.height = 1;
  const pen = strip.getContext("2d", { willReadFrequently: true });
  for (let i = 0; i <= STEPS; i++) {
    pen.fillStyle = `color-mix(in oklab, ${colour(high)} ${(100 * i) / STEPS}%, ${colour(low)})`;
    pen.fillRect(i, 0, 1, 1);
  }
  const inks = [palette.ink, palette.paper];
  [`color-mix(in oklab, ${palette.masked} 55%, ${palette.panel})`, ...inks].forEach((tone, i) => { pen.fillStyle = tone; pen.fillRect(STEPS + 1 + i, 0, 1, 1); });
  palette.rgb = pen.getImageData(0, 0, strip.width, 1).data; // tone STEPS + 1 of a thumbnail: masked
  const contrast = (a, b) => { const [low, high] = [a, b].map((i) => lightness(palette.rgb, i)).sort((x, y) => x - y); return high / low; };
  for (let i = 0; i <= STEPS; i++) {
    palette.css.push(`rgb(${palette.rgb.slice(4 * i, 4 * i + 3).join(" ")})`);
    palette.on.push(inks[contrast(i, STEPS + 2) >= contrast(i, STEPS + 3) ? 0 : 1]);
  }
  probe.remove();
  palettes.set(key, palette);
  return palette;
}

// Relative luminance (WCAG) of pixel i, with the offset of its contrast formula.
function lightness(rgb, i) {
  const [r, g, b] = [0, 1, 2].map((channel) => {
    const c = rgb[4 * i + channel] / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
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
  pen.font = `500 ${(size < 38 ? 11 : 12.5) * scale}px ${palette.font}`;
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

// ---- The grid ------------------------------------------------------------------------------------------

let gridCount = 0;

// A grid of weights: rows are queries, columns are keys.
//   paint(weights, start, allowed)   weights[start + row * columns + column]; allowed null = everything
//   show([row, column] or [])        the pinned cell, set from outside
//   onPin([row, column] or [])       called when the reader pins a cell by click or key
//   onToggle(places, on)             called when the reader masks or unmasks cells; without it a click pins
//   onLook(place)                    called when another cell is pointed at (-1: none)
//   sentence(row, column)            what the readout says about a cell: an array of texts and nodes
function weightGrid({
  rows, columns, rowName, columnName, rowWord = "", columnWord = "", links = [], room = 440, width = 560, largest = 38,
  onPin, onToggle, onLook, sentence, hint, sums = false, low = "weight-0", high = "weight-1", caption = "weight", most = "1",
}) {
  const id = `course-grid-${++gridCount}`;
  const size = Math.max(14, Math.min(largest, Math.floor(room / rows.length) - 1, Math.floor(width / columns.length) - 1));
  const gold = new Set(links.map(([row, column]) => row * columns.length + column));
  const longest = Math.max(...columns.map((token) => [...token].length));
  const turned = longest * 8.5 + 8 > size;
  const keys = "Arrow keys move, Home and End go to the ends of the row, Escape lets go."
    + (onToggle ? " Space masks or unmasks the cell, R its row, C its column." : "");

  const root = element("div");
  const names = element("div", "row axis");
  if (rowName) names.append(element("span", "axis query", rowName), element("span", "soft", "·"));
  names.append(element("span", "axis key", columnName));
  const ruler = element("span", "scale"), end = element("span", "soft", most);
  ruler.style.setProperty("--low", `var(--course-${low})`);
  ruler.style.setProperty("--high", `var(--course-${high})`);
  names.append(element("span", "soft", `·  ${caption} 0`), ruler, end);
  const stage = element("div", "stage");
  const grid = element("div", onToggle ? "grid editable" : "grid");
  grid.tabIndex = 0;
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", `${caption}: ${rowName || "query (row)"} by ${columnName}. ${keys}`);
  grid.style.setProperty("--size", `${size}px`);
  if (size < 16) grid.classList.add("dense");
  if (!rowName) grid.classList.add("without-rows");
  grid.style.gridTemplateColumns = `max-content repeat(${columns.length}, ${size}px)` + (sums ? " max-content" : "");
  grid.style.gridTemplateRows = `max-content repeat(${rows.length}, ${size}px)`;
  const canvas = element("canvas", "cells");
  canvas.style.gridArea = `2 / 2 / ${rows.length + 2} / ${columns.length + 2}`;
  canvas.setAttribute("aria-hidden", "true");
  const readout = element("div", "readout");
  readout.setAttribute("aria-live", "polite");
  grid.append(canvas);
  stage.append(grid);
  root.append(names, stage, readout);

  const line = (parent) => {
    const node = element("div");
    node.setAttribute("role", "row");
    node.style.display = "contents";
    parent.append(node);
    return node;
  };
  const label = (text, className, role, place) => {
    const node = element("span", `token ${className}`, text);
    node.title = text;
    node.setAttribute("role", role);
    Object.assign(node.dataset, place);
    return node;
  };
  const head = line(grid);
  head.append(element("span"));
  const columnTokens = columns.map((token, column) =>
    label(token, "of-column" + (turned ? " turned" : ""), "columnheader", { column }));
  head.append(...columnTokens);
  if (sums) head.append(element("span", "token of-column sum", "sum"));
  const sumCells = [];
  const rowTokens = rows.map((token, row) => {
    const node = label(token, "of-row", "presentation", { row }); // the row of cells carries its name
    node.style.gridRow = row + 2;
    grid.append(node);
    if (sums) {
      const sum = element("span", "sum number");
      Object.assign(sum.style, { gridRow: row + 2, gridColumn: columns.length + 2 });
      grid.append(sum);
      sumCells.push(sum);
    }
    return node;
  });
  const body = element("div", "body");
  body.setAttribute("role", "rowgroup");
  body.style.gridArea = `2 / 2 / ${rows.length + 2} / ${columns.length + 2}`;
  body.style.gridTemplateColumns = `repeat(${columns.length}, ${size}px)`;
  const cells = rows.flatMap((token, row) => {
    const rowLine = line(body);
    rowLine.setAttribute("aria-label", token);
    return columns.map((_, column) => {
      const place = row * columns.length + column;
      const cell = element("div", gold.has(place) ? "cell gold" : "cell");
      cell.id = `${id}-${place}`;
      cell.dataset.place = place;
      cell.setAttribute("role", "gridcell");
      rowLine.append(cell);
      return cell;
    });
  });
  // What moves with the pointer lies over the cells, in a layer of its own: if one of a thousand cells changed, the
  // browser would look at all of them again.
  const over = element("div", "over"), band = element("div", "band"), mark = element("div", "mark");
  over.style.gridArea = body.style.gridArea;
  over.append(band, mark);
  grid.append(body, over);

  let values = [], start = 0, allowed = null, top = 1, pinned = -1, shown = -1;
  const isAllowed = (place) => !allowed || Boolean(allowed[start + place]);

  function plainSentence(row, column) {
    const place = row * columns.length + column;
    const text = isAllowed(place) ? (values[start + place] ?? 0).toFixed(2) : "not allowed";
    return [
      `${rowWord} `, element("span", "query", rows[row]), ` looks at ${columnWord} `, element("span", "key", columns[column]),
      ": weight ", element("span", "number", text), gold.has(place) ? " (known link)" : "",
    ];
  }

  function light(place, on) {
    if (place < 0) return;
    const row = Math.floor(place / columns.length), column = place % columns.length;
    rowTokens[row].classList.toggle("on", on);
    columnTokens[column].classList.toggle("on", on);
    over.classList.toggle("on", on);
    band.style.transform = `translateY(${row * (size + 1)}px)`;
    mark.style.transform = `translate(${column * (size + 1)}px, ${row * (size + 1)}px)`;
  }

  function look(place, tell = true) {
    if (place !== shown) {
      light(shown, false);
      shown = place;
      light(shown, true);
    }
    read();
    if (tell && onLook) onLook(place);
  }

  function read() {
    readout.replaceChildren();
    if (shown < 0) {
      readout.append(element("span", "soft", hint ?? (onToggle
        ? "Click a cell to mask it, a token for its whole row or column. By keyboard: Tab, arrow keys, Space."
        : "Point at a cell, or press Tab and use the arrow keys. A click pins the cell.")));
      return;
    }
    const row = Math.floor(shown / columns.length), column = shown % columns.length;
    readout.append(...(sentence ?? plainSentence)(row, column), pinned === shown && !onToggle ? " · pinned" : "");
    cells[shown].setAttribute("aria-label", readout.textContent);
  }

  function pin(place, tell = true, scroll = false) {
    pinned = place;
    if (place >= 0) grid.setAttribute("aria-activedescendant", cells[place].id);
    else grid.removeAttribute("aria-activedescendant");
    look(place);
    if (place >= 0 && scroll) cells[place].scrollIntoView({ block: "nearest", inline: "nearest" });
    if (tell && onPin) onPin(place < 0 ? [] : [Math.floor(place / columns.length), place % columns.length]);
  }

  // Masking: one cell, or a whole row or column (unmasked when all of it is masked).
  const inRow = (row) => columns.map((_, column) => row * columns.length + column);
  const inColumn = (column) => rows.map((_, row) => row * columns.length + column);
  const flip = (places) => onToggle(places, !places.some(isAllowed));

  const placeOf = (event) => (event.target.dataset?.place === undefined ? -1 : Number(event.target.dataset.place));
  let brush = null, dragged = false; // brush: what a drag with the mouse sets
  grid.addEventListener("mousedown", (event) => {
    dragged = false;
    brush = onToggle && placeOf(event) >= 0 ? { place: placeOf(event), on: !isAllowed(placeOf(event)) } : null;
  });
  grid.addEventListener("mouseover", (event) => {
    const place = placeOf(event);
    if (place < 0) return;
    look(place);
    if (!brush || event.buttons !== 1 || place === brush.place) return;
    onToggle(dragged ? [place] : [brush.place, place], brush.on);
    dragged = true;
  });
  grid.addEventListener("mouseleave", () => { brush = null; look(pinned); });
  grid.addEventListener("click", (event) => {
    const place = placeOf(event), { row, column } = event.target.dataset ?? {};
    brush = null;
    if (dragged) dragged = false;
    else if (place >= 0 && onToggle) { flip([place]); pin(place); }
    else if (place >= 0) pin(place === pinned ? -1 : place);
    else if (onToggle && row !== undefined) flip(inRow(Number(row)));
    else if (onToggle && column !== undefined) flip(inColumn(Number(column)));
  });
  grid.addEventListener("focus", () => { if (pinned < 0 && grid.matches(":focus-visible")) pin(0); });
  grid.addEventListener("keydown", (event) => {
    const now = Math.max(0, pinned), row = Math.floor(now / columns.length), column = now % columns.length;
    const all = event.ctrlKey || event.metaKey;
    const move = {
      ArrowUp: () => [row - 1, column], ArrowDown: () => [row + 1, column],
      ArrowLeft: () => [row, column - 1], ArrowRight: () => [row, column + 1],
      Home: () => [all ? 0 : row, 0], End: () => [all ? rows.length - 1 : row, columns.length - 1],
    }[event.key];
    const mask = all || !onToggle ? undefined : {
      " ": () => [now], r: () => inRow(row), c: () => inColumn(column),
    }[event.key.toLowerCase()];
    if (event.key === "Escape") pin(-1);
    else if (mask) {
      if (pinned < 0) pin(now);
      flip(mask());
    } else if (move) {
      const [r, c] = move();
      pin(Math.max(0, Math.min(rows.length - 1, r)) * columns.length + Math.max(0, Math.min(columns.length - 1, c)), true, true);
    } else return;
    event.preventDefault();
  });

  // options: top: the value of the darkest tone, and most: how the legend writes it; for a cell that is not allowed,
  // hollow(place): whether it is hatched, text(place): what is written in it; mark(place): `data-mark` of any cell
  function paint(newValues, newStart = 0, newAllowed = null, options = {}) {
    values = newValues; start = newStart; allowed = newAllowed; top = options.top ?? 1;
    const hollow = options.hollow ?? (() => true);
    paintCells(canvas, paletteOf(low, high), {
      rows: rows.length, columns: columns.length, size,
      share: (place) => values[start + place] / top,
      blocked: (place) => !isAllowed(place) && hollow(place),
      text: size >= 30 ? (place) => (isAllowed(place) ? short(values[start + place]) : options.text?.(place) ?? "") : null,
    });
    end.textContent = options.most ?? most;
    if (options.mark) cells.forEach((cell, place) => { cell.dataset.mark = options.mark(place); });
    sumCells.forEach((node, row) => {
      let sum = 0;
      for (let c = 0; c < columns.length; c++) sum += values[start + row * columns.length + c];
      node.textContent = Math.abs(sum - 1) < 5e-7 ? "1" : short(sum);
      node.classList.toggle("odd", Math.abs(sum - 1) >= 5e-7 && sum !== 0);
    });
    read();
  }

  function show(cell) {
    const place = cell.length === 2 ? cell[0] * columns.length + cell[1] : -1;
    if (place !== pinned && place < cells.length) pin(place, false);
  }

  return { root, stage, grid, readout, paint, show, look: (place) => look(place, false), pinned: () => pinned };
}
