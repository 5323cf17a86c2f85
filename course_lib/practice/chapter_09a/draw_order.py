"""09a.draw-order: temperature, then top-k, then top-p."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.draw_order_ways import PAIRS, WAYS
from course_lib.practice.chapter_09a.draw_order_words import WORDS
from course_lib.practice.chapter_09a.top_p import clear
from course_lib.practice.chapter_09a.top_p import top_p as nucleus
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def chances(logits, temperature, k, p, top_p):
    cooled = logits / temperature  # (B, V)
    k = min(k, logits.shape[-1])
    smallest = cooled.topk(k).values[:, -1:]  # (B, 1): the smallest that stays
    among_k = cooled.masked_fill(cooled < smallest, -torch.inf)
    return top_p(torch.softmax(among_k, dim=-1), p)


def is_clear(logits: torch.Tensor, temperature: float, k: int, p: float) -> bool:
    """In each order in which somebody may filter, no two numbers are equal and no sum is near p."""
    for warmth in (temperature, 1.0, 1 / temperature):
        full = (logits / warmth).softmax(-1)
        some = full.sort(dim=-1, descending=True).values[:, : min(k, full.shape[-1])]
        if not clear(some, p) or not clear(some / some.sum(-1, keepdim=True), p):
            return False
    return True


def cases() -> list[Case]:
    g = seeded(908)

    def case(name: str, B: int, V: int, temperature: float, k: int, p: float, spread: float = 1.2) -> Case:
        for _ in range(20_000):
            logits = spread * random(g, B, V)
            if is_clear(logits, temperature, k, p):
                return Case(name, (logits, temperature, k, p, nucleus), {"B": B, "V": V})
        raise ValueError(f"no scores for {name!r}")

    turned = case("scores that are not contiguous", 2, 6, 1.5, 4, 0.7)
    low = case("scores far below 0", 2, 6, 1.2, 3, 0.8)
    return [
        case("temperature 0.7, k = 4, p = 0.9", 3, 8, 0.7, 4, 0.9),
        case("temperature 2, k = 5, p = 0.8", 2, 7, 2.0, 5, 0.8),
        case("temperature 0.5, k = 6, p = 0.95", 2, 9, 0.5, 6, 0.95, spread=0.8),
        case("a k that removes most", 3, 6, 1.6, 2, 0.75, spread=0.6),
        case("k = 1", 3, 5, 1.3, 1, 0.9),
        case("a k above V", 2, 4, 0.8, 50, 0.85, spread=0.8),
        case("a p that removes nearly all", 3, 6, 1.7, 5, 0.25, spread=0.8),
        case("temperature 1", 2, 6, 1.0, 4, 0.8),
        Case(low.name, (low.args[0] - 300, *low.args[1:]), low.sizes),
        case("one row", 1, 7, 1.8, 5, 0.85, spread=1.0),
        case("a vocabulary of one token", 2, 1, 0.6, 3, 0.5),
        Case(turned.name, (not_contiguous(turned.args[0]), *turned.args[1:]), turned.sizes),
    ]


DRAW_ORDER = Exercise(
    id="09a.draw-order",
    title="Temperature, top-k, top-p: in this order",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `chances(logits, temperature, k, p, top_p)`: the probabilities with which the next token will be
        drawn. `logits` (B, V) are a model's scores for V tokens, before the softmax; `temperature` is a
        number above 0, `k` a whole number of 1 or more, perhaps larger than V, and `p` a number above 0 and
        below 1. `top_p` is a function that is given: `top_p(probabilities, p)` takes a table (B, V) whose
        rows sum to 1 and returns it with only the likeliest tokens of each row left, as few as reach the sum
        p, the others 0 and each row divided by its sum.

        Apply all three, each to what the one before it has left. First temperature: the scores are divided by
        it. Then top-k: in each row the k tokens with the highest scores stay, all of them if there are no
        more than k, and the softmax is taken over those that stay. Then top-p, which counts with these
        probabilities. Return the table (B, V) that `top_p` gives then. Nothing is drawn. Scores may be
        of any size; no two of a row are equal, and no sum in question is within 0.001 of p.
    """),
    inputs={
        "logits": "B, V",
        "temperature": "a number",
        "k": "how many",
        "p": "a number",
        "top_p": "a function",
    },
    outputs=(Output("chances", ("B", "V"), rows_sum_to_one=True),),
    reference=chances,
    cases=cases,
    hints=(
        prose("""
            Temperature and top-k can be done on the scores, top-p needs probabilities. Which score does a
            token get that must have the probability 0? And where does the softmax stand, so that top-p sees
            what top-k has left?
        """),
        lines("""
            cooled   = logits divided by temperature                    (B, V)
            smallest = the k-th largest of each row (k at most V)       (B, 1)
            among_k  = cooled, -inf where it is below smallest          (B, V)
            return top_p of the softmax of among_k
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(chances)),
    pairs=PAIRS,
    insight=prose("""
        Temperature and top-k may change places: dividing keeps the order. Top-p may not: what counts as p
        depends on everything before it. So a library must say its order, and two libraries with the same
        three numbers can draw differently.
    """),
    forbidden=lambda *args: chances(*args) == 0,
    advice=advice(r"""
selected index k out of range
    k may be larger than V, and `topk` cannot give more than there is: `min(k, logits.shape[-1])`.
must match the size|broadcast
    The smallest score that stays is one number for each row, (B, 1): `topk(k).values[:, -1:]` keeps the axis.
Boolean value|ambiguous
    `if` and `while` want one truth value. Compare the whole table, and fill with `masked_fill`.
"""),
)
