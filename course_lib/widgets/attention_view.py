"""AttentionView: tokens × tokens, one matrix a head; touch a cell and it says who looks at whom.

Under the grid the same matrix stands as a sentence with arcs, one query's weights as bars with their entropy
in bits. With `editable=True` a click masks a cell and its row is shared out anew; a slider sets the
temperature; Undo and Reset take changes back, and "Copy as Python" gives code that makes the same weights.
"""

from collections.abc import Sequence

import numpy as np
import traitlets

from course_lib.viz import attention
from course_lib.viz.arithmetic import masked_softmax
from course_lib.viz.still import Still, as_allowed, as_weights, shown
from course_lib.widgets.front import Array, LiveView, Positive, script, styles, with_still

MOST_HEADS_ON_THE_STILL = 8


class AttentionView(LiveView):
    """A live heatmap of attention weights, every head a small picture beside it.

    `selected` is the pinned cell as [head, query, key] ([] = none), `head` the head that is shown; both
    follow clicks and keys, and can be set from Python. `allowed` and `weights` are what the view shows now,
    `(H, T, S)`; setting `weights` gives the view other weights, setting `allowed` another mask.
    """

    _esm = script("attention_view", "grid", "sentence")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    query_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)  # `keys` is taken: every widget has one
    n_heads = traitlets.Int(1).tag(sync=True)
    editable = traitlets.Bool(False).tag(sync=True)
    given = Array(float, sync=True)  # (H, T, S) as they came in
    start = Array(bool, sync=True)  # (H, T, S), the mask that "Reset" brings back
    allowed = Array(bool, sync=True)  # (H, T, S), True = may attend
    weights = Array(float)  # (H, T, S), masked, at this temperature
    temperature = Positive(1.0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        weights,
        queries: Sequence[str],
        keys: Sequence[str],
        *,
        title: str = "",
        allowed=None,
        editable: bool = False,
    ):
        """weights: (T, S), or (H, T, S) for a head selector; queries: T tokens; keys: S tokens.

        allowed: booleans that broadcast to the weights' shape, True = may attend.
        editable: a click or the space bar masks a cell of the head that is shown, and its row is shared out
            anew among the cells that remain: softmax(log weights / temperature). A weight of 0 stays 0.
        Raises ValueError when sizes do not fit or values are no weights.
        """
        self._tokens = list(queries), list(keys)
        array = self._checked(weights)
        mask = as_allowed(allowed, array.shape)
        mask = np.ones(array.shape, bool) if mask is None else mask
        super().__init__(
            title=title or "Attention: who looks at whom",
            query_tokens=[shown(token) for token in queries],
            key_tokens=[shown(token) for token in keys],
            n_heads=len(array),
            editable=bool(editable),
            given=array,
            start=mask,
            allowed=mask,
        )
        self._compute()
        self.observe(self._compute, names=["given", "allowed", "temperature"])
        self.observe(self._new_weights, names="weights")

    def _checked(self, weights) -> np.ndarray:
        """Weights as (H, T, S) in double precision, held against the tokens."""
        array = as_weights(weights, *self._tokens, heads=True)
        return array[None] if array.ndim == 2 else array  # (H, T, S)

    @traitlets.validate("allowed")
    def _fits(self, proposal) -> np.ndarray:
        return np.array(as_allowed(proposal.value, self.given.shape))

    def _compute(self, _change=None) -> None:
        """The weights that the view shows: the browser computes the same from the same numbers."""
        self._shown = self.given
        if self.editable:
            with np.errstate(divide="ignore"):  # the logarithm of a weight of 0 is −∞: it stays 0
                scores = np.log(self.given) / self.temperature
            self._shown = masked_softmax(scores, self.allowed)
        self.weights = self._shown

    def _new_weights(self, change) -> None:
        """Weights set from outside take the place of those the view was made with."""
        if change.new is self._shown or np.array_equal(change.new, self._shown):
            return
        array = self._checked(change.new)
        if array.shape != self.given.shape:
            raise ValueError(f"weights has {len(array)} heads; the view was made with {self.n_heads}")
        self.given = array

    def still(self) -> Still:
        """The picture for places where nothing is live: the one matrix, or the heads side by side."""
        queries, keys = self._tokens
        weights, mask = self.weights, None if self.allowed.all() else self.allowed
        if len(weights) == 1:
            mask = None if mask is None else mask[0]
            return attention.heatmap(weights[0], queries, keys, title=self.title, allowed=mask)
        heads = {f"head {h + 1}": w for h, w in enumerate(weights[:MOST_HEADS_ON_THE_STILL])}
        same = mask is not None and (mask == mask[:1]).all()
        return attention.compare(heads, queries, keys, title=self.title, allowed=mask[0] if same else None)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
