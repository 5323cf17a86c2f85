"""09a.pack: documents of any length become blocks of one length, each with its targets."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.pack_ways import PAIRS, WAYS
from course_lib.practice.chapter_09a.pack_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def pack(documents, length, end_id):
    row = []
    for document in documents:
        row += [*document, end_id]
    n = (len(row) - 1) // length  # the last token of the row has no token after it
    row = torch.tensor(row)
    inputs = row[: n * length].view(n, length)  # (N, T)
    targets = row[1 : n * length + 1].view(n, length)  # (N, T): one token on
    return inputs, targets


def case(g: torch.Generator, name: str, sizes: list[int], T: int, end_id: int, low: int = 1) -> Case:
    """``sizes``: tokens in each document, without its end."""
    ids = torch.randint(low, low + 30, (sum(sizes),), generator=g)
    ids = torch.where(ids == end_id, low + 30, ids).tolist()
    documents = [[ids.pop() for _ in range(n)] for n in sizes]
    N = (sum(sizes) + len(sizes) - 1) // T
    return Case(name, (documents, T, end_id), {"N": N, "T": T})


def cases() -> list[Case]:
    g = seeded(901)
    return [
        case(g, "four documents, blocks of 5", [4, 7, 2, 6], 5, 0),  # 23 tokens: 4 blocks
        case(g, "blocks that leave one token over", [5, 3, 6, 3], 5, 40),  # 21 tokens: 4 blocks and the last
        case(g, "as many tokens as fill whole blocks", [6, 4, 3, 3], 4, 0),  # 20 tokens: 4 blocks, not 5
        case(g, "one document that fills several blocks", [17], 4, 7),
        case(g, "documents of one token", [1, 1, 1, 1, 1, 1, 1], 3, 50),
        case(g, "one block", [2, 3, 3], 7, 0),
        case(g, "blocks of one token", [3, 2, 4], 1, 9),
        case(g, "another number for the end of a document", [3, 8, 2, 5, 4], 6, 33, low=0),
        case(g, "as many blocks as places in a block", [2, 4, 1, 3, 3], 4, 2),
    ]


def further() -> list[Case]:
    g = seeded(951)
    return [
        case(g, f"documents of {sizes}, blocks of {T}", sizes, T, end_id)
        for sizes, T in (([3, 9, 4], 6), ([8, 1, 2, 5], 3), ([2, 2, 2], 8), ([6, 5], 1))
        for end_id in (0, 12)
    ]


PACK = Exercise(
    id="09a.pack",
    title="Pack documents into blocks",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `pack(documents, length, end_id)`. `documents` is a list of documents, each a list of ids; none
        is empty, and `end_id` stands in none of them. Put all of them into one long row, in their order, with
        `end_id` after each, the last one too. Cut the row into N blocks of T = `length` tokens that follow
        one another without a gap and share no token. Return two tensors of ids (int64, as `torch.tensor`
        makes them of a list of ids), both (N, T): `inputs, targets`.

        `inputs` holds the blocks. The target of each place is the token that stands next in the long row; so
        the last place of a block has the first token of the next block as its target, and the last token of
        a document has `end_id`. What comes after `end_id` in the row is the target at `end_id`, though it
        belongs to another document. N is as large as it can be such that every place of every block has a
        target; tokens that are left over at the end of the row are dropped. There is at least one block.
    """),
    inputs={"documents": "a list of lists of ids", "length": "places in a block", "end_id": "one id"},
    outputs=(Output("inputs", ("N", "T")), Output("targets", ("N", "T"))),
    reference=pack,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Build the long row first, a plain list. With a row of 9 tokens and blocks of 4: which tokens are
            inputs, which are targets, and why are 8 tokens not enough for two blocks?
        """),
        lines("""
            row = for each document: its ids, then end_id
            n   = (length of the row - 1) // T
            inputs  = the first n · T tokens of the row,           cut into rows of T
            targets = the n · T tokens from the second one on,     cut into rows of T
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.other_order(pack, "inputs", "targets")),
    pairs=PAIRS,
    insight=prose("""
        Every token of the row but the first is a target once, and nothing is asked twice. The target at
        `end_id`, the first token of a document that nobody has seen, can only be guessed from how documents
        usually begin.
    """),
    advice=advice(r"""
must have same length|expected sequence of length|is invalid for input of size
    What is left over must go before rows of T are made: n · T tokens are cut into n rows, and n is
    `(len(row) - 1) // length`.
unsupported operand|can only concatenate
    `end_id` is one id: `row += [*document, end_id]` adds a document and its end to a list.
non-empty TensorList|stack expects
    No block came out. Is there a block wherever T tokens and one more are left?
"""),
)
