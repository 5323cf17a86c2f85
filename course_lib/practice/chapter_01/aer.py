"""01.aer: how far is a guessed alignment from the true one?."""

import torch

from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def alignment_error_rate(guessed, sure):
    guessed, sure = set(guessed), set(sure)  # a link counts once
    if not guessed and not sure:
        return 0.0  # nothing to find, nothing wrong
    return 1 - 2 * len(guessed & sure) / (len(guessed) + len(sure))


def rate(formula):
    """A formula of (hits, |G|, |L|) in three ways: with an error, 0 or 1 where it would divide by zero."""

    def way(when_empty):
        def wrong(guessed, sure):
            guessed, sure = set(guessed), set(sure)
            try:
                return formula(len(guessed & sure), len(guessed), len(sure))
            except ZeroDivisionError:
                if when_empty is None:
                    raise
                return when_empty

        return wrong

    return tuple(way(when_empty) for when_empty in (None, 0.0, 1.0))


def guarded(formula):
    """A formula that is not asked where it would divide by zero: 0 if both are empty, 1 if one is."""

    def wrong(guessed, sure):
        guessed, sure = set(guessed), set(sure)
        if not guessed or not sure:
            return float(guessed != sure)
        return formula(len(guessed & sure), len(guessed), len(sure))

    return wrong


def by_dict(key, of, sizes):
    """One link for each source word (``key`` 0) or target word (1); ``sizes`` 1: the sets are counted."""

    def kept(links):
        return set({link[key]: link for link in links}.values())

    def wrong(guessed, sure):
        whole = set(guessed), set(sure)
        g = kept(guessed) if of != "sure" else whole[0]
        t = kept(sure) if of != "guessed" else whole[1]
        below = sum(map(len, whole if sizes else (g, t)))
        return 1 - 2 * len(g & t) / below if below else 0.0

    return wrong


def half_guarded(guessed, sure):
    """Precision and recall, each 0 where there is nothing to divide by; 0 if both sets are empty."""
    guessed, sure = set(guessed), set(sure)
    hits = len(guessed & sure)
    return 1 - (hits / max(len(guessed), 1) + hits / max(len(sure), 1)) / 2 if guessed or sure else 0.0


def same_place(guessed, sure):
    return sum(a == b for a, b in zip(guessed, sure, strict=False))


def without_direction(guessed, sure):
    return alignment_error_rate(*({tuple(sorted(link)) for link in links} for links in (guessed, sure)))


def repeated(hits, sizes=lambda guessed, sure: len(guessed) + len(sure)):
    """The rate of two lists whose links may stand there twice."""
    return lambda guessed, sure: (
        1 - 2 * hits(guessed, sure) / sizes(guessed, sure) if guessed or sure else 0.0
    )


def cases() -> list[Case]:
    crossing = {(0, 0), (1, 1), (2, 3), (3, 2)}  # the small red ball / le petit ballon rouge
    twice = [(0, 0), (0, 0), (1, 2), (3, 1)], [(0, 0), (1, 2), (2, 1)]
    return [
        Case("three of five links right", ({(0, 0), (1, 1), (2, 3), (2, 2), (4, 3)}, crossing)),
        Case("one link of four found", ({(2, 3)}, crossing)),
        Case("one link that lies the other way round", ({(0, 1), (2, 2)}, {(1, 0), (2, 2), (3, 3)})),
        Case("a list in which a link stands twice", twice),
        Case("true links that stand twice", ([(0, 0), (2, 1)], [(0, 0), (0, 0), (1, 1), (2, 2)])),
        Case("two links of one word", ([(0, 0), (1, 1), (1, 2), (2, 2)], [(0, 0), (1, 1), (1, 2), (3, 2)])),
        Case("no guess at all", (set(), {(0, 0), (1, 1)})),
        Case("guesses, and nothing to find", ({(0, 0), (2, 1)}, set())),
        Case("nothing guessed and nothing to find", (set(), set())),
    ]


def further() -> list[Case]:
    """Links between three words and three, as lists in which some stand twice, and as sets."""
    g = seeded(105)

    def links(many: int) -> list[tuple[int, int]]:
        return [tuple(pair) for pair in torch.randint(3, (many, 2), generator=g).tolist()]

    lists = [(links(a), links(b)) for a in (0, 1, 4, 7) for b in (0, 1, 5)]
    return [Case("other links", kind) for a, b in lists for kind in ((a, b), (set(a), set(b)))]


