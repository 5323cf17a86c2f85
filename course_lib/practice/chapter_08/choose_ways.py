"""08.choose: wrong choices, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def words(ids, special):
    return ~torch.isin(ids, torch.tensor(special))


def below(share):
    return lambda throw: throw < share


def wrong(is_word=words, low=lambda throw: throw < 0.15):
    """Other rules for what may be chosen, from (ids, special), and for the throws."""
    return lambda ids, special, throw: is_word(ids, special) & low(throw)


def anything(ids, special):
    return torch.ones_like(ids, dtype=torch.bool)


def but(place):
    """One of the special ids is spared."""
    return lambda ids, special: ids != special[place]


def right(ids, special, throw):
    return wrong()(ids, special, throw)


def smallest(count, among=words, of_all=False):
    """The smallest throws of each row; how many says ``count`` of those that may be chosen, or of all."""

    def made(ids, special, throw):
        may = among(ids, special)
        chosen = torch.zeros_like(may)
        for row, free, thrown in zip(chosen, may, throw, strict=True):
            n = min(count(len(free) if of_all else int(free.sum())), int(free.sum()))
            row[thrown.masked_fill(~free, 2.0).argsort(stable=True)[:n]] = True
        return chosen

    return made


COUNTS = (
    lambda n: round(0.15 * n),
    lambda n: int(0.15 * n),
    lambda n: -int(-0.15 * n // 1),
    lambda n: max(1, round(0.15 * n)),
    lambda n: max(1, int(0.15 * n)),
)


def at_least_one(ids, special, throw):
    chosen, may = right(ids, special, throw), words(ids, special)
    for row, free, thrown in zip(chosen, may, throw, strict=True):
        if not row.any() and free.any():
            row[thrown.masked_fill(~free, 2.0).argmin()] = True
    return chosen


def of_all_tokens(ids, special, throw):
    """The threshold is raised, so that 15 % of all tokens come out."""
    may = words(ids, special)
    return may & (throw < 0.15 * may.numel() / may.sum())


def every_occurrence(by_row):
    """A word that is chosen at one place is chosen wherever it stands: in the batch, or in its row."""

    def made(ids, special, throw):
        chosen = right(ids, special, throw)
        if not by_row:
            return torch.isin(ids, ids[chosen])
        return torch.stack([torch.isin(row, row[some]) for row, some in zip(ids, chosen, strict=True)])

    return made


def put(value):
    return lambda *args: args[0].masked_fill(~right(*args), value)


PARTS = {
    "is_word": {
        "special-chosen": anything,
        "special-alone": lambda ids, special: ~words(ids, special),
        "one-special-spared": (
            but(0),
            but(-1),
            but(1),
            lambda ids, special: words(ids, special[:2]),
            lambda ids, special: words(ids, special[1:]),
            lambda ids, special: words(ids, special[:3]),
        ),
        "zero-spared": (lambda ids, special: ids != 0, lambda ids, special: ids > 0),
        "special-by-size": (
            lambda ids, special: ids > max(special),
            lambda ids, special: (ids < min(special)) | (ids > max(special)),
            lambda ids, special: ids >= len(special),
            lambda ids, special: ids > len(special),
        ),
        "special-by-place": (
            lambda ids, special: (torch.arange(ids.shape[1]) > 0).expand(ids.shape),
            lambda ids, special: (ids != special[0]) & (torch.arange(ids.shape[1]) > 0),
        ),
    },
    "low": {
        "above": lambda throw: throw > 0.15,
        "above-0.85": lambda throw: throw > 0.85,
        "another-share": tuple(map(below, (0.2, 0.5, 0.1, 0.015, 0.25, 0.3, 0.8, 0.85))),
        "every-word": below(2),
        "80-10-10": (below(0.15 * 0.8), below(0.15 * 0.9)),
        "one-throw-for-all-rows": lambda throw: (throw < 0.15)[:1].expand(throw.shape),
        "one-throw-a-row": lambda throw: (throw < 0.15)[:, :1].expand(throw.shape),
    },
}
SKIP = {  # told as one, or not to be told from others
    ("special-chosen", "above"),
    ("special-chosen", "another-share"),
    ("zero-spared", "80-10-10"),
    ("zero-spared", "another-share"),
    ("special-by-size", "80-10-10"),
    *((name, "above-0.85") for name in PARTS["is_word"]),
}

WAYS = {
    **single(PARTS, wrong),
    "above-special-chosen": wrong(anything, lambda throw: throw > 0.15),
    "another-share-special-chosen": tuple(wrong(anything, below(share)) for share in (0.1, 0.2, 0.5)),
    "limit-from-the-throws": (
        lambda ids, special, throw: words(ids, special) & (throw < throw.quantile(0.15)),
        lambda ids, special, throw: words(ids, special) & (throw < throw.quantile(0.15, 1, keepdim=True)),
        lambda ids, special, throw: words(ids, special) & (throw < throw[words(ids, special)].quantile(0.15)),
    ),
    "last-place-never": lambda *args: right(*args) & (torch.arange(args[0].shape[1]) < args[0].shape[1] - 1),
    "last-row-never": lambda *args: right(*args) & (torch.arange(len(args[0])) < len(args[0]) - 1)[:, None],
    "every-occurrence": (every_occurrence(by_row=False), every_occurrence(by_row=True)),
    "fixed-number": (
        *map(smallest, COUNTS),
        *(smallest(count, of_all=True) for count in COUNTS),
    ),
    "fixed-number-of-all": tuple(smallest(count, anything) for count in COUNTS),
    "at-least-one": at_least_one,
    "of-all-tokens": of_all_tokens,
    "turned-round": lambda *args: ~right(*args),
    "or-for-and": lambda ids, special, throw: words(ids, special) | (throw < 0.15),
    "ids-returned": tuple(map(put, (-100, 0, -1))),
    "places-returned": (lambda *args: right(*args).nonzero(), lambda *args: right(*args).nonzero().T),
}

TOLD = entries("""
special-chosen
    Special tokens are chosen, too. `[CLS]`, `[SEP]` and padding are no words: what stands there is known from
    the form of the row, and to predict it teaches nothing. Leave out every id that is in `special`. If your
    code asks for that: is `!=` joined by "or"? An id always differs from one of two others; "and" asks that
    it differs from all. Is a tensor looked up in a `set`? It is never found there: look up `int(…)` of it.
