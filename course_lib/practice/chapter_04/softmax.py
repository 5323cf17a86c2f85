"""04.softmax: softmax over what is allowed, also where nothing is. The gradient is compared too."""

from dataclasses import replace

import torch

from course_lib.practice import ideas, parts
from course_lib.practice.chapter_04.causal import my_causal_mask
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def my_masked_softmax(scores, allowed):
    lowest = torch.finfo(scores.dtype).min  # not -inf: a row of only -inf is 0/0 in the softmax
    weights = torch.softmax(scores.masked_fill(~allowed, lowest), dim=-1)  # (B, H, T, S)
    return weights.masked_fill(~allowed, 0.0)  # rows with nothing allowed end at 0 too


def wrong(**exchanged):
    return lambda scores, allowed: parts.weigh(scores, allowed, **exchanged)


def added(low):
    """The mask as numbers, added to the scores."""
    return lambda scores, allowed: scores + torch.zeros(allowed.shape).masked_fill(~allowed, low)


def in_place(weights, allowed):
    weights[~allowed.expand_as(weights)] = 0.0
    return weights


def divided_if_it_goes(weights, allowed):
    total = (weights * allowed).sum(dim=-1, keepdim=True)
    return weights * allowed / total.where(total > 0, 1.0)


def weights_or_gradient(weights, args):
    """The weights; or, where the scores ask for a gradient, the gradient that comes back to them."""
    scores, _ = args
    if not scores.requires_grad:
        return weights
    cut = CannotCompare(
        "No gradient comes back: your weights are cut off from the scores, so nothing before them could "
        "learn. Is there a `detach()`, a `.data`, a `torch.tensor(...)`, a `no_grad` or NumPy on the way?"
    )
    if not weights.requires_grad:
        raise cut
    # check hands out clones; what they have in common is the tensor that they were cloned from.
    origin = scores if scores.is_leaf else scores.grad_fn.next_functions[0][0].variable
    wanted = (
        torch.linspace(-1, 1, weights.numel()).reshape(weights.shape).to(weights.dtype)
    )  # something to ask of the weights
    try:
        return torch.autograd.grad(weights, origin, wanted.reshape(weights.shape))[0]
    except RuntimeError as error:
        if "inplace" not in str(error):  # the scores were not used on the way to these weights
            raise cut from error
        raise CannotCompare(
            "No gradient comes back: the weights were changed in place (`weights[...] = 0`, `*=`), and the "
            "softmax needs its own answer for the way back. `masked_fill` makes new ones."
        ) from error


def by_weights(sign):
    """A sign that looks at weights; where ``got`` is a gradient, it cannot tell."""
    return lambda expected, got, args: None if args[0].requires_grad else sign(expected, got, *args)


def only_empty_rows(expected, got, scores, allowed):
    """Every row that has something allowed is right, and the others share out 1."""
    alive = allowed.any(dim=-1, keepdim=True)
    shared = torch.allclose(got.sum(-1, keepdim=True), torch.ones(()), atol=1e-4)
    return (
        shared
        and bool((got[~allowed.expand_as(got) & alive] == 0).all())
        and torch.allclose(got * alive, expected * alive, atol=1e-5)
    )


def sum_cut_off(scores, allowed):
    low = scores.masked_fill(~allowed, -1e30)
    e = torch.exp(low - low.amax(-1, keepdim=True)) * allowed
    return e / e.sum(-1, keepdim=True).detach().clamp(min=1e-30)


def only_the_gradient(expected, got, args):
    """A sign: the weights are right on all inputs; what is wrong is the gradient, and it is finite."""
    return args[0].requires_grad and bool(torch.isfinite(got).all())


def measure(expected, got, args):
    empty = got[~args[1].any(dim=-1).expand(got.shape[:-1])]
    return {"bad": int(got.isnan().any(dim=-1).sum()), "share": empty.max() if len(empty) else 0.0}


