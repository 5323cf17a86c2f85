"""A group of answers to one prompt: rewards, advantages, and which tokens are pushed up."""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.groups import Compared
from course_lib.viz.sheet import CHARACTER, heading_room, number, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

WIDTH, TOKENS, LINE, GAP = 9.6, 6.1, 0.31, 0.05  # inches: the picture, its tokens, from line to line
MOST_LINES = 3  # lines of one answer's tokens
SIGNS = {1: ("▲", "pushed up"), -1: ("▼", "pushed down"), 0: ("·", "as they are")}


class Answered(NamedTuple):
    """One answer that a policy has drawn."""

    tokens: list[str]
    log_probs: list[float]  # of each token, when it was drawn


@in_style
def answer_group(
    question: str,
    answers: Sequence[Answered],
    compared: Compared | None,
    *,
    reward: str = "reward",
    message: str = "",
    title: str = "A group of answers",
) -> Still:
    """Each answer with its reward, its advantage as a bar, and an arrow at every token.

    Args:
        question: what was asked.
        answers: G of them.
        compared: their rewards and advantages; None: they could not be compared.
        reward: name of the reward function.
        message: what went wrong.
        title: of the picture.

    Returns:
        a Still.
    """
    lines = [_lines(one.tokens) for one in answers]
    asked = wrap(f"Asked: {question}", int(WIDTH / CHARACTER)) if question else []
    told = wrap(" ".join(filter(None, (summary(compared), message))), int(WIDTH / CHARACTER))
    heading = wrapped(title, WIDTH)
    height = heading_room(heading) + LINE * (
        len(asked) + len(told) + 1.5 + sum(len(one) + 0.3 for one in lines)
    )
    note = f"▲ pushed up, ▼ pushed down · reward: {reward}"
    still, ax = sheet(
        WIDTH, height + 0.4, heading, _alt(question, answers, compared, reward, message, title), note
    )
    y = height + 0.4 - heading_room(heading) - 0.2
    for line in asked:
        write(ax, 0.1, y, line, ha="left")
        y -= LINE
    for x, name in ((TOKENS + 0.55, "reward"), (TOKENS + 2.1, "advantage")):
        write(ax, x, y, name, colours.SOFT_INK)
    y -= LINE
    top = max((abs(a) for a in compared.advantages), default=0.0) if compared else 0.0
    for n, rows in enumerate(lines):
        advantage = compared.advantages[n] if compared else 0.0
        _numbers(ax, y, compared.rewards[n] if compared else None, advantage, top)
        for row in rows:
            _tokens(ax, row, y, advantage)
            y -= LINE
        y -= 0.3 * LINE
    for line in told:
        write(ax, 0.1, y, line, bold=True, ha="left")
        y -= LINE
    return still


def sign(advantage: float) -> int:
    """1, -1 or 0."""
    return (advantage > 0) - (advantage < 0)


def summary(compared: Compared | None) -> str:
    """Mean and spread of a group, in words."""
    if compared is None:
        return ""
    if compared.no_signal:
        return f"All rewards are {number(compared.mean, True)}: no signal, all advantages are 0."
    return f"Mean {number(compared.mean)}, standard deviation {number(compared.std)}."


def _lines(tokens: Sequence[str]) -> list[list[str]]:
    lines, x = [[]], 0.1
    for token in tokens:
        if lines[-1] and x + _wide(token) > TOKENS:
            lines.append([])
            x = 0.1
        lines[-1].append(token)
        x += _wide(token) + GAP
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], [*lines[MOST_LINES - 1][:-1], "…"]]
    return lines


def _wide(token: str) -> float:
    return CHARACTER * (len(label(token)) + 2.2)


def _tokens(ax, row: Sequence[str], y: float, advantage: float) -> None:
    x, ink = 0.1, _ink(advantage)
    for token in row:
        wide = _wide(token)
        face = colours.tint(ink, 0.14) if sign(advantage) else colours.PANEL
        ax.add_patch(Rectangle((x, y - 0.125), wide, 0.25, facecolor=face, edgecolor=colours.LINE, lw=0.7))
        write(ax, x + wide / 2, y, f"{label(token)} {SIGNS[sign(advantage)][0]}", size=SMALL)
        x += wide + GAP


def _numbers(ax, y: float, reward: float | None, advantage: float, top: float) -> None:
    zero, half = TOKENS + 2.1, 0.72
    ax.plot([zero, zero], [y - 0.15, y + 0.15], color=colours.SOFT_INK, lw=1)
    if reward is None:
        return
    write(ax, TOKENS + 0.55, y, number(reward, True), bold=True)
    if top:
        wide = half * advantage / top
        ax.add_patch(Rectangle((zero, y - 0.09), wide, 0.18, facecolor=_ink(advantage), lw=0))
    write(ax, zero + half + 0.35, y, signed(advantage), bold=True)


def signed(value: float) -> str:
    """A number with its sign: +0.87, −1.2, 0."""
    return f"+{number(value)}" if value > 0 else number(value)


def _ink(advantage: float) -> str:
    return {1: colours.POSITIVE, -1: colours.NEGATIVE, 0: colours.SOFT_INK}[sign(advantage)]


def _alt(question, answers, compared: Compared | None, reward: str, message: str, title: str) -> str:
    told = []
    for n, one in enumerate(answers):
        text = " ".join(map(shown, one.tokens))
        if compared is None:
            told.append(f"“{text}”")
            continue
        advantage = compared.advantages[n]
        told.append(
            f"“{text}” reward {number(compared.rewards[n], True)}, advantage {signed(advantage)}: its tokens "
            f"are {SIGNS[sign(advantage)][1]}" if sign(advantage) else
            f"“{text}” reward {number(compared.rewards[n], True)}, advantage 0"
        )  # fmt: skip
    parts = (
        sentence(title),
        f"Asked: {question}." if question else "",
        f"Reward: {reward}.",
        summary(compared),
    )
    return " ".join([*filter(None, parts), *(f"{one}." for one in told), *([message] if message else [])])
