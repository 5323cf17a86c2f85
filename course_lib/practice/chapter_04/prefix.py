"""04.prefix: a prefix that all may see, causal over the rest."""

import torch

from course_lib.practice import ideas, slips
from course_lib.practice.chapter_04.causal import cells, lower, my_causal_mask
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_prefix_mask(T, n_prefix):
    query = torch.arange(T)[:, None]  # (T, 1)
    key = torch.arange(T)[None, :]  # (1, T)
    return (key <= query) | (key < n_prefix)  # (T, T)


def by(*rules):
    """Masks from rules on (query, key, n_prefix), written out to (T, T)."""

    def mask(rule):
        return lambda T, n: rule(torch.arange(T)[:, None], torch.arange(T)[None, :], n).expand(T, T)

    return tuple(map(mask, rules))


def regions(T, n_prefix):
    query, key = torch.arange(T)[:, None], torch.arange(T)[None, :]
    given, asked = query < n_prefix, key < n_prefix
    return {
        "the prefix, looking at itself": given & asked,
        "the prefix, looking at what comes after it": given & ~asked,
        "the positions after the prefix, looking at the prefix": ~given & asked,
        "each position after the prefix, looking at itself": ~given & (query == key),
        "the positions after the prefix, looking back at one another": ~given & ~asked & (key < query),
        "the positions after the prefix, looking at what comes later": ~given & (key > query),
    }


def measure(expected, got, args):
    seen = (got.bool() & ~expected)[: args[1]]
    return {"closed": cells(expected & ~got.bool()), "n": args[1], "seen": int(seen.sum())}


def moved_by(expected, got, args):
    return {"shift": int(got[0].sum()) - 1, "n": args[1]}


def cases() -> list[Case]:
    return [
        Case("a prefix of two in five", (5, 2), {"T": 5}),
        Case("a prefix of four in seven", (7, 4), {"T": 7}),
        Case("no prefix", (4, 0), {"T": 4}),
        Case("nothing but prefix", (3, 3), {"T": 3}),
        Case("one position", (1, 0), {"T": 1}),
    ]


def further() -> list[Case]:
    """All sizes up to 6."""
    return [Case(f"{n} of {T}", (T, n)) for T in range(1, 7) for n in range(T + 1)]


WORDS = """
prefix-causal
    Your prefix is causal as well: above the diagonal {closed} closed that should be open. All of the first
    {n} positions are given at once, so each of them may see all of them. That is the difference between a
    prefix mask and a causal one.
prefix-hidden
    The prefix sees itself, and the rest cannot see the prefix. An answer that may not look at its question is
    of no use: open the first n_prefix columns in every row.
prefix-block-alone
    Only the block of the prefix is open: it sees itself, and the positions after it see nothing at all. Two
    things are missing. Everybody sees the prefix, so its first n_prefix columns are open in every row; and
    what comes after it is causal.
prefix-sees-the-rest
    Your first {n} rows are open all along, so the prefix sees {seen} cells of the part that is still to be
    written; through it, later positions learn their own future. Open the first columns: everybody sees the
    prefix, and the prefix sees only itself.
prefix-sees-the-rest-alone
    Your first {n} rows are open all along, so the prefix sees {seen} cells of the part that is still to be
    written. And what comes after the prefix is not causal yet: a position there sees what is written before
    it, and itself. Open the first columns for everybody, and the past of each position.
rest-sees-everything
    The positions after the prefix see everything, their own future included. They are written word by word:
    for them the mask is causal.
prefix-one-too-long
    Off by one: your prefix has one position too many. Positions are counted from 0, so the prefix is 0 …
    n_prefix - 1, and position n_prefix is the first that must be predicted: `<`.
prefix-one-too-short
    Off by one: the last position of the prefix is closed to those before it. Positions are counted from 0, so
    the prefix is 0 … n_prefix - 1, all of it.
wrong-part-opened
    You open the columns of the wrong part: what you open for everybody are the last columns of the row, and
    there stands what must be predicted. The prefix is the beginning, 0 … n_prefix - 1.
diagonal-moved
    You move the diagonal by {shift} (n_prefix is {n}), so queries look that far ahead, also those after the
    prefix. The prefix is a block of columns: open those, and leave the diagonal.
rest-sees-the-next
    Off by one: each position sees the one after it, and that is what it must predict. Outside the prefix a
    query sees keys up to its own position.
rest-diagonal-blocked
    After the prefix the diagonal is blocked: a position may not look at itself. Its own token is known, so it
    may: `<=`, not `<`.
exclusive-or
    `^` is true where exactly one reason holds, so it closes the cells that lie in the past and in the prefix.
    Either reason is enough, and both are fine: `or` between numbers; between tensors `|`, with each
    comparison in brackets.
and-instead-of-or
    A key must be in the past and in the prefix: so nobody sees anything after the prefix, not even itself.
    Either reason is enough: `or` between numbers; between tensors `|`, with each comparison in brackets.
prefix-only
    Only the prefix is open. The positions after it may also look at what is already written, themselves
    included: a key is open if it is in the prefix or not in the future.
everything-open
    Everything is allowed, so the part that must be predicted sees its own future. Only the prefix is open to
    all.
minus-zero
    Your mask is right but for one size: {where}. Do you count from the end? There -0 is 0: `[-0:]` is the
    whole axis, and `[:-0]` is nothing. Count from the front: the prefix is `[:n_prefix]`, the rest
    `[n_prefix:]`.
transposed
    Transposed: your rows are keys and your columns are queries. The prefix then sees everything and the rest
    looks at its future. Rows are queries.
"""

