"""Practice of chapter 04, masking: six exercises, eight predictions, and what later chapters recall.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. A mask is named ``allowed`` everywhere:
True = may attend. Source of the causal mask: Vaswani et al. 2017, section 3.2.3; of the prefix mask:
Raffel et al. 2020, section 3.2.1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from course_lib.metrics import leak_matrix
from course_lib.practice.kinds import (
    CannotCompare,
    Case,
    Exercise,
    Misconception,
    Option,
    Output,
    Prediction,
    Recall,
    View,
)

TITLE = "Masking"

_INFINITY = float("-inf")


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


def _additive(mask: Callable[..., torch.Tensor], fill: float) -> Callable[..., torch.Tensor]:
    """The same mask in the other form: 0 where attention may go, ``fill`` where it may not."""
    return lambda *args: torch.zeros(mask(*args).shape).masked_fill(~mask(*args), fill)


def _cells(where: torch.Tensor) -> str:
    """How many are True, with the verb: "1 cell is", "3 cells are"."""
    many = int(where.sum())
    return f"{many} cell{' is' if many == 1 else 's are'}"


def _yes_or_no(mask: torch.Tensor) -> bool:
    """True if the mask holds nothing but True and False, or 1 and 0."""
    return bool(((mask == 0) | (mask == 1)).all())


# --- 04.causal: the queries are the last T of S positions ----------------------------------------------


def causal_mask(T, S):
    query = torch.arange(S - T, S)[:, None]  # (T, 1): the queries are the last T positions
    key = torch.arange(S)[None, :]  # (1, S)
    return key <= query  # (T, S)


def _lower(T, S, diagonal):
    return torch.ones(T, S).tril(diagonal).bool()


def _upper(T, S, diagonal):
    return torch.ones(T, S).triu(diagonal).bool()


def _blocks_itself(expected, got, args):
    T, S = args
    return (
        f"The diagonal is blocked: query 0 stands at position {S - T} and may not attend to key {S - T}, "
        "which is itself. A position may always look at itself: nothing there is unknown. With the "
        "diagonal blocked, the first position of a sentence has no key at all. Use ≤, not <."
    )


def _sees_one_ahead(expected, got, args):
    T, S = args
    return (
        f"Off by one: query 0 stands at position {S - T} and may attend to key {S - T + 1}, the next "
        f"token. In all, {_cells(got.bool() & ~expected)} open that belong to the future. "
        "The next token is what the model must predict: in training it would copy the answer."
    )


def _upper_triangle(expected, got, args):
    seen = int((got.bool() & ~expected).sum())
    return (
        f"This is the upper triangle: each query sees itself and what comes after it, {seen} future cells "
        "here. Rows are queries and columns are keys, so the past of row t lies to the left of column t: "
        "tril, not triu."
    )


def _future_open(expected, got, args):
    seen = _cells(got.bool() & ~expected)
    return (
        f"{seen} open in which a query sees a later position. Compare the position of each key "
        "with the position of its query, S - T + t for query t: only keys up to it are allowed."
    )


def _past_closed(expected, got, args):
    T, S = args
    t, key = (expected & ~got.bool()).nonzero()[0].tolist()
    return (
        f"Nothing of the future is open, and a part of the past is closed: query {t} stands at position "
        f"{S - T + t} and may not attend to key {key}. All keys up to its own position are allowed, however "
        "far back."
    )


CAUSAL = Exercise(
    id="04.causal",
    title="Causal mask",
    minutes=8,
    difficulty=1,
    statement=(
        "Write `causal_mask(T, S)`. There are S positions with keys, and the queries are the last T of "
        "them. Each query may attend to its own position and to all positions before it. Return the "
        "boolean mask: True = may attend."
    ),
    inputs={"T": "number of queries", "S": "number of keys, S ≥ T"},
    outputs=(Output("allowed", ("T", "S")),),
    reference=causal_mask,
    cases=lambda: [
        Case("as many queries as keys", (4, 4), {"T": 4, "S": 4}),
        Case("three queries and five keys", (3, 5), {"T": 3, "S": 5}),
        Case("one query and six keys", (1, 6), {"T": 1, "S": 6}),
    ],
    hints=(
        "At which position does query t stand, if the queries are the last T of S? Write down the row "
        "of allowed keys for T = 1 and S = 3: one new token, and two that came before it.",
        "query = the positions S - T … S - 1, as a column     (T, 1)\n"
        "key   = the positions 0 … S - 1, as a row            (1, S)\n"
        "return key ≤ query                                   (T, S)",
    ),
    misconceptions=(
        Misconception(
            "diagonal-blocked",
            (lambda T, S: _lower(T, S, S - T - 1), lambda T, S: _lower(T, S, -1)),
            _blocks_itself,
        ),
        Misconception(
            "sees-the-next",
            (lambda T, S: _lower(T, S, S - T + 1), lambda T, S: _lower(T, S, 1)),
            _sees_one_ahead,
        ),
        Misconception(
            "upper-triangle",
            (lambda T, S: _upper(T, S, S - T), lambda T, S: _upper(T, S, 0)),
            _upper_triangle,
        ),
        Misconception(
            "blocked-convention",
            (lambda T, S: ~causal_mask(T, S), lambda T, S: _upper(T, S, 1)),
            "Your mask is True where attention is blocked: the whole future is marked, and nothing else. "
            "Some libraries count that way. In this course True = may attend, so yours is the exact "
            "opposite: `~mask`.",
        ),
        Misconception(
            "top-left",
            (lambda T, S: _lower(T, S, 0),),
            "With T = S your mask is right; with fewer queries than keys it stands in the wrong corner. "
            "Your query 0 sees key 0 alone, as if the queries were the first positions. They are the "
            "last T: query t stands at position t + S - T.",
        ),
        Misconception(
            "keys-as-rows",
            (lambda T, S: causal_mask(T, S).T, lambda T, S: _lower(S, T, 0)),
            "Rows and columns are exchanged: your mask has S rows and T columns. A row belongs to a "
            "query and a column to a key, so that a mask lies on the scores: (T, S).",
        ),
        Misconception(
            "row-for-each-key",
            (lambda T, S: _lower(S, S, 0),),
            "Your mask has a row for each of the S positions. There are only T queries: keep the last T "
            "rows, `[-T:]` or `[S - T:]`.",
        ),
        Misconception(
            "keys-forgotten",
            (lambda T, S: _lower(T, T, 0),),
            "Your mask is T by T. The S - T earlier positions have keys as well, and every query may "
            "attend to them: these columns are missing on the left.",
        ),
        Misconception(
            "additive",
            (_additive(causal_mask, _INFINITY), _additive(causal_mask, -1e9)),
            "The places are right, and this is the other form of a mask: 0 and -∞, made to be added to "
            "the scores. Here the mask is boolean, True = may attend: return the comparison itself.",
        ),
        Misconception(
            "only-itself",
            (lambda T, S: causal_mask(T, S) & _upper(T, S, S - T), lambda T, S: torch.eye(T, S).bool()),
            "Only the diagonal is open: each query may look at itself and at nothing else. The past "
            "belongs to it as well: all keys with a position ≤ its own.",
        ),
        Misconception(
            "diagonal-the-wrong-way",
            (lambda T, S: _lower(T, S, T - S),),
            "With T = S your mask is right; with more keys than queries its diagonal has moved the wrong "
            "way. `diagonal` counts to the right: the last query must reach the last key, so it is S - T, "
            "not T - S.",
        ),
        Misconception(
            "future-open",
            (lambda T, S: torch.ones(T, S).bool(), lambda T, S: _lower(T, S, S - T + 2)),
            _future_open,
            sign=lambda expected, got, args: _yes_or_no(got) and bool((got >= expected).all()),
        ),
        Misconception(
            "past-closed",
            (lambda T, S: causal_mask(T, S) & _upper(T, S, S - T - 1),),
            _past_closed,
            sign=lambda expected, got, args: _yes_or_no(got) and bool((got <= expected).all()),
        ),
    ),
    insight="With T = 1 every key is allowed: that is one step of a generator that keeps its old keys.",
    advice=(
        (
            r"triu|tril",
            "torch.tril and torch.triu take a tensor, for example `torch.ones(T, S)`, and an optional "
            "`diagonal`.",
        ),
    ),
)


# --- 04.padding: padding is closed as a key --------------------------------------------------------------


def padding_mask(ids, pad_id):
    return (ids != pad_id)[:, None, None, :]  # (B, S) -> (B, 1, 1, S)


def _by_length(ids, pad_id):
    lengths = (ids != pad_id).sum(dim=1)  # (B,)
    return (torch.arange(ids.shape[1]) < lengths[:, None])[:, None, None, :]


def _until_padding(ids, pad_id):
    return ((ids == pad_id).cumsum(dim=1) == 0)[:, None, None, :]  # closed from the first padding on


def _both_sides(ids, pad_id):
    words = ids != pad_id
    return (words[:, None, :] & words[:, :, None])[:, None]  # (B, 1, S, S)


PADDING = Exercise(
    id="04.padding",
    title="Padding mask",
    minutes=6,
    difficulty=1,
    statement=(
        "Write `padding_mask(ids, pad_id)`. A batch of token ids is filled up with `pad_id`, at the end "
        "or in front. Nobody may attend to padding. Return a boolean mask, True = may attend, that lies "
        "on scores (B, H, T, S) by broadcasting: one axis for heads and one for queries, both of size 1."
    ),
    inputs={"ids": "B, S", "pad_id": "the id that fills up"},
    outputs=(Output("allowed", ("B", "1", "1", "S")),),
    reference=padding_mask,
    cases=lambda: [
        Case(
            "padding at the end",
            (torch.tensor([[5, 3, 8, 2, 0], [7, 4, 0, 0, 0]]), 0),
            {"B": 2, "1": 1, "S": 5},
        ),
        Case(
            "padding in front, and a pad_id that is not 0",
            (torch.tensor([[9, 9, 4, 0], [3, 12, 0, 6], [9, 9, 9, 5]]), 9),
            {"B": 3, "1": 1, "S": 4},
        ),
        Case(
            "as many sentences as positions",
            (torch.tensor([[1, 6, 6], [2, 1, 1], [6, 5, 4]]), 1),
            {"B": 3, "1": 1, "S": 3},
        ),
    ],
    hints=(
        "Which of the last two axes of the scores (B, H, T, S) holds the keys? The answer for a token "
        "must lie along that axis, and the axes for heads and queries must be there with size 1.",
        "is_word = ids compared with pad_id                    (B, S)\n"
        "return is_word with two new axes in the middle        (B, 1, 1, S)",
    ),
    misconceptions=(
        Misconception(
            "masks-queries",
            (lambda ids, pad_id: (ids != pad_id)[:, None, :, None],),
            "Your mask closes rows, not columns: shape (B, 1, S, 1) lies along the queries. Then padding "
            "looks at nothing, while every word still looks at padding. The keys are the last axis: "
            "(B, 1, 1, S).",
        ),
        Misconception(
            "inverted",
            (
                lambda ids, pad_id: (ids == pad_id)[:, None, None, :],
                lambda ids, pad_id: (ids == pad_id)[:, None, :],
                lambda ids, pad_id: ids == pad_id,
            ),
            "Inverted: yours is True on padding, so all words are closed and only padding is open. "
            "True = may attend, and a word is where the id is not pad_id.",
        ),
        Misconception(
            "lines-up-with-heads",
            (lambda ids, pad_id: (ids != pad_id)[:, None, :],),
            "An axis is missing: broadcasting lines shapes up from the right, so (B, 1, S) meets "
            "(B, H, T, S) with B at the heads. It fails if H differs from B, and if they are equal head "
            "number i gets the padding of sentence number i. Add an axis for heads and one for queries.",
        ),
        Misconception(
            "lines-up-with-queries",
            (lambda ids, pad_id: ids != pad_id,),
            "The comparison is right and the new axes are missing: broadcasting lines shapes up from the "
            "right, so (B, S) meets (B, H, T, S) with B at the queries. If T = B it even runs, and query "
            "number i gets the padding of sentence number i.",
        ),
        Misconception(
            "axes-at-the-end",
            (lambda ids, pad_id: (ids != pad_id)[:, :, None, None],),
            "The new axes stand after S, so your positions lie along the heads. Keys are the last axis "
            "of the scores: the two new axes go between B and S.",
        ),
        Misconception(
            "axes-in-front",
            (lambda ids, pad_id: (ids != pad_id)[None, None],),
            "The new axes stand in front of B, so your sentences lie along the queries. B is the first "
            "axis of the scores: the two new axes go between B and S.",
        ),
        Misconception(
            "rows-and-columns",
            (_both_sides, lambda ids, pad_id: _both_sides(ids, pad_id)[:, 0]),
            "You close padding as a query as well. Its rows would then have nothing left to look at, a "
            "softmax over nothing, and nobody reads what padding computes. Close it as a key only: the "
            "loss leaves the padded rows out.",
        ),
        Misconception(
            "row-for-each-query",
            (
                lambda ids, pad_id: padding_mask(ids, pad_id).expand(-1, 1, ids.shape[1], -1),
                lambda ids, pad_id: (ids != pad_id)[:, None, :].expand(-1, ids.shape[1], -1),
            ),
            "Right values, written out: all your S rows are the same. Leave the query axis at size 1, "
            "(B, 1, 1, S); then the mask fits any number of queries, also those of another sentence.",
        ),
        Misconception(
            "zero-is-padding",
            (
                lambda ids, pad_id: (ids != 0)[:, None, None, :],
                lambda ids, pad_id: (ids > 0)[:, None, None, :],
            ),
            "You compare with 0. The id of padding is `pad_id`: here some inputs have another one, and "
            "there 0 is a word like any other.",
        ),
        Misconception(
            "by-size",
            (
                lambda ids, pad_id: (ids > pad_id)[:, None, None, :],
                lambda ids, pad_id: (ids < pad_id)[:, None, None, :],
            ),
            "You compare by size. The id of padding is a name, not an amount: words may have ids above it "
            "and below it. Compare with `!=`.",
        ),
        Misconception(
            "ids-themselves",
            (lambda ids, pad_id: ids[:, None, None, :],),
            "These are the ids themselves. The axes are right; what is missing is the question to each of "
            "them: is this another id than `pad_id`?",
        ),
        Misconception(
            "padding-at-the-end-only",
            (_by_length, _until_padding),
            "Your mask takes for granted that padding stands at the end: it opens positions from the left. "
            "When padding stands in front, it closes words. Ask each position by itself whether it is "
            "padding.",
        ),
        Misconception(
            "additive",
            (_additive(padding_mask, _INFINITY), _additive(padding_mask, -1e9)),
            "The places are right, and this is the other form of a mask: 0 and -∞, made to be added to "
            "the scores. Here the mask is boolean, True = may attend: return the comparison itself.",
        ),
    ),
    insight="Padding is closed as a key. As a query it may look around: nobody reads its answer.",
    advice=(
        (
            r"Boolean value",
            "`not` and `if` ask for one truth value; for a tensor of them write `~` or `!=`.",
        ),
    ),
)


# --- 04.combine: causal and padding ---------------------------------------------------------------------


def combine(causal, padding):
    return causal & padding  # (T, S) & (B, 1, 1, S) -> (B, 1, T, S)


def _with_padded_queries(causal, padding):
    queries = padding[..., -causal.shape[0] :].transpose(-1, -2)  # (B, 1, T, 1)
    return causal & padding & queries


def _itself(causal):
    return causal & torch.ones_like(causal).triu(causal.shape[1] - causal.shape[0])  # each query itself


def _only_empty_rows_opened(expected, got, args):
    more = got.bool() & ~expected
    fits = _yes_or_no(got) and bool((got >= expected).all())
    return fits and not bool((more & expected.any(-1, keepdim=True)).any())


def _or_leaks(expected, got, args):
    causal, padding = args
    future = int((got.bool() & ~causal).sum())
    blank = int((got.bool() & ~padding).sum())
    return (
        f"`or` opens what either mask opens: {future} cells show the future and {blank} show padding. A "
        "key must pass both gates: it is no padding and it is not in the future. `&`, not `|`; for "
        "booleans `+` is an `or` as well."
    )


def _combine_cases() -> list[Case]:
    def case(name: str, T: int, words: list[list[int]]) -> Case:
        padding = torch.tensor(words).bool()[:, None, None, :]
        B, S = len(words), len(words[0])
        return Case(name, (causal_mask(T, S), padding), {"B": B, "1": 1, "T": T, "S": S})

    return [
        case("two sentences of four positions", 4, [[1, 1, 1, 1], [1, 1, 0, 0]]),
        case("fewer queries than keys", 3, [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]),
        case("padding in front, as many sentences as queries", 3, [[0, 0, 1], [1, 1, 1], [0, 1, 1]]),
    ]


COMBINE = Exercise(
    id="04.combine",
    title="Causal and padding",
    minutes=5,
    difficulty=1,
    statement=(
        "Write `combine(causal, padding)`. A decoder needs both: no look at the future and no look at "
        "padding. Put two boolean masks together into one, True = may attend."
    ),
    inputs={"causal": "T, S", "padding": "B, 1, 1, S"},
    outputs=(Output("allowed", ("B", "1", "T", "S")),),
    reference=combine,
    cases=_combine_cases,
    hints=(
        "Think of two gates that stand one behind the other. When may a look pass: if one is open, or "
        "if both are? The shapes need no help: (T, S) and (B, 1, 1, S) broadcast to (B, 1, T, S).",
        "return causal AND padding, element by element         (B, 1, T, S)",
    ),
    misconceptions=(
        Misconception(
            "or-instead-of-and",
            (lambda causal, padding: causal | padding,),
            _or_leaks,
        ),
        Misconception(
            "added",
            (
                lambda causal, padding: causal.float() + padding.float(),
                lambda causal, padding: (causal.float() + padding.float()) / 2,
            ),
            "You add the masks: cells that one of them allows count something too, and so they pass for "
            "true. That is an `or` with other numbers. A key must be allowed by both: `&`.",
        ),
        Misconception(
            "exclusive-or",
            (lambda causal, padding: causal ^ padding,),
            "`^` is true where exactly one of the two is true: it closes all that both allow. A key must "
            "be allowed by both: `&`.",
        ),
        Misconception(
            "agreement",
            (lambda causal, padding: causal == padding,),
            "`==` is true where the two agree, also where both say no: a padded key in the future is "
            "open. A key must be allowed by both: `&`.",
        ),
        Misconception(
            "only-causal",
            (
                lambda causal, padding: causal.expand(len(padding), 1, -1, -1),
                lambda causal, padding: causal,
                lambda causal, padding: causal[None, None],
            ),
            "The causal mask is all that is left: padding is open to every query after it. Both masks "
            "must have their say, and the batch axis comes from `padding`.",
        ),
        Misconception(
            "only-padding",
            (
                lambda causal, padding: padding.expand(-1, 1, len(causal), -1),
                lambda causal, padding: padding,
            ),
            "The padding mask is all that is left: every query sees the future. Both masks must have "
            "their say, and the query axis comes from `causal`.",
        ),
        Misconception(
            "inverted",
            (lambda causal, padding: ~(causal & padding),),
            "Inverted: yours is True where attention is blocked. Both inputs say True = may attend, and "
            "so must the result.",
        ),
        Misconception(
            "blocked-by-both",
            (lambda causal, padding: ~causal & ~padding,),
            "You turn both masks round and keep what both forbid. `allowed` is True = may attend on the "
            "way in already: no `~` is needed.",
        ),
        Misconception(
            "one-turned-round",
            (lambda causal, padding: causal & ~padding, lambda causal, padding: ~causal & padding),
            "One of the two masks is turned round with `~`, so you keep what it forbids. Both are `allowed` "
            "already, True = may attend.",
        ),
        Misconception(
            "empty-rows-opened",
            (
                lambda causal, padding: (causal & padding) | ~(causal & padding).any(-1, keepdim=True),
                lambda causal, padding: (causal & padding) | _itself(causal),
                lambda causal, padding: (causal & padding) | torch.eye(*causal.shape).bool(),
            ),
            "You open cells again so that no row is empty. But an empty row is true: with padding in front, "
            "the first query has nothing to look at. The mask says so, and the softmax gives such a row "
            "weights of 0; that is the exercise after next.",
            sign=_only_empty_rows_opened,
        ),
        Misconception(
            "additive",
            (_additive(combine, _INFINITY), _additive(combine, -1e9)),
            "The places are right, and this is the other form of a mask: 0 and -∞, made to be added to "
            "the scores. Here the mask is boolean, True = may attend.",
        ),
        Misconception(
            "padded-queries",
            (_with_padded_queries, lambda causal, padding: causal & padding & padding.transpose(-1, -2)),
            "You close the rows of padded queries too. A row with nothing allowed is a softmax over "
            "nothing, and nobody reads what padding computes: keys only.",
        ),
        Misconception(
            "batch-met-queries",
            (
                lambda causal, padding: causal & padding[:, 0, 0],
                lambda causal, padding: causal & padding.squeeze(),
            ),
            "Without its two axes of size 1 the padding mask is (B, S), and broadcasting lines B up with "
            "T. Where B = T it runs, and query number i gets the padding of sentence number i. Leave "
            "`padding` as it is: (B, 1, 1, S).",
        ),
    ),
    insight="Masks are gates in a row: one `&` for each, and broadcasting does the rest.",
    advice=(
        (
            r"ambiguous|Boolean value",
            "`and` and `or` ask for one truth value; for tensors, element by element, write `&` and `|`.",
        ),
    ),
)


# --- 04.prefix: a prefix that all may see, causal over the rest ----------------------------------------


def prefix_mask(T, n_prefix):
    query = torch.arange(T)[:, None]  # (T, 1)
    key = torch.arange(T)[None, :]  # (1, T)
    return (key <= query) | (key < n_prefix)  # (T, T)


def _query_and_key(T):
    return torch.arange(T)[:, None], torch.arange(T)[None, :]


def _prefix(rule: Callable) -> Callable[..., torch.Tensor]:
    """A mask from a rule on (query, key, n_prefix), written out to (T, T)."""

    def mask(T, n_prefix):
        query, key = _query_and_key(T)
        return rule(query, key, n_prefix).expand(T, T)

    return mask


def _prefix_causal(expected, got, args):
    _, n_prefix = args
    closed = _cells(expected & ~got.bool())
    return (
        f"Your prefix is causal as well: above the diagonal {closed} closed that should be open. "
        f"All of the first {n_prefix} positions are given at once, so each of them may see all of them. "
        "That is the difference between a prefix mask and a causal one."
    )


def _prefix_sees_the_rest(expected, got, args):
    _, n_prefix = args
    seen = int((got.bool() & ~expected)[:n_prefix].sum())
    return (
        f"Your first {n_prefix} rows are open all along, so the prefix sees {seen} cells of the part "
        "that is still to be written; through it, later positions learn their own future. Open the "
        "first columns: everybody sees the prefix, and the prefix sees only itself."
    )


PREFIX = Exercise(
    id="04.prefix",
    title="Prefix mask",
    minutes=8,
    difficulty=2,
    statement=(
        "Write `prefix_mask(T, n_prefix)`. The first n_prefix of T positions are given, for example a "
        "question: everybody may attend to all of them. The rest is written word by word: it is causal. "
        "Return the boolean mask (rows: queries, columns: keys), True = may attend."
    ),
    inputs={"T": "number of positions", "n_prefix": "length of the prefix, 0 … T"},
    outputs=(Output("allowed", ("T", "T")),),
    reference=prefix_mask,
    cases=lambda: [
        Case("a prefix of two in five", (5, 2), {"T": 5}),
        Case("a prefix of four in seven", (7, 4), {"T": 7}),
        Case("no prefix", (4, 0), {"T": 4}),
        Case("nothing but prefix", (3, 3), {"T": 3}),
    ],
    hints=(
        "Begin with the causal mask. Which cells must be opened in addition: rows or columns, and which "
        "of them? Draw the 5 × 5 grid for a prefix of two.",
        "query = 0 … T - 1 as a column, key = 0 … T - 1 as a row\n"
        "return (key ≤ query) OR (key is in the prefix)        (T, T)",
    ),
    misconceptions=(
        Misconception(
            "prefix-causal",
            (_prefix(lambda query, key, n: key <= query),),
            _prefix_causal,
        ),
        Misconception(
            "prefix-hidden",
            (
                _prefix(lambda query, key, n: ((query < n) & (key < n)) | ((key <= query) & (key >= n))),
                _prefix(lambda query, key, n: (query < n) & (key < n)),
            ),
            "The prefix sees itself, and the rest cannot see the prefix. An answer that may not look at "
            "its question is of no use: open the first n_prefix columns in every row.",
        ),
        Misconception(
            "prefix-sees-the-rest",
            (
                _prefix(lambda query, key, n: (key <= query) | (query < n)),
                _prefix(lambda query, key, n: (key <= query) | (query < n) | (key < n)),
                _prefix(lambda query, key, n: (query < n) | (key < n)),
                _prefix(lambda query, key, n: query < n),
            ),
            _prefix_sees_the_rest,
        ),
        Misconception(
            "rest-sees-everything",
            (
                _prefix(lambda query, key, n: (key < n) | (query >= n)),
                _prefix(lambda query, key, n: (key <= query) | (query >= n)),
            ),
            "The positions after the prefix see everything, their own future included. They are written "
            "word by word: for them the mask is causal.",
        ),
        Misconception(
            "prefix-one-too-long",
            (_prefix(lambda query, key, n: (key <= query) | (key <= n)),),
            "Off by one: your prefix has one position too many. Positions are counted from 0, so the "
            "prefix is 0 … n_prefix - 1, and position n_prefix is the first that must be predicted: `<`.",
        ),
        Misconception(
            "prefix-one-too-short",
            (_prefix(lambda query, key, n: (key <= query) | (key < n - 1)),),
            "Off by one: the last position of the prefix is closed to those before it. Positions are "
            "counted from 0, so the prefix is 0 … n_prefix - 1, all of it.",
        ),
        Misconception(
            "wrong-part-opened",
            (
                _prefix(lambda query, key, n: (key <= query) | (key >= n)),
                lambda T, n_prefix: causal_mask(T, T) | (torch.arange(T) >= T - n_prefix),
            ),
            "You open the columns of the wrong part. The prefix is the beginning, 0 … n_prefix - 1; what you "
            "open for everybody comes after it, and there stands what must be predicted.",
        ),
        Misconception(
            "diagonal-moved",
            (
                lambda T, n_prefix: _lower(T, T, n_prefix),
                lambda T, n_prefix: _lower(T, T, n_prefix - 1),
            ),
            "You move the diagonal by the length of the prefix, so every query looks that far ahead, the "
            "late ones too. The prefix is a block of columns: open those, and leave the diagonal.",
        ),
        Misconception(
            "rest-sees-the-next",
            (_prefix(lambda query, key, n: (key <= query + 1) | (key < n)),),
            "Off by one: each position sees the one after it, and that is what it must predict. Outside the "
            "prefix a query sees keys up to its own position.",
        ),
        Misconception(
            "rest-diagonal-blocked",
            (_prefix(lambda query, key, n: (key < query) | (key < n)),),
            "After the prefix the diagonal is blocked: a position may not look at itself. Its own token is "
            "known, so it may: `<=`, not `<`.",
        ),
        Misconception(
            "exclusive-or",
            (_prefix(lambda query, key, n: (key <= query) ^ (key < n)),),
            "`^` is true where exactly one reason holds, so it closes the cells that lie in the past and "
            "in the prefix. Either reason is enough, and both are fine: `|`.",
        ),
        Misconception(
            "and-instead-of-or",
            (_prefix(lambda query, key, n: (key <= query) & (key < n)),),
            "A key must be in the past and in the prefix: so nobody sees anything after the prefix, "
            "not even itself. Either reason is enough: `|`.",
        ),
        Misconception(
            "prefix-only",
            (_prefix(lambda query, key, n: key < n),),
            "Only the prefix is open. The positions after it may also look at what is already written, "
            "themselves included: add the causal part with `|`.",
        ),
        Misconception(
            "everything-open",
            (lambda T, n_prefix: torch.ones(T, T).bool(),),
            "Everything is allowed, so the part that must be predicted sees its own future. Only the "
            "prefix is open to all.",
        ),
        Misconception(
            "transposed",
            (lambda T, n_prefix: prefix_mask(T, n_prefix).T,),
            "Transposed: your rows are keys and your columns are queries. The prefix then sees "
            "everything and the rest looks at its future. Rows are queries.",
        ),
        Misconception(
            "inverted",
            (lambda T, n_prefix: ~prefix_mask(T, n_prefix),),
            "Your mask is True where attention is blocked. In this course True = may attend: yours is "
            "the exact opposite, `~mask`.",
        ),
        Misconception(
            "additive",
            (_additive(prefix_mask, _INFINITY), _additive(prefix_mask, -1e9)),
            "The places are right, and this is the other form of a mask: 0 and -∞, made to be added to "
            "the scores. Here the mask is boolean, True = may attend.",
        ),
    ),
    insight="One mask, from GPT (n_prefix = 0) to BERT (n_prefix = T).",
)


# --- 04.softmax: softmax over what is allowed ------------------------------------------------------------


def masked_softmax(scores, allowed):
    lowest = torch.finfo(scores.dtype).min  # not -inf: a row of only -inf is 0/0 in the softmax
    weights = torch.softmax(scores.masked_fill(~allowed, lowest), dim=-1)  # (B, H, T, S)
    return weights.masked_fill(~allowed, 0.0)  # rows with nothing allowed end at 0 too


def _soft(fill: float | None, axis: int = -1, clean: bool = False):
    """A masked softmax with this fill and axis; ``clean`` puts 0 where nothing is allowed at the end."""

    def weights(scores, allowed):
        filled = scores if fill is None else scores.masked_fill(~allowed, fill)
        result = torch.softmax(filled, dim=axis)
        return result.masked_fill(~allowed, 0.0) if clean else result

    return weights


_FILLS = ((_INFINITY, False), (_INFINITY, True), (-1e9, False), (-1e9, True), (None, False), (None, True))


def _softmax_over(axis: int):
    return tuple(_soft(fill, axis, clean) for fill, clean in _FILLS)


def _inverted(fill: float, clean: bool = False):
    return lambda scores, allowed: _soft(fill, clean=clean)(scores, ~allowed)


def _added(scores, allowed, fill=_INFINITY):
    return torch.softmax(scores + torch.zeros(allowed.shape).masked_fill(~allowed, fill), dim=-1)


def _in_place(weights, allowed):
    weights[~allowed.expand_as(weights)] = 0.0
    return weights


def _renormalised(small: float):
    def weights(scores, allowed):
        kept = torch.softmax(scores, dim=-1) * allowed
        return kept / (kept.sum(dim=-1, keepdim=True) + small)

    return weights


def _divided_if_it_goes(scores, allowed):
    kept = torch.softmax(scores, dim=-1) * allowed
    total = kept.sum(dim=-1, keepdim=True)
    return kept / total.where(total > 0, 1.0)


def _vanished(expected, got, args):
    """True if the wrong rows are those whose allowed weights a softmax over all keys rounds to about 0."""
    scores, allowed = args
    if scores.requires_grad:  # then ``got`` is a gradient, which cannot tell
        return True
    left = (torch.softmax(scores, dim=-1) * allowed).sum(dim=-1, keepdim=True)
    rest = left > 1e-3
    same = torch.allclose(torch.where(rest, got, 0.0), torch.where(rest, expected, 0.0), atol=1e-4)
    return same and bool((got.nan_to_num(0.0).where(left == 0, 0.0) == 0).all())


def _over_the_grid(fill: float | None, clean: bool):
    def weights(scores, allowed):
        filled = scores if fill is None else scores.masked_fill(~allowed, fill)
        result = torch.softmax(filled.flatten(-2), dim=-1).view_as(scores)
        return result.masked_fill(~allowed, 0.0) if clean else result

    return weights


def _exponentials(scores, allowed):
    e = torch.exp(scores) * allowed
    return e / e.sum(dim=-1, keepdim=True)


def _rows_too_small(expected, got, args):
    rows = got.sum(dim=-1)[args[1].any(dim=-1).expand(got.shape[:-1])]
    return (
        "You mask after the softmax. What is forbidden gets 0, and what is left keeps its old share: one "
        f"row sums to {rows.min().item():.2f}. The forbidden scores still stand in the denominator. Take "
        "them out before the softmax; then the allowed keys share the whole 1."
    )


def _nan_rows(expected, got, args):
    bad = int(torch.isnan(got).any(dim=-1).sum())
    return (
        f"{bad} rows are NaN: those with nothing allowed. A row of only -∞ is 0/0. Our rule is: a query "
        "that may look at nothing gets weights of 0. Give such rows finite scores first, and set their "
        "weights to 0 at the end. A NaN that is replaced by 0 afterwards can come back in the gradient."
    )


def _still_open(expected, got, args):
    kept = (got * args[1]).sum(dim=-1)[args[1].any(dim=-1).expand(got.shape[:-1])]
    return (
        "The forbidden scores are 0, or next to it: -1e-9 is a slip for -1e9. A score of 0 is an ordinary "
        f"score, and exp(0) = 1: in one row the forbidden keys take {1 - kept.min().item():.0%} of the "
        "weight. What is forbidden needs a score that is as low as can be."
    )


def _only_empty_rows(expected, got, args):
    """True if every row that has something allowed is right."""
    scores, allowed = args
    if scores.requires_grad:  # then ``got`` is a gradient, which cannot tell
        return True
    alive = allowed.any(dim=-1, keepdim=True)
    return torch.allclose(got * alive, expected * alive, atol=1e-5)


def _empty_rows_share(expected, got, args):
    empty = ~args[1].any(dim=-1).expand(got.shape[:-1])
    share = got[empty].max().item()
    return (
        "Nearly: only the rows with nothing allowed are wrong. All their scores are lowered alike, and a "
        f"softmax shares out 1 in any case: one key gets {share:.3f}, forbidden as it is. Our rule is 0: set "
        "the weights to 0 where `allowed` is False, after the softmax as well."
    )


def _not_masked(expected, got, args):
    lost = (got * ~args[1]).sum(dim=-1)[args[1].any(dim=-1).expand(got.shape[:-1])].max().item()
    return (
        f"The mask has no effect: in one row the forbidden keys take {lost:.0%} of the weight. Make their "
        "scores as low as can be before the softmax, where `allowed` is False."
    )


def _in_proportion(expected, got, args):
    """True if the allowed keys of a row share as they should, and the forbidden ones take a little."""
    scores, allowed = args
    if scores.requires_grad:  # then ``got`` is a gradient, which cannot tell
        return True
    alive = allowed.any(dim=-1, keepdim=True)
    kept = got * allowed
    share = kept.sum(dim=-1, keepdim=True)
    in_proportion = torch.allclose(kept * alive, expected * share * alive, atol=1e-5)
    a_little = bool(((share > 0.95) | ~alive).all()) or scores.abs().max() > 50
    return in_proportion and a_little and bool((share < 1 + 1e-5).all())


def _weights_or_gradient(weights, args):
    """The weights; or, where the scores ask for a gradient, the gradient that comes back to them."""
    scores, _ = args
    if not scores.requires_grad:
        return weights
    if not weights.requires_grad:
        raise CannotCompare(
            "No gradient comes back: your weights are cut off from the scores, so nothing before them could "
            "learn. Is there a `detach()`, a `.data`, a `torch.tensor(...)` or a `no_grad` too many?"
        )
    # check hands out clones; what they have in common is the tensor that they were cloned from.
    origin = scores if scores.is_leaf else scores.grad_fn.next_functions[0][0].variable
    wanted = torch.linspace(-1, 1, weights.numel()).reshape(weights.shape)  # something to ask of the weights
    try:
        return torch.autograd.grad(weights, origin, wanted)[0]
    except RuntimeError as error:
        raise CannotCompare(
            "No gradient comes back: the weights were changed in place (`weights[...] = 0`, `*=`), and the "
            "softmax needs its own answer for the way back. `masked_fill` makes new ones."
        ) from error


def _softmax_cases() -> list[Case]:
    g = torch.Generator().manual_seed(405)

    def case(name: str, scores: torch.Tensor, allowed: torch.Tensor) -> Case:
        B, H, T, S = scores.shape
        return Case(name, (scores, allowed), {"B": B, "H": H, "1": 1, "T": T, "S": S})

    def open_cells(*shape: int) -> torch.Tensor:
        cells = torch.rand(*shape, generator=g) < 0.7
        cells[..., 0, 0] = True
        return cells

    empty = open_cells(2, 1, 4, 5)
    empty[1, 0, 2] = False  # this query may look at nothing
    square = causal_mask(4, 4).expand(2, 1, 4, 4).clone()
    square[1, 0, :, 0] = False  # padding in front: the first query has nothing left
    large = 60.0 * _random(g, 2, 2, 3, 4)  # exp(89) is too large for a float32
    large[0, 0, 0] = torch.tensor([-150.0, 200.0, -151.0, 100.0])
    large[0, 1, 0] = torch.tensor([0.0, 200.0, -1.0, 100.0])
    some = open_cells(2, 1, 3, 4)
    some[0, 0, 0] = torch.tensor([True, False, True, False])  # the largest score is forbidden
    asks = (1.5 * _random(g, 2, 3, 4, 5)).requires_grad_()
    none = open_cells(2, 1, 4, 5)
    none[0, 0, 3] = False
    strided = (1.5 * _random(g, 2, 3, 6, 4)).transpose(2, 3)  # (2, 3, 4, 6), not contiguous
    return [
        case("a row with nothing allowed", 1.5 * _random(g, 2, 3, 4, 5), empty),
        case("as many queries as keys", 1.5 * _random(g, 2, 3, 4, 4), square),
        case("scores far from 0", large, some),
        case("scores that are not contiguous", strided, open_cells(2, 1, 4, 6)),
        case("the gradient that comes back to the scores", asks, none),
    ]


SOFTMAX = Exercise(
    id="04.softmax",
    title="Masked softmax",
    minutes=12,
    difficulty=3,
    statement=(
        "Write `masked_softmax(scores, allowed)`. Each query shares a weight of 1 among the keys that it "
        "may attend to; forbidden keys get exactly 0. A query that may attend to nothing gets 0 "
        "everywhere, and no NaN: neither in the weights nor in the gradient."
    ),
    inputs={"scores": "B, H, T, S", "allowed": "B, 1, T, S"},
    outputs=(Output("weights", ("B", "H", "T", "S")),),
    reference=masked_softmax,
    cases=_softmax_cases,
    hints=(
        "Two things are asked, and they are done at two moments. Before the softmax: which score keeps a "
        "key out? After the softmax: which rows are still wrong? With -∞ a row of nothing is 0/0, so "
        "take the lowest finite number: `torch.finfo(scores.dtype).min`.",
        "scores  = scores, but the lowest finite number where not allowed    (B, H, T, S)\n"
        "weights = softmax of scores over the last axis, S\n"
        "return weights, but 0 where not allowed               (B, H, T, S)",
    ),
    misconceptions=(
        Misconception(
            "masked-after",
            (
                lambda scores, allowed: torch.softmax(scores, dim=-1) * allowed,
                lambda scores, allowed: _in_place(torch.softmax(scores, dim=-1), allowed),
            ),
            _rows_too_small,
        ),
        Misconception(
            "row-of-infinities",
            (
                _soft(_INFINITY),
                lambda scores, allowed: _soft(_INFINITY)(scores, allowed) * allowed,
                _added,
            ),
            _nan_rows,
        ),
        Misconception(
            "score-of-zero",
            (
                _soft(-1e-9),
                _soft(0.0),
                lambda scores, allowed: torch.softmax(scores * allowed, dim=-1),
                _soft(0.0, clean=True),
            ),
            _still_open,
        ),
        Misconception(
            "nan-in-the-gradient",
            (
                lambda scores, allowed: torch.nan_to_num(_added(scores, allowed)),
                lambda scores, allowed: _added(scores, allowed).masked_fill(~allowed, 0.0),
            ),
            "Your weights are right on all inputs, and the gradient is NaN. You add -∞ to the scores, and a "
            "row of nothing but -∞ becomes NaN in the softmax. You set it to 0 afterwards; on the way back "
            "the gradient meets the NaN again, 0 · NaN is NaN, and it spoils all parameters. Do not let the "
            "NaN arise: give such rows finite scores.",
        ),
        Misconception(
            "empty-rows-share",
            (
                _soft(-1e9),
                lambda scores, allowed: _added(scores, allowed, -1e9),
                lambda scores, allowed: _added(scores, allowed, -1e4),
            ),
            _empty_rows_share,
            sign=_only_empty_rows,
        ),
        Misconception(
            "renormalised-afterwards",
            (
                *(_renormalised(small) for small in (0.0, 1e-9, 1e-6)),
                lambda scores, allowed: torch.nan_to_num(_renormalised(0.0)(scores, allowed)),
                _divided_if_it_goes,
            ),
            "You mask after the softmax and divide by the sum. On paper that is right. Here a forbidden "
            "score of 200 makes the allowed weights vanish in 32 bits: they have already been rounded to 0, "
            "and no division brings them back; 0/0 is NaN. Mask the scores before the softmax.",
            sign=_vanished,
        ),
        Misconception(
            "not-low-enough",
            (_soft(-10.0), _soft(-100.0), _soft(-100.0, clean=True)),
            "You lower the forbidden scores, and not far enough. Scores can be anything: in one row here "
            "the allowed ones are near -150 and a forbidden one is 200, and then it takes the row. Fill with "
            "the lowest number there is, `torch.finfo(scores.dtype).min`, and set forbidden weights to 0 at "
            "the end.",
            sign=_in_proportion,
        ),
        Misconception(
            "mask-inverted",
            (
                _inverted(_INFINITY),
                _inverted(-1e9),
                _inverted(-1e9, clean=True),
                lambda scores, allowed: _soft(-1e9)(scores, ~allowed).masked_fill(~allowed, 0.0),
            ),
            "Your mask is inverted: what is forbidden is open and what is allowed is closed. `allowed` is "
            "True where attention may go; `masked_fill` fills where its mask is True, so it needs "
            "`~allowed`.",
        ),
        Misconception(
            "exponentials-overflow",
            (
                _exponentials,
                lambda scores, allowed: (
                    torch.exp(scores)
                    * allowed
                    / (torch.exp(scores) * allowed).sum(dim=-1, keepdim=True).clamp(min=1e-9)
                ),
            ),
            "You write the softmax yourself, and exp of a score above 88 is infinite in float32: ∞/∞ is "
            "NaN. `torch.softmax` first takes the largest score off each row. Mask the scores and leave "
            "the rest to it; rows with nothing allowed get their 0 afterwards.",
        ),
        Misconception(
            "softmax-over-queries",
            _softmax_over(-2),
            "Your softmax runs over the queries (axis T): each key shares itself out. It must be the "
            "other way round: each query shares its attention over the keys, `dim=-1`.",
        ),
        Misconception(
            "softmax-over-heads",
            _softmax_over(1),
            "Your softmax runs over the heads (axis H), so the heads compete for each cell. Each head "
            "has a weight of 1 of its own to share over the keys: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-batch",
            _softmax_over(0),
            "Your softmax runs over the batch (axis B), so sentences that know nothing of each other "
            "share one budget of attention. Each row runs over the keys: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-the-grid",
            tuple(_over_the_grid(fill, clean) for fill, clean in _FILLS),
            "You take one softmax over all T · S cells of a head, so the queries share one weight of 1. Each "
            "query has a weight of 1 of its own: leave the axes apart and take `dim=-1`.",
        ),
        Misconception(
            "mask-added-as-numbers",
            (
                lambda scores, allowed: torch.softmax(scores + allowed, dim=-1),
                lambda scores, allowed: torch.softmax(scores - (~allowed).float(), dim=-1),
                lambda scores, allowed: torch.softmax(scores + (~allowed), dim=-1),
            ),
            "You add the mask itself: True counts as 1, so scores move by 1 and nothing is forbidden. What "
            "can be added is a mask of 0 and very low numbers; with a boolean one, fill.",
        ),
        Misconception(
            "not-masked",
            (_soft(None),),
            _not_masked,
        ),
        Misconception(
            "log-softmax",
            tuple(
                lambda scores, allowed, fill=fill: torch.log_softmax(scores.masked_fill(~allowed, fill), -1)
                for fill in (_INFINITY, -1e9, torch.finfo(torch.float32).min)
            ),
            "These are the logarithms of the weights. log_softmax is made for losses; a weighted sum "
            "needs the weights themselves: softmax.",
        ),
        Misconception(
            "no-softmax",
            (
                lambda scores, allowed: scores.masked_fill(~allowed, _INFINITY),
                lambda scores, allowed: scores.masked_fill(~allowed, -1e9),
                lambda scores, allowed: scores.masked_fill(~allowed, 0.0),
            ),
            "The forbidden scores are out, and the softmax is still to come: these are scores. Weights "
            "are between 0 and 1, and each row with something allowed sums to 1.",
        ),
    ),
    insight="Low scores before the softmax, zeros after it: rows sum to 1, or to exactly 0.",
    view=View(Output("weights", ("B", "H", "T", "S")), _weights_or_gradient),
    advice=(
        (
            r"not allowed|Boolean value",
            "`not` is for one truth value; for a tensor of them write `~allowed`.",
        ),
        (
            r"shape of the mask",
            "Indexing with a mask does not broadcast; `masked_fill` and `torch.where` do.",
        ),
        (
            r"must match the size",
            "`allowed` is (B, 1, T, S): its axis of size 1 serves all heads, so it fits the scores as it is.",
        ),
    ),
)


# --- 04.leak: the mask is right, and the future still gets in --------------------------------------------


def leaky_attention(x, W_q, W_k, W_v):
    x = (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, correction=0, keepdim=True)  # to one size
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T  # (B, T, K)
    scores = q @ k.transpose(1, 2) / k.shape[-1] ** 0.5  # (B, T, T)
    future = torch.ones_like(scores[0]).triu(diagonal=1).bool()  # (T, T)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    return weights @ v  # (B, T, K)


def causal_attention(x, W_q, W_k, W_v):
    x = (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, correction=0, keepdim=True)  # each token alone
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T  # (B, T, K)
    scores = q @ k.transpose(1, 2) / k.shape[-1] ** 0.5  # (B, T, T)
    future = torch.ones_like(scores[0]).triu(diagonal=1).bool()  # (T, T)
    weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
    return weights @ v  # (B, T, K)


def _size_one(x, over, correction=0):
    return x / x.std(dim=over, correction=correction, keepdim=True)


def _normalised(x, mean_over, std_over, correction=0):
    std = x.std(dim=std_over, correction=correction, keepdim=True)
    return (x - x.mean(dim=mean_over, keepdim=True)) / std


def _repair(
    normalise: Callable[[torch.Tensor], torch.Tensor],
    *,
    diagonal: int = 1,
    late: bool = False,
    scaled: bool = True,
):
    """The function of 04.leak with other lines in the two places where repairs are tried."""

    def attend(x, W_q, W_k, W_v):
        x = normalise(x)
        q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
        scores = q @ k.transpose(1, 2) / (k.shape[-1] ** 0.5 if scaled else 1.0)
        future = torch.ones_like(scores[0]).triu(diagonal=diagonal).bool()
        if late:
            return torch.softmax(scores, dim=-1).masked_fill(future, 0.0) @ v
        return torch.softmax(scores.masked_fill(future, _INFINITY), dim=-1) @ v

    return attend


def _running(x):
    count = torch.arange(1, x.shape[1] + 1)[:, None]
    mean = x.cumsum(dim=1) / count
    square = (x * x).cumsum(dim=1) / count
    return (x - mean) / (square - mean * mean + 1e-5).sqrt()


def _leak(attend: Callable[..., torch.Tensor], args: tuple[torch.Tensor, ...]) -> float:
    """How much the first output of the first sentence depends on its last token: ‖∂o₀/∂x_last‖."""
    x, *matrices = args
    return leak_matrix(lambda sentence: attend(sentence[None], *matrices)[0], x[0])[0, -1].item()


def _growing(x, W_q, W_k, W_v):
    ends = range(1, x.shape[1] + 1)
    return torch.stack([leaky_attention(x[:, :end], W_q, W_k, W_v)[:, -1] for end in ends], dim=1)


def _leaking(name: str, ways: tuple[Callable[..., torch.Tensor], ...], sentence: str) -> Misconception:
    """A repair that leaks; its sentence says how much, and the number of the last token."""

    def measured(expected, got, args):
        way = next(way for way in ways if torch.allclose(way(*args), got, atol=1e-3, equal_nan=True))
        return sentence.format(leak=_leak(way, args), last=args[0].shape[1] - 1)

    return Misconception(name, ways, measured)


def _leak_cases() -> list[Case]:
    g = torch.Generator().manual_seed(406)

    def case(name: str, sizes: dict[str, int]) -> Case:
        B, T, D, K = (sizes[axis] for axis in ("B", "T", "D", "K"))
        x = 2 * _random(g, B, T, D) + _random(g, D)
        x[0, T - 1] = x[0, 0]  # a repeated word
        return Case(name, (x, *(_random(g, K, D) for _ in range(3))), sizes)

    plain = case("four different sizes", {"B": 2, "T": 5, "D": 4, "K": 3})
    square = case("all sizes equal", {"B": 4, "T": 4, "D": 4, "K": 4})
    return [plain, square, case("one long sentence", {"B": 1, "T": 9, "D": 6, "K": 2})]


LEAK = Exercise(
    id="04.leak",
    title="Debug a leak",
    minutes=12,
    difficulty=3,
    statement=(
        "`leaky_attention` brings its inputs to mean 0 and standard deviation 1, then attends with a "
        "causal mask. Its attention map is a perfect triangle, and yet its leak matrix is full: the future "
        "gets in. Find the line, and write the repaired `causal_attention(x, W_q, W_k, W_v)`. Each token is "
        "to be brought to mean 0 and standard deviation 1 over its own D features; all else stays as it is."
    ),
    inputs={"x": "B, T, D", "W_q": "K, D", "W_k": "K, D", "W_v": "K, D"},
    outputs=(Output("output", ("B", "T", "K")),),
    reference=causal_attention,
    cases=_leak_cases,
    hints=(
        "The mask guards one door. Go through the function line by line and ask: may position 0 learn "
        "something about position 4 here? A matrix on the features cannot tell it. A mean can, if it is "
        "taken along the wrong axis.",
        "x      = x - mean over the features, divided by the std over the features    (B, T, D)\n"
        "all other lines as in leaky_attention",
    ),
    misconceptions=(
        _leaking(
            "still-leaks",
            (leaky_attention,),
            "These are the numbers of the leaky function: output 0 still depends on token {last} "
            "(‖∂o/∂x‖ = {leak:.2f}, and it must be 0). The weights are right, so the future gets in before "
            "them. Where do positions meet without a mask? (A `detach()` hides a leak from the gradient; the "
            "numbers still have it.)",
        ),
        Misconception(
            "stricter-mask",
            (
                _repair(lambda x: _normalised(x, 1, 1), diagonal=0),
                _repair(lambda x: _normalised(x, -1, -1), diagonal=0),
            ),
            "You have closed the diagonal as well. The mask was right before; now the first row has "
            "nothing allowed and is NaN. Leave the mask, and look at what happens to `x` before it.",
        ),
        Misconception(
            "looser-mask",
            (
                _repair(lambda x: _normalised(x, -1, -1), diagonal=2),
                _repair(lambda x: _normalised(x, 1, 1), diagonal=2),
            ),
            "You have changed the mask: `triu(diagonal=2)` leaves the next token open, a new leak. The mask "
            "was right before, `diagonal=1`. Change the line that takes mean and std, and nothing else.",
        ),
        Misconception(
            "scaling-lost",
            (
                _repair(lambda x: _normalised(x, -1, -1), scaled=False),
                _repair(lambda x: _normalised(x, 1, 1), scaled=False),
            ),
            "The scores are no longer divided by √d_k. The scaling was right before: it keeps the softmax "
            "from becoming too sharp. Change the line that takes mean and std, and nothing else.",
        ),
        _leaking(
            "half-repaired",
            (
                _repair(lambda x: _normalised(x, -1, 1)),
                _repair(lambda x: _normalised(x, 1, -1)),
                _repair(lambda x: _size_one(x - x.mean(dim=-1, keepdim=True), 1)),
                _repair(lambda x: _size_one(x - x.mean(dim=1, keepdim=True), -1)),
            ),
            "Half of it: mean and std stand in one line, and one of the two still runs over the positions. "
            "Output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}, and it must be 0). Both must run over "
            "the features, `dim=-1`.",
        ),
        _leaking(
            "other-statistics",
            (
                _repair(lambda x: _normalised(x, 1, 1, correction=1)),
                _repair(lambda x: x - x.mean(dim=1, keepdim=True)),
                _repair(lambda x: _normalised(_normalised(x, 1, 1), -1, -1)),
                _repair(lambda x: _normalised(_normalised(x, -1, -1), 1, 1)),
            ),
            "The line is found, and a mean or a std over the positions is still in it: output 0 depends on "
            "token {last} (‖∂o/∂x‖ = {leak:.2f}, and it must be 0). Nothing before the mask may run over "
            "`dim=1`.",
        ),
        _leaking(
            "over-everything",
            (_repair(lambda x: _normalised(x, (1, 2), (1, 2))),),
            "You take mean and std over positions and features. The positions are still among them: "
            "output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}). Over the features alone, `dim=-1`.",
        ),
        _leaking(
            "batch-norm",
            (_repair(lambda x: _normalised(x, (0, 1), (0, 1))),),
            "You take mean and std over batch and positions, as batch norm does. So all positions of all "
            "sentences meet: output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}). Each token by itself: "
            "over its features, `dim=-1`.",
        ),
        Misconception(
            "over-the-batch",
            (_repair(lambda x: _normalised(x, 0, 0)),),
            "You take mean and std over the batch. The positions no longer meet, but the sentences do: "
            "what is computed for one depends on which others are in its batch, and a single sentence "
            "becomes 0/0. Over the features of each token, `dim=-1`.",
        ),
        Misconception(
            "normalisation-removed",
            (_repair(lambda x: x),),
            "The leak is gone, and with it the line that did it. It had a purpose: it keeps the scores in "
            "a range where the softmax can choose. Keep it, along an axis where no position meets "
            "another: each token over its own features.",
        ),
        Misconception(
            "running-statistics",
            (_repair(_running), _growing),
            "You use the mean and std of the positions so far. That does not leak. It is another function, "
            "though, and at position 0 the std is 0: there is one token, and nothing to compare it with. "
            "Each token is to be taken by itself, over its D features.",
        ),
        _leaking(
            "mask-moved-behind",
            (
                _repair(lambda x: _normalised(x, -1, -1), late=True),
                _repair(lambda x: _normalised(x, 1, 1), late=True),
            ),
            "You mask after the softmax: the weights of the future are 0, but its scores still stand in the "
            "denominator. Output 0 depends on token {last} (‖∂o/∂x‖ = {leak:.2f}). The mask was right where "
            "it was; look at the first line.",
        ),
        Misconception(
            "mean-or-std-left-out",
            (
                _repair(lambda x: x - x.mean(dim=-1, keepdim=True)),
                _repair(lambda x: _size_one(x, -1)),
            ),
            "No leak any more, and half of the line is lost: it takes the mean off and divides by the std. "
            "Both, over the features.",
        ),
        Misconception(
            "other-std",
            (_repair(lambda x: _normalised(x, -1, -1, correction=1)),),
            "No leak any more: the axis is right. Your std divides by D - 1, and the given one by D; the "
            "rest was to stay as it is: `correction=0`.",
        ),
    ),
    insight="A mask guards attention only. A mean over positions is a look at all of them.",
    tolerance=1e-4,
)

EXERCISES = (CAUSAL, PADDING, COMBINE, PREFIX, SOFTMAX, LEAK)


# --- predictions ------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        id="04.diagonal",
        prompt=(
            "A causal mask also blocks the diagonal: each token sees only what stands before it, not "
            "itself. The blocked scores are -∞. What are the weights of the first token?"
        ),
        options=(
            Option(
                "1 on itself: it is the only token it knows.",
                "It knows itself, and the mask does not ask what it knows. Its own cell is blocked too, so "
                "no cell of its row is left.",
            ),
            Option(
                "The same small weight on every token.",
                "That would be so if all scores were equal and finite. Here all are -∞: exp gives 0 "
                "everywhere, and there is no share to hand out.",
            ),
            Option(
                "NaN: its row has nothing allowed.",
                "All its scores are -∞, so the softmax is 0/0. The library of this course gives such a row "
                "weights of exactly 0 instead.",
            ),
            Option(
                "1 on the last token: the row wraps around.",
                "An index of -1 wraps around in Python; a comparison of positions does not. Nothing stands "
                "before the first token.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="04.after",
        prompt=(
            "Four tokens, all scores equal. The softmax is taken over all four, and afterwards the "
            "weights of the future are set to 0. What does the row of the first token sum to?"
        ),
        options=(
            Option(
                "0.25",
                "Each of the four got 0.25, and three of them are thrown away. The row of the last token "
                "sums to 1: the earlier a token, the less of its attention is left.",
            ),
            Option(
                "1: a softmax always sums to 1.",
                "It does when it comes out of the softmax. After that three quarters were set to 0, and "
                "nobody shared them out again.",
            ),
            Option(
                "0: everything is masked.",
                "The first token may look at itself, and that weight stays as it is.",
            ),
            Option(
                "0.75",
                "0.75 is what was thrown away: three weights of 0.25. What is left is its own.",
            ),
        ),
        right=0,
    ),
    Prediction(
        id="04.empty-row",
        prompt=(
            "Two queries, three keys. Query 0 sees keys 0 and 1; all scores of query 1 are -∞, so its "
            "weights are NaN. The output is `weights @ v`, and only row 0 of it goes into the loss. What "
            "becomes of the loss and of the gradient of v?"
        ),
        options=(
            Option(
                "Both are finite: row 1 is not in the loss.",
                "The loss is. But v serves both queries, and on the way back row 1 is there with a factor of "
                "0: 0 · NaN is NaN.",
            ),
            Option(
                "Both are NaN.",
                "Row 0 has no NaN in it, and the loss is made of row 0 alone: it is finite. That is why "
                "nobody notices in time.",
            ),
            Option(
                "The loss is finite; the gradient is NaN for key 2 only, which nobody sees.",
                "Query 1 has a weight of NaN on each key, not on key 2 alone. Each of them brings 0 · NaN "
                "into the gradient of its value.",
            ),
            Option(
                "The loss is finite; the whole gradient of v is NaN.",
                "The gradient of a value adds up over all queries: weight times what comes back. What comes "
                "back to row 1 is 0, and 0 · NaN is NaN. Leaving the row out of the loss does not help.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="04.too-good",
        prompt=(
            "A model learns to predict the next token. Its causal mask is off by one: each position also "
            "sees the position after it. What happens to the training loss?"
        ),
        options=(
            Option(
                "It stays high: the mask is wrong, so the model cannot learn.",
                "A wrong mask need not make learning harder. This one shows the model exactly what it is "
                "asked for.",
            ),
            Option(
                "It falls almost to 0, and so does the loss on held-out text.",
                "The answer stands in the input, so copying is enough. Held-out text has the same leak: it "
                "cannot give the error away. A loss that is too good is a reason to look at the mask.",
            ),
            Option(
                "It falls almost to 0, but the loss on held-out text shows the error.",
                "Held-out text goes through the same mask, so its answers stand in the input too. Copying "
                "works on any text.",
            ),
            Option(
                "About the same as with the right mask: one cell in a row is little.",
                "It is one cell, and it is the one that holds the answer.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="04.generation",
        prompt=(
            "The same model, trained with a mask that is off by one, now writes text on its own, one "
            "token after another. How good is the text?"
        ),
        options=(
            Option(
                "As good as its loss: nearly perfect.",
                "The loss measured copying. While it writes, the next token does not exist yet, so there "
                "is nothing to copy.",
            ),
            Option(
                "A little worse than with the right mask.",
                "It has not learned a weaker kind of prediction. It has learned another task, copying, and "
                "that task has vanished.",
            ),
            Option(
                "It stops with an error: the mask is too large for the text.",
                "At the last position the mask has no cell for the next token, so nothing fails. It is "
                "quiet, and that is the danger.",
            ),
            Option(
                "Broken: what it learned to copy is not there.",
                "At the last position there is no next token to look at. It has hardly learned anything "
                "else, because nothing else was needed.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="04.conventions",
        prompt=(
            "`allowed` is a causal mask, True = may attend. You pass it to `torch.nn.MultiheadAttention` as "
            "`attn_mask`, as it is. What does each token see?"
        ),
        options=(
            Option(
                "Only the tokens after it; the last token sees nothing.",
                "There, True = blocked: past and present are closed, the future is open, the exact opposite. "
                "No error is raised, because both masks are boolean and have the same shape.",
            ),
            Option(
                "The right ones: torch looks at the data type and knows.",
                "Both conventions use booleans, so there is nothing to know it by. "
                "`F.scaled_dot_product_attention` reads True the other way, in the same library.",
            ),
            Option(
                "Itself and the tokens after it.",
                "The future, yes: there, True = blocked. Its own cell is True in `allowed`, so it is blocked "
                "too.",
            ),
            Option(
                "Nothing: it raises an error.",
                "Shape and type fit, so nothing is noticed. This is why the course has one name, "
                "`allowed`, and converters.",
            ),
        ),
        right=0,
    ),
    Prediction(
        id="04.window",
        prompt=(
            "Each layer has a sliding window of 4: a token sees itself and the 3 tokens before it. With 3 "
            "such layers, how many positions back can the last output depend on?"
        ),
        options=(
            Option(
                "3: the window forbids more.",
                "In one layer. But the token 3 back has itself looked 3 further back in the layer before, "
                "and hands on what it found.",
            ),
            Option(
                "12",
                "3 × 4 counts the token itself in every layer. Each layer goes only 3 back.",
            ),
            Option(
                "9",
                "3 layers, 3 steps back in each. A small window reaches far in a deep model: that is why "
                "it is used.",
            ),
            Option(
                "27: it is 3 × 3 × 3.",
                "Layers add their reach, they do not multiply it: each one goes 3 further back.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="04.dropout",
        prompt=(
            "A row of weights is 0.5, 0.25, 0.25. In training, dropout with p = 0.5 comes after the "
            "softmax: it sets weights to 0 at random and doubles those that stay. What does the row sum "
            "to?"
        ),
        options=(
            Option(
                "Always 1: the doubling makes up for what is dropped.",
                "On average it does. In one step it need not: if one 0.25 alone stays, the row sums to "
                "2 × 0.25 = 0.5; if 0.5 and 0.25 stay, to 1.5.",
            ),
            Option(
                "It changes from step to step, between 0 and 2; on average 1.",
                "All three may be dropped (0) or kept (2). Rows that do not sum to 1 are no error in "
                "training mode; the course shows weights before dropout.",
            ),
            Option(
                "Always 0.5: half of it is dropped.",
                "On average half is dropped, and what stays is doubled, so the average is 1 again. In one "
                "step anything from 0 to 2 can be left.",
            ),
            Option(
                "1: the softmax shares the rest out again.",
                "The softmax is over before dropout begins; nobody shares anything out again.",
            ),
        ),
        right=1,
    ),
)


# --- questions that later chapters ask at the door --------------------------------------------------------

RECALL = (
    Recall(
        "When must a forbidden score be taken out, before or after the softmax, and what goes wrong "
        "otherwise?",
        "Before: it becomes -∞, so its weight is 0 and the others share the whole 1. If weights are set to 0 "
        "afterwards, the rows no longer sum to 1, and the forbidden scores still stand in the "
        "denominator.",
    ),
    Recall(
        "What does True mean in a mask of this course, and what in PyTorch?",
        "Here `allowed`: True = may attend. `F.scaled_dot_product_attention` reads it the same way; in "
        "`nn.MultiheadAttention` True = blocked.",
    ),
    Recall(
        "Does a causal mask allow a token to attend to itself?",
        "Yes: position t sees 0 … t. Its own token is known; what it must predict is the next one.",
    ),
    Recall(
        "A loss is far better than you expected. What do you check first?",
        "Whether the future leaks: change a later token, or take the gradient, and see whether an earlier "
        "output moves. It must be exactly 0.",
    ),
    Recall(
        "A query has no allowed key at all. What does a plain softmax give, and what does this course do?",
        "0/0, so NaN, and through the gradient it reaches every parameter. Our rule: the weights of that "
        "row are exactly 0.",
    ),
    Recall(
        "Is padding masked as a query or as a key, and why?",
        "As a key: nobody may look at it. What padding itself computes is read by nobody, and the loss "
        "leaves it out.",
    ),
)
