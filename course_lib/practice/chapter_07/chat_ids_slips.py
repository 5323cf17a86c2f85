"""07.chat-ids: two slips at once."""

from course_lib.practice.chapter_07.chat_ids_ways import at_markers, read
from course_lib.practice.chapter_07.two_slips import slips

ALL = ("system", "user", "assistant")


def make(
    turns_of=list,
    text_of=lambda text, special: text,
    cut=lambda text: [text],
    reads=(),
    role_of=lambda role, place: role,
    head=lambda role, special, encode: [special[f"<|{role}|>"]],
    end=lambda special, encode: [special["<|end|>"]],
    once=False,
    order=lambda head, said, end: head + said + end,
    after=lambda special: [],
    done=lambda ids: ids,
):
    """Turn by turn: a marker, what was said, a marker; each part of it can be exchanged."""

    def way(turns, special, encode):
        ids, some = [], turns_of(turns)
        for place, (role, text) in enumerate(some):
            text = text_of(text, special)
            give = (lambda part: read(part, special, encode)) if role in reads else encode
            said = [i for part in cut(text) for i in give(part)]
            role = role_of(role, place)
            last = end(special, encode) if not once or place == len(some) - 1 else []
            ids += order(head(role, special, encode), said, last)
        return done(ids + after(special))

    return way


def without(by):
    def text_of(text, special):
        for marker in special:
            text = text.replace(marker, by)
        return text

    return text_of


def joined(turns):
    made = []
    for role, text in turns:
        if made and made[-1][0] == role:
            text = made.pop()[1] + text
        made.append((role, text))
    return made


def nothing(*_):
    return []


PARTS = {
    "all-texts-read": {"reads": ALL},
    "user-text-read": ({"reads": ("user",)}, {"reads": ("user", "assistant")}),
    "other-text-read": (
        {"reads": ("system", "assistant")},
        {"reads": ("system",)},
        {"reads": ("assistant",)},
    ),
    "stripped": (
        {"text_of": lambda text, special: text.strip()},
        {"text_of": lambda text, special: text.lstrip()},
        {"text_of": lambda text, special: text.rstrip()},
    ),
    "small-letters": {"text_of": lambda text, special: text.lower()},
    "markers-taken-out": ({"text_of": without("")}, {"text_of": without(" ")}),
    "a-space-in-front": {"text_of": lambda text, special: " " + text},
    "a-line-behind": {"text_of": lambda text, special: text + "\n"},
    "words-apart": ({"cut": str.split}, {"cut": lambda text: text.split(" ")}),
    "letters-apart": {"cut": list},
    "cut-at-markers": {"cut": at_markers},
    "empty-turns-lost": {"turns_of": lambda turns: [turn for turn in turns if turn[1].strip()]},
    "one-text-a-role": {"turns_of": lambda turns: list(dict(turns).items())},
    "first-text-of-a-role": {"turns_of": lambda turns: list(dict(turns[::-1]).items())[::-1]},
    "each-turn-once": {"turns_of": lambda turns: list(dict.fromkeys(turns))},
    "turns-joined": {"turns_of": joined},
    "last-turn-lost": {"turns_of": lambda turns: turns[:-1]},
    "first-turn-lost": {"turns_of": lambda turns: turns[1:]},
    "first-turn-alone": {"turns_of": lambda turns: turns[:1]},
    "last-turn-first": {"turns_of": lambda turns: turns[::-1]},
    "system-lost": {"turns_of": lambda turns: [turn for turn in turns if turn[0] != "system"]},
    "one-role-for-all": (
        {"role_of": lambda role, place: "user"},
        {"role_of": lambda role, place: "assistant"},
    ),
    "roles-by-place": {"role_of": lambda role, place: ("user", "assistant")[place % 2]},
    "no-role": {"head": nothing},
    "role-as-text": {"head": lambda role, special, encode: encode(f"<|{role}|>")},
    "no-end": {"end": nothing},
    "end-as-text": {"end": lambda special, encode: encode("<|end|>")},
    "one-end-for-all": (
        {"once": True},
        {"end": nothing, "after": lambda special: [special["<|end|>"]]},
    ),
    "end-in-front": {"order": lambda head, said, end: end + head + said},
    "end-before-the-text": {"order": lambda head, said, end: head + end + said},
    "role-behind": {"order": lambda head, said, end: said + head + end},
    "texts-lost": {"order": lambda head, said, end: head + end},
    "last-end-missing": {"done": lambda ids: ids[:-1], "after": nothing},
    "reply-begun": {"after": lambda special: [special["<|assistant|>"]]},
}

TOLD = """
all-texts-read
    A marker that is spelled in a text becomes its id, so whoever types one ends the turn or speaks as
    another: give what was said to `encode` alone.
user-text-read
    A marker that a user types becomes its id: give what was said to `encode` alone.
other-text-read
    A marker in the text of the system or the assistant becomes its id: give all texts to `encode` alone.
stripped
    White space is taken off the ends of what was said: give the text as it is.
small-letters
    The letters are made small: give the text as it is.
markers-taken-out
    Markers are taken out of what was said: nothing has to be, `encode` gives ordinary ids for them.
a-space-in-front
    A space is put before each text: give the text as it is.
a-line-behind
    A new line is put behind each text: give the text as it is.
words-apart
    Each text is cut at its spaces, and they are lost: give it to `encode` whole.
letters-apart
    The letters are given to `encode` one by one: give the text whole.
cut-at-markers
    A text is cut where a marker is spelled: give it to `encode` whole.
empty-turns-lost
    A turn in which nothing was said is left out: it has its two markers all the same.
one-text-a-role
    Of each role only one text is left, the last one, as in `dict(turns)`: a key of a dict stands there once.
    Go through the list `turns` itself.
first-text-of-a-role
    Of each role only the first text is left: a role may speak several times, and each turn counts.
each-turn-once
    A turn that comes again is left out: each turn counts.
turns-joined
    Two turns of the same speaker, one after the other, become one: each has its own markers.
last-turn-lost
    The last turn is lost: each turn of the list counts.
first-turn-lost
    The first turn is lost: each turn of the list counts.
first-turn-alone
    Only the first turn is there. (Does a `return` stand inside the loop?)
last-turn-first
    The turns come in reverse: keep their order.
system-lost
    The turns of the system are left out: they are turns like the others.
one-role-for-all
    Every turn has the marker of the same role: `special[f"<|{role}|>"]` is that of its own.
roles-by-place
    User and assistant take turns in your answer, whatever the roles are: `special[f"<|{role}|>"]`.
no-role
    The marker of the role is missing before each text.
role-as-text
    The marker of the role is given to `encode`, as a user's typed marker is: its own id stands in `special`.
no-end
    The marker `<|end|>` is missing behind each text.
end-as-text
    The marker `<|end|>` is given to `encode`, as a user's typed marker is: its own id stands in `special`.
one-end-for-all
    There is one `<|end|>` for the whole conversation: each turn has its own.
end-in-front
    `<|end|>` stands before the marker of the role: it comes behind the text.
end-before-the-text
    `<|end|>` stands before the text: it comes behind it.
role-behind
    The marker of the role stands behind the text: it comes before it.
texts-lost
    The markers are there, and what was said is missing: the ids of `encode(text)` stand between them.
last-end-missing
    The last id of the conversation is cut off: the last turn has its `<|end|>`, too.
reply-begun
    At the end stands a marker of the assistant, for a turn that is not there.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
