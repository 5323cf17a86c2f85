"""05.smoothing: cross-entropy with a smoothed target, over the labels that count."""

import torch

from course_lib.practice.chapter_05.smoothing_ways import WAYS, target
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


def measure(expected, got, args):
    logits, labels, epsilon = args
    counted = labels[labels != -100]
    q = target(counted, logits.shape[-1], epsilon)
    entropy = -(torch.xlogy(q, q)).sum(dim=-1).mean()
    if epsilon == 0:
        raise ValueError("without smoothing this input shows nothing")
    return {"kept": 1 - epsilon, "entropy": entropy, "counted": len(counted), "all": len(labels)}


def base(expected, got, args):
    return {"base": 2 if got > 0.7 * expected else 10}  # 1 / log 2 is 1.44, 1 / log 10 is 0.43


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


MEASURES = {
    "not-shared-out": measure,
    "entropy-taken-off": measure,
    "divided-by-all": some_padded,
    "mean-of-the-table": some_padded,
    "another-logarithm": base,
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
