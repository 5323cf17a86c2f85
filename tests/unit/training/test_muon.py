"""Muon: every direction of a step is made equally long."""

import copy

import pytest
import torch
from torch import nn

from course_lib.models.gpt import GPTConfig
from course_lib.models.transformer import OneStackConfig
from course_lib.training.muon import Muon, orthogonalise
from course_lib.training.optim import MuonAndAdamW, muon_and_adamw


def matrices(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 24, 6), (2, 6, 24), (1, 1, 5)])
def test_singular_values_come_near_1_and_directions_stay(shape):
    before = matrices(*shape)
    after = orthogonalise(before)
    values = torch.linalg.svdvals(after)
    assert values.min() > 0.6 and values.max() < 1.25
    u, _, vt = torch.linalg.svd(before, full_matrices=False)
    stretched = u.mT @ after @ vt.mT  # diagonal: the same directions
    torch.testing.assert_close(stretched, torch.diag_embed(values_in_order(stretched)), atol=2e-3, rtol=0)


def values_in_order(x):
    return x.diagonal(dim1=-2, dim2=-1)


def test_each_matrix_is_worked_on_alone_and_zeros_stay():
    pair = torch.stack([matrices(6, 6), torch.zeros(6, 6)])
    after = orthogonalise(pair)
    torch.testing.assert_close(after[0], orthogonalise(pair[:1])[0])
    assert after[1].count_nonzero() == 0


@pytest.mark.parametrize("shape", [(32, 32), (64, 16), (16, 64)])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_is_torchs_muon_up_to_the_rounding_of_bfloat16(shape, weight_decay):
    ours, theirs = (nn.Parameter(matrices(*shape)) for _ in range(2))
    mine = Muon([ours], lr=0.02, weight_decay=weight_decay)
    torchs = torch.optim.Muon([theirs], lr=0.02, weight_decay=weight_decay)
    start = ours.detach().clone()
    for step in range(6):
        ours.grad, theirs.grad = (matrices(*shape, seed=step + 1) for _ in range(2))
        mine.step()
        torchs.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved
    assert moved > 0.3


def test_stacking_matrices_of_one_shape_changes_nothing():
    together, alone = ([nn.Parameter(matrices(5, 7, seed=s)) for s in range(3)] for _ in range(2))
    optimizers = [Muon(together)] + [Muon([p]) for p in alone]
    for step in range(3):
        for i, (a, b) in enumerate(zip(together, alone, strict=True)):
            a.grad, b.grad = (matrices(5, 7, seed=10 * step + i) for _ in range(2))
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_what_has_no_gradient_stays_and_the_state_is_kept():
    used, unused = nn.Parameter(matrices(4, 4)), nn.Parameter(matrices(4, 4))
    before = unused.detach().clone()
    optimizer = Muon([used, unused])
    used.grad = matrices(4, 4, seed=1)
    optimizer.step()
    assert torch.equal(unused, before)
    other = Muon([nn.Parameter(used.detach().clone()), unused])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    theirs = other.param_groups[0]["params"][0]
    used.grad, theirs.grad = matrices(4, 4, seed=2), matrices(4, 4, seed=2)
    optimizer.step()
    other.step()
    assert torch.equal(used, theirs)


@pytest.mark.parametrize(
    "model", [GPTConfig(9, 8, 2, 1, max_len=4), OneStackConfig(8, 2, 16, vocab_size=9, n_layers=1)]
)
@pytest.mark.parametrize("optimizer", [MuonAndAdamW(), lambda model: muon_and_adamw(model, 1e-3)])
def test_the_matrices_of_layers_go_to_muon_and_all_else_to_adamw(model, optimizer):
    model = model.build()
    muon, adamw = optimizer(model).optimizers
    names = {id(p): name for name, p in model.named_parameters()}
    of_muon, of_adamw = (
        {names[id(p)] for group in one.param_groups for p in group["params"]} for one in (muon, adamw)
    )
    assert of_muon == {name for name in names.values() if "layers.0." in name and ".W_" in name} - {
        name for name in names.values() if name.endswith("bias")
    }
    assert len(of_muon) == 6 and of_adamw == set(names.values()) - of_muon
    with pytest.raises(ValueError, match="model is a Linear without a matrix in `layers`"):
        optimizer(torch.nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("parameter", "settings", "words"),
    [
        (torch.zeros(3), {}, r"a parameter of shape \(3,\), expected matrices"),
        (torch.zeros(3, 3), {"lr": -1.0}, "lr is -1.0, expected 0 or more"),
        (torch.zeros(3, 3), {"weight_decay": float("nan")}, "weight_decay is nan"),
        (torch.zeros(3, 3), {"momentum": 2.0}, "momentum is 2.0"),
    ],
)
def test_bad_settings_are_named(parameter, settings, words):
    with pytest.raises(ValueError, match=words):
        Muon([nn.Parameter(parameter)], **settings)
