"""A still: one matplotlib figure with its alt text, drawn the same way on every run.

`Still` is what every function of `course_lib.viz` returns. In a notebook it shows itself as an HTML `<img>`
that holds the PNG and its alt text. A bare PNG output would lose the words: JupyterLab and nbconvert's
default template draw it without an alt, whatever its metadata say. The PNG is not stored a second time beside
it: wherever HTML is shown, HTML is preferred, so the second one would only make the page twice as large.
"""

import html
import io
import logging
import sys
import unicodedata
import warnings
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_lib.viz import colours

PIXELS_PER_INCH = 100  # of the page; the file has twice as many, so it is sharp on dense screens
SHARPNESS = 2
FONT_SIZE = 12.5  # points; nothing on a still is smaller than 11
SMALL = 11

# DejaVu comes with matplotlib: Latin text looks the same on every machine. The others are taken where
# they are installed, for tokens in scripts that DejaVu does not have.
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Arabic",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Symbola",
)


NOT_STYLE = ("backend", "interactive", "toolbar", "webagg", "tk", "date.epoch", "timezone")


def _fonts() -> list[str]:
    installed = set(font_manager.fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in OTHER_FONTS if name in installed)]


def _style() -> dict:
    defaults = {
        key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith(NOT_STYLE)
    }
    return {
        **defaults,  # a learner's own matplotlibrc changes nothing
        "font.family": _fonts(),
        "font.size": FONT_SIZE,
        "axes.titlesize": FONT_SIZE + 1,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 12,
        "axes.labelsize": FONT_SIZE,
        "axes.labelcolor": colours.SOFT_INK,
        "axes.edgecolor": colours.LINE,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "text.color": colours.INK,
        "text.parse_math": False,  # a token may be "$"
        "axes.unicode_minus": True,
        "xtick.color": colours.LINE,
        "ytick.color": colours.LINE,
        "xtick.labelcolor": colours.INK,
        "ytick.labelcolor": colours.INK,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.frameon": False,
        "legend.fontsize": SMALL,
        "hatch.linewidth": 0.8,
        "hatch.color": colours.MASKED,
        "lines.linewidth": 2.2,
        "figure.facecolor": colours.PAPER,
    }


STYLE = _style()
in_style = matplotlib.rc_context(STYLE)  # decorates every function that draws


class Still(Figure):
    """A matplotlib figure that carries its alt text and shows itself the same way everywhere."""

    def __init__(self, width: float, height: float, alt: str = ""):
        """`width` and `height` in inches (100 pixels of the page each); `alt` says in words what is seen."""
        with matplotlib.rc_context(STYLE):
            super().__init__(figsize=(width, height), dpi=PIXELS_PER_INCH, layout="constrained")
            self.get_layout_engine().set(w_pad=0.09, h_pad=0.07)
        self.alt = alt
        self._png: bytes | None = None

    def png(self) -> bytes:
        """The picture as PNG: equal data gives equal bytes (no date, no software version inside)."""
        if self._png is None or self.stale:
            picture, packed = self._drawn(), io.BytesIO()
            # 256 colours are enough for flat colours and a scale, and make the file a third as large
            picture.quantize(256, dither=Image.Dither.NONE).save(packed, format="png", optimize=True)
            self._png = packed.getvalue()
            self.stale = False
        return self._png

    def _drawn(self) -> Image.Image:
        """The picture's pixels, `SHARPNESS` of them for one of the page."""
        before, canvas = self.canvas, FigureCanvasAgg(self)
        try:
            self.dpi = PIXELS_PER_INCH * SHARPNESS
            with matplotlib.rc_context(STYLE), warnings.catch_warnings():
                # a character that no font has is drawn as a box; the alt text has it
                warnings.filterwarnings("ignore", message="Glyph .* missing from")
                canvas.draw()  # once; savefig draws twice, for a layout that is found in the first draw
            return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        finally:
            self.dpi = PIXELS_PER_INCH
            self.set_canvas(before)  # its own holds all pixels for as long as the figure lives

    def save(self, path: str | Path) -> None:
        """Write the PNG to `path`."""
        Path(path).write_bytes(self.png())

    def mimebundle(self) -> tuple[dict, dict]:
        """`(data, metadata)` of a notebook output: the picture as HTML, and its words as plain text."""
        # Where no picture can be shown, its words stand in its place. They may hold numbers of a trained
        # model, which differ from machine to machine: nbval overlooks what begins with "Picture: ".
        return {"text/html": self.html(), "text/plain": f"Picture: {self.alt}"}, {}

    def html(self, style: str = "max-width:100%;height:auto") -> str:
        """One `<img>` with the alt text, and the PNG inside; it asks nothing of any other machine.

        The width is an attribute, and no height is given: a site that takes styles out, as GitHub does,
        still shows the picture in its size and its proportions.
        """
        width = round(self.get_size_inches()[0] * PIXELS_PER_INCH)
        png = b64encode(self.png()).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt)}" width="{width}" style="{style}" '
            f'src="data:image/png;base64,{png}">'
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        return self.mimebundle()

    def _repr_html_(self) -> str:
        return self.html()


def _show_stills_ourselves() -> None:
    """No second picture where `%matplotlib inline` would add the figure drawn its own way, without words.

    That magic registers a maker for every Figure; one that is registered for `Still` wins over it.
    """
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        for kind in ("image/png", "image/jpeg", "image/svg+xml"):
            shell.display_formatter.formatters[kind].for_type(Still, lambda still: None)


_show_stills_ourselves()
logging.getLogger("matplotlib.font_manager").setLevel(
    logging.ERROR
)  # a font that is not installed is no news


# What every drawing function needs of its arguments.


