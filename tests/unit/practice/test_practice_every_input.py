"""A sentence that says "exact", "alone" or "all" is true of every input, not of the first one only."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from course_lib.practice import checking, comparing, desk, inputs, parts, repairing, running, slips
from course_lib.practice.kinds import Case

EXERCISES = desk.exercises()


def run(id, function):
    return desk.run_check(id, function)


# --- what is told to be enough is enough --------------------------------------------------------------------

CURES = {  # exercise, misconception → what its sentence tells to do with the answer
    ("01.aer", "f1-not-error"): lambda got, *args: 1 - got,
    ("01.scores", "view-without-transpose"): lambda got, s, h, *rest: got.reshape(h.shape[1], -1).T,
    ("01.context", "features-before-targets"): lambda got, *args: got.transpose(1, 2),
    ("01.context", "view-without-transpose"): lambda got, w, h: got.reshape(len(h), h.shape[2], -1).transpose(
        1, 2
    ),
    ("03.split", "axes-not-moved"): lambda got, *args: got.transpose(1, 2),
    ("03.split", "heads-reversed"): lambda got, *args: got.flip(1),
    ("03.merge", "not-joined"): lambda got, x: got.flatten(2),
    ("03.merge", "features-before-words"): lambda got, x: got.transpose(1, 2),
    ("03.merge", "batch-exchanged"): lambda got, x: got.transpose(0, 1),
    ("04.causal", "inverted"): lambda got, T, S: ~got,
    ("04.causal", "additive"): lambda got, T, S: got == 0,
    ("04.causal", "row-for-each-key"): lambda got, T, S: got[-T:],
    ("04.causal", "keys-forgotten"): lambda got, T, S: torch.cat([torch.ones(T, S - T).bool(), got], 1),
    ("04.causal", "rows-reversed"): lambda got, T, S: got.flip(0),
    ("04.padding", "inverted"): lambda got, *args: ~got,
    ("04.padding", "lines-up-with-heads"): lambda got, *args: got[:, :, None],
    ("04.padding", "lines-up-with-queries"): lambda got, *args: got[:, None, None],
    ("04.prefix", "inverted"): lambda got, *args: ~got,
    ("04.prefix", "transposed"): lambda got, *args: got.T,
    ("04.packed", "inverted"): lambda got, text: ~got,
    ("04.packed", "lines-up-with-heads"): lambda got, text: got[:, None],
    ("04.packed", "axis-in-front"): lambda got, text: got[0][:, None],
}


@pytest.mark.parametrize(("id", "name"), CURES)
def test_what_is_told_to_be_enough_makes_every_way_right_on_every_input(id, name):
    exercise = EXERCISES[id]
    (told,) = (m for m in exercise.misconceptions if m.name == name)
    for way in told.ways:
        for case in exercise.cases():
            outcome = running.run_ours(way, case.args)
            if outcome.error is not None:  # `view` cannot read every input
                continue
            cured = CURES[id, name](outcome.value, *case.args)
            assert comparing.right(exercise, case, cured, exercise.reference(*case.args)), case.name


@pytest.mark.parametrize(("empty", "name"), [(0.0, "f1-and-empty"), (1.0, "f1-not-error")])
def test_one_minus_the_f1_score_is_told_with_the_case_that_it_does_not_mend(empty, name):
    def f1(guessed, sure):
        guessed, sure = set(guessed), set(sure)
        if not guessed | sure:
            return empty
        return 2 * len(guessed & sure) / (len(guessed) + len(sure))

    result = run("01.aer", f1)
    assert result.misconception == name
    assert ("Where both are empty nothing is wrong" in result.message) == (name == "f1-and-empty")
    mended = run("01.aer", lambda guessed, sure: 1 - f1(guessed, sure))
    assert mended.passed == (name == "f1-not-error")


# --- a second slip that only some inputs show ---------------------------------------------------------------

AS_IF_FIRST = {
    "inverted": lambda T, S: torch.full((T, S), -torch.inf).triu(1).to(torch.bool),
    "diagonal-blocked": lambda T, S: torch.arange(S) < torch.arange(T)[:, None],
    "sees-the-next": lambda T, S: torch.arange(S) <= torch.arange(T)[:, None] + 1,
    "upper-triangle": lambda T, S: torch.arange(S) >= torch.arange(T)[:, None],
    "rows-reversed": lambda T, S: torch.tril(torch.ones(T, S)).bool().flip(0),
    "only-itself": lambda T, S: torch.arange(S) == torch.arange(T)[:, None],
}


@pytest.mark.parametrize("name", AS_IF_FIRST)
def test_a_mask_with_a_second_slip_where_keys_are_more_is_told_both(name):
    result = run("04.causal", AS_IF_FIRST[name])
    assert result.misconception == f"{name}-top-left"
    assert (
        "This holds for T = S." in result.message and "query t stands at position t + S - T" in result.message
    )
    assert "exact opposite" not in result.message


@pytest.mark.parametrize("shape", [lambda ids: ids, lambda ids: ids[:, None]])
def test_an_inverted_padding_mask_without_its_axes_is_told_both(shape):
    result = run("04.padding", lambda ids, pad_id: shape(ids == pad_id))
    assert result.misconception == "inverted-without-axes" and "`~mask`" not in result.message
    assert "(B, 1, 1, S)" in result.message


@pytest.mark.parametrize(
    ("id", "name", "function"),
    [
        (
            "04.prefix",
            "prefix-block-alone",
            lambda T, n: (torch.arange(T) < n)[:, None] & (torch.arange(T) < n),
        ),
        (
            "04.prefix",
            "prefix-sees-the-rest-alone",
            lambda T, n: (torch.arange(T) < n)[:, None].expand(T, T),
        ),
        (
            "02.attention",
            "scaled-twice",
            lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, a) / k.shape[-1] ** 0.5,
        ),
        (
            "02.soft-dict",
            "made-positive",
            lambda q, k, v: (k @ q).abs() / (k @ q).abs().sum() @ v,
        ),
    ],
)
def test_ways_that_a_sentence_did_not_fit_have_their_own(id, name, function):
    assert run(id, function).misconception == name


# --- advice that fits a loop as well as one product for all heads -------------------------------------------


def heads_in_a_loop(mask):
    def layer_of(x_q, x_kv, params, n_heads, allowed):
        made = [parts.linear(x, params, n) for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v"))]
        pieces = zip(*(x.chunk(n_heads, -1) for x in made), strict=True)
        joined = [F.scaled_dot_product_attention(*qkv, mask(allowed, h)) for h, qkv in enumerate(pieces)]
        return parts.linear(torch.cat(joined, -1), params, "o")

    return layer_of


def test_in_a_loop_over_the_heads_the_advice_on_the_mask_is_right():
    result = run("03.layer", heads_in_a_loop(lambda allowed, h: allowed[:, 0]))
    assert result.misconception == "one-mask-for-all-heads" and "`allowed[:, h]`" in result.message
    assert run("03.layer", heads_in_a_loop(lambda allowed, h: allowed[:, h])).passed


def test_a_mask_that_lost_the_axis_of_the_heads_is_not_one_mask_for_all():
    def without_heads(*args):
        return parts.multi_head(*args, mask=lambda scores, allowed: parts.block(scores, allowed[:, 0]))

    assert run("03.layer", without_heads).misconception == "mask-without-heads"


# --- names are names ----------------------------------------------------------------------------------------


def by_product(least):
    def mask(text):
        product = torch.einsum("bt,bs->bts", text, text)
        return ((product == text[:, :, None] ** 2) & (product >= least)).tril()[:, None]

    return mask


def zero_hidden(text):
    same = text[:, :, None] == text[:, None, :]
    return (same & (text != 0)[:, None, :]).tril()[:, None]


@pytest.mark.parametrize(
    ("function", "name"),
    [(by_product(0), "text-0-open"), (by_product(1), "text-0-closed"), (zero_hidden, "text-0-closed")],
)
def test_a_text_named_0_after_another_one_is_a_text(function, name):
    result = run("04.packed", function)
    assert result.misconception == name and "The numbers are names" in result.message


def test_two_axes_of_one_name_are_row_and_column():
    def one_column_wrong(text):
        right = EXERCISES["04.packed"].reference(text).clone()
        right[..., 0] = False
        return right

    message = run("04.packed", one_column_wrong).message
    assert "at [b=0], row 0, column 0: expected True" in message and "All of them are in column 0" in message


# --- a repair is tried on more than the check's inputs ------------------------------------------------------


def mean(x):
    return x.mean()


@pytest.mark.parametrize(
    ("others", "is_told"), [([], True), ([[0.0, 0.0, 4.0]], True), ([[1.0, 2.0]], False)]
)
def test_a_repair_that_fails_on_further_inputs_is_not_told(others, is_told):
    def made(*rows):
        return [Case(f"the values {row}", (torch.tensor(row),)) for row in rows]

    exercise = replace(
        EXERCISES["00.weighted-mean"],
        inputs={"x": "S"},
        reference=torch.Tensor.amax,  # on the inputs of this check the sum is the largest value
        cases=lambda: made([3.0], [0.0, 2.0]),
        misconceptions=(),
        further=lambda: made(*others),
    )
    message = checking.run_check(exercise, mean).message
    assert ("With `sum` in place of `mean` your function is right on every input" in message) == is_told


@pytest.mark.parametrize("id", [id for id, exercise in EXERCISES.items() if exercise.parameters])
def test_further_inputs_are_other_inputs(id):
    exercise = EXERCISES[id]
    known = [case.args for case in exercise.cases()]

    def same(args, old):
        return all(running.untouched(a, b) for a, b in zip(args, old, strict=True))

    others = [
        case for case, _ in repairing.further(exercise) if not any(same(case.args, old) for old in known)
    ]
    assert others


def test_further_inputs_keep_what_the_statements_promise():
    for case, _ in repairing.further(EXERCISES["04.packed"]):
        for row in case.args[0].tolist():  # each text is one piece
            assert len({*row}) == 1 + sum(a != b for a, b in itertools.pairwise(row))
    for case, _ in repairing.further(EXERCISES["04.padding"]):
        for row in (case.args[0] != case.args[1]).int().tolist():  # words are one piece, which touches an end
            assert sum(a != b for a, b in itertools.pairwise(row)) <= 1 and any(row)
    for case, _ in repairing.further(EXERCISES["00.weighted-mean"]):
        assert bool((case.args[1] >= 0).all()) and case.args[1].sum() > 0


def test_other_seeds_end_with_their_block():
    first = inputs.random(inputs.seeded(1), 3)
    with inputs.other_seeds(7):
        other = inputs.random(inputs.seeded(1), 3)
    assert torch.equal(first, inputs.random(inputs.seeded(1), 3)) and not torch.equal(first, other)


# --- inputs are what their names say ------------------------------------------------------------------------


def scores_of(id, case):
    if id in ("01.weights", "04.softmax"):
        return case.args[0]
    if id == "02.soft-dict":
        return case.args[1] @ case.args[0]
    q, k, *_ = case.args
    return q @ k.mT / k.shape[-1] ** 0.5


def test_scores_of_200_run_from_minus_200_to_200():
    for id in ("01.weights", "02.soft-dict", "02.attention", "04.softmax"):
        assert "±200" in EXERCISES[id].statement
        (case,) = (case for case in EXERCISES[id].cases() if case.name == "scores of ±200")
        scores = scores_of(id, case)
        assert scores.max() == 200 and scores.min() == -200, id


def test_exp_overflow_names_the_largest_score():
    def bare(query, keys, values):
        e = torch.exp(keys @ query)
        return e / e.sum() @ values

    assert "the largest score here is 200," in run("02.soft-dict", bare).message


# --- signs that speak of the whole function -----------------------------------------------------------------


def one_wish(wanted, n_keys):
    return 1000 * torch.eye(n_keys)[wanted[:1].expand(len(wanted))], torch.eye(n_keys)


def even(wanted, n_keys):
    return torch.zeros(len(wanted), 2), torch.ones(n_keys, 2)


def own_place(wanted, n_keys):
    return 1000 * torch.eye(n_keys)[torch.arange(len(wanted)) % n_keys], torch.eye(n_keys)


@pytest.mark.parametrize(
    ("function", "name"),
    [(one_wish, "one-wish-for-all"), (even, "all-scores-equal"), (own_place, "wanted-unused")],
)
def test_what_is_said_of_the_whole_function_must_hold_where_it_is_right(function, name):
    def partly(wanted, n_keys):
        right = n_keys == 5  # on one input this function answers as it should
        return EXERCISES["02.retrieval"].reference(wanted, n_keys) if right else function(wanted, n_keys)

    assert run("02.retrieval", function).misconception == name
    assert run("02.retrieval", partly).misconception != name


def test_more_of_the_own_text_is_said_only_where_it_is_the_own_text():
    right = EXERCISES["04.packed"].reference

    def next_of_own_text(text):  # twice as far as one
        same = text[:, :, None] == text[:, None, :]
        return (same & torch.ones(text.shape[1], text.shape[1]).tril(2).bool())[:, None]

    def any_next(text):
        return right(text) | torch.eye(text.shape[1]).bool().roll(1, 1).triu(1)

    result = run("04.packed", next_of_own_text)
    assert result.misconception == "future-of-its-text" and "all of its own text" not in result.message
    result = run("04.packed", any_next)
    assert (
        result.misconception == slips.PARTS
        and "texts that stand after its own: 2 of 12 open" in result.message
    )


# --- causes that had only been a plain difference -----------------------------------------------------------


def batch_letter_lost(weights, h):
    return torch.einsum("bts,bsd->td", weights, h).expand(len(h), -1, -1)


def reshaped(weights, h):
    return (h.mT @ weights.mT).reshape(len(h), weights.shape[1], -1)


def stacked_and_viewed(s, h, W_a, U_a, v_a):
    columns = [torch.tanh(s @ W_a.T + h[:, j] @ U_a.T) @ v_a for j in range(h.shape[1])]
    return torch.stack(columns).view(len(h), -1)


def keys_by_view(q, k, v, allowed):
    b, h, s, n = k.shape
    return F.softmax((q @ k.view(b, h, n, s) / n**0.5).masked_fill(~allowed, -torch.inf), -1) @ v


def one_maximum(scores, allowed):
    e = torch.exp(scores - scores.max()) * allowed[:, None]
    return e / (e.sum(-1, keepdim=True) + 1e-9)


def one_maximum_of_all_heads(scores, allowed):
    e = torch.exp(scores - scores.max()).masked_fill(~allowed, 0.0)
    return torch.nan_to_num(e / e.sum(-1, keepdim=True))


def clamped(query, keys, values):
    return F.softmax((keys @ query).clamp(max=80.0), 0) @ values


def cut_off_and_over_queries(scores, allowed):
    scores = scores.detach().masked_fill(~allowed, -1e9)
    return F.softmax(scores, 2) * allowed


def no_bias_and_mask_after(x_q, x_kv, params, n_heads, allowed):
    def split(x, name):
        return (x @ params["W_" + name].T).unflatten(-1, (n_heads, -1)).transpose(1, 2)

    q, k, v = split(x_q, "q"), split(x_kv, "k"), split(x_kv, "v")
    weights = F.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) * allowed
    return (weights @ v).transpose(1, 2).flatten(2) @ params["W_o"].T


@pytest.mark.parametrize(
    ("id", "function", "name", "told"),
    [
        ("01.context", batch_letter_lost, "contexts-added", "keep the b, `bts,bsd->btd`"),
        ("01.context", reshaped, "view-without-transpose", "they came as (B, D_h, T)"),
        ("01.scores", stacked_and_viewed, "view-without-transpose", "`torch.stack(…, dim=1)`"),
        ("02.attention", keys_by_view, "keys-not-transposed", "they exchange no axes"),
        ("01.weights", one_maximum, "one-maximum", "or more below that maximum"),
        ("04.softmax", one_maximum_of_all_heads, "one-maximum", "`scores.amax(-1, keepdim=True)`"),
        ("02.soft-dict", clamped, "clamped", "and here scores of 150 and 200 do"),
        (
            "04.softmax",
            cut_off_and_over_queries,
            "softmax-over-queries",
            "a second slip. On the input with the",
        ),
        ("03.layer", no_bias_and_mask_after, "no-biases-mask-after", "And you mask after the softmax"),
    ],
)
def test_the_cause_is_told(id, function, name, told):
    result = run(id, function)
    assert result.misconception == name and told in result.message, result


def test_axes_that_were_joined_are_named():
    message = run("03.merge", lambda x: x.transpose(1, 2).flatten(1)).message
    assert message.endswith("one axis of 60 stands where T and D are two.")
