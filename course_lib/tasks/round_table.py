"""A round table at which everybody is asked two questions; the right attention is known for certain.

    eight guests sit in a circle, each with a name of 24, no name twice
    at every seat:  who sits on your left?  who sits on your right?
    two look-ups:   the seat before, the seat after (left of the first seat is the last)

A sentence of eight words, so to speak, in which each word must fetch two others from two places and keep them
apart. The model is one layer of attention; `n_heads` changes, the number of parameters does not.

Axes: B tables, T seats, N names, H heads, K features of a head; 2 questions, left and right.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.generation import evaluating
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
    return model(ids).unflatten(-1, (2, len(NAMES)))


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


def head_weights(model: AttentionOnly, ids: Tensor) -> list[Tensor]:
    """The attention weights of every layer, `(B, H, T, T)` each."""
    with evaluating(model):
        return model(ids, need_weights=True)[1]


def weight_on_neighbours(weights: Tensor) -> Tensor:
    """Does a head look where an answer stands?

    Args:
        weights: of one layer, `(B, H, T, T)`.

    Returns:
        `(H, 2)`: the mean weight that head h puts on the left neighbour, and on the right one. 1 is a
        perfect look-up, 1/8 is what a head gives that looks everywhere alike.
    """
    places = true_places().to(weights)  # (2, T, T)
    return torch.einsum("bhts,qts->hq", weights, places) / (len(weights) * SEATS)


def without_heads(model: AttentionOnly, heads: Sequence[tuple[int, int]]) -> AttentionOnly:
    """A copy of the model in which some heads say nothing.

    The columns h·K to (h + 1)·K − 1 of W_O are all that ever reads head h: with zeros there, its slice of
    the merged output counts for nothing. (In the paper's order, x W_O, they are rows.)

    Args:
        model: stays as it is.
        heads: (layer, head) pairs.

    Returns:
        the copy.

    Raises:
        ValueError: a layer or a head that the model does not have.
    """
    model = copy.deepcopy(model)
    for layer, head in heads:
        if not 0 <= layer < len(model.layers) or not 0 <= head < model.layers[layer].n_heads:
            raise ValueError(
                f"heads has ({layer}, {head}), expected layers 0 to {len(model.layers) - 1} and heads 0 to "
                f"{model.config.n_heads - 1}: pairs are (layer, head)"
            )
        d_k = model.layers[layer].d_k
        with torch.no_grad():
            model.layers[layer].w_o.weight[:, head * d_k : (head + 1) * d_k] = 0.0
    return model
