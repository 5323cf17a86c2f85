"""AttentionView: tokens × tokens, one matrix a head; touch a cell and it says who looks at whom."""

from collections.abc import Sequence

import anywidget
import traitlets

from course_lib.viz import attention
from course_lib.viz.still import Still, as_allowed, as_weights, shown
from course_lib.widgets.front import flags, packed, script, styles, with_still

MOST_HEADS_ON_THE_STILL = 8


class AttentionView(anywidget.AnyWidget):
    """A live heatmap of attention weights.

    `selected` is the pinned cell as [head, query, key] ([] = none), `head` the head that is shown; both
    follow clicks and keys, and can be set from Python.
    """

    _esm = script("attention_view.js")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    query_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)  # `keys` is taken: every widget has one
    n_heads = traitlets.Int(1).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # (H, T, S) float32
    allowed = traitlets.Bytes().tag(sync=True)  # (H, T, S) one byte a cell, or empty
    head = traitlets.Int(0).tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self, weights, queries: Sequence[str], keys: Sequence[str], *, title: str = "", allowed=None
    ):
        """weights: (T, S), or (H, T, S) for a head selector; queries: T tokens; keys: S tokens.

        allowed: booleans that broadcast to the weights' shape, True = may attend.
        Raises ValueError when sizes do not fit or values are no weights.
        """
        array = as_weights(weights, queries, keys, heads=True)
        if array.ndim == 2:
            array = array[None]  # (H, T, S)
        mask = as_allowed(allowed, array.shape)
        self._array, self._mask = array, mask
        self._tokens = list(queries), list(keys)
        super().__init__(
            title=title or "Attention: who looks at whom",
            query_tokens=[shown(token) for token in queries],
            key_tokens=[shown(token) for token in keys],
            n_heads=len(array),
            weights=packed(array),
            allowed=flags(mask),
        )

    def still(self) -> Still:
        """The picture for places where nothing is live: the one matrix, or the heads side by side."""
        queries, keys = self._tokens
        if len(self._array) == 1:
            mask = None if self._mask is None else self._mask[0]
            return attention.heatmap(self._array[0], queries, keys, title=self.title, allowed=mask)
        heads = {f"head {h + 1}": w for h, w in enumerate(self._array[:MOST_HEADS_ON_THE_STILL])}
        same = self._mask is not None and (self._mask == self._mask[:1]).all()
        return attention.compare(
            heads, queries, keys, title=self.title, allowed=self._mask[0] if same else None
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
