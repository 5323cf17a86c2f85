// The grid once more, as a sentence: an arc from a query to each key it looks at, as thick as the weight. Where queries
// and keys are the same words, arcs to earlier words run above them and arcs to later words below: a causal mask leaves
// nothing below. One query's weights also stand as bars, with their entropy.

const ARC = 62, BARS = 46, LEAST_PITCH = 13, MOST_PITCH = 92; // pixels; a sentence whose words stand closer is not drawn
const FAINT = 0.04; // weights below are not drawn while all queries are

// cleanups: what the view undoes when it goes. rows, columns: the words. onWord(row): a query is pointed at (-1: none).
function sentenceArcs({ cleanups, rows, columns, onWord }) {
  const same = rows.length === columns.length && rows.every((word, i) => word === columns[i]);
  const root = element("div", "sentence");
  root.setAttribute("aria-hidden", "true"); // the grid and the readout say all of it
  const title = element("div", "soft"), picture = drawn("svg");
  root.append(title, picture);
  const arcs = drawn("g"), written = drawn("g"), bars = drawn("g");
  picture.append(arcs, written, bars);
  let width = 0, last = null, words = null, planned = false; // words: nodes by their place, for the layout they have

  function layout() {
    const longest = Math.max(columns.length, rows.length), pitch = Math.min(MOST_PITCH, (width - 8) / longest);
    const letters = Math.max(...[...rows, ...columns].map((word) => [...labelOf(word)].length));
    const turned = letters * 7.6 + 6 > pitch, band = turned ? Math.min(78, 7.4 * letters + 12) : 24;
    const x = (i) => 4 + pitch * (i + 0.5);
    if (same) return { pitch, turned, band, x, queries: ARC, keys: ARC, bars: ARC + band + ARC, height: 2 * ARC + band + BARS };
    return { pitch, turned, band, x, queries: 0, keys: band + ARC + 10, bars: 2 * band + ARC + 10, height: 2 * band + ARC + 10 + BARS };
  }
  // From query i to key j.
  function arc({ x, band, queries, keys, pitch }, i, j) {
    if (!same) {
      const [from, to] = [queries + band, keys];
      return `M${x(i)} ${from} C${x(i)} ${from + ARC * 0.6} ${x(j)} ${to - ARC * 0.6} ${x(j)} ${to}`;
    }
    const later = j > i, y = later ? queries + band : queries;
    if (i === j) return `M${x(i) - 5} ${y} a5 9 0 0 1 10 0`;
    const rx = Math.abs(x(j) - x(i)) / 2, ry = Math.min(ARC - 6, 8 + 0.5 * rx);
    return `M${x(i)} ${y} A${rx} ${ry} 0 0 0 ${x(j)} ${y}`;
  }

  // weights[start + i * columns + j]; row: the query that is pointed at, -1 for all; plain: the weights of that row at
  // temperature 1, or null. It is drawn when the grid has been painted: the hand on the mouse comes first.
  function paint(...what) {
    last = what;
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => setTimeout(() => { planned = false; draw(...last); }));
  }
  function draw(weights, start, allowed, row, plain) {
    if (!width) return;
    const place = layout(), { x, pitch } = place, n = columns.length;
    const narrow = pitch < LEAST_PITCH;
    for (const part of [title, picture]) part.style.display = narrow ? "none" : "";
    if (narrow) return;
    const palette = paletteOf(), lines = [], columnsOfRow = [];
    const weight = (i, j) => weights[start + i * n + j], may = (i, j) => Boolean(allowed[start + i * n + j]);
    for (let i = 0; i < rows.length; i++) {
      if (row >= 0 && i !== row) continue;
      for (let j = 0; j < n; j++) {
        const w = weight(i, j);
        if (!(w > (row >= 0 ? 0 : FAINT))) continue;
        lines.push(drawn("path", { d: arc(place, i, j), class: "arc", stroke: palette.css[Math.max(22, toneOf(w))], "stroke-width": 0.8 + 6 * w }));
      }
    }
    arcs.replaceChildren(...lines);
    words ??= writeWords(place);
    const state = (j) => (row < 0 ? "" : may(row, j) ? "key" : "key forbidden");
    words.rows.forEach((mark, i) => mark(row === i ? "query" : same ? state(i) : ""));
    words.columns.forEach((mark, j) => mark(state(j)));
    if (row >= 0) {
      const bottom = place.bars + BARS - 2, full = BARS - 8, wide = Math.min(26, pitch - 3);
      columnsOfRow.push(drawn("line", { x1: 4, x2: x(n - 1) + pitch / 2, y1: bottom, y2: bottom, class: "ruler" }));
      for (let j = 0; j < n; j++) {
        const bar = (w, attributes) => drawn("rect", { x: x(j) - wide / 2, y: bottom - full * w, width: wide, height: full * w, ...attributes });
        columnsOfRow.push(bar(weight(row, j), { fill: palette.css[70], class: "bar" }));
        if (plain) columnsOfRow.push(bar(plain[j], { class: "plain" }));
      }
    }
    bars.replaceChildren(...columnsOfRow);
    say(row, n, weight, may, Boolean(plain));
  }
  // The words, once for each layout: functions that mark a word.
  function writeWords({ x, band, pitch, turned, queries, keys, height }) {
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
    written.replaceChildren();
    const wide = Math.min(pitch - 1, turned ? 26 : Infinity), most = Math.floor((turned ? band - 8 : pitch) / 7.4);
    const word = (text, at, top, query) => {
      const letters = [...labelOf(text)], y = top + (turned ? band - 5 : 17), mine = query ? { "data-word": at } : {};
      const back = drawn("rect", { x: x(at) - wide / 2, y: top + 1, width: wide, height: band - 2, rx: 4, ...mine });
      const node = drawn("text", {
        "text-anchor": turned ? "start" : "middle", ...mine,
        transform: turned ? `translate(${x(at) + 4.5} ${y}) rotate(-90)` : `translate(${x(at)} ${y})`,
      });
      node.textContent = letters.length > most ? `${letters.slice(0, Math.max(1, most - 1)).join("")}…` : labelOf(text);
      written.append(back, node);
      let now = null;
      return (mark) => {
        if (mark === now) return;
        now = mark;
        back.setAttribute("class", `back ${mark}`);
        node.setAttribute("class", `word ${mark}`);
      };
    };
    return {
      rows: rows.map((text, i) => word(text, i, queries, true)),
      columns: same ? [] : columns.map((text, j) => word(text, j, keys, false)),
    };
  }
  function say(row, n, weight, may, outlined) {
    if (row < 0) {
      title.textContent = same
        ? "Arcs from each word to the words it looks at: earlier ones above, later ones below. Point at a word."
        : "Lines from each query (above) to the keys it looks at (below). Point at a query.";
      return;
    }
    let bits = 0, open = 0;
    for (let j = 0; j < n; j++) {
      const w = weight(row, j);
      if (w > 0) bits -= w * Math.log2(w);
      open += may(row, j) ? 1 : 0;
    }
    const most = open > 0 ? Math.log2(open) : 0;
    title.replaceChildren("Bars: the weights of “", element("span", "query", rows[row]), `”; entropy ${exact(Math.max(0, bits), 2)} bits`,
      open > 1 ? ` (all ${open} equal: ${exact(most, 2)})` : "", outlined ? ". Outlines: at temperature 1." : ".");
  }

  const wordOf = (event) => (event.target.dataset?.word ? Number(event.target.dataset.word) : -1);
  picture.addEventListener("mouseover", (event) => { if (wordOf(event) >= 0) onWord(wordOf(event)); });
  picture.addEventListener("click", (event) => { if (wordOf(event) >= 0) onWord(wordOf(event)); });
  picture.addEventListener("mouseleave", () => onWord(-1));
  onWidth(cleanups, root, (now) => {
    width = now;
    words = null;
    if (last) draw(...last);
  });
  return { root, paint };
}
