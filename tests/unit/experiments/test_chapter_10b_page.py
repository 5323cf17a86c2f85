"""Chapter 10b: the numbers that its page says are those of the records, the cards and the data."""

import json
from pathlib import Path

import pytest
import torch

from course_lib import experiments
from course_lib.data.town.questions.styles import FILLER_WORDS, VERBS
from course_lib.experiments import chapter_10b
from course_lib.tasks import town_gpt
from course_lib.tasks.assistant import preferring, scoring, shipping, stages, training

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page():
    path = ROOT / "notebooks" / "10b_preferences_and_rewards.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def span(values, form="{:.2f}"):
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def column(record, what, **where):
    """What was measured, one value a seed."""
    return [row[what] for row in experiments.load(record).at(**where)]


# ---------------------------------------------------------------- pairs


def test_length_is_no_sign_of_better():
    told = preferring.told_pairs(1200)
    by_length = {kind: sum(one.length == kind for one in told) for kind in ("longer", "equal", "shorter")}
    assert abs(by_length["longer"] - by_length["shorter"]) <= 5 and by_length["equal"] > 590
    assert abs(sum(len(one.chosen) - len(one.rejected) for one in told)) < 30


def test_the_reward_model_learns_length_where_it_is_a_sign(page):
    told = preferring.told_pairs(1200)
    names = {"torch": torch, "FILLER_WORDS": FILLER_WORDS, "VERBS": VERBS}
    exec(page["reward-model"].partition("for name, some")[0], names)
    rewards = {}
    for name, kinds in {"all": ("longer", "equal", "shorter"), "longer": ("longer",)}.items():
        x = names["apart"]([one for one in told[:800] if one.length in kinds])
        w = torch.zeros(3, requires_grad=True)
        for _ in range(300):
            loss = torch.nn.functional.softplus(-x @ w).mean()
            w.data -= 0.1 * torch.autograd.grad(loss, w)[0]
        new = names["apart"](names["of_length"](told[800:], "shorter"))
        rewards[name] = w.tolist(), (new @ w > 0).float().mean().item()
    (token, filler, verb), right = rewards["all"]
    assert -filler > token > 0 < verb and right == 1  # "a filler costs more than the tokens it brings"
    (token, filler, _), right = rewards["longer"]
    assert token > 1 and abs(filler) < 0.1 and right == 0  # "wrong on every new pair"


# ---------------------------------------------------------------- the records


def columns(record, *names, **where):
    """Name → one value a seed."""
    return {name: column(record, name, **where) for name in names}


def dash(values):
    return span(values).replace(" to ", "–")


def test_what_beta_holds(page):
    text, names = page["beta-read"], ("right", "whole", "rejected", "chosen")
    assert f"*Picture: right was {span(column('flawed-reward', 'right', step=0))} before.*" in text
    few, many = (columns("dpo-beta", *names, beta=beta) for beta in ("β 0.3", "β 10"))
    assert f"With β = 10 it is {span(many['right'])}, with β = 0.3 {span(few['right'])}," in text
    assert f"for whole sentences {span(many['whole'])} and {span(few['whole'])}." in text
    assert f"down by {span([-x for x in few['rejected']], '{:.1f}')} nats" in text
    alone = columns("dpo-beta", *names, beta=chapter_10b.NO_REFERENCE)
    assert f"by {span([-x for x in alone['chosen']], '{:.1f}')} nats" in text
    assert max(alone["chosen"]) < 0 < min(few["chosen"]) and f"Right: {span(alone['right'])}." in text
    assert f"same {chapter_10b.DPO_STEPS} steps" in page["dpo-read"] and chapter_10b.DPO_RATE == 1e-3


def test_what_rewards_raise(page):
    text, mixed, steps = page["grpo-read"], list(chapter_10b.MIXES)[1], chapter_10b.MIX_STEPS
    begin, end = (columns("grpo", "right", "falsely", "whole", mix=mixed, step=n) for n in (0, steps))
    assert f"from {span(begin['right'])} to {dash(end['right'])}, most of it" in text
    assert f"With {steps} steps of {shipping.GRPO.questions} questions" in text
    asked = chapter_10b.asked()
    assert f"{len(asked)} new questions" in text
    known = sum(one.known for one in asked) / len(asked)
    for seed in range(3):  # "most of it are questions that were refused"
        gained = end["right"][seed] - begin["right"][seed]
        assert (begin["falsely"][seed] - end["falsely"][seed]) * known > gained / 2 > 0
    assert min(end["whole"]) > 0.99


