"""08.input-triple: wrong rows."""

import torch


def rows(parts, pad=lambda rest, pad_id, two: ([pad_id] * rest, [0] * rest), left=False):
    """The three tensors from ``parts``: pairs (ids, segment) in the order in which they stand."""

    def made(first, second, length, cls_id, sep_id, pad_id):
        ids, segments = [], []
        for some, segment in parts(first, second, cls_id, sep_id):
            ids += some
            segments += [segment] * len(some)
        more, more_segments = pad(max(length - len(ids), 0), pad_id, second is not None)
        real = [True] * len(ids), [False] * len(more)
        if left:
            rows = more + ids, more_segments + segments, real[1] + real[0]
        else:
            rows = ids + more, segments + more_segments, real[0] + real[1]
        return tuple(map(torch.tensor, rows))

    return made


def right(first, second, cls_id, sep_id):
    one = [([cls_id, *first, sep_id], 0)]
    return one if second is None else [*one, ([*second, sep_id], 1)]


def of_two(two):
    """Other parts where there are two texts; one text is right."""

    def parts(first, second, cls_id, sep_id):
        return (right if second is None else two)(first, second, cls_id, sep_id)

    return parts


def no_cls(first, second, cls_id, sep_id):
    (one, _), *rest = right(first, second, cls_id, sep_id)
    return [(one[1:], 0), *rest]


def no_sep(first, second, cls_id, sep_id):
    return [([cls_id, *first], 0), (second or [], 1)]


def no_last_sep_anywhere(first, second, cls_id, sep_id):
    return [([cls_id, *first], 0)] if second is None else without_last(first, second, cls_id, sep_id)


def without_last(a, b, cls_id, sep_id):
    return [([cls_id, *a, sep_id], 0), (b, 1)]


def one_sep_too_many(first, second, cls_id, sep_id):
    return [([cls_id, *first, sep_id], 0), ([*(second or []), sep_id], 1)]


def zero_sep_too_many(first, second, cls_id, sep_id):
    return [([cls_id, *first, sep_id], 0), ([*(second or []), sep_id], 0 if second is None else 1)]


def counted_up_to_length(parts):
    """A row that is longer than it may be, with a mask from ``torch.arange(length)``."""

    def made(first, second, length, cls_id, sep_id, pad_id):
        ids, segments, allowed = rows(parts)(first, second, length, cls_id, sep_id, pad_id)
        return ids, segments, allowed[:length]

    return made


def numbered(one, two):
    """Segments with other numbers."""

    def parts(first, second, cls_id, sep_id):
        return [(ids, (one, two)[n]) for ids, n in right(first, second, cls_id, sep_id)]

    return parts


def special_apart(one, two, cls, sep):
    """[CLS] and [SEP] with segments of their own."""

    def parts(first, second, cls_id, sep_id):
        made = [([cls_id], cls), (first, one), ([sep_id], sep)]
        return made if second is None else [*made, (second, two), ([sep_id], sep)]

    return parts


def padded(segment, pad_id=None):
    """Padding with another segment or another id."""

    def pad(rest, given, two):
        what = segment(two) if callable(segment) else segment
        return [given if pad_id is None else pad_id] * rest, [what] * rest

    return pad


def changed(change):
    """Something else is made of the three right tensors; ``change`` also gets the arguments."""
    return lambda *args: change(*rows(right)(*args), *args)


def counted(once):
    """A segment is how many `[SEP]` stand so far, this one included; ``once``: 0 or 1."""

    def change(ids, segments, allowed, first, second, length, cls_id, sep_id, pad_id):
        seps = (ids == sep_id).long().cumsum(0)
        return ids, seps.clamp(max=1) if once else seps, allowed

    return change


def by_id(ids, segments, allowed, first, second, length, cls_id, sep_id, pad_id):
    return ids, segments, ids != 0


def padded_with_0(ids, segments, allowed, *args):
    return ids.masked_fill(~allowed, 0), segments, allowed


def texts_alone(ids, segments, allowed, first, second, length, cls_id, sep_id, pad_id):
    return ids, segments, allowed & (ids != cls_id) & (ids != sep_id)


def unpadded(ids, segments, allowed, *args):
    return ids[allowed], segments[allowed], allowed[allowed]


def padded_by_length(first, second, length, cls_id, sep_id, pad_id):
    ids, segments, allowed = unpadded(*rows(right)(first, second, length, cls_id, sep_id, pad_id))
    fill = lambda row, value: torch.cat([row, torch.full((length,), value, dtype=row.dtype)])  # noqa: E731
    return fill(ids, pad_id), fill(segments, 0), fill(allowed, False)


