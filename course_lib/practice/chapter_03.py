"""Practice of chapter 03: four exercises, six predictions, and what chapter 04 recalls.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. Source: Vaswani et al. 2017, section 3.2.2.
"""

from __future__ import annotations

import math

import torch

from course_lib.practice.kinds import Case, Exercise, Misconception, Option, Output, Prediction, Recall

TITLE = "Multi-head attention"

_INFINITY = float("-inf")


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


def _found_at(number: torch.Tensor, tensor: torch.Tensor) -> tuple[int, ...] | None:
    """Where this number stands in ``tensor``, or None. The inputs of split and merge hold none twice."""
    places = (tensor == number).nonzero().tolist()
    return tuple(places[0]) if len(places) == 1 else None


def _moved(expected, got, args):
    """A sign: every number of the input is there once, and some at the wrong place."""
    return torch.equal(got.flatten().sort().values, expected.flatten().sort().values)


# --- 03.split: (B, T, D) -> (B, H, T, K) ------------------------------------------------------------------


def split_heads(x, n_heads):
    b, t, d = x.shape
    x = x.reshape(b, t, n_heads, d // n_heads)  # (B, T, H, K): cut each token's features into H pieces
    return x.transpose(1, 2)  # (B, H, T, K): then exchange the tokens and the heads


def _cut(order, axes=None):
    """Split by one reshape to ``order``, a text such as "bthk", and a permutation to ``axes``."""

    def wrong(x, n_heads):
        b, t, d = x.shape
        size = {"b": b, "t": t, "h": n_heads, "k": d // n_heads}
        x = x.reshape(*(size[axis] for axis in order))
        return x if axes is None else x.permute(*(order.index(axis) for axis in axes))

    return wrong


def _split_by_view(x, n_heads):
    b, t, d = x.shape
    return x.view(b, n_heads, t, d // n_heads)


def _transposed_before_cutting(x, n_heads):
    b, t, d = x.shape
    return x.transpose(1, 2).reshape(b, n_heads, t, d // n_heads)


def _all_features(x, n_heads):
    return x[:, None].expand(-1, n_heads, -1, -1)


def _first_piece(x, n_heads):
    return x[:, None, :, : x.shape[-1] // n_heads].expand(-1, n_heads, -1, -1)


def _overlapping(x, n_heads):
    k = x.shape[-1] // n_heads
    return torch.stack([x[..., h : h + k] for h in range(n_heads)], dim=1)


def _words_cut(x, n_heads):
    return torch.stack(x.tensor_split(n_heads, dim=1), dim=1)


def _every_hth(x, n_heads):
    return torch.stack([x[..., h::n_heads] for h in range(n_heads)], dim=1)


def _where_from(expected, got, args):
    """Name the origin in ``x`` of a number that stands at a wrong place: one of another sentence if any."""
    places = (expected != got).nonzero().tolist()
    found = [(place, _found_at(got[tuple(place)], args[0])) for place in places]
    (b, h, t, k), origin = next((pair for pair in found if pair[1][0] != pair[0][0]), found[0])
    right = _found_at(expected[b, h, t, k], args[0])
    foreign = "" if origin[0] == b else f" of sentence {origin[0]}"
    return (
        f"In sentence {b}, feature {k} of token {t} in head {h} should be feature {right[2]} of that token; "
        f"you have put feature {origin[2]} of token {origin[1]}{foreign} there."
    )


def _split_by_view_told(expected, got, args):
    words = sorted({place[1] for n in got[0, 0].flatten() if (place := _found_at(n, args[0]))})
    return (
        "You cut with one `view` or `reshape`, without a transpose. It moves no number: it reads on in "
        f"memory, so head 0 got whole tokens, numbers {', '.join(map(str, words))} of {args[0].shape[1]}, "
        "and never sees the others. Cut only the features, (B, T, H, K); then exchange T and H with "
        "`.transpose(1, 2)`."
    )


def _transposed_first_told(expected, got, args):
    return (
        "You exchange tokens and features first and cut afterwards, so each row of a head is made of one "
        f"feature of many tokens. {_where_from(expected, got, args)} Cut first, (B, T, H, K), then "
        "`.transpose(1, 2)`."
    )


def _scrambled_told(expected, got, args):
    return (
        "The shape is right and no number is lost, but they stand at wrong places. "
        f"{_where_from(expected, got, args)} `view` and `reshape` cut; only `transpose` and `permute` move."
    )


def _split_cases() -> list[Case]:
    g = torch.Generator().manual_seed(301)

    def case(name: str, b: int, t: int, h: int, k: int) -> Case:
        sizes = {"B": b, "T": t, "D": h * k, "H": h, "K": k}
        return Case(name, (_random(g, b, t, h * k), h), sizes)

    turned = _random(g, 5, 3, 8).transpose(0, 1)  # (3, 5, 8)
    return [
        case("five different sizes", 2, 5, 3, 4),
        case("as many tokens as heads", 2, 4, 4, 4),
        Case(
            "tokens and sentences exchanged in memory", (turned, 2), {"B": 3, "T": 5, "D": 8, "H": 2, "K": 4}
        ),
        case("one head", 2, 3, 1, 5),
    ]


SPLIT = Exercise(
    id="03.split",
    title="Split into heads",
    minutes=8,
    difficulty=2,
    statement=(
        "Write `split_heads(x, n_heads)`. Cut the D features of each token into H pieces of K = D / H "
        "features: head 0 gets the first K features of every token, head 1 the next K, and so on. Return "
        "the pieces as (B, H, T, K)."
    ),
    inputs={"x": "B, T, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("heads", ("B", "H", "T", "K")),),
    reference=split_heads,
    cases=_split_cases,
    hints=(
        "Two steps, and each does what the other cannot: cutting one axis into two moves no number, and "
        "exchanging two axes cuts nothing. Which axis is cut, and into what?",
        "b, t, d = shape of x\n"
        "cut the last axis in two:   (B, T, D) to (B, T, H, K), with K = D // H\n"
        "exchange the axes 1 and 2:  (B, T, H, K) to (B, H, T, K)",
    ),
    misconceptions=(
        Misconception(
            "view-without-transpose",
            (_cut("bhtk"), _split_by_view),
            _split_by_view_told,
        ),
        Misconception(
            "axes-not-moved",
            (_cut("bthk"),),
            "The cut is right and the second step is missing: you return (B, T, H, K). Attention works on "
            "the last two axes, so the tokens must stand there: `.transpose(1, 2)` gives (B, H, T, K).",
        ),
        Misconception(
            "heads-interleaved",
            (_cut("btkh", "bhtk"), _every_hth),
            lambda expected, got, args: (
                "Your heads are interleaved: the features are cut as (K, H), so head 0 gets the features 0, "
                f"{args[1]}, {2 * args[1]} … Cut them as (H, K): the last axis runs fastest in memory, and "
                "each head must get neighbours."
            ),
        ),
        Misconception(
            "heads-and-features-exchanged",
            (
                _cut("btkh", "bkth"),
                _cut("btkh"),
                _cut("bkth"),
                _cut("bthk", "bkth"),
                _cut("bthk", "btkh"),
                _cut("bthk", "bkht"),
            ),
            "H and K have changed places: (B, H, T, K) has H heads of K features. The number of heads is "
            "`n_heads`, the size of one head is `d // n_heads`, and only T and H are exchanged, "
            "`.transpose(1, 2)`.",
        ),
        Misconception(
            "features-before-words",
            (_cut("bthk", "bhkt"), _cut("bhkt")),
            "You return (B, H, K, T): tokens and features have changed places. The features of a token are "
            "the last axis, (B, H, T, K). The keys are transposed later, inside the attention.",
        ),
        Misconception(
            "heads-before-batch",
            (_cut("bthk", "hbtk"), _cut("hbtk"), _cut("bthk", "htbk")),
            "The heads stand before the batch: you return (H, B, T, K). Axis 0 stays the batch; exchange "
            "only the tokens and the heads, `.transpose(1, 2)`.",
        ),
        Misconception(
            "batch-mixed",
            (_cut("hbtk", "bhtk"), _cut("tbhk", "bhtk"), _cut("thbk", "bhtk"), _cut("htbk", "bhtk")),
            lambda expected, got, args: (
                "Your cut mixes the sentences of the batch. " + _where_from(expected, got, args) + " In the "
                "`reshape` the axes must stand in the order of `x`: (B, T) first, then the two parts of D."
            ),
        ),
        Misconception(
            "transposed-before-cutting",
            (_transposed_before_cutting, _cut("bhkt", "bhtk")),
            _transposed_first_told,
        ),
        Misconception(
            "words-cut",
            (_words_cut,),
            "You cut the sentence: each head gets some of the tokens with all their features. Every head "
            "must see every token; cut the features.",
        ),
        Misconception(
            "not-cut",
            (_all_features, lambda x, n_heads: x[:, None].repeat(1, n_heads, 1, 1)),
            "Every head gets all D features: nothing is cut. The heads share the features out, D / H for "
            "each; that is why more heads do not cost more.",
        ),
        Misconception(
            "same-piece-for-all",
            (_first_piece,),
            "Every head gets the first K features, and the others are lost. Head 1 gets the next K, and so "
            "on: each feature goes to one head.",
        ),
        Misconception(
            "pieces-overlap",
            (_overlapping,),
            "Your pieces overlap: head 1 begins at feature 1. It begins where head 0 ends, at feature K: the "
            "piece of head h is `x[..., h * K : (h + 1) * K]`.",
        ),
        Misconception(
            "cat-for-stack",
            (
                lambda x, n_heads: torch.cat(x.chunk(n_heads, dim=-1), dim=1),
                lambda x, n_heads: torch.cat(x.chunk(n_heads, dim=-1), dim=0),
            ),
            "The pieces are right, and `torch.cat` joins them along an axis that is there already. The heads "
            "need an axis of their own: `torch.stack(pieces, dim=1)`, or cut and transpose.",
        ),
        Misconception(
            "batch-and-heads-joined",
            (
                lambda x, n_heads: split_heads(x, n_heads).flatten(0, 1),
                lambda x, n_heads: x.reshape(-1, x.shape[1], x.shape[2] // n_heads),
            ),
            "Batch and heads are one axis, (B·H, T, K). Some programs do so for speed. Keep them "
            "apart: (B, H, T, K), so that a mask can name a sentence or a head.",
        ),
        Misconception(
            "batch-and-tokens-joined",
            (
                lambda x, n_heads: x.reshape(-1, n_heads, x.shape[2] // n_heads).transpose(0, 1),
                lambda x, n_heads: x.reshape(-1, n_heads, x.shape[2] // n_heads),
            ),
            "Batch and tokens have become one axis, B·T, so the end of one sentence is followed by the next "
            "one. Keep them apart: cut to (B, T, H, K), then exchange T and H.",
        ),
        Misconception(
            "heads-reversed",
            (lambda x, n_heads: split_heads(x, n_heads).flip(1),),
            "The heads stand in reversed order. Head 0 comes first: it gets the first K features.",
        ),
        Misconception(
            "scrambled",
            (_cut("bkht", "bhtk"), _cut("bkth", "bhtk")),
            _scrambled_told,
            sign=_moved,
        ),
    ),
    insight="Cut the features, then move the axis: no number is changed, and each head sees every token.",
    advice=(
        (
            r"view size is not compatible",
            "After a `transpose` the numbers are not in order in memory, and `view` needs them so. Cut first "
            "and transpose last, or use `reshape`, which copies where it must.",
        ),
        (
            r"is invalid for input of size|shape '\[",
            "The new sizes must multiply to as many numbers as before: T · D for each sentence. One head has "
            "K = D // H features; take all sizes from `x.shape`, since every input has others.",
        ),
        (
            r"'float' object|must be tuple of ints|float",
            "`/` gives a float, and a size must be a whole number: write `d // n_heads`.",
        ),
    ),
)


# --- 03.merge: (B, H, T, K) -> (B, T, D) ------------------------------------------------------------------


def merge_heads(x):
    b, h, t, k = x.shape
    return x.transpose(1, 2).reshape(b, t, h * k)  # (B, T, H, K), then H and K are joined to D


def _merged(order):
    """Permute (B, H, T, K) to ``order`` and join the last two axes."""

    def wrong(x):
        x = x.permute(*("bhtk".index(axis) for axis in order))
        return x.reshape(*x.shape[:2], -1)

    return wrong


def _joined_by_view(x):
    b, h, t, k = x.shape
    return x.view(b, t, h * k)


def _joined_by_reshape(x):
    b, h, t, k = x.shape
    return x.reshape(b, t, h * k)


def _merged_by_view_told(expected, got, args):
    heads = sorted({place[1] for n in got[0, 0] if (place := _found_at(n, args[0]))})
    words = sorted({place[2] for n in got[0, 0] if (place := _found_at(n, args[0]))})
    return (
        "You join with one `view` or `reshape`, without a transpose. It reads on in memory: your first row "
        f"holds tokens {', '.join(map(str, words))} of head {', '.join(map(str, heads))}, and it should hold "
        "token 0 of every head. Exchange the axes first, `.transpose(1, 2)`; then join H and K."
    )


def _merge_scrambled_told(expected, got, args):
    b, t, d = (expected != got).nonzero()[0].tolist()
    mine, right = _found_at(got[b, t, d], args[0]), _found_at(expected[b, t, d], args[0])
    what = (
        f"In sentence {b}, feature {d} of token {t} should be feature {right[3]} of token {right[2]} in head "
        f"{right[1]}; you have put feature {mine[3]} of token {mine[2]} in head {mine[1]} there. "
    )
    return (
        f"The shape is right and no number is lost, but they stand at wrong places. {what}First bring "
        "the axes into the order (B, T, H, K), then join the last two."
    )


def _merge_cases() -> list[Case]:
    g = torch.Generator().manual_seed(302)

    def sizes(b: int, t: int, h: int, k: int) -> dict[str, int]:
        return {"B": b, "T": t, "D": h * k, "H": h, "K": k}

    split = _random(g, 3, 4, 10).unflatten(-1, (2, 5)).transpose(1, 2)  # (3, 2, 4, 5), as a split leaves it
    return [
        Case("five different sizes", (_random(g, 2, 3, 5, 4),), sizes(2, 5, 3, 4)),
        Case("as many tokens as heads", (_random(g, 2, 4, 4, 4),), sizes(2, 4, 4, 4)),
        Case("heads that come straight from a split", (split,), sizes(3, 4, 2, 5)),
        Case("one head", (_random(g, 2, 1, 3, 5),), sizes(2, 3, 1, 5)),
    ]


MERGE = Exercise(
    id="03.merge",
    title="Merge the heads",
    minutes=6,
    difficulty=2,
    statement=(
        "Write `merge_heads(x)`, the way back: put the H heads of each token side by side, head 0 first, "
        "so that (B, H, T, K) becomes (B, T, D) with D = H · K. Merging what was split gives the input back."
    ),
    inputs={"x": "B, H, T, K"},
    outputs=(Output("merged", ("B", "T", "D")),),
    reference=merge_heads,
    cases=_merge_cases,
    hints=(
        "Do the two steps of the split backwards, and in the opposite order. Which axes must stand side by "
        "side before they can be joined?",
        "b, h, t, k = shape of x\n"
        "exchange the axes 1 and 2:  (B, H, T, K) to (B, T, H, K)\n"
        "join the last two:          (B, T, H, K) to (B, T, H * K), with reshape",
    ),
    misconceptions=(
        Misconception(
            "view-without-transpose",
            (_joined_by_reshape, _joined_by_view),
            _merged_by_view_told,
        ),
        Misconception(
            "heads-averaged",
            (lambda x: x.mean(dim=1), lambda x: x.max(dim=1).values),
            "You take the mean or the maximum of the heads. They have looked for different things; "
            "afterwards nobody can tell them apart. Put them side by side: H · K features for each token.",
        ),
        Misconception(
            "heads-added",
            (lambda x: x.sum(dim=1),),
            "You add the heads up. They have looked for different things; in a sum nobody can tell them "
            "apart any more. Put them side by side: H · K features for each token.",
        ),
        Misconception(
            "heads-interleaved",
            (_merged("btkh"),),
            "You join as (K, H): feature 0 of every head, then feature 1 of every head. Each head must stay "
            "in one piece, so join as (H, K): `.transpose(1, 2)` alone, with K still last.",
        ),
        Misconception(
            "not-joined",
            (lambda x: x.transpose(1, 2),),
            "The axes are in the right order, (B, T, H, K), and the join is missing: the last two become one "
            "axis of H · K features.",
        ),
        Misconception(
            "joined-along-words",
            (
                lambda x: x.flatten(1, 2),
                lambda x: x.transpose(1, 2).flatten(1, 2),
            ),
            "You join the heads along the tokens, so the sentence becomes H times as long. Join them along "
            "the features: the number of tokens stays, and each token gets H · K features.",
        ),
        Misconception(
            "words-joined",
            (
                lambda x: x.flatten(2),
                lambda x: x.transpose(1, 2).reshape(*x.shape[:2], -1),
            ),
            "You return (B, H, T·K): the tokens are joined and the heads are not. Did you read the sizes as "
            "`b, t, h, k`? The input is (B, H, T, K), so it is `b, h, t, k = x.shape`.",
        ),
        Misconception(
            "batch-joined",
            (lambda x: torch.cat(list(x), dim=-1), lambda x: torch.cat(list(x), dim=0)),
            "A loop over a tensor, `for part in x`, goes along axis 0, the sentences, and you join those. "
            "The heads are axis 1: `x[:, h]`.",
        ),
        Misconception(
            "one-head-only",
            (lambda x: x[:, 0], lambda x: x[:, -1]),
            "You return one head and throw the others away. Put all H heads of a token side by side.",
        ),
        Misconception(
            "batch-exchanged",
            (_merged("tbhk"),),
            "Batch and tokens have changed places: you return (T, B, D). The batch stays axis 0; exchange "
            "the tokens and the heads, axes 1 and 2.",
        ),
        Misconception(
            "features-before-words",
            (
                lambda x: merge_heads(x).transpose(1, 2),
                lambda x: x.transpose(2, 3).flatten(1, 2),
            ),
            "The numbers are right and two axes are exchanged: you return (B, D, T). Each token gets a row "
            "of features: (B, T, D).",
        ),
        Misconception(
            "heads-reversed",
            (lambda x: merge_heads(x.flip(1)),),
            "The heads stand in reversed order. Head 0 comes first: W_O counts on it.",
        ),
        Misconception(
            "scrambled",
            (
                lambda x: x.permute(0, 3, 1, 2).reshape(x.shape[0], x.shape[2], -1),
                lambda x: x.transpose(2, 3).reshape(x.shape[0], x.shape[2], -1),
            ),
            _merge_scrambled_told,
            sign=_moved,
        ),
    ),
    insight="Concatenating the heads is the split backwards: transpose first, then join H and K.",
    advice=(
        (
            r"view size is not compatible",
            "After a `transpose` the numbers are not in order in memory, and `view` needs them so. Use "
            "`reshape`, or `.contiguous()` before `view`: both copy them into order.",
        ),
        (
            r"is invalid for input of size|shape '\[",
            "The new sizes must multiply to as many numbers as before: for each sentence T · H · K.",
        ),
        (
            r"Tensors must have same|torch\.cat",
            "`torch.cat` takes a list of tensors; with `x[:, h]` for each head and `dim=-1` it would join "
            "them. One `transpose` and one `reshape` do the same.",
        ),
    ),
)


# --- 03.layer: the whole multi-head layer -----------------------------------------------------------------


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


def _linear(x, params, name):
    return x @ params["W_" + name].T + params["b_" + name]


def _shape_heads(x, n_heads):
    return split_heads(x, n_heads)


def _block_mask(scores, allowed):
    return scores.masked_fill(~allowed, _INFINITY)


def _layer(
    *,
    sources=lambda x_q, x_kv: (x_q, x_kv, x_kv),
    linear=_linear,
    split=_shape_heads,
    tie=lambda q, k, v: (q, k, v),
    factor=lambda d, h: math.sqrt(h / d),
    mask=_block_mask,
    axis=-1,
    after=lambda weights, allowed: weights,
    merge=merge_heads,
    out=lambda merged, params: _linear(merged, params, "o"),
):
    """The layer with one of its parts exchanged."""

    def wrong(x_q, x_kv, params, n_heads, allowed):
        parts = zip(sources(x_q, x_kv), "qkv", strict=True)
        q, k, v = tie(*(split(linear(x, params, name), n_heads) for x, name in parts))
        scores = q @ k.transpose(-2, -1) * factor(x_q.shape[-1], n_heads)
        weights = after(torch.softmax(mask(scores, allowed), dim=axis), allowed)
        return out(merge(weights @ v), params)

    return wrong


def _over(axis):
    """A softmax over another axis, with the usual masks and without a mask."""
    masks = (_block_mask, lambda s, a: s.masked_fill(~a, -1e9), lambda s, a: s)
    factors = (lambda d, h: math.sqrt(h / d), lambda d, h: 1.0)
    return tuple(_layer(axis=axis, mask=mask, factor=factor) for mask in masks for factor in factors)


def _with_mask(change):
    return _layer(mask=lambda scores, allowed: _block_mask(scores, change(allowed)))


def _without_biases(names):
    """The layer without the biases of the projections in ``names``."""

    def linear(x, params, name):
        y = x @ params["W_" + name].T
        return y if name in names else y + params["b_" + name]

    return _layer(linear=linear, out=lambda merged, params: linear(merged, params, "o"))


def _not_transposed(names):
    def linear(x, params, name):
        weight = params["W_" + name]
        return x @ (weight if name in names else weight.T) + params["b_" + name]

    return _layer(linear=linear, out=lambda merged, params: linear(merged, params, "o"))


def _same_matrix(names):
    """The projections of ``names`` ("q", "k", "v") replaced: ``{"k": "q"}`` makes keys with W_q."""
    return _layer(linear=lambda x, params, name: _linear(x, params, names.get(name, name)))


def _joined_anyhow(heads):
    b, h, t, k = heads.shape
    return heads.reshape(b, t, h * k)


def _split_anyhow(x, n_heads):
    b, t, d = x.shape
    return x.reshape(b, n_heads, t, d // n_heads)


def _split_interleaved(x, n_heads):
    return x.unflatten(-1, (-1, n_heads)).permute(0, 3, 1, 2)


def _merge_interleaved(heads):
    return heads.permute(0, 2, 3, 1).flatten(2)


def _one_head(x_q, x_kv, params, n_heads, allowed):
    return _layer()(x_q, x_kv, params, 1, allowed[:, :1])


def _heads_of(args):
    d, h = args[0].shape[-1], args[3]
    return d, h, d // h


def _d_model_told(expected, got, args):
    d, h, k = _heads_of(args)
    return (
        f"Your scores are √{h} ≈ {math.sqrt(h):.2f} times too small: you divide by √{d}, the root of "
        f"d_model. Dot products are taken inside one head, over {k} features: divide by √{k}."
    )


def _no_scale_told(expected, got, args):
    k = _heads_of(args)[2]
    return (
        f"The scale is missing: your scores are √{k} ≈ {math.sqrt(k):.2f} times too large. Divide by √d_k, "
        f"with d_k = {k}, the features of one head."
    )


def _not_the_root_told(expected, got, args):
    k = _heads_of(args)[2]
    return f"You divide by d_k = {k} and not by its root: your scores are {math.sqrt(k):.2f} times too small."


def _one_mask_told(expected, got, args):
    b, h, t, s = args[4].shape
    others = (args[4] != args[4][:, :1]).sum().item()
    return (
        f"All heads use one mask. `allowed` has an axis for the heads, ({b}, {h}, {t}, {s}), and {others} of "
        "its cells differ from those of head 0. Pass it whole to the scores, which have the same shape."
    )


def _leaking_told(expected, got, args):
    blocked = 1 - args[4].float().mean().item()
    return (
        f"`allowed` has no effect, although it forbids {blocked:.0%} of the cells. Set these scores to -inf "
        "before the softmax."
    )


def _layer_cases() -> list[Case]:
    g = torch.Generator().manual_seed(303)

    def case(name: str, b: int, t: int, s: int, h: int, k: int, *, same: bool = False) -> Case:
        d = h * k
        params = {"W_" + n: 1.5 * _random(g, d, d) / math.sqrt(d) for n in "qkvo"}
        params |= {"b_" + n: _random(g, d) for n in "qkvo"}
        x_q = _random(g, b, t, d)
        x_kv = x_q if same else _random(g, d, s, b).permute(2, 1, 0)  # (B, S, D), not contiguous
        x_kv[0, s - 1] = x_kv[0, 0]  # a repeated token
        allowed = torch.rand(b, h, t, s, generator=g) < 0.6
        allowed[-1, :, :, s - 1] = False  # padding at the end of the last sentence
        allowed[..., 0] |= ~allowed.any(dim=-1)  # every query may look somewhere
        sizes = {"B": b, "H": h, "T": t, "S": s, "K": k, "D": d}
        return Case(name, (x_q, x_kv, params, h, allowed), sizes)

    return [
        case("six different sizes", 2, 4, 5, 3, 6),
        case("as many heads as sentences, in self-attention", 2, 4, 4, 2, 4, same=True),
        case("as many queries as keys, in different sentences", 3, 5, 5, 4, 2),
    ]


LAYER = Exercise(
    id="03.layer",
    title="The whole layer",
    minutes=15,
    difficulty=3,
    statement=(
        "Write `multi_head_attention(x_q, x_kv, params, n_heads, allowed)`, the whole layer. Project `x_q` "
        "to queries and `x_kv` to keys and values, split them into heads, attend in every head with the "
        "√d_k of one head, merge the heads, and project with W_o.\n\n"
        '`params` is a dict: `params["W_q"]` has shape (D, D) and is used as `x @ W_q.T + b_q`; so are '
        "those of k, v and o. `allowed` holds a mask for each head, and each query may look somewhere. You "
        "may call your functions from the exercises before."
    ),
    inputs={
        "x_q": "B, T, D",
        "x_kv": "B, S, D",
        "params": 'a dict with "W_q", "b_q", "W_k", "b_k", "W_v", "b_v", "W_o", "b_o"',
        "n_heads": "the number of heads, H",
        "allowed": "B, H, T, S",
    },
    outputs=(Output("output", ("B", "T", "D")),),
    reference=multi_head_attention,
    cases=_layer_cases,
    hints=(
        "You have all parts: split, attention and merge. Write the shapes of a way through the layer on "
        "paper, from (B, T, D) to (B, T, D). Where does each of the four matrices stand?",
        "q = split(x_q  times W_q transposed + b_q)       (B, H, T, K)\n"
        "k = split(x_kv times W_k transposed + b_k)       (B, H, S, K), and v likewise\n"
        "scores  = q times k transposed, divided by the root of K   (B, H, T, S)\n"
        "scores  = scores, but -inf where allowed is False\n"
        "heads   = softmax over the keys, times v         (B, H, T, K)\n"
        "return merge(heads) times W_o transposed + b_o   (B, T, D)",
    ),
    misconceptions=(
        Misconception(
            "no-w-o",
            (
                _layer(out=lambda merged, params: merged),
                _layer(out=lambda merged, params: merged + params["b_o"]),
            ),
            "W_o is missing: the heads stand side by side, and nobody mixes them. Features 0 to K-1 would "
            "always come from head 0. Multiply the merged heads by W_o transposed, and add b_o.",
        ),
        Misconception(
            "not-merged",
            (
                _layer(merge=lambda heads: heads, out=lambda merged, params: merged),
                _layer(merge=lambda heads: heads.transpose(1, 2), out=lambda merged, params: merged),
            ),
            "You return the heads, each on its own. Merge the heads to (B, T, D), as in exercise 3.2; then "
            "multiply by W_o transposed, and add b_o.",
        ),
        Misconception("scaled-by-d-model", (_layer(factor=lambda d, h: 1 / math.sqrt(d)),), _d_model_told),
        Misconception("no-scale", (_layer(factor=lambda d, h: 1.0),), _no_scale_told),
        Misconception("divided-by-d-k", (_layer(factor=lambda d, h: h / d),), _not_the_root_told),
        Misconception(
            "scaled-by-heads",
            (_layer(factor=lambda d, h: 1 / math.sqrt(h)),),
            "You divide by the root of the number of heads. A score is a sum over the features of one head: "
            "divide by √(D / H).",
        ),
        Misconception(
            "softmax-over-heads",
            _over(1),
            "Your softmax runs over axis 1, the heads: they take attention away from each other. Each head "
            "has a budget of its own and shares it out over the keys: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-queries",
            _over(2),
            "Your softmax runs over the queries (axis T): each key shares itself out. It must be each query "
            "that shares its attention out over the keys: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-batch",
            _over(0),
            "Your softmax runs over the batch: sentences that know nothing of each other share one budget. "
            "The keys are the last axis: `dim=-1`.",
        ),
        Misconception(
            "one-mask-for-all-heads",
            (
                _with_mask(lambda allowed: allowed[:, :1]),
                _with_mask(lambda allowed: allowed[:, -1:]),
                _with_mask(lambda allowed: allowed.any(dim=1, keepdim=True)),
                _with_mask(lambda allowed: allowed.all(dim=1, keepdim=True)),
                _with_mask(lambda allowed: allowed[0, 0]),
                _with_mask(lambda allowed: allowed[:, 0]),  # (B, T, S): B slips to the place of H
            ),
            _one_mask_told,
        ),
        Misconception(
            "mask-of-the-first-sentence",
            (_with_mask(lambda allowed: allowed[:1]), _with_mask(lambda allowed: allowed[0])),
            "All sentences use the mask of the first one. Each sentence has its own padding: `allowed` has "
            "axis B, and the scores have it too.",
        ),
        Misconception("mask-unused", (_layer(mask=lambda scores, allowed: scores),), _leaking_told),
        Misconception(
            "mask-inverted",
            (
                _with_mask(lambda allowed: ~allowed),
                _layer(mask=lambda scores, allowed: scores.masked_fill(allowed, -1e9)),
            ),
            "Your mask is inverted: what is allowed is blocked. `allowed` is True where a query may look, "
            "and `masked_fill` fills where its mask is True, so it needs `~allowed`.",
        ),
        Misconception(
            "mask-after-softmax",
            (_layer(mask=lambda s, a: s, after=lambda weights, allowed: weights * allowed),),
            "You mask after the softmax, so the weights that are left no longer sum to 1. Put -inf into the "
            "scores before it.",
        ),
        Misconception(
            "biases-forgotten",
            (
                _without_biases("qkvo"),
                _without_biases("qkv"),
                _without_biases("qv"),
                _without_biases("qk"),
                _without_biases("q"),
                _without_biases("kv"),
                _without_biases("v"),
                _without_biases("o"),
                _without_biases("qo"),
                _without_biases("vo"),
                _without_biases("qvo"),
            ),
            "A bias is missing. Each of the four projections is `x @ W.T + b`: add b_q, b_k and b_v before "
            "the split, and b_o at the very end.",
        ),
        Misconception(
            "bias-too-early",
            (
                _layer(out=lambda merged, params: (merged + params["b_o"]) @ params["W_o"].T),
                _layer(linear=lambda x, params, name: (x + params["b_" + name]) @ params["W_" + name].T),
                _layer(
                    linear=lambda x, params, name: (x + params["b_" + name]) @ params["W_" + name].T,
                    out=lambda merged, params: (merged + params["b_o"]) @ params["W_o"].T,
                ),
            ),
            "You add a bias before the matrix. It comes after: `x @ W.T + b`. (Both have D numbers, so no "
            "shape warns you.)",
        ),
        Misconception(
            "mask-added",
            (
                _layer(mask=lambda scores, allowed: scores + allowed),
                _layer(mask=lambda scores, allowed: scores * allowed),
                _layer(mask=lambda scores, allowed: scores.masked_fill(~allowed, -1e-9)),
            ),
            "You add or multiply the mask as 0 and 1, or fill with almost 0 (-1e-9 is a slip for -1e9): a "
            "forbidden score of about 0 still gets its share. It must be -inf.",
        ),
        Misconception(
            "not-transposed",
            tuple(_not_transposed(names) for names in ("qkvo", "qkv", "q", "k", "v", "o", "qk")),
            "A matrix is not transposed. Its rows belong to the outputs (as in torch.nn.Linear), so with "
            "tokens as rows of `x` it is `x @ W.T`. All matrices here are square, so no shape warns you.",
        ),
        Misconception(
            "split-by-view",
            (_layer(split=_split_anyhow), _layer(split=_split_anyhow, merge=_joined_anyhow)),
            "You split with `view` or `reshape` alone, so each head gets whole tokens from one part of the "
            "sentence. Cut the features, (B, T, H, K), then exchange T and H: exercise 3.1.",
        ),
        Misconception(
            "merge-by-view",
            (_layer(merge=_joined_anyhow),),
            "The heads are right, and you join them with `view` or `reshape` alone: tokens get mixed. First "
            "`.transpose(1, 2)`, then join H and K: exercise 3.2.",
        ),
        Misconception(
            "heads-interleaved",
            (
                _layer(split=_split_interleaved, merge=_merge_interleaved),
                _layer(split=_split_interleaved),
                _layer(merge=_merge_interleaved),
            ),
            "Your features are cut or joined as (K, H), so the heads are interleaved. Head 0 owns the first "
            "K features: cut and join as (H, K). The rows of W_q and the columns of W_o count on it.",
        ),
        Misconception(
            "same-keys-for-all-heads",
            (
                _layer(tie=lambda q, k, v: (q, k[:, :1], v[:, :1].expand_as(v))),
                _layer(tie=lambda q, k, v: (q, k[:, :1], v)),
                _layer(tie=lambda q, k, v: (q, k, v[:, :1].expand_as(v))),
                _layer(tie=lambda q, k, v: (q[:, :1].expand_as(q), k, v)),
            ),
            "All heads share the queries, keys or values of head 0. (Sharing keys and values is a known way "
            "to save memory, multi-query attention, and another layer.) Here each head has its own slice of "
            "all three.",
        ),
        Misconception(
            "one-head",
            (_one_head,),
            "This is one head with all D features: `n_heads` has no effect. Split q, k and v first; then "
            "each head has a row of weights of its own.",
        ),
        Misconception(
            "one-matrix-for-two",
            tuple(
                _same_matrix(names)
                for names in ({"k": "q"}, {"q": "k"}, {"v": "k"}, {"k": "v"}, {"k": "q", "v": "q"})
            ),
            "One matrix does the work of two: look at which `W_` and `b_` makes the queries, which the keys "
            "and which the values. Each has its own.",
        ),
        Misconception(
            "queries-from-the-wrong-sentence",
            (
                _layer(sources=lambda x_q, x_kv: (x_q, x_q, x_q)),
                _layer(sources=lambda x_q, x_kv: (x_kv, x_kv, x_kv)),
                _layer(sources=lambda x_q, x_kv: (x_q, x_kv, x_q)),
                _layer(sources=lambda x_q, x_kv: (x_q, x_q, x_kv)),
                _layer(sources=lambda x_q, x_kv: (x_kv, x_q, x_q)),
            ),
            "Queries, keys and values come from the wrong inputs. The queries come from `x_q`; the keys and "
            "the values both come from `x_kv`. In self-attention the two are the same, so nobody notices.",
        ),
        Misconception(
            "no-projections",
            (_layer(linear=lambda x, params, name: x),),
            "The inputs go into the heads as they are: W_q, W_k and W_v have no effect. Then a token's query "
            "equals its key, and head 0 sees the first features only. Project first, then split.",
        ),
        Misconception(
            "residual-added",
            (
                lambda x_q, x_kv, params, n_heads, allowed: (
                    x_q + _layer()(x_q, x_kv, params, n_heads, allowed)
                ),
            ),
            "You add the input to the output. This residual connection comes with the Transformer block "
            "(chapter 05); the layer itself returns what W_o gives.",
        ),
    ),
    insight=(
        "Four projections and one attention: the heads are an axis, and no loop is needed. (Try it without "
        "b_k: it adds the same number to every score of a row, and the softmax takes it out.)"
    ),
    tolerance=1e-4,
    advice=(
        (
            r"'tuple'",
            "`scaled_dot_product_attention` returns two things, (output, weights): take both apart, "
            "`output, weights = …`.",
        ),
        (
            r"is invalid for input of size|too many values to unpack|only four or fewer|maximum 4",
            "Is there an axis too many? `allowed` has an axis for the heads already: no `[:, None]` here.",
        ),
        (
            r"view size is not compatible",
            "After a `transpose` the numbers are not in order in memory, and `view` needs them so: use "
            "`reshape`, which copies where it must.",
        ),
        (
            r"KeyError",
            'The names in `params` are "W_q", "b_q", "W_k", "b_k", "W_v", "b_v", "W_o" and "b_o".',
        ),
        (
            r"'dict' object|dict",
            '`params` is a dict: take a matrix out by its name, `params["W_q"]`.',
        ),
        (
            r"mat1 and mat2|size of tensor a|Expected size",
            "Follow the shapes: x times a matrix is (B, positions, D); after the split (B, H, positions, K); "
            "after the merge (B, T, D) again, before it meets W_o.",
        ),
    ),
)


# --- 03.count: how many parameters? -----------------------------------------------------------------------


def count_parameters(d_model, n_heads):
    matrix = d_model * d_model  # W_q holds the (d_k, d_model) matrices of all heads, one below the other
    return 4 * (matrix + d_model)  # q, k, v and o, each with its bias


def _counted(formula):
    """A count as a formula of (d, h, k)."""
    return lambda d_model, n_heads: formula(d_model, n_heads, d_model // n_heads)


def _times_heads_told(expected, got, args):
    return (
        f"You give every head matrices of d_model × d_model: {int(got):,} numbers. With {args[1]} heads each "
        f"has {args[0] // args[1]} features, so its matrices are that small, and all heads together have one "
        f"of {args[0]} × {args[0]}. More heads cost no parameter."
    )


def _no_bias_told(expected, got, args):
    return (
        f"The biases are missing: {int(expected - got):,} numbers. Each of the four projections adds one "
        f"vector of {args[0]} numbers."
    )


def _count_cases() -> list[Case]:
    return [
        Case("8 heads on 64 features", (64, 8)),
        Case("3 heads on 12 features", (12, 3)),
        Case("one head on 10 features", (10, 1)),
        Case("8 heads on 512 features, as in the paper's base model", (512, 8)),
    ]


COUNT = Exercise(
    id="03.count",
    title="Count the parameters",
    minutes=5,
    difficulty=1,
    statement=(
        "Write `count_parameters(d_model, n_heads)`: the number of trained numbers in one multi-head "
        "layer. Each head has d_k = d_v = d_model / n_heads features. W_q, W_k, W_v and W_o each have a "
        "bias."
    ),
    inputs={"d_model": "the number of features, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("count"),),
    reference=count_parameters,
    cases=_count_cases,
    hints=(
        "Count one head's W_q first: it takes D features and gives d_k. How many numbers have all H of them "
        "together, if H · d_k = D?",
        "one head's W_q: d_k * d_model; all heads: H * d_k * d_model = d_model * d_model\n"
        "their biases: H * d_k = d_model\n"
        "the same for k and v; W_o takes H * d_v features and gives d_model\n"
        "add up the four",
    ),
    misconceptions=(
        Misconception(
            "times-heads",
            (
                _counted(lambda d, h, k: h * 4 * (d * d + d)),
                _counted(lambda d, h, k: h * 4 * d * d),
                _counted(lambda d, h, k: h * 3 * (d * d + d) + d * d + d),
                _counted(lambda d, h, k: h * 3 * d * d + d * d),
                _counted(lambda d, h, k: h * 3 * (d * d + d) + h * d * d + d),
            ),
            _times_heads_told,
        ),
        Misconception("biases-forgotten", (_counted(lambda d, h, k: 4 * d * d),), _no_bias_told),
        Misconception(
            "no-w-o",
            (_counted(lambda d, h, k: 3 * (d * d + d)), _counted(lambda d, h, k: 3 * d * d)),
            "W_o is not counted. After the heads are joined there is a fourth projection, from H · d_v "
            "features to d_model.",
        ),
        Misconception(
            "w-o-gives-one-head",
            (
                _counted(lambda d, h, k: 3 * (d * d + d) + h * k * k + k),
                _counted(lambda d, h, k: 3 * (d * d + d) + d * k + d),
                _counted(lambda d, h, k: 3 * d * d + d * k),
            ),
            "Your W_o has the size of one head on one side. It takes all heads, joined (H · d_v features), "
            "and gives back a vector of d_model: (H · d_v) × d_model. Notes often have it wrong.",
        ),
        Misconception(
            "one-head-only",
            (
                _counted(lambda d, h, k: 3 * (d * k + k) + d * d + d),
                _counted(lambda d, h, k: 4 * (d * k + k)),
                _counted(lambda d, h, k: 4 * d * k),
                _counted(lambda d, h, k: 3 * d * k + d * d),
            ),
            "You count the matrices of one head, or divide by the number of heads. There are H heads, each "
            "with W_q, W_k and W_v of its own: H · d_k = d_model rows in all, whatever H is.",
        ),
        Misconception(
            "heads-see-their-slice-only",
            (
                _counted(lambda d, h, k: h * 4 * (k * k + k)),
                _counted(lambda d, h, k: h * 3 * (k * k + k) + d * d + d),
            ),
            "Your heads have matrices of d_k × d_k, so each would see only its own slice of the input. Each "
            "head reads all d_model features: its matrices are d_k × d_model. The split comes after the "
            "projection.",
        ),
        Misconception(
            "biases-of-another-size",
            (
                _counted(lambda d, h, k: 4 * (d * d + k)),
                _counted(lambda d, h, k: 4 * (d * d + h)),
                _counted(lambda d, h, k: 4 * (d * d + 1)),
                _counted(lambda d, h, k: 4 * (d * d + h * d)),
                _counted(lambda d, h, k: 3 * (d * d + k) + d * d + d),
            ),
            "The matrices are right, and the biases have another size. A bias adds one number to each "
            "output: d_model numbers for each of the four projections.",
        ),
        Misconception(
            "b-o-for-each-head",
            (
                _counted(lambda d, h, k: 4 * d * d + 3 * d + h * d),
                _counted(lambda d, h, k: 4 * d * d + 3 * d + h),
                _counted(lambda d, h, k: 4 * d * d + 3 * d + k),
            ),
            "All terms are right but one: b_o. W_o comes after the merge and is there once, and its bias has "
            "one number for each of its d_model outputs.",
        ),
        Misconception(
            "one-row-for-a-matrix",
            (
                _counted(lambda d, h, k: 4 * d + 4),
                _counted(lambda d, h, k: 4 * d),
                _counted(lambda d, h, k: 8 * d),
            ),
            "Each of your four matrices has one row. W_q gives d_model numbers, and each of them needs a row "
            "of d_model weights and one number of bias: d_model · d_model + d_model.",
        ),
        Misconception(
            "o-without-bias",
            (_counted(lambda d, h, k: 4 * d * d + 3 * d), _counted(lambda d, h, k: 4 * d * d + d)),
            "The matrices are right and biases are missing: all four projections have one, q, k, v and o.",
        ),
        Misconception(
            "one-matrix",
            (_counted(lambda d, h, k: d * d + d), _counted(lambda d, h, k: d * d)),
            "This is one projection. The layer has four of them: q, k, v and o.",
        ),
    ),
    insight="More heads cost no parameter: they share the same d_model features among themselves.",
    tolerance=1e-9,
)

EXERCISES = (SPLIT, MERGE, LAYER, COUNT)


# --- predictions ------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        id="03.two-lookups",
        prompt=(
            "Each guest must name the left neighbour and the right one. A layer with one head is trained on "
            "both questions, eight times, each time from other random numbers. What does the head's row of "
            "weights look like at the end, most of the time?"
        ),
        options=(
            Option(
                "Dark on the left neighbour first, then dark on the right one: it looks twice.",
                "A head looks once: it has one row of weights for each token, and the row sums to 1. A "
                "second look needs a second row.",
            ),
            Option(
                "Shared between the two neighbours: a mixture of both names.",
                "It is possible, and one of eight recorded trainings ended so. But the two names arrive "
                "added up, and the mixture does not say who sits where. The other seven ended otherwise.",
            ),
            Option(
                "All on one neighbour: one question is answered, the other one given up.",
                "So seven of eight recorded trainings ended, some on the left, some on the right: one answer "
                "is known for certain, the other is a guess. One row of weights gives little more.",
            ),
            Option(
                "On both neighbours, fully: the values can be made wide enough for two names.",
                "A wide value vector can carry much about one seat. But a row of weights sums to 1, and both "
                "values pass through the same W_V and are added up: width does not tell which is which.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="03.view",
        prompt=(
            "A sentence of 4 tokens has 6 features for each token. You want 2 heads of 3 features, and write "
            "`x.view(1, 2, 4, 3)` on the tensor of shape (1, 4, 6), with no transpose. What does the first "
            "head hold?"
        ),
        options=(
            Option(
                "The first three features of all four tokens.",
                "So it should be. But `view` moves no number: it reads on in memory, where the six features "
                "of the first token stand side by side.",
            ),
            Option(
                "An error is raised: (4, 6) is no (2, 4, 3).",
                "Both hold 24 numbers, and that is all that `view` asks for. It cannot know which axis you "
                "meant.",
            ),
            Option(
                "Every second feature of all four tokens.",
                "That is what you get when features are cut as (K, H) and not as (H, K). `view` alone reads "
                "the memory in order, token after token.",
            ),
            Option(
                "All six features of the first two tokens.",
                "The first head takes the first 12 numbers in memory: two whole tokens, each broken into two "
                "rows. It never sees the other two tokens, and no error warns you.",
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
            "A layer has 16 features. You give it 16 heads, so each head has one feature: d_k = 1. What can "
            "one head still do?"
        ),
        options=(
            Option(
                "As much as before: a head is a head.",
                "A head compares vectors of d_k numbers. With 16 numbers a query can point in many "
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
                "Look at exactly one token, because it has one feature.",
                "How many tokens a head looks at is decided by its scores and the softmax, and not by the "
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
                "One of the two look-ups suffers, and the other hardly; how much depends on the head.",
                "Heads specialise, and not evenly. With two heads, each carries one look-up alone. With "
                "eight, several share one look-up, and some of them can go with hardly a trace.",
            ),
            Option(
                "Nothing: the other heads take over.",
                "A little, if another head looks at the same seat; but nothing is trained again, and what "
                "only this head looked up is gone.",
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
        "`view` reads the memory in order, so each head would get whole tokens from one part of the "
        "sentence. Cut the features first, (B, T, H, K), then exchange the axes T and H.",
    ),
    Recall(
        "A layer with 64 features gets 8 heads in place of 1. What happens to its number of parameters?",
        "Nothing: each head has 8 features, and 8 matrices of 8 × 64 are one of 64 × 64.",
    ),
    Recall(
        "What can two heads do that one head cannot?",
        "Look at two places for two reasons and keep the answers apart. One head has one row of weights for "
        "each token, so two values arrive added up.",
    ),
    Recall(
        "Which shape has W_O, and what does it do?",
        "(H·d_v) × d_model: it takes the heads side by side and mixes them into one vector for each token.",
    ),
    Recall(
        "By which number are the scores divided in a layer with d_model = 64 and 8 heads?",
        "By √8, the root of one head's d_k = 64 / 8. Dot products are taken inside a head.",
    ),
)
