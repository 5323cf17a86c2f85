"""Next-sentence prediction (NSP): does the second text follow the first?

A document is cut in two between two of its sentences. Half of the beginnings keep their own end ("next"); the
others get the end of another document ("random"). Labels go by name; a number for a name is chosen in one
place, `models.bert.FOLLOWS`.

Without NSP the data are others, too: every beginning keeps its own end, and there is no label.

Source: Devlin et al. 2019 (BERT), section 3.1 "Task #2" and appendix A.2; without it: Liu et al. 2019
(RoBERTa), section 4.2.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.bert import FOLLOWS
from course_lib.training.objectives import IGNORE, token_loss

NO_LABEL = "no label"


class TextPair(NamedTuple):
    """Two texts as ids, and how the second came there: "next", "random", or None where nobody asks."""

    first: list[int]
    second: list[int]
    follows: str | None


def pair_up(
    documents: Sequence[Sequence[Sequence[int]]], rng: random.Random, *, nsp: bool = True
) -> list[TextPair]:
    """One pair a document, in the order of the documents.

    A random end comes from a document with as many sentences, cut at the same place, and it begins with the
    same token where one does. Else the number of sentences, or a name that is new, would tell the two kinds
    apart, and nobody would have to read further.

    Args:
        documents: each a list of sentences, each a list of ids; two sentences or more.
        rng: decides where to cut, who gets a random end, and which.
        nsp: False: all keep their own end, and `follows` is None.

    Raises:
        ValueError: a document with fewer than two sentences, or with `nsp` one that has no equal.

    Source: that random ends are told by their topic: Lan et al. 2020 (ALBERT), section 3.1.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, sentences in enumerate(documents):
        if len(sentences) < 2:
            raise ValueError(
                f"document {i} has {len(sentences)} sentences, expected at least 2: it is cut in two"
            )
        for at in range(1, len(sentences)):
            for key in _keys(sentences, at):
                alike.setdefault(key, []).append(i)
    pairs = []
    for i, sentences in enumerate(documents):
        n, at, source, follows = len(sentences), rng.randrange(1, len(sentences)), i, None
        if nsp:
            follows = "next" if rng.random() < 0.5 else "random"
        if follows == "random":
            others = next((found for key in _keys(sentences, at) if len(found := alike[key]) > 1), None)
            if others is None:
                raise ValueError(
                    f"document {i} alone has {n} sentences, expected another one for a random end"
                )
            while source == i:
                source = rng.choice(others)
        pairs.append(TextPair(_flat(sentences[:at]), _flat(documents[source][at:]), follows))
    return pairs


def _keys(sentences: Sequence[Sequence[int]], at: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What an end must have in common with another, the better key first."""
    return (len(sentences), at, sentences[at][0]), (len(sentences), at)


def label_counts(pairs: Sequence[TextPair]) -> dict[str, int]:
    """How many pairs have which label: to be looked at before a training."""
    counted = Counter(NO_LABEL if pair.follows is None else pair.follows for pair in pairs)
    return {name: counted[name] for name in (*FOLLOWS[::-1], NO_LABEL) if counted[name] or name != NO_LABEL}


def follow_labels(pairs: Sequence[TextPair]) -> Tensor:
    """Names to the columns of `models.bert.FOLLOWS`, `(B,)`; -100, not counted, where there is no label.

    Raises:
        ValueError: another name.
    """
    for pair in pairs:
        if pair.follows is not None and pair.follows not in FOLLOWS:
            raise ValueError(f"follows is {pair.follows!r}, expected one of {', '.join(map(repr, FOLLOWS))}")
    return torch.tensor([IGNORE if p.follows is None else FOLLOWS.index(p.follows) for p in pairs])


# ---------------------------------------------------------------- both objectives together


class PretrainingBatch(NamedTuple):
    """Rows with hidden words, and what must be said about them."""

    ids: Tensor  # (B, T)
    segments: Tensor  # (B, T)
    labels: Tensor  # (B, T): the hidden words; -100 is not counted
    follows: Tensor  # (B,): columns of FOLLOWS; -100 is not counted


class PretrainingLosses(NamedTuple):
    """Two losses and two accuracies: a loss alone can fall for the wrong reason."""

    words: Tensor  # nats a hidden word
    follows: Tensor | None  # nats a pair; None where no pair has a label
    words_right: float  # share of the hidden words
    follows_right: float | None  # share of the pairs


def pretraining_losses(model: nn.Module, batch: PretrainingBatch) -> PretrainingLosses:
    """What a BERT says about a batch, measured.

    Each of the two has labels of its own with the one constant -100. (With a shared `ignore_index=0`, a label
    0 of the pairs is not counted either: that loss goes to 0 while the accuracy stays at one half.)
    """
    scores, _ = model(ids=batch.ids, segments=batch.segments)
    hidden, asked = batch.labels != IGNORE, batch.follows != IGNORE
    said = (scores.words.argmax(-1) == batch.labels)[hidden]
    follows = follows_right = None
    if asked.any():
        follows = F.cross_entropy(scores.follows, batch.follows, ignore_index=IGNORE)
        follows_right = (scores.follows.argmax(-1) == batch.follows)[asked].float().mean().item()
    words = token_loss(scores.words, batch.labels)
    return PretrainingLosses(words, follows, said.float().mean().item(), follows_right)


def pretraining_loss(model: nn.Module, batch: PretrainingBatch) -> Tensor:
    """The sum of the two losses (Devlin et al. 2019, appendix A.2); without labels for pairs, the first."""
    found = pretraining_losses(model, batch)
    return found.words if found.follows is None else found.words + found.follows


def _flat(sentences: Sequence[Sequence[int]]) -> list[int]:
    return [token for sentence in sentences for token in sentence]
