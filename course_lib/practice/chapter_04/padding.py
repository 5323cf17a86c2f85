"""04.padding: padding is closed as a key."""

import torch

from course_lib.practice import ideas
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_padding_mask(ids, pad_id):
    return (ids != pad_id)[:, None, None, :]  # (B, S) -> (B, 1, 1, S)


def by_length(ids, pad_id):
    lengths = (ids != pad_id).sum(dim=1)  # (B,)
    return (torch.arange(ids.shape[1]) < lengths[:, None])[:, None, None, :]


def until_padding(ids, pad_id):
    return ((ids == pad_id).cumsum(dim=1) == 0)[:, None, None, :]  # closed from the first padding on


def both_sides(ids, pad_id):
    words = ids != pad_id
    return (words[:, None, :] & words[:, :, None])[:, None]  # (B, 1, S, S)


def cases() -> list[Case]:
    def case(name: str, ids: list[list[int]], pad_id: int) -> Case:
        return Case(name, (torch.tensor(ids), pad_id), {"B": len(ids), "1": 1, "S": len(ids[0])})

    return [
        case("padding at the end", [[5, 3, 8, 2, 0], [7, 4, 0, 0, 0]], 0),
        case(
            "padding in front, and a pad_id that is not 0",
            [[9, 9, 4, 0], [3, 12, 0, 6], [9, 9, 9, 5]],
            9,
        ),
        case("as many sentences as positions", [[1, 6, 6], [2, 1, 1], [6, 5, 4]], 1),
        case("one sentence", [[4, 4, 7, 5, 2]], 4),
        case("one position", [[3], [8]], 8),
    ]


def further() -> list[Case]:
    """Ids from 0 to 5, each of which is the padding once, at the end or in front; a word in every row."""
    g = seeded(408)

    def row(size: int, pad_id: int) -> torch.Tensor:
        ids = (torch.randint(5, (size,), generator=g) + pad_id + 1) % 6  # any id but pad_id
        many, front = torch.randint(size, (1,), generator=g).item(), torch.rand(1, generator=g).item() < 0.5
        ids[slice(many) if front else slice(size - many, size)] = pad_id
        return ids

    sizes = ((3, 4), (2, 6), (4, 4), (1, 5), (3, 1), (5, 3))
    return [
        Case(f"pad_id = {pad_id}", (torch.stack([row(size, pad_id) for _ in range(b)]), pad_id))
        for pad_id, (b, size) in enumerate(sizes)
    ]


WORDS = """
masks-queries
    Your mask closes rows, not columns: shape (B, 1, S, 1) lies along the queries. Then padding looks at
    nothing, while every word still looks at padding. The keys are the last axis: (B, 1, 1, S).
lines-up-with-heads
    An axis is missing: broadcasting lines shapes up from the right, so (B, 1, S) meets (B, H, T, S) with B at
    the heads. With several of each it fails if H differs from B, and if they are equal head number i gets the
    padding of sentence number i. Add an axis for heads and one for queries.
lines-up-with-queries
    The comparison is right and the new axes are missing: broadcasting lines shapes up from the right, so (B,
    S) meets (B, H, T, S) with B at the queries. If T = B it even runs, and query number i gets the padding of
    sentence number i.
axes-at-the-end
    The new axes stand after S, so your positions lie along the heads. Keys are the last axis of the scores:
    the two new axes go between B and S.
axes-in-front
    The new axes stand in front of B, so your sentences lie along the queries. B is the first axis of the
    scores: the two new axes go between B and S.
rows-and-columns
    You close padding as a query as well. Its rows would then have nothing left to look at: a softmax over
    nothing. Close it as a key only: then no word looks at padding, and the loss leaves the padded rows out.
row-for-each-query
    Right values, written out: all your S rows are the same. Leave the query axis at size 1, (B, 1, 1, S);
    then the mask fits any number of queries, also those of another sentence.
zero-is-padding
    You compare with 0. The id of padding is `pad_id`, and it is not 0 on every input here; where it is
    another number, 0 is a word like any other.
by-size
    You compare by size. The id of padding is a name, not an amount: words may have ids above it and below it.
    Compare with `!=`.
inverted-without-axes
    Two slips. Your mask is inverted: it is True on padding, and in this course True = may attend: `ids !=
    pad_id`. And axes are missing: it must lie on the scores as (B, 1, 1, S), with one axis for the heads and
    one for the queries.
ids-themselves
    These are the ids themselves. The axes are right; what is missing is the question to each of them: is this
    another id than `pad_id`?
padding-at-the-end-only
    Your mask takes for granted that padding stands at the end: it opens positions from the left. When padding
    stands in front, it closes words. Ask each position by itself whether it is padding.
padding-in-front-only
    Your mask takes for granted that padding stands in front. When it stands at the end, the mask closes
    words, or leaves padding open. Ask each position by itself whether it is padding.
"""

