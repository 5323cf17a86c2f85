"""What ``check`` says when something is wrong that no misconception names: kind, and exact."""

import functools
import itertools
import math
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch

from course_lib.practice import cards, checking, comparing, desk, differences, running
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Misconception, Output, View, axis_names

ROOT = Path(__file__).parents[3]


def scores(s, h, W_a, U_a, v_a):
    return torch.tanh((s @ W_a.T)[:, None] + h @ U_a.T) @ v_a


def run(function, id="01.scores", seconds=2.0):
    return desk.run_check(id, function, seconds)


# --- not written yet ------------------------------------------------------------------------------


def stub_dots(s, h, W_a, U_a, v_a): ...


def stub_pass(s, h, W_a, U_a, v_a):
    pass


def stub_docstring(s, h, W_a, U_a, v_a):
    """Alignment scores."""


def stub_docstring_and_dots(s, h, W_a, U_a, v_a):
    """Alignment scores."""
    ...


def stub_return_dots(s, h, W_a, U_a, v_a):
    return ...


def stub_todo(s, h, W_a, U_a, v_a):
    raise NotImplementedError


def stub_half(s, h, W_a, U_a, v_a):
    query = s @ W_a.T
    keys = ...
    return torch.tanh(query[:, None] + keys) @ v_a


def stub_half_returned(s, h, W_a, U_a, v_a):
    query = s @ W_a.T  # noqa: F841
    result = ...
    return result


STUBS = [
    stub_dots, stub_pass, stub_docstring, stub_docstring_and_dots, stub_return_dots, stub_todo, stub_half,
    stub_half_returned, lambda s, h, W_a, U_a, v_a: ..., None,
]  # fmt: skip


@pytest.mark.parametrize("stub", STUBS, ids=lambda f: getattr(f, "__name__", "None"))
def test_a_stub_is_not_attempted(stub):
    result = run(stub)
    assert (result.status, result.kind) == ("not attempted", "stub")
    assert 'hint("01.scores")' in result.message


def test_a_half_filled_stub_names_what_is_left():
    assert "`keys = ...` to fill in" in run(stub_half).message


def test_a_forgotten_return_is_not_a_stub():
    def alignment_scores(s, h, W_a, U_a, v_a):
        e = scores(s, h, W_a, U_a, v_a)  # noqa: F841

    result = run(alignment_scores)
    assert (result.status, result.kind) == ("not yet", "none")
    assert result.message == (
        "Your function returned nothing (None). Is the last line missing, perhaps `return e`?"
    )


def test_print_instead_of_return():
    def alignment_scores(s, h, W_a, U_a, v_a):
        print(tuple(scores(s, h, W_a, U_a, v_a).shape))

    result = run(alignment_scores)
    assert result.kind == "none"
    assert "`print` shows a value; `return` hands it back." in result.message
    assert result.printed == "(2, 5)\n"
    assert "printed: (2, 5)" in cards.result_card(result).text


def test_a_return_that_is_missing_on_some_inputs():
    def alignment_scores(s, h, W_a, U_a, v_a):
        if len(s) == 2:
            return scores(s, h, W_a, U_a, v_a)

    result = run(alignment_scores)
    assert result.kind == "none" and "for some inputs only" in result.message


# --- not the right thing to check -----------------------------------------------------------------


def test_the_result_instead_of_the_function():
    result = run(torch.ones(2, 5))
    assert result.kind == "not-callable"
    assert result.message == (
        "check needs the function itself, and it got a tensor. "
        'Write `check("01.scores", alignment_scores)`, without brackets after the name.'
    )
    assert "the str 'scores'" in run("scores").message


def test_the_wrong_number_of_parameters():
    result = run(lambda s, h: s)
    assert result.kind == "parameters"
    assert result.message == "Your function takes (s, h); check calls it with (s, h, W_a, U_a, v_a)."
    assert run(lambda s, h, *rest: scores(s, h, *rest)).passed
    assert run(lambda s, h, W_a, U_a, v_a, more=1: scores(s, h, W_a, U_a, v_a)).passed
    assert run(functools.partial(scores)).passed


