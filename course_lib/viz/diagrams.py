"""How the parts fit together: the bottleneck, looking back, the four steps, the map of the course.

Every diagram is drawn on one sheet whose unit is the inch, so a size in the code is a size on the page.
"""

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from course_lib.viz import colours
from course_lib.viz.attention import add_heading
from course_lib.viz.still import SMALL, Still, as_array, as_weights, in_style, shown

TOWN_SOURCE = ("the", "red", "ball", "is", "here")
TOWN_TARGET = ("le", "ballon", "rouge", "est", "ici")


@in_style
def bottleneck(
    source: Sequence[str] = TOWN_SOURCE,
    target: Sequence[str] = TOWN_TARGET,
    *,
    title: str = "Without attention, one fixed vector carries the whole sentence",
) -> Still:
    """Sequence to sequence as it was before attention: encoder, one vector, decoder."""
    for name, tokens in (("source", source), ("target", target)):
        if not len(tokens):
            raise ValueError(f"{name} is empty; expected at least one token")
    step = min(0.92, 7.8 / (len(source) + len(target)))
    width = 0.5 + step * (len(source) + len(target)) + 1.2
    still, ax = _sheet(
        width,
        3.0,
        title,
        (
            f"{title}. An encoder reads {_listed(source)} one word at a time; its last state, one fixed "
            f"vector, is all that the decoder gets to write {_listed(target)}."
        ),
    )
    left, y, box = 0.3, 1.15, step - 0.2
    for j, token in enumerate(source):
        x = left + j * step
        _box(ax, x, y, box, 0.62, f"$h_{{{j + 1}}}$", edge=colours.KEY, math=True)
        _token(ax, x + box / 2, y - 0.42, token)
        _arrow(ax, (x + box / 2, y - 0.28), (x + box / 2, y - 0.02))
        _arrow(ax, (x + box, y + 0.31), (x + step, y + 0.31))
    x = left + len(source) * step + 0.08
    _box(ax, x, y - 0.22, 0.78, 1.06, "", face=colours.ACCENT, edge=colours.ACCENT)
    for dot in range(4):
        ax.add_patch(
            Rectangle(
                (x + 0.27, y - 0.08 + 0.2 * dot),
                0.24,
                0.15,
                color=colours.PAPER,
                lw=0,
                alpha=(0.95, 0.45, 0.75, 0.3)[dot],
            )
        )
    ax.text(
        x + 0.39, y - 0.46, "one vector", ha="center", color=colours.ACCENT, fontweight="bold", fontsize=SMALL
    )
    _arrow(ax, (x + 0.8, y + 0.31), (x + 1.12, y + 0.31))
    left = x + 1.14
    for i, token in enumerate(target):
        x = left + i * step
        _box(ax, x, y, box, 0.62, f"$s_{{{i + 1}}}$", edge=colours.QUERY, math=True)
        _arrow(ax, (x + box / 2, y + 0.62), (x + box / 2, y + 0.9))
        _token(ax, x + box / 2, y + 1.04, token, colours.GENERATED)
        if i:
            _arrow(ax, (x - step + box, y + 0.31), (x, y + 0.31))
    half = len(source) * step / 2
    ax.text(0.3 + half, 0.18, "encoder reads", ha="center", color=colours.KEY, fontsize=SMALL)
    ax.text(
        left + len(target) * step / 2,
        0.18,
        "decoder writes",
        ha="center",
        color=colours.QUERY,
        fontsize=SMALL,
    )
    return still


