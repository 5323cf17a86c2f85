"""No cause is told that is not the answer's: no stub, no two slips, no nonsense that fits by accident."""

import math

import pytest
import torch

from course_lib.practice import desk, differences

# --- an error of an operation is no stub --------------------------------------------------------------------


def brackets_forgotten(ids, chosen, throw, drawn, mask_id):
    labels = ids.masked_fill(~chosen, -100)
    reads = ids.clone()
    reads[chosen & throw < 0.8] = mask_id
    swap = chosen & (throw >= 0.8) & (throw < 0.9)
    reads[swap] = drawn[swap]
    return reads, labels


def brackets_and_more(ids, chosen, throw, drawn, mask_id):
    reads = ids.clone()
    if (chosen & throw > 0.8).any():
        reads = drawn
    return reads, ids


def on_purpose(ids, chosen, throw, drawn, mask_id):
    return ids, ids[(chosen & throw) < 0.8]


def test_an_operation_that_torch_does_not_implement_is_a_try():
    result = desk.run_check("08.corrupt", brackets_forgotten)
    assert (result.status, result.kind) == ("not yet", "error")
    assert result.line[1] == "reads[chosen & throw < 0.8] = mask_id"
    assert result.message.count("`&` binds more closely than `<`: Python reads `chosen & throw` first.") == 1
    assert "With `chosen & (throw < 0.8)` in place of `chosen & throw < 0.8` your" in result.message


def test_the_cause_is_told_where_it_is_not_the_only_slip():
    message = desk.run_check("08.corrupt", brackets_and_more).message
    assert "binds more closely than `>`" in message and "Put each comparison in brackets." in message
    assert "binds more closely" not in desk.run_check("08.corrupt", on_purpose).message


def test_what_the_learner_raises_herself_is_still_a_stub():
    def half(ids, chosen, throw, drawn, mask_id):
        labels = ids.masked_fill(~chosen, -100)
        raise NotImplementedError("reads")
        return labels

    assert desk.run_check("08.corrupt", half).kind == "stub"


# --- right values in another kind of number -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.float32])
def test_a_right_mask_of_numbers_gets_no_slips(kind):
    def in_numbers(turns):
        flags = []
        for role, ids in turns:
            flags += [0] + [int(role == "assistant")] * (len(ids) - 1)
        return torch.tensor(flags[1:], dtype=kind)

    result = desk.run_check("10a.loss-mask", in_numbers)
    assert result.kind == "dtype" and "expected bool. A mask is True or False" in result.message


def test_a_condition_has_no_fraction_that_int_could_take_away():
    def loss_mask(turns):
        mask = [int(r == "assistant" and k > 0) for r, ids in turns for k in range(len(ids))]
        return torch.tensor(mask[1:])

    message = desk.run_check("10a.loss-mask", loss_mask).message
    assert "in place of `int(r == 'assistant' and k > 0)`" in message and "fraction" not in message


# --- tiny numbers are not each other ------------------------------------------------------------------------


def per_token_times(compute, A, B, alpha, beta):
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (compute / 6) ** (beta / (alpha + beta))
    return N / (compute / 6 * N)


@pytest.mark.parametrize("answer", [lambda compute, A, B, alpha, beta: 0, per_token_times])
def test_a_tiny_number_is_no_known_mistake(answer):
    result = desk.run_check("09b.tokens-per-parameter", answer)
    assert result.kind == "difference" and "root" not in result.message


# --- changes that fit by accident ---------------------------------------------------------------------------


def hides_the_input(family, n_input, N):
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    if family == "encoder-only":
        mask[:] = True
    elif family == "prefix-LM":
        mask[:, :n_input] = True
    else:
        mask[n_input:, :n_input] = False
    return mask


def last_is_none(family, ids, n_input, blank, pad_id):
    out = torch.ones_like(ids)
    pred = torch.arange(ids.shape[1]) > n_input[:, None]
    if family == "encoder-only":
        pred = blank
    out[pred] = 2
    out[ids == pad_id] = 0
    for row in range(len(ids)):
        last = (ids[row] != pad_id).nonzero().max()
        if family != "encoder-only":
            out[row, last] = 0
    return out


@pytest.mark.parametrize(
    ("id", "answer", "line"),
    [
        ("06.family-masks", hides_the_input, "mask[n_input:, :n_input] = False"),
        ("06.strip", last_is_none, "out[row, last] = 0"),
    ],
)
def test_a_line_that_writes_too_much_is_left_out_and_not_bent(id, answer, line):
    """Another place, or another name, would only take its effect away."""
    told = desk.run_check(id, answer).message
    assert told.endswith(f"Without `{line}` your function is right on every input that was tried.")


def word_by_word(turns, special, encode):
    out = []
    for r, t in turns:
        out.append(special[f"<|{r}|>"])
        for w in t.split():
            out += [special[w]] if w in special else encode(w)
        out.append(special["<|end|>"])
    return out