def test_parameters_in_another_order():
    def alignment_scores(h, s, W_a, U_a, v_a):
        return scores(s, h, W_a, U_a, v_a)

    result = run(alignment_scores)
    assert result.kind == "error"
    assert result.notes == (
        "Your parameters are (h, s, W_a, U_a, v_a); check passes them by position, as (s, h, W_a, U_a, v_a).",
    )


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(ValueError, match=r"there is no exercise '01\.score'; did you mean 01\.scores"):
        desk.run_check("01.score", scores)
    with pytest.raises(ValueError, match=r"did you mean .*01\.decoder-step"):
        desk.run_check("decoder-step", scores)
    with pytest.raises(ValueError, match=r'expected a text such as "00\.weighted-mean", in first place'):
        desk.run_check(scores, "01.scores")
    with pytest.raises(ValueError, match=r"there is no prediction '01\.lags'; did you mean 01\.lag"):
        desk.predict("01.lags")


# --- types, shapes, numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda e: (e,), "a tuple that holds one thing; check expects one tensor `scores` with axes (B, S). "
                         "Is a comma left over?"),
        (lambda e: (e, e), "a tuple of 2 things; check expects one tensor `scores` with axes (B, S)."),
        (lambda e: e.tolist(), "a list; check expects one tensor `scores` with axes (B, S). "
                               "`torch.tensor(…)` makes one of it."),
        (lambda e: e.numpy(), "a NumPy array; check expects one tensor `scores` with axes (B, S). "
                              "`torch.as_tensor(...)` makes a tensor of it."),
        (lambda e: (row for row in e), "a generator; check expects one tensor `scores` with axes (B, S). "
                                       "A `yield` in the function makes one, and so does `(… for … in …)` "
                                       "in round brackets."),
        (lambda e: 3.5, "a float; check expects one tensor `scores` with axes (B, S)."),
        (lambda e: "e", "a str; check expects one tensor `scores` with axes (B, S)."),
    ],
)  # fmt: skip
def test_other_types(change, sentence):
    result = run(lambda *args: change(scores(*args)))
    assert (result.kind, result.message) == ("type", f"Your function returns {sentence}")


def test_types_of_several_outputs():
    step = desk.exercises()["01.decoder-step"].reference
    one = run(lambda *args: step(*args)[0], "01.decoder-step")
    assert one.message == (
        "Your function returns a tensor; check expects 3 things: end with `return s, context, weights`."
    )
    two = run(lambda *args: step(*args)[:2], "01.decoder-step")
    assert two.message.startswith("Your function returns 2 things; check expects 3, in this order:")
    none = run(lambda *args: (*step(*args)[:2], None), "01.decoder-step")
    assert none.message == (
        "For `weights` your function returns None; check expects one tensor `weights` with axes (B, S)."
    )
    assert run(lambda *args: list(step(*args)), "01.decoder-step").passed


def test_a_tensor_instead_of_a_number():
    right = desk.exercises()["01.aer"].reference
    assert run(lambda a, s: torch.tensor(right(a, s)), "01.aer").passed
    result = run(lambda a, s: torch.tensor([right(a, s)]), "01.aer")
    assert result.kind == "type" and "`.item()`" in result.message
    assert run(lambda a, s: numpy.float64(right(a, s)), "01.aer").passed


def test_shapes_are_named():
    message = "On the input with five different sizes: your answer has shape {}; expected (B=2, S=5). {}"
    swapped = run(lambda *args: scores(*args).T)
    assert swapped.kind == "shape"
    assert swapped.message == message.format(
        "(5, 2)", "Yours looks like (S, B). The sizes are right and the order is not."
    )
    longer = run(lambda *args: scores(*args)[..., None])
    assert longer.message == message.format("(2, 5, 1)", "An axis of length 1 is left over.")
    larger = run(lambda *args: scores(*args)[..., None].expand(-1, -1, 7))
    assert larger.message == message.format("(2, 5, 7)", "There is an axis too many.")
    shorter = run(lambda *args: scores(*args).sum())
    assert shorter.message == message.format("()", "2 axes are missing.")
    summed = run(lambda *args: torch.stack([scores(*args) / 2] * 2))
    assert summed.message.endswith("The sum over your axis 0 is missing: with it your answer is right.")
    picked = run(lambda *args: scores(*args)[0])
    assert picked.message.endswith("The axis B is missing.")
    other = run(lambda s, h, W_a, U_a, v_a: h.sum(1))
    assert other.message == message.format("(2, 6)", "Yours looks like (B, D_h).").strip()


