"""06.three-masks: wrong masks."""

from itertools import combinations, product

import torch

from course_lib.practice.chapter_06.three_masks_words import WORDS
from course_lib.practice.words import entries


def keys(ids, pad_id):
    return (ids != pad_id)[:, None, None, :]


def queries(ids, pad_id):
    return (ids != pad_id)[:, None, :, None]


def tri(n, m, diagonal=0):
    return torch.ones(n, m, dtype=torch.bool).tril(diagonal)


def right_encoder(source, target, pad_id):
    return keys(source, pad_id)


def right_decoder(source, target, pad_id):
    return tri(target.shape[1], target.shape[1]) & keys(target, pad_id)


def wrong(encoder=right_encoder, decoder=right_decoder, cross=right_encoder):
    """One of the three masks made in another way, from all three arguments."""
    return lambda *args: (encoder(*args), decoder(*args), cross(*args))


def opened(query, key):
    """Everything open, (queries, keys); ``query`` and ``key``: 0 for the source, 1 for the target."""
    return lambda *args: torch.ones(args[query].shape[1], args[key].shape[1], dtype=torch.bool)


def causal(query, key, diagonal=0, padding=True):
    def mask(*args):
        past = tri(args[query].shape[1], args[key].shape[1], diagonal)
        return past & keys(args[key], args[2]) if padding else past

    return mask


def both_sides(query, key, past=False):
    def mask(*args):
        closed = queries(args[query], args[2]) & keys(args[key], args[2])
        return closed & tri(args[1].shape[1], args[1].shape[1]) if past else closed

    return mask


def turned_past(source, target, pad_id):
    n = target.shape[1]
    return torch.ones(n, n, dtype=torch.bool).triu() & keys(target, pad_id)


def target_keys(source, target, pad_id):
    return keys(target, pad_id)


def no_keys(source, target, pad_id):
    return ~keys(source, pad_id)


def past_of_padding(source, target, pad_id):
    return tri(target.shape[1], target.shape[1]) & ~keys(target, pad_id)


def changed(change):
    return lambda *args: tuple(change(mask) for mask in wrong()(*args))


def zero(function):
    """Padding is taken for 0."""
    return lambda source, target, pad_id: function(source, target, 0)


def by_query(ids):
    """The padding of this text (0 source, 1 target) closes rows, not columns."""
    return lambda *args: queries(args[ids], args[2])


def added(mask):
    return torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))


def added_low(mask):
    return torch.zeros(mask.shape).masked_fill(~mask, -1e9)


def without_heads(mask):
    return mask[:, 0]


CROSS = {  # slips in one of the three
    "cross-causal": (causal(1, 0), causal(1, 0, padding=False)),
    "cross-causal-from-the-end": tuple(
        lambda *args, padding=padding: causal(1, 0, args[0].shape[1] - args[1].shape[1], padding)(*args)
        for padding in (True, False)
    ),
    "cross-open": (opened(1, 0),),
    "cross-closes-queries": (by_query(1), both_sides(1, 0)),
    "cross-has-target-keys": (target_keys, right_decoder, causal(1, 1, padding=False)),
    "cross-turned": (lambda *args: right_encoder(*args).expand(-1, 1, args[1].shape[1], -1).mT,),
}
ENCODER = {
    "encoder-open": (opened(0, 0),),
    "encoder-causal": (causal(0, 0), causal(0, 0, padding=False)),
    "encoder-closes-queries": (by_query(0),),
}
DECODER = {
    "decoder-open": (target_keys, opened(1, 1), both_sides(1, 1)),
    "decoder-diagonal-blocked": (causal(1, 1, -1),),
    "decoder-sees-the-next": (causal(1, 1, 1), causal(1, 1, 1, padding=False)),
    "decoder-turned-round": (
        turned_past,
        lambda *args: ~tri(args[1].shape[1], args[1].shape[1]),
        lambda *args: ~tri(args[1].shape[1], args[1].shape[1], -1),
    ),
}
PARTS = {"encoder": ENCODER, "decoder": DECODER, "cross": CROSS}


def first_row(source, target, pad_id):
    return source[:1].ne(pad_id)[:, None, None]


WAYS = {
    **{name: tuple(wrong(**{p: r}) for r in rules) for p, of in PARTS.items() for name, rules in of.items()},
    "padding-forgotten": wrong(opened(0, 0), right_decoder, opened(1, 0)),
    "dead-rows": (
        wrong(encoder=both_sides(0, 0)),
        wrong(decoder=both_sides(1, 1, past=True)),
        wrong(both_sides(0, 0), both_sides(1, 1, past=True)),
        wrong(both_sides(0, 0), both_sides(1, 1, past=True), both_sides(1, 0)),
        wrong(encoder=both_sides(0, 0), cross=both_sides(1, 0)),
    ),
    "all-causal": (
        wrong(causal(0, 0), right_decoder, causal(1, 0)),
        wrong(causal(0, 0, padding=False), right_decoder, causal(1, 0, padding=False)),
    ),
    "first-row-for-all": (wrong(first_row, right_decoder, first_row), wrong(cross=first_row)),
    "both-close-queries": wrong(encoder=by_query(0), cross=by_query(1)),
    "zero-for-padding": zero(wrong()),
    "inverted": changed(torch.logical_not),
    "padding-inverted": (
        wrong(no_keys, right_decoder, no_keys),
        wrong(no_keys, past_of_padding, no_keys),
    ),
    "additive": (changed(added), changed(added_low)),
    "heads-missing": changed(without_heads),
    "axes-missing": wrong(
        encoder=lambda source, target, pad_id: source != pad_id,
        cross=lambda source, target, pad_id: source != pad_id,
    ),
    "exchanged": (
        lambda *args: tuple(wrong()(*args)[i] for i in (0, 2, 1)),
        lambda *args: tuple(wrong()(*args)[i] for i in (1, 0, 2)),
    ),
    "squeezed": changed(torch.squeeze),
}

TOLD = entries(WORDS)
for (_, some), (_, others) in combinations([*PARTS.items()], 2):  # two slips, each in another mask
    for (name, rules), (other, more) in product(some.items(), others.items()):
        known = {("encoder-open", "cross-open"), ("encoder-causal", "cross-causal")}
        if (name, other) in known or "closes-queries" in name + other:
            continue
        ones = [{part: rule} for part, of in PARTS.items() if of is some for rule in rules]
        twos = [{part: rule} for part, of in PARTS.items() if of is others for rule in more]
        WAYS[f"{name}-{other}"] = tuple(wrong(**one, **two) for one, two in product(ones, twos))
        TOLD[f"{name}-{other}"] = f"{TOLD[name]} And there is a second slip. {TOLD[other]}"
