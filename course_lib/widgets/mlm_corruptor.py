"""MlmCorruptor: words of your own text are hidden for masked-language modelling, throw by throw."""

from typing import NamedTuple

import traitlets

from course_lib.text.segments import MASK_ID
from course_lib.viz.diagrams.masked_row import masked_row
from course_lib.viz.masking import (
    DONE,
    IS_MASKED,
    IS_REPLACED,
    Throws,
    check_shares,
    decide,
    throw,
)
from course_lib.viz.still import Still
from course_lib.widgets.front import LiveView, script, styles, with_still
from course_lib.widgets.town_rows import MOST_CHARACTERS, VOCABULARY, WORDS, TownRow, checked, row_of

MOST_THROWS = 2000
IGNORE = -100  # the label of what does not count in the loss, as in PyTorch


class Hidden(NamedTuple):
    """What one throw of the dice does to a row of T tokens."""

    ids: list[int]  # what the model reads
    labels: list[int]  # the word that was there, where it was chosen; -100 elsewhere
    done: list[int]  # places in viz.masking.DONE


class MlmCorruptor(LiveView):
    """A text of the Town's words, and which of them are masked, replaced or kept; all in the browser.

    `first`, `second` (the texts), `chosen`, `masked`, `replaced` (shares; the rest of the chosen words is
    kept), `seed` (of the throw that is shown), `n_throws` (how many are counted, this one the last) and
    `token` (the place that is told of) follow the reader and can be set.

    The same seed does what `course_lib.training.masked_words.corrupt` does to this row alone with a
    `torch.Generator` of this seed.

    Source: Devlin et al. 2019, section 3.1 "Task #1".
    """

    _esm = script("mlm_corruptor", "history", "town/words", "town/boxes", "dice", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    first = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Float(0.15).tag(sync=True)
    masked = traitlets.Float(0.8).tag(sync=True)
    replaced = traitlets.Float(0.1).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    n_throws = traitlets.Int(1).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    vocabulary = traitlets.List(traitlets.Unicode(), VOCABULARY).tag(sync=True)
    most = traitlets.Int(MOST_CHARACTERS).tag(sync=True)
    most_throws = traitlets.Int(MOST_THROWS).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        first: str = "anna is at the farm . the farm is near the station .",
        second: str = "",
        *,
        chosen: float = 0.15,
        masked: float = 0.8,
        replaced: float = 0.1,
        seed: int = 0,
        title: str = "",
    ):
        """first, second: texts of at most 160 characters. What is no word of the Town's becomes `[UNK]`.

        chosen: share of the words. masked, replaced: shares of the chosen ones. seed: of the first throw.
        Raises ValueError for texts that are too long, shares that are none, or another seed.
        """
        super().__init__(
            title=title or "Hide words, and let the model say what they were",
            first=first,
            second=second,
            chosen=chosen,
            masked=masked,
            replaced=replaced,
            seed=seed,
        )
        self.token = next((i for i, done in enumerate(self.hidden().done) if done), 1)
        names = ("first", "second", "chosen", "masked", "replaced", "seed", "n_throws", "token")
        self.start = {name: getattr(self, name) for name in names}

    @traitlets.validate("first", "second")
    def _short(self, proposal) -> str:
        name = proposal.trait.name
        return proposal.value if name in self._property_lock else checked(proposal.value, name)

    @traitlets.validate("chosen", "masked", "replaced")
    def _share(self, proposal) -> float:
        shares = {name: getattr(self, name) for name in ("chosen", "masked", "replaced")}
        check_shares(**(shares | {proposal.trait.name: proposal.value}))
        return proposal.value

    @traitlets.validate("seed")
    def _a_seed(self, proposal) -> int:
        throw(proposal.value, 0, 1)  # another one is refused
        return proposal.value

    @traitlets.validate("n_throws")
    def _countable(self, proposal) -> int:
        most = min(MOST_THROWS, self.seed + 1)
        if "n_throws" in self._property_lock:
            return max(1, min(most, proposal.value))  # the browser changes seed and n_throws in one message
        if not 1 <= proposal.value <= most:
            raise ValueError(
                f"n_throws is {proposal.value}, expected 1 to {most}: throws are counted from seed 0 on, "
                f"at most {MOST_THROWS:,}"
            )
        return proposal.value

    @traitlets.validate("token")
    def _inside(self, proposal) -> int:
        last = len(self.row.ids) - 1
        if "token" in self._property_lock:
            return max(0, min(last, proposal.value))
        if not 0 <= proposal.value <= last:
            raise ValueError(f"token is {proposal.value}, expected a place from 0 to {last}")
        return proposal.value

    @traitlets.observe("first", "second")
    def _stay_inside(self, _change) -> None:
        self.token = min(self.token, len(self.row.ids) - 1)

    @traitlets.observe("seed")
    def _count_from_0(self, _change) -> None:
        self.n_throws = min(self.n_throws, self.seed + 1)

    @property
    def row(self) -> TownRow:
        """The texts as one row."""
        return row_of(self.first, self.second)

    def throws(self, seed: int | None = None) -> Throws:
        """What is thrown for each place; by the seed that is shown, when no other is given."""
        return throw(self.seed if seed is None else seed, len(self.row.ids), len(VOCABULARY))

    def hidden(self, seed: int | None = None) -> Hidden:
        """What a throw does to the row."""
        row, throws = self.row, self.throws(seed)
        done = decide(throws, row.is_word, self.chosen, self.masked, self.replaced).tolist()
        read = {IS_MASKED: lambda i: MASK_ID, IS_REPLACED: lambda i: WORDS.words[throws.drawn[i]]}
        ids = [read[code](i) if code in read else row.ids[i] for i, code in enumerate(done)]
        return Hidden(ids, [i if code else IGNORE for i, code in zip(row.ids, done, strict=True)], done)

    def counts(self) -> dict[str, dict[str, int]]:
        """Kind of token, "word" or "special" → what was done → how many, over the throws that are counted."""
        is_word = self.row.is_word
        counts = {kind: dict.fromkeys(DONE, 0) for kind in ("word", "special")}
        for seed in range(self.seed - self.n_throws + 1, self.seed + 1):
            done = decide(self.throws(seed), is_word, self.chosen, self.masked, self.replaced)
            for code, word in zip(done.tolist(), is_word, strict=True):
                counts["word" if word else "special"][DONE[code]] += 1
        return counts

    def still(self) -> Still:
        """The text, what the model reads and what it must say, for places where nothing is live."""
        hidden = self.hidden()
        return masked_row(
            self.row.tokens, [WORDS.tokens[i] for i in hidden.ids], hidden.done, title=self.title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
