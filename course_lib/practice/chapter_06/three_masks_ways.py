"""06.three-masks: wrong masks."""

import torch


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


WAYS = {
    "cross-causal": tuple(wrong(cross=causal(1, 0, padding=padding)) for padding in (True, False)),
    "cross-open": wrong(cross=opened(1, 0)),
    "cross-closes-queries": (
        wrong(cross=by_query(1)),
        wrong(cross=both_sides(1, 0)),
    ),
    "cross-has-target-keys": (
        wrong(cross=target_keys),
        wrong(cross=right_decoder),
        wrong(cross=lambda *args: tri(args[1].shape[1], args[1].shape[1])),
    ),
    "cross-turned": wrong(cross=lambda *args: right_encoder(*args).expand(-1, 1, args[1].shape[1], -1).mT),
    "encoder-open": wrong(encoder=opened(0, 0)),
    "padding-forgotten": wrong(opened(0, 0), right_decoder, opened(1, 0)),
    "encoder-causal": tuple(wrong(encoder=causal(0, 0, padding=padding)) for padding in (True, False)),
    "encoder-closes-queries": (
        wrong(encoder=by_query(0)),
        wrong(encoder=by_query(0), cross=by_query(1)),
    ),
    "dead-rows": (
        wrong(encoder=both_sides(0, 0)),
        wrong(decoder=both_sides(1, 1, past=True)),
        wrong(both_sides(0, 0), both_sides(1, 1, past=True)),
        wrong(both_sides(0, 0), both_sides(1, 1, past=True), both_sides(1, 0)),
        wrong(encoder=both_sides(0, 0), cross=both_sides(1, 0)),
    ),
    "decoder-open": (
        wrong(decoder=target_keys),
        wrong(decoder=opened(1, 1)),
        wrong(decoder=both_sides(1, 1)),
    ),
    "decoder-diagonal-blocked": (
        wrong(decoder=causal(1, 1, -1)),
        wrong(decoder=causal(1, 1, -1, padding=False)),
    ),
    "decoder-sees-the-next": (
        wrong(decoder=causal(1, 1, 1)),
        wrong(decoder=causal(1, 1, 1, padding=False)),
    ),
    "decoder-turned-round": (
        wrong(decoder=turned_past),
        wrong(decoder=lambda *args: ~tri(args[1].shape[1], args[1].shape[1])),
    ),
    "all-causal": (
        wrong(causal(0, 0), right_decoder, causal(1, 0)),
        wrong(causal(0, 0, padding=False), causal(1, 1, padding=False), causal(1, 0, padding=False)),
    ),
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
