"""08.corrupt: what the model reads and what it must say, from throws that are given."""

import torch

from course_lib.practice.chapter_08.corrupt_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def corrupt(ids, chosen, throw, drawn, mask_id):
    reads = torch.where(chosen & (throw < 0.8), mask_id, ids)  # (B, T)
    reads = torch.where(chosen & (throw >= 0.8) & (throw < 0.9), drawn, reads)
    labels = ids.masked_fill(~chosen, -100)
    return reads, labels


def cases() -> list[Case]:
    g = seeded(803)

    def case(name: str, B: int, T: int, mask_id: int, share: float = 0.6, low: int = 8, **fixed) -> Case:
        """``fixed``: one value for all throws, or words that are drawn."""
        ids = torch.randint(low, low + 9, (B, T), generator=g)
        chosen = torch.rand(B, T, generator=g) < share
        kinds = torch.randint(0, 3, (B, T), generator=g)  # all three are frequent, so that they are seen
        throw = torch.rand(B, T, generator=g) * torch.tensor([0.8, 0.1, 0.1])[kinds]
        throw = throw + torch.tensor([0.0, 0.8, 0.9])[kinds]
        drawn = torch.randint(low, low + 9, (B, T), generator=g)
        rest = {"chosen": chosen, "throw": throw, "drawn": drawn} | fixed
        return Case(name, (ids, *rest.values(), mask_id), {"B": B, "T": T})

    edges = torch.tensor([0.8, 0.9, 0.3, 0.8, 0.9, 0.85], dtype=torch.float64).expand(2, 6)
    zero = case("a word with the id 0", 3, 6, 30, low=0)
    turned = case("rows that are not contiguous", 3, 4, 7)
    own = case("drawn words that are the word itself", 2, 5, 7)
    return [
        case("three rows", 3, 8, 7),
        case("another id of `[MASK]`", 2, 9, 103, low=110),
        zero,
        case("nothing chosen", 2, 3, 7, share=0.0),
        case("every token chosen", 4, 6, 7, share=1.0),
        case("throws that all mask", 2, 4, 7, throw=torch.full((2, 4), 0.05)),
        case("throws that all keep", 2, 4, 7, throw=torch.full((2, 4), 0.95)),
        Case(own.name, (*own.args[:3], own.args[0].clone(), own.args[4]), own.sizes),
        case("throws of exactly 0.8 and 0.9", 2, 6, 7, share=1.0, throw=edges),
        case("one row", 1, 7, 103),
        case("rows of one token", 6, 1, 7),
        Case(turned.name, (*map(not_contiguous, turned.args[:4]), turned.args[4]), turned.sizes),
    ]


CORRUPT = Exercise(
    id="08.corrupt",
    title="Hide the chosen words",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `corrupt(ids, chosen, throw, drawn, mask_id)`. `ids` (B, T) are the tokens of a batch, and
        `chosen` (B, T), boolean, says which of them are to be predicted. `throw` (B, T) holds a new random
        number from 0 to 1 for each token (not that by which the word was chosen), `drawn` (B, T) a random
        word for each. Return two tensors of ids, both (B, T), `reads, labels`.

        `reads` is what the model reads. A chosen token becomes `mask_id` (the id of `[MASK]`) if its throw is
        below 0.8, the drawn word of its place if its throw is from 0.8 to below 0.9, and stays as it is if
        its throw is 0.9 or more. All other tokens stay as they are. `labels` is what the model must say: for
        each chosen token the id that was there before, -100 for all others. Do not change `ids`.
    """),
    inputs={"ids": "B, T", "chosen": "B, T", "throw": "B, T", "drawn": "B, T", "mask_id": "one id"},
    outputs=(Output("reads", ("B", "T")), Output("labels", ("B", "T"))),
    reference=corrupt,
    cases=cases,
    hints=(
        prose("""
            Take four tokens, three of them chosen, with throws 0.3, 0.85 and 0.95, and write down what is
            read and what must be said at each place. Does a token that stays as it is have a label?
        """),
        lines("""
            masked   = chosen, and throw below 0.8
            replaced = chosen, and throw from 0.8 to below 0.9
            reads    = ids; mask_id where masked; drawn where replaced
            labels   = ids; -100 where not chosen
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        Labels do not say what was done: masked, replaced and kept words are asked for alike. So the model
        cannot trust any word that it reads, and must make a vector of the context for each.
    """),
    advice=advice(r"""
Boolean value|ambiguous
    `and`, `or` and `0.8 <= throw < 0.9` ask for one truth value; for tensors, element by element, write `&`
    and `|`, with each comparison in brackets.
shape mismatch|cannot be broadcast|must match the size
    Where you write into some places, what you write must be chosen in the same way: `reads[where] =
    drawn[where]`. `torch.where(where, drawn, reads)` does both.
"""),
)
