"""What was measured is told with its input, advice helps when it is obeyed, and slips come in twos."""

import math

import pytest
import torch

from course_lib.practice import chapter_04, comparing, desk, recognising, repairing, running, slips
from course_lib.practice.chapter_04 import causal, packed, prefix
from course_lib.practice.chapter_04.softmax import my_masked_softmax

MEASURED = [
    pytest.param(exercise, misconception, id=f"{exercise.id}:{misconception.name}")
    for exercise in desk.exercises().values()
    for misconception in exercise.misconceptions
    if not isinstance(misconception.sentence, str)
]


@pytest.mark.parametrize(("exercise", "misconception"), MEASURED)
def test_what_is_another_one_on_each_input_is_told_with_its_input(exercise, misconception):
    cases, seen = exercise.cases(), recognising.through_view(exercise)
    (idea,) = (m for m in seen.misconceptions if m.name == misconception.name)
    told = {}
    for case in cases:
        outcome, right = (
            running.run_ours(idea.ways[0], case.args),
            seen.reference(*map(running.clone, case.args)),
        )
        if outcome.error is None and not comparing.same(outcome.value, right, seen.tolerance):
            try:
                told[case.name] = idea.sentence(right, outcome.value, case.args)
            except Exception:  # it cannot be measured on this input
                continue
    message = desk.run_check(exercise.id, misconception.ways[0]).message
    if len(set(told.values())) > 1:
        named = ("(Measured on the input with {}.)", "On the input with {}: ")
        assert any(form.format(name) in message for name in told for form in named), message


# --- the same slip in other exercises -----------------------------------------------------------------------


def root_below(q, k, v, allowed):
    d_k = q.size(-1)
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / d_k**1 / 2
    return torch.softmax(scores.masked_fill(~allowed, -math.inf), -1) @ v


def root_in_brackets(q, k, v, allowed):
    d_k = q.size(-1)
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / (d_k**1 / 2)
    return torch.softmax(scores.masked_fill(~allowed, -math.inf), -1) @ v


def mask_of_head_0(q, k, v, allowed):
    out = torch.empty(*q.shape[:3], v.shape[-1])
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            scores = q[b, h] @ k[b, h].T / math.sqrt(q.shape[-1])
            out[b, h] = scores.masked_fill(~allowed[b, 0], -math.inf).softmax(-1) @ v[b, h]
    return out


def mask_of_each_head(q, k, v, allowed):
    out = torch.empty(*q.shape[:3], v.shape[-1])
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            scores = q[b, h] @ k[b, h].T / math.sqrt(q.shape[-1])
            out[b, h] = scores.masked_fill(~allowed[b, h], -math.inf).softmax(-1) @ v[b, h]
    return out


def written_out_and_head_0(q, k, v, allowed):
    allowed = allowed.expand(*q.shape[:3], k.shape[2])
    return mask_of_head_0(q, k, v, allowed)


def zeros_for_padding(y_prev, s_prev, h, allowed, attend, cell):
    states = torch.where(allowed[:, :, None], h, 0.0)
    context, weights = attend(s_prev, states, allowed | True)
    return cell(torch.cat([y_prev, context], -1), s_prev), context, weights


def overlapping(x):
    b, n, t, size = x.shape
    merged = x.new_zeros(b, t, n * size)
    for head in range(n):
        merged[:, :, head : size + head] = x[:, head]
    return merged


def three_from_the_example(T, S):
    return torch.ones(T, S).tril(diagonal=3).bool()


def until_the_last_but_one(T, S):
    return torch.tensor([[key <= row + S - 2 for key in range(S)] for row in range(T)])


def by_counts(text):
    out = torch.zeros(len(text), 1, text.shape[1], text.shape[1], dtype=torch.bool)
    for b, row in enumerate(text.tolist()):
        start = 0
        for name in sorted(set(row)):
            many = row.count(name)
            out[b, 0, start : start + many, start : start + many] = torch.ones(many, many).tril().bool()
            start += many
    return out


