"""02.soft-dict: output = Σⱼ softmax(kⱼ · q)ⱼ vⱼ."""

import torch
import torch.nn.functional as F

from course_lib.practice import ideas, parts
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def soft_lookup(query, keys, values):
    scores = keys @ query  # (S, K) @ (K,) -> (S,): how well each key fits
    weights = torch.softmax(scores, dim=0)  # (S,): shares that sum to 1
    return weights @ values  # (S,) @ (S, V) -> (V,)


def wrong(
    score=lambda query, keys: keys @ query, share=parts.to_keys, mix=lambda weights, values: weights @ values
):
    """A soft dictionary with other scores, other shares or another sum."""
    return lambda query, keys, values: mix(share(score(query, keys)), values)


def measure(expected, got, args):
    scores = args[1] @ args[0]
    best = torch.softmax(scores, dim=0).max()
    return {"best": best, "low": scores.min(), "high": scores.max(), "sum": scores.sum()}


def cases() -> list[Case]:
    g = seeded(201)

    def case(name: str, s: int, k: int, v: int) -> Case:
        keys = random(g, s, k)
        keys[s - 1] = keys[0]  # a key that stands twice, with another value
        return Case(name, (random(g, k), keys, random(g, s, v) + 0.5), {"S": s, "K": k, "V": v})

    square = case("as many keys as features", 4, 4, 4)
    other = case("tensors that are not contiguous", 6, 3, 5)
    query, keys, values = other.args
    turned = Case(other.name, (query, not_contiguous(keys), not_contiguous(values)), other.sizes)
    plain = case("three different sizes", 5, 3, 4)
    # whole numbers, exact in 32 bits: the scores are -120, 199, -200, 200 and 150
    long = torch.tensor([9.0, -4.0, 6.0, 3.0])
    keys = [[-6, 3, -8, -2], [11, -7, 9, 6], [-10, 5, -14, -2], [12, -8, 8, 4], [10, -6, 6, 0]]
    large = long, torch.tensor(keys).float(), random(g, 5, 3)
    low = long, torch.tensor(keys)[[0, 2]].float(), random(g, 2, 3)  # -120 and -200
    return [
        plain,
        square,
        turned,
        case("one key", 1, 3, 4),
        case("one feature", 4, 1, 3),
        case("values of one number", 5, 3, 1),
        Case("scores of ±200", large, {"S": 5, "K": 4, "V": 3}, large=True),
        Case("scores of -120 and -200", low, {"S": 2, "K": 4, "V": 3}, large=True),
    ]


def clamped(scores):
    """Any limit from 10 to 140 gives the same answers: of the scores here none lies between the two."""
    return torch.softmax(scores.clamp(-50.0, 50.0), dim=0)


def cut_off(expected, got, args):
    """The largest score, and the smallest one that counts as much."""
    scores = args[1] @ args[0]
    high = scores[scores > 50.0]
    if high.unique().numel() < 2:
        raise ValueError("on this input no two scores become alike")
    return {"lower": high.min(), "high": high.max()}


WORDS = """
hard-choice
    You return one value, that of the best key: this is a Python dict that forgives typing mistakes. Here
    the best key has a share of {best:.0%}, and the other keys have the rest. Let every value count with its
    share: argmax has no gradient, so a hard choice could not be learned.
no-softmax
    The softmax is missing: your shares are the scores themselves. Here they run from {low:.1f} to
    {high:.1f} and sum to {sum:.1f}, so what comes back can be far outside of all values. Shares are
    positive and sum to 1.
divided-by-sum
    You divide the scores by their sum. Scores can be negative, and their sum can be near 0, so these shares
    can be negative or huge. The softmax takes exp first: every share is positive.
made-positive
    You take the sign off the scores, with `abs` or `relu`, and divide by their sum. Then -5 counts as much as
    5, or no more than 0. The softmax takes exp first: every share is positive, and a larger score always gets
    a larger share.
clamped
    Your shares are those of scores that are cut off at a limit: keys whose scores lie above it look alike,
    and here scores of {lower:.0f} and {high:.0f} do. No limit is needed against overflow: take the largest
    score off, `scores - scores.max()`, as `torch.softmax` does by itself.
softmax-over-features
    You take a softmax while the features (K) are still there. A key is compared as a whole: first the dot
    product, which sums the features away, then one softmax over the S scores.
sign-reversed
    Your sign is reversed: the key that fits worst gets the largest share. A softmax gives most to the largest
    number. A dot product is large when a key fits; a distance is large when it does not.
distance
    You score by distance, and the nearest key gets most. That is a fair soft dictionary, and another one:
    attention scores with the dot product, `keys @ query`, which is one matrix product for all keys.
cosine
    You score by the cosine, so the lengths of query and keys have no effect and no score leaves -1 … 1. A dot
    product keeps the lengths: a longer query gets a sharper answer.
scaled-already
    You divide the scores by √K. This belongs to scaled attention, and the page comes to it soon. Here the
    score is the dot product itself.
softmax-last
    The softmax comes too late, after the values are mixed. It must turn the S scores into shares before they
    meet the values.
not-normalised
    Your shares are positive, and they do not sum to 1: each key is judged alone. In a softmax the keys
    compete, since exp of each score is divided by the sum over all keys.
log-softmax
    These are the logarithms of the shares. log_softmax is made for losses; a weighted sum needs the shares
    themselves: softmax.
exponentials-overflow
    exp overflows: the largest score here is {high:.0f}, and exp of a number above 89 is infinite in float32;
    ∞/∞ is NaN. Take the largest score off first, `scores - scores.max()`: no share changes by it.
    `torch.softmax` does this for you.
keys-transposed
    `query @ keys` sums over the keys (S), not over the features (K). It only runs where there are as many
    keys as features. Write `keys @ query`, or `query @ keys.T`: one score for each key.
"""

