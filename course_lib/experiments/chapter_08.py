"""Chapter 08's questions: what is hidden, what is asked beside it, and what a trained BERT is good for.

Every model that is pre-trained here is the page's own recipe, or a small change of it. The rate follows the
whole recipe's schedule, so a run that stops early is the beginning of the long one.
"""

from collections.abc import Callable, Iterator, Sequence

from torch import nn

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models.bert import Bert
from course_lib.models.bert_classifier import BertClassifier
from course_lib.tasks import entailment, fill_in, reference, town_lm
from course_lib.training.recipe import Recipe, new_model, train, train_in_stages, vary

SEEDS = (0, 1, 2)
STEPS = fill_in.RECIPE.steps
LIVE_STEPS = 100
HELD_OUT = 500  # stories with blanks and pronouns
VARIANTS = {
    "as BERT": {},
    "5 % chosen": {"chosen": 0.05},
    "40 % chosen": {"chosen": 0.4},
    "always [MASK]": {"masked": 1.0, "replaced": 0.0},
    "without NSP": {"nsp": False},
}

# ---------------------------------------------------------------- what is hidden, and what is asked beside it


def hidden_rows(seed: int, steps: int) -> list[Row]:
    """Each way of hiding, at equal steps."""
    return [row for name in VARIANTS for row in variant_rows(name, seed, steps)]


def variant_rows(name: str, seed: int, steps: int) -> list[Row]:
    """The rows of one way: blanks, pronouns, pairs; at the end also its vectors at visible pronouns."""
    rows = []
    for step, model in on_the_way(seed, points(steps), **VARIANTS[name]):
        blanks = fill_in.filled(model, fill_in.held_out(HELD_OUT))
        told = fill_in.pronouns(model, fill_in.stories(HELD_OUT))
        found = {"loss": blanks.loss, "accuracy": blanks.accuracy, **told._asdict()}
        found["follows"] = fill_in.nsp_accuracy(model, HELD_OUT)
        if step == STEPS and name in ("as BERT", "always [MASK]"):
            for way in ("frozen", "fine-tuned"):
                found[way] = reference_accuracy(way, model, COMPARED_AT, seed, **FRESH)
        rows.append({"seed": seed, "step": step, "variant": name, **rounded(found)})
    return rows


# ---------------------------------------------------------------- labels

LABELLED = (16, 64, 256, 1024)  # stories
COMPARED_AT = 256
WAYS = ("random start", "frozen", "fine-tuned", "head first")
FROZEN = {"frozen": True, "lr": 1e-2}  # a head alone learns at a larger rate
FRESH = {"lr": 1e-3}  # and so do a random start and a small model
LIVE_TUNING = 20  # steps


def reference_rows(seed: int, steps: int) -> list[Row]:
    """Whom does a pronoun mean, after so many labelled stories? The shipped BERT learns, for as many steps.

    A short training: the fewest stories only.
    """
    bert = fill_in.load()
    return [
        {"seed": seed, "step": step, "labels": n, "way": way}
        | rounded({"accuracy": reference_accuracy(way, bert, n, seed, steps=step)})
        for step in ((LIVE_TUNING, steps) if steps == reference.RECIPE.steps else (steps,))
        for n in (LABELLED if step == reference.RECIPE.steps else LABELLED[:1])
        for way in WAYS
    ]


def reference_accuracy(way: str, bert: Bert, n: int, seed: int, **changes) -> float:
    """What one way of learning makes of `n` labelled stories; changes are of the recipe."""
    recipe = vary(reference.RECIPE, bert=bert.config, seed=seed, **changes)
    model = learned(way, bert, recipe, n, reference.fine_tune, reference.task)
    return reference.accuracy(model, reference.examples(HELD_OUT))


ENTAILED = (64, 256, 1024, 4096)  # claims
VECTORS_AT = 1024
COMPARED = [(n, way, "C") for n in ENTAILED for way in ("random start", "frozen", "fine-tuned")]
COMPARED += [(VECTORS_AT, way, vector) for vector in ("pooler", "mean") for way in ("frozen", "fine-tuned")]