def cat_along_the_batch(x, n_heads):
    pieces = x.split(x.shape[2] // n_heads, dim=2)
    return torch.cat(pieces).view(len(x), n_heads, x.shape[1], -1)


def flat_batch(x):
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def late_tanh_and_shares(s, h, W_a, U_a, v_a):
    fit = torch.tanh((((s @ W_a.T)[:, None] + h @ U_a.T) * v_a).sum(-1))
    return fit.exp() / fit.exp().sum(-1, keepdim=True)


def layer_with(x_q, x_kv, params, n_heads, allowed, linear, last):
    def heads(x, name):
        return (
            linear(x, params[f"W_{name}"], params[f"b_{name}"]).unflatten(-1, (n_heads, -1)).transpose(1, 2)
        )

    q, k, v = heads(x_q, "q"), heads(x_kv, "k"), heads(x_kv, "v")
    weights = (q @ k.mT / k.shape[-1] ** 0.5).masked_fill(~allowed, -math.inf).softmax(-1)
    return last((weights @ v).transpose(1, 2).flatten(2))


def turned_and_no_w_o(x_q, x_kv, params, n_heads, allowed):
    return layer_with(x_q, x_kv, params, n_heads, allowed, lambda x, w, b: x @ w + b, lambda merged: merged)


def no_scale_and_over_queries(q, k, v, allowed):
    return (q @ k.mT).masked_fill(~allowed, -1e9).softmax(dim=2) @ v


def no_scale_and_no_mask(q, k, v, allowed):
    return (q @ k.mT).softmax(dim=-1) @ v


def float_inverted(T, S):
    return 1.0 - torch.ones(T, S).tril(S - T)


def zero_divided(wanted, n_keys):
    k = torch.arange(n_keys).float()[:, None]
    return 100 * (k / k.norm(dim=1, keepdim=True))[wanted], k / k.norm(dim=1, keepdim=True)


def one_line_mended(x, W_q, W_k, W_v):
    x = (x - x.mean(-1, keepdim=True)) / x.std(-1, correction=0, keepdim=True)
    scores = (x @ W_q.T) @ (x @ W_k.T).mT
    return scores.masked_fill(~torch.ones(x.shape[1], x.shape[1]).tril().bool(), -math.inf).softmax(-1) @ (
        x @ W_v.T
    )


def given_no_answer(T, n_prefix):
    mask = torch.zeros(T, T, dtype=torch.bool)
    for i in range(n_prefix):
        mask[i, :n_prefix] = True
    for i in range(n_prefix, T):
        mask[i, n_prefix:i] = True
    return mask


@pytest.mark.parametrize(
    ("id", "function", "name", "told", "not_so"),
    [
        ("02.attention", root_below, "power-before-division-below", "You divide by 2 · 6 = 12", "d_k twice"),
        (
            "02.attention",
            root_in_brackets,
            "power-before-division",
            "You divide by 3, which is 6 / 2",
            "twice",
        ),
        ("02.attention", mask_of_head_0, "mask-taken-apart", "`allowed.expand(B, H, T, S)`", "differ"),
        ("02.attention", mask_of_each_head, "mask-taken-apart", "`allowed.expand(B, H, T, S)`", "differ"),
        (
            "02.attention",
            written_out_and_head_0,
            "one-mask-for-all-heads",
            "Head h has its own mask",
            "[b, h]",
        ),
        ("01.decoder-step", zeros_for_padding, "padding-as-zeros", "Zeros are an ordinary vector", "differ"),
        ("03.merge", overlapping, "pieces-overlap", "at feature h · K", "differ"),
        ("04.causal", three_from_the_example, "fits-the-example-only", "query 0 sees is 3", "differ"),
        ("04.causal", until_the_last_but_one, "fits-the-example-only", "query 0 sees is 2", "differ"),
        ("04.packed", by_counts, "blocks-in-order-of-names", "in the order of the names", "differ"),
        (
            "03.split",
            cat_along_the_batch,
            "pieces-behind-one-another",
            "`torch.stack(pieces, dim=1)`",
            "only",
        ),
        ("03.merge", flat_batch, "batch-and-heads-joined", "(B·H, T, K)", "A loop over"),
        ("01.scores", late_tanh_and_shares, "tanh-last-and-weights-already", "Two slips", "differ"),
        ("03.layer", turned_and_no_w_o, "not-transposed+no-w-o", "The second: W_o is missing", "differ"),
        (
            "02.attention",
            no_scale_and_over_queries,
            "softmax-over-queries-no-scale",
            "the scale is missing",
            "differ",
        ),
        ("02.attention", no_scale_and_no_mask, "mask-unused-no-scale", "the scale is missing", "twice"),
        ("04.causal", float_inverted, "inverted", "while yours holds float32", "differ"),
        ("02.retrieval", zero_divided, "infinite", "0/0 is NaN, too", "Infinity is too large"),
        ("04.leak", one_line_mended, "scaling-lost", "is mended: leave it", "What must change"),
        (
            "03.count",
            lambda d, h: 3 * d * d + 4 * d,
            "other-count",
            "as 3 matrices of 64 × 64 and 4 biases",
            "W_o",
        ),
        ("04.prefix", given_no_answer, slips.PARTS, "looking at the prefix: all 6 closed", "Measured"),
    ],
)
def test_the_kind_is_named_in_every_exercise_that_it_fits(id, function, name, told, not_so):
    result = desk.run_check(id, function)
    assert (result.passed, result.misconception) == (False, name), result.message
    assert told in result.message and not_so not in result.message, result.message


def test_the_share_of_a_mask_without_scale_is_measured_without_scale():
    exercise = desk.exercises()["02.attention"]
    (idea,) = (m for m in exercise.misconceptions if m.name == "mask-unused-no-scale")
    q, k, v, allowed = exercise.cases()[0].args
    weights = torch.softmax(q @ k.mT, dim=-1)
    lost = (weights * ~allowed).sum(-1).max().item()
    sentence = idea.sentence(None, None, (q, k, v, allowed))
    assert f"gives {lost:.0%} of its attention" in sentence and "the scale is missing" in sentence


# --- advice that is obeyed ----------------------------------------------------------------------------------


def test_the_advice_against_a_nan_in_the_gradient_is_enough_when_both_things_are_done():
    def with_minus_infinity(scores, allowed):
        bias = torch.zeros(allowed.shape).masked_fill(~allowed, -math.inf)
        return torch.nan_to_num(torch.softmax(scores + bias, dim=-1))

    def obeyed(scores, allowed):
        bias = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)
        return torch.softmax(scores + bias, dim=-1).masked_fill(~allowed, 0.0)

    result = desk.run_check("04.softmax", with_minus_infinity)
    assert result.misconception == "nan-in-the-gradient" and "Two things together" in result.message
    assert (
        desk.run_check("04.softmax", obeyed).passed and desk.run_check("04.softmax", my_masked_softmax).passed
    )


