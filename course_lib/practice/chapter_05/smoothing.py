"""05.smoothing: cross-entropy with a smoothed target, over the labels that count."""

import torch
from torch.nn import functional as F

from course_lib.practice.chapter_05.smoothing_words import WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def smoothed_loss(logits, labels, epsilon):
    counted = labels != -100  # (N,)
    log_p = torch.log_softmax(logits[counted], dim=-1)  # (n, V), n labels that count
    right = log_p.gather(1, labels[counted][:, None])[:, 0]  # (n,)
    even = log_p.mean(dim=-1)  # (n,): every word with 1 / V, the right one too
    return -((1 - epsilon) * right + epsilon * even).mean()


def log_softmax(logits):
    return torch.log_softmax(logits, dim=-1)


def target(labels, V, epsilon):
    """The smoothed target (n, V)."""
    return (1 - epsilon) * F.one_hot(labels, V) + epsilon / V


def wrong(mix=lambda right, even, e, V: (1 - e) * right + e * even, log=log_softmax):
    """The loss from other log-probabilities, or from another mixture of the two parts."""

    def loss(logits, labels, epsilon):
        counted = labels != -100
        log_p = log(logits)[counted]
        right = log_p.gather(1, labels[counted][:, None])[:, 0]
        return -mix(right, log_p.mean(dim=-1), epsilon, logits.shape[-1]).mean()

    return loss


def parts_of(logits, labels, fill=0):
    """log-probabilities of the right words and their means, (N,) each, with ``fill`` for labels of -100."""
    log_p = log_softmax(logits)
    return log_p.gather(1, labels.masked_fill(labels == -100, fill)[:, None])[:, 0], log_p.mean(dim=-1)


def counting_padding(fill):
    def loss(logits, labels, epsilon):
        right, even = parts_of(logits, labels, fill)
        return -((1 - epsilon) * right + epsilon * even).mean()

    return loss


def divided_by_all(logits, labels, epsilon):
    right, even = parts_of(logits, labels)
    return -(((1 - epsilon) * right + epsilon * even) * (labels != -100)).sum() / len(labels)


def even_part_of_all(divisor):
    """ε of the even part of all positions; ``divisor``: by what its sum is divided."""

    def loss(logits, labels, epsilon):
        right, even = parts_of(logits, labels)
        counted = labels != -100
        by = divisor(counted)
        return -(1 - epsilon) * (right * counted).sum() / counted.sum() - epsilon * even.sum() / by

    return loss


def divergence(log=log_softmax, by=lambda n, V: n):
    def loss(logits, labels, epsilon):
        counted, V = labels != -100, logits.shape[-1]
        q = target(labels[counted], V, epsilon)
        return F.kl_div(log(logits)[counted], q, reduction="sum") / by(len(q), V)

    return loss


def prediction_smoothed(logits, labels, epsilon):
    counted, V = labels != -100, logits.shape[-1]
    p = (1 - epsilon) * torch.softmax(logits[counted], dim=-1) + epsilon / V
    return F.nll_loss(p.log(), labels[counted])


def logits_smoothed(mix):
    def loss(logits, labels, epsilon):
        return F.cross_entropy(mix(logits, epsilon), labels, ignore_index=-100)

    return loss


def over_positions(logits):
    return torch.log_softmax(logits, dim=0)


def log_of_softmax(logits):
    return torch.log(torch.softmax(logits, dim=-1))


def log_with_more(small):
    """log(softmax + something small), or of the softmax kept from 0."""
    return lambda logits: torch.log(torch.softmax(logits, dim=-1) + small)


def measure(expected, got, args):
    logits, labels, epsilon = args
    counted = labels[labels != -100]
    q = target(counted, logits.shape[-1], epsilon)
    entropy = -(torch.xlogy(q, q)).sum(dim=-1).mean()
    if epsilon == 0:
        raise ValueError("without smoothing this input shows nothing")
    return {"kept": 1 - epsilon, "entropy": entropy, "counted": len(counted), "all": len(labels)}


def some_padded(expected, got, args):
    counted = int((args[1] != -100).sum())
    if counted == len(args[1]):
        raise ValueError("on this input every label counts")
    return {"counted": counted, "all": len(args[1])}


def cases() -> list[Case]:
    g = seeded(505)

    def case(name: str, labels: list[int], V: int, epsilon: float, size: float = 2.0, **more) -> Case:
        logits = size * random(g, len(labels), V)
        return Case(name, (logits, torch.tensor(labels), epsilon), {"N": len(labels), "V": V}, **more)

    turned = case("logits that are not contiguous", [2, 1, -100, 0, 1], 3, 0.2)
    logits, *rest = turned.args
    return [
        case("six labels, two of them padding", [3, -100, 1, 0, -100, 4], 5, 0.1),
        case("no padding, and as many labels as words", [1, 3, 3, 0], 4, 0.3),
        case("one label", [2], 6, 0.2),
        case("an epsilon of 0", [0, 1, -100], 4, 0.0),
        Case(turned.name, (not_contiguous(logits), *rest), turned.sizes),
        case("logits of ±200", [1, -100, 3, 0], 5, 0.1, size=130.0, large=True),
    ]


