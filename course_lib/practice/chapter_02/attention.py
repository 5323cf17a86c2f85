"""02.attention: softmax(q kᵀ / √d_k) v, for all sentences and heads at once."""

import torch
import torch.nn.functional as F

from course_lib.practice import ideas, parts
from course_lib.practice.chapter_02.attention_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded, some_open
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def attention(q, k, v, allowed):
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, S)
    scores = scores.masked_fill(~allowed, float("-inf"))  # before the softmax
    weights = torch.softmax(scores, dim=-1)  # (B, H, T, S): each row over the keys sums to 1
    return weights @ v  # (B, H, T, V)


def wrong(**exchanged):
    return lambda *args: parts.attend(*args, **exchanged)


def cases() -> list[Case]:
    g = seeded(202)

    def vectors(b, h, t, s, k, v):
        keys = 1.5 * random(g, b, h, s, k)
        keys[0, :, s - 1] = keys[0, :, 0]  # a repeated word, with another value
        return random(g, b, h, t, k), keys, random(g, b, h, s, v) + 0.5

    def case(name, sizes, allowed, arrange=lambda x: x):
        tensors = [arrange(x) for x in vectors(*sizes)]
        return Case(name, (*tensors, allowed), dict(zip("BHTSKV", sizes, strict=True)))

    drawn = some_open(g, 3, 2, 5, 6)  # (B, H, T, S)
    turned = case(
        "tensors that are not contiguous and a mask for each head",
        (3, 2, 5, 6, 8, 4), drawn, lambda x: not_contiguous(x, 1, 2),
    )  # fmt: skip
    padded = torch.arange(7) < torch.tensor([7, 4])[:, None, None, None]  # (B, 1, 1, S)
    causal = torch.ones(4, 4).tril().bool()  # (T, S)
    front = torch.arange(5)[None] >= 2  # (1, S): padding in front
    one = case("one query, and huge values on padding", (1, 2, 1, 5, 3, 4), front)
    one.args[2][..., :2, :] = 1e6  # what is forbidden must not come through at all
    ints = [torch.randint(-3, 4, (2, 2, n, 4), generator=g).float() for n in (3, 5)]
    longest = torch.tensor([4.0, 2.0, 4.0, 2.0])
    ints[0][0, 0, 0], ints[1][0, 0, 2], ints[1][0, 0, 3] = longest, longest, -longest
    ints[0][0, 1, 1] = longest  # a row whose allowed scores are all low, -200, -170 and -170 after the scale
    low = [[2, 3, 3, 0], [0, 1, 1, 1], [-4, -2, -4, -2], [-3, -2, -3, -3], [-3, -3, -3, -2]]
    ints[1][0, 1] = torch.tensor(low).float()
    ints[1] *= 10  # whole numbers: scores from -200 to 200, exact in 32 bits
    large = (*ints, random(g, 2, 2, 5, 3), front), dict(zip("BHTSKV", (2, 2, 3, 5, 4, 3), strict=True))
    return [
        case("six different sizes and a padded sentence", (2, 3, 4, 7, 6, 5), padded),
        case("as many queries as keys and a causal mask", (2, 2, 4, 4, 4, 4), causal),
        turned,
        one,
        case("one head and one key", (2, 1, 3, 1, 4, 2), torch.ones(2, 1, 1, 1).bool()),
        case("one feature", (2, 2, 3, 4, 1, 1), causal[1:]),
        Case("scores of ±200", *large, large=True),
    ]


ALSO = ({}, {"scale": parts.unscaled})  # with a wrong mask, the scale is often missing too


def causal(both):
    """The future is blocked; ``both``: and what is forbidden."""

    def mask(scores, allowed):
        past = torch.ones_like(scores).tril().bool()
        return parts.block(scores, past & allowed if both else past)

    return mask


def values_masked(q, k, v, allowed):
    seen = allowed.expand(*q.shape[:3], k.shape[2]).any(dim=2)  # (B, H, S): by some query
    return parts.attend(q, k, v * seen[..., None], allowed, mask=parts.unmasked)


def of_head_0(names):
    """Attention in which all heads get head 0's queries, keys or values."""

    def wrong_heads(q, k, v, allowed):
        made = (x[:, :1].expand_as(x) if n in names else x for x, n in ((q, "q"), (k, "k"), (v, "v")))
        return attention(*made, allowed)

    return wrong_heads


def by_head(of):
    """A loop over sentences and heads, each with the mask ``of(allowed, b, h)``."""

    def loop(q, k, v, allowed):
        def one(b, h):
            return attention(q[b, h], k[b, h], v[b, h], of(allowed, b, h))

        return torch.stack([torch.stack([one(b, h) for h in range(q.shape[1])]) for b in range(len(q))])

    return loop


def by_sentence(q, k, v, allowed):
    return torch.stack([attention(q[b], k[b], v[b], allowed[b]) for b in range(len(q))])


def with_mask(change):
    def shared(q, k, v, allowed):
        return attention(q, k, v, change(allowed.expand(*q.shape[:3], k.shape[2])))

    return shared


