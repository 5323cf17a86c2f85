"""04.packed: several texts in one row, each as if it stood alone."""

import torch

from course_lib.practice import ideas, slips
from course_lib.practice.chapter_04.causal import cells, yes_or_no
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_packed_mask(text):
    T = text.shape[1]
    same = text[:, :, None] == text[:, None, :]  # (B, T, T): query in rows, key in columns
    past = torch.arange(T)[None, :] <= torch.arange(T)[:, None]  # (T, T)
    return (same & past)[:, None]  # (B, 1, T, T)


def by(rule):
    """A mask from a rule on (text of the query, text of the key, query, key)."""

    def mask(text):
        place = torch.arange(text.shape[1])
        return rule(text[:, :, None], text[:, None, :], place[:, None], place[None, :])[:, None]

    return mask


def past(text):
    return torch.ones(text.shape[1], text.shape[1]).tril().bool()


def regions(text):
    T = text.shape[1]
    ahead = torch.arange(T)[None, :] - torch.arange(T)[:, None]  # (T, T)
    same = text[:, :, None] == text[:, None, :]  # (B, T, T)
    found = {
        "each position, looking at itself": (ahead == 0) & same,
        "what comes before it in its own text": (ahead < 0) & same,
        "what comes later in its own text": (ahead > 0) & same,
        "texts that stand before its own": (ahead < 0) & ~same,
        "texts that stand after its own": (ahead > 0) & ~same,
    }
    return {name: cells[:, None] for name, cells in found.items()}


def measure(expected, got, args):
    (text,) = args
    more = got.bool() & ~expected
    return {"future": cells(more & ~past(text)), "other": cells(more & past(text))}


def future_of_a_text(expected, got, args):
    """A sign: everything that should be open is, and beside it more of the own text, which is its future."""
    own = by(lambda a, b, query, key: a == b)(args[0])
    return yes_or_no(got) and bool((got.bool() >= expected).all()) and bool((got.bool() <= own).all())


def cases() -> list[Case]:
    def case(name: str, text: list[list[int]]) -> Case:
        return Case(name, (torch.tensor(text),), {"B": len(text), "1": 1, "T": len(text[0])})

    return [
        case("two texts in each row", [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]),
        case("numbers in no order", [[7, 7, 0, 0], [1, 5, 5, 5], [4, 4, 4, 4]]),
        case("a long text before a short one of a lower number", [[3, 3, 3, 0, 0], [9, 2, 2, 2, 2]]),
        case("as many rows as positions", [[0, 1, 1], [2, 2, 2], [5, 4, 3]]),
        case("one row", [[0, 0, 1, 1, 1, 2]]),
        case("one position", [[3], [8]]),
    ]


def further() -> list[Case]:
    """Rows of texts with names from 0 to 9, in any order; a name stands for one text of its row."""
    g = seeded(407)

    def row(size: int) -> torch.Tensor:
        starts = torch.rand(size, generator=g) < 0.4
        starts[0] = False
        return torch.randperm(10, generator=g)[starts.cumsum(0)]

    return [
        Case(f"{b} rows of {size}", (torch.stack([row(size) for _ in range(b)]),))
        for b, size in ((6, 5), (4, 8), (3, 1), (1, 6), (5, 5))
    ]


WORDS = """
future-of-its-text
    Positions see what comes later in their own text: {future} open that belong to the future. The texts are
    parted; inside each of them the mask must still be causal.
only-the-neighbour
    Of its own text each position sees itself and the one before it, and no further. A text may be longer than
    two tokens: all of its past is open, however far back.
earlier-texts-open
    This is the causal mask alone: a later text sees the earlier ones of its row, {other} open that should be
    closed. Two positions must have the same number in `text` as well.
or-instead-of-and
    `or` opens what either reason opens: the whole past of the row, and the future of the own text. A key must
    be of the same text and not in the future: `and` between numbers; between tensors `&`, with each
    comparison in brackets.
numbers-by-size
    You compare the numbers of the texts by size. They are names, not amounts: no number lets one text see
    another. Compare with `==`.
text-0-closed
    Where the number of the text is 0, everything is closed, as if nothing stood there. The numbers are names:
    0 is a text like any other. Two positions belong together where their numbers are equal, `==`, whatever
    the numbers are.
text-0-open
    A position whose text has the number 0 sees the earlier texts of its row as well. Do you multiply the
    numbers? A product with 0 is 0, whatever the other text is. The numbers are names: compare them, `==`.
diagonal-blocked
    The diagonal is blocked: no position sees itself, and the first one of each text sees nothing at all. Its
    own place is known, so it is open: `<=`, not `<`.
sees-the-next
    Off by one: each position also sees the next one of its text, and that is the token it must predict.
the-wrong-triangle
    This is the upper triangle: each position sees itself and what comes after it in its text. Rows are
    queries and columns are keys: a query's own place is its row, and the past lies to the left of it.
other-texts-open
    It is the wrong way round: you open the past of the *other* texts and close the own one. Same number, same
    text: `==`.
lines-up-with-heads
    An axis is missing: broadcasting lines shapes up from the right, so (B, T, T) meets (B, H, T, S) with B at
    the heads. Add an axis of size 1 for the heads: `[:, None]`.
axis-in-front
    The new axis stands in front of B, so your rows of text lie along the heads. B is the first axis of the
    scores, heads the second: `[:, None]`.
last-text-closed
    The last text of each row is closed: does a loop write a text when the next one begins? After the last one
    none begins. Write it behind the loop, too.
blocks-in-order-of-names
    Your blocks stand in the order of the names, the smallest first, and the texts of a row are in no order.
    (`torch.unique` sorts, and so do `sorted` and `bincount`.) No lengths are needed: two positions belong
    together where their numbers are equal, `==`.
first-row-for-all
    You look at the first row of `text` only, and use it for the whole batch. Each row is packed in its own
    way: keep the batch axis.
"""


