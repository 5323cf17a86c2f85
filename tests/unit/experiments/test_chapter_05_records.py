"""Chapter 05: its records, and a cheap slice of each run again."""

import math

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_05, chapter_05_words
from course_lib.experiments.chapter_05 import WORST, norm_rows
from course_lib.training.recipe import new_model

NAMES = [one.name for one in (*chapter_05.EXPERIMENTS, *chapter_05_words.EXPERIMENTS)]
FAST = {  # one variant of each experiment
    "positions": (chapter_05, "POSITIONS", "rotary"),
    "residual": (chapter_05, "RESIDUAL", "pre-norm, with"),
    "norm-warmup": (chapter_05, "GRID", "post-norm, with warm-up, scaled"),
    "equal-parameters": (chapter_05, "EQUAL", "no feed-forward, wider"),
}


@pytest.mark.parametrize("name", NAMES)
def test_no_seed_is_measured_twice(name):
    record = experiments.load(name)
    columns = (record.group, "step", "seed", "length", "layer")
    measured = [tuple(row.get(column) for column in columns) for row in record.rows]
    assert len(measured) == len(set(measured))


@pytest.mark.parametrize("name", FAST)
def test_one_variant_made_again_gives_the_recorded_numbers(name, monkeypatch):
    module, table, variant = FAST[name]
    monkeypatch.setattr(module, table, {variant: getattr(module, table)[variant]})
    record = experiments.load(name)
    steps = min(row["step"] for row in record.rows)
    live = experiments.run(name, seed=0, steps=steps)
    recorded = record.at(**{"seed": 0, "step": steps, record.group: variant})
    assert len(live) == len(recorded) > 0
    for now, then in zip(live, recorded, strict=True):
        assert now.keys() == then.keys()
        assert now[record.measure] == pytest.approx(then[record.measure], abs=0.02)


def test_the_early_loss_of_a_choice_is_made_again(monkeypatch):
    """Muon's: the choice with an optimizer of its own."""
    monkeypatch.setattr(chapter_05_words, "_errors", lambda model: {})  # beginners write long words, slowly
    monkeypatch.setattr(chapter_05_words, "CHOICES", {"Muon": chapter_05_words.CHOICES["Muon"]})
    [live] = chapter_05_words.choice_rows(seed=0, steps=chapter_05_words.EARLY)
    record = experiments.load("pronunciation-choices")
    [recorded] = record.at(seed=0, change="Muon")
    assert live["early_loss"] == pytest.approx(recorded["early_loss"], abs=0.02)
    others = [row["early_loss"] for row in record.at(seed=0) if row["change"] != "Muon"]
    assert min(abs(live["early_loss"] - loss) for loss in others) > 0.03  # it is another training than theirs


def test_the_early_losses_of_both_beginners_are_made_again(monkeypatch):
    monkeypatch.setattr(chapter_05_words, "_errors", lambda model: {})
    record = experiments.load("beginners")
    for row in chapter_05_words.beginner_rows(seed=0, steps=chapter_05_words.EARLY):
        [recorded] = record.at(seed=0, model=row["model"])
        assert row["early_loss"] == pytest.approx(recorded["early_loss"], abs=0.02)
    words = {recipe.steps * recipe.batch_size for recipe, _ in chapter_05_words.BEGINNERS.values()}
    assert words == {25_600}


def test_a_run_that_diverges_is_a_row_and_not_the_end(monkeypatch):
    """At a rate of 1e30 the loss is no number soon; the row says so, with a loss that JSON can hold."""
    monkeypatch.setattr(chapter_05, "NORM_RATE", 1e30)
    monkeypatch.setattr(chapter_05, "GRID", {"both": (False, False, "xavier")})
    rows = norm_rows(seed=0, steps=4)
    assert [(row["step"], row["loss"], row["diverged"]) for row in rows] == [(4, WORST, True)]
    recorded = experiments.load("norm-warmup").rows
    assert all(math.isfinite(row["loss"]) and row["diverged"] == (row["loss"] == WORST) for row in recorded)


def test_equal_parameters_are_equal_within_two_percent():
    sizes = {
        name: sum(p.numel() for p in new_model(chapter_05.vary(chapter_05.TOWN, **changes)).parameters())
        for name, changes in chapter_05.EQUAL.items()
    }
    assert all(abs(size / sizes["base"] - 1) < 0.02 for size in sizes.values())
    recorded = {(row["model"], row["parameters"]) for row in experiments.load("equal-parameters").rows}
    assert recorded == set(sizes.items())


def column(name, measure, **wanted):
    """What was measured at the last step, one value a seed."""
    record = experiments.load(name)
    return [row[measure] for row in record.at(step=record.steps, **wanted)]


def test_without_positions_fewer_sentences_are_right_and_no_kind_serves_longer_ones():
    none = column("positions", "exact_match", positions="none", length="4–12")
    for kind in ("sinusoidal", "learned", "rotary"):
        assert min(column("positions", "exact_match", positions=kind, length="4–12")) > max(none) + 0.05
    for length in ("13–17", "18–30"):  # a null result: nobody gets these right
        assert max(column("positions", "exact_match", length=length)) < 0.05


FREQUENCIES = 4.2989  # nats a word of a model that knows how frequent each French word is, and nothing else


def test_without_residual_connections_nothing_but_frequencies_is_learned():
    pre, post = (column("residual", "loss", residual=f"{place}-norm, with") for place in ("pre", "post"))
    without = [
        x for place in ("pre", "post") for x in column("residual", "loss", residual=f"{place}-norm, without")
    ]
    assert min(without) > FREQUENCIES - 0.15 and max(without) < FREQUENCIES + 0.05
    assert max(pre) < min(without) - 1.5 and max(pre) < min(post) - 1 and max(post) < min(without)


def test_at_the_start_the_decoder_s_gradient_dies_and_the_encoder_s_does_not():
    record = experiments.load("residual")
    for place in ("pre", "post"):
        with_, without = ({"step": 1, "residual": f"{place}-norm, {w}"} for w in ("with", "without"))
        assert min(row["decoder_gradient"] for row in record.at(layer=1, **with_)) > 0.1
        assert (
            max(row["decoder_gradient"] for row in record.at(layer=1, **without)) == 0
        )  # too small a number
        assert max(row["decoder_gradient"] for row in record.at(layer=5, **without)) < 1e-7
        assert min(row["decoder_gradient"] for row in record.at(layer=6, **without)) > 2
        assert min(row["encoder_gradient"] for row in record.at(layer=1, **without)) > 0.3
        later = [row["encoder_gradient"] for row in record.at(layer=1, **(without | {"step": 100}))]
        assert max(later) < 0.04  # 1e-5 to 3e-2: with residual connections 0.06 to 0.6


def test_at_equal_parameters_the_feed_forward_network_can_be_spent_on_width():
    base, without = (
        column("equal-parameters", "exact_match", model=model) for model in ("base", "no feed-forward, wider")
    )
    assert abs(sum(base) - sum(without)) / 3 < 0.03 and min(base) < max(without)
    worse = ("1 head", "16 heads", "deeper, narrower", "wide feed-forward, narrower")
    for model in worse:
        assert max(column("equal-parameters", "exact_match", model=model)) < min(base)
    deeper = column("equal-parameters", "exact_match", model="deeper, narrower")
    for model in {*chapter_05.EQUAL} - {"deeper, narrower"}:
        assert max(deeper) < min(column("equal-parameters", "exact_match", model=model))


def test_post_norm_needs_a_warm_up_or_smaller_first_parameters_and_pre_norm_needs_neither():
    def losses(place, warm_up, initial):
        return column("norm-warmup", "loss", model=f"{place}-norm, {warm_up} warm-up, {initial}")

    assert not any(row["diverged"] for row in experiments.load("norm-warmup").rows)  # gradients are clipped
    stuck, started = losses("post", "without", "xavier"), losses("post", "with", "xavier")
    assert min(stuck) > FREQUENCIES - 0.05 and max(started) < min(stuck)
    scaled = losses("post", "without", "scaled") + losses("post", "with", "scaled")
    assert max(scaled) < min(started) - 0.5
    pre = {
        (warm_up, initial): losses("pre", warm_up, initial)
        for warm_up in ("with", "without")
        for initial in ("xavier", "scaled")
    }
    assert max(max(values) for values in pre.values()) < 2.2


def test_what_helps_a_short_training_of_a_pronouncer_and_what_does_not():
    base = column("pronunciation-choices", "word_error", change="base")

    def better(change):
        """Word error that the change saves, one value a seed."""
        errors = column("pronunciation-choices", "word_error", change=change)
        return [before - after for before, after in zip(base, errors, strict=True)]

    for change in ("no dropout", "sinusoidal"):
        assert min(better(change)) > 0.04
    for change in ("cosine", "inverse root"):
        assert max(better(change)) < -0.04
    for change in ("no smoothing", "post-norm"):  # little
        assert min(better(change)) > 0 and max(better(change)) < 0.025
    assert min(better("Muon")) < -0.03 and max(better("Muon")) < 0.01  # no gain at a rate that was not tuned
    constant, averaged = (better(f"constant rate{end}") for end in ("", ", averaged"))
    assert max(constant) < 0 and all(a > c for a, c in zip(averaged, constant, strict=True))
    assert (
        max(map(abs, averaged)) < 0.025 and max(map(abs, better("base, averaged"))) < 0.025
    )  # as after a decay
