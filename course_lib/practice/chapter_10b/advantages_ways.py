"""10b.advantages: other means, other standard deviations, and guards that are none."""

from itertools import product

import torch

from course_lib.practice.chapter_10b.advantages_words import WORDS
from course_lib.practice.two_slips import as_tuple, listed, of_parts


def group_mean(r):
    return r.mean(1, keepdim=True)


def group_std(r):
    return r.std(1, keepdim=True)


def by_hand(r, number):
    """``std`` of torch finds 0 where it works with more digits; of the rounded mean this does not."""
    return ((r - group_mean(r)).square().sum(1, keepdim=True) / number).sqrt()


def equal_rewards(r):
    return r.amax(1, keepdim=True) == r.amin(1, keepdim=True)


def guarded(above, spread, r):
    return torch.where(equal_rewards(r), 0.0, above / spread)


def plus(small):
    return lambda above, spread, r: above / (spread + small)


def at_least(small):
    return lambda above, spread, r: above / spread.clamp(min=small)


def under_the_root(small):
    return lambda above, spread, r: above / (spread.square() + small).sqrt()


def above_0(above, spread, r):
    return torch.where(spread > 0, above / spread, 0.0)


def unguarded(above, spread, r):
    return above / spread


def nan_is_0(above, spread, r):
    return (above / spread).nan_to_num(0.0)


def left_as_they_are(above, spread, r):
    return above / torch.where(spread == 0, 1.0, spread)


# What learners write against 0 / 0; the last ones do not see a spread that is 0 but for rounding.
ROUNDING_STAYS = (above_0, nan_is_0, left_as_they_are, plus(1e-8), *map(at_least, (1e-8, 1e-12)))
GUARDS = (guarded, plus(1e-4), plus(1e-6), plus(1e-5), *ROUNDING_STAYS)


def made(above=lambda r: r - group_mean(r), spread=group_std, guard=guarded):
    """Another difference, another divisor, another guard against 0 / 0."""
    return lambda rewards: guard(above(rewards), spread(rewards), rewards)


def others_mean(r):
    return (r.sum(1, keepdim=True) - r) / (r.shape[1] - 1)


PARTS = {
    "above": {
        "mean-of-the-batch": lambda r: r - r.mean(),
        "mean-over-prompts": lambda r: r - r.mean(0),
        "not-centred": lambda r: r,
        "mean-of-the-others": lambda r: r - others_mean(r),
        "against-the-best": lambda r: r - r.amax(1, keepdim=True),
        "against-the-worst": lambda r: r - r.amin(1, keepdim=True),
        "median": lambda r: r - r.median(1, keepdim=True).values,
        "turned-round": lambda r: group_mean(r) - r,
        "size-of-the-difference": lambda r: (r - group_mean(r)).abs(),
    },
    "spread": {
        "std-of-the-batch": (lambda r: r.std(), lambda r: r.std(correction=0)),
        "std-over-prompts": (
            lambda r: r.std(0, keepdim=True),
            lambda r: r.std(0, keepdim=True, correction=0),
        ),
        "population": (
            lambda r: r.std(1, keepdim=True, correction=0),
            lambda r: by_hand(r, r.shape[1]),
        ),
        "variance": (
            lambda r: r.var(1, keepdim=True),
            lambda r: r.var(1, keepdim=True, correction=0),
        ),
        "not-divided": lambda r: torch.ones(len(r), 1),
        "range": lambda r: r.amax(1, keepdim=True) - r.amin(1, keepdim=True),
        "mean-distance": lambda r: (r - group_mean(r)).abs().mean(1, keepdim=True),
        "not-divided-by-the-number": lambda r: (r - group_mean(r)).norm(dim=1, keepdim=True),
        "largest-distance": lambda r: (r - group_mean(r)).abs().amax(1, keepdim=True),
        "root-twice": lambda r: group_std(r).sqrt(),
    },
    "guard": {
        "no-guard": unguarded,
        "added-under-the-root": tuple(map(under_the_root, (1e-4, 1e-5, 1e-3, 1e-2))),
        "too-much-added": tuple(map(plus, (1e-2, 1e-1, 1.0, 1e-3))),
    },
}


def alone(ways):
    """Each wrong difference beside any guard that learners write: these differ where rewards are equal."""
    return tuple(made(above=way, guard=guard) for way in as_tuple(ways) for guard in GUARDS)


def beside_any_guard(name, ways):
    """Each wrong divisor beside any guard; ``layer_norm`` is the population's, with 1e-5 under the root."""
    more = (under_the_root(1e-5),) if name == "population" else ()
    return tuple(made(spread=way, guard=guard) for way in as_tuple(ways) for guard in (*GUARDS, *more))


