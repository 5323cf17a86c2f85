// ChatBeside: one question to several stages of an assistant; their answers grow side by side, token by token.

const COUNTED = ["right", "refused rightly", "refused falsely", "right, a whole sentence"];

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, model.get("title"));
  box.classList.add("chats");
  const stages = model.get("stages");
  const rounds = () => model.get("rounds");
  const isAnswered = () => sameState(Object.fromEntries(["asks", "steps", "stops"].map((name) => [name, model.get(name)])), model.get("answered"));

  // ---- A story and a question ----
  const names = ["text", "question", "number", "rounds", "tally"];
  const state = stateBar({ model, cleanups, names, code: () => chatCode(rounds(), { text: model.get("text"), question: model.get("question") }), start: () => model.get("start"), onStep: () => halt() });
  undoByKey(box, state);
  let typing = null, playing = false;
  cleanups.push(() => clearTimeout(typing));
  const later = () => { clearTimeout(typing); typing = setTimeout(() => model.tell(), PAUSE_WHILE_TYPING); };
  // while answers grow, what is typed is no step of its own: to take it back must not cut the answers
  const typed = { remember: (isStroke) => { if (!playing) state.remember(isStroke); }, settle: () => state.settle() };
  const story = ownText({ model, cleanups, state: typed, label: "a story, the Town’s or your own", rows: 4, most: model.get("most"), say: later });
  const another = button("Another story", "", () => { state.remember(); model.set("number", model.get("number") + 1); model.tell(); });
  const menu = element("label", "row menu"), select = element("select");
  menu.append(element("span", "soft", "the Town’s questions"), select);
  select.addEventListener("change", () => {
    if (!select.value) return;
    typed.remember(false);
    model.set("question", select.value);
    model.tell();
  });
  const asked = element("label", "row question"), input = element("input");
  Object.assign(input, { type: "text", value: model.get("question"), maxLength: model.get("most"), spellcheck: false, autocomplete: "off", autocapitalize: "off" });
  input.dir = "auto";
  asked.append(element("span", "soft", "question"), input);
  input.addEventListener("input", () => { typed.remember(true); model.set("question", wholeText(input.value)); later(); });
  input.addEventListener("change", () => state.settle());
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    (mayGoOn() && rounds().length ? then : ask).click();
  });
  listen(model, cleanups, ["question"], () => { if (wholeText(input.value) !== model.get("question")) input.value = model.get("question"); });

  // ---- To ask, to go on, to stop: Python writes a token of each stage for each message ----
  const ask = button("Ask", "main", () => begin(false)), then = button("And then?", "", () => begin(true)), stop = button("Stop", "", () => {
    playing = false;
    model.set("stops", model.get("stops") + 1);
    model.tell();
    point();
  });
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") stop.click(); });
  stop.title = "Esc";
  ask.title = "A new chat";
  then.title = "The same chat goes on";
  function begin(goesOn) {
    clearTimeout(typing);
    state.remember();
    playing = true;
    model.set({ asks: model.get("asks") + 1, goes_on: goesOn });
    model.tell();
    point();
  }
  function halt() {
    playing = false;
  }
  const on = soon(() => {
    if (!playing || !isAnswered()) return;
    if (!model.get("writing")) {
      playing = false;
      return point();
    }
    model.set("steps", model.get("steps") + 1);
    model.tell();
  });
  const told = () => rounds().find((one) => one.about.trim())?.about ?? "";
  const mayGoOn = () => rounds().length > 0 && told() === model.get("text");

  const bar = element("div", "row choose"), act = element("div", "row act"), hint = element("div", "hint-line"), unread = element("div", "soft unread");
  hint.setAttribute("aria-live", "polite");
  bar.append(another, menu);
  act.append(asked, ask, then, stop);
  const columns = chatColumns(stages), table = tallyTable(stages, COUNTED);
  columns.root.style.setProperty("--across", Math.min(stages.length, 4));
  box.append(story.root, unread, bar, act, hint, columns.root, table.root, townWordList(model.get("vocabulary"), `the ${model.get("vocabulary").length} words that the models know, beside digits and signs`), state.root);

  let offered = "";
  function fill() {
    const now = JSON.stringify(model.get("menu"));
    if (now !== offered) {
      offered = now;
      const groups = model.get("menu").map(([kind, questions]) => {
        const group = element("optgroup");
        group.label = kind;
        group.append(...questions.map((question) => { const option = element("option", "", question); option.value = question; return option; }));
        return group;
      });
      const none = element("option", "", "choose one");
      none.value = "";
      select.replaceChildren(none, ...groups);
    }
    select.value = [...select.options].some(({ value }) => value === model.get("question")) ? model.get("question") : "";
  }
  function point() {
    const writes = model.get("writing"), message = model.get("message"), chat = rounds(), isBusy = playing || writes;
    for (const [node, off] of [[ask, isBusy], [then, isBusy || !mayGoOn()], [stop, !isBusy], [another, isBusy]]) node.setAttribute("aria-disabled", String(off));
    hint.classList.toggle("refusal", Boolean(message));
    hint.textContent = message || (isBusy ? "The stages are answering…" : hintOf(chat));
    unread.textContent = model.get("unread") ? `The Town gives no verdicts about this story: ${model.get("unread")}.` : "";
    state.show();
  }
  function hintOf(chat) {
    if (!chat.length) return "“Ask” puts the story and the question to each stage.";
    const outcome = outcomeOf(chat.at(-1), stages);
    return `${outcome[0]?.toUpperCase() ?? ""}${outcome.slice(1)}. ${mayGoOn() ? "“And then?” (Enter) goes on in the same chat." : "The story is another one: “Ask” begins a new chat."}`;
  }
  function paint() {
    fill();
    columns.paint(rounds(), model.get("writing"));
    table.paint(model.get("tally"));
    point();
  }

  onWidth(cleanups, columns.root, () => columns.toEnd());
  listen(model, cleanups, [...names, "menu", "unread", "writing", "message", "answered"], soon(paint));
  listen(model, cleanups, ["answered", "writing"], on);
  paint();
  box.numbers = () => ({ answered: isAnswered(), playing, writing: model.get("writing"), rounds: rounds(), tally: model.get("tally") });
  return () => cleanups.forEach((undo) => undo());
}

export default viewOf(render);
