"""Activations: values, and backward passes that are written out."""

import pytest
import torch
from torch.nn import functional as F

from course_lib.activations import ACTIVATIONS, gelu_tanh, relu_squared

EDGES = torch.tensor([0.0, -0.0, 1e-30, 1e30, -1e30, torch.inf, 80.0, -80.0, 5.0, -5.0])


def values(dtype=torch.float32):
    return torch.cat([torch.linspace(-8, 8, 501, dtype=dtype), EDGES.to(dtype)])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_gradient_is_the_slope(name):
    x = torch.linspace(-6, 6, 45, dtype=torch.float64, requires_grad=True)  # not 0, where relu bends
    x = (x.detach() + 0.01).requires_grad_()
    assert torch.autograd.gradcheck(ACTIVATIONS[name], x)


def test_gelu_is_torchs_with_and_without_gradients():
    x = values().requires_grad_()
    theirs = F.gelu(x, approximate="tanh")
    torch.testing.assert_close(gelu_tanh(x), theirs, atol=1e-6, rtol=1e-6)
    assert torch.equal(gelu_tanh(x.detach()), theirs)
    finite = x.detach()[x.detach().abs() < 1e3].requires_grad_()
    ours, theirs = (
        torch.autograd.grad(f(finite).sum(), finite)[0]
        for f in (gelu_tanh, lambda x: F.gelu(x, approximate="tanh"))
    )
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gelu_in_half_precision_is_torchs(dtype):
    """Values and slopes, at large numbers too: inside, x³ and the slope's parts are beyond 65,504."""
    x = torch.cat([torch.linspace(-6, 6, 2001), torch.tensor([67.0, 70, 300, 6e4, -70, -6e4])]).to(dtype)
    x.requires_grad_()
    for ours, theirs in zip(
        *((y, torch.autograd.grad(y.sum(), x)[0]) for y in (gelu_tanh(x), F.gelu(x, approximate="tanh"))),
        strict=True,
    ):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=torch.finfo(dtype).eps)


def test_relu_squared_is_relu_squared_to_the_last_bit():
    x = values().requires_grad_()
    plain = F.relu(x).square()
    assert torch.equal(relu_squared(x), plain) and torch.equal(relu_squared(x.detach()), plain)
    grad = torch.randn(len(x), generator=torch.Generator().manual_seed(0))
    at = x.detach().abs() < 1e20
    ours, theirs = (torch.autograd.grad(y, x, grad)[0][at] for y in (relu_squared(x), plain))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("f", [gelu_tanh, relu_squared])
def test_nothing_that_came_is_changed(f):
    x = values().requires_grad_()
    before = x.detach().clone()
    f(x).sum().backward()
    f(x.detach())
    assert torch.equal(x.detach(), before)
