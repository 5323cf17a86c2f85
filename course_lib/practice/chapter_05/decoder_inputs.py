"""05.decoder-inputs: what the decoder reads and must say. Where no label counts, any id may be read."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.decoder_inputs_words import WORDS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def decoder_inputs(target, bos_id, pad_id):
    start = torch.full_like(target[:, :1], bos_id)  # (B, 1)
    inputs = torch.cat([start, target[:, :-1]], dim=1)  # (B, T): one step later than the target
    labels = target.masked_fill(target == pad_id, -100)  # (B, T): the target itself, padding not counted
    return inputs, labels


def right_inputs(target, bos_id, pad_id):
    return decoder_inputs(target, bos_id, pad_id)[0]


def right_labels(target, bos_id, pad_id):
    return decoder_inputs(target, bos_id, pad_id)[1]


def wrong(inputs=right_inputs, labels=right_labels):
    """Other inputs or other labels, each made from all three arguments."""
    return lambda *args: (inputs(*args), labels(*args))


def last_word(target, pad_id):
    """The last token of each row that is no padding, (B, 1)."""
    return target.gather(1, (target != pad_id).sum(dim=1, keepdim=True) - 1)


def starting_with(start):
    return lambda target, bos_id, pad_id: torch.cat([start(target, bos_id, pad_id), target[:, :-1]], dim=1)


def first_replaced(target, bos_id, pad_id):
    inputs = target.clone()
    inputs[:, 0] = bos_id
    return inputs


def without_end(target, pad_id):
    """The target with padding in place of its last word."""
    end = (target != pad_id).sum(dim=1, keepdim=True) - 1
    return target.scatter(1, end, pad_id)


def left_shifted(tensor, fill):
    return torch.cat([tensor[:, 1:], torch.full_like(tensor[:, :1], fill)], dim=1)


def what_is_read(answer, args):
    """Inputs and labels; where no label is counted the input says nothing, so any id there is as good."""
    inputs, labels = answer
    target, _, pad_id = args
    if inputs.shape == target.shape:
        ignored = (target == pad_id) & (inputs >= 0)
        inputs = torch.where(ignored, right_inputs(*args).to(inputs.dtype), inputs)
    return inputs, labels


def cases() -> list[Case]:
    g = seeded(504)

    def case(name: str, lengths: tuple[int, ...], bos_id: int, pad_id: int, end: int, spare: int = 0) -> Case:
        T = max(lengths) + spare
        target = torch.full((len(lengths), T), pad_id)
        for row, n in zip(target, lengths, strict=True):
            row[: n - 1] = torch.randint(10, 90, (n - 1,), generator=g)
            row[n - 1] = end
        return Case(name, (target, bos_id, pad_id), {"B": len(lengths), "T": T})

    turned = case("a target that is not contiguous", (3, 2), 2, 0, 3, spare=1)
    target, *ids = turned.args
    return [
        case("three sentences, two of them padded", (5, 3, 2), 2, 0, 3),
        case("other ids for start and padding", (2, 4), 95, 99, 96),
        case("no padding", (3, 3, 3, 3), 2, 0, 3),
        case("as many sentences as tokens", (4, 1, 3, 2), 1, 5, 7),
        case("one sentence", (6,), 2, 0, 3),
        case("an end alone", (1, 1), 2, 0, 3),
        Case(turned.name, (not_contiguous(target), *ids), turned.sizes),
    ]


def masked(tensor, pad_id):
    return tensor.masked_fill(tensor == pad_id, -100)


def raw(target, bos_id, pad_id):
    return target


def kept(target, bos_id, pad_id):
    return torch.cat([torch.full_like(target[:, :1], bos_id), target], dim=1)


def to_the_left(target, bos_id, pad_id):
    return left_shifted(masked(target, pad_id), -100)


def marked(value):
    return lambda target, bos_id, pad_id: target.masked_fill(target == pad_id, value)


def cut(target, bos_id, pad_id):
    return target[:, :-1]


def cut_labels(target, bos_id, pad_id):
    return masked(target[:, 1:], pad_id)


WAYS = {
    "no-shift": (wrong(inputs=raw), wrong(inputs=raw, labels=raw)),
    "first-word-replaced": (wrong(inputs=first_replaced), wrong(inputs=first_replaced, labels=raw)),
    "shifted-to-the-left": tuple(
        wrong(inputs=lambda target, *ids, i=i: left_shifted(target, ids[i])) for i in (0, 1)
    ),
    "last-token-kept": (
        wrong(inputs=kept),
        wrong(inputs=kept, labels=raw),
        wrong(inputs=kept, labels=lambda t, *ids: torch.cat([right_labels(t, *ids), t[:, :1] * 0 - 100], 1)),
        wrong(inputs=kept, labels=lambda *args: masked(kept(*args), args[2])),
    ),
    "start-omitted": (
        wrong(inputs=cut, labels=cut_labels),
        wrong(inputs=cut, labels=lambda target, *ids: target[:, 1:]),
    ),
    "labels-moved-alone": (
        wrong(inputs=raw, labels=to_the_left),
        wrong(inputs=raw, labels=lambda target, bos, pad: left_shifted(target, pad)),
        wrong(inputs=raw, labels=lambda target, bos, pad: left_shifted(target, -100)),
        wrong(inputs=raw, labels=lambda target, bos, pad: target.roll(-1, dims=1)),
        wrong(inputs=raw, labels=lambda target, bos, pad: masked(target.roll(-1, dims=1), pad)),
    ),
    "another-start": (
        wrong(inputs=starting_with(lambda target, bos, pad: torch.full_like(target[:, :1], pad))),
        wrong(inputs=starting_with(lambda target, bos, pad: last_word(target, pad))),
        *(wrong(inputs=starting_with(lambda target, *ids, n=n: target[:, :1] * 0 + n)) for n in range(4)),
    ),
    "rolled-round": (
        wrong(inputs=lambda target, *ids: target.roll(1, dims=1)),
        wrong(inputs=lambda target, *ids: target.roll(1)),
    ),
    "labels-shifted-too": (wrong(labels=to_the_left), wrong(labels=cut_labels)),
    "start-in-the-labels": (
        wrong(labels=lambda *args: masked(right_inputs(*args), args[2])),
        wrong(labels=right_inputs),
        wrong(labels=lambda *args: right_inputs(*args).masked_fill(args[0] == args[2], -100)),
    ),
    "padding-counted": wrong(labels=raw),
    "another-mark": tuple(wrong(labels=marked(value)) for value in (-1, 0, 100, -10, -1000)),
    "zero-for-padding": wrong(labels=lambda target, *ids: target.masked_fill(target == 0, -100)),
    "one-label-too-many": wrong(
        labels=lambda *args: args[0].masked_fill(right_inputs(*args) == args[2], -100)
    ),
    "words-masked": wrong(labels=lambda target, bos, pad: target.masked_fill(target != pad, -100)),
    "end-not-learned": (
        wrong(labels=lambda target, bos, pad: masked(without_end(target, pad), pad)),
        wrong(labels=lambda target, bos, pad: masked(target[:, :-1], pad)),
    ),
    "first-word-replaced-end-missed": wrong(
        inputs=first_replaced, labels=lambda target, bos, pad: masked(without_end(target, pad), pad)
    ),
    "marks-in-the-inputs": wrong(inputs=lambda *args: right_inputs(masked(args[0], args[2]), *args[1:])),
    "exchanged-and-padding-counted": (
        lambda *args: (args[0], right_inputs(*args)),
        lambda *args: (args[0], right_inputs(*args).masked_fill(args[0] == args[2], args[2])),
    ),
}

DECODER_INPUTS = Exercise(
    id="05.decoder-inputs",
    title="What the decoder reads, what it says",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `decoder_inputs(target, bos_id, pad_id)`. Each row of `target` holds the ids of one sentence:
        its words, then its end token, then `pad_id` up to length T. The start token `bos_id` is not in it.
        Return two tensors of ids, both (B, T), `inputs, labels`. At position t the decoder reads `inputs[:,
        t]` and must say `labels[:, t]`: the first token of the target after reading `bos_id`, and each later
        one after reading the one before it. Labels on padding are -100, so that the loss does not count them;
        the end token is a label like the words.
    """),
    inputs={"target": "B, T", "bos_id": "one id", "pad_id": "one id"},
    outputs=(Output("inputs", ("B", "T")), Output("labels", ("B", "T"))),
    reference=decoder_inputs,
    cases=cases,
    hints=(
        prose("""
            Take the sentence 7, 8, END and write two rows below each other: what must be said at positions 0,
            1 and 2, and what has been read by then. Which of the two rows is the target itself?
        """),
        lines("""
            start  = a column of bos_id                                 (B, 1)
            inputs = start, then the target without its last column     (B, T)
            labels = the target, but -100 where it is pad_id            (B, T)
            return inputs, labels
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS),
        *ideas.other_order(decoder_inputs, "inputs", "labels", seen=what_is_read),
    ),
    insight=prose("""
        The labels are the target, and the inputs are the target one step later. (What the inputs hold where
        no label is counted makes no difference: padding, or the end of a short sentence.)
    """),
    view=View((Output("inputs", ("B", "T")), Output("labels", ("B", "T"))), what_is_read),
    advice=advice(r"""
Sizes of tensors must match|same number of dimensions
    To be joined along T, both need axes (B, …): the start is a column (B, 1), for example
    `torch.full_like(target[:, :1], bos_id)`.
"""),
)
