"""Chapter 08: the numbers that its page and the README say, from its records and measured again."""

import json
from pathlib import Path

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_08
from course_lib.models.bert import parameter_count
from course_lib.tasks import entailment, fill_in
from course_lib.tasks.fill_in import WORDS
from course_lib.text.segments import MASK_ID
from course_lib.training import checkpoints

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "08_bert_mlm.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


@pytest.fixture(scope="module")
def shipped():
    return fill_in.load()


def column(name, measure, **wanted):
    """What was measured at the last step, one value a seed."""
    record = experiments.load(name)
    return [row[measure] for row in record.at(step=record.steps, **wanted)]


def hundredths(values, between=" to "):
    return f"{100 * min(values):.0f}{between}{100 * max(values):.0f}"


# ---------------------------------------------------------------- filling


def test_what_the_recipe_of_the_page_learns(page):
    text = page["kinds-read"]
    own = {kind: column("hidden-words", kind, variant="as BERT") for kind in ("accuracy", "pronoun", "name")}
    for kind, words in {
        "accuracy": "any word {} of 100",
        "pronoun": "*he* or *she* {}",
        "name": "which name {}",
    }.items():
        assert words.format(hundredths(own[kind])) in text
    blanks = fill_in.held_out(500)
    bigram, both = (fill_in.baseline(kind, blanks).accuracy for kind in ("bigram", "both neighbours"))
    assert bigram < both < min(own["accuracy"])


def test_what_the_shipped_one_has_learned(page, shipped):
    text, where = page["kinds-read"], fill_in.places(shipped)
    assert f"*not* the place named last, it has {100 * where.place_elsewhere:.0f} of 100 right" in text
    assert where.place > where.place_nearest + 0.1
    told = fill_in.pronouns(shipped, fill_in.stories(500))
    assert abs(told.pronoun - told.pronoun_nearest) < 0.01 and told.name < told.name_nearest - 0.02
    small, large = (
        sum(parameter_count(recipe.model).values()) for recipe in (fill_in.RECIPE, fill_in.SHIPPED)
    )
    assert f"{small / 1000:.0f} thousand parameters and {fill_in.RECIPE.steps} steps" in text
    assert f"the shipped one {large / 1e6:.1f} million and {fill_in.SHIPPED.steps:,}" in text
    card = checkpoints.load_card(fill_in.shipping.NAME)
    pairs = f"has {100 * card['metrics']['next_accuracy']:.0f} of 100 held-out pairs right"
    assert pairs in page["loop-text"] and card["steps"] == fill_in.SHIPPED.steps


def test_the_three_blanks_of_the_door(page, shipped):
    said = fill_in.fill(shipped, "anna goes to the market . she [MASK] to the station .",
                        "[MASK] is not at the hotel . anna is at the [MASK] .")  # fmt: skip
    assert [WORDS.tokens[i] for i in said.probabilities.argmax(-1)] == ["goes", "she", "station"]
    assert said.places == [8, 14, 25] and "hidden=[8, 14, 25]" in page["door"] and page["own"]
    ids = [[MASK_ID if n in said.places else WORDS.ids[t] for n, t in enumerate(said.tokens)]]
    counted = fill_in.guesses("both neighbours", ids)
    assert counted[0, WORDS.ids["goes"]] > 0.95 and counted[1:].max() < 0.4


def test_the_first_loss_and_the_lines(page):
    assert len(WORDS) == 133 and "ln 133 = 4.9" in page["curve-read"]
    losses = {kind: fill_in.baseline(kind, fill_in.held_out(200)).loss for kind in fill_in.BASELINES}
    assert losses["unigram"] > losses["bigram"] > losses["both neighbours"] > 1.2
    early = experiments.load("hidden-words").at(step=100, variant="as BERT")
    assert all(losses["bigram"] < row["loss"] < losses["unigram"] for row in early)


# ---------------------------------------------------------------- what is hidden, what is asked


def test_shares_and_nsp(page):
    text = page["hidden-read"]
    of = {name: column("hidden-words", "pronoun", variant=name) for name in
          ("as BERT", "5 % chosen", "40 % chosen", "without NSP")}  # fmt: skip
    words = {name: column("hidden-words", "accuracy", variant=name) for name in of}
    assert f"a lottery ({hundredths(of['40 % chosen'])})" in text
    assert max(of["5 % chosen"]) < 0.57 and "nothing is known of pronouns" in text
    assert (
        min(words["40 % chosen"]) < min(words["as BERT"]) < max(words["as BERT"]) < max(words["40 % chosen"])
    )
    assert min(of["without NSP"]) > max(of["as BERT"])
    assert f"*he* or *she* {hundredths(of['without NSP'])}" in text
    follows = column("hidden-words", "follows", variant="as BERT")
    assert f"three seeds have {hundredths(follows)} of 100 right" in page["curve-read"] and max(follows) < 0.6


