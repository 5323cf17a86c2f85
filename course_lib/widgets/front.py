"""What all live views share: their browser files, and how a view and its still go into one notebook output.

`browser/` holds one JavaScript file for each view, and what they share: `controls.js` (box, draft of changes,
controls), `history.js` (undo, reset, copy), `painting.js` (numbers and tones on a canvas), `grid.js` (the
grid of weights). These parts are put before the view, so that nothing is imported in the browser.
`views.css` comes after `viz.colours`.
"""

from pathlib import Path

import anywidget
import numpy as np
import traitlets

from course_lib.viz.colours import css_variables
from course_lib.viz.still import Still

BROWSER = Path(__file__).parent / "browser"
PARTS = ("controls", "history", "painting", "grid")  # each needs those before it


def script(name: str, last_part: str, *own: str) -> str:
    """The JavaScript module of one view, for anywidget's `_esm`.

    last_part: the last of PARTS it needs; own: parts of this view alone, in a folder of its name, or with
    their folder where several views share them: `bpe/encoding`.
    """
    parts = [part if "/" in part else f"{name}/{part}" for part in own]
    files = (*PARTS[: PARTS.index(last_part) + 1], *parts, name)
    return "\n".join((BROWSER / f"{file}.js").read_text(encoding="utf-8") for file in files)


def styles() -> str:
    """The style sheet of all views, for anywidget's `_css`."""
    return css_variables() + (BROWSER / "views.css").read_text(encoding="utf-8")


def with_still(live: tuple[dict, dict] | None, still: Still) -> tuple[dict, dict]:
    """One output that is the live view in JupyterLab and the picture with its alt text everywhere else.

    live: what `anywidget.AnyWidget._repr_mimebundle_` returned.
    """
    data, metadata = still.mimebundle()
    live_data, live_metadata = live or ({}, {})
    return {**live_data, **data}, {**live_metadata, **metadata}


def packed(array: np.ndarray) -> bytes:
    """An array as little-endian float32 bytes, as the browser reads them."""
    return np.ascontiguousarray(array, dtype="<f4").tobytes()


class LiveView(anywidget.AnyWidget):
    """A view that tells Python what the reader does, and knows whether Python has heard it.

    Each message of the browser has a number, and Python answers with that number. When no answer comes
    within a second (another cell is running, the kernel was restarted, or the page was opened again the next
    day), the view says so. controls.js does the browser's part.
    """

    told = traitlets.Int().tag(sync=True, echo_update=False)  # the number of the browser's last message
    heard = traitlets.Int().tag(sync=True)  # the number of the last message that arrived here

    @traitlets.observe("told")
    def _hear(self, change) -> None:
        self.heard = change.new


class Array(traitlets.TraitType):
    """A numpy array as a trait; with `sync=True` the browser reads and writes it as `{dtype, shape, data}`.

    Torch tensors and nested lists are taken too. Setting an equal array tells nobody.
    """

    info_text = "a numpy array"

    def __init__(self, dtype: type, *, sync: bool = False):
        """dtype: `bool` (one byte a cell) or `float` (float64)."""
        self.dtype = np.dtype(dtype)
        super().__init__(None, allow_none=True)
        if sync:
            self.tag(sync=True, to_json=_array_to_json, from_json=_array_from_json)

    def validate(self, obj, value):
        if hasattr(value, "detach"):  # a torch tensor, without importing torch
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
        if (array.dtype == bool) != (self.dtype == bool):
            expected = "booleans (True = may attend)" if self.dtype == bool else "numbers"
            raise ValueError(f"{self.name} must hold {expected}; got dtype {array.dtype}")
        return np.array(array, dtype=self.dtype, order="C")  # a copy: changing the original changes nothing

    def set(self, obj, value) -> None:
        old, new = obj._trait_values.get(self.name), self._validate(obj, value)
        if old is None or new is None or not np.array_equal(old, new):
            super().set(obj, new)


def _array_to_json(array: np.ndarray | None, _widget) -> dict | None:
    if array is None:
        return None
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": little.tobytes()}


def _array_from_json(value: dict | None, _widget) -> np.ndarray | None:
    if value is None:
        return None
    dtype = {"bool": np.dtype(bool), "float64": np.dtype("<f8")}[value["dtype"]]
    return np.frombuffer(value["data"], dtype).reshape(value["shape"])


class Positive(traitlets.Float):
    """A number above 0: a temperature."""

    info_text = "a number above 0"

    def validate(self, obj, value) -> float:
        value = super().validate(obj, float(value))
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{self.name} is {value:g}, expected a finite number above 0")
        return value
