"""09a.cached-step: one step of writing with a KV cache."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.cached_step_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def cached_step(x, places, W_q, W_k, W_v, keys, values):
    x = x + places[keys.shape[1]]  # (B, D): S tokens were read before, so this one stands at S
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T  # (B, K) each
    keys = torch.cat([keys, k[:, None]], dim=1)  # (B, S + 1, K)
    values = torch.cat([values, v[:, None]], dim=1)
    scores = (keys @ q[:, :, None])[..., 0] / q.shape[-1] ** 0.5  # (B, S + 1)
    weights = torch.softmax(scores, dim=-1)
    out = (weights[:, None] @ values)[:, 0]  # (B, K)
    return out, keys, values


def cases() -> list[Case]:
    g = seeded(909)

    def case(name: str, B: int, S: int, D: int, K: int, M: int) -> Case:
        """S tokens in the cache, a table of M places."""
        W = (random(g, K, D), random(g, K, D), random(g, K, D))
        args = (random(g, B, D), random(g, M, D), *W, random(g, B, S, K), random(g, B, S, K))
        return Case(name, args, {"B": B, "S": S, "T": S + 1, "D": D, "K": K, "M": M})

    turned = case("keys that are not contiguous", 3, 4, 5, 2, 8)
    *first, keys, values = turned.args
    return [
        case("three texts of five tokens", 3, 5, 7, 4, 9),
        case("two texts of two tokens", 2, 2, 4, 3, 6),
        case("an empty cache: the first token", 2, 0, 5, 3, 7),
        case("one token in the cache", 3, 1, 4, 2, 5),
        case("the last place of the table", 2, 4, 3, 6, 5),
        case("one place in the table", 3, 0, 2, 4, 1),
        case("one text", 1, 3, 4, 5, 8),
        case("as many features as the input has", 2, 3, 4, 4, 7),
        case("one feature in, one feature out", 2, 3, 1, 1, 6),
        case("as many texts as tokens and features", 4, 4, 4, 4, 6),
        Case(turned.name, (*first, not_contiguous(keys, 1, 2), not_contiguous(values)), turned.sizes),
    ]


CACHED_STEP = Exercise(
    id="09a.cached-step",
    title="One step with a KV cache",
    minutes=14,
    difficulty=3,
    statement=prose("""
        Write `cached_step(x, places, W_q, W_k, W_v, keys, values)`: one head of self-attention writes B
        texts, and reads one new token of each. `x` (B, D) are the embeddings of the new tokens, still without
        a position. `places` (M, D) is the table of position embeddings; row i belongs to position i, counted
        from 0. `keys` and `values` (B, S, K) are the cache: keys and values of the S tokens that stand before
        the new one, in their order. S may be 0; M is larger than S. All texts are equally long.

        Add the position embedding of the new token to `x`. Make its query, key and value with `W_q`, `W_k`
        and `W_v`, each (K, D): the query is W_q times the vector, without a bias. Put its key and its value
        behind those of the cache. Then the new token attends to all S + 1 tokens, itself among them: scaled
        dot-product attention with a softmax. Return three tensors: `out` (B, K), the output of attention for
        the new token, and the new cache, `keys` and `values`, (B, T, K) each with T = S + 1. Do not change
        the old cache.
    """),
    inputs={
        "x": "B, D",
        "places": "M, D",
        "W_q": "K, D",
        "W_k": "K, D",
        "W_v": "K, D",
        "keys": "B, S, K",
        "values": "B, S, K",
    },
    outputs=(
        Output("out", ("B", "K")),
        Output("keys", ("B", "T", "K")),
        Output("values", ("B", "T", "K")),
    ),
    reference=cached_step,
    cases=cases,
    hints=(
        prose("""
            With S tokens in the cache, at positions 0 to S - 1: at which position does the new one stand? And
            there is one query, the newest. Which keys may it see, and is there any it must not?
        """),
        lines("""
            x      = x + the row of places for the new token          (B, D)
            q, k, v = x W_qᵀ, x W_kᵀ, x W_vᵀ                          (B, K) each
            keys   = the cache, then k                                (B, S + 1, K)
            values = the cache, then v                                (B, S + 1, K)
            weights = softmax over the keys of q · key / √K           (B, S + 1)
            out    = the sum of weights times values                  (B, K)
            return out, keys, values
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS),
        *ideas.other_order(cached_step, "out", "keys", "values"),
    ),
    pairs=PAIRS,
    insight=prose("""
        Nothing in the cache was computed anew, and nothing had to be: under a causal mask an earlier token
        never sees a later one, so its key and its value stay what they were.
    """),
    tolerance=1e-4,
    advice=advice(r"""
mat1 and mat2|must match|cannot be multiplied|size mismatch|[Ee]xpected size for
    `x` is (B, D) and a matrix (K, D): for vectors in rows it stands on the right, transposed, `x @ W_q.T`,
    (B, K). Keys (B, T, K) and one query for each text, (B, K): `keys @ q[:, :, None]` is (B, T, 1).
Tensors must have same number of dimensions|Sizes of tensors must match
    The new key is (B, K), the cache (B, S, K): give it an axis for its one token, `k[:, None]`, and join
    along that axis, `torch.cat(…, dim=1)`.
out of bounds|out of range
    The new token stands at position S, `keys.shape[1]`, counted from 0. (After the new key was added,
    `keys.shape[1]` is S + 1.)
"""),
)
