// What ColouredTokens says of a token: its id and its bytes, what it was made of, and what others make of its bytes.

const NOTHING = { panel: -1, place: -1 };
const MOST_SAID = 12; // tokens of another tokenizer in one line
const quotedToken = (shown) => `“${isolated(shown)}”`;
const lineOf = (...parts) => { const line = element("div"); line.append(...parts); return line; };

function tokenLine(panel, { place }) {
  const cell = panel.cells[place], n = cell.hex.split(" ").length;
  return lineOf(element("span", "name", panel.name), `: token ${place + 1} of ${panel.ids.length}, ${quotedToken(cell.shown)} · id `,
    element("span", "number", `${panel.ids[place]}`), ` · ${n} ${n === 1 ? "byte" : "bytes"}: `, element("span", "bytes", cell.hex));
}

// parts: the letters that the token holds only in part.
function madeLine(tokenizer, id, parts) {
  const pair = tokenizer.merges[id - BYTES.length]?.map((each) => quotedToken(cellOf(tokenizer.tokens[each]).shown));
  const made = pair ? `Learned as merge ${id - BYTES.length + 1}: ${pair[0]} + ${pair[1]}.` : "One of the 256 bytes: here nothing was merged.";
  const broken = parts.map(({ letter, first, last, all }) => `${first === last ? `byte ${first}` : `bytes ${first}–${last}`} of the ${all} of ${quotedToken(cellOf(bytesOf(letter)).shown)}`);
  return lineOf(made, broken.length ? ` A part of a letter: ${broken.join(", ")}.` : "");
}

// same: the places of the tokens of another tokenizer that share bytes with bytes from … to.
function otherLine(panel, same, from, to) {
  const whole = panel.starts[same[0]] >= from && panel.starts[same.at(-1) + 1] <= to;
  const list = same.slice(0, MOST_SAID).map((i) => `${quotedToken(panel.cells[i].shown)} (${panel.ids[i]})`).join(" ");
  const rest = same.length > MOST_SAID ? ` and ${same.length - MOST_SAID} more` : "";
  const verb = whole ? same.length === 1 ? "the same bytes are one token:" : "the same bytes are" : "these bytes lie in";
  return lineOf(element("span", "name", panel.name), `: ${verb} ${list}${rest}`);
}
