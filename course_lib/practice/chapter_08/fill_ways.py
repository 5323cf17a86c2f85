"""08.fill: wrong fillings, and what a tutor says."""

import torch

from course_lib.practice.chapter_08.fill_words import TOLD
from course_lib.practice.two_slips import listed, of_parts


def probabilities(logits):
    return torch.softmax(logits, dim=-1)


def sureness(logits):
    return probabilities(logits).amax(-1)


def among_blanks(sure, blank):
    return sure.masked_fill(~blank, float("-inf")).argmax(1)


def wrong(
    sure=sureness,
    best=lambda logits: logits.argmax(-1),
    pick=among_blanks,
    guard=lambda ids, blank, place: blank.any(1),
    word=lambda best, place: best.gather(1, place[:, None])[:, 0],
):
    """Another measure of how sure it is, another word, another choice of the place or of the rows."""

    def fill(ids, logits, mask_id):
        blank, said = ids == mask_id, best(logits)
        place = pick(sure(logits), blank)
        filled = ids.clone()
        some = guard(ids, blank, place)
        filled[some, place[some]] = word(said, place)[some]
        return filled

    return fill


def all_at(where):
    """Every place of a kind gets its best word; ``where`` of (blank, logits)."""
    return lambda ids, logits, mask_id: torch.where(where(ids == mask_id, logits), logits.argmax(-1), ids)


def in_the_batch(sure=sureness):
    """One blank of the whole batch is filled."""

    def fill(ids, logits, mask_id):
        blank, filled = ids == mask_id, ids.clone()
        if blank.any():
            at = int(sure(logits).masked_fill(~blank, float("-inf")).argmax())
            filled.view(-1)[at] = logits.argmax(-1).flatten()[at]
        return filled

    return fill


def at_its_number(sure=sureness):
    """The right word; it is written at the number that the blank has among the blanks of its row."""

    def fill(ids, logits, mask_id):
        blank, filled = ids == mask_id, ids.clone()
        place = among_blanks(sure(logits), blank)
        said = logits.argmax(-1).gather(1, place[:, None])[:, 0]
        for row, words in enumerate(said):
            if blank[row].any():
                filled[row, place_among_blanks(sure(logits), blank)[row]] = words
        return filled

    return fill


def spread_out(ids, logits, mask_id):
    """The word of the surest blank stands in all blanks of its row."""
    place = among_blanks(sureness(logits), ids == mask_id)
    return torch.where(ids == mask_id, logits.argmax(-1).gather(1, place[:, None]), ids)


def words_of_the_row(logits):
    """The highest score of the whole row says the word."""
    return (logits.flatten(1).argmax(1) % logits.shape[-1])[:, None].expand(logits.shape[:2])


def nth_blank(last):
    def pick(sure, blank):
        order = torch.arange(blank.shape[1]).expand(blank.shape)
        return order.masked_fill(~blank, -1).argmax(1) if last else blank.long().argmax(1)

    return pick


def place_among_blanks(sure, blank):
    """Which blank it is, counted among the blanks of its row, and not at which place it stands."""
    place = among_blanks(sure, blank)
    return blank.long().cumsum(1).gather(1, place[:, None])[:, 0].sub(1).clamp(min=0)


def filled_with_0(sure, blank):
    """Words get 0 in the contest of scores, which may be below 0."""
    return sure.masked_fill(~blank, 0.0).argmax(1)


def not_at_a_word(ids, blank, place):
    """The surest place of all is filled, if a blank stands there."""
    return blank.gather(1, place[:, None])[:, 0]


def every_row(ids, blank, place):
    return torch.ones(len(ids), dtype=torch.bool)


def margin(logits):
    if logits.shape[-1] < 2:
        return logits[..., 0]
    two = probabilities(logits).topk(2, dim=-1).values
    return two[..., 0] - two[..., 1]


def peaked(logits):
    p = probabilities(logits)
    return torch.xlogy(p, p).sum(-1)


def of_whole_rows(logits):
    """One softmax over all places and words of a row."""
    return logits.flatten(1).softmax(-1).view(logits.shape).amax(-1)


def each_better_one(ids, logits, mask_id):
    """From left to right: a blank is filled whenever it is surer than the blanks before it."""
    sure = sureness(logits).masked_fill(ids != mask_id, -1.0)
    better = sure > torch.cat([torch.full_like(sure[:, :1], -1.0), sure.cummax(1).values[:, :-1]], 1)
    return torch.where(better, logits.argmax(-1), ids)


