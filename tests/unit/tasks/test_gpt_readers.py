"""Models as the live views of chapter 09 ask them: a text and what was drawn after it, in; logits, out."""

import pytest
import torch

from course_lib.models import evaluating
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import python_gpt, town_gpt
from course_lib.text.bpe import train_bpe
from course_lib.text.tokenizers import BOS_ID, EOS_ID

SIZES = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16, "max_len": 12, "init_std": 0.5}


@pytest.fixture(scope="module")
def town_model():
    torch.manual_seed(0)
    return GPTConfig(len(town_gpt.WORDS), **SIZES).build()


def test_the_towns_reader_is_the_model(town_model):
    read, words = town_gpt.reader(town_model), town_gpt.WORDS
    reading = read("Anna is at", [words.ids["the"], words.ids["farm"]])
    assert reading.ids == [BOS_ID, *words.encode("anna is at the farm")] and reading.names == words.tokens
    with evaluating(town_model):
        logits, weights = town_model(torch.tensor([reading.ids]), need_weights=True)
    torch.testing.assert_close(reading.logits, logits[0, -1])
    torch.testing.assert_close(reading.weights, torch.cat(weights))
    assert reading.weights.shape == (2, 2, 6, 6)
    torch.testing.assert_close(reading.weights.sum(-1), torch.ones(2, 2, 6))
    assert read("").ids == [BOS_ID]


def test_the_towns_reader_knows_the_end_and_what_it_cannot_read(town_model):
    read = town_gpt.reader(town_model)
    over = read("anna", [EOS_ID])
    assert over.logits is None and over.weights.shape[-1] == 3
    with pytest.raises(ValueError, match="Tiny Town does not know “quince”, “pear”"):
        read("anna sees quince and pear . quince")
    with pytest.raises(ValueError, match="the story has 13 tokens, expected at most 12: the model's window"):
        read("anna " * 12)


def test_pythons_reader_is_the_model_and_sees_the_end_of_a_long_text(monkeypatch):
    tokenizer = train_bpe("def f(x):\n    return x\n" * 9, 270, [python_gpt.END])
    monkeypatch.setattr("course_lib.tasks.python_gpt.reading.tokens", lambda: tokenizer)
    torch.manual_seed(0)
    model = GPTConfig(len(tokenizer), **SIZES).build()
    read, end = python_gpt.reader(model), tokenizer.special[python_gpt.END]
    text = "def f(y):\n    return y + 1\n\n\ndef g(y):"
    reading = read(text + "  ", [5])
    assert reading.ids == [*tokenizer.encode(text), 5] and len(reading.ids) > 12
    assert b"".join(reading.names[i] for i in reading.ids[:-1]).decode() == text
    assert reading.names[end] == b"[END]" and len(reading.names) == len(tokenizer)
    with evaluating(model):
        torch.testing.assert_close(reading.logits, model(torch.tensor([reading.ids[-12:]]))[0][0, -1])
    assert read("").ids == read("  ").ids == [end] and read("").logits is not None
    assert read("def", [end]).logits is None