WORDS = """
product-of-sizes
    You multiply |G| and |L|. The denominator is their sum: 2·hits / (|G| + |L|) is 1 exactly when both sets
    are the same.
precision-only
    You divide by the guessed links alone: that is one minus precision. One careful, right guess would then be
    perfect, however many links it misses.
links-of-one-word-lost
    Where a word has two partners, you lose one of the two links. (A dict does so: it keeps one value for each
    key.) A set of pairs keeps both, `set(guessed)`.
mean-of-precision-and-recall
    You take the mean of precision and recall (and perhaps 1 minus it). Two shares of different sizes have no
    fair plain mean: 2·hits / (|G| + |L|) counts links, and AER is 1 minus that.
precision-itself
    This is precision: the share of your guesses that is right. An error rate is 0 when all is right, and it
    must count the links that were missed, too: 1 - 2·hits / (|G| + |L|).
recall-itself
    This is recall: the share of the true links that was found. An error rate is 0 when all is right, and it
    must count wrong guesses, too: 1 - 2·hits / (|G| + |L|).
recall-only
    You divide by the true links alone: that is one minus recall. Guessing every possible link would then be
    perfect.
jaccard
    You divide by the union: that is one minus the Jaccard index, a fair measure and another one. AER divides
    twice the hits by |G| + |L|, where links in both sets count twice.
f1-not-error
    This is the F1 score: how much is right. The error rate is what is missing to 1, so that 0 is perfect: 1
    minus yours.
f1-and-empty
    This is the F1 score: how much is right. The error rate is what is missing to 1, so that 0 is perfect: 1
    minus yours, wherever there is a link. Where both are empty nothing is wrong: there the rate is 0, which
    1 minus yours would not give.
factor-two-missing
    The factor 2 is missing. A perfect guess would get 0.5: each common link stands in both sets, so it must
    count twice above as it does below.
links-turned
    In one of the sets source and target have changed places. A link is (source, target) in both; on a
    symmetric alignment nobody notices, on crossing adjectives it counts.
direction-lost
    You make (0, 1) and (1, 0) one link. A link is (source, target), and the order is part of it: where words
    cross, both can be there, and only one of them be right.
by-position
    You compare link number 1 with link number 1, number 2 with number 2. A set has no order, and in two lists
    the same link may stand at two places. Ask which links are in both: `set(guessed) & set(sure)`.
duplicates-count
    A link that stands twice in a list is counted twice. Make sets first: a link is there or it is not.
no-true-link
    You return 0, as if all were right, when there is no true link, or no guess. That holds only if both are
    empty: a guess without a true link is wrong, and so is a true link that nobody guessed. The formula gives
    1 there by itself.
empty-fails
    The formula is right, and it divides 0 by 0 when both sets are empty. Nothing was to be found and nothing
    is wrong: return 0.0 in that case.
"""

WAYS = {
    "product-of-sizes": rate(lambda hits, g, t: 1 - 2 * hits / (g * t)),
    "precision-only": (*rate(lambda hits, g, t: 1 - hits / g), guarded(lambda hits, g, t: 1 - hits / g)),
    "links-of-one-word-lost": tuple(
        by_dict(key, of, sizes) for key in (0, 1) for of in ("both", "guessed", "sure") for sizes in (0, 1)
    ),
    "mean-of-precision-and-recall": (
        *rate(lambda hits, g, t: 1 - (hits / g + hits / t) / 2),
        *rate(lambda hits, g, t: (hits / g + hits / t) / 2),
        guarded(lambda hits, g, t: 1 - (hits / g + hits / t) / 2),
        half_guarded,
    ),
    "precision-itself": rate(lambda hits, g, t: hits / g),
    "recall-itself": rate(lambda hits, g, t: hits / t),
    "recall-only": (*rate(lambda hits, g, t: 1 - hits / t), guarded(lambda hits, g, t: 1 - hits / t)),
    "jaccard": rate(lambda hits, g, t: 1 - hits / (g + t - hits)),
    "f1-not-error": rate(lambda hits, g, t: 2 * hits / (g + t))[2],
    "f1-and-empty": rate(lambda hits, g, t: 2 * hits / (g + t))[:2],
    "factor-two-missing": rate(lambda hits, g, t: 1 - hits / (g + t)),
    "links-turned": lambda guessed, sure: alignment_error_rate({(j, i) for i, j in guessed}, sure),
    "direction-lost": without_direction,
    "by-position": (
        repeated(same_place),
        lambda guessed, sure: repeated(same_place)(set(guessed), set(sure)),
        lambda guessed, sure: repeated(same_place)(sorted(set(guessed)), sorted(set(sure))),
    ),
    "duplicates-count": (
        lambda guessed, sure: (
            1 - 2 * len(set(guessed) & set(sure)) / (len(set(guessed)) + len(sure))
            if guessed or sure
            else 0.0
        ),
        lambda guessed, sure: (
            1 - 2 * len(set(guessed) & set(sure)) / (len(guessed) + len(set(sure)))
            if guessed or sure
            else 0.0
        ),
        repeated(lambda guessed, sure: len(set(guessed) & set(sure))),
        repeated(lambda guessed, sure: sum(link in sure for link in guessed)),
    ),
    "no-true-link": (
        lambda guessed, sure: alignment_error_rate(guessed, sure) if sure else 0.0,
        lambda guessed, sure: alignment_error_rate(guessed, sure) if guessed else 0.0,
        lambda guessed, sure: alignment_error_rate(guessed, sure) if guessed and sure else 0.0,
    ),
    "empty-fails": rate(lambda hits, g, t: 1 - 2 * hits / (g + t))[0],
}

AER = Exercise(
    id="01.aer",
    title="Alignment error rate",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `alignment_error_rate(guessed, sure)`. Both are sets or lists of links (source word, target
        word). With G the guessed links and L the true ones, AER = 1 - 2·|G ∩ L| / (|G| + |L|): 0 is perfect,
        1 is all wrong. A link that stands twice counts once. If both are empty the rate is 0. Return one
        number. (Och & Ney 2003. There, some links are only "possible"; here every true link is sure.)
    """),
    inputs={"guessed": "set or list of (source, target) pairs", "sure": "the same"},
    outputs=(Output("rate"),),
    reference=alignment_error_rate,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Python's sets know intersection: `a & b`. Which two sizes are added in the denominator, and what
            happens to the formula when both are 0?
        """),
        lines("""
            make sets of both
            if both are empty: return 0.0
            hits = how many links are in both
            return 1 - 2 * hits / (size of guessed + size of sure)
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    insight="Because we know the true links, attention can be scored and not only admired.",
    advice=advice(r"""
for &: 'list'|for &: 'set'|for &: 'tuple'|has no attribute 'intersection'
    `&` and `.intersection` belong to sets, and a list may come: make sets of both first, `set(guessed)`.
"""),
)
