"""09a.pack: other rows, other cuts, other targets, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def joined(documents, end_id):
    return [token for document in documents for token in (*document, end_id)]


def made(
    row=joined,
    starts=lambda L, T: [i * T for i in range((L - 1) // T)],
    shift=1,
    after=lambda inputs, targets, end_id: (inputs, targets),
):
    """Another row, other places where blocks begin, another shift, or something changed behind it."""

    def pack(documents, length, end_id):
        ids = torch.tensor(row(documents, end_id))
        some = [s for s in starts(len(ids), length) if s >= 0 and s + max(shift, 0) + length <= len(ids)]
        inputs = torch.stack([ids[s : s + length] for s in some])
        targets = torch.stack([ids.roll(-shift)[s : s + length] for s in some])
        return after(inputs, targets, end_id)

    return pack


def last_target(value):
    """The last place of each block has no token after it inside the block: something else stands there."""

    def after(inputs, targets, end_id):
        targets[:, -1] = value(inputs, end_id)
        return inputs, targets

    return after


def filler(value):
    """Blocks of T tokens, as many as the row fills; the last target of each is made up."""

    def pack(documents, length, end_id):
        inputs, _ = rolled_round(torch.tensor(joined(documents, end_id)), length, end_id)
        return last_target(value)(inputs, inputs.roll(-1, 1), end_id)

    return pack


def of_rows(cut):
    """Blocks that are made of the whole row, by a function of the row, T and `end_id`."""
    return lambda documents, length, end_id: cut(torch.tensor(joined(documents, end_id)), length, end_id)


def rolled_round(row, T, end_id):
    """L // T blocks; the last target of all is the first token of the row, or another one."""
    n = len(row) // T
    return row[: n * T].view(n, T), row[: n * T].roll(-1).view(n, T)


