"""08.corrupt: what learners write."""

from itertools import product

import torch

from course_lib.practice.chapter_08.corrupt_words import LABELS_TOLD, READS_TOLD, TOLD
from course_lib.practice.two_slips import as_tuple, of_outputs, told_both

# --- what is read: a function (ids, chosen, throw, drawn, mask_id) ------------------------------------------


def by_throw(below, between, above, among=lambda chosen: chosen):
    """What stands for a chosen token, by its throw: each a function of (ids, drawn, mask_id)."""

    def reads(ids, chosen, throw, drawn, mask_id):
        three = [part(ids, drawn, mask_id).expand(ids.shape) for part in (below, between, above)]
        made = torch.where(throw < 0.8, three[0], torch.where(throw < 0.9, three[1], three[2]))
        return torch.where(among(chosen), made, ids)

    return reads


def mask(ids, drawn, mask_id):
    return torch.tensor(mask_id)


def draw(ids, drawn, mask_id):
    return drawn


def keep(ids, drawn, mask_id):
    return ids


right_reads = by_throw(mask, draw, keep)


def overlapping(ids, chosen, throw, drawn, mask_id):
    """The same throw is used from 0 twice: random words take over a part of the masks."""
    reads = ids.masked_fill(chosen & (throw < 0.8), mask_id)
    return torch.where(chosen & (throw < 0.1), drawn, reads)


def other_end(lowest, next_one):
    """``[MASK]`` for large throws: the shares are right, and other throws decide."""

    def reads(ids, chosen, throw, drawn, mask_id):
        low, middle, high = (part(ids, drawn, mask_id).expand(ids.shape) for part in (lowest, next_one, mask))
        made = torch.where(throw < 0.1, low, torch.where(throw < 0.2, middle, high))
        return torch.where(chosen, made, ids)

    return reads


def drawn_in_order(ids, chosen, throw, drawn, mask_id):
    """The first words of ``drawn`` are used up one after the other."""
    reads = ids.masked_fill(chosen & (throw < 0.8), mask_id)
    some = chosen & (throw >= 0.8) & (throw < 0.9)
    return reads.masked_scatter(some, drawn.flatten())


def everything(chosen):
    return torch.ones_like(chosen)


def others(chosen):
    return ~chosen


def rest_hidden(value):
    """Only the chosen places are read; ``value`` stands at the others."""

    def reads(*args):
        fill = args[4] if value is None else value
        return right_reads(*args).masked_fill(~args[1], fill)

    return reads


def one_word(pick):
    return by_throw(mask, lambda ids, drawn, mask_id: pick(drawn), keep)


def masked_as(value):
    return by_throw(lambda ids, drawn, mask_id: torch.tensor(value), draw, keep)


def half_of_all(ids, chosen, throw, drawn, mask_id):
    """Masks stand for chosen tokens, drawn words for any."""
    reads = ids.masked_fill(chosen & (throw < 0.8), mask_id)
    return torch.where((throw >= 0.8) & (throw < 0.9), drawn, reads)


def other_half_of_all(ids, chosen, throw, drawn, mask_id):
    reads = ids.masked_fill(throw < 0.8, mask_id)
    return torch.where(chosen & (throw >= 0.8) & (throw < 0.9), drawn, reads)


READS = {
    "all-tokens-hidden": (by_throw(mask, draw, keep, everything), half_of_all, other_half_of_all),
    "others-hidden": by_throw(mask, draw, keep, others),
    "all-masked": by_throw(mask, mask, mask),
    "random-never": by_throw(mask, keep, keep),
    "kept-never": by_throw(mask, draw, draw),
    "masked-or-masked": by_throw(mask, mask, keep),
    "same-range-twice": overlapping,
    "last-two-exchanged": by_throw(mask, keep, draw),
    "masks-and-words-exchanged": by_throw(draw, mask, keep),
    "kept-most": (by_throw(keep, draw, mask), by_throw(keep, mask, draw)),
    "words-most": by_throw(draw, keep, mask),
    "from-the-other-end": (other_end(keep, draw), other_end(draw, keep)),
    "drawn-in-order": drawn_in_order,
    "nothing-hidden": by_throw(keep, keep, keep),
    "masks-never": (by_throw(keep, draw, keep), by_throw(draw, draw, keep)),
    "one-word-for-all": (
        one_word(lambda drawn: drawn[:1]),
        one_word(lambda drawn: drawn[:, :1]),
        one_word(lambda drawn: drawn[0, 0]),
    ),
    "another-mask-id": tuple(map(masked_as, (103, 0, -100, -1, 4, 6))),
    "rest-not-read": tuple(map(rest_hidden, (0, -100, None))),
}

