"""Chapter 09b's speed run: the same loss as a plain training, in how much less time, and what buys it.

The text is the reader's own; `COURSE_TEXT` says where it is:

    COURSE_TEXT=a/file.txt python -m course_lib experiment speed
    COURSE_TEXT=a/file.txt python -m course_lib experiment adamw-rates

All runs of a seed go on by turns, a part of each after a part of every other: what else the machine does
falls on all of them. Time is that of training alone; when a loss is measured, the clock stands.

`step` counts per cent of each run's own steps. The last tenth of the text is never learned from.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.experiments.records import Experiment, Record, Row, rounded
from course_lib.tasks import characters_gpt
from course_lib.tasks.characters_gpt import CharacterText
from course_lib.training.muon import Muon, orthogonalise
from course_lib.training.optim import MuonAndAdamW, Together
from course_lib.training.recipe import Recipe, new_model, train_in_stages, vary

TARGET = 1.88  # nats a character of the part that was kept away
SEEDS = (0, 1, 2)
SIZES = ("d_model", "n_heads", "n_layers", "d_ff")
STAGES = (50, 80, 90, 100)  # per cent of a run
PLAIN, FAST = "plain", "fast"


def text() -> CharacterText:
    """The text that `COURSE_TEXT` names.

    Raises:
        ValueError: it names none; FileNotFoundError, ValueError: as `characters_gpt.text_of`.
    """
    path = os.environ.get("COURSE_TEXT")
    if not path:
        raise ValueError(
            "COURSE_TEXT is not set, expected the path of a text of about a megabyte in UTF-8: write "
            "COURSE_TEXT=a/file.txt before the command"
        )
    return characters_gpt.text_of(path)


def about(text: CharacterText) -> str:
    """What a record says of the text, which is not in it."""
    return f"{text.size:,} characters, SHA-256 of their UTF-8 with line feeds {text.sha256}"


# ---------------------------------------------------------------- what steps in Muon's place


@dataclass(frozen=True)
class AdamWAlone:
    """AdamW for every parameter, with the betas that stand beside Muon."""

    lr: float

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimizer of a model."""
        return torch.optim.AdamW(model.parameters(), self.lr, MuonAndAdamW.betas, weight_decay=0.0)


class TogetherMuon(Muon):
    """W_q, W_k and W_v of a layer as one matrix of 3 D rows, as they would be if they were stored so."""

    def directions(self, steps: Tensor) -> Tensor:
        """Square matrices come as q, k, v, o of one layer after the other."""
        n, rows, columns = steps.shape
        if rows != columns:
            return orthogonalise(steps)
        *three, out = steps.unflatten(0, (-1, 4)).unbind(1)  # 4 × (N, D, D)
        joined = orthogonalise(torch.cat(three, dim=1)) * 3**0.5  # (N, 3 D, D), and its factor
        return torch.cat([*joined.split(rows, dim=1), orthogonalise(out)], dim=1).reshape(n, rows, columns)


@dataclass(frozen=True)
class MuonAs:
    """Another way to use Muon: `together` as in `TogetherMuon`, `everywhere` for the embedding as well."""

    usual: MuonAndAdamW
    way: str

    def __call__(self, model: nn.Module) -> Together:
        """The optimizer of a model."""
        everywhere = self.way == "everywhere"
        named = dict(model.named_parameters())
        matrices = [p for name, p in named.items() if p.dim() == 2 and (everywhere or "layers." in name)]
        chosen = {id(p) for p in matrices}
        kind = Muon if everywhere else TogetherMuon
        rest = [p for p in named.values() if id(p) not in chosen]
        return Together(
            kind(matrices, self.usual.muon_lr),
            torch.optim.AdamW(rest, self.usual.lr, self.usual.betas, weight_decay=0.0),
        )


# ---------------------------------------------------------------- the table


def variants(text: CharacterText) -> dict[str, Recipe]:
    """Name to recipe: the plain one, the fast one, and the fast one with one of its changes taken back."""
    plain, fast = characters_gpt.plain(text), characters_gpt.fast(text)
    muon = fast.optimizer
    without = {
        "plain's size": {size: getattr(plain.model, size) for size in SIZES},
        "plain's batch": {"batch_size": plain.batch_size},
        "learned positions": {"positions": "learned"},
        "LayerNorm": {"norm": "layer"},
        "GELU": {"activation": plain.model.activation},
        "no QK-norm": {"qk_norm": False},
        "cosine": {"schedule": plain.schedule},
        "AdamW": {"optimizer": AdamWAlone(muon.lr)},
        "AdamW at Muon's rate": {"optimizer": AdamWAlone(muon.muon_lr)},
        "Q, K, V together": {"optimizer": MuonAs(muon, "together")},
        "Muon for the embedding too": {"optimizer": MuonAs(muon, "everywhere")},
    }
    return {PLAIN: plain, FAST: fast} | {name: vary(fast, **changes) for name, changes in without.items()}


