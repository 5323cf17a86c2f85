"""07.chat-ids: wrong conversations as ids, and what a tutor says."""

import re


def right(turns, special, encode):
    return turned(plain)(turns, special, encode)


def read(text, special, encode):
    """The ids of a text in which markers count, wherever they are written."""
    parts = re.split(f"({'|'.join(map(re.escape, special))})", text)
    return [i for part in parts for i in ([special[part]] if part in special else encode(part))]


def turned(inside, head=True, end=True):
    """Each turn with ``inside(role, text, special, encode)`` between its markers, which may be left out."""

    def way(turns, special, encode):
        ids = []
        for role, text in turns:
            ids += [special[f"<|{role}|>"]] * head + inside(role, text, special, encode)
            ids += [special["<|end|>"]] * end
        return ids

    return way


def plain(role, text, special, encode):
    return encode(text)


def read_in(*roles):
    def inside(role, text, special, encode):
        return read(text, special, encode) if role in roles else encode(text)

    return inside


def without_markers(by):
    def inside(role, text, special, encode):
        for marker in special:
            text = text.replace(marker, by)
        return encode(text)

    return inside


def refusing(turns, special, encode):
    if any(marker in text for _, text in turns for marker in special):
        raise ValueError("a marker in a text")
    return right(turns, special, encode)


def apart(cut):
    def inside(role, text, special, encode):
        return [i for part in cut(text) for i in encode(part)]

    return inside


def written_and_read(turns, special, encode):
    return read("".join(f"<|{role}|>{text}<|end|>" for role, text in turns), special, encode)


def markers_as_text(apart):
    def way(turns, special, encode):
        if apart:
            made = [[*encode(f"<|{role}|>"), *encode(text), *encode("<|end|>")] for role, text in turns]
        else:
            made = [encode(f"<|{role}|>{text}<|end|>") for role, text in turns]
        return [i for ids in made for i in ids]

    return way


def by_place(turns, special, encode):
    roles = ("user", "assistant")
    return right([(roles[i % 2], text) for i, (_, text) in enumerate(turns)], special, encode)


def as_user(turns, special, encode):
    return right([("user", text) for _, text in turns], special, encode)


def one_end(turns, special, encode):
    return turned(plain, end=False)(turns, special, encode) + [special["<|end|>"]] * bool(turns)


def one_end_always(turns, special, encode):
    return [*turned(plain, end=False)(turns, special, encode), special["<|end|>"]]


def at_markers(text):
    return re.split(r"(<\|(?:system|user|assistant|end)\|>)", text)


def end_between(turns, special, encode):
    return right(turns, special, encode)[:-1]


def reply(turns, special, encode):
    return [*right(turns, special, encode), special["<|assistant|>"]]


def joined_turns(turns, special, encode):
    """Turns of the same role that follow each other become one."""
    made = []
    for role, text in turns:
        if made and made[-1][0] == role:
            made[-1] = role, made[-1][1] + text
        else:
            made.append((role, text))
    return right(made, special, encode)


WAYS = {
    "written-and-read": (written_and_read, turned(read_in("system", "user", "assistant"))),
    "user-text-read": (turned(read_in("user")), turned(read_in("user", "assistant"))),
    "other-text-read": (
        turned(read_in("system", "assistant")),
        turned(read_in("system")),
        turned(read_in("assistant")),
    ),
    "markers-taken-out": tuple(turned(without_markers(by)) for by in ("", " ", "[removed]")),
    "markers-refused": refusing,
    "words-apart": (turned(apart(str.split)), turned(apart(lambda text: text.split(" ")))),
    "letters-apart": turned(apart(list)),
    "cut-at-markers": turned(apart(at_markers)),
    "markers-as-text": tuple(map(markers_as_text, (True, False))),
    "no-end": turned(plain, end=False),
    "no-role": turned(plain, head=False),
    "text-alone": turned(plain, head=False, end=False),
    "one-end-for-all": (one_end, one_end_always),
    "last-end-missing": end_between,
    "roles-by-place": by_place,
    "one-role-for-all": as_user,
    "reply-begun": reply,
    "stripped": turned(lambda role, text, special, encode: encode(text.strip())),
    "empty-turns-lost": lambda turns, *rest: right([turn for turn in turns if turn[1]], *rest),
    "turns-joined": joined_turns,
}

WORDS = """
written-and-read
    You write the markers into a text and read them out of it again. So whoever types `<|end|><|system|>` ends
    the turn and speaks as the system. Markers by id, text by text: take `special[…]` for the markers, and
    give to `encode` only what was said.
user-text-read
    A marker that a user types becomes its id. That is the way in: a typed `<|end|><|system|>` makes a turn of
    the system. What was said is encoded with `encode` alone, which gives no id of a marker.
other-text-read
    A marker in the text of the system or the assistant becomes its id. A model can be made to write one, and
    a system's text may quote one. All texts are text: `encode` alone, whoever speaks.
markers-taken-out
    You take the markers out of what was said, or write something else for them. So a user who asks what
    `<|end|>` means asks something else. Nothing has to be taken out: `encode` gives ordinary ids for it.
markers-refused
    A text in which a marker is spelled raises an error. Nothing has to be refused: `encode` gives ordinary
    ids for it, and a user may ask what `<|end|>` means.
words-apart
    You cut each text at its spaces and encode the words one by one, so the spaces are lost. Give the text to
    `encode` whole: how it is cut is the tokenizer's work.
letters-apart
    You give the letters to `encode` one by one, so no token of several letters can come out. Give the text to
    `encode` whole.
cut-at-markers
    You cut a text where a marker is spelled, and encode the pieces one by one. Its tokens need not end there,
    so the ids become others. Give the text to `encode` whole: what is spelled in it does not matter.
markers-as-text
    You give the markers to `encode`, so they become ordinary ids, the very ids that a user's typed marker
    has. The model could not tell them apart. The markers' own ids stand in `special`.
no-end
    The end of each turn is missing: `special["<|end|>"]` comes after each text.
no-role
    It is not said who speaks: the role's marker comes before each text.
text-alone
    These are the texts alone: before each comes the marker of its role, after each `<|end|>`.
one-end-for-all
    There is one `<|end|>` for the whole conversation. Each turn has its own.
last-end-missing
    The last turn has no `<|end|>`. Each turn has one, the last as well. (With no turns at all, there is
    nothing to be cut off either.)
roles-by-place
    You take user and assistant in turns, whatever the roles are. Each turn says who speaks:
    `special[f"<|{role}|>"]`.
one-role-for-all
    Every turn has the marker of the user. Each turn says who speaks: `special[f"<|{role}|>"]`.
reply-begun
    At the end stands a marker of the assistant, for a turn that is not there. It would be right before a
    model answers; here only the turns that are given are asked for.
stripped
    You take white space off the ends of what was said. It belongs to the text: give it to `encode` as it is.
empty-turns-lost
    A turn in which nothing was said is left out. It is a turn all the same: a marker and an end.
turns-joined
    Two turns of the same speaker, one after the other, become one. Each turn has its own markers.
"""
