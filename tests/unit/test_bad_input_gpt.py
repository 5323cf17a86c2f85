"""What a GPT does with odd input: it goes on as documented, or an error names the argument.

Beside this file: `generation/test_filters.py` and `test_cache.py` (one step, and its settings),
`data/test_own_text.py` (files), `training/test_training_interrupted.py` (a real interrupt, a real kernel).
"""

import math
import signal

import pytest
import torch

from course_lib.generation import sample
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import python_gpt, town_gpt
from course_lib.tasks.python_gpt import library
from course_lib.text.bpe import train_bpe
from course_lib.text.tokenizers import UNK_ID, CharacterTokenizer
from course_lib.training.loop import train
from course_lib.training.objectives import shift, token_loss
from course_lib.training.recipe import new_model, vary
from course_lib.widgets import LiveLoss

V, WINDOW = 40, 8
GPT = GPTConfig(V, d_model=8, n_heads=2, n_layers=1, max_len=WINDOW)
LONG = torch.arange(4, 4 + 3 * WINDOW)[None] % V  # (1, T): three windows
TOWN = vary(town_gpt.RECIPE, d_model=8, n_heads=2, n_layers=1)


@pytest.fixture(scope="module")
def gpt():
    torch.manual_seed(0)
    return GPT.build().eval()


@pytest.fixture(scope="module")
def storyteller():
    return new_model(TOWN).eval()


# ---------------------------------------------------------------- longer than the window


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_context_longer_than_the_model_is_refused_where_it_is_read_and_cut_where_it_is_written(positions):
    torch.manual_seed(0)
    gpt = vary(vary(town_gpt.RECIPE, model=GPT), positions=positions).model.build().eval()
    with pytest.raises(ValueError, match=r"ids has 24 positions, expected at most max_len \(8\)"):
        gpt(LONG)
    written = sample(gpt, LONG, 20, temperature=0, stop_ids=())
    assert written.shape == (1, LONG.shape[1] + 20)  # context length is no limit on new tokens
    short = sample(gpt, LONG[:, -WINDOW:], 20, temperature=0, stop_ids=())
    assert torch.equal(written[:, -20:], short[:, -20:])  # what lies before the window changes nothing


def test_a_story_that_has_no_room_left_is_refused(storyteller):
    longest = " ".join(["the"] * (storyteller.config.max_len - 2))
    (story,) = town_gpt.write(storyteller, 1, start=longest)
    assert story[:190] == longest.split() and len(story) <= 191  # one word more, or [EOS] at once
    with pytest.raises(ValueError, match="start has 191 tokens, expected at most 190"):
        town_gpt.write(storyteller, 1, start=longest + " the")


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"top_p": 0}, "top_p is 0, expected above 0 and at most 1"),
        ({"top_p": -1}, "top_p is -1"),
        ({"top_p": 2}, "top_p is 2"),
        ({"top_p": math.nan}, "top_p is nan"),
        ({"top_k": 0}, "top_k is 0, expected a whole number of at least 1"),
        ({"top_k": -1}, "top_k is -1"),
        ({"top_k": 2.5}, r"top_k is 2\.5"),
        ({"temperature": -1}, "temperature is -1, expected 0 or more"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
    ],
)
def test_settings_without_a_meaning_are_named_before_anything_is_written(gpt, asked, words):
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    with pytest.raises(ValueError, match=words):
        sample(gpt, LONG, **{"max_new_tokens": 3} | asked, generator=generator)
    assert torch.equal(generator.get_state(), before)


def test_temperature_0_is_greedy_and_needs_no_luck(gpt):
    first = sample(gpt, LONG, 12, temperature=0, stop_ids=())
    again = sample(gpt, LONG, 12, temperature=0, stop_ids=(), generator=torch.Generator().manual_seed(7))
    alone = sample(gpt, LONG, 12, top_k=1, stop_ids=(), generator=torch.Generator().manual_seed(8))
    assert torch.equal(first, again) and torch.equal(first, alone)
    row = LONG
    for _ in range(12):
        row = torch.cat([row, gpt(row[:, -WINDOW:])[0][:, -1:].argmax(-1)], dim=1)
    assert torch.equal(first, row)


