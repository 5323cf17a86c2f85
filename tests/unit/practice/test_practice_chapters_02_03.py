"""Practice of chapters 02 and 03: what learners get wrong is named, and what the questions claim is true."""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib import attention
from course_lib.practice import chapter_02 as two
from course_lib.practice import chapter_03 as three
from course_lib.practice import desk

RECORDS = Path(__file__).parents[3] / "assets" / "experiments"
IDS = [e.id for e in (*two.EXERCISES, *three.EXERCISES)]
INFINITY = float("inf")


# --- each wrong idea of the curriculum, written otherwise than in the practice's own modules ------
# Left the words of the curriculum or of a learner, then the exercise, the idea's name, and the code.


def dict_that_forgives(query, keys, values):
    best, found = -INFINITY, None
    for key, value in zip(keys, values, strict=True):
        if torch.dot(key, query) > best:
            best, found = torch.dot(key, query), value
    return found


def dict_without_softmax(query, keys, values):
    return sum(torch.dot(key, query) * value for key, value in zip(keys, values, strict=True))


def dict_of_keys(query, keys, values):
    weights = torch.exp(keys @ query)
    return (weights / weights.sum()) @ keys


def dict_of_features(query, keys, values):
    weights = F.softmax(query, dim=-1)
    return F.softmax(keys @ weights, dim=-1) @ values


def dict_of_means(query, keys, values):
    return values.sum(0) / len(keys)


def dict_of_distances(query, keys, values):
    return torch.softmax(torch.cdist(query[None], keys)[0], dim=0) @ values


def softmax_by_hand(scores, axis):
    scores = torch.exp(scores - scores.amax(axis, keepdim=True))
    return scores / scores.sum(axis, keepdim=True)


def no_scale(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=1.0)


def scale_by_d_model(q, k, v, allowed):
    d_model = q.transpose(1, 2).flatten(2).shape[-1]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=d_model**-0.5)


def scale_without_root(q, k, v, allowed):
    root = math.sqrt(q.shape[-1])
    scores = torch.einsum("bhtk,bhsk->bhts", q / root, k / root)
    return softmax_by_hand(scores.masked_fill(~allowed, -1e9), -1) @ v


def scale_by_length(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=1 / math.sqrt(k.size(2)))


def scale_after_softmax(q, k, v, allowed):
    return no_scale(q, k, v, allowed) / q.shape[-1] ** 0.5


