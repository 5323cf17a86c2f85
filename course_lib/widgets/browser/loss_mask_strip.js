// LossMaskStrip: chats as strips of tokens, what of them is trained, and the label under each input.

const COLUMNS = { wide: 118, narrow: 70 }, HEADS = { wide: 88, narrow: 56 }, NARROW_STRIP = 480, MOST_COLUMNS = 9; // pixels; in the shifted view

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("loss-strip");
  const loss = () => model.get("loss"), tokens = () => model.get("tokens");

  // ---- Controls ----
  const names = ["chats", "loss", "place"];
  const state = stateBar({ model, cleanups, names, code, start: () => model.get("start") });
  undoByKey(box, state);
  const change = (what, stroke = false) => { state.remember(stroke); model.set(what); model.tellSoon(); };
  const losses = choice({ label: "loss on", options: [["answers", "answers only"], ["everything", "everything"]], onChoose: (now) => change({ loss: now }) });
  const own = toggle({ label: "write your own chat", onChange: (on) => { editor.root.hidden = !on; } });
  const editor = chatEditor({
    roles: model.get("roles"), limits: model.get("limits"), chats: () => model.get("chats"),
    onChats: (chats, stroke) => change({ chats }, stroke), settle: () => state.settle(),
  });
  editor.root.hidden = true;
  const bar = element("div", "row"), message = element("div", "hint-line");
  message.setAttribute("aria-live", "polite");
  bar.append(losses.root, own.root);

  // ---- The strips: a line for each turn ----
  const strips = element("div", "strips"), counted = element("div", "counted"), shift = element("table", "shift"), readout = element("div", "readout");
  strips.tabIndex = 0;
  strips.setAttribute("role", "listbox");
  strips.setAttribute("aria-label", "tokens of the row: arrow keys pick one");
  readout.setAttribute("aria-live", "polite");
  const legend = element("div", "row legend");
  for (const [kind, words] of [["trained", "trained: the model must write it"], ["given", "given"], ["tool", "given: what a tool said"], ["unknown", "no word that has an id"]]) {
    const item = element("span", "row");
    item.append(element("span", `swatch ${kind}`), element("span", "", words));
    legend.append(item);
  }
  const title = element("div", "lab-title", "As the model is trained: each input above, the label below it, one place on");
  box.append(bar, editor.root, strips, legend, message, counted, title, shift, readout, state.root);

  const id = ownId("token");
  let nodes = [], width = 900;
  onWidth(cleanups, strips, (now) => { width = now; strips.classList.toggle("narrow", now < NARROW_STRIP); point(); });

  function tokenNode(token, i) {
    const trained = isTrained(token, loss()), kind = trained ? "trained" : token.kind === "tool" ? "tool" : "given";
    const node = element("span", `tok ${kind}${token.marker ? " marker" : ""}`), unknown = !token.marker && token.typed !== token.token;
    if (unknown) { node.classList.add("unknown"); node.append(element("s", "was", seenToken(token.typed)), " "); }
    node.append(element("bdi", "", seenToken(token.token)));
    node.id = `${id}-${i}`;
    node.dataset.place = i;
    node.setAttribute("role", "option");
    node.setAttribute("aria-label", `${unknown ? `${token.typed}, read as ` : ""}${token.token}, id ${token.id}, ${trained ? "trained" : "given"}`);
    return node;
  }
  function paint() {
    const all = tokens(), several = all.at(-1)?.chat > 0, parts = [];
    nodes = all.map(tokenNode);
    for (let i = 0; i < all.length;) {
      const first = all[i], here = turnOf(first);
      let end = i;
      while (end < all.length && turnOf(all[end]) === here) end++;
      if (several && (i === 0 || all[i - 1].chat !== first.chat)) {
        const head = element("div", `chat-head${i ? " boundary" : ""}`);
        head.append(element("span", "lab-title", `chat ${first.chat + 1}`));
        if (i) head.append(element("span", "soft", "from here on no token looks back across this line"));
        head.setAttribute("aria-hidden", "true");
        parts.push(head);
      }
      const role = all[end - 1].role || "(no turn)", line = element("div", "turn-line"), who = element("div", "who", role), boxes = element("div", "boxes");
      who.setAttribute("aria-hidden", "true");
      boxes.setAttribute("role", "none");
      line.setAttribute("role", "group");
      line.setAttribute("aria-label", several ? `chat ${first.chat + 1}, ${role}` : role);
      boxes.append(...nodes.slice(i, end));
      line.append(who, boxes);
      parts.push(line);
      i = end;
    }
    strips.replaceChildren(...parts);
    const strange = [...new Set(all.filter(({ marker, typed, token }) => !marker && typed !== token).map(({ typed }) => typed))];
    const rest = strange.length > MOST_NAMED ? ` and ${strange.length - MOST_NAMED} more` : "";
    const said = strange.length ? `No words that have an id: ${strange.slice(0, MOST_NAMED).map(inQuotes).join(", ")}${rest}; read as [UNK].` : "";
    message.textContent = [model.get("message"), said].filter(Boolean).join(" ") || "\u00a0";
    message.classList.toggle("refusal", Boolean(model.get("message")));
    counted.textContent = sayCounts(all, loss());
    losses.show(loss());
    editor.show();
    state.show();
    point();
  }

  // ---- One token, and its neighbours as they are trained ----
  const place = () => Math.max(0, Math.min(nodes.length - 1, model.get("place")));
  let pointed = -1;
  function point() {
    const all = tokens();
    if (!nodes.length || nodes.length !== all.length) return; // the place of a new row is told before it is painted
    const at = pointed >= 0 && pointed < nodes.length ? pointed : place();
    nodes.forEach((node, i) => {
      node.classList.toggle("on", i === at);
      node.setAttribute("aria-selected", String(i === place()));
    });
    strips.setAttribute("aria-activedescendant", `${id}-${place()}`);
    const [what, must] = sayPlace(all, at, loss());
    readout.replaceChildren(element("div", "", what), element("div", "soft", must));
    shifted(all, at);
  }
  function shifted(all, at) {
    const size = width < NARROW_STRIP ? "narrow" : "wide", fit = Math.floor((width - HEADS[size]) / COLUMNS[size]);
    const n = Math.min(all.length, MOST_COLUMNS, Math.max(3, fit)), from = Math.max(0, Math.min(all.length - n, at - Math.floor(n / 2)));
    const row = (name, kind, cellOfPlace) => {
      const line = element("tr", kind), head = element("th", "", name);
      head.scope = "row";
      line.append(head, ...range(0, n).map((k) => cellOfPlace(from + k)));
      return line;
    };
    const cell = (i, kind, text, number) => {
      const node = element("td", `${kind}${i === at ? " on" : ""}`);
      node.append(element("bdi", text.startsWith("<|") ? "marker" : "", text), element("span", "id-of", number));
      return node;
    };
    const kindOf = (token) => (isTrained(token, loss()) ? "trained" : token.kind === "tool" ? "tool" : "given");
    shift.style.width = `${Math.min(width, HEADS[size] + n * COLUMNS[size])}px`;
    shift.replaceChildren(
      row("place", "places", (i) => element("td", i === at ? "on" : "", `${i}`)),
      row("reads", "reads", (i) => (i === all.length - 1 ? cell(i, "none", "", "") : cell(i, kindOf(all[i]), seenToken(all[i].token), `${all[i].id}`))),
      row("must say", "says", (i) => {
        const label = labelAt(all, i, loss());
        if (!label) return cell(i, "none", "", "");
        return label.trained ? cell(i, "trained", seenToken(label.next.token), `${label.next.id}`) : cell(i, "ignored", "·", "−100");
      }),
    );
  }
  const range = (from, n) => Array.from({ length: n }, (_, k) => from + k);
  const pick = (at) => { pointed = -1; if (at !== place()) change({ place: at }); else point(); };
  const look = (at) => { if (at !== pointed) { pointed = at; point(); } };
  const placeOf = (event) => Number(event.target.closest?.("[data-place]")?.dataset.place ?? -1);
  strips.addEventListener("mouseover", (event) => { if (!touched()) look(placeOf(event)); });
  strips.addEventListener("mouseleave", () => look(-1));
  strips.addEventListener("click", (event) => { const at = placeOf(event); if (at >= 0) pick(at); });
  strips.addEventListener("keydown", (event) => {
    const end = nodes.length - 1;
    const goal = { ArrowRight: place() + 1, ArrowDown: place() + 1, ArrowLeft: place() - 1, ArrowUp: place() - 1, Home: 0, End: end }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    pick(Math.max(0, Math.min(end, goal)));
  });

  function code() {
    const chats = model.get("chats").map((turns) => `    [\n${turns.map(([role, text]) => `        (${JSON.stringify(role)}, ${JSON.stringify(text)}),\n`).join("")}    ],\n`).join("");
    const labels = loss() === "answers" ? "row.labels[1:]  # each label one place before its token" : "row.ids[1:]  # the loss on everything";
    return `from course_lib.text.chat import chat_row

# WORDS: the tokenizer that this view was made with
chats = [
${chats}]
for turns in chats:
    row = chat_row(turns, WORDS)
    labels = ${labels}
    for i, label in zip(row.ids, labels):
        print(f"{WORDS.tokens[i]:14} {'·' if label < 0 else WORDS.tokens[label]}")
`;
  }

  listen(model, cleanups, ["tokens", "message", "loss", "chats"], soon(paint));
  listen(model, cleanups, ["place"], soon(point));
  paint();
  box.numbers = () => ({
    answered: sameState({ chats: model.get("chats") }, { chats: model.get("answered") }),
    trained: tokens().map((token) => isTrained(token, loss())), counts: countRow(tokens(), loss()),
    labels: tokens().slice(0, -1).map((_, i) => { const { next, trained } = labelAt(tokens(), i, loss()); return trained ? next.id : -100; }),
  });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
