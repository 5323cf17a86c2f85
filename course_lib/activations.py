"""What bends between the two matrices of a feed-forward network.

    relu           max(0, x)                                        Vaswani et al. 2017, eq. 2
    gelu           x Φ(x), Φ the normal distribution's              Hendrycks and Gimpel 2016
    gelu_tanh      the same, nearly, without Φ: GPT-2's             Hendrycks and Gimpel 2016, section 2
    relu_squared   max(0, x)²                                       So et al. 2021 (Primer)
    swiglu         silu(x) = x sigmoid(x), beside a third matrix    Shazeer 2020

Two of them have a backward pass of their own, written out: in training, what torch puts together from
smaller steps takes two to five times as long.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

SLOPE, CUBE = 2 * math.sqrt(2 / math.pi), 0.044715  # 2u = SLOPE · (x + CUBE · x³)
PIECE = 2**16  # numbers


def gelu_tanh(x: Tensor) -> Tensor:
    """`x (1 + tanh u) / 2` with `u = √(2/π) (x + 0.044715 x³)`, as GPT-2 computes it; any shape.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    return _GeluTanh.apply(x) if x.requires_grad else F.gelu(x, approximate="tanh")


def relu_squared(x: Tensor) -> Tensor:
    """`max(0, x)²`, any shape. Source: So et al. 2021 (Primer)."""
    return _ReluSquared.apply(x) if x.requires_grad else F.relu(x).square_()


class _GeluTanh(torch.autograd.Function):
    """`x σ` with `σ = sigmoid(2u)`, which is `(1 + tanh u) / 2`: torch has a faster sigmoid than tanh.

    Its slope is made at once, while σ is at hand: `σ · 1 + (1 − σ) · y · d(2u)/dx`, somewhere between the
    two, as far as σ says. So one tensor waits for the backward pass, and that pass is one product. The
    numbers are taken a piece at a time: a piece stays in the processor's cache through all its steps. Half
    precision is left for these steps: its digits are too few, and from 67 on the slope's parts pass 65,504.
    """

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        flat = x.contiguous().view(-1).to(torch.promote_types(x.dtype, torch.float32))
        y, slope = torch.empty_like(flat), torch.empty_like(flat)
        for x_piece, y_piece, out in zip(*(whole.split(PIECE) for whole in (flat, y, slope)), strict=True):
            square = x_piece * x_piece
            torch.mul(square, 3 * SLOPE * CUBE, out=out).add_(SLOPE)  # d(2u)/dx
            sigma = square.mul_(SLOPE * CUBE).add_(SLOPE).mul_(x_piece).sigmoid_()
            torch.mul(x_piece, sigma, out=y_piece)
            out.mul_(y_piece).addcmul_(out, sigma, value=-1).add_(sigma)
        ctx.save_for_backward(slope.to(x.dtype).view_as(x))
        return y.to(x.dtype).view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return grad * slope


class _ReluSquared(torch.autograd.Function):
    """Its slope is `2 max(0, x)`."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return F.relu(x).square_()

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return F.relu(x).mul_(grad).mul_(2)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": gelu_tanh,
    "relu_squared": relu_squared,
    "swiglu": F.silu,
}
