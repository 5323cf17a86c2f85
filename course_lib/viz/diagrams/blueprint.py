"""Where every box and every line of the Transformer stands: one plan for the still and for the live view.

The unit is a pixel of the page. A place from left to right is a share of the width and an offset, so that a
plan fits any width; a height is counted from the bottom, where the tokens come in.
"""

from typing import NamedTuple

X = tuple[float, float]  # share of the width, and pixels added to it

PARTS = {"encoder": ("self", "feed"), "decoder": ("self", "cross", "feed")}
BAR = 21  # from the bottom of an attention up to which its arrows are drawn
FAN = 44  # between the arrows of query, key and value
PLUS = 8  # radius of the sign of an addition
GAP = 13  # between two boxes with nothing in between


class Box(NamedTuple):
    """A box; `key` is that of its row in `course_lib.families`."""

    key: str
    left: X
    right: X
    y: float
    height: float


class Road(NamedTuple):
    """A line that ends in an arrow (kind "main" only where `arrow` says so).

    kind: "main", "residual", "query", "key" or "value". needs: the box without which the line has no use.
    to: the box into which it leads.
    """

    kind: str
    points: tuple[tuple[X, float], ...]
    needs: str
    to: str
    arrow: bool = True


class Sign(NamedTuple):
    """A letter or a plus at a point."""

    text: str
    kind: str
    x: X
    y: float
    needs: str


class Frame(NamedTuple):
    """The panel behind one layer, which is there N times."""

    side: str
    left: X
    right: X
    y: float
    height: float


class Plan(NamedTuple):
    """The whole picture."""

    height: float
    boxes: tuple[Box, ...]
    roads: tuple[Road, ...]
    signs: tuple[Sign, ...]
    frames: tuple[Frame, ...]


