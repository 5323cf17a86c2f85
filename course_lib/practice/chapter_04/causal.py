"""04.causal: the queries are the last T of S positions."""

import torch

from course_lib.practice import ideas, slips
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, entries, lines, misconceptions, prose


def my_causal_mask(T, S):
    query = torch.arange(S - T, S)[:, None]  # (T, 1): the queries are the last T positions
    key = torch.arange(S)[None, :]  # (1, S)
    return key <= query  # (T, S)


def lower(T, S, diagonal):
    return torch.ones(T, S).tril(diagonal).bool()


def upper(T, S, diagonal):
    return torch.ones(T, S).triu(diagonal).bool()


def cells(where: torch.Tensor) -> str:
    """How many are True, with the verb: "1 cell is", "3 cells are"."""
    many = int(where.sum())
    return f"{many} cell{' is' if many == 1 else 's are'}"


def regions(T, S):
    ahead = torch.arange(S)[None, :] - torch.arange(S - T, S)[:, None]
    return {
        "each position, looking at itself": ahead == 0,
        "the positions before its own": ahead < 0,
        "the next position": ahead == 1,
        "the future behind that": ahead > 1,
    }


def yes_or_no(mask: torch.Tensor) -> bool:
    """True if the mask holds nothing but True and False, or 1 and 0."""
    return bool(((mask == 0) | (mask == 1)).all())


def measure(expected, got, args):
    T, S = args
    future, past = got.bool() & ~expected, (expected & ~got.bool()).nonzero().tolist()
    t, key = past[0] if past else (0, 0)
    last = int(got[0].nonzero().max()) if got.dim() == 2 and got[0].any() else None
    numbers = {
        "T": T,
        "S": S,
        "last": last,
        "first": S - T,
        "next": S - T + 1,
        "seen": int(future.sum()),
        "open": cells(future),
    }
    return {**numbers, "t": t, "place": S - T + t, "key": key}


def cases() -> list[Case]:
    return [
        Case("as many queries as keys", (4, 4), {"T": 4, "S": 4}),
        Case("three queries and five keys", (3, 5), {"T": 3, "S": 5}),
        Case("one query and six keys", (1, 6), {"T": 1, "S": 6}),
        Case("one query and one key", (1, 1), {"T": 1, "S": 1}),
    ]


def further() -> list[Case]:
    """All sizes up to 6."""
    return [Case(f"T = {T} and S = {S}", (T, S)) for S in range(1, 7) for T in range(1, S + 1)]


WORDS = """
diagonal-blocked
    The diagonal is blocked: query 0 stands at position {first} and may not attend to key {first}, which is
    itself. A position may always look at itself: nothing there is unknown. With the diagonal blocked, the
    first position of a sentence has no key at all. Use ≤, not <.
sees-the-next
    Off by one: query 0 stands at position {first} and may attend to key {next}, the next token. In all,
    {open} open that belong to the future. The next token is what the model must predict: in training it
    would copy the answer.
upper-triangle
    This is the upper triangle: each query sees itself and what comes after it, {seen} future cells here.
    Rows are queries and columns are keys, so the past of row t lies to the left of column t: tril, not
    triu.
top-left
    With T = S your mask is right; with fewer queries than keys it stands in the wrong corner. Your query 0
    sees key 0 alone, as if the queries were the first positions. They are the last T: query t stands at
    position t + S - T.
rows-reversed
    Your rows stand in reversed order: the first query sees the most and the last one the least. Row 0 belongs
    to the earliest query, which has the shortest past.
keys-as-rows
    Rows and columns are exchanged: your mask has S rows and T columns. A row belongs to a query and a column
    to a key, so that a mask lies on the scores: (T, S).
row-for-each-key
    Your mask has a row for each of the S positions. There are only T queries: keep the last T rows, `[-T:]`
    or `[S - T:]`.
keys-forgotten
    Your mask is T by T. The S - T earlier positions have keys as well, and every query may attend to them:
    these columns are missing on the left.
only-itself
    Only the diagonal is open: each query may look at itself and at nothing else. The past belongs to it as
    well: all keys with a position ≤ its own.
diagonal-the-wrong-way
    With T = S your mask is right; with more keys than queries its diagonal has moved the wrong way.
    `diagonal` counts to the right: the last query must reach the last key, so it is S - T, not T - S.
earlier-keys-on-the-right
    With T = S your mask is right; with more keys than queries the S - T earlier keys stand in your last
    columns. They are the first ones: put the open columns in front, and the triangle behind them.
fits-the-example-only
    Your mask fits the example, T = 2 and S = 5, and not every size: for T = {T} and S = {S} the last key that
    query 0 sees is {last}, and it should be {first}. Is a number of the example written into your code? Query
    t stands at position t + S - T.
future-open
    {open} open in which a query sees a later position. Compare the position of each key with the position
    of its query, S - T + t for query t: only keys up to it are allowed.
inverted-top-left
    Your mask is inverted: it is True on the future, where attention is blocked. In this course True = may
    attend.
past-closed
    Nothing of the future is open, and a part of the past is closed: query {t} stands at position {place}
    and may not attend to key {key}. All keys up to its own position are allowed, however far back.
"""

