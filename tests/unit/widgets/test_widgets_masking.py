"""MlmCorruptor and FillIn without a browser; their scripts do what Python does where Node can run them."""

import json
import random
import shutil
import subprocess
from functools import partial

import numpy as np
import pytest
import torch

from course_lib.data import town
from course_lib.models.bert import BertConfig
from course_lib.tasks import fill_in
from course_lib.text.segments import MASK, MASK_ID, join
from course_lib.training import masked_words
from course_lib.widgets import FillIn, MlmCorruptor
from course_lib.widgets.front import BROWSER
from course_lib.widgets.town_rows import MOST_CHARACTERS, VOCABULARY, WORDS, row_of

FIRST, SECOND = "Anna is at the farm, quince.", "she sees tom ."


def browser_sends(widget, **state) -> None:
    """What arrives when the browser has changed these traits, in one message."""
    widget.set_state(state)


# ---------------------------------------------------------------- the row


def test_the_words_are_those_of_the_task():
    assert WORDS.fingerprint == fill_in.WORDS.fingerprint
    assert [WORDS.ids[word] for word in VOCABULARY] == list(fill_in.WORDS.words)


def test_a_row_has_its_special_tokens_and_keeps_what_it_refuses():
    row = row_of(FIRST, SECOND)
    first, second = (WORDS.encode(town.tokenise(text)) for text in (FIRST, SECOND))
    assert row.ids == join(first, second).ids and row.n_first == 8
    assert row.typed[:2] == ["[CLS]", "anna"] and row.typed[7:10] == ["quince", ".", "[SEP]"]
    assert row.refused == ["quince"] and row.tokens[7] == "[UNK]"
    assert [i for i, word in enumerate(row.is_word) if not word] == [0, 7, 9, 14]
    assert row_of("", " ").tokens == ["[CLS]", "[SEP]"]


def test_a_text_makes_no_special_token_but_a_blank_where_it_may():
    assert row_of("[MASK] sees tom").refused == ["[", "mask", "]"]
    row = row_of("[mask] sees [MASK]", "[MASK]", blanks=True)
    assert row.ids == join([MASK_ID, *WORDS.encode("sees"), MASK_ID], [MASK_ID]).ids
    assert row.typed == row.tokens and not row.refused
    assert row_of("[SEP]", blanks=True).refused == ["[", "sep", "]"]


# ---------------------------------------------------------------- MlmCorruptor


def test_the_corruptor_does_what_training_does():
    view = MlmCorruptor(FIRST, SECOND, chosen=0.5)
    ids = torch.tensor([view.row.ids])
    counted = {kind: dict.fromkeys(masked_words.DONE, 0) for kind in ("word", "special")}
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        expected = masked_words.corrupt(ids, MASK_ID, WORDS.words, generator, chosen=0.5)
        found = view.hidden(seed)
        assert [found.ids, found.labels, found.done] == [part[0].tolist() for part in expected]
        for kind, done in masked_words.count(ids, expected.done, {4: "a", 5: "b", 3: "c"}).items():
            for name, n in done.items():
                counted["word" if kind == "word" else "special"][name] += n
    view.seed, view.n_throws = 39, 40
    assert view.counts() == counted and counted["special"]["untouched"] == 4 * 40
    expected = masked_words.expected(11 * 40, chosen=0.5)
    assert counted["word"]["masked"] == pytest.approx(expected["masked"], rel=0.2)


def test_it_begins_at_a_chosen_word_and_stays_inside():
    view = MlmCorruptor(seed=2, chosen=1)
    assert view.token == 1 and MlmCorruptor(chosen=0).token == 1
    assert view.start["seed"] == 2 and view.start["n_throws"] == 1 and view.start["chosen"] == 1
    view.token = 13
    view.first = "tom"
    assert view.token == 2
    browser_sends(view, first="tom sees anna", token=90)
    assert (view.first, view.token) == ("tom sees anna", 4)
    browser_sends(view, seed=102, n_throws=101)
    assert (view.seed, view.n_throws) == (102, 101)
    view.seed = 5
    assert view.n_throws == 6
    browser_sends(view, masked=0.05, replaced=0.95)
    assert (view.masked, view.replaced) == (0.05, 0.95)
    view.first = ""
    assert view.hidden().ids == [4, 5] and view.still().alt.endswith("In the loss: nothing.")


def test_what_the_corruptor_refuses():
    for wrong, message in (
        ({"chosen": 15}, "chosen is 15.0, expected a share from 0 to 1"),
        ({"masked": 0.95}, r"masked \+ replaced is 1.05, expected at most 1"),
        ({"seed": -1}, "seed is -1, expected 0 to"),
        ({"second": "a" * 161}, "second has 161 characters, expected at most 160"),
        ({"first": "a\ud83d"}, "first holds half of a character"),
    ):
        with pytest.raises(ValueError, match=message):
            MlmCorruptor(**{"first": "tom", **wrong})
    view = MlmCorruptor("tom", seed=3)
    with pytest.raises(ValueError, match="n_throws is 5, expected 1 to 4"):
        view.n_throws = 5
    with pytest.raises(ValueError, match="token is 3, expected a place from 0 to 2"):
        view.token = 3
    with pytest.raises(ValueError, match="expected at most 1"):
        view.replaced = 0.4
    assert (view.replaced, view.n_throws) == (0.1, 1)


