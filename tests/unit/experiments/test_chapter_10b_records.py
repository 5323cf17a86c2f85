"""Chapter 10b's records: what the page may say of them, and where they begin, measured again."""

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_10b as page
from course_lib.tasks.assistant import stages


@pytest.fixture(scope="module")
def tuned():
    """How the shipped stage stands from which all of these start."""
    return page.state(stages.load("sft"))


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


def test_a_checked_reward_raises_right_answers_beyond_the_spread_of_seeds():
    record = experiments.load("grpo")
    for name in page.MIXES:
        for what, sign in {"right": 1, "liked": 1, "falsely": -1}.items():
            before, after = (column(record, what, mix=name, step=step) for step in (0, page.MIX_STEPS))
            gains = [sign * (b - a) for a, b in zip(before, after, strict=True)]
            assert min(gains) > max(after) - min(after)
        rewards = [column(record, "reward", mix=name, step=step) for step in (100, page.MIX_STEPS)]
        assert all(late > early + 0.05 for early, late in zip(*rewards, strict=True))


def test_sums_are_kept_where_they_are_mixed_in():
    record, (without, mixed) = experiments.load("grpo"), page.MIXES
    ends = {
        name: column(record, "behind a story", mix=name, step=page.MIX_STEPS) for name in (without, mixed)
    }
    begin = column(record, "behind a story", mix=mixed, step=0)
    assert min(ends[mixed]) >= 0.99 > max(begin) > 0.9 and max(ends[without]) < min(begin) - 0.05
    gaps = column(record, "gap", mix=mixed, step=page.MIX_STEPS)
    assert max(gaps) < 0.045


def test_the_shipped_stage_is_the_recorded_run_of_the_first_seed():
    now, [then] = (
        stages.measured("grpo"),
        experiments.load("grpo").at(seed=0, step=page.MIX_STEPS, mix=list(page.MIXES)[1]),
    )
    found = page.state(stages.load("grpo"))
    for name in ("right", "whole", "liked", "falsely"):
        assert found[name] == pytest.approx(then[name], abs=0.01)
    assert now["sums after a story"] == pytest.approx(then["behind a story"], abs=0.01)


def test_both_rewards_begin_at_the_shipped_stage(tuned):
    for row in experiments.load("flawed-reward").at(step=0):
        for name in ("right", "whole", "liked", "detailed"):
            assert row[name] == pytest.approx(tuned[name], abs=0.01)


def test_a_reward_for_every_word_rises_while_answers_get_worse():
    record = experiments.load("flawed-reward")
    flawed, mended = page.REWARDS
    for seed in record.seeds:
        [before], [after] = (record.at(seed=seed, reward=flawed, step=step) for step in (0, page.GRPO_STEPS))
        assert after["detailed"] > before["detailed"] + 0.5 and after["length"] > 3 * before["length"]
        assert after["right"] < before["right"] - 0.2 and after["liked"] == 0 and after["kl"] > 0.4
        [before], [after] = (record.at(seed=seed, reward=mended, step=step) for step in (0, page.GRPO_STEPS))
        assert after["liked"] > before["liked"] + 0.6 and after["right"] > 0.8
    ends = column(record, "right", reward=flawed, step=page.GRPO_STEPS)
    assert sum(right < 0.01 for right in ends) == 2  # in one of three runs it had not gone so far


def test_a_small_adapter_learns_less_in_as_many_steps():
    record = experiments.load("lora-rank")
    ranks = ("r = 1", "r = 8", "full")
    assert {row["rank"] for row in record.rows} == set(ranks)
    small, middle, full = (column(record, "whole", rank=rank) for rank in ranks)
    assert max(small) < 0.3 < 0.8 < min(middle) and max(middle) < 0.83 < 0.98 < min(full)
    shares = [column(record, "share", rank=rank)[0] for rank in ranks]
    assert shares[0] < 0.006 and 0.04 < shares[1] <= 0.05 and shares[2] == 1
    assert max(row["gap"] for row in record.rows) < 0.04  # stories are hardly touched


def test_two_steps_of_dpo_leave_what_was_right(tuned):
    """The whole sweep takes minutes: here, that a row is made as the record's are."""
    row = page.beta_row(3.0, 0, 2)
    [then] = experiments.load("dpo-beta").at(seed=0, beta="β 3")
    assert row.keys() == then.keys()
    assert row["right"] == pytest.approx(tuned["right"], abs=0.03)
