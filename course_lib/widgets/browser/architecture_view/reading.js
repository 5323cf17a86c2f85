// What ArchitectureView says about one box, and the sum of its parameters.

const LARGEST_MASK = 20; // positions; of a longer text the first ones

// A box in words: name, what it does, shapes, parameters, equation, source; a self-attention with its mask.
function readingOf(key, table, masks, prefix) {
  const found = table.boxes[key], words = found ?? table.missing[key], [side, part] = key.split(".");
  const head = element("div", "head-line");
  head.append(element("span", "number", words.whole), element("span", "soft", found?.layer ? ` ${side}, ${found.layer}` : ` ${side}`));
  if (!found) return [head, element("div", "", words.says)];
  const list = element("dl");
  const line = (what, text, className = "") => {
    if (text) list.append(element("dt", "soft", what), element("dd", className, text));
  };
  line("in", found.in.join(" and "), "shape");
  line("inside", found.inside, "shape");
  line("out", found.out, "shape result");
  line("parameters", found.parameters);
  line("equation", found.equation, "math");
  line("source", found.source);
  const all = [head, element("div", "", found.says), list];
  if (part === "self_attention") {
    const length = Number(found.out.match(/[STN]=(\d+)/)[1]), n = Math.min(length, LARGEST_MASK);
    const figure = element("div", "who");
    const caption = element("span", "soft");
    caption.append(element("span", "axis query", "query (row)"), element("br"), element("span", "axis key", "key (column)"), element("br"), "hatched: forbidden");
    figure.append(maskPicture(masks[side], n, Math.min(prefix, n), Math.max(4, Math.floor(84 / n))), caption);
    all.push(figure);
  }
  return all;
}

// The total as a table of its parts.
function sumOf(table) {
  const root = element("table", "ledger"), body = element("tbody");
  for (const [what, many] of [...table.sum, ["All parameters", table.total]]) {
    const row = element("tr", what === "All parameters" ? "all" : many === "—" ? "soft" : ""), name = element("th", "", what);
    name.scope = "row";
    row.append(name, element("td", "", many));
    body.append(row);
  }
  root.append(body);
  return [root, element("div", "soft", table.origin)];
}