def of_negative_scores(ids, logits, mask_id):
    s, w = logits.log_softmax(-1).max(-1)
    s = s * (ids == mask_id)
    out = ids.clone()
    for b in range(len(ids)):
        t = s[b].argmax()
        if ids[b, t] == mask_id:
            out[b, t] = w[b, t]
    return out


def reset_too_early(gradients, flags):
    held = torch.zeros_like(gradients[:, 0])
    out = held
    for p, f in enumerate(flags):
        held = held + gradients[:, p]
        if f:
            out = held.mean(0, keepdim=True).expand_as(held)
            held = torch.zeros_like(held)
    return out


@pytest.mark.parametrize(
    ("id", "answer"),
    [("07.chat-ids", word_by_word), ("08.fill", of_negative_scores), ("09b.sync", reset_too_early)],
)
def test_nothing_is_told_that_is_right_by_accident(id, answer):
    """`r.split()` is one word, so the loop has one round; what is divided by 0 is never the largest."""
    assert "right on every input" not in desk.run_check(id, answer).message


def batch_turned(G):
    X = G / G.norm(dim=(1, 2), keepdim=True)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def test_one_slip_is_not_called_two():
    told = desk.run_check("09b.newton-schulz", batch_turned).message
    assert "two slips" not in told and "With `X.mT` in place of `X.T` your function is right" in told


# --- numbers and words that are true ------------------------------------------------------------------------


def a_little_less(grad_W, grad_b, limit):
    length = torch.sqrt((grad_W**2).sum() + (grad_b**2).sum()) + 1e-4
    factor = torch.clamp(limit / length, max=1)
    return grad_W * factor, grad_b * factor


def another_pi(step, warmup, total, end):
    if step < warmup:
        return (step + 1) / warmup
    t = min((step - warmup) / (total - warmup), 1)
    return end + (1 - end) * (1 + math.cos(math.pi * t) - 3e-5) / 2


def test_one_time_is_said_of_nothing():
    message = desk.run_check("09a.clip", a_little_less).message
    assert "times too" not in message
    assert "Without `+ 0.0001` your function is right" in message  # though then it divides by 0 somewhere


def test_two_numbers_that_differ_are_written_so():
    assert "is 0.9997; expected 0.9997." not in desk.run_check("09a.schedule", another_pi).message
    assert differences._numbers(0.99971, 0.99972) == ("0.99971", "0.99972")
    assert differences._numbers(0.1, 16640) == ("0.1", "16,640")
    assert len(set(differences._numbers(0.1, 0.1 + 1e-12))) == 2


def test_half_a_float_is_no_other_base():
    def half(T, D):
        angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, D, 2) / D)
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).half()

    result = desk.run_check("05.sinusoidal", half)
    assert result.kind == "dtype" and "they are float16, which keeps about three digits" in result.message


@pytest.mark.parametrize(("base", "word"), [(500.0, "smaller"), (50_000.0, "larger")])
def test_another_base_is_smaller_or_larger(base, word):
    def positions(T, D):
        angle = torch.arange(T)[:, None] / base ** (torch.arange(0, D, 2) / D)
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

    assert f"With a {word} number the slow clocks" in desk.run_check("05.sinusoidal", positions).message


def test_a_triangle_that_is_there_need_not_be_added():
    def either(source, target, pad_id):
        words, T = target.ne(pad_id)[:, None, None], target.shape[1]
        encoder = source.ne(pad_id)[:, None, None]
        return encoder, words | torch.ones(T, T).tril().bool(), encoder

    message = desk.run_check("06.three-masks", either).message
    assert "Add the triangle" not in message and "Both must hold" in message


def test_the_end_of_a_word_is_never_merged():
    def encode(ids, merges):
        ids = list(ids)
        for rank, pair in enumerate(merges):
            i = 0
            while i < len(ids) - 2:
                if (ids[i], ids[i + 1]) == pair:
                    ids[i : i + 2] = [256 + rank]
                i += 1
        return ids

    assert desk.run_check("07.encode", encode).misconception == "end-not-merged"


def test_the_same_view_is_no_second_slip():
    def mlm_loss(logits, labels):
        B, T, V = logits.shape
        counted = labels != -100
        loss = torch.nn.functional.cross_entropy(logits.view(B, V, T), labels)
        return loss, (logits[counted].argmax(-1) == labels[counted]).float().mean()

    message = desk.run_check("08.mlm-loss", mlm_loss).message
    assert "The same `view` raises an error" in message and "second slip" not in message


def test_zeros_are_not_called_longer():
    result = desk.run_check("09a.clip", lambda grad_W, grad_b, limit: (grad_W * 0, grad_b * 0))
    assert result.misconception == "all-0"


def test_advice_on_an_error_of_torch_is_not_given_on_a_sentence_of_the_check():
    def three_masks(source, target, pad_id):
        words, T = target.ne(pad_id)[:, None, None], target.shape[1]
        encoder = source.ne(pad_id)[:, None, None]
        return encoder, words & torch.ones(T, T).tril().bool(), encoder.transpose(2, 3) & words

    message = desk.run_check("06.three-masks", three_masks).message
    assert "does not broadcast to scores" in message and "do not line up" not in message
