// Question: choose, say how sure you are, answer. Python gives the explanation.
// `prompt`, `options`, `before` and `feedback` are HTML that Python has escaped.

function render({ model, el }) {
  const cleanups = [];
  const box = viewBox(el, "Predict first");
  const name = ownId("question");

  const prompt = element("div", "prompt");
  prompt.innerHTML = model.get("prompt");
  prompt.id = `${name}-prompt`;
  const options = element("fieldset", "options");
  options.setAttribute("role", "radiogroup");
  options.setAttribute("aria-labelledby", prompt.id);
  const optionInputs = model.get("options").map((text, i) => {
    const label = element("label"), words = element("span");
    words.innerHTML = text;
    const input = radio(`${name}-option`, i);
    label.append(input, words);
    options.append(label);
    return input;
  });

  const sure = element("fieldset", "sure");
  sure.setAttribute("role", "radiogroup");
  sure.setAttribute("aria-label", "How sure are you?");
  const chips = element("div", "chips");
  const sureInputs = model.get("confidence").map((text, i) => {
    const label = element("label", "", text), input = radio(`${name}-sure`, i);
    label.append(input);
    chips.append(label);
    return input;
  });
  sure.append(element("span", "soft", "How sure are you?"), chips);

  const bar = element("div", "row");
  const button = element("button", "main", "Answer");
  const hint = element("span", "soft");
  hint.setAttribute("role", "status");
  bar.append(button, hint);
  const feedback = element("div", "feedback");
  const before = element("div", "soft before");
  before.innerHTML = model.get("before") ?? "";
  box.append(prompt, options, ...(before.textContent ? [before] : []), sure, bar, feedback);

  const chosen = (inputs) => inputs.findIndex((input) => input.checked);
  let asked = false, silent = false; // asked: here, in this view
  button.addEventListener("click", () => {
    const option = chosen(optionInputs), confidence = chosen(sureInputs);
    if (option < 0) hint.textContent = "Choose an option first.";
    else if (confidence < 0) hint.textContent = "And how sure are you?";
    else {
      asked = true;
      hint.textContent = silent ? UNHEARD : "sent…";
      model.set("answer", [option, confidence]);
      model.tell();
    }
  });

  // An answer counts when its explanation is there: until then everything stays open, and nothing claims to be done.
  function paint() {
    const [option, confidence] = model.get("answer"), answered = Boolean(model.get("feedback"));
    if (option !== undefined) {
      optionInputs[option].checked = true;
      sureInputs[confidence].checked = true;
    }
    for (const input of [...optionInputs, ...sureInputs]) input.disabled = answered;
    button.disabled = answered;
    button.textContent = answered ? "Answered" : "Answer";
    feedback.innerHTML = model.get("feedback");
    feedback.classList.toggle("given", answered);
    if (!answered) return;
    hint.textContent = "";
    const here = document.activeElement; // after the answer it goes to the explanation: read out, and Tab goes on from there
    if (asked && (here === document.body || box.contains(here))) focusFor(feedback);
    asked = false;
  }
  model.onHearing((hearing) => {
    silent = hearing === "silent";
    if (silent && !model.get("feedback")) hint.textContent = UNHEARD;
  });
  listen(model, cleanups, ["answer", "feedback"], paint);
  paint();
  return () => cleanups.forEach((undo) => undo());
}

function radio(name, value) {
  const input = element("input");
  Object.assign(input, { type: "radio", name, value });
  return input;
}

export default viewOf(render);
