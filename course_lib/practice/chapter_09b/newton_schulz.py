"""09b.newton-schulz: the directions of a matrix, made about equally long, by products alone."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09b.newton_schulz_ways import PAIRS, SIGNS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def newton_schulz(G):
    X = G / G.norm(dim=(-2, -1), keepdim=True)  # (B, M, N): each matrix by its own norm
    for _ in range(5):
        A = X @ X.mT  # (B, M, M)
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def cases() -> list[Case]:
    g = seeded(911)

    def case(name: str, B: int, M: int, N: int, size: float = 1.0) -> Case:
        return Case(name, (size * random(g, B, M, N),), {"B": B, "M": M, "N": N})

    turned = case("matrices that are not contiguous", 2, 3, 4)
    far = case("matrices of unlike size", 3, 2, 4)
    return [
        case("two wide matrices", 2, 3, 5),
        case("three tall matrices", 3, 6, 4),
        Case(far.name, (far.args[0] * torch.tensor([0.01, 1.0, 50.0])[:, None, None],), far.sizes),
        case("square matrices", 2, 4, 4, 3.0),
        case("one matrix", 1, 4, 6, 0.1),
        case("rows alone", 3, 1, 4),
        case("columns alone", 2, 5, 1),
        case("matrices of one number", 3, 1, 1),
        case("as many matrices as rows and columns", 3, 3, 3),
        Case(turned.name, (not_contiguous(turned.args[0], 1, 2),), turned.sizes),
    ]


NEWTON_SCHULZ = Exercise(
    id="09b.newton-schulz",
    title="Newton–Schulz, five rounds",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `newton_schulz(G)`. `G` (B, M, N) is a stack of B matrices, none of them 0; each is worked on by
        itself. Return a stack of the same shape.

        First divide each matrix by its Frobenius norm: the root of the sum of the squares of all its numbers.
        Then, five times: with A = X Xᵀ, a product of matrices, the new X is
        3.4445 X + (-4.7750 A + 2.0315 A A) X. All products between A, A and X are products of matrices. Keep
        the numbers in float32, as `G` has them: half the digits are too few here.

        What comes out is not exactly orthogonal, and should not be: the singular values end near 1, between
        about 0.7 and 1.2 in most cases, and the answer is compared with these five rounds, not with U Vᵀ.
        (For a tall matrix one may work on its transpose, since A is smaller then: if it is turned back at the
        end, the answer is the same.)
    """),
    inputs={"G": "B, M, N"},
    outputs=(Output("X", ("B", "M", "N")),),
    reference=newton_schulz,
    cases=cases,
    hints=(
        prose("""
            `.norm()` of the whole stack is one number for all B matrices. Which axes belong to one matrix,
            and how does the result stay divisible? And `.T` turns all three axes round: what turns the last
            two?
        """),
        lines("""
            X = G, each matrix divided by its own norm       (B, M, N)
            five times:
                A = X times X transposed                     (B, M, M)
                X = 3.4445 · X + (-4.7750 · A + 2.0315 · A A) times X
            return X
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS, signs=SIGNS), *ideas.squeezed(newton_schulz)),
    pairs=PAIRS,
    insight=prose("""
        Large and small directions of a gradient come out about equally long, without any decomposition. Q, K
        and V must be worked on apart: three matrices in one would share one norm and one set of directions.
    """),
    tolerance=1e-3,
    advice=advice(r"""
(?s)^[^\n]*/[^\n]*\n.*(must match the size|broadcast) unless keepdim
    A norm over two axes takes them away, and what is left does not fit. With `keepdim=True` they stay, with
    length 1: `G.norm(dim=(-2, -1), keepdim=True)`.
mat1 and mat2|must match|[Ee]xpected size for|size mismatch|Expected size
    A = X Xᵀ is (B, M, M) and stands on the left of X, (B, M, N). With `X.mT` (or `X.transpose(-2, -1)`) the
    last two axes change places; `.T` would turn the batch, too.
\.T|mT
    `X.mT`, or `X.transpose(-2, -1)`, turns each matrix of the stack.
must be Tensor
    Is something a Python number that should be a matrix?
"""),
)