WAYS = {
    "mask-taken-apart": (
        by_head(lambda allowed, b, h: allowed[b, 0]),
        by_head(lambda allowed, b, h: allowed[b, h]),
        by_head(lambda allowed, b, h: allowed[b]),
        by_head(lambda allowed, b, h: allowed[0, h]),
        by_head(lambda allowed, b, h: allowed[0, 0]),
        by_sentence,
    ),
    "scaled-by-d-v": wrong(scale=lambda q, k, v: v.shape[-1] ** -0.5),
    "values-masked": values_masked,
    "queries-and-keys-swapped": (
        lambda q, k, v, allowed: attention(k, q, v, allowed),
        wrong(mix=lambda weights, v: weights.transpose(-2, -1) @ v),
    ),
    "keys-not-transposed": (
        wrong(score=lambda q, k: q @ k),
        wrong(score=lambda q, k: q @ k.reshape(*k.shape[:2], k.shape[3], k.shape[2])),
        wrong(score=lambda q, k: q @ k.view(*k.shape[:2], k.shape[3], k.shape[2])),
    ),
    "heads-merged": lambda q, k, v, allowed: attention(q, k, v, allowed).transpose(1, 2).flatten(2),
}

SHARED = (
    *ideas.scaled_attention(
        wrong,
        lambda q, k, v, allowed: (q, k, allowed),
        more={
            "mask-inverted": (
                lambda q, k, v, allowed: F.scaled_dot_product_attention(q, k, v, attn_mask=~allowed),
            ),
        },
    ),
    *ideas.weighted_sum(
        lambda mix: wrong(mix=mix),
        lambda q, k, v, allowed: v,
        more={"plain-mean": (wrong(score=lambda q, k: q @ k.transpose(-2, -1) * 0),)},
        leave=("hard-choice", "softmax-twice"),
        weights="weights",
        values="v",
        unused="queries and keys have",
        mean=" The weights must come from the scores, q kᵀ.",
    ),
    *ideas.rows_in_a_loop(lambda mix: wrong(mix=mix)),
    *ideas.head_0_for_all(of_head_0),
    *ideas.masks_that_are_shared(
        with_mask, lambda q, k, v, allowed: allowed.expand(*q.shape[:3], k.shape[2])
    ),
    *ideas.causal_always(
        *(wrong(mask=causal(both), **also) for also in ALSO for both in (False, True)),
        so="",
    ),
    *ideas.roles(
        on_keys=tuple(lambda q, k, v, a, also=also: wrong(**also)(q, k, k, a) for also in ALSO),
        values_compared=lambda q, k, v, allowed: attention(q, v, v, allowed),
        query="queries",
        weights="weights",
        values="v",
    ),
)

ATTENTION = Exercise(
    id="02.attention",
    title="Scaled dot-product attention",
    minutes=15,
    difficulty=2,
    statement=prose("""
        Write `attention(q, k, v, allowed)`: softmax(q kᵀ / √d_k) v, for all sentences and heads at once. d_k
        is the number of features of one key. `allowed` is True where a query may look; everywhere else the
        weight must be exactly 0. In every row of `allowed` at least one key is True, and scores may be as
        large as ±200. Return the output alone.
    """),
    inputs={
        "q": "B, H, T, K",
        "k": "B, H, S, K",
        "v": "B, H, S, V",
        "allowed": "True or False, in a shape that broadcasts to (B, H, T, S)",
    },
    outputs=(Output("output", ("B", "H", "T", "V")),),
    reference=attention,
    cases=cases,
    hints=(
        prose("""
            Five steps: MatMul, scale, mask, softmax, MatMul. Write the shape after each. Only the last two
            axes take part in a matrix product, so which two axes of `k` must change places?
        """),
        lines("""
            raw     = q times k with its last two axes exchanged     (B, H, T, S)
            scores  = raw divided by the root of d_k
            scores  = scores, but -inf where allowed is False
            weights = softmax of scores over the keys, the last axis (B, H, T, S)
            return weights times v                                   (B, H, T, V)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *SHARED, *ideas.squeezed(attention)),
    insight="MatMul, scale, mask, softmax, MatMul: five steps, and no loop over words.",
    advice=(
        ideas.NOT_FOR_TENSORS,
        ideas.MASK_IN_BRACKETS,
        ideas.SUM_KEEPS_ITS_AXIS,
        *ideas.KEYS_TURNED,
        *advice(r"""
(out of bounds|too many indices) with allowed\[
    `allowed` comes in any shape that broadcasts to (B, H, T, S): an axis may be 1, or be missing. Write it
    out before you take it apart, `allowed.expand(B, H, T, S)`.
only one element tensors|must be Tensor, not int|must be real number
    The root is of one number, the size of an axis: `k.shape[-1] ** 0.5`.
must match the size|broadcast with allowed\[[^\]]*None|allowed\.unsqueeze
    `allowed` broadcasts to scores (B, H, T, S) as it is: there it needs no new axis.
q\s*\*\s*k
    `*` multiplies cell by cell. Every query meets every key in a matrix product: `q @ k.transpose(-2, -1)`.
q\s*@\s*k\b(?!\.)|matmul\(q, k\) unless transpose|\.mT|permute|swap
    A matrix product sums over the last axis of `q` and the last but one of `k`. Both must be the features K:
    `k.transpose(-2, -1)`.
"""),
    ),
)
