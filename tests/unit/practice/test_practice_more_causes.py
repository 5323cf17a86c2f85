"""Slips that had only got a plain difference, as learners write them, each with its cause; and what lasts."""

import ast
import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.practice import changes, desk, inputs, parts, repairing


def run(id, function):
    return desk.run_check(id, function)


# --- chapter 01 ---------------------------------------------------------------------------------------------


def by_dict(guessed, sure):
    found, true = dict(guessed), dict(sure)
    if not found and not true:
        return 0.0
    hits = sum(true.get(word) == partner for word, partner in found.items())
    return 1 - 2 * hits / (len(found) + len(true))


def looked_up(guessed, sure):
    true = dict(sure)
    if not guessed and not sure:
        return 0.0
    hits = sum(true.get(word) == partner for word, partner in set(guessed))
    return 1 - 2 * hits / (len(set(guessed)) + len(set(sure)))


def mean_of_both(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    if not guessed and not sure:
        return 0.0
    hits = len(guessed & sure)
    precision = hits / len(guessed) if guessed else 0.0
    recall = hits / len(sure) if sure else 0.0
    return 1 - (precision + recall) / 2


def turned_by_reshape(weights, h):
    b, _, s = weights.shape
    return (h.reshape(b, -1, s) @ weights.transpose(1, 2)).transpose(1, 2)


def one_sum_for_all(weights, h):
    total, rows = torch.zeros(len(h), h.shape[2]), []
    for t in range(weights.shape[1]):
        for s in range(h.shape[1]):
            total = total + weights[:, t, s, None] * h[:, s]
        rows.append(total)
    return torch.stack(rows, 1)


def one_buffer(weights, h):
    buffer, rows = torch.zeros(len(h), h.shape[2]), []
    for t in range(weights.shape[1]):
        buffer.zero_()
        for s in range(h.shape[1]):
            buffer += weights[:, t, s, None] * h[:, s]
        rows.append(buffer)
    return torch.stack(rows, 1)


def one_tensor_many_times(weights, h):
    out = []
    for b in range(len(h)):
        rows = [torch.zeros(h.shape[2])] * weights.shape[1]
        for t in range(weights.shape[1]):
            for s in range(h.shape[1]):
                rows[t] += weights[b, t, s] * h[b, s]
        out.append(torch.stack(rows))
    return torch.stack(out)


def tiled(s, h, W_a, U_a, v_a):
    b, n, d = h.shape
    hidden = torch.tanh((s @ W_a.T).repeat(n, 1) + h.reshape(b * n, d) @ U_a.T)
    return (hidden @ v_a).view(b, n)


def query_changed(s, h, W_a, U_a, v_a):
    query, scores = s @ W_a.T, []
    for j in range(h.shape[1]):
        query += h[:, j] @ U_a.T
        scores.append(torch.tanh(query) @ v_a)
    return torch.stack(scores, dim=1)


def v_inside(s, h, W_a, U_a, v_a):
    return torch.tanh(v_a * ((s @ W_a.T)[:, None] + h @ U_a.T)).sum(-1)


def sigmoid_by_hand(s, h, W_a, U_a, v_a):
    return (1 / (1 + torch.exp(-((s @ W_a.T)[:, None] + h @ U_a.T)))) @ v_a


def left_packed(scores, allowed):
    rows = [scores[b][:, allowed[b]].softmax(-1) for b in range(len(scores))]
    return torch.stack([F.pad(row, (0, scores.shape[-1] - row.shape[-1])) for row in rows])


# --- chapters 02, 03, 04 ------------------------------------------------------------------------------------


def keys_of_head_0(q, k, v, allowed):
    allowed = allowed.expand(*q.shape[:3], k.shape[2])
    heads = [
        F.scaled_dot_product_attention(q[:, h], k[:, 0], v[:, h], allowed[:, h]) for h in range(q.shape[1])
    ]
    return torch.stack(heads, 1)


def by_all_features(q, k, v, allowed):
    scores = q @ k.mT / (k.shape[1] * k.shape[-1])
    return scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ v


def values_set_to_0(q, k, v, allowed):
    seen = allowed.expand(*q.shape[:3], k.shape[2]).any(2)
    return (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1) @ (v * seen[..., None])


def cut(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def split_first(x_q, x_kv, params, n_heads, allowed):
    size = x_q.shape[-1] // n_heads

    def project(x, name):
        own = [slice(h * size, (h + 1) * size) for h in range(n_heads)]
        W, b = params["W_" + name], params["b_" + name]
        return torch.stack([cut(x, n_heads)[:, h] @ W[o, o].T + b[o] for h, o in enumerate(own)], 1)

    out = F.scaled_dot_product_attention(project(x_q, "q"), project(x_kv, "k"), project(x_kv, "v"), allowed)
    return parts.linear(out.transpose(1, 2).flatten(2), params, "o")


def values_from_keys(x_q, x_kv, params, n_heads, allowed):
    q, k = parts.linear(x_q, params, "q"), parts.linear(x_kv, params, "k")
    made = (cut(x, n_heads) for x in (q, k, parts.linear(k, params, "v")))
    out = F.scaled_dot_product_attention(*made, allowed)
    return parts.linear(out.transpose(1, 2).flatten(2), params, "o")


def two_slips(x_q, x_kv, params, n_heads, allowed):
    made = [parts.linear(x, params, n) for x, n in ((x_q, "q"), (x_kv, "k"), (x_kv, "v"))]
    q, k, v = (cut(x, n_heads) for x in made)
    weights = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1) * allowed
    return (weights @ v).transpose(1, 2).flatten(2) @ params["W_o"] + params["b_o"]


def one_bias_each(d_model, n_heads):
    d_k = d_model // n_heads
    return n_heads * (3 * d_model * d_k + d_k) + d_model * d_model + d_model


def mirrored(T, S):
    return torch.ones(T, S).tril(S - T).flip(1).bool()


def triangle_first(T, S):
    return torch.cat([torch.ones(T, T).tril().bool(), torch.ones(T, S - T).bool()], dim=1)


def last_columns(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:, -n_prefix:] = True
    return mask


def all_but_the_rest(T, n_prefix):
    mask = torch.ones(T, T).tril().bool()
    mask[:, : -(T - n_prefix)] = True
    return mask


def corner(T, n_prefix):
    rest = T - n_prefix
    mask = torch.zeros(T, T).bool()
    mask[:, :-rest] = True
    mask[-rest:, -rest:] = torch.ones(rest, rest).tril().bool()
    return mask


def until_the_next(text):
    mask = torch.zeros(len(text), 1, text.shape[1], text.shape[1], dtype=torch.bool)
    for b, row in enumerate(text.tolist()):
        start = 0
        for i in range(1, len(row)):
            if row[i] != row[i - 1]:
                mask[b, 0, start:i, start:i] = torch.ones(i - start, i - start).tril().bool()
                start = i
    return mask


# --- chapter 05 ---------------------------------------------------------------------------------------------


def multiplied(T, D):
    angle = torch.arange(T).float()[:, None] * 10000 ** (torch.arange(0, D, 2) / D)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def of_whole_numbers(T, D):
    table = torch.zeros(T, D, dtype=torch.long)
    angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, D, 2) / D)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return table


