"""The mask makers against their definitions, and what they say about bad input."""

import copy
import gc
import io
import weakref

import pytest
import torch
from torch import tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib import masks
from course_lib.attention import MultiHeadAttention, fused_attention, scaled_dot_product_attention


def table(rule, n_queries: int, n_keys: int) -> torch.Tensor:
    """A mask by its definition, cell by cell."""
    return tensor([[rule(t, s) for s in range(n_keys)] for t in range(n_queries)])


@pytest.mark.parametrize(("n_positions", "n_prefix"), [(1, 0), (1, 1), (5, 0), (5, 2), (5, 5)])
def test_a_prefix_is_seen_by_all_and_the_rest_is_causal(n_positions, n_prefix):
    expected = table(lambda t, s: s <= t or s < n_prefix, n_positions, n_positions)
    assert torch.equal(masks.prefix_mask(n_positions, n_prefix), expected)


def test_documents_in_one_row_do_not_see_each_other():
    documents = tensor([[7, 7, 7, 2, 2], [0, 1, 1, 1, 1]])  # names, in no order
    allowed = masks.document_mask(documents)
    assert allowed.shape == (2, 1, 5, 5)
    for row, one in zip(documents, allowed, strict=True):
        assert torch.equal(one[0], table(lambda t, s, row=row: s <= t and bool(row[s] == row[t]), 5, 5))
    assert masks.about(allowed).dead is None and not masks.about(allowed).is_causal


@pytest.mark.parametrize("documents", [tensor([0, 0, 1]), tensor([[0.0, 1.0]]), tensor([[True, False]])])
def test_documents_are_whole_numbers_a_position(documents):
    with pytest.raises(ValueError, match=r"documents has shape .* expected whole numbers \(B, T\)"):
        masks.document_mask(documents)


def test_each_sentence_can_have_a_prefix_of_its_own():
    allowed = masks.prefix_mask(4, tensor([0, 1, 3]))
    assert allowed.shape == (3, 1, 4, 4)
    for one, n_prefix in zip(allowed, (0, 1, 3), strict=True):
        assert torch.equal(one[0], masks.prefix_mask(4, n_prefix))


@pytest.mark.parametrize(("n_positions", "window"), [(1, 1), (5, 1), (5, 3), (5, 5), (5, 9)])
def test_a_window_ends_at_the_query(n_positions, window):
    expected = table(lambda t, s: t - window < s <= t, n_positions, n_positions)
    assert torch.equal(masks.sliding_window_mask(n_positions, window), expected)


def test_combine_is_and():
    causal, padding = masks.causal_mask(3), masks.padding_mask(tensor([[5, 6, 7], [5, 0, 0]]), 0)
    both = masks.combine(causal, None, padding)
    assert both.shape == (2, 1, 3, 3)
    assert torch.equal(both[0, 0], causal)
    assert torch.equal(both[1, 0], tensor([[True, False, False]] * 3))
    assert masks.combine() is None and masks.combine(None) is None
    assert torch.equal(masks.combine(causal), causal)


def test_to_torch_sdpa():
    allowed = masks.causal_mask(3)
    added = masks.to_torch_sdpa(allowed, torch.float64)
    assert added.dtype == torch.float64 and added[0].tolist() == [0, -torch.inf, -torch.inf]
    assert masks.to_torch_sdpa(allowed) is allowed


A_MASK = torch.ones(2, 2, dtype=torch.bool)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: masks.prefix_mask(4, 5), "n_prefix is 5, expected 0 ≤ n_prefix ≤ n_positions (4)"),
        (lambda: masks.prefix_mask(4, -1), "n_prefix is -1"),
        (lambda: masks.prefix_mask(4, tensor([True])), "not a mask"),
        (lambda: masks.prefix_mask(4, 2.0), "expected one whole number"),
        (lambda: masks.sliding_window_mask(4, 0), "window is 0, expected at least 1"),
        (lambda: masks.combine(A_MASK, A_MASK.float()), "allowed has dtype torch.float32"),
        (lambda: masks.combine(A_MASK, [True]), "allowed is a list"),
        (lambda: masks.combine(A_MASK, torch.ones(3, 3, dtype=torch.bool)), "do not broadcast together"),
        (lambda: masks.to_torch_mha(A_MASK[None], 2), "expected (T, S), (B, 1, 1, S) or (B, H, T, S)"),
        (lambda: masks.to_torch_mha(A_MASK[None, None].expand(1, 3, 2, 2), 2), "H = 1 or n_heads (2)"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


# --- what is known of a mask: looked up once, and never out of date -----------------------------------------


def test_a_write_into_a_mask_is_seen():
    """A mask that was used, and then closed in one row, gives that row 0, on both roads."""
    q, k, v = (torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(i)) for i in range(3))
    for allowed in (
        masks.causal_mask(3),
        masks.padding_mask(tensor([[5, 6, 7]]), 0)[0, 0].expand(3, 3).clone(),
    ):
        before = fused_attention(q, k, v, allowed)
        assert (before != 0).all()
        allowed[1] = False
        for found in (fused_attention(q, k, v, allowed), scaled_dot_product_attention(q, k, v, allowed)[0]):
            assert (found[0, 1] == 0).all()
            torch.testing.assert_close(found[0, ::2], before[0, ::2])


