"""09a.pack: other rows, other cuts, other targets."""

import torch
from torch.nn import functional as F

from course_lib.practice.chapter_09a.pack_words import WORDS
from course_lib.practice.two_slips import listed, of_parts, single


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


def none_where_one_is(drop):
    """Where one block is left none comes, as a table without rows."""

    def pack(documents, length, end_id):
        n = drop(len(joined(documents, end_id)), length)
        return tuple(part[:n] for part in made()(documents, length, end_id))

    return pack


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


def each_filled_up(value):
    """No block holds tokens of two documents, and the last block of each is filled up."""

    def pack(documents, length, end_id):
        pairs = []
        for document in documents:
            row = torch.tensor([*document, end_id])
            for i in range(0, len(document), length):
                cut = [row[i : i + length], row[i + 1 : i + length + 1]]
                pairs.append([F.pad(one, (0, length - len(one)), value=value(end_id)) for one in cut])
        return tuple(map(torch.stack, zip(*pairs, strict=True)))

    return pack


FILLINGS = (lambda end_id: end_id, lambda end_id: 0, lambda end_id: -100)
PARTS = {
    "row": {
        "no-ends": lambda documents, end_id: [t for one in documents for t in one],
        "ends-in-front": lambda documents, end_id: [t for one in documents for t in (end_id, *one)],
        "ends-on-both-sides": lambda documents, end_id: [
            t for one in documents for t in (end_id, *one, end_id)
        ],
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
            lambda L, T: [i * T for i in range(L // T - 1)],
            lambda L, T: [i * T for i in range((L - 1) // T - 1)],
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
    "last-block-dropped": (
        *(made(starts=starts) for starts in PARTS["starts"]["last-block-dropped"]),
        none_where_one_is(lambda L, T: L // T - 1),
        none_where_one_is(lambda L, T: (L - 1) // T - 1),
    ),
    "first-token-after-the-last": of_rows(rolled_round),
    "left-over-kept": tuple(of_rows(filled_up(value)) for value in FILLINGS),
    "documents-apart-filled": tuple(map(each_filled_up, FILLINGS)),
    "by-columns": of_rows(by_columns),
    "one-place-short": of_rows(inside_blocks),
    "documents-apart": blocks_of_each,
}

SKIP = {
    *((name, "shifted-backwards") for name in PARTS["starts"]),
    ("last-block-dropped", "shifted-twice"),
    ("one-end", "last-block-dropped"),
    ("ends-in-front", "shifted-backwards"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