def cases() -> list[Case]:
    g = seeded(405)

    def case(name: str, scores: torch.Tensor, allowed: torch.Tensor) -> Case:
        B, H, T, S = scores.shape
        return Case(name, (scores, allowed), {"B": B, "H": H, "1": 1, "T": T, "S": S})

    def open_cells(*shape: int) -> torch.Tensor:
        cells = torch.rand(*shape, generator=g) < 0.7
        cells[..., 0, 0] = True
        return cells

    empty = open_cells(2, 1, 4, 5)
    empty[1, 0, 2] = False  # this query may look at nothing
    square = my_causal_mask(4, 4).expand(2, 1, 4, 4).clone()
    square[1, 0, :, 0] = False  # padding in front: the first query has nothing left
    large = (60.0 * random(g, 2, 2, 3, 4)).clamp(-200.0, 200.0)  # exp(89) is too large for a float32
    large[0, 0, 0] = torch.tensor([-150.0, 200.0, -151.0, 100.0])
    large[0, 1, 0] = torch.tensor([0.0, 200.0, -1.0, 100.0])
    large[0, 0, 1, 0] = -200.0
    some = open_cells(2, 1, 3, 4)
    some[0, 0, 0] = torch.tensor([True, False, True, False])  # the largest score is forbidden
    large[1, 0, 0] = torch.tensor([0.0, 15.0, -1.0, -2.0])
    some[1, 0, 0] = torch.tensor([True, False, True, True])
    asks = (1.5 * random(g, 2, 3, 4, 5)).requires_grad_()
    none = open_cells(2, 1, 4, 5)
    none[0, 0, 3] = False
    turned = (1.5 * random(g, 2, 3, 6, 4)).transpose(2, 3)  # (2, 3, 4, 6), not contiguous
    middle = torch.tensor([False, True, True, False]).expand(1, 1, 1, 4)
    first = torch.tensor([True, False]).view(2, 1, 1, 1).expand(2, 1, 3, 1)
    return [
        case("a row with nothing allowed", 1.5 * random(g, 2, 3, 4, 5), empty),
        case("as many queries as keys", 1.5 * random(g, 2, 3, 4, 4), square),
        replace(case("scores of ±200", large, some), large=True),
        case("scores that are not contiguous", turned, open_cells(2, 1, 4, 6)),
        case("one sentence and one query", random(g, 1, 2, 1, 4), middle),
        case("one head and one key", random(g, 2, 1, 3, 1), first),
        case("the gradient that comes back to the scores", asks, none),
    ]


WORDS = """
row-of-infinities
    {bad} rows are NaN: those with nothing allowed. Such a row is 0/0: in a softmax over -∞ alone, or in a
    division by its sum. Our rule is: a query that may look at nothing gets weights of 0. Give forbidden
    scores the lowest finite number, take the softmax, set their weights to 0, and do not divide after that. A
    NaN that is replaced by 0 afterwards can come back in the gradient.
nan-in-the-gradient
    Your weights are right on all inputs, and the gradient is NaN. You add -∞ to the scores, and a row of
    nothing but -∞ becomes NaN in the softmax. You set it to 0 afterwards; on the way back the gradient meets
    the NaN again, 0 · NaN is NaN, and it spoils all parameters. Two things together mend it: a finite number
    in the place of -∞, the lowest there is, so that no NaN arises; and after the softmax 0 where `allowed` is
    False, since a row of equal finite scores shares out 1.
empty-rows-share
    Nearly: only the rows with nothing allowed are wrong. A softmax shares out 1 in any case, whatever
    the scores of the row are: one forbidden key gets {share:.3f}. Our rule is 0: set the weights to 0 where
    `allowed` is False, after the softmax as well.
gradient-differs
    Your weights are right, and the gradient that comes back to the scores is another one. Is a part of the
    way back cut off, by a `detach()`, a `.data`, a `.item()` or a `no_grad`, for example at the sum?
"""