def softmax_over_queries(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return F.softmax(scores.masked_fill(~allowed, -1e9), dim=2) @ v


def softmax_over_heads(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return softmax_by_hand(scores.masked_fill(~allowed, -1e9), 1) @ v


def weights_at_keys(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, k, attn_mask=allowed)


def mask_after(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return softmax_by_hand(scores, -1).masked_fill(~allowed, 0.0) @ v


def mask_inverted(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return F.softmax(torch.where(allowed, -1e9, scores), dim=-1) @ v


def mask_ignored(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v)


def mask_multiplied(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return F.softmax(scores * allowed.float(), dim=-1) @ v


def slip_of_the_exponent(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
    return F.softmax(torch.where(allowed, scores, -1e-9), dim=-1) @ v


def keys_at_queries(q, k, v, allowed):
    scores = k @ q.transpose(-2, -1) / k.shape[-1] ** 0.5
    return F.softmax(scores.masked_fill(~allowed, -INFINITY), dim=-1) @ v


def one_sum_for_all(q, k, v, allowed):
    scores = (q @ k.mT / k.shape[-1] ** 0.5).masked_fill(~allowed, -INFINITY)
    return scores.exp() / scores.exp().sum() @ v


def one_sum_for_a_table(q, k, v, allowed):
    shares = torch.exp(q @ k.mT / k.shape[-1] ** 0.5) * allowed
    return shares / shares.flatten(2).sum(-1)[..., None, None] @ v


def root_of_the_cards(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=4**-0.5)


def root_of_the_batch(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=len(k) ** -0.5)


def neither_scale_nor_mask(q, k, v, allowed):
    scores = torch.einsum("bhtk,bhsk->bhts", q, k)
    return softmax_by_hand(scores, -1).masked_fill(~allowed, 0.0) @ v


def mask_not_kept(q, k, v, allowed):
    scores = q @ k.mT / k.shape[-1] ** 0.5
    scores.masked_fill(~allowed, -INFINITY)
    return scores.softmax(-1) @ v


def ask_softly(wanted, n_keys):
    return F.one_hot(wanted, n_keys) * 3, torch.eye(n_keys) * 2


def ask_by_number(wanted, n_keys):
    return 7.0 * wanted.reshape(-1, 1), torch.arange(n_keys).reshape(-1, 1) * 3.0


def ask_the_first_rows(wanted, n_keys):
    keys = 50 * torch.eye(n_keys)
    return keys[[i % n_keys for i in range(len(wanted))]] * 50, keys


def ask_the_next(wanted, n_keys):
    keys = 30 * torch.eye(n_keys)
    return torch.stack([keys[(int(w) + 1) % n_keys] for w in wanted]) * 30, keys


def ask_the_opposite(wanted, n_keys):
    keys = torch.eye(n_keys)
    return 1000.0 * (1 - keys[wanted]) - 1000.0, keys


def one_view(x, n_heads):
    return x.contiguous().view(x.shape[0], n_heads, x.shape[1], -1)


def order_forgotten(x, n_heads):
    return x.unflatten(-1, (n_heads, -1))


def features_first(x, n_heads):
    return x.unflatten(2, (-1, n_heads)).movedim(3, 1)


def heads_as_size(x, n_heads):
    return torch.stack(x.split(n_heads, dim=-1), dim=1)


def batch_in_the_cut(x, n_heads):
    b, t, d = x.shape
    return torch.stack(x.flatten().chunk(n_heads)).reshape(n_heads, b, t, d // n_heads).movedim(0, 1)


def one_view_back(x):
    return x.contiguous().view(x.shape[0], x.shape[2], -1)


def mean_of_heads(x):
    return sum(x[:, h] for h in range(x.shape[1])) / x.shape[1]


def sum_of_heads(x):
    return torch.einsum("bhtk->btk", x)


def interleaved_back(x):
    return torch.stack(x.unbind(dim=1), dim=-1).flatten(2)


def cat_along_words(x):
    return torch.cat(x.unbind(dim=1), dim=1)


def projected(x_q, x_kv, params, n_heads):
    """q, k, v of one head each, as lists: the layer as a loop over heads."""
    q, k, v = (
        F.linear(x, params["W_" + n], params["b_" + n]) for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v"))
    )
    return [x.chunk(n_heads, dim=-1) for x in (q, k, v)]


def looped(x_q, x_kv, params, n_heads, allowed, *, scale=None, out=True, axis=-1, mask=None):
    heads = []
    for h, (q, k, v) in enumerate(zip(*projected(x_q, x_kv, params, n_heads), strict=True)):
        scores = q @ k.mT / (scale or q.shape[-1] ** 0.5)
        seen = allowed[:, h if mask is None else mask]
        heads.append((scores.masked_fill(~seen, -INFINITY), v))
    if axis == 0:
        weights = softmax_by_hand(torch.stack([scores for scores, _ in heads]).clamp(min=-1e9), 0)
    else:
        weights = [torch.softmax(scores, dim=axis) for scores, _ in heads]
    merged = torch.cat([w @ v for w, (_, v) in zip(weights, heads, strict=True)], dim=-1)
    return F.linear(merged, params["W_o"], params["b_o"]) if out else merged


def layer_by_torch(x_q, x_kv, params, n_heads, allowed):
    """torch's own function, whose boolean mask is the other way round: True = blocked."""
    weight = torch.cat([params["W_" + n] for n in "qkv"])
    bias = torch.cat([params["b_" + n] for n in "qkv"])
    rest = (None, None, False, 0.0, params["W_o"], params["b_o"])
    q, kv = x_q.transpose(0, 1), x_kv.transpose(0, 1)
    output, _ = F.multi_head_attention_forward(
        q, kv, kv, x_q.shape[-1], n_heads, weight, bias, *rest, attn_mask=allowed.flatten(0, 1)
    )
    return output.transpose(0, 1)


def changed(**names):
    """The layer with other parameters, for example ``b_o=0``: a bias that was forgotten."""

    def layer(x_q, x_kv, params, n_heads, allowed):
        params = params | {n: params[n] * 0 if new == 0 else params[new] for n, new in names.items()}
        return looped(x_q, x_kv, params, n_heads, allowed)

    return layer


def transposed(x_q, x_kv, params, n_heads, allowed):
    params = {n: p.T if p.dim() == 2 else p for n, p in params.items()}
    return looped(x_q, x_kv, params, n_heads, allowed)


def layer_split_by_view(x_q, x_kv, params, n_heads, allowed):
    b, t, d = x_q.shape
    q, k, v = (
        F.linear(x, params["W_" + n], params["b_" + n]).view(b, n_heads, -1, d // n_heads)
        for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v"))
    )
    heads = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return F.linear(heads.transpose(1, 2).reshape(b, t, d), params["W_o"], params["b_o"])


def heads_alone(x_q, x_kv, params, n_heads, allowed):
    q, k, v = (torch.stack(x, dim=1) for x in projected(x_q, x_kv, params, n_heads))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)


def keys_of_head_0(x_q, x_kv, params, n_heads, allowed):
    q, k, v = (torch.stack(x, dim=1) for x in projected(x_q, x_kv, params, n_heads))
    heads = F.scaled_dot_product_attention(q, k[:, :1].expand_as(k), v, attn_mask=allowed)
    return F.linear(heads.transpose(1, 2).flatten(2), params["W_o"], params["b_o"])


TABLE = [
    ("hard argmax", "02.soft-dict", "hard-choice", dict_that_forgives),
    ("no softmax", "02.soft-dict", "no-softmax", dict_without_softmax),
    ("weights on keys", "02.soft-dict", "weights-on-keys", dict_of_keys),
    ("softmax over features", "02.soft-dict", "softmax-over-features", dict_of_features),
    ("mean", "02.soft-dict", "plain-mean", dict_of_means),
    ("distance sign", "02.soft-dict", "sign-reversed", dict_of_distances),
    ("no scale", "02.attention", "no-scale", no_scale),
    ("scale by d_model", "02.attention", "scaled-by-d-model", scale_by_d_model),
    ("scale by d_k, no root", "02.attention", "divided-by-d-k", scale_without_root),
    ("scale by √S", "02.attention", "scaled-by-positions", scale_by_length),
    ("scale after softmax", "02.attention", "scale-after-softmax", scale_after_softmax),
    ("softmax over queries", "02.attention", "softmax-over-queries", softmax_over_queries),
    ("wrong softmax axis", "02.attention", "softmax-over-heads", softmax_over_heads),
    ("weights @ keys", "02.attention", "weights-on-keys", weights_at_keys),
    ("mask after the softmax", "02.attention", "mask-after-softmax", mask_after),
    ("mask inverted", "02.attention", "mask-inverted", mask_inverted),
    ("mask ignored", "02.attention", "mask-unused", mask_ignored),
    ("scores × 0", "02.attention", "score-of-zero", mask_multiplied),
    ("-1e-9 for -1e9", "02.attention", "score-of-zero", slip_of_the_exponent),
    ("queries and keys swapped", "02.attention", "queries-and-keys-swapped", keys_at_queries),
    ("one sum for all", "02.attention", "softmax-over-table", one_sum_for_all),
    ("one sum for a table", "02.attention", "softmax-over-table", one_sum_for_a_table),
    ("/ 4**0.5 of the cards", "02.attention", "fixed-number", root_of_the_cards),
    ("/ len(k)**0.5", "02.attention", "scaled-by-batch", root_of_the_batch),
    ("no scale, mask after", "02.attention", "no-scale-mask-after", neither_scale_nor_mask),
    ("masked_fill not kept", "02.attention", "mask-unused", mask_not_kept),
    ("too quiet", "02.retrieval", "too-quiet", ask_softly),
    ("position as a number", "02.retrieval", "one-number", ask_by_number),
    ("looks at itself", "02.retrieval", "wanted-unused", ask_the_first_rows),
    ("one beside", "02.retrieval", "off-by-one", ask_the_next),
    ("away from the wanted", "02.retrieval", "sign-reversed", ask_the_opposite),
    ("view without transpose", "03.split", "view-without-transpose", one_view),
    ("wrong axis order", "03.split", "axes-not-moved", order_forgotten),
    ("K, H order", "03.split", "heads-interleaved", features_first),
    ("n_heads as a size", "03.split", "heads-and-features-exchanged", heads_as_size),
    ("reshape mixes the batch", "03.split", "batch-mixed", batch_in_the_cut),
    ("B and T joined", "03.split", "batch-and-tokens-joined",
     lambda x, h: x.flatten(0, 1).unflatten(-1, (h, -1)).movedim(1, 0)),
    ("heads reversed", "03.split", "heads-reversed",
     lambda x, h: torch.stack(x.chunk(h, dim=-1)[::-1], dim=1)),
    ("view without transpose", "03.merge", "view-without-transpose", one_view_back),
    ("mean over heads", "03.merge", "heads-averaged", mean_of_heads),
    ("sum over heads", "03.merge", "heads-added", sum_of_heads),
    ("wrong order", "03.merge", "heads-interleaved", interleaved_back),
    ("along the words", "03.merge", "joined-along-words", cat_along_words),
    ("no W_O", "03.layer", "no-w-o", lambda *args: looped(*args, out=False)),
    ("heads not merged", "03.layer", "not-merged", heads_alone),
    ("softmax over heads", "03.layer", "softmax-over-heads", lambda *args: looped(*args, axis=0)),
    ("softmax over queries", "03.layer", "softmax-over-queries", lambda *args: looped(*args, axis=1)),
    ("scale by d_model", "03.layer", "scaled-by-d-model",
     lambda *args: looped(*args, scale=args[0].shape[-1] ** 0.5)),
    ("no scale", "03.layer", "no-scale", lambda *args: looped(*args, scale=1.0)),
    ("one mask per head lost", "03.layer", "one-mask-for-all-heads", lambda *args: looped(*args, mask=0)),
    ("True = attend or block?", "03.layer", "mask-inverted", layer_by_torch),
    ("biases forgotten", "03.layer", "biases-forgotten", changed(b_q=0, b_k=0, b_v=0, b_o=0)),
    ("b_o forgotten", "03.layer", "biases-forgotten", changed(b_o=0)),
    ("W not transposed", "03.layer", "not-transposed", transposed),
    ("split by view", "03.layer", "split-by-view", layer_split_by_view),
    ("same keys for all heads", "03.layer", "same-keys-for-all-heads", keys_of_head_0),
    ("W_q = W_k", "03.layer", "one-matrix-for-two", changed(W_k="W_q", b_k="b_q")),
    ("more heads cost more", "03.count", "times-heads", lambda d, h: h * count(d, h)),
    ("biases forgotten", "03.count", "biases-forgotten", lambda d, h: count(d, h, bias=False)),
    ("b_o for each head", "03.count", "b-o-for-each-head", lambda d, h: count(d, h) + (h - 1) * d),
    ("a matrix is a row", "03.count", "one-row-for-a-matrix", lambda d, h: 4 * (d + 1)),
    ("no W_O", "03.count", "no-w-o", lambda d, h: count(d, h) - d * (d + 1)),
    ("W_O gives one head", "03.count", "w-o-gives-one-head",
     lambda d, h: count(d, h) - d * (d + 1) + nn.Linear(d, d // h).weight.numel() + d // h),
    ("one head only", "03.count", "one-head-only",
     lambda d, h: 3 * (d + 1) * (d // h) + (d + 1) * d),
]  # fmt: skip


def count(d_model, n_heads, bias=True):
    layer = nn.MultiheadAttention(d_model, n_heads, bias=bias, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.parametrize(("words", "id", "name", "function"), TABLE, ids=[f"{r[1]}:{r[0]}" for r in TABLE])
def test_what_learners_get_wrong_is_named(words, id, name, function):
    result = desk.run_check(id, function)
    assert (result.kind, result.misconception) == ("misconception", name), result.message


def test_the_right_answer_in_other_words_passes():
    assert desk.run_check("03.layer", looped).passed
    assert desk.run_check("03.layer", lambda *args: layer_by_torch(*args[:-1], ~args[-1])).passed
    assert desk.run_check("03.count", count).passed
    assert desk.run_check("03.split", lambda x, h: torch.stack(x.chunk(h, dim=-1), dim=1)).passed
    assert desk.run_check("03.merge", lambda x: torch.cat(x.unbind(dim=1), dim=-1)).passed
    assert desk.run_check(
        "02.attention", lambda q, k, v, allowed: F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    ).passed
    assert desk.run_check(
        "02.soft-dict",
        lambda query, keys, values: F.scaled_dot_product_attention(query[None], keys, values, scale=1.0)[0],
    ).passed


def test_each_exercise_of_the_contract_is_there():
    assert IDS == [
        "02.soft-dict", "02.attention", "02.retrieval", "03.split", "03.merge", "03.layer", "03.count",
    ]  # fmt: skip
    assert [p.id for p in two.PREDICTIONS] == [
        f"02.{name}" for name in ("lookup", "variance", "saturated", "axis", "permute", "tied", "cost")
    ]
    assert [p.id for p in three.PREDICTIONS] == [
        f"03.{name}" for name in ("two-lookups", "view", "cost", "too-many", "remove", "code", "one-mask")
    ]
    assert all(len(e.misconceptions) >= 6 for e in (*two.EXERCISES, *three.EXERCISES))
    assert min(len(two.RECALL), len(three.RECALL)) >= 4


# --- whatever a learner hands in ------------------------------------------------------------------


@pytest.mark.parametrize("id", IDS)
def test_half_done_work_is_told_kindly(id):
    names = ", ".join(desk.exercises()[id].parameters)
    space: dict = {}
    exec(f"def empty({names}): ...\ndef fails({names}): raise ZeroDivisionError('oh')", space)
    exec(f"def forgets({names}):\n    answer = 1\n", space)
    exec(f"def fewer({names.split(', ')[0]}):\n    return 1\n", space)
    assert desk.run_check(id, space["empty"]).kind == "stub"
    fails = desk.run_check(id, space["fails"])
    assert (fails.status, fails.kind) == ("not yet", "error") and "ZeroDivisionError: oh" in fails.message
    forgets = desk.run_check(id, space["forgets"])
    outputs = [output.name for output in desk.exercises()[id].outputs]
    last = ", ".join(outputs) if len(outputs) > 1 else "answer"
    assert forgets.kind == "none" and f"`return {last}`" in forgets.message
    if names.count(","):
        assert desk.run_check(id, space["fewer"]).kind == "parameters"
    for value in (1, "text", torch.ones(2), torch.tensor(float("nan")), [], (), None, True, {}):
        assert desk.run_check(id, lambda *args, value=value: value).status == "not yet"


def test_a_changed_input_is_found_in_a_tensor_and_in_a_dict():
    def in_place(q, k, v, allowed):
        q /= k.shape[-1] ** 0.5
        return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=1.0)

    assert desk.run_check("02.attention", in_place).kind == "changed-input"

    def in_the_dict(x_q, x_kv, params, n_heads, allowed):
        params["W_q"] *= 2
        params["W_q"] /= 2
        params["b_k"] += 1  # adds the same to all scores of a row: the output stays right
        return looped(x_q, x_kv, params, n_heads, allowed)

    result = desk.run_check("03.layer", in_the_dict)
    assert result.kind == "changed-input" and "`params`" in result.message
    assert desk.run_check("03.layer", looped).passed


# --- inputs ---------------------------------------------------------------------------------------


def test_inputs_hold_what_breaks_symmetry():
    for case in two.SOFT_DICT.cases():
        if len(case.args[1]) > 1 and not case.large:
            assert len(case.args[1].unique(dim=0)) < len(case.args[1]), "a key stands twice"
    assert any(not a.is_contiguous() for c in two.SOFT_DICT.cases() for a in c.args)
    for case in two.ATTENTION.cases():
        q, k, _, allowed = case.args
        full = allowed.expand(*q.shape[:3], k.shape[2])
        assert full.any(dim=-1).all() and (k.shape[2] == 1 or not full.all())
        assert case.large or torch.equal(k[0, :, -1], k[0, :, 0]), "a repeated word"
    assert [c.args[3].dim() for c in two.ATTENTION.cases()] == [4, 2, 4, 2, 4, 2, 2]
    assert any(not c.args[0].is_contiguous() for c in two.ATTENTION.cases())
    for case in three.LAYER.cases():
        x_q, _, params, n_heads, allowed = case.args
        assert all((p != 0).all() for p in params.values()), "no bias is zero"
        assert allowed.any(dim=-1).all()
        if n_heads > 1 and allowed.shape[-1] > 1:
            assert not torch.equal(allowed[:, 0], allowed[:, 1]), "heads have different masks"
        assert x_q.shape[-1] % n_heads == 0
    assert {c.args[0].is_contiguous() for c in three.SPLIT.cases()} == {True, False}
    assert {c.args[0].is_contiguous() for c in three.MERGE.cases()} == {True, False}
    for case in (*three.SPLIT.cases(), *three.MERGE.cases()):
        assert len(case.args[0].unique()) == case.args[0].numel(), "the tutor looks numbers up"


# --- the hand-made functions equal the library's --------------------------------------------------


def test_attention_equals_the_library():
    for case in two.ATTENTION.cases():
        q, k, v, allowed = case.args
        theirs, _ = attention.scaled_dot_product_attention(q, k, v, allowed)
        assert torch.allclose(two.ATTENTION.reference(q, k, v, allowed), theirs, atol=1e-6)


def test_a_soft_dict_is_one_row_of_attention():
    for case in two.SOFT_DICT.cases():
        query, keys, values = case.args
        theirs, _ = attention.scaled_dot_product_attention(query[None] * len(query) ** 0.5, keys, values)
        assert torch.allclose(two.SOFT_DICT.reference(query, keys, values), theirs[0], atol=1e-6)


def test_split_and_merge_equal_the_library_and_undo_each_other():
    for case in three.SPLIT.cases():
        x, n_heads = case.args
        heads = three.SPLIT.reference(x, n_heads)
        assert torch.equal(heads, attention.split_heads(x, n_heads))
        assert torch.equal(three.MERGE.reference(heads), attention.merge_heads(heads))
        assert torch.equal(three.MERGE.reference(heads), x)


def test_the_layer_equals_the_library():
    for case in three.LAYER.cases():
        x_q, x_kv, params, n_heads, allowed = case.args
        layer = attention.MultiHeadAttention(x_q.shape[-1], n_heads)
        with torch.no_grad():
            for n in "qkvo":
                getattr(layer, "W_" + n).weight.copy_(params["W_" + n])
                getattr(layer, "W_" + n).bias.copy_(params["b_" + n])
            theirs, _ = layer(x_q, x_kv, x_kv, allowed)
        assert torch.allclose(three.LAYER.reference(*case.args), theirs, atol=1e-5)


def test_the_count_equals_the_library():
    for case in three.COUNT.cases():
        layer = attention.MultiHeadAttention(*case.args)
        assert three.COUNT.reference(*case.args) == sum(p.numel() for p in layer.parameters())


# --- queries and keys by hand: many answers are right ---------------------------------------------


def test_many_answers_are_right():
    def on_a_circle(wanted, n_keys):
        angle = torch.arange(n_keys) * 2 * math.pi / n_keys
        keys = torch.stack([angle.cos(), angle.sin()], dim=1)  # K = 2 for any number of keys
        return 2000 * keys[wanted], keys

    def on_a_parabola(wanted, n_keys):
        j, w = torch.arange(n_keys).double(), wanted.double()
        return 50 * torch.stack([2 * w, -torch.ones_like(w)], 1), torch.stack([j, j**2], 1)  # -(w-j)² + w²

    def at_random(wanted, n_keys):
        keys = torch.randn(n_keys, 200, generator=torch.Generator().manual_seed(0), requires_grad=True)
        return 5 * keys[wanted], keys

    def whole_numbers(wanted, n_keys):
        return 10 * F.one_hot(wanted, n_keys), 20 * torch.eye(n_keys, dtype=torch.long)

    for way in (on_a_circle, on_a_parabola, at_random, whole_numbers):
        assert desk.run_check("02.retrieval", way).passed, way.__name__


@pytest.mark.parametrize(("gap", "passes"), [(4.5, False), (8.2, False), (8.4, True)])
def test_the_line_is_at_99_percent(gap, passes):
    """With 40 keys, a score that is `gap` above the others gets eᵍ / (eᵍ + 39) of the weight."""
    assert (math.exp(gap) / (math.exp(gap) + 39) >= 0.99) == passes

    def way(wanted, n_keys):
        return gap * n_keys**0.5 * torch.eye(n_keys)[wanted], torch.eye(n_keys)

    assert desk.run_check("02.retrieval", way).passed == passes


def test_shapes_by_hand_are_told_without_a_traceback():
    def other_sizes(wanted, n_keys):
        return torch.eye(len(wanted)), torch.eye(n_keys)

    result = desk.run_check("02.retrieval", other_sizes)
    assert result.kind == "shape" and result.line is None
    assert "your `q` has 4 features and your `k` has 5." in result.message
    guessed = desk.run_check("02.retrieval", lambda w, n: (100.0 * F.one_hot(w), torch.eye(n)))
    assert "give it `n_keys`" in guessed.message and "one_hot" not in result.message
    flat = desk.run_check("02.retrieval", lambda wanted, n_keys: (wanted, torch.arange(n_keys)))
    assert "your `q` has shape (4,); it needs two axes, with 4 rows" in flat.message
    one = desk.run_check("02.retrieval", lambda wanted, n_keys: torch.eye(n_keys)[wanted])
    assert one.kind == "type" and "`return q, k`" in one.message


# --- messages that measure ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "function", "says"),
    [
        ("02.attention", no_scale, "your scores are √6 ≈ 2.45 times too large"),
        ("02.attention", scale_by_d_model, "1.73 times too small: you divide by √18"),
        ("02.attention", scale_after_softmax, "your rows of weights sum to 0.41"),
        ("02.soft-dict", dict_that_forgives, "the best key has a share of 58%"),
        ("02.retrieval", ask_softly, "one row puts 0.79 there with 5 keys"),
        ("03.split", one_view, "from tokens 0, 1 of 5, and never sees"),
        ("03.split", features_first, "head 0 gets the features 0, 3, 6 …"),
        ("03.merge", one_view_back, "your first row holds tokens 0, 1, 2 of head 0"),
        ("03.layer", lambda *args: looped(*args, scale=1.0), "√6 ≈ 2.45 times too large"),
        ("03.count", lambda d, h: h * count(d, h), "133,120 numbers"),
        ("03.count", lambda d, h: count(d, h, bias=False), "missing: 256 numbers"),
    ],
)
def test_messages_that_measure(id, function, says):
    message = desk.run_check(id, function).message
    assert says in message, message


def layer_that_keeps_weights(x_q, x_kv, params, n_heads, allowed, *, both=True):
    q, k, v = (torch.stack(x, dim=1) for x in projected(x_q, x_kv, params, n_heads))
    found = attention.scaled_dot_product_attention(q, k, v, allowed)
    heads = found[0] if both else found  # not taken apart: a tuple
    merged = heads.transpose(1, 2).flatten(2)
    return F.linear(merged, params["W_o"], params["b_o"]), found[1]


@pytest.mark.parametrize(
    ("id", "function", "says"),
    [
        ("03.layer", lambda *args: layer_that_keeps_weights(*args), "Return `output` only."),
        ("03.layer", lambda *args: layer_that_keeps_weights(*args, both=False), "`output, weights = …`"),
        ("03.layer", lambda *args: looped_with_axis(*args), "no `[:, None]` here"),
        ("03.split", lambda x, h: x.chunk(h, dim=-1), "`torch.stack(…, dim=1)` joins"),
        ("03.split", lambda x, h: x.flatten(0, 1), ": axes were joined"),
        ("03.merge", lambda x: x.permute(2, 0, 1, 3).contiguous(), "axes must still be joined"),
    ],
)
def test_slips_of_chapter_03_that_are_no_wrong_idea_get_advice(id, function, says):
    message = desk.run_check(id, function).message
    assert says in message, message


def looped_with_axis(x_q, x_kv, params, n_heads, allowed):
    q, k, v = (torch.stack(x, dim=1) for x in projected(x_q, x_kv, params, n_heads))
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~allowed[:, None], -INFINITY)
    merged = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(*x_q.shape)
    return F.linear(merged, params["W_o"], params["b_o"])


def test_measured_shares_and_leaks_are_true():
    q, k, _, allowed = two.ATTENTION.cases()[0].args
    open_weights = torch.softmax(q @ k.mT / k.shape[-1] ** 0.5, dim=-1)
    lost = (open_weights * ~allowed).sum(-1).max().item()
    assert (
        f"One query gives {lost:.0%} of its attention" in desk.run_check("02.attention", mask_ignored).message
    )
    left = (open_weights * allowed).sum(-1).min().item()
    assert f"weights sums to {left:.2f}" in desk.run_check("02.attention", mask_after).message
    left = (torch.softmax(q @ k.mT, dim=-1) * allowed).sum(-1).min().item()
    message = desk.run_check("02.attention", neither_scale_nor_mask).message
    assert f"weights sums to {left:.2f}" in message and "divide the scores by √6" in message


def test_a_sum_that_loses_its_axis_is_explained():
    def no_keepdim(q, k, v, allowed):
        scores = (q @ k.mT / k.shape[-1] ** 0.5).masked_fill(~allowed, -INFINITY)
        return scores.exp() / scores.exp().sum(-1) @ v

    result = desk.run_check("02.attention", no_keepdim)
    assert result.kind == "error" and "keepdim=True" in result.message


def test_a_number_at_a_wrong_place_is_traced():
    words = three.SPLIT.cases()[0].args[0].shape[1]

    def strange(x, n_heads):
        return x.reshape(*x.shape[:2], n_heads, -1).transpose(1, 2).flip(2)

    message = desk.run_check("03.split", strange).message
    assert (
        "In sentence 0, feature 0 of token 0 in head 0 should be feature 0 of that token; you have put "
        f"feature 0 of token {words - 1} there." in message
    )
    mixed = desk.run_check("03.split", batch_in_the_cut)
    assert "of sentence 1 there" in mixed.message


# --- the predictions are true ---------------------------------------------------------------------


def right(id):
    prediction = desk.predictions()[id]
    return prediction.options[prediction.right].text


def test_a_query_that_fits_two_keys_gets_the_value_between():
    keys = torch.tensor([[6.0, 0], [0, 6], [-6, 0], [0, -6]])
    values = torch.tensor([[10.0], [30.0], [500.0], [900.0]])
    found = two.SOFT_DICT.reference(torch.tensor([2.0, 2.0]), keys, values)
    assert found.item() == pytest.approx(20, abs=1e-3) and "halfway" in right("02.lookup")


def test_variance_and_saturation():
    g = torch.Generator().manual_seed(0)
    scores = (torch.randn(20_000, 64, generator=g) * torch.randn(20_000, 64, generator=g)).sum(-1)
    assert scores.var().item() == pytest.approx(64, rel=0.05) and "64" in right("02.variance")
    for pair, factor in (((0.0, 0.0), 0.25), ((8.0, -8.0), 1e-7)):
        x = torch.tensor(pair, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(torch.softmax(x, 0)[0], x)
        assert gradient[0].item() == pytest.approx(factor, rel=0.2)
    assert "0.0000001" in right("02.saturated")


def test_axis_permutation_and_ties():
    g = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 5, generator=g)
    wrong = torch.softmax(scores, dim=0)
    assert torch.allclose(wrong.sum(0), torch.ones(5)) and wrong.sum().item() == pytest.approx(5)
    assert "Each column" in right("02.axis")
    x, order = torch.randn(5, 8, generator=g), torch.tensor([3, 0, 4, 1, 2])
    w = [torch.randn(8, 8, generator=g) for _ in range(3)]

    def attend(x, matrices=w):
        return attention.scaled_dot_product_attention(*(x @ m for m in matrices))

    assert torch.allclose(attend(x[order])[0], attend(x)[0][order], atol=1e-5)
    assert "keeps its output vector" in right("02.permute")
    tied = (x @ w[0]) @ (x @ w[0]).T
    assert torch.allclose(tied, tied.T) and (tied.diagonal() >= 0).all()
    weights = torch.softmax(tied, -1)
    assert not torch.allclose(weights, weights.T, atol=1e-2), "the weights need not be symmetric"


def test_view_cost_and_one_mask():
    x = torch.arange(24.0).view(1, 4, 6)
    assert torch.equal(x.view(1, 2, 4, 3)[0, 0].flatten(), x[0, :2].flatten())
    assert "first two tokens" in right("03.view")
    assert three.COUNT.reference(64, 1) == three.COUNT.reference(64, 8)
    assert right("03.cost") == "It stays the same."
    allowed = torch.tensor([[[True, False]], [[False, True]]])  # (B, T, S) with one query
    scores = torch.zeros(2, 2, 1, 2).masked_fill(~allowed, -INFINITY)
    assert torch.equal(scores.isfinite()[0], allowed) and torch.equal(scores.isfinite()[1], allowed)
    with pytest.raises(RuntimeError):
        torch.zeros(2, 3, 1, 2).masked_fill(~allowed, -INFINITY)


def test_with_one_feature_the_largest_or_the_smallest_key_wins():
    keys = torch.tensor([[-2.0], [-1.0], [0.5], [3.0]])
    best = {torch.softmax(keys @ torch.tensor([q]), 0).argmax().item() for q in (-9.0, -1.0, 0.3, 5.0)}
    assert best == {0, 3} and "largest number" in right("03.too-many")


def test_leaving_out_b_k_changes_nothing():
    assert desk.run_check("03.layer", changed(b_k=0)).passed
    assert "without b_k" in three.LAYER.insight


def rows(name, **wanted):
    found = json.loads((RECORDS / f"{name}.json").read_text())["rows"]
    return [row for row in found if all(row[key] == value for key, value in wanted.items())]


def test_two_look_ups_follow_the_record():
    last = rows("heads", heads=1, step=600)
    assert len(last) >= 3
    for row in last:
        low, high = sorted((row["left"], row["right"]))
        assert high > 0.9 and low < 0.2, "one question answered, the other about as well as by guessing"
    taken = {row["left"] > row["right"] for row in last}
    assert taken == {True, False}, "which of the two differs from seed to seed"
    assert "one question is answered, the other one given up" in right("03.two-lookups")


def test_removing_heads_follows_the_record():
    for row in rows("remove"):
        assert min(row["lost_left"], row["lost_right"]) < 0.1, "the other look-up hardly suffers"
    assert min(row["lost"] for row in rows("remove", heads=2)) > 0.9
    assert min(row["lost"] for row in rows("remove", heads=8)) < 0.05
    assert max(row["lost"] for row in rows("remove", heads=8)) > 0.3
    assert "One of the two look-ups suffers" in right("03.remove")


# --- recall ---------------------------------------------------------------------------------------


def test_each_door_asks_the_chapter_before():
    assert set(desk.recall_questions("03")[:2]) <= set(two.RECALL)
    assert set(desk.recall_questions("04")[:2]) <= set(three.RECALL)
    assert desk.recall_questions("04")[-1] in two.RECALL
    words = " ".join(question.answer for question in two.RECALL + three.RECALL)
    for claim in ("not regularization", "(H·d_v) × d_model", "permutation equivariance", "√8"):
        assert claim in words