def test_the_kind_of_number():
    assert run(lambda *args: scores(*args).double()).passed
    result = run(lambda x, n: torch.eye(x), "04.prefix")
    assert result.misconception is None and result.kind == "dtype"
    assert "its numbers are float32; expected bool" in result.message
    assert "Read as True and False, 11 of 25 cells differ." in result.message
    assert run(lambda *args: scores(*args).to(torch.complex64)).kind == "dtype"


def test_nan_and_infinity():
    def with_value(value):
        def function(*args):
            e = scores(*args)
            e[1, 3] = value
            return e

        return function

    result = run(with_value(float("nan")))
    assert result.kind == "nan"
    assert "is NaN at 1 of 10 places, the first at [b=1, s=3]. What makes a NaN: 0/0" in result.message
    assert "is infinite at 1 of 10 places, the first at [b=1, s=3]." in run(with_value(float("inf"))).message


def test_whole_numbers_are_multiples_by_chance():
    double = differences._pattern(torch.tensor([2.0, 4.0, 0.0, 4.0]), torch.tensor([1.0, 2.0, 0.0, 2.0]))
    assert double is None
    assert "2 times too large" in differences._pattern(torch.tensor([0.2, 0.4]), torch.tensor([0.1, 0.2]))


def test_values_with_a_pattern():
    assert "All your values are 2.83 times too small." in run(lambda *a: scores(*a) / 8**0.5).message
    assert "All your values are 3 times too large." in run(lambda *a: scores(*a) * 3).message
    assert "All your values are 0.5 too large." in run(lambda *a: scores(*a) + 0.5).message
    assert "Every sign is reversed." in run(lambda *a: -scores(*a)).message


def test_values_in_one_slice():
    def one_wrong_sentence(*args):
        e = scores(*args)
        return torch.cat([e[:1], e[1:] + torch.arange(e.shape[1])])

    result = run(one_wrong_sentence)
    assert result.kind == "difference"
    assert "4 of 10 values differ. The largest difference is at [b=1, s=4]: expected" in result.message
    assert "All of them are at b = 1: what is special there?" in result.message


def test_row_sums():
    right = desk.exercises()["01.weights"].reference
    result = run(lambda s, a: right(s, a) * torch.linspace(0.5, 1.5, s.shape[2]), "01.weights")
    assert result.kind == "rows"
    assert "each row over S must sum to 1; yours sum to 0." in result.message


def test_a_wrong_number():
    result = run(lambda a, s: 0.25, "01.aer")
    assert result.kind == "difference"
    assert result.message == (
        "On the input with three of five links right: your answer is 0.25; expected 0.3333."
    )


def test_a_small_numerical_difference_is_not_a_mistake():
    assert run(lambda *a: scores(*a) + 1e-7).passed
    assert not run(lambda *a: scores(*a) + 1e-3).passed


# --- errors and endless loops ---------------------------------------------------------------------


def test_an_error_is_shown_at_the_learners_line():
    def alignment_scores(s, h, W_a, U_a, v_a):
        query = s @ W_a
        return query

    result = run(alignment_scores)
    assert result.kind == "error"
    assert result.line[1] == "query = s @ W_a"
    assert result.message.startswith("On the input with five different sizes: RuntimeError: ")
    assert result.message.endswith(
        "It was called with s (B=2, D_s=3), h (B=2, S=5, D_h=6), "
        "W_a (A=4, D_s=3), U_a (A=4, D_h=6), v_a (A=4)."
    )
    card = cards.result_card(result)
    assert "query = s @ W_a" in card.text and "query = s @ W_a" in card.html
    assert "course_lib" not in card.text


def test_an_error_inside_a_helper_of_the_learner_and_below_it():
    def helper(x):
        return torch.softmax(x, dim=7)

    result = run(lambda s, h, W_a, U_a, v_a: helper(s))
    assert result.line[1] == "return torch.softmax(x, dim=7)"

    def step(y_prev, s_prev, h, allowed, attend, cell):
        return attend(s_prev, allowed, h)

    assert run(step, "01.decoder-step").line[1] == "return attend(s_prev, allowed, h)"


def test_names_recursion_and_exit():
    def unknown(s, h, W_a, U_a, v_a):
        return atention(s)  # noqa: F821

    def endless(s, h, W_a, U_a, v_a):
        return endless(s, h, W_a, U_a, v_a)

    def leave(s, h, W_a, U_a, v_a):
        sys.exit(1)

    assert "NameError: name 'atention' is not defined. Is it a typing mistake" in run(unknown).message
    assert "where does it stop?" in run(endless).message
    assert "SystemExit" in run(leave).message


