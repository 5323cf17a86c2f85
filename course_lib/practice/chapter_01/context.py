"""01.context: cᵢ = Σⱼ αᵢⱼ hⱼ."""

from course_lib.practice import ideas, parts
from course_lib.practice.chapter_01.weights import attention_weights
from course_lib.practice.inputs import padded, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def context_vectors(weights, h):
    return weights @ h  # (B, T, S) @ (B, S, D_h) -> (B, T, D_h): S is summed away


def cases() -> list[Case]:
    g = seeded(103)

    def weights(t: int, lengths: tuple[int, ...]):
        return attention_weights(2 * random(g, len(lengths), t, max(lengths)), padded(*lengths))

    states = random(g, 3, 5, 6) + 0.5
    states[1, 2] = states[1, 0]  # a repeated word
    plain = weights(4, (5, 5, 3)), states
    square = weights(4, (4, 4)), random(g, 2, 4, 3) + 0.5
    turned = weights(3, (5, 2)), (random(g, 2, 6, 5) + 0.5).transpose(1, 2)
    return [
        Case("four different sizes and a padded sentence", plain, {"B": 3, "T": 4, "S": 5, "D_h": 6}),
        Case("as many target words as source words", square, {"B": 2, "T": 4, "S": 4, "D_h": 3}),
        Case("encoder states that are not contiguous", turned, {"B": 2, "T": 3, "S": 5, "D_h": 6}),
        Case("one sentence", (weights(3, (4,)), random(g, 1, 4, 5)), {"B": 1, "T": 3, "S": 4, "D_h": 5}),
        Case("one target word", (weights(1, (5, 2)), random(g, 2, 5, 3)), {"B": 2, "T": 1, "S": 5, "D_h": 3}),
        Case("one source word", (weights(2, (1, 1)), random(g, 2, 1, 3)), {"B": 2, "T": 2, "S": 1, "D_h": 3}),
        Case("one feature", (weights(3, (4, 2)), random(g, 2, 4, 1)), {"B": 2, "T": 3, "S": 4, "D_h": 1}),
        Case("long texts", (weights(12, (9, 8)), random(g, 2, 9, 5)), {"B": 2, "T": 12, "S": 9, "D_h": 5}),
    ]


WORDS = """
queries-and-keys-swapped
    Target and source words have changed places: `weights` is transposed. Row i belongs to target word i and
    runs over the source words. It only runs where T = S, so the shapes do not always warn you.
summed-over-targets
    You sum over the target words (T). The mixture is made of source words, so S is the axis to sum away: one
    vector is left for each target word.
sentences-added
    You add up the encoder states of all sentences, and every sentence gets its mixture of these sums. Each
    sentence has its own states: with `einsum`, both must have the same letter for the batch, `bts,bsd->btd`.
contexts-added
    You sum over the batch (axis B), so the contexts of all sentences are added up. Each sentence has its own.
    With `einsum`, a letter that does not stand behind the arrow is summed away: keep the b,
    `bts,bsd->btd`.
read-anew
    You turn `weights` or `h` round with `reshape` or `view`. Neither moves a number: both read on in memory,
    so no axes change places. `weights` (B, T, S) fits `h` (B, S, D_h) as it is, `weights @ h`; where axes
    must change places, `.transpose(1, 2)` does it.
features-before-targets
    The numbers are right and two axes are exchanged: you return (B, D_h, T). Each target word gets a row:
    (B, T, D_h).
"""


def read(x):
    """The last two axes exchanged as ``reshape`` does it: (B, S, T) of (B, T, S), no number moved."""
    return x.reshape(len(x), x.shape[2], x.shape[1])


WAYS = {
    "queries-and-keys-swapped": lambda weights, h: weights.transpose(1, 2) @ h,
    "summed-over-targets": lambda weights, h: parts.products(weights, h).sum(dim=1),
    "sentences-added": lambda weights, h: weights @ h.sum(dim=0),
    "contexts-added": (
        lambda weights, h: (weights @ h).sum(dim=0),
        lambda weights, h: (weights @ h).sum(dim=0).expand(len(h), -1, -1),
    ),
    "read-anew": (
        lambda weights, h: read(weights).transpose(1, 2) @ h,
        lambda weights, h: weights @ read(h).transpose(1, 2),
        lambda weights, h: read(weights).transpose(1, 2) @ read(h).transpose(1, 2),
        lambda weights, h: (read(h) @ read(weights)).reshape(context_vectors(weights, h).shape),
        lambda weights, h: (read(h) @ weights.mT).reshape(context_vectors(weights, h).shape),
        lambda weights, h: (h.mT @ read(weights)).reshape(context_vectors(weights, h).shape),
    ),
    "features-before-targets": lambda weights, h: (weights @ h).transpose(1, 2),
}

SHARED = (
    *ideas.weighted_sum(
        lambda mix: lambda weights, h: mix(weights, h),
        lambda weights, h: h,
        query="target word",
        value="encoder state",
        weights="weights",
        values="h",
        unused="`weights` has",
        mean=" That is the bottleneck again.",
        twice=", and padding gets a share",
    ),
    *ideas.rows_in_a_loop(lambda mix: lambda weights, h: mix(weights, h), "target word"),
    *ideas.view_for_transpose(
        "view-without-transpose",
        "Your numbers are right, and they stand at wrong places: they came as (B, D_h, T), and `view` or "
        "`reshape` read them into (B, T, D_h).",
        "`.transpose(1, 2)` does.",
        lambda weights, h: (weights @ h).transpose(1, 2).reshape(len(h), -1, h.shape[2]),
    ),
    *ideas.squeezed(context_vectors),
)

CONTEXT = Exercise(
    id="01.context",
    title="Context vectors",
    minutes=5,
    difficulty=1,
    statement=prose("""
        Write `context_vectors(weights, h)`. For each target word, return the weighted sum of the encoder
        states: cᵢ = Σⱼ αᵢⱼ hⱼ. Row i of `weights` belongs to target word i.
    """),
    inputs={"weights": "B, T, S", "h": "B, S, D_h"},
    outputs=(Output("context", ("B", "T", "D_h")),),
    reference=context_vectors,
    cases=cases,
    hints=(
        prose("""
            Write one context vector with a pencil: three weights, three vectors. Which axis is summed away,
            and where does it stand in `weights` and in `h`?
        """),
        lines("""
            for each target word i:
                context i = sum over source words j of weight i,j times h j
            S is the last axis of weights and the middle axis of h:
            one matrix product does it for all sentences at once
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *SHARED),
    insight=prose("""
        Attention in one line: a weighted sum of what is relevant, one mixture for each target word.
    """),
    advice=advice(r"""
weights\s*\*\s*h
    `*` multiplies cell by cell. `@` multiplies and sums over the source words: it stands for both, `weights @
    h`.
"""),
)
