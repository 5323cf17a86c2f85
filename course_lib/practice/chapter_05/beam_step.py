"""05.beam-step: the best continuations of several unfinished texts."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.beam_step_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def beam_step(scores, log_probs, k):
    V = log_probs.shape[-1]
    total = scores[:, None] + log_probs  # (N, V): the score of every text with every next word
    new_scores, place = total.flatten().topk(k)  # (k,), (k,): best first
    return place // V, place % V, new_scores


def add(scores, log_probs):
    return scores[:, None] + log_probs


def wrong(total=add, largest=True, cut=lambda place, N, V: (place // V, place % V), shown=None, order=None):
    """A step with another total, another way back from places to texts and words, or other scores shown."""

    def step(scores, log_probs, k):
        N, V = log_probs.shape
        table = total(scores, log_probs)
        new_scores, place = table.flatten().topk(k, largest=largest)
        if order is not None:
            new_scores, place = new_scores[order(new_scores, place)], place[order(new_scores, place)]
        parents, tokens = cut(place, N, V)
        if shown is not None:
            new_scores = shown(scores, log_probs, place // V, place % V, new_scores)
        return parents, tokens, new_scores

    return step


def best_of_each(scores, log_probs, k):
    best, tokens = add(scores, log_probs).max(dim=-1)  # (N,)
    new_scores, parents = best.topk(k)
    return parents, tokens[parents], new_scores


def best_text_only(scores, log_probs, k, best=lambda scores, log_probs: scores.argmax()):
    parent = best(scores, log_probs)
    new_scores, tokens = (scores[parent] + log_probs[parent]).topk(k)
    return parent.expand(k), tokens, new_scores


def text_of_the_best_word(scores, log_probs, k):
    return best_text_only(
        scores, log_probs, k, lambda scores, log_probs: add(scores, log_probs).amax(1).argmax()
    )


def first_text_only(scores, log_probs, k):
    new_scores, tokens = (scores[0] + log_probs[0]).topk(k)
    return torch.zeros_like(tokens), tokens, new_scores


def k_of_each(scores, log_probs, k):
    new_scores, tokens = add(scores, log_probs).topk(min(k, log_probs.shape[-1]), dim=-1)  # (N, k)
    return torch.arange(len(scores))[:, None].expand_as(tokens), tokens, new_scores


def k_of_each_in_a_row(scores, log_probs, k):
    return tuple(part.flatten() for part in k_of_each(scores, log_probs, k))


def across(scores, log_probs):
    return scores + log_probs


def best_of_each_word(scores, log_probs, k):
    best, texts = add(scores, log_probs).max(dim=0)  # (V,)
    new_scores, tokens = best.topk(k)
    return texts[tokens], tokens, new_scores


def texts_first(mended):
    """The best texts are continued; ``mended``: the parents are numbers of texts, not places in the list."""

    def step(scores, log_probs, k):
        texts = scores.topk(min(k, len(scores))).indices
        places, tokens, new_scores = beam_step(scores[texts], log_probs[texts], k)
        return texts[places] if mended else places, tokens, new_scores

    return step


def no_more_than(most, step):
    """The step with a smaller k where there are no k to choose from."""
    return lambda scores, log_probs, k: step(scores, log_probs, min(k, most(*log_probs.shape)))


def same_word(expected, got, args):
    tokens = expected[1].tolist()
    same = max(tokens.count(token) for token in tokens)
    if same < 2:
        raise ValueError("on this input no word is taken twice")
    return {"same": same, "k": args[2]}


def measure(expected, got, args):
    k = args[2]
    parents = expected[0].tolist()
    many = max(parents.count(parent) for parent in parents)
    if many < 2:
        raise ValueError("on this input no text is continued twice")
    return {"many": many, "k": k}


def cases() -> list[Case]:
    g = seeded(507)

    def case(name: str, N: int, V: int, k: int, spread: float = 2.0) -> Case:
        log_probs = torch.log_softmax(1.5 * random(g, N, V), dim=-1)
        scores = -2.0 - spread * torch.rand(N, generator=g)
        return Case(name, (scores, log_probs, k), {"N": N, "V": V, "k": k})

    turned = case("log_probs that are not contiguous", 4, 6, 3, spread=5.0)
    scores, log_probs, k = turned.args
    return [
        case("three texts, five words, four to keep", 3, 5, 4),
        case("as many texts as words", 4, 4, 4, spread=5.0),
        case("one text, as at the first step", 1, 6, 3),
        case("one to keep: greedy", 3, 7, 1),
        case("one word in the vocabulary", 5, 1, 2),
        case("far more texts than are kept", 6, 4, 2),
        Case(turned.name, (scores, not_contiguous(log_probs), k), turned.sizes),
        case("texts that lie close together, more than are kept", 6, 4, 3, spread=0.2),
    ]


OF_PROBABILITIES = (
    lambda scores, log_probs: scores[:, None] + log_probs.exp(),
    lambda scores, log_probs: scores.exp()[:, None] + log_probs.exp(),
)
WAYS = {
    "scores-unused": (
        wrong(total=lambda scores, log_probs: log_probs),
        wrong(
            total=lambda scores, log_probs: log_probs,
            shown=lambda scores, log_probs, parents, tokens, new: scores[parents] + new,
        ),
    ),
    "multiplied": (
        wrong(total=lambda scores, log_probs: scores[:, None] * log_probs),
        wrong(total=lambda scores, log_probs: -scores[:, None] * log_probs),
    ),
    "averaged": wrong(total=lambda scores, log_probs: add(scores, log_probs) / 2),
    "scores-to-the-words": wrong(total=across),
    "best-of-each-text": (
        best_of_each,
        lambda scores, log_probs, k: best_of_each(scores, log_probs, min(k, len(scores))),
    ),
    "one-text-only": tuple(
        form(step)
        for step in (best_text_only, text_of_the_best_word, first_text_only)
        for form in (lambda step: step, lambda step: no_more_than(lambda N, V: V, step))
    ),
    "best-text-for-each-word": (
        best_of_each_word,
        no_more_than(lambda N, V: V, best_of_each_word),
    ),
    "best-texts-first": texts_first(True),
    "wrong-text-of-the-list": texts_first(False),
    "k-of-each-text": (k_of_each, k_of_each_in_a_row),
    "text-and-word-exchanged": tuple(  # `view` fails where the table is not contiguous
        wrong(total=total, cut=lambda place, N, V: (place % V, place // V))
        for total in (add, lambda scores, log_probs: add(scores, log_probs).view(-1))
    ),
    "divided-by-texts": (
        wrong(cut=lambda place, N, V: (place // N, place % N)),
        wrong(cut=lambda place, N, V: (place % N, place // N)),
    ),
    "fractions-returned": wrong(cut=lambda place, N, V: (place / V, place % V)),
    "place-not-cut": (
        wrong(cut=lambda place, N, V: (place // V, place)),
        wrong(cut=lambda place, N, V: (place, place % V)),
    ),
    "probabilities-for-logs": tuple(map(wrong, OF_PROBABILITIES)),
    "probabilities-worst-first": tuple(
        wrong(total=total, order=lambda new, place: new.argsort()) for total in OF_PROBABILITIES
    ),
    "softmax-again": (
        wrong(total=lambda scores, log_probs: add(scores, log_probs).flatten().log_softmax(dim=0)),
        wrong(total=lambda scores, log_probs: add(scores, log_probs).flatten().softmax(dim=0)),
    ),
    "probabilities-returned": wrong(total=lambda scores, log_probs: add(scores, log_probs).exp()),
    "last-step-only": wrong(shown=lambda scores, log_probs, parents, tokens, new: log_probs[parents, tokens]),
    "old-scores-returned": wrong(shown=lambda scores, log_probs, parents, tokens, new: scores[parents]),
    "lowest-chosen": wrong(largest=False),
    "not-best-first": (
        wrong(order=lambda new, place: new.argsort()),
        wrong(order=lambda new, place: place.argsort()),
    ),
}

BEAM_STEP = Exercise(
    id="05.beam-step",
    title="One step of beam search",
    minutes=15,
    difficulty=3,
    statement=prose("""
        Write `beam_step(scores, log_probs, k)`. There are N unfinished texts. `scores` (N,) holds the sum of
        the log-probabilities of each text's tokens so far, and `log_probs` (N, V) the log-probability of
        every next word after each text. Of all N · V continuations keep the k with the highest new sums.
        Return `parents, tokens, new_scores`, each (k,), best first: which text is continued (0 … N - 1), by
        which word (0 … V - 1), and the new sum. One text may be continued several times; no two sums are
        equal, and k ≤ N · V. Nothing is divided by the length.
    """),
    inputs={"scores": "N", "log_probs": "N, V", "k": "how many are kept"},
    outputs=(Output("parents", ("k",)), Output("tokens", ("k",)), Output("new_scores", ("k",))),
    reference=beam_step,
    cases=cases,
    hints=(
        prose("""
            Write the table of all new sums for two texts and three words: six numbers. The k largest of six
            numbers are easily found in one flat row. If number 4 of that row (counted from 0) is the best, to
            which text and which word does it belong?
        """),
        lines("""
            total = scores as a column, plus log_probs           (N, V)
            new_scores, place = the k largest of total, flattened     (k,) each
            parents = place divided by V, without the rest
            tokens  = the rest of that division
            return parents, tokens, new_scores
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, {"best-of-each-text": measure, "best-text-for-each-word": same_word}),
        *ideas.other_order(beam_step, "parents", "tokens", "new_scores", known=((1, 0, 2),)),
    ),
    insight="All continuations of all texts compete for k places: a text may win two of them, or none.",
    advice=advice(r"""
must match the size|broadcast
    A text's score belongs to its whole row of words: a column, `scores[:, None]`, (N, 1).
out of range
    `topk` works along one axis, and N · V continuations compete: `total.flatten().topk(k)`.
"""),
)
