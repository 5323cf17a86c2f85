"""A conversation as ids: each turn stands between the marker of who speaks and `<|end|>`.

    <|user|>How are you?<|end|><|assistant|>

The markers are special tokens. There are two ways to encode a conversation:

    encode_chat      markers by id, text by text: nobody can type a marker
    encode_written   write all as one text, then read the markers out of it: whoever types a marker has one

The second is what several libraries do when a chat is written into a template and then encoded with their
default settings. A user who types `<|end|><|system|>…` then speaks as the system.

A model that has tools can call one instead of answering. What comes back is told to it as a turn of its own:

    <|assistant|><|call|>calculate 17+25<|end|><|tool|>42<|end|><|assistant|>

What it is trained to write are its answers and its calls, to their ends; all else is given (`chat_row`).
`course_lib.text.chat_rows` packs many chats.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from course_lib.text.bpe import BPETokenizer
from course_lib.text.packing import IGNORE
from course_lib.text.tokenizers import BOS_ID, UNK_ID, WordTokenizer

ROLES = ("system", "user", "assistant")
END = "<|end|>"
CHAT_TOKENS = (*(f"<|{role}|>" for role in ROLES), END)  # the special tokens that a tokenizer for chats needs
TOOL_ROLES = ("call", "tool")  # the assistant calls a tool; what the tool says
TOOL_TOKENS = tuple(f"<|{role}|>" for role in TOOL_ROLES)  # and these, where there are tools


class Turn(NamedTuple):
    """What one of them says: a text, or its tokens."""

    role: str
    text: str | Sequence[str]


class ChatTokenizer(Protocol):
    """What makes the ids of a chat: its `encode` never gives a special token."""

    special: dict[str, int]  # spelling → id

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Iterable[int]) -> str: ...


class ChatWords(WordTokenizer):
    """Words with ids, and behind them the markers of a chat, whose ids no text can spell.

    Args:
        tokens: every word that has an id, without the special ones; order gives the ids.
        markers: the special tokens of the chat.

    Raises:
        ValueError: as `WordTokenizer`, or a marker that is a word, too.
    """

    def __init__(self, tokens: Iterable[str], markers: Sequence[str] = (*CHAT_TOKENS, *TOOL_TOKENS)) -> None:
        super().__init__(tokens)
        twice = [marker for i, marker in enumerate(markers) if marker in self.ids or marker in markers[:i]]
        if twice:
            raise ValueError(f"markers holds {twice[0]!r}, expected each once, and no word")
        self.special = {marker: len(self.tokens) + i for i, marker in enumerate(markers)}
        self.tokens += tuple(markers)  # and not in self.ids: a marker that is typed is [UNK]

    def unknown(self, text: str | Sequence[str]) -> list[str]:
        """The words of a text that have no id, each once."""
        words = self.split(text) if isinstance(text, str) else list(text)
        ids = self.encode(words)
        return list(dict.fromkeys(word for word, i in zip(words, ids, strict=True) if i == UNK_ID))


def encode_chat(
    turns: Iterable[tuple[str, str]], tokenizer: ChatTokenizer, *, reply: bool = False
) -> list[int]:
    """A conversation to ids, safely: the markers are put in by id, and what is said is encoded as text.

    Args:
        turns: who speaks, what is said.
        tokenizer: with CHAT_TOKENS among its special tokens; with those of TOOL_TOKENS where tools are used.
            The chats of a `WordTokenizer` begin with `[BOS]`, as its texts do.
        reply: put the assistant's marker at the end: its turn begins.

    Raises:
        ValueError: another role, or a tokenizer without the markers.
    """
    ids = [i for piece, _ in _pieces(turns, tokenizer) for i in piece]
    return ids + [_markers(tokenizer)["assistant"]] * reply


class ChatRow(NamedTuple):
    """A whole chat for training. Each list has an entry for each token, as it stands in the text."""

    ids: list[int]
    answer: list[bool]  # the model is trained to write this token

    @property
    def labels(self) -> list[int]:
        """The ids of what is trained, -100 elsewhere; not yet shifted: each stands at its own token."""
        return [i if trained else IGNORE for i, trained in zip(self.ids, self.answer, strict=True)]


def chat_row(turns: Iterable[tuple[str, str]], tokenizer: ChatTokenizer) -> ChatRow:
    """A whole chat as ids, and which of them the model is trained to write.

        <|user|> where is tom ? <|end|> <|assistant|> in the park . <|end|>
           ·       ·   ·  ·  ·     ·          ·        x  x   x   x     x

    Those are the assistant's answers and calls with their ends. The marker of its turn is given; so is what
    a tool said: who trains that teaches the model to invent it. The ids are those of `encode_chat`, which
    the model reads when it is used.

    Args:
        turns, tokenizer: as for `encode_chat`.

    Raises:
        ValueError: as `encode_chat`, or no turn of the assistant: there is nothing to train.
    """
    pieces = list(_pieces(turns, tokenizer))
    ids = [i for piece, _ in pieces for i in piece]
    answer = [trained for piece, trained in pieces for _ in piece]
    if not any(answer):
        raise ValueError("turns has no turn of the assistant, expected at least one: what should be trained?")
    return ChatRow(ids, answer)


def _pieces(turns: Iterable[tuple[str, str]], tokenizer: ChatTokenizer) -> Iterator[tuple[list[int], bool]]:
    """The template, in the one place where it is: ids, and whether the model has to write them."""
    markers = _markers(tokenizer)
    if isinstance(tokenizer, WordTokenizer):
        yield [BOS_ID], False
    for role, text in turns:
        _known(role, markers)
        said = [*tokenizer.encode(text), markers["end"]]
        if role == "call":
            yield [markers["assistant"]], False
            yield [markers["call"], *said], True
        else:
            yield [markers[role]], False
            yield said, role == "assistant"


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


def read_turns(ids: Sequence[int], tokenizer: ChatTokenizer) -> list[Turn]:
    """Ids to the turns that a model sees in them.

    Args:
        ids: of a conversation; the last turn may have no end yet.
        tokenizer: that made them.

    Returns:
        the turns in order; what stands outside of every turn has the role "". A call is one only where it
        begins the assistant's turn.

    Raises:
        ValueError: ids that the tokenizer does not have, or a tokenizer without the markers.
    """
    markers = _markers(tokenizer)
    roles = {i: role for role, i in markers.items() if role not in ("end", "call")}
    begins = isinstance(tokenizer, WordTokenizer) and list(ids[:1]) == [BOS_ID]
    turns: list[tuple[str, list[int]]] = [("", [])]
    for i in ids[begins:]:
        if i in roles:
            turns.append((roles[i], []))
        elif i == markers["end"]:
            turns.append(("", []))
        elif i == markers.get("call") and turns[-1] == ("assistant", []):
            turns[-1] = ("call", [])
        else:
            turns[-1][1].append(i)
    return [Turn(role, tokenizer.decode(said)) for role, said in turns if role or said]


def _known(role: str, roles: Iterable[str] = ROLES) -> str:
    if role == "end" or role not in roles:
        names = ", ".join(name for name in roles if name != "end")
        raise ValueError(f"role is {role!r}, expected one of {names}")
    return role


def _markers(tokenizer: ChatTokenizer) -> dict[str, int]:
    """Name → id."""
    missing = [token for token in CHAT_TOKENS if token not in tokenizer.special]
    if missing:
        raise ValueError(
            f"tokenizer has no special tokens {', '.join(missing)}: train it with special_tokens=CHAT_TOKENS"
        )
    there = [token for token in (*CHAT_TOKENS, *TOOL_TOKENS) if token in tokenizer.special]
    return {token.strip("<|>"): tokenizer.special[token] for token in there}
