"""Chapter 10a: the numbers that its page says, from its records and from the card of the shipped stage."""

import json
from pathlib import Path
from statistics import mean

import pytest
import torch
from torch.nn import functional as F

from course_lib import experiments
from course_lib.data.town import questions
from course_lib.experiments import chapter_10a, chapter_10a_injection
from course_lib.tasks import town_gpt
from course_lib.tasks.assistant import WORDS, scoring, stages, training
from course_lib.tasks.assistant.attacks import ATTACKS
from course_lib.text.batching import pad

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "10a_instruction_tuning.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def column(name, measure, **wanted):
    """What was measured at the last step, one value a seed."""
    record = experiments.load(name)
    return [row[measure] for row in record.at(**{"step": record.steps} | wanted)]


def span(values, form="{:.2f}"):
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def hundredths(values):
    return span([100 * value for value in values], "{:.0f}")


def share(value):
    return f"{100 * value:.0f}"


def test_what_the_question_alone_gives(page):
    """A reader who never sees the story; the page prints her share of each kind."""
    learnt = questions.ask(6000, seed=1, kinds=questions.STORY_KINDS)
    asked = scoring.held_out()
    found = [
        questions.judge(one, words).right
        for one, words in zip(asked, questions.by_question(learnt, asked), strict=True)
    ]
    by_kind = {
        kind: mean(hit for hit, one in zip(found, asked, strict=True) if one.kind == kind)
        for kind in questions.STORY_KINDS
    }
    assert "can nearly be guessed by tossing a coin" in page["blind-read"]
    assert min(by_kind["does"], by_kind["is"]) > 0.35 > 0.3 > by_kind["how many"] > 0.2
    assert max(by_kind[kind] for kind in ("where", "who", "colour")) < 0.15
    unmasked = column("answers-only", "right", choice="every token")
    assert max(unmasked) < mean(found) + 0.01  # "no more than the reader of questions alone"


def test_what_the_mask_and_the_stories_change(page):
    text, stories = page["why-read"], page["tool-text"]
    right, loss, gap = (
        {choice: column("answers-only", name, choice=choice) for choice in chapter_10a.CHOICES}
        for name in ("right", "answer_loss", "gap")
    )
    masked, every, bare = chapter_10a.CHOICES
    steps, rows = experiments.load("answers-only").steps, training.RECIPE.batch_size
    assert f"*Picture: {steps} steps of {rows} rows each, three seeds, 750" in text
    assert f"Without the mask {hundredths(right[every])} of 100" in text
    assert f"its loss is {span(loss[every])}, with the mask {span(loss[masked])}." in text
    assert f"{hundredths(right[bare])} right, with them {hundredths(right[masked])}." in stories
    assert f"is {span(gap[bare])} nats a token, and not {span(gap[masked])}" in stories


def test_sums_with_a_tool_and_by_heart(page):
    text, card = page["sums-read"], stages.measured("sft")
    heart, tool = (
        {name: column("tools", name, how=how) for name in chapter_10a.ASKED_DIGITS}
        for how in ("by heart", "with the tool")
    )
    assert f"By heart {hundredths(heart['right'])} of 100" in text and max(heart["four digits"]) == 0
    assert f"With the tool {hundredths(tool['right'])};" in text
    assert f"with three digits {hundredths(tool['three digits'])}, with four" in text
    assert f"never trained, {hundredths(tool['four digits'])}." in text
    assert "numbers of one to three digits" in page["errors-read"] and chapter_10a.TRAINED_DIGITS == (1, 3)
    assert "has met one to six digits" in text and training.DIGITS == (1, 6)
    assert "one to six digits: 99 of 100 such sums are right" in text and 0.99 <= card["sums"] <= 1


def test_what_more_steps_buy(page):
    text, card = page["steps-read"], stages.measured("sft")
    record = experiments.load("sft")
    first, last = chapter_10a.MEASURED_AT[0], record.steps
    early = [row["right"] for row in record.at(step=first, what=chapter_10a.TUNED)]
    late = column("sft", "right", what=chapter_10a.TUNED)
    assert f"{first} steps give {hundredths(early)} of 100, 1,200 give {hundredths(late)}." in text
    assert last == 1200 and scoring.QUESTIONS + scoring.OTHER_FORMS == 750
    blind = column("sft", "right", what=chapter_10a.QUESTION_ONLY)
    assert f"ends at {hundredths(blind)}." in text
    others = column("sft", "other_forms", what=chapter_10a.TUNED)
    assert f"In wordings of other kinds {hundredths(others)} are right" in text
    assert (
        f"took {training.SHIPPED.steps:,} steps" in text and f"answer: {share(card['right'])} of 100" in text
    )
    assert f"says so in {share(card['refused'])} of 100" in text and card["falsely"] == 0


def test_who_gives_orders(page):
    text, record = page["inject-read"], experiments.load("injection")

    def of(attack, defence, what):
        rows = record.at(step=record.steps, attack=attack, defence=defence)
        return share(mean(row[what] for row in rows))

    assert f"went on for {record.steps} steps" in text and chapter_10a_injection.SHARE == 0.5
    assert f"is followed in {of('order', 'none', 'followed')} of 100" in text
    behind = [of("distraction, behind the question", name, "followed") for name in ("none", "trained")]
    assert f"takes over in {behind[0]}, trained in {behind[1]}:" in text
    asked = [of("question in a result", name, "followed") for name in ("none", "clean results")]
    assert f"is not answered ({asked[0]}, then {asked[1]})" in text
    forged = [of("forged result", name, "followed") for name in ("none", "markers by id", "trained")]
    assert f"falls from {forged[0]} to {forged[1]}" in text and f"stays at {forged[2]}" in text
    for attack in ("order in a result", "question in a result", "call in a result"):
        assert of(attack, "clean results", "followed") == of(attack, "clean results", "right") == "0"
    assert of("denial in a result", "all three", "followed") == "100"
    for words, attack in {
        "an order in a result: {}": "order in a result",
        "a call: {}": "call in a result",
    }.items():
        before, after = (of(attack, name, "right") for name in ("none", "trained"))
        said = f"{before} right, then {after}" if attack.startswith("order") else f"{before}, then {after}"
        assert words.format(said) in text
    assert ATTACKS["order in a result"].trained and not ATTACKS["call in a result"].trained


def test_what_was_forgotten(page):
    text, card = page["forgot-read"], stages.measured("sft")
    assert f"gap {town_gpt.measured()['gap']:.3f} there, {card['story gap']:.3f} now" in text
    base, model = stages.load("base"), stages.load("sft")
    ids = pad([WORDS.encode(story.english_tokens, bos=True) for story in town_gpt.stories(30)])  # (B, T)
    with torch.no_grad():
        p, q = (F.log_softmax(one(ids)[0], dim=-1) for one in (base, model))
    new, told = slice(len(town_gpt.WORDS), None), ids != 0
    assert "gives 2 of 100 chances to the new words" in text and "they alone are 0.02" in text
    assert p.exp()[..., new].sum(-1)[told].mean().item() == pytest.approx(0.02, abs=0.005)
    kl = p.exp() * (p - q)
    assert kl[..., new].sum(-1)[told].mean() > 0.8 * kl.sum(-1)[told].mean()  # "is most of the KL"
