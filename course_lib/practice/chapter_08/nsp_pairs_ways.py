"""08.nsp-pairs: wrong pairs."""

import torch

from course_lib.practice.chapter_08.nsp_pairs_words import BESIDE, TOLD
from course_lib.practice.two_slips import as_tuple, of_outputs


def by(source=None, labels=None, off_seconds=None, off_labels=None):
    """Another source of the second text, other labels, and other things where the switch is off.

    ``source`` and ``labels``: functions of (is_next, other); ``off_seconds``: of (ends, is_next, other);
    ``off_labels``: of is_next.
    """

    def pairs(ends, throw, other, nsp):
        is_next = throw < 0.5
        whose = (source or right_source)(is_next, other)
        if nsp:
            return ends[whose], (labels or right_labels)(is_next, other)
        seconds = off_seconds(ends, whose, other) if off_seconds else ends
        return seconds, off_labels(is_next) if off_labels else torch.full_like(other, -100)

    return pairs


def right_source(is_next, other):
    return torch.where(is_next, torch.arange(len(other)), other)


def right_labels(is_next, other):
    return is_next.long()


def facing(is_next, other):
    return (~is_next).long()


def own(is_next, other):
    return torch.arange(len(other))


def random_kept(ends, whose, other):
    """The switch is off, and the partners stay as they were drawn."""
    return ends[whose]


def as_asked(is_next):
    return is_next.long()


def all_of(value):
    return lambda is_next, *rest: torch.full_like(is_next, value, dtype=torch.long)


def one_after_the_other(ends, throw, other, nsp):
    """Rows are written over while others still need them."""
    seconds = ends.clone()
    labels = torch.full_like(other, -100)
    for i in range(len(ends)):
        if nsp:
            labels[i] = int(throw[i] < 0.5)
            if throw[i] >= 0.5:
                seconds[i] = seconds[other[i]]
    return seconds, labels


def exchanged_ends(ends, throw, other, nsp):
    """Two texts exchange their ends."""
    seconds = ends.clone()
    labels = torch.full_like(other, -100)
    for i in range(len(ends)):
        if nsp:
            labels[i] = int(throw[i] < 0.5)
            if throw[i] >= 0.5:
                seconds[[i, int(other[i])]] = seconds[[int(other[i]), i]]
    return seconds, labels


def by_what_stands_there(ends, throw, other, nsp):
    """ "Next, wherever the second text is that of the own end."""
    seconds, labels = by()(ends, throw, other, nsp)
    return seconds, (seconds == ends).all(1).long() if nsp else labels


def with_labels(change):
    def pairs(*args):
        seconds, labels = by()(*args)
        return seconds, change(labels)

    return pairs


WAYS = {
    "labels-exchanged": by(labels=lambda is_next, other: (~is_next).long()),
    "all-exchanged": by(
        lambda is_next, other: right_source(~is_next, other),
        lambda is_next, other: (~is_next).long(),
    ),
    "ends-exchanged": by(lambda is_next, other: right_source(~is_next, other)),
    "always-own": by(own),
    "always-other": by(lambda is_next, other: other),
    "all-next": by(own, all_of(1)),
    "all-random": by(lambda is_next, other: other, all_of(0)),
    "labels-all-1": by(labels=all_of(1)),
    "labels-all-0": by(labels=all_of(0)),
    "off-random-kept": by(off_seconds=random_kept),
    "off-random-kept-and-asked": by(off_seconds=random_kept, off_labels=as_asked),
    "off-asked": by(off_labels=as_asked),
    "off-all-next": by(off_labels=all_of(1)),
    "off-all-0": by(off_labels=all_of(0)),
    "off-another-mark": tuple(by(off_labels=all_of(value)) for value in (-1, 2, 100)),
    "off-all-next-random-kept": by(off_seconds=random_kept, off_labels=all_of(1)),
    "off-all-0-random-kept": by(off_seconds=random_kept, off_labels=all_of(0)),
    "off-other-ends": by(off_seconds=lambda ends, whose, other: ends[other]),
    "switch-turned-round": lambda ends, throw, other, nsp: by()(ends, throw, other, not nsp),
    "labels-exchanged-switch-unused": by(
        labels=lambda is_next, other: (~is_next).long(),
        off_seconds=random_kept,
        off_labels=lambda is_next: (~is_next).long(),
    ),
    "labels-exchanged-off-all-0": by(labels=facing, off_labels=all_of(0)),
    "labels-exchanged-off-all-1": by(labels=facing, off_labels=all_of(1)),
    "labels-exchanged-off-asked": by(labels=facing, off_labels=lambda is_next: (~is_next).long()),
    "always-other-switch-unused": by(lambda is_next, other: other, off_seconds=random_kept),
    "first-throw-for-all": by(
        lambda is_next, other: right_source(is_next[:1].expand(len(other)), other),
        lambda is_next, other: is_next[:1].expand(len(other)).long(),
    ),
    "written-over": one_after_the_other,
    "ends-swapped": exchanged_ends,
    "neighbour-for-other": tuple(
        by(lambda is_next, other, step=step: right_source(is_next, torch.arange(len(other)).roll(step)))
        for step in (1, -1)
    ),
    "label-by-what-stands-there": by_what_stands_there,
    "other-as-label": by(labels=lambda is_next, other: torch.where(is_next, torch.ones_like(other), other)),
    "source-as-label": by(labels=right_source),
    "minus-for-random": tuple(
        with_labels(lambda labels, value=value: labels.masked_fill(labels == 0, value))
        for value in (-1, -100)
    ),
    "labels-1-and-2": with_labels(lambda labels: labels + (labels >= 0).long()),
    "column-of-labels": with_labels(lambda labels: labels[:, None]),
    "exchanged": lambda *args: by()(*args)[::-1],
}

SECONDS = (
    "ends-exchanged", "always-own", "always-other", "always-other-switch-unused", "off-random-kept",
    "off-other-ends", "written-over", "ends-swapped", "neighbour-for-other",
)  # fmt: skip
LABELS = (
    "labels-exchanged", "labels-all-1", "labels-all-0", "off-asked", "off-all-next", "off-all-0",
    "off-another-mark", "other-as-label", "source-as-label", "minus-for-random", "labels-1-and-2",
    "column-of-labels",
)  # fmt: skip


def one_output(place, names):
    """What ``names`` of WAYS return at this place."""
    return {
        name: tuple(lambda *args, way=way: way(*args[:4])[place] for way in as_tuple(WAYS[name]))
        for name in names
    }


PAIRS = of_outputs((one_output(0, SECONDS), one_output(1, LABELS)), {**TOLD, **BESIDE})
