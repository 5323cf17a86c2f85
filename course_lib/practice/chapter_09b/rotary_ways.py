"""09b.rotary: other positions, other angles, other pairs, and what a tutor says."""

import math

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def neighbours(x):
    return x[..., 0::2], x[..., 1::2]


def side_by_side(a, b):
    return torch.stack([a, b], dim=-1).flatten(-2)


def turn(a, b, angle):
    return a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()


def made(
    position=lambda t, start: start + t,
    speed=lambda i, K: 10000.0 ** (-2 * i / K),
    pairs=neighbours,
    turned=turn,
    back=side_by_side,
):
    """Other positions, other frequencies, other pairs, another turn, another way back."""

    def rotate(x, start):
        T, K = x.shape[1:]
        n = position(torch.arange(T), start)[:, None]  # (T, 1)
        angle = n * speed(torch.arange(K // 2), K)  # (T, K / 2)
        return back(*turned(*pairs(x), angle))

    return rotate


def halves(a_and_b):
    return a_and_b.chunk(2, dim=-1)


def joined(a, b):
    return torch.cat([a, b], -1)


def half_layout(position=lambda t, start: start + t):
    return made(position, pairs=halves, back=joined)


def sinusoids(x, start):
    """Sines and cosines are added, as to embeddings."""
    T, K = x.shape[1:]
    angle = torch.arange(start, start + T)[:, None] * 10000.0 ** (-torch.arange(0, K, 2) / K)
    return x + side_by_side(angle.sin(), angle.cos())


def by_batch(x, start):
    """Positions run along the batch."""
    return made()(x.transpose(0, 1), start).transpose(0, 1)


def each_feature(x, start):
    """Every feature has an angle of its own, those of a pair are not turned alike."""
    T, K = x.shape[1:]
    angle = torch.arange(start, start + T)[:, None] * 10000.0 ** (-torch.arange(K) / K)
    a, b = neighbours(x)
    one, other = angle[:, 0::2], angle[:, 1::2]
    return side_by_side(a * one.cos() - b * one.sin(), a * other.sin() + b * other.cos())


def stacked(axis):
    """Both halves are stacked along the wrong axis, and `reshape` reads on."""
    return lambda a, b: torch.stack([a, b], axis).reshape(*a.shape[:-1], -1)


def two_layouts(x, start):
    """Angles for neighbours, and features turned as halves."""
    T, K = x.shape[1:]
    angle = torch.arange(start, start + T)[:, None] * 10000.0 ** (-torch.arange(0, K, 2) / K)
    angle, (a, b) = angle.repeat_interleave(2, -1), halves(x)
    return x * angle.cos() + joined(-b, a) * angle.sin()


def two_layouts_turned(x, start):
    """Angles for halves, and features turned as neighbours."""
    T, K = x.shape[1:]
    angle = torch.arange(start, start + T)[:, None] * 10000.0 ** (-torch.arange(0, K, 2) / K)
    angle, (a, b) = joined(angle, angle), neighbours(x)
    return x * angle.cos() + side_by_side(-b, a) * angle.sin()


PARTS = {
    "position": {
        "start-unused": lambda t, start: t,
        "all-at-start": lambda t, start: start + 0 * t,
        "start-times": lambda t, start: start * t,
        "one-position-on": lambda t, start: start + t + 1,
        "one-position-back": lambda t, start: start + t - 1,
        "start-subtracted": (lambda t, start: t - start, lambda t, start: start - t),
        "backwards": lambda t, start: start + t.flip(0),
    },
    "speed": {
        "half-the-exponent": lambda i, K: 10000.0 ** (-i / K),
        "twice-the-exponent": lambda i, K: 10000.0 ** (-4 * i / K),
        "exponent-turned-round": lambda i, K: 10000.0 ** (2 * i / K),
        "one-speed": lambda i, K: torch.ones(K // 2),
        "first-pair-skipped": lambda i, K: 10000.0 ** (-2 * (i + 1) / K),
        "another-base": tuple(
            lambda i, K, base=base: base ** (-2 * i / K) for base in (1000.0, 100000.0, 10.0, math.e)
        ),
        "whole-turns": lambda i, K: 2 * math.pi * 10000.0 ** (-2 * i / K),
        "in-degrees": lambda i, K: math.pi / 180 * 10000.0 ** (-2 * i / K),
        "last-pair-first": lambda i, K: 10000.0 ** (-2 * (K // 2 - 1 - i) / K),
    },
    "turned": {
        "other-direction": lambda a, b, t: (a * t.cos() + b * t.sin(), b * t.cos() - a * t.sin()),
        "sign-lost": lambda a, b, t: (a * t.cos() + b * t.sin(), a * t.sin() + b * t.cos()),
        "sine-and-cosine-exchanged": lambda a, b, t: (a * t.sin() - b * t.cos(), a * t.cos() + b * t.sin()),
        "first-half-twice": lambda a, b, t: (a * t.cos() - b * t.sin(), a * t.cos() - b * t.sin()),
        "changed-too-early": lambda a, b, t: (
            a * t.cos() - b * t.sin(),
            (a * t.cos() - b * t.sin()) * t.sin() + b * t.cos(),
        ),
        "each-by-itself": (
            lambda a, b, t: (a * t.cos(), b * t.sin()),
            lambda a, b, t: (a * t.sin(), b * t.cos()),
            lambda a, b, t: (a * t.cos(), b * t.cos()),
        ),
        "pair-exchanged": lambda a, b, t: turn(a, b, t)[::-1],
    },
    "back": {"not-put-back": joined, "joined-along-another-axis": (stacked(1), stacked(0))},
}

WAYS = {
    **single(PARTS, made),
    "halves": half_layout(),
    "halves-start-unused": half_layout(lambda t, start: t),
    "halves-put-back-wrongly": made(pairs=halves),
    "two-layouts": (two_layouts, two_layouts_turned),
    "added": sinusoids,
    "along-the-batch": by_batch,
    "each-feature-its-own": each_feature,
    "not-turned": lambda x, start: x,
}

WORDS = entries("""
start-unused
    `start` has no effect: positions begin at 0 in every call. That is the fault: a token that comes alone
    from the cache is turned as if it were the first. Its position is start, the next one's start + 1.
all-at-start
    All T tokens are turned by the position `start`. The first one stands there, the next at start + 1, and so
    on.
start-times
    You multiply by `start`. The positions are start, start + 1, start + 2, …: a sum.
one-position-on
    Every token is turned one position too far. The first one stands at `start` itself.
one-position-back
    Every token is turned one position too little. The first one stands at `start` itself.
start-subtracted
    You take a difference with `start`. The positions are start, start + 1, start + 2, …: a sum.
backwards
    Your positions run backwards: the last token stands at `start`. It is the first one that does.
half-the-exponent
    Your frequencies fall half as fast as they should. Pair i has 10000^(-2i / K): is there a 2 missing in the
    exponent, or is the base another one?
twice-the-exponent
    Your frequencies fall twice as fast as they should. The exponent is -2i / K, where i counts pairs; if your
    numbers are 0, 2, 4, … already, they are 2i.
exponent-turned-round
    Your exponent has no minus, so pairs turn faster and faster. 10000^(-2i / K): pair 0 is the fastest.
one-speed
    All pairs turn at one speed. Pair i has the frequency 10000^(-2i / K).
first-pair-skipped
    Your pairs are counted from 1. Pair 0 is the first: it has the frequency 10000^0, which is 1.
another-base
    Another number stands where 10000 belongs: the frequency of pair i is 10000^(-2i / K).
whole-turns
    There is a 2π too many. The angle is n · 10000^(-2i / K), in radians, as `cos` and `sin` want it.
in-degrees
    You change degrees into radians. The angle is in radians already.
last-pair-first
    Your frequencies stand in the opposite order. Pair 0 is the fastest.
other-direction
    You turn in the other direction: the signs of the two sines have changed places. (a cos t - b sin t,
    a sin t + b cos t).
sign-lost
    A minus is missing: a cos t - b sin t is the first of the pair. Without it the pair is not turned but
    changes its length.
sine-and-cosine-exchanged
    Sine and cosine have changed places. At angle 0 a pair must stay as it is: a cos t comes first.
first-half-twice
    Both features of a pair get the first formula. The second one is a sin t + b cos t.
changed-too-early
    The second formula uses the new a. Both need the old ones: keep them until both are computed. (A slice of
    a tensor is no copy.)
each-by-itself
    Each feature is multiplied by itself alone. A turn mixes the two of a pair: (a cos t - b sin t, a sin t +
    b cos t).
pair-exchanged
    The two features of each pair come back in each other's place. First a cos t - b sin t, then a sin t +
    b cos t.
not-put-back
    The numbers are right and stand at other places: first all first features, then all second ones. A model
    whose parts all do so would not notice; one that was trained with neighbours would. `torch.stack([a, b],
    dim=-1).flatten(-2)` puts them side by side.
joined-along-another-axis
    The turned numbers are joined along another axis, and `reshape` reads on as they lie. The two of a pair
    belong side by side: `torch.stack([a, b], dim=-1).flatten(-2)`.
two-layouts
    Two layouts are mixed: your angles are made for one kind of pairs and your features are turned as the
    other kind (neighbours, or i and i + K / 2). Here neighbours are pairs, in both.
halves
    Your pairs are feature i and feature i + K / 2. Many libraries pair so, and each is right by itself; mixed
    they are wrong. Here neighbours are pairs, 0 with 1, 2 with 3: `x[..., 0::2]`, `x[..., 1::2]`.
halves-start-unused
    Two slips. `start` has no effect: a token that comes alone is turned as if it were the first. And your
    pairs are feature i and feature i + K / 2; here neighbours are pairs.
halves-put-back-wrongly
    You take features i and i + K / 2 for a pair, and put them back side by side. Neighbours are pairs, on the
    way in as well: `x[..., 0::2]`, `x[..., 1::2]`.
added
    You add sines and cosines. So positions are added to embeddings; rotary positions turn queries and keys.
along-the-batch
    Your positions run along the batch. They belong to axis 1, the T tokens.
each-feature-its-own
    Each feature has an angle of its own. The two of a pair share one: pair i has n · 10000^(-2i / K).
not-turned
    Nothing is turned. Each pair is turned by its angle, n · 10000^(-2i / K).
""")
SKIP = {("one-speed", "start-times")}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
