"""10a.template: other prompts."""

import re

from course_lib.practice.chapter_10a.template_words import WORDS
from course_lib.practice.two_slips import listed, of_parts, single


def uncut(encode, text):
    return encode(text)[1:]


def read(encode, text, special):
    """The ids of a text in which special tokens count, wherever they are written."""
    parts = re.split(f"({'|'.join(map(re.escape, special))})", text)
    return [i for part in parts for i in ([special[part]] if part in special else uncut(encode, part))]


def made(
    begin=lambda special: [special["[BOS]"]],
    said=lambda encode, text, special, role, place: uncut(encode, text),
    head=lambda encode, special, role, place: [special[f"<|{role}|>"]],
    end=lambda encode, special, last: [special["<|end|>"]],
    reply=lambda encode, special: [special["<|assistant|>"]],
    some=lambda turns: turns,
    order=lambda head, said, end: head + said + end,
):
    """Each part of the template can be another one."""

    def prompt_ids(turns, special, encode):
        ids, turns = begin(special), some(turns)
        for place, (role, text) in enumerate(turns):
            ids += order(
                head(encode, special, role, place),
                said(encode, text, special, role, place),
                end(encode, special, place == len(turns) - 1),
            )
        return ids + reply(encode, special)

    return prompt_ids


def without(by):
    def said(encode, text, special, role, place):
        for marker in special:
            text = text.replace(marker, by)
        return uncut(encode, text)

    return said


def stripped(cut):
    return lambda encode, text, special, role, place: uncut(encode, cut(text))


def spaces_lost(*cuts):
    """Words one by one, or the text without its white space; ``cuts``: of a text, its pieces."""
    return tuple(
        lambda encode, text, special, role, place, cut=cut: [
            i for piece in cut(text) for i in uncut(encode, piece)
        ]
        for cut in cuts
    )


def by_characters(keep):
    """``keep``: of the ids of a text, its own [BOS] too, and its number of characters: what is kept."""
    return lambda encode, text, special, role, place: keep(encode(text), len(text))


def spelled(head, end, reply=False, kept=0):
    """Markers stand in a text that is encoded with what was said; ``kept``: where each text's ids begin."""

    def prompt_ids(turns, special, encode):
        ids = [special["[BOS]"]]
        for role, text in turns:
            ids += [] if head else [special[f"<|{role}|>"]]
            ids += encode(f"<|{role}|>" * head + text + "<|end|>" * end)[kept:]
            ids += [] if end else [special["<|end|>"]]
        return ids + (encode("<|assistant|>")[kept:] if reply else [special["<|assistant|>"]])

    return prompt_ids


def where_roles_change(turns, special, encode):
    """A second turn of one speaker gets no marker."""
    ids, before = [special["[BOS]"]], None
    for role, text in turns:
        ids += [special[f"<|{role}|>"]] * (role != before)
        ids += [*uncut(encode, text), special["<|end|>"]]
        before = role
    return [*ids, special["<|assistant|>"]]


def read_of(*roles):
    return lambda encode, text, special, role, place: (
        read(encode, text, special) if role in roles else uncut(encode, text)
    )


def written(turns, reply=True):
    return "".join(f"<|{role}|>{text}<|end|>" for role, text in turns) + "<|assistant|>" * reply


def joined(turns):
    found = []
    for role, text in turns:
        if found and found[-1][0] == role:
            text = found.pop()[1] + text
        found.append((role, text))
    return found


