"""A story that is being told: its sentences with a verdict each, and where one token looks."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.sheet import CHARACTER, heading_room, number, sheet, wrapped, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, as_array, in_style, label, sentence, shown

WIDTH, LINE, GAP = 9.6, 0.3, 0.06  # inches: the picture, from line to line, between two tokens
NAMED = 4  # tokens that are named in the alt text


class Told(NamedTuple):
    """One sentence of a story and the verdict on it."""

    start: int  # its first token
    stop: int  # behind its last one
    finished: bool
    valid: bool | None
    consistent: bool | None
    error: str | None

    def verdict(self) -> str:
        """The verdict in words."""
        if not self.finished:
            return "… is being told"
        if not self.valid:
            return f"✗ not valid: {self.error}"
        if self.consistent is None:
            return "? valid; after a wrong sentence the facts are no longer known"
        return "✓ valid and consistent" if self.consistent else f"✗ valid, not consistent: {self.error}"


@in_style
def told_story(
    tokens: Sequence[str],
    looks: Sequence[float],
    told: Sequence[Told],
    *,
    n_drawn: int = 0,
    place: int = -1,
    verdict: Mapping | None = None,
    message: str = "",
    title: str = "A story, token by token",
) -> Still:
    """A story in lines, a verdict below each sentence; as shading, the weights of one token, which is framed.

    Args:
        tokens: T tokens.
        looks: its weights `(T,)`, for the token at `place` (−1: the newest).
        told: the sentences.
        n_drawn: how many of the last tokens were drawn.
        verdict: of the whole story: "valid", "consistent", "error"; None: it is not over.
        message: why nothing comes next.

    Returns:
        a Still.

    Raises:
        ValueError: not one weight a token.
    """
    weights = as_array(looks, "looks", 1) if len(tokens) else ()
    if len(weights) != len(tokens):
        raise ValueError(f"looks has {len(weights)} weights, expected {len(tokens)}: one a token")
    rows = _rows(tokens, told)
    ends = [message] if message else []
    if verdict is not None:
        right = "✓ The whole story is valid and consistent."
        wrong = "valid, not consistent" if verdict["valid"] else "not valid"
        ends.append(right if verdict["consistent"] else f"✗ The story is {wrong}: {verdict['error']}.")
    ends = [line for end in ends for line in wrap(end, int(WIDTH / CHARACTER))]
    heading = wrapped(title, WIDTH)
    height = heading_room(heading) + 0.6 + LINE * (len(rows) + len(ends))
    at = place % len(tokens) if len(tokens) else -1
    note = f"shading: where the framed “{label(tokens[at])}” looks · underlined: drawn" if len(tokens) else ""
    still, ax = sheet(WIDTH, height, heading, _alt(tokens, weights, told, at, ends, n_drawn, title), note)
    y, top = height - heading_room(heading) - 0.2, max(weights, default=0)
    for row in rows:
        if isinstance(row, str):
            write(ax, 0.3, y, row, colours.SOFT_INK, SMALL, ha="left")
        else:
            x = 0.12
            for i in row:
                wide = _wide(tokens[i])
                face = colours.WEIGHTS(float(weights[i] / top) if top else 0.0)
                ax.add_patch(Rectangle((x, y - 0.12), wide, 0.24, facecolor=face, lw=0))
                if i == at:  # a frame around its shade and its underline: it may look at itself, too
                    frame = {"edgecolor": colours.QUERY, "facecolor": "none", "lw": 1.8}
                    ax.add_patch(Rectangle((x - 0.03, y - 0.18), wide + 0.06, 0.33, zorder=3, **frame))
                ink, drawn = colours.ink_on(face), i >= len(tokens) - n_drawn
                write(ax, x + wide / 2, y, label(tokens[i]), ink, FONT_SIZE)
                if drawn:
                    ax.plot([x, x + wide], [y - 0.135] * 2, color=colours.GENERATED, lw=2)
                x += wide + GAP
        y -= LINE
    for end in ends:
        write(ax, 0.12, y, end, bold=True, ha="left")
        y -= LINE
    return still


def _wide(token: str) -> float:
    return CHARACTER * 1.1 * len(label(token)) + 0.08


def _rows(tokens: Sequence[str], told: Sequence[Told]) -> list[list[int] | str]:
    """Lines of places of tokens, and a line of words below each sentence."""
    rows: list[list[int] | str] = []
    behind = 0
    for n, one in enumerate(told):
        start = 0 if n == 0 else one.start
        rows += _lines(tokens, start, one.stop)
        rows += wrap(one.verdict(), int(WIDTH / CHARACTER / 0.95))
        behind = one.stop
    return rows + _lines(tokens, behind, len(tokens))


def _lines(tokens: Sequence[str], start: int, stop: int) -> list[list[int]]:
    lines, x = [], WIDTH
    for i in range(start, stop):
        if x + _wide(tokens[i]) > WIDTH - 0.12:
            lines.append([])
            x = 0.12
        lines[-1].append(i)
        x += _wide(tokens[i]) + GAP
    return lines


def _alt(tokens, weights, told, at: int, ends, n_drawn: int, title: str) -> str:
    if not len(tokens):
        return f"{sentence(title)} {' '.join(ends) or 'No token yet.'}"
    said = " ".join(f"{' '.join(map(shown, tokens[one.start : one.stop]))} ({one.verdict()})" for one in told)
    best = sorted(range(len(tokens)), key=lambda i: -weights[i])[:NAMED]
    looks = ", ".join(f"“{shown(tokens[i])}” {number(weights[i])}" for i in best)
    drawn = f" The last {n_drawn} tokens were drawn." if n_drawn else ""
    whole = f" {' '.join(ends)}" if ends else ""
    story = said or " ".join(map(shown, tokens))
    return f"{sentence(title)} {story}.{drawn} “{shown(tokens[at])}” looks most at {looks}.{whole}"
