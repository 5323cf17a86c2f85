"""Story and claim: balance, what half of the input gives away, learning. (Answers: test_claims.py.)"""

from collections import Counter

import pytest
import torch

from course_lib.data import town
from course_lib.tasks import entailment, fill_in
from course_lib.tasks.claims import ANSWERS, KINDS, Claim, answer_to
from course_lib.tasks.entailment import HELD_OUT_SEED, TRAINING_SEED, examples
from course_lib.training.recipe import new_model, vary

N_STORIES = 1_500


def test_balance_of_answers_kinds_and_each_claim():
    made = examples(600, n_stories=N_STORIES)
    assert Counter((one.kind, one.answer) for one in made) == {
        (kind, answer): 100 for kind in KINDS for answer in ANSWERS
    }
    by_claim = Counter((one.claim, one.answer) for one in made)
    for claim in {one.claim for one in made}:
        assert len({by_claim[claim, answer] for answer in ANSWERS}) == 1


def test_every_word_of_a_claim_stands_in_its_story():
    plain = {"is", "at", "in", "the", ".", "has"}
    for one in examples(600, n_stories=N_STORIES):
        assert set(one.claim) - plain <= set(one.story)
        assert set(one.claim) | set(one.story) <= set(fill_in.WORDS.tokens)


def test_an_example_is_right_by_reading_its_story_again():
    for one in examples(60, n_stories=N_STORIES):
        state = town.read(one.story, grammar=fill_in.GRAMMAR).state
        what = (one.claim[-2],) if one.kind == "place" else one.claim[-3:-1]
        assert answer_to(Claim(one.claim[0], what), state) == one.answer


def test_the_claim_alone_gives_nothing_away():
    """Each claim comes once with each answer: whatever looks at it alone is right in exactly one third."""
    learnt = examples(1_200, TRAINING_SEED, N_STORIES)
    held_out = examples(600, HELD_OUT_SEED, N_STORIES)
    assert not {one.story for one in learnt} >= {one.story for one in held_out}
    claim_only = entailment.accuracy(entailment.by_words("claim", learnt, held_out), held_out)
    assert claim_only["all"] == pytest.approx(1 / 3)
    story_only = entailment.accuracy(entailment.by_words("story", learnt, held_out), held_out)
    assert 0.3 < story_only["all"] < 0.55
    with pytest.raises(ValueError, match="part is 'both', expected 'claim' or 'story'"):
        entailment.by_words("both", learnt, held_out)


def test_fewer_examples_are_the_first_of_more_and_seeds_differ():
    assert examples(30, n_stories=N_STORIES) == examples(60, n_stories=N_STORIES)[:30]
    assert examples(30, TRAINING_SEED, N_STORIES) != examples(30, HELD_OUT_SEED, N_STORIES)
    assert len({fill_in.TRAINING_SEED, fill_in.HELD_OUT_SEED, TRAINING_SEED, HELD_OUT_SEED}) == 4
    with pytest.raises(ValueError, match="n_stories is 3, expected more: no claim about a place"):
        examples(6, n_stories=3)


def test_a_frozen_bert_stays_as_it_was_bit_for_bit():
    bert = new_model(vary(fill_in.RECIPE, d_model=32, n_layers=1, d_ff=64))
    recipe = vary(entailment.RECIPE, bert=bert.config, frozen=True, steps=3, batch_size=6, lr=1e-2)
    model = entailment.fine_tune(bert, recipe, 6, n_stories=N_STORIES)
    known, now = bert.state_dict(), model.bert.state_dict()
    assert all(torch.equal(now[name], known[name]) for name in known)
    assert not torch.equal(model.head.weight, new_model(recipe).head.weight)


def test_rows_have_the_claim_as_second_segment():
    one = examples(6, n_stories=N_STORIES)[0]
    rows = entailment.rows_of([one])
    told = [fill_in.WORDS.tokens[i] for i in rows.ids[0].tolist()]
    assert told == ["[CLS]", *one.story, "[SEP]", *one.claim, "[SEP]"]
    assert int(rows.segments.sum()) == len(one.claim) + 1


def test_a_few_examples_can_be_learnt_by_heart():
    """Pre-trained or random, the loop, the loss and the head work: 12 examples in 60 steps."""
    small = vary(fill_in.RECIPE, d_model=32, n_layers=1, d_ff=64).model
    recipe = vary(entailment.RECIPE, bert=small, steps=60, batch_size=12, lr=1e-2)
    model = entailment.fine_tune(small.build(), recipe, 12, n_stories=N_STORIES)
    known = examples(12, TRAINING_SEED, N_STORIES)
    assert entailment.accuracy(entailment.said_by(model, known), known)["all"] > 0.9
    untrained = new_model(recipe)
    batch = next(entailment.batches(recipe, 12, N_STORIES))
    assert entailment.answer_loss(untrained, batch).item() == pytest.approx(1.0986, abs=0.2)  # ln 3
    assert torch.equal(entailment.answers_of(known[:3]), torch.tensor([0, 1, 2]))
