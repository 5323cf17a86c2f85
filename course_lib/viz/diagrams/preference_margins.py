"""What DPO does to rewards, margins and loss over its steps, and to the margins of a few named pairs."""

import math
from collections.abc import Sequence
from textwrap import shorten

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from course_lib.viz import colours
from course_lib.viz.sheet import LINE, add_heading, wrapped
from course_lib.viz.still import SMALL, Still, in_style, sentence

WIDTH, HEIGHT, PAIR = 9.6, 3.9, 0.3  # inches: the picture, its curves, a line of the strip
PENS = {  # in the order of the columns of `points`
    "chosen": (colours.SERIES[1], "-", 2.2),
    "rejected": (colours.SERIES[0], (0, (5, 2)), 2.2),
    "margin": (colours.ACCENT, "-", 3.0),
}
LN_2 = math.log(2)
NAMED = 34  # characters of a pair's label
APART = 0.2  # inches between two names


@in_style
def preference_margins(
    points: Sequence[Sequence[float]],
    pairs: Sequence[tuple[str, float, float]] = (),
    *,
    beta: float,
    total_steps: int,
    state: str = "",
    title: str = "DPO: what the policy prefers",
) -> Still:
    """Rewards and margin beside the loss; below, each named pair's margin on one line.

    Args:
        points: (step, chosen, rejected, margin, loss), N of them; measured before the step.
        pairs: (label, margin at first, margin now).
        beta: β of the loss.
        total_steps: how long the x axis is.
        state: where the training stands, in words.
        title: of the picture.

    Returns:
        a Still.
    """
    heading = wrapped(title, WIDTH)
    rows = [HEIGHT] + ([0.75 + PAIR * len(pairs)] if len(pairs) else [])
    height = sum(rows) + LINE * heading.count("\n")
    still = Still(WIDTH, height, _alt(points, pairs, total_steps, state, title))
    add_heading(still, heading, state)
    parts = still.subfigures(len(rows), 1, height_ratios=rows, squeeze=False)[:, 0]
    left, right = parts[0].subplots(1, 2, width_ratios=(1.5, 1))
    done = [step - 1 for step, *_ in points]
    for n, (color, dashes, width) in enumerate(PENS.values(), 1):
        left.plot(done, [point[n] for point in points], color=color, ls=dashes, lw=width, marker=_dot(points))
    left.axhline(0, color=colours.SOFT_INK, lw=1, zorder=1)
    right.plot(done, [p[4] for p in points], color=colours.SERIES[4], lw=2.4, marker=_dot(points))
    right.axhline(LN_2, color=colours.SOFT_INK, lw=1.4, ls=(0, (1, 2)), zorder=1)
    right.set_ylim(0, max([LN_2, *(p[4] for p in points)]) * 1.12)
    words = {"fontsize": SMALL, "color": colours.SOFT_INK, "textcoords": "offset points"}
    place = {"xycoords": ("axes fraction", "data"), "ha": "right"}
    right.annotate(f"ln 2 = {LN_2:.3f}", (1, LN_2), (0, 4), **place, **words)
    for ax, name in ((left, f"reward, β = {beta:g}"), (right, "loss, nats a pair")):
        _frame(ax, name, total_steps)
    if len(points):
        _names(still, left, done[-1], points[-1])
    else:
        left.set_ylim(-1, 1)
        for ax in (left, right):
            ax.set_yticks([])
            ax.text(0.5, 0.3, "training has not started", ha="center", transform=ax.transAxes, size=SMALL)
    if len(pairs):
        _strip(parts[1].subplots(), pairs)
    return still


def _dot(points) -> str | None:
    return "o" if len(points) == 1 else None


def _frame(ax: Axes, name: str, total_steps: int) -> None:
    ax.set(xlabel="steps done", ylabel=name, xlim=(0, total_steps))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}".replace("-", "−")))
    ax.grid(axis="y", color=colours.PANEL, lw=1.2)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)


def _names(still: Still, ax: Axes, step: float, last: Sequence[float]) -> None:
    """The name of each curve at its end, moved apart where they end close to each other."""
    still.draw_without_rendering()  # how high the axes will be
    home = {name: ax.transData.transform((0, last[n]))[1] for n, name in enumerate(PENS, 1)}
    order = sorted(home, key=home.get)
    places = np.array([home[name] for name in order])
    for _ in range(50):
        for low in range(len(places) - 1):
            missing = APART * still.dpi - (places[low + 1] - places[low])
            if missing > 0.01:
                places[low] -= missing / 2
                places[low + 1] += missing / 2
    for name, place in zip(order, places, strict=True):
        value = last[1 + list(PENS).index(name)]
        ax.annotate(
            f"{name} {_signed(value)}", (step, value), (6, (place - home[name]) * 72 / still.dpi),
            textcoords="offset points", va="center", color=PENS[name][0], fontsize=SMALL, fontweight="bold",
            annotation_clip=False,
        )  # fmt: skip


def _strip(ax: Axes, pairs: Sequence[tuple[str, float, float]]) -> None:
    """A line for each pair: a ring where its margin was, a dot where it is."""
    reach = 1.1 * max(0.5, *(abs(x) for _, start, now in pairs for x in (start, now)))
    ax.axvline(0, color=colours.INK, lw=1.2)
    for y, (_, start, now) in enumerate(pairs):
        ax.plot([start, now], [y, y], color=colours.ACCENT, lw=2, alpha=0.45)
        ax.plot(start, y, "o", ms=6, mfc=colours.PAPER, mec=colours.SOFT_INK)
        ax.plot(now, y, "o", ms=8, color=colours.ACCENT)
        words = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        ax.annotate(_signed(now), (1, y), (6, 0), fontsize=SMALL, fontweight="bold", **words)
    ax.set(xlim=(-reach, reach), ylim=(len(pairs) - 0.4, -0.6), yticks=range(len(pairs)))
    ax.set_yticklabels([shorten(name, NAMED, placeholder="…") for name, *_ in pairs])
    ax.set_xlabel("← the rejected one is preferred · margin · the chosen one is preferred →")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    ax.grid(axis="x", color=colours.PANEL, lw=1.2)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _alt(points, pairs, total_steps: int, state: str, title: str) -> str:
    if not len(points):
        return f"{sentence(title)} Nothing trained yet: 0 of {total_steps} steps."
    first, last = points[0], points[-1]
    columns = zip((*PENS, "loss"), first[1:], last[1:], strict=True)
    lines = "; ".join(f"{name} goes from {_near_0(a):.3g} to {_near_0(b):.3g}" for name, a, b in columns)
    text = (
        f"{sentence(title)} {lines}, from {first[0] - 1:g} to {last[0] - 1:g} steps done; ln 2 is {LN_2:.3g}."
    )
    if len(pairs):
        moved = "; ".join(f"“{name}” from {_signed(start)} to {_signed(now)}" for name, start, now in pairs)
        text += f" Margins of pairs: {moved}."
    return f"{text} {state}." if state else text


def _near_0(value: float) -> float:
    """0 where only rounding is left."""
    return 0.0 if abs(value) < 5e-5 else value
