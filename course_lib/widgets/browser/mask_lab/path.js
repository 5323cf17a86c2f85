// One cell: what it means in words, and how its number came about; for a leak, the way on which it gets through.

// The sentence of a cell, as texts and nodes. found: what was computed, and `allowed`; without scores there is no leak.
function sentenceOf({ weights, leak, allowed, scores }, where, rows, columns, row, column) {
  const n = columns.length, place = row * n + column, open = Boolean(allowed[place]);
  const empty = !allowed.subarray(row * n, (row + 1) * n).some(Boolean);
  const why = { after: "its exponential is still in the sum", none: "the mask is not applied" }[where];
  return [
    "“", element("bdi", "query", rows[row]), open ? "” may look at “" : "” may not look at “",
    element("bdi", "key", columns[column]), "”: weight ", element("span", "number", exact(weights[place])),
    ...(scores ? [", leak ", element("span", "number", exact(leak[place]))] : []),
    !open && leak[place] > 0 ? `. Something leaks: ${why}` : "",
    empty && where === "before" ? ". Nothing is allowed in this row: its weights and its output are 0" : "", ".",
  ];
}

// found: what `attend` computed, and `allowed`; columns: the keys' tokens. Returns [caption, number, class] triples.
function pathOf(found, where, columns, row, column) {
  const { scores, weights, leak, allowed } = found, n = columns.length, at = row * n + column;
  const counted = (j) => where !== "before" || allowed[row * n + j];
  const top = Math.max(0, ...columns.map((_, j) => (counted(j) ? scores[row * n + j] : 0)));
  const shift = top > 20 ? top : 0; // beyond e²⁰ all scores are lowered by the largest: the weights stay what they are
  const power = (j) => Math.exp(scores[row * n + j] - shift);
  const total = columns.reduce((sum, _, j) => sum + (counted(j) ? power(j) : 0), 0);
  const name = shift ? `e^(score − ${short(shift)})` : "e^score", score = ["score", exact(scores[at], 2), "key"];
  if (!counted(column)) {
    return [score, ["mask: score becomes", "−∞", ""], ["e^−∞ adds to the sum", "0", ""], ["weight", "0", "query"], ["arrives", "0", "value"]];
  }
  const own = [name, exact(power(column), 2), "key"], whole = ["sum of the row", exact(total, 2), ""];
  if (allowed[at] || where === "none") {
    const how = allowed[at] ? "weight = share of the sum" : "weight: no mask was applied";
    return [score, own, whole, [how, exact(weights[at]), "query"], [allowed[at] ? "arrives" : "leaks", exact(leak[at]), allowed[at] ? "value" : "leak"]];
  }
  // after the softmax: its own weight is set to 0, but its exponential stays in the sum of all
  const other = columns.map((_, j) => j).filter((j) => weights[row * n + j]).sort((a, b) => weights[row * n + b] - weights[row * n + a])[0];
  const rest = total - power(column), steps = [score, [`${name} stays in the sum`, exact(power(column), 2), "key"]];
  steps.push(["sum with it · without it", `${exact(total, 2)} · ${exact(rest, 2)}`, ""]);
  if (other === undefined) steps.push(["other weights that could carry it", "none", "query"]);
  else {
    const w = weights[row * n + other];
    steps.push([`weight of “${isolated(columns[other])}”, should be ${exact((w * total) / rest, 2)}`, exact(w, 2), "query"]);
  }
  return [...steps, ["leaks", exact(leak[at]), leak[at] ? "leak" : "value"]];
}

function pathList() {
  const root = element("ol", "path");
  return {
    root,
    show(steps) {
      root.replaceChildren(...steps.map(([caption, number, kind]) => {
        const step = element("li");
        step.append(element("span", "soft", caption), element("span", `number ${kind}`, number));
        return step;
      }));
    },
  };
}
