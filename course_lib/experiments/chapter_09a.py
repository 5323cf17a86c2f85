"""Chapter 09a's question: what do the last hundredths of a nat buy?

The page's own recipe learns stories of Tiny Town. A gap is the loss above the Town's own, in nats a token, on
held-out stories. (Other questions are asked of small models: their recipe stands here, too.)
"""

import re
from collections import Counter
from collections.abc import Sequence

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models.gpt import GPT
from course_lib.tasks import town_gpt
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import Recipe, Task, new_model, train, vary

SEEDS = (0, 1, 2)
HELD_OUT = 200  # stories
SMALL = vary(town_gpt.RECIPE, d_model=64, n_layers=2, batch_size=16)
STORIES = 4_000  # to learn from, for small models


def scheduled(recipe: Recipe, steps: int, warm_up: int = 20) -> Recipe:
    """The recipe for another budget: a rise, a plateau, and the second half falls to 0, as on the page."""
    decay = max(1, steps // 2)
    return vary(recipe, steps=steps, schedule=WarmupStableDecay(min(warm_up, steps - decay), decay, steps))


def trained(recipe: Recipe, task: Task) -> GPT:
    """A new model that followed a recipe."""
    model = new_model(recipe)
    train(model, recipe, task)
    return model


# ---------------------------------------------------------------- what the last hundredths of a nat buy

BUDGETS = (100, 200, 400)  # steps
TEMPERATURES = (1.0, 0.7)
TOLD = 500  # stories
KINDS = {  # what is wrong first, by the Town's words
    "no sentence": r"word \d+: ",
    "how many sentences": r"^\d+ sentences",
    "no such thing": "the story knows no ",
    "which thing": "the story knows more than one",
    "pronoun": "is not clear here|a pronoun is needed",
    "not possible now": "cannot happen: ",
    "where": "which does not fit|fit here|not where|nobody can go|agree with where|such company|take part",
}


def gap_rows(seed: int, steps: int) -> list[Row]:
    """The page's recipe with several budgets: the gap, and the Town's verdict at two temperatures."""
    rows = []
    for budget in BUDGETS if steps == BUDGETS[-1] else (steps,):
        model = trained(scheduled(vary(town_gpt.RECIPE, seed=seed), budget), town_gpt.task())
        found = {"gap": town_gpt.gap(model)}
        for temperature in TEMPERATURES:
            told = town_gpt.write(model, TOLD, temperature=temperature, seed=seed)
            found |= town_gpt.judge(told)._asdict() | kinds(told)
            rows.append({"seed": seed, "step": budget, "at": f"temperature {temperature:g}"} | rounded(found))
    return rows


def kinds(told: Sequence[Sequence[str]]) -> dict[str, float]:
    """What is wrong first, as shares of all texts: one for each of KINDS, and "other"."""
    counts = Counter()
    for error, n in town_gpt.mistakes(told).items():
        counts[next((kind for kind, words in KINDS.items() if re.search(words, error)), "other")] += n
    return {kind: counts[kind] / len(told) for kind in (*KINDS, "other")}


EXPERIMENTS = (
    Experiment(
        "gap-buys",
        "What do the last hundredths of a nat buy?",
        gap_rows,
        group="at",
        measure="consistent",
        seeds=SEEDS,
        steps=BUDGETS[-1],
        live_steps=BUDGETS[0],
        tolerance=0.05,
        short_steps=30,
    ),
)
