"""The map of the course: the Transformer, each part with the chapter that builds it."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from course_lib.chapters import CHAPTERS
from course_lib.viz import colours
from course_lib.viz.sheet import arrow, box, sheet, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, in_style, sentence


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
    Part("BERT: fills gaps", "08", USES, 4.52, 2.05, 0.5),
    Part("GPT: continues", "09a", USES, 3.8, 2.05, 0.5),
    Part("GPT, faster", "09b", USES, 3.16, 2.05, 0.5),
    Part("An assistant", "10a", USES, 2.52, 2.05, 0.5),
    Part("… that is better", "10b", USES, 1.88, 2.05, 0.5),
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
PARTS += tuple(Part("Add & norm", "05", x, y, STACK, 0.3) for x, y, _ in NORMS)
STEPS = ("MatMul", "Scale", "Mask", "Softmax", "MatMul")  # inside each attention, from below


class CourseMap:
    """The map with its links: one picture with alt text, and a link over each part."""

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
            name = html.escape(f"{part.chapter} {CHAPTERS[part.chapter].title}")
            about = html.escape(part.label.replace("\n", " "))
            links.append(
                f'<a href="{html.escape(self.chapters[part.chapter])}" style="{place}" '
                f'title="{about}: chapter {name}">{name}</a>'
            )
        return (
            f"<style>{MAP_STYLE}</style>\n"
            f'<div class="course-map" style="position:relative;max-width:{MAP_WIDTH * 100:.0f}px">\n'
            + self.still.html("width:100%;display:block")
            + "\n"
            + " \n".join(links)
            + "\n</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = self.still.mimebundle()
        return {**data, "text/html": self.html()}, metadata


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
    unknown = sorted(set(chapters) - set(CHAPTERS))
    if unknown:
        raise ValueError(f"chapters has {unknown}; the course has {list(CHAPTERS)}")
    on_map = {part.chapter for part in PARTS}
    alt = (
        f"{sentence(title)} The encoder on the left, the decoder on the right, what is built from them "
        "beside it. "
        + "; ".join(f"{number} {CHAPTERS[number].title}" for number in sorted(on_map))
        + ". Written so far: "
        + (", ".join(sorted(on_map & set(chapters))) or "none")
        + "."
    )
    still, ax = sheet(MAP_WIDTH, MAP_HEIGHT, title, alt)
    _frames(ax)
    _arrows(ax)
    for part in PARTS:
        _part(ax, part, part.chapter in chapters)
    _inside_attention(ax, "02" in chapters)
    return CourseMap(still, chapters)


def _frames(ax: Axes) -> None:
    for x, top, name in ((ENCODER, 4.62, "Encoder"), (DECODER, 6.04, "Decoder")):
        place = (x - 0.2, 1.86, STACK + 0.4, top - 1.86)
        box(ax, *place, edge=colours.PANEL, face=colours.PANEL, line=0, zorder=-2)
        _name(ax, x - 0.14, top + 0.07, name)
        write(ax, x + STACK + 0.14, top + 0.07, "× N", colours.SOFT_INK, FONT_SIZE, ha="right", va="bottom")
    _name(ax, SIDE, 5.95, "Attention, magnified")
    _name(ax, USES, 6.11, "Built from it")
    beam = [(SIDE + 2.05, 5.8), (ENCODER, 2.72), (ENCODER, 2.14), (SIDE + 2.05, 1.27)]
    ax.add_patch(Polygon(beam, lw=0, facecolor=colours.ACCENT, alpha=0.08, zorder=-1))


def _name(ax: Axes, x: float, y: float, name: str) -> None:
    write(ax, x, y, name, size=FONT_SIZE, bold=True, ha="left", va="bottom")


def _arrows(ax: Axes) -> None:
    encoder, decoder = ENCODER + STACK / 2, DECODER + STACK / 2
    both = ((0.71, 0.97), (1.6, 2.09), (3.12, 3.51))
    for x, roads in ((encoder, both), (decoder, (*both, (4.54, 4.93), (5.76, 6.54), (7.01, 7.24)))):
        for low, high in roads:
            arrow(ax, (x, low), (x, high))
    write(ax, decoder, 7.34, "next word", colours.GENERATED)
    bend = DECODER - 0.4  # from the encoder's top over to the decoder's middle
    road = {"color": colours.ACCENT, "lw": 2, "solid_joinstyle": "round"}
    ax.plot([encoder, encoder, bend, bend], [4.34, 5.05, 5.05, 3.85], **road)
    arrow(ax, (bend, 3.85), (DECODER - 0.01, 3.85), colours.ACCENT, 2)
    for x, y, below in NORMS:  # the residual road around each sub-layer
        side, start = x + STACK + 0.1, y - below
        ax.plot([x + STACK / 2, side, side], [start, start, y + 0.15], color=colours.SOFT_INK, lw=1.3)
        arrow(ax, (side, y + 0.15), (x + STACK, y + 0.15), colours.SOFT_INK, 1)


def _part(ax: Axes, part: Part, written: bool) -> None:
    """A box with its number; parts of chapters that are not written yet are pale with a dashed edge."""
    edge = part.colour if written else colours.LINE
    ink, line = (colours.INK, 1.8) if written else (colours.SOFT_INK, 1.2)
    tall = part.height > 2  # its words are drawn by `_inside_attention`
    box(
        ax, part.x, part.y, part.width, part.height, "" if tall else part.label, edge=edge, ink=ink,
        line=line, dashed=not written, size=SMALL + 0.5, shift=-0.17,
    )  # fmt: skip
    x = part.x + part.width - 0.41
    y = part.y + (part.height - 0.38 if tall else part.height / 2 - 0.13)
    badge = colours.PANEL if not written else colours.INK if edge == colours.LINE else edge
    ink = colours.PAPER if written else colours.SOFT_INK
    wider = 0.08 if len(part.chapter) > 2 else 0
    place = (x - wider, y, 0.32 + wider, 0.26, part.chapter)
    box(ax, *place, edge=badge, face=badge, ink=ink, line=0, size=SMALL, bold=True, zorder=3)


def _inside_attention(ax: Axes, written: bool) -> None:
    """The five steps inside the big box on the left, from queries and keys up to the output."""
    ink = colours.INK if written else colours.SOFT_INK
    x, middle = SIDE + 0.2, SIDE + 0.77
    for place, name in enumerate(STEPS):
        y = 2.05 + 0.72 * place
        box(ax, x, y, 1.14, 0.4, name, face=colours.PANEL, ink=ink, size=SMALL)
        if place:
            arrow(ax, (middle, y - 0.32), (middle, y))
    roads = ((0.27, "Q", colours.QUERY), (0.87, "K", colours.KEY), (1.45, "V", colours.VALUE))
    for road, name, colour in roads:
        write(ax, x + road, 1.5, name, colour, FONT_SIZE, bold=True)
        if name == "V":  # up beside the steps, into the last one
            ax.plot([x + road, x + road], [1.65, 5.13], color=colour, lw=1.6)
            arrow(ax, (x + road, 5.13), (x + 1.15, 5.13), colour)
        else:
            arrow(ax, (x + road, 1.65), (x + road, 2.05), colour)
