"""A card game in which the right attention is known for certain.

    a card       its own name, the name it looks for, a gift:   (Ada, looks for Ben, ball)
    the task     say the gift of the card you look for
    the answer   one look-up: query = the name looked for, key = the own name, value = the gift

One layer of attention with one head can do it, and nothing simpler can: each deal puts names and gifts
together anew. So the game shows what a change of the layer does: no division by √d_k, or W_q = W_k.

Axes: B deals, T cards of a deal, D features of a card, K features of a query, key or value, G gifts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention import scaled_dot_product_attention
from course_lib.models import evaluating
from course_lib.training.recipe import Recipe, Task, vary

NAMES = (
    "Ada", "Ali", "Ben", "Bea", "Cai", "Cleo", "Dan", "Dia", "Eli", "Eva", "Fay", "Finn", "Gus", "Gia",
    "Hana", "Hugo", "Ida", "Ivo", "Jan", "Jun", "Kai", "Kim", "Lea", "Leo", "Max", "Mia", "Nia", "Noa",
    "Ola", "Oto", "Pia", "Per", "Qin", "Raj", "Ria", "Sam", "Sue", "Tia", "Tom", "Uma", "Uri", "Vic",
    "Wen", "Xia", "Yan", "Yui", "Zed", "Zoe",
)  # fmt: skip
GIFTS = ("apple", "ball", "book", "clock", "cup", "drum", "flower", "guitar", "hat", "kite", "lamp", "pear")


@dataclass(frozen=True)
class Cards:
    """Deals of cards as ids, `(B, T)` each."""

    names: Tensor
    wanted: Tensor  # the name each card looks for
    gifts: Tensor

    @property
    def found(self) -> Tensor:
        """Where the wanted card lies: `(B, T)` positions; every name must be on one card of its deal."""
        return (self.wanted[:, :, None] == self.names[:, None, :]).float().argmax(-1)  # (B, T)

    @property
    def answers(self) -> Tensor:
        """The gift that each card should say, `(B, T)`."""
        return self.gifts.gather(1, self.found)

    def tokens(self, deal: int = 0) -> list[str]:
        """The cards of one deal as words: `Ada→Ben:ball`."""
        columns = (self.names[deal].tolist(), self.wanted[deal].tolist(), self.gifts[deal].tolist())
        return [f"{NAMES[n]}→{NAMES[w]}:{GIFTS[g]}" for n, w, g in zip(*columns, strict=True)]


def cards(text: str) -> Cards:
    """One deal written out: `cards("Ada→Ben:ball Ben→Ada:drum")`.

    Raises:
        ValueError: no card, one that is not NAME→NAME:GIFT, or a name or gift that the game does not have.
    """
    rows = []
    for card in text.split():
        name, arrow, rest = card.partition("→")
        wanted, colon, gift = rest.partition(":")
        if not (arrow and colon):
            raise ValueError(f"card {card!r}, expected NAME→NAME:GIFT, for example Ada→Ben:ball")
        for word, known in ((name, NAMES), (wanted, NAMES), (gift, GIFTS)):
            if word not in known:
                raise ValueError(f"card {card!r} has {word!r}, expected one of {', '.join(known)}")
        rows.append((NAMES.index(name), NAMES.index(wanted), GIFTS.index(gift)))
    if not rows:
        raise ValueError("text has no card, expected at least one, for example Ada→Ben:ball")
    return Cards(*(column[None] for column in torch.tensor(rows).T))  # (1, T) each


def deal(n_deals: int, n_cards: int, generator: torch.Generator, *, mutual: bool = False) -> Cards:
    """Random cards: different names, any gifts, and each name is looked for once.

    Args:
        n_deals: B.
        n_cards: T.
        generator: where the randomness comes from.
        mutual: False: the cards look for one another in one ring, in random order (Ada looks for Ben, Ben for
            Cai, … the last for Ada). True: in pairs (Ada looks for Ben and Ben for Ada), so T must be even.

    Returns:
        the deals.

    Raises:
        ValueError: fewer than 3 cards, more than there are names, or an odd number of them in pairs.
    """
    if not 3 <= n_cards <= len(NAMES):
        raise ValueError(f"n_cards is {n_cards}, expected 3 to {len(NAMES)}: each card has its own name")
    if mutual and n_cards % 2:
        raise ValueError(f"n_cards is {n_cards}, expected an even number: mutual cards come in pairs")
    names = torch.rand(n_deals, len(NAMES), generator=generator).argsort(1)[:, :n_cards]  # (B, T)
    order = torch.rand(n_deals, n_cards, generator=generator).argsort(1)  # (B, T)
    pairs = order.unflatten(1, (-1, 2)).flip(-1).flatten(1) if mutual else None  # 1st ↔ 2nd, 3rd ↔ 4th, …
    after = pairs if mutual else order.roll(-1, dims=1)  # (B, T)
    found = torch.empty_like(order).scatter_(1, order, after)  # (B, T): the card that card t looks for
    gifts = torch.randint(len(GIFTS), (n_deals, n_cards), generator=generator)
    return Cards(names, names.gather(1, found), gifts)


@dataclass(frozen=True)
class CardReaderConfig:
    """Size and start of one card reader.

    Args:
        d_model: D, features of a card.
        d_k: K, features of a query, a key and a value; D when not given.
        scale: what the scores are multiplied by; 1/√d_k when not given.
        tied: use one matrix for queries and keys, W_q = W_k.
        keys_as_values: use one matrix for keys and values, W_k = W_v.
        start: what the first W_q and W_k are multiplied by.
    """

    d_model: int = 256
    d_k: int | None = None
    scale: float | None = None
    tied: bool = False
    keys_as_values: bool = False
    start: float = 1.0

    def build(self) -> "CardReader":
        """A reader with random weights."""
        return CardReader(self)


class CardReader(nn.Module):
    """One attention layer with one head, and a read-out; torch's own initial weights everywhere."""

    def __init__(self, config: CardReaderConfig) -> None:
        super().__init__()
        self.config, d_model, d_k = config, config.d_model, config.d_k or config.d_model
        self.names = nn.Embedding(len(NAMES), d_model)
        self.wanted = nn.Embedding(len(NAMES), d_model)
        self.gifts = nn.Embedding(len(GIFTS), d_model)
        self.W_q = nn.Linear(d_model, d_k, bias=False)
        self.W_k = self.W_q if config.tied else nn.Linear(d_model, d_k, bias=False)
        self.W_v = self.W_k if config.keys_as_values else nn.Linear(d_model, d_k, bias=False)
        self.lm_head = nn.Linear(d_k, len(GIFTS))
        self.scale = config.scale
        with torch.no_grad():
            self.W_q.weight.mul_(config.start)
            if not config.tied:
                self.W_k.weight.mul_(config.start)

    def embed(self, cards: Cards) -> Tensor:
        """One vector a card: the sum of its three parts, `(B, T, D)`."""
        return self.names(cards.names) + self.wanted(cards.wanted) + self.gifts(cards.gifts)

    def project(self, cards: Cards) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of the cards, `(B, T, K)` each."""
        x = self.embed(cards)
        return self.W_q(x), self.W_k(x), self.W_v(x)

    def forward(self, cards: Cards) -> tuple[Tensor, Tensor]:
        """Scores of the gifts `(B, T, G)` and weights `(B, T, T)`; no card reads itself."""
        allowed = ~torch.eye(cards.names.shape[1], dtype=torch.bool)  # (T, T)
        output, weights = scaled_dot_product_attention(*self.project(cards), allowed, scale=self.scale)
        return self.lm_head(output), weights  # (B, T, G), (B, T, T)


RECIPE = Recipe(CardReaderConfig(), steps=100, batch_size=32, lr=1e-3)


def batches(recipe: Recipe, n_cards: int = 16, mutual: bool = False) -> Iterator[Cards]:
    """New deals for ever: no deal is seen twice, so nothing can be learned by heart."""
    generator = torch.Generator().manual_seed(1_000 + recipe.seed)
    while True:
        yield deal(recipe.batch_size, n_cards, generator, mutual=mutual)


def card_loss(model: CardReader, cards: Cards) -> Tensor:
    """Mean cross-entropy of the wanted gifts, nats a card."""
    logits, _ = model(cards)  # (B, T, G)
    return F.cross_entropy(logits.flatten(0, 1), cards.answers.flatten())


def task(n_cards: int = 16, *, mutual: bool = False) -> Task:
    """Play with so many cards, in a ring or in pairs; the loss is in nats a card."""
    return Task(partial(batches, n_cards=n_cards, mutual=mutual), card_loss)


def score(
    model: CardReader, n_deals: int = 64, *, n_cards: int = 16, mutual: bool = False
) -> dict[str, float]:
    """How well a model plays, on deals of its own seed.

    Returns:
        `accuracy`: share of cards that say the right gift. `right_weight`: mean weight on the wanted card.
        `mirror_weight`: mean weight on the card that looks for the reader (in pairs, the same card).
    """
    test = deal(n_deals, n_cards, torch.Generator().manual_seed(99), mutual=mutual)
    with evaluating(model):
        logits, weights = model(test)
    right = weights.gather(2, test.found[:, :, None])  # (B, T, 1)
    mirror = weights.gather(1, test.found[:, :, None].transpose(1, 2))  # (B, 1, T): row found[t], column t
    return {
        "accuracy": (logits.argmax(-1) == test.answers).float().mean().item(),
        "right_weight": right.mean().item(),
        "mirror_weight": mirror.mean().item(),
    }


def variants(recipe: Recipe) -> dict[str, Recipe]:
    """The three ways of chapter 02 to begin: divided, not divided, not divided but begun small.

    The third multiplies the first W_q and W_k by d_k^(-1/4) each, so its first scores are as large as the
    divided ones; nothing divides them later.
    """
    return {
        "divided by √d_k": recipe,
        "not divided": vary(recipe, scale=1.0),
        "not divided, small start": vary(recipe, scale=1.0, start=recipe.model.d_model**-0.25),
    }
