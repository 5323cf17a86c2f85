"""Small multiples of bars: one panel a measure, the same few systems in each, each panel on its own scale."""

import math
from collections.abc import Mapping

from course_lib.viz import colours
from course_lib.viz.sheet import add_heading, heading_room, room_for, wrapped
from course_lib.viz.still import SMALL, Still, as_named, in_style, sentence, shown

PANEL, TALL, MOST = 2.35, 2.2, 4  # inches, width and height of a panel; panels side by side


@in_style
def bar_panels(
    panels: Mapping[str, Mapping[str, float]], *, title: str, note: str = "", number_format: str = "{:.2f}"
) -> Still:
    """One panel for each measure, with a bar and its number for each system.

    panels: measure -> (system -> number, none below 0). Measures whose numbers are all at most 1 are shares
    and end at 1, unless they are all below 0.5: then the panel ends a little above the highest.
    Returns a Still. Raises ValueError for no panels, panels with different systems, or a number that is none.
    """
    panels = {
        name: as_named(found, f"panels[{name!r}]") for name, found in as_named(panels, "panels").items()
    }
    systems = list(next(iter(panels.values())))
    for name, found in panels.items():
        if list(found) != systems:
            raise ValueError(f"panels[{name!r}] has {list(found)}, expected {systems} as the first panel")
        if wrong := [value for value in found.values() if not (math.isfinite(value) and value >= 0)]:
            raise ValueError(f"panels[{name!r}] holds {wrong[0]}, expected finite numbers, 0 or more")
    columns = min(len(panels), MOST)
    lines = math.ceil(len(panels) / columns)
    width = max(5.6, PANEL * columns)
    heading = wrapped(title, width)
    said = "; ".join(
        f"{name}: " + ", ".join(f"{system} {number_format.format(v)}" for system, v in found.items())
        for name, found in panels.items()
    )
    tight = room_for(systems, whole=True) > PANEL / len(systems)
    named = [shown(system).replace(" ", "\n") if tight else shown(system) for system in systems]
    still = Still(width, TALL * lines + 0.5 + heading_room(heading), f"{sentence(title)} {said}.")
    axes = still.subplots(lines, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (name, found) in zip(axes.flat, panels.items(), strict=False):
        highest = max(found.values())
        top = 1.0 if 0.5 <= highest <= 1 else highest or 1.0
        for place, value in enumerate(found.values()):
            ax.bar(place, value, width=0.66, color=colours.SERIES[0] if place else colours.MASKED)
            words = number_format.format(value)
            ax.annotate(
                words, (place, value), (0, 4), textcoords="offset points", ha="center", fontsize=SMALL
            )
        ax.set_title(shown(name), fontsize=SMALL + 1, pad=8)
        ax.set_xticks(range(len(systems)), named, fontsize=SMALL)
        ax.set(ylim=(0, 1.2 * top), yticks=[])
        ax.tick_params(length=0)
        ax.spines["left"].set_visible(False)
    add_heading(still, heading, note)
    return still
