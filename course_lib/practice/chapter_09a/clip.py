"""09a.clip: gradients of all parameters, shortened together."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.clip_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def clip(grad_W, grad_b, limit):
    norm = torch.sqrt((grad_W**2).sum() + (grad_b**2).sum())  # of all numbers together
    if norm <= limit:
        return grad_W, grad_b
    return grad_W * limit / norm, grad_b * limit / norm


def cases() -> list[Case]:
    g = seeded(906)

    def case(name: str, M: int, N: int, times: float, limit: float, zero: str = "") -> Case:
        """``times``: how many times the limit the global norm is; ``zero``: whose gradient is 0."""
        W, b = random(g, M, N), random(g, M)
        W, b = W * (zero != "W"), b * (zero != "b")
        factor = times * limit / torch.sqrt((W**2).sum() + (b**2).sum())
        return Case(name, (W * factor, b * factor, limit), {"M": M, "N": N})

    turned = case("a gradient that is not contiguous", 3, 4, 5.0, 1.0)
    grad_W, grad_b, limit = turned.args
    zeros = (torch.zeros(2, 3), torch.zeros(2), 1.0)
    return [
        case("gradients that are too long", 3, 5, 4.0, 1.0),
        case("another limit", 2, 4, 3.0, 0.25),
        case("a limit of 10", 4, 3, 2.5, 10.0),
        case("short gradients", 4, 2, 0.3, 1.0),
        case("gradients a little too long, each alone short enough", 3, 3, 1.2, 2.0),
        case("gradients a little shorter than the limit", 2, 2, 0.9, 1.5),
        case("a bias without a gradient", 3, 2, 6.0, 1.0, zero="b"),
        case("a matrix without a gradient", 2, 3, 6.0, 1.0, zero="W"),
        case("one row", 1, 4, 3.0, 1.0),
        case("one column", 4, 1, 2.0, 0.5),
        Case("gradients that are all 0", zeros, {"M": 2, "N": 3}),
        Case(turned.name, (not_contiguous(grad_W), grad_b, limit), turned.sizes),
    ]


CLIP = Exercise(
    id="09a.clip",
    title="Clip the gradients",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `clip(grad_W, grad_b, limit)` for a model of one layer: `grad_W` (M, N) is the gradient of its
        matrix, `grad_b` (M,) that of its bias. `limit` is a number above 0. Return both gradients, clipped,
        `W, b`, in the same shapes.

        All numbers of both gradients together are one long vector; its length is the root of the sum of their
        squares (the global norm). If this length is at most `limit`, both gradients come back as they are. If
        it is larger, both are made shorter by one and the same factor, such that the length of the long
        vector is `limit`: its direction stays. Gradients may be 0 everywhere. Do not change `grad_W` and
        `grad_b` themselves.
    """),
    inputs={"grad_W": "M, N", "grad_b": "M", "limit": "a number"},
    outputs=(Output("W", ("M", "N")), Output("b", ("M",))),
    reference=clip,
    cases=cases,
    hints=(
        prose("""
            A long vector (3, 4) has length 5. With a limit of 1, by what is it multiplied? And with a limit
            of 10? The two gradients need one length between them, not one each.
        """),
        lines("""
            norm = the root of (the sum of all squares of grad_W + the sum of all squares of grad_b)
            if norm is at most limit: return both as they are
            return grad_W · limit / norm, grad_b · limit / norm
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.other_order(clip, "W", "b")),
    pairs=PAIRS,
    insight=prose("""
        Clipping changes how far the step goes and never where. Most steps of a healthy run are not clipped at
        all: plot the norm before clipping, it is the first thing that shows when a run goes wrong.
    """),
    advice=advice(r"""
must match the size|Sizes of tensors must match|same number of dimensions|stack expects
    `grad_W` and `grad_b` have other shapes. Add up what each gives in one number, the sum of its squares, or
    flatten both before you join them.
'float' object has no attribute
    `math.sqrt` gives a Python number; the norm of a tensor is `torch.sqrt` of a tensor, or `.norm()`.
must be Tensor, not
    `torch.sqrt` wants a tensor: the sums of squares are one already, with `torch` operations.
Boolean value of Tensor
    The global norm is one number. Is there a number for each row or column left?
"""),
)
