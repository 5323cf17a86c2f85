"""The next token: chances of the likeliest, and what temperature, top-k and top-p remove, stage by stage."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.sheet import CHARACTER, heading_room, number, room_for, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, label, sentence, shown

BARS, NAMED = 12, 3  # tokens with a bar; removed tokens that are named
WIDTH, BAR, LINE = 9.6, 2.1, 0.3  # inches
PALE = colours.tint(colours.SOFT_INK, 0.6)


@in_style
def next_token(
    tokens: Sequence[str],
    names: Sequence[str],
    trace,
    *,
    n_drawn: int = 0,
    message: str = "",
    title: str = "Which token comes next?",
) -> Still:
    """A text, bars of the likeliest next tokens, and what each filter removes.

    Args:
        tokens: T tokens of the text.
        names: V tokens.
        trace: what `course_lib.generation.trace_draw` gives: settings, stages and what is drawn; None where
            nothing can come.
        n_drawn: how many of the last tokens were drawn.
        message: why nothing can come.

    Returns:
        a Still.
    """
    heading = wrapped(title, WIDTH)
    text = _lines([label(token) for token in tokens[-80:]], WIDTH - 0.4)[-4:]
    told = _told(trace, names) if trace else [("", message or "The text is over.")]
    body = LINE * (BARS + 1.4) if trace else LINE
    height = heading_room(heading) + LINE * len(text) + body + 0.5
    note = "bar: chance when it is drawn · thin and grey: the model’s own chance" if trace else ""
    still, ax = sheet(WIDTH, height, heading, _alt(tokens, told, trace, names, n_drawn, title), note)
    top = height - heading_room(heading) - 0.2
    for line in text:
        write(ax, 0.12, top, line, size=FONT_SIZE, ha="left")
        top -= LINE
    top -= 0.1
    y, left = top, 0.12 if trace is None else _bars(ax, top, trace, names) + 0.3
    for heading, words in told:
        if heading:
            write(ax, left, y, heading, bold=True, ha="left")
            y -= 0.25
        for line in wrap(words, int((WIDTH - left) / CHARACTER / 0.92)):
            write(ax, left, y, line, size=SMALL, ha="left")
            y -= 0.23
        y -= 0.08
    return still


def _bars(ax, top: float, trace, names: Sequence[str]) -> float:
    """The bars; returns where they end, in inches."""
    before, after = trace.stages[0].probabilities, trace.stages[-1].probabilities
    order = sorted(range(len(before)), key=lambda i: -trace.logits[i])  # stable: of equals the lower id first
    out = {i: stage.name for stage in trace.stages for i in stage.removed}
    rows = [(label(names[i]), after[i], before[i], out.get(i)) for i in order[:BARS]]
    if rest := order[BARS:]:
        removed = ", ".join(dict.fromkeys(out[i] for i in rest)) if all(i in out for i in rest) else None
        rows.append(("all others", sum(after[i] for i in rest), sum(before[i] for i in rest), removed))
    start = 0.2 + room_for([word for word, *_ in rows])
    for n, (word, p, own, removed) in enumerate(rows):
        y = top - LINE * n
        write(ax, start, y, word, colours.SOFT_INK if removed else colours.INK, ha="right")
        for low, width, colour, deep in (
            (0.1, 1.0, colours.PANEL, 0.2),
            (0.1, p, colours.GENERATED, 0.2),
            (0.1, own, PALE, 0.07),
        ):
            ax.add_patch(Rectangle((start + 0.08, y - low), BAR * width, deep, facecolor=colour, lw=0))
        said = f"{removed} ✕" if removed else number(p)
        write(ax, start + BAR + 0.18, y, said, size=SMALL, ha="left")
    return start + BAR + 1.3


def _told(trace, names: Sequence[str]) -> list[tuple[str, str]]:
    """A heading and a sentence for each stage, in their order, and for the draw."""
    settings = {
        "temperature": f"temperature {trace.temperature:.3g}",
        "top-k": "top-k: off" if trace.top_k is None else f"top-k {trace.top_k}",
        "top-p": "top-p: off" if trace.top_p in (None, 1) else f"top-p {trace.top_p:.3g}",
    }
    told = []
    for before, stage in zip(trace.stages, trace.stages[1:], strict=False):
        told.append((settings[stage.name], removal(stage.removed, before.probabilities, names)))
    chance = trace.stages[-1].probabilities[trace.drawn]
    told.append(("draw", f"“{shown(names[trace.drawn])}”, chance {number(chance)}"))
    return told


def removal(ids: Sequence[int], before: Sequence[float], names: Sequence[str]) -> str:
    """What a stage removes, in words."""
    if not ids:
        return "Nothing is removed."
    listed = ", ".join(f"“{label(names[i])}” {number(before[i])}" for i in ids[:NAMED])
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    tokens = "token" if len(ids) == 1 else "tokens"
    share = number(sum(before[i] for i in ids))
    return f"Removed: {len(ids):,} {tokens} with {share} together: {listed}{more}."


def _lines(tokens: Sequence[str], width: float) -> list[str]:
    """The tokens in lines that fit; a line break in the text ends a line."""
    lines = [""]
    for token in tokens:
        if lines[-1] and CHARACTER * 1.1 * (len(lines[-1]) + 1 + len(token)) > width:
            lines.append("")
        lines[-1] += f" {token}" if lines[-1] else token
        if token.endswith("⏎"):
            lines.append("")
    return [line for line in lines if line]


def _alt(tokens, told, trace, names, n_drawn: int, title: str) -> str:
    text = " ".join(map(shown, tokens)) or "no token yet"
    drawn = f" The last {n_drawn} were drawn." if n_drawn else ""
    stages = " ".join(f"{heading}: {words}" if heading else words for heading, words in told)
    if trace is None:
        return f"{sentence(title)} {text}.{drawn} {stages}"
    kept = trace.kept()[:5]
    chances = ", ".join(f"“{shown(names[i])}” {number(trace.stages[-1].probabilities[i])}" for i in kept)
    return f"{sentence(title)} {text}.{drawn} Likeliest: {chances}. {stages}."