def test_always_mask(page):
    text = page["table8"]
    for way, words in {
        "frozen": "{} of 100 frozen (as BERT: {})",
        "fine-tuned": "{} fine-tuned ({})",
    }.items():
        always, as_bert = (column("hidden-words", way, variant=name) for name in ("always [MASK]", "as BERT"))
        assert max(always) < min(as_bert)
        assert words.format(hundredths(always), hundredths(as_bert)) in text


PAPERS = {  # Devlin et al. 2019, table 8: MNLI fine-tuned, NER fine-tuned, NER frozen
    "80 / 10 / 10": (84.2, 95.4, 94.9),
    "100 / 0 / 0": (84.3, 94.9, 94.0),
}


def test_the_papers_table(page):
    lines = [line.strip("| ").split(" | ") for line in page["table8"].splitlines() if line.startswith("|")][
        2:
    ]
    assert {name: tuple(map(float, rest)) for name, *rest in lines} == PAPERS
    for figure in (
        "84.4 → 83.9",
        "84.0 → 84.7",
        "have 82.9",
    ):  # Devlin, table 5; Liu et al. 2019, table 2, twice
        assert figure in page["hidden-read"]


# ---------------------------------------------------------------- labels


def test_head_first_then_all(page):
    text = page["labels-read"]
    of = {
        n: {way: column("reference-labels", "accuracy", labels=n, way=way) for way in chapter_08.WAYS}
        for n in chapter_08.LABELLED
    }
    few, more = of[16], of[64]
    assert f"head first {hundredths(few['head first'])} of 100" in text
    assert f"frozen {hundredths(few['frozen'])}, a random start {hundredths(few['random start'])}." in text
    assert f"random start: {hundredths(few['fine-tuned'])}, with 64 stories" in text
    assert f"stories {hundredths(more['fine-tuned'])} against {hundredths(more['random start'])}." in text
    assert sum(more["fine-tuned"]) < sum(more["random start"])
    assert min(few["head first"]) > max(few["frozen"]) > max(few["fine-tuned"])
    assert min(more["head first"]) > max(more["random start"])
    start, tuned = (
        {n: [x for way in ways for x in of[n][way]] for n in (256, 1024)}
        for ways in (("random start",), ("fine-tuned", "head first"))
    )
    assert f"pre-training leads by little ({hundredths(tuned[256])}, {hundredths(start[256])})" in text
    assert all(min(tuned[n]) > max(start[n]) and max(tuned[n]) - min(start[n]) < 0.05 for n in start)
    claim = (
        f"16 stories, {hundredths(few['head first'])} of 100 against {hundredths(few['random start'])}; "
        f"from 256 on, little: {hundredths(tuned[256])} against {hundredths(start[256])}."
    )
    assert claim in page["claims"]
    assert f"Frozen ends behind ({sum(of[1024]['frozen']) / 3:.0%})".replace("%", "") in text


def test_entailment_pays(page):
    text = page["entailment-read"]

    def seeds(n, of):
        return column("entailment-labels", "all", labels=n, of=of)

    tuned, start = seeds(256, "fine-tuned, C"), seeds(4096, "random start, C")
    assert 4096 == 16 * 256 and min(tuned) > max(start)
    assert f"with 256 labels it has {hundredths(tuned)} of 100" in text
    assert f"sixteen times as many, {hundredths(start)}." in text
    assert f"with 4,096 labels {hundredths(seeds(4096, 'fine-tuned, C'))}.)" in text
    frozen = {vector: seeds(1024, f"frozen, {vector}") for vector in ("C", "pooler", "mean")}
    ahead, behind = hundredths(frozen["C"]), hundredths(frozen["pooler"])
    assert f"frozen: C ({ahead}) is ahead of the pooler ({behind})" in text
    assert min(frozen["C"]) > max(frozen["mean"]) > max(frozen["pooler"])
    assert f"the mean has {hundredths(frozen['mean'])}." in text
    level = [x for vector in frozen for x in seeds(1024, f"fine-tuned, {vector}")]
    means = [sum(seeds(1024, f"fine-tuned, {vector}")) / 3 for vector in frozen]
    assert f"all three are level, {hundredths(level)}." in text and max(means) - min(means) < 0.02
    for n in (64, 256, 1024, 4096):
        assert min(seeds(n, "frozen, C")) > max(seeds(n, "random start, C"))
    claim = entailment.examples(3)
    assert {one.answer for one in claim} == set(entailment.ANSWERS) and len({one.claim for one in claim}) == 1


