"""Practice of chapter 06: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import pytest
import torch

from course_lib import masks
from course_lib.practice import chapter_06 as six
from course_lib.practice import checking
from course_lib.tasks import families
from course_lib.text.tokenizers import PAD_ID

EXERCISES = {e.id.removeprefix("06."): e for e in six.EXERCISES}


def run(name, function):
    """Checked without the desk, which knows the chapter when its page is there."""
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", six.EXERCISES, ids=lambda e: e.id)
def test_the_reference_passes_and_each_wrong_way_gets_its_own_message(exercise):
    assert checking.run_check(exercise, exercise.reference).passed
    for misconception in exercise.misconceptions:
        for way in misconception.ways:
            result = checking.run_check(exercise, way)
            assert result.misconception == misconception.name, (misconception.name, result)


def test_masks_of_the_families_are_those_of_the_library():
    for case in six.FAMILY_MASKS.cases():
        family, n_input, N = case.args
        theirs = families.allowed_in(family, torch.full((1, N), 7), torch.tensor([n_input]))
        assert torch.equal(six.FAMILY_MASKS.reference(*case.args), theirs.expand(1, 1, N, N)[0, 0])


def test_labels_are_those_of_the_library():
    for case in six.PREFIX_LABELS.cases():
        ids, n_input, pad_id = case.args
        if pad_id == PAD_ID:
            for mine, theirs in zip(
                six.PREFIX_LABELS.reference(*case.args), families.output_labels(ids, n_input), strict=True
            ):
                assert torch.equal(mine, theirs)


def test_a_token_is_predicted_where_the_library_has_a_label_for_it():
    for case in six.STRIP.cases():
        family, ids, n_input, blank, pad_id = case.args
        colours = six.STRIP.reference(*case.args)
        assert torch.equal(colours == 0, ids == pad_id)
        if family == "encoder-only":
            assert torch.equal(colours == 2, blank)
        elif pad_id == PAD_ID:
            _, labels = families.output_labels(ids, n_input)
            assert torch.equal((colours == 2)[:, 1:], labels != -100) and bool((colours[:, 0] == 1).all())


def test_the_three_masks_are_those_of_the_library():
    for case in six.THREE_MASKS.cases():
        source, target, pad_id = case.args
        encoder, decoder, cross = six.THREE_MASKS.reference(*case.args)
        assert torch.equal(encoder, masks.padding_mask(source, pad_id)) and torch.equal(cross, encoder)
        past = masks.causal_mask(target.shape[1])
        assert torch.equal(decoder, masks.combine(past, masks.padding_mask(target, pad_id)))


# --- answers written from the statements alone --------------------------------------------------------------


def causal_alone(source, target, pad_id):
    words = (source != pad_id)[:, None, None, :]
    return words, torch.ones(target.shape[1], target.shape[1]).tril().bool(), words


def written_out(source, target, pad_id):
    S, T = source.shape[1], target.shape[1]
    encoder = torch.stack([(row != pad_id).expand(S, S) for row in source])[:, None]
    cross = torch.stack([(row != pad_id).expand(T, S) for row in source])[:, None]
    return encoder, torch.ones(1, 1, T, T, dtype=torch.bool).tril(), cross


@pytest.mark.parametrize("answer", [causal_alone, written_out])
def test_target_padding_may_be_closed_by_the_triangle_alone(answer):
    assert run("three-masks", answer).passed


def test_what_is_read_after_the_last_label_makes_no_difference():
    def end_not_read(ids, n_input, pad_id):
        inputs, labels = six.PREFIX_LABELS.reference(ids, n_input, pad_id)
        end = (ids != pad_id).sum(1, keepdim=True) - 1
        return inputs.masked_fill(torch.arange(inputs.shape[1]) >= end, pad_id), labels

    assert run("prefix-labels", end_not_read).passed