WAYS = {
    "masks-queries": lambda ids, pad_id: (ids != pad_id)[:, None, :, None],
    "lines-up-with-heads": lambda ids, pad_id: (ids != pad_id)[:, None, :],
    "lines-up-with-queries": lambda ids, pad_id: ids != pad_id,
    "axes-at-the-end": lambda ids, pad_id: (ids != pad_id)[:, :, None, None],
    "axes-in-front": lambda ids, pad_id: (ids != pad_id)[None, None],
    "rows-and-columns": (both_sides, lambda ids, pad_id: both_sides(ids, pad_id)[:, 0]),
    "row-for-each-query": (
        lambda ids, pad_id: my_padding_mask(ids, pad_id).expand(-1, 1, ids.shape[1], -1),
        lambda ids, pad_id: (ids != pad_id)[:, None, :].expand(-1, ids.shape[1], -1),
    ),
    "zero-is-padding": (
        lambda ids, pad_id: my_padding_mask(ids, 0),
        lambda ids, pad_id: (ids > 0)[:, None, None],
    ),
    "by-size": (
        lambda ids, pad_id: (ids > pad_id)[:, None, None, :],
        lambda ids, pad_id: (ids < pad_id)[:, None, None, :],
    ),
    "inverted-without-axes": (
        lambda ids, pad_id: (ids == pad_id)[:, None, :],
        lambda ids, pad_id: ids == pad_id,
    ),
    "ids-themselves": lambda ids, pad_id: ids[:, None, None, :],
    "padding-at-the-end-only": (by_length, until_padding),
    "padding-in-front-only": (
        lambda ids, pad_id: until_padding(ids.flip(1), pad_id).flip(-1),
        lambda ids, pad_id: by_length(ids, pad_id).flip(-1),
        lambda ids, pad_id: ((ids != pad_id).cumsum(dim=1) > 0)[:, None, None, :],
    ),
}

SHARED = ideas.boolean_mask(
    my_padding_mask,
    what=", here on padding",
    instead=": return the comparison itself",
    leave=("mirrored",),  # padding that moves to the other end: nobody writes it
)

PADDING = Exercise(
    id="04.padding",
    title="Padding mask",
    minutes=7,
    difficulty=1,
    statement=prose("""
        Write `my_padding_mask(ids, pad_id)`. A batch of token ids is filled up with `pad_id`, at the end or
        in front. Nobody may attend to padding. Return a boolean mask, True = may attend, that lies on scores
        (B, H, T, S) by broadcasting: one axis for heads and one for queries, both of size 1.
    """),
    inputs={"ids": "B, S", "pad_id": "the id that fills up"},
    outputs=(Output("allowed", ("B", "1", "1", "S")),),
    reference=my_padding_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Which of the last two axes of the scores (B, H, T, S) holds the keys? The answer for a token must
            lie along that axis, and the axes for heads and queries must be there with size 1.
        """),
        lines("""
            is_word = ids compared with pad_id                    (B, S)
            return is_word with two new axes in the middle        (B, 1, 1, S)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *SHARED, *ideas.squeezed(my_padding_mask)),
    insight="Padding is closed as a key: then no word looks at it. As a query it may look around.",
    advice=advice(r"""
Boolean value
    `not` and `if` ask for one truth value; for a tensor of them write `~` or `!=`.
"""),
)
