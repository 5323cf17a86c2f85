// A matrix on the stage: caption, names, cells. It is moved as a whole; a cell can be on its way to its place.

// rows, columns: the names; rowKind, columnKind: whose names ("query", "key", "soft"); kind: what its numbers are
function matrixBlock({ id, caption, kind, rows, columns, rowKind, columnKind }) {
  const root = element("div", "block"), cells = element("div", "cells");
  const head = element("span", "caption", caption);
  const named = (tokens, className) => tokens.map((token) => {
    const node = element("span", `name ${className}`, labelOf(token)); // the readout has all of it
    node.title = token;
    return node;
  });
  const rowNames = named(rows, `${rowKind} down`), columnNames = named(columns, `${columnKind} across`);
  const nodes = [];
  rows.forEach((token, row) => {
    const line = element("div", "line");
    line.setAttribute("role", "row");
    line.setAttribute("aria-label", token);
    columns.forEach((_, column) => {
      const node = element("div", `n ${kind}`);
      node.id = `${id}-${nodes.length}`;
      node.dataset.place = nodes.length;
      nodes.push(node);
      line.append(node);
    });
    cells.append(line);
  });
  cells.setAttribute("aria-label", caption);
  root.append(head, ...rowNames, ...columnNames, cells);
  const block = { root, cells, nodes, kind, caption, columns: columns.length, place: null, flying: false };

  // Its role: the matrix that a step makes answers to keys, the others are read.
  block.answers = (yes, label = caption) => {
    cells.setAttribute("role", yes ? "grid" : "table");
    cells.setAttribute("aria-label", label);
    cells.classList.toggle("numbers", yes);
    if (yes) cells.tabIndex = 0;
    else cells.removeAttribute("tabindex");
    for (const node of nodes) {
      node.setAttribute("role", yes ? "gridcell" : "cell");
      node.classList.toggle("result", yes);
    }
  };
  block.size = ({ cell, line, names, numbers }) => {
    cells.style.width = `${columns.length * (cell + 1)}px`;
    head.style.top = `${-CAPTION - HEADS}px`;
    rowNames.forEach((node, row) => Object.assign(node.style, {
      top: `${row * (line + 1)}px`, height: `${line}px`, lineHeight: `${line}px`, maxWidth: `${rowKind === "soft" ? FEATURE : names}px`,
    }));
    columnNames.forEach((node, column) => Object.assign(node.style, { top: `${-HEADS}px`, left: `${column * (cell + 1)}px`, width: `${cell}px` }));
    block.numbers = numbers;
  };
  // Where it stands, how much of it is seen, and which names it carries.
  block.stand = (place, opacity = 1) => {
    block.place = place;
    root.style.transform = `translate(${place.x}px, ${place.y}px)`;
    root.style.opacity = opacity;
    root.hidden = !opacity;
    head.style.top = `${-CAPTION - (place.columns ? HEADS : 0)}px`;
    for (const node of rowNames) node.hidden = !place.rows;
    for (const node of columnNames) node.hidden = !place.columns;
  };
  block.hide = () => { block.place = null; root.hidden = true; };
  block.write = (m, { tone, palette }) => {
    nodes.forEach((node, place) => dress(node, m.data[place], tone && tone(place), palette, block.numbers));
  };
  // Captions and names come with what has arrived.
  block.label = (opacity) => { for (const node of [head, ...rowNames, ...columnNames]) node.style.opacity = opacity; };
  block.rest = () => {
    if (!block.flying) return;
    block.flying = false;
    block.label(1);
    for (const node of nodes) Object.assign(node.style, { transform: "", opacity: "", zIndex: "" });
  };
  return block;
}

// One cell: its number, and its tone where the style sheet has none for it.
function dress(node, x, tone, palette, numbers) {
  const masked = x === -Infinity, step = tone === undefined || tone === null ? null : toneOf(tone);
  node.textContent = numbers ? short(x) : "";
  node.classList.toggle("blocked", masked);
  node.style.background = masked || step === null ? "" : palette.css[step];
  node.style.color = masked || step === null ? "" : palette.on[step];
}

// ---- Motion ------------------------------------------------------------------------------------------------

const MOVE = 0.4; // the share of a step in which matrices go to their places; in the rest its result is made
const LASTS = 320; // milliseconds a step
const clamp = (x) => Math.max(0, Math.min(1, x));
const eased = (x) => clamp(x) ** 2 * (3 - 2 * clamp(x));
// Of n things that start one after another: how far thing i is when the whole is at `share`.
const turnOf = (share, i, n) => clamp((share - (n > 1 ? (0.55 * i) / (n - 1) : 0)) / 0.45);

// A product: row i of the left matrix and column j of the upper one fly into cell (i, j).
function flyProduct(result, left, above, share, sizes, ghosts) {
  const pitch = sizes.cell + 1, row = sizes.line + 1;
  result.nodes.forEach((node, place) => {
    const i = Math.floor(place / result.columns), j = place % result.columns;
    const now = turnOf(share, place, result.nodes.length), go = eased(now);
    node.style.opacity = clamp(4 * now - 3);
    const to = [result.place.x + j * pitch, result.place.y + i * row];
    const starts = [[left.place.x + (left.columns - 1) * pitch, left.place.y + i * row],
      [above.place.x + j * pitch, above.place.y + (above.nodes.length / above.columns - 1) * row]];
    starts.forEach(([x, y], side) => ghosts.put(2 * place + side, {
      x: x + go * (to[0] - x), y: y + go * (to[1] - y), opacity: now > 0 && now < 1 ? 0.75 : 0, kind: side ? above.kind : left.kind,
    }));
  });
}

// From cell to cell (with `rows`: a whole row at once): each leaves its place and changes on the way.
function flyCells(result, before, share, rows, change) {
  const dx = before.place.x - result.place.x, dy = before.place.y - result.place.y, count = result.nodes.length;
  result.nodes.forEach((node, place) => {
    const row = Math.floor(place / result.columns);
    const now = rows ? turnOf(share, row, count / result.columns) : turnOf(share, place, count), left = 1 - eased(now);
    Object.assign(node.style, {
      transform: `translate(${dx * left}px, ${dy * left}px)`, opacity: now > 0 ? 1 : 0, zIndex: now > 0 && now < 1 ? 2 : "",
    });
    change(node, place, now > 0.5);
  });
}

// The cells that fly in a product: as many as are needed, kept for the next time.
function ghostCells(stage) {
  const nodes = [];
  return {
    put(index, { x, y, opacity, kind }) {
      if (!nodes[index]) {
        nodes[index] = element("div", "n ghost");
        nodes[index].setAttribute("aria-hidden", "true");
        stage.append(nodes[index]);
      }
      const node = nodes[index];
      node.className = `n ghost ${kind}`;
      Object.assign(node.style, { transform: `translate(${x}px, ${y}px)`, opacity, visibility: opacity ? "visible" : "hidden" });
    },
    clear() { for (const node of nodes) node.style.visibility = "hidden"; },
  };
}
