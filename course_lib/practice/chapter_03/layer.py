"""03.layer: the whole multi-head layer."""

from dataclasses import replace

import torch

from course_lib.practice import ideas, parts, slips
from course_lib.practice.chapter_02.attention import causal
from course_lib.practice.chapter_03.layer_ways import EXCHANGED, WAYS, with_mask, wrong
from course_lib.practice.chapter_03.layer_words import SLIPS, WORDS
from course_lib.practice.chapter_03.merge import join_by_reshape
from course_lib.practice.chapter_03.split import cut, my_split_heads
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def multi_head_attention(x_q, x_kv, params, n_heads, allowed):
    def project(x, name):
        y = x @ params["W_" + name].T + params["b_" + name]  # (B, positions, D)
        b, positions, d = y.shape
        return y.reshape(b, positions, n_heads, d // n_heads).transpose(1, 2)  # (B, H, positions, K)

    q, k, v = project(x_q, "q"), project(x_kv, "k"), project(x_kv, "v")
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, S), √d_k of one head
    scores = scores.masked_fill(~allowed, float("-inf"))
    heads = torch.softmax(scores, dim=-1) @ v  # (B, H, T, K)
    merged = heads.transpose(1, 2).flatten(2)  # (B, T, H, K) -> (B, T, D)
    return merged @ params["W_o"].T + params["b_o"]  # (B, T, D)


def heads(x_q, x_kv, params, n_heads, allowed):
    q, k = (my_split_heads(parts.linear(x, params, n), n_heads) for x, n in ((x_q, "q"), (x_kv, "k")))
    return q, k, allowed


def cases() -> list[Case]:
    g = seeded(303)

    def case(name: str, b: int, t: int, s: int, h: int, k: int, *, same: bool = False) -> Case:
        d = h * k
        params = {"W_" + n: 1.5 * random(g, d, d) / d**0.5 for n in "qkvo"}
        params |= {"b_" + n: random(g, d) for n in "qkvo"}
        x_q = random(g, b, t, d)
        x_kv = x_q if same else random(g, d, s, b).permute(2, 1, 0)  # (B, S, D), not contiguous
        x_kv[0, s - 1] = x_kv[0, 0]  # a repeated token
        allowed = torch.rand(b, h, t, s, generator=g) < 0.6
        allowed[-1, :, :, s - 1] = False  # padding at the end of the last sentence
        allowed[..., 0] |= ~allowed.any(dim=-1)  # every query has an allowed key
        return Case(name, (x_q, x_kv, params, h, allowed), {"B": b, "H": h, "T": t, "S": s, "K": k, "D": d})

    large = case("scores of more than 1,000, and huge values on padding", 2, 3, 5, 2, 4)
    x_q, x_kv, params, _, _ = large.args
    for x in (x_q, x_kv, *params.values()):
        x.copy_((2 * x).round().where(x.abs() > 0.25, 1.0))  # whole numbers: scores are exact in 32 bits
    x_kv[-1, 4] *= 1000
    params["W_q"].mul_(10)
    params["b_q"].copy_(-params["W_q"] @ x_q[1, 0])  # a query of zeros: its row alone does not overflow
    q, k, open_cells = heads(*large.args)
    scores = q @ k.transpose(-2, -1) / 2  # √4
    for head in range(2):
        open_cells[0, head, 1] = scores[0, head, 1] == scores[0, head, 1].min()  # the worst key alone
    open_cells[0, :, 2] = True
    return [
        case("six different sizes", 2, 4, 5, 3, 6),
        case("as many heads as sentences, in self-attention", 2, 4, 4, 2, 4, same=True),
        case("as many queries as keys, in different sentences", 3, 5, 5, 4, 2),
        case("one sentence and one head", 1, 4, 5, 1, 3),
        case("one query", 3, 1, 4, 2, 3),
        case("one key", 2, 3, 1, 2, 5),
        case("one feature", 2, 3, 4, 1, 1),
        replace(large, large=True),
    ]


# Pairs of slips that have a name of their own.
TOLD_ALREADY = (
    "not-transposed+mask-after", "no-biases+no-scale", "no-biases+mask-after", "no-scale+mask-unused",
    "no-scale+mask-after", "no-scale+mask-inverted", "split-by-view+merge-by-view",
)  # fmt: skip