@in_style
def look_back(
    source: Sequence[str] = TOWN_SOURCE,
    weights: Sequence[float] | None = None,
    written: str = "ballon",
    output: str = "rouge",
    *,
    step: int = 3,
    title: str = "With attention, the decoder looks back at every encoder state",
) -> Still:
    """One decoder step with Bahdanau attention: query, scores, weights, context, GRU, next word.

    weights: (S,) attention of this step over `source` (default: most on one word). written: the word before,
    output: the word that comes out, step: its number i (from 1).
    """
    if not len(source):
        raise ValueError("source is empty; expected at least one token")
    if weights is None:
        weights = np.full(len(source), 0.16 / max(1, len(source) - 1))
        weights[min(1, len(source) - 1)] = 1 - weights[: len(source) - 1].sum()
    weights = as_weights([as_array(weights, "weights", 1)], ["query"], source)[0]
    pitch = min(1.05, 5.6 / len(source))
    width = 0.95 + pitch * len(source) + 3.3
    still, ax = _sheet(
        width,
        5.35,
        title,
        (
            f"{title}. The query, decoder state s{step - 1}, is scored against each encoder state of "
            f"{_listed(source)}; "
            "softmax turns the scores into weights ("
            + ", ".join(f"{shown(t)} {w:.2f}" for t, w in zip(source, weights, strict=True))
            + "); their weighted sum is the context, and the GRU cell makes of it the next word, "
            + f"“{shown(output)}”."
        ),
    )
    left, box = 0.95, min(0.78, pitch - 0.12)
    y_state, y_score, y_weight, y_context = 0.72, 1.75, 2.5, 3.75
    context = left + pitch * len(source) / 2 - 0.75
    for j, (token, weight) in enumerate(zip(source, weights, strict=True)):
        x = left + j * pitch
        middle = x + box / 2
        _token(ax, middle, 0.3, token)
        _box(ax, x, y_state, box, 0.5, f"$h_{{{j + 1}}}$", edge=colours.KEY, math=True)
        _arrow(ax, (middle, 0.45), (middle, y_state))
        _arrow(ax, (middle, y_state + 0.5), (middle, y_score), colours.KEY)
        _box(ax, x, y_score, box, 0.42, f"$e_{{{step}{j + 1}}}$", edge=colours.LINE, math=True)
        _arrow(ax, (middle, y_score + 0.42), (middle, y_weight))
        _box(
            ax,
            x,
            y_weight,
            box,
            0.42,
            f"{weight:.2f}",
            face=colours.WEIGHTS(weight),
            edge=colours.LINE,
            ink=colours.text_on(weight),
        )
        ax.plot(
            [middle, context + 0.75 + 0.12 * (j - (len(source) - 1) / 2)],
            [y_weight + 0.42, y_context],
            color=colours.VALUE,
            lw=0.8 + 6 * weight,
            alpha=0.35 + 0.65 * weight,
            solid_capstyle="round",
            zorder=0,
        )
    ax.add_patch(
        FancyBboxPatch(
            (left - 0.06, y_score - 0.08),
            (len(source) - 1) * pitch + box + 0.12,
            0.58,
            lw=0,
            facecolor="#E5F0F8",
            boxstyle="round,pad=0,rounding_size=0.1",
            zorder=0,
        )
    )
    for y, name in ((y_state + 0.25, "states"), (y_score + 0.21, "scores"), (y_weight + 0.21, "weights")):
        ax.text(left - 0.14, y, name, ha="right", va="center", fontsize=SMALL, color=colours.SOFT_INK)
    ax.text(
        left + 0.06 + len(source) * pitch - 0.02,
        (y_score + y_weight + 0.42) / 2,
        "softmax",
        fontsize=SMALL,
        va="center",
        color=colours.SOFT_INK,
    )
    _box(
        ax,
        context,
        y_context,
        1.5,
        0.52,
        f"context $c_{{{step}}}$",
        edge=colours.VALUE,
        face="#E6F3EF",
        math=True,
    )

    right = width - 2.05
    _box(
        ax,
        right,
        y_score - 0.06,
        1.6,
        0.54,
        f"query $s_{{{step - 1}}}$",
        edge=colours.QUERY,
        face="#E5F0F8",
        math=True,
    )
    _arrow(
        ax,
        (right, y_score + 0.21),
        (left + (len(source) - 1) * pitch + box + 0.06, y_score + 0.21),
        colours.QUERY,
        2,
    )
    _box(ax, right, y_context - 0.04, 1.6, 0.6, f"GRU cell → $s_{{{step}}}$", edge=colours.QUERY, math=True)
    _arrow(ax, (right + 0.55, y_score + 0.48), (right + 0.55, y_context - 0.04), colours.QUERY, 2)
    _arrow(ax, (context + 1.5, y_context + 0.26), (right, y_context + 0.26), colours.VALUE, 2)
    _token(ax, right + 1.18, y_context - 0.72, written, colours.GENERATED)
    ax.text(
        right + 1.18,
        y_context - 0.96,
        "word before",
        ha="center",
        va="center",
        fontsize=SMALL,
        color=colours.SOFT_INK,
    )
    _arrow(ax, (right + 1.18, y_context - 0.55), (right + 1.18, y_context - 0.04), colours.GENERATED)
    _arrow(ax, (right + 0.8, y_context + 0.56), (right + 0.8, y_context + 0.86), colours.GENERATED)
    _token(ax, right + 0.8, y_context + 1.02, output, colours.GENERATED)
    return still


