"""07.bits: a loss that can be compared between tokenizers."""

import math

from course_lib.practice.chapter_07.bits_slips import two_slips
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def bits_per_byte(nats_per_token, n_tokens, text):
    nats = nats_per_token * n_tokens  # of the whole text
    return nats / math.log(2) / len(text.encode("utf-8"))


def rate(formula):
    """A formula of nats a token, tokens, bytes and letters."""
    return lambda nats, n_tokens, text: formula(nats, n_tokens, len(text.encode()), len(text))


def per_word(nats, n_tokens, text):
    return nats * n_tokens / LN2 / len(text.split())


LN2 = math.log(2)

WAYS = {
    "nats-per-byte": rate(lambda nats, n, b, c: nats * n / b),
    "times-ln-2": rate(lambda nats, n, b, c: nats * LN2 * n / b),
    "bits-per-token": rate(lambda nats, n, b, c: nats / LN2),
    "turned-round": rate(lambda nats, n, b, c: nats / LN2 * b / n),
    "turned-round-letters": rate(lambda nats, n, b, c: nats / LN2 * c / n),
    "per-word": per_word,
    "per-letter": rate(lambda nats, n, b, c: nats / LN2 * n / c),
    "per-letter-in-nats": rate(lambda nats, n, b, c: nats * n / c),
    "bytes-alone": rate(lambda nats, n, b, c: nats / LN2 / b),
    "whole-text": rate(lambda nats, n, b, c: nats / LN2 * n),
    "logarithm-of-the-loss": (
        rate(lambda nats, n, b, c: math.log2(nats) * n / b),
        rate(lambda nats, n, b, c: math.log2(nats * n) / b),
        rate(lambda nats, n, b, c: math.log2(nats * n / b)),
    ),
    "perplexity": (
        rate(lambda nats, n, b, c: math.exp(nats) * n / b),
        rate(lambda nats, n, b, c: math.exp(nats)),
        rate(lambda nats, n, b, c: math.exp(nats * n / b)),
        rate(lambda nats, n, b, c: 2 ** (nats / LN2 * n / b)),
        rate(lambda nats, n, b, c: 2 ** (nats * n / b)),
    ),
    "another-base": (
        rate(lambda nats, n, b, c: nats / math.log(10) * n / b),
        rate(lambda nats, n, b, c: nats / 2 * n / b),
    ),
    "eight-bits-a-byte": (
        rate(lambda nats, n, b, c: nats / LN2 * n / (8 * b)),
        rate(lambda nats, n, b, c: 8 * nats / LN2 * n / b),
    ),
}

WORDS = """
nats-per-byte
    These are nats a byte: the right share, in another unit. A bit is ln 2 = 0.693 nats, so the same loss has
    more bits than nats: divide by `math.log(2)`.
times-ln-2
    You multiply by ln 2. A bit is smaller than a nat (ln 2 = 0.693 nats), so the number of bits must be
    larger: divide.
bits-per-token
    These are bits a token. A longer token is harder to guess and there are fewer of them, so this cannot be
    compared between tokenizers. Take the loss of the whole text, times `n_tokens`, and share it among its
    bytes.
turned-round
    Tokens and bytes are turned round. The whole text costs nats a token times its tokens; that is shared
    among its bytes: tokens stand above, bytes below.
turned-round-letters
    Two slips. Tokens and letters are turned round: the whole text costs nats a token times its tokens, so
    tokens stand above. And below stand bytes: `len(text)` counts letters, `len(text.encode())` bytes.
per-word
    You divide by the words. Asked for are bits a byte: `len(text.encode())` counts the bytes.
per-letter
    You divide by the letters: `len(text)` counts letters, and é has two bytes, 林 three. `len(text.encode())`
    counts bytes.
per-letter-in-nats
    Two slips. `len(text)` counts letters, and é has two bytes: `len(text.encode())` counts bytes. And these
    are nats: divide by ln 2, `math.log(2)`, for bits.
bytes-alone
    You share the loss of one token among all bytes of the text. The whole text costs `n_tokens` times as
    much.
whole-text
    These are the bits of the whole text. Share them among its bytes.
logarithm-of-the-loss
    You take a logarithm of the loss. The loss is a logarithm already; another unit for it is a division, by
    ln 2.
perplexity
    You take the loss out of its logarithm, as perplexity does. Bits are the logarithm itself, in base 2: no
    `exp` and no power.
another-base
    Nearly: it is divided by another number. From nats (base e) to bits (base 2) one divides by ln 2, the
    natural logarithm of 2: `math.log(2)`, 0.693.
eight-bits-a-byte
    There is an 8 too many. A byte is written with 8 bits, and that is what a model is compared with: here it
    is asked how many bits a byte costs, so divide by the number of bytes as it is.
"""


def cases() -> list[Case]:
    return [
        Case("a text of plain letters", (2.5, 3, "the cat sat")),
        Case("letters of two and three bytes", (3.25, 7, "élan 林小")),
        Case("emoji", (4.1, 9, "👍🏽 ok")),
        Case("as many tokens as bytes", (1.75, 5, "a b c")),
        Case("one token", (0.6, 1, "the")),
        Case("a loss of 0", (0.0, 4, "aaaa aaaa")),
        Case("a long text", (5.5, 2000, "return x é\n" * 700)),
    ]


def further() -> list[Case]:
    texts = ("a", "é", "ab é 林", "x" * 50)
    return [
        Case("other texts", (nats, n, text)) for nats in (0.3, 1.0, 6.0) for n in (1, 4) for text in texts
    ]


BITS = Exercise(
    id="07.bits",
    title="Bits a byte",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `bits_per_byte(nats_per_token, n_tokens, text)`. A model was measured on `text` (a `str`, not
        empty), which its tokenizer cuts into `n_tokens` tokens. Its mean loss is `nats_per_token`: minus the
        natural logarithm of the chance of the right token, the mean over all tokens of the text. Return how
        many bits the text costs for each of its bytes in UTF-8, as one number. One bit is ln 2 nats.
    """),
    inputs={"nats_per_token": "a number", "n_tokens": "how many tokens", "text": "a text"},
    outputs=(Output("bits"),),
    reference=bits_per_byte,
    cases=cases,
    further=further,
    two_slips=two_slips,
    hints=(
        prose("""
            What does the whole text cost, in nats? A nat is more than a bit: does the number rise or fall
            when you change the unit? And how many bytes has é?
        """),
        lines("""
            nats  = nats a token times the number of tokens
            bits  = nats divided by ln 2
            bytes = the length of the text, encoded
            return bits / bytes
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight=prose("""
        A text has the same bytes for every tokenizer. So bits a byte can be compared where a loss a token
        cannot.
    """),
    tolerance=1e-6,
    advice=advice(r"""
'math' is not defined
    `math.log` needs `import math` in a cell above, or in the function.
math domain error
    A loss may be 0, and 0 has no logarithm. No logarithm of the loss is needed: it is one already.
"""),
)