def test_a_view_or_a_copy_is_looked_at_for_itself():
    whole = masks.causal_mask(3)
    assert masks.about(whole).is_causal and masks.about(whole).dead is None
    view = whole[:, 1:]  # the first query is left without a key
    assert masks.about(view).dead.tolist() == [[True], [False], [False]]
    assert not masks.about(whole.clone()).is_causal and not masks.about(masks.causal_mask(2, 3)).is_causal
    view[1] = False  # one piece of memory, two tensors
    assert not masks.about(whole).is_causal
    assert masks.about(copy.deepcopy(whole)).dead is None


def test_what_is_known_goes_with_the_mask():
    allowed = masks.causal_mask(4)
    known = weakref.ref(masks.about(allowed))
    assert masks.about(allowed) is known()
    saved = io.BytesIO()
    torch.save(allowed, saved)
    saved.seek(0)
    assert torch.equal(torch.load(saved), allowed)  # a mask stays a plain tensor
    del allowed
    gc.collect()
    assert known() is None


def test_masks_made_in_inference_mode_are_looked_at_each_time():
    with torch.inference_mode():
        allowed = masks.causal_mask(3)
        assert masks.about(allowed).dead is None
        allowed[0] = False  # torch does not count this write
        assert masks.about(allowed).dead.flatten().tolist() == [True, False, False]


@pytest.mark.parametrize("road", [fused_attention, scaled_dot_product_attention])
@pytest.mark.parametrize("closed", [0, 1])
def test_a_mask_that_was_used_in_inference_mode_serves_in_training(road, closed):
    """What is kept of it takes part in gradients afterwards, which tensors made in that mode may not."""
    allowed = masks.padding_mask(tensor([[5, 6, 0]]), 0)[0, 0].expand(3, 3).clone()
    allowed[:closed] = False  # a query with nothing to look at
    q = torch.randn(1, 2, 3, 4, requires_grad=True)
    with torch.inference_mode():
        road(q, q, q, allowed)
    found = road(q, q, q, allowed)
    (found if isinstance(found, torch.Tensor) else found[0]).sum().backward()
    assert q.grad.isfinite().all()


def operations(call) -> int:
    """How many of torch's own operations run."""

    class Counting(TorchDispatchMode):
        n = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            Counting.n += 1
            return function(*args, **(kwargs or {}))

    with torch.no_grad(), Counting():
        call()
    return Counting.n


@pytest.mark.parametrize("n_queries", [1, 64])
@pytest.mark.parametrize("kind", ["causal", "padding", "both", "any"])
def test_a_mask_costs_at_most_three_operations(n_queries, kind):
    """However slow the machine: after the first look, a mask adds the sum and its one number, and no more."""
    q, k, v = torch.randn(1, 4, n_queries, 8), torch.randn(1, 4, 64, 8), torch.randn(1, 4, 64, 8)
    ids = (torch.arange(64) < 60).long()[None]
    allowed = {
        "causal": masks.causal_mask(n_queries, 64),
        "padding": masks.padding_mask(ids, 0),
        "both": masks.combine(masks.causal_mask(n_queries, 64), masks.padding_mask(ids, 0)),
        "any": torch.rand(n_queries, 64, generator=torch.Generator().manual_seed(0)) < 0.5,
    }[kind]
    fused_attention(q, k, v, allowed)
    layer, x = MultiHeadAttention(32, 4), torch.randn(1, 64, 32)
    bare = operations(lambda: F.scaled_dot_product_attention(q, k, v))
    assert operations(lambda: fused_attention(q, k, v)) == bare
    assert operations(lambda: fused_attention(q, k, v, allowed)) <= bare + 3
    if n_queries == 64:
        plain = operations(lambda: layer(x, x, x))
        layer(x, x, x, allowed)
        assert operations(lambda: layer(x, x, x, allowed)) <= plain + 3


def test_a_dead_query_costs_one_more():
    q, k, v = (torch.randn(1, 4, 8, 8) for _ in range(3))
    allowed = masks.causal_mask(8).tril(-1)
    fused_attention(q, k, v, allowed)
    bare = operations(lambda: F.scaled_dot_product_attention(q, k, v))
    assert operations(lambda: fused_attention(q, k, v, allowed)) <= bare + 4


def test_a_square_causal_mask_is_left_to_the_kernel(monkeypatch):
    seen = []

    def kernel(q, k, v, **more):
        seen.append(more.get("is_causal", False))
        return torch.zeros_like(q)

    monkeypatch.setattr("course_lib.attention.F.scaled_dot_product_attention", kernel)
    q, k = torch.randn(1, 4, 8), torch.randn(1, 1, 8)
    fused_attention(q, q, q, masks.causal_mask(4))
    fused_attention(q, q, q, masks.causal_mask(4)[None])  # made from it: only looks like it
    fused_attention(q, q, q, masks.sliding_window_mask(4, 2))
    fused_attention(q[:, :2], q, q, masks.causal_mask(2, 4))  # torch's flag would mean another corner
    fused_attention(q, q, q, masks.causal_mask(1))  # spreads over all queries, and forbids nothing
    fused_attention(q, k, k, masks.causal_mask(4)[:, :1])
    assert seen == [True, False, False, False, False, False]