def rounded(T, D):
    angle = torch.arange(T)[:, None] // 10000 ** (torch.arange(0, D, 2) / D)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def with_log10(T, D):
    table = torch.zeros(T, D)
    step = torch.exp(-torch.arange(0, D, 2) * math.log10(10000) / D)
    table[:, 0::2], table[:, 1::2] = (
        (torch.arange(T)[:, None] * step).sin(),
        (torch.arange(T)[:, None] * step).cos(),
    )
    return table


def slowest_first(T, D):
    angle = torch.arange(T)[:, None] / 10000 ** (1 - torch.arange(0, D, 2) / D)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def in_bits(logits, labels, epsilon):
    counted, V = labels != -100, logits.shape[1]
    target = F.one_hot(labels[counted], V) * (1 - epsilon) + epsilon / V
    return -(target * logits[counted].log_softmax(-1) / math.log(2)).sum(-1).mean()


def clamped(logits, labels, epsilon):
    counted, V = labels != -100, logits.shape[1]
    target = F.one_hot(labels[counted], V) * (1 - epsilon) + epsilon / V
    return -(target * logits[counted].softmax(-1).clamp(min=1e-8).log()).sum(-1).mean()


def bias_as_gain(x, f, gain, bias):
    y = x + f(x)
    return F.layer_norm(y, y.shape[-1:], bias, gain)