def until_a_row_without(ids, logits, mask_id):
    """The work ends at the first row without a blank."""
    go_on = (ids == mask_id).any(1).long().cumprod(0).bool()
    return torch.where(go_on[:, None], wrong()(ids, logits, mask_id), ids)


WAYS = {
    "all-blanks": all_at(lambda blank, logits: blank),
    "everything-said": all_at(lambda blank, logits: blank | True),
    "words-overwritten": wrong(pick=lambda sure, blank: sure.argmax(1)),
    "rows-without-a-blank-by-score": (
        wrong(lambda logits: logits.amax(-1), guard=every_row),
        wrong(lambda logits: logits.amax(-1), pick=filled_with_0, guard=every_row),
    ),
    "words-in-the-contest": wrong(pick=lambda sure, blank: sure.argmax(1), guard=not_at_a_word),
    "blanks-kept": all_at(lambda blank, logits: ~blank),
    "rows-without-a-blank": wrong(guard=every_row),
    "by-score": (
        wrong(lambda logits: logits.amax(-1)),
        wrong(lambda logits: logits.amax(-1), pick=filled_with_0),
        wrong(of_whole_rows),
    ),
    "softmax-over-places": (
        wrong(lambda logits: logits.softmax(1).amax(-1), lambda logits: logits.softmax(1).argmax(-1)),
        wrong(lambda logits: logits.softmax(1).amax(-1)),
    ),
    "softmax-over-batch": (
        wrong(lambda logits: logits.softmax(0).amax(-1), lambda logits: logits.softmax(0).argmax(-1)),
        wrong(lambda logits: logits.softmax(0).amax(-1)),
    ),
    "first-blank": wrong(pick=nth_blank(last=False)),
    "last-blank": wrong(pick=nth_blank(last=True)),
    "place-among-the-blanks": (wrong(pick=place_among_blanks), at_its_number()),
    "least-sure": wrong(
        pick=lambda sure, blank: sure.masked_fill(~blank, float("inf")).argmin(1),
    ),
    "one-in-the-batch": in_the_batch(),
    "one-word-for-all-blanks": spread_out,
    "word-of-another-place": (
        wrong(word=lambda best, place: best[:, 0]),
        wrong(best=words_of_the_row),
        wrong(word=lambda best, place: best[0, place]),
    ),
    "each-better-one": each_better_one,
    "until-a-row-without": until_a_row_without,
    "by-margin": wrong(margin),
    "by-entropy": wrong(peaked),
    "smallest-score": wrong(best=lambda logits: logits.argmin(-1)),
    "over-half": all_at(lambda blank, logits: blank & (sureness(logits) > 0.5)),
    "places-for-words": wrong(word=lambda best, place: place),
}

PARTS = {
    "sure": {
        "by-score": (lambda logits: logits.amax(-1), of_whole_rows),
        "softmax-over-places": lambda logits: logits.softmax(1).amax(-1),
        "softmax-over-batch": lambda logits: logits.softmax(0).amax(-1),
        "by-margin": margin,
        "by-entropy": peaked,
    },
    "pick": {
        "words-overwritten": lambda sure, blank: sure.argmax(1),
        "least-sure": lambda sure, blank: sure.masked_fill(~blank, float("inf")).argmin(1),
        "place-among-the-blanks": place_among_blanks,
    },
    "guard": {"rows-without-a-blank": every_row},
    "word": {
        "word-of-another-place": (lambda best, place: best[:, 0], lambda best, place: best[0, place]),
        "places-for-words": lambda best, place: place,
    },
}
TOLD_AS_ONE = {
    ("by-score", "rows-without-a-blank"),
    ("words-overwritten", "rows-without-a-blank"),  # told with the rows in which words are overwritten
    *((name, "least-sure") for name in ("by-score", "softmax-over-places", "by-margin", "by-entropy")),
}
TWO = listed(PARTS, wrong, TOLD_AS_ONE)
for name, measures in PARTS["sure"].items():
    some = measures if isinstance(measures, tuple) else (measures,)
    TWO[name, "one-in-the-batch"] = tuple(map(in_the_batch, some))
    TWO[name, "place-among-the-blanks"] += tuple(map(at_its_number, some))
PAIRS = of_parts(TWO, TOLD)