def as_array(values, name: str, dimensions: int | tuple[int, ...]) -> np.ndarray:
    """`values` (torch tensor, numpy array or nested lists) as a float array.

    Raises ValueError naming the argument when the number of axes is another, or a value is NaN or infinite.
    """
    if hasattr(values, "detach"):  # a torch tensor, without importing torch
        values = values.detach().cpu().float().numpy()
    try:
        array = np.asarray(values, dtype=float)
    except (ValueError, TypeError):
        raise ValueError(
            f"{name} must be numbers in rows of equal length; got {type(values).__name__}"
        ) from None
    allowed = (dimensions,) if isinstance(dimensions, int) else dimensions
    if array.ndim not in allowed:
        wanted = " or ".join(str(d) for d in allowed)
        hint = (
            "; take one sentence out of the batch first, for example weights[0]"
            if array.ndim > max(allowed)
            else ""
        )
        raise ValueError(f"{name} must have {wanted} axes; got {array.ndim}, shape {array.shape}{hint}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}; there is nothing to draw")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} has NaN or infinite values; a softmax over a row where no key is allowed gives NaN, "
            "and so does training that diverged"
        )
    return array


def as_weights(
    values, rows: Sequence[str], columns: Sequence[str], name: str = "weights", heads=False
) -> np.ndarray:
    """Attention weights `(T, S)`, with `heads` also `(H, T, S)`, checked against their tokens.

    Raises ValueError when the sizes do not fit the tokens or a weight lies outside 0…1 (then it is a score).
    """
    array = as_array(values, name, (2, 3) if heads else 2)
    if array.shape[-2:] != (len(rows), len(columns)):
        swapped = array.shape[-2:] == (len(columns), len(rows))
        hint = "; rows are queries and columns are keys: is it transposed?" if swapped else ""
        raise ValueError(
            f"{name} has {array.shape[-2]} rows and {array.shape[-1]} columns; "
            f"expected {len(rows)} queries and {len(columns)} keys{hint}"
        )
    if array.min() < -1e-4 or array.max() > 1 + 1e-4:
        raise ValueError(
            f"{name} must lie between 0 and 1; got {array.min():.3g} to {array.max():.3g}. "
            "Are these scores? Weights come after the softmax"
        )
    return array.clip(0, 1)


def as_allowed(allowed, shape: tuple[int, ...]) -> np.ndarray | None:
    """The mask `allowed` (True = may attend) broadcast to `shape`, or None."""
    if allowed is None:
        return None
    if hasattr(allowed, "detach"):
        allowed = allowed.detach().cpu().numpy()
    array = np.asarray(allowed)
    if array.dtype != bool:
        raise ValueError(f"allowed must be boolean (True = may attend); got dtype {array.dtype}")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"allowed has shape {array.shape}; it does not fit the weights' shape {shape}"
        ) from None


def as_links(links, n_rows: int, n_columns: int, name: str = "links") -> list[tuple[int, int]]:
    """Gold links as sorted (row, column) pairs, checked to point at existing tokens."""
    try:
        pairs = sorted({(int(row), int(column)) for row, column in (links or ())})
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be pairs of indices (row, column); got {links!r:.80}") from None
    for row, column in pairs:
        if not (0 <= row < n_rows and 0 <= column < n_columns):
            raise ValueError(
                f"{name} has the pair ({row}, {column}), outside {n_rows} rows and {n_columns} columns; "
                "pairs are (row, column): are yours the other way round?"
            )
    return pairs


def as_named(panels, name: str) -> Mapping:
    """`panels` as it is. Raises ValueError unless it is a dict with at least one entry."""
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError(f"{name} must be a dict with at least one entry, name -> values; got {panels!r:.80}")
    return panels


def sentence(title: str) -> str:
    """A title with one mark at its end, as alt text begins."""
    return title if title.endswith(("?", "!")) else f"{title.rstrip('.')}."


LONGEST = 18  # characters of a token in a picture
SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥", "\u00a0": "⍽"}
# Drawn as nothing, though Unicode calls them letters, symbols or marks.
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
JOINERS = "\u200c\u200d"  # between two characters they do what is seen; alone they are nothing


def shown(token: object) -> str:
    """A token as it can be drawn: what would not be seen gets a sign, and nothing turns its sentence round.

    Spaces at either end are ␣, a no-break space ⍽, a line's end ⏎, a tab ⇥; an accent without its letter
    stands on ◌. Everything else that draws nothing is ·: control characters, zero-width spaces, marks that
    only change the direction of writing.
    """
    text = str(token)
    if not text:
        return "∅"
    inner = range(len(text) - len(text.lstrip(" ")), len(text.rstrip(" ")))
    signs = [
        c if c == " " and place in inner else _sign(c, text[place - 1 : place], text[place + 1 : place + 2])
        for place, c in enumerate(text)
    ]
    return ("◌" if unicodedata.category(text[0]).startswith("M") and signs[0] != "·" else "") + "".join(signs)


def _sign(c: str, before: str, after: str) -> str:
    if c in SIGNS:
        return SIGNS[c]
    if c in JOINERS and before.strip() and after.strip():
        return c
    kind = unicodedata.category(c)
    selector = 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF  # which form of the one before
    if kind in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in BLANKS or (selector and not before):
        return "·"
    return "␣" if kind == "Zs" else c


def label(token: object) -> str:
    """A token as it is written in a picture: `shown`, and a long one cut (the alt text has all of it)."""
    text = shown(token)
    if len(text) <= LONGEST:
        return text
    end = LONGEST - 1
    while end > 1 and (
        unicodedata.category(text[end])[0] == "M" or text[end] in JOINERS or text[end - 1] in JOINERS
    ):
        end -= 1  # never between a letter and its accent
    return text[:end] + "…"
