"""02.retrieval: Q and K by hand. Many answers are right: what is compared is the weights that they make."""

import torch
import torch.nn.functional as F

from course_lib.practice.chapter_02.retrieval_words import (
    WORDS,
    all_at_the_last,
    at_their_own_place,
    itself,
    long_enough,
    one_beside,
    shifted,
)
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def queries_and_keys(wanted, n_keys):
    k = torch.eye(n_keys)  # (S, K): each key has a feature of its own
    length = 20 * n_keys**0.5  # after the division by √K a score of 20 is left
    q = length * k[wanted]  # (T, K): each query is the key that it wants, made long
    return q, k


def weights_by_hand(answer, args):
    """softmax(q kᵀ / √K); a row with 0.99 or more on the wanted key counts as 1 there."""
    q, k = (part.detach() for part in answer)
    wanted, n_keys = args
    for name, part, rows, what in (("q", q, len(wanted), "query"), ("k", k, n_keys, "key")):
        if part.dim() != 2 or len(part) != rows:
            raise CannotCompare(
                f"your `{name}` has shape {tuple(part.shape)}; it needs two axes, with {rows} rows, one for "
                f"each {what}, and as many features K as you like."
            )
    if max(q.shape[1], k.shape[1]) > 10_000:
        raise CannotCompare(f"your `k` has {k.shape[1]:,} features; check reads up to 10,000 of them.")
    if q.shape[1] != k.shape[1]:
        counted = q.shape[1] == wanted.max() + 1  # what one_hot does when it has to guess the size
        raise CannotCompare(
            f"your `q` has {q.shape[1]} features and your `k` has {k.shape[1]}. A raw score is a dot product "
            "of a query with a key, so both need the same number of features K."
            + (" If you use `one_hot(wanted)`, give it `n_keys` as its second argument." if counted else "")
        )
    q, k = q.float(), k.float()
    weights = torch.softmax(q @ k.T / k.shape[1] ** 0.5, dim=-1)  # (T, S)
    right = F.one_hot(wanted, n_keys).float()
    enough = (weights * right).sum(dim=-1, keepdim=True) >= 0.99
    return torch.where(enough, right, weights)


# --- wrong answers, with queries of several lengths -------------------------------------------------------


def by_hand(make, lengths=(1.0, 10.0, 100.0, 1000.0)):
    """``make(wanted, n_keys)`` gives q and k; q is made longer."""

    def way(length):
        def wrong(wanted, n_keys):
            q, k = make(wanted, n_keys)
            return length * q, k

        return wrong

    return tuple(way(length) for length in lengths)


def one_feature_each(rows, keys=lambda wanted, n_keys: torch.eye(n_keys)):
    """Keys of one feature each; query i looks like the key in row ``rows(wanted, n_keys)[i]``."""
    return lambda wanted, n_keys: (torch.eye(n_keys)[rows(wanted, n_keys)], keys(wanted, n_keys))


def as_wanted(wanted, n_keys):
    return wanted


def by_number(first):
    """The position itself, counted from ``first``, is the only feature."""
    return lambda wanted, n_keys: (
        wanted[:, None].float() + first,
        torch.arange(n_keys)[:, None].float() + first,
    )


def with_as_many_features_as_queries(wanted, n_keys):
    keys = torch.zeros(n_keys, len(wanted))
    for i in range(len(wanted)):
        keys[i, i] = 1.0  # an IndexError where there are more queries than keys
    return torch.eye(len(wanted)), keys


def few_random_features(wanted, n_keys):
    keys = random(seeded(1), n_keys, 2)
    return 100 * keys[wanted], keys


# --- signs of an idea: it can be written in endless ways --------------------------------------------------


def too_quiet(expected, got, args):
    """Each row looks at the wanted key more than at any other."""
    others = got.masked_fill(expected > 0.5, 0.0).max(dim=-1).values
    return bool((got.max(dim=-1).values > others + 1e-6).all())


def even(expected, got, args):
    return bool((got - 1 / got.shape[1]).abs().max() < 1e-3)


def points_at(target):
    """Wherever the row is wrong, it looks at ``target(wanted, n_keys)`` and not at the wanted key."""

    def sign(expected, got, args):
        wrong = (got * expected).sum(dim=-1) < 0.5
        return bool(wrong.any() and (got.argmax(dim=-1) == target(*args))[wrong].all())

    return sign


def cases() -> list[Case]:
    def case(name: str, wanted: torch.Tensor, s: int) -> Case:
        return Case(name, (wanted, s), {"T": len(wanted), "S": s})

    return [
        case("five keys and four queries", torch.tensor([3, 0, 4, 1]), 5),
        case("each word fetching the one before", (torch.arange(6) - 1).clamp(min=0), 6),
        case("more queries than keys", torch.tensor([2, 0, 0, 1, 2, 1, 0]), 3),
        case("one query", torch.tensor([2]), 4),
        case("one key", torch.tensor([0, 0, 0]), 1),
        case("40 keys", torch.randint(40, (9,), generator=seeded(203)), 40),
    ]


