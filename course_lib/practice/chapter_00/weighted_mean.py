"""00.weighted-mean: a weighted mean, the line that attention is."""

import torch

from course_lib.practice import ideas
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import lines, misconceptions, prose


def weighted_mean(values, weights):
    weights = weights / weights.sum()  # (S,) now they sum to 1
    return (weights * values).sum()  # one number


def cases() -> list[Case]:
    few = torch.tensor([10.0, 20.0, 60.0]), torch.tensor([3.0, 1.0, 0.0])
    more = torch.tensor([1.5, -2.0, 4.0, 0.5, -3.0]), torch.tensor([0.2, 1.0, 2.5, 0.4, 0.7])
    gap = torch.tensor([2.0, 50.0, 8.0, 4.0]), torch.tensor([1.0, 0.0, 3.0, 2.0])
    late = torch.tensor([5.0, 2.0, 50.0, 8.0]), torch.tensor([0.0, 1.0, 3.0, 2.0])
    return [
        Case("weights 3, 1, 0 and values 10, 20, 60", few, {"S": 3}),
        Case("five values, some of them negative", more, {"S": 5}),
        Case("the second of four weights is 0", gap, {"S": 4}),
        Case("the first of four weights is 0", late, {"S": 4}),
        Case("one value", (torch.tensor([7.0]), torch.tensor([0.25])), {"S": 1}),
    ]


def further() -> list[Case]:
    """Values of both signs, and weights that are whole numbers or not, some of them 0."""
    g = seeded(100)
    made = []
    for size in (1, 2, 4, 7):
        for whole in (False, True):
            weights = 3 * torch.rand(size, generator=g)
            weights = weights.round() if whole else weights.where(weights > 0.6, 0.0)
            weights[size // 2] += 1.0
            made.append(Case(f"{size} values", (4 * random(g, size), weights), {"S": size}))
    return made


def with_sum(mix):
    """The function with another sum over the values, which are numbers here."""
    return lambda values, weights: mix(weights / weights.sum(), values[:, None])[0]


def of_whole_weights(divisor_for_0):
    """Fractions of the weights are cut off; ``divisor_for_0``: what stands below if nothing is left."""

    def wrong(values, weights):
        whole = weights.floor()
        divisor = whole.sum() or divisor_for_0
        return (values * whole).sum() / divisor if divisor else torch.tensor(0.0) / divisor

    return wrong


WORDS = """
plain-mean
    This is the plain mean: every value counts the same, and `weights` has no effect. Multiply each value by
    its weight before you sum.
softmax
    These weights are not scores and need no softmax: divide each by their sum. A softmax gives even a weight
    of 0 a share.
not-normalised
    Your weights are not normalised: they sum to {sum:.3g}, so your answer is {times:.3g} times the right
    one. Divide by the sum of the weights: a mean must lie between the smallest and the largest value.
divided-by-count
    You divide by how many values there are. Divide by the sum of the weights: three values with weights 3, 1,
    0 count as four, not as three.
divided-by-count-above-0
    You divide by how many weights are above 0. Divide by the sum of the weights: a weight of 3 counts three
    times, not once.
sum-of-weights
    This is the sum of the weights alone; `values` has no effect. The sum of the weights is what you divide
    by, after you have summed weight times value.
roles-swapped
    The two roles are exchanged: you divide by the sum of the values. Weights say how much each value counts,
    so their sum is what the total is shared by.
fractions-cut-off
    Your weights lose what stands behind the point: 0.25 counts as 0, and 2.5 as 2. A weight need not be a
    whole number: multiply by it, and do not repeat the value.
wrong-order
    The pairs are in the wrong order: your first weight meets the last value. Weight number j belongs to value
    number j.
"""

WAYS = {
    "plain-mean": lambda values, weights: values.mean(),
    "softmax": lambda values, weights: (torch.softmax(weights, dim=0) * values).sum(),
    "not-normalised": lambda values, weights: (values * weights).sum(),
    "divided-by-count": lambda values, weights: (values * weights).mean(),
    "divided-by-count-above-0": lambda values, weights: (values * weights).sum() / (weights > 0).sum(),
    "sum-of-weights": lambda values, weights: weights.sum(),
    "roles-swapped": lambda values, weights: (values * weights).sum() / values.sum(),
    "fractions-cut-off": (of_whole_weights(None), of_whole_weights(1.0), of_whole_weights(0.0)),
    "wrong-order": lambda values, weights: (weights.flip(0) * values).sum() / weights.sum(),
}

MEASURES = {
    "not-normalised": lambda expected, got, args: {"sum": args[1].sum(), "times": (got / expected).item()},
}

WEIGHTED_MEAN = Exercise(
    id="00.weighted-mean",
    title="A weighted mean",
    minutes=5,
    difficulty=1,
    statement=prose("""
        Write `weighted_mean(values, weights)`. It returns one number: the mean of `values` in which each
        value counts as much as its weight says. Values 10 and 20 with weights 3 and 1 give 12.5. Here the
        weights need not sum to 1; none is negative, and at least one is above 0. The number may be a tensor
        without axes or a Python number.
    """),
    inputs={"values": "S", "weights": "S"},
    outputs=(Output("mean", ()),),
    reference=weighted_mean,
    cases=cases,
    further=further,
    hints=(
        prose("""
            With weights 3 and 1 the first value counts three times and the second once: (10 + 10 + 10 + 20) /
            4. What are the 3, the 1 and the 4 in your code?
        """),
        lines("""
            make the weights sum to 1: divide each by their sum
            multiply each value by its weight
            return the sum of the products
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS, MEASURES), *ideas.sum_in_a_loop(with_sum, value="value")),
    insight="Attention is this line: a weighted mean whose weights the model chooses itself.",
)