def test_the_users_own_interrupt_passes_through():
    def stopped(s, h, W_a, U_a, v_a):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped)


def loop_forever(s, h, W_a, U_a, v_a):
    count = 0
    while True:
        count += 1


def loop_that_swallows_errors(s, h, W_a, U_a, v_a):
    while True:
        try:
            sum(range(100))
        except Exception:
            count = 1  # noqa: F841


@pytest.mark.parametrize("function", [loop_forever, loop_that_swallows_errors])
def test_a_loop_that_never_ends(function):
    started = time.monotonic()
    result = run(function, seconds=0.2)
    assert time.monotonic() - started < 3
    assert (result.status, result.kind) == ("not yet", "timeout")
    assert result.message == "Your function is still running after 0.2 s: is there a loop that never ends?"
    assert result.line is not None


def test_the_time_limit_of_a_page_is_five_seconds():
    assert checking.TIME_LIMIT == 5.0


@pytest.mark.parametrize("function", [loop_forever, loop_that_swallows_errors])
def test_the_limit_holds_in_another_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(function, seconds=0.2)))
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert found[0].kind == "timeout"
    time.sleep(0.4)  # nothing may arrive late


def test_the_watchdog_leaves_a_quick_function_alone():
    for _ in range(50):
        assert running.call_with_limit(lambda x: x + 1, (1,), 0.5) == 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no SIGALRM on this platform")
@pytest.mark.parametrize("delay", [60.0, 0.1], ids=["still running", "already due"])
def test_an_alarm_that_was_running_is_put_back(delay):
    rings = []

    def ring(*_):
        rings.append(1)

    old = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        assert run(loop_forever, seconds=0.2).kind == "timeout"
        assert signal.getsignal(signal.SIGALRM) is ring
        if delay == 60.0:
            left, _ = signal.getitimer(signal.ITIMER_REAL)
            assert 0 < left < 59.85, "less the time that the check took"
        else:
            end = time.monotonic() + 5
            while not rings and time.monotonic() < end:
                time.sleep(0.01)
            assert rings == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


# --- side effects ---------------------------------------------------------------------------------


def test_a_changed_input_is_named_and_harms_nothing():
    def in_place(scores, allowed):
        scores.masked_fill_(~allowed[:, None, :], float("-inf"))
        return torch.softmax(scores, dim=-1)

    result = run(in_place, "01.weights")
    assert (result.status, result.kind) == ("not yet", "changed-input")
    assert result.message.startswith("Your function changes its input `scores` in place")
    assert run(desk.exercises()["01.weights"].reference, "01.weights").passed


def test_a_changed_input_is_a_note_beside_a_misconception():
    def in_place(scores, allowed):
        scores.masked_fill_(~allowed[:, None, :], float("-inf"))
        return torch.softmax(scores, dim=1)

    result = run(in_place, "01.weights")
    assert result.misconception == "softmax-over-queries"
    assert "changes its input `scores`" in result.notes[0]


def test_changed_modules_and_sets_are_seen():
    def pop(guessed, sure):
        while guessed:
            guessed.pop()
        return 0.0

    assert any("`guessed`" in note for note in run(pop, "01.aer").notes)
    cell = torch.nn.GRUCell(2, 3)
    other = running.clone(cell)
    assert running.untouched(cell, other)
    with torch.no_grad():
        other.bias_hh += 1
    assert not running.untouched(cell, other)


def test_warnings_become_a_note():
    def implicit(scores, allowed):
        return torch.nn.functional.softmax(scores.masked_fill(~allowed[:, None], float("-inf")))

    result = run(implicit, "01.weights")
    assert result.misconception == "softmax-over-batch"
    assert result.notes[0].startswith("Python warns: Implicit dimension choice for softmax")


def test_long_output_is_cut():
    def chatty(*args):
        for number in range(100):
            print("line", number)
        return scores(*args)

    result = run(chatty)
    text = cards.result_card(result).text
    assert result.passed and "line 7" in text and "line 8" not in text and "…" in text


# --- a misconception must fit on every input ------------------------------------------------------


