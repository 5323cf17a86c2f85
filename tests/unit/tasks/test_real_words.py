"""Real words in one row: what is read, what counts, and how it is measured."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from course_lib.data import cmudict
from course_lib.metrics import phoneme_error_rate
from course_lib.models import evaluating
from course_lib.tasks.families import real_words
from course_lib.tasks.families.real_words import LETTERS_AND_SOUNDS, WORDS_RECIPE, word
from course_lib.tasks.families.wiring import row_logits, row_loss
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.objectives import IGNORE
from course_lib.training.recipe import new_model, train, vary

FEW = vary(WORDS_RECIPE, d_model=16, n_heads=2, d_ff=24, n_layers=2, batch_size=8, steps=6)


def test_letters_and_sounds_are_different_tokens():
    assert len(LETTERS_AND_SOUNDS) == 4 + len(cmudict.ALPHABET) + len(cmudict.SOUNDS)
    assert "a" in LETTERS_AND_SOUNDS.ids and "AA" in LETTERS_AND_SOUNDS.ids


def test_only_the_sounds_and_the_end_count():
    batch = real_words.word_batch([word("rate", ["R", "EY", "T"]), word("at", ["AE", "T"])])
    said = [[LETTERS_AND_SOUNDS.tokens[i] for i in row if i != IGNORE] for row in batch.labels.tolist()]
    assert said == [["R", "EY", "T", "[EOS]"], ["AE", "T", "[EOS]"]]
    first = [row.index(BOS_ID) for row in batch.inputs.tolist()]
    assert first == batch.n_input.tolist() == [4, 2]
    for row, labels, start in zip(batch.inputs.tolist(), batch.labels.tolist(), first, strict=True):
        assert set(labels[:start]) == {IGNORE} and labels[start] != IGNORE
        assert all(label == IGNORE for id_, label in zip(row, labels, strict=True) if id_ in (PAD_ID, EOS_ID))


def test_training_words_have_every_pronunciation():
    entries = cmudict.entries("train")
    known = real_words.training_words()
    assert len(known) == sum(len(entry.pronunciations) for entry in entries) > len(entries)
    assert known[0] == word(entries[0].word, entries[0].pronunciations[0])
    assert len(set(map(str, known))) == len(known)


def test_batches_depend_on_the_seed_alone_and_pad_little():
    taken = [list(islice(real_words.word_batches(vary(FEW, seed=seed)), 5)) for seed in (1, 1, 2)]
    same, other = (
        [torch.equal(a.inputs, b.inputs) for a, b in zip(taken[0], taken[i], strict=True)] for i in (1, 2)
    )
    assert all(same) and not any(other)
    padded = sum(int((batch.inputs == PAD_ID).sum()) for batch in taken[0])
    assert padded < 0.15 * sum(batch.inputs.numel() for batch in taken[0])


@pytest.mark.parametrize("family", ["decoder-only", "prefix-LM"])
def test_the_first_sound_sees_the_last_letter_and_letters_only_what_the_mask_lets_them(family):
    model = new_model(FEW).eval()
    batch = real_words.word_batch([word("rate", ["R", "EY", "T"]), word("rats", ["R", "AE", "T", "S"])])
    ids = batch.inputs[:1].repeat(2, 1)
    ids[1, 3] = batch.inputs[1, 3]  # rate → rats, sounds as before
    with evaluating(model):
        one, other = row_logits(model, ids, batch.n_input, family)
    moved = (one - other).abs().amax(-1) > 1e-6
    assert moved[4:].all()  # [BOS] and sounds
    assert moved[:3].all() == (family == "prefix-LM") and moved[:3].any() == (family == "prefix-LM")


def test_measured_as_it_says(monkeypatch):
    entries = cmudict.entries("validation")
    few = entries[:: len(entries) // 5][:5]
    model = new_model(FEW)
    monkeypatch.setattr(real_words, "write", lambda *_, **__: [list(e.pronunciations[-1]) for e in few])
    found = real_words.measure_words(model, "prefix-LM", n=5)
    assert found["word_error"] == 0 and found["phoneme_error"] == 0
    chosen = [word(e.word, e.pronunciations[0]) for e in few]
    batch = real_words.word_batch(chosen)
    with evaluating(model):
        assert found["loss"] == pytest.approx(row_loss(model, batch, "prefix-LM").item())
    wrong = [["AA"] for _ in few]
    monkeypatch.setattr(real_words, "write", lambda *_, **__: wrong)
    found = real_words.measure_words(model, "prefix-LM", n=5)
    assert found["word_error"] == 1
    assert found["phoneme_error"] == phoneme_error_rate(wrong, [e.pronunciations for e in few])


def test_a_small_model_learns():
    recipe = replace(vary(FEW, lr=1e-2), steps=60)
    history = train(new_model(recipe), recipe, real_words.saying("prefix-LM"))
    assert sum(history.losses[-5:]) < 0.8 * sum(history.losses[:5])