WAYS = {
    "prefix-causal": by(lambda query, key, n: key <= query),
    "prefix-hidden": by(lambda query, key, n: ((query < n) & (key < n)) | ((key <= query) & (key >= n))),
    "prefix-block-alone": by(lambda query, key, n: (query < n) & (key < n)),
    "prefix-sees-the-rest": by(
        lambda query, key, n: (key <= query) | (query < n),
        lambda query, key, n: (key <= query) | (query < n) | (key < n),
    ),
    "prefix-sees-the-rest-alone": by(
        lambda query, key, n: (query < n) | (key < n),
        lambda query, key, n: query < n,
    ),
    "rest-sees-everything": by(
        lambda query, key, n: (key < n) | (query >= n),
        lambda query, key, n: (key <= query) | (query >= n),
    ),
    "prefix-one-too-long": by(lambda query, key, n: (key <= query) | (key <= n)),
    "prefix-one-too-short": by(lambda query, key, n: (key <= query) | (key < n - 1)),
    "wrong-part-opened": (
        *by(lambda query, key, n: (key <= query) | (key >= n)),
        lambda T, n_prefix: my_causal_mask(T, T) | (torch.arange(T) >= T - n_prefix),
        lambda T, n_prefix: my_causal_mask(T, T) | (torch.arange(T) >= (T - n_prefix) % T),
    ),
    "diagonal-moved": (
        lambda T, n_prefix: lower(T, T, n_prefix),
        lambda T, n_prefix: lower(T, T, n_prefix - 1),
    ),
    "rest-sees-the-next": by(lambda query, key, n: (key <= query + 1) | (key < n)),
    "rest-diagonal-blocked": by(lambda query, key, n: (key < query) | (key < n)),
    "exclusive-or": by(lambda query, key, n: (key <= query) ^ (key < n)),
    "and-instead-of-or": by(lambda query, key, n: (key <= query) & (key < n)),
    "prefix-only": by(lambda query, key, n: key < n),
    "everything-open": lambda T, n_prefix: torch.ones(T, T).bool(),
    "minus-zero": (
        lambda T, n: my_prefix_mask(T, n) if n < T else my_causal_mask(T, T),
        lambda T, n: my_prefix_mask(T, n) if n else torch.ones(T, T).bool(),
    ),
    "transposed": lambda T, n_prefix: my_prefix_mask(T, n_prefix).T,
}

MEASURES = {"prefix-causal": measure, "prefix-sees-the-rest": measure, "diagonal-moved": moved_by}
MEASURES["prefix-sees-the-rest-alone"] = measure
MEASURES["minus-zero"] = lambda expected, got, args: {
    "where": "where all is prefix it is causal" if args[1] else "without a prefix it opens everything"
}

PREFIX = Exercise(
    id="04.prefix",
    title="Prefix mask",
    minutes=9,
    difficulty=2,
    statement=prose("""
        Write `my_prefix_mask(T, n_prefix)`. The first n_prefix of T positions are given, for example a
        question: everybody may attend to all of them. The rest is written word by word: it is causal. Return
        the boolean mask (rows: queries, columns: keys), True = may attend.
    """),
    inputs={"T": "number of positions", "n_prefix": "length of the prefix, 0 … T"},
    outputs=(Output("allowed", ("T", "T")),),
    reference=my_prefix_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Begin with the causal mask. Which cells must be opened in addition: rows or columns, and which of
            them? Draw the 5 × 5 grid for a prefix of two.
        """),
        lines("""
            query = 0 … T - 1 as a column, key = 0 … T - 1 as a row
            return (key ≤ query) OR (key is in the prefix)        (T, T)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, MEASURES),
        *ideas.boolean_mask(my_prefix_mask),
        *ideas.squeezed(my_prefix_mask),
        slips.parts_of_a_mask(
            regions,
            my_prefix_mask,
            lambda T, n_prefix: f"T = {T} and n_prefix = {n_prefix}",
            *by(
                lambda query, key, n: ((query < n) & (key < n)) | ((key < query) & (key >= n)),
                lambda query, key, n: (key < query) | ((key <= n) & (query < n)),
            ),
        ),
    ),
    advice=advice(r"""
existing size \(0\)|size \(0\)|tensor b \(0\) with \[-\(?\w|:\s*-\(?\w
    Where nothing follows the prefix, an end such as `-(T - n_prefix)` is 0, and `[-0:]` is the whole axis.
    Count from the front: `[n_prefix:]`.
"""),
    insight="One mask, from GPT (n_prefix = 0) to BERT (n_prefix = T).",
)