def on_a_circle(length):
    def asked(wanted, n_keys):
        angle = 2 * math.pi * torch.arange(n_keys) / n_keys
        k = torch.stack([angle.cos(), angle.sin()], dim=1)
        return length * k[wanted], k

    return asked


@pytest.mark.parametrize("length", [1.0, 10.0, 50.0])
def test_queries_as_long_as_told_are_long_enough_on_that_input(length):
    exercise = desk.exercises()["02.retrieval"]
    result = desk.run_check("02.retrieval", on_a_circle(length))
    assert result.misconception == "too-quiet" and "100 * q" not in result.message
    times = float(result.message.split(": here ")[1].split(" times")[0].replace(",", ""))
    name = result.message.split("on the input with ")[1].removesuffix(".)")
    (case,) = (c for c in exercise.cases() if c.name == name)
    longer = exercise.view.make(on_a_circle(times * length)(*case.args), case.args)
    shorter = exercise.view.make(on_a_circle(times * length / 3)(*case.args), case.args)
    assert set(longer.unique().tolist()) == {0.0, 1.0} and set(shorter.unique().tolist()) != {0.0, 1.0}
    assert desk.run_check("02.retrieval", on_a_circle(1000 * length)).passed


# --- parts of a mask ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regions", "exercise"),
    [
        (causal.regions, chapter_04.CAUSAL),
        (prefix.regions, chapter_04.PREFIX),
        (packed.regions, chapter_04.PACKED),
    ],
    ids=lambda part: getattr(part, "id", ""),
)
def test_each_cell_belongs_to_one_part_that_is_open_or_closed(regions, exercise):
    for case in [*exercise.cases(), *exercise.further()]:
        right = exercise.reference(*case.args)
        cells = [part.expand(right.shape) for part in regions(*case.args).values()]
        assert (torch.stack(cells).sum(dim=0) == 1).all(), case.name
        assert all(len(right[part].unique()) < 2 for part in cells), case.name


