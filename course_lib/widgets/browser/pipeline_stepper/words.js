// What the stepper says: a sentence and the formula for each step, the legend, the arithmetic of a number, the state as
// Python.

// queries, keys: tokens; q, k, v: matrices; steps(): what `fiveSteps` gave.
function stepperWords({ model, queries, keys, q, k, v, steps }) {
  const S = k.rows, root = Math.sqrt(q.columns), rootName = `√${q.columns}`;

  function saying(step) {
    const t = model.get("temperature");
    return [
      "Every query meets every key: a raw score is their dot product.",
      model.get("scale")
        ? `Every raw score is divided by ${rootName} = ${plain(root)}: so scores do not grow with the number of features.`
        : "The division is switched off: raw scores go on as they are.",
      !model.get("mask") ? "The mask is switched off: every key may be looked at."
        : `M adds −∞ to every forbidden score. ${touched() ? "Tap a masked score twice" : "Click a masked score, or press Space,"} to forbid or allow it.`,
      `${t === 1 ? "Each row becomes" : `Scores are divided by the temperature ${plain(t)}; then each row becomes`} weights between 0 and 1 that sum to 1; −∞ becomes exactly 0.`,
      "Each output row mixes the values: as much of each as its weight says.",
    ][step - 1];
  }
  // The whole of it in one line; the part that the step is about is marked.
  function formula(step) {
    const t = model.get("temperature"), hot = t !== 1;
    const terms = [[4, hot ? "softmax( (" : "softmax("], [1, "Q Kᵀ"], [2, `÷ ${rootName}`], [3, "+ M"]];
    if (hot) terms.push([4, `) ÷ ${plain(t)}`]);
    const off = { 2: !model.get("scale"), 3: !model.get("mask") };
    return [...terms, [4, ")"], [5, "V"]].flatMap(([of, text]) =>
      [element("span", `${of === step ? "now" : ""} ${off[of] ? "off" : ""}`, text), " "]);
  }
  // What the tones mean: scores have a sign, weights have none.
  function legend(step) {
    const scale = (name, low, ramp, middle, high) => {
      const ruler = element("span", "scale"), group = element("span", "row");
      ruler.style.setProperty("--ramp", `var(--course-ramp-${ramp})`);
      group.append(`${name} ${low}`, ruler, middle ? `${high} (${middle})` : high);
      return group;
    };
    const { most } = steps();
    return [
      ...(step < 5 ? [scale("score", short(-most), "signed", "middle: 0", short(most))] : []),
      ...(step > 3 ? [scale("weight", "0", "weights", "", "1")] : []),
    ];
  }
  // The state as a cell of its own.
  function code() {
    const t = model.get("temperature"), dtype = "dtype=torch.double";
    const tensor = (m) => `torch.tensor(${pythonMatrix(m.data, m.columns)}, ${dtype})`;
    const lines = [
      "import torch", "", `# ${model.get("title").replace(/\s+/g, " ")}`,
      `queries = ${pythonList(queries)}`, `keys = ${pythonList(keys)}`,
      `q = ${tensor(q)}  # (T, K)`, `k = ${tensor(k)}  # (S, K)`, `v = ${tensor(v)}  # (S, V)`,
      `scores = q @ k.T${model.get("scale") ? " / q.shape[-1] ** 0.5" : ""}  # (T, S)`,
    ];
    if (model.get("mask")) {
      lines.push(`allowed = torch.tensor(${pythonMatrix(steps().allowed, S)}, dtype=torch.bool)  # (T, S), 1 = may attend`,
        "scores = scores.masked_fill(~allowed, -torch.inf)");
    }
    lines.push(`weights = ${t === 1 ? "scores" : `(scores / ${t})`}.softmax(-1).nan_to_num(0.0)  # (T, S); a row without a key is all 0`,
      "output = weights @ v  # (T, V)", "weights", "");
    return lines.join("\n");
  }

  // How the number in row i and column j of a step was made.
  function arithmetic(step, i, j) {
    const { scores, scaled, masked, weights, output } = steps(), t = model.get("temperature");
    const query = element("span", "query", queries[i]), key = element("span", "key", keys[j]);
    const number = (x) => element("span", "number", exact(x, 2));
    const products = (n, a, b) => Array.from({ length: n }, (_, c) => `${bracketed(a(c))}·${bracketed(b(c))}`).join(" + ");
    if (step === 1) return [query, " · ", key, ` = ${products(q.columns, (a) => q.at(i, a), (a) => k.at(j, a))} = `, number(scores.at(i, j))];
    if (step === 2) {
      return model.get("scale")
        ? [query, ", ", key, `: ${exact(scores.at(i, j), 2)} ÷ ${plain(root)} = `, number(scaled.at(i, j))]
        : [query, ", ", key, ": ", number(scaled.at(i, j)), " stays as it is"];
    }
    if (step === 3) {
      return masked.at(i, j) === -Infinity
        ? [query, " may not look at ", key, `: ${exact(scaled.at(i, j), 2)} becomes `, number(-Infinity)]
        : [query, " may look at ", key, ": ", number(scaled.at(i, j)), " stays"];
    }
    if (step === 4) {
      const power = (c) => (masked.at(i, c) === -Infinity ? "0" : `exp(${exact(masked.at(i, c), 2)}${t === 1 ? "" : ` ÷ ${plain(t)}`})`);
      if (!weights.data.subarray(i * S, i * S + S).some(Boolean)) return [query, " may look at nothing: all its weights are ", number(0)];
      return [query, " looks at ", key, `: ${power(j)} ÷ (${keys.map((_, c) => power(c)).join(" + ")}) = `, number(weights.at(i, j))];
    }
    const feature = model.get("value_names")?.[j] ?? `feature ${j + 1}`;
    return [query, `, ${feature}: ${products(S, (c) => weights.at(i, c), (c) => v.at(c, j))} = `, number(output.at(i, j))];
  }

  return { saying, formula, legend, code, arithmetic };
}

const plain = (x) => String(+x.toPrecision(3));
const bracketed = (x) => (x < 0 || exact(x, 2).includes("·") ? `(${exact(x, 2)})` : exact(x, 2));
