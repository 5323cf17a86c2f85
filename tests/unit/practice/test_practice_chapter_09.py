"""Practice of chapter 09: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import ast
import itertools
import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.chapters import CHAPTERS
from course_lib.data import python_library
from course_lib.generation import filters, sampling
from course_lib.layers import rotate
from course_lib.masks import causal_mask, masked_softmax
from course_lib.models.gpt import GPTConfig
from course_lib.practice import cards, checking, comparing, desk, repairing, written
from course_lib.practice import chapter_09a as a
from course_lib.practice import chapter_09b as b
from course_lib.practice.chapter_09a.top_p import clear
from course_lib.practice.kinds import Output
from course_lib.text import packing
from course_lib.training import muon, optim
from course_lib.training.objectives import token_loss

EXERCISES = {e.id.split(".")[1]: e for e in (*a.EXERCISES, *b.EXERCISES)}
QUESTIONS = {p.id: p for p in (*a.PREDICTIONS, *b.PREDICTIONS)}


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


def all_cases(name):
    return [*EXERCISES[name].cases(), *(case for case, _ in repairing.further(EXERCISES[name]))]


# --- references and solutions -------------------------------------------------------------------------------


def test_blocks_are_one_row_and_nothing_is_asked_twice():
    for case in all_cases("pack"):
        documents, T, end_id = case.args
        inputs, targets = a.PACK.reference(*case.args)
        row = [token for document in documents for token in (*document, end_id)]
        n = inputs.numel()
        assert inputs.flatten().tolist() == row[:n] and targets.flatten().tolist() == row[1 : n + 1]
        theirs = packing.pack(documents, T, end_id)  # the library begins its row with a boundary, too
        assert theirs.inputs.flatten()[1 : n + 1].tolist() == row[:n]
        assert theirs.labels.flatten()[1 : n + 1].tolist() == row[1 : n + 1]
        assert len(row) - 1 - n < T and end_id not in {t for one in documents for t in one}


def test_the_loss_is_the_library_s():
    for case in all_cases("next-token-loss"):
        logits, ids, pad_id = case.args
        labels = ids[:, 1:].masked_fill(ids[:, 1:] == pad_id, -100)
        assert torch.allclose(a.NEXT_TOKEN_LOSS.reference(*case.args), token_loss(logits, labels))


def test_groups_are_the_library_s():
    for tied in (True, False):
        model = GPTConfig(12, d_model=8, n_heads=2, n_layers=2, max_len=5, tied=tied).build()
        named = {id(p): name for name, p in model.named_parameters()}
        groups = optim.decay_groups(model, 0.1)
        theirs = [[named[id(p)] for p in group["params"]] for group in groups]
        shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        assert [sorted(names) for names in a.DECAY_GROUPS.reference(shapes)] == [sorted(n) for n in theirs]


def test_clipping_is_torch_s():
    for case in all_cases("clip"):
        grad_W, grad_b, limit = case.args
        W, bias = nn.Parameter(torch.zeros_like(grad_W)), nn.Parameter(torch.zeros_like(grad_b))
        W.grad, bias.grad = grad_W.clone(), grad_b.clone()
        nn.utils.clip_grad_norm_([W, bias], limit)
        mine = a.CLIP.reference(*case.args)
        assert torch.allclose(mine[0], W.grad, atol=1e-5) and torch.allclose(mine[1], bias.grad, atol=1e-5)


def test_the_schedule_has_no_jump_and_its_three_values():
    factor = a.SCHEDULE.reference
    for warmup, total, end in ((10, 200, 0.1), (0, 50, 0.0), (1, 3, 0.5)):
        steps = [factor(step, warmup, total, end) for step in range(total + 5)]
        largest = max(1 / max(warmup, 1) if warmup else 0, math.pi / 2 / (total - warmup))
        assert max(abs(x - y) for x, y in itertools.pairwise(steps)) <= largest + 1e-9
        assert steps[warmup] == 1 and steps[total] == pytest.approx(end) and steps[0] > 0
        shape = optim.WarmupThenCosine(0.0, end)
        fall = [shape((step - warmup) / (total - warmup)) for step in range(warmup, total)]
        assert steps[warmup:total] == pytest.approx(fall)


def test_pieces_are_one_batch():
    """A model with parameters, and any way to cut eight tokens into pieces."""
    g = torch.Generator().manual_seed(1)
    x, y, w = (torch.randn(*shape, generator=g) for shape in ((8, 3), (8,), (3,)))

    def of(rows):
        parameter = w.clone().requires_grad_()
        loss = ((x[rows] @ parameter - y[rows]) ** 2).mean()
        loss.backward()
        return loss.detach(), parameter.grad

    whole = of(slice(0, 8))
    for cuts in ((0, 8), (0, 1, 8), (0, 3, 5, 8), tuple(range(9))):
        pieces = [slice(*pair) for pair in itertools.pairwise(cuts)]
        losses, gradients = zip(*map(of, pieces), strict=True)
        counts = torch.tensor([piece.stop - piece.start for piece in pieces])
        mine = a.ACCUMULATE.reference(torch.stack(losses), torch.stack(gradients), counts)
        assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(mine, whole, strict=True))


def test_filters_are_the_library_s():
    for case in all_cases("top-p"):
        probabilities, p = case.args
        theirs = filters.keep_top_p(probabilities.log(), p).softmax(-1)
        assert torch.allclose(a.TOP_P.reference(probabilities, p), theirs, atol=1e-6)
    for case in all_cases("draw-order"):
        logits, temperature, k, p, nucleus = case.args
        theirs = filters.staged(logits, temperature, k, p)[-1].softmax(-1)
        assert torch.allclose(a.DRAW_ORDER.reference(logits, temperature, k, p, nucleus), theirs, atol=1e-5)


def test_cached_is_uncached():
    """Five steps from an empty cache, and all five places at once under a causal mask."""
    g = torch.Generator().manual_seed(2)
    B, T, D, K = 2, 5, 4, 3
    x, places, W_q, W_k, W_v = (
        torch.randn(*shape, generator=g) for shape in ((B, T, D), (T, D), (K, D), (K, D), (K, D))
    )
    h = x + places
    scores = (h @ W_q.T) @ (h @ W_k.T).mT / K**0.5
    whole = masked_softmax(scores, causal_mask(T)) @ (h @ W_v.T)  # (B, T, K)
    keys = values = torch.zeros(B, 0, K)
    for t in range(T):
        out, keys, values = a.CACHED_STEP.reference(x[:, t], places, W_q, W_k, W_v, keys, values)
        assert torch.allclose(out, whole[:, t], atol=1e-5)
    assert torch.allclose(keys, h @ W_k.T, atol=1e-6)


def test_rounds_and_rotation_are_the_library_s():
    for case in all_cases("newton-schulz"):
        (G,) = case.args
        X = b.NEWTON_SCHULZ.reference(G)
        assert torch.allclose(X, muon.orthogonalise(G), atol=1e-3)
    for case in all_cases("rotary"):
        x, start = case.args
        assert torch.allclose(b.ROTARY.reference(x, start), rotate(x[:, None], start)[:, 0], atol=1e-3)
    g = torch.Generator().manual_seed(3)
    q, k = torch.randn(1, 1, 6, generator=g), torch.randn(1, 1, 6, generator=g)
    turn = b.ROTARY.reference
    products = [(turn(q, i + 4) * turn(k, i)).sum() for i in (0, 3, 50)]
    assert torch.allclose(torch.stack(products), products[0].expand(3), atol=1e-4)


def test_one_exchange_at_the_end_is_enough_and_one_too_late_is_not():
    g = torch.Generator().manual_seed(5)
    gradients = torch.randn(3, 4, 6, generator=g)
    held = [b.SYNC.reference(gradients, flags) for flags in ([True] * 4, [False] * 3 + [True])]
    whole = gradients.sum(1).mean(0)
    assert all(torch.allclose(one, whole.expand(3, 6), atol=1e-6) for one in held)
    late = b.SYNC.reference(gradients, [True] * 3 + [False])
    assert not torch.allclose(late, late[:1].expand(3, 6), atol=1e-2)
    assert torch.allclose(late.mean(0), whole, atol=1e-6)


def test_singular_values_end_near_1():
    g = torch.Generator().manual_seed(4)
    values = torch.linalg.svdvals(b.NEWTON_SCHULZ.reference(torch.randn(20, 32, 64, generator=g)))
    assert values.min() > 0.6 and values.max() < 1.25 and not torch.allclose(values, torch.ones(1), atol=0.1)


def test_the_split_has_the_lowest_loss():
    split = b.TOKENS_PER_PARAMETER.reference
    for case in all_cases("tokens-per-parameter"):
        C, A, B, alpha, beta = case.args

        def loss(ratio, C=C, A=A, B=B, alpha=alpha, beta=beta):
            N = math.sqrt(C / 6 / ratio)
            return A / N**alpha + B / (ratio * N) ** beta

        ratio = split(*case.args)
        assert loss(ratio) < min(loss(ratio * 1.01), loss(ratio / 1.01))
    same = [split(C, 300.0, 500.0, 0.4, 0.4) for C in (1e18, 1e22)]
    assert (
        same[0] == pytest.approx(same[1]) and "Only where α and β are equal" in b.TOKENS_PER_PARAMETER.insight
    )


# --- right in other ways ------------------------------------------------------------------------------------


def blocks_in_a_loop(documents, length, end_id):
    row = [t for d in documents for t in [*d, end_id]]
    x, y, start = [], [], 0
    while start + length < len(row):
        x.append(row[start : start + length])
        y.append(row[start + 1 : start + length + 1])
        start += length
    return torch.tensor(x), torch.tensor(y)


def by_ignore_index(logits, ids, pad_id):
    return F.cross_entropy(logits.permute(0, 2, 1), ids[:, 1:], ignore_index=pad_id).item()


def groups_as_tuples(shapes):
    decay = tuple(n for n, s in shapes.items() if len(s) > 1 and n.find("embedding") == -1)
    return decay, tuple(n for n in shapes if n not in decay)


def clipped_as_one_vector(grad_W, grad_b, limit):
    v = torch.cat([grad_W.flatten(), grad_b])
    v = v * min(1.0, limit / (v.norm().item() + 1e-6))
    return v[: grad_W.numel()].view(grad_W.shape), v[grad_W.numel() :]


def by_a_squared_sine(step, warmup, total, end):
    if warmup > step:
        return 1 - (warmup - step - 1) / warmup
    left = max(0.0, (total - step) / (total - warmup))
    return end + (1 - end) * math.sin(math.pi / 2 * left) ** 2


def sums_in_a_loop(losses, gradients, counts):
    loss, gradient, n = 0.0, torch.zeros(gradients.shape[1]), int(counts.sum())
    for i in range(len(counts)):
        loss += losses[i].item() * int(counts[i]) / n
        gradient += gradients[i] * counts[i] / n
    return loss, gradient


def nucleus_with_lists(probabilities, p):
    rows = []
    for row in probabilities.tolist():
        kept, total = [], 0.0
        for j in sorted(range(len(row)), key=lambda j: -row[j]):
            kept.append(j)
            total += row[j]
            if total >= p:
                break
        rows.append([row[j] / total if j in kept else 0.0 for j in range(len(row))])
    return torch.tensor(rows)


def by_ranks(logits, temperature, k, p, top_p):
    shares = torch.softmax(logits / temperature, 1)
    shares = shares * (logits.argsort(1, descending=True).argsort(1) < k)
    return top_p(shares / shares.sum(1, keepdim=True), p)


def text_by_text(x, places, W_q, W_k, W_v, keys, values):
    outs, ks, vs = [], [], []
    for i in range(len(x)):
        h = x[i] + places[keys.shape[1]]
        k, v = torch.vstack([keys[i], W_k @ h]), torch.vstack([values[i], W_v @ h])
        w = torch.softmax(k @ (W_q @ h) / math.sqrt(keys.shape[2]), 0)
        outs.append(w @ v)
        ks.append(k)
        vs.append(v)
    return torch.stack(outs), torch.stack(ks), torch.stack(vs)


def exchanged_as_lists(gradients, flags):
    held = [[0.0] * gradients.shape[2] for _ in gradients]
    for p, flag in enumerate(flags):
        held = [
            [x + y for x, y in zip(h, g, strict=True)]
            for h, g in zip(held, gradients[:, p].tolist(), strict=True)
        ]
        if flag:
            held = [[sum(column) / len(held) for column in zip(*held, strict=True)] for _ in held]
    return torch.tensor(held)


def on_singular_values(G):
    U, S, V = torch.linalg.svd(G, full_matrices=False)
    s = S / S.square().sum(-1, keepdim=True).sqrt()
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return U @ torch.diag_embed(s) @ V


def by_a_search(compute, A, B, alpha, beta):
    def loss(n):
        return A * math.exp(-alpha * n) + B * math.exp(-beta * (whole - n))

    whole = math.log(compute / 6)
    low, high = 0.0, whole
    for _ in range(200):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, other) if loss(one) < loss(other) else (one, high)
    return math.exp(whole - 2 * low)


def with_complex_numbers(x, start):
    T, K = x.shape[1:]
    angle = torch.outer(torch.arange(start, start + T), 10000.0 ** (-torch.arange(0, K, 2) / K))
    pairs = torch.view_as_complex(x.reshape(*x.shape[:2], -1, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(2)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("pack", blocks_in_a_loop),
        ("next-token-loss", by_ignore_index),
        ("decay-groups", groups_as_tuples),
        ("clip", clipped_as_one_vector),
        ("schedule", by_a_squared_sine),
        ("accumulate", sums_in_a_loop),
        ("top-p", nucleus_with_lists),
        ("draw-order", by_ranks),
        ("cached-step", text_by_text),
        ("newton-schulz", on_singular_values),
        ("sync", exchanged_as_lists),
        ("tokens-per-parameter", by_a_search),
        ("rotary", with_complex_numbers),
    ],
)
def test_right_is_right_however_it_is_written(name, function):
    result = run(name, function)
    assert result.passed, result


# --- learners' slips ----------------------------------------------------------------------------------------


def windows_that_end(documents, length, end_id):
    row = []
    for d in documents:
        row.extend(d)
        row.append(end_id)
    x = [row[i : i + length] for i in range(0, len(row) - length + 1, length)]
    return torch.tensor(x), torch.tensor([[*one[1:], end_id] for one in x])


def two_shifts_and_no_last_end(documents, length, end_id):
    row = []
    for d in documents:
        row += [end_id, *d] if row else d
    data, ahead = row[:-1], row[1:]
    n = (len(ahead) - 1) // length
    x = [data[i * length : (i + 1) * length] for i in range(n)]
    y = [ahead[i * length + 1 : (i + 1) * length + 1] for i in range(n)]
    return torch.tensor(x), torch.tensor(y)


def inputs_decide_and_all_divide(logits, ids, pad_id):
    nll = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    return (nll * (ids[:, :-1] != pad_id)).mean()


def a_chain_without_else(shapes):
    decay, rest = [], []
    for name, shape in shapes.items():
        if "embedding" in name or len(shape) == 1:
            rest.append(name)
        elif len(shape) == 2:
            decay.append(name)
    return decay, rest


def clipped_whatever(grad_W, grad_b, limit):
    v = torch.cat([grad_W.flatten(), grad_b])
    v = v / v.norm() * limit
    return v[: grad_W.numel()].view(grad_W.shape), v[grad_W.numel() :]


def a_floor_and_no_end(step, warmup, total, end):
    rise = min((step + 1) / max(warmup, 1), 1.0)
    return rise * max(end, 0.5 + 0.5 * math.cos(math.pi * max(step - warmup, 0) / (total - warmup)))


def gradients_summed(losses, gradients, counts):
    return torch.dot(counts / counts.sum(), losses), gradients.sum(0)


def still_sorted_and_not_divided(probabilities, p):
    s = probabilities.sort(-1, descending=True)[0]
    return torch.where(s.cumsum(-1) - s < p, s, 0.0)


def kept_old_shares(logits, temperature, k, p, top_p):
    probs = (logits / temperature).softmax(dim=-1)
    kth = torch.topk(probs, min(k, logits.shape[1]))[0][:, [-1]]
    return top_p(torch.where(probs < kth, torch.zeros(()), probs), p)


def causal_for_one_query(x, places, W_q, W_k, W_v, keys, values):
    h = x + places[keys.shape[1]]
    keys = torch.cat([keys, (h @ W_k.T)[:, None]], 1)
    values = torch.cat([values, (h @ W_v.T)[:, None]], 1)
    out = F.scaled_dot_product_attention((h @ W_q.T)[:, None], keys, values, is_causal=True)
    return out[:, 0], keys, values


def raw_keys_and_no_scale(x, places, W_q, W_k, W_v, keys, values):
    q = (x + places[keys.shape[1]]) @ W_q.T
    keys, values = (torch.cat([old, (x @ W.T)[:, None]], 1) for old, W in ((keys, W_k), (values, W_v)))
    w = torch.einsum("bk,btk->bt", q, keys).softmax(-1)
    return torch.einsum("bt,btk->bk", w, values), keys, values


def exchanged_too_early(gradients, flags):
    held = torch.zeros(gradients.shape[0], gradients.shape[2])
    for p in range(len(flags)):
        if flags[p]:
            held[:] = held.mean(0)
        held += gradients[:, p]
    return held


def exchanged_piece_by_piece(gradients, flags):
    held = 0
    for p, flag in enumerate(flags):
        new = gradients[:, p]
        held = held + (new.mean(0).expand_as(new) if flag else new)
    return held


def one_norm_for_all(G):
    X = G / (G.norm() + 1e-7)
    for _ in range(5):
        A = X @ X.transpose(1, 2)
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def equal_terms(compute, A, B, alpha, beta):
    low, high = 1.0, compute
    for _ in range(300):
        N = math.sqrt(low * high)
        low, high = (N, high) if A / N**alpha > B / (compute / 6 / N) ** beta else (low, N)
    return compute / 6 / N / N


def by_halves_from_0(x, start):
    T, K = x.shape[1:]
    angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, K, 2) / K)
    both = torch.cat([angle, angle], -1)
    first, second = x.chunk(2, -1)
    return x * both.cos() + torch.cat([-second, first], -1) * both.sin()


def new_a_in_b(x, start):
    y, K = x.clone(), x.shape[2]
    for n in range(x.shape[1]):
        for i in range(K // 2):
            t = torch.tensor((start + n) * 10000 ** (-2 * i / K))
            y[:, n, 2 * i] = y[:, n, 2 * i] * t.cos() - y[:, n, 2 * i + 1] * t.sin()
            y[:, n, 2 * i + 1] = y[:, n, 2 * i] * t.sin() + y[:, n, 2 * i + 1] * t.cos()
    return y


def each_document_filled_up(documents, length, end_id):
    x, y = [], []
    for d in documents:
        d = [*d, end_id]
        for i in range(0, len(d) - 1, length):
            inputs, targets = d[i : i + length], d[i + 1 : i + 1 + length]
            x.append(inputs + [end_id] * (length - len(inputs)))
            y.append(targets + [end_id] * (length - len(targets)))
    return torch.tensor(x), torch.tensor(y)


def divided_by_all_tokens(logits, ids, pad_id):
    nll = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], ignore_index=pad_id, reduction="sum")
    return nll / (ids != pad_id).sum()


def many_names(shapes):
    decay = [n for n in shapes if not any(w in n for w in ("bias", "norm", "embedding", "lm_head"))]
    return decay, [n for n in shapes if n not in decay]


def a_rolled_mask(probabilities, p):
    s, order = torch.sort(probabilities, dim=-1, descending=True)
    gone = torch.roll(s.cumsum(-1) > p, 1, dims=-1)
    kept = probabilities.masked_fill(torch.zeros_like(gone).scatter(-1, order, gone), 0.0)
    return kept / kept.sum(-1, keepdim=True)


def k_alone(logits, temperature, k, p, top_p):
    return top_p((logits / temperature).topk(min(k, logits.shape[1])).values.softmax(1), p)


def at_the_number_of_texts(x, places, W_q, W_k, W_v, keys, values):
    h = x + places[len(keys)]
    keys = torch.cat([keys, (h @ W_k.T)[:, None]], 1)
    values = torch.cat([values, (h @ W_v.T)[:, None]], 1)
    return F.scaled_dot_product_attention((h @ W_q.T)[:, None], keys, values)[:, 0], keys, values


def from_the_first_each_time(G):
    first = G / G.norm(dim=(-2, -1), keepdim=True)
    for _ in range(5):
        A = first @ first.mT
        X = 3.4445 * first + (-4.7750 * A + 2.0315 * A @ A) @ first
    return X


def signs_turned(G):
    X = G / G.norm(dim=(-2, -1), keepdim=True)
    for _ in range(5):
        A = X @ X.mT
        X = 3.4445 * X + (4.7750 * A - 2.0315 * A @ A) @ X
    return X


def six_twice(compute, A, B, alpha, beta):
    C = compute / 6
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * C ** (beta / (alpha + beta))
    return C / (6 * N) / N


def neighbours_angles_halves_turned(x, start):
    T, K = x.shape[1:]
    angle = torch.arange(start, start + T)[:, None] * 10000.0 ** (-torch.arange(0, K, 2) / K)
    both = angle.repeat_interleave(2, -1)
    return x * both.cos() + torch.cat([-x[..., K // 2 :], x[..., : K // 2]], -1) * both.sin()


def if_there_is_an_id(logits, ids, pad_id):
    total, n = 0.0, 0
    for row, scores in zip(ids[:, 1:], logits, strict=True):
        for token, score in zip(row, scores, strict=True):
            if token:
                total, n = total - score.log_softmax(0)[token].item(), n + 1
    return total / n


def divided_by_the_larger(grad_W, grad_b, limit):
    norm = (grad_W.pow(2).sum() + grad_b.pow(2).sum()).sqrt()
    larger = max(norm, torch.tensor(limit))
    return grad_W / larger, grad_b / larger


def kth_of_the_sorted(logits, temperature, k, p, top_p):
    scores = (logits / temperature).clone()
    k = min(k, scores.shape[1])
    scores[scores < scores.sort(-1).values[:, k - 1 : k]] = -torch.inf
    return top_p(scores.softmax(-1), p)


def one_block_less(documents, length, end_id):
    data = torch.cat([torch.tensor([*d, end_id]) for d in documents])
    places = range(0, (len(data) - length) // length * length, length)
    some = [(data[i : i + length], data[i + 1 : i + 1 + length]) for i in places]
    return (
        tuple(torch.stack(part) for part in zip(*some, strict=True)) or (torch.zeros(0, length).long(),) * 2
    )


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("pack", each_document_filled_up, "documents-apart-filled"),
        ("next-token-loss", divided_by_all_tokens, "first-tokens-counted"),
        ("decay-groups", many_names, "by-many-names"),
        ("next-token-loss", if_there_is_an_id, "zero-left-out"),
        ("clip", divided_by_the_larger, "limit-forgotten"),
        ("draw-order", kth_of_the_sorted, "kth-from-below"),
        ("pack", one_block_less, "last-block-dropped"),
        ("top-p", a_rolled_mask, "first-dropped"),
        ("draw-order", k_alone, "k-columns"),
        ("cached-step", at_the_number_of_texts, "position-of-the-batch"),
        ("newton-schulz", from_the_first_each_time, "one-round"),
        ("newton-schulz", signs_turned, "numbers-run-away"),
        ("tokens-per-parameter", six_twice, "6-twice"),
        ("rotary", neighbours_angles_halves_turned, "two-layouts"),
        ("pack", windows_that_end, "last-target-is-the-end"),
        ("pack", two_shifts_and_no_last_end, "ends-between-shifted-twice"),
        ("next-token-loss", inputs_decide_and_all_divide, "counted-by-input-divided-by-places"),
        ("decay-groups", a_chain_without_else, "in-neither"),
        ("clip", clipped_whatever, "nan-for-0"),
        ("schedule", a_floor_and_no_end, "end-as-a-floor-comes-up-again"),
        ("accumulate", gradients_summed, "gradient-sum-of-means"),
        ("top-p", still_sorted_and_not_divided, "left-sorted-not-divided"),
        ("draw-order", kept_old_shares, "top-p-before-top-k"),
        ("cached-step", causal_for_one_query, "first-key-alone"),
        ("cached-step", raw_keys_and_no_scale, "key-and-value-without-position-no-scale"),
        ("newton-schulz", one_norm_for_all, "norm-of-the-stack"),
        ("sync", exchanged_too_early, "exchanged-first"),
        ("sync", exchanged_piece_by_piece, "newest-alone"),
        ("tokens-per-parameter", equal_terms, "terms-made-equal"),
        ("rotary", by_halves_from_0, "halves-start-unused"),
        ("rotary", new_a_in_b, "changed-too-early"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, function, told):
    result = run(name, function)
    assert result.kind == "misconception" and result.misconception == told, result


def rise_made_whatever(step, warmup, total, end):
    rise = (step + 1) / warmup
    return rise if step < warmup else a.SCHEDULE.reference(step, warmup, total, end)


def k_above_v(logits, temperature, k, p, top_p):
    cooled = logits / temperature
    smallest = cooled.topk(k).values[:, -1:]
    return top_p(cooled.masked_fill(cooled < smallest, -torch.inf).softmax(-1), p)


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [
        (
            "next-token-loss",
            lambda logits, ids, pad_id: F.cross_entropy(logits.flatten(0, 1), ids.flatten()),
            "The targets are `ids[:, 1:]`",
        ),
        (
            "schedule",
            rise_made_whatever,
            "nothing may be divided by it",
        ),
        (
            "draw-order",
            k_above_v,
            "`min(k, logits.shape[-1])`",
        ),
        (
            "cached-step",
            lambda x, places, W_q, W_k, W_v, keys, values: (torch.cat([keys, x @ W_k.T], 1), keys, values),
            "give it an axis for its one token",
        ),
        ("decay-groups", lambda shapes: [n for n, s in shapes], "`for name, shape in shapes.items()`"),
        (
            "decay-groups",
            lambda shapes: ([n for n, s in shapes.items() if s.dim() > 1], []),
            "`len(shape)` is",
        ),
    ],
)
def test_an_error_is_shown_with_advice(name, function, says):
    result = run(name, function)
    assert not result.passed and says in result.message, result


def test_almost_0_is_told_where_it_must_be_0():
    result = run("top-p", lambda x, p: a.TOP_P.reference(x, p) + 1e-9)
    assert result.kind == "not-zero" and "must be exactly 0" in result.message


def test_a_gradient_that_is_changed_in_place_is_told():
    def clip(grad_W, grad_b, limit):
        norm = torch.sqrt((grad_W**2).sum() + (grad_b**2).sum())
        if norm > limit:
            grad_W *= limit / norm
            grad_b *= limit / norm
        return grad_W, grad_b

    assert run("clip", clip).kind == "changed-input"


def test_lists_of_names_have_words_of_their_own():
    said = [
        written.difference("names", "`decay`", got, ["a", "b"])
        for got in (["a"], ["a", "b", "c"], ["a", "b", "b"], ["b", "a"], ["x"])
    ]
    assert said == [
        "`decay` has no 'b', and should have it.",
        "`decay` has 'c', and should not.",
        "`decay` has 'b' more than once.",
        "`decay` has the right names in another order.",
        "`decay` has no 'a', and should have it. (3 names differ in all.)",
    ]
    assert "returns decay (a list of texts), rest (a list of texts)" in re.sub(
        r": (a list of texts)", r" (\1)", cards.exercise_card(EXERCISES["decay-groups"], "9a.3").text
    )
    strange = run("decay-groups", lambda shapes: (list(shapes.values()), []))
    assert strange.kind == "type" and "a list with a tuple at place 0" in strange.message
    one = comparing.type_problem(EXERCISES["decay-groups"], ({"a"}, []))
    assert one and "check expects a list of texts" in one and Output("decay", form="names").form


# --- inputs keep what the statements promise ----------------------------------------------------------------


def test_no_sum_is_near_p_and_no_two_are_equal():
    for case in all_cases("top-p"):
        assert clear(*case.args) and torch.allclose(case.args[0].sum(-1), torch.ones(1), atol=1e-5)
    for case in all_cases("draw-order"):
        logits, temperature, k, _, _ = case.args
        some = logits.sort(dim=-1).values
        assert logits.shape[-1] == 1 or bool((some.diff(dim=-1) > 1e-4).all())
        assert temperature > 0 and k >= 1


def test_padding_stands_at_the_end_and_something_is_counted():
    for case in all_cases("next-token-loss"):
        logits, ids, pad_id = case.args
        real = ids != pad_id
        assert (
            bool(real[:, 0].all()) and bool((real.long().diff(dim=1) <= 0).all()) and bool(real[:, 1:].any())
        )
        assert ids.shape[1] == logits.shape[1] + 1


def test_a_cache_fits_into_its_table_and_no_matrix_is_0():
    for case in all_cases("cached-step"):
        _, places, *_, keys, values = case.args
        assert len(places) > keys.shape[1] and keys.shape == values.shape
    assert all(bool((case.args[0].norm(dim=(-2, -1)) > 0).all()) for case in all_cases("newton-schulz"))
    assert all(case.args[0].shape[-1] % 2 == 0 and case.args[1] >= 0 for case in all_cases("rotary"))


# --- questions ----------------------------------------------------------------------------------------------


def answer(id):
    return QUESTIONS[id].options[QUESTIONS[id].right].text


def test_a_first_loss_is_ln_v_and_not_35():
    g = torch.Generator().manual_seed(0)
    h = F.layer_norm(torch.randn(400, 128, generator=g), (128,))
    losses = [
        F.cross_entropy(h @ (std * torch.randn(512, 128, generator=g)).T, torch.arange(400)).item()
        for std in (0.02, 1.0)
    ]
    assert losses[0] == pytest.approx(math.log(512), abs=0.1) and answer("09a.first-loss") == "6.2"
    assert 30 < losses[1] < 40


def test_a_second_story_sees_the_first():
    torch.manual_seed(0)
    model = GPTConfig(20, d_model=16, n_heads=2, n_layers=2, max_len=12).build().eval()
    ids = torch.tensor([[4, 5, 6, 2, 7, 8, 9]])  # 2 ends the first story
    other = ids.clone()
    other[0, 0] = 10
    with torch.no_grad():
        moved = (model.read(ids, causal_mask(7))[0] - model.read(other, causal_mask(7))[0])[0].abs().amax(-1)
    assert bool((moved[4:] > 1e-6).all()) and answer("09a.next-document") == "Yes, at all of it."


def test_what_a_tenth_of_a_nat_is_worth():
    assert 450 < math.exp(63 * 0.1) < 550 and answer("09a.tenth") == "About 500 times."
    assert "10.5 %" in QUESTIONS["09a.tenth"].options[0].explanation and math.exp(0.1) == pytest.approx(
        1.105, abs=1e-3
    )


def test_a_first_step_of_adam_is_as_long_as_the_rate():
    w = nn.Parameter(torch.tensor([1.0, 1.0]))
    w.grad = torch.tensor([0.5, 0.5e-6])
    torch.optim.AdamW([w], lr=1e-2, weight_decay=0.0).step()
    assert torch.allclose(1 - w.detach(), torch.tensor([1e-2, 1e-2]), rtol=0.03)
    assert answer("09a.warm-up") == "Both by about the whole rate."


def test_writing_goes_on_past_the_window_and_temperature_0_repeats_itself():
    torch.manual_seed(1)
    model = GPTConfig(9, d_model=8, n_heads=2, n_layers=1, max_len=4).build().eval()
    prompt = torch.tensor([[1]]).expand(3, 1)
    texts = sampling.sample(model, prompt, 11, temperature=0.0)
    assert answer("09a.longer").startswith("Yes: for each new token")
    assert len({tuple(row) for row in texts.tolist()}) == 1 and texts.shape[1] >= 11
    assert answer("09a.greedy") == "One story, 200 times."


def test_the_key_of_token_3_stays_until_the_window_moves():
    torch.manual_seed(2)
    model = GPTConfig(20, d_model=16, n_heads=2, n_layers=2, max_len=12).build().eval()
    ids = torch.randint(0, 20, (1, 9))
    with torch.no_grad():
        long, short = (model.read(ids[:, :n], causal_mask(n))[2][1].k[0, :, 3] for n in (9, 4))
        later = model.read(ids[:, 1:], causal_mask(8))[2][0].k[0, :, 2]
        first = model.read(ids, causal_mask(9))[2][0].k[0, :, 3]
    assert torch.allclose(long, short, atol=1e-5) and answer("09a.key-of-3") == "Never."
    assert not torch.allclose(later, first, atol=1e-3) and answer("09a.window-edge").startswith(
        "Nothing in it"
    )


def test_half_of_the_pieces_of_the_library_are_whole():
    lines = python_library.text("validation", max_characters=400_000).splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"\s*def ", line)][:600]

    def parses(piece):
        try:
            ast.parse(piece)
        except SyntaxError:
            return False
        return True

    pieces = []
    for i in starts:
        margin = len(lines[i]) - len(lines[i].lstrip())
        pieces.append(
            "\n".join(line[margin:] if not line[:margin].strip() else line for line in lines[i : i + 8])
        )
    share = sum(map(parses, pieces)) / len(pieces)
    assert len(pieces) > 200 and 0.35 < share < 0.65 and answer("09a.python") == "About half."


def test_means_of_two_machines_and_a_hundredfold_budget():
    assert (
        (3 + 1) / 2 == 2
        and (100 * 3 + 300 * 1) / 400 == 1.5
        and "of all is 1.5" in text_of("09b.two-machines")
    )
    N = [math.sqrt(C / 6 / b.TOKENS_PER_PARAMETER.reference(C, 50.0, 90.0, 0.3, 0.3)) for C in (1e20, 1e22)]
    assert N[1] / N[0] == pytest.approx(10) and answer("09b.hundredfold").startswith("10 times")
    assert answer("09b.huber").startswith("The program stops too early")
    assert answer("09b.muon").startswith("It needs fewer steps")


def text_of(id):
    one = QUESTIONS[id]
    return " ".join([one.prompt, *(part for o in one.options for part in (o.text, o.explanation))])


def test_it_is_asked_with_the_page_and_not_before():
    for number, page in (("09a", a), ("09b", b)):
        assert (number in desk.CHAPTERS) == CHAPTERS[number].written
        assert all(one.id.startswith(f"{number}.") for one in (*page.EXERCISES, *page.PREDICTIONS))
        assert len({one.right for one in page.PREDICTIONS}) >= 3 and len(page.RECALL) >= 5
    assert len(a.EXERCISES) >= 8 and len(a.PREDICTIONS) >= 9


def test_at_the_door_three_questions_of_earlier_chapters(monkeypatch):
    monkeypatch.setattr(desk, "CHAPTERS", desk._ALL)
    asked = desk.recall_questions("09b")
    assert set(asked[:2]) <= set(a.RECALL) and len(asked) == 3
    assert not set(a.RECALL) & set(b.RECALL) and set(desk.recall_questions("10a")[:2]) <= set(b.RECALL)
