"""Practice of chapter 02, queries, keys, values: three exercises, seven predictions, and what chapter 03 recalls.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. Source: Vaswani et al. 2017, section 3.2.1.
"""

from __future__ import annotations

import torch

from course_lib.practice.kinds import Case, Exercise, Misconception, Option, Output, Prediction, Recall

TITLE = "Queries, keys, values"


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


# --- 02.soft-dict: one query, softmax(K q), values ------------------------------------------------------


def soft_lookup(query, keys, values):
    scores = keys @ query  # (S, K) @ (K,) -> (S,): how well each key fits
    weights = torch.softmax(scores, dim=0)  # (S,): shares that sum to 1
    return weights @ values  # (S,) @ (S, V) -> (V,)


def _soft_dict_cases() -> list[Case]:
    g = torch.Generator().manual_seed(201)
    return [
        Case("four entries", (_random(g, 3), _random(g, 4, 3), _random(g, 4, 5)), {"S": 4, "K": 3, "V": 5}),
    ]


SOFT_DICT = Exercise(
    id="02.soft-dict",
    title="A soft dictionary",
    minutes=6,
    difficulty=1,
    statement=(
        "Write `soft_lookup(query, keys, values)`. A dict compares a key with yes or no; this one compares "
        "with a dot product. Score each of the S keys against the query, turn the scores into shares that "
        "sum to 1 with a softmax, and return the sum of the values, each times its share."
    ),
    inputs={"query": "K", "keys": "S, K", "values": "S, V"},
    outputs=(Output("found", ("V",)),),
    reference=soft_lookup,
    cases=_soft_dict_cases,
    hints=("", ""),
    misconceptions=(),
    insight="A dict returns one value; attention returns a mixture of all values, and can be trained.",
)


# --- 02.attention: softmax(q kᵀ / √d_k) v -----------------------------------------------------------------


def attention(q, k, v, allowed):
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, S)
    scores = scores.masked_fill(~allowed, float("-inf"))  # before the softmax
    weights = torch.softmax(scores, dim=-1)  # (B, H, T, S): each row over the keys sums to 1
    return weights @ v  # (B, H, T, V)


def _attention_cases() -> list[Case]:
    g = torch.Generator().manual_seed(202)
    sizes = {"B": 2, "H": 3, "T": 4, "S": 5, "K": 6, "V": 7}
    q, k, v = _random(g, 2, 3, 4, 6), _random(g, 2, 3, 5, 6), _random(g, 2, 3, 5, 7)
    return [Case("five different sizes", (q, k, v, torch.ones(4, 5, dtype=torch.bool)), sizes)]


ATTENTION = Exercise(
    id="02.attention",
    title="Scaled dot-product attention",
    minutes=12,
    difficulty=2,
    statement=(
        "Write `attention(q, k, v, allowed)`: softmax(q kᵀ / √d_k) v, for all sentences and heads at once. "
        "d_k is the number of features of one key. `allowed` is True where a query may look; everywhere else "
        "the weight must be exactly 0. Each query may look at one key at least."
    ),
    inputs={
        "q": "B, H, T, K",
        "k": "B, H, S, K",
        "v": "B, H, S, V",
        "allowed": "True or False, in a shape that broadcasts to (B, H, T, S)",
    },
    outputs=(Output("output", ("B", "H", "T", "V")),),
    reference=attention,
    cases=_attention_cases,
    hints=("", ""),
    misconceptions=(),
    insight="MatMul, scale, mask, softmax, MatMul: five steps, and no loop over words.",
)


# --- 02.retrieval: Q and K by hand ------------------------------------------------------------------------


def queries_and_keys(wanted, n_keys):
    k = torch.eye(n_keys)  # (S, K): each key answers to one name, its own
    q = 100 * k[wanted]  # (T, K): each query calls the name it wants, loudly
    return q, k


def _retrieval_cases() -> list[Case]:
    return [Case("each looks at the one before", (torch.tensor([0, 0, 1, 2]), 5), {"T": 4, "S": 5})]


RETRIEVAL = Exercise(
    id="02.retrieval",
    title="Queries and keys by hand",
    minutes=10,
    difficulty=2,
    statement=(
        "Write `queries_and_keys(wanted, n_keys)`. Nothing is learned here: you set the numbers. "
        "`wanted[i]` is the position that query i must fetch. Return `q` and `k` such that every row of "
        "softmax(q kᵀ / √K) puts at least 0.99 on the wanted position. There are many right answers; you "
        "choose the number of features K."
    ),
    inputs={"wanted": "T", "n_keys": "the number of keys, S"},
    outputs=(Output("q", ("T", "K")), Output("k", ("S", "K"))),
    reference=queries_and_keys,
    cases=_retrieval_cases,
    hints=("", ""),
    misconceptions=(),
    insight="A query is the key of what it wants, said loudly. Training finds such vectors by itself.",
)