def tiny_exercise(misconceptions):
    return Exercise(
        id="99.tiny", title="tiny", minutes=1, difficulty=1, statement="", inputs={"x": "N"},
        outputs=(Output("y", ("N",)),), reference=lambda x: x * x,
        cases=lambda: [
            Case("only ones and twos", (torch.tensor([1.0, 2.0]),), {"N": 2}),
            Case("threes", (torch.tensor([3.0, 3.0, 3.0]),), {"N": 3}),
        ],
        hints=("", ""), misconceptions=misconceptions, insight="",
    )  # fmt: skip


def test_a_match_on_one_input_is_not_enough():
    doubled = Misconception("doubled", (lambda x: 2 * x,), "You double.")
    exercise = tiny_exercise((doubled,))
    assert checking.run_check(exercise, lambda x: 2 * x).misconception == "doubled"

    def doubles_sometimes(x):
        return 2 * x if len(x) == 2 else x + 5

    assert checking.run_check(exercise, doubles_sometimes).kind == "difference"


def test_failing_alike_everywhere_is_not_a_match():
    def fails(x):
        raise RuntimeError("one way")

    def fails_too(x):
        raise RuntimeError("another way")

    exercise = tiny_exercise((Misconception("fails", (fails,), "You fail."),))
    assert checking.run_check(exercise, fails_too).kind == "error"


def test_comparing_rejects_equal_answers():
    exercise = tiny_exercise(())
    case = exercise.cases()[0]
    with pytest.raises(ValueError, match="do not differ"):
        differences.first_difference(exercise, case, torch.ones(2), torch.ones(2))


# --- ideas known by a sign, and answers that are looked at through a view --------------------------


def test_a_sign_is_asked_after_every_way_and_must_hold_wherever_the_answer_is_wrong():
    negative = Misconception(
        "negative", (lambda x: -x,), lambda expected, got, args: f"lowest {got.min():.0f}",
        sign=lambda expected, got, args: bool((got < 0).all()),
    )  # fmt: skip
    minus_five = Misconception("minus-five", (lambda x: x * 0 - 5,), "You always return -5.")
    exercise = tiny_exercise((negative, minus_five))
    assert checking.run_check(exercise, lambda x: x * 0 - 5).misconception == "minus-five"
    other = checking.run_check(exercise, lambda x: x - 9)
    assert (other.misconception, other.message) == (
        "negative",
        "lowest -8 (Measured on the input with only ones and twos.)",
    )
    assert checking.run_check(exercise, lambda x: x - 9 * (len(x) == 2)).kind == "difference"
    assert checking.run_check(exercise, lambda x: -x[:1]).kind == "shape"
    assert checking.run_check(exercise, lambda x: x * x).passed
    partly_right = checking.run_check(exercise, lambda x: x * x if len(x) == 3 else x - 9)
    assert partly_right.misconception == "negative"


def viewed_exercise():
    """Any number whose square is x is right."""

    def square(answer, args):
        if answer.shape != args[0].shape:
            raise CannotCompare(f"your root has {answer.numel()} numbers.")
        return answer**2

    return Exercise(
        id="99.viewed", title="viewed", minutes=1, difficulty=1, statement="", inputs={"x": "N"},
        outputs=(Output("root", ("N",)),), reference=torch.sqrt,
        cases=lambda: [Case("ones and fours", (torch.tensor([1.0, 4.0]),), {"N": 2})],
        hints=("", ""), misconceptions=(Misconception("halved", (lambda x: x / 2,), "You halve."),),
        insight="", view=View(Output("root²", ("N",)), square),
    )  # fmt: skip


def test_through_a_view_every_right_answer_passes():
    exercise = viewed_exercise()
    assert checking.run_check(exercise, torch.sqrt).passed
    assert checking.run_check(exercise, lambda x: -(x**0.5)).passed
    assert checking.run_check(exercise, lambda x: -x / 2).misconception == "halved"


def test_through_a_view_what_is_compared_is_named():
    exercise = viewed_exercise()
    other = checking.run_check(exercise, lambda x: x**0.5 + torch.tensor([0.0, 1.0]))
    assert other.kind == "difference"
    assert "`root²` has the right shape; 1 of 2 values differ." in other.message
    assert "expected 4.0000, got 9.0000" in other.message
    unfit = checking.run_check(exercise, lambda x: x[:1])
    assert (unfit.kind, unfit.message) == (
        "shape",
        "On the input with ones and fours: your root has 1 numbers. It was called with x (N=2).",
    )
    assert checking.run_check(exercise, lambda x: [1.0, 2.0]).kind == "type"
    assert checking.run_check(exercise, lambda x: ...).kind == "stub"
    assert checking.run_check(exercise, lambda x: x @ torch.ones(9)).kind == "error"