WAYS = {
    "row-of-infinities": (
        wrong(),
        wrong(after=lambda weights, allowed: weights * allowed),
        wrong(mask=added(-parts.INFINITY)),
    ),
    "nan-in-the-gradient": (
        wrong(mask=added(-parts.INFINITY), after=lambda weights, allowed: torch.nan_to_num(weights)),
        wrong(mask=added(-parts.INFINITY), after=parts.zero),
    ),
    "empty-rows-share": (wrong(mask=parts.fill(-1e9)), wrong(mask=added(-1e9)), wrong(mask=added(-1e4))),
    "gradient-differs": sum_cut_off,
}

MEASURES = {"row-of-infinities": measure, "empty-rows-share": measure}

SIGNS = {
    "empty-rows-share": by_weights(only_empty_rows),
    "gradient-differs": only_the_gradient,
}

SHARED = ideas.masked_softmax(
    wrong,
    lambda scores, allowed: (scores, allowed),
    {"queries": 2, "heads": 1, "batch": 0, "table": ((2, 3), (0, 1, 2, 3))},
    also=({"after": parts.keep}, {"after": parts.zero}),
    more={
        "mask-after-softmax": (wrong(mask=parts.unmasked, after=in_place),),
        "renormalised-afterwards": (wrong(mask=parts.unmasked, after=divided_if_it_goes),),
        "not-low-enough": (wrong(mask=parts.fill(-100.0), after=parts.zero),),
        "mask-inverted": (
            lambda scores, allowed: wrong(mask=parts.fill(-1e9), after=parts.zero)(scores, ~allowed),
        ),
    },
    weights=True,
    low="the lowest finite number",
)

SOFTMAX = Exercise(
    id="04.softmax",
    title="Masked softmax",
    minutes=14,
    difficulty=3,
    statement=prose("""
        Write `my_masked_softmax(scores, allowed)`. Each query shares a weight of 1 among the keys that it may
        attend to; forbidden keys get exactly 0. A query that may attend to nothing gets 0 everywhere, and no
        NaN: neither in the weights nor in the gradient. Scores may be as large as ±200, and exp(200) is more
        than float32 holds. Stay in torch: the gradient that comes back to `scores` is compared too.
    """),
    inputs={"scores": "B, H, T, S", "allowed": "B, 1, T, S"},
    outputs=(Output("weights", ("B", "H", "T", "S")),),
    reference=my_masked_softmax,
    cases=cases,
    hints=(
        prose("""
            Two things are asked, and they are done at two moments. Before the softmax: which score keeps a
            key out? After the softmax: which rows are still wrong? With -∞ a row of nothing is 0/0, so take
            the lowest finite number: `torch.finfo(scores.dtype).min`.
        """),
        lines("""
            scores  = scores, but the lowest finite number where not allowed    (B, H, T, S)
            weights = softmax of scores over the last axis, S
            return weights, but 0 where not allowed               (B, H, T, S)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, MEASURES, SIGNS),
        *SHARED,
        *ideas.squeezed(my_masked_softmax),
    ),
    forbidden=lambda scores, allowed: ~allowed,
    insight="Low scores before the softmax, zeros after it: rows sum to 1, or to exactly 0.",
    view=View(Output("weights", ("B", "H", "T", "S")), weights_or_gradient),
    advice=(
        (
            r"numpy\(\)|numpy\.ndarray",
            "NumPy knows no gradients, and one input asks for them: stay in torch all the way.",
        ),
        ideas.SUM_KEEPS_ITS_AXIS,
        ideas.NOT_FOR_TENSORS,
        ideas.MASK_IN_BRACKETS,
        *advice(r"""
must match the size with allowed\[|allowed\.(unsqueeze|squeeze|view|reshape)
    `allowed` is (B, 1, T, S): its axis of size 1 serves all heads, so it fits the scores as it is.
"""),
    ),
)
