"""09b.tokens-per-parameter: other splits of the compute, and what a tutor says."""

import math

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def made(
    product=lambda C: C / 6,
    balance=lambda A, B, a, b: a * A / (b * B),
    root=lambda a, b: 1 / (a + b),
    power=lambda a, b: b / (a + b),
    tokens=lambda C, N: C / (6 * N),
    answer=lambda N, D: D / N,
):
    """Another product, another balance of the two terms, other exponents, another answer."""

    def tokens_per_parameter(C, A, B, a, b):
        N = balance(A, B, a, b) ** root(a, b) * product(C) ** power(a, b)
        return answer(N, tokens(C, N))

    return tokens_per_parameter


PARTS = {
    "product": {
        "6-forgotten-in-N": lambda C: C,
        "6-times": lambda C: 6 * C,
        "root-of-the-product": lambda C: math.sqrt(C / 6),
    },
    "balance": {
        "terms-made-equal": lambda A, B, a, b: A / B,
        "balance-turned-round": lambda A, B, a, b: b * B / (a * A),
        "exponents-beside-the-other": lambda A, B, a, b: b * A / (a * B),
        "A-and-B-exchanged": lambda A, B, a, b: a * B / (b * A),
        "A-and-B-unused": lambda A, B, a, b: a / b,
        "balance-unused": lambda A, B, a, b: 1.0,
    },
    "root": {
        "no-root": lambda a, b: 1.0,
        "root-of-a-product": lambda a, b: 1 / (a * b),
        "root-turned-round": lambda a, b: a + b,
    },
    "power": {
        "alpha-for-beta": lambda a, b: a / (a + b),
        "half": lambda a, b: 0.5,
        "beta-alone": lambda a, b: b,
    },
    "tokens": {
        "6-forgotten-in-D": lambda C, N: C / N,
        "6-twice": lambda C, N: C / 6 / (6 * N),
        "6-above": lambda C, N: 6 * C / N,
    },
    "answer": {
        "parameters-per-token": lambda N, D: N / D,
        "tokens-returned": lambda N, D: D,
        "parameters-returned": lambda N, D: N,
        "product-returned": lambda N, D: N * D,
        "logarithm": lambda N, D: math.log10(D / N),
    },
}


def slopes_apart(C, A, B, a, b):
    """The slopes along N and along D are made equal, as if N and D had one sum and not one product."""
    N = (a * A / (b * B) * (C / 6) ** (b + 1)) ** (1 / (a + b + 2))
    return C / 6 / N / N


WAYS = {
    **single(PARTS, made),
    "6-forgotten": made(product=lambda C: C, tokens=lambda C, N: C / N),
    "slopes-apart": slopes_apart,
    "as-many-of-both": lambda C, A, B, a, b: 1.0,
    "twenty": lambda C, A, B, a, b: 20.0,
    "exponents-alone": (lambda C, A, B, a, b: a / b, lambda C, A, B, a, b: b / a),
}

WORDS = entries("""
6-forgotten
    The 6 is missing. Compute is 6 N D, so N times D is compute / 6.
6-forgotten-in-N
    The 6 is missing where you make N. Compute is 6 N D, so N times D is compute / 6 there, too.
6-times
    You multiply the compute by 6. It is 6 N D, so N times D is compute / 6.
root-of-the-product
    Under the power stands a root of compute / 6. N^(α + β) has product^β in it, with the whole product,
    compute / 6.
terms-made-equal
    You make the two terms of the loss equal, A / N^α = B / D^β. What must be equal is what a little more of N
    and of D would gain: α A / N^α = β B / D^β.
balance-turned-round
    α A and β B have changed places: N^(α + β) = (α A / (β B)) · product^β. The larger A is, the more
    parameters are worth.
exponents-beside-the-other
    α stands beside B and β beside A. The slope of A / N^α has α in front: α A / (β B).
A-and-B-exchanged
    A and B have changed places: α A / (β B). The larger A is, the more parameters are worth.
A-and-B-unused
    A and B have no effect in your answer. The balance is α A / (β B).
balance-unused
    You split by the exponents alone. How large the terms are counts, too: N^(α + β) = (α A / (β B)) ·
    product^β.
no-root
    The root of the balance is missing: it stands in N^(α + β), so N has it to the power 1 / (α + β).
root-of-a-product
    The root has α β in it. N^α times N^β is N^(α + β): the power is 1 / (α + β).
root-turned-round
    The balance is raised to α + β. N^(α + β) is known, so N has the power 1 / (α + β).
alpha-for-beta
    α stands where β belongs: N grows with compute to the power β / (α + β), and D to the power α / (α + β). A
    large α means that parameters are soon enough.
half
    You let N and D grow alike, with the root of the compute. That holds where α and β are equal; otherwise N
    grows as product to the power β / (α + β).
beta-alone
    The power of the product is β / (α + β): the sum stands below.
6-forgotten-in-D
    The 6 is missing where you make D. Compute is 6 N D, so D is compute / (6 N).
6-twice
    The 6 is used twice where you make D. Compute is 6 N D, so D is compute / (6 N), with the whole compute.
6-above
    You multiply by 6 where you make D. Compute is 6 N D, so D is compute / (6 N): the 6 stands below.
parameters-per-token
    That is N / D, parameters per token. Asked for are tokens per parameter: D / N.
tokens-returned
    That is D, the number of all tokens. Asked for is how many there are for each parameter: D / N.
parameters-returned
    That is N, the number of parameters. Asked for is how many tokens each of them should see: D / N.
product-returned
    That is N times D, which the compute fixes however it is split. Asked for is D / N.
logarithm
    That is a logarithm of the answer. Asked for is how many tokens each parameter should see, D / N itself.
slopes-apart
    You make the slopes along N and along D equal. N and D are bound by their product: one per cent more of
    one is one per cent less of the other. So N times the one slope equals D times the other: α A / N^α = β B
    / D^β.
as-many-of-both
    You give each parameter one token. The law says how to split: where α A / N^α = β B / D^β.
twenty
    20 is a rule of thumb that one published fit led to. Another law has another answer, and mostly another
    one at each budget.
exponents-alone
    Your answer depends on the exponents alone. A, B and the compute count as well: α A / N^α = β B / D^β,
    with N D = compute / 6.
""")
PAIRS = of_parts(listed(PARTS, made), WORDS)
