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

function flagsOf(bytes) {
  return bytes.byteLength ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null;
}

// Listen to a trait for as long as the view stands.
function listen(model, cleanups, names, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    cleanups.push(() => model.off(`change:${name}`, callback));
  }
}

let gridCount = 0;

// A grid of weights: rows are queries, columns are keys.
//   paint(weights, start, blocked)   weights[start + row * columns + column]
//   show([row, column] or [])        the pinned cell, set from outside
//   onPin([row, column] or [])       called when the reader pins a cell by click or key
function weightGrid({ rows, columns, rowName, columnName, rowWord, columnWord, links = [], onPin, room = 440, width = 560 }) {
  const id = `course-grid-${++gridCount}`;
  const size = Math.max(14, Math.min(38, Math.floor(room / rows.length) - 1, Math.floor(width / columns.length) - 1));
  const gold = new Set(links.map(([row, column]) => row * columns.length + column));
  const longest = Math.max(...columns.map((token) => [...token].length));
  const turned = longest * 8.5 + 8 > size;

  const root = element("div");
  const names = element("div", "row axis");
  names.append(element("span", "axis query", rowName), element("span", "soft", "·"), element("span", "axis key", columnName));
  names.append(element("span", "soft", "·  weight 0"), element("span", "scale"), element("span", "soft", "1"));
  const stage = element("div", "stage");
  const grid = element("div", "grid");
  grid.tabIndex = 0;
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", `${rowName} by ${columnName}. Arrow keys move, Home and End go to the ends of the row, Escape lets go.`);
  grid.style.setProperty("--size", `${size}px`);
  if (size < 16) grid.classList.add("dense");
  grid.style.gridTemplateColumns = `max-content repeat(${columns.length}, ${size}px)`;
  const readout = element("div", "readout");
  readout.setAttribute("aria-live", "polite");
  stage.append(grid);
  root.append(names, stage, readout);

  const line = () => {
    const node = element("div");
    node.setAttribute("role", "row");
    node.style.display = "contents";
    grid.append(node);
    return node;
  };
  const head = line();
  head.append(element("span"));
  const columnTokens = columns.map((token) => {
    const node = element("span", "token of-column" + (turned ? " turned" : ""), token);
    node.setAttribute("role", "columnheader");
    head.append(node);
    return node;
  });
  const cells = [];
  const rowTokens = rows.map((token, row) => {
    const rowLine = line();
    const node = element("span", "token of-row", token);
    node.setAttribute("role", "rowheader");
    rowLine.append(node);
    columns.forEach((_, column) => {
      const place = row * columns.length + column;
      const cell = element("div", gold.has(place) ? "cell gold" : "cell");
      cell.id = `${id}-${place}`;
      cell.dataset.place = place;
      cell.setAttribute("role", "gridcell");
      rowLine.append(cell);
      cells.push(cell);
    });
    return node;
  });

  let values = [], start = 0, blocked = null, pinned = -1, shown = -1;

  function weightText(place) {
    return blocked && !blocked[start + place] ? "not allowed" : (values[start + place] ?? 0).toFixed(2);
  }

  function light(place, on) {
    if (place < 0) return;
    const row = Math.floor(place / columns.length), column = place % columns.length;
    rowTokens[row].classList.toggle("on", on);
    columnTokens[column].classList.toggle("on", on);
    for (let c = 0; c < columns.length; c++) cells[row * columns.length + c].classList.toggle("in-row", on);
    cells[place].classList.toggle("on", on);
  }

  function look(place) {
    light(shown, false);
    shown = place;
    light(shown, true);
    read();
  }

  function read() {
    readout.replaceChildren();
    if (shown < 0) {
      readout.append(element("span", "soft", "Point at a cell, or press Tab and use the arrow keys. A click pins the cell."));
      return;
    }
    const row = Math.floor(shown / columns.length), column = shown % columns.length;
    const text = weightText(shown);
    cells[shown].setAttribute("aria-label", `${rows[row]}, ${columns[column]}, ${text}`);
    readout.append(
      `${rowWord} `, element("span", "query", rows[row]), ` looks at ${columnWord} `, element("span", "key", columns[column]),
      ": weight ", element("span", "number", text),
      gold.has(shown) ? " (known link)" : "", pinned === shown ? " · pinned" : "",
    );
  }

  function pin(place, tell = true) {
    pinned = place;
    if (place >= 0) grid.setAttribute("aria-activedescendant", cells[place].id);
    else grid.removeAttribute("aria-activedescendant");
    look(place);
    if (place >= 0 && tell) cells[place].scrollIntoView({ block: "nearest", inline: "nearest" });
    if (tell && onPin) onPin(place < 0 ? [] : [Math.floor(place / columns.length), place % columns.length]);
  }

  const placeOf = (event) => (event.target.dataset?.place === undefined ? -1 : Number(event.target.dataset.place));
  grid.addEventListener("mouseover", (event) => { if (placeOf(event) >= 0) look(placeOf(event)); });
  grid.addEventListener("mouseleave", () => look(pinned));
  grid.addEventListener("click", (event) => {
    const place = placeOf(event);
    if (place >= 0) pin(place === pinned ? -1 : place);
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
    if (event.key === "Escape") pin(-1);
    else if (move) {
      const [r, c] = move();
      pin(Math.max(0, Math.min(rows.length - 1, r)) * columns.length + Math.max(0, Math.min(columns.length - 1, c)));
    } else return;
    event.preventDefault();
  });

  function paint(newValues, newStart = 0, newBlocked = null) {
    values = newValues; start = newStart; blocked = newBlocked;
    for (let place = 0; place < cells.length; place++) {
      cells[place].style.setProperty("--w", values[start + place].toFixed(3));
      cells[place].classList.toggle("blocked", Boolean(blocked) && !blocked[start + place]);
    }
    read();
  }

  function show(cell) {
    const place = cell.length === 2 ? cell[0] * columns.length + cell[1] : -1;
    if (place !== pinned && place < cells.length) pin(place, false);
  }

  return { root, stage, grid, paint, show };
}
