"""NextToken: your own beginning, the chances of the token after it, what each filter removes, the draw."""

from collections.abc import Sequence

from course_lib.viz.diagrams.next_token import next_token
from course_lib.viz.still import Still
from course_lib.widgets.front import script, styles, with_still
from course_lib.widgets.writing import Read, Trace, Writing

PARTS = ("bpe/encoding", "bpe/own_text", "town/boxes", "bars/word_bars", "writing/asking", "filters", "words")


class NextToken(Writing):
    """A text, and the next token's distribution through temperature, top-k and top-p, in this order.

    `text` (the beginning), `drawn` (ids drawn after it), `seed` (of the next draw), `temperature`, `top_k`
    and `top_p` follow the reader and can be set; None switches a filter off. `trace()` is the next draw,
    stage by stage. The filters are computed in the browser, from the logits.
    """

    _esm = script("next_token", "painting", *PARTS)
    _css = styles()

    def __init__(
        self,
        read: Read,
        trace: Trace,
        text: str = "",
        *,
        drawn: Sequence[int] = (),
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        rows: int = 2,
        title: str = "",
    ):
        """read: (text, ids drawn after it) → ids of all tokens, logits (V,) of the next one (None: the text
            is over), and names, V of them (str, or bytes of a BPE), as `town_gpt.reader(model)` does it.

        trace: (logits, temperature, top_k, top_p, seed) → trace: `course_lib.generation.trace_draw`.
        text: a beginning of at most 600 characters. drawn: ids behind it.
        temperature, top_k, top_p: as for `draw`. seed: of the next draw. rows: of the text box.
        Raises ValueError for a text that is too long, or a setting out of its range.
        """
        names = ("text", "drawn", "seed", "temperature", "top_k", "top_p")
        super().__init__(
            read,
            trace,
            names,
            title=title or "Which token comes next?",
            text=text,
            drawn=list(drawn),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            rows=rows,
        )

    def still(self) -> Still:
        """The chances and what each stage removes, for places where nothing is live."""
        try:
            trace, message = self.trace(), self.message
        except ValueError as error:
            trace, message = None, str(error)
        tokens = [self.names[i] for i in self.ids]
        return next_token(tokens, self.names, trace, n_drawn=self.n_drawn, message=message, title=self.title)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
