"""What is said must be true of the answer: answers that once got a sentence that did not fit them."""

import numpy
import pytest
import torch
from torch.nn import functional as F

from course_lib.practice import desk


def no_keepdim(scores, allowed):
    w = torch.exp(scores.masked_fill(~allowed[:, None, :], -torch.inf))
    return w / w.sum(-1)


def turned_for_torch(q, k, v, allowed):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=~allowed)


def softmax_mask_softmax(q, k, v, allowed):
    w = torch.softmax(q @ k.mT / k.shape[-1] ** 0.5, dim=-1)
    return torch.softmax(w.masked_fill(~allowed, -torch.inf), dim=-1) @ v


def two_axes_more(q, k, v, allowed):
    return torch.ones(*q.shape, 1, 7)


def by_tensordot(weights, h):
    return torch.tensordot(weights, h, dims=([2], [1]))


def context_left_out(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(y_prev, s_prev), context, weights


def equal_key(query, keys, values):
    for k, v in zip(keys, values, strict=True):
        if torch.equal(k, query):
            return v


def turned_queries(wanted, n_keys):
    k = torch.eye(n_keys)
    return (100 * k[wanted]).T, k


def tied(wanted, n_keys):
    return 100 * torch.eye(n_keys)[wanted], torch.ones(n_keys, n_keys) + torch.eye(n_keys) * (
        torch.arange(n_keys) != 0
    )


def low(scores, allowed):
    s = scores.masked_fill(~allowed, -1e30)
    return torch.exp(s - s.amax(-1, keepdim=True)) * allowed


def sum_detached(scores, allowed):
    e = low(scores, allowed)
    return e / (e.sum(-1, keepdim=True).detach() + ~allowed.any(-1, keepdim=True))


def more_in_the_sum(scores, allowed):
    e = low(scores, allowed)
    return e / (e.sum(-1, keepdim=True) + 1e-2)


def log_of_the_mask(scores, allowed):
    return torch.softmax(scores + torch.log(allowed + 1e-9), dim=-1) * allowed


def by_numpy(scores, allowed):
    s = numpy.where(allowed.numpy(), scores.numpy(), -1e30)
    e = numpy.exp(s - s.max(-1, keepdims=True)) * allowed.numpy()
    return torch.tensor(e / numpy.maximum(e.sum(-1, keepdims=True), 1e-30))


def keys_cut_by_t(x_q, x_kv, params, n_heads, allowed):
    b, t, d = x_q.shape
    k = x_kv @ params["W_k"].T + params["b_k"]
    return k.view(b, t, n_heads, d // n_heads)


def merged_list(x):
    return [x[:, h] for h in range(x.shape[1])]


def list_of_lists(T, S):
    return [[key <= query + S - T for key in range(S)] for query in range(T)]


def forgotten_step(y_prev, s_prev, h, allowed, attend, cell):
    context, _ = attend(s_prev, h, allowed)
    s = cell(torch.cat([y_prev, context], -1), s_prev)  # noqa: F841


def inverted_step(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, ~allowed)
    return cell(torch.cat([y_prev, context], -1), s_prev), context, weights


def bare_exp(q, k, v, allowed):
    e = torch.exp(q @ k.mT / k.shape[-1] ** 0.5) * allowed
    return e / e.sum(-1, keepdim=True) @ v


def renormalised(scores, allowed):
    w = torch.softmax(scores, -1) * allowed[:, None]
    return w / w.sum(-1, keepdim=True)


def bare_numbers(values, weights):
    return ((values * weights).sum() / weights.sum()).item()


def looks_again(y_prev, s_prev, h, allowed, attend, cell):
    found, _ = attend(s_prev, h, allowed)
    s = cell(torch.cat((y_prev, found), 1), s_prev)
    return s, *attend(s, h, allowed)


def exp_over_padding(scores, allowed):
    e = scores.exp().masked_fill(~allowed[:, None], 0.0)
    return e / e.sum(2, keepdim=True)


def exp_with_a_floor(scores, allowed):
    e = scores.exp().masked_fill(~allowed, 0.0)
    return e / torch.clamp(e.sum(3, keepdim=True), min=1e-8)


def softmax_of_one_column(query, keys, values):
    fit = (keys * query).sum(1, keepdim=True)
    return (F.softmax(fit, 1) * values).sum(0)


def nearly_enough(wanted, n_keys):  # with five keys the share is 0.987
    k = torch.eye(n_keys)
    return (12.8 if n_keys == 5 else 500.0) * k[wanted], k


def rows_of_modules(d_model, n_heads):
    return sum(len(p) for _ in "qkvo" for p in torch.nn.Linear(d_model, d_model).parameters())


def all_axes_turned(x):
    b, h, t, k = x.shape
    return x.permute(3, 2, 1, 0).reshape(b, t, h * k)


def layer_of(x_q, params, split, k_from, v_from, allowed):
    q, k, v = (
        split(x @ params[f"W_{n}"].T + params[f"b_{n}"])
        for n, x in (("q", x_q), ("k", k_from), ("v", v_from))
    )
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return mixed.transpose(1, 2).flatten(2) @ params["W_o"].T + params["b_o"]


def keys_of_the_queries(x_q, x_kv, params, n_heads, allowed):
    def split(x):
        return x.unflatten(2, (n_heads, -1)).transpose(1, 2)

    return layer_of(x_q, params, split, x_q, x_q, allowed)


def viewed_heads(x_q, x_kv, params, n_heads, allowed):
    def split(x):
        return x.reshape(len(x), n_heads, x.shape[1], -1)

    return layer_of(x_q, params, split, x_kv, x_kv, allowed)


def sample_statistics(x, W_q, W_k, W_v):
    x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
    return F.scaled_dot_product_attention(x @ W_q.T, x @ W_k.T, x @ W_v.T, is_causal=True)


def divided_again(scores, allowed):
    w = allowed * torch.softmax(scores, 3)
    return w / w.sum(3, keepdim=True)


def zeros_before_and_after(scores, allowed):
    return torch.softmax(scores.masked_fill(~allowed, 0.0), 3).masked_fill(~allowed, 0.0)


def even_where_empty(scores, allowed):
    some = allowed.any(3, keepdim=True)
    return torch.softmax(torch.where(allowed, scores, -torch.inf).where(some, 1.0), 3)


def own_past(text):
    return (text.unsqueeze(2).eq(text.unsqueeze(1)) * torch.ones(text.shape[1], text.shape[1]).tril() > 0)[
        :, None
    ]


TABLE = [  # exercise, answer, what is said, what is not said
    ("01.weights", no_keepdim, "keepdim=True", "give it an axis for T"),
    ("02.attention", turned_for_torch, "takes `allowed` as it is", "so it needs `~allowed`"),
    ("02.attention", softmax_mask_softmax, "You take the softmax twice", "sums to"),
    ("02.attention", two_axes_more, "2 axes too many", "sum over"),
    ("01.context", by_tensordot, "an axis too many", "sum over"),
    ("01.decoder-step", context_left_out, "E + D_h features", "Look at the order"),
    ("02.soft-dict", equal_key, "There is a `return`", "last line missing"),
    ("02.retrieval", turned_queries, "it needs two axes, with 4 rows", "You pick the keys"),
    ("02.retrieval", tied, "as much or more", "another key higher"),
    ("04.softmax", sum_detached, "Your weights are right, and the gradient", "Nearly"),
    ("04.softmax", more_in_the_sum, "do not sum to 1", "lower"),
    ("04.softmax", log_of_the_mask, "take part in your softmax", "You mask after"),
    ("04.softmax", by_numpy, "stay in torch", "detach"),
    ("03.layer", keys_cut_by_t, "x_kv has S", "axis for the heads already"),
    ("03.merge", merged_list, "`torch.cat(…, dim=-1)` joins", "torch.stack"),
    ("04.causal", list_of_lists, "`torch.tensor(…)`", "torch.stack"),
    ("04.packed", lambda text: own_past(text).transpose(1, 2), "stands at another place", "was lost"),
    ("01.context", lambda weights, h: (weights @ h)[0], "The axis B is missing", "summed"),
    (
        "04.padding",
        lambda ids, pad_id: torch.where(ids == pad_id, 0, ids)[:, None, None],
        "True or False",
        "expected 1.0000",
    ),
    ("01.decoder-step", forgotten_step, "`return s, context, weights`", "`return s`"),
    ("04.causal", lambda T, S: numpy.tri(T, S, S - T, dtype=bool), "NumPy array", "gradients"),
    ("01.decoder-step", inverted_step, "turned round", "padding takes part"),
    ("02.attention", bare_exp, "exp overflows", "softmax twice"),
    ("01.weights", renormalised, "no division brings them back", "exp overflows"),
    ("01.aer", lambda a, s: 1 - 2 * len(a & s) / (len(a) + len(s)) if a or s else 0.0, "make sets", "?"),
    ("01.aer", lambda a, s: len(set(a) & set(s)) / max(len(set(a)), 1), "This is precision", "one minus"),
    ("04.causal", lambda T, S: (torch.ones(T, S) > 0).bool, "Are brackets missing", "infinite"),
    ("00.weighted-mean", lambda v, w: torch.tensor(float("inf")), "your answer is infinite.", "places"),
    ("04.packed", lambda text: own_past(text).mT, "upper triangle", "lost"),
    ("04.packed", lambda text: own_past(text) | own_past(text).mT, "what comes later in their own", "lost"),
    (
        "04.padding",
        lambda ids, p: ((ids != p).cumsum(1) > 0)[:, None, None],
        "stands in front",
        "at the end: it",
    ),
    ("01.decoder-step", looks_again, "`s` is right", "you step first"),
    ("01.weights", exp_over_padding, "First set the forbidden scores to -inf", "Take the largest score off"),
    ("04.softmax", exp_with_a_floor, "exp overflows", "a softmax over a row"),
    ("02.soft-dict", softmax_of_one_column, "must run over the S keys", "it runs over the features"),
    ("02.retrieval", nearly_enough, "one row puts 0.98 there", "0.99"),
    ("03.count", rows_of_modules, "`p.numel()` counts all", "has one row"),
    ("03.count", lambda d, h: 4 * (d + 1), "has one row", "numel"),
    ("03.merge", all_axes_turned, "of sentence 1 there. So the sentences are mixed", "tokens are mixed"),
    ("03.merge", lambda x: x.mT.reshape(len(x), x.shape[2], -1), "wrong places", "sentences are mixed"),
    ("03.split", lambda x, n: torch.stack(x.split(x.shape[2] // n, 2)), "`.transpose(0, 1)` puts", "(1, 2)"),
    (
        "03.split",
        lambda x, n: x.unflatten(2, (n, -1)).permute(2, 1, 0, 3),
        "you return (H, T, B, K)",
        "transpose(0, 1)",
    ),
    ("03.split", lambda x, n: x.reshape(len(x), n, x.shape[1], -1), "from tokens 0, 1 of 5", "whole tokens"),
    (
        "03.split",
        lambda x, n: x.mT.reshape(len(x), n, x.shape[1], -1),
        "runs over several tokens",
        "made of one feature",
    ),
    ("03.layer", keys_of_the_queries, "at least one comes from the wrong", "Queries, keys and values come"),
    ("03.layer", viewed_heads, "one stretch of the sentence", "whole tokens"),
    ("04.leak", sample_statistics, "a std over the positions is still there", "is found"),
    ("04.prefix", lambda T, n: torch.ones(T, T).tril(n - 1) > 0, "by 1 (n_prefix is 2)", "by the length"),
    ("04.prefix", lambda T, n: torch.ones(T, T).tril(n) > 0, "by 2 (n_prefix is 2)", "by the length"),
    ("04.softmax", divided_again, "in a division by its sum", "A row of only -∞"),
    ("04.softmax", zeros_before_and_after, "that part is lost", "of the weight goes to"),
    ("04.softmax", even_where_empty, "whatever the scores of the row are", "lowered"),
]


@pytest.mark.parametrize(("id", "function", "says", "not_so"), TABLE)
def test_what_is_said_fits_the_answer(id, function, says, not_so):
    result = desk.run_check(id, function)
    assert not result.passed
    assert says in result.message and not_so not in result.message, result.message


def test_a_python_number_is_a_right_answer_of_the_very_first_exercise():
    assert desk.run_check("00.weighted-mean", bare_numbers).passed