def raw_squares(x, f, gain, bias):
    y = x + f(x)
    return (y - y.mean(-1, keepdim=True)) / ((y**2).mean(-1, keepdim=True) + 1e-5).sqrt() * gain + bias


def by_its_length(x, f, gain, bias):
    y = x + f(x)
    y = y - y.mean(-1, keepdim=True)
    return y / y.norm(dim=-1, keepdim=True) * gain + bias


def variance_of_x(x, f, gain, bias):
    y = x + f(x)
    spread = (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return (y - y.mean(-1, keepdim=True)) / spread * gain + bias


def blind_encoder(x, allowed, attend, feed_forward, norm_1, norm_2):
    past = torch.ones(x.shape[1], x.shape[1]).tril().bool()
    x = norm_1(x + attend(x, x, x, allowed & past)[0])
    return norm_2(x + feed_forward(x))


def rows_closed(x, allowed, attend, feed_forward, norm_1, norm_2):
    x = norm_1(x + attend(x, x, x, allowed.transpose(2, 3))[0])
    return norm_2(x + feed_forward(x))


def labels_first(target, bos_id, pad_id):
    labels = target.masked_fill(target == pad_id, -100)
    inputs = torch.cat([torch.full_like(target[:, :1], bos_id), target[:, :-1]], 1)
    return labels, inputs.masked_fill(target == pad_id, pad_id)  # what is read there makes no difference


def raw_labels_first(target, bos_id, pad_id):
    return target, torch.cat([torch.full_like(target[:, :1], bos_id), target[:, :-1]], 1)


def writing(choose, rest=lambda token, before, done: token.masked_fill(done, 0)):
    def write(model, source, max_new):
        state, token, ids = model.encode(source), torch.full((len(source),), 1), []
        done = torch.zeros(len(source), dtype=torch.bool)
        for _ in range(max_new):
            logits, _, state = model.next_logits(token[:, None], state)
            token = rest(choose(logits), token, done)
            ids.append(token)
            done = done | (token == 2)
            if done.all():
                break
        return torch.stack(ids, 1)

    return write


one_pad = writing(
    lambda logits: logits.argmax(-1), lambda token, before, done: token.masked_fill(before == 2, 0)
)
second_best = writing(lambda logits: logits.topk(2).indices[:, 1])


def seeded_draw(model, source, max_new):
    generator = torch.Generator().manual_seed(3)
    draw = lambda logits: torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]  # noqa: E731
    return writing(draw)(model, source, max_new)


def best_text_for_each_word(scores, log_probs, k):
    best, texts = (scores[:, None] + log_probs).max(dim=0)
    new_scores, tokens = best.topk(min(k, len(best)))
    return texts[tokens], tokens, new_scores


