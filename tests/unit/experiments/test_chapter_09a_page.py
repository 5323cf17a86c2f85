"""Chapter 09a: the numbers that its page says, from its records, its cards and measured again."""

import json
import math
from pathlib import Path
from statistics import mean

import pytest

from course_lib import experiments
from course_lib.data.gpt_history import GPT_1, GPT_3
from course_lib.experiments import chapter_09a
from course_lib.models.gpt_sizes import counted
from course_lib.tasks import python_gpt, town_gpt
from course_lib.tasks.town_gpt import shipping
from course_lib.training import checkpoints
from course_lib.training.recipe import new_model

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "09a_gpt_pretraining.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def column(name, measure, **wanted):
    """What was measured at the last step, one value a seed."""
    record = experiments.load(name)
    return [row[measure] for row in record.at(**{"step": record.steps} | wanted)]


def span(values, form="{:.2f}", between=" to "):
    return f"{form.format(min(values))}{between}{form.format(max(values))}"


def hundredths(values):
    return span([100 * value for value in values], "{:.0f}")


def test_sizes_that_grew(page):
    assert "parameters grew 1,500-fold" in page["history-read"]
    assert counted(GPT_3[-1]) / counted(GPT_1) == pytest.approx(1500, rel=0.01)
    assert GPT_3[-1].context == 4 * GPT_1.context


def test_no_story_is_read_twice(page):
    steps, batch = town_gpt.RECIPE.steps, town_gpt.RECIPE.batch_size
    assert f"{town_gpt.STORIES:,} stories, and {steps} steps of {batch} read none twice" in page["train-text"]
    assert steps * batch < town_gpt.STORIES and town_gpt.RECIPE.weight_decay == 0
    assert town_gpt.RECIPE.optimizer.weight_decay == 0 and town_gpt.RECIPE.schedule.warmup == 20


def test_where_the_recipe_begins_and_what_nobody_beats(page):
    model = new_model(town_gpt.RECIPE)
    loss = town_gpt.next_word_loss(model, next(town_gpt.batches(town_gpt.RECIPE))).item()
    assert f"begins at {loss:.1f}" in page["loss-text"]
    std, D = town_gpt.RECIPE.model.init_std, town_gpt.RECIPE.model.d_model
    assert f"{std} · {D} = {std * D:.1f}" in page["loss-text"]
    told = town_gpt.stories(2000)
    assert f"about {town_gpt.floor(told):.2f} nats a token" in page["train-text"]
    tokens = mean(len(story.english_tokens) + 1 for story in told)
    assert f"about {tokens:.0f} tokens" in page["buys-read"]
    assert "63 · 0.2 = 12.6" in page["buys-read"] and math.exp(12.6) == pytest.approx(300_000, rel=0.02)


def test_a_rise_at_the_beginning(page):
    text = page["loop-text"]
    for name, words in {"no warm-up": "{} without", "40 steps": "{} after 40 steps"}.items():
        assert words.format(span(column("warm-up", "gap", warm_up=name, rate=0.032))) in text
    best = [
        span([min(row["gap"] for row in seed) for seed in by_seed("warm-up", warm_up=name)])
        for name in ("40 steps", "no warm-up")
    ]
    assert f"({best[0]} against {best[1]})" in text
    for rate in (0.002, 0.004):
        without, rise = (
            mean(column("warm-up", "gap", warm_up=n, rate=rate)) for n in ("no warm-up", "40 steps")
        )
        assert without < rise  # "up to a rate of 0.004 it costs a little"


def by_seed(name, **wanted):
    record = experiments.load(name)
    return [record.at(step=record.steps, seed=seed, **wanted) for seed in record.seeds]


def test_what_is_read_with_what(page):
    text = page["draw-text"]
    times = column("document-mask", "times_as_long_1024", way="document mask")
    assert f"at 1,024 tokens {span(times)} times" in text
    assert column("document-mask", "times_as_long_192", way="document mask") == pytest.approx(
        [1] * 3, abs=0.04
    )
    ranked = [
        gap for order in ("by length", "by first word") for gap in column("data-order", "gap", order=order)
    ]
    anew, repeated = (
        column("data-order", "gap", order=order) for order in ("shuffled", "one order, repeated")
    )
    assert f"{span(ranked)}, shuffled anew in each epoch {mean(anew):.2f}." in text
    assert f"a little worse: {span(repeated)}." in text and max(anew) < min(repeated)
    lengths = sorted(len(story.english_tokens) + 1 for story in town_gpt.stories(2000))
    assert "one story in a hundred has more than 110" in text and 110 < lengths[-20] < 120
    short, whole = (column("context-length", "gap", window=window) for window in (16, 192))
    assert f"16 tokens: {span(short)}; 192: {mean(whole):.2f}" in text and max(whole) - min(whole) < 0.01


