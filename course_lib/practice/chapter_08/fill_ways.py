"""08.fill: wrong fillings, and what a tutor says."""

import torch

from course_lib.practice.chapter_08.two_slips import listed, of_parts
from course_lib.practice.words import entries


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

TOLD = entries("""
all-blanks
    You fill all blanks at once. One in each row is asked for, the surest: what stands there then helps with
    the others.
everything-said
    Your answer is the model's best word at every place, also where a word stands. Words stay; only a blank is
    filled, one in each row.
words-overwritten
    You look for the surest place among all places, and a word may stand there: it is overwritten. Look among
    the blanks alone.
words-in-the-contest
    You look for the surest place among all places, and fill it if it is a blank. Where a word stands at that
    place, the row gets nothing. Look among the blanks alone.
blanks-kept
    It is the wrong way round: words are overwritten and blanks stay.
rows-without-a-blank
    In a row without a blank you overwrite a word all the same: `argmax` always names
    a place, also where nothing is left to choose from.
rows-without-a-blank-by-score
    Two slips. You compare scores between places, and a score means something only beside the other scores of
    its place: take the softmax over the words, then compare probabilities. And in a row without a blank you
    overwrite a word: `argmax` always names a place.
by-score
    You compare scores between places. A score means something only beside the other scores of its place: 5
    among 4s is less sure than 3 among -2s. Take the softmax over the words, then compare probabilities. (One
    softmax over all places and words does not help: the highest score still wins.)
softmax-over-places
    Your softmax runs over the places, so places compete for a word. At each place the words compete:
    `dim=-1`.
softmax-over-batch
    Your softmax runs over the rows of the batch, which know nothing of each other. At each place the words
    compete: `dim=-1`.
first-blank
    You fill the first blank of each row. Asked for is the one at which the model is surest.
last-blank
    You fill the last blank of each row. Asked for is the one at which the model is surest.
place-among-the-blanks
    You know which blank it is, and write at another place: the second blank of a row need not stand at place
    1. From the number among the blanks go back to the place, `places[number]`.
least-sure
    You fill the blank at which the model is least sure. Begin with the surest: the later ones then have more
    to go by.
one-in-the-batch
    You fill one blank of the whole batch. Each row has a surest blank of its own: look along axis 1.
one-word-for-all-blanks
    The best word of the surest blank stands in all blanks of its row. One blank is filled, the others stay.
word-of-another-place
    You fill in the best word of another place. The word must be the one that is best at
    this very place.
by-margin
    You measure how far the best word lies before the second one. Asked for is the probability of the best
    word.
by-entropy
    You measure how peaked the whole distribution is, by its entropy. Asked for is the probability of the best
    word.
smallest-score
    You fill in the word with the lowest score. The best word is the one with the highest.
over-half
    You fill every blank whose best word has more than one half. Asked for is one blank in each row, the
    surest, whatever its probability.
places-for-words
    You fill in the number of the place where the word belongs. What belongs there is the id of the word.
""")

WORDS = TOLD
TWO = listed(PARTS, wrong, TOLD_AS_ONE)
for name, measures in PARTS["sure"].items():
    some = measures if isinstance(measures, tuple) else (measures,)
    TWO[name, "one-in-the-batch"] = tuple(map(in_the_batch, some))
    TWO[name, "place-among-the-blanks"] += tuple(map(at_its_number, some))
PAIRS = of_parts(TWO, TOLD)