class _Column:
    """One stack, built from below."""

    def __init__(self, side, left, right, residual, frame, heights, norm_first):
        self.side, self.left, self.right, self.residual, self.edges = side, left, right, residual, frame
        self.spine = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
        self.heights, self.norm_first = heights, norm_first
        self.y, self.last = 0.0, None  # where the next thing may stand, and the top of the last one
        self.boxes, self.roads, self.signs = [], [], []

    def beside(self, offset: float) -> X:
        return self.spine[0], self.spine[1] + offset

    def box(self, part: str, height: str, gap: float = GAP, needs: str = "tokens", road=True) -> Box:
        """The next box above, and the line that leads into it."""
        self.y += gap if self.last is not None else 0
        box = Box(f"{self.side}.{part}", self.left, self.right, self.y, self.heights[height])
        if road and self.last is not None:
            self.up(self.y, box.key, needs)
        self.boxes.append(box)
        self.y += box.height
        self.last = self.y
        return box

    def up(self, y: float, to: str, needs: str = "tokens", arrow: bool = True) -> None:
        """The line in the middle, from the last thing to the height y."""
        points = ((self.spine, self.last), (self.spine, y))
        self.roads.append(Road("main", points, f"{self.side}.{needs}", to, arrow))
        self.last = y

    def sub_layer(self, name: str) -> Box:
        """A sub-layer with its residual line, its plus and its norm."""
        part = {"self": "self_attention", "cross": "cross_attention", "feed": "feed_forward"}[name]
        key, fork = f"{self.side}.{part}", self.y + 7
        gap = {"self": 31, "cross": 25, "feed": 17}[name]
        if self.norm_first:
            self.box(f"{name}_norm", "norm", 20)
        below = self.last
        found = self.box(part, "main", gap + (0 if self.norm_first else 10), road=name == "feed")
        if name != "feed":
            self.fan(found, below, ("query", "key", "value") if name == "self" else ("query",))
        plus = self.y + (13 if self.norm_first else 15)
        to = key if self.norm_first else f"{self.side}.{name}_norm"
        self.up(plus, to, arrow=False)
        self.signs.append(Sign("+", "plus", self.spine, plus, key))
        side = self.beside(PLUS if self.residual > self.right else -PLUS)
        road = ((self.spine, fork), (self.residual, fork), (self.residual, plus), (side, plus))
        self.roads.append(Road("residual", road, key, to))
        self.y = plus + PLUS
        if not self.norm_first:
            self.box(f"{name}_norm", "norm", 8)
        return found

    def fan(self, box: Box, below: float, kinds: tuple[str, ...]) -> None:
        """What comes into an attention from below: query, key and value of its own text, or queries alone."""
        bar = box.y - BAR
        spine = ((self.spine, below), (self.spine, bar))
        self.roads.append(Road("main", spine, f"{self.side}.tokens", box.key, False))
        if len(kinds) == 1:  # where this attention is left out, the text goes straight on
            go_on = ((self.spine, bar), (self.spine, box.y))
            self.roads.append(Road("main", go_on, f"{self.side}.tokens", box.key, False))
        for place, kind in enumerate(kinds):
            x = self.beside((place - len(kinds) // 2) * FAN)
            road = ((self.spine, bar), (x, bar), (x, box.y))
            self.roads.append(Road(kind, road if x != self.spine else road[1:], box.key, box.key))
            self.signs.append(Sign(kind[0].upper(), kind, (x[0], x[1] + 13), bar + 9, box.key))

    def build(self, base: float, frame_top: float) -> tuple[Frame, Box | None]:
        """All of it from the height `base` up; returns the frame and the cross-attention."""
        self.y = base
        self.box("tokens", "small")
        self.box("embedding", "main")
        self.box("positions", "small")
        self.y += 9
        start = self.y
        self.up(start, f"{self.side}.self_norm", arrow=False)
        crossed = None
        for name in PARTS[self.side]:
            found = self.sub_layer(name)
            crossed = found if name == "cross" else crossed
        self.y += frame_top
        frame = Frame(self.side, *self.edges, start, self.y - start)
        self.box("final_norm", "norm", 9)
        return frame, crossed

    def head(self, needs: str) -> None:
        """Scores and softmax on top."""
        self.box("scores", "main", GAP, needs)
        self.box("softmax", "small", GAP, needs)
        self.up(self.y + GAP, f"{self.side}.softmax", needs)
        self.y += GAP


def plan(norm_first: bool = False, narrow: bool = False) -> Plan:
    """The picture with both stacks.

    norm_first: the norm stands before its sub-layer, not after the addition.
    narrow: encoder and decoder under one another, boxes with room for two lines.
    """
    heights = {"main": 46, "norm": 44, "small": 46} if narrow else {"main": 34, "norm": 25, "small": 27}
    more = {"heights": heights, "norm_first": norm_first}
    if narrow:
        sides = {"left": (0, 44), "right": (1, -36), "residual": (1, -18), "frame": ((0, 24), (1, -2))}
        encoder, decoder = (_Column(side, **sides, **more) for side in PARTS)
    else:
        encoder = _Column("encoder", (0, 40), (0.5, -46), (0, 20), ((0, 2), (0.5, -32)), **more)
        decoder = _Column("decoder", (0.5, 36), (1, -40), (1, -20), ((0.5, 18), (1, -2)), **more)
    frame_top = 26
    below, _ = encoder.build(0, frame_top)
    out, end = encoder.y + 16, encoder.last
    encoder.head("scores")
    above, cross = decoder.build(encoder.y + 18 if narrow else 0, frame_top)
    decoder.head("tokens")

    stub = ((encoder.spine, end), (encoder.spine, out + 8))
    roads = [Road("main", stub, "decoder.cross_attention", "decoder.cross_attention", False)]
    for kind, first in (("key", True), ("value", False)):
        high = first == narrow  # the line that is outside at the first corner is inside at the last one
        y = cross.y + cross.height * (0.7 if high else 0.3)
        x = (0, 7 if first else 15) if narrow else (0.5, -20 if first else -8)
        start = out if first else out + 8
        road = ((encoder.spine, start), (x, start), (x, y), (cross.left, y))
        roads.append(Road(kind, road, cross.key, cross.key))
        letter = (x[0], x[1] + 8) if narrow else (cross.left[0], cross.left[1] - 15)
        decoder.signs.append(Sign(kind[0].upper(), kind, letter, y + (10 if high else -10), cross.key))
    return Plan(
        max(encoder.y, decoder.y),
        (*encoder.boxes, *decoder.boxes),
        (*encoder.roads, *decoder.roads, *roads),
        (*encoder.signs, *decoder.signs),
        (below, above),
    )
