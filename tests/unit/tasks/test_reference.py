"""Whom does a visible pronoun mean: labels at the right tokens, data that do not overlap, learning."""

import pytest
import torch

from course_lib.data import town
from course_lib.data.town.lexicon import FEMALE, NAMES
from course_lib.tasks import fill_in, reference
from course_lib.tasks.fill_in import WORDS
from course_lib.tasks.reference import HELD_OUT_SEED, TRAINING_SEED, examples
from course_lib.text.segments import CLS_ID, SEP_ID
from course_lib.training.objectives import IGNORE
from course_lib.training.recipe import new_model, vary

SMALL = vary(fill_in.RECIPE, d_model=32, n_heads=2, n_layers=1, d_ff=64).model
RECIPE = vary(reference.RECIPE, bert=SMALL, steps=50, batch_size=16, lr=1e-2)


def test_meanings_are_those_of_the_town():
    """Read again as text, each story gives the same meanings, and all its pronouns have one."""
    for one in examples(60):
        story = town.read(one.story, grammar=fill_in.GRAMMAR)
        assert [who for _, who in sorted(one.means.items())] == [
            mention.entity for mention in story.coreference if mention.entity in NAMES
        ]
        assert set(one.means) == {i for i, word in enumerate(one.story) if word in ("he", "she")}
        for at, who in one.means.items():
            assert (one.story[at] == "she") == (who in FEMALE)
            assert who in one.story[:at]


def test_labels_stand_at_the_pronouns_and_nowhere_else():
    chosen = examples(40)
    rows, labels = reference.rows_of(chosen), reference.labels_of(chosen)
    assert rows.ids.shape == labels.shape and (rows.ids[:, 0] == CLS_ID).all() and not rows.segments.any()
    assert ((rows.ids == SEP_ID).sum(1) == 1).all()
    he_she = torch.isin(rows.ids, torch.tensor([WORDS.ids["he"], WORDS.ids["she"]]))
    assert torch.equal(labels != IGNORE, he_she)  # counted from [CLS] on, as the row is
    for one, row in zip(chosen, labels, strict=True):
        assert [NAMES[i] for i in row[row != IGNORE]] == [who for _, who in sorted(one.means.items())]


def test_by_hand():
    story = town.tokenise("Anna is at the farm. She sees Tom. He is at the farm.")
    one = reference.Example(story, {6: "anna", 10: "tom"})
    labels = reference.labels_of([one])[0].tolist()
    assert len(labels) == len(story) + 2
    assert {i: NAMES[label] for i, label in enumerate(labels) if label != IGNORE} == {7: "anna", 11: "tom"}
    wrong = reference.Example(story, {6: "anna", 10: "anna"})
    assert (reference.nearest_name([one]), reference.nearest_name([wrong])) == (1.0, 0.5)


def test_fewer_stories_are_the_first_of_more_and_seeds_differ():
    assert len(examples(30)) == 30 and examples(10) == examples(30)[:10]
    seeds = (fill_in.TRAINING_SEED, fill_in.HELD_OUT_SEED, TRAINING_SEED, HELD_OUT_SEED)
    assert len(set(seeds)) == 4
    learnt, held_out = ({one.story for one in examples(300, seed)} for seed in (TRAINING_SEED, HELD_OUT_SEED))
    pre_trained = {story.english_tokens for story in fill_in.stories(1_000, fill_in.TRAINING_SEED)}
    assert len(learnt & held_out) + len((learnt | held_out) & pre_trained) < 3  # by chance, short ones


def test_the_nearest_name_is_a_strong_guess_and_not_perfect():
    assert 0.8 < reference.nearest_name(examples(200)) < 0.98


def test_learning_lowers_the_loss_and_the_batches_go_round():
    batches = reference.batches(RECIPE, 16)
    first, again = next(batches), next(batches)
    assert sorted(map(tuple, first[0].ids.tolist())) == sorted(map(tuple, again[0].ids.tolist()))
    before = reference.reference_loss(new_model(RECIPE), first).item()
    assert before == pytest.approx(torch.tensor(len(NAMES)).log().item(), abs=0.4)  # ln 12
    losses = []
    model = reference.fine_tune(None, RECIPE, 16, on_step=lambda step, loss: losses.append(loss))
    after = reference.reference_loss(model, first).item()
    assert after < before / 2 and len(losses) == RECIPE.steps
    known = examples(16, TRAINING_SEED)
    labels, scores = first[1], model(**first[0]._asdict())
    right = (scores.argmax(-1) == labels)[labels != IGNORE].float().mean().item()
    assert reference.accuracy(model, known) == pytest.approx(right) and right > 0.5


def test_a_frozen_bert_stays_as_it_was_bit_for_bit():
    bert = new_model(vary(fill_in.RECIPE, d_model=32, n_heads=2, n_layers=1, d_ff=64))
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    recipe = vary(RECIPE, frozen=True, steps=4)
    model = reference.fine_tune(bert, recipe, 16)
    assert all(torch.equal(value, before[name]) for name, value in model.bert.state_dict().items())
    assert not torch.equal(model.head.weight, new_model(recipe).head.weight)
    moved = reference.fine_tune(bert, vary(RECIPE, steps=4), 16)
    assert any(not torch.equal(value, before[name]) for name, value in moved.bert.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in bert.state_dict().items())  # a copy learns


def test_what_cannot_be_measured():
    for measure in (lambda: reference.accuracy(new_model(RECIPE), []), lambda: reference.nearest_name([])):
        with pytest.raises(ValueError, match="chosen holds no pronoun, expected examples"):
            measure()
    with pytest.raises(ValueError, match="n is 0, expected at least 1"):
        examples(0)
