// What ChatBeside says: above its columns, of the whole question, and as Python.

const WHO = { call: "calls", tool: "result" }; // said before the line of a turn

const listed = (words) => (words.length < 3 ? words.join(" and ") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

// What has come of the last question: who is right, who is not, and of whom the Town does not speak.
function outcomeOf({ answers }, stages) {
  const by = (sign) => stages.filter((_, i) => answers[i].sign === sign);
  const parts = [["right", by("✓")], ["not right", by("✗")], ["no verdict", by("–")]];
  return parts.filter(([, names]) => names.length).map(([word, names]) => `${word}: ${listed(names)}`).join(" · ");
}

function chatCode(rounds, { text, question }) {
  const said = rounds.length ? rounds.map((one) => `${one.story} ${one.question}`.trim()) : [`${text} ${question}`.trim()];
  return `from course_lib.tasks.assistant import answer, writer

asked = ${said.length === 1 ? JSON.stringify(said) : `[\n${said.map((one) => `    ${JSON.stringify(one)},\n`).join("")}]`}
for name, model in stages.items():  # stages: what this view was made with
    chat = []
    for text in asked:
        chat.append(("user", text))
        reply = answer(writer(model), chat)
        chat += reply.turns
        print(name, "|", reply.text)
`;
}
