"""06.choose: a family and a reason for eight tasks; where a task leaves it open, all good answers pass."""

import difflib

import torch

from course_lib.practice.chapter_06.choose_words import (
    ASKED,
    INTRODUCED,
    NOT_THIS_FAMILY,
    NOT_TRUE,
    REASONS,
    TASKS,
)
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Output, View
from course_lib.practice.words import lines, misconceptions, prose


def choose():
    return {
        "reviews": ("encoder-only", "both sides"),
        "names": ("encoder-only", "both sides"),
        "search": ("encoder-only", "both sides"),
        "novels": ("decoder-only", "goes on"),
        "talk": ("decoder-only", "old stays"),
        "speech": ("encoder-decoder", "two kinds"),
        "translation": ("encoder-decoder", "read, then write"),
        "summary": ("prefix-LM", "one stack"),
    }


FAMILIES = ("encoder-only", "decoder-only", "prefix-LM", "encoder-decoder")
NAMES = tuple(TASKS)
READING = ("reviews", "names", "search")  # nothing is written
ALSO = {  # good answers beside those above
    "talk": [("decoder-only", "goes on")],
    "speech": [("encoder-decoder", "read, then write")],
    "translation": [("prefix-LM", "read, then write"), ("prefix-LM", "one stack")],
    "summary": [("prefix-LM", "read, then write")],
}
TRUE_OF = {  # of which families a reason is true
    "both sides": ("encoder-only",),
    "goes on": ("decoder-only",),
    "old stays": ("decoder-only",),
    "read, then write": ("encoder-decoder", "prefix-LM"),
    "one stack": ("prefix-LM",),
    "two kinds": ("encoder-decoder",),
}


def known(text, names, what, task):
    """The name that is meant, in any mixture of capitals and hyphens. Raises CannotCompare."""
    if text is Ellipsis:
        raise CannotCompare(f"`{task}` is still `...`: put a family and a reason there.")
    if not isinstance(text, str):
        raise CannotCompare(f"for `{task}` the {what} is no text; expected one of {listed(names)}.")
    plain = {" ".join(name.lower().replace("-", " ").replace(",", " ").split()): name for name in names}
    said = " ".join(text.lower().replace("-", " ").replace("_", " ").replace(",", " ").split())
    if said in plain:
        return plain[said]
    near = difflib.get_close_matches(said, plain, n=1, cutoff=0.7)
    meant = f'Did you mean "{plain[near[0]]}"?' if near else f"Expected one of {listed(names)}."
    raise CannotCompare(f'for `{task}` there is no {what} "{text[:40]}". {meant}')


def listed(names):
    return ", ".join(f'"{name}"' for name in names)


def pair(task, chosen):
    """Family and reason of one task. Raises CannotCompare."""
    if chosen is Ellipsis:
        raise CannotCompare(f"`{task}` is still `...`: put a family and a reason there.")
    if not isinstance(chosen, (tuple, list)) or len(chosen) != 2:
        what = f'the text "{chosen[:40]}" alone' if isinstance(chosen, str) else "something else"
        raise CannotCompare(f"for `{task}` two texts are expected, `(family, reason)`; yours is {what}.")
    if isinstance(chosen[0], str) and chosen[0] in REASONS and chosen[1] in FAMILIES:
        raise CannotCompare(f"for `{task}` the two texts stand the other way round: `(family, reason)`.")
    return known(chosen[0], FAMILIES, "family", task), known(chosen[1], REASONS, "reason", task)


def as_numbers(answer, args):
    """Family and reason of each task as numbers, (8, 2); a good answer in place of the shown one is as good.

    Raises CannotCompare for a dict with other tasks, or with other texts.
    """
    strange = [key for key in answer if key not in TASKS]
    if strange:
        raise CannotCompare(f"there is no task {strange[0]!r:.40}; the eight are {listed(TASKS)}.")
    missing = [name for name in NAMES if name not in answer]
    if missing:
        raise CannotCompare(f"there is no answer yet for {listed(missing)}.")
    shown = choose()
    chosen = [(task, pair(task, answer[task])) for task in NAMES]
    chosen = [shown[task] if one in ALSO.get(task, ()) else one for task, one in chosen]
    return torch.tensor([[FAMILIES.index(family), list(REASONS).index(reason)] for family, reason in chosen])


def why_not(task, family, reason):
    """What a tutor says of one choice that is not right."""
    if family not in {one[0] for one in (choose()[task], *ALSO.get(task, ()))}:
        return NOT_THIS_FAMILY[task][family]
    if family not in TRUE_OF[reason]:
        return f'the family is good. "{reason}" is not true of it: {NOT_TRUE[reason]}'
    return f'the family is good, and "{reason}" is true of it. But it is not what decides here: {ASKED[task]}'


