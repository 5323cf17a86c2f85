"""ColouredTokens: your own text as one tokenizer or several cut it; ids and bytes of every token."""

from collections.abc import Mapping

import numpy as np
import traitlets

from course_lib.text.bpe import BPETokenizer
from course_lib.viz.diagrams.token_rows import token_rows
from course_lib.viz.still import Still
from course_lib.viz.tokens import TokenCell, token_cells
from course_lib.widgets.front import LiveView, script, styles, with_still

MOST_CHARACTERS, MOST_TOKENIZERS = 2000, 4


class ColouredTokens(LiveView):
    """A text and its tokens, those of each tokenizer beside the others'; the browser encodes by itself.

    `text` and `ids` (ids in place of the tokens' text: what a model reads) follow the reader and can be set.
    No text makes a special token here: it is encoded as `BPETokenizer.encode` does it.
    """

    _esm = script("coloured_tokens", "history", "bpe/encoding", "bpe/own_text", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    ids = traitlets.Bool(False).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    packed = traitlets.List(traitlets.Bytes()).tag(sync=True)  # the merges of each: pairs of ids, uint32
    examples = traitlets.List().tag(sync=True)  # [name, text]
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        tokenizers: BPETokenizer | Mapping[str, BPETokenizer],
        text: str,
        *,
        examples: Mapping[str, str] | None = None,
        ids: bool = False,
        title: str = "",
    ):
        """tokenizers: one, or name → tokenizer, at most 4. text: at most 2,000 characters.

        examples: name → text that the reader can choose. ids: whether ids stand in place of the tokens' text.
        Raises ValueError for other tokenizers than byte-level BPE, or a text that is too long or holds half
        of a character.
        """
        if isinstance(tokenizers, BPETokenizer):
            tokenizers = {"tokens": tokenizers}
        if not isinstance(tokenizers, Mapping) or not 1 <= len(tokenizers) <= MOST_TOKENIZERS:
            raise ValueError(
                f"tokenizers is {tokenizers!r:.80}, expected one tokenizer, or name → tokenizer, "
                f"1 to {MOST_TOKENIZERS} of them"
            )
        for name, tokenizer in tokenizers.items():
            if not isinstance(tokenizer, BPETokenizer):
                raise ValueError(
                    f"tokenizers[{name!r}] is a {type(tokenizer).__name__}, expected a BPETokenizer: "
                    "the browser encodes by its merges"
                )
        self._tokenizers = {str(name): tokenizer for name, tokenizer in tokenizers.items()}
        super().__init__(
            title=title or "A text and its tokens",
            names=list(self._tokenizers),
            packed=[np.array(one.merges, "<u4").tobytes() for one in self._tokenizers.values()],
            examples=[[name, self._checked(content, f"examples[{name!r}]")]
                      for name, content in (examples or {}).items()],
            ids=ids,
        )  # fmt: skip
        self.text = text
        self.start = {"text": self.text, "ids": self.ids}

    @traitlets.validate("text")
    def _short(self, proposal) -> str:
        return proposal.value if "text" in self._property_lock else self._checked(proposal.value, "text")

    @staticmethod
    def _checked(text: str, name: str) -> str:
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"{name} has {len(text)} characters, expected at most {MOST_CHARACTERS}")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{name} holds half of a character, expected whole ones")
        return text

    def encoded(self) -> dict[str, list[int]]:
        """Name → the ids of the text."""
        return {name: tokenizer.encode(self.text) for name, tokenizer in self._tokenizers.items()}

    def cells(self) -> dict[str, list[TokenCell]]:
        """Name → the tokens of the text as they are drawn."""
        return {name: token_cells(ids, self._tokenizers[name].tokens) for name, ids in self.encoded().items()}

    def still(self) -> Still:
        """The tokens with their ids, for places where nothing is live."""
        return token_rows(self.cells(), title=self.title)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
