// The columns of ChatBeside, and the table that counts.

const NEAR = 40; // pixels from the end: whoever reads there is taken along

function chatColumns(stages) {
  const root = element("div", "columns");
  const logs = stages.map((name) => {
    const column = element("div", "column"), log = element("div", "log");
    log.tabIndex = 0; // it scrolls, by keys too
    log.setAttribute("role", "group");
    log.setAttribute("aria-label", `the chat with ${name}`);
    column.append(element("div", "stage-of", name), log);
    root.append(column);
    return log;
  });
  function turnOf([role, text], isWritten) {
    const line = element("div", `turn ${role}${isWritten ? " written" : ""}`);
    if (WHO[role]) line.append(element("span", "who", WHO[role]));
    line.append(element("span", "said", text || (isWritten ? "" : "(nothing)")));
    return line;
  }
  function linesOf(one, answer, isWriting) {
    const asked = element("div", "turn user"), lines = [asked], end = answer.turns.length - 1;
    asked.append(element("span", "who", one.story ? "story, then" : "asked"), element("span", "said", one.question));
    lines.push(...answer.turns.map((turn, i) => turnOf(turn, isWriting && !answer.ended && i === end)));
    if (!answer.verdict) return lines;
    const verdict = element("div", "verdict-of"), words = element("span", "", answer.verdict);
    verdict.append(element("span", "sign-of", answer.sign), words);
    if (answer.style) words.append(element("span", "soft", ` · ${answer.style}`));
    return [...lines, verdict];
  }
  return {
    root,
    toEnd: () => logs.forEach((log) => { log.scrollTop = log.scrollHeight; }),
    paint(rounds, isWriting) {
      logs.forEach((log, place) => {
        const atEnd = log.scrollHeight - log.clientHeight - log.scrollTop < NEAR;
        const lines = rounds.flatMap((one, i) => linesOf(one, one.answers[place], isWriting && i === rounds.length - 1));
        log.replaceChildren(...(lines.length ? lines : [element("div", "soft", "nothing asked yet")]));
        if (atEnd || isWriting) log.scrollTop = log.scrollHeight;
      });
    },
  };
}

// A row for each stage: what the Town has judged since the last Reset.
function tallyTable(stages, columns) {
  const table = element("table", "facts tally"), caption = element("caption"), head = element("tr"), top = element("thead"), body = element("tbody");
  head.append(...["stage", ...columns].map((name) => { const cell = element("th", "", name); cell.scope = "col"; return cell; }));
  top.append(head);
  const rows = stages.map((name) => {
    const row = element("tr"), first = element("th", "", name), cells = columns.map(() => element("td", "number"));
    first.scope = "row";
    row.append(first, ...cells);
    body.append(row);
    return cells;
  });
  table.append(caption, top, body);
  return {
    root: table,
    paint(tally) {
      const most = Math.max(0, ...tally.map(({ asked }) => asked));
      caption.textContent = `${most} ${most === 1 ? "question" : "questions"} that the Town could judge`;
      rows.forEach((cells, place) => cells.forEach((cell, i) => {
        const counts = tally[place] ?? {};
        cell.textContent = counts.asked ? `${counts[columns[i]]}${i ? "" : ` of ${counts.asked}`}` : "–";
      }));
    },
  };
}
