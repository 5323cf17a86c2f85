"""Does the second text follow the first? Data, labels by name, and both losses of pre-training."""

import random

import pytest
import torch

from course_lib.models import evaluating
from course_lib.models.bert import FOLLOWS, BertConfig
from course_lib.text.segments import MASK_ID, join, stack
from course_lib.training.masked_words import corrupt
from course_lib.training.next_sentence import (
    PretrainingBatch,
    TextPair,
    follow_labels,
    label_counts,
    pair_up,
    pretraining_loss,
    pretraining_losses,
)
from course_lib.training.objectives import IGNORE

# document d, sentence s: ids 1000 d + 10 s, twice; so every id says where it comes from
DOCUMENTS = [[[1000 * d + 10 * s] * 2 for s in range(2 + d % 3)] for d in range(1, 1201)]


def source(ids):
    return ids[0] // 1000, [i % 1000 // 10 for i in ids[::2]]


def test_next_is_the_own_end_and_random_that_of_another():
    pairs = pair_up(DOCUMENTS, random.Random(0))
    assert len(pairs) == len(DOCUMENTS)
    for d, pair in enumerate(pairs, 1):
        (first, before), (second, after) = source(pair.first), source(pair.second)
        assert first == d and (second == d) == (pair.follows == "next")
        assert before + after == list(range(2 + d % 3))  # cut at the same place, whatever the label
    assert {len(source(p.first)[1]) for p in pairs} == {1, 2, 3}


def test_a_random_end_begins_as_the_own_end_does_where_one_can():
    """Sentences begin with 1, 2 or 3; what follows says where they come from. One begins as no other does."""
    documents = [[[1 + (d + s) % 3, 1000 + 10 * d + s] for s in range(3)] for d in range(60)]
    documents[0][1][0] = 9
    seen, alone = set(), set()
    for seed in range(20):
        for d, pair in enumerate(pair_up(documents, random.Random(seed))):
            at = len(pair.first) // 2
            if pair.follows == "random":
                other = (pair.second[1] - 1000) // 10
                assert (
                    pair.second == [i for sentence in documents[other][at:] for i in sentence] and other != d
                )
                if (d, at) == (0, 1):
                    alone.add(other)  # none begins with 9, so any other document serves
                else:
                    assert pair.second[0] == documents[d][at][0]
                    seen.add((d % 3, at))
    assert len(seen) == 6 and len(alone) > 1


def test_labels_are_half_and_half_and_counted():
    counts = label_counts(pair_up(DOCUMENTS, random.Random(0)))
    assert list(counts) == ["next", "random"] and sum(counts.values()) == 1200
    assert abs(counts["next"] - 600) < 60


def test_the_switch_changes_the_data_too():
    off = pair_up(DOCUMENTS, random.Random(0), nsp=False)
    assert all(source(pair.first)[0] == source(pair.second)[0] for pair in off)
    assert label_counts(off) == {"next": 0, "random": 0, "no label": 1200}
    assert (follow_labels(off) == IGNORE).all()


def test_the_seed_decides():
    assert pair_up(DOCUMENTS, random.Random(1)) == pair_up(DOCUMENTS, random.Random(1))
    assert pair_up(DOCUMENTS, random.Random(1)) != pair_up(DOCUMENTS, random.Random(2))


def test_names_become_columns_in_one_place():
    pairs = [TextPair([7], [8], name) for name in ("next", "random", None)]
    assert follow_labels(pairs).tolist() == [FOLLOWS.index("next"), FOLLOWS.index("random"), IGNORE]
    with pytest.raises(ValueError, match="follows is 'IsNext', expected one of 'random', 'next'"):
        follow_labels([TextPair([7], [8], "IsNext")])


def test_what_cannot_be_paired():
    with pytest.raises(ValueError, match="document 1 has 1 sentences, expected at least 2"):
        pair_up([[[1], [2]], [[3]]], random.Random(0))
    with pytest.raises(ValueError, match="alone has 2 sentences"):
        pair_up([[[1], [2]], [[3], [4], [5]], [[3], [4], [5]]], random.Random(3))


def batch(nsp=True, seed=0):
    g = torch.Generator().manual_seed(seed)
    documents = [torch.randint(7, 30, (3, 4), generator=g).tolist() for _ in range(24)]
    pairs = pair_up(documents, random.Random(seed), nsp=nsp)
    rows = stack([join(pair.first, pair.second) for pair in pairs])
    ids, labels, _ = corrupt(rows.ids, MASK_ID, range(7, 30), g)
    return PretrainingBatch(ids, rows.segments, labels, follow_labels(pairs))


def model(seed=0):
    torch.manual_seed(seed)
    return BertConfig(30, 16, 2, 1, 32, 20, dropout=0.0, init_std=0.2).build()


def test_the_loss_is_the_sum_and_without_labels_the_first():
    bert, on, off = model(), batch(), batch(nsp=False)
    found = pretraining_losses(bert, on)
    assert pretraining_loss(bert, on).item() == pytest.approx((found.words + found.follows).item())
    assert 0 <= found.words_right <= 1 and 0 <= found.follows_right <= 1
    alone = pretraining_losses(bert, off)
    assert alone.follows is None and alone.follows_right is None
    assert pretraining_loss(bert, off).item() == pytest.approx(alone.words.item())
    assert abs(found.follows.item() - 0.693) < 0.4  # an untrained head, near ln 2


def test_accuracies_are_those_of_the_named_answers():
    bert, on = model(), batch()
    with evaluating(bert):
        scores, _ = bert(ids=on.ids, segments=on.segments)
        found = pretraining_losses(bert, on)
    names = [FOLLOWS[i] for i in scores.follows.argmax(-1).tolist()]
    truth = [FOLLOWS[i] for i in on.follows.tolist()]
    assert found.follows_right == pytest.approx(sum(a == b for a, b in zip(names, truth, strict=True)) / 24)
    hidden = on.labels != IGNORE
    right = (scores.words.argmax(-1)[hidden] == on.labels[hidden]).float().mean().item()
    assert found.words_right == pytest.approx(right)


def test_every_gradient_arrives_from_the_loss():
    bert = model()
    pretraining_loss(bert, batch()).backward()
    silent = [n for n, p in bert.named_parameters() if p.grad is None or p.grad.abs().sum() < 1e-6]
    assert [name for name in silent if not name.endswith("W_k.bias")] == []  # the softmax does not see that


def test_both_can_be_learned():
    """On one batch again and again both losses fall and both accuracies rise."""
    bert, one = model(), batch()
    optimizer = torch.optim.AdamW(bert.parameters(), lr=1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        pretraining_loss(bert, one).backward()
        optimizer.step()
    found = pretraining_losses(bert, one)
    assert found.words.item() < 0.3 and found.follows.item() < 0.2
    assert found.words_right > 0.9 and found.follows_right > 0.9
