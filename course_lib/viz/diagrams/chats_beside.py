"""The same question to several models: their answers in columns side by side, each with its verdict."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from course_lib.viz import colours
from course_lib.viz.sheet import CHARACTER, heading_room, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, sentence, shown

WIDTH, LINE, GAP = 9.6, 0.27, 0.25  # inches: the picture, from line to line, between columns
SAID = {"call": "calls: ", "tool": "result: "}  # what stands before the line of a turn


@in_style
def chats_beside(
    stages: Sequence[str],
    rounds: Sequence[Mapping],
    tally: Sequence[Mapping[str, int]],
    *,
    story: str,
    question: str,
    message: str = "",
    title: str = "The same question to each stage",
) -> Still:
    """The chat so far in a column for each stage.

    Args:
        stages: S names.
        rounds: of each question "story", "question", and "answers": for each stage its "turns" (role, text),
            "sign", "verdict", "style".
        tally: of each stage "asked" and "right".
        story, question: as they stand in the text boxes; drawn where nothing was asked yet.
        message: why there is no answer.
        title: of the picture.

    Returns:
        a Still.
    """
    told = next((one["story"] for one in rounds if one["story"]), "") if rounds else story
    heading = wrapped(title, WIDTH)
    above = wrap(shown(told), int(WIDTH / CHARACTER)) if told.strip() else []
    wide = (WIDTH - 0.16 - GAP * (len(stages) - 1)) / len(stages)
    columns = [_column(rounds, place, int(wide / CHARACTER)) for place in range(len(stages))]
    asked = [] if rounds else wrap(f"asked: {shown(question)}" if question else "", int(WIDTH / CHARACTER))
    below = [message] if message else [] if rounds else ["Nothing was asked yet."]
    n_lines = len(above) + len(asked) + max(map(len, columns), default=0) + len(below) + 2
    height = heading_room(heading) + 0.55 + LINE * n_lines
    said = _alt(stages, rounds, tally, story, question, below, title)
    still, ax = sheet(WIDTH, height, heading, said, "purple: what a model wrote")
    y = height - heading_room(heading) - 0.2
    for line in above:
        write(ax, 0.08, y, line, colours.SOFT_INK, SMALL, ha="left")
        y -= LINE
    for line in asked:
        write(ax, 0.08, y, line, ha="left")
        y -= LINE
    y -= LINE / 3
    for place, name in enumerate(stages):
        x, line_y = 0.08 + place * (wide + GAP), y
        write(ax, x, line_y, shown(name), bold=True, ha="left")
        counts = tally[place] if place < len(tally) else {}
        if counts.get("asked"):
            share = f"right: {counts['right']} of {counts['asked']}"
            write(ax, x + wide, line_y, share, colours.SOFT_INK, SMALL, ha="right")
        ax.plot([x, x + wide], [line_y - 0.15] * 2, color=colours.LINE, lw=1.2)
        for text, colour, bold in columns[place]:
            line_y -= LINE
            write(ax, x, line_y - 0.06, text, colour, SMALL, bold=bold, ha="left")
    y -= LINE * (max(map(len, columns), default=0) + 1.3)
    for line in below:
        write(ax, 0.08, y, line, bold=True, ha="left")
        y -= LINE
    return still


def _column(rounds: Sequence[Mapping], place: int, characters: int) -> list[tuple[str, str, bool]]:
    """Lines of one column: text, colour, whether it is bold."""
    lines = []
    for one in rounds:
        answer = one["answers"][place]
        lines += [(line, colours.INK, False) for line in wrap(f"asked: {shown(one['question'])}", characters)]
        for role, text in answer["turns"]:
            colour = colours.SOFT_INK if role == "tool" else colours.GENERATED
            lines += [(line, colour, False) for line in wrap(SAID.get(role, "") + shown(text), characters)]
        if answer["verdict"]:
            words = f"{answer['sign']} {answer['verdict']}"
            lines += [(line, colours.INK, True) for line in wrap(words, characters - 2)]
    return lines


def _alt(stages, rounds, tally, story, question, below, title: str) -> str:
    parts = []
    for one in rounds:
        parts.append(f"{one['story']} {one['question']}".strip())
        for name, answer in zip(stages, one["answers"], strict=True):
            turns = " | ".join(SAID.get(role, "") + shown(text) for role, text in answer["turns"]) or "…"
            verdict = f" ({answer['sign']} {answer['verdict']})" if answer["verdict"] else ""
            parts.append(f"{shown(name)}: {turns}{verdict}.")
    if not rounds:
        parts += [f"{story} {question}".strip(), f"Stages: {', '.join(map(shown, stages))}.", *below]
    else:
        counted = zip(stages, tally, strict=True)
        right = [f"{shown(n)} {c['right']} of {c['asked']}" for n, c in counted if c["asked"]]
        parts += [f"Right: {', '.join(right)}."] if right else []
    return f"{sentence(title)} {' '.join(parts)}"
