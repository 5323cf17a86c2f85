"""A round table at which everybody is asked two questions; the right attention is known for certain.

    eight guests sit in a circle, each with a name of 24, no name twice
    at every seat:  who sits on your left?  who sits on your right?
    two look-ups:   the seat before, the seat after (left of the first seat is the last)

A sentence of eight words, so to speak, in which each word must fetch two others from two places and keep them
apart. The model is one layer of attention; `n_heads` changes, the number of parameters does not.

Axes: B tables, T seats, N names, H heads, K features of a head; 2 questions, left and right.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.interpret import weight_on
from course_lib.models import evaluating
from course_lib.models.attention_only import AttentionOnly, AttentionOnlyConfig
from course_lib.training.recipe import Recipe, Task

GUESTS = (
    "amir anna bo chen clara dina emma ivan julia kenji lena leo mia nina noor omar oscar paul "
    "rosa sam tara tom wei zoe"
)
NAMES = tuple(GUESTS.split())
SEATS = 8
QUESTIONS = ("left", "right")
OFFSETS = (-1, +1)  # where each answer stands, seen from the guest who is asked


def tables(n_tables: int, generator: torch.Generator) -> Tensor:
    """Random tables: name ids `(B, T)`, no name twice at a table."""
    return torch.rand(n_tables, len(NAMES), generator=generator).argsort(1)[:, :SEATS]  # (B, T)


def test_tables(n_tables: int = 500) -> Tensor:
    """The tables on which models are scored, always the same."""
    return tables(n_tables, torch.Generator().manual_seed(99))


def seat(text: str) -> Tensor:
    """One table written out: `seat("anna bo chen dina emma ivan julia kenji")`, ids `(1, T)`.

    Raises:
        ValueError: another number of guests than seats, a name that is not in `NAMES`, or one twice.
    """
    guests = text.split()
    if len(guests) != SEATS or len(set(guests)) != SEATS:
        raise ValueError(f"text has {len(guests)} guests, expected {SEATS} different names")
    for name in guests:
        if name not in NAMES:
            raise ValueError(f"text has {name!r}, expected names of {', '.join(NAMES)}")
    return torch.tensor([[NAMES.index(name) for name in guests]])


def guests(ids: Tensor) -> list[str]:
    """The names at one table `(T,)`, from seat 0 on."""
    return [NAMES[i] for i in ids.tolist()]


def true_answers(ids: Tensor) -> Tensor:
    """What each guest should say: `(B, T)` to `(B, T, 2)`, left and right."""
    return torch.stack([ids.roll(-offset, dims=1) for offset in OFFSETS], dim=-1)


def true_places() -> Tensor:
    """Where each answer stands: boolean `(2, T, T)`, question, guest who is asked (row), seat (column)."""
    here = torch.eye(SEATS, dtype=torch.bool)
    return torch.stack([here.roll(offset, dims=1) for offset in OFFSETS])


# Each name stands twice in the vocabulary: the first 24 scores of a seat answer "left?", the others "right?".
RECIPE = Recipe(
    AttentionOnlyConfig(2 * len(NAMES), d_model=16, n_heads=2, n_layers=1, max_len=SEATS),
    steps=300,
    batch_size=64,
    lr=5e-3,
)


def answer_scores(model: AttentionOnly, ids: Tensor) -> Tensor:
    """A score for every name, at every seat, for both questions: `(B, T)` to `(B, T, 2, N)`."""
    return model(ids)[0].unflatten(-1, (2, len(NAMES)))


def batches(recipe: Recipe) -> Iterator[Tensor]:
    """New tables for ever: none is seen twice, so nothing can be learned by heart."""
    generator = torch.Generator().manual_seed(1_000 + recipe.seed)
    while True:
        yield tables(recipe.batch_size, generator)


def table_loss(model: AttentionOnly, ids: Tensor) -> Tensor:
    """Mean cross-entropy of the true neighbours, nats an answer."""
    scores = answer_scores(model, ids)  # (B, T, 2, N)
    return F.cross_entropy(scores.flatten(0, 2), true_answers(ids).flatten())


def task() -> Task:
    """Answer both questions at every seat; the loss is in nats an answer."""
    return Task(batches, table_loss)


def right_answers(model: AttentionOnly, ids: Tensor) -> Tensor:
    """Which answers are right: boolean `(B, T, 2)`, left and right."""
    with evaluating(model):
        return answer_scores(model, ids).argmax(-1) == true_answers(ids)


def accuracy(model: AttentionOnly, ids: Tensor) -> dict[str, float]:
    """Share of right answers to each question."""
    shares = right_answers(model, ids).float().mean(dim=(0, 1))  # (2,)
    return dict(zip(QUESTIONS, shares.tolist(), strict=True))


def weight_on_neighbours(weights: Tensor) -> Tensor:
    """How much of its weight does each head put on the left neighbour, and on the right one?

    Args:
        weights: of one layer, `(B, H, T, T)`.

    Returns:
        `(H, 2)`; 1 is a perfect look-up, 1/8 is what a head gives that looks everywhere alike.
    """
    return weight_on(weights, true_places())


def seat_directions(model: AttentionOnly, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The mean query and key of every seat, `(T, K)` each, in the head that looks most at one neighbour.

    A query and a key hold a name and a seat; over many tables `ids` `(B, T)` the names average out.
    """
    inside = model.look_inside(ids)[0]
    head = weight_on_neighbours(inside.weights).amax(1).argmax()
    return inside.queries[:, head].mean(0), inside.keys[:, head].mean(0)


class Mistake(NamedTuple):
    """One wrong answer: the guests, who was asked for which neighbour, what was said, what is true."""

    table: list[str]
    asked: str
    question: str
    said: str
    truth: str


def mistakes(model: AttentionOnly, ids: Tensor) -> list[Mistake]:
    """Every wrong answer of a model at the tables `ids` `(B, T)`, in words."""
    with evaluating(model):
        said = answer_scores(model, ids).argmax(-1)  # (B, T, 2)
    truth = true_answers(ids)  # (B, T, 2)
    found = []
    for table, seat_number, question in (said != truth).nonzero().tolist():
        here, place = guests(ids[table]), (table, seat_number, question)
        words = NAMES[said[place]], NAMES[truth[place]]
        found.append(Mistake(here, here[seat_number], QUESTIONS[question], *words))
    return found