WAYS = {
    "too-quiet": by_hand(one_feature_each(as_wanted), (1.0, 2.0, 5.0, 10.0, 20.0)),
    "one-number": by_hand(by_number(0)) + by_hand(by_number(1)),
    "wanted-unused": (
        *by_hand(one_feature_each(itself)),
        *by_hand(lambda wanted, n: (torch.eye(len(wanted), n), torch.eye(n))),
        *by_hand(lambda wanted, n: (torch.eye(n)[: len(wanted)], torch.eye(n))),
        *by_hand(with_as_many_features_as_queries),
        *by_hand(one_feature_each(lambda wanted, n: (torch.arange(len(wanted)) - 1).clamp(min=0) % n)),
    ),
    "off-by-one": by_hand(one_feature_each(shifted(1))) + by_hand(one_feature_each(shifted(-1))),
    "sign-reversed": by_hand(one_feature_each(as_wanted), (-1.0, -10.0, -100.0, -1000.0)),
    "keys-chosen": by_hand(
        lambda wanted, n_keys: (torch.eye(n_keys)[: len(wanted)], torch.eye(n_keys)[wanted]),
    ),
    "one-wish-for-all": by_hand(one_feature_each(lambda wanted, n_keys: wanted[:1].expand(len(wanted)))),
    "all-scores-equal": (
        lambda wanted, n_keys: (torch.zeros(len(wanted), n_keys), torch.eye(n_keys)),
        lambda wanted, n_keys: (torch.ones(len(wanted), n_keys), torch.ones(n_keys, n_keys)),
        lambda wanted, n_keys: (1e4 * torch.eye(n_keys)[wanted] + 1, torch.zeros(n_keys, n_keys)),
    ),
    "infinite": (
        *by_hand(one_feature_each(as_wanted), (float("inf"),)),
        lambda wanted, n_keys: (
            torch.where(torch.eye(n_keys)[wanted] > 0, float("inf"), 0.0), torch.eye(n_keys)
        ),
    ),
    "another-wins": few_random_features,
}  # fmt: skip

MEASURES = {
    "too-quiet": long_enough,
    "one-number": all_at_the_last,
    "wanted-unused": at_their_own_place,
    "off-by-one": one_beside,
}

SIGNS = {
    "too-quiet": too_quiet,
    "one-number": points_at(lambda wanted, n_keys: torch.full_like(wanted, n_keys - 1)),
    "wanted-unused": lambda e, got, args: bool((got.argmax(dim=-1) == itself(*args)).all()),
    "off-by-one": lambda *seen: points_at(shifted(1))(*seen) or points_at(shifted(-1))(*seen),
    "one-wish-for-all": lambda expected, got, args: bool(
        (got - got[:1]).abs().max() < 1e-3 and (args[1] == 1 or not even(expected, got, args))
    ),
    "all-scores-equal": even,
    "infinite": lambda expected, got, args: bool(got.isnan().any()),
    "another-wins": lambda expected, got, args: not got.isnan().any(),
}

RETRIEVAL = Exercise(
    id="02.retrieval",
    title="Queries and keys by hand",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `queries_and_keys(wanted, n_keys)`. Nothing is learned here: you set the numbers. `wanted[i]` is
        the position that query i must fetch. Return `q` and `k` such that every row of softmax(q kᵀ / √K)
        puts at least 0.99 on the wanted position. There are many right answers, and the number of features K
        is yours to choose (up to 10,000).
    """),
    inputs={"wanted": "T", "n_keys": "the number of keys, S"},
    outputs=(Output("q", ("T", "K")), Output("k", ("S", "K"))),
    reference=queries_and_keys,
    cases=cases,
    hints=(
        prose("""
            First give each key a vector that no other key resembles: which S vectors have a dot product of 0
            with each other? Then ask: with which of these vectors does a query get a large dot product with
            one key and 0 with all others?
        """),
        lines("""
            k = one feature for each key: the identity matrix      (S, S)
            q = for each query, the row of k that it wants          (T, S)
            make q longer: times a large number, so that a gap of 10 or more is left after dividing by √S
            return q, k
        """),
    ),
    misconceptions=misconceptions(
        WORDS, WAYS, MEASURES, SIGNS, everywhere=("wanted-unused", "one-wish-for-all", "all-scores-equal")
    ),
    insight=prose("""
        A query is the key of what it wants, made long. W_q and W_k learn to make such pairs out of words.
    """),
    tolerance=1e-3,
    view=View(Output("softmax(q kᵀ / √K)", ("T", "S"), True), weights_by_hand),
    advice=advice(r"""
indices|index unless k\[wanted\]|one_hot
    `wanted` is a tensor of positions, so it can pick rows: `k[wanted]`. `n_keys` is the number of rows that
    `k` needs.
"""),
)
