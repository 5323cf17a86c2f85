"""Which choices of a recipe help a Transformer that says words: one change at a time.

A small version of the shipped model and of its recipe, real words (CMUdict), and a short training: 12,800
pairs, a tenth of an epoch. What helps here need not help in a long one. All schedules have one peak, and
nothing was tuned for a change: neither its rate nor its length.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from course_lib.data import cmudict
from course_lib.experiments.chapter_05 import SEEDS, on_the_way
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models import evaluating
from course_lib.tasks import pronunciation
from course_lib.training.objectives import pair_loss
from course_lib.training.optim import PaperSchedule, WarmupStableDecay, WarmupThenCosine, muon_and_adamw
from course_lib.training.recipe import vary

STEPS = 400
EARLY = 40  # steps after which the loss is measured once
AVERAGED = (320, 340, 360, 380, 400)  # steps whose parameters are averaged
SPEAKER = vary(
    pronunciation.TRANSFORMER,
    d_model=64,
    d_ff=256,
    encoder_layers=2,
    decoder_layers=2,
    batch_size=32,
    lr=3e-3,
    steps=STEPS,
    schedule=WarmupStableDecay(warmup=40, decay=100, steps=STEPS),
)


class Choice(NamedTuple):
    """One change to the recipe."""

    changes: dict
    smoothing: float = pronunciation.SMOOTHING
    optimizer: Callable[[nn.Module, float, float], torch.optim.Optimizer] | None = None
    averaged: bool = False  # also measure the average of the last parameters


CONSTANT = WarmupStableDecay(warmup=40, decay=1, steps=STEPS)
CHOICES = {
    "base": Choice({}, averaged=True),
    "constant rate": Choice({"schedule": CONSTANT}, averaged=True),
    "cosine": Choice({"schedule": WarmupThenCosine(0.1, 0.0)}),
    "inverse root": Choice({"schedule": PaperSchedule(warmup=40, steps=STEPS)}),
    "no smoothing": Choice({}, smoothing=0.0),
    "no dropout": Choice({"dropout": 0.0}),
    "sinusoidal": Choice({"positions": "sinusoidal"}),
    "post-norm": Choice({"norm_first": False}),
    "Muon": Choice({}, optimizer=muon_and_adamw),
}


def choice_rows(seed: int, steps: int) -> list[Row]:
    """Error rates on validation words after one change at a time to the recipe of a small pronouncer."""
    rows: list[Row] = []
    for name, choice in CHOICES.items():
        recipe = vary(SPEAKER, seed=seed, **choice.changes)
        task = pronunciation.task(choice.smoothing)
        points = sorted({EARLY, steps, *AVERAGED} - {*range(steps + 1, STEPS + 1)})
        early, last = math.nan, []
        for step, model in on_the_way(recipe, task, points, STEPS, choice.optimizer):
            if step == EARLY:
                early = round(_spoken_loss(model), 4)
            if step in AVERAGED:
                last.append({key: value.clone() for key, value in model.state_dict().items()})
        rows.append({"seed": seed, "step": step, "change": name, "early_loss": early, **_errors(model)})
        if choice.averaged and last:
            model.load_state_dict({key: sum(state[key] for state in last) / len(last) for key in last[0]})
            name = f"{name}, averaged"
            rows.append({"seed": seed, "step": step, "change": name, "early_loss": early, **_errors(model)})
    return rows


def _spoken_loss(model: nn.Module) -> float:
    """Nats a sound on validation words, their first pronunciation, without smoothing."""
    entries = cmudict.entries("validation")
    pairs = pronunciation.pairs([(entry.word, entry.pronunciations[0]) for entry in entries])
    with evaluating(model):
        return pair_loss(model, next(pairs.epoch(len(pairs)))).item()


def _errors(model: nn.Module) -> Row:
    phonemes, words = pronunciation.error_rates(model, cmudict.entries("validation"))
    return rounded({"loss": _spoken_loss(model), "phoneme_error": phonemes, "word_error": words})


BEGINNERS = {
    "GRU": (vary(pronunciation.RECIPE, steps=400), 0.0),
    "Transformer": (pronunciation.LIVE_TRANSFORMER, pronunciation.SMOOTHING),
}


def beginner_rows(seed: int, steps: int) -> list[Row]:
    """The small GRU of chapter 01 and the small Transformer of chapter 05, after equally many words.

    A row's step is the Transformer's; the GRU takes half as many, of twice as many words.
    """
    rows: list[Row] = []
    for name, (recipe, smoothing) in BEGINNERS.items():
        share = pronunciation.LIVE_TRANSFORMER.batch_size / recipe.batch_size
        points = [round(share * step) for step in sorted({min(EARLY, steps), steps})]
        stopped = on_the_way(vary(recipe, seed=seed), pronunciation.task(smoothing), points, recipe.steps)
        for step, model in stopped:
            if step == points[0]:
                early = round(_spoken_loss(model), 4)
        rows.append({"seed": seed, "step": steps, "model": name, "early_loss": early, **_errors(model)})
    return rows


EXPERIMENTS = (
    Experiment(
        "beginners",
        "A small GRU and a small Transformer, after equally many words: which says words better?",
        beginner_rows,
        group="model",
        measure="word_error",
        seeds=SEEDS,
        steps=800,
        live_steps=800,  # schedules are part of the recipes: only whole runs compare
        tolerance=0.1,
    ),
    Experiment(
        "pronunciation-choices",
        "Which choices of a recipe help a small pronouncer in a short training, one at a time?",
        choice_rows,
        group="change",
        measure="word_error",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=STEPS,  # a schedule is part of the question: only whole runs compare
        tolerance=0.1,
    ),
)
