"""07.bits: two slips at once."""

import math

import torch

from course_lib.practice.chapter_07.two_slips import slips

LN2 = math.log(2)


def log2(nats):
    return math.log2(nats)


def torch_log2(nats):
    return torch.log2(torch.tensor(float(nats), dtype=torch.float64)).item()


def as_it_is(value):
    return value


def make(
    unit=lambda nats: nats / LN2,
    tokens=as_it_is,
    size=lambda text: len(text.encode()),
    above=False,
    factor=1,
):
    def way(nats, n_tokens, text):
        per = size(text) if above else 1 / size(text)
        return factor * unit(nats) * tokens(n_tokens) * per

    return way


PARTS = {
    "letters": {"size": len},
    "words": {"size": lambda text: len(text.split())},
    "utf-16": (
        {"size": lambda text: len(text.encode("utf-16"))},
        {"size": lambda text: len(text.encode("utf-16-le"))},
    ),
    "not-shared": {"size": lambda text: 1},
    "size-above": {"above": True},
    "nats": {"unit": as_it_is},
    "times-ln-2": {"unit": lambda nats: nats * LN2},
    "another-base": (
        {"unit": lambda nats: nats / math.log(10)},
        {"unit": lambda nats: nats / 2},
        {"unit": lambda nats: nats / math.log2(10)},
    ),
    "logarithm": (
        {"unit": log2},
        {"unit": torch_log2},
        {"unit": math.log},
        {"unit": lambda nats: torch_log2(nats) * LN2},
        {"unit": lambda nats: log2(nats) / LN2},
        {"unit": lambda nats: math.log10(nats)},
        {"unit": math.log1p},
    ),
    "exponential": (
        {"unit": math.exp},
        {"unit": lambda nats: math.exp(nats) / LN2},
        {"unit": lambda nats: 2**nats},
        {"unit": lambda nats: math.exp(-nats)},
    ),
    "minus": {"unit": lambda nats: -nats / LN2},
    "tokens-forgotten": {"tokens": lambda n: 1},
    "tokens-below": {"tokens": lambda n: 1 / n},
    "eight": ({"factor": 8}, {"factor": 1 / 8}),
}

TOLD = """
letters
    `len(text)` counts letters, and é has two bytes, 林 three: `len(text.encode())` counts bytes.
words
    You count words; the bytes are `len(text.encode())`.
utf-16
    The bytes of UTF-16 are counted. `text.encode()` gives those of UTF-8.
not-shared
    The sum is not shared among the bytes: divide by `len(text.encode())`.
size-above
    You multiply by the length of the text. The loss is shared among its bytes: divide.
nats
    The unit is still nats: divide by ln 2, `math.log(2)`, for bits.
times-ln-2
    You multiply by ln 2. One bit is 0.693 nats, so there are more bits than nats: divide.
another-base
    From nats to bits one divides by ln 2, `math.log(2)`, 0.693: another number stands there.
logarithm
    You take a logarithm of the loss. It is one already: another unit for it is a division, by `math.log(2)`.
exponential
    You take a power of the loss, as for perplexity. Bits need none: divide the loss by `math.log(2)`.
minus
    There is a minus. The loss is minus a logarithm already, and bits are positive like it.
tokens-forgotten
    The loss of one token is taken for that of the whole text: multiply by `n_tokens`.
tokens-below
    You divide by `n_tokens`. The loss is a mean over the tokens already: multiply by their number to get
    that of the whole text.
eight
    There is an 8 too many: the number of bytes is what to divide by, as it is.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
