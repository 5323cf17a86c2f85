"""The exercises: references are right, inputs break symmetry, each misconception is named."""

import ast
import math
from itertools import combinations

import pytest
import torch

from course_lib import attention, masks, metrics
from course_lib.practice import chapter_01 as one
from course_lib.practice import comparing, desk, recognising, running
from course_lib.practice.chapter_01.decoder_step import make_attend
from course_lib.practice.kinds import axis_names
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID

EXERCISES = list(desk.exercises().values())
WAYS = [
    pytest.param(exercise, misconception, way, id=f"{exercise.id}:{misconception.name}:{number}")
    for exercise in EXERCISES
    for misconception in exercise.misconceptions
    for number, way in enumerate(misconception.ways)
]
by_id = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)


@by_id
def test_the_reference_passes(exercise):
    result = desk.run_check(exercise.id, exercise.reference)
    assert (result.status, result.kind) == ("solved", "passed")
    assert result.notes == ()
    assert exercise.insight in result.message


@by_id
def test_the_solution_that_is_shown_passes(exercise):
    space = {
        "torch": torch,
        "math": math,
        "ast": ast,
        "PAD_ID": PAD_ID,
        "BOS_ID": BOS_ID,
        "EOS_ID": EOS_ID,
    }  # as on the pages
    exec(exercise.solution, space)
    assert desk.run_check(exercise.id, space[exercise.function_name]).passed


@pytest.mark.parametrize(("exercise", "misconception", "way"), WAYS)
def test_each_misconception_gets_its_own_message(exercise, misconception, way):
    result = desk.run_check(exercise.id, way)
    assert (result.status, result.kind) == ("not yet", "misconception")
    assert result.misconception == misconception.name
    assert len(result.message) > 60
    others = {m.sentence for m in exercise.misconceptions if m is not misconception}
    assert result.message not in others


@by_id
def test_misconceptions_differ_from_each_other_and_from_the_reference(exercise):
    cases = exercise.cases()
    exercise = recognising.through_view(exercise)
    ideas = [("reference", exercise.reference)]
    ideas += [(m.name, way) for m in exercise.misconceptions for way in m.ways]
    done = [(name, list(recognising.known_answers(exercise.memory, way, cases))) for name, way in ideas]
    for (name, outcomes), (other, theirs) in combinations(done, 2):
        if name != other:
            assert not recognising.same_outcomes(outcomes, theirs, exercise.tolerance), f"{name} = {other}"


@by_id
def test_an_exercise_is_complete(exercise):
    assert len(exercise.misconceptions) >= 4
    names = [m.name for m in exercise.misconceptions]
    assert len(set(names)) == len(names)
    assert len(exercise.hints) == 2 and all(len(h) > 30 for h in exercise.hints)
    assert exercise.minutes > 0 and exercise.difficulty in (1, 2, 3)
    assert exercise.signature in exercise.statement
    assert exercise.solution.startswith(f"def {exercise.signature}:")
    text = " ".join([exercise.statement, exercise.insight, *exercise.hints])
    text += " ".join(m.sentence for m in exercise.misconceptions if isinstance(m.sentence, str))
    assert not {"obviously", "simply", "just"} & set(text.lower().split())


@by_id
def test_inputs_break_symmetry(exercise):
    cases = exercise.cases()
    assert len({case.name for case in cases}) == len(cases)
    with_sizes = [case for case in cases if case.sizes]
    if with_sizes:
        assert any(len(set(c.sizes.values())) == len(c.sizes) for c in with_sizes), (
            "all axes differ in one input"
        )
    for case in cases:
        for name, value in zip(exercise.parameters, case.args, strict=True):
            axes = axis_names(exercise.inputs[name])
            if isinstance(value, torch.Tensor) and axes:
                assert value.shape == tuple(case.sizes[a] for a in axes), (case.name, name)
            if isinstance(value, torch.nn.Module):
                assert all((p != 0).all() for p in value.parameters()), "no bias is zero"


@by_id
def test_inputs_are_the_same_at_every_check_and_leave_the_global_random_state_alone(exercise):
    before = torch.random.get_rng_state()
    first, second = exercise.cases(), exercise.cases()
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b in zip(first, second, strict=True):
        assert all(running.untouched(x, y) for x, y in zip(a.args, b.args, strict=True))


