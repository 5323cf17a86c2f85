// The reader's own chats for LossMaskStrip: a line for each turn, who speaks and what is said.

const NEXT_ROLE = { system: "user", user: "assistant", assistant: "user", call: "tool", tool: "assistant" };

// chats(): as they are now; onChats(chats, stroke): the reader has changed them; settle(): a text box was left.
function chatEditor({ roles, limits, chats, onChats, settle }) {
  const [mostChats, mostTurns, mostCharacters] = limits;
  const root = element("div", "editor");
  const copied = () => chats().map((turns) => turns.map((turn) => [...turn]));
  const shape = (all) => JSON.stringify(all.map((turns) => turns.length));
  let built = "", rows = [];
  // Built at once: what is focused next must be there.
  const change = (edit) => { const all = copied(); edit(all); onChats(all, false); show(); };
  const off = (node, isOff) => node.setAttribute("aria-disabled", String(isOff));

  function turnRow(c, t, isOnly) {
    const line = element("div", "turn"), who = element("select"), text = element("input");
    for (const role of roles) who.append(Object.assign(element("option", "", role), { value: role }));
    Object.assign(text, { type: "text", maxLength: mostCharacters, spellcheck: false, autocomplete: "off", autocapitalize: "off", dir: "auto" });
    const which = `turn ${t + 1}${chats().length > 1 ? ` of chat ${c + 1}` : ""}`;
    who.setAttribute("aria-label", `who speaks in ${which}`);
    text.setAttribute("aria-label", `what is said in ${which}`);
    const remove = button("✕", "remove", () => {
      change((all) => { all[c].splice(t, 1); if (!all[c].length) all.splice(c, 1); });
      (rows.find((row) => row.c === c && row.t >= t) ?? rows.findLast((row) => row.c <= c)).text.focus();
    });
    remove.title = `Remove ${which}`;
    remove.setAttribute("aria-label", `remove ${which}`);
    off(remove, isOnly);
    who.addEventListener("change", () => change((all) => { all[c][t][0] = who.value; }));
    text.addEventListener("input", () => {
      const all = copied();
      all[c][t][1] = wholeLine(text.value);
      onChats(all, true);
    });
    text.addEventListener("change", settle);
    line.append(who, text, remove);
    rows.push({ c, t, who, text });
    return line;
  }
  function build(all) {
    rows = [];
    const parts = [], isOnly = all.length === 1 && all[0].length === 1;
    all.forEach((turns, c) => {
      if (all.length > 1) parts.push(element("div", "lab-title", `chat ${c + 1}`));
      parts.push(...turns.map((_, t) => turnRow(c, t, isOnly)));
      const more = button("Add a turn", "", () => {
        change((each) => each[c].push([roles.includes(NEXT_ROLE[each[c].at(-1)[0]]) ? NEXT_ROLE[each[c].at(-1)[0]] : roles[0], ""]));
        rows.filter((row) => row.c === c).at(-1).text.focus();
      });
      off(more, turns.length >= mostTurns);
      const bar = element("div", "row");
      bar.append(more);
      if (c === all.length - 1) {
        const chat = button("Pack another chat behind it", "", () => {
          change((each) => each.push([["user", ""], ["assistant", ""]]));
          rows.at(-2).text.focus();
        });
        off(chat, all.length >= mostChats);
        bar.append(chat);
      }
      parts.push(bar);
    });
    root.replaceChildren(...parts);
    built = shape(all);
  }
  // What is typed stays as it is typed; what Python, Undo or Reset have changed is put in.
  function show() {
    const all = chats();
    if (shape(all) !== built) build(all);
    for (const { c, t, who, text } of rows) {
      const [role, said] = all[c][t];
      if (who.value !== role) who.value = role;
      if (wholeLine(text.value) !== said) text.value = said;
    }
  }
  return { root, show };
}