def of_the_last(text):
    """True on rows and columns of the text that stands last, (B, T, T)."""
    last = text == text[:, -1:]  # (B, T)
    return last[:, :, None] & last[:, None, :]


def sorted_blocks(text):
    rows = [
        torch.block_diag(*(torch.ones(n, n).tril() for n in row.unique(return_counts=True)[1]))
        for row in text
    ]
    return torch.stack(rows).bool()[:, None]


WAYS = {
    "blocks-in-order-of-names": sorted_blocks,
    "future-of-its-text": by(lambda a, b, query, key: a == b),
    "only-the-neighbour": by(lambda a, b, query, key: (a == b) & (key <= query) & (key >= query - 1)),
    "earlier-texts-open": (
        lambda text: past(text).expand(len(text), 1, -1, -1),
        past,
        lambda text: past(text)[None, None],
    ),
    "or-instead-of-and": by(lambda a, b, query, key: (a == b) | (key <= query)),
    "numbers-by-size": (
        by(lambda a, b, query, key: (b <= a) & (key <= query)),
        by(lambda a, b, query, key: (b >= a) & (key <= query)),
    ),
    "text-0-closed": by(lambda a, b, query, key: (a == b) & (a != 0) & (key <= query)),
    "text-0-open": by(lambda a, b, query, key: ((a == b) | (a == 0)) & (key <= query)),
    "diagonal-blocked": by(lambda a, b, query, key: (a == b) & (key < query)),
    "sees-the-next": by(lambda a, b, query, key: (a == b) & (key <= query + 1)),
    "the-wrong-triangle": by(lambda a, b, query, key: (a == b) & (key >= query)),
    "other-texts-open": by(lambda a, b, query, key: (a != b) & (key <= query)),
    "lines-up-with-heads": lambda text: my_packed_mask(text)[:, 0],
    "axis-in-front": lambda text: my_packed_mask(text)[:, 0][None],
    "last-text-closed": lambda text: my_packed_mask(text) & ~of_the_last(text)[:, None],
    "first-row-for-all": (
        lambda text: my_packed_mask(text[:1]),
        lambda text: my_packed_mask(text[:1]).expand(len(text), -1, -1, -1),
        lambda text: my_packed_mask(text[:1])[0, 0],
    ),
}

MEASURES = dict.fromkeys(("future-of-its-text", "earlier-texts-open"), measure)

PACKED = Exercise(
    id="04.packed",
    title="Several texts in one row",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `my_packed_mask(text)`. To waste no place on padding, several short texts stand in one row.
        `text` says to which of them each position belongs: in 0 0 0 1 1 the first text has three tokens, the
        second two. A position may attend to itself and to what comes before it in its own text, and to
        nothing else. The numbers are names, in no order; each text is one piece. Return a boolean mask, True
        = may attend, that lies on scores (B, H, T, T) by broadcasting.
    """),
    inputs={"text": "B, T"},
    outputs=(Output("allowed", ("B", "1", "T", "T")),),
    reference=my_packed_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Two reasons must both hold: the key is of the same text as the query, and it is not later. Draw
            the 5 × 5 grid for 0 0 0 1 1: two triangles, one behind the other. How do you compare every number
            of a row with every other?
        """),
        lines("""
            same = number of the query, as a column, equals number of the key, as a row    (B, T, T)
            past = place of the key ≤ place of the query                                  (T, T)
            return same AND past, with an axis for the heads                              (B, 1, T, T)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, MEASURES, {"future-of-its-text": future_of_a_text}),
        *ideas.boolean_mask(my_packed_mask),
        *ideas.squeezed(my_packed_mask),
        slips.parts_of_a_mask(
            regions,
            my_packed_mask,
            lambda text: f"`text` = {text.tolist()}",
            by(lambda a, b, query, key: ((a == b) & (key < query)) | ((a != b) & (key > query))),
            by(lambda a, b, query, key: (a != b) | (query == key)),
        ),
    ),
    insight="Packed like this, a batch has no padding at all, and each text is read as if it stood alone.",
    advice=advice(r"""
ambiguous|Boolean value
    `and` and `or` ask for one truth value; for tensors, element by element, write `&` and `|`, with each
    comparison in brackets.
"""),
)