PADDING = {  # what padding gets in the segments
    "padding-in-segment-1": (padded(1), padded(lambda two: int(two))),
    "padding-in-a-segment-of-its-own": (padded(2), padded(-1), padded(-100), padded(lambda two: 1 + two)),
}

WAYS = {
    "no-cls": rows(no_cls),
    "no-sep-between": (
        rows(of_two(lambda a, b, c, s: [([c, *a], 0), ([*b, s], 1)])),
        rows(of_two(lambda a, b, c, s: [([c, *a], 0), (b, 1), ([s], 0)])),
    ),
    "no-sep-after-two": rows(of_two(without_last)),
    "no-sep-at-any-end": rows(no_last_sep_anywhere),
    "no-sep": rows(no_sep),
    "a-sep-without-a-text": (
        rows(one_sep_too_many),
        counted_up_to_length(one_sep_too_many),
        rows(zero_sep_too_many),
        counted_up_to_length(zero_sep_too_many),
    ),
    "cls-before-both": rows(of_two(lambda a, b, c, s: [([c, *a, s], 0), ([c, *b, s], 1)])),
    "two-seps-between": (
        rows(of_two(lambda a, b, c, s: [([c, *a, s, s], 0), ([*b, s], 1)])),
        rows(of_two(lambda a, b, c, s: [([c, *a, s], 0), ([s, *b, s], 1)])),
    ),
    "texts-exchanged": (
        rows(of_two(lambda a, b, c, s: right(b, a, c, s))),
        rows(of_two(lambda a, b, c, s: [([c, *b, s], 1), ([*a, s], 0)])),
    ),
    "all-in-segment-0": rows(numbered(0, 0)),
    "segments-from-1": (
        rows(numbered(1, 2)),
        rows(numbered(1, 2), padded(1)),
        rows(numbered(1, 2), padded(lambda two: 1 + two)),
    ),
    "segments-exchanged": (rows(numbered(1, 0)), rows(numbered(1, 0), padded(1))),
    "first-sep-in-segment-1": (
        rows(of_two(lambda a, b, c, s: [([c, *a], 0), ([s, *b, s], 1)])),
        rows(lambda a, b, c, s: [([c, *a], 0), ([s] if b is None else [s, *b, s], 1)]),
    ),
    "segments-count-the-seps": (changed(counted(True)), changed(counted(False))),
    "last-sep-in-segment-0": rows(of_two(lambda a, b, c, s: [([c, *a, s], 0), (b, 1), ([s], 0)])),
    "special-tokens-in-other-segments": tuple(
        rows(special_apart(0, 1, cls, sep)) for cls, sep in ((2, 2), (0, 2), (1, 1), (1, 0), (-1, -1))
    ),
    "words-from-1": rows(special_apart(1, 2, 0, 0)),
    **{name: tuple(rows(right, pad) for pad in pads) for name, pads in PADDING.items()},
    "mask-for-segments": (
        changed(lambda ids, segments, allowed, *args: (ids, allowed, segments)),
        changed(lambda ids, segments, allowed, *args: (ids, allowed.long(), allowed)),
    ),
    "segments-for-the-mask": (
        changed(lambda ids, segments, allowed, *args: (ids, segments, segments.bool())),
        changed(lambda ids, segments, allowed, *args: (ids, segments, segments == 0)),
    ),
    "mask-inverted": changed(lambda ids, segments, allowed, *args: (ids, segments, ~allowed)),
    "padding-open": changed(lambda ids, segments, allowed, *args: (ids, segments, allowed | True)),
    "mask-without-special-tokens": changed(texts_alone),
    "mask-of-numbers": tuple(
        changed(lambda i, s, a, *args, low=low: (i, s, torch.zeros(len(a)).masked_fill(~a, low)))
        for low in (float("-inf"), -1e9, -10000.0)
    ),
    "zero-for-padding": (
        changed(by_id),
        changed(padded_with_0),
        changed(
            lambda ids, segments, allowed, *args: by_id(
                ids.masked_fill(~allowed, 0), segments, allowed, *args
            )
        ),
    ),
    "padded-on-the-left": (rows(right, left=True), rows(right, padded(1), left=True)),
    "not-padded": changed(unpadded),
    "length-of-padding": padded_by_length,
    "positions-for-the-mask": (
        changed(lambda ids, segments, allowed, *args: (ids, segments, torch.arange(len(ids)))),
        changed(lambda ids, segments, allowed, *args: (ids, torch.arange(len(ids)), segments)),
    ),
}
