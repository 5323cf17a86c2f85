"""What all live views share: their browser files, and how a view and its still go into one notebook output.

Each view has one JavaScript file beside its Python file; `shared.js` is put before it, so that nothing is
imported in the browser. `views.css` comes after the colours of `viz.colours`.
"""

from pathlib import Path

import numpy as np

from course_lib.viz.colours import css_variables
from course_lib.viz.still import Still

HERE = Path(__file__).parent


def script(name: str) -> str:
    """The JavaScript module of one view, for anywidget's `_esm`."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in ("shared.js", name))


def styles() -> str:
    """The style sheet of all views, for anywidget's `_css`."""
    return css_variables() + (HERE / "views.css").read_text(encoding="utf-8")


def with_still(live: tuple[dict, dict] | None, still: Still) -> tuple[dict, dict]:
    """One output that is the live view in JupyterLab and the PNG with its alt text everywhere else.

    live: what `anywidget.AnyWidget._repr_mimebundle_` returned.
    """
    data, metadata = still.mimebundle()
    live_data, live_metadata = live or ({}, {})
    return {**live_data, **data}, {**live_metadata, **metadata}


def packed(array: np.ndarray) -> bytes:
    """An array as little-endian float32 bytes, as the browser reads them."""
    return np.ascontiguousarray(array, dtype="<f4").tobytes()


def flags(allowed: np.ndarray | None) -> bytes:
    """A boolean array as one byte per cell; no bytes when everything is allowed."""
    return b"" if allowed is None else np.ascontiguousarray(allowed, dtype=np.uint8).tobytes()
