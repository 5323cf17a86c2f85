"""Stills: pure functions, arrays and tokens in, one picture with its alt text out.

Nothing here knows a model. `attention` draws weights, `curves` draws numbers over time,
`diagrams` draws how the parts fit together, `colours` holds every colour, `still` the picture itself.
"""

from course_lib.viz import attention, colours, curves, diagrams
from course_lib.viz.still import Still

__all__ = ["Still", "attention", "colours", "curves", "diagrams"]
