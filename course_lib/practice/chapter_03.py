"""Practice of chapter 03, multi-head attention: four exercises, six predictions, and what chapter 04 recalls.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. Source: Vaswani et al. 2017, section 3.2.2.
"""

from __future__ import annotations

import torch

from course_lib.practice.kinds import Case, Exercise, Misconception, Option, Output, Prediction, Recall

TITLE = "Multi-head attention"


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


# --- 03.split: (B, T, D) -> (B, H, T, K) ------------------------------------------------------------------


def split_heads(x, n_heads):
    b, t, d = x.shape
    x = x.reshape(b, t, n_heads, d // n_heads)  # (B, T, H, K): cut each word's features into H pieces
    return x.transpose(1, 2)  # (B, H, T, K)


def _split_cases() -> list[Case]:
    g = torch.Generator().manual_seed(301)
    return [Case("five different sizes", (_random(g, 2, 5, 12), 3), {"B": 2, "T": 5, "D": 12, "H": 3, "K": 4})]


SPLIT = Exercise(
    id="03.split",
    title="Split into heads",
    minutes=8,
    difficulty=2,
    statement=(
        "Write `split_heads(x, n_heads)`. Cut the D features of each word into H pieces of K = D / H "
        "features: head 0 gets the first K features of every word, head 1 the next K, and so on. Return "
        "the pieces as (B, H, T, K)."
    ),
    inputs={"x": "B, T, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("heads", ("B", "H", "T", "K")),),
    reference=split_heads,
    cases=_split_cases,
    hints=("", ""),
    misconceptions=(),
    insight="Cut the features, then move the axis: no number is changed, each head sees every word.",
)


# --- 03.merge: (B, H, T, K) -> (B, T, D) ------------------------------------------------------------------


def merge_heads(x):
    b, h, t, k = x.shape
    return x.transpose(1, 2).reshape(b, t, h * k)  # (B, T, H, K) -> (B, T, D)


def _merge_cases() -> list[Case]:
    g = torch.Generator().manual_seed(302)
    return [Case("five different sizes", (_random(g, 2, 3, 5, 4),), {"B": 2, "T": 5, "D": 12, "H": 3, "K": 4})]


MERGE = Exercise(
    id="03.merge",
    title="Merge the heads",
    minutes=6,
    difficulty=2,
    statement=(
        "Write `merge_heads(x)`, the way back: put the H heads of each word side by side, head 0 first, "
        "so that (B, H, T, K) becomes (B, T, D) with D = H · K. Merging what was split gives the input back."
    ),
    inputs={"x": "B, H, T, K"},
    outputs=(Output("merged", ("B", "T", "D")),),
    reference=merge_heads,
    cases=_merge_cases,
    hints=("", ""),
    misconceptions=(),
    insight="Concatenating the heads is the split backwards: transpose first, then join H and K.",
)


# --- 03.layer: the whole multi-head layer -----------------------------------------------------------------


def multi_head_attention(x_q, x_kv, params, n_heads, allowed):
    def project(x, name):
        y = x @ params["W_" + name].T + params["b_" + name]  # (B, positions, D)
        return y.unflatten(-1, (n_heads, -1)).transpose(1, 2)  # (B, H, positions, K)

    q, k, v = project(x_q, "q"), project(x_kv, "k"), project(x_kv, "v")
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, S)
    weights = torch.softmax(scores.masked_fill(~allowed, float("-inf")), dim=-1)
    heads = weights @ v  # (B, H, T, K)
    merged = heads.transpose(1, 2).flatten(2)  # (B, T, D)
    return merged @ params["W_o"].T + params["b_o"]


def _layer_cases() -> list[Case]:
    g = torch.Generator().manual_seed(303)
    params = {"W_" + n: _random(g, 12, 12) / 3 for n in "qkvo"} | {"b_" + n: _random(g, 12) for n in "qkvo"}
    args = (_random(g, 2, 4, 12), _random(g, 2, 5, 12), params, 3, torch.ones(2, 3, 4, 5, dtype=torch.bool))
    return [Case("six different sizes", args, {"B": 2, "T": 4, "S": 5, "D": 12, "H": 3})]


LAYER = Exercise(
    id="03.layer",
    title="The whole layer",
    minutes=15,
    difficulty=3,
    statement=(
        "Write `multi_head_attention(x_q, x_kv, params, n_heads, allowed)`, the whole layer. Project `x_q` "
        "to queries and `x_kv` to keys and values, split them into heads, attend in every head with "
        "√d_k of one head, merge the heads, and project with W_o.\n\n"
        '`params` is a dict: `params["W_q"]` has shape (D, D) and is used as `x @ W_q.T + b_q`; so are '
        "k, v and o. `allowed` holds a mask for each head."
    ),
    inputs={
        "x_q": "B, T, D",
        "x_kv": "B, S, D",
        "params": 'a dict of "W_q", "b_q", "W_k", "b_k", "W_v", "b_v", "W_o", "b_o"',
        "n_heads": "the number of heads, H",
        "allowed": "B, H, T, S",
    },
    outputs=(Output("output", ("B", "T", "D")),),
    reference=multi_head_attention,
    cases=_layer_cases,
    hints=("", ""),
    misconceptions=(),
    insight="Four projections and one attention: the heads are an axis, and no loop is needed.",
    tolerance=1e-4,
)


# --- 03.count: how many parameters? -----------------------------------------------------------------------


def count_parameters(d_model, n_heads):
    matrix = d_model * d_model  # W_q holds the matrices of all heads, one below the other
    return 4 * (matrix + d_model)  # q, k, v and o, each with its bias


def _count_cases() -> list[Case]:
    return [Case("8 heads on 64 features", (64, 8)), Case("one head on 6 features", (6, 1))]


COUNT = Exercise(
    id="03.count",
    title="Count the parameters",
    minutes=5,
    difficulty=1,
    statement=(
        "Write `count_parameters(d_model, n_heads)`: the number of trained numbers in one multi-head "
        "layer. Each head has d_k = d_v = d_model / n_heads features. W_q, W_k, W_v and W_o each have a bias."
    ),
    inputs={"d_model": "the number of features, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("count"),),
    reference=count_parameters,
    cases=_count_cases,
    hints=("", ""),
    misconceptions=(),
    insight="More heads cost no parameter: they share the same d_model features among themselves.",
)

EXERCISES = (SPLIT, MERGE, LAYER, COUNT)


# --- predictions ------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        id="03.two-lookups",
        prompt=(
            "Each word must fetch two things from two different places of the sentence. A layer with one "
            "head is trained to do it. What does its row of weights look like at the end?"
        ),
        options=(
            Option(
                "One dark cell for the first place, then one for the second: it looks twice.",
                "A head looks once: it has one row of weights for each word, and the row sums to 1. A second "
                "look needs a second row.",
            ),
            Option(
                "It divides itself between the two places, and what comes back is a mixture of both.",
                "One row can be shared out, and then the two values arrive added up. The sum does not say "
                "which of them came from which place.",
            ),
            Option(
                "Even over all words: it gives up.",
                "Even weights would be worse than half and half, and training finds the better of the two. "
                "What it cannot find is a way to keep the two answers apart.",
            ),
            Option(
                "As a head's row always looks: the values can be made wide enough for both.",
                "A wide value vector can carry much about one place. But both places pass through the same "
                "W_V and are added up, so the width does not tell which is which.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="03.view",
        prompt=(
            "A sentence of 4 words has 6 features for each word. You want 2 heads of 3 features, and write "
            "`x.view(1, 2, 4, 3)` on the tensor of shape (1, 4, 6), with no transpose. What does the first "
            "head hold?"
        ),
        options=(
            Option(
                "The first three features of all four words.",
                "So it should be. But `view` moves no number: it reads on in memory, where the six features "
                "of the first word stand side by side.",
            ),
            Option(
                "An error is raised: (4, 6) is no (2, 4, 3).",
                "Both hold 24 numbers, and that is all that `view` asks for. It cannot know which axis you "
                "meant.",
            ),
            Option(
                "Every second feature of all four words.",
                "That is what you get when features are cut as (K, H) and not as (H, K). `view` alone reads "
                "the memory in order, word after word.",
            ),
            Option(
                "All six features of the first two words.",
                "The first head takes the first 12 numbers in memory: two whole words, each broken into two "
                "rows. It never sees the other two words, and no error warns you.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="03.cost",
        prompt=(
            "A layer has 64 features and one head. You give it 8 heads of 8 features each. What happens to "
            "the number of parameters?"
        ),
        options=(
            Option(
                "It stays the same.",
                "Each head has matrices of 8 × 64, and 8 of them below each other make 64 × 64, as before. "
                "W_O is 64 × 64 in both cases.",
            ),
            Option(
                "It becomes 8 times as large.",
                "It would, if each head kept all 64 features. The heads share them: 8 features for each.",
            ),
            Option(
                "It becomes an eighth.",
                "One head's matrices are an eighth as large, yes. There are 8 heads.",
            ),
            Option(
                "It grows a little: W_O is needed only when there are several heads.",
                "The layer has W_O with one head too, with 64 × 64 numbers in both cases.",
            ),
        ),
        right=0,
    ),
    Prediction(
        id="03.too-many",
        prompt=(
            "A layer has 32 features. You give it 32 heads, so each head has one feature: d_k = 1. What can "
            "one head still do?"
        ),
        options=(
            Option(
                "As much as before: a head is a head.",
                "A head compares vectors of d_k numbers. With 32 numbers a query can point in many "
                "directions; with one number there are two: up and down.",
            ),
            Option(
                "Nothing: with one number there is no dot product.",
                "There is: the product of two numbers. It orders the keys, only in a very poor way.",
            ),
            Option(
                "Prefer the keys with the largest number, or those with the smallest; nothing in between.",
                "The score is q·k with two single numbers. If q is positive the largest k wins, if negative "
                "the smallest. No query can ask for a key in the middle, so heads must not be too small.",
            ),
            Option(
                "Look at exactly one word, because it has one feature.",
                "How many words a head looks at is decided by its scores and the softmax, and not by the "
                "number of features.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="03.remove",
        prompt=(
            "A layer with several heads has learned two look-ups. You remove one head after the other, each "
            "time with all others in place. What breaks?"
        ),
        options=(
            Option(
                "Everything, whichever head you take: W_O has mixed them all.",
                "W_O adds up what the heads bring, each through columns of its own. What the others bring "
                "still arrives.",
            ),
            Option(
                "It depends on the head: some carry one of the look-ups, others hardly matter.",
                "Heads specialise, and not evenly. The picture shows which head carries which look-up, and "
                "that some can go with hardly a trace.",
            ),
            Option(
                "Nothing: the other heads take over.",
                "They could, after more training. Here nothing is trained again: what only this head looked "
                "up is gone.",
            ),
            Option(
                "Each time a little, and the same for every head: they share the work evenly.",
                "Nothing in training asks for even shares. Heads start from different random numbers, and "
                "the one that is useful first gets the larger gradients.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="03.one-mask",
        prompt=(
            "Two sentences, two heads. The mask has shape (B, T, S): one for each sentence. The scores have "
            "shape (B, H, T, S), and you write `scores.masked_fill(~allowed, -inf)`. What happens?"
        ),
        options=(
            Option(
                "Each sentence gets its own mask, in both heads.",
                "So it should be, and for that the mask needs an axis for the heads: `allowed[:, None]`, of "
                "shape (B, 1, T, S).",
            ),
            Option(
                "An error: three axes do not fit four.",
                "Broadcasting lines axes up from the right and adds missing ones on the left. With another "
                "number of heads than sentences there would be an error; with two and two there is none.",
            ),
            Option(
                "It runs: the first head gets the mask of the first sentence, the second head the other one.",
                "Axes are lined up from the right, so B meets H. In both sentences, head h gets the mask "
                "of sentence h. It only runs because B = H (or B = 1): a small test would not notice.",
            ),
            Option(
                "Only the first head is masked.",
                "A missing axis is never taken as 'the first only': broadcasting repeats along it. Here the "
                "axis that is missing is the batch, because B has slipped to the place of H.",
            ),
        ),
        right=2,
    ),
)


# --- questions that chapter 04 (and later ones) ask at the door -------------------------------------------

RECALL = (
    Recall(
        "Why is `x.view(B, H, T, K)` the wrong way to split heads?",
        "`view` reads the memory in order, so each head would get whole words from one part of the "
        "sentence. Cut the features first, (B, T, H, K), then exchange the axes T and H.",
    ),
    Recall(
        "A layer with 64 features gets 8 heads in place of 1. What happens to its number of parameters?",
        "Nothing: each head has 8 features, and 8 matrices of 8 × 64 are one of 64 × 64.",
    ),
    Recall(
        "What can two heads do that one head cannot?",
        "Look at two places for two reasons and keep the answers apart. One head has one row of weights for "
        "each word, so two values arrive added up.",
    ),
    Recall(
        "Which shape has W_O, and what does it do?",
        "(H·d_v) × d_model: it takes the heads side by side and mixes them back into one vector for each word.",
    ),
    Recall(
        "By which number are the scores divided in a layer with d_model = 64 and 8 heads?",
        "By √8, the root of one head's d_k = 64 / 8. Dot products are taken inside a head.",
    ),
)
