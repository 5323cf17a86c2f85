// A panel of bars: the likeliest words at one place, the true one among them wherever it stands.

const BARS = 6;
const chance = (p) => (p >= 0.995 && p < 1 ? "≈1" : short(p, 2));

// n: how many bars.
function wordBars(n = BARS) {
  const root = element("div", "next-words"), title = element("div", "of"), asked = element("div", "soft"), list = element("div", "bars");
  const rows = Array.from({ length: n }, () => {
    const row = element("div", "bar"), word = element("span", "word"), track = element("span", "track"), number = element("span", "number");
    const fill = element("span", "fill"), beside = element("span", "beside");
    track.append(fill, beside);
    row.append(word, track, number);
    list.append(row);
    return { row, word, fill, beside, number };
  });
  root.setAttribute("role", "group");
  root.append(title, asked, list);
  return {
    root,
    // bars: {word, probability, rank, truth, beside, said}, at most n; beside: another guess's chance, or nothing;
    // said: what removed the word, in place of its chance.
    paint(name, note, bars, on = false) {
      root.classList.toggle("on", on);
      root.classList.toggle("without", !bars.length);
      title.textContent = name;
      asked.textContent = note;
      rows.forEach(({ row, word, fill, beside, number }, i) => {
        const bar = bars[i] ?? { word: "", probability: 0, rank: 0, truth: false };
        row.classList.toggle("truth", Boolean(bar.truth));
        row.classList.toggle("removed", bar.said !== undefined);
        row.style.visibility = bar.word ? "visible" : "hidden";
        word.textContent = bar.word && bar.rank > i + 1 ? `${bar.rank}. ${bar.word}` : bar.word;
        word.title = bar.word;
        fill.style.width = `${100 * bar.probability}%`;
        beside.hidden = (bar.beside ?? null) === null;
        beside.style.width = `${100 * (bar.beside ?? 0)}%`;
        number.textContent = bar.word ? bar.said ?? chance(bar.probability) : "";
      });
      const told = bars.map(({ word, probability, truth, said }) => `${word} ${said ? `removed by ${said}` : chance(probability)}${truth ? " (the truth)" : ""}`);
      root.setAttribute("aria-label", [name, note, told.join(", ")].filter(Boolean).join(": "));
    },
  };
}
