"""06.prefix-labels: wrong inputs and wrong labels."""

import torch


def end_of(ids, pad_id):
    """The place of `[EOS]` in each row, (B, 1)."""
    return (ids != pad_id).sum(dim=1, keepdim=True) - 1


def right_inputs(ids, n_input, pad_id):
    return ids[:, :-1]


def right_labels(ids, n_input, pad_id):
    return marked()(ids, n_input, pad_id)


def wrong(labels=right_labels, inputs=right_inputs):
    """Other labels or other inputs, each made from all three arguments."""
    return lambda *args: (inputs(*args), labels(*args))


def marked(given=lambda place, n: place < n, padding=True, value=-100, shift=1):
    """Labels with other rules: which places are given, whether padding counts, the mark, the shift."""

    def labels(ids, n_input, pad_id):
        at = ids[:, shift:] if shift else ids[:, :-1]
        ignored = given(torch.arange(at.shape[1]), n_input[:, None])
        ignored = ignored | (at == pad_id) if padding else ignored | torch.zeros_like(at, dtype=torch.bool)
        return at.masked_fill(ignored, value)

    return labels


def without_end(padding):
    """`[EOS]` is no label."""

    def labels(ids, n_input, pad_id):
        cut = ids.scatter(1, end_of(ids, pad_id), pad_id)
        kept = marked()(cut, n_input, pad_id)
        return kept if padding else torch.where(ids[:, 1:] == pad_id, pad_id, kept)

    return labels


def left_over(ids, n_input, pad_id):
    """The labels of all N + 1 tokens, not shifted."""
    given = torch.arange(ids.shape[1]) <= n_input[:, None]
    return ids.masked_fill(given | (ids == pad_id), -100)


def filled(labels, value=-100):
    """One step earlier, with ``value`` in the last column."""
    return torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], value)], dim=1)


def padded_by_inputs(ids, n_input, pad_id):
    """Padding is looked for where it is read, one place late."""
    return marked(padding=False)(ids, n_input, pad_id).masked_fill(ids[:, :-1] == pad_id, -100)


def rolled_whole(ids, n_input, pad_id):
    """N + 1 labels; the last one is the row's first token."""
    turned = ids.roll(-1, 1)
    given = torch.arange(ids.shape[1]) < n_input[:, None]
    return turned.masked_fill(given | (turned == pad_id), -100)


def output_hidden(ids, n_input, pad_id):
    given = torch.arange(ids.shape[1] - 1) < n_input[:, None]
    return ids[:, :-1].masked_fill(~given, pad_id)


def inputs_hidden(fill):
    def inputs(ids, n_input, pad_id):
        given = torch.arange(ids.shape[1] - 1) < n_input[:, None]
        return ids[:, :-1].masked_fill(given, pad_id if fill is None else fill)

    return inputs


def whole(ids, n_input, pad_id):
    return ids


def first_row(ids, n_input, pad_id):
    return marked()(ids, n_input[:1].expand_as(n_input), pad_id)


def longest(pick):
    return lambda ids, n_input, pad_id: marked()(ids, pick(n_input).expand_as(n_input), pad_id)


def by_value(ids, n_input, pad_id):
    """A label is left out if its id stands in the row's input."""
    labels = right_labels(ids, torch.zeros_like(n_input), pad_id).clone()
    for row, one, n in zip(labels, ids, n_input, strict=True):
        row[torch.isin(row, one[: int(n) + 1])] = -100
    return labels


def written_into_a_view(padding):
    """Inputs and labels are slices of one tensor, and the marks are written into it."""

    def both(ids, n_input, pad_id):
        ids = ids.clone()
        labels = ids[:, 1:]
        given = torch.arange(labels.shape[1]) < n_input[:, None]
        labels[given | (labels == pad_id) if padding else given] = -100
        return ids[:, :-1], labels

    return both


def nothing(place, n):
    return place < n - n


WAYS = {
    "everything-counted": (wrong(marked(nothing)), wrong(marked(nothing, padding=False))),
    "bos-asked-for": (
        wrong(marked(lambda place, n: place < n - 1)),
        wrong(marked(lambda place, n: place < n - 1, padding=False)),
    ),
    "first-word-missed": (
        wrong(marked(lambda place, n: place <= n)),
        wrong(marked(lambda place, n: place <= n, padding=False)),
    ),
    "two-words-missed": wrong(marked(lambda place, n: place <= n + 1)),
    "end-missed": tuple(wrong(without_end(padding)) for padding in (True, False)),
    "padding-counted": wrong(marked(padding=False)),
    "padding-by-the-inputs": wrong(padded_by_inputs),
    "mark-added": tuple(
        wrong(lambda *args, sign=sign: args[0][:, 1:] + sign * 100 * (right_labels(*args) == -100).long())
        for sign in (-1, 1)
    ),
    "output-left-out": (
        wrong(marked(lambda place, n: place >= n)),
        wrong(marked(lambda place, n: place >= n, padding=False)),
        wrong(marked(lambda place, n: place > n)),
        wrong(lambda *args: args[0][:, 1:].masked_fill(right_labels(*args) != -100, -100)),
    ),
    "not-shifted": (
        wrong(marked(shift=0)),
        wrong(marked(lambda place, n: place <= n, shift=0)),
        wrong(marked(lambda place, n: place <= n, padding=False, shift=0)),
        wrong(marked(padding=False, shift=0)),
        wrong(marked(nothing, shift=0)),
        wrong(left_over, whole),
    ),
    "shifted-twice": (
        wrong(lambda *args: filled(right_labels(*args))),
        wrong(lambda *args: filled(right_labels(*args), args[2])),
        wrong(lambda ids, n, pad: marked()(filled(ids, pad), n, pad)),
        wrong(lambda *args: right_labels(*args)[:, 1:]),
    ),
    "shifted-the-wrong-way": (
        wrong(lambda ids, n, pad: marked(shift=0)(ids, n, pad), lambda ids, *rest: ids[:, 1:]),
        wrong(
            lambda ids, n, pad: marked(lambda place, n: place <= n, shift=0)(ids, n, pad),
            lambda ids, *rest: ids[:, 1:],
        ),
    ),
    "last-token-kept": (
        wrong(inputs=whole),
        wrong(lambda *args: filled(left_over(*args)), whole),
        wrong(rolled_whole, whole),
    ),
    "first-row-for-all": wrong(first_row),
    "one-length-for-all": (
        wrong(longest(lambda n: n.max())),
        wrong(longest(lambda n: n.min())),
    ),
    "masked-by-value": wrong(by_value),
    "zero-for-padding": (
        wrong(lambda ids, n, pad: marked()(ids, n, 0)),
        wrong(lambda ids, n, pad: marked(padding=False)(ids, n, 0).where(ids[:, 1:] > 0, -100)),
    ),
    "another-mark": (
        *(wrong(marked(value=value)) for value in (-1, 0, 100, -10, -1000)),
        wrong(lambda ids, n, pad: marked(value=pad)(ids, n, pad)),
    ),
    "output-not-read": wrong(inputs=output_hidden),
    "input-not-read": tuple(wrong(inputs=inputs_hidden(fill)) for fill in (None, 0, -100)),
    "marks-in-the-inputs": (
        wrong(inputs=lambda *args: args[0].masked_fill(args[0] == args[2], -100)[:, :-1]),
        wrong(inputs=lambda *args: right_labels(*args)),
    ),
    "marks-through-a-view": tuple(map(written_into_a_view, (True, False))),
    "exchanged": lambda *args: wrong()(*args)[::-1],
    "exchanged-and-everything-counted": lambda *args: wrong(marked(nothing))(*args)[::-1],
}
