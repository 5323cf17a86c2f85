"""08.input-triple: two slips in one row."""

from course_lib.practice.chapter_08.input_triple_ways import (
    PADDING,
    by_id,
    no_cls,
    no_last_sep_anywhere,
    no_sep,
    numbered,
    of_two,
    padded_with_0,
    right,
    rows,
    texts_alone,
    unpadded,
    without_last,
)
from course_lib.practice.chapter_08.input_triple_words import BESIDE
from course_lib.practice.two_slips import listed, of_parts


def made(parts=right, pad=None, change=None):
    """A row of other parts, with other padding, of which something else is made."""
    row = rows(parts, pad) if pad else rows(parts)
    return (lambda *args: change(*row(*args), *args)) if change else row


PARTS = {
    "parts": {
        "no-cls": no_cls,
        "no-sep-between": of_two(lambda a, b, c, s: [([c, *a], 0), ([*b, s], 1)]),
        "no-sep-after-two": of_two(without_last),
        "no-sep-at-any-end": no_last_sep_anywhere,
        "no-sep": no_sep,
        "cls-before-both": of_two(lambda a, b, c, s: [([c, *a, s], 0), ([c, *b, s], 1)]),
        "texts-exchanged": of_two(lambda a, b, c, s: right(b, a, c, s)),
        "all-in-segment-0": numbered(0, 0),
        "segments-from-1": numbered(1, 2),
        "segments-exchanged": numbered(1, 0),
        "first-sep-in-segment-1": of_two(lambda a, b, c, s: [([c, *a], 0), ([s, *b, s], 1)]),
        "last-sep-in-segment-0": of_two(lambda a, b, c, s: [([c, *a, s], 0), (b, 1), ([s], 0)]),
    },
    "pad": PADDING,
    "change": {
        "segments-for-the-mask": lambda ids, segments, allowed, *args: (ids, segments, segments == 0),
        "mask-inverted": lambda ids, segments, allowed, *args: (ids, segments, ~allowed),
        "padding-open": lambda ids, segments, allowed, *args: (ids, segments, allowed | True),
        "mask-without-special-tokens": texts_alone,
        "zero-for-padding": (padded_with_0, by_id),
        "not-padded": unpadded,
    },
}
NO_EFFECT = {
    ("all-in-segment-0", "segments-for-the-mask"),
    ("segments-from-1", "segments-for-the-mask"),
    ("segments-exchanged", "padding-in-segment-1"),  # told as one
    ("segments-from-1", "padding-in-segment-1"),
    ("segments-from-1", "padding-in-a-segment-of-its-own"),
    ("padding-in-segment-1", "not-padded"),
    ("padding-in-a-segment-of-its-own", "not-padded"),
}
OTHER_ENDS = {  # a missing token and another border between the segments
    ("no-sep-after-two", "first-sep-in-segment-1"): (
        rows(of_two(lambda a, b, c, s: [([c, *a], 0), ([s, *b], 1)])),
    ),
    ("no-cls", "first-sep-in-segment-1"): (rows(of_two(lambda a, b, c, s: [(a, 0), ([s, *b, s], 1)])),),
    ("no-cls", "all-in-segment-0"): (rows(lambda *args: [(ids, 0) for ids, _ in no_cls(*args)]),),
    ("no-sep-between", "all-in-segment-0"): (rows(of_two(lambda a, b, c, s: [([c, *a, *b, s], 0)])),),
    ("no-sep-after-two", "all-in-segment-0"): (rows(of_two(lambda a, b, c, s: [([c, *a, s, *b], 0)])),),
    ("texts-exchanged", "all-in-segment-0"): (rows(of_two(lambda a, b, c, s: [([c, *b, s, *a, s], 0)])),),
}
PAIRS = of_parts({**listed(PARTS, made, NO_EFFECT), **OTHER_ENDS}, BESIDE)
