"""06.three-masks: an encoder-decoder on a padded batch. A padding query may see anything but nothing."""

import torch

from course_lib.practice.chapter_06.three_masks_ways import TOLD, WAYS
from course_lib.practice.inputs import not_contiguous, seeded
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def three_masks(source, target, pad_id):
    T = target.shape[1]
    source_words = (source != pad_id)[:, None, None, :]  # (B, 1, 1, S): as keys
    target_words = (target != pad_id)[:, None, None, :]  # (B, 1, 1, T)
    past = torch.ones(T, T, dtype=torch.bool).tril()  # (T, T)
    return (
        source_words,
        past & target_words,
        source_words,
    )  # the last: every target word sees every source word


NAMES = ("encoder", "decoder", "cross")


def lying_on_scores(answer, args):
    """The three masks written out, (B, 1, queries, keys).

    What a padding position sees as a query makes no difference, as long as it sees something.
    """
    source, target, pad_id = args
    sides = (source, source), (target, target), (target, source)
    seen = []
    for name, mask, right, (query, key) in zip(NAMES, answer, three_masks(*args), sides, strict=True):
        shape = (len(query), 1, query.shape[1], key.shape[1])
        right = right.expand(shape)
        mask = spread(name, mask, shape)
        free = (query == pad_id)[:, None, :, None] & mask.bool().any(-1, keepdim=True)
        seen.append(torch.where(free, right.to(mask.dtype), mask))
    return tuple(seen)


def spread(name, mask, shape):
    """A mask as broadcasting lays it on scores of this shape. Raises CannotCompare."""
    came, axes = "(" + ", ".join(map(str, mask.shape)) + ")", f"(B, H, {QUERY[name]}, {KEY[name]})"
    try:
        return mask.broadcast_to(shape)
    except RuntimeError:
        pass
    text = f"`{name}` has shape {came}, and that does not broadcast to scores {axes}, here with "
    text += f"B = {shape[0]}, {QUERY[name]} = {shape[2]}" + f", {KEY[name]} = {shape[3]}" * (name == "cross")
    if mask.dim() == 3 and mask.shape[0] == shape[0]:
        text += ": shapes are lined up from the right, so B meets the heads. An axis for the heads is missing"
    elif mask.dim() == 2 and mask.shape == (shape[0], shape[3]):
        text += ": shapes are lined up from the right, so B meets the queries. Two axes are missing: one for "
        text += "the heads, one for the queries"
    elif name == "cross" and mask.dim() and mask.shape[-1] == shape[2] != shape[3]:
        text += (
            ": your last axis has the length of the target. Keys stand last, and they come from the source"
        )
    raise CannotCompare(text + ".")


QUERY = {"encoder": "S", "decoder": "T", "cross": "T"}
KEY = {"encoder": "S", "decoder": "T", "cross": "S"}


def cases() -> list[Case]:
    g = seeded(608)

    def case(
        name: str, source: tuple[int, ...], target: tuple[int, ...], pad_id: int, spare: int = 0
    ) -> Case:
        def text(lengths):
            ids = torch.full((len(lengths), max(lengths) + spare), pad_id)
            for row, n in zip(ids, lengths, strict=True):
                row[:n] = torch.randint(4, 9, (n,), generator=g)
            return ids

        reads, writes = text(source), text(target)
        writes[:, 0] = 1
        sizes = {"B": len(source), "S": reads.shape[1], "T": writes.shape[1], "1": 1}
        return Case(name, (reads, writes, pad_id), sizes)

    turned = case("texts that are not contiguous", (3, 2), (2, 4), 0, spare=1)
    return [
        case("two pairs, both texts padded", (5, 3), (2, 4), 0),
        case("another id for padding", (2, 6, 4), (5, 3, 1), 9, spare=1),
        case("no padding", (3, 3), (4, 4), 0),
        case("as many pairs as positions", (2, 3, 1), (3, 1, 2), 0),
        case("a long source and a short target", (6, 4), (2, 3), 0),
        case("one pair", (3,), (5,), 0),
        case("one source word each", (1, 1), (2, 3), 0),
        case("`[BOS]` alone in the target", (4, 2), (1, 1), 0),
        Case(turned.name, (*map(not_contiguous, turned.args[:2]), 0), turned.sizes),
    ]


OUTPUTS = tuple(Output(name, ("B", "1", QUERY[name], KEY[name])) for name in NAMES)

THREE_MASKS = Exercise(
    id="06.three-masks",
    title="An encoder-decoder's masks",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `three_masks(source, target, pad_id)` for an encoder-decoder. `source` (B, S) is what the
        encoder reads; `target` (B, T) is what the decoder reads: `[BOS]`, then words. Both are filled up at
        the end with `pad_id`. Return three boolean masks `encoder, decoder, cross`, True = may attend, for
        the three attentions: of the encoder to itself, of the decoder to itself, and of the decoder to the
        encoder's output. Each mask must broadcast to the scores of its attention: (B, H, S, S), (B, H, T, T)
        and (B, H, T, S). An axis may have length 1: (B, 1, 1, S) is as good as (B, 1, S, S).

        No word may attend to padding, and no word of the target to what comes later in the target. All else
        is open. What a padding position sees as a query makes no difference, but it must see something.
    """),
    inputs={"source": "B, S", "target": "B, T", "pad_id": "one id"},
    outputs=OUTPUTS,
    reference=three_masks,
    cases=cases,
    hints=(
        prose("""
            For each of the three ask: whose words are the queries, whose are the keys? Padding is closed
            among the keys. And where among the three could a query look at a word that it must still say?
        """),
        lines("""
            source_words = source is not padding, as keys     (B, 1, 1, S)
            target_words = target is not padding, as keys     (B, 1, 1, T)
            encoder = source_words
            decoder = the triangle of the past, and target_words
            cross   = the keys are the source's: which of the two fits?
        """),
    ),
    misconceptions=misconceptions(TOLD, WAYS),
    insight=prose("""
        Two of the three are the same mask: whoever looks at the source must not look at its padding. Only the
        decoder, among its own words, has a future to hide.
    """),
    view=View(OUTPUTS, lying_on_scores),
    advice=advice(r"""
ambiguous|Boolean value
    `and`, `or` and `not` ask for one truth value; for tensors, element by element, write `&`, `|` and `~`,
    with each comparison in brackets.
must match the size|broadcast(?! to scores)
    A padding mask (B, S) and a triangle (T, T) do not line up as they are. Give the padding mask an axis for
    the heads and one for the queries, `[:, None, None, :]`.
"""),
)
