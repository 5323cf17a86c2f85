// The mask of FamilySwitcher: the same tokens on both sides in every family, so that cells keep their places. What
// belongs to one attention has a frame: three frames where there are two stacks.

const MOST_CELL = 27, LEAST_CELL = 11, STACKS_APART = 12; // pixels

// onPoint(place) when the row of a token is pointed at (−1: none), onPick(place) when it is clicked or tapped.
// most: tokens of the longest row: the picture is as high for all.
function maskPicture({ cleanups, most, onPoint, onPick }) {
  const root = element("div", "mask-picture"), grid = element("div", "mask-cells");
  grid.setAttribute("role", "img");
  root.append(grid);
  let scene = null, cells = [], columnNames = [], rowNames = [], strip = [], frames = {}, band = null, width = 0, cross = null;

  const track = (place) => 3 + place + (place >= scene.n_input ? 1 : 0); // the line of the grid before this place
  const put = (node, row, column, kind = "") => {
    node.style.gridRow = row;
    node.style.gridColumn = column;
    if (kind) node.className = kind;
    grid.append(node);
    return node;
  };
  const named = (text, kind) => { const node = element("span", kind, labelOf(text)); node.title = text; return node; };

  function build(newScene) {
    scene = newScene;
    const n = scene.tokens.length, places = scene.tokens.map((_, i) => i);
    grid.replaceChildren();
    put(element("span", "corner soft", "in training"), 1, 1);
    put(element("span", "corner axis key", "key (column)"), 2, 1);
    strip = places.map((j) => put(element("span", "kind"), 1, track(j)));
    columnNames = places.map((j) => put(named(scene.tokens[j], "name-of column"), 2, track(j)));
    rowNames = places.map((i) => put(named(scene.tokens[i], "name-of row-name"), track(i), 1));
    cells = places.flatMap((i) => places.map((j) => {
      const cell = put(element("div", "one"), track(i), track(j));
      cell.append(element("i"));
      return cell;
    }));
    places.forEach((i) => { for (const node of [rowNames[i], ...cells.slice(i * n, (i + 1) * n)]) node.dataset.query = i; });
    frames = {};
    for (const name of ["whole", "encoder", "cross", "decoder"]) {
      frames[name] = put(element("div", `frame ${name}`), 1, 1);
      if (name !== "whole") frames[name].append(element("span", "", name));
    }
    band = put(element("div", "picked"), 1, 1);
    lay();
  }

  // Cells as large as there is room for; two stacks stand a little apart.
  function lay() {
    if (!scene || cross === null) return;
    const n = scene.tokens.length, aside = Math.max(...rowNames.map((node) => node.offsetWidth), grid.children[1].offsetWidth);
    const sizeFor = (count) => Math.max(LEAST_CELL, Math.min(MOST_CELL, Math.floor((width - aside - STACKS_APART - 6) / count)));
    const size = sizeFor(n);
    const gap = cross ? STACKS_APART : 0, rest = n - scene.n_input;
    const sizes = `repeat(${scene.n_input}, ${size}px) ${gap}px repeat(${rest}, ${size}px)`;
    grid.style.gridTemplateColumns = `minmax(${aside}px, max-content) 0px ${sizes}`;
    grid.style.gridTemplateRows = `${Math.min(size, 18)}px var(--names) ${sizes}`;
    root.style.height = `calc(${18 + Math.max(most * sizeFor(most), n * size) + STACKS_APART + 6}px + var(--names))`;
    grid.classList.toggle("dense", size < 16);
  }

  function paint(family, about) {
    const n = scene.tokens.length, now = scene.families[family], read = now.reads.map((word) => word !== null);
    cross = about.cross;
    lay();
    const last = read.lastIndexOf(true);
    cells.forEach((cell, place) => {
      const i = Math.floor(place / n), j = place % n;
      cell.className = `one ${!read[i] || !read[j] ? "absent" : now.open[i][j] === "1" ? "open" : "closed"}`;
    });
    strip.forEach((node, j) => { node.className = `kind ${now.kinds[j]}`; });
    for (const names of [columnNames, rowNames]) {
      names.forEach((node, i) => {
        node.textContent = labelOf(now.reads[i] ?? scene.tokens[i]);
        node.classList.toggle("unread", !read[i]);
      });
    }
    const split = scene.n_input, end = track(last) + 1, inner = track(split - 1) + 1;
    const area = (node, from, to, left, right) => { node.style.gridRow = `${from} / ${to}`; node.style.gridColumn = `${left} / ${right}`; };
    area(frames.whole, 3, end, 3, end);
    area(frames.encoder, 3, inner, 3, inner);
    area(frames.cross, track(split), end, 3, inner);
    area(frames.decoder, track(split), end, track(split), end);
    for (const [name, node] of Object.entries(frames)) node.hidden = (name === "whole") === cross;
    const open = now.open.flatMap((row, i) => [...row].filter((cell, j) => cell === "1" && read[i] && read[j])).length, all = read.filter(Boolean).length;
    grid.setAttribute("aria-label", `mask of the ${family} family, query (row) by key (column): ${about.caption}. ${open} of ${all * all} cells are open.`);
  }

  // The row of one token: whom it sees.
  function mark(place, family) {
    const n = scene.tokens.length, now = scene.families[family], read = now.reads[place] !== null;
    const last = now.reads.map((word) => word !== null).lastIndexOf(true);
    rowNames.forEach((node, i) => node.classList.toggle("on", i === place));
    columnNames.forEach((node, j) => node.classList.toggle("on", read && now.reads[j] !== null && now.open[place][j] === "1"));
    cells.forEach((cell, at) => cell.classList.toggle("on", read && Math.floor(at / n) === place));
    band.hidden = !read;
    band.style.gridRow = track(place);
    band.style.gridColumn = `3 / ${track(last) + 1}`;
  }

  const placeOf = (event) => Number(event.target.closest?.("[data-query]")?.dataset.query ?? -1);
  grid.addEventListener("mouseover", (event) => { if (!touched()) onPoint(placeOf(event)); });
  grid.addEventListener("mouseleave", () => onPoint(-1));
  grid.addEventListener("click", (event) => { const place = placeOf(event); if (place >= 0) onPick(place); });
  onWidth(cleanups, root, (now) => { width = now; lay(); });
  return { root, build, paint, mark };
}
