"""The one training loop of the course.

    for each batch:  loss → gradients → clip → step

Everything else here serves the person who waits: a live loss, a budget in steps or seconds, an interrupt that
keeps the model trained so far, and saves that a power cut cannot spoil and that go on as the same run.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib.training import distributed
from course_lib.training.interrupts import Interrupts
from course_lib.training.saved_run import SavedRun


@dataclass
class History:
    """What happened in training: one row a step."""

    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)

    def last(self, n: int = 50) -> float:
        """Mean loss of the last `n` steps (nats): steadier than a single batch."""
        tail = self.losses[-n:]
        return sum(tail) / len(tail) if tail else math.nan


def train(
    model: nn.Module,
    batches: Iterable,
    loss_of: Callable[[nn.Module, object], Tensor],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    schedule: Callable[[float], float] | None = None,
    clip: float = 1.0,
    optimizer: torch.optim.Optimizer | None = None,
    gradients: Callable[[nn.Module, object], float] | None = None,
    on_step: Callable[[int, float], None] | None = None,
    save_to: Path | None = None,
    save_every: int = 500,
) -> History:
    """Train a model until a budget is spent.

    Args:
        model: put into training mode here, left in evaluation mode.
        batches: an iterable that holds enough batches for the budget.
        loss_of: model and batch to the mean loss over the counted tokens (nats).
        steps, seconds: the budget; with both, the first one spent ends the run. Assert results on steps only:
            seconds mean another amount of training on another machine.
        lr: peak learning rate of AdamW (when no `optimizer` is given).
        weight_decay: of AdamW.
        schedule: progress from 0 to 1 → factor on the learning rate.
        clip: largest gradient norm.
        optimizer: your own instead of AdamW.
        gradients: model and batch → loss, with the gradients left in the parameters, in place of one backward
            pass through `loss_of` (see `training.distributed`).
        on_step: called after each step with the step's number (from 1) and loss, for a live view; at the end
            its `finish()` is called, if it has one.
        save_to: write the run here every `save_every` steps and at the end; go on with it if it exists. A run
            that goes on is the unbroken run, loss for loss, with dropout, schedule and the order of the data:
            give the same `batches` from the first one on; those that were seen are passed over.

    Returns:
        the history. Kernel → Interrupt ends the run after the step under way; what was learned is kept.

    Raises:
        Stopped: an interrupt inside `interrupts.all_or_nothing()`, as in a command.
        ValueError: no budget or a negative one, `batches` ends before it, a `clip` or `save_every` that is
            not above 0, a loss that cannot be trained on, or a file at `save_to` that is not this run's.
        FloatingPointError: the loss is no longer a number.
    """
    _check(steps, seconds, clip, save_every)
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    peaks = [group["lr"] for group in optimizer.param_groups]
    history = History()
    state = None if save_to is None else SavedRun(Path(save_to), model, optimizer, history.losses)
    spread = distributed.spread(model)
    model.train()
    whole = False  # False while a step is half taken
    with Interrupts() as stop:
        try:
            batches = iter(batches) if state is None else state.resume(batches)
            history.seconds, whole = 0.0 if state is None else state.seconds, True
            start = time.perf_counter() - history.seconds
            while not stop.wanted:
                history.seconds = time.perf_counter() - start
                progress = _progress(history, steps, seconds)
                if progress >= 1:
                    break
                if schedule is not None:
                    _set_rates(optimizer, [peak * schedule(progress) for peak in peaks])
                batch, whole = next(batches, None), False
                if batch is None:
                    raise ValueError(
                        f"batches ended after {history.steps} steps, before the budget: "
                        "use course_lib.text.batching.endless to go round again"
                    )
                optimizer.zero_grad(set_to_none=True)
                loss = (gradients or partial(_gradients, loss_of))(spread, batch)
                if not math.isfinite(loss):
                    raise FloatingPointError(
                        f"the loss is {loss} at step {history.steps + 1}: is the learning rate too large, or "
                        "the data not finite?"
                    )
                nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                history.losses.append(loss)
                whole = True
                if on_step is not None:
                    on_step(history.steps, loss)
                if state is not None and history.steps % save_every == 0:
                    state.save(history.seconds)
        except KeyboardInterrupt:  # from on_step, or from a step that did not end
            stop.wanted = True
        finally:
            stop.stepping = False
            model.eval()
            _set_rates(optimizer, peaks)
            if hasattr(on_step, "finish"):
                on_step.finish()
        if state is not None and whole:
            state.save(history.seconds)
        if stop.wanted:
            history.interrupted = True
            stop.tell(history.steps)
    return history


def _check(steps: int | None, seconds: float | None, clip: float, save_every: int) -> None:
    if steps is None and seconds is None:
        raise ValueError("no budget: give steps=…, seconds=…, or both")
    for name, value in (("steps", steps), ("seconds", seconds)):
        if value is not None and not value >= 0:  # NaN too
            raise ValueError(f"{name} is {value}, expected 0 or more")
    for name, value in (("clip", clip), ("save_every", save_every)):
        if not value > 0:
            raise ValueError(f"{name} is {value}, expected above 0; math.inf is never")


def _set_rates(optimizer: torch.optim.Optimizer, rates: Sequence[float]) -> None:
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate


def _gradients(loss_of: Callable[[nn.Module, object], Tensor], model: nn.Module, batch: object) -> float:
    """One backward pass; returns the loss."""
    loss = loss_of(model, batch)
    if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
        raise ValueError(
            f"loss_of returned {loss!r:.80}, expected one number with a gradient: "
            "a tensor computed from the model's output, with the mean taken and nothing detached"
        )
    loss.backward()
    return loss.item()


def _progress(history: History, steps: int | None, seconds: float | None) -> float:
    """Share of the budget that is spent."""
    spent = [0.0]
    if steps is not None:
        spent.append(history.steps / steps if steps else 1.0)
    if seconds is not None:
        spent.append(history.seconds / seconds if seconds else 1.0)
    return max(spent)
