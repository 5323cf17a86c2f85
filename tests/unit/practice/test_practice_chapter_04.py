"""Practice of chapter 04: learners' own ways of being wrong and right, and the facts in the tutor's words.

CURRICULUM and LEARNERS are the course's lists of what goes wrong with masks. The wrong functions here are
written as a learner might, and differently from the ways in the chapter's module.
"""

import inspect

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import experiments, masks
from course_lib.metrics import leak_matrix
from course_lib.practice import chapter_04 as four
from course_lib.practice import desk, slips
from course_lib.practice.chapter_04.leak import leaky_attention

INFINITY = float("inf")


def run(id, function):
    return desk.run_check(id, function)


# --- a learner's wrong ways ---------------------------------------------------------------------------------


def strict_loop(T, S):
    mask = torch.zeros(T, S, dtype=torch.bool)
    for t in range(T):
        mask[t, : S - T + t] = True
    return mask


def loop_that_sees_the_next(T, S):
    mask = torch.zeros(T, S, dtype=torch.bool)
    for t in range(T):
        mask[t, : S - T + t + 2] = True
    return mask


def upper_by_rows(T, S):
    return torch.stack([torch.arange(S) >= S - T + t for t in range(T)])


def queries_counted_from_zero(T, S):
    return torch.arange(S)[None, :] <= torch.arange(T)[:, None]


def corner_of_a_square(T, S):
    return torch.ones(S, S).tril()[:T]  # the first T rows, not the last


def cumulated(T, S):
    return torch.eye(S).cumsum(dim=0).bool()


def keys_down(T, S):
    return torch.arange(S)[:, None] <= torch.arange(S - T, S)[None, :]


def blocked_by_triu(T, S):
    return torch.triu(torch.ones(T, S), diagonal=S - T + 1) == 1


def additive_by_triu(T, S):
    return torch.triu(torch.full((T, S), -INFINITY), diagonal=S - T + 1)


def along_the_rows(ids, pad_id):
    return ids.ne(pad_id).unsqueeze(1).unsqueeze(-1)


def padding_is_true(ids, pad_id):
    return torch.eq(ids, pad_id).reshape(len(ids), 1, 1, -1)


def one_axis_missing(ids, pad_id):
    return ~(ids == pad_id).unsqueeze(1)


def no_new_axis(ids, pad_id):
    return ~(ids == pad_id)


def outer_product(ids, pad_id):
    words = (ids != pad_id).float()
    return torch.einsum("bq,bk->bqk", words, words).unsqueeze(1).bool()


def truth_of_ids(ids, pad_id):
    return ids.bool()[:, None, None]


def lengths_by_argmax(ids, pad_id):
    lengths = torch.tensor([[sum(i != pad_id for i in row)] for row in ids.tolist()])
    return (torch.arange(ids.shape[1])[None] < lengths).view(len(ids), 1, 1, -1)


def same_text_only(text):
    return (text.unsqueeze(-1) == text.unsqueeze(-2)).unsqueeze(1)


def causal_in_every_row(text):
    T = text.shape[1]
    return torch.ones(T, T).tril().bool().repeat(len(text), 1, 1, 1)


def either_reason(text):
    return torch.logical_or(same_text_only(text), causal_in_every_row(text))


def no_later_number(text):
    return (text[:, None, :, None] >= text[:, None, None, :]) & causal_in_every_row(text)


def strictly_before(text):
    return same_text_only(text) & torch.ones(text.shape[1], text.shape[1]).tril(-1).bool()


def with_the_next(text):
    return same_text_only(text) & ~torch.ones(text.shape[1], text.shape[1]).triu(2).bool()


def by_blocks_and_triu(text):
    return torch.triu(same_text_only(text))


def three_axes(text):
    return torch.tril(text[:, :, None] == text[:, None, :])


def first_row_only(text):
    number = text[0]
    return torch.tril(number[:, None] == number)[None, None]


def strangers(text):
    return torch.tril((text[:, :, None] != text[:, None, :])[:, None])


def prefix_rows_open(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:n_prefix] = True
    return mask


def prefix_block(T, n_prefix):
    mask = torch.zeros(T, T, dtype=torch.bool)
    mask[:n_prefix, :n_prefix] = True
    mask[n_prefix:, n_prefix:] = torch.ones(T - n_prefix, T - n_prefix).tril().bool()
    return mask


