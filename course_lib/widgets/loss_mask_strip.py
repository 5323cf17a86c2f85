"""LossMaskStrip: a chat token by token: what the model is trained to write, and where each label stands."""

from collections.abc import Sequence

import traitlets

from course_lib.text.chat import ROLES, TOOL_ROLES, ChatWords, chat_row, encode_chat
from course_lib.text.packing import IGNORE
from course_lib.viz.diagrams.loss_strip import StripToken, loss_strip
from course_lib.viz.still import Still
from course_lib.widgets.front import LiveView, script, styles, with_still

MOST_CHATS, MOST_TURNS, MOST_CHARACTERS = 4, 12, 300  # of a row; of a chat; of a turn
LOSSES = ("answers", "everything")
WRITTEN = ("assistant", "call")  # the roles of what the assistant writes

Conversation = Sequence[tuple[str, str | Sequence[str]]]


class LossMaskStrip(LiveView):
    """A chat, or several packed into one row, as strips of tokens; the reader writes her own.

    `chats` (lists of `[role, text]`), `loss` ("answers" or "everything") and `place` (of the token that is
    told of) follow the reader and can be set. What is trained is what `course_lib.text.chat.chat_row` says:
    the view has no template of its own.
    """

    _esm = script("loss_mask_strip", "history", "town/words", "writing/asking", "editor", "shifted")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    chats = traitlets.List().tag(sync=True)
    loss = traitlets.Enum(LOSSES, "answers").tag(sync=True)
    place = traitlets.Int(0).tag(sync=True)
    roles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    limits = traitlets.List([MOST_CHATS, MOST_TURNS, MOST_CHARACTERS]).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    answered = traitlets.List().tag(sync=True)  # the chats that the rest answers
    tokens = traitlets.List().tag(sync=True)  # StripTokens, with the loss on answers only
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        chats: Conversation | Sequence[Conversation],
        tokenizer: ChatWords,
        *,
        loss: str = "answers",
        place: int | None = None,
        title: str = "",
    ):
        """chats: a conversation, pairs of role and text; or at most 4 of them, packed into one row. A
            conversation has at most 12 turns of at most 300 characters.

        tokenizer: of words, with the markers of a chat: `course_lib.tasks.assistant.WORDS`.
        loss: "answers" (and calls), or "everything".
        place: in the row, from 0; None: where the first trained token is the label.
        Raises ValueError for another tokenizer, role or loss, or chats that are too many or too long.
        """
        if not isinstance(tokenizer, ChatWords):
            raise ValueError(
                f"tokenizer is a {type(tokenizer).__name__}, expected ChatWords: words with the markers of a "
                "chat, as course_lib.tasks.assistant.WORDS"
            )
        if loss not in LOSSES:
            raise ValueError(f"loss is {loss!r}, expected one of {', '.join(LOSSES)}")
        self._tokenizer = tokenizer
        there = [role for role in (*ROLES, *TOOL_ROLES) if f"<|{role}|>" in tokenizer.special]
        several = chats if chats and not isinstance(chats[0][0], str) else [chats]
        super().__init__(
            title=title or "A chat for training: what is given, what is trained",
            roles=there,
            chats=[[[role, self._text(text)] for role, text in turns] for turns in several],
            loss=loss,
        )
        self._say()
        self.place = self._first() if place is None else place
        self.start = {"chats": self.chats, "loss": self.loss, "place": self.place}
        self.observe(self._say, names="chats")

    def _text(self, text: str | Sequence[str]) -> str:
        if isinstance(text, str):
            return text
        return " ".join(text) if self._tokenizer.unknown(text) else self._tokenizer.decode(
            self._tokenizer.encode(text)
        )  # fmt: skip

    @traitlets.validate("chats")
    def _limited(self, proposal) -> list:
        chats = [[[role, text] for role, text in turns] for turns in proposal.value]
        if not 1 <= len(chats) <= MOST_CHATS or not all(1 <= len(turns) <= MOST_TURNS for turns in chats):
            raise ValueError(
                f"chats has {len(chats)} chats of {', '.join(str(len(turns)) for turns in chats)} turns, "
                f"expected 1 to {MOST_CHATS} of 1 to {MOST_TURNS}"
            )
        for role, text in (turn for turns in chats for turn in turns):
            if role not in self.roles:
                raise ValueError(f"role is {role!r}, expected one of {', '.join(self.roles)}")
            if len(text) > MOST_CHARACTERS:
                raise ValueError(
                    f"a text has {len(text)} characters, expected at most {MOST_CHARACTERS} a turn"
                )
        return chats

    @traitlets.validate("place")
    def _inside(self, proposal) -> int:
        last = len(self.tokens) - 1
        if "chats" in self._property_lock:
            return max(0, proposal.value)  # of a row that is not made yet: `_say` looks at it
        if "place" in self._property_lock:
            return max(0, min(last, proposal.value))
        if not 0 <= proposal.value <= last:
            raise ValueError(f"place is {proposal.value}, expected a place in the row, from 0 to {last}")
        return proposal.value

    def _first(self) -> int:
        """Where the first trained token is the label."""
        trained = self.trained()
        return max(0, trained.index(True) - 1) if True in trained else 0

    def _say(self, _change=None) -> None:
        with self.hold_sync():
            row = strip_of(self.chats, self._tokenizer)
            self.tokens = [token._asdict() | {"kind": token.kind} for token in row]
            idle = [n + 1 for n, turns in enumerate(self.chats) if not any(r in WRITTEN for r, _ in turns)]
            which = f"Chat {idle[0]}" if idle and len(self.chats) > 1 else "The chat"
            nothing = f"{which} has no turn of the assistant: there is nothing to train, chat_row refuses it."
            self.message = nothing if idle else ""
            self.answered = self.chats
            self.place = min(self.place, len(self.tokens) - 1)

    def row(self) -> list[StripToken]:
        """The tokens of the row, trained as `loss` says."""
        row = strip_of(self.chats, self._tokenizer)
        return row if self.loss == "answers" else [one._replace(trained=one.turn >= 0) for one in row]

    def trained(self) -> list[bool]:
        """Which tokens the model is trained to write."""
        return [token.trained for token in self.row()]

    def labels(self) -> list[int]:
        """Of each input, the row without its last token: the id of the next token, or -100."""
        return [token.id if token.trained else IGNORE for token in self.row()[1:]]

    def still(self) -> Still:
        """The strips, for places where nothing is live."""
        return loss_strip(self.row(), title=self.title)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def strip_of(chats: Sequence[Conversation], tokenizer: ChatWords) -> list[StripToken]:
    """The tokens of chats in one row, with the loss on answers only.

    Args:
        chats: conversations; one without a turn of the assistant trains nothing.
        tokenizer: of words, with the markers of a chat.

    Raises:
        ValueError: as `encode_chat`.
    """
    row = []
    for chat, turns in enumerate(chats):
        ids = encode_chat(turns, tokenizer)
        writes = any(role in WRITTEN for role, _ in turns)
        answer = chat_row(turns, tokenizer).answer if writes else [False] * len(ids)
        at = len(encode_chat([], tokenizer))
        place = [(-1, "", None)] * at  # turn, role, the word in the text
        for turn, (role, text) in enumerate(turns):
            end = len(encode_chat(turns[: turn + 1], tokenizer))
            words = tokenizer.split(text) if isinstance(text, str) else list(text)
            head = end - at - len(words) - 1  # markers before the text; one is behind it
            place += [(turn, role, word) for word in (*[None] * head, *words, None)]
            at = end
        for i, trained, (turn, role, word) in zip(ids, answer, place, strict=True):
            token = tokenizer.tokens[i]
            typed = token if word is None else word
            row.append(StripToken(token, i, typed, chat, turn, role, word is None, trained))
    return row