# --- what must be said: a function of the same arguments, and of what is read -------------------------------


def labelled(where=lambda ids, chosen, throw, reads: chosen, value=-100, what=lambda ids, reads: ids):
    """Labels at other places, of another tensor, or with another mark."""
    return lambda args, reads: what(args[0], reads).masked_fill(~where(*args[:3], reads), value)


def added(sign):
    return lambda args, reads: args[0] + sign * 100 * (~args[1]).long()


LABELS = {
    "everything-counted": lambda args, reads: args[0],
    "read-for-said": (
        labelled(what=lambda ids, reads: reads),
        lambda args, reads: reads,
    ),
    "labels-on-masks-alone": (
        labelled(lambda ids, chosen, throw, reads: chosen & (throw < 0.8)),
        lambda args, reads: args[0].masked_fill(reads != args[4], -100),
    ),
    "kept-without-label": (
        labelled(lambda ids, chosen, throw, reads: chosen & (throw < 0.9)),
        labelled(lambda ids, chosen, throw, reads: reads != ids),
    ),
    "another-mark": (
        *(labelled(value=value) for value in (-1, 0, 100, -10, -1000)),
        lambda args, reads: args[0].masked_fill(~args[1], args[4]),
    ),
    "mark-added": tuple(map(added, (-1, 1))),
    "zero-without-label": labelled(lambda ids, chosen, throw, reads: chosen & (ids > 0)),
    "labels-turned-round": labelled(lambda ids, chosen, throw, reads: ~chosen),
    "drawn-for-label": lambda args, reads: torch.where(
        (args[2] >= 0.8) & (args[2] < 0.9), args[3], args[0]
    ).masked_fill(~args[1], -100),
    "yes-or-no": (lambda args, reads: args[1], lambda args, reads: torch.where(args[1], 1, -100)),
}


def right_labels(args, reads):
    return args[0].masked_fill(~args[1], -100)


def both(reads=right_reads, labels=right_labels):
    def made(*args):
        read = reads(*args)
        return read, labels(args, read)

    return made


def ways(value):
    return value if isinstance(value, tuple) else (value,)


def one_tensor(*args):
    """Both names stand for one tensor, and what is written into the one stands in the other."""
    made = right_reads(*args).masked_fill(~args[1], -100)
    return made, made


def exchanged(function):
    return lambda *args: function(*args)[::-1]


WAYS = {
    **{name: tuple(both(one) for one in ways(some)) for name, some in READS.items()},
    **{name: tuple(both(labels=one) for one in ways(some)) for name, some in LABELS.items()},
    "one-tensor": one_tensor,
    "exchanged": exchanged(both()),
    # Every token is hidden by its throw, and what was hidden is asked for.
    "chosen-unused": (
        both(READS["all-tokens-hidden"][0], lambda args, reads: args[0]),
        both(READS["all-tokens-hidden"][0], lambda args, reads: args[0].masked_fill(args[2] >= 0.9, -100)),
        both(READS["all-tokens-hidden"][0], lambda args, reads: args[0].masked_fill(reads != args[4], -100)),
        both(READS["all-tokens-hidden"][0], lambda args, reads: args[0].masked_fill(reads == args[0], -100)),
    ),
}

TWO = {  # two slips at once, one in each answer: the first way of the one, some ways of the other
    "reads": ("all-masked", "random-never", "kept-never", "same-range-twice", "masks-and-words-exchanged"),
    "labels": ("everything-counted", "read-for-said", "labels-on-masks-alone", "another-mark"),
}
WORDS = dict(TOLD)
for name, other in product(TWO["reads"], TWO["labels"]):
    some = ways(LABELS[other])[: 1 if (name, other) == ("all-masked", "labels-on-masks-alone") else 2]
    WAYS[f"{name}-{other}"] = tuple(both(ways(READS[name])[0], one) for one in some)
    WORDS[f"{name}-{other}"] = told_both(READS_TOLD[name], LABELS_TOLD[other])


def alone(way, args, both):
    return way(*args)


def with_reads(way, args, both):
    """Labels are made with what this learner lets the model read."""
    return way(args, both[0])


def beside(call, ideas):
    return {
        name: tuple(lambda *args, way=way: call(way, args[:5], args[5]) for way in as_tuple(some))
        for name, some in ideas.items()
    }


PAIRS = of_outputs((beside(alone, READS), beside(with_reads, LABELS)), TOLD)