special-alone
    It is the wrong way round: you choose special tokens and leave out the words.
one-special-spared
    You leave out some of the special ids, and choose others. None of those in `special` may be chosen: all of
    them are looked for at once by `torch.isin(ids, torch.tensor(special))`. (In a loop over them, is each
    answer joined to the earlier ones?)
zero-spared
    You leave out the id 0. The ids that must not be chosen are those in `special`, others in each of these
    inputs; where 0 is not among them it is a word.
special-by-size
    You tell special tokens by the size of their ids. Here they may stand anywhere among the words: look
    whether an id is in `special`.
special-by-place
    You leave out the first place of each row. A special token can stand at any place, and a row may begin
    with a word: look whether an id is in `special`.
above
    You choose the words whose throw is above 0.15: 85 of 100. Chosen are those below.
above-special-chosen
    Two slips. You choose where the throw is above 0.15, 85 of 100 tokens; chosen are those below. And special
    tokens are chosen, too: leave out every id that is in `special`.
above-0.85
    You choose where the throw is above 0.85. That is the same share, but of other words: here a throw below
    0.15 chooses.
another-share
    You compare the throws with another number than 0.15, so another share of the words is chosen.
another-share-special-chosen
    Two slips. You compare the throws with another number than 0.15. And special tokens are chosen, too: leave
    out every id that is in `special`.
every-word
    You choose every word, whatever its throw. If all words were hidden, none would be left to tell which they
    were: a throw below 0.15 chooses.
80-10-10
    You choose with 0.15 times a share. The shares 80, 10 and 10 % come later: they say what is done to a word
    that has been chosen. Here 0.15 alone decides.
limit-from-the-throws
    Your limit is made from the throws themselves, so about the same share of them lies below it in each batch
    or row. The limit is a number: a throw below 0.15 chooses.
last-place-never
    The last place of each row is never chosen in your answer. A row may end with a word: does a loop end one
    too early?
last-row-never
    In the last row nothing is chosen in your answer. Does a loop end one too early?
every-occurrence
    Where a word stands at several places you choose it at all of them as soon as one of its throws is below
    0.15. Each place has its own throw, and decides for itself alone: compare `throw` place by place.
fixed-number
    You choose a fixed number of words in each row, those with the smallest throws. (The authors' own code
    fixes the number.) Here each word is chosen by its own throw, below 0.15, so the number differs from row
    to row.
fixed-number-of-all
    You choose a fixed number of tokens in each row, those with the smallest throws, and special tokens among
    them. Here each word is chosen by its own throw, below 0.15, and no special token ever.
at-least-one
    Where no throw of a row is below 0.15 you choose a word all the same. Such a row has no chosen word: over
    many rows it is 15 % of the words, and no more.
of-all-tokens
    You raise the threshold so that 15 % of all tokens come out, special ones counted. 15 % are meant of the
    words: each is chosen if its own throw is below 0.15.
one-throw-for-all-rows
    The throws of the first row decide for all rows. Each token has a throw of its own.
one-throw-a-row
    The first throw of a row decides for the whole row, so it is all or nothing. Each token has a throw of its
    own.
turned-round
    It is the wrong way round: True stands where a token is not chosen. Special tokens are True in your
    answer, and words with a small throw are False.
or-for-and
    You choose a token if it is a word or its throw is small. Both must hold: `&`, each in
    brackets.
ids-returned
    Your answer holds ids. Asked for is where: True on the tokens that are chosen, False on all others.
places-returned
    Your answer lists the places of the chosen tokens. Asked for is a tensor like `ids`: True where a token is
    chosen, False elsewhere.
""")

WORDS = TOLD
PAIRS = of_parts(listed(PARTS, wrong, SKIP, most=2), TOLD)
