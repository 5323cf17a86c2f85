"""A conversation as ids: each turn stands between the marker of who speaks and `<|end|>`.

    <|user|>How are you?<|end|><|assistant|>

The markers are special tokens. There are two ways to encode a conversation:

    encode_chat      markers by id, text by text: nobody can type a marker
    encode_written   write all as one text, then read the markers out of it: whoever types a marker has one

The second is what several libraries do when a chat is written into a template and then encoded with their
default settings. A user who types `<|end|><|system|>…` then speaks as the system.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from course_lib.text.bpe import BPETokenizer

ROLES = ("system", "user", "assistant")
END = "<|end|>"
CHAT_TOKENS = (*(f"<|{role}|>" for role in ROLES), END)  # the special tokens that a tokenizer for chats needs


class Turn(NamedTuple):
    """What one of them says."""

    role: str
    text: str


def encode_chat(
    turns: Iterable[tuple[str, str]], tokenizer: BPETokenizer, *, reply: bool = False
) -> list[int]:
    """A conversation to ids, safely: the markers are put in by id, and what is said is encoded as text.

    Args:
        turns: who speaks, what is said.
        tokenizer: with CHAT_TOKENS among its special tokens.
        reply: put the assistant's marker at the end: its turn begins.

    Raises:
        ValueError: another role, or a tokenizer without the markers.
    """
    markers = _markers(tokenizer)
    ids = []
    for role, text in turns:
        ids += [markers[_known(role)], *tokenizer.encode(text), markers["end"]]
    return ids + [markers["assistant"]] * reply


def encode_written(
    turns: Iterable[tuple[str, str]], tokenizer: BPETokenizer, *, reply: bool = False
) -> list[int]:
    """A conversation to ids, **not safely**: written as one text, from which the markers are then read.

    Where nobody types a marker, the ids are those of `encode_chat`.

    Args:
        turns, tokenizer, reply: as for `encode_chat`.

    Raises:
        ValueError: as `encode_chat`.
    """
    _markers(tokenizer)
    return tokenizer.encode_with_special(write_chat(turns, reply=reply))


def write_chat(turns: Iterable[tuple[str, str]], *, reply: bool = False) -> str:
    """A conversation as one text, markers and all: to look at.

    Raises:
        ValueError: another role.
    """
    return "".join(f"<|{_known(role)}|>{text}{END}" for role, text in turns) + "<|assistant|>" * reply


def read_turns(ids: Sequence[int], tokenizer: BPETokenizer) -> list[Turn]:
    """Ids to the turns that a model sees in them.

    Args:
        ids: of a conversation; the last turn may have no end yet.
        tokenizer: that made them.

    Returns:
        the turns in order; what stands outside of every turn has the role "".

    Raises:
        ValueError: ids that the tokenizer does not have, or a tokenizer without the markers.
    """
    markers = _markers(tokenizer)
    roles = {markers[role]: role for role in ROLES}
    turns: list[tuple[str, list[int]]] = [("", [])]
    for i in ids:
        if i in roles:
            turns.append((roles[i], []))
        elif i == markers["end"]:
            turns.append(("", []))
        else:
            turns[-1][1].append(i)
    return [Turn(role, tokenizer.decode(said)) for role, said in turns if role or said]


def _known(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"role is {role!r}, expected one of {', '.join(ROLES)}")
    return role


def _markers(tokenizer: BPETokenizer) -> dict[str, int]:
    """Name → id."""
    missing = [token for token in CHAT_TOKENS if token not in tokenizer.special]
    if missing:
        raise ValueError(
            f"tokenizer has no special tokens {', '.join(missing)}: train it with special_tokens=CHAT_TOKENS"
        )
    return {token.strip("<|>"): tokenizer.special[token] for token in CHAT_TOKENS}
