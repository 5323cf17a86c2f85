"""BpeStepper: BPE learns from your own text, one merge after another; who ties is seen."""

from collections import Counter
from collections.abc import Sequence

import traitlets

from course_lib.text.bpe import BPETokenizer
from course_lib.text.presplit import BYTES, LETTERS, printable, split
from course_lib.viz.diagrams.merge_table import merge_table
from course_lib.viz.merging import MergeState, merge_states, picked
from course_lib.viz.still import Still
from course_lib.viz.tokens import token_cells
from course_lib.widgets.front import LiveView, script, styles, with_still

MOST_CHARACTERS = 600
TEXT = "a cat and a hat, the cat and the hat, that cat, that hat"


class BpeStepper(LiveView):
    """The words of a text, their pairs, and one merge after another; all in the browser.

    `text`, `step` (how many merges are made) and `picks` follow the reader and can be set. `picks` decides
    ties by hand: for each merge the place in its table of pairs, 0 for the one that the rule takes.

    Source: Sennrich et al. 2016, section 3.2; Radford et al. 2019, section 2.2 (on bytes).
    """

    _esm = script("bpe_stepper", "history", "bpe/encoding", "bpe/own_text", "merging", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    picks = traitlets.List(traitlets.Int()).tag(sync=True)
    n_merges = traitlets.Int().tag(sync=True)  # at most
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        text: str = TEXT,
        *,
        step: int = 0,
        picks: Sequence[int] = (),
        n_merges: int = 50,
        title: str = "",
    ):
        """text: what is learned from, at most 600 characters. step: merges that are made at first.

        picks: ties that are decided by hand. n_merges: how many merges can be seen, at most.
        Raises ValueError for a text that is too long or holds half of a character, or a step that the text
        does not have.
        """
        if n_merges < 1:
            raise ValueError(f"n_merges is {n_merges}, expected at least 1")
        super().__init__(title=title or "BPE learns tokens, one merge after another", n_merges=n_merges)
        self.text, self.picks = text, list(picks)
        self.step = step
        self.start = {"text": self.text, "step": self.step, "picks": self.picks}

    @traitlets.validate("text")
    def _short(self, proposal) -> str:
        text = proposal.value
        if "text" not in self._property_lock and len(text) > MOST_CHARACTERS:
            raise ValueError(f"text has {len(text)} characters, expected at most {MOST_CHARACTERS}")
        _words(text)  # half of a character is refused
        return text

    @traitlets.validate("step")
    def _there(self, proposal) -> int:
        last = len(self.states) - 1
        if "step" in self._property_lock:
            return max(0, min(last, proposal.value))  # the browser changes text and step in one message
        if not 0 <= proposal.value <= last:
            raise ValueError(f"step is {proposal.value}, expected 0 to {last}: the merges of this text")
        return proposal.value

    @traitlets.observe("text", "picks")
    def _stay_inside(self, _change) -> None:
        self.step = min(self.step, len(self.states) - 1)

    @property
    def states(self) -> list[MergeState]:
        """The moments before each merge, and the last one; tokens in GPT-2's letters."""
        words = _words(self.text)
        return merge_states(
            [printable(word) for word in words], list(words.values()), LETTERS, self.n_merges, self.picks
        )

    def merges(self) -> list[tuple[int, int]]:
        """The pairs of ids that are merged up to `step`, in their order."""
        states = self.states[: self.step]
        ids = {letter: i for i, letter in enumerate(LETTERS)}
        merges = []
        for n, state in enumerate(states):
            left, right = state.pairs[picked(state.pairs, self.picks, n)][:2]
            merges.append((ids[left], ids[right]))
            ids[left + right] = 256 + n
        return merges

    def tokenizer(self) -> BPETokenizer:
        """The tokenizer with these merges."""
        return BPETokenizer(self.merges())

    def still(self) -> Still:
        """Words, pairs and learned tokens at this step, for places where nothing is live."""
        states = self.states
        state = states[self.step]
        return merge_table(
            state.words,
            list(_words(self.text).values()),
            state.pairs if self.step < len(states) - 1 else (),
            state.learned,
            chosen=picked(state.pairs, self.picks, self.step),
            drawn=_drawn,
            title=self.title,
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def _words(text: str) -> Counter[bytes]:
    """The different words of a text as bytes, and how often each occurs."""
    try:
        return Counter(word.encode() for word in split(text))
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text holds {text[error.start : error.end]!r}, half of a character, expected whole ones"
        ) from error


def _drawn(token: str) -> str:
    """A token in GPT-2's letters as it is drawn here: spaces and bytes seen."""
    return token_cells([0], [bytes(BYTES[LETTERS.index(letter)] for letter in token)])[0].shown
