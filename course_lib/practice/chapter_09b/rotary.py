"""09b.rotary: the rotation that a model with a KV cache needs."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_09b.rotary_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def rotate(x, start):
    T, K = x.shape[1:]
    position = torch.arange(start, start + T)[:, None]  # (T, 1)
    angle = position * 10000.0 ** (-torch.arange(0, K, 2) / K)  # (T, K / 2)
    a, b = x[..., 0::2], x[..., 1::2]  # (B, T, K / 2) each: the two features of every pair
    turned = [a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()]
    return torch.stack(turned, dim=-1).flatten(-2)  # (B, T, K): side by side again


def cases() -> list[Case]:
    g = seeded(913)

    def case(name: str, B: int, T: int, K: int, start: int) -> Case:
        return Case(name, (random(g, B, T, K), start), {"B": B, "T": T, "K": K})

    turned = case("features that are not contiguous", 2, 3, 4, 5)
    return [
        case("a prompt, from position 0 on", 3, 5, 8, 0),
        case("one new token at position 5", 3, 1, 8, 5),
        case("three tokens from position 40 on", 2, 3, 6, 40),
        case("the second token of a text", 2, 1, 4, 1),
        case("a far position", 2, 2, 6, 900),
        case("one text", 1, 4, 6, 3),
        case("one pair of features", 3, 4, 2, 7),
        case("as many texts as places and features", 4, 4, 4, 2),
        Case(turned.name, (not_contiguous(turned.args[0], 1, 2), 5), turned.sizes),
    ]


ROTARY = Exercise(
    id="09b.rotary",
    title="A GPT that repeats itself: mend its rotation",
    minutes=10,
    difficulty=3,
    statement=prose("""
        A GPT with rotary positions writes well without a KV cache. With one, its first new token is right,
        and then it goes on like "The capital of France is the capital of France is the". With a cache each
        new token comes to the rotation alone, T = 1. Write the rotation that is right, `rotate(x, start)`.

        `x` (B, T, K) are queries or keys of one head, K even; the first of the T tokens stands at position
        `start` (0 or more), the next at start + 1, and so on. Neighbouring features are pairs: features 0 and
        1 are pair 0, features 2 and 3 are pair 1. The angle of pair i at position n is n · 10000^(-2i / K),
        in radians, i from 0 to K / 2 - 1. A pair (a, b) is turned by its angle t: it becomes (a cos t - b sin
        t, a sin t + b cos t), at the same two places. Return the turned features, (B, T, K).
    """),
    inputs={"x": "B, T, K", "start": "a whole number"},
    outputs=(Output("turned", ("B", "T", "K")),),
    reference=rotate,
    cases=cases,
    hints=(
        prose("""
            Which line of a rotation knows positions, and what does it see when one token comes alone? Slices
            with a step, `x[..., 0::2]`, take the first feature of every pair; how do a and b get back to
            their places?
        """),
        lines("""
            position = start, start + 1, …                      (T, 1)
            angle    = position · 10000^(-2i / K), for each i   (T, K / 2)
            a, b     = first and second feature of each pair    (B, T, K / 2)
            new a, new b by the formula
            return both, side by side again                     (B, T, K)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(rotate)),
    pairs=PAIRS,
    insight=prose("""
        Test a rotation by what it is for: a query turned at i and a key turned at j have a product that
        depends on i - j only, also when the key came from a cache.
    """),
    tolerance=1e-3,
    advice=advice(r"""
must match the size|broadcast
    Angles are (T, K / 2): one for each position and each pair. `torch.arange(start, start + T)[:, None]` is
    (T, 1), and goes beside the K / 2 frequencies.
Integers to negative|negative integer powers
    Whole numbers have no negative powers in torch: write 10000.0.
"""),
)
