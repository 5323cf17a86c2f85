"""03.count: how many parameters?"""

from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import lines, misconceptions, prose


def count_parameters(d_model, n_heads):
    matrix = d_model * d_model  # W_q holds the (d_k, d_model) matrices of all heads, one below the other
    return 4 * (matrix + d_model)  # q, k, v and o, each with its bias


def counted(*formulas):
    """Counts, each a formula of (d, h, k)."""
    return tuple(lambda d, h, formula=formula: formula(d, h, d // h) for formula in formulas)


def measure(expected, got, args):
    d, h = args
    return {"got": int(got), "missing": int(expected - got), "d": d, "h": h, "k": d // h}


def squares_and_rows(expected, got, args):
    """The count as a·D² + b·D; None where a and b would be no small whole numbers."""
    d = args[0]
    a, rest = divmod(int(got), d * d)
    b, left = divmod(rest, d)
    fits = int(got) == got and left == 0 and 1 <= a < 9 and b < min(d, 9)
    return {"a": a, "b": b, "d": d, "got": int(got)} if fits else None


def cases() -> list[Case]:
    return [
        Case("8 heads on 64 features", (64, 8)),
        Case("3 heads on 12 features", (12, 3)),
        Case("one head on 10 features", (10, 1)),
        Case("8 heads on 512 features, as in the paper's base model", (512, 8)),
    ]


def further() -> list[Case]:
    return [Case(f"{h} heads on {h * k}", (h * k, h)) for h in (1, 2, 4, 6) for k in (1, 3, 8)]


WORDS = """
times-heads
    You give every head matrices of d_model × d_model: {got:,} numbers. With {h} heads each has {k}
    features, so its matrices are that small, and all heads together have one of {d} × {d}. More heads cost
    no parameter.
biases-forgotten
    The biases are missing: {missing:,} numbers. Each of the four projections adds one vector of {d}
    numbers.
no-w-o
    W_o is not counted. After the heads are joined there is a fourth projection, from H · d_v features to
    d_model.
w-o-gives-one-head
    Your W_o has the size of one head on one side. It takes all heads, joined (H · d_v features), and gives
    back a vector of d_model: (H · d_v) × d_model.
one-head-only
    You count the matrices of one head, or divide by the number of heads. There are H heads, each with W_q,
    W_k and W_v of its own: H · d_k = d_model rows in all, whatever H is.
heads-see-their-slice-only
    Your heads have matrices of d_k × d_k, so each would see only its own slice of the input. Each head reads
    all d_model features: its matrices are d_k × d_model. The split comes after the projection.
biases-of-another-size
    The matrices are right, and the biases have another size. A bias adds one number to each output: d_model
    numbers for each of the four projections.
one-bias-for-each-head
    The matrices are right, and the biases are not: you count d_model numbers for each head. They belong to
    the projections, whatever H is: d_model numbers for each of the four.
biases-of-full-width
    The matrices are right. The bias of one head's W_q adds a number to each of its d_k outputs: d_k numbers,
    not d_model; with all heads that makes H · d_k = d_model.
tensors-counted
    You count the tensors, not the numbers in them. `p.numel()` says how many numbers a tensor holds.
b-o-for-each-head
    All terms are right but one: b_o. W_o comes after the merge and is there once, and its bias has one number
    for each of its d_model outputs.
one-row-for-a-matrix
    Each of your four matrices has one row. W_q gives d_model numbers, and each of them needs a row of d_model
    numbers and one number of bias: d_model · d_model + d_model.
rows-counted
    This is the number of rows: four matrices and four biases, each with d_model of them. A row of W_q holds
    d_model numbers, so the matrix holds d_model · d_model. (`len(p)` counts rows; `p.numel()` counts all
    numbers.)
o-without-bias
    The matrices are right and biases are missing: all four projections have one, q, k, v and o.
one-matrix
    This is one projection. The layer has four of them: q, k, v and o.
other-count
    Your count is {a} · {d}² + {b} · {d} = {got:,}: as many numbers as {a} matrices of {d} × {d} and {b}
    biases of {d} hold. Four projections, q, k, v and o, have four of each.
"""

WAYS = {
    "times-heads": counted(
        lambda d, h, k: h * 4 * (d * d + d),
        lambda d, h, k: h * 4 * d * d,
        lambda d, h, k: h * 3 * (d * d + d) + d * d + d,
        lambda d, h, k: h * 3 * d * d + d * d,
        lambda d, h, k: h * 3 * (d * d + d) + h * d * d + d,
    ),
    "biases-forgotten": counted(lambda d, h, k: 4 * d * d),
    "no-w-o": counted(lambda d, h, k: 3 * (d * d + d), lambda d, h, k: 3 * d * d),
    "w-o-gives-one-head": counted(
        lambda d, h, k: 3 * (d * d + d) + h * k * k + k,
        lambda d, h, k: 3 * (d * d + d) + d * k + d,
        lambda d, h, k: 3 * d * d + d * k,
    ),
    "one-head-only": counted(
        lambda d, h, k: 3 * (d * k + k) + d * d + d,
        lambda d, h, k: 4 * (d * k + k),
        lambda d, h, k: 4 * d * k,
        lambda d, h, k: 3 * d * k + d * d,
    ),
    "heads-see-their-slice-only": counted(
        lambda d, h, k: h * 4 * (k * k + k),
        lambda d, h, k: h * 3 * (k * k + k) + d * d + d,
    ),
    "biases-of-another-size": counted(
        lambda d, h, k: 4 * (d * d + k),
        lambda d, h, k: 4 * (d * d + h),
        lambda d, h, k: 4 * (d * d + 1),
        lambda d, h, k: 4 * (d * d + h * d),
        lambda d, h, k: 3 * (d * d + k) + d * d + d,
        lambda d, h, k: 4 * d * d + 3 * h + d,
        lambda d, h, k: 4 * d * d + 3 * h + 1,
        lambda d, h, k: 4 * d * d + 3 * h + k,
        lambda d, h, k: 4 * d * d + 5 * d,
        lambda d, h, k: 8 * d * d,
    ),
    "one-bias-for-each-head": counted(lambda d, h, k: 4 * d * d + h * d),
    "biases-of-full-width": counted(lambda d, h, k: 3 * h * (d * k + d) + d * d + d),
    "tensors-counted": counted(lambda d, h, k: 8, lambda d, h, k: 4),
    "b-o-for-each-head": counted(
        lambda d, h, k: 4 * d * d + 3 * d + h * d,
        lambda d, h, k: 4 * d * d + 3 * d + h,
        lambda d, h, k: 4 * d * d + 3 * d + k,
    ),
    "one-row-for-a-matrix": counted(lambda d, h, k: 4 * d + 4, lambda d, h, k: 4 * d),
    "rows-counted": counted(lambda d, h, k: 8 * d),
    "o-without-bias": counted(*(lambda d, h, k, many=many: 4 * d * d + many * d for many in (1, 2, 3))),
    "one-matrix": counted(lambda d, h, k: d * d + d, lambda d, h, k: d * d),
    "other-count": counted(lambda d, h, k: 2 * (d * d + d), lambda d, h, k: 5 * d * d + 3 * d),
}

COUNT = Exercise(
    id="03.count",
    title="Count the parameters",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `count_parameters(d_model, n_heads)`: the number of trained numbers in one multi-head layer.
        Each head has d_k = d_v = d_model / n_heads features. W_q, W_k, W_v and W_o each have a bias.
    """),
    inputs={"d_model": "the number of features, D", "n_heads": "the number of heads, H; it divides D"},
    outputs=(Output("count"),),
    reference=count_parameters,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Count one head's W_q first: it takes D features and gives d_k. How many numbers have all H of them
            together, if H · d_k = D?
        """),
        lines("""
            one head's W_q: d_k * d_model; all heads: H * d_k * d_model = d_model * d_model
            their biases: H * d_k = d_model
            the same for k and v; W_o takes H * d_v features and gives d_model
            add up the four
        """),
    ),
    misconceptions=misconceptions(
        WORDS,
        WAYS,
        {"times-heads": measure, "biases-forgotten": measure, "other-count": squares_and_rows},
        {"other-count": lambda expected, got, args: squares_and_rows(expected, got, args) is not None},
    ),
    insight="More heads cost no parameter: they share the same d_model features among themselves.",
    tolerance=1e-9,
)
