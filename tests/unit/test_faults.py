"""Things built wrong on purpose: each fault is what it says, and reading under it changes nothing else."""

import pytest
import torch

from course_lib import faults, generation
from course_lib.attention import MultiHeadAttention, attending, merge_heads, scaled_dot_product_attention
from course_lib.masks import causal_mask, masked_softmax
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.tasks import town_gpt, town_lm
from course_lib.training.randomness import seeded
from course_lib.training.recipe import new_model, vary

READERS = (town_lm.causal, faults.one_too_far, faults.one_too_strict, faults.multiplied_after)


@pytest.fixture
def model():
    with seeded(0):
        return AttentionOnly(AttentionOnlyConfig(110, d_model=16, n_heads=2, n_layers=2)).eval()


@pytest.fixture
def ids():
    return torch.randint(4, 100, (2, 7), generator=torch.Generator().manual_seed(0))


def test_written_out_and_library_read_alike(model, ids):
    ours = faults.read_with(model, ids, lambda scores: masked_softmax(scores, causal_mask(7)))
    assert torch.allclose(ours, town_lm.causal(model, ids), atol=1e-5)


@pytest.mark.parametrize(("reader", "leaks"), list(zip(READERS, (False, True, False, True), strict=True)))
def test_only_the_faulty_masks_let_the_future_move_the_past(model, ids, reader, leaks):
    changed = ids.clone()
    changed[:, -1] += 1
    moved = (reader(model, ids) - reader(model, changed))[:, :-1].abs().max()
    assert (moved > 1e-5) if leaks else (moved == 0)
    assert reader(model, ids).isfinite().all()


def test_the_masks_of_the_readers():
    assert faults.sees_next(3).tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert not faults.sees_only_before(3)[0].any() and faults.sees_only_before(3)[2, :2].all()


@pytest.mark.parametrize("reader", (faults.drop_before, faults.drop_after))
def test_dropout_acts_in_training_only(model, ids, reader):
    torch.manual_seed(0)
    assert torch.allclose(reader(model, ids, 0.5), town_lm.causal(model, ids), atol=1e-5)
    model.train()
    assert not torch.allclose(reader(model, ids, 0.5), reader(model, ids, 0.5), atol=1e-3)
    assert torch.allclose(reader(model, ids, 0.0), town_lm.causal(model, ids), atol=1e-5)
    assert reader(model, ids, 0.95).isfinite().all()  # rows that lose every key


def test_where_dropout_stands_decides_whether_rows_sum_to_1(model, ids):
    """Before the softmax what is left shares the whole 1; no key of the future ever comes in."""
    torch.manual_seed(0)
    scores = torch.randn(4, 2, 6, 6)
    kept = faults.kept_keys(model.train(), scores, 0.5)
    assert not (kept & ~causal_mask(6)).any()
    sums = masked_softmax(scores, kept).sum(-1)
    assert torch.allclose(sums, kept.any(-1).float())
    share = kept[..., causal_mask(6)].float().mean()
    assert 0.4 < share < 0.6
    assert torch.equal(faults.kept_keys(model.eval(), scores, 0.5), causal_mask(6))


@pytest.mark.parametrize("reader", READERS)
def test_a_fault_leaves_no_trace(model, ids, reader):
    """After a faulty reading, also one that broke off, the model reads as before."""
    before = town_lm.causal(model, ids)
    reader(model, ids)
    with pytest.raises(ZeroDivisionError):
        faults.read_with(model, ids, lambda scores: 1 / 0)
    assert torch.equal(town_lm.causal(model, ids), before)
    assert not any("attend" in vars(layer) for layer in model.layers)


def test_the_model_s_own_scale_is_used(ids):
    with seeded(0):
        model = AttentionOnly(AttentionOnlyConfig(110, d_model=16, n_heads=2, scale=False))
    ours = faults.read_with(model, ids, lambda scores: masked_softmax(scores, causal_mask(7)))
    torch.testing.assert_close(ours, town_lm.causal(model, ids))


def test_look_inside_shows_a_fault_at_work(model, ids):
    """One `attend` inside another: what is looked at is what the model does at the moment."""

    def everything_on_the_first(layer, q, k, v, allowed, need_weights):
        weights = torch.zeros(*q.shape[:3], k.shape[2])
        weights[..., 0] = 1.0
        return weights @ v, weights

    with attending(model, everything_on_the_first):
        views = model.look_inside(ids)
        assert all("attend" in vars(layer) for layer in model.layers)  # the outer one is back in its place
    assert all((view.weights[..., 0] == 1).all() for view in views)
    assert (model.look_inside(ids)[0].weights[..., 0] < 1).any()


def test_heads_cut_by_view_get_stretches_of_the_sentence():
    layer = MultiHeadAttention(6, 2)
    x = torch.randn(3, 4, 6)  # (B, T, D)
    q, k, v = (W(x).view(3, 2, 4, 3) for W in (layer.W_q, layer.W_k, layer.W_v))  # no transpose
    expected = layer.W_o(merge_heads(scaled_dot_product_attention(q, k, v)[0]))
    right = layer(x, x, x)[0]
    with attending(layer, faults.cut_by_view):
        for need_weights in (False, True):
            torch.testing.assert_close(layer(x, x, x, need_weights=need_weights)[0], expected)
    assert not torch.allclose(expected, right, atol=1e-3)
    torch.testing.assert_close(layer(x, x, x)[0], right)


def test_positions_that_begin_at_0_again_spare_the_first_new_token():
    """What is read at once stays right, and so does the token written after it; then the cache goes wrong."""
    model = new_model(vary(town_gpt.RECIPE, d_model=32, n_heads=2, n_layers=2)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) * 0.3)
    prompt = torch.tensor([[1, 7, 9, 30, 12]])

    def step_by_step():
        first, _, state = model.next_logits(prompt)
        return first, model.next_logits(torch.tensor([[8]]), state)[0]

    right, written = step_by_step(), generation.sample(model, prompt, 8, temperature=0, stop_ids=())
    with faults.positions_begin_at_0_again():
        wrong, other = step_by_step(), generation.sample(model, prompt, 8, temperature=0, stop_ids=())
        whole = model(torch.cat([prompt, torch.tensor([[8]])], dim=1))[0]
    torch.testing.assert_close(wrong[0], right[0])
    assert (wrong[1] - right[1]).abs().max() > 0.01
    torch.testing.assert_close(whole[:, -1], right[1], atol=1e-4, rtol=0)  # without a cache nothing is wrong
    assert torch.equal(other[:, :6], written[:, :6])
    for again, before in zip(step_by_step(), right, strict=True):
        assert torch.equal(again, before)
    assert torch.equal(generation.sample(model, prompt, 8, temperature=0, stop_ids=()), written)
