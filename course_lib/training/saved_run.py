"""A training run in a file: stopped or killed at any moment, it goes on as if it had never stopped.

Weights, optimizer and losses are not enough for that. Two random states belong to a run: that of dropout,
and, where the batches draw from torch's own generator, the one from which they began, so that they can be
drawn again up to the first new one. (The course's batches have generators of their own and need no help.)
"""

import io
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib.files import write_whole
from course_lib.training import distributed
from course_lib.training.checkpoints import check_weights
from course_lib.training.randomness import drawing_from, random_state, set_random_state


@dataclass
class SavedRun:
    """The file, and what is in it."""

    path: Path
    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: list[float]
    seconds: float = 0.0

    def resume(self, batches: Iterable) -> Iterator:
        """Read the file if it is there, and pass over the batches that were seen: what comes is new."""
        self.began, dropout = torch.get_rng_state(), None
        if self.path.exists():
            self.began, dropout = self._load()
        stream = _own_stream(batches, self.began.clone())
        for step in range(len(self.losses)):
            if next(stream, None) is None:
                raise ValueError(
                    f"batches ended after {step}, but {self.path} has seen {len(self.losses)}: "
                    "expected the same batches as in the saved run, from the first one on"
                )
        if dropout is not None:
            set_random_state(self.model, dropout)
        return stream

    def save(self, seconds: float) -> None:
        """One file, whole or not at all; of several processes the first one writes it."""
        if not distributed.is_first():
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "seconds": seconds,
            "batches": self.began,
            "dropout": random_state(self.model),
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_whole(self.path, content.getvalue())

    def _load(self) -> tuple[Tensor, list[Tensor]]:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        content = io.BytesIO(self.path.read_bytes())
        try:
            # weights_only: tensors and plain numbers; a pickled object in the file is refused, not run.
            state = torch.load(content, weights_only=True, map_location="cpu")
            losses, seconds = state["losses"].tolist(), float(state["seconds"])
            random = state["batches"], state["dropout"]
            check_weights(self.model, state["model"])
            self.optimizer.load_state_dict(state["optimizer"])  # it looks before it takes anything
            self.model.load_state_dict(state["model"])  # last: a refused file leaves the model as it is
        except (
            RuntimeError,
            ValueError,
            OSError,
            TypeError,
            KeyError,
            AttributeError,
            EOFError,
            pickle.UnpicklingError,
        ) as error:
            raise ValueError(
                f"save_to is {self.path}, which does not hold a saved run of this model and optimizer "
                f"({type(error).__name__}): delete it to start anew, or give another name"
            ) from error
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self.losses[:], self.seconds = losses, seconds
        return random


def _own_stream(batches: Iterable, state: Tensor) -> Iterator:
    """The batches, drawn from a random stream of their own: dropout between two of them changes nothing."""
    with drawing_from(state):
        stream = iter(batches)
    while True:
        with drawing_from(state):
            batch = next(stream, None)
        if batch is None:
            return
        yield batch
