"""06.strip: wrong strips."""

import torch


def writes(place, n, ids, blank):
    return place > n


def blanked(place, n, ids, blank):
    return blank


def wrong(encoder=blanked, others=writes, padding=True, colours=(0, 1, 2), pad=None):
    """Other rules on (place, n_input, ids, blank) for what is predicted; other padding, other numbers."""

    def made(family, ids, n_input, blank, pad_id):
        rule = encoder if family == "encoder-only" else others
        predicted = rule(torch.arange(ids.shape[1]), n_input[:, None], ids, blank).expand(ids.shape)
        out = torch.where(predicted, colours[2], colours[1])
        return out.masked_fill(ids == (pad_id if pad is None else pad), colours[0]) if padding else out

    return made


def of_one(other, families):
    """One of the families that write is wrong, the others are right."""
    return lambda family, *rest: (other if family in families else wrong())(family, *rest)


def without_end(place, n, ids, blank):
    """Behind [BOS], but `[EOS]` (2) is not."""
    return (place > n) & (ids != 2)


def one_earlier(family, ids, n_input, blank, pad_id):
    """The colour stands where the token is said."""
    right = wrong()(family, ids, n_input, blank, pad_id)
    return torch.cat([right[:, 1:], torch.zeros_like(right[:, :1])], dim=1)


def one_earlier_in_writing(family, *rest):
    return (wrong() if family == "encoder-only" else one_earlier)(family, *rest)


def one_earlier_end_given(family, ids, n_input, blank, pad_id):
    moved = one_earlier_in_writing(family, ids, n_input, blank, pad_id)
    return torch.where((ids != pad_id) & (moved == 0), 1, moved)


def blanks_ignored(family, ids, n_input, blank, pad_id):
    """An encoder-only model: what is not blank counts as ignored."""
    right = wrong()(family, ids, n_input, blank, pad_id)
    return torch.where((right == 1) & (family == "encoder-only"), 0, right)


def input_ignored(family, ids, n_input, blank, pad_id):
    """The input is not counted in the loss, so it is taken for ignored."""
    right = wrong()(family, ids, n_input, blank, pad_id)
    before = torch.arange(ids.shape[1]) < n_input[:, None]
    return torch.where(before & (right == 1) & (family != "encoder-only"), 0, right)


def bos_ignored(family, ids, n_input, blank, pad_id):
    right = wrong()(family, ids, n_input, blank, pad_id)
    return right.masked_fill(torch.arange(ids.shape[1]) == n_input[:, None], 0)


def all_given_ignored(family, ids, n_input, blank, pad_id):
    right = wrong()(family, ids, n_input, blank, pad_id)
    return torch.where(right == 1, 0, right)


WRITING = ("decoder-only", "prefix-LM", "encoder-decoder")
ALL = wrong(others=lambda place, n, ids, blank: place >= 0)
NOT_FIRST = wrong(others=lambda place, n, ids, blank: place > 0)

WAYS = {
    "bos-predicted": (
        wrong(others=lambda place, n, ids, blank: place >= n),
        one_earlier_in_writing,
        one_earlier_end_given,
        of_one(one_earlier_in_writing, ("decoder-only", "prefix-LM")),
    ),
    "first-word-given": wrong(others=lambda place, n, ids, blank: place > n + 1),
    "end-given": wrong(others=without_end),
    "input-predicted": (
        of_one(ALL, ("decoder-only",)),
        of_one(NOT_FIRST, ("decoder-only",)),
        of_one(ALL, ("decoder-only", "prefix-LM")),
        of_one(NOT_FIRST, ("decoder-only", "prefix-LM")),
        ALL,
        NOT_FIRST,
        of_one(wrong(others=lambda place, n, ids, blank: place != n), ("decoder-only",)),
        wrong(others=lambda place, n, ids, blank: place != n),
    ),
    "encoder-as-the-others": wrong(encoder=writes),
    "blanks-in-all-families": (
        wrong(others=blanked),
        wrong(others=lambda place, n, ids, blank: (place > n) | blank),
        wrong(others=lambda place, n, ids, blank: (place > n) & blank),
        wrong(others=lambda place, n, ids, blank: (place > n) & ~blank),
    ),
    "blanks-in-one-part-only": (
        wrong(encoder=lambda place, n, ids, blank: blank & (place > n)),
        wrong(encoder=lambda place, n, ids, blank: blank & (place < n)),
    ),
    "blanks-turned-round": wrong(encoder=lambda place, n, ids, blank: ~blank),
    "encoder-predicts-all": (
        wrong(encoder=lambda place, n, ids, blank: place >= 0),
        wrong(encoder=lambda place, n, ids, blank: (place > n) | blank),
    ),
    "bos-ignored": bos_ignored,
    "input-ignored": (input_ignored, lambda *args: bos_ignored(*args).minimum(input_ignored(*args))),
    "rest-ignored": blanks_ignored,
    "given-ignored": all_given_ignored,
    "padding-coloured": wrong(padding=False),
    "zero-for-padding": wrong(pad=0),
    "blanks-are-0": of_one(
        lambda family, ids, n, blank, pad: wrong()(family, ids, n, blank, pad).masked_fill(blank, 0),
        ("encoder-only",),
    ),
    "other-numbers": tuple(
        wrong(colours=colours) for colours in ((0, 1, 3), (-100, 1, 2), (-1, 1, 2), (1, 2, 3), (-1, 0, 1))
    ),
    "colours-exchanged": (
        *(wrong(colours=colours) for colours in ((0, 2, 1), (2, 1, 0), (1, 0, 2), (1, 2, 0), (2, 0, 1))),
        wrong(
            encoder=lambda place, n, ids, blank: ~blank,
            others=lambda place, n, ids, blank: place < n,
        ),
    ),
    "first-row-for-all": wrong(others=lambda place, n, ids, blank: place > n[:1]),
    "one-length-for-all": (
        wrong(others=lambda place, n, ids, blank: place > n.max()),
        wrong(others=lambda place, n, ids, blank: place > n.min()),
    ),
    "mask-said-one-earlier": one_earlier,
}


def only(where, got_is, *families):
    """In these families some cells of one kind have one wrong colour, and nothing else is wrong."""

    def sign(expected, got, args):
        family, ids, n_input, blank, pad_id = args
        bad = got != expected
        inside = where(torch.arange(ids.shape[1]), n_input[:, None], ids, blank).expand(ids.shape)
        inside = inside & (ids != pad_id)
        fits = bool((inside | ~bad).all()) and bool((got[bad] == got_is).all())
        return family in families and fits

    return sign


def rest_ignored(expected, got, args):
    """In an encoder-only strip all words that are not blank are 0, and nothing else is wrong there."""
    family, blank = args[0], args[3]
    if family != "encoder-only":
        return None
    return torch.equal(got, expected.masked_fill(~blank, 0))


SIGNS = {
    "rest-ignored": rest_ignored,
    "bos-predicted": only(lambda place, n, ids, blank: place == n, 2, *WRITING),
    "bos-ignored": only(lambda place, n, ids, blank: place == n, 0, *WRITING, "encoder-only"),
    "input-predicted": only(lambda place, n, ids, blank: place <= n, 2, *WRITING),
    "input-ignored": only(lambda place, n, ids, blank: place <= n, 0, *WRITING),
    "other-numbers": lambda expected, got, args: bool(((got < 0) | (got > 2)).any()),
    "padding-coloured": lambda expected, got, args: bool(((got == expected) | (args[1] == args[4])).all()),
}
