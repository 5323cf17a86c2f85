"""Chapter 10b's records: what the page may say of them, and where they begin, measured again."""

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_10b as page
from course_lib.tasks.assistant import stages


def column(record, name, **wanted):
    """One value a seed."""
    return [row[name] for row in sorted(record.at(**wanted), key=lambda row: row["seed"])]


def test_a_larger_beta_holds_what_is_right_and_learns_less_of_the_rule():
    record = experiments.load("dpo-beta")
    named = [f"β {beta:g}" for beta in page.BETAS]
    rights, wholes, rejected = (
        [column(record, name, beta=beta) for beta in named] for name in ("right", "whole", "rejected")
    )
    for seed in range(3):
        assert rights[0][seed] < rights[1][seed] < rights[2][seed] < rights[3][seed]
        assert wholes[0][seed] > wholes[2][seed] > wholes[3][seed]
        assert rejected[0][seed] < rejected[1][seed] < rejected[2][seed] < rejected[3][seed] < 0
    assert min(wholes[3]) > 0.7 and max(rights[0]) <= 0.75 < 0.83 < min(rights[2])


def test_without_a_reference_even_the_better_answer_becomes_less_likely():
    record = experiments.load("dpo-beta")
    alone = {name: column(record, name, beta=page.NO_REFERENCE) for name in ("chosen", "right", "falsely")}
    assert max(alone["chosen"]) < 0 < min(column(record, "chosen", beta="β 0.3"))
    assert max(alone["right"]) < min(column(record, "right", beta="β 0.3"))
    assert min(alone["falsely"]) > 0.15


def test_both_rewards_begin_at_the_shipped_stage():
    now = page.state(stages.load("sft"))
    for row in experiments.load("flawed-reward").at(step=0):
        for name in ("right", "whole", "liked", "detailed"):
            assert row[name] == pytest.approx(now[name], abs=0.01)


def test_a_step_of_dpo_is_made_again():
    """Two steps give numbers of the right shape; the whole sweep takes minutes."""
    row = page.beta_row(3.0, 0, 2)
    [then] = experiments.load("dpo-beta").at(seed=0, beta="β 3")
    assert row.keys() == then.keys()
    assert row["right"] == pytest.approx(page.state(stages.load("sft"))["right"], abs=0.03)
