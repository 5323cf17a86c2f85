"""04.combine: causal and padding, two gates in a row."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_04.causal import causal_mask, upper, yes_or_no
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def combine(causal, padding):
    return causal & padding  # (T, S) & (B, 1, 1, S) -> (B, 1, T, S)


def with_padded_queries(causal, padding):
    queries = padding[..., -causal.shape[0] :].transpose(-1, -2)  # (B, 1, T, 1)
    return causal & padding & queries


def opened(more):
    """The right mask with more cells open: ``more(causal, right)``."""
    return lambda causal, padding: (causal & padding) | more(causal, causal & padding)


def only_empty_rows_opened(expected, got, args):
    more = got.bool() & ~expected
    fits = yes_or_no(got) and bool((got >= expected).all())
    return fits and not bool((more & expected.any(-1, keepdim=True)).any())


def measure(expected, got, args):
    causal, padding = args
    return {"future": int((got.bool() & ~causal).sum()), "blank": int((got.bool() & ~padding).sum())}


def cases() -> list[Case]:
    def case(name: str, T: int, words: list[list[int]]) -> Case:
        padding = torch.tensor(words).bool()[:, None, None, :]
        B, S = len(words), len(words[0])
        return Case(name, (causal_mask(T, S), padding), {"B": B, "1": 1, "T": T, "S": S})

    return [
        case("two sentences of four positions", 4, [[1, 1, 1, 1], [1, 1, 0, 0]]),
        case("fewer queries than keys", 3, [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]),
        case("padding in front, as many sentences as queries", 3, [[0, 0, 1], [1, 1, 1], [0, 1, 1]]),
        case("one sentence", 2, [[0, 1, 1, 0]]),
        case("one query", 1, [[1, 0, 1], [0, 1, 1]]),
        case("one position", 1, [[1], [0]]),
    ]


WORDS = """
or-instead-of-and
    `or` opens what either mask opens: {future} cells show the future and {blank} show padding. A key must
    pass both gates: it is no padding and it is not in the future. `&`, not `|`; for booleans `+` is an `or`
    as well.
added
    You add the masks, so a cell that only one of them allows is not 0: read as True or False, it is open.
    That is an `or` with other numbers. A key must be allowed by both: `&`.
exclusive-or
    `^` is true where exactly one of the two is true: it closes all that both allow. A key must be allowed by
    both: `&`.
agreement
    `==` is true where the two agree, also where both say no: a padded key in the future is open. A key must
    be allowed by both: `&`.
only-causal
    The causal mask is all that is left: padding is open to every query after it. Both masks must have their
    say, and the batch axis comes from `padding`.
only-padding
    The padding mask is all that is left: every query sees the future. Both masks must have their say, and the
    query axis comes from `causal`.
blocked-by-both
    You turn both masks round and keep what both forbid. `allowed` is True = may attend on the way in already:
    no `~` is needed.
one-turned-round
    One of the two masks is turned round with `~`, so you keep what it forbids. Both are `allowed` already,
    True = may attend.
empty-rows-opened
    You open cells again so that no row is empty. Here an empty row is right: with padding in front, the first
    query has nothing to look at. The mask says so, and the softmax gives such a row weights of 0; that is the
    exercise after next.
causal-turned
    The causal mask is turned round, `causal.T`: its rows are the keys then, and each query sees the future
    and not the past. It only runs where T = S. Use `causal` as it comes.
allowed-where-forbidden
    You write True where `causal` says no, so the whole future is open. Outside of `causal` nothing may be
    open: `causal & padding`, or `torch.where(causal, padding, False)`.
padded-queries
    You close the rows of padded queries too. A row with nothing allowed is a softmax over nothing, and nobody
    reads what padding computes: keys only.
batch-met-queries
    Without its two axes of size 1 the padding mask is (B, S), and broadcasting lines B up with T. Where B = T
    it runs, and query number i gets the padding of sentence number i. Leave `padding` as it is: (B, 1, 1, S).
"""

WAYS = {
    "or-instead-of-and": lambda causal, padding: causal | padding,
    "added": (
        lambda causal, padding: causal.float() + padding.float(),
        lambda causal, padding: (causal.float() + padding.float()) / 2,
    ),
    "exclusive-or": lambda causal, padding: causal ^ padding,
    "agreement": lambda causal, padding: causal == padding,
    "only-causal": (
        lambda causal, padding: causal.expand(len(padding), 1, -1, -1),
        lambda causal, padding: causal,
        lambda causal, padding: causal[None, None],
    ),
    "only-padding": (
        lambda causal, padding: padding.expand(-1, 1, len(causal), -1),
        lambda causal, padding: padding,
    ),
    "blocked-by-both": lambda causal, padding: ~causal & ~padding,
    "one-turned-round": (
        lambda causal, padding: causal & ~padding,
        lambda causal, padding: ~causal & padding,
    ),
    "empty-rows-opened": (
        opened(lambda causal, right: ~right.any(-1, keepdim=True)),
        opened(lambda causal, right: causal & upper(*causal.shape, causal.shape[1] - causal.shape[0])),
        opened(lambda causal, right: torch.eye(*causal.shape).bool()),
    ),
    "causal-turned": lambda causal, padding: causal.T & padding,
    "allowed-where-forbidden": lambda causal, padding: torch.where(causal, padding, True),
    "padded-queries": (
        with_padded_queries,
        lambda causal, padding: causal & padding & padding.transpose(-1, -2),
    ),
    "batch-met-queries": (
        lambda causal, padding: causal & padding[:, 0, 0],
        lambda causal, padding: causal & padding.squeeze(),
    ),
}

SHARED = (*ideas.boolean_mask(combine), *ideas.squeezed(combine))

COMBINE = Exercise(
    id="04.combine",
    title="Causal and padding",
    minutes=5,
    difficulty=1,
    statement=prose("""
        Write `combine(causal, padding)`. A decoder needs both: no look at the future and no look at padding.
        Put two boolean masks together into one, True = may attend.
    """),
    inputs={"causal": "T, S", "padding": "B, 1, 1, S"},
    outputs=(Output("allowed", ("B", "1", "T", "S")),),
    reference=combine,
    cases=cases,
    hints=(
        prose("""
            Think of two gates that stand one behind the other. When may a look pass: if one is open, or if
            both are? The shapes need no help: (T, S) and (B, 1, 1, S) broadcast to (B, 1, T, S).
        """),
        lines("""
            return causal AND padding, element by element         (B, 1, T, S)
        """),
    ),
    misconceptions=(
        *misconceptions(
            WORDS, WAYS, {"or-instead-of-and": measure}, {"empty-rows-opened": only_empty_rows_opened}
        ),
        *SHARED,
    ),
    insight="Masks are gates in a row: one `&` for each, and broadcasting does the rest.",
    advice=advice(r"""
ambiguous|Boolean value
    `and` and `or` ask for one truth value; for tensors, element by element, write `&` and `|`.
"""),
)
