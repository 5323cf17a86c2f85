"""Several processes that train one model, and batches cut into pieces: the gradient stays the same.

    torchrun --nproc_per_node 2 -m course_lib train town-gpt

    each process    has the whole model and sees every batch; it works on its own rows of it
    each piece      gives gradients of  (its loss · its counted tokens) / (all counted tokens of the batch)
    then            the processes add theirs up, once a step, and all take the same step

So the loss is the sum over all counted tokens divided by their number, however the rows are dealt out. (A
mean of the pieces' means is another number, as soon as one piece has more tokens than another.)

Source: Li et al. 2020 (PyTorch Distributed), section 3; `torch.nn.parallel.DistributedDataParallel`.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


def processes() -> int:
    """How many processes train together; 1 without `torchrun`."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this one is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Is this the one that prints and writes files?"""
    return rank() == 0


@contextmanager
def together() -> Iterator[None]:
    """Inside the block the processes that `torchrun` has started know one another."""
    if "RANK" not in os.environ or distributed.is_initialized():
        yield
        return
    distributed.init_process_group("gloo")  # on CPUs
    try:
        yield
    finally:
        distributed.destroy_process_group()


def wait() -> None:
    """Go on when all processes have come here."""
    if processes() > 1:
        distributed.barrier()


def spread(model: nn.Module) -> nn.Module:
    """The model as it is trained: itself, or one that adds up the gradients of all processes."""
    return DistributedDataParallel(model) if processes() > 1 else model


class Gradients:
    """A step's gradients from pieces of a batch; called as `gradients(model, batch)`.

    Args:
        loss_of: model and rows of a batch to the mean loss over their counted tokens.
        count: rows of a batch to the number of their counted tokens.
        pieces: into how many pieces each process cuts its rows; they are read one after another.
    """

    def __init__(
        self, loss_of: Callable[[nn.Module, Tensor], Tensor], count: Callable[[Tensor], int], pieces: int = 1
    ) -> None:
        self.loss_of, self.count, self.pieces = loss_of, count, pieces

    def __call__(self, model: nn.Module, batch: Tensor) -> float:
        """Leave the gradients in the model's parameters.

        Args:
            model: from `spread`.
            batch: the whole batch, rows first; the same in every process.

        Returns:
            the mean loss over all counted tokens of the batch, the same in every process.

        Raises:
            ValueError: a batch without a token that counts.
        """
        parts = batch.tensor_split(self.pieces * processes())
        mine = parts[rank() :: processes()]
        tokens = self.count(batch)
        if not tokens:
            raise ValueError("batch has no token that counts, expected at least one: is all of it padding?")
        shared = isinstance(model, DistributedDataParallel)
        total = torch.zeros(())
        for i, part in enumerate(mine):
            share = self.count(part) / tokens if len(part) else 0.0
            if not share:
                if not shared:
                    continue
                # The others wait for this process: it reads a row that has a loss, and counts it 0 times.
                part = next(row for row in batch.split(1) if self.count(row))
            # The flag that this sets is read in the forward pass: it must stand before that one.
            with model.no_sync() if shared and i < len(mine) - 1 else nullcontext():
                loss = self.loss_of(model, part) * share
                (loss * processes()).backward()  # the processes take the mean of theirs
            total += loss.detach()
        if processes() > 1:
            distributed.all_reduce(total)
        return total.item()


def rehearse(
    copies: Sequence[nn.Module], parts: Sequence[Sequence], loss_of: Callable, flags: Sequence[bool]
) -> float:
    """A step of several processes in one: what each would hold as gradients, left in its copy's parameters.

    Args:
        copies: one model for each process.
        parts: for each process its pieces of the batch.
        loss_of: model and piece to a loss.
        flags: for each piece, whether all exchange once it is added: each then holds the mean of all.

    Returns:
        the mean loss of all pieces of all processes.

    Source: what `DistributedDataParallel` does; see its `no_sync`.
    """
    total = 0.0
    for model in copies:
        model.zero_grad()
    for p, exchange in enumerate(flags):
        for model, mine in zip(copies, parts, strict=True):
            loss = loss_of(model, mine[p])
            loss.backward()  # is added to what this copy holds
            total += loss.item()
        if exchange:
            for same in zip(*(model.parameters() for model in copies), strict=True):
                mean = torch.stack([one.grad for one in same]).mean(0)
                for one in same:
                    one.grad = mean.clone()
    return total / (len(copies) * len(flags))