@in_style
def four_steps(
    scores,
    weights,
    states,
    context,
    *,
    tokens: Sequence[str] | None = None,
    title: str = "Score, softmax, weight, sum: four steps to a context vector",
) -> Still:
    """The four steps of attention with the actual numbers, small enough for a pencil.

    scores (S,), weights (S,), states (S, D), context (D,). Raises ValueError when sizes do not fit.
    """
    states = as_array(states, "states", 2)
    n_states, size = states.shape
    tokens = list(tokens or [f"h{j + 1}" for j in range(n_states)])
    scores = as_array(scores, "scores", 1)
    if len(scores) != n_states or len(tokens) != n_states:
        raise ValueError(
            f"scores ({len(scores)}), tokens ({len(tokens)}) and states ({n_states}) differ in number"
        )
    weights = as_weights([as_array(weights, "weights", 1)], ["query"], tokens)[0]
    context = as_array(context, "context", 1)
    if len(context) != size:
        raise ValueError(f"context has {len(context)} numbers; expected {size}, as many as each state")

    cell, row = 0.66, 0.56
    name_width = max(0.7, 0.12 * max(len(shown(t)) for t in tokens) + 0.25)
    x_state = 0.25 + name_width
    x_score = x_state + size * cell + 0.45
    x_weight = x_score + 1.45
    x_part = x_weight + 1.3
    width = x_part + size * cell + 0.3
    height = 1.15 + row * (n_states + 1) + 0.4
    still, ax = _sheet(
        width,
        height,
        title,
        (
            f"{title}. "
            + "; ".join(
                f"state {shown(t)}: score {e:.2f}, weight {w:.2f}"
                for t, e, w in zip(tokens, scores, weights, strict=True)
            )
            + ". The context is ("
            + ", ".join(f"{c:.2f}" for c in context)
            + ")."
        ),
    )
    top = height - 1.15
    heads = (
        (x_state + size * cell / 2, "encoder states", colours.KEY),
        (x_score + 0.42, "1  score", colours.INK),
        (x_weight + 0.36, "2  softmax", colours.INK),
        (x_part + size * cell / 2, "3  weight × state", colours.VALUE),
    )
    for x, text, colour in heads:
        ax.text(
            x,
            top + 0.17,
            text,
            ha="center",
            va="bottom",
            fontweight="bold",
            color=colour,
            fontsize=SMALL + 0.5,
        )
    for j in range(n_states):
        y = top - row * (j + 1) + 0.08
        middle = y + 0.21
        _token(ax, x_state - 0.16, middle, tokens[j], ha="right")
        _numbers(ax, x_state, y, states[j], cell, colours.KEY)
        _arrow(ax, (x_state + size * cell + 0.05, middle), (x_score + 0.02, middle))
        ax.text(x_score + 0.42, middle, _number(scores[j]), ha="center", va="center")
        _arrow(ax, (x_score + 0.86, middle), (x_weight - 0.05, middle))
        _box(
            ax,
            x_weight,
            y,
            0.72,
            0.42,
            f"{weights[j]:.2f}",
            face=colours.WEIGHTS(weights[j]),
            edge=colours.LINE,
            ink=colours.text_on(weights[j]),
        )
        _arrow(ax, (x_weight + 0.77, middle), (x_part - 0.05, middle))
        _numbers(ax, x_part, y, weights[j] * states[j], cell, colours.LINE)
    y = top - row * (n_states + 1) - 0.12
    ax.plot([x_part, x_part + size * cell], [y + 0.54, y + 0.54], color=colours.INK, lw=1.4)
    ax.text(
        x_part - 0.16,
        y + 0.21,
        "4  sum = context",
        ha="right",
        va="center",
        fontweight="bold",
        color=colours.VALUE,
        fontsize=SMALL + 0.5,
    )
    ax.text(
        x_weight + 0.36,
        y + 0.62,
        f"sum {weights.sum():.2f}",
        ha="center",
        va="center",
        fontsize=SMALL,
        color=colours.SOFT_INK,
    )
    _numbers(ax, x_part, y, context, cell, colours.VALUE, face="#E6F3EF")
    return still


# The map of the course: the Transformer, each part with the chapter that builds it.