SHARED = (
    *ideas.scaled_attention(wrong, heads, leave=("log-softmax",), nan_spreads=True),
    *ideas.sum_in_a_loop(lambda mix: wrong(mix=mix)),
    *ideas.rows_in_a_loop(lambda mix: wrong(mix=mix)),
    *ideas.head_0_for_all(lambda names: wrong(first_head=names), " slice of all three"),
    *ideas.masks_that_are_shared(
        with_mask, lambda x_q, x_kv, params, n_heads, allowed: allowed, own=", `allowed[:, h]`"
    ),
    *ideas.causal_always(*(wrong(mask=causal(both)) for both in (False, True))),
    *ideas.view_for_transpose(
        "split-by-view",
        "You split with `view` or `reshape` alone.",
        "So each head gets one stretch of the sentence, not its features of every token. Cut the features, "
        "(B, T, H, K), then exchange T and H: exercise 3.1.",
        wrong(split=cut("bhtk")),
        wrong(split=cut("bhtk"), merge=join_by_reshape),
    ),
    *ideas.view_for_transpose(
        "merge-by-view",
        "The heads are right, and you join them with `view` or `reshape` alone.",
        "So tokens get mixed. First `.transpose(1, 2)`, then join H and K: exercise 3.2.",
        wrong(merge=join_by_reshape),
    ),
)

LAYER = Exercise(
    id="03.layer",
    title="The whole layer",
    minutes=22,
    difficulty=3,
    statement=prose("""
        Write `multi_head_attention(x_q, x_kv, params, n_heads, allowed)`, the whole layer. Project `x_q` to
        queries and `x_kv` to keys and values, split them into heads, attend in every head with the √d_k of
        one head, merge the heads, and project with W_o.

        `params` is a dict: `params["W_q"]` has shape (D, D), `params["b_q"]` (D,), and they are used as
        `x @ W_q.T + b_q`; so are those of k, v and o. `allowed` holds a mask for each head, and every query
        has at least one allowed key. All functions of this page and the exercises before may be used;
        `scaled_dot_product_attention(q, k, v, allowed)` gives (output, weights). The page goes on with a
        solution: try first.
    """),
    inputs={
        "x_q": "B, T, D",
        "x_kv": "B, S, D",
        "params": 'a dict with "W_q", "b_q", "W_k", "b_k", "W_v", "b_v", "W_o", "b_o"',
        "n_heads": "the number of heads, H",
        "allowed": "B, H, T, S",
    },
    outputs=(Output("output", ("B", "T", "D")),),
    reference=multi_head_attention,
    cases=cases,
    hints=(
        prose("""
            You have all parts: split, attention and merge. Write the shapes of a way through the layer on
            paper, from (B, T, D) to (B, T, D). Where does each of the four matrices stand?
        """),
        lines("""
            q = split(x_q  times W_q transposed + b_q)       (B, H, T, K)
            k = split(x_kv times W_k transposed + b_k)       (B, H, S, K), and v likewise
            scores  = q times k transposed, divided by the root of K   (B, H, T, S)
            scores  = scores, but -inf where allowed is False
            heads   = softmax over the keys, times v         (B, H, T, K)
            return merge(heads) times W_o transposed + b_o   (B, T, D)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS),
        *SHARED,
        *slips.two_at_once(
            wrong,
            {name: (*told, EXCHANGED[name]) for name, told in SLIPS.items()},
            known=TOLD_ALREADY,
        ),
        *ideas.squeezed(multi_head_attention),
    ),
    insight=prose("""
        Four projections and one attention: the heads are an axis, and no loop is needed. (Try it without b_k:
        it adds the same number to every score of a row, and the softmax takes it out.)
    """),
    tolerance=1e-4,
    advice=(
        ideas.VIEW_AFTER_TRANSPOSE,
        ideas.NOT_FOR_TENSORS,
        ideas.MASK_IN_BRACKETS,
        ideas.SUM_KEEPS_ITS_AXIS,
        *ideas.KEYS_TURNED,
        *advice(r"""
'tuple' with scaled_dot_product_attention
    `scaled_dot_product_attention` returns two things, (output, weights): take both apart, `output, weights =
    …`.
. with allowed\[[^\]]*None|allowed\.unsqueeze
    `allowed` has an axis for the heads already: no `[:, None]` here.
is invalid for input of size
    Cutting keeps all numbers: x_q has T positions, x_kv has S, and each position D = H · K features. Take the
    sizes from the tensor that you cut.
KeyError
    The names in `params` are "W_q", "b_q", "W_k", "b_k", "W_v", "b_v", "W_o" and "b_o".
'dict' object|dict
    `params` is a dict: take a matrix out by its name, `params["W_q"]`.
mat1 and mat2|size of tensor a|Expected size
    Follow the shapes: x times a matrix is (B, positions, D); after the split (B, H, positions, K); after the
    merge (B, T, D) again, before it meets W_o.
"""),
    ),
)
