"""09b.tokens-per-parameter: how a given amount of compute is best split, by a fitted law."""

from course_lib.practice.chapter_09b.tokens_per_parameter_ways import PAIRS, WAYS, WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def tokens_per_parameter(compute, A, B, alpha, beta):
    product = compute / 6  # parameters times tokens
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * product ** (beta / (alpha + beta))
    D = product / N
    return D / N


LAWS = (  # A, B, alpha, beta: laws of many kinds, none of them a published one
    (300.0, 500.0, 0.35, 0.30),
    (300.0, 500.0, 0.30, 0.35),
    (50.0, 2000.0, 0.28, 0.40),
    (8.0, 3.0, 0.5, 0.25),
    (100.0, 100.0, 0.4, 0.4),
)


def made_cases(budgets: tuple[float, ...], laws=LAWS) -> list[Case]:
    return [
        Case(f"C = {C:.0e}, A = {A:g}, B = {B:g}, α = {a:g}, β = {b:g}", (C, A, B, a, b))
        for C in budgets
        for A, B, a, b in laws
    ]


def cases() -> list[Case]:
    return made_cases((6e18, 3e21))


def further() -> list[Case]:
    return made_cases((2e16, 7e23), ((20.0, 900.0, 0.33, 0.27), (700.0, 60.0, 0.25, 0.45)))


TOKENS_PER_PARAMETER = Exercise(
    id="09b.tokens-per-parameter",
    title="Parameters or tokens?",
    minutes=12,
    difficulty=3,
    statement=prose("""
        Write `tokens_per_parameter(compute, A, B, alpha, beta)`. A law that was fitted to many trainings says
        that a model of N parameters that has read D tokens has the loss E + A / N^α + B / D^β, and such a
        training costs compute = 6 N D operations. `alpha` is α, `beta` is β; all five numbers are above 0,
        and E, what no model can learn, plays no part.

        For the given compute choose N and D such that the loss is as small as it can be, and return D / N:
        how many tokens each parameter should see. N and D need not be whole numbers. The answer may differ by
        a thousandth of itself, so a search that is fine enough is right, too.
    """),
    inputs={
        "compute": "a number, 1e16 to 1e24",
        "A": "a number",
        "B": "a number",
        "alpha": "a number, 0.2 to 0.6",
        "beta": "a number, 0.2 to 0.6",
    },
    outputs=(Output("ratio"),),
    reference=tokens_per_parameter,
    cases=cases,
    further=further,
    hints=(
        prose("""
            D is compute / (6 N), so the loss depends on N alone. Where it is smallest, a little more N takes
            as much off the first term as it adds to the second: N times the slope is -α A / N^α for the first
            and +β B / D^β for the second.
        """),
        lines("""
            where the loss is smallest:  α A / N^α = β B / D^β
            with D = product / N, product = compute / 6:
                N^(α + β) = (α A / (β B)) · product^β
            N = that, to the power 1 / (α + β)
            D = product / N
            return D / N
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        Only where α and β are equal is the ratio the same at every budget. Otherwise it drifts, and a small
        error in an exponent, at 10²³ operations, is a large one in the ratio: so look at what a fit implies
        before you believe its digits.
    """),
    tolerance=1e-3,
    advice=advice(r"""
Numerical result out of range|math range error|OverflowError
    The numbers are very large. Powers of N and D alone stay small: is an exponent turned round?
complex|must be real
    A number below 0 has no such power. Where does a difference stand under a power?
"""),
)