TITLES = {
    "00": "Start here",
    "01": "Bahdanau attention",
    "02": "Queries, keys, values",
    "03": "Multi-head attention",
    "04": "Masking",
    "05": "The Transformer",
    "06": "Three families",
    "07": "Tokenization",
    "08": "BERT",
    "09": "GPT pretraining",
    "10": "Post-training",
    "11": "Beyond text",
    "12": "Looking inside",
}


@dataclass(frozen=True)
class Part:
    """One box of the map, in inches from the lower left corner."""

    label: str
    chapter: str
    x: float
    y: float
    width: float
    height: float
    colour: str = colours.LINE


MAP_WIDTH, MAP_HEIGHT = 10.75, 7.95
SIDE, ENCODER, DECODER, USES, STACK = 0.3, 2.95, 5.75, 8.4, 2.0  # left edges of the columns; a stack's width
PARTS = (
    Part("inside each\nattention", "02", SIDE, 1.2, 2.05, 4.67, colours.ACCENT),
    Part("What did it learn?", "12", SIDE, 0.25, 2.05, 0.6),
    Part("Text → tokens", "07", ENCODER, 0.25, DECODER - ENCODER + STACK, 0.46),
    Part("Embedding\n+ positions", "05", ENCODER, 0.98, STACK, 0.62, colours.VALUE),
    Part("Embedding\n+ positions", "05", DECODER, 0.98, STACK, 0.62, colours.VALUE),
    Part("Multi-head\nattention", "03", ENCODER, 2.1, STACK, 0.66, colours.ACCENT),
    Part("Feed-forward", "05", ENCODER, 3.52, STACK, 0.46, colours.KEY),
    Part("Masked\nattention", "04", DECODER, 2.1, STACK, 0.66, colours.ACCENT),
    Part("Look back at\nthe encoder", "01", DECODER, 3.52, STACK, 0.66, colours.ACCENT),
    Part("Feed-forward", "05", DECODER, 4.94, STACK, 0.46, colours.KEY),
    Part("Linear + softmax", "05", DECODER, 6.55, STACK, 0.46, colours.GENERATED),
    Part("Encoder, decoder,\nor both?", "06", USES, 5.3, 2.05, 0.72),
    Part("BERT: fills gaps", "08", USES, 4.28, 2.05, 0.62),
    Part("GPT: continues", "09", USES, 3.26, 2.05, 0.62),
    Part("Assistants:\ntaught to help", "10", USES, 2.14, 2.05, 0.72),
    Part("Images, speech", "11", USES, 1.12, 2.05, 0.62),
)
# (left edge, lower edge) of each "Add & norm", and how far below it its sub-layer begins
NORMS = (
    (ENCODER, 2.82, 0.86),
    (ENCODER, 4.04, 0.68),
    (DECODER, 2.82, 0.86),
    (DECODER, 4.24, 0.88),
    (DECODER, 5.46, 0.68),
)


