"""Chapter 01's questions, asked of translators trained in Tiny Town.

All use one small model, one data set and one constant learning rate; each changes one thing.
"""

from collections.abc import Callable

from course_lib import metrics
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import translation
from course_lib.training.recipe import Recipe, new_model, train_in_stages, vary

SEEDS = (0, 1, 2)
STEPS = 500
LIVE_STEPS = 100
MEASURED_AT = (50, 100, 200, 300, 500)  # steps after which a run is scored
TEST_SENTENCES = 600
LENGTHS = ((4, 8), (9, 12), (13, 17), (18, 30))  # English words, first and last of each group

BASE = vary(translation.RECIPE, schedule=None, lr=2e-3, words_in_memory=False)


def length_rows(seed: int, steps: int) -> list[Row]:
    """Share of sentences without a wrong word, by their length, with and without attention."""
    rows: list[Row] = []
    for name, score in (("with attention", "additive"), ("without attention", None)):
        for step, model in _on_the_way(vary(BASE, score=score, seed=seed), steps):
            rows += [{"seed": seed, "step": step, "model": name, **row} for row in _by_length(model)]
    return rows


def score_rows(seed: int, steps: int) -> list[Row]:
    """Additive score against the bilinear one, sᵀ W h / √d, which the model calls "dot"."""
    variants = {"additive": {"score": "additive"}, "bilinear": {"score": "dot"}}
    return _alignment_rows("score", variants, seed, steps)


def query_rows(seed: int, steps: int) -> list[Row]:
    """Which decoder state asks: the one before y_{i-1} is read, or the one after."""
    variants = {"s_{i-1}": {"query": "previous"}, "s_i": {"query": "current"}}
    return _alignment_rows("query", variants, seed, steps)


def memory_rows(seed: int, steps: int) -> list[Row]:
    """Does it help the alignment to put each word's own embedding beside its encoder state?"""
    variants = {"states": {"words_in_memory": False}, "states and words": {"words_in_memory": True}}
    return _alignment_rows("memory", variants, seed, steps)


def _alignment_rows(column: str, variants: dict[str, dict], seed: int, steps: int) -> list[Row]:
    """Exact match and alignment error of each variant along its training."""
    rows: list[Row] = []
    test = translation.sentences(TEST_SENTENCES, "test")
    for name, changes in variants.items():
        for step, model in _on_the_way(vary(BASE, seed=seed, **changes), steps):
            maps = translation.attention_maps(model, test)
            matches = translation.exact_match(model, test)
            row = {
                "alignment_error": translation.alignment_error(maps, test),
                "shared_alignment_error": translation.alignment_error(
                    [metrics.share_out(weights) for weights in maps], test
                ),
                "exact_match": sum(matches) / len(matches),
            }
            rows.append({"seed": seed, "step": step, column: name, **rounded(row)})
    return rows


def _by_length(model) -> list[Row]:
    """One row for each group of lengths."""
    test = translation.sentences(TEST_SENTENCES, "test")
    matches = translation.exact_match(model, test)
    rows = []
    for low, high in LENGTHS:
        group = [match for match, s in zip(matches, test, strict=True) if low <= len(s.english) <= high]
        rows.append(
            {
                "length": f"{low}–{high}",
                "words": (low + high) / 2,  # for an x axis
                "exact_match": round(sum(group) / len(group), 4),
                "sentences": len(group),
            }
        )
    return rows


def _on_the_way(recipe: Recipe, steps: int):
    """Train once, and stop on the way to be measured: (step, model)."""
    model = new_model(recipe)
    points = MEASURED_AT if steps == STEPS else (steps,)  # a short run is measured at its end only
    for step, _ in train_in_stages(model, recipe, translation.task(), points):
        yield step, model


def _experiment(
    name: str,
    question: str,
    rows: Callable[[int, int], list[Row]],
    group: str,
    measure: str = "alignment_error",
    live_steps: int = LIVE_STEPS,
) -> Experiment:
    """What this chapter's experiments have in common: seeds, steps, tolerance."""
    return Experiment(name, question, rows, group, measure, SEEDS, STEPS, live_steps, tolerance=0.05)


EXPERIMENTS = (
    _experiment(
        "length",
        "Does a translator without attention fail on long sentences?",
        length_rows,
        group="model",
        measure="exact_match",
        live_steps=200,  # earlier, neither gets a long sentence right
    ),
    _experiment(
        "score",
        "Which score learns to align sooner, additive or bilinear?",
        score_rows,
        group="score",
    ),
    _experiment(
        "query",
        "Which decoder state should ask, s_{i-1} or s_i?",
        query_rows,
        group="query",
        live_steps=50,  # no difference at any step
    ),
    _experiment(
        "memory",
        "Does a word's own embedding beside its state help the alignment?",
        memory_rows,
        group="memory",
        live_steps=50,  # the page has little time left
    ),
)