# ---------------------------------------------------------------- prompts and characters


def test_an_empty_prompt_is_named_or_is_the_beginning_of_a_text(gpt, storyteller):
    with pytest.raises(ValueError, match=r"prompt has shape \(1, 0\).*\[BOS\] is a prompt too"):
        sample(gpt, torch.empty(1, 0, dtype=torch.long), 3)
    assert town_gpt.write(storyteller, 2, start="") == town_gpt.write(storyteller, 2, start="  \n")
    with pytest.raises(ValueError, match="start is empty, expected at least one character"):
        python_gpt.go_on(gpt, "")
    for asked, words in (({"n": 0}, "n is 0"), ({"batch_size": 0}, "batch_size is 0")):
        with pytest.raises(ValueError, match=words):
            town_gpt.write(storyteller, **{"n": 1} | asked)


STRANGE = ("é", "漢", "🐈", "\u0301", "\0", "\ud800", "\r", "\u2028", "[END]", "\x7f")


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_unknown_characters_have_a_meaning_for_every_tokenizer(storyteller, text):
    """Characters: [UNK]. Words of the Town: an error that shows the word. Bytes: nothing is unknown."""
    letters = CharacterTokenizer("abc ")
    assert letters.encode("a" + text) == [letters.ids["a"], *[UNK_ID] * len(text)]
    if text.strip():
        with pytest.raises(ValueError, match=r"start holds .* a word that Tiny Town does not know"):
            town_gpt.write(storyteller, 1, start=text)
    bpe = train_bpe("abcabc", 260, ["[END]"])
    if text == "\ud800":  # half of a character: no text file holds it
        with pytest.raises(ValueError):
            bpe.encode(text)
    else:
        ids = bpe.encode(text)
        assert bpe.decode(ids) == text and bpe.special["[END]"] not in ids


# ---------------------------------------------------------------- too little text


@pytest.mark.parametrize("n", [0, 1, 8 * 4, 8 * 4 + 1])
def test_a_text_too_short_for_one_batch_is_named(n):
    """An empty file, a file of one line: the error says how many tokens a batch takes."""
    recipe = vary(python_gpt.RECIPE, max_len=8, batch_size=4)
    ids = torch.zeros(n, dtype=torch.int32)
    generator = torch.Generator().manual_seed(0)
    if n == 8 * 4 + 1:
        assert [len(batch) for batch in library.blocks(ids, recipe, generator)] == [4]
        return
    with pytest.raises(ValueError, match=rf"ids has {n} tokens, expected at least 33: 4 blocks of 8"):
        next(library.blocks(ids, recipe, generator))


# ---------------------------------------------------------------- an interrupt, and the curve


def test_an_interrupt_keeps_the_gpt_and_draws_the_finished_curve(capsys):
    gpt, live = GPT.build(), LiveLoss(1_000, floor=0.5, baselines={"ln V": math.log(V)})
    before = gpt.token_embedding.weight.clone()

    def step(n, loss):
        live(n, loss)
        if n == 5:
            signal.raise_signal(signal.SIGINT)

    step.finish = live.finish

    def loss_of(model, ids):
        inputs, labels = shift(ids, pad_id=None)
        return token_loss(model(inputs)[0], labels)

    history = train(gpt, iter(lambda: LONG[:, : WINDOW + 1], None), loss_of, steps=1_000, on_step=step)
    assert history.interrupted and history.steps == 5 and not gpt.training
    assert not torch.equal(before, gpt.token_embedding.weight)
    assert sample(gpt, LONG, 3).shape == (1, LONG.shape[1] + 3)
    assert live.state == "stopped" and "stopped at step 5 of 1000" in live.still().alt
    assert "stopped by you after 5 steps" in capsys.readouterr().out
    with pytest.raises(ValueError, match="total_steps is 0"):
        LiveLoss(0)
