// Before and after: the old weights stay as outlines, and each row says how much of its weight moved.

const MOVED = 0.005; // smaller changes have no outline

// Outlines in the tone of the old weight, over cells that are painted.
function paintOld(canvas, palette, columns, size, now, old) {
  const scale = window.devicePixelRatio || 1, pitch = (size + 1) * scale, side = Math.round(size * scale);
  const pen = canvas.getContext("2d"), line = Math.max(2, Math.round(size / 14)) * scale;
  for (let place = 0; place < now.length; place++) {
    if (Math.abs(now[place] - old[place]) < MOVED) continue;
    const x = Math.round((place % columns) * pitch), y = Math.round(Math.floor(place / columns) * pitch);
    const outline = [line / 2, line, palette.css[toneOf(old[place])]], gap = [line + 0.5 * scale, scale, palette.paper];
    for (const [inset, width, colour] of size < 34 ? [outline] : [outline, gap]) { // in small cells the number needs the room
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.strokeRect(x + inset, y + inset, side - 2 * inset, side - 2 * inset);
    }
  }
}

// How much weight moved in each row: the larger of what it gained and what it lost.
function movedOf(now, old, columns) {
  return Array.from({ length: now.length / columns }, (_, row) => {
    let gained = 0, lost = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      if (now[at] > old[at]) gained += now[at] - old[at];
      else lost += old[at] - now[at];
    }
    return Math.max(gained, lost);
  });
}

// A column "Δ" behind the sums of a grid; `show(values)` fills it, null empties it.
function movedColumn(grid, rows, columns) {
  grid.grid.style.gridTemplateColumns += " var(--moved)";
  const head = element("span", "token of-column sum moved", "Δ"), cells = rows.map(() => element("span", "sum moved"));
  head.title = "how much weight moved in the row with the last change";
  for (const [row, cell] of [head, ...cells].entries()) Object.assign(cell.style, { gridRow: row + 1, gridColumn: columns.length + 3 });
  grid.grid.append(head, ...cells);
  return { show: (values) => cells.forEach((cell, row) => { cell.textContent = values?.[row] > 1e-12 ? short(values[row]) : ""; }) };
}
