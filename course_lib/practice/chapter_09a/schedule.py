"""09a.schedule: warm-up, then half a cosine down to a last factor."""

import math

from course_lib.practice.chapter_09a.schedule_ways import PAIRS, WAYS, WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def lr_factor(step, warmup, total, end):
    if step < warmup:
        return (step + 1) / warmup
    t = min((step - warmup) / (total - warmup), 1)  # from 0 to 1
    return end + (1 - end) * (1 + math.cos(math.pi * t)) / 2


def made_cases(runs: tuple[tuple[int, int, float, tuple[int, ...]], ...]) -> list[Case]:
    return [
        Case(f"step {step}, warm-up {warmup}, {total} steps in all, end {end:g}", (step, warmup, total, end))
        for warmup, total, end, steps in runs
        for step in steps
    ]


def cases() -> list[Case]:
    return made_cases(
        (
            (10, 100, 0.1, (0, 4, 9, 10, 11, 40, 55, 99, 100, 130)),
            (3, 8, 0.0, (1, 2, 3, 5, 6, 7, 8, 9)),
            (0, 20, 0.2, (0, 1, 10, 19)),
            (1, 6, 0.05, (0, 1, 4)),
        )
    )


def further() -> list[Case]:
    return made_cases(
        ((7, 50, 0.3, (0, 3, 6, 7, 8, 20, 49, 50, 77)), (0, 9, 0.0, (0, 4, 9)), (2, 3, 0.1, (2,)))
    )


SCHEDULE = Exercise(
    id="09a.schedule",
    title="Warm-up, then a cosine",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `lr_factor(step, warmup, total, end)`: by what the peak learning rate is multiplied at a step.
        Steps are counted from 0. Return one number.

        In the first `warmup` steps the factor rises in equal amounts: at step 0 it is 1 / warmup (so that the
        first step moves something), at step 1 it is 2 / warmup, at step warmup - 1 it is 1. From step
        `warmup` on it falls along half a cosine: at step `warmup` it is 1, at step `total` it is `end`, and
        half way between the two it is in the middle of 1 and `end`. From `total` on it stays at `end`.
        `warmup` may be 0: then there is no rise. `total` is larger than `warmup`, and `end` lies from 0 to
        below 1. Half a cosine: what cos x does from x = 0 to x = π, squeezed and moved so that it goes from 1
        to `end`.
    """),
    inputs={
        "step": "a whole number, 0 or more",
        "warmup": "how many steps",
        "total": "how many steps",
        "end": "a number",
    },
    outputs=(Output("factor"),),
    reference=lr_factor,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Let t run from 0 at step `warmup` to 1 at step `total`: what is t at any step between? cos(π t)
            goes from 1 to -1. What must be done to it to go from 1 to 0, and then from 1 to `end`?
        """),
        lines("""
            if step is below warmup: return (step + 1) / warmup
            t = (step - warmup) / (total - warmup), and 1 at most
            return end + (1 - end) · (1 + cos(π t)) / 2
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        Two tests find nearly every slip in a schedule: its values at 0, `warmup` and `total`, and that no
        step changes it by a jump.
    """),
    tolerance=1e-6,
    advice=advice(r"""
division by zero|ZeroDivisionError
    With `warmup` 0 there is no rise, and nothing may be divided by it; step 0 belongs to the cosine already.
    Ask `step < warmup` before you divide. (A formula with a power of the step fails at step 0, too.)
math domain error|negative power|0.0 cannot be raised
    0 to a negative power is not defined, and step 0 asks for it. The rise here is (step + 1) / warmup.
'math' is not defined
    `math.cos` and `math.pi` need `import math`.
must be Tensor, not
    Numbers come in, no tensors: `math.cos`.
"""),
)