def speed_rows(seed: int, steps: int) -> list[Row]:
    """Every variant's loss and time along its run; `steps` is the last per cent that is run."""
    own, stages = text(), [stage for stage in STAGES if stage <= steps] or [steps]
    runs = {
        name: run(replace(recipe, seed=seed), own, stages, name) for name, recipe in variants(own).items()
    }
    return [row for _ in stages for stage in runs.values() for row in [next(stage)]]


def run(recipe: Recipe, text: CharacterText, stages: list[int], name: str) -> Iterator[Row]:
    """A row at each stage, given in per cent of the recipe's steps; between two rows it waits.

    Seconds are those of the clock on the wall; core seconds those that cores worked, all of them together.
    """
    model, last = new_model(recipe), recipe.steps * stages[-1] // 100
    at = {recipe.steps * stage // 100: stage for stage in stages}  # step → per cent
    part = vary(recipe, schedule=lambda progress: recipe.schedule(progress * last / recipe.steps))
    going_on = train_in_stages(model, part, characters_gpt.task(text), list(at))
    size, seconds, core = sum(p.numel() for p in model.parameters()), 0.0, 0.0
    while True:
        before = time.process_time()
        step, history = next(going_on)
        core, seconds = core + time.process_time() - before, seconds + history.seconds
        found = {
            "loss": characters_gpt.validation_loss(model, text),
            "seconds": seconds,
            "core_seconds": core,
        }
        about = {"seed": recipe.seed, "step": at[step], "variant": name, "steps": step, "parameters": size}
        yield about | rounded(found)


# ---------------------------------------------------------------- AdamW at its best

RATES = (0.001, 0.002, 0.004, 0.008, 0.016)
MUON_STEPS = "Muon"


def rate_rows(seed: int, steps: int) -> list[Row]:
    """The fast recipe with Muon, and with AdamW alone at each of several rates.

    Who compares two optimizers gives both a rate of their own: Muon's was sought, so AdamW's is sought, too.
    """
    own, stages = text(), [stage for stage in STAGES if stage <= steps] or [steps]
    fast = replace(characters_gpt.fast(own), seed=seed)
    recipes = {(MUON_STEPS, 0.0): fast}
    recipes |= {(f"AdamW, {rate:g}", rate): vary(fast, optimizer=AdamWAlone(rate)) for rate in RATES}
    return [
        row | {"rate": rate}
        for (name, rate), recipe in recipes.items()
        for row in islice(run(recipe, own, stages, name), len(stages))
    ]


# ---------------------------------------------------------------- what the record says


class Result(NamedTuple):
    """One variant of the record, over its seeds."""

    seconds: list[float | None]  # until the target was reached; None: not at all
    loss: list[float]  # at the end


def results(record: Record, target: float = TARGET, clock: str = "seconds") -> dict[str, Result]:
    """Time to the target and final loss of each variant, a value for each seed.

    The time is that of the first recorded row with at most the target's loss, so it may be too long, by up
    to three tenths of a run (between 50 and 80 per cent).
    """
    found = {}
    for name in dict.fromkeys(row["variant"] for row in record.rows):
        reached, final = [], []
        for seed in record.seeds:
            rows = sorted(record.at(variant=name, seed=seed), key=lambda row: row["step"])
            reached.append(next((row[clock] for row in rows if row["loss"] <= target), None))
            final.append(rows[-1]["loss"])
        found[name] = Result(reached, final)
    return found


_runs = partial(
    Experiment,
    group="variant",
    measure="loss",
    seeds=SEEDS,
    steps=100,
    live_steps=50,
    tolerance=0.05,
    about=lambda: about(text()),
)
EXPERIMENTS = (
    _runs(
        "speed",
        "How much sooner does a training reach the loss of a plain one, and which change buys how much?",
        speed_rows,
    ),
    _runs("adamw-rates", "Is Muon ahead of AdamW as well when AdamW gets its own rate?", rate_rows),
)