def over(*axes):
    """Mean and standard deviation over these axes, of a sample or not, beside any guard or none."""

    def whole(correction, guard):
        return lambda r: guard(
            r - r.mean(axes, keepdim=True), r.std(axes, keepdim=True, correction=correction), r
        )

    return tuple(whole(c, guard) for c in (1, 0) for guard in (guarded, plus(1e-8), nan_is_0, unguarded))


def row_by_row(r):
    """The rows of all groups whose rewards differ; of the other groups there is none."""
    right = made()(r)
    return [row for row, equal in zip(right, equal_rewards(r)[:, 0], strict=True) if not equal]


def scaled(r):
    low = r.amin(1, keepdim=True)
    return (r - low) / (r.amax(1, keepdim=True) - low).clamp(min=1e-8)


WAYS = {
    **{name: alone(ways) for name, ways in PARTS["above"].items()},
    **{name: beside_any_guard(name, ways) for name, ways in PARTS["spread"].items()},
    **{name: tuple(made(guard=way) for way in as_tuple(ways)) for name, ways in PARTS["guard"].items()},
    "rounding-divided": tuple(
        made(spread=spread, guard=guard)
        for spread in (group_std, lambda r: by_hand(r, r.shape[1] - 1))
        for guard in (*ROUNDING_STAYS, *map(plus, (1e-7, 1e-9, 1e-10, 1e-12)))
        if spread is not group_std or guard not in (above_0, left_as_they_are)  # some of torch's are 0
    ),
    "row-missing": (
        lambda r: torch.tensor([row.tolist() for row in row_by_row(r)]),
        lambda r: torch.stack(row_by_row(r)),
        lambda r: made()(r)[~equal_rewards(r)[:, 0]],
    ),
    "over-the-batch": over(0, 1),
    "over-the-prompts": over(0),
    "brackets-missing": tuple(
        lambda r, guard=guard: r - guard(group_mean(r), group_std(r), r) for guard in GUARDS[1:]
    ),
    "not-0-where-equal": tuple(
        lambda r, other=other: torch.where(
            equal_rewards(r), other(r), guarded(r - group_mean(r), group_std(r), r)
        )
        for other in (lambda r: r, torch.ones_like, lambda r: r - 1)
    ),
    "from-0-to-1": (scaled, lambda r: 2 * scaled(r) - 1),
    "softmax": lambda r: r.softmax(1),
    "ranks": lambda r: r.argsort(1).argsort(1).float(),
    "only-the-sign": lambda r: (r - group_mean(r)).sign(),
    "rewards-returned": lambda r: r,
}

SKIP = {
    ("mean-of-the-batch", "std-of-the-batch"),
    ("mean-over-prompts", "std-over-prompts"),
    ("not-centred", "not-divided"),
    ("mean-of-the-others", "not-divided-by-the-number"),
    ("not-divided", "no-guard"),
}
TWO = {
    **{
        (a, b): tuple(
            made(above=above, spread=spread, guard=guard)
            for above in as_tuple(PARTS["above"][a])
            for spread in as_tuple(PARTS["spread"][b])
            for guard in GUARDS
        )
        for a, b in product(PARTS["above"], PARTS["spread"])
        if (a, b) not in SKIP
    },
    **{names: ways for names, ways in listed(PARTS, made, SKIP).items() if names[1] in PARTS["guard"]},
}
PAIRS = of_parts(TWO, WORDS)


def right_where_rewards_differ(expected, got, args):
    equal = equal_rewards(args[0])[:, 0]
    same = torch.allclose(got[~equal], expected[~equal], atol=1e-3, rtol=1e-3)
    return same and bool(torch.isfinite(got).all())


def wrong_where_rounded(expected, got, args):
    """Right in all groups but those of equal rewards that are no halves: only there is a mean rounded."""
    exact = ~equal_rewards(args[0])[:, 0] | (2 * args[0] == (2 * args[0]).round()).all(1)
    same = torch.allclose(got[exact], expected[exact], atol=1e-3, rtol=1e-3)
    return same and bool(torch.isfinite(got).all())


def rows_missing(expected, got, args):
    kept = expected[~equal_rewards(args[0])[:, 0]]
    if len(kept) == len(expected):
        return False
    if not len(kept):
        return got.numel() == 0
    return got.shape == kept.shape and torch.allclose(got.float(), kept, atol=1e-3, rtol=1e-3)


SIGNS = {
    "rounding-divided": wrong_where_rounded,
    "row-missing": rows_missing,
    "not-0-where-equal": right_where_rewards_differ,
}
EVERYWHERE = ("rounding-divided",)
ANY_SHAPE = ("row-missing",)
