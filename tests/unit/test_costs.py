"""What a calculation costs: operations counted, memory that is kept, seconds."""

import time

import pytest
import torch

from course_lib import costs
from course_lib.attention import fused_attention, scaled_dot_product_attention


def vectors(T, grad=True):
    return torch.randn(3, 1, 2, T, 16, requires_grad=grad)


@pytest.mark.parametrize("T", [8, 64])
def test_the_two_products_of_attention_are_counted(T):
    # 2 heads × two products, each T · T · 16 multiplications and as many additions
    assert costs.operations(scaled_dot_product_attention, *vectors(T)) == 2 * 2 * 2 * T * T * 16


def test_the_table_of_weights_is_kept_unless_the_kernel_is_fused():
    T = 256
    table = 2 * T * T * 4 / 2**20  # 2 heads, 4 bytes a number
    inputs = 3 * 2 * T * 16 * 4 / 2**20
    written_out = costs.kept_megabytes(scaled_dot_product_attention, *vectors(T))
    fused = costs.kept_megabytes(fused_attention, *vectors(T))
    assert written_out >= table + inputs / 3
    assert fused < inputs * 2 < table


def test_memory_is_counted_once():
    x = torch.randn(1000, requires_grad=True)
    assert costs.kept_megabytes(lambda x: x * x, x) == pytest.approx(4000 / 2**20)


def test_without_gradients_nothing_is_kept_and_it_says_so():
    with pytest.raises(ValueError, match="requires_grad=True"):
        costs.kept_megabytes(fused_attention, *vectors(8, grad=False))


def test_the_fastest_of_several_calls():
    calls = {"short": lambda: time.sleep(0.001), "long": lambda: time.sleep(0.01)}
    seconds = costs.fastest(calls, rounds=3)
    assert list(seconds) == ["short", "long"] and 0.001 <= seconds["short"] < seconds["long"]
    grads = []
    costs.fastest({"a": lambda: grads.append(torch.is_grad_enabled())}, rounds=2)
    assert grads == [False, False]