def wrong_ones(expected, got):
    """(task, family, reason) of each choice that is not right."""
    rows = zip(NAMES, got.tolist(), (got != expected).any(1).tolist(), strict=True)
    return [(task, FAMILIES[f], list(REASONS)[r]) for task, (f, r), bad in rows if bad]


def told(expected, got, args):
    """How many are right, and what is to be said of the first three others."""
    wrong = wrong_ones(expected, got)
    said = "\n\n".join(f"`{one[0]}`: {why_not(*one)}" for one in wrong[:3])
    more = f"\n\n(And {len(wrong) - 3} more.)" if len(wrong) > 3 else ""
    return {"right": len(NAMES) - len(wrong), "each": f"\n\n{said}{more}"}


def among_wrong(holds):
    return lambda expected, got, args: any(holds(*one) for one in wrong_ones(expected, got))


def other_family(task, family, reason):
    return family not in {one[0] for one in (choose()[task], *ALSO.get(task, ()))}


def changed(**choices):
    return lambda: choose() | choices


def all_with(*one):
    return lambda: dict.fromkeys(NAMES, one)


WAYS = {
    "one-family-for-all": (
        all_with("decoder-only", "goes on"),
        all_with("encoder-decoder", "read, then write"),
        all_with("encoder-only", "both sides"),
        all_with("prefix-LM", "one stack"),
    ),
    "encoder-writes": (
        changed(novels=("encoder-only", "both sides")),
        changed(translation=("encoder-only", "both sides")),
    ),
    "decoder-reads": (
        changed(reviews=("decoder-only", "goes on")),
        changed(search=("decoder-only", "old stays")),
    ),
    "another-family": (
        changed(talk=("prefix-LM", "read, then write")),
        changed(summary=("encoder-decoder", "read, then write")),
        changed(speech=("prefix-LM", "one stack")),
    ),
    "reason-not-true": (
        changed(novels=("decoder-only", "both sides")),
        changed(summary=("prefix-LM", "two kinds")),
    ),
    "reason-does-not-decide": (
        changed(novels=("decoder-only", "old stays")),
        changed(translation=("encoder-decoder", "two kinds")),
    ),
}

SIGNS = {
    "one-family-for-all": lambda expected, got, args: len(got[:, 0].unique()) == 1,
    "encoder-writes": among_wrong(lambda t, family, r: family == "encoder-only" and t not in READING),
    "decoder-reads": among_wrong(lambda t, family, r: family == "decoder-only" and t in READING),
    "another-family": among_wrong(other_family),
    "reason-not-true": among_wrong(lambda task, family, reason: family not in TRUE_OF[reason]),
    "reason-does-not-decide": lambda expected, got, args: True,
}

CHOOSE = Exercise(
    id="06.choose",
    title="A family for eight tasks",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `choose()`, without parameters. You train one model for each of eight tasks. Return a dict that
        gives each task a family and a reason, both texts: `{"reviews": (family, reason), "names": …}`. Where
        several families or reasons fit, each of them is right. If nothing is written in a task, do not choose
        a family that writes.
    """)
    + "\n\nThe tasks:\n"
    + "\n".join(f'`"{name}"`: {text}' for name, text in TASKS.items())
    + "\n\n"
    + prose("""
        The families: `"encoder-only"` (one stack, every token sees both sides), `"decoder-only"` (one stack,
        causal), `"prefix-LM"` (one stack, its input open to itself, the rest causal), `"encoder-decoder"`
        (one stack reads the input in both directions, another one writes).
    """)
    + "\n\nThe reasons:\n"
    + "\n".join(f'`"{name}"`: {text}' for name, text in REASONS.items()),
    inputs={},
    outputs=(Output("choices", texts=True),),
    reference=choose,
    cases=lambda: [Case("the eight tasks", (), {"C": len(NAMES), "P": 2})],
    hints=(
        prose("""
            Ask three things of each task. Is anything written? If so, is there an input that is whole before
            the first word is written? And is something said about stacks, or about what may not be computed
            again?
        """),
        lines("""
            nothing is written                          -> encoder-only
            a text goes on, without an input apart      -> decoder-only
            an input, then an output, in one stack      -> prefix-LM
            an input, then an output, in two stacks     -> encoder-decoder
            return {"reviews": (family, reason), ...} with all eight tasks
        """),
    ),
    misconceptions=misconceptions(INTRODUCED, WAYS, dict.fromkeys(WAYS, told), SIGNS),
    insight=prose("""
        No family is best at everything: ask whether something is written, whether its input is whole by then,
        and what may not be computed twice. (Large decoder-only models do nearly all of this today, and read
        each word of their input without those after it.)
    """),
    view=View(Output("choices", ("C", "P")), as_numbers),
    further=lambda: [Case("the eight tasks again", ())],
)