def best_texts_first(scores, log_probs, k):
    _, texts = scores.topk(min(k, len(scores)))
    new_scores, place = (scores[texts, None] + log_probs[texts]).flatten().topk(k)
    return texts[place // log_probs.shape[1]], place % log_probs.shape[1], new_scores


def places_in_the_list(scores, log_probs, k):
    _, texts = scores.topk(min(k, len(scores)))
    new_scores, place = (scores[texts, None] + log_probs[texts]).flatten().topk(k)
    return place // log_probs.shape[1], place % log_probs.shape[1], new_scores


def scores_in_front(scores, log_probs, k):
    new_scores, place = (scores[:, None] + log_probs).flatten().topk(k)
    return new_scores, place // log_probs.shape[1], place % log_probs.shape[1]


@pytest.mark.parametrize(
    ("id", "answer", "name", "told"),
    [
        ("01.aer", by_dict, "links-of-one-word-lost", "you lose one of the two links"),
        ("01.aer", looked_up, "links-of-one-word-lost", "`set(guessed)`"),
        ("01.aer", mean_of_both, "mean-of-precision-and-recall", "counts links"),
        ("01.context", turned_by_reshape, "read-anew", "no axes change places"),
        ("01.context", one_sum_for_all, "sum-goes-on", "In a loop over the target words"),
        ("01.context", one_buffer, "same-row-for-all", "the last of them"),
        ("01.context", one_tensor_many_times, "all-rows-added", "holds one tensor, n times"),
        ("01.scores", tiled, "paired-with-other-sentences", "query 0, 1, 0, 1"),
        ("01.scores", query_changed, "words-added-up", "the next word meets the changed one"),
        ("01.scores", v_inside, "v-inside-the-tanh", "`tanh(…) @ v_a`"),
        ("01.scores", sigmoid_by_hand, "another-bend", "tanh runs from -1 to 1"),
        ("01.weights", left_packed, "moved-to-the-left", "at the place of its word"),
        ("02.attention", keys_of_head_0, "same-keys-for-all-heads", "of head 0"),
        ("02.attention", by_all_features, "divided-by-d-model", "7.35 times too small: you divide by 18"),
        ("02.attention", values_set_to_0, "values-masked", "they still take their share"),
        ("03.layer", split_first, "split-before-projecting", "Each head reads all D features"),
        ("03.layer", values_from_keys, "values-from-keys", "`x_kv @ W_v.T + b_v`"),
        ("03.layer", two_slips, "not-transposed-mask-after", "Two slips."),
        ("03.count", one_bias_each, "o-without-bias", "all four projections have one"),
        ("04.causal", mirrored, "mirrored", "key 0 on the left"),
        ("04.causal", triangle_first, "earlier-keys-on-the-right", "in your last columns"),
        ("04.prefix", last_columns, "wrong-part-opened", "the last columns of the row"),
        ("04.prefix", all_but_the_rest, "minus-zero", "`[:-0]` is nothing"),
        ("04.packed", until_the_next, "last-text-closed", "After the last one none begins"),
        ("05.sinusoidal", multiplied, "position-multiplied", "Divide by it"),
        ("05.sinusoidal", of_whole_numbers, "whole-numbers", "0 stands where "),
        ("05.sinusoidal", rounded, "angles-rounded", "stands still for a long time"),
        ("05.sinusoidal", with_log10, "another-base", "as if 55 stood where 10000 belongs"),
        ("05.sinusoidal", slowest_first, "clocks-reversed", "Clock 0 is the fastest"),
        ("05.smoothing", in_bits, "another-logarithm", "to the base 2."),
        ("05.smoothing", clamped, "log-of-softmax", "put in its place"),
        ("05.sublayer", bias_as_gain, "gain-and-bias-exchanged", "multiply by `bias` and add `gain`"),
        ("05.sublayer", raw_squares, "squares-not-centred", "take the mean off first, then square"),
        ("05.sublayer", by_its_length, "divided-by-its-length", "√D ≈ 2.45 times too small"),
        ("05.sublayer", variance_of_x, "statistics-of-x", "those of the sum"),
        ("05.encoder-layer", blind_encoder, "causal-always", "a word may look at those after it"),
        ("05.encoder-layer", rows_closed, "mask-on-the-queries", "lies along the keys as it is"),
        ("05.decoder-inputs", labels_first, "other-order", "`labels, inputs`"),
        ("05.decoder-inputs", raw_labels_first, "exchanged-and-padding-counted", "Two slips."),
        ("05.greedy", one_pad, "finished-for-one-step", "a row gets one `[PAD]`"),
        ("05.greedy", second_best, "not-the-likeliest", "the highest logit is that of"),
        ("05.greedy", seeded_draw, "not-the-likeliest", "draws nothing by chance"),
        ("05.beam-step", best_text_for_each_word, "best-text-for-each-word", "share a word"),
        ("05.beam-step", best_texts_first, "best-texts-first", "choose then"),
        ("05.beam-step", places_in_the_list, "wrong-text-of-the-list", "the texts that you kept first"),
        ("05.beam-step", scores_in_front, "other-order", "`new_scores, parents, tokens`"),
    ],
)
def test_the_cause_is_told(id, answer, name, told):
    result = run(id, answer)
    assert result.misconception == name and told in result.message, result


# --- what is told of places and counts is so ----------------------------------------------------------------


def test_the_first_token_that_is_not_the_likeliest_is_named():
    exercise = desk.exercises()["05.greedy"]
    model, source, max_new = exercise.cases()[0].args
    ids = second_best(model, source, max_new)
    logits = model.next_logits(torch.full((len(source), 1), 1), model.encode(source))[0]
    best, mine = logits[0].argmax().item(), ids[0, 0].item()
    assert logits[0, mine] < logits[0, best]
    message = run("05.greedy", second_best).message
    assert f"in row 0, step 0, you have {mine}, and the highest logit is that of {best}." in message


@pytest.mark.parametrize("base", [2.5, 54.6, 300.0, 5000.0, 31_623.0])
def test_another_base_is_measured(base):
    def positions(T, D):
        angle = torch.arange(T)[:, None] / base ** (torch.arange(0, D, 2) / D)
        return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)

    result = run("05.sinusoidal", positions)
    told = f"{base:,.0f}" if base > 20 else f"{base:.3g}"
    assert result.misconception == "another-base" and f"as if {told} stood" in result.message


