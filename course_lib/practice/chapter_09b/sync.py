"""09b.sync: several processes, each with its pieces: when are gradients averaged?"""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09b.sync_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def synced(gradients, flags):
    R, P, D = gradients.shape
    held = torch.zeros(R, D)
    for p in range(P):
        held = held + gradients[:, p]
        if flags[p]:
            held = held.mean(dim=0, keepdim=True).expand(R, D)  # all hold the same now
    return held


def cases() -> list[Case]:
    g = seeded(914)

    def case(name: str, R: int, D: int, flags: list[bool]) -> Case:
        P = len(flags)
        return Case(name, (random(g, R, P, D), flags), {"R": R, "P": P, "D": D})

    turned = case("gradients that are not contiguous", 3, 4, [True, False])
    return [
        case("three processes, four pieces, the last one exchanged", 3, 5, [False, False, False, True]),
        case("an exchange in the middle", 3, 2, [False, True, False, False]),
        case("an exchange after each piece", 2, 4, [True, True, True]),
        case("no exchange at all", 2, 3, [False, False, False, False]),
        case("all but the last piece exchanged", 4, 3, [True, False]),
        case("the first and the last piece exchanged", 2, 5, [True, False, True]),
        case("one piece", 3, 4, [True]),
        case("one process", 1, 4, [False, True, True]),
        case("one parameter", 4, 1, [False, True, False]),
        case("as many processes as pieces and parameters", 3, 3, [False, True, True]),
        Case(turned.name, (not_contiguous(turned.args[0], 1, 2), turned.args[1]), turned.sizes),
    ]


def further() -> list[Case]:
    g = seeded(915)
    return [
        Case("other flags", (random(g, R, len(flags), 3), flags), {"R": R, "P": len(flags), "D": 3})
        for R in (2, 5)
        for flags in ([True, False, False], [False, True], [False, False, True, True], [False])
    ]


SYNC = Exercise(
    id="09b.sync",
    title="A flag that comes too late",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `synced(gradients, flags)`. R processes train one model together. For one step each of them has
        P pieces; `gradients` (R, P, D) holds the gradient, for D parameters, that each piece of each process
        gives. Every process holds a gradient, 0 at first. Piece after piece, in order, each process adds the
        gradient of its piece to what it holds. Then, if `flags[p]` is True for this piece p, the processes
        exchange: each of them now holds the mean of what all R held. If it is False, each keeps its own.

        Return what the processes hold after the last piece, (R, D): with this they will move their
        parameters. `flags` is a list of P times True or False. Do not change `gradients`.
    """),
    inputs={"gradients": "R, P, D", "flags": "a list of True and False"},
    outputs=(Output("held", ("R", "D")),),
    reference=synced,
    cases=cases,
    further=further,
    hints=(
        prose("""
            What is averaged is all that a process holds, its earlier pieces with it, not the newest piece
            alone. Which comes first at a piece, to add or to exchange?
        """),
        lines("""
            held = zeros                                    (R, D)
            for each piece p:
                held = held + the gradients of piece p      (R, D)
                if flags[p]: every row of held = the mean of its rows
            return held
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(synced)),
    pairs=PAIRS,
    insight=prose("""
        One exchange, after the last piece, is enough: earlier ones change nothing and cost time. But a flag
        that is set after the pass for which it was meant comes one piece late. Then the last piece is never
        exchanged, each process moves by another gradient, the copies of the model drift apart, and no error
        is raised. Compare the parameters of the processes after a step.
    """),
    advice=advice(r"""
must match the size|broadcast|expand
    What is held is (R, D), the gradients of one piece are `gradients[:, p]`, (R, D), and their mean over the
    processes is (D,), or (1, D) with `keepdim=True`.
out of bounds|out of range
    Axis 0 of `gradients` are the R processes, axis 1 the P pieces: `gradients[:, p]`.
"""),
)
