// Undo, Reset and "Copy as Python" for a view whose state the reader makes.

const MOST_STEPS = 200;

// A row of three buttons, and the steps behind them.
//   names      the traits that make up the state
//   start()    {trait: value} as they were when the view was made
//   code()     Python that makes the state again
//   onStep()   called before each step, and before one is taken back
// Call `remember()` before each change: strokes of one drag, or of one slider, count as one step until `settle()`.
function stateBar({ model, cleanups, names, start, code, onStep = () => {} }) {
  let steps = [], stroke = false, quiet = null;
  const root = element("div", "row state");
  const button = (text, title, act) => {
    const node = element("button", "", text);
    Object.assign(node, { type: "button", title });
    node.addEventListener("click", () => { if (node.getAttribute("aria-disabled") !== "true") act(); });
    root.append(node);
    return node;
  };
  const undo = button("Undo", "Take the last change back (Ctrl+Z)", back);
  const reset = button("Reset", "As it was at the start", () => {
    if (isStart()) return;
    remember(false);
    put(start());
  });
  const COPY = "Copy as Python", copy = button(COPY, "Code that makes this state in a cell", copyCode);
  const shown = element("textarea", "code");
  Object.assign(shown, { readOnly: true, hidden: true, spellcheck: false });
  shown.setAttribute("aria-label", "this state as Python");
  root.append(shown);

  const now = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const isStart = () => sameState(now(), { ...now(), ...start() });
  function remember(isStroke = false) {
    if (!(isStroke && stroke)) {
      steps = [...steps.slice(1 - MOST_STEPS), now()];
      onStep();
    }
    stroke = isStroke;
    show();
  }
  function put(state) {
    stroke = false;
    model.set(state);
    model.tellSoon();
    show();
  }
  function back() {
    if (!steps.length) return;
    onStep();
    put(steps.pop());
  }
  function show() {
    undo.setAttribute("aria-disabled", String(!steps.length));
    reset.setAttribute("aria-disabled", String(isStart()));
    shown.hidden = true;
  }
  // Where the page may not write to the clipboard, the code stands selected, ready for Ctrl+C.
  async function copyCode() {
    const text = code();
    let done = "Copied ✓";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = "Press Ctrl+C";
      Object.assign(shown, { hidden: false, value: text, rows: text.split("\n").length });
      shown.select();
    }
    copy.textContent = done;
    clearTimeout(quiet);
    quiet = setTimeout(() => { copy.textContent = COPY; }, 2500);
  }
  cleanups.push(() => clearTimeout(quiet));
  show();
  return { root, remember, back, show, settle: () => { stroke = false; }, forget: () => { steps = []; show(); } };
}

// Whether two states hold equal values; an array of Python is compared cell by cell.
function sameState(a, b) {
  const bytes = ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const equal = (x, y) => {
    if (x === y || !x?.data || !y?.data) return JSON.stringify(x) === JSON.stringify(y);
    const [p, q] = [bytes(x), bytes(y)];
    return `${x.shape}` === `${y.shape}` && p.every((byte, i) => byte === q[i]);
  };
  return Object.keys(a).every((name) => equal(a[name], b[name]));
}

// Ctrl+Z (⌘Z) anywhere in a view takes its last change back; in a text box it stays the text box's.
function undoByKey(box, state) {
  box.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.stopPropagation(); // JupyterLab would take a change of a cell back
    if (event.target.type === "text" || event.target.matches("textarea:not([readonly])")) return;
    event.preventDefault();
    state.back();
  });
}

// Words, and a matrix of numbers or flags, as Python writes them.
const pythonList = (words) => `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
function pythonMatrix(values, columns) {
  const number = (x) => Number(Number(x).toPrecision(8));
  const rows = Array.from({ length: values.length / columns }, (_, i) =>
    `    [${Array.from(values.slice(i * columns, (i + 1) * columns), number).join(", ")}],`);
  return `[\n${rows.join("\n")}\n]`;
}

// A mask as Python: rows of 0 and 1, each with its token; `shape` is [T, S].
function maskCode(allowed, [rows, columns], tokens) {
  const lines = Array.from({ length: rows }, (_, i) =>
    `    [${[...allowed.slice(i * columns, (i + 1) * columns)].map(Number).join(", ")}],  # ${tokens[i]}`);
  return `import torch\n\nallowed = torch.tensor([  # True = may attend: rows are queries, columns are keys\n${lines.join("\n")}\n]).bool()\n`;
}