EXERCISES = (SOFT_DICT, ATTENTION, RETRIEVAL)


# --- predictions ------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        id="02.lookup",
        prompt=(
            "A soft dictionary holds four keys. A query fits two of them equally well and the other two "
            "hardly at all. What comes back?"
        ),
        options=(
            Option(
                "The value of the first of the two, as in a list that is searched from the front.",
                "A search stops at the first hit. A soft dictionary does not search: it scores all keys, and "
                "equal scores get equal shares, wherever they stand.",
            ),
            Option(
                "An error: the query is no key of the dictionary.",
                "That is what a Python dict would say (KeyError). A dot product exists for every pair of "
                "vectors, so a soft dictionary always has an answer.",
            ),
            Option(
                "A value halfway between the values of the two.",
                "The softmax gives each of the two keys nearly one half, and the weighted sum is then nearly "
                "the mean of their values. It need not be a value that the dictionary holds.",
            ),
            Option(
                "One of the two values, drawn by lot.",
                "The shares look like probabilities, and nothing is drawn. Each value is multiplied by its "
                "share and all of them are added: the same answer every time.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="02.variance",
        prompt=(
            "The 64 numbers of a query and the 64 numbers of a key are drawn independently, each with mean 0 "
            "and variance 1. What is the variance of their dot product?"
        ),
        options=(
            Option(
                "About 1: it is made of numbers with variance 1.",
                "One product of two such numbers has variance 1. The dot product adds 64 of them, and "
                "variances of independent numbers add up.",
            ),
            Option(
                "About 8.",
                "8 is the standard deviation: √64. The variance is its square.",
            ),
            Option(
                "About 4096.",
                "64² would come from adding the same number 64 times. These 64 products are independent: "
                "many cancel each other, and the variances add up to 64, not to 64².",
            ),
            Option(
                "About 64.",
                "Each of the 64 products has variance 1, and variances of independent numbers add up. So "
                "the standard deviation is 8, and dividing by √64 = 8 brings the variance back to 1.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="02.saturated",
        prompt=(
            "A softmax over two scores. For 0 and 0, a small push on the first score changes its weight by "
            "0.25 times the push. How large is this factor for the scores 8 and -8?"
        ),
        options=(
            Option(
                "About 0.25 too: a softmax treats all scores alike.",
                "The factor is a·(1 - a), where a is the weight. At a = 0.5 it is 0.25, its largest value. "
                "Here a is almost 1, so 1 - a is almost 0.",
            ),
            Option(
                "About 0.0000001.",
                "The factor is a·(1 - a), and 1 - a is about one ten-millionth here. Almost no gradient "
                "passes, so what made these scores learns almost nothing. This is saturation.",
            ),
            Option(
                "About 0.06: the scores are about four times as far apart as usual.",
                "The gradient does not shrink in step with the scores. The exponential is in it: with a gap "
                "of 16 it falls to about e⁻¹⁶.",
            ),
            Option(
                "About 16: large scores give large gradients.",
                "In a linear layer large numbers do that. A softmax flattens out: once the winner has all "
                "the weight, pushing its score further changes nothing.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="02.axis",
        prompt=(
            "3 queries look at 5 keys: the scores are a table with 3 rows and 5 columns. Somebody takes the "
            "softmax over the wrong axis, `dim=0` in place of `dim=-1`. What sums to 1 now?"
        ),
        options=(
            Option(
                "Each column: every key shares itself out among the queries.",
                "`dim` names the axis that is summed over. Over axis 0 the three queries compete for each "
                "key. The whole table then sums to 5, not to 3, and some query may get next to nothing.",
            ),
            Option(
                "Each row, as before: a softmax always sums to 1 over the keys.",
                "A softmax does not know what your axes mean. It sums to 1 over the axis that you name, and "
                "here that axis holds the queries.",
            ),
            Option(
                "The whole table.",
                "That would be a softmax over all 15 numbers at once, for example over `scores.flatten()`. "
                "With one axis named, the sums run along this axis only.",
            ),
            Option(
                "Nothing: PyTorch raises an error, because the axis does not fit.",
                "Every axis fits, and that is the danger: shapes and types stay right, and no error comes. "
                "Only the sums tell.",
            ),
        ),
        right=0,
    ),
    Prediction(
        id="02.permute",
        prompt=(
            "Self-attention reads the vectors of 'the dog sees a cat', without any sign of position. You "
            "shuffle the words and run it again. What happens to the outputs?"
        ),
        options=(
            Option(
                "Nothing: output 1 stays output 1, and so on.",
                "Output i belongs to the word that stands at place i. Another word stands there now, with "
                "another query.",
            ),
            Option(
                "They all change: each word has new neighbours.",
                "Neighbours mean nothing here: each query scores all keys, and a sum does not care about the "
                "order of its terms.",
            ),
            Option(
                "Each word keeps its output vector; the vectors are shuffled as the words are.",
                "The scores of a pair depend on the two words only, and a sum does not care about order. "
                "This is permutation equivariance. For such a layer, 'dog sees cat' and 'cat sees dog' hold "
                "the same words; so positions must be added.",
            ),
            Option(
                "They become one and the same vector: without order all words look alike.",
                "The words still have different vectors, so they ask different questions and get different "
                "mixtures. What is lost is where they stand.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="02.tied",
        prompt=(
            "In self-attention you use one matrix for queries and keys: W_Q = W_K, without biases. What can "
            "the layer no longer do?"
        ),
        options=(
            Option(
                "Nothing is lost: one matrix is enough, and it has fewer parameters.",
                "Fewer parameters, yes. But now q_i · k_j = q_j · k_i for every pair, and many relations "
                "between words run in one direction only.",
            ),
            Option(
                "Look at its own position.",
                "The opposite: a word's query equals its key now, and a vector's dot product with itself is "
                "its squared length. It is never negative, so looking at itself becomes easy.",
            ),
            Option(
                "Give every row a sum of 1.",
                "The softmax does that, whatever the scores are. It also makes the weights of i for j and of "
                "j for i differ in general: the scores are symmetric, the weights need not be.",
            ),
            Option(
                "Score 'i looks for j' otherwise than 'j looks for i'.",
                "Query and key of a word are the same vector now, so the table of scores is symmetric. What "
                "a word looks for and what it offers can no longer be two things.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="02.cost",
        prompt=(
            "A sentence gets twice as long, and all vectors keep their size. How much more work is it to "
            "compute all scores of self-attention?"
        ),
        options=(
            Option(
                "The same: all scores are computed in parallel.",
                "Parallel work is still work: it needs more processors or more time, and the table of scores "
                "must fit in memory.",
            ),
            Option(
                "Four times as much.",
                "Twice as many queries, each scored against twice as many keys: the table has T² cells, each "
                "a dot product of d_k numbers. This is the T² d of chapter 02.",
            ),
            Option(
                "Twice as much: twice as many words.",
                "So it is for a recurrent network, which takes one step for each word. Here each new word "
                "is a query that is scored against all keys, and a key for all queries.",
            ),
            Option(
                "Eight times as much.",
                "8 = 2³ would be right if the vectors had become twice as long too. They keep their size, so "
                "only the two axes of the table grow.",
            ),
        ),
        right=1,
    ),
)


# --- questions that chapter 03 (and later ones) ask at the door -------------------------------------------

RECALL = (
    Recall(
        "What are query, key and value in Bahdanau's translator?",
        "The query is the decoder state sᵢ₋₁. The encoder states hⱼ are both: keys when they are scored, "
        "values when they are summed.",
    ),
    Recall(
        "Why are the scores divided by √d_k?",
        "A dot product of d_k independent products has variance d_k. Dividing by √d_k brings it back to "
        "about 1, so the softmax does not saturate and gradients pass. It is not regularization.",
    ),
    Recall(
        "Which five steps make scaled dot-product attention, in which order?",
        "MatMul (queries with keys), scale, mask, softmax over the keys, MatMul (weights with values).",
    ),
    Recall(
        "The words of a sentence are shuffled. What does self-attention without positions do?",
        "It gives each word the same output as before, in the shuffled order: permutation equivariance. So "
        "positions must be added to the vectors.",
    ),
    Recall(
        "What does the axis of the softmax decide?",
        "Who shares: over the keys (the last axis), each query shares its attention out and each row sums "
        "to 1. Over the queries, the keys would share themselves out.",
    ),
    Recall(
        "Why are W_Q and W_K two matrices?",
        "With one matrix the scores are symmetric: i looks for j exactly as j looks for i. With two, what a "
        "word looks for and what it offers can differ.",
    ),
)