class CourseMap:
    """The map with its links: HTML in a notebook, and a PNG with alt text where HTML is not shown."""

    def __init__(self, still: Still, chapters: Mapping[str, str]):
        self.still, self.chapters, self.alt = still, dict(chapters), still.alt

    def html(self) -> str:
        """The picture with a link over each part whose chapter exists.

        The links are text too: a site that takes styles out, as GitHub does, shows them below the picture.
        """
        links = []
        for part in PARTS:
            if part.chapter not in self.chapters:
                continue
            place = (
                f"left:{part.x / MAP_WIDTH:.2%};top:{1 - (part.y + part.height) / MAP_HEIGHT:.2%};"
                f"width:{part.width / MAP_WIDTH:.2%};height:{part.height / MAP_HEIGHT:.2%}"
            )
            name = html.escape(f"{part.chapter} {TITLES[part.chapter]}")
            about = html.escape(part.label.replace("\n", " "))
            links.append(
                f'<a href="{html.escape(self.chapters[part.chapter])}" style="{place}" '
                f'title="{about}: chapter {name}">{name}</a>'
            )
        png = b64encode(self.still.png()).decode("ascii")
        return (
            f"<style>{MAP_STYLE}</style>\n"
            f'<div class="course-map" style="position:relative;max-width:{MAP_WIDTH * 100:.0f}px">\n'
            f'<img alt="{html.escape(self.alt)}" style="width:100%;display:block" '
            f'src="data:image/png;base64,{png}">\n' + " \n".join(links) + "\n</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = self.still.mimebundle()
        return {"text/html": self.html(), **data}, metadata


MAP_STYLE = (
    ".course-map a{position:absolute;overflow:hidden;color:transparent!important;font-size:1px;"
    "border-radius:7px}"
    f".course-map a:hover,.course-map a:focus-visible{{outline:3px solid {colours.ACCENT};outline-offset:1px;"
    f"background:{colours.ACCENT}22}}"
)


@in_style
def transformer_map(
    chapters: Mapping[str, str],
    *,
    title: str = "The map: each part of the Transformer, and the chapter that builds it",
) -> CourseMap:
    """One picture of the Transformer whose parts link to the chapters.

    chapters: '01' -> file name of the chapters that are written; other parts are drawn pale, without link.
    Raises ValueError for a chapter number that the course does not have.
    """
    unknown = sorted(set(chapters) - set(TITLES))
    if unknown:
        raise ValueError(f"chapters has {unknown}; the course has {list(TITLES)}")
    on_map = {part.chapter for part in PARTS}
    alt = (
        f"{title}. The encoder on the left, the decoder on the right, what is built from them beside it. "
        + "; ".join(f"{number} {name}" for number, name in TITLES.items() if number in on_map)
        + ". Written so far: "
        + (", ".join(sorted(on_map & set(chapters))) or "none")
        + "."
    )
    still, ax = _sheet(MAP_WIDTH, MAP_HEIGHT, title, alt)
    _map_frames(ax)
    _map_arrows(ax)
    for x, y, _ in NORMS:
        _box(ax, x, y, STACK, 0.3, "Add & norm", edge=colours.LINE, face=colours.PAPER, size=SMALL)
    for part in PARTS:
        _map_part(ax, part, part.chapter in chapters)
    _map_inside_attention(ax, "02" in chapters)
    return CourseMap(still, chapters)


def _map_frames(ax: Axes) -> None:
    for x, top, name in ((ENCODER, 4.62, "Encoder"), (DECODER, 6.04, "Decoder")):
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.2, 1.86),
                STACK + 0.4,
                top - 1.86,
                facecolor=colours.PANEL,
                lw=0,
                boxstyle="round,pad=0,rounding_size=0.14",
                zorder=-2,
            )
        )
        ax.text(x - 0.14, top + 0.07, name, fontweight="bold", va="bottom")
        ax.text(x + STACK + 0.14, top + 0.07, "× N", va="bottom", ha="right", color=colours.SOFT_INK)
    ax.text(SIDE, 5.95, "Attention, magnified", fontweight="bold", va="bottom")
    ax.text(USES, 6.11, "Built from it", fontweight="bold", va="bottom")
    ax.add_patch(
        Polygon(
            [(SIDE + 2.05, 5.8), (ENCODER, 2.72), (ENCODER, 2.14), (SIDE + 2.05, 1.27)],
            lw=0,
            facecolor=colours.ACCENT,
            alpha=0.08,
            zorder=-1,
        )
    )


def _map_arrows(ax: Axes) -> None:
    for x in (ENCODER + STACK / 2, DECODER + STACK / 2):
        _arrow(ax, (x, 0.71), (x, 0.97))
        _arrow(ax, (x, 1.6), (x, 2.09))
        _arrow(ax, (x, 3.12), (x, 3.51))
    middle = DECODER + STACK / 2
    _arrow(ax, (middle, 4.54), (middle, 4.93))
    _arrow(ax, (middle, 5.76), (middle, 6.54))
    _arrow(ax, (middle, 7.01), (middle, 7.24))
    ax.text(middle, 7.34, "next word", ha="center", va="center", fontsize=SMALL, color=colours.GENERATED)
    # from the encoder's top over to the decoder's middle
    x = ENCODER + STACK / 2
    bend = DECODER - 0.4
    ax.plot([x, x, bend, bend], [4.34, 5.05, 5.05, 3.85], color=colours.ACCENT, lw=2, solid_joinstyle="round")
    _arrow(ax, (bend, 3.85), (DECODER - 0.01, 3.85), colours.ACCENT, 2)
    _arrow(ax, (USES + 1.02, 3.26), (USES + 1.02, 2.87))
    for x, y, below in NORMS:  # the residual road around each sub-layer
        side, start = x + STACK + 0.1, y - below
        ax.plot([x + STACK / 2, side, side], [start, start, y + 0.15], color=colours.MASKED, lw=1.3)
        _arrow(ax, (side, y + 0.15), (x + STACK, y + 0.15), colours.MASKED, 1)


