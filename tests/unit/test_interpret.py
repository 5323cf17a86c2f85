"""What heads look at, and models without some of them."""

import pytest
import torch

from course_lib import interpret
from course_lib.masks import causal_mask
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.training.randomness import seeded

IDS = torch.randint(20, (4, 8), generator=torch.Generator().manual_seed(0))


def small(n_heads=4, n_layers=2) -> AttentionOnly:
    with seeded(0):
        return AttentionOnly(AttentionOnlyConfig(20, d_model=16, n_heads=n_heads, n_layers=n_layers))


def test_head_weights_are_those_of_the_model_in_its_own_mode():
    model = small().train()
    weights = interpret.head_weights(model, IDS, causal_mask(8))
    assert [w.shape for w in weights] == [(4, 4, 8, 8)] * 2 and model.training
    for seen, view in zip(weights, model.look_inside(IDS, causal_mask(8)), strict=True):
        torch.testing.assert_close(seen, view.weights)


def test_weight_on_places():
    before = torch.eye(5, dtype=torch.bool).roll(-1, dims=1)  # each query's answer stands one further left
    itself = torch.eye(5, dtype=torch.bool)
    even = torch.full((5, 5), 1 / 5)
    weights = torch.stack([before.float(), itself.float(), even]).expand(2, 3, 5, 5)  # (B, H, T, S)
    found = interpret.weight_on(weights, torch.stack([before, itself]))
    torch.testing.assert_close(found, torch.tensor([[1, 0], [0, 1], [1 / 5, 1 / 5]]))
    before[0] = False  # nothing stands before the first: it is not asked
    torch.testing.assert_close(interpret.weight_on(weights, before[None])[:, 0], torch.tensor([1, 0, 1 / 5]))


@pytest.mark.parametrize("silent", [[(0, 1)], [(0, 0), (1, 2)]])
def test_a_silenced_head_is_a_head_whose_values_are_zero(silent):
    """Zero columns in W_o give what zeros in the head's slice of the merged output give."""
    model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quiet = interpret.without_heads(model, silent)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())

    def zeros(layer):
        def hook(linear, inputs):
            merged = inputs[0].clone()  # (B, T, D)
            for number, head in silent:
                if number == layer:
                    merged[..., head * 4 : (head + 1) * 4] = 0
            return (merged,)

        return hook

    for number, layer in enumerate(model.layers):
        layer.W_o.register_forward_pre_hook(zeros(number))
    torch.testing.assert_close(quiet(IDS)[0], model(IDS)[0])
    assert not torch.allclose(quiet(IDS)[0], small()(IDS)[0])


def test_a_head_that_is_not_there_is_refused():
    model = small(n_heads=2, n_layers=1)
    for pair in ((1, 0), (0, 2), (0, -1)):
        with pytest.raises(ValueError, match=r"pairs are \(layer, head\)"):
            interpret.without_heads(model, [pair])


def test_share_on_places_beside_even_weights():
    allowed = causal_mask(4)
    before = torch.eye(4, dtype=torch.bool).roll(-1, dims=1).tril()  # the first has nothing before it
    even = allowed / allowed.sum(-1, keepdim=True)
    weights = torch.stack([before.float(), even]).expand(2, 2, 4, 4)  # (B, H, T, S)
    shares, baseline = interpret.share_on(weights, before.expand(2, 4, 4), allowed)
    expected = (1 / 2 + 1 / 3 + 1 / 4) / 3  # queries 1 to 3: one place of two, of three, of four
    torch.testing.assert_close(shares, torch.tensor([1.0, expected]))
    assert baseline == pytest.approx(expected)
    with pytest.raises(ValueError, match="no allowed place"):
        interpret.share_on(weights, torch.zeros(2, 4, 4, dtype=torch.bool), allowed)
