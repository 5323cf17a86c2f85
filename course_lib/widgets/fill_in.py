"""FillIn: hide words of your own text, and see what a model would fill in."""

from collections.abc import Callable, Sequence

import numpy as np
import traitlets

from course_lib.text.segments import MASK, MASK_ID
from course_lib.text.tokenizers import UNK_ID
from course_lib.viz.diagrams.filled_blanks import BARS, Blank, filled_blanks
from course_lib.viz.still import Still, as_array, shown
from course_lib.widgets.front import LiveView, script, styles, with_still
from course_lib.widgets.town_rows import MOST_CHARACTERS, VOCABULARY, WORDS, TownRow, checked, row_of

Fill = Callable[[str, str | None], object]  # (first, second) → tokens, places, probabilities (N, V)
Beside = Callable[[Sequence[Sequence[int]]], object]  # ids (1, T) with blanks → probabilities (N, V)


class FillIn(LiveView):
    """One text or two, any word of which can be hidden, and bars of what a model in Python puts there.

    `first`, `second` (the texts; `[MASK]` in them is a blank, too) and `hidden` (places in the row that are
    hidden) follow the reader and can be set. `blanks` is the last answer.
    """

    _esm = script("fill_in", "painting", "town/words", "town/boxes", "bars/word_bars", "places")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    first = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode().tag(sync=True)
    hidden = traitlets.List(traitlets.Int()).tag(sync=True)
    beside = traitlets.Unicode().tag(sync=True)  # what the thin grey bars are; "" for none
    vocabulary = traitlets.List(traitlets.Unicode(), VOCABULARY).tag(sync=True)
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    answered = traitlets.Dict().tag(sync=True)  # the state that the rest answers
    said = traitlets.List().tag(sync=True)  # one for each blank
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        fill: Fill,
        first: str = "anna is at the farm .",
        second: str = "she sees tom .",
        *,
        hidden: Sequence[int] = (),
        beside: Beside | None = None,
        beside_name: str = "from the two neighbours alone",
        title: str = "",
    ):
        """fill: (first, second or None) → tokens, places and probabilities (N, V) of the blanks, as
            `course_lib.tasks.fill_in.fill` with its model gives them.

        first, second: texts of at most 160 characters of the Town's words.
        hidden: places in the row `[CLS] first [SEP] second [SEP]`, counted from 0, that are hidden at first.
        beside: ids (1, T) of a row with blanks → probabilities (N, V) of another guess, drawn as thin bars.
        beside_name: what these are.
        Raises ValueError for texts that are too long, or a place without a word.
        """
        self._fill, self._beside = fill, beside
        self.blanks: list[Blank] = []
        super().__init__(
            title=title or "Hide a word: what would the model say?",
            first=first,
            second=second,
            beside=beside_name if beside else "",
        )
        self.hidden = list(hidden)
        self.start = {"first": self.first, "second": self.second, "hidden": self.hidden}
        self._say()
        self.observe(self._say, names=["first", "second", "hidden"])

    @traitlets.validate("first", "second")
    def _short(self, proposal) -> str:
        name = proposal.trait.name
        return proposal.value if name in self._property_lock else checked(proposal.value, name)

    @traitlets.validate("hidden")
    def _words_only(self, proposal) -> list[int]:
        is_word = self.row.is_word
        places = sorted(set(proposal.value))
        wrong = [i for i in places if not (0 <= i < len(is_word) and is_word[i])]
        if wrong and "hidden" not in self._property_lock:
            tokens = self.row.tokens
            there = ", ".join(f"{i} {tokens[i]}" for i, word in enumerate(is_word) if word)
            raise ValueError(f"hidden holds {wrong[0]}, expected places of words: {there}")
        return [i for i in places if i not in wrong]

    @traitlets.observe("first", "second")
    def _stay_on_words(self, _change) -> None:
        is_word = self.row.is_word
        self.hidden = [i for i in self.hidden if i < len(is_word) and is_word[i]]

    @property
    def row(self) -> TownRow:
        """The texts as one row, before words are hidden."""
        return row_of(self.first, self.second, blanks=True)

    def reads(self) -> list[str]:
        """The row as the model reads it."""
        return [MASK if i in self.hidden else token for i, token in enumerate(self.row.tokens)]

    def _say(self, _change=None) -> None:
        """Ask the model; whatever goes wrong becomes a sentence in the view."""
        asked = {"first": self.first, "second": self.second, "hidden": list(self.hidden)}
        if asked == self.answered:
            return  # one message of the browser changes several traits
        try:
            blanks, message = self._answer(), ""
        except ValueError as error:
            blanks, message = [], str(error)
        except Exception as error:  # a broken model must not leave the view silent
            blanks, message = [], f"The model stopped with {type(error).__name__}: {error}"
        self.blanks = blanks
        with self.hold_sync():
            self.said, self.message, self.answered = [_sent(blank) for blank in blanks], message, asked

    def _answer(self) -> list[Blank]:
        row, reads = self.row, self.reads()
        if row.refused:
            raise ValueError(f"Tiny Town does not know {', '.join(map(shown, row.refused))}")
        places = [i for i, token in enumerate(reads) if token == MASK]
        if not places:
            return []
        texts = [" ".join(reads[1 : row.n_first + 1]), " ".join(reads[row.n_first + 2 : -1])]
        tokens, found, probabilities = self._fill(texts[0], texts[1] or None)
        if list(tokens) != reads or list(found) != places:
            raise ValueError("the texts are too long for the model: it reads a shorter row")
        V = len(WORDS)
        said = _checked(probabilities, "fill", len(places))
        ids = [MASK_ID if token == MASK else i for token, i in zip(reads, row.ids, strict=True)]
        other = None if self._beside is None else _checked(self._beside([ids]), "beside", len(places))
        blanks = []
        for n, place in enumerate(places):
            order = np.argsort(-said[n], kind="stable")
            truth = row.ids[place] if row.ids[place] not in (MASK_ID, UNK_ID) else None
            best = order[: min(BARS, V)].tolist()
            known = truth is not None
            blanks.append(
                Blank(
                    place,
                    [WORDS.tokens[i] for i in best],
                    said[n, best].tolist(),
                    WORDS.tokens[truth] if known else None,
                    float(said[n, truth]) if known else 0.0,
                    int(np.flatnonzero(order == truth)[0]) + 1 if known else 0,
                    () if other is None else other[n, [*best, truth] if known else best].tolist(),
                )
            )
        return blanks

    def still(self) -> Still:
        """The last answer, for places where nothing is live."""
        return filled_blanks(self.reads(), self.blanks, beside=self.beside, title=self.title)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def _checked(probabilities, name: str, n_blanks: int) -> np.ndarray:
    array = as_array(probabilities, name, 2)
    if array.shape != (n_blanks, len(WORDS)):
        raise ValueError(
            f"{name} gave probabilities of shape {array.shape}, expected ({n_blanks}, {len(WORDS)}): "
            "blanks and words; was the model made for other ids?"
        )
    return array


def _sent(blank: Blank) -> dict:
    """A blank as the browser draws it."""
    bars = [
        {"rank": rank, "word": word, "probability": p, "beside": other, "truth": word == blank.truth}
        for rank, word, p, other in blank.bars()
    ]
    return {"place": blank.place, "truth": blank.truth, "rank": blank.rank, "probability": blank.probability,
            "bars": bars}  # fmt: skip