def filled_up(value):
    """The tokens that are left over make one more block, which is filled up."""

    def cut(row, T, end_id):
        n = -(-(len(row) - 1) // T)
        more = torch.full((n * T + 1 - len(row),), value(end_id))
        whole = torch.cat([row, more])
        return whole[:-1].view(n, T), whole[1:].view(n, T)

    return cut


def by_columns(row, T, end_id):
    n = (len(row) - 1) // T
    return row[: n * T].view(T, n).T, row[1 : n * T + 1].view(T, n).T


def inside_blocks(row, T, end_id):
    """Blocks of T tokens; inputs and targets are cut out of each and are one token shorter."""
    n = len(row) // T
    block = row[: n * T].view(n, T)
    return block[:, :-1], block[:, 1:]


def blocks_of_each(documents, length, end_id):
    """No block holds tokens of two documents."""
    pairs = []
    for document in documents:
        row = torch.tensor([*document, end_id])
        pairs += [(row[i : i + length], row[i + 1 : i + length + 1]) for i in range(0, len(row), length)]
    pairs = [(a, b) for a, b in pairs if len(b) == length]
    if not pairs:
        return torch.zeros(0, length).long(), torch.zeros(0, length).long()
    return tuple(map(torch.stack, zip(*pairs, strict=True)))


LAST = {
    "last-target-left-out": (
        lambda inputs, end_id: -100,
        lambda inputs, end_id: -1,
        lambda inputs, end_id: 0,
    ),
    "last-target-is-the-end": (lambda inputs, end_id: end_id,),
    "turned-inside-the-block": (lambda inputs, end_id: inputs[:, 0].clone(),),
    "last-target-stays": (lambda inputs, end_id: inputs[:, -1].clone(),),
}
PARTS = {
    "row": {
        "no-ends": lambda documents, end_id: [t for one in documents for t in one],
        "ends-in-front": lambda documents, end_id: [t for one in documents for t in (end_id, *one)],
        "ends-between": lambda documents, end_id: joined(documents, end_id)[:-1],
        "one-end": lambda documents, end_id: [*(t for one in documents for t in one), end_id],
        "documents-turned-round": lambda documents, end_id: joined(documents[::-1], end_id),
    },
    "starts": {
        "a-token-skipped": lambda L, T: range(0, L, T + 1),
        "sliding": lambda L, T: range(L),
        "last-block-dropped": (
            lambda L, T: [i * T for i in range(max((L - 1) // T - 1, 1))],
            lambda L, T: [i * T for i in range(max(L // T - 1, 1))],
        ),
        "first-block-dropped": lambda L, T: [i * T for i in range(min(1, (L - 1) // T - 1), (L - 1) // T)],
        "cut-from-the-end": lambda L, T: [(L - 1) % T + i * T for i in range((L - 1) // T)],
    },
    "shift": {"not-shifted": 0, "shifted-twice": 2, "shifted-backwards": -1},
    "after": {
        **{name: tuple(map(last_target, values)) for name, values in LAST.items()},
        "end-not-asked": tuple(
            lambda inputs, targets, end_id, value=value: (
                inputs,
                targets.masked_fill(inputs == end_id, value),
            )
            for value in (-100, -1)
        ),
        "end-is-no-target": tuple(
            lambda inputs, targets, end_id, value=value: (
                inputs,
                targets.masked_fill(targets == end_id, value),
            )
            for value in (-100, -1)
        ),
    },
}

WAYS = {
    **single(PARTS, made),
    **{
        name: (*(made(after=last_target(value)) for value in values), *map(filler, values))
        for name, values in LAST.items()
    },
    "first-token-after-the-last": of_rows(rolled_round),
    "left-over-kept": tuple(
        of_rows(filled_up(value)) for value in (lambda end_id: end_id, lambda end_id: 0, lambda end_id: -100)
    ),
    "by-columns": of_rows(by_columns),
    "one-place-short": of_rows(inside_blocks),
    "documents-apart": blocks_of_each,
}

WORDS = entries("""
no-ends
    `end_id` is missing. It stands after each document, so that the model can learn where one ends and see
    that another begins.
ends-in-front
    You put `end_id` in front of each document. Asked for is behind: a document, then its end.
ends-between
    A block is missing where the `end_id` of the last document is its last target. Does `end_id` stand after
    the last document, too, and is N `(L - 1) // T` for a row of L tokens?
one-end
    `end_id` stands once, at the end of the row. Each document has its own: is a line outside the loop that
    belongs inside?
documents-turned-round
    Your documents stand in the opposite order. Keep the order of the list.
a-token-skipped
    You take blocks of T + 1 tokens and go on after them, so of each T + 1 tokens one is the last target of a
    block and never an input. Blocks of inputs follow one another without a gap: they begin at 0, T, 2 T, and
    so on.
sliding
    A new block begins at every token, so nearly all tokens are asked for T times. Blocks share no token: the
    next one begins T tokens on.
last-block-dropped
    A block is missing at the end, though it has all its targets in some inputs. A row of L tokens has
    `(L - 1) // T` blocks: one token more than the blocks is enough.
first-block-dropped
    The first block is missing. The first one begins at the first token of the row.
cut-from-the-end
    What is left over is dropped at the beginning of the row. The first block begins at the first token; what
    is left over at the end is dropped.
not-shifted
    Your targets are the inputs themselves, so the model has to say what it is reading. The target is the
    token that stands next in the row: one place on.
shifted-twice
    Your targets are two tokens on. Is there a shift in the row and another one in the blocks? The model is
    asked for the next token, so one shift is right, and whoever computes the loss must not shift again.
shifted-backwards
    Your targets are the tokens before, which the model has read already. They must be one place on, not one
    place back: `row[1:]` are the targets of `row[:-1]`.
last-target-left-out
    The last place of each block has a number in place of its target. Its target is the first token of the
    next block, which stands in the row right behind: take the targets out of the long row, not out of the
    block.
last-target-is-the-end
    The last place of each block gets `end_id` as its target, as if a document ended there. A block may end in
    the middle of a document: its last target is the token that stands next in the long row.
turned-inside-the-block
    The last target of each block is the first token of the same block. (`roll` over rows of T does that.)
    Take the targets out of the long row, one token on, and cut them afterwards.
last-target-stays
    The last place of each block has itself as its target. Its target is the first token of the next block:
    take the targets out of the long row.
end-not-asked
    You take the target away at each `end_id`. That is one of the habits that one meets; here the first token
    of the next document is the target, as it stands in the row.
end-is-no-target
    You take `end_id` out of the targets. Then the model never learns where a document ends: after the last
    token of a document it must say `end_id`.
first-token-after-the-last
    You cut the row into as many blocks as it fills, and where they fill it to its last token, that one has no
    token after it. (`roll` brings the first token there.) N must leave one token for the last target:
    `(len(row) - 1) // length`.
left-over-kept
    You keep what is left over, as one more block that is filled up. Asked for are full blocks only: drop it.
by-columns
    The row runs down your columns. A block is a row of your tensor: `view(n, length)` cuts the long row into
    pieces of T, one after the other.
one-place-short
    You cut T tokens, and then inputs and targets out of them, one place shorter each. Both have T places: for
    T inputs and their targets T + 1 tokens of the row are needed.
documents-apart
    You cut each document alone, and drop its rest. The blocks are cut out of the one long row: a block may
    hold the end of a document and the beginning of the next.
""")
SKIP = {
    *((name, "shifted-backwards") for name in PARTS["starts"]),
    ("last-block-dropped", "shifted-twice"),
    ("ends-in-front", "shifted-backwards"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
