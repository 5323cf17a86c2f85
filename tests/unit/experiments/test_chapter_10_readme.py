"""What the README says of chapters 10a and 10b, from the records and the cards of the shipped stages."""

import re
from pathlib import Path
from statistics import mean

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_10a
from course_lib.tasks.assistant import WORDS, Conversation, stages

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def text():
    _, rest = (ROOT / "README.md").read_text(encoding="utf-8").split("**10a and 10b Assistants**")
    return rest.partition("\n## ")[0]


@pytest.fixture(scope="module")
def sft():
    return stages.measured("sft")


def of_100(value):
    return f"{100 * value:.0f}"


def column(record, measure, **where):
    """What was measured, one value a seed."""
    return [row[measure] for row in experiments.load(record).at(**where)]


def span(values, between=" to "):
    return of_100(min(values)) + between + of_100(max(values))


def test_the_assistant(text, sft):
    steps = experiments.load("sft").steps
    begin, end = (column("sft", "right", what=chapter_10a.TUNED, step=step) for step in (0, steps))
    [blind] = {of_100(right) for right in column("sft", "right", what=chapter_10a.QUESTION_ONLY, step=steps)}
    assert f"assistant has {of_100(sft['right'])} right, word for word" in text
    assert f"(over three seeds, after {steps:,} steps: {span(end)})" in text
    assert "began as has none" in text and {of_100(right) for right in begin} == {"0"}
    assert f"a reader of the questions alone {blind}." in text
    assert f"it says so in {of_100(sft['refused'])} of 100 cases, and never" in text and sft["falsely"] == 0
    size = sum(parameter.numel() for parameter in stages.load("base").parameters())
    assert f"GPT of {size / 1e6:.1f} million parameters" in text


def test_sums_and_the_loss(text, sft):
    heart = column("tools", "right", how="by heart", step=experiments.load("tools").steps)
    assert f"With a calculator it has {100 * sft['sums']:.1f} % of 200 sums right" in text
    assert f"by heart a model of its size has {span(heart)} of 100." in text
    masked, every, _ = (
        column("answers-only", "right", choice=choice, step=experiments.load("answers-only").steps)
        for choice in chapter_10a.CHOICES
    )
    assert f"leaves {span(masked)} right; one that counts the user's words as well, {span(every)}." in text


def test_orders_in_results(text):
    order = {"attack": "order in a result", "step": experiments.load("injection").steps}
    plain, trained = (
        mean(column("injection", "right", defence=name, **order)) for name in ("none", "trained")
    )
    assert (
        f"leaves {of_100(plain)} of 100 answers right; after training on such attacks, {of_100(trained)}."
        in text
    )


def test_preferences_and_rewards(text, sft):
    dpo, grpo = (stages.measured(name) for name in ("dpo", "grpo"))
    lost, won = sft["right"] - dpo["right"], grpo["right"] - dpo["right"]
    assert f"turns {of_100(sft['whole'])} % whole sentences into {of_100(dpo['whole'])}" in text
    assert f"costs {of_100(lost)} points of what was right" in text
    assert "wins most of it back" in text and lost / 2 < won < lost
    begin, end = (
        {name: column("flawed-reward", name, reward="detailed", step=step) for name in ("detailed", "right")}
        for step in (0, 40)
    )
    [reward], [right] = set(begin["detailed"]), set(begin["right"])
    risen = f"{min(end['detailed']):.2f}–{max(end['detailed']):.2f}"
    assert f"rises from {reward:.2f} to {risen}" in text
    assert f"fall from {of_100(right)} % to {span(end['right'], '–')}." in text


@pytest.mark.parametrize("stage", [stage for stage in stages.STAGES if stage != "base"])
def test_the_story_that_the_readme_proposes_is_understood(stage):
    [story] = re.findall(r'--story "([^"]+)"', (ROOT / "README.md").read_text(encoding="utf-8"))
    chat = Conversation(stages.load, stage)
    chat.tell(WORDS.split(story.lower()))
    for question in ("where is tom ?", "who has the red ball ?"):
        assert chat.ask(question, show=lambda role, text: None).verdict.right
