// The grid of weights: tokens on both sides, cells that mouse and keyboard reach.

// A grid of weights: rows are queries, columns are keys.
//   paint(weights, start, allowed)   weights[start + row * columns + column]; allowed null = everything
//   show([row, column] or [])        the pinned cell, set from outside
//   onPin([row, column] or [])       called when the reader pins a cell by click or key
//   onToggle(places, on, goesOn)     called when the reader masks or unmasks cells; without it a click pins
//                                    (goesOn: the same stroke as the call before)
//   onLook(place)                    called when another cell is pointed at (-1: none)
//   sentence(row, column)            what the readout says about a cell: an array of texts and nodes
// Cells are as large as `room` (height), `width` and `largest` let them be, in pixels; with `fits` also as the page
// lets them be, now and when its width changes (then `cleanups` is what the view undoes when it goes).
function weightGrid({
  rows, columns, rowName, columnName, rowWord = "", columnWord = "", links = [], room = 440, width = 560, largest = 38,
  cleanups, fits = false, onPin, onToggle, onLook, sentence, hint, sums = false, low = "weight-0", high = "weight-1", caption = "weight", most = "1",
}) {
  const id = ownId("grid");
  const sizeFor = (space) => Math.max(fits ? 12 : 14, Math.min(largest, Math.floor(room / rows.length) - 1, Math.floor(space / columns.length) - 1));
  let size = sizeFor(width);
  const gold = new Set(links.map(([row, column]) => row * columns.length + column));
  const longest = Math.max(...columns.map((token) => [...labelOf(token)].length));
  const keys = "Arrow keys move, Home and End go to the ends of the row, Escape lets go."
    + (onToggle ? " Space masks or unmasks the cell, R its row, C its column." : "");

  const root = element("div");
  const names = element("div", "row axis");
  if (rowName) names.append(element("span", "axis query", rowName), element("span", "soft", "·"));
  names.append(element("span", "axis key", columnName));
  const ruler = element("span", "scale"), end = element("span", "soft", most);
  ruler.style.setProperty("--ramp", `var(--course-ramp-${rampOf(low, high)})`);
  names.append(element("span", "soft", `·  ${caption} 0`), ruler, end);
  const stage = element("div", "stage");
  const grid = element("div", onToggle ? "grid editable" : "grid");
  grid.tabIndex = 0;
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", `${caption}: ${rowName || "query (row)"} by ${columnName}. ${keys}`);
  if (!rowName) grid.classList.add("without-rows");
  grid.style.gridTemplateColumns = `max-content repeat(${columns.length}, var(--size))` + (sums ? " max-content" : "");
  grid.style.gridTemplateRows = `max-content repeat(${rows.length}, var(--size))`;
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
    const node = element("span", `token ${className}`, labelOf(text)); // the readout has all of it
    node.title = text;
    node.setAttribute("role", role);
    Object.assign(node.dataset, place);
    return node;
  };
  const head = line(grid);
  head.append(element("span"));
  const columnTokens = columns.map((token, column) =>
    label(token, "of-column", "columnheader", { column }));
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
  body.style.gridTemplateColumns = `repeat(${columns.length}, var(--size))`;
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
  over.setAttribute("aria-hidden", "true");
  over.style.gridArea = body.style.gridArea;
  over.append(band, mark);
  grid.append(body, over);

  let values = [], start = 0, allowed = null, top = 1, pinned = -1, shown = -1;
  const isAllowed = (place) => !allowed || Boolean(allowed[start + place]);

  function plainSentence(row, column) {
    const place = row * columns.length + column;
    const text = isAllowed(place) ? exact(values[start + place] ?? 0, 2) : "not allowed";
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
        ? touched() ? "Tap a cell to read it, tap it again to mask it; drag from there to mask several."
          : "Click a cell to mask it, a token for its whole row or column. By keyboard: Tab, arrow keys, Space."
        : touched() ? "Tap a cell to read it." : "Point at a cell, or press Tab and use the arrow keys. A click pins the cell.")));
      return;
    }
    const row = Math.floor(shown / columns.length), column = shown % columns.length;
    readout.append(...(sentence ?? plainSentence)(row, column), pinned === shown && !onToggle ? " · pinned" : "");
    cells[shown].setAttribute("aria-label", readout.textContent);
  }

  function pin(place, tell = true, scroll = false) {
    cells[pinned]?.classList.remove("held");
    pinned = place;
    if (onToggle) cells[pinned]?.classList.add("held"); // a finger that starts here paints; elsewhere it moves the page
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

  // Mouse: a click turns a cell, a drag paints what the first cell becomes. Finger: a tap reads a cell, a second tap
  // turns it, and a drag that starts in the cell that was read paints.
  const placeOf = (node) => (node?.dataset?.place === undefined || !grid.contains(node) ? -1 : Number(node.dataset.place));
  let brush = null, dragged = false, finger = false, tapped = null;
  grid.addEventListener("pointerdown", (event) => {
    const place = placeOf(event.target);
    finger = event.pointerType === "touch";
    dragged = false;
    brush = onToggle && place >= 0 && (!finger || place === pinned) ? { place, on: !isAllowed(place) } : null;
  });
  function paintTo(place) {
    if (!brush || place < 0 || place === brush.last || (place === brush.place && !dragged)) return;
    onToggle(dragged ? [place] : [brush.place, place], brush.on, dragged);
    brush.last = place;
    dragged = true;
  }
  grid.addEventListener("mouseover", (event) => {
    const place = placeOf(event.target);
    if (place < 0) return;
    look(place);
    if (event.buttons === 1) paintTo(place);
  });
  grid.addEventListener("pointermove", (event) => { // a finger keeps the cell in which it started
    if (!finger || !brush) return;
    const place = placeOf(grid.getRootNode().elementFromPoint(event.clientX, event.clientY));
    if (place >= 0) look(place);
    paintTo(place);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    grid.addEventListener(end, () => { brush = null; if (finger && dragged) pin(shown); });
  }
  grid.addEventListener("mouseleave", () => { if (!finger) { brush = null; look(pinned); } });
  grid.addEventListener("click", (event) => {
    const place = placeOf(event.target), { row, column } = event.target.dataset ?? {};
    brush = null;
    const again = tapped === event.target;
    tapped = event.target;
    if (dragged) dragged = false;
    else if (finger && !again && place < 0 && event.target.title && readout.isConnected) {
      readout.replaceChildren(event.target.title, onToggle ? ": tap again to mask or unmask all of it" : ""); // the whole token
    } else if (place >= 0 && onToggle && finger && place !== pinned) pin(place);
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
  let last = null; // what was painted, for another size of the cells
  function paint(newValues, newStart = 0, newAllowed = null, options = {}) {
    last = [newValues, newStart, newAllowed, options];
    values = newValues; start = newStart; allowed = newAllowed; top = options.top ?? 1;
    const hollow = options.hollow ?? (() => true);
    paintCells(canvas, paletteOf(low, high), {
      rows: rows.length, columns: columns.length, size,
      share: (place) => values[start + place] / top,
      blocked: (place) => !isAllowed(place) && hollow(place),
      text: size >= 26 ? (place) => (isAllowed(place) ? short(values[start + place]) : options.text?.(place) ?? "") : null,
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

  // Other cells for another width; `space` is for the cells alone.
  function resize(space = width) {
    size = sizeFor(Math.min(space, width));
    grid.style.setProperty("--size", `${size}px`);
    grid.classList.toggle("dense", size < 16);
    columnTokens.forEach((node) => node.classList.toggle("turned", longest * 8.5 + 8 > size));
    if (!last) return;
    paint(...last);
    light(shown, shown >= 0);
  }
  resize();
  if (fits) onWidth(cleanups, root, () => {
    const aside = Math.max(...rowTokens.map((node) => node.offsetWidth)) + (sumCells[0]?.offsetWidth ?? 0);
    resize(root.clientWidth - aside - 8);
  });

  function show(cell) {
    const place = cell.length === 2 ? cell[0] * columns.length + cell[1] : -1;
    if (place !== pinned && place < cells.length) pin(place, false);
  }

  return { root, grid, canvas, readout, paint, show, look: (place) => look(place, false), pinned: () => pinned, size: () => size };
}