# --- changes to the code ------------------------------------------------------------------------------------


def half_root(x, W_q, W_k, W_v):
    x = (x - x.mean(-1, keepdim=True)) / x.var(-1, correction=0, keepdim=True) ** 1 / 2
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    future = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
    return torch.softmax((q @ k.mT / k.shape[-1] ** 0.5).masked_fill(future, -math.inf), -1) @ v


def four_words(weights, h):
    total = 0
    for j in range(4):
        if j < h.shape[1]:
            total = total + weights[:, :, j, None] * h[:, None, j]
    return total


def other_letters(values, weights):
    total = weights.sum()
    share = values / total
    return (share * values).sum()


def one_more(x, W_q, W_k, W_v):
    x = (x - x.mean(-1, keepdim=True)) / (x.std(-1, correction=0, keepdim=True) + 1)
    future = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
    scores = (x @ W_q.T) @ (x @ W_k.T).mT / W_k.shape[0] ** 0.5
    return torch.softmax(scores.masked_fill(future, -math.inf), -1) @ (x @ W_v.T)


def bent_v(s, h, W_a, U_a, v_a):
    return torch.tanh((s @ W_a.T)[:, None] + h @ U_a.T) @ torch.sigmoid(v_a)


def softmax_again(weights, h):
    return torch.bmm(weights.softmax(1), h)


def largest(s, h, W_a, U_a, v_a):
    return (torch.tanh((s @ W_a.T)[:, None] + h @ U_a.T) * v_a).max(-1).values


def mean_state(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([y_prev, h.mean(1)], -1), s_prev), context, weights


def one_and_another(T, n_prefix):
    row, column = torch.arange(T)[:, None], torch.arange(T)[None]
    return (column < row) | (column <= n_prefix)


@pytest.mark.parametrize(
    ("id", "function", "told"),
    [
        ("04.leak", half_root, "Python takes a power before it divides or multiplies"),
        ("01.context", four_words, "`4` is the same on every input, and what belongs there is not. With"),
        (
            "00.weighted-mean",
            other_letters,
            "With `weights` in place of `values` in `share = values / total`",
        ),
        ("04.leak", one_more, "Without `+ 1` your function"),
        ("01.scores", bent_v, "With `v_a` in place of `torch.sigmoid(v_a)`"),
        ("01.context", softmax_again, "With `weights` in place of `weights.softmax(1)`"),
        ("01.scores", largest, "`.sum(-1)` in place of `"),
        ("01.decoder-step", mean_state, "With `context` in place of `h.mean(1)`"),
        ("04.prefix", one_and_another, "With `return (column <= row) | (column < n_prefix)` in"),
    ],
)
def test_finer_changes_are_tried_and_told(monkeypatch, id, function, told):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 60.0)
    result = desk.run_check(id, function)
    assert not result.passed and told in result.message, result.message
    assert result.message.endswith("your function is right on every input that was tried.")


def test_two_changes_are_tried_only_where_the_first_makes_more_inputs_right():
    tried = []

    def is_right(function):
        tried.append(function)
        return False

    assert repairing.two_that_help(one_and_another, is_right, lambda f: 1, lambda: True) == ""
    assert not tried
    assert repairing.two_that_help(lambda a: a, is_right, lambda f: 1, lambda: True) == ""