def test_advice_for_an_end_that_is_minus_zero_is_given_where_it_fails():
    assert "Count from the front: `[n_prefix:]`" in run("04.prefix", corner).message


def test_an_end_that_is_minus_zero_is_shown_with_its_brackets():
    def first_ones(values, weights):
        return values[: -(len(values) - len(weights))]

    from course_lib.practice import changes

    tree = repairing._tree(first_ones)
    whys = [change.why for change in changes.all_changes(tree)]
    size = "len(values) - len(weights)"
    assert f"Where `{size}` is 0, `-({size})` is 0 as well, and `[:0]` takes nothing." in whys


# --- another answer each time -------------------------------------------------------------------------------


def test_a_function_that_answers_otherwise_each_time_is_told_so(monkeypatch):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 30.0)  # also beside a busy process
    calls = []

    def drawn(query, keys, values):
        return torch.rand(values.shape[1])

    def counted(query, keys, values):
        calls.append(1)
        return torch.full((values.shape[1],), float(len(calls)))

    def constant(query, keys, values):
        return torch.full((values.shape[1],), 0.5)

    for function in (drawn, counted):
        result = run("02.soft-dict", function)
        assert result.misconception == "another-each-time"
        assert result.message.startswith("Your function gives another answer when it is called again")
        assert "expected" in result.message
    assert run("02.soft-dict", constant).misconception is None


@pytest.mark.parametrize(
    "answer",
    [
        lambda query, keys, values: torch.ones(values.shape[1], dtype=torch.complex64),
        lambda query, keys, values: torch.zeros(1).expand(10**8),
        lambda query, keys, values: torch.full((values.shape[1],), torch.nan),
    ],
)
def test_what_cannot_be_compared_is_not_said_to_differ(monkeypatch, answer):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 30.0)
    assert run("02.soft-dict", answer).misconception != "another-each-time"


def test_what_is_seen_through_a_view_may_differ_where_it_makes_no_difference(monkeypatch):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 30.0)

    def drawn_where_nothing_is_read(target, bos_id, pad_id):
        inputs = torch.cat([torch.full_like(target[:, :1], bos_id), target[:, :-1]], 1)
        noise = torch.randint(5, 90, target.shape)
        return torch.where(target == pad_id, noise, inputs), target.masked_fill(target == pad_id, -7)

    assert run("05.decoder-inputs", drawn_where_nothing_is_read).misconception is None


# --- repairs ------------------------------------------------------------------------------------------------


def test_a_line_that_must_stand_inside_the_loop_is_moved_there(monkeypatch):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 30.0)  # also beside a busy process

    def halved(x, n_heads):
        pieces, size = [], x.shape[-1] // n_heads
        start = 0
        for h in range(n_heads):
            pieces.append(x[..., h * size + start : (h + 1) * size + start])
            start = start - h * 1
        return torch.stack(pieces, 1)

    message = run("03.split", halved).message
    assert "`start = 0` stands before the loop, so it is done once for all rounds." in message
    assert "`for h in range(n_heads):` repeats: then your function is right" in message