# The same slip, and the queries are taken for the first T positions: a sentence of its own, because what is
# said of T = S does not hold for the other inputs.
AS_IF_FIRST = {
    "diagonal-blocked": lambda T, S: lower(T, S, -1),
    "sees-the-next": lambda T, S: lower(T, S, 1),
    "upper-triangle": lambda T, S: upper(T, S, 0),
    "rows-reversed": lambda T, S: lower(T, S, 0).flip(0),
    "only-itself": lambda T, S: torch.eye(T, S).bool(),
    "mirrored": lambda T, S: lower(T, S, 0).flip(1),
    "inverted": lambda T, S: upper(T, S, 1),
}

WAYS = {
    "diagonal-blocked": lambda T, S: lower(T, S, S - T - 1),
    "sees-the-next": lambda T, S: lower(T, S, S - T + 1),
    "upper-triangle": lambda T, S: upper(T, S, S - T),
    "top-left": lambda T, S: lower(T, S, 0),
    "rows-reversed": lambda T, S: my_causal_mask(T, S).flip(0),
    "keys-as-rows": (lambda T, S: my_causal_mask(T, S).T, lambda T, S: lower(S, T, 0)),
    "row-for-each-key": lambda T, S: lower(S, S, 0),
    "keys-forgotten": lambda T, S: lower(T, T, 0),
    "only-itself": lambda T, S: my_causal_mask(T, S) & upper(T, S, S - T),
    "diagonal-the-wrong-way": lambda T, S: lower(T, S, T - S),
    "earlier-keys-on-the-right": lambda T, S: torch.cat([lower(T, T, 0), torch.ones(T, S - T).bool()], dim=1),
    "fits-the-example-only": (
        lambda T, S: lower(T, S, 3),
        lambda T, S: lower(T, S, T + 1),
        lambda T, S: lower(T, S, S - 2),
    ),
    "future-open": (lambda T, S: torch.ones(T, S).bool(), lambda T, S: lower(T, S, S - T + 2)),
    "past-closed": lambda T, S: my_causal_mask(T, S) & upper(T, S, S - T - 1),
}

MEASURES = dict.fromkeys(
    (
        "diagonal-blocked",
        "sees-the-next",
        "fits-the-example-only",
        "upper-triangle",
        "future-open",
        "past-closed",
    ),
    measure,
)

_TOLD = entries(WORDS) | {"mirrored": ideas.MIRRORED}
OFFSET_MISSING = """
    This holds for T = S. With fewer queries than keys there is a second slip: your rows stand as if the
    queries were the first positions. They are the last T: query t stands at position t + S - T.
"""
TOLD = {name: words for name, words in _TOLD.items() if name not in ("inverted-top-left", "mirrored")}
TOLD |= {
    f"{name}-top-left": f"{_TOLD.get(name, _TOLD['inverted-top-left'])} {prose(OFFSET_MISSING)}"
    for name in AS_IF_FIRST
}
WAYS |= {f"{name}-top-left": way for name, way in AS_IF_FIRST.items()}
MEASURES |= {f"{name}-top-left": measure for name in AS_IF_FIRST if name in MEASURES}

SIGNS = {
    "future-open": lambda expected, got, args: yes_or_no(got) and bool((got >= expected).all()),
    "past-closed": lambda expected, got, args: yes_or_no(got) and bool((got <= expected).all()),
}

SHARED = (
    *ideas.boolean_mask(
        my_causal_mask,
        what=", the whole future and nothing else",
        instead=": return the comparison itself",
    ),
    *ideas.squeezed(my_causal_mask),
)

CAUSAL = Exercise(
    id="04.causal",
    title="Causal mask",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `my_causal_mask(T, S)`. There are S positions with keys, and the queries are the last T of them.
        Each query may attend to its own position and to all positions before it. Return the boolean mask:
        True = may attend. For T = 2 and S = 5 its rows are `1 1 1 1 0` and `1 1 1 1 1`, with 1 for True.
    """),
    inputs={"T": "number of queries", "S": "number of keys, S ≥ T"},
    outputs=(Output("allowed", ("T", "S")),),
    reference=my_causal_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            At which position does query t stand, if the queries are the last T of S? Write down the row of
            allowed keys for T = 1 and S = 3: one new token, and two that came before it.
        """),
        lines("""
            query = the positions S - T … S - 1, as a column     (T, 1)
            key   = the positions 0 … S - 1, as a row            (1, S)
            return key ≤ query                                   (T, S)
        """),
    ),
    misconceptions=(
        *misconceptions(TOLD, WAYS, MEASURES, SIGNS),
        *SHARED,
        slips.parts_of_a_mask(
            regions,
            my_causal_mask,
            lambda T, S: f"T = {T} and S = {S}",
            lambda T, S: lower(T, S, S - T + 1) & ~lower(T, S, S - T - 2),
            lambda T, S: ~torch.eye(T, S).bool(),
        ),
    ),
    insight="With T = 1 every key is allowed: that is one step of a generator that keeps its old keys.",
    advice=advice(r"""
triu|tril
    torch.tril and torch.triu take a tensor, for example `torch.ones(T, S)`, and an optional `diagonal`.
"""),
)
