"""Rules that hold for every exercise, so that a later chapter's exercises are held to them as well."""

import contextlib
import decimal
import fractions
import re
import time

import numpy
import pytest
import torch

from course_lib.practice import desk, running

EXERCISES = list(desk.exercises().values())
by_id = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
with_axes = pytest.mark.parametrize(
    "exercise", [e for e in EXERCISES if len(e.outputs) == 1 and e.outputs[0].axes], ids=lambda e: e.id
)

NEVER_1 = {
    "04.leak": {"D"},  # one feature alone has no standard deviation
    "05.sinusoidal": {"D"},  # two features a clock
    "05.smoothing": {"V"},  # with one word there is nothing to say
    "06.strip": {"N"},  # [BOS] and [EOS] at least
    "06.choose": {"C", "P"},  # eight tasks, two texts for each
    "08.input-triple": {"T"},  # [CLS], a word and [SEP] at least
    "08.fill": {"V"},  # [MASK] and a word at least
    "09b.rotary": {"K"},  # features come in pairs
    "10b.advantages": {"G"},  # an answer alone is compared with nobody
}


# --- every axis is once 1 and once not ----------------------------------------------------------------------


@by_id
def test_every_axis_is_once_1_and_once_not(exercise):
    cases = [case for case in exercise.cases() if case.sizes]
    axes = {axis for case in cases for axis in case.sizes} - {"1"} - NEVER_1.get(exercise.id, set())
    assert {axis for axis in axes if any(case.sizes.get(axis) == 1 for case in cases)} == axes
    assert {axis for axis in axes if any(case.sizes.get(axis, 1) > 1 for case in cases)} == axes


@with_axes
def test_a_bare_squeeze_is_refused_and_named(exercise):
    result = desk.run_check(exercise.id, lambda *args: exercise.reference(*args).squeeze())
    assert result.misconception == "squeezed", result


# --- exactly 0 ----------------------------------------------------------------------------------------------

FORBIDDING = [e for e in EXERCISES if e.forbidden]


def test_where_weights_are_visible_the_forbidden_ones_are_compared_with_0():
    assert {"01.weights", "04.softmax"} <= {e.id for e in FORBIDDING}


@pytest.mark.parametrize("exercise", FORBIDDING, ids=lambda e: e.id)
@pytest.mark.parametrize(
    "change", [lambda w: w + 1e-9, lambda w: w.clamp(min=1e-7), lambda w: w + torch.rand(w.shape) * 1e-9]
)
def test_almost_0_is_not_0(exercise, change):
    result = desk.run_check(exercise.id, lambda *args: change(exercise.reference(*args)))
    assert result.kind == "not-zero" and "must be exactly 0" in result.message, result
    alike = "the same number everywhere" in result.message
    assert alike == (len(torch.unique(change(torch.zeros(5)))) == 1)


@pytest.mark.parametrize("id", ["01.weights", "02.attention", "03.layer", "04.softmax"])
@pytest.mark.parametrize("low", [-5.0, -10.0, -15.0, -30.0, -100.0])
def test_a_score_that_is_only_low_is_not_forbidden(id, low):
    exercise = desk.exercises()[id]
    ways = {m.name: m for m in exercise.misconceptions}
    assert "not-low-enough" in ways

    def filled(scores, allowed):
        allowed = allowed[:, None] if id == "01.weights" else allowed
        return scores.masked_fill(~allowed, low).softmax(-1)

    if id in ("01.weights", "04.softmax"):
        result = desk.run_check(id, filled)
    elif id == "02.attention":
        result = desk.run_check(
            id, lambda q, k, v, allowed: filled(q @ k.mT / k.shape[-1] ** 0.5, allowed) @ v
        )
    else:
        from course_lib.practice import parts

        result = desk.run_check(id, lambda *args: parts.multi_head(*args, mask=parts.fill(low)))
    assert not result.passed
    if id != "02.attention" and id != "03.layer":
        assert result.misconception == "not-low-enough", result


# --- honest forms -------------------------------------------------------------------------------------------


def each(change):
    """``change`` for every tensor of an answer."""

    def form(value):
        if isinstance(value, tuple):
            return tuple(map(form, value))
        return change(value) if isinstance(value, torch.Tensor) else value

    return form


def in_float64(value):
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, torch.nn.Module):
        return value.double()
    if isinstance(value, dict):
        return {name: in_float64(part) for name, part in value.items()}
    return value


def strided(tensor):
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


def floating(change):
    return each(lambda tensor: change(tensor) if tensor.is_floating_point() else tensor)


