"""ScheduleExplorer: how large the learning rate is at each step, and what the warm-up means in this run."""

import traitlets

from course_lib.viz.rates import cosine_rate, paper_rate, peak_rate, schedules
from course_lib.viz.still import Still
from course_lib.widgets.front import LiveView, script, styles, with_still


class ScheduleExplorer(LiveView):
    """The paper's schedule and a warm-up with a cosine after it, with the same peak; all in the browser.

    `d_model`, `warmup`, `steps` and `log` (the axis of steps is logarithmic) follow the reader and can be
    set; `step` is the step that is read.

    Source: Vaswani et al. 2017, eq. 3; sections 5.1 and 5.2 for 25,000 source tokens in a batch and 100,000
    steps.
    """

    _esm = script("schedule_explorer", "history")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    d_model = traitlets.Int().tag(sync=True)
    warmup = traitlets.Int().tag(sync=True)  # steps
    steps = traitlets.Int().tag(sync=True)  # of the whole run
    batch_tokens = traitlets.Int().tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        d_model: int = 512,
        warmup: int = 4000,
        steps: int = 100_000,
        batch_tokens: int = 25_000,
        *,
        log: bool = False,
        title: str = "",
    ):
        """d_model: features of the model. warmup, steps: of the run, in steps. batch_tokens: in one step.

        Raises ValueError when one of them is below 1.
        """
        state = {"d_model": d_model, "warmup": warmup, "steps": steps, "log": bool(log)}
        super().__init__(
            title=title or "The learning rate over a run",
            batch_tokens=batch_tokens,
            step=max(1, min(warmup, steps)),
            start=state,
            **state,
        )

    @traitlets.validate("d_model", "warmup", "steps", "batch_tokens", "step")
    def _at_least_1(self, proposal) -> int:
        if proposal.value < 1:
            raise ValueError(f"{proposal.trait.name} is {proposal.value}, expected at least 1")
        return proposal.value

    @property
    def peak(self) -> float:
        """The highest rate of both schedules, at the end of the warm-up."""
        return peak_rate(self.d_model, self.warmup)

    def rates(self, step: int) -> tuple[float, float]:
        """The rates at a step, from 1: the paper's, and the cosine's."""
        paper = paper_rate(step, self.d_model, self.warmup)
        return float(paper), float(cosine_rate(step, self.d_model, self.warmup, self.steps))

    def still(self) -> Still:
        """Both curves as they are now, for places where nothing is live."""
        return schedules(
            self.d_model, self.warmup, self.steps, self.batch_tokens, log=self.log, title=self.title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