# ---------------------------------------------------------------- FillIn


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return BertConfig(len(WORDS), d_model=16, n_heads=2, n_layers=1, d_ff=16, max_len=128).build()


def neighbours(ids):
    return fill_in.guesses("both neighbours", ids, 20)


def test_fill_in_shows_what_the_model_says(model):
    view = FillIn(partial(fill_in.fill, model), "tom is old", SECOND, hidden=[5, 3], beside=neighbours)
    assert view.hidden == [3, 5] and view.message == "" and view.beside == "from the two neighbours alone"
    assert view.reads() == ["[CLS]", "tom", "is", MASK, "[SEP]", MASK, "sees", "tom", ".", "[SEP]"]
    found = fill_in.fill(model, "tom is [MASK]", "[MASK] sees tom .").probabilities.numpy()
    other = neighbours([[WORDS.ids[token] for token in view.reads()]]).numpy()
    for n, (blank, sent) in enumerate(zip(view.blanks, view.said, strict=True)):
        truth = WORDS.ids[("old", "she")[n]]
        assert blank.place == (3, 5)[n] and sent["truth"] == ("old", "she")[n]
        assert blank.words[0] == WORDS.tokens[found[n].argmax()]
        assert blank.probability == pytest.approx(found[n, truth]) and sent["rank"] == blank.rank
        assert blank.rank == 1 + (found[n] > found[n, truth]).sum()
        bars = sent["bars"]
        assert len(bars) == 6 and sum(bar["truth"] for bar in bars) == 1
        for bar in bars:
            word = WORDS.ids[bar["word"]]
            assert bar["probability"] == pytest.approx(found[n, word])
            assert bar["beside"] == pytest.approx(other[n, word])
            assert bar["rank"] == 1 + (found[n] > found[n, word]).sum()
    assert "At place 3: " in view.still().alt and "(from the two neighbours alone: " in view.still().alt


def test_fill_in_answers_once_a_message_and_says_what_it_cannot_read(model):
    asked = []

    def fill(first, second):
        asked.append((first, second))
        return fill_in.fill(model, first, second)

    view = FillIn(fill, "tom is old", "")
    assert asked == [] and view.said == [] and view.still().alt.endswith("No blank.")
    browser_sends(view, first="anna is old", hidden=[1])
    assert asked == [("[MASK] is old", None)] and view.said[0]["truth"] == "anna"
    assert view.answered == {"first": "anna is old", "second": "", "hidden": [1]}
    view.first = "anna is a quince"
    assert view.message == "Tiny Town does not know quince" and view.said == [] and len(asked) == 1
    view.first = "[MASK] is"
    assert asked[-1] == ("[MASK] is", None) and view.hidden == []
    assert view.said[0]["truth"] is None and not any(bar["truth"] for bar in view.said[0]["bars"])
    view.hidden = [2]
    view.second = "tom"
    assert asked[-1] == ("[MASK] [MASK]", "tom") and len(view.said) == 2
    browser_sends(view, first="is", second="", hidden=[1, 2, 7])
    assert view.hidden == [1]
    view.first = ""
    assert view.hidden == [] and view.said == []


def test_what_fill_in_refuses(model):
    fill = partial(fill_in.fill, model)
    with pytest.raises(ValueError, match="hidden holds 0, expected places of words: 1 tom, 2 is"):
        FillIn(fill, "tom is", "", hidden=[0])
    with pytest.raises(ValueError, match="first has 161 characters"):
        FillIn(fill, "a" * (MOST_CHARACTERS + 1))
    view = FillIn(lambda first, second: 1 / 0, "tom is", "", hidden=[1])
    assert view.message == "The model stopped with ZeroDivisionError: division by zero"
    small = FillIn(
        lambda first, second: (["[CLS]", MASK, "[SEP]"], [1], np.ones((1, 5))), "tom", "", hidden=[1]
    )
    assert small.message.startswith("fill gave probabilities of shape (1, 5), expected (1, 133)")
    other = FillIn(lambda first, second: (["tom"], [0], np.ones((1, 133))), "tom", "", hidden=[1])
    assert other.message == "the texts are too long for the model: it reads a shorter row"
    wrong = FillIn(fill, "tom", "", hidden=[1], beside=lambda ids: np.ones((2, 133)))
    assert wrong.message.startswith("beside gave probabilities of shape (2, 133)")


# ---------------------------------------------------------------- the scripts

