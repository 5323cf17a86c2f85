// One line for the whole mask: does anything leak, or what does it cost a trained model?

// state: what was computed, `columns` (tokens), `kind`. Returns the line, whether it is bad, and the largest leak.
function leakVerdict({ leak, allowed, columns, kind }) {
  const n = columns.length, worst = leak.reduce((most, x, i) => (allowed[i] ? most : Math.max(most, x)), 0);
  const future = kind === "causal" && leak.some((x, i) => i % n > Math.floor(i / n) && x > 0);
  if (worst) return { worst, bad: true, text: `✗ It leaks: up to ${exact(worst, 2)} arrives where the mask forbids.` };
  if (future) return { worst, bad: true, text: "✗ The future arrives: this mask lets it in." };
  const forbidden = allowed.some((on) => !on);
  const text = forbidden ? "✓ Nothing leaks: exactly 0 arrives where the mask forbids." : "Nothing is forbidden: there is nothing to leak.";
  return { worst, bad: false, text };
}

// What the model's guesses cost under this mask, and whether it sees what it has to guess.
function lossVerdict({ next, old, allowed, where, rows }, vocabulary) {
  const loss = lossOf(next, rows, vocabulary), before = old?.next?.length === next.length ? lossOf(old.next, rows, vocabulary) : null;
  const bad = where !== "before" || allowed.some((on, i) => on && i % rows.length > Math.floor(i / rows.length));
  const change = before !== null && Math.abs(before - loss) >= 0.005 ? `, before ${exact(before, 2)}` : "";
  const cost = loss === null ? "" : `Loss of this text: ${exact(loss, 2)} nats a word${change}. `;
  return { bad, text: cost + (bad ? "✗ Some token sees what it has to guess." : "✓ Nobody sees what comes later.") };
}
