"""What a calculation costs: operations, the memory that is kept for its gradients, and seconds.

Plumbing that a page need not show: torch counts the operations of its matrix products, and tells which
tensors it keeps for the backward pass.
"""

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode


def operations(function: Callable, *tensors: Tensor) -> int:
    """How many multiplications and additions the matrix products of one call make.

    Only matrix products are counted: a softmax or a sum over the same table adds far less.

    Args:
        function: called once, as `function(*tensors)`.
        tensors: its arguments.

    Returns:
        the count, the same on every machine.
    """
    with FlopCounterMode(display=False) as work:
        function(*tensors)
    return work.get_total_flops()


def kept_megabytes(function: Callable, *tensors: Tensor) -> float:
    """How much memory torch keeps after one call, so that it can go back through it for the gradients.

    Args:
        function: called once, as `function(*tensors)`.
        tensors: its arguments; at least one must ask for gradients.

    Returns:
        megabytes (2²⁰ bytes): every piece of memory once, inputs and outputs that are needed again included.

    Raises:
        ValueError: no tensor asks for gradients, so that nothing is kept.
    """
    if not any(tensor.requires_grad for tensor in tensors):
        raise ValueError(
            "no tensor has requires_grad=True, expected at least one: without gradients nothing is kept"
        )
    kept: dict[int, int] = {}  # address → bytes: two tensors can share a piece of memory

    def note(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = function(*tensors)  # alive until the sum is taken: freed memory could be used twice
    total = sum(kept.values())
    del output
    return total / 2**20


def fastest(calls: Mapping[object, Callable[[], object]], rounds: int = 12) -> dict[object, float]:
    """The shortest time of each call, in seconds, without gradients.

    The calls take turns, so that a busy moment of the machine meets all of them, and the shortest time is the
    one that other programs have disturbed least.

    Args:
        calls: name -> a function without arguments.
        rounds: how often each is called.
    """
    seconds = dict.fromkeys(calls, float("inf"))
    with torch.no_grad():
        for _ in range(rounds):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds
