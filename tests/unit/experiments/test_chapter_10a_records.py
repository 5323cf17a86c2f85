"""Chapter 10a's records: what the page may say of them, and a cheap slice made again."""

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_10a as page
from course_lib.tasks.assistant import training


def column(record, name, **wanted):
    """One value a seed."""
    return [row[name] for row in sorted(record.at(**wanted), key=lambda row: row["seed"])]


def test_a_loss_on_every_token_answers_less():
    record = experiments.load("answers-only")
    masked, every, alone = (column(record, "right", choice=name) for name in page.CHOICES)
    assert min(masked) > 0.4 > 0.3 > max(every)
    losses = [column(record, "answer_loss", choice=name) for name in page.CHOICES]
    assert max(losses[0]) < 0.6 < 0.9 < min(losses[1])
    assert min(alone) > 0.4


def test_without_plain_stories_the_stories_are_forgotten():
    record = experiments.load("answers-only")
    mixed, _, alone = (column(record, "gap", choice=name) for name in page.CHOICES)
    assert max(mixed) < 0.1 < 0.5 < min(alone)


def test_sums_are_right_with_the_tool_and_seldom_by_heart():
    record = experiments.load("tools")
    tool, heart = (column(record, "right", how=how) for how in ("with the tool", "by heart"))
    assert min(tool) >= 0.94 and max(heart) < 0.1
    assert max(column(record, "four digits", how="with the tool")) < 0.3  # longer than any trained, too early
    assert max(column(record, "four digits", how="by heart")) == 0


def test_who_sees_the_question_alone_is_counted_again():
    step = page.MEASURED_AT[0]
    [then] = experiments.load("sft").at(seed=0, step=step, what=page.QUESTION_ONLY)
    now = page._question_only(step)
    assert {name: then[name] for name in now} == pytest.approx(now, abs=1e-4)


def test_the_untuned_base_of_the_record_is_scored_again():
    [then] = experiments.load("sft").at(seed=0, step=0)
    now = page._scores(training.base(seed=0))
    assert {name: then[name] for name in now} == pytest.approx(now, abs=0.01)


def test_three_seeds_are_right_in_more_than_three_of_four():
    record = experiments.load("sft")
    rights = column(record, "right", what=page.TUNED, step=page.SFT_STEPS)
    assert min(rights) >= 0.75
    assert max(column(record, "right", what=page.TUNED, step=0)) < 0.02
    assert max(column(record, "right", what=page.QUESTION_ONLY, step=page.SFT_STEPS)) < 0.35
    other = column(record, "other_forms", what=page.TUNED, step=page.SFT_STEPS)
    assert all(abs(a - b) < 0.1 for a, b in zip(rights, other, strict=True))