ALL = ("system", "user", "assistant", "tool")
PARTS = {
    "begin": {
        "no-begin": lambda special: [],
        "begin-twice": lambda special: [special["[BOS]"]] * 2,
    },
    "said": {
        "begin-in-each-text": lambda encode, text, special, role, place: encode(text),
        "begin-in-the-first-text": lambda encode, text, special, role, place: encode(text)[place > 0 :],
        "begin-in-the-later-texts": lambda encode, text, special, role, place: encode(text)[place == 0 :],
        "text-read": (read_of(*ALL), read_of("user"), read_of("user", "tool"), read_of("user", "assistant")),
        "markers-taken-out": (without(""), without(" ")),
        "stripped": (stripped(str.strip), stripped(str.lstrip), stripped(str.rstrip)),
        "small-letters": stripped(str.lower),
        "spaces-lost": spaces_lost(
            str.split,
            lambda text: text.split(" "),
            lambda text: ["".join(text.split())],
            lambda text: [text.replace(" ", "")],
        ),
        "text-in-pieces": spaces_lost(
            list,
            lambda text: re.findall(r"\s*\S+|\s+$", text),
            lambda text: re.findall(r"\S+\s*|^\s+", text),
            lambda text: re.findall(r"\S+|\s+", text),
            lambda text: re.findall(r"\w+|\W+", text),
        ),
        "characters-counted": (
            by_characters(lambda ids, n: ids[-n:]),
            by_characters(lambda ids, n: ids[-n:] if n else []),
            by_characters(lambda ids, n: ids[len(ids) - n :]),
        ),
        "first-id-lost": lambda encode, text, special, role, place: encode(text)[2:],
        "last-id-lost": lambda encode, text, special, role, place: encode(text)[1:-1],
    },
    "head": {
        "no-role": lambda encode, special, role, place: [],
        "one-role-for-all": lambda encode, special, role, place: [special["<|user|>"]],
        "roles-by-place": lambda encode, special, role, place: [
            special[f"<|{('user', 'assistant')[place % 2]}|>"]
        ],
        "role-as-text": (
            lambda encode, special, role, place: uncut(encode, f"<|{role}|>"),
            lambda encode, special, role, place: encode(f"<|{role}|>"),
            lambda encode, special, role, place: uncut(encode, role),
        ),
    },
    "end": {
        "no-end": lambda encode, special, last: [],
        "one-end-for-all": lambda encode, special, last: [special["<|end|>"]] * last,
        "last-end-missing": lambda encode, special, last: [special["<|end|>"]] * (not last),
        "end-as-text": (
            lambda encode, special, last: uncut(encode, "<|end|>"),
            lambda encode, special, last: encode("<|end|>"),
        ),
    },
    "reply": {
        "no-reply": lambda encode, special: [],
        "reply-ended": lambda encode, special: [special["<|assistant|>"], special["<|end|>"]],
        "begin-before-the-reply": lambda encode, special: [special["[BOS]"], special["<|assistant|>"]],
        "reply-of-the-user": lambda encode, special: [special["<|user|>"]],
        "reply-as-text": (
            lambda encode, special: uncut(encode, "<|assistant|>"),
            lambda encode, special: encode("<|assistant|>"),
        ),
    },
    "some": {
        "last-turn-alone": lambda turns: turns[-1:],
        "turns-reversed": lambda turns: turns[::-1],
        "system-lost": lambda turns: [turn for turn in turns if turn[0] != "system"],
        "empty-turns-lost": lambda turns: [turn for turn in turns if turn[1]],
        "turns-joined": joined,
    },
    "order": {
        "end-before-the-text": lambda head, said, end: head + end + said,
        "role-behind": lambda head, said, end: said + head + end,
    },
}

ALONE = single(PARTS, made)
WAYS = {
    **ALONE,
    "role-as-text": (*ALONE["role-as-text"], spelled(True, False, kept=1)),
    "end-as-text": (*ALONE["end-as-text"], spelled(False, True, kept=1)),
    "all-as-text": (
        lambda turns, special, encode: encode(written(turns)),
        lambda turns, special, encode: [special["[BOS]"], *encode(written(turns))],
        lambda turns, special, encode: [*encode(written(turns, False)), special["<|assistant|>"]],
        lambda turns, special, encode: encode("[BOS]" + written(turns)),
        *(spelled(True, True, reply, kept) for reply in (False, True) for kept in (1, 0)),
    ),
    "begin-behind-the-first-marker": made(
        begin=lambda special: [],
        said=lambda encode, text, special, role, place: encode(text)[place > 0 :],
    ),
    "marker-where-roles-change": where_roles_change,
    "begin-in-each-turn": (
        made(
            begin=lambda special: [],
            head=lambda encode, special, role, place: [special["[BOS]"], special[f"<|{role}|>"]],
        ),
    ),
}

SKIP = {
    ("no-begin", "begin-in-the-first-text"),
    ("no-role", "role-behind"),
    ("no-end", "end-before-the-text"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP, most=1), WORDS)
