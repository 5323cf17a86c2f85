"""09a.schedule: other rises, other falls, other joints, and what a tutor says."""

import math

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def rising(step, warmup):
    return (step + 1) / warmup


def along(step, warmup, total):
    return (step - warmup) / (total - warmup)


def half_cosine(t):
    return (1 + math.cos(math.pi * t)) / 2


def made(
    rise=rising,
    until=lambda step, warmup: step < warmup,
    t=along,
    shape=half_cosine,
    last=lambda factor, end: end + (1 - end) * factor,
    stop=lambda t: min(t, 1),
):
    """Another rise, another joint, another way from 0 to 1, another curve, another end."""

    def lr_factor(step, warmup, total, end):
        if until(step, warmup):
            return rise(step, warmup)
        return last(shape(stop(t(step, warmup, total))), end)

    return lr_factor


def joined(how):
    """Rise and cosine at once: the smaller of them, or their product."""

    def lr_factor(step, warmup, total, end):
        first = min((step + 1) / warmup, 1) if warmup else 1
        fall = end + (1 - end) * half_cosine(min(step / total, 1))
        return how(first, fall)

    return lr_factor


def paper(step, warmup, total, end):
    return min(step**-0.5, step * warmup**-1.5) * warmup**0.5


def from_the_paper(step, warmup, total, end):
    return min((step + 1) ** -0.5, (step + 1) * max(warmup, 1) ** -1.5) * max(warmup, 1) ** 0.5


PARTS = {
    "rise": {
        "first-step-0": lambda step, warmup: step / warmup,
        "rise-too-slow": lambda step, warmup: (step + 1) / (warmup + 1),
        "rise-to-0": lambda step, warmup: 1 - step / warmup,
        "rise-along-a-cosine": (
            lambda step, warmup: (1 - math.cos(math.pi * (step + 1) / warmup)) / 2,
            lambda step, warmup: (1 - math.cos(math.pi * step / warmup)) / 2,
            lambda step, warmup: math.sin(math.pi / 2 * (step + 1) / warmup),
        ),
        "no-rise": lambda step, warmup: 1,
    },
    "until": {
        "joint-one-late": lambda step, warmup: step <= warmup,
        "no-warm-up": lambda step, warmup: False,
    },
    "t": {
        "not-minus-warm-up": (
            lambda step, warmup, total: step / total,
            lambda step, warmup, total: step / (total - warmup),
        ),
        "divided-by-all": lambda step, warmup, total: (step - warmup) / total,
        "one-step-on": lambda step, warmup, total: (step + 1 - warmup) / (total - warmup),
        "end-one-early": lambda step, warmup, total: (step - warmup) / max(total - warmup - 1, 1),
        "fraction-cut-off": lambda step, warmup, total: (step - warmup) // (total - warmup),
    },
    "shape": {
        "quarter-cosine": lambda t: math.cos(math.pi / 2 * t),
        "whole-cosine": lambda t: math.cos(math.pi * t),
        "two-half-cosines": lambda t: (1 + math.cos(2 * math.pi * t)) / 2,
        "no-pi": (lambda t: math.cos(t), lambda t: (1 + math.cos(t)) / 2),
        "not-halved": lambda t: 1 + math.cos(math.pi * t),
        "in-degrees": lambda t: (1 + math.cos(180 * t)) / 2,
        "straight-line": lambda t: 1 - t,
        "turned-round": lambda t: (1 - math.cos(math.pi * t)) / 2,
        "sine": lambda t: (1 + math.sin(math.pi * t)) / 2,
        "exponential": lambda t: math.exp(-t),
    },
    "last": {
        "end-ignored": lambda factor, end: factor,
        "end-added": lambda factor, end: end + factor,
        "end-as-a-floor": lambda factor, end: max(factor, end),
        "end-times": lambda factor, end: end * factor,
        "end-twice": lambda factor, end: end + (1 + end) * factor,
        "end-not-added": lambda factor, end: (1 - end) * factor,
    },
    "stop": {"comes-up-again": lambda t: t},
}


def after_the_end(value, late=0):
    def lr_factor(step, warmup, total, end):
        return value if step >= total + late else made()(step, warmup, total, end)

    return lr_factor


WAYS = {
    **single(PARTS, made),
    "rise-from-end": lambda step, warmup, total, end: (
        end + (1 - end) * (step + 1) / warmup if step < warmup else made()(step, warmup, total, end)
    ),
    "smaller-of-both": joined(min),
    "product-of-both": joined(lambda a, b: a * b),
    "nothing-after-the-end": (after_the_end(0), after_the_end(0, late=1)),
    "the-paper-s-formula": (paper, from_the_paper),
}