MIXTURES = {
    "no-smoothing": lambda right, even, e, V: right,
    "over-the-other-words": lambda right, even, e, V: (1 - e) * right + e * (V * even - right) / (V - 1),
    "not-shared-out": lambda right, even, e, V: (1 - e) * right,
    "own-share-forgotten": lambda right, even, e, V: (1 - e) * right + e * even - e / V * right,
    "spread-on-top": lambda right, even, e, V: right + e * even,
    "epsilon-for-each-word": (
        lambda right, even, e, V: (1 - e) * right + e * V * even,
        lambda right, even, e, V: (1 - e) * right + e * (V * even - right),
    ),
    "shares-exchanged": lambda right, even, e, V: e * right + (1 - e) * even,
    "even-part-added-as-loss": lambda right, even, e, V: (1 - e) * right - e * even,
}
LOGS = {
    "softmax-twice": lambda logits: log_softmax(torch.softmax(logits, dim=-1)),
    "log-of-softmax": (log_of_softmax, *map(log_with_more, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12))),
    "log-of-negatives": lambda logits: log_softmax(logits).log(),
    "softmax-over-positions": over_positions,
    "logits-not-normalised": lambda logits: logits,
    "probabilities-without-log": lambda logits: torch.softmax(logits, dim=-1),
}

WAYS = {
    **{n: tuple(wrong(w) for w in (m if isinstance(m, tuple) else (m,))) for n, m in MIXTURES.items()},
    **{n: tuple(wrong(log=w) for w in (m if isinstance(m, tuple) else (m,))) for n, m in LOGS.items()},
    "padding-counted": (
        counting_padding(0),
        lambda logits, labels, e: counting_padding(logits.shape[-1] - 1)(logits, labels, e),
    ),
    "divided-by-all": divided_by_all,
    "padding-in-the-even-part": (
        even_part_of_all(len),
        even_part_of_all(lambda counted: counted.sum()),
    ),
    "not-divided": lambda logits, labels, e: smoothed_loss(logits, labels, e) * (labels != -100).sum(),
    "divided-by-words-too": lambda logits, labels, e: smoothed_loss(logits, labels, e) / logits.shape[-1],
    "kl-given-probabilities": tuple(
        divergence(lambda logits: torch.softmax(logits, dim=-1), by)
        for by in (lambda n, V: n, lambda n, V: n * V, lambda n, V: 1)
    ),
    "entropy-taken-off": divergence(),
    "kl-mean": divergence(by=lambda n, V: n * V),
    "prediction-smoothed": prediction_smoothed,
    "logits-smoothed": (
        logits_smoothed(lambda logits, e: (1 - e) * logits),
        logits_smoothed(lambda logits, e: logits / (1 + e)),
    ),
    "sign-missing": lambda *args: -smoothed_loss(*args),
    "perplexity": lambda *args: smoothed_loss(*args).exp(),
}
WAYS["softmax-over-positions"] = (
    *WAYS["softmax-over-positions"],
    lambda logits, labels, e: wrong(log=over_positions)(logits[labels != -100], labels[labels != -100], e),
)

MEASURES = {
    "not-shared-out": measure,
    "entropy-taken-off": measure,
    "divided-by-all": some_padded,
}

SMOOTHING = Exercise(
    id="05.smoothing",
    title="Label-smoothed loss",
    minutes=15,
    difficulty=3,
    statement=prose("""
        Write `smoothed_loss(logits, labels, epsilon)`: cross-entropy with label smoothing, in nats. ε is
        spread evenly over all V words, the right one too, as in PyTorch: for V = 4 and ε = 0.2 the target of
        one label is 0.85 for the right word and 0.05 for each of the others. The loss of a label is minus the
        sum, over the V words, of target times log-probability. Labels of -100 are not counted: return the
        mean over the others as one number. At least one label counts, and logits may be as large as ±200.
        (`cross_entropy` has an option for this: write it out here, without the option.)
    """),
    inputs={"logits": "N, V", "labels": "N", "epsilon": "a number, 0 ≤ ε < 1"},
    outputs=(Output("loss", ()),),
    reference=smoothed_loss,
    cases=cases,
    hints=(
        prose("""
            A sum of target times log-probability falls into two parts: 1 - ε for the right word alone, and
            ε / V for every word. What is the second part of one row, said with a mean? And what must happen
            to rows with the label -100 before anything is looked up?
        """),
        lines("""
            keep the rows whose label is not -100                      n of them
            log_p = log_softmax of their logits over the words         (n, V)
            right = log_p at the label of each row                     (n,)
            even  = mean of log_p over the words                       (n,)
            return minus the mean of (1 - ε) right + ε even
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, MEASURES),
    insight=prose("""
        A smoothed loss has a floor above 0: the entropy of its own target, which nobody can beat. Draw it, or
        training looks stuck.
    """),
    advice=advice(r"""
non-negative|-100|out of bounds|out of range|index
    -100 is no word, so nothing can be looked up with it. Choose first: `counted = labels != -100`, then
    `logits[counted]` and `labels[counted]`.
same number of dimensions|Index tensor
    `gather` wants an index with as many axes as the table: the labels as a column, `labels[:, None]`.
Boolean value
    `labels != -100` is a mask with one entry for each label: choose rows with it, `logits[labels != -100]`.
"""),
)
