"""09b.newton-schulz: other norms, other polynomials, other rounds, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries

ABC = (3.4445, -4.7750, 2.0315)


def by_norm(G):
    return G / G.norm(dim=(-2, -1), keepdim=True)


def polynomial(a, b, c):
    def step(X):
        A = X @ X.mT
        return a * X + (b * A + c * A @ A) @ X

    return step


def made(start=by_norm, step=None, rounds=5, end=lambda X, G: X):
    """Another beginning, another step, another number of rounds, something behind them."""

    def newton_schulz(G):
        X = start(G)
        for _ in range(rounds):
            X = (step or polynomial(*ABC))(X)
        return end(X, G)

    return newton_schulz


def elementwise(X):
    a, b, c = ABC
    return a * X + b * X**3 + c * X**5


def squares_by_cell(X):
    a, b, c = ABC
    A = X @ X.mT
    return a * X + (b * A + c * A**2) @ X


def gram_once(G):
    """A is made before the rounds and never again."""
    a, b, c = ABC
    X = by_norm(G)
    A = X @ X.mT
    for _ in range(5):
        X = a * X + (b * A + c * A @ A) @ X
    return X


def gram_of_columns(X):
    """Xᵀ X on the left of a square X."""
    a, b, c = ABC
    A = X.mT @ X
    return a * X + (b * A + c * A @ A) @ X


def plus_the_gram(X):
    a, b, c = ABC
    A = X @ X.mT
    return a * X + b * A + c * A @ A


def exact(G):
    U, _, V = torch.linalg.svd(G, full_matrices=False)
    return U @ V


def in_half_the_digits(start):
    def newton_schulz(G):
        X = start(G)
        for _ in range(5):
            X = polynomial(*ABC)(X)
        return X.to(G.dtype)

    return newton_schulz


PARTS = {
    "start": {
        "not-divided": lambda G: G,
        "norm-of-the-stack": lambda G: G / G.norm(),
        "norm-squared": lambda G: G / (G**2).sum((-2, -1), keepdim=True),
        "mean-square": lambda G: G / (G**2).mean((-2, -1), keepdim=True).sqrt(),
        "largest-number": (
            lambda G: G / G.abs().amax((-2, -1), keepdim=True),
            lambda G: G / G.amax((-2, -1), keepdim=True),
        ),
        "spectral-norm": lambda G: G / torch.linalg.matrix_norm(G, 2, keepdim=True),
        "norm-of-rows": (
            lambda G: G / G.norm(dim=-1, keepdim=True),
            lambda G: G / G.norm(dim=-2, keepdim=True),
        ),
        "sum-of-sizes": lambda G: G / G.abs().sum((-2, -1), keepdim=True),
        "norm-across-the-stack": lambda G: G / G.norm(dim=0, keepdim=True),
    },
    "step": {
        "element-by-element": elementwise,
        "square-by-element": squares_by_cell,
        "A-not-squared": polynomial(ABC[0], ABC[1] + ABC[2], 0.0),
        "coefficients-exchanged": (polynomial(*ABC[::-1]),),
        "numbers-run-away": (
            polynomial(ABC[0], ABC[2], ABC[1]),
            polynomial(ABC[1], ABC[0], ABC[2]),
            polynomial(ABC[2], ABC[0], ABC[1]),
            polynomial(ABC[1], ABC[2], ABC[0]),
            polynomial(ABC[0], -ABC[1], ABC[2]),
            polynomial(ABC[0], ABC[1], -ABC[2]),
            polynomial(ABC[0], 0.0, ABC[2]),
            polynomial(0.0, *ABC[1:]),
        ),
        "first-term-missing": polynomial(1.0, *ABC[1:]),
        "last-term-missing": polynomial(*ABC[:2], 0.0),
        "classic-polynomial": (polynomial(1.5, -0.5, 0.0), polynomial(15 / 8, -10 / 8, 3 / 8)),
        "product-with-X-missing": plus_the_gram,
        "gram-of-columns": gram_of_columns,
        "divided-in-each-round": lambda X: polynomial(*ABC)(by_norm(X)),
    },
    "rounds": {
        "another-number-of-rounds": (4, 6, 3, 2, 10, 0),
        "one-round": 1,
    },
    "end": {
        "scaled-back": lambda X, G: X * G.norm(dim=(-2, -1), keepdim=True),
        "step-of-muon": (
            lambda X, G: X * max(1, G.shape[-2] / G.shape[-1]) ** 0.5,
            lambda X, G: X * 0.2 * max(G.shape[-2:]) ** 0.5,
        ),
        "turned": lambda X, G: X.mT if X.shape[-2] > X.shape[-1] else X,
        "divided-at-the-end": lambda X, G: by_norm(X),
    },
}

WAYS = {
    **single(PARTS, made),
    "A-made-once": gram_once,
    "exact": exact,
    "half-the-digits": (
        in_half_the_digits(lambda G: by_norm(G).bfloat16()),
        in_half_the_digits(lambda G: by_norm(G.bfloat16())),
        in_half_the_digits(lambda G: G.bfloat16() / (G.bfloat16().norm(dim=(-2, -1), keepdim=True) + 1e-7)),
    ),
}

WORDS = entries("""
not-divided
    The division at the beginning is missing. The polynomial brings singular values between 0 and 1 near 1;
    larger ones run away. Divide each matrix by its Frobenius norm.