def test_what_the_flawed_reward_does(page):
    text, names = page["hack-read"], ("detailed", "right", "liked")
    begin = columns("flawed-reward", *names, step=0, reward="detailed")
    cheated, exact = (
        columns("flawed-reward", *names, step=40, reward=name) for name in ("detailed", "right and as liked")
    )
    assert f"risen from {span(begin['detailed'])} to {dash(cheated['detailed'])}" in text
    assert f"fallen from {span(begin['right'])} to {dash(cheated['right'])}:" in text
    assert min(column("flawed-reward", "right", step=20, reward="detailed")) > 0.8  # "nothing looks wrong"
    text = page["hack-mend"]
    assert (
        f"earned by {span(begin['liked'])} of the answers at first, by {dash(exact['liked'])} after" in text
    )
    assert f"(right: {dash(exact['right'])};" in text


def test_what_rank_does(page):
    text, rows = (
        page["ranks-read"],
        {rank: column("lora-rank", "whole", rank=rank) for rank in ("r = 1", "r = 8", "full")},
    )
    assert f"hardly begun ({span(rows['r = 1'])}), r = 8 has {span(rows['r = 8'])}," in text
    assert f"every parameter {span(rows['full'])}*" in text
    full, middle = (column("lora-rank", "right", rank=rank) for rank in ("full", "r = 8"))
    assert f"right more often than r = 8 ({span(full)} against {span(middle)})" in text
    assert min(full) > max(middle)
    gaps = [column("lora-rank", "gap", rank=rank) for rank in rows]
    assert max(map(max, gaps)) - min(map(min, gaps)) < 0.002
    assert chapter_10b.DPO_RATE == 1e-3 and chapter_10b.FULL_RATE == 1e-4 and chapter_10b.DPO_STEPS == 40


# ---------------------------------------------------------------- what each stage changed


def test_what_each_stage_changed(page):
    text = page["stages-read"]
    sft, dpo, grpo = (stages.measured(stage) for stage in stages.STAGES[1:])
    assert f"SFT is right ({sft['right']:.2f})" in text
    assert f"the whole sentence ({sft['whole']:.2f} → {dpo['whole']:.2f})" in text
    assert f"loses some of what was right ({dpo['right']:.2f})" in text and dpo["right"] < sft["right"]
    assert f"wins most of it back ({grpo['right']:.2f})" in text and grpo["right"] > dpo["right"]
    assert f"from {dpo['falsely']:.3f} to {grpo['falsely']:.3f}" in text
    assert f"has {dpo['preferred longer']:.2f}" in page["dpo-read"]
    told = page["stages-text"]
    assert f"DPO {shipping.DPO.steps} more, GRPO {shipping.GRPO.steps} more" in told
    assert f"SFT {training.SHIPPED.steps:,} steps" in told and f"{len(scoring.held_out())} questions" in told
    gaps = " to ".join(f"{end(card['story gap'] for card in (sft, dpo, grpo)):.3f}" for end in (min, max))
    assert f"{town_gpt.measured()['gap']:.3f} nats a token" in text and f"the stages {gaps}." in text
    for what in ("sums", "sums after a story"):  # "DPO … lost some. GRPO has them again."
        assert dpo[what] < sft[what] - 0.03 and grpo[what] >= sft[what] - 0.005


def test_what_a_mix_keeps(page):
    text, (without, mixed) = page["forgotten-read"], chapter_10b.MIXES
    begin, end = (column("grpo", "behind a story", mix=without, step=n) for n in (0, chapter_10b.MIX_STEPS))
    kept = column("grpo", "behind a story", mix=mixed, step=chapter_10b.MIX_STEPS)
    assert f"fall from {span(begin)} to about a half" in text and f"and end at {dash(end)}; with it" in text
    assert all(0.4 < low < 0.6 for low in column("grpo", "behind a story", mix=without, step=100))
    assert f"rise to {span(kept)};" in text
    rights = [column("grpo", "right", mix=name, step=chapter_10b.MIX_STEPS) for name in chapter_10b.MIXES]
    assert {dash(rights[0]), dash(rights[1])} == {"0.85–0.86"} and "alike, to 0.85–0.86" in text
    assert f"{shipping.GRPO.mix} rows" in text