def rest_open(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[n_prefix:, :] = True
    return mask


def prefix_with_one_more(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:, : n_prefix + 1] = True
    return mask


def prefix_stays_causal(T, n_prefix):
    return torch.ones(T, T).tril() > 0


def multiply_after(scores, allowed):
    weights = F.softmax(scores, dim=3)
    weights[~allowed.expand_as(weights)] = 0
    return weights


def minus_infinity(scores, allowed):
    return F.softmax(torch.where(allowed, scores, torch.tensor(-INFINITY)), dim=-1)


def divided_by_nothing(scores, allowed):
    scores = scores.masked_fill(allowed.logical_not(), -INFINITY)
    e = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    return e / e.sum(dim=-1, keepdim=True)


def the_slip(scores, allowed):
    return (scores.where(allowed, torch.full_like(scores, -1e-9))).softmax(3)


def multiplied_before(scores, allowed):
    return (scores * allowed.float()).softmax(-1)


def large_and_finite(scores, allowed):
    return (scores + (~allowed) * -1e30).softmax(-1)


def over_the_queries(scores, allowed):
    return F.softmax(scores.masked_fill(allowed == 0, -1e9), dim=2)


def added_and_cleaned(scores, allowed):
    weights = (scores + torch.where(allowed, 0.0, -INFINITY)).softmax(-1)
    return torch.where(weights.isnan(), torch.zeros_like(weights), weights)


def minus_twenty(scores, allowed):
    return torch.where(allowed, scores, torch.full_like(scores, -20.0)).softmax(-1) * allowed


def upside_down(scores, allowed):
    return scores.masked_fill(allowed, -INFINITY).softmax(-1)


def attend(x, W_q, W_k, W_v, normalise=lambda x: x, soft=None):
    q, k, v = (normalise(x) @ W.T for W in (W_q, W_k, W_v))
    scores = q @ k.mT / k.shape[-1] ** 0.5
    allowed = torch.ones(x.shape[1], x.shape[1]).tril().bool()
    weights = soft(scores, allowed) if soft else scores.masked_fill(~allowed, -INFINITY).softmax(-1)
    return weights @ v


def standardised(x, mean, std):
    return (x - mean) / std


def hides_it_with_detach(x, W_q, W_k, W_v):
    x = standardised(x, x.mean(1, keepdim=True).detach(), x.std(1, correction=0, keepdim=True).detach())
    return attend(x, W_q, W_k, W_v)


def batch_norm(x, W_q, W_k, W_v):
    return attend(x, W_q, W_k, W_v, lambda x: F.batch_norm(x.mT, None, None, training=True).mT)


def mean_repaired_only(x, W_q, W_k, W_v):
    x = x - x.sum(dim=2, keepdim=True) / x.shape[2]
    return attend(x / x.std(dim=1, unbiased=False, keepdim=True), W_q, W_k, W_v)


def normalised_as_a_whole(x, W_q, W_k, W_v):
    return attend(F.layer_norm(x, x.shape[1:]), W_q, W_k, W_v)


def line_deleted(x, W_q, W_k, W_v):
    return attend(x, W_q, W_k, W_v)


def sample_std(x, W_q, W_k, W_v):
    return attend(standardised(x, x.mean(-1, keepdim=True), x.std(-1, keepdim=True)), W_q, W_k, W_v)


def mask_two_ahead(x, W_q, W_k, W_v):
    def soft(scores, allowed):
        return scores.masked_fill(torch.ones_like(allowed).triu(2), -INFINITY).softmax(-1)

    return attend(F.layer_norm(x, x.shape[-1:], eps=0), W_q, W_k, W_v, soft=soft)


def scale_forgotten(x, W_q, W_k, W_v):
    def soft(scores, allowed):
        return (scores * len(W_k) ** 0.5).masked_fill(~allowed, -INFINITY).softmax(-1)

    return attend(F.layer_norm(x, x.shape[-1:], eps=0), W_q, W_k, W_v, soft=soft)


def divided_by_the_sum(scores, allowed):
    kept = scores.softmax(-1) * allowed.float()
    return kept / (kept.sum(-1, keepdim=True) + 1e-10)


def divided_where_there_is_a_sum(scores, allowed):
    kept = scores.softmax(-1).masked_fill(~allowed, 0)
    total = kept.sum(-1, keepdim=True)
    return torch.where(total > 0, kept / total.clamp(min=1e-30), torch.zeros_like(kept))


def divided_and_cleaned(scores, allowed):
    kept = scores.softmax(-1) * allowed
    return F.normalize(kept, p=1, dim=-1)


def zeroed_after(x, W_q, W_k, W_v):
    x = F.layer_norm(x, x.shape[-1:])
    return attend(x, W_q, W_k, W_v, soft=lambda scores, allowed: scores.softmax(-1) * allowed)


LISTED = [  # words of CURRICULUM or LEARNERS, exercise, misconception, a learner's way
    ("diagonal blocked", "04.causal", "diagonal-blocked", strict_loop),
    ("diagonal 0 or 1", "04.causal", "sees-the-next", loop_that_sees_the_next),
    ("upper triangle; triu or tril", "04.causal", "upper-triangle", upper_by_rows),
    ("wrong shape for T ≠ S: top left", "04.causal", "top-left", queries_counted_from_zero),
    ("wrong shape for T ≠ S: the first T rows", "04.causal", "top-left", corner_of_a_square),
    ("wrong shape for T ≠ S: a square", "04.causal", "row-for-each-key", cumulated),
    ("wrong shape for T ≠ S: turned", "04.causal", "keys-as-rows", keys_down),
    ("True = attend or block?", "04.causal", "inverted", blocked_by_triu),
    ("boolean or added", "04.causal", "additive", additive_by_triu),
    ("masks queries instead of keys", "04.padding", "masks-queries", along_the_rows),
    ("inverted", "04.padding", "inverted", padding_is_true),
    ("wrong broadcast: heads", "04.padding", "lines-up-with-heads", one_axis_missing),
    ("wrong broadcast: queries", "04.padding", "lines-up-with-queries", no_new_axis),
    ("should padded queries be masked?", "04.padding", "rows-and-columns", outer_product),
    ("0 is not always padding", "04.padding", "zero-is-padding", truth_of_ids),
    ("padding in front", "04.padding", "padding-at-the-end-only", lengths_by_argmax),
    ("packed: the future of the own text", "04.packed", "future-of-its-text", same_text_only),
    ("packed: texts not parted", "04.packed", "earlier-texts-open", causal_in_every_row),
    ("or instead of and", "04.packed", "or-instead-of-and", either_reason),
    ("packed: numbers are names", "04.packed", "numbers-by-size", no_later_number),
    ("diagonal blocked", "04.packed", "diagonal-blocked", strictly_before),
    ("diagonal 0 or 1", "04.packed", "sees-the-next", with_the_next),
    ("upper triangle; triu or tril", "04.packed", "the-wrong-triangle", by_blocks_and_triu),
    ("wrong broadcast: heads", "04.packed", "lines-up-with-heads", three_axes),
    ("packed: one row for all", "04.packed", "first-row-for-all", first_row_only),
    ("packed: turned round", "04.packed", "other-texts-open", strangers),
    ("prefix mask: rows for columns", "04.prefix", "prefix-sees-the-rest", prefix_rows_open),
    ("prefix mask: hidden from the rest", "04.prefix", "prefix-hidden", prefix_block),
    ("prefix mask: rest not causal", "04.prefix", "rest-sees-everything", rest_open),
    ("prefix mask: off by one", "04.prefix", "prefix-one-too-long", prefix_with_one_more),
    ("prefix mask: causal prefix", "04.prefix", "prefix-causal", prefix_stays_causal),
    ("multiply after", "04.softmax", "mask-after-softmax", multiply_after),
    ("−∞ row gives NaN", "04.softmax", "row-of-infinities", minus_infinity),
    ("−∞ row gives NaN: 0/0", "04.softmax", "row-of-infinities", divided_by_nothing),
    ("−1e-9 for −1e9", "04.softmax", "score-of-zero", the_slip),
    ("×0 before the softmax", "04.softmax", "score-of-zero", multiplied_before),
    ("−1e9: the empty row shares 1", "04.softmax", "empty-rows-share", large_and_finite),
    ("wrong softmax axis", "04.softmax", "softmax-over-queries", over_the_queries),
    ("NaN in the backward", "04.softmax", "nan-in-the-gradient", added_and_cleaned),
    ("not low enough", "04.softmax", "not-low-enough", minus_twenty),
    ("multiply after, and divide", "04.softmax", "renormalised-afterwards", divided_by_the_sum),
    ("divide where it goes", "04.softmax", "renormalised-afterwards", divided_where_there_is_a_sum),
    ("divide by the norm", "04.softmax", "renormalised-afterwards", divided_and_cleaned),
    ("True = attend or block?", "04.softmax", "mask-inverted", upside_down),
    ("debug a leak: hidden, not closed", "04.leak", "still-leaks", hides_it_with_detach),
    ("debug a leak: half of it", "04.leak", "half-repaired", mean_repaired_only),
    ("debug a leak: as a whole", "04.leak", "over-everything", normalised_as_a_whole),
    ("debug a leak: line removed", "04.leak", "normalisation-removed", line_deleted),
    ("debug a leak: another std", "04.leak", "other-std", sample_std),
    ("debug a leak: batch norm", "04.leak", "batch-norm", batch_norm),
    ("debug a leak: mask moved", "04.leak", "mask-moved-behind", zeroed_after),
    ("debug a leak: looser mask", "04.leak", "looser-mask", mask_two_ahead),
    ("debug a leak: √d_k lost", "04.leak", "scaling-lost", scale_forgotten),
]


@pytest.mark.parametrize(("words", "id", "name", "function"), LISTED, ids=lambda x: getattr(x, "__name__", x))
def test_what_goes_wrong_with_masks_is_named(words, id, name, function):
    result = run(id, function)
    assert (result.status, result.kind, result.misconception) == ("not yet", "misconception", name)
    misconception = next(m for m in desk.exercises()[id].misconceptions if m.name == name)
    said, _, second_slip = result.message.partition(" And a mask is True or False, while yours holds float32")
    assert said in {run(id, way).message for way in misconception.ways}
    assert bool(second_slip) == (function in (corner_of_a_square,))


@pytest.mark.parametrize(
    ("id", "name", "function"),
    [
        ("04.causal", "future-open", lambda T, S: causal_by_tril(T, S) | (torch.arange(S) == S - 1)),
        ("04.causal", "past-closed", lambda T, S: causal_by_tril(T, S) & (torch.arange(S) > 0)),
        ("04.packed", "future-of-its-text", lambda text: packed_by_loops(text) | next_but_one(text)),
        ("04.softmax", "empty-rows-share", lambda s, a: (s - 5e4 * (~a)).softmax(-1)),
        ("04.softmax", "not-low-enough", lambda s, a: (s - 30.0 * (~a)).softmax(-1)),
    ],
)
def test_what_can_be_written_in_endless_ways_is_known_by_its_answer(id, name, function):
    assert run(id, function).misconception == name


@pytest.mark.parametrize(
    "function",
    [
        lambda T, S: torch.zeros(T, S).masked_fill(causal_by_tril(T, S), -INFINITY),
        lambda T, S: 2.0 * causal_by_tril(T, S),
        lambda T, S: causal_by_tril(T, S).roll(1, 1),
    ],
)
def test_and_not_where_it_does_not_fit(function):
    assert run("04.causal", function).misconception in (None, slips.PARTS)


def next_but_one(text):
    """Open where the key stands two places further on, in the same text."""
    return torch.tril(same_text_only(text), 2) & ~torch.tril(same_text_only(text), 1)


# --- a learner's right ways ---------------------------------------------------------------------------------


def causal_by_tril(T, S):
    return torch.tril(torch.ones(T, S, dtype=torch.bool), diagonal=S - T)


def causal_by_triu(T, S):
    return ~torch.triu(torch.ones(T, S), S - T + 1).bool()


def causal_by_last_rows(T, S):
    return torch.ones(S, S).tril().bool()[S - T :]


def causal_by_loops(T, S):
    return torch.tensor([[key <= query + S - T for key in range(S)] for query in range(T)])


def padding_by_unsqueeze(ids, pad_id):
    return ids.ne(pad_id).unsqueeze(1).unsqueeze(2)


def packed_by_tril(text):
    return torch.tril(text[:, None, :, None] == text[:, None, None, :])


def packed_by_loops(text):
    rows = [
        [[[a == b and j <= i for j, b in enumerate(row)] for i, a in enumerate(row)]] for row in text.tolist()
    ]
    return torch.tensor(rows)


def packed_by_one_hot(text):
    belongs = F.one_hot(text).float()
    return (belongs @ belongs.mT).tril().bool().unsqueeze(1)


def prefix_by_slice(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:, :n_prefix] = True
    return mask


def prefix_by_block(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:n_prefix, :n_prefix] = True
    return mask


def soft_with_alive(scores, allowed):
    alive = allowed.any(dim=-1, keepdim=True)
    filled = scores.masked_fill(~allowed & alive, -INFINITY)
    return torch.softmax(filled, dim=-1) * allowed


def soft_by_hand(scores, allowed):
    scores = scores.masked_fill(~allowed, -1e30)
    e = torch.exp(scores - scores.amax(dim=-1, keepdim=True)) * allowed
    return e / (e.sum(dim=-1, keepdim=True) + (~allowed.any(-1, keepdim=True)))


def soft_and_repaired(scores, allowed):
    # masked_fill passes no gradient to what it fills, so here the NaN does not get back to the scores
    return scores.masked_fill(~allowed, -INFINITY).softmax(-1).nan_to_num(0.0)


def layer_norm(x, W_q, W_k, W_v):
    return attend(F.layer_norm(x, x.shape[-1:]), W_q, W_k, W_v)


def fused(x, W_q, W_k, W_v):
    x = F.layer_norm(x, x.shape[-1:])
    return F.scaled_dot_product_attention(x @ W_q.T, x @ W_k.T, x @ W_v.T, is_causal=True)


RIGHT = {
    "04.causal": [causal_by_tril, causal_by_triu, causal_by_last_rows, causal_by_loops, masks.causal_mask],
    "04.padding": [padding_by_unsqueeze, masks.padding_mask],
    "04.packed": [packed_by_tril, packed_by_loops, packed_by_one_hot],
    "04.prefix": [prefix_by_slice, prefix_by_block],
    "04.softmax": [soft_with_alive, soft_by_hand, soft_and_repaired, masks.masked_softmax],
    "04.leak": [layer_norm, fused],
}


@pytest.mark.parametrize(
    ("id", "function"),
    [pytest.param(id, f, id=f"{id}:{f.__name__}") for id, functions in RIGHT.items() for f in functions],
)
def test_right_is_right_however_it_is_written(id, function):
    result = run(id, function)
    assert result.passed, result.message


def test_the_library_s_prefix_mask_is_the_exercise_s():
    for case in four.PREFIX.cases():
        T, n_prefix = case.args
        theirs = masks.prefix_mask(T, n_prefix)
        assert torch.equal(four.PREFIX.reference(T, n_prefix), theirs)


# --- what check says beside the misconceptions --------------------------------------------------------------


def test_a_float_mask_is_told_its_kind():
    result = run("04.causal", lambda T, S: torch.ones(T, S).tril(S - T))
    assert result.kind == "dtype" and "float32" in result.message and "bool" in result.message


def test_and_between_tensors_gets_the_two_signs():
    message = run("04.packed", lambda text: same_text_only(text) and causal_in_every_row(text)).message
    assert "write `&` and `|`" in message


def test_weights_that_are_cut_off_from_the_scores_are_told_so():
    as_new = lambda w: torch.tensor(w.detach().numpy(), requires_grad=True)  # noqa: E731  (a leaf of its own)
    for cut in (torch.Tensor.detach, lambda w: torch.tensor(w.tolist()), as_new):
        result = run("04.softmax", lambda s, a, cut=cut: cut(four.SOFTMAX.reference(s, a)))
        assert not result.passed and "your weights are cut off from the scores" in result.message
    in_place = run("04.softmax", lambda s, a: four.SOFTMAX.reference(s, a).exp().log_().mul_(a))
    assert not in_place.passed and "changed in place" in in_place.message
    array = run("04.softmax", lambda s, a: four.SOFTMAX.reference(torch.tensor(s.numpy()), a))
    assert not array.passed and "numpy" in array.message


def test_messages_that_measure():
    assert "3 cells are open that belong to the future" in say("04.causal", loop_that_sees_the_next)
    assert "8 cells are open that belong to the future" in say("04.packed", same_text_only)
    assert "12 cells are open that should be closed" in say("04.packed", causal_in_every_row).replace(
        "\n", " "
    )
    assert "sees 6 cells of the part" in say("04.prefix", prefix_rows_open)
    assert "In all, 3 cells are open" in say("04.causal", loop_that_sees_the_next)
    assert "1 cell is closed" in say("04.prefix", prefix_stays_causal)
    assert "one forbidden key gets 0.200" in say("04.softmax", large_and_finite)
    assert "3 rows are NaN" in say("04.softmax", minus_infinity)
    after = run("04.softmax", multiply_after).message
    case = four.SOFTMAX.cases()[0]
    sums = multiply_after(*case.args).sum(-1)[case.args[1].any(-1).expand(2, 3, 4)]
    assert f"one row sums to {sums.min():.2f}" in after


def say(id, function):
    return run(id, function).message


# --- the leak -----------------------------------------------------------------------------------------------


def leaks(function, case):
    x, *matrices = case.args
    leak = leak_matrix(lambda sentence: function(sentence[None], *matrices)[0], x[0])
    return bool((leak.triu(1) > 0).any())


def test_the_function_with_the_leak_differs_in_one_line_and_its_map_is_a_triangle(monkeypatch):
    wrong, right = (inspect.getsource(f).splitlines() for f in (leaky_attention, four.LEAK.reference))
    differ = [i for i, (a, b) in enumerate(zip(wrong, right, strict=True)) if a != b]
    assert differ == [0, 1] and "def " in wrong[0]
    maps, softmax = [], torch.softmax

    def watched(*args, **more):
        maps.append(softmax(*args, **more))
        return maps[-1]

    monkeypatch.setattr(torch, "softmax", watched)
    for case in four.LEAK.cases():
        x, *matrices = case.args
        maps.clear()
        if x.shape[1] == 1:
            continue  # one token: there is no other one to hear of
        leak = leak_matrix(lambda row, m=matrices: leaky_attention(row[None], *m)[0], x[0])
        assert (leak > 0).all(), "every position hears of every other one"
        assert (maps[0].triu(1) == 0).all() and torch.allclose(maps[0].sum(-1), torch.ones(x.shape[1]))
        assert leaks(leaky_attention, case) and not leaks(four.LEAK.reference, case)


@pytest.mark.parametrize(
    ("name", "leaky"),
    [
        ("still-leaks", True),
        ("half-repaired", True),
        ("batch-norm", True),
        ("over-everything", True),
        ("mask-moved-behind", True),
        ("normalisation-removed", False),
        ("running-statistics", False),
        ("other-std", False),
    ],
)
def test_what_the_tutor_says_of_a_repair_is_true(name, leaky):
    misconception = next(m for m in four.LEAK.misconceptions if m.name == name)
    for way in misconception.ways:
        assert leaks(way, four.LEAK.cases()[0]) == leaky
        assert ("‖∂o/∂x‖ = 0." in say("04.leak", way)) == leaky


def test_over_the_batch_sentences_meet():
    way = next(m for m in four.LEAK.misconceptions if m.name == "over-the-batch").ways[0]
    x, *matrices = four.LEAK.cases()[0].args
    other = x.clone()
    other[1] += torch.randn(x[1].shape, generator=torch.Generator().manual_seed(1))
    assert not torch.allclose(way(x, *matrices)[0], way(other, *matrices)[0])
    assert way(x[:1], *matrices).isnan().all()


def test_detach_hides_a_leak_and_does_not_close_it():
    case = four.LEAK.cases()[0]
    assert not leaks(hides_it_with_detach, case)
    x, *matrices = case.args
    later = x.clone()
    later[:, -1] += 1
    gap = hides_it_with_detach(later, *matrices)[:, 0] - hides_it_with_detach(x, *matrices)[:, 0]
    assert gap.abs().max() > 0.01


# --- the predictions are true -------------------------------------------------------------------------------


def answer(id):
    one = desk.predictions()[id]
    return one.options[one.right].text


def test_a_row_of_infinities_is_nan_and_so_is_a_blocked_first_token():
    assert torch.full((3,), -INFINITY).softmax(0).isnan().all()
    scores = torch.zeros(4, 4).masked_fill(~torch.ones(4, 4).tril(-1).bool(), -INFINITY)
    assert scores.softmax(-1)[0].isnan().all() and not scores.softmax(-1)[1:].isnan().any()
    assert "NaN" in answer("04.diagonal")
    assert (masks.masked_softmax(torch.zeros(4, 4), masks.causal_mask(4).tril(-1))[0] == 0).all()


def test_one_empty_row_spoils_all_gradients_even_if_nobody_reads_its_output():
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    layers = [nn.Linear(4, 4) for _ in range(4)]
    q, k, v = (layer(x) for layer in layers[:3])
    allowed = torch.ones(3, 3).tril(-1).bool()  # row 0 may attend to nothing
    output = layers[3]((q @ k.T).masked_fill(~allowed, -INFINITY).softmax(-1) @ v)
    output[1:].sum().backward()
    assert layers[2].weight.grad.isnan().all() and layers[3].weight.grad.isnan().all()


def test_an_empty_row_outside_the_loss_makes_the_whole_gradient_of_v_nan():
    allowed = torch.tensor([[True, True, False], [False, False, False]])
    v = torch.ones(3, 2, requires_grad=True)
    loss = (torch.zeros(2, 3).masked_fill(~allowed, -INFINITY).softmax(-1) @ v)[0].sum()
    loss.backward()
    assert loss.isfinite() and v.grad.isnan().all()
    assert answer("04.empty-row") == "The loss is finite; the whole gradient of v is NaN."


def test_nan_replaced_afterwards_is_safe_after_masked_fill_and_not_after_adding():
    allowed = torch.tensor([[True, True, False], [False, False, False]])
    added = torch.zeros(2, 3).masked_fill(~allowed, -INFINITY)
    for weigh, safe in (
        (lambda s: s.masked_fill(~allowed, -INFINITY).softmax(-1).nan_to_num(0.0), True),
        (lambda s: (s + added).softmax(-1).nan_to_num(0.0), False),
    ):
        q, k, v = (torch.ones(n, 4, requires_grad=True) for n in (2, 3, 3))
        gradients = torch.autograd.grad((weigh(q @ k.T) @ v).sum(), (q, k, v))
        assert all(g.isfinite().all() for g in gradients) == safe


def test_the_first_row_keeps_a_quarter():
    weights = torch.zeros(4, 4).softmax(-1) * masks.causal_mask(4)
    assert answer("04.after") == f"{weights[0].sum():.2f}" and weights[-1].sum() == 1


def test_the_mask_of_the_wrong_convention_shows_the_future_only():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    _, weights = layer(x, x, x, attn_mask=masks.causal_mask(5))
    assert torch.equal(weights[0, :-1] > 0, torch.ones(4, 5).triu(1).bool()) and weights[0, -1].isnan().all()
    assert answer("04.conventions") == "Only the tokens after it; the last token sees nothing."


def test_three_layers_with_window_four_reach_nine_back():
    window = masks.sliding_window_mask(n_positions=20, window=4).int()
    reached = (window @ window @ window)[-1].nonzero().min().item()
    assert answer("04.window") == str(19 - reached) == "9"


def test_a_mask_that_is_off_by_one_copies_and_cannot_write():
    rows = [r for r in experiments.load("off-by-one").rows if r["mask"] == "one too far"]
    last = [r for r in rows if r["step"] == max(r["step"] for r in rows)]
    assert len(last) >= 3
    assert all(max(r["training_loss"], r["held_out_loss"]) < 0.1 for r in last)
    assert "almost to 0, and so does the loss on held-out text" in answer("04.too-good")
    assert all(r["valid"] < 0.1 for r in last) and answer("04.generation").startswith("Broken")


def test_the_ids_that_the_page_uses_are_there():
    assert [e.id for e in four.EXERCISES] == [
        f"04.{name}" for name in ("causal", "padding", "prefix", "softmax", "packed", "leak")
    ]
    asked = {p.id.removeprefix("04.") for p in four.PREDICTIONS}
    assert asked >= {"diagonal", "after", "empty-row", "too-good", "generation", "conventions", "window"}
    assert len({p.right for p in four.PREDICTIONS}) >= 3 and len(four.RECALL) >= 4
    assert all(len(e.misconceptions) >= 5 for e in four.EXERCISES)
