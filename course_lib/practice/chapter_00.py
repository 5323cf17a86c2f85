"""Practice of chapter 00: one small exercise and one prediction, to show how a page works."""

from __future__ import annotations

import torch

from course_lib.practice.kinds import Case, Exercise, Misconception, Option, Output, Prediction, Recall

TITLE = "Start here"


# --- 00.weighted-mean -------------------------------------------------------------------------------------


def weighted_mean(values, weights):
    weights = weights / weights.sum()  # (S,) now they sum to 1
    return (weights * values).sum()  # one number


def _weighted_mean_cases() -> list[Case]:
    return [
        Case(
            "weights 3, 1, 0 and values 10, 20, 60",
            (torch.tensor([10.0, 20.0, 60.0]), torch.tensor([3.0, 1.0, 0.0])),
            {"S": 3},
        ),
        Case(
            "five values, some of them negative",
            (torch.tensor([1.5, -2.0, 4.0, 0.5, -3.0]), torch.tensor([0.2, 1.0, 2.5, 0.4, 0.7])),
            {"S": 5},
        ),
    ]


def _not_normalised(expected, got, args):
    return (
        f"Your weights are not normalised: they sum to {args[1].sum():.3g}, so your answer is "
        f"{(got / expected).item():.3g} times the right one. Divide by the sum of the weights: a mean "
        "must lie between the smallest and the largest value."
    )


def _softmax_of_weights(values, weights):
    return (torch.softmax(weights, dim=0) * values).sum()


WEIGHTED_MEAN = Exercise(
    id="00.weighted-mean",
    title="A weighted mean",
    minutes=3,
    difficulty=1,
    statement=(
        "Write `weighted_mean(values, weights)`. It returns the mean of `values` in which each value "
        "counts as much as its weight says: values 10 and 20 with weights 3 and 1 give 12.5. The weights "
        "are not negative, and they need not sum to 1."
    ),
    inputs={"values": "S", "weights": "S"},
    outputs=(Output("mean", ()),),
    reference=weighted_mean,
    cases=_weighted_mean_cases,
    hints=(
        "With weights 3 and 1 the first value counts three times and the second once: (10 + 10 + 10 + "
        "20) / 4. What are the 3, the 1 and the 4 in your code?",
        "make the weights sum to 1: divide each by their sum\n"
        "multiply each value by its weight\n"
        "return the sum of the products",
    ),
    misconceptions=(
        Misconception(
            "plain-mean",
            (lambda values, weights: values.mean(),),
            "This is the plain mean: every value counts the same, and `weights` has no effect. Multiply "
            "each value by its weight before you sum.",
        ),
        Misconception(
            "softmax",
            (_softmax_of_weights,),
            "These weights are not scores and need no softmax: divide each by their sum. A softmax gives "
            "even a weight of 0 a share.",
        ),
        Misconception(
            "not-normalised",
            (lambda values, weights: (values * weights).sum(),),
            _not_normalised,
        ),
        Misconception(
            "divided-by-count",
            (lambda values, weights: (values * weights).mean(),),
            "You divide by how many values there are. Divide by the sum of the weights: three values "
            "with weights 3, 1, 0 count as four, not as three.",
        ),
        Misconception(
            "sum-of-weights",
            (lambda values, weights: weights.sum(),),
            "This is the sum of the weights alone; `values` has no effect. The sum of the weights is "
            "what you divide by, after you have summed weight times value.",
        ),
        Misconception(
            "roles-swapped",
            (lambda values, weights: (values * weights).sum() / values.sum(),),
            "The two roles are exchanged: you divide by the sum of the values. Weights say how much each "
            "value counts, so their sum is what the total is shared by.",
        ),
        Misconception(
            "wrong-order",
            (lambda values, weights: (weights.flip(0) * values).sum() / weights.sum(),),
            "The pairs are in the wrong order: your first weight meets the last value. Weight number j "
            "belongs to value number j.",
        ),
    ),
    insight="Attention is this line: a weighted mean whose weights the model chooses itself.",
)

EXERCISES = (WEIGHTED_MEAN,)

PREDICTIONS = (
    Prediction(
        id="00.weighted-mean",
        prompt="Two values, 10 and 20, have the weights 0.9 and 0.1. What is their weighted mean?",
        options=(
            Option("11", "0.9 · 10 + 0.1 · 20 = 9 + 2 = 11: near the value with the large weight."),
            Option("15", "15 is the plain mean: it would be right if both weights were 0.5."),
            Option("19", "19 is the mean with the weights exchanged: here the large weight belongs to 10."),
            Option("30", "30 is the sum. A mean always lies between the smallest and the largest value."),
        ),
        right=0,
    ),
)

# What the course takes for granted; chapter 01 asks it at its door.
RECALL = (
    Recall(
        "A tensor `x` has shape (B, S, D) and a matrix `W` has shape (A, D). What is the shape of `x @ W.T`?",
        "(B, S, A). The last axis of `x` is multiplied away with the last axis of `W`; the other axes stay.",
    ),
    Recall(
        "What does a softmax over a row of numbers give?",
        "As many numbers, all between 0 and 1, that sum to 1. The largest number gets the largest share, "
        "and adding the same amount to all of them changes nothing.",
    ),
    Recall(
        "What does a recurrent network such as a GRU keep between two words?",
        "Its hidden state: one vector of fixed length. From the old state and the next word it computes "
        "the new state.",
    ),
)
