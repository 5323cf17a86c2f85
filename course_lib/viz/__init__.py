"""Stills: pure functions, arrays and tokens in, one picture with its alt text out.

Nothing here knows a model. `still` is the picture itself, `colours` holds every colour, `sheet` what all
pictures are made of. `attention` draws weights, `masks` who may look at whom and what leaks, `curves`
numbers over time, `diagrams` how the parts fit together, `bertviz` the three views of that tool;
`arithmetic`, `masking`, `merging`, `rates`, `search_tree` and `tokens` compute what the live views show.
"""

from course_lib.viz import attention, colours, curves, diagrams
from course_lib.viz.still import Still

__all__ = ["Still", "attention", "colours", "curves", "diagrams"]