def test_what_the_last_hundredths_buy(page):
    text, card = page["buys-read"], checkpoints.load_card("town-gpt")
    budgets, ships = chapter_09a.BUDGETS, card["metrics"]
    assert f"{budgets[0]}, {budgets[1]} and {budgets[2]} steps (yours had {town_gpt.RECIPE.steps})" in text
    one, cold = (
        {name: column("gap-buys", name, at=f"temperature {t}") for name in ("gap", "valid", "consistent")}
        for t in ("1", "0.7")
    )
    own = [
        span(one["gap"]),
        *(hundredths(some) for some in (one["valid"], one["consistent"], cold["consistent"])),
    ]
    assert f"| this recipe, {budgets[-1]} steps | {' | '.join(own)} |" in text
    shares = (
        f"{100 * ships[name]:.0f}" for name in ("valid_at_1.0", "consistent_at_1.0", "consistent_at_0.7")
    )
    assert f"| shipped | {ships['gap']:.3f} | {' | '.join(shares)} |" in text
    millions, source = card["steps"] * 32 * 63 / 1e6, f"from {shipping.SHIPPED_STORIES:,} stories"
    assert f"{card['steps']:,}, 32 stories each: {millions:.0f} million tokens, {source}" in text


def test_what_goes_wrong_in_a_story(page):
    """Hardly any mistake is one of grammar; most are about the world that the story has made."""
    shares = chapter_09a.kinds(town_gpt.write(town_gpt.load(), 300, temperature=1.0))
    grammar = shares["no sentence"] + shares["how many sentences"]
    assert (
        max(shares, key=shares.get) == "where" and shares["where"] > shares["other"] > shares["no such thing"]
    )
    assert grammar < sum(shares.values()) / 8 and shares["where"] + shares["other"] > sum(shares.values()) / 2
    assert "where somebody or something is (*where*; " in page["mistakes-read"]


def test_python_that_it_has_not_seen(page):
    text, card = page["python-read"], checkpoints.load_card("python-gpt")
    bits = {
        name: column("python-bits", "bits", model=name)
        for name in ("a minute", "shipped", "5-gram", "bigram")
    }
    assert f"nothing else: {span(bits['a minute'])}" in text and max(bits["a minute"]) < bits["bigram"][0]
    assert f"million tokens: {bits['5-gram'][0]:.2f}" in text and f"has {bits['shipped'][0]:.2f}" in text
    others = ("bigram", "a minute", "zlib", "5-gram", "xz", "xz, after the training modules")
    assert all(bits["shipped"][0] < min(column("python-bits", "bits", model=name)) for name in others)
    assert all(
        max(bits["a minute"]) > column("python-bits", "bits", model=name)[0] for name in ("zlib", "5-gram")
    )
    assert f"all {card['library']['training_tokens'] / 1e6:.1f} million tokens" in text
    size = sum(p.numel() for p in python_gpt.load().parameters())
    assert f"{size / 1e6:.2f} million parameters, {card['steps']:,} steps" in text
    assert f"({python_gpt.RECIPE.steps} steps)" in text
    assert f"{card['library']['kept_away_modules']} modules kept away" in page["python-text"]
    bytes_a_token = card["library"]["kept_away_bytes"] / len(python_gpt.stream("kept away"))
    assert f"{bytes_a_token:.1f} bytes a token" in text


def test_what_python_says_of_what_is_written(page):
    text = page["python-read-2"]
    ships = {
        name: column("python-bits", name, model="shipped") for name in ("parses", "cut", "wrong", "match")
    }
    assert f"{hundredths(ships['parses'])} of 100 parse, {hundredths(ships['cut'])} are cut" in text
    assert f"{hundredths(ships['wrong'])} are wrong" in text
    for name, words in {"a minute": "After a minute {} parse", "5-gram": "from the 5-gram {}."}.items():
        assert words.format(hundredths(column("python-bits", "parses", model=name))) in text
    library = {name: column("python-bits", name, model="the library") for name in ("match", "longest_match")}
    longest = max(column("python-bits", "longest_match", model="shipped"))
    assert f"in the median {span(ships['match'], '{:.0f}')} characters, at most {longest:.0f}." in text
    assert f"have {span(library['match'], '{:.0f}')}, at most {max(library['longest_match']):.0f}." in text
    assert f"({span(column('python-bits', 'match', model='5-gram'), '{:.0f}')})" in text


def test_what_the_readme_says():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    ships = checkpoints.load_card("town-gpt")["metrics"]
    last = {"at": "temperature 1"}
    gap, can_happen = (column("gap-buys", name, **last) for name in ("gap", "consistent"))
    assert f"400 steps, about a minute | {span(gap)} | {hundredths(can_happen)} |" in text
    colder = f"(drawn at temperature 0.7: {100 * ships['consistent_at_0.7']:.0f})"
    assert f"shipped one | {ships['gap']:.3f} | {100 * ships['consistent_at_1.0']:.0f} {colder} |" in text
    assert f"- {100 * ships['valid_at_1.0']:.0f} of 100 stories of the shipped one are made of" in text
    bits = [
        column("python-bits", "bits", model=name)[0]
        for name in ("shipped", "5-gram", "xz, after the training modules")
    ]
    assert f"takes {bits[0]:.2f} bits" in text and f"a 5-gram takes {bits[1]:.2f}, and" in text
    assert f"training text, {bits[2]:.2f}." in text
    parses = [hundredths(column("python-bits", "parses", model=name)) for name in ("shipped", "the library")]
    assert (
        f"Of its blocks of eight lines, {parses[0]} of 100 parse" in text
        and f"(the library's own: {parses[1]})" in text
    )
    plain, fast = (column("speed", "loss", variant=name) for name in ("plain", "fast"))
    assert f"ends at {span(plain)} nats a character, another one at {span(fast)}" in text