@by_id
def test_outputs_have_the_axes_they_are_said_to_have(exercise):
    for case in exercise.cases():
        value = exercise.reference(*case.args)
        assert comparing.type_problem(exercise, value) is None
        if exercise.view:
            value, outputs = exercise.view.make(value, case.args), exercise.view.outputs
        else:
            outputs = exercise.outputs
        parts = value if len(outputs) > 1 else (value,)
        for output, part in zip(outputs, parts, strict=True):
            if output.axes is not None:
                assert part.shape == tuple(case.sizes[a] for a in output.axes)


def test_tensor_inputs_include_padding_repeats_and_strides():
    allowed = [case.args[1] for case in one.WEIGHTS.cases()]
    assert any((~a).any() for a in allowed) and all(a.any(dim=1).all() for a in allowed)
    for exercise, place in ((one.SCORES, 1), (one.CONTEXT, 1), (one.DECODER_STEP, 2)):
        h = [case.args[place] for case in exercise.cases()]
        assert any(len(sentence.unique(dim=0)) < len(sentence) for batch in h for sentence in batch)
    for exercise in (one.SCORES, one.WEIGHTS, one.CONTEXT):
        assert any(not a.is_contiguous() for c in exercise.cases() for a in c.args)


# --- the hand-made functions equal the library's --------------------------------------------------


def test_scores_equal_the_library():
    for case in one.SCORES.cases():
        s, h, W_a, U_a, v_a = case.args
        theirs = attention.additive_scores((s @ W_a.T)[:, None], h @ U_a.T, v_a)[:, 0]
        assert torch.allclose(one.SCORES.reference(*case.args), theirs, atol=1e-6)


def test_weights_equal_the_library():
    for case in one.WEIGHTS.cases():
        scores, allowed = case.args
        theirs = masks.masked_softmax(scores, allowed[:, None, :])
        assert torch.allclose(one.WEIGHTS.reference(scores, allowed), theirs, atol=1e-6)


def test_weights_and_context_equal_bahdanau_attention():
    for case in one.DECODER_STEP.cases():
        _, s, h, allowed, _, _ = case.args
        layer = attention.AdditiveAttention(s.shape[-1], h.shape[-1], 7)
        W_a, U_a, v_a = layer.W_a.weight, layer.U_a.weight, layer.v_a
        context, weights = make_attend(W_a, U_a, v_a)(s, h, allowed)
        theirs, their_weights = layer(s[:, None], layer.project_keys(h), h, allowed[:, None, :])
        assert torch.allclose(context, theirs[:, 0], atol=1e-6)
        assert torch.allclose(weights, their_weights[:, 0], atol=1e-6)


def test_alignment_error_rate_equals_the_library():
    for case in one.AER.cases():
        guessed, sure = map(set, case.args)
        theirs = metrics.alignment_error_rate([guessed], [sure])
        assert one.AER.reference(*case.args) == pytest.approx(theirs)


# --- measured numbers in the tutor's words --------------------------------------------------------


def test_messages_that_measure():
    assert "5 times too small" in desk.run_check("01.context", lambda w, h: w @ h / w.shape[-1]).message
    masked_late = desk.run_check("01.weights", lambda s, a: torch.softmax(s, -1) * a[:, None])
    assert "one row sums to 0." in masked_late.message
    unmasked = desk.run_check("01.weights", lambda s, a: torch.softmax(s, -1))
    assert "% of its attention to padding" in unmasked.message
    plain = desk.run_check("00.weighted-mean", lambda values, weights: (values * weights).sum())
    assert "they sum to 4" in plain.message and "4 times the right one" in plain.message


# --- predictions and recall -----------------------------------------------------------------------


@pytest.mark.parametrize("prediction", desk.predictions().values(), ids=lambda p: p.id)
def test_a_prediction_is_complete(prediction):
    assert 3 <= len(prediction.options) <= 5
    assert 0 <= prediction.right < len(prediction.options)
    explanations = [o.explanation for o in prediction.options]
    assert len(set(explanations)) == len(explanations) and all(len(e) > 40 for e in explanations)
    assert all(o.explanation not in prediction.prompt for o in prediction.options)


@pytest.mark.parametrize("number", sorted(set(desk.CHAPTERS) - {"00"}))
def test_right_answers_do_not_always_stand_at_the_same_place(number):
    assert len({p.right for p in desk.CHAPTERS[number].PREDICTIONS}) >= 3


def test_ids_are_unique_and_belong_to_their_chapter():
    for number, chapter in desk.CHAPTERS.items():
        for part in (chapter.EXERCISES, chapter.PREDICTIONS):
            ids = [p.id for p in part]
            assert len(set(ids)) == len(ids)
            assert all(i.startswith(number + ".") for i in ids)
        assert len(chapter.RECALL) >= 3
