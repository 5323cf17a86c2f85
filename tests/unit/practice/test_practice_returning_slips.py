"""Slips that came back among fresh answers, written as a learner writes them, each with its diagnosis."""

import pytest
import torch

from course_lib.practice import desk, parts


def counts(values, weights):
    return (values * weights).sum() / (weights > 0).sum()


def whole_counts(values, weights):
    many = []
    for v, w in zip(values, weights, strict=True):
        many += [v] * int(w)
    return sum(many) / max(len(many), 1)


def guarded_precision(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    if not guessed:
        return 0.0 if not sure else 1.0
    return 1 - len(guessed & sure) / len(guessed)


def guarded_recall(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    if not sure:
        return float(bool(guessed))
    return 1 - len(guessed & sure) / len(sure)


def in_step(guessed, sure):
    if len(guessed) + len(sure) == 0:
        return 0.0
    hits = sum(a == b for a, b in zip(guessed, sure, strict=False))
    return 1 - 2 * hits / (len(guessed) + len(sure))


def undirected(guessed, sure):
    guessed, sure = ({(min(link), max(link)) for link in links} for links in (guessed, sure))
    if not guessed and not sure:
        return 0.0
    return 1 - 2 * len(guessed & sure) / (len(guessed) + len(sure))


def other_letter(weights, h):
    return torch.einsum("bts,csd->btd", weights, h)


def from_the_left(scores, allowed):
    out = torch.zeros_like(scores)
    for b, n in enumerate(allowed.sum(-1).tolist()):
        out[b, :, :n] = torch.softmax(scores[b, :, :n], -1)
    return out


def query_number(wanted, n_keys):
    q, k = torch.zeros(len(wanted), len(wanted)), torch.zeros(n_keys, len(wanted))
    for i in range(len(wanted)):
        q[i, i] = 1000.0
        k[i, i] = 1.0
    return q, k


def count_of_tensors(d_model, n_heads):
    return sum(1 for _ in range(4) for _ in torch.nn.Linear(d_model, d_model).parameters())


def one_bias_a_head(d_model, n_heads):
    return 4 * d_model * d_model + n_heads * d_model


def wide_biases(d_model, n_heads):
    return n_heads * 3 * (d_model * (d_model // n_heads) + d_model) + d_model**2 + d_model


def bias_in_the_loop(x_q, x_kv, params, n_heads, allowed):
    K, out = x_q.shape[-1] // n_heads, 0
    split = lambda x: x.unflatten(-1, (n_heads, K)).transpose(1, 2)  # noqa: E731
    q, k, v = (split(parts.linear(x, params, n)) for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v")))
    heads = parts.attend(q, k, v, allowed)
    for h in range(n_heads):
        out = out + heads[:, h] @ params["W_o"][:, h * K : (h + 1) * K].T + params["b_o"]
    return out


def not_split(x_q, x_kv, params, n_heads, allowed):
    q, k, v = (parts.linear(x, params, n) for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v")))
    return parts.linear(parts.attend(q, k, v, allowed.any(dim=1)), params, "o")


def upside_down(T, S):
    return torch.ones(T, S).tril(diagonal=S - T).bool().flip(0)


def neighbour(text):
    B, T = text.shape
    mask = torch.eye(T).bool().repeat(B, 1, 1)
    for i in range(1, T):
        mask[:, i, i - 1] = text[:, i] == text[:, i - 1]
    return mask[:, None]


def queries_and_keys(x, W_q, W_k, W_v):
    def norm(z):
        return (z - z.mean(-1, keepdim=True)) / z.std(-1, keepdim=True, correction=0)

    attention = torch.nn.functional.scaled_dot_product_attention
    return attention(norm(x @ W_q.T), norm(x @ W_k.T), x @ W_v.T, is_causal=True)


def statistics_so_far(x, W_q, W_k, W_v):
    z = torch.zeros_like(x)
    for t in range(x.shape[1]):
        past = x[:, : t + 1]
        z[:, t] = (x[:, t] - past.mean((1, 2))[:, None]) / past.std((1, 2), correction=0)[:, None]
    q, k, v = z @ W_q.T, z @ W_k.T, z @ W_v.T
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


@pytest.mark.parametrize(
    ("id", "answer", "name", "told"),
    [
        (
            "00.weighted-mean",
            counts,
            "divided-by-count-above-0",
            "You divide by how many weights are above 0",
        ),
        ("00.weighted-mean", whole_counts, "fractions-cut-off", "0.25 counts as 0"),
        ("01.aer", guarded_precision, "precision-only", "one minus precision"),
        ("01.aer", guarded_recall, "recall-only", "one minus recall"),
        ("01.aer", in_step, "by-position", "A set has no order"),
        ("01.aer", undirected, "direction-lost", "You make (0, 1) and (1, 0) one link"),
        ("01.context", other_letter, "sentences-added", "the same letter for the batch"),
        (
            "01.weights",
            from_the_left,
            "padding-at-the-end-only",
            "padding gets weight, and the last words get none",
        ),
        ("02.retrieval", query_number, "wanted-unused", "`wanted` has no effect"),
        ("03.count", count_of_tensors, "tensors-counted", "`p.numel()`"),
        ("03.count", one_bias_a_head, "one-bias-for-each-head", "d_model numbers for each head"),
        ("03.count", wide_biases, "biases-of-full-width", "d_k numbers, not d_model"),
        ("03.layer", bias_in_the_loop, "b-o-for-each-head", "it is there H times"),
        ("03.layer", not_split, "one-head", "`n_heads` has no effect"),
        ("04.causal", upside_down, "rows-reversed", "in reversed order"),
        ("04.packed", neighbour, "only-the-neighbour", "itself and the one before it"),
        ("04.leak", queries_and_keys, "projections-normalised", "queries and keys or all three"),
        ("04.leak", statistics_so_far, "statistics-of-all-so-far", "the features of all tokens so far"),
    ],
)
def test_each_slip_gets_its_diagnosis(id, answer, name, told):
    result = desk.run_check(id, answer)
    assert result.misconception == name and told in result.message, result


def test_word_and_context_that_are_added_are_to_be_joined():
    def added(y_prev, s_prev, h, allowed, attend, cell):
        context, weights = attend(s_prev, h, allowed)
        return cell(y_prev + context, s_prev), context, weights

    assert "are joined, not added" in desk.run_check("01.decoder-step", added).message
