"""10a.loss-mask: which targets of a chat are trained."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_10a.loss_mask_ways import PAIRS, WAYS, parts
from course_lib.practice.chapter_10a.loss_mask_words import WORDS
from course_lib.practice.inputs import seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def loss_mask(turns):
    trained = []
    for role, ids in turns:
        written = role == "assistant"
        trained += [False] + [written] * (len(ids) - 1)  # the marker is given
    return torch.tensor(trained[1:])  # the target at place t is the id at t + 1


ROLES = {"user": 5, "assistant": 6, "tool": 7}
END = 4


def made_case(g: torch.Generator, name: str, chat: str) -> Case:
    """``chat``: a letter and a number for each turn: who speaks, and how many words, as in ``u3 a2``."""
    turns = []
    for turn in chat.split():
        (role,) = (role for role in ROLES if role[0] == turn[0])
        words = torch.randint(10, 40, (int(turn[1:]),), generator=g).tolist()
        turns.append((role, [ROLES[role], *words, END]))
    return Case(name, (turns,), {"T": sum(len(ids) for _, ids in turns) - 1})


def cases() -> list[Case]:
    g = seeded(1001)
    some = {
        "a question and its answer": "u4 a3",
        "two questions, two answers": "u3 a2 u5 a4",
        "a call, the tool's result, an answer": "u5 a4 t2 a3",
        "a chat that ends with a question": "u2 a3 u4",
        "an assistant that speaks first": "a3 u2 a2",
        "two turns of the assistant, one behind the other": "u3 a4 a2 u2 a5",
        "an answer of one word": "u1 a1",
        "an answer in which nothing is said": "u2 a0 u3 a2",
        "a tool that says nothing": "u3 a2 t0 a2",
        "two results": "u6 a3 t3 a5 t1 a2",
        "one turn of two ids": "a0",
    }
    return [made_case(g, name, chat) for name, chat in some.items()]


def further() -> list[Case]:
    g = seeded(1051)
    chats = ("u2 a5", "u1 a2 u3 a1 u2 a3", "u4 a2 t4 a1", "a1 u1", "u5 a3 t2 a4 t3 a2 u1")
    return [made_case(g, chat, chat) for chat in chats]


LOSS_MASK = Exercise(
    id="10a.loss-mask",
    title="What is trained",
    minutes=10,
    difficulty=2,
    statement=prose("""
        Write `loss_mask(turns)`. `turns` is a chat, a list of pairs (role, ids); a role is "user",
        "assistant" or "tool". `ids` is a list: the role's marker, what was said, the id of `<|end|>`. Laid
        one behind the other, all turns are one row of T + 1 ids. The model reads the first T of them; the
        target at each place is the id that stands next. Return a boolean tensor (T,): True where the target
        is trained. Trained is all that an assistant's turn holds (a call of a tool is such a turn), its
        `<|end|>` too, and not its marker.

        With user [5, 11, 4] and assistant [6, 12, 13, 4] the model reads 5 11 4 6 12 13, its targets are
        11 4 6 12 13 4, and the last three are trained: False False False True True True.
    """),
    inputs={"turns": "a list of (role, ids)"},
    outputs=(Output("mask", ("T",)),),
    reference=loss_mask,
    cases=cases,
    further=further,
    hints=(
        prose("""
            First ask of each id whether the model has to write it: one flag for each of the T + 1 ids. Then
            ask at which place this id is the target. Which flag belongs to no place?
        """),
        lines("""
            flags = for each turn:
                        False                               for its marker
                        (role is "assistant"), as often as there are other ids
            return all flags but the first, as a tensor     place t asks for the id at t + 1
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(loss_mask), parts(loss_mask)),
    pairs=PAIRS,
    insight=prose("""
        A flag belongs to an id, and it moves with the id when targets are made. There are as many trained
        ends as answers and calls; a count of them finds many slips.
    """),
    advice=advice(r"""
must match the size|same number of dim|cat\(\)
    Make one flag for each of the T + 1 ids first, in one list, then drop the first flag.
unpack
    `turns` is a list of pairs: `for role, ids in turns`.
can only concatenate list|not iterable
    One flag is no list: `[False]` makes a list of it, or use `append`.
"""),
)