def test_a_dict_of_tensors_is_copied_and_watched():
    before = {"W": torch.ones(2), "many": [torch.zeros(1), 3]}
    copied = running.clone(before)
    assert running.untouched(before, copied)
    copied["W"] += 1
    assert before["W"].tolist() == [1, 1] and not running.untouched(before, copied)
    copied = running.clone(before)
    copied["many"][0][0] = 5
    assert not running.untouched(before, copied)
    copied = running.clone(before)
    del copied["W"]
    assert not running.untouched(before, copied)


def test_axes_or_words():
    assert axis_names("B, D_s") == ("B", "D_s")
    assert axis_names("the number of heads, H") is None
    assert axis_names("True or False, in a shape that broadcasts to (B, H, T, S)") is None


def test_an_order_of_parameters_is_noted_beside_a_misconception():
    def soft_lookup(keys, query, values):
        return torch.softmax(keys @ query, dim=0) @ values

    result = run(soft_lookup, "02.soft-dict")
    assert result.notes == (
        "Your parameters are (keys, query, values); check passes them by position, as (query, keys, values).",
    )


# --- in a real notebook cell ----------------------------------------------------------------------

CELLS = [
    "from course_lib.practice import check, hint, predict, exercise, progress",
    "def alignment_scores(s, h, W_a, U_a, v_a):\n    ...\n\ncheck('01.scores', alignment_scores)",
    "def alignment_scores(s, h, W_a, U_a, v_a):\n    query = s @ W_a.T\n    return query @ h\n\n"
    "check('01.scores', alignment_scores)",
    "def alignment_scores(s, h, W_a, U_a, v_a):\n    while True:\n        s = s + 1\n\n"
    "check('01.scores', alignment_scores, seconds=0.2)",
    "predict('01.lag')",
]

PROGRAM = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
answers = []
for cell in json.loads(sys.argv[1]):
    with capture_output() as said:
        result = shell.run_cell(cell, store_history=True)
    assert result.success and result.result is None, (cell, result)
    answers.append([dict(o.data) for o in said.outputs])
    assert said.stdout == said.stderr == "", (said.stdout, said.stderr)