WAYS = {
    "hard-choice": wrong(share=parts.hardest),
    "no-softmax": wrong(share=lambda scores: scores),
    "divided-by-sum": wrong(share=lambda scores: scores / scores.sum()),
    "made-positive": tuple(
        wrong(share=lambda scores, positive=positive: positive(scores) / positive(scores).sum())
        for positive in (torch.abs, torch.relu)
    ),
    "clamped": (
        wrong(share=clamped),
        wrong(share=lambda scores: torch.softmax(scores.clamp(max=50.0), dim=0)),
    ),
    "softmax-over-features": (
        lambda query, keys, values: torch.softmax(keys, dim=-1) @ query @ values,
        lambda query, keys, values: torch.softmax(keys * query, dim=0).mean(dim=1) @ values,
        lambda query, keys, values: torch.softmax(keys * query, dim=0).sum(dim=1) @ values,
        wrong(score=lambda query, keys: keys @ torch.softmax(query, dim=0)),
        wrong(score=lambda query, keys: torch.softmax(keys, dim=-1) @ query),
    ),
    "sign-reversed": (
        wrong(score=lambda query, keys: -(keys @ query)),
        wrong(score=lambda query, keys: (keys - query).norm(dim=1)),
        wrong(score=lambda query, keys: ((keys - query) ** 2).sum(dim=1)),
    ),
    "distance": (
        wrong(score=lambda query, keys: -(keys - query).norm(dim=1)),
        wrong(score=lambda query, keys: -((keys - query) ** 2).sum(dim=1)),
    ),
    "cosine": wrong(score=lambda query, keys: F.cosine_similarity(keys, query[None], dim=1)),
    "scaled-already": wrong(score=lambda query, keys: keys @ query / len(query) ** 0.5),
    "softmax-last": lambda query, keys, values: torch.softmax(keys @ query @ values, dim=0),
    "not-normalised": (wrong(share=torch.exp), wrong(share=torch.sigmoid)),
    "log-softmax": wrong(share=lambda scores: torch.log_softmax(scores, dim=0)),
    "exponentials-overflow": wrong(share=parts.bare),
    "keys-transposed": wrong(score=lambda query, keys: query @ keys),
}

SHARED = (
    *ideas.weighted_sum(
        lambda mix: wrong(mix=mix),
        lambda query, keys, values: values,
        more={
            "plain-mean": (wrong(score=lambda query, keys: keys @ query * 0),),
            "plain-sum": (wrong(score=lambda query, keys: keys * query, mix=lambda w, v: w.sum(dim=1) @ v),),
        },
        leave=("hard-choice",),
        weights="weights",
        values="values",
        unused="the query has",
        mean=" The shares must come from the scores.",
        sum=" A softmax must run over the S keys: along any other axis each key gets a 1 of its own.",
        twice=": the dictionary goes deaf",
    ),
    *ideas.roles(
        on_keys=lambda query, keys, values: soft_lookup(query, keys, keys),
        values_compared=lambda query, keys, values: soft_lookup(query, values, values),
        query="query",
        weights="weights",
        values="values",
    ),
)

SOFT_DICT = Exercise(
    id="02.soft-dict",
    title="A soft dictionary",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `soft_lookup(query, keys, values)`. A Python dict compares a key with yes or no; this one
        compares with a dot product. Score each of the S keys against the query, turn the scores into shares
        that sum to 1 with a softmax, and return the sum of the values, each times its share. Scores may be as
        large as ±200.
    """),
    inputs={"query": "K", "keys": "S, K", "values": "S, V"},
    outputs=(Output("output", ("V",)),),
    reference=soft_lookup,
    cases=cases,
    hints=(
        prose("""
            Three steps: compare, share out, mix. Which axis of `keys` disappears when each key is compared
            with the query? And which axis of `values` disappears when the values are mixed?
        """),
        lines("""
            scores  = keys times query              (S, K) times (K,) gives (S,)
            weights = softmax of scores             (S,)
            return weights times values             (S,) times (S, V) gives (V,)
        """),
    ),
    misconceptions=(
        *misconceptions(
            WORDS,
            WAYS,
            dict.fromkeys(("hard-choice", "no-softmax", "exponentials-overflow"), measure)
            | {"clamped": cut_off},
        ),
        *SHARED,
        *ideas.squeezed(soft_lookup),
    ),
    insight="A dict returns one value; attention returns a mixture of all values, and it can be trained.",
    advice=advice(r"""
query\s*@\s*keys(?!\.)
    `query @ keys` wants to sum over the keys. Each key is a row of `keys`, so its score is in `keys @ query`.
values\s*@|weights\s*\*\s*values|must match the size
    The shares (S,) must meet the S rows of `values`: `weights @ values` multiplies and sums.
Dimension out of range
    There is one query and no batch: the scores have one axis, so their softmax is over `dim=0` (or `dim=-1`).
"""),
)
