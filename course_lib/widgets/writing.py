"""What NextToken and StoryWriter share: a beginning, the tokens drawn after it, and a model that is asked."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from course_lib.viz.still import shown
from course_lib.viz.tokens import token_cells
from course_lib.widgets.front import LiveView, packed

Read = Callable[[str, Sequence[int]], Sequence]  # (text, ids drawn) → ids, logits (V,) or None, names, …
Trace = Callable[..., object]  # (logits, temperature, top_k, top_p, seed) → a NextTokenTrace

MOST_CHARACTERS = 600
MOST_AT_ONCE = 50  # draws


class Writing(LiveView):
    """A text that goes on: the reader's beginning, and tokens drawn one after another, each with its seed."""

    title = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Int(2).tag(sync=True)  # of the text box
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    drawn = traitlets.List(traitlets.Int()).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(None, allow_none=True).tag(sync=True)
    top_p = traitlets.Float(None, allow_none=True).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    draws = traitlets.Int(0).tag(sync=True)  # how often a draw was asked for
    how_many = traitlets.Int(1).tag(sync=True)  # tokens in the last of them

    answered = traitlets.Dict().tag(sync=True)  # what the rest answers
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)  # V tokens, as they are drawn
    ids = traitlets.List(traitlets.Int()).tag(sync=True)  # of the text, as the model reads it
    n_drawn = traitlets.Int(0).tag(sync=True)  # how many of them were drawn
    logits = traitlets.Bytes().tag(sync=True)  # (V,) float32
    over = traitlets.Bool(False).tag(sync=True)  # nothing comes after this text
    last = traitlets.Dict().tag(sync=True)  # of the last draw: id, chance, rank, seed
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, read: Read, trace: Trace, names: Sequence[str], **state):
        """names: traits that "Reset" brings back. state: traits as they are at first."""
        self._read, self._trace, self._reading, self._key = read, trace, None, None
        super().__init__(**state)
        self.start = {name: getattr(self, name) for name in names}
        self._say()
        self.observe(self._say, names=["text", "drawn"])
        self.observe(self._draw, names="draws")

    @traitlets.validate("text")
    def _short(self, proposal) -> str:
        text = proposal.value
        if "text" not in self._property_lock and len(text) > MOST_CHARACTERS:
            raise ValueError(f"text has {len(text)} characters, expected at most {MOST_CHARACTERS}")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("text holds half of a character, expected whole ones")
        return text

    @traitlets.validate("temperature")
    def _not_negative(self, proposal) -> float:
        if not 0 <= proposal.value < math.inf:
            raise ValueError(
                f"temperature is {proposal.value}, expected 0 or more: 0 takes the likeliest token"
            )
        return proposal.value

    @traitlets.validate("top_k")
    def _at_least_1(self, proposal) -> int | None:
        if proposal.value is not None and proposal.value < 1:
            raise ValueError(f"top_k is {proposal.value}, expected at least 1; None keeps all")
        return proposal.value

    @traitlets.validate("top_p")
    def _above_0(self, proposal) -> float | None:
        if proposal.value is not None and not 0 < proposal.value <= 1:
            raise ValueError(f"top_p is {proposal.value}, expected above 0 and at most 1; None keeps all")
        return proposal.value

    @traitlets.validate("seed")
    def _a_seed(self, proposal) -> int:
        if not 0 <= proposal.value < 2**32:
            raise ValueError(f"seed is {proposal.value}, expected 0 to {2**32 - 1}")
        return proposal.value

    def trace(self):
        """The next draw with every stage, as `trace` gives it; None where nothing can come."""
        if self._reading is None or self._reading[1] is None:
            return None
        return self._trace(self._reading[1], self.temperature, self.top_k, self.top_p, self.seed)

    def _ask(self) -> None:
        """Let the model read the text; whatever goes wrong becomes a sentence in the view."""
        key = (self.text, tuple(self.drawn))
        if key == self._key:
            return
        self._key, self._reading = key, None
        try:
            reading = self._read(self.text, list(self.drawn))
            with self.hold_sync():
                self._show(reading)
            self._reading, self.message = reading, ""
        except ValueError as error:
            self.message = str(error)
        except Exception as error:  # a broken model must not leave the view silent
            self.message = f"The model stopped with {type(error).__name__}: {error}"

    def _show(self, reading: Sequence) -> None:
        """Put what the model says into the state."""
        ids, logits, names = reading[:3]
        if not self.names:
            self.names = drawable(names)
        if logits is not None:
            self.logits = packed(_numbers(logits, len(self.names)))
        self.ids, self.n_drawn, self.over = list(ids), len(self.drawn), logits is None

    def _say(self, _change=None) -> None:
        with self.hold_sync():
            self._ask()
            self.answered = {"text": self.text, "drawn": list(self.drawn), "draws": self.draws}

    def _draw(self, _change) -> None:
        """Draw as many tokens as were asked for, one seed after another."""
        with self.hold_sync():
            for _ in range(max(1, min(MOST_AT_ONCE, self.how_many))):
                self._ask()
                try:
                    trace = self.trace()
                except ValueError as error:
                    self.message = str(error)
                    break
                if trace is None:
                    break
                chances = trace.stages[-1].probabilities
                rank = 1 + sum(chance > chances[trace.drawn] for chance in chances)
                self.last = {
                    "id": trace.drawn,
                    "chance": chances[trace.drawn],
                    "rank": rank,
                    "seed": self.seed,
                }
                self.drawn = [*self.drawn, trace.drawn]
                self.seed = (self.seed + 1) % 2**32
            self._say()


def drawable(names: Sequence[str | bytes]) -> list[str]:
    """Tokens as they can be drawn: bytes of a BPE with their white space as signs."""
    if names and isinstance(names[0], bytes):
        return [cell.shown for cell in token_cells(range(len(names)), names)]
    return [shown(name) for name in names]


def _numbers(logits, size: int) -> np.ndarray:
    """Logits as an array `(V,)`; −∞ is welcome: such a token cannot come."""
    if hasattr(logits, "detach"):  # a torch tensor, without importing torch
        logits = logits.detach().cpu().float().numpy()
    array = np.asarray(logits, dtype=float)
    if array.shape != (size,):
        raise ValueError(f"read gave logits of shape {array.shape}, expected ({size},): one for each name")
    if np.isnan(array).any() or np.isposinf(array).any() or not np.isfinite(array).any():
        raise ValueError("the logits hold NaN or +∞, or nothing but −∞: has the training diverged?")
    return array