@pytest.mark.parametrize(
    ("body", "offered"),
    [
        ("total += x", True),
        ("total = total + x", True),
        ("total[0] = x", True),
        ("total.append(x)", True),
        ("found.append(total)", True),  # the loop does not change it: something else is wrong
        ("if x: total = x", False),  # the item before, or a flag
        ("total = total or x", False),
        ("for y in x: total = y", True),  # remembered in the inner loop, which begins anew
    ],
)
def test_a_line_that_remembers_is_not_moved_into_the_loop_that_uses_it(body, offered):
    tree = ast.parse(f"def f(rows):\n    total = 0\n    for x in rows:\n        {body}\n    return total")
    moves = [change for change in changes.all_changes(tree) if "beginning of what `for x in" in change.why]
    assert len(moves) == offered


def test_a_change_in_place_is_told_where_it_is_the_cause(monkeypatch):
    monkeypatch.setattr(repairing, "SEARCH_TIME", 30.0)

    def in_place(y_prev, s_prev, h, allowed, attend, cell):
        context, weights = attend(s_prev, h, allowed)
        joined = weights
        joined *= 0
        joined = torch.cat([y_prev, context], -1)
        return cell(joined, s_prev), context, weights

    message = run("01.decoder-step", in_place).message
    assert "`*=` changes a tensor in place, for all who hold it." in message
    assert "right on every input that was tried" in message


# --- further inputs -----------------------------------------------------------------------------------------


WITH_INPUTS = [e for e in desk.exercises().values() if e.parameters]  # 06.choose takes nothing


@pytest.mark.parametrize("exercise", WITH_INPUTS, ids=lambda e: e.id)
def test_each_exercise_has_further_inputs_for_its_repairs(exercise):
    known = [case.args for case in exercise.cases()]
    with inputs.other_seeds(repairing.FURTHER_SEED):
        moved = [case.args for case in exercise.cases()]
    by_seed = any(
        isinstance(a, torch.Tensor) and not torch.equal(a, b)
        for old, new in zip(known, moved, strict=True)
        for a, b in zip(old, new, strict=True)
    )
    assert by_seed or exercise.further is not None
    assert len(list(repairing.further(exercise))) >= 3


# --- chapters 05 and 06 -------------------------------------------------------------------------------------


def cut_by_view(scores, log_probs, k):  # `view` fails where the table is not contiguous
    V = log_probs.size(1)
    new_scores, place = (scores.unsqueeze(1) + log_probs).view(-1).topk(k)
    return place % V, place // V, new_scores


def sums_of_probabilities(scores, log_probs, k):
    found = []
    for n in range(len(scores)):
        for v in range(log_probs.shape[1]):
            found.append((float(scores[n] + log_probs[n, v].exp()), n, v))
    new_scores, parents, tokens = zip(*sorted(found)[-k:], strict=True)
    return torch.tensor(parents), torch.tensor(tokens), torch.tensor(new_scores)


def last_of_the_pair(x, allowed, attend, feed_forward, norm_1, norm_2):
    x = norm_1(x + attend(x, x, x, allowed)[-1])
    return norm_2(x + feed_forward(x))


def both_from_the_input(x, allowed, attend, feed_forward, norm_1, norm_2):
    o, _ = attend(x, x, x, allowed)
    return norm_2(x + o + feed_forward(norm_1(x)))


def clocks(T, D):
    return torch.outer(torch.arange(T).float(), 10000.0 ** (-torch.arange(0, D, 2).float() / D))


def cosines_in_front(T, D):
    return torch.stack([clocks(T, D).cos(), clocks(T, D).sin()], dim=0).reshape(T, D)


def tables_in_a_column(T, D):
    return torch.cat([clocks(T, D).sin(), clocks(T, D).cos()], dim=0)


def as_if_bos_were_there(target, bos_id, pad_id):
    labels = torch.cat([target[:, 1:], torch.full_like(target[:, :1], pad_id)], 1)
    return target, labels.masked_fill(labels == pad_id, -100)


