"""StoryWriter: a model tells a story of the Town token by token; where it looks; what the Town says of it."""

from collections.abc import Sequence

import numpy as np
import traitlets

from course_lib.data import town
from course_lib.text.tokenizers import BOS, EOS
from course_lib.viz.diagrams.told_story import Told, told_story
from course_lib.viz.still import Still, as_array
from course_lib.widgets.front import script, styles, with_still
from course_lib.widgets.writing import Read, Trace, Writing

PARTS = ("bpe/encoding", "bpe/own_text", "town/boxes", "writing/asking", "next_token/filters", "words")


class StoryWriter(Writing):
    """A story that a model goes on with, sentence by sentence judged by the Town.

    `text` (the beginning), `drawn` (ids after it), `seed` (of the next draw) and `temperature` follow the
    reader and can be set, and so do `layer` (0: the last), `head` (0: the mean of a layer's heads) and
    `place` (of the token that looks; −1: the newest). `verdicts` are the Town's.
    """

    _esm = script("story_writer", "painting", *PARTS)
    _css = styles()

    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    place = traitlets.Int(-1).tag(sync=True)
    n_layers = traitlets.Int(1).tag(sync=True)
    n_heads = traitlets.Int(1).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # of each query those up to it, (L, H, q + 1) as 16-bit shares
    sentences = traitlets.List().tag(sync=True)  # `verdicts`, at their places among `ids`
    verdict = traitlets.Dict().tag(sync=True)  # of the whole story, once it is over

    def __init__(
        self,
        read: Read,
        trace: Trace,
        text: str = "",
        *,
        drawn: Sequence[int] = (),
        temperature: float = 1.0,
        seed: int = 0,
        title: str = "",
    ):
        """read: (text, ids drawn after it) → ids, logits of the next token or None, names, and weights
            (L, H, T, T), as `course_lib.tasks.town_gpt.reader(model)` does it.

        trace: (logits, temperature, top_k, top_p, seed) → trace: `course_lib.generation.trace_draw`.
        text: a beginning in the Town's words, or none. drawn: ids behind it.
        temperature: as for `draw`. seed: of the next draw.
        Raises ValueError for a text that is too long, or a setting out of its range.
        """
        self.verdicts: list[town.SentenceVerdict] = []
        self._weights = np.zeros((1, 1, 0, 0))
        super().__init__(
            read,
            trace,
            ("text", "drawn", "seed", "temperature"),
            title=title or "A story, token by token",
            text=text,
            drawn=list(drawn),
            temperature=temperature,
            seed=seed,
            rows=1,
        )

    @traitlets.validate("layer", "head")
    def _there(self, proposal) -> int:
        name = proposal.trait.name
        most = self.n_layers if name == "layer" else self.n_heads
        if not 0 <= proposal.value <= most:
            raise ValueError(f"{name} is {proposal.value}, expected 0 to {most}")
        return proposal.value

    def _show(self, reading: Sequence) -> None:
        weights = as_array(reading[3], "weights", 4).clip(0, 1)  # (L, H, T, T)
        n = len(reading[0])
        if weights.shape[2:] != (n, n):
            raise ValueError(f"weights has shape {weights.shape}, expected (L, H, {n}, {n}): one row a token")
        super()._show(reading)
        self._weights = weights
        self.n_layers, self.n_heads = weights.shape[:2]
        rows = [weights[:, :, q, : q + 1].reshape(-1) for q in range(n)]
        self.weights = np.round(65_535 * np.concatenate(rows)).astype("<u2").tobytes()
        first = int(self.names[self.ids[0]] == BOS)
        self.verdicts = town.by_sentence(self.story())
        self.sentences = [
            verdict._replace(start=verdict.start + first, stop=verdict.stop + first)._asdict()
            for verdict in self.verdicts
        ]
        whole = town.score(self.story())
        self.verdict = {
            "valid": whole.valid,
            "consistent": bool(whole.consistent),
            "error": whole.error,
        } if self.over else {}  # fmt: skip

    def story(self) -> tuple[str, ...]:
        """The words told so far."""
        tokens = [self.names[i] for i in self.ids]
        tokens = tokens[1:] if tokens[:1] == [BOS] else tokens
        return tuple(tokens[: tokens.index(EOS)] if EOS in tokens else tokens)

    def looks(self) -> np.ndarray:
        """Where the token at `place` looks, by the layer and head that are shown: (T,)."""
        layer = self._weights[(self.layer or self.n_layers) - 1]  # (H, T, T)
        row = layer.mean(0) if self.head == 0 else layer[self.head - 1]
        return row[self.place if -1 <= self.place < len(row) else -1]

    def still(self) -> Still:
        """The story with the Town's verdicts, for places where nothing is live."""
        tokens = [self.names[i] for i in self.ids]
        told = [Told(**sentence) for sentence in self.sentences]
        looks = self.looks() if tokens else ()
        return told_story(
            tokens,
            looks,
            told,
            n_drawn=self.n_drawn,
            place=self.place,
            verdict=self.verdict or None,
            message=self.message,
            title=self.title,
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