FORMS = {
    "float64": floating(torch.Tensor.double),
    "float32": floating(torch.Tensor.float),
    "not contiguous": each(strided),
    "a view": each(lambda tensor: tensor[None][0]),
    "a parameter": floating(lambda t: torch.nn.Parameter(t) if not t.requires_grad else t),
}


@by_id
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_right_answer_passes_in_any_honest_form(exercise, form):
    result = desk.run_check(exercise.id, lambda *args: form(exercise.reference(*args)))
    assert result.passed, result


@by_id
def test_numpy_and_back_is_right_where_no_gradient_is_asked(exercise):
    there_and_back = each(lambda tensor: torch.from_numpy(tensor.numpy()))

    def function(*args):
        if any(isinstance(a, torch.Tensor) and a.requires_grad for a in args):
            return exercise.reference(*args)
        with torch.no_grad():
            return there_and_back(exercise.reference(*args))

    assert desk.run_check(exercise.id, function).passed


@by_id
def test_work_in_float64_is_right(exercise):
    if exercise.id == "01.decoder-step":
        pytest.skip("`attend` holds matrices of its own, in float32")

    def function(*args):
        return exercise.reference(*map(in_float64, args))

    result = desk.run_check(exercise.id, function)
    assert result.passed, result


@pytest.mark.parametrize(
    "exercise",
    [
        e
        for e in EXERCISES
        if not (e.outputs[0].axes or e.outputs[0].texts or e.outputs[0].form)
        and len(e.outputs) == 1
        and e.id != "10b.dpo"  # gradients must flow back through this one
    ],
    ids=lambda e: e.id,
)
@pytest.mark.parametrize(
    "form", [float, numpy.float64, lambda x: torch.tensor(float(x)), lambda x: numpy.float32(float(x))]
)
def test_one_number_may_be_any_kind_of_number(exercise, form):
    result = desk.run_check(exercise.id, lambda *args: form(exercise.reference(*args)))
    assert result.passed, result


@by_id
def test_parameters_may_have_other_names_and_defaults(exercise):
    def function(*args, verbose=False, **more):
        return exercise.reference(*args)

    assert desk.run_check(exercise.id, function).passed


# --- nothing raises -----------------------------------------------------------------------------------------


class Silent:
    """Everything that is asked of it raises."""

    def _raise(self, *args, **more):
        raise RuntimeError("silent")

    __repr__ = __str__ = __len__ = __eq__ = __iter__ = __getattr__ = __bool__ = __float__ = _raise
    __hash__ = None


class ListWithoutLength(list):
    def __len__(self):
        raise RuntimeError("no length")

    __iter__ = __repr__ = __len__


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Leaving(BaseException):
    pass


def raises(make):
    """A new error each time: one that is raised again keeps all the lines of its past."""

    def monster(*args):
        raise make()

    return monster


def gives(make):
    return lambda *args: make()


MONSTERS = {
    "silent": gives(Silent),
    "a list of silents": gives(lambda: [Silent(), Silent()]),
    "a tuple of silents": gives(lambda: (Silent(), Silent())),
    "a list without length": gives(ListWithoutLength),
    "a list that holds itself": gives(lambda: (x := [], x.append(x))[0]),
    "an error without text": raises(MuteError),
    "an error of no Exception": raises(Leaving),
    "exit": raises(lambda: SystemExit(3)),
    "end of generator": raises(GeneratorExit),
    "a fraction": gives(lambda: fractions.Fraction(1, 3)),
    "a decimal": gives(lambda: decimal.Decimal("0.1")),
    "a huge number": gives(lambda: 10**400),
    "a number of 5,000 digits": gives(lambda: -(10**5000)),
    "a complex number": gives(lambda: 1j),
    "nan": gives(lambda: float("nan")),
    "a class": gives(lambda: Silent),
    "a method": gives(lambda: torch.ones(2).bool),
    "bytes": gives(lambda: b"\xff\x00"),
    "a dict": gives(lambda: {1: Silent()}),
    "a generator": lambda *args: (Silent() for _ in args),
    "an array of objects": gives(lambda: numpy.array([Silent(), None], dtype=object)),
    "meta": gives(lambda: torch.empty((), device="meta")),
    "sparse": gives(lambda: torch.eye(3).to_sparse()),
    "nested": gives(lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])),
    "complex": gives(lambda: torch.ones(2, 3, dtype=torch.complex64)),
    "far too large": gives(lambda: torch.zeros(1).expand(10**12)),
    "no numbers": gives(lambda: torch.empty(0, 3)),
}


def in_the_right_shape(exercise, change):
    """The right answer, with ``change`` made to its tensors: what gets as far as the comparing."""
    return lambda *args: each(change)(exercise.reference(*args))