def entailment_rows(seed: int, steps: int) -> list[Row]:
    """True, false or unknown, after so many labelled claims; and three vectors to read it from.

    Here the shipped BERT is fine-tuned, for as many steps. (A short training: the fewest claims only.)
    """
    rows, chosen, bert = [], entailment.examples(600), fill_in.load()
    whole = steps == entailment.RECIPE.steps
    stages = [(LIVE_TUNING, COMPARED[:3]), (steps, COMPARED)] if whole else [(steps, COMPARED[:3])]
    for step, compared in stages:
        for n, way, vector in compared:
            recipe = vary(entailment.RECIPE, bert=bert.config, seed=seed, vector=vector, steps=step)
            model = learned(way, bert, recipe, n, entailment.fine_tune, entailment.task)
            found = entailment.accuracy(entailment.said_by(model, chosen), chosen)
            row = {"seed": seed, "step": step, "labels": n, "way": way, "vector": vector}
            rows.append(row | {"of": f"{way}, {vector}"} | rounded(found))
    return rows


def learned(
    way: str, bert: Bert, recipe: Recipe, n: int, fine_tune: Callable, task: Callable
) -> BertClassifier:
    """A head on a BERT, learned in one of the WAYS."""
    if way == "random start":
        return fine_tune(None, vary(recipe, **FRESH), n)
    if way == "fine-tuned":
        return fine_tune(bert, recipe, n)
    frozen = fine_tune(bert, vary(recipe, **FROZEN), n)
    if way == "frozen":
        return frozen
    model = new_model(recipe)
    model.load_state_dict(frozen.state_dict())  # head first, then all of it
    train(model, recipe, task(n))
    return model


# ---------------------------------------------------------------- writing

WRITTEN = ("left to right", "most certain first", "refill")


def bert_rows(seed: int, steps: int) -> list[Row]:
    """The page's recipe is asked for sentences; beside it the shipped BERT, which learns nothing more."""
    rows, shipped = [], fill_in.load()
    for step, model in on_the_way(seed, points(steps)):
        rows += told_rows("this recipe", model, seed, step) + told_rows("shipped", shipped, seed, step)
    return rows


def told_rows(who: str, model: Bert, seed: int, step: int) -> list[Row]:
    """What one model tells in each order of filling; the seed is that of the draws, too."""
    return [
        {"seed": seed, "step": step, "way": f"{who}, {order}"}
        | rounded(town_lm.judge(fill_in.tell(model, order=order, seed=seed))._asdict())
        for order in WRITTEN
    ]


# ---------------------------------------------------------------- training


def points(steps: int) -> tuple[int, ...]:
    """Where a run is measured: a short one at its end only."""
    return (LIVE_STEPS, STEPS) if steps == STEPS else (steps,)


def on_the_way(seed: int, stages: Sequence[int], **how) -> Iterator[tuple[int, nn.Module]]:
    """Pre-train, and stop on the way to be measured: (steps taken, model)."""
    whole, share = fill_in.RECIPE.schedule, stages[-1] / STEPS
    recipe = vary(fill_in.RECIPE, seed=seed, schedule=lambda progress: whole(progress * share))
    model = new_model(recipe)
    for step, _ in train_in_stages(model, recipe, fill_in.task(**how), stages):
        yield step, model


EXPERIMENTS = (
    Experiment(
        "hidden-words",
        "How many words are hidden, what stands for them, is it asked what follows: what changes?",
        hidden_rows,
        group="variant",
        measure="accuracy",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        "reference-labels",
        "How many labelled stories does it take to know whom a pronoun means, with and without pre-training?",
        reference_rows,
        group="way",
        measure="accuracy",
        seeds=SEEDS,
        steps=reference.RECIPE.steps,
        live_steps=LIVE_TUNING,
        tolerance=0.1,
    ),
    Experiment(
        "entailment-labels",
        "How many labelled claims does it take to tell true from false, with and without pre-training?",
        entailment_rows,
        group="way",
        measure="all",
        seeds=SEEDS,
        steps=entailment.RECIPE.steps,
        live_steps=LIVE_TUNING,
        tolerance=0.1,
    ),
    Experiment(
        "bert-writes",
        "How many sentences that make sense does a BERT write, its blanks filled in one order or another?",
        bert_rows,
        group="way",
        measure="consistent",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
)