norm-of-the-stack
    One norm serves the whole stack. Each matrix is divided by its own: `G.norm(dim=(-2, -1), keepdim=True)`.
norm-squared
    You divide by the sum of squares of each matrix. Its norm is the root of this sum: `G.norm(…)`.
mean-square
    You divide by the root of a mean of squares. The norm is the root of their sum.
largest-number
    You divide by the largest number of each matrix. Its norm is the root of the sum of all squares.
spectral-norm
    You divide by the largest singular value. That would do as well, and costs a decomposition; asked for is
    the Frobenius norm, the root of the sum of all squares.
norm-of-rows
    Each row or column gets a norm of its own, and the directions of the matrix are changed by it. One number
    belongs to each matrix: `G.norm(dim=(-2, -1), keepdim=True)`.
sum-of-sizes
    You divide by the sum of the sizes of the numbers. The norm is the root of the sum of their squares.
norm-across-the-stack
    Your norm runs across the B matrices, cell by cell. It belongs to one matrix: over its rows and columns,
    `dim=(-2, -1)`.
element-by-element
    Your powers are taken number by number. All products are products of matrices, `@`: X Xᵀ X, not X³ of each
    number.
square-by-element
    `A ** 2` squares each number. A A is a product of matrices: `A @ A`.
A-not-squared
    The last term has A in place of A A. The polynomial is 3.4445 X - 4.7750 A X + 2.0315 A A X.
coefficients-exchanged
    The three numbers stand in another order: 3.4445 belongs to X, -4.7750 to A X, 2.0315 to A A X.
numbers-run-away
    Your numbers run away, to infinity or NaN. Each matrix must be divided by its own norm before the first
    round; then the polynomial holds them, if its three terms are all there, with their own numbers and signs:
    3.4445 X, -4.7750 A X, +2.0315 A A X.
first-term-missing
    The first term is X without its number: it is 3.4445 X, which lifts the small singular values.
last-term-missing
    The last term of the polynomial is missing. It has three: 3.4445 X, -4.7750 A X and 2.0315 A A X.
classic-polynomial
    That is a polynomial that comes nearer and nearer to orthogonal, slowly. Asked for is the other one,
    3.4445, -4.7750, 2.0315, which is fast and stays between about 0.7 and 1.2.
product-with-X-missing
    What stands in the brackets is not multiplied by X: (-4.7750 A + 2.0315 A A) X.
gram-of-columns
    Your A is Xᵀ X, and it stands on the left of X. On the left belongs X Xᵀ. (Xᵀ X would stand on the right.)
    With square matrices no error warns you.
divided-in-each-round
    You divide by the norm in every round. It is done once, before the first.
another-number-of-rounds
    Your answer is that of another number of rounds. Five are asked for: `for _ in range(5)`.
one-round
    Your answer is that of one round. Does each round begin with what the last one gave, and does the `return`
    stand behind the loop?
scaled-back
    You multiply by the norm at the end, so the length of the gradient comes back. It is meant to go: all
    directions about 1 long.
step-of-muon
    At the end you multiply by a factor that belongs to Muon's step, not to these five rounds. Return X as it
    is.
turned
    A tall matrix comes back lying down. If you work on its transpose, turn it back at the end.
divided-at-the-end
    You divide by the norm again at the end. It is done once, before the first round.
A-made-once
    A is made once, before the rounds. Each round makes a new one of the X that it has.
exact
    That is U Vᵀ, exactly. Asked for are the five rounds, whose singular values are spread between about 0.7
    and 1.2: much cheaper, and good enough.
half-the-digits
    You compute in bfloat16, as code for large machines does; it has three digits. Here the numbers stay in
    the kind of `G`.
""")
RUNAWAYS = ("not-divided", "mean-square", "largest-number", "norm-of-rows", "norm-across-the-stack")
TOLD_ALONE = {  # nearly all numbers are infinite or NaN, so that a second slip does not show
    "start": {name: ways for name, ways in PARTS["start"].items() if name not in RUNAWAYS},
    "step": {name: ways for name, ways in PARTS["step"].items() if name != "numbers-run-away"},
}
SKIP = {
    ("scaled-back", "divided-at-the-end"),
    *((name, "divided-in-each-round") for name in PARTS["start"]),
}
SIGNS = {"numbers-run-away": lambda expected, got, args: not bool(torch.isfinite(got).all())}
PAIRS = of_parts(listed(PARTS | TOLD_ALONE, made, SKIP), WORDS)