# ---------------------------------------------------------------- writing


def test_what_is_written_makes_sense(page, shipped):
    text = page["write-read"]
    of = {
        way: column("bert-writes", "consistent", way=way)
        for way in (f"{who}, {o}" for who in ("this recipe", "shipped") for o in chapter_08.WRITTEN)
    }
    left, certain, refilled = (of[f"this recipe, {order}"] for order in chapter_08.WRITTEN)
    assert f"has {hundredths(left)} of 100 left to right" in text
    assert f"{hundredths(certain)} most certain first, {hundredths(refilled)} refilled." in text
    assert max(left) < min(certain) and max(left) < min(refilled)
    one = [x for order in chapter_08.WRITTEN for x in of[f"shipped, {order}"]]
    assert f"Shipped has {hundredths(one)}." in text and min(one) > max(certain + refilled)
    record = experiments.load("encoder-writes")
    at_end = record.at(step=record.steps)
    as_bert, any_share = (
        max(row["consistent"] for row in at_end if row["blanks"] == blanks)
        for blanks in ("15 %", "any share")
    )
    most = f'{100 * as_bert:.0f} (trained on "any share": {100 * any_share:.0f})'
    assert f"Chapter 06's encoder has at most {most}; its decoder" in text
    decoder = [row["consistent"] for row in at_end if row["way"] == "decoder-only"]
    assert f"size, {hundredths(decoder)}, and" in text and max(one) < min(decoder)
    row = fill_in.fill(shipped, "anna is at the farm . [MASK]")
    assert row.probabilities[0, : WORDS.words[0]].sum() < 1e-3  # no special token is ever said


def test_every_text_ends_with_what_is_true_and_a_few_are_left_out(page):
    known = fill_in.documents(fill_in.STORIES, fill_in.TRAINING_SEED)
    verbs = {WORDS.tokens[text[-1][1]] for text in known}
    assert verbs == {"is", "has"} and "never with a move" in page["loop-text"]
    assert f"but {fill_in.STORIES - len(known)} have nothing to say again" in page["pairs-read"]


def test_the_readme_says_the_same(shipped):
    own = column("hidden-words", "accuracy", variant="as BERT")
    card = checkpoints.load_card(fill_in.shipping.NAME)
    assert f"fills {hundredths(own)} of 100 hidden words" in README
    assert f"fills {100 * card['metrics']['masked_accuracy']:.0f}. It says" in README
    n_parameters = sum(parameter_count(fill_in.RECIPE.model).values())
    assert f"({n_parameters / 1000:.0f} thousand parameters, {fill_in.RECIPE.steps} steps" in README
    assert f"({sum(parameter_count(fill_in.SHIPPED.model).values()) / 1e6:.1f} million parameters)" in README
    where = fill_in.places(shipped)
    assert f"in {100 * where.place:.0f} of 100 cases" in README
    assert f"to name the last place gives {100 * where.place_nearest:.0f}." in README
    for n in (500, 1000):
        both = fill_in.baseline("both neighbours", fill_in.held_out(n)).accuracy
        assert f"{100 * both:.0f}" in README
    always, off = (
        column("hidden-words", "pronoun", variant=name) for name in ("always [MASK]", "without NSP")
    )
    usual = column("hidden-words", "pronoun", variant="as BERT")
    assert max(always) < min(usual) and max(usual) < min(off)
    for n, of in ((256, "fine-tuned, C"), (4096, "random start, C")):
        claims = column("entailment-labels", "all", labels=n, of=of)
        assert f"{n:,} labels" in README and hundredths(claims) in README
    few = {
        way: column("reference-labels", "accuracy", labels=16, way=way)
        for way in ("head first", "fine-tuned")
    }
    assert (
        f"head first {hundredths(few['head first'])}, all at once {hundredths(few['fine-tuned'])}" in README
    )
