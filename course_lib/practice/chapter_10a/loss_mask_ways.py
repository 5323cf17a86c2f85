"""10a.loss-mask: other flags, other shifts."""

import torch

from course_lib.practice.chapter_10a.loss_mask_words import WORDS
from course_lib.practice.kinds import Misconception
from course_lib.practice.slips import PARTS as PARTS_OF_THE_MASK
from course_lib.practice.two_slips import listed, of_parts, single


def usual(n):
    return [False] + [True] * (n - 1)


def made(
    who=lambda role, place, turns: role == "assistant",
    inside=usual,
    shift=lambda flags: flags[1:],
    after=lambda mask, row: mask,
):
    """Another speaker, other ids of a turn, another shift, or something changed behind it."""

    def loss_mask(turns):
        flags = []
        for place, (role, ids) in enumerate(turns):
            wanted = who(role, place, turns)
            flags += [wanted and flag for flag in inside(len(ids))]
        row = [i for _, ids in turns for i in ids]
        return after(shift(torch.tensor(flags)), torch.tensor(row))

    return loss_mask


def places(role, turns):
    return [place for place, (other, _) in enumerate(turns) if other == role]


def behind_the_first_answer(role, place, turns):
    return place >= places("assistant", turns)[0]


def all_ends(turns):
    flags = [f for role, ids in turns for f in ([False] + [role == "assistant"] * (len(ids) - 2) + [True])]
    return torch.tensor(flags[1:])


def ends_of(*roles):
    """The ends of these are trained beside what the assistant writes."""

    def way(turns):
        flags = []
        for role, ids in turns:
            flags += [False] + [role == "assistant"] * (len(ids) - 2) + [role in ("assistant", *roles)]
        return torch.tensor(flags[1:])

    return way


def markers_of_all(turns):
    """Whoever speaks: the marker is trained, and all that the assistant says."""
    flags = [f for role, ids in turns for f in ([True] + [role == "assistant"] * (len(ids) - 1))]
    return torch.tensor(flags[1:])


def filled(flags, value=False):
    return torch.cat([flags, torch.tensor([value])])


PARTS = {
    "who": {
        "prompt-trained": lambda role, place, turns: True,
        "prompt-alone-trained": (
            lambda role, place, turns: role == "user",
            lambda role, place, turns: role != "assistant",
        ),
        "tool-trained": (
            lambda role, place, turns: role != "user",
            lambda role, place, turns: role in ("assistant", "tool"),
        ),
        "last-answer-alone": (
            lambda role, place, turns: role == "assistant" and place == places(role, turns)[-1],
            lambda role, place, turns: role == "assistant" and place == len(turns) - 1,
        ),
        "calls-not-trained": lambda role, place, turns: (
            role == "assistant" and not any(other == "tool" for other, _ in turns[place + 1 : place + 2])
        ),
        "first-answer-alone": lambda role, place, turns: (
            role == "assistant" and place == places(role, turns)[0]
        ),
        "all-behind-the-first-answer": behind_the_first_answer,
    },
    "inside": {
        "end-not-trained": lambda n: [False] + [True] * (n - 2) + [False],
        "marker-trained": lambda n: [True] * n,
        "one-place-early": lambda n: [True] * (n - 1) + [False],
        "first-word-lost": lambda n: ([False, False] + [True] * n)[:n],
        "end-alone": lambda n: [False] * (n - 1) + [True],
    },
    "shift": {
        "on-the-inputs": lambda flags: flags[:-1],
        "not-cut": lambda flags: flags,
        "not-cut-and-shifted": (
            lambda flags: filled(flags[1:]),
            lambda flags: flags.roll(-1),
        ),
        "two-places-late": lambda flags: filled(flags[:-2].flip(0)).flip(0),
    },
    "after": {
        "turned-round": lambda mask, row: ~mask,
        "labels-returned": (
            lambda mask, row: torch.where(mask, row[1 : len(mask) + 1], -100),
            lambda mask, row: torch.where(mask, row[1 : len(mask) + 1], 0),
        ),
    },
}

ALONE = single(PARTS, made)
WAYS = {
    **ALONE,
    "one-place-early": (
        *ALONE["one-place-early"],
        made(shift=lambda flags: filled(flags[2:])),
    ),
    "all-trained": made(after=lambda mask, row: torch.ones(len(mask), dtype=torch.bool)),
    "ends-of-all": (all_ends, ends_of("user"), ends_of("tool")),
    "markers-of-all": markers_of_all,
    "assistant-read": made(inside=lambda n: [True] * n, shift=lambda flags: flags[:-1]),
}

SKIP = {  # one takes the other's effect away, or both together are a third one
    ("prompt-trained", "one-place-early"),
    ("marker-trained", "not-cut"),
    ("marker-trained", "on-the-inputs"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)


def regions(turns):
    """What stands in the row, in words → at which places it is the target."""
    kinds = []
    for role, ids in turns:
        said = [f"what the {role} says"] * (len(ids) - 2)
        kinds += [f"the marker of the {role}", *said, f"`<|end|>` of the {role}"]
    kinds = kinds[1:]
    return {kind: torch.tensor([one == kind for one in kinds]) for kind in dict.fromkeys(kinds)}


def parts(reference):
    """For a mask that no other idea fits: which targets are wrong, kind by kind."""

    def sign(expected, got, args):
        return bool(((got == 0) | (got == 1)).all())

    def sentence(expected, got, args):
        told = []
        for kind, cells in regions(*args).items():
            wrong, many = int((got.bool() != expected)[cells].sum()), int(cells.sum())
            if wrong:
                right = bool(expected[cells].all())
                told.append(f"{kind} ({wrong} of {many} {not right}, and should be {right})")
        return f"Seen by what is the target, these are wrong: {'; '.join(told)}."

    def example(turns):
        right = reference(turns)
        return right ^ (torch.arange(len(right)) % 3 == 1)

    return Misconception(PARTS_OF_THE_MASK, (example,), sentence, sign)
