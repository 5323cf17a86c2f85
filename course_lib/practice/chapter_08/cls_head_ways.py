"""08.cls-head: wrong heads, and what a tutor says."""

import torch
from torch.nn import functional as F

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def wrong(
    pick=lambda v: v[:, 0],
    pool=lambda C, W, b: torch.tanh(C @ W.T + b),
    answer=lambda x, W, b: x @ W.T + b,
    after=lambda scores: scores,
):
    """Another vector, another pooler, another second layer, or something behind it."""

    def head(vectors, W_p, b_p, W_a, b_a):
        return after(answer(pool(pick(vectors), W_p, b_p), W_a, b_a))

    return head


def bent(function):
    return lambda C, W, b: function(C @ W.T + b)


PICKS = {
    "last-place": (lambda v: v[:, -1],),
    "mean-for-C": (lambda v: v.mean(1),),
    "sum-for-C": (lambda v: v.sum(1),),
    "largest-for-C": (lambda v: v.amax(1),),
    "first-row": (lambda v: v[0],),
}
POOLS = {
    "no-tanh": (bent(lambda x: x),),
    "another-bend": tuple(map(bent, (torch.sigmoid, F.relu, F.gelu, torch.sin, torch.exp))),
    "tanh-too-early": (lambda C, W, b: torch.tanh(C) @ W.T + b, lambda C, W, b: torch.tanh(C @ W.T) + b),
    "no-pooler": (lambda C, W, b: C,),
    "tanh-alone": (lambda C, W, b: torch.tanh(C),),
    "tanh-twice": (lambda C, W, b: torch.tanh(torch.tanh(C) @ W.T + b),),
    "pooler-not-transposed": (lambda C, W, b: torch.tanh(C @ W + b),),
    "no-bias-in-the-pooler": (lambda C, W, b: torch.tanh(C @ W.T),),
    "bias-taken-off": (lambda C, W, b: torch.tanh(C @ W.T - b),),
    "pooled-added": (lambda C, W, b: C + torch.tanh(C @ W.T + b),),
}
ANSWERS = {
    "no-bias-in-the-answers": lambda x, W, b: x @ W.T,
    "bias-of-the-answers-taken-off": lambda x, W, b: x @ W.T - b,
}
AFTER = {
    "softmax-behind": (lambda s: s.softmax(-1), lambda s: s.log_softmax(-1), lambda s: s.softmax(0)),
    "tanh-behind": (torch.tanh,),
    "sigmoid-behind": (torch.sigmoid,),
    "best-answer": (lambda s: s.argmax(-1), lambda s: s.amax(-1)),
}


def all_places(vectors, W_p, b_p, W_a, b_a):
    return torch.tanh(vectors @ W_p.T + b_p) @ W_a.T + b_a


PARTS = {"pick": PICKS, "pool": POOLS, "answer": ANSWERS, "after": AFTER}

TOLD = entries("""
last-place
    You read the vector of the last place. There stands `[SEP]`, or padding where a row is short. C is the
    vector of `[CLS]`, at place 0.
mean-for-C
    You take the mean over all places. Asked for is C alone, the vector of `[CLS]`, at place 0. (With a mean
    one would have to leave out padding, too.)
sum-for-C
    You add the vectors of all places. Asked for is C alone, the vector of `[CLS]`, at place 0.
largest-for-C
    You take the largest value of each feature over the places. Asked for is C alone, the vector of `[CLS]`,
    at place 0.
first-row
    You take all places of the first row of the batch, where place 0 of every row belongs. The batch is the
    first axis: `vectors[:, 0]`.
no-tanh
    The tanh is missing. Then two dense layers follow each other with nothing between them, and they can do no
    more than one.
another-bend
    Another function stands in the place of tanh. The pooler bends with tanh, which keeps every value between
    -1 and 1.
tanh-too-early
    Your tanh comes too early, before the dense layer or before its bias. It is taken of all of W_p C + b_p.
no-pooler
    The pooler is missing: your second layer gets the vector itself. First comes tanh(W_p C + b_p).
tanh-alone
    You take the tanh of the vector itself, and W_p and b_p have no effect. The pooler is tanh(W_p C + b_p).
tanh-twice
    You take a tanh before the pooler's dense layer as well. One is enough, of W_p C + b_p.
pooler-not-transposed
    You multiply by W_p where its transpose belongs. W C is each row of W times C; with vectors in rows this
    is `C @ W_p.T`. W_p is square, so no error tells you.
no-bias-in-the-pooler
    b_p has no effect. It is added before the tanh: tanh(W_p C + b_p).
bias-taken-off
    You take b_p off where it must be added: it is tanh(W_p C + b_p).
pooled-added
    You add the vector itself to what the pooler gives, as a residual connection does. A layer of the encoder
    has such a way around; the pooler has none.
softmax-behind
    A softmax stands behind your scores (or its logarithm). Asked for are scores: the loss takes the softmax
    itself, and would take it twice.
tanh-behind
    A tanh stands behind your scores. It holds them between -1 and 1, and then no answer can be more
    than e², about 7.4, times as likely as another.
sigmoid-behind
    A sigmoid stands behind your scores. Asked for are scores of any size: the loss takes a softmax of them.
best-answer
    You return one value for each row, of the best answer. Asked for is a score for each of the A answers.
tanh-at-the-end-only
    Your tanh stands behind the second layer. It belongs between the two: it is taken of W_p C + b_p, and
    scores may have any size.
no-bias-in-the-answers
    b_a has no effect. It is added at the end, one number for each answer.
bias-of-the-answers-taken-off
    You take b_a off at the end. It is added: W_a times the pooled vector, plus b_a.
no-biases
    b_p and b_a have no effect. Each dense layer adds its bias: tanh(W_p C + b_p), and the scores get b_a.
all-places
    You make scores at every place, (B, T, A). Only the vector of `[CLS]` is asked: `vectors[:, 0]`, (B, D).
axis-left
    Your scores have an axis of length 1 too many, (B, 1, A): `vectors[:, :1]` keeps the axis of the places,
    `vectors[:, 0]` takes it away.
pooled-returned
    You return what the pooler gives. The second layer is missing, which makes a score for each answer.
""")

NO_EFFECT = {  # in such pairs one slip hides the other, or both are one that has its own name
    ("no-tanh", "tanh-behind"),
    ("no-bias-in-the-pooler", "no-bias-in-the-answers"),
    ("sum-for-C", "best-answer"),
}
WAYS = {
    **single(PARTS, wrong),
    "tanh-at-the-end-only": wrong(pool=POOLS["no-tanh"][0], after=torch.tanh),
    "no-biases": wrong(pool=POOLS["no-bias-in-the-pooler"][0], answer=lambda x, W, b: x @ W.T),
    "all-places": all_places,
    "axis-left": lambda *args: wrong()(*args)[:, None],
    "pooled-returned": lambda v, W_p, b_p, W_a, b_a: torch.tanh(v[:, 0] @ W_p.T + b_p),
}
WORDS = TOLD
TWO = listed(PARTS, wrong, NO_EFFECT)
PAIRS = of_parts(TWO, TOLD)