def over_the_first_without_end(target, bos_id, pad_id):
    inputs, labels = target.clone(), target.clone()
    inputs[:, 0] = bos_id
    for b in range(len(target)):
        labels[b, int((target[b] != pad_id).sum()) - 1 :] = -100
    return inputs, labels


def no_root_no_bias(x, f, gain, bias):
    c = (h := f(x) + x) - h.mean(2).unsqueeze(2)
    return c / (torch.einsum("btd,btd->bt", c, c) / c.shape[2] + 1e-5)[..., None] * gain


def whole_table(logits, labels, epsilon):
    log_p, V = torch.log_softmax(logits, -1), logits.shape[-1]
    t = F.one_hot(labels.clamp(min=0), V).float() * (1 - epsilon) + epsilon / V
    return (-t * log_p).mean()


def whole_table_without_padding(logits, labels, epsilon):
    log_p, V = torch.log_softmax(logits, -1), logits.shape[-1]
    t = F.one_hot(labels.clamp(min=0), V).float() * (1 - epsilon) + epsilon / V
    return (-t * log_p * (labels != -100)[:, None]).mean()


def one_memory(ids, n_input, pad_id):
    ids = ids.clone()
    inputs, labels = ids[:, :-1], ids[:, 1:]
    place = torch.arange(labels.shape[1])
    labels[(place[None, :] < n_input[:, None]) | (labels == pad_id)] = -100
    return inputs, labels


def labels_first(ids, n_input, pad_id):
    return ids[:, 1:].masked_fill(ids[:, 1:] == pad_id, -100), ids[:, :-1]


def two_colours_and_no_end(family, ids, n_input, blank, pad_id):
    if family == "encoder-only":
        return blank.long() * 2
    place = torch.arange(ids.shape[1])
    out = torch.where((place > n_input[:, None]) & (ids != 2), 2, 1)
    return out.masked_fill(ids == pad_id, 0)


def state_outside(s, h, W_a, U_a, v_a):
    return (torch.tanh(h @ U_a.T) + (s @ W_a.T).unsqueeze(1)) @ v_a


def std_of_all(x, W_q, W_k, W_v):
    x = x - x.mean(dim=-1, keepdim=True)
    x = x / x.std(dim=(1, 2), keepdim=True, correction=0)
    return F.scaled_dot_product_attention(x @ W_q.T, x @ W_k.T, x @ W_v.T, is_causal=True)


@pytest.mark.parametrize(
    ("id", "function", "name", "told"),
    [
        ("05.beam-step", cut_by_view, "text-and-word-exchanged", "the rest is the word"),
        ("05.beam-step", sums_of_probabilities, "probabilities-worst-first", "best first is asked"),
        ("05.encoder-layer", last_of_the_pair, "weights-for-output", "the output first"),
        ("05.encoder-layer", both_from_the_input, "side-by-side", "neither reads what the other made"),
        ("05.sinusoidal", cosines_in_front, "joined-in-rows-cosine-first", "the sine stands first"),
        ("05.sinusoidal", tables_in_a_column, "one-above-the-other", "A position is one row"),
        ("05.decoder-inputs", as_if_bos_were_there, "labels-moved-alone", "put `bos_id` in front"),
        ("05.decoder-inputs", over_the_first_without_end, "first-word-replaced-end-missed", "Two slips."),
        ("05.sublayer", no_root_no_bias, "root-missing-and-gain-or-bias", "plus `bias`"),
        ("05.smoothing", whole_table, "mean-of-the-table-with-padding", "Two slips."),
        ("05.smoothing", whole_table_without_padding, "mean-of-the-table", "only 4 of the 6 labels count"),
        ("06.prefix-labels", one_memory, "marks-through-a-view", "share its memory"),
        ("06.prefix-labels", labels_first, "exchanged-and-everything-counted", "return `inputs, labels`"),
        ("06.strip", two_colours_and_no_end, "rest-ignored", "It is given, 1"),
        ("01.scores", state_outside, "one-outside-the-tanh", "Add first"),
        ("04.leak", std_of_all, "half-repaired", "Both must run over the features"),
    ],
)
def test_more_slips_of_chapters_05_and_06_are_named(id, function, name, told):
    result = run(id, function)
    assert result.misconception == name and told in result.message
