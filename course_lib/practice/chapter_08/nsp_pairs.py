"""08.nsp-pairs: which text stands second, and what is asked about it."""

import torch

from course_lib.practice.chapter_08.nsp_pairs_ways import PAIRS, WAYS
from course_lib.practice.chapter_08.nsp_pairs_words import WORDS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def nsp_pairs(ends, throw, other, nsp):
    own = torch.arange(len(ends))  # (B,)
    is_next = throw < 0.5
    if not nsp:
        return ends.clone(), torch.full_like(own, -100)
    source = torch.where(is_next, own, other)  # (B,): whose end stands second
    return ends[source], is_next.long()


def cases() -> list[Case]:
    g = seeded(805)

    def case(name: str, throw: list[float], other: list[int], T: int, nsp: bool = True, same=()) -> Case:
        """``same``: two texts that end alike."""
        ends = torch.randint(8, 40, (len(throw), T), generator=g)
        for a, b in same:
            ends[b] = ends[a]
        args = (ends, torch.tensor(throw), torch.tensor(other), nsp)
        return Case(name, args, {"B": len(throw), "T": T})

    mixed = [0.7, 0.2, 0.9, 0.4, 0.6]
    turned = case("ends that are not contiguous", [0.1, 0.8, 0.55], [1, 2, 0], 4)
    return [
        case("five texts", mixed, [3, 0, 1, 4, 2], 6),
        case("five texts, no next-sentence prediction", mixed, [3, 0, 1, 4, 2], 6, nsp=False),
        case("others that come twice", [0.8, 0.9, 0.3, 0.6], [2, 2, 1, 1], 3),
        case("texts that pass their ends on", [0.9, 0.9, 0.9, 0.9], [1, 2, 3, 0], 5),
        case("two texts that end alike", [0.9, 0.2, 0.7, 0.1], [1, 3, 0, 2], 5, same=((0, 1),)),
        case("throws below 0.5", [0.1, 0.3, 0.0], [2, 0, 1], 4),
        case("a throw of exactly 0.5", [0.5, 0.3, 0.5, 0.8], [1, 2, 3, 0], 4),
        case("ends of one word", [0.6, 0.4], [1, 0], 1),
        case("as many texts as words", [0.3, 0.6, 0.8], [1, 2, 0], 3),
        case("one text, no next-sentence prediction", [0.9], [0], 4, nsp=False),
        Case(turned.name, (not_contiguous(turned.args[0]), *turned.args[1:]), turned.sizes),
    ]


NSP_PAIRS = Exercise(
    id="08.nsp-pairs",
    title="Pairs that follow, and pairs that do not",
    minutes=8,
    difficulty=2,
    statement=prose("""
        Write `nsp_pairs(ends, throw, other, nsp)`. B texts have been cut in two; row i of `ends` (B, T) is
        the end of text i. Say which end stands second beside each beginning, and what is asked about it:
        return `seconds` (B, T) and `labels` (B,).

        With `nsp` True: text i keeps its own end if `throw[i]` (a random number from 0 to 1) is below 0.5,
        and its label is 1, "next". Otherwise it gets the end of text `other[i]`, as it stands in `ends`, and
        its label is 0, "random": the label says how the pair was made. With `nsp` False next-sentence
        prediction is switched off: every text keeps its own end, and every label is -100, "not asked". Do not
        change `ends`.
    """),
    inputs={"ends": "B, T", "throw": "B", "other": "B", "nsp": "True or False"},
    outputs=(Output("seconds", ("B", "T")), Output("labels", ("B",))),
    reference=nsp_pairs,
    cases=cases,
    hints=(
        prose("""
            For each text there is one number that says whose end it gets: its own, or `other[i]`. `ends[…]`
            with B such numbers gives B rows at once. What is left of all this when the switch is off?
        """),
        lines("""
            is_next = throw below 0.5                     (B,)
            source  = own number where is_next, else other    (B,)
            with nsp:    seconds = rows of ends at source, labels = 1 where is_next, else 0
            without nsp: seconds = ends, labels = -100 everywhere
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        The switch changes the data, too: a model without next-sentence prediction should not read random
        ends. And which number stands for "next" is an agreement, no more: in some libraries it is 0.
    """),
    advice=advice(r"""
Boolean value|ambiguous
    `if` asks for one truth value, and `throw` holds B numbers: `torch.where(throw < 0.5, …, …)` decides for
    each, or a loop over the texts.
must match the size|broadcast
    `throw < 0.5` is (B,), and the ends are (B, T): to choose whole rows give it a second axis, `[:, None]`,
    or choose among the numbers of the texts first.
"""),
)
