"""The learning rate over the steps of a run, in numpy: what ScheduleExplorer computes in the browser.

Two schedules with the same peak, at the end of the same warm-up: the paper's, which falls with the root of
the steps, and a cosine, which falls to 0. The schedules of the training loop are other code, with the same
numbers: a test holds both against each other.
"""

from math import floor, log10

import numpy as np

from course_lib.viz.curves import curves
from course_lib.viz.still import Still, sentence

AHEAD = 1e-3  # of a run: so far ahead of 0 the warm-up of the cosine begins, so that step 1 has a rate


def peak_rate(d_model: int, warmup: int) -> float:
    """The rate at the end of the warm-up: `1 / √(d_model · warmup)`."""
    return (d_model * warmup) ** -0.5


def paper_rate(step, d_model: int, warmup: int):
    """`d_model^−0.5 · min(step^−0.5, step · warmup^−1.5)`, for one step (from 1) or an array of them.

    Source: Vaswani et al. 2017, eq. 3.
    """
    step = np.asarray(step, float)
    return d_model**-0.5 * np.minimum(step**-0.5, step * warmup**-1.5)


def cosine_rate(step, d_model: int, warmup: int, steps: int):
    """A straight rise to the paper's peak, then half a cosine to 0 at the last of `steps`.

    step: one step (from 1) or an array of them.
    """
    last = max(1, steps - 1)
    progress, share = (np.asarray(step, float) - 1) / last, (warmup - 1) / last
    along = np.minimum((progress - share) / max(1 - share, 1e-9), 1.0)
    rise, fall = (progress + AHEAD) / (share + AHEAD), 0.5 * (1 + np.cos(np.pi * along))
    return peak_rate(d_model, warmup) * np.where(progress < share, rise, fall)


def rate_text(rate: float) -> str:
    """A rate with two digits, as `7.0e-4`; only what is exactly 0 is written 0."""
    if rate == 0:
        return "0"
    factor, power = f"{rate:.1e}".split("e")
    return f"{factor}e{int(power)}"


def count_text(count: float) -> str:
    """A count that can be read aloud: `25,000`, `100 million`, `2.5 billion`."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{float(f'{count / size:.3g}'):g} {word}"
    return f"{count:,.0f}"


def percent_text(share: float) -> str:
    """A share with two digits, as `4.0 %` or `0.010 %`; only what is exactly 0 is written 0."""
    if share == 0:
        return "0 %"
    percent = 100 * share
    return f"{percent:.{max(0, 1 - floor(log10(percent)))}f} %"


def schedules(
    d_model: int, warmup: int, steps: int, batch_tokens: int, *, log: bool = False, title: str
) -> Still:
    """Both schedules over a run, as curves.

    warmup, steps: in steps. batch_tokens: tokens that one step reads. log: a logarithmic axis of steps.
    """
    lines = {
        "the paper’s": lambda step: paper_rate(step, d_model, warmup),
        "cosine": lambda step: cosine_rate(step, d_model, warmup, steps),
    }
    even = np.geomspace(1, steps, 400) if log else np.linspace(1, steps, 400)
    step = np.unique([*even, min(warmup, steps)])
    series = {name: (step, line(step)) for name, line in lines.items()}
    still = curves(series, x_label="step", y_label="learning rate", title=title, x_log=log)
    ax = still.axes[0]
    ax.yaxis.set_major_formatter(lambda value, _: rate_text(round(value, 12)))
    peak, last = rate_text(peak_rate(d_model, warmup)), [rate_text(float(y[-1])) for _, y in series.values()]
    reached = (
        f"both schedules rise to the peak {peak} at step {warmup:,}"
        if warmup <= steps
        else f"the run ends before the peak {peak} is reached"
    )
    still.alt = (
        f"{sentence(title)} For d_model {d_model:,} and a warm-up of {warmup:,} of {steps:,} steps "
        f"({count_text(warmup * batch_tokens)} tokens, {percent_text(warmup / steps)} of the run) {reached}. "
        f"At the last step the paper’s rate is {last[0]}, the cosine’s {last[1]}."
    )
    return still