WORDS = entries("""
first-step-0
    At step 0 your factor is 0, so the first step moves nothing, and the peak comes one step late. Steps count
    from 0 and the rise from 1: (step + 1) / warmup.
rise-too-slow
    Your rise does not reach 1: at step warmup - 1 it must be there. Divide by `warmup`.
rise-to-0
    In the first steps your factor falls from 1. Warm-up begins small: (step + 1) / warmup.
rise-along-a-cosine
    Your rise is bent. It goes up in equal amounts, (step + 1) / warmup; only the fall is a cosine.
rise-from-end
    Your rise begins at `end`. It begins at 1 / warmup and knows nothing of `end`.
no-rise
    In the first `warmup` steps your factor is 1 already. There it rises, (step + 1) / warmup.
joint-one-late
    At step `warmup` your rise goes on, one step too far (and with `warmup` 0 it divides by 0). The steps of
    the rise are 0 to warmup - 1: `step < warmup`.
no-warm-up
    Your rise is never used: in the first `warmup` steps the factor is (step + 1) / warmup.
not-minus-warm-up
    At step `warmup` your factor jumps: the cosine was counted from step 0. It begins where the rise ends:
    t = (step - warmup) / (total - warmup).
divided-by-all
    The fall comes too slowly: at step `total` it has not arrived at `end`. From `warmup` to `total` there are
    total - warmup steps: divide by those.
one-step-on
    Your cosine is one step ahead: at step `warmup` it has begun to fall. There t must be 0.
end-one-early
    Your factor arrives at `end` one step early. At step `total` t is 1: divide by total - warmup.
fraction-cut-off
    Your t is a whole number, 0 until the end: `//` cuts the fraction away. Divide with `/`.
quarter-cosine
    You take a quarter of a cosine, up to π/2. It begins as it should and ends steeply; half a cosine goes on
    to π, where it is level again: (1 + cos(π t)) / 2.
whole-cosine
    cos(π t) goes from 1 to -1, so a rate would become negative. Squeeze it and move it: (1 + cos(π t)) / 2
    goes from 1 to 0.
two-half-cosines
    Your cosine goes down and up again: 2 π t is a whole turn. Half a turn is π t.
no-pi
    π is missing inside the cosine: with t from 0 to 1 it does not come far. Half a cosine is cos(π t).
not-halved
    Your factor begins at 2: 1 + cos(π t) goes from 2 to 0, and must be halved.
in-degrees
    You count in degrees. `math.cos` wants radians: half a turn is π, not 180.
straight-line
    Your factor falls in a straight line. Asked for is half a cosine: (1 + cos(π t)) / 2.
turned-round
    After the warm-up your factor rises from `end` to 1. The sign of the cosine is turned round:
    (1 + cos(π t)) / 2.
sine
    That is a sine. It begins in the middle and comes back to it; a cosine begins at 1.
exponential
    Your factor falls as an exponential does. Asked for is half a cosine: (1 + cos(π t)) / 2.
end-ignored
    `end` has no effect on the fall: your factor goes down to 0. It goes from 1 to `end`:
    end + (1 - end) · (1 + cos(π t)) / 2.
end-added
    You add `end` to a fall from 1 to 0, so that it begins above 1. It must be squeezed as well: from 1 to
    `end` it falls by 1 - end.
end-as-a-floor
    Your factor falls towards 0 and is stopped at `end`. The cosine itself goes from 1 to `end`:
    end + (1 - end) · (1 + cos(π t)) / 2.
end-times
    You multiply the fall by `end`. It goes from 1 to `end`: end + (1 - end) · (1 + cos(π t)) / 2.
end-twice
    Your fall begins at 1 + 2 · end. From 1 to `end` it falls by 1 - end: a sign is wrong.
end-not-added
    Your fall goes from 1 - end to 0. Add `end`: from 1 to `end`.
comes-up-again
    After step `total` your factor rises again, as a cosine does. There it stays at `end`: let t be 1 at most.
smaller-of-both
    You take the smaller of the rise and of a cosine that was counted from step 0, so the factor never
    reaches 1. The cosine begins where the rise ends: t = (step - warmup) / (total - warmup).
product-of-both
    You multiply the rise by a cosine that was counted from step 0. They follow one another: first the rise
    alone, then the cosine alone, counted from step `warmup`.
nothing-after-the-end
    Your factor is 0 when the fall is over. From step `total` on it stays at `end`.
the-paper-s-formula
    That is the schedule of "Attention Is All You Need": it falls with the root of the step, and at step 0 a
    negative power is not defined. Asked for is a rise in equal amounts, then half a cosine.
""")
SKIP = {(name, "no-warm-up") for name in PARTS["rise"]}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