SHAPED = {
    "bool": lambda t: t > 0.1,
    "int": lambda t: (3 * t).to(torch.int64),
    "uint8": lambda t: t.to(torch.uint8),
    "half": lambda t: 2 * t.half(),
    "wrong in float64": lambda t: t.double() * 2 + 1,
    "complex128": lambda t: t.to(torch.complex128),
    "sparse": lambda t: t.detach().to_sparse(),
    "meta": lambda t: t.to("meta"),
    "infinite": lambda t: t.float() + float("inf"),
    "nan": lambda t: t.float() * float("nan"),
    "one axis more": lambda t: t[..., None],
    "three axes more": lambda t: t[..., None, None, None],
    "one number": lambda t: t.float().sum(),
    "a list of numbers": lambda t: t.tolist(),
    "a list of tensors": lambda t: list(t) if t.dim() else [t],
    "an array": lambda t: t.detach().numpy(),
    "frozen": lambda t: t.detach(),
}


@by_id
def test_nothing_that_a_function_returns_raises_out_of_check(exercise):
    monsters = {name: monster for name, monster in MONSTERS.items()}
    monsters |= {"right, but " + name: in_the_right_shape(exercise, f) for name, f in SHAPED.items()}
    for name, monster in monsters.items():
        result = desk.run_check(exercise.id, monster)
        assert result.status in ("not yet", "solved"), name
        assert len(result.message) > 20 and "looking at it raised" not in result.message, (name, result)
        if name in MONSTERS and not (name == "a fraction" and exercise.outputs[0].axes is None):
            assert not result.passed, name


def test_nothing_that_is_handed_in_raises_out_of_check():
    for thing in (Silent(), [Silent()], Silent, b"", 10**5000, torch.ones(2)):
        result = desk.run_check("00.weighted-mean", thing)
        assert result.status == "not yet" and len(result.message) > 40


def test_an_input_that_is_filled_with_monsters_is_a_changed_input():
    def spoils(x_q, x_kv, params, n_heads, allowed):
        params["W_q"] = Silent()
        return 1

    result = desk.run_check("03.layer", spoils)
    assert not result.passed


# --- five seconds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["00.weighted-mean", "02.retrieval", "04.softmax"])
def test_one_slow_operation_does_not_hold_up_the_check(id):
    def slow(*args):
        time.sleep(1.5)  # inside C: no exception gets in
        return 1

    started = time.monotonic()
    result = desk.run_check(id, slow, 0.2)
    assert time.monotonic() - started < 1.2
    assert result.kind == "timeout" and "ends in the background" in result.message
    assert result.line is not None and "time.sleep(1.5)" in result.line[1]


def test_the_limit_is_for_all_inputs_together():
    exercise = desk.exercises()["03.split"]

    def tired(*args):
        for _ in range(10):
            time.sleep(0.01)
        return exercise.reference(*args)

    started = time.monotonic()
    assert desk.run_check("03.split", tired, 0.3).kind == "timeout"
    assert time.monotonic() - started < 1.2


def test_a_loop_that_eats_every_exception_is_left_behind():
    stop = []

    def eats(*args):
        while not stop:
            with contextlib.suppress(BaseException):
                time.sleep(0.001)

    started = time.monotonic()
    assert desk.run_check("03.merge", eats, 0.2).kind == "timeout"
    assert time.monotonic() - started < 1.5
    stop.append(True)


def test_a_huge_answer_is_told_its_size_and_not_read():
    started = time.monotonic()
    huge = desk.run_check("02.retrieval", lambda w, n: (torch.zeros(len(w), 10**6), torch.zeros(n, 10**6)))
    assert "check reads up to 10,000" in huge.message and time.monotonic() - started < 4


# --- a sentence is measured ---------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", FORBIDDING, ids=lambda e: e.id)
def test_what_is_said_of_rows_and_scores_is_true_of_this_answer(exercise):
    cases = [c for c in exercise.cases() if not c.args[0].requires_grad]
    for misconception in exercise.misconceptions:
        for way in misconception.ways:
            message = desk.run_check(exercise.id, way).message
            answers = [running.run_ours(way, case.args).value for case in cases]
            answers = [answer for answer in answers if answer is not None]
            for found in re.findall(r"row sums to (\d\.\d+)", message):
                sums = [f"{s:.{len(found) - 2}f}" for answer in answers for s in answer.sum(-1).flatten()]
                assert found in sums, (misconception.name, message)
            for found in re.findall(r"largest score here is (-?\d+)", message):
                assert found in [f"{case.args[0].max():.0f}" for case in cases] and int(found) > 89
                assert any(not torch.isfinite(answer).all() for answer in answers)
