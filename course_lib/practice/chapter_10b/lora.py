"""10b.lora: what an adapter adds, beside the matrix and laid together with it."""

from course_lib.practice import ideas
from course_lib.practice.chapter_10b.lora_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def lora(x, W, A, B, alpha):
    scale = alpha / A.shape[0]  # α / r
    y = x @ W.T + scale * (x @ A.T @ B.T)  # (N, D) → (N, R) → (N, M)
    merged = W + scale * (B @ A)  # (M, D)
    return y, merged


def cases() -> list[Case]:
    g = seeded(1005)

    def case(name: str, N: int, D: int, M: int, R: int, alpha: float) -> Case:
        args = (random(g, N, D), random(g, M, D), random(g, R, D), random(g, M, R), alpha)
        return Case(name, args, {"N": N, "D": D, "M": M, "R": R})

    turned = case("inputs that are not contiguous", 3, 5, 4, 2, 6.0)
    return [
        case("rank 2, α = 6", 3, 5, 4, 2, 6.0),
        case("rank 3, α = 2", 2, 6, 7, 3, 2.0),
        case("a square matrix", 2, 4, 4, 3, 12.0),
        case("rank 1", 5, 3, 4, 1, 0.5),
        case("one input", 1, 5, 3, 2, 8.0),
        case("one feature comes", 3, 1, 4, 2, 6.0),
        case("one feature goes", 2, 4, 1, 3, 6.0),
        case("all sizes equal", 3, 3, 3, 3, 6.0),
        Case(turned.name, (*map(not_contiguous, turned.args[:4]), turned.args[4]), turned.sizes),
    ]


LORA = Exercise(
    id="10b.lora",
    title="An adapter, apart and merged",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `lora(x, W, A, B, alpha)`. `W` (M, D) is a frozen matrix, which makes x Wᵀ (N, M) of `x` (N, D).
        `A` (R, D) and `B` (M, R) are an adapter; R is its rank r, `alpha` is α. Return `y, merged`:

        `y` (N, M) is x Wᵀ + (α / r) x Aᵀ Bᵀ.

        `merged` (M, D) is the one matrix that does all of this: x mergedᵀ is `y`. Leave `W` itself as it is.

        Example, all sizes 1: x = 1, W = 3, A = 2, B = 5, α = 0.5 give y = 3 + 0.5 · 10 = 8 and merged = 8.
    """),
    inputs={"x": "N, D", "W": "M, D", "A": "R, D", "B": "M, R", "alpha": "a number"},
    outputs=(Output("y", ("N", "M")), Output("merged", ("M", "D"))),
    reference=lora,
    cases=cases,
    hints=(
        prose("""
            Follow the shapes: x is (N, D), and what comes out of A has R features, what comes out of B has M.
            In `merged` the product of A and B must be (M, D): which of them stands on the left?
        """),
        lines("""
            scale  = alpha / r; r is the number of rows of A
            y      = x Wᵀ + scale · (x Aᵀ) Bᵀ              (N, M)
            merged = W + scale · B A                       (M, D)
            return y, merged
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.other_order(lora, "y", "merged")),
    pairs=PAIRS,
    insight=prose("""
        Training begins with B = 0: then y is x Wᵀ exactly, whatever A is. And a test with α = r does not
        notice a forgotten α / r: choose numbers that tell right from wrong.
    """),
    tolerance=1e-4,
    advice=advice(r"""
mat1 and mat2|must match|size mismatch|[Ee]xpected size for
    Follow the shapes: x (N, D) times Aᵀ (D, R) is (N, R); that times Bᵀ (R, M) is (N, M). B A is (M, R) times
    (R, D): the shape of W.
must be Tensor|has no attribute
    α and r are numbers; r is `A.shape[0]`.
"""),
)
