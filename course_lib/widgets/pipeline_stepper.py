"""PipelineStepper: attention in five steps, every number in sight; point at one and see how it was made.

In the browser the five steps are one picture that moves; a slider goes between them.
"""

from collections.abc import Sequence

import numpy as np
import traitlets

from course_lib.viz.arithmetic import Steps, five_steps
from course_lib.viz.diagrams.pipeline import checked, pipeline, value_features
from course_lib.viz.still import Still, as_allowed, shown
from course_lib.widgets.front import Array, LiveView, Positive, script, styles, with_still

STEPS = ("MatMul", "Scale", "Mask", "Softmax", "MatMul")


class PipelineStepper(LiveView):
    """MatMul, Scale, Mask, Softmax, MatMul (Vaswani et al. 2017, figure 2), one at a time.

    `step` (1 to 5), `scale`, `mask` (the two switches), `temperature` and `allowed` follow the reader and can
    be set; `weights` and `output` are what comes out now.
    """

    _esm = script("pipeline_stepper", "painting", "scenes", "blocks", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    query_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    value_names = traitlets.List(traitlets.Unicode()).tag(sync=True)  # empty: features are counted
    q = Array(float, sync=True)  # (T, K)
    k = Array(float, sync=True)  # (S, K)
    v = Array(float, sync=True)  # (S, V)
    step = traitlets.Int(1).tag(sync=True)
    scale = traitlets.Bool(True).tag(sync=True)
    mask = traitlets.Bool(True).tag(sync=True)
    temperature = Positive(1.0).tag(sync=True)
    allowed = Array(bool, sync=True)  # (T, S), True = may attend
    start = Array(bool, sync=True)  # what "Reset" brings back
    start_scale = traitlets.Bool(True).tag(sync=True)
    weights = Array(float)  # (T, S)
    output = Array(float)  # (T, V)

    def __init__(
        self,
        queries,
        keys,
        values,
        query_tokens: Sequence[str],
        key_tokens: Sequence[str],
        *,
        allowed=None,
        scale: bool = True,
        value_names: Sequence[str] = (),
        title: str = "",
    ):
        """queries: (T, K); keys: (S, K); values: (S, V); query_tokens, key_tokens: T and S tokens.

        allowed: (T, S) booleans, True = may attend. scale: whether step 2 divides by √K at first.
        value_names: what the V numbers of a value stand for, at the columns of step 5.
        Raises ValueError when sizes do not fit, or are too large for numbers in cells.
        """
        q, k, v, mask = checked(queries, keys, values, query_tokens, key_tokens, allowed)
        start = np.ones((len(q), len(k)), bool) if mask is None else mask
        value_features(value_names, v)  # before anything is drawn: do they fit?
        self._tokens = list(query_tokens), list(key_tokens)
        self._value_names = list(value_names)
        super().__init__(
            title=title or "Attention in five steps",
            query_tokens=[shown(token) for token in query_tokens],
            key_tokens=[shown(token) for token in key_tokens],
            value_names=[shown(name) for name in value_names],
            q=q,
            k=k,
            v=v,
            scale=bool(scale),
            start_scale=bool(scale),
            allowed=start,
            start=start,
        )
        self._compute()
        self.observe(self._compute, names=["scale", "mask", "temperature", "allowed"])

    @traitlets.validate("step")
    def _one_of_five(self, proposal) -> int:
        if not 1 <= proposal.value <= len(STEPS):
            raise ValueError(f"step is {proposal.value}, expected 1 to {len(STEPS)}")
        return proposal.value

    @traitlets.validate("allowed")
    def _fits(self, proposal) -> np.ndarray:
        return np.array(as_allowed(proposal.value, (len(self.q), len(self.k))))

    def steps(self) -> Steps:
        """All five matrices as they are now: scores, scaled, masked, weights, output."""
        allowed = self.allowed if self.mask else None
        return five_steps(self.q, self.k, self.v, allowed, self.scale, self.temperature)

    def _compute(self, _change=None) -> None:
        steps = self.steps()
        self.weights, self.output = steps.weights, steps.output

    def still(self) -> Still:
        """The five steps side by side, for places where nothing is live."""
        masked = self.mask and not self.allowed.all()
        return pipeline(
            self.q,
            self.k,
            self.v,
            *self._tokens,
            allowed=self.allowed if masked else None,
            scaled=self.scale,
            temperature=self.temperature,
            value_names=self._value_names,
            title=self.title,
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
