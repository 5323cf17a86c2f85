"""Where chance comes from: every run has its seed, and a run that goes on takes up the chance it left."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random weights and dropout from this seed inside the block; torch's own generators are untouched."""
    devices = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)  # each is seeded, too
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def drawing_from(state: Tensor) -> Iterator[None]:
    """Inside the block torch draws from `state`, which moves on; torch's own generator is untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(state)
        yield
        state.copy_(torch.get_rng_state())


def random_state(model: nn.Module) -> list[Tensor]:
    """Where torch's generators stand: the CPU's, and the model's GPU's if it has one."""
    device = next(model.parameters()).device
    return [torch.get_rng_state()] + ([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])


def set_random_state(model: nn.Module, states: list[Tensor]) -> None:
    """Let torch's generators go on from what `random_state` returned."""
    torch.set_rng_state(states[0])
    for state in states[1:]:
        torch.cuda.set_rng_state(state, next(model.parameters()).device)
