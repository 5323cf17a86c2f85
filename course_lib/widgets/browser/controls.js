// What every live view has: its box, the way to Python and back, and its controls. `front.py` puts this file, and
// painting.js and grid.js where they are needed, before a view's own; nothing is fetched.
// Text reaches the page only as textContent, so a token such as "</script>" stays a token.

function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== "") node.textContent = text;
  return node;
}

// A view's outer box. Keys pressed inside it are its own: JupyterLab must not take them for its shortcuts. What runs
// the cell (Enter with Shift, Ctrl or Alt) and every key with Ctrl or ⌘ (save) is JupyterLab's from here, too.
function viewBox(el, title) {
  const box = element("div", "course-view");
  box.setAttribute("data-lm-suppress-shortcuts", "true");
  box.addEventListener("keydown", (event) => {
    const runs = event.key === "Enter" && (event.shiftKey || event.altKey);
    if (!runs && !event.ctrlKey && !event.metaKey) return event.stopPropagation();
    if (event.key === "Enter") focusFor(box); // from a text box JupyterLab runs nothing
    box.removeAttribute("data-lm-suppress-shortcuts");
    setTimeout(() => box.setAttribute("data-lm-suppress-shortcuts", "true"));
  });
  box.append(element("div", "title", title));
  el.append(box);
  return box;
}

// A token as it is written where there is little room, cut as `label` of viz/still.py does it. What cannot be seen has
// its sign already: Python sends tokens as `shown` makes them.
const LONGEST = 18;
function labelOf(token) {
  const text = [...token], joins = (c) => c === "\u200c" || c === "\u200d";
  if (text.length <= LONGEST) return token;
  let end = LONGEST - 1;
  while (end > 1 && (/\p{M}/u.test(text[end]) || joins(text[end]) || joins(text[end - 1]))) end--;
  return `${text.slice(0, end).join("")}…`;
}
// A token inside a sentence: in whatever direction it is written, the words around it keep their places.
const isolated = (token) => `\u2068${token}\u2069`;

// An id that nothing else on the page has: every view runs these scripts for itself, so counting is not enough.
const ownId = (kind) => `course-${kind}-${Math.random().toString(36).slice(2)}`;

// Give a node the focus that has none by itself, until it loses it.
function focusFor(node) {
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
  node.addEventListener("blur", () => node.removeAttribute("tabindex"), { once: true });
}

// The bytes of a traitlet (a DataView) as 32-bit floats.
function floats(bytes) {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// A numpy array of Python (the trait `Array` of front.py) as a typed array, and back.
function arrayOf(trait) {
  const { buffer, byteOffset, byteLength } = trait.data;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  return trait.dtype === "bool" ? new Uint8Array(bytes) : new Float64Array(bytes);
}
function traitOf(flags, shape) {
  return { dtype: "bool", shape, data: new DataView(Uint8Array.from(flags).buffer) };
}

// ---- Python and the reader ---------------------------------------------------------------------------------
// What the reader changes is seen at once, and told to Python a moment later, when the picture has been painted: the
// hand on the mouse comes first. Until then it stands in a draft that lies over the model. Written into the model at
// once it could be lost: Python's echo of the change before would put the old value back, and the next change would
// be made from that. What has been told is safe: ipywidgets drops echoes that are older than the last message.
//
// Whether Python has heard it is another question: it may be busy, its kernel may be gone. Each message has a number
// (`told`), and Python answers with it (`heard`, see LiveView in front.py). While an answer is missing the view says
// so: a line in its corner, or what the view makes of it itself (`model.onHearing`).

const MOMENT = 25, PATIENCE_WITH_PYTHON = 1000; // milliseconds
const UNHEARD = "Python is busy or was restarted: run this cell again.";

// The default export of a view's file. anywidget calls it once for each model, so all views of one model, in
// whatever cells they stand, share one draft.
function viewOf(render) {
  return () => {
    const shared = { draft: {}, views: new Set(), timer: null, telling: false, told: 0, patience: null, hearing: "heard" };
    return {
      initialize({ model }) {
        shared.told = model.get("heard") ?? 0;
        model.on("change:heard", () => heardNow(model, shared));
      },
      render({ model, el }) {
        const own = drafted(model, shared);
        shared.views.add(own);
        const stop = render({ model: own, el });
        if (!own.hearers.length) own.onHearing(cornerLine(el));
        own.hearers.forEach((callback) => callback(shared.hearing));
        return () => {
          if (Object.keys(shared.draft).length) own.tell(); // nobody else may be left to tell it
          shared.views.delete(own);
          stop();
        };
      },
    };
  };
}

// Where a view stands with Python: "sent" (no answer yet), "silent" (none for a second), "heard".
function sayHearing(shared, hearing) {
  shared.hearing = hearing;
  for (const view of shared.views) view.hearers.forEach((callback) => callback(hearing));
}
function expectHearing(shared) {
  if (shared.hearing === "heard") sayHearing(shared, "sent"); // once silent, it stays so until Python is heard again
  shared.patience ??= setTimeout(() => sayHearing(shared, "silent"), PATIENCE_WITH_PYTHON);
}
function heardNow(model, shared) {
  clearTimeout(shared.patience);
  shared.patience = null;
  if (model.get("heard") >= shared.told) sayHearing(shared, "heard");
  else expectHearing(shared); // an earlier message: Python lives, and the last one is on its way
}

// What most views make of it: a line in their corner, over the title, so that nothing below it jumps.
function cornerLine(el) {
  const line = element("div", "corner-line");
  line.setAttribute("role", "status");
  (el.querySelector(".course-view") ?? el).append(line);
  return (hearing) => { line.textContent = hearing === "silent" ? UNHEARD : ""; };
}

// The model as a view sees it: `get` and `on` look through the draft, `set` writes into it.
function drafted(model, shared) {
  const heard = []; // [event, callback, what listens to the model]
  const own = {
    hearers: [],
    onHearing: (callback) => own.hearers.push(callback),
    get: (name) => (name in shared.draft ? shared.draft[name] : model.get(name)),
    set(name, value) {
      const change = typeof name === "string" ? { [name]: value } : name;
      Object.assign(shared.draft, change);
      for (const view of shared.views) for (const changed of Object.keys(change)) view.say(`change:${changed}`);
    },
    tell() {
      clearTimeout(shared.timer);
      const change = shared.draft;
      Object.assign(shared, { timer: null, draft: {}, telling: true });
      const answers = model.get("heard") !== undefined; // a page of an earlier course knows no numbers
      if (answers) change.told = shared.told = 1 + Math.max(shared.told, model.get("heard"));
      try {
        model.set(change);
        model.save_changes();
      } finally { shared.telling = false; }
      if (answers) expectHearing(shared);
    },
    on(event, callback) {
      const name = event.replace("change:", "");
      const listener = () => { if (!shared.telling && !(name in shared.draft)) callback(); };
      heard.push([event, callback, listener]);
      model.on(event, listener);
    },
    off(event, callback) {
      const place = heard.findIndex(([e, c]) => e === event && c === callback);
      if (place >= 0) model.off(event, heard.splice(place, 1)[0][2]);
    },
    say: (event) => heard.filter(([e]) => e === event).forEach(([, callback]) => callback()),
    tellSoon() {
      if (shared.timer === null) shared.timer = setTimeout(own.tell, MOMENT);
    },
  };
  return own;
}

// Listen to a trait for as long as the view stands.
function listen(model, cleanups, names, callback) {
  for (const name of names) {
    model.on(`change:${name}`, callback);
    cleanups.push(() => model.off(`change:${name}`, callback));
  }
}

// One answer of Python changes several traits: `soon(paint)` paints once for all of them.
function soon(callback) {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    queueMicrotask(() => { planned = false; callback(); });
  };
}

// Call back when JupyterLab changes between light and dark: canvases must be painted again.
function onTheme(cleanups, callback) {
  const watcher = new MutationObserver(callback);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  cleanups.push(() => watcher.disconnect());
}

// Whether this is a screen for fingers: sentences then speak of taps.
const touched = () => matchMedia("(pointer: coarse)").matches;

// `callback` now, and whenever the width of `node` has changed.
function onWidth(cleanups, node, callback) {
  let width = 0;
  const watcher = new ResizeObserver(() => {
    if (!node.isConnected || node.clientWidth === width) return;
    width = node.clientWidth;
    if (width) callback(width);
  });
  watcher.observe(node);
  cleanups.push(() => watcher.disconnect());
}

// A node of an SVG picture.
function drawn(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

// Round numbers from 0 up to `top`, about `count` of them.
function ticks(top, count) {
  const rough = top / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const marks = [];
  for (let i = 0; i * step <= top * 1.0001; i++) marks.push(Number((i * step).toPrecision(6)));
  return marks;
}

// ---- Controls ------------------------------------------------------------------------------------------

// One choice out of several, as radio buttons side by side. options: [value, text or node] pairs.
function choice({ label, options, onChoose, className = "" }) {
  const root = element("div", `chips ${className}`);
  root.setAttribute("role", "radiogroup");
  root.setAttribute("aria-label", label);
  root.append(element("span", "soft", label));
  const group = ownId("choice");
  const inputs = options.map(([value, text]) => {
    const box = element("label"), input = element("input");
    Object.assign(input, { type: "radio", name: group, value });
    input.addEventListener("change", () => onChoose(value));
    box.append(text, input);
    root.append(box);
    return input;
  });
  return { root, show: (value) => inputs.forEach((input, i) => { input.checked = options[i][0] === value; }) };
}

// A switch with two states.
function toggle({ label, onChange }) {
  const root = element("label", "switch"), input = element("input");
  input.type = "checkbox";
  input.setAttribute("role", "switch");
  input.addEventListener("change", () => onChange(input.checked));
  root.append(input, label);
  return { root, show: (on) => { input.checked = on; } };
}

// A slider that says its value. `onInput` while it moves, `onRelease` when it is let go.
function slider({ label, min, max, step = 1, onInput, onRelease }) {
  const root = element("label", "slider"), input = element("input"), value = element("span", "number");
  Object.assign(input, { type: "range", min, max, step });
  input.addEventListener("input", () => onInput(Number(input.value)));
  input.addEventListener("change", onRelease);
  root.append(element("span", "soft", label), input, value);
  return {
    root,
    show(position, text) {
      if (Number(input.value) !== position) input.value = position;
      input.setAttribute("aria-valuetext", text);
      value.textContent = text;
    },
  };
}

// The trait `temperature`, from 0.1 to 10; the middle of the slider is 1. before(), after(): ahead of each move, and
// when it is let go.
function temperatureSlider(model, before = () => {}, after = () => {}) {
  const control = slider({
    label: "temperature", min: -40, max: 40,
    onInput: (position) => {
      before();
      model.set("temperature", Number((10 ** (position / 40)).toPrecision(3)));
    },
    onRelease: () => { after(); model.tellSoon(); },
  });
  const show = () => {
    const temperature = model.get("temperature");
    control.show(Math.round(40 * Math.log10(temperature)), temperature.toPrecision(3).replace(/\.?0+$/, ""));
  };
  return { root: control.root, show };
}