def _map_part(ax: Axes, part: Part, written: bool) -> None:
    """A box with its number; parts of chapters that are not written yet are pale with a dashed edge."""
    edge = part.colour if written else colours.LINE
    tall = part.height > 2
    _box(
        ax,
        part.x,
        part.y,
        part.width,
        part.height,
        "" if tall else part.label,
        edge=edge,
        face=colours.PAPER,
        ink=colours.INK if written else colours.SOFT_INK,
        line=1.8 if written else 1.2,
        dashed=not written,
        size=SMALL + 0.5,
        shift=-0.17,
    )
    x, y = part.x + part.width - 0.25, part.y + part.height / 2 if not tall else part.y + part.height - 0.25
    badge = edge if written and edge != colours.LINE else colours.INK if written else colours.PANEL
    ax.add_patch(
        FancyBboxPatch(
            (x - 0.16, y - 0.13),
            0.32,
            0.26,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=badge,
            lw=0,
            zorder=3,
        )
    )
    ax.text(
        x,
        y - 0.01,
        part.chapter,
        ha="center",
        va="center",
        fontsize=SMALL,
        fontweight="bold",
        zorder=4,
        color=colours.PAPER if written else colours.SOFT_INK,
    )


def _map_inside_attention(ax: Axes, written: bool) -> None:
    """The five steps inside the big box on the left, from queries and keys up to the output."""
    ink = colours.INK if written else colours.SOFT_INK
    x, middle = SIDE + 0.2, SIDE + 0.77
    for number, name in enumerate(("MatMul", "Scale", "Mask", "Softmax", "MatMul")):
        y = 2.05 + 0.72 * number
        _box(ax, x, y, 1.14, 0.4, name, edge=colours.LINE, face=colours.PANEL, ink=ink, size=SMALL)
        if number:
            _arrow(ax, (middle, y - 0.32), (middle, y))
    for place, name, colour, top in (
        (x + 0.27, "Q", colours.QUERY, 2.05),
        (x + 0.87, "K", colours.KEY, 2.05),
        (x + 1.45, "V", colours.VALUE, 5.13),
    ):
        ax.text(place, 1.5, name, ha="center", va="center", fontweight="bold", color=colour)
        if name == "V":
            ax.plot([place, place], [1.65, top], color=colour, lw=1.6)
            _arrow(ax, (place, top), (x + 1.15, top), colour)
        else:
            _arrow(ax, (place, 1.65), (place, top), colour)


# The pieces of all diagrams.


def _sheet(width: float, height: float, title: str, alt: str) -> tuple[Still, Axes]:
    """A still with one empty axes over all of it, in inches."""
    still = Still(width, height, alt)
    still.set_layout_engine("none")
    ax = still.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    add_heading(still, title)
    return still, ax


def _box(
    ax: Axes,
    x,
    y,
    width,
    height,
    text,
    *,
    edge,
    face=colours.PAPER,
    ink=colours.INK,
    math=False,
    line=1.6,
    dashed=False,
    size=12.5,
    shift=0.0,
) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.09",
            facecolor=face,
            edgecolor=edge,
            lw=line,
            ls=(0, (4, 3)) if dashed else "-",
            zorder=1,
        )
    )
    if text:
        ax.text(
            x + width / 2 + shift,
            y + height / 2,
            text,
            ha="center",
            va="center",
            color=ink,
            parse_math=math,
            fontsize=size,
            linespacing=1.1,
            zorder=3,
        )


def _token(ax: Axes, x, y, token, colour=colours.INK, ha="center") -> None:
    ax.text(x, y, shown(token), ha=ha, va="center", color=colour, zorder=3)


def _arrow(ax: Axes, start, end, colour=colours.SOFT_INK, width=1.4) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=11 + 1.5 * width,
            color=colour,
            lw=width,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )


def _numbers(ax: Axes, x, y, values, cell, edge, face=colours.PAPER) -> None:
    """A vector as a row of cells with its numbers."""
    for place, value in enumerate(values):
        ax.add_patch(Rectangle((x + place * cell, y), cell, 0.42, facecolor=face, edgecolor=edge, lw=1.3))
        ax.text(
            x + (place + 0.5) * cell, y + 0.21, _number(value), ha="center", va="center", fontsize=SMALL + 0.5
        )


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _listed(tokens: Sequence[str]) -> str:
    return "“" + " ".join(shown(token) for token in tokens) + "”"