NODE = shutil.which("node")
ASK = """
const element = () => null, LONGEST = 18, isolated = (token) => token, labelOf = (token) => token;
const asked = JSON.parse(require("fs").readFileSync(0, "utf8")), known = new Set(asked.words);
const rowOf = ([first, second, blanks]) => townRow(first, second, known, blanks);
console.log(JSON.stringify({
  rows: asked.texts.map((text) => rowOf(text).map(({ typed, token, isWord }) => [typed, token, isWord])),
  thrown: asked.throws.map(([seed, isWord, shares]) => {
    const throws = throwFor(seed, isWord.length, asked.words.length);
    return [throws.drawn, decide(throws, isWord, shares)];
  }),
  counts: countThrows(3, 60, asked.throws[1][1], asked.words.length, asked.throws[1][2]),
  balanced: asked.shares.map(([before, name, value]) => balanced(before, name, value)),
  moved: asked.moves.map(([hidden, before, after]) => movedPlaces(hidden, rowOf(before), rowOf(after))),
}));
"""
SIGNS = [
    *(
        "a",
        "tom",
        "l'",
        "’",
        "'",
        " ",
        "  ",
        "\t",
        ".",
        ",",
        "İ",
        "É",
        "ß",
        "猫",
        "Ⅷ",
        "²",
        "٣",
        "7",
        "_",
        "Σ",
    ),
    *("\u0301", "\u200d", "\x1c", "\u0085", "\ufeff", "👍", "[MASK]", "[mask]", "[", "aujourd'hui"),
]


def drawn_texts() -> list[list]:
    draw = random.Random(0)
    texts = ["".join(draw.choices(SIGNS, k=draw.randrange(12))) for _ in range(600)]
    return [[a, b, i % 2 == 0] for i, (a, b) in enumerate(zip(texts, reversed(texts), strict=True))]


@pytest.fixture(scope="module")
def answers() -> dict:
    if NODE is None:
        pytest.skip("without Node the scripts run in the browser tests only")
    draw = random.Random(1)
    is_word = row_of(FIRST, SECOND).is_word
    shares = [{"chosen": draw.random(), "masked": 0.8 * draw.random(), "replaced": 0.2 * draw.random()}
              for _ in range(100)]  # fmt: skip
    asked = {
        "words": VOCABULARY,
        "texts": drawn_texts(),
        "throws": [[seed, is_word * (1 + 99 * (seed == 0)), one] for seed, one in enumerate(shares)],
        "shares": [
            [{"masked": 80, "replaced": 10, "kept": 10}, "masked", 95],
            [{"masked": 80, "replaced": 10, "kept": 10}, "masked", 20],
            [{"masked": 80, "replaced": 10, "kept": 10}, "replaced", 50],
            [{"masked": 80, "replaced": 10, "kept": 10}, "kept", 100],
            [{"masked": 0, "replaced": 0, "kept": 100}, "kept", 30],
        ],
        "moves": [
            [[1, 3], ["tom is old", "", True], ["tom is very old", "", True]],
            [[1, 3], ["tom is old", "", True], ["anna is old", "", True]],
            [[1, 3, 5], ["tom is old", "he sees", True], ["tom is", "he sees", True]],
            [[1], ["tom", "", True], ["", "", True]],
            [[2], ["tom is", "", True], ["tom isx", "", True]],
        ],
    }
    parts = ("town/words", "mlm_corruptor/dice", "fill_in/places")
    source = "\n".join((BROWSER / f"{part}.js").read_text("utf-8") for part in parts) + ASK
    done = subprocess.run(
        [NODE, "-e", source], input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "asked": asked}


def test_the_browser_cuts_texts_as_python(answers):
    for (first, second, blanks), row in zip(drawn_texts(), answers["rows"], strict=True):
        python = row_of(first, second, blanks=blanks)
        expected = list(map(list, zip(python.typed, python.tokens, python.is_word, strict=True)))
        assert row == expected, (first, second, blanks)


def test_the_browser_throws_as_python(answers):
    """And Python throws as training does."""
    for (seed, is_word, shares), (drawn, done) in zip(
        answers["asked"]["throws"], answers["thrown"], strict=True
    ):
        python = MlmCorruptor(FIRST, SECOND, seed=seed, **shares)
        if len(is_word) == len(python.row.ids):
            assert drawn == python.throws().drawn.tolist() and done == python.hidden().done, seed
        words = torch.where(torch.tensor([is_word]), 9, 4)
        generator = torch.Generator().manual_seed(seed)
        expected = masked_words.corrupt(words, MASK_ID, WORDS.words, generator, **shares)
        assert done == expected.done[0].tolist(), seed
    assert len(answers["thrown"][0][0]) == 1500, "more throws than one round of the generator makes"


def test_the_browser_counts_as_python(answers):
    _, _, shares = answers["asked"]["throws"][1]
    view = MlmCorruptor(FIRST, SECOND, seed=60, **shares)
    view.n_throws = 58
    assert answers["counts"] == {kind: list(done.values()) for kind, done in view.counts().items()}


def test_three_shares_stay_100(answers):
    assert answers["balanced"] == [
        {"masked": 95, "replaced": 5, "kept": 0},
        {"masked": 20, "replaced": 10, "kept": 70},
        {"replaced": 50, "masked": 50, "kept": 0},
        {"kept": 100, "replaced": 0, "masked": 0},
        {"kept": 30, "replaced": 0, "masked": 70},
    ]


def test_hidden_words_move_with_the_text(answers):
    assert answers["moved"] == [[1, 4], [3], [1, 4], [], []]