print(json.dumps(answers))
"""


def test_in_a_notebook_each_check_shows_one_thing(tmp_path, monkeypatch):
    import json

    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(CELLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported, stub, error, loop, question = json.loads(done.stdout.splitlines()[-1])
    assert imported == []
    for outputs in (stub, error, loop):
        assert len(outputs) == 1 and set(outputs[0]) == {"text/html", "text/plain"}
    assert len(question) == 1 and "sᵢ₋₁" in question[0]["text/plain"]
    assert stub[0]["text/plain"].startswith("○ 01.scores: not attempted yet.")
    assert "line 3: return query @ h" in error[0]["text/plain"]
    assert "line 3: s = s + 1" in loop[0]["text/plain"] or "line 2: while True:" in loop[0]["text/plain"]
    assert str(tmp_path) not in stub[0]["text/plain"] + stub[0]["text/html"]


@pytest.mark.parametrize("tolerance", [1e-5, 1e-3])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16])
def test_few_numbers_are_compared_as_many_are(kind, tolerance):
    """Each number with each: alone as one of few, and at the end of a row that torch compares whole."""
    base = [0.0, 1.0, -1.0, 2e-5, 1000.0, 60000.0]
    steps = [0.0, 0.5, 0.999, 1.001, 2.0]
    values = [x + n * (tolerance + tolerance * abs(x)) for x in base for n in steps]
    values = torch.tensor([*values, math.inf, -math.inf, math.nan]).to(kind)
    many = torch.zeros(comparing.FEW, dtype=kind)
    for a, b in itertools.product(values, values):
        rows = (torch.cat([many, number[None]]) for number in (a, b))
        assert comparing.same(a, b, tolerance) == comparing.same(*rows, tolerance), (a, b)


def test_what_is_remembered_of_an_input_ends_with_it():
    """Inputs of the same names and other numbers: the right answer and the wrong ideas are made anew."""
    one, times = desk.exercises()["00.weighted-mean"], itertools.count(1)

    def cases():
        n = next(times)
        return [replace(case, args=(n * case.args[0], case.args[1])) for case in one.cases()]

    exercise, idea = replace(one, cases=cases), one.misconceptions[0]
    for _ in range(2):
        assert checking.run_check(exercise, one.reference).passed
        assert checking.run_check(exercise, idea.ways[0]).misconception == idea.name


def test_a_mishap_of_the_right_answer_is_not_remembered():
    one, mishaps = desk.exercises()["00.weighted-mean"], iter([MemoryError])

    def reference(*args):
        for mishap in mishaps:
            raise mishap
        return one.reference(*args)

    exercise = replace(one, reference=reference)
    assert checking.run_check(exercise, one.reference).kind == "unreadable"
    assert checking.run_check(exercise, one.reference).passed


@pytest.mark.parametrize(
    ("id", "function", "says"),
    [
        (
            "01.scores",
            lambda s, h, W_a, U_a, v_a: v_a @ torch.tanh(W_a @ s + U_a @ h),
            "`s @ W_a.T` is (B, A)",
        ),
        (
            "01.weights",
            lambda scores, allowed: scores.masked_fill(~allowed, -1e9),
            "`allowed` needs an axis for T",
        ),
        ("01.weights", lambda scores, allowed: scores.softmax(-1) * (not allowed), "write `~allowed`"),
        ("01.context", lambda weights, h: weights * h, "it stands for both"),
        (
            "01.decoder-step",
            lambda y, s, h, m, attend, cell: (cell(s, y), *attend(s, h, m)),
            "(input, state)",
        ),
        ("00.weighted-mean", lambda v, w: (torch.softmax(w, 0) * v).sum(), "need no softmax"),
        ("02.soft-dict", lambda query, keys, values: torch.softmax(query @ keys, 0), "in `keys @ query`"),
        ("02.soft-dict", lambda query, keys, values: torch.softmax(keys @ query, 1) @ values, "`dim=0`"),
        ("02.attention", lambda q, k, v, allowed: torch.softmax(q @ k, -1) @ v, "must be the features K"),
        ("02.attention", lambda q, k, v, allowed: q @ k.transpose(1, 2), "it is the last two, -2 and -1"),
        ("02.attention", lambda q, k, v, allowed: q @ k.mT / torch.sqrt(k.shape[-1]), "`k.shape[-1] ** 0.5`"),
        ("02.attention", lambda q, k, v, allowed: (q @ k.mT)[~allowed], "lets a smaller one broadcast"),
        (
            "02.retrieval",
            lambda wanted, n_keys: (torch.eye(2)[wanted], torch.eye(n_keys)),
            "it can pick rows",
        ),
        (
            "03.split",
            lambda x, n_heads: x.view(*x.shape[:2], n_heads, x.shape[2] / n_heads),
            "`d // n_heads`",
        ),
        ("03.split", lambda x, n_heads: x.mT.view(len(x), n_heads, x.shape[1], -1), "Cut first"),
        ("03.merge", lambda x: x.transpose(1, 2).view(len(x), x.shape[2], -1), "`.contiguous()` before"),
        ("03.merge", lambda x: torch.cat(x, dim=-1), "takes a list of tensors"),
        ("03.layer", lambda x_q, x_kv, params, n_heads, allowed: params["w_q"], '"W_q", "b_q"'),
        ("03.layer", lambda x_q, x_kv, params, n_heads, allowed: params.W_q, "is a dict"),
    ],
)
def test_the_most_natural_errors_get_a_sentence_of_their_own(id, function, says):
    result = desk.run_check(id, function)
    assert not result.passed and says in result.message, result.message


def test_close_is_not_equal_and_the_digits_show_it():
    message = run(lambda *args: scores(*args) * (1 + 5e-5)).message
    expected, got = re.search(r"expected (-?[\d.]+\d), got (-?[\d.]+\d)", message).groups()
    assert expected != got and abs(float(expected) - float(got)) < 1e-3


def test_a_forgotten_return_beside_an_error_is_a_forgotten_return():
    def forgets(guessed, sure):
        1 - 2 * len(set(guessed) & set(sure)) / (len(set(guessed)) + len(set(sure)))

    assert "for some inputs only" not in desk.run_check("01.aer", forgets).message
