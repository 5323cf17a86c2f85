"""FamilySwitcher: one row of tokens in four families: mask, flow, who sees whom, the next word of each."""

from collections.abc import Sequence

import traitlets

from course_lib.families import FAMILIES, family_of
from course_lib.viz.diagrams.family_masks import CAPTIONS, Scene, family_masks
from course_lib.viz.still import Still, shown
from course_lib.widgets.front import LiveView, script, styles, with_still


class FamilySwitcher(LiveView):
    """The same row in four families, and what a trained model of each expects next; all in the browser.

    `family`, `example` (a place in the list) and `token` (a place in the row: whom does it see?) follow the
    reader and can be set.
    """

    _esm = script("family_switcher", "painting", "mask", "flow", "words", "bars/word_bars")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    family = traitlets.Unicode().tag(sync=True)
    example = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    families = traitlets.List().tag(sync=True)  # name, known, caption, cross, writes
    scenes = traitlets.List().tag(sync=True)  # one for each example, all that is shown of it
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        switches: Sequence,
        *,
        family: str = "encoder-decoder",
        example: int = 0,
        token: int | None = None,
        title: str = "",
    ):
        """switches: what `course_lib.tasks.families.switches(models, examples)` returns.

        family, example: what is shown at first. token: a place in the row `input [BOS] output [EOS]`; `[BOS]`
        when not given.
        Raises ValueError for no example or something else, another family, or a place that is not there.
        """
        self._rows = [_scenes(one) for one in switches]
        if not self._rows:
            raise ValueError("switches is empty, expected families.switches(models, examples)")
        super().__init__(
            title=title or "One sentence, four families",
            families=[
                {"name": kind.name, "known": kind.known, "caption": CAPTIONS[kind.name].replace("\n", " "),
                 "cross": kind.cross, "writes": "decoder" in kind.masks}
                for kind in FAMILIES.values()
            ],
            scenes=[
                _sent(one, rows, name)
                for one, rows, name in zip(switches, self._rows, _names(switches), strict=True)
            ],
        )  # fmt: skip
        self.example = example
        token = self._row.n_input if token is None else token
        self.set_trait("family", family)
        self.token = token
        self.start = {"family": self.family, "example": self.example, "token": self.token}

    @property
    def _row(self) -> Scene:
        """The row of the example that is shown, in the family that is shown."""
        return self._rows[self.example][self.family or next(iter(FAMILIES))]

    @traitlets.validate("family")
    def _known(self, proposal) -> str:
        return family_of(proposal.value).name

    @traitlets.validate("example")
    def _there(self, proposal) -> int:
        if not 0 <= proposal.value < len(self._rows):
            raise ValueError(f"example is {proposal.value}, expected 0 to {len(self._rows) - 1}")
        return proposal.value

    @traitlets.validate("token")
    def _inside(self, proposal) -> int:
        most = len(self._row.tokens) - 1
        if "token" in self._property_lock:
            return min(proposal.value, most)  # the browser changes example and token in one message
        if not 0 <= proposal.value <= most:
            raise ValueError(f"token is {proposal.value}, expected a place from 0 to {most}")
        return proposal.value

    @traitlets.observe("example")
    def _stay_inside(self, _change) -> None:
        self.token = min(self.token, len(self._row.tokens) - 1)

    def sees(self) -> list[str]:
        """The tokens that the picked one may look at."""
        row = self._row
        return [word for word, is_open in zip(row.tokens, row.open[self.token], strict=True) if is_open]

    def still(self) -> Still:
        """The four masks with the row that is picked, for places where nothing is live."""
        rows = self._rows[self.example]
        n_input, tokens = self._row.n_input, self._row.tokens
        return family_masks(
            tokens[:n_input], tokens[n_input + 1 : -1], token=self.token, scenes=rows, title=self.title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def _scenes(one) -> dict[str, Scene]:
    """The row of an example in each family."""
    try:
        tokens, n_input = tuple(map(shown, one.tokens)), len(one.input)
        return {
            name: Scene(
                name,
                n_input,
                tokens,
                tuple(None if word is None else shown(word) for word in one.reads[name]),
                tuple(one.counted[name]),
            )
            for name in FAMILIES
        }
    except (AttributeError, KeyError, TypeError):
        raise ValueError(
            f"switches holds a {type(one).__name__}, expected what "
            "course_lib.tasks.families.switches(models, examples) returns"
        ) from None


def _names(switches: Sequence) -> list[str]:
    """A short name for each example: its job, counted where it comes several times."""
    jobs = [one.job for one in switches]
    return [f"{job} {jobs[: i + 1].count(job)}" if jobs.count(job) > 1 else job for i, job in enumerate(jobs)]


def _sent(one, rows: dict[str, Scene], name: str) -> dict:
    """All that the browser shows of one example."""
    first = next(iter(rows.values()))
    return {
        "name": name,
        "n_input": first.n_input,
        "tokens": list(first.tokens),
        "blank": any(word == "[MASK]" for word in one.input),
        "families": {
            family: {
                "reads": list(row.reads),
                "kinds": row.kinds,
                "open": ["".join("01"[cell] for cell in cells) for cells in row.open],
                "expected": [None if each is None else _expected(each) for each in one.expected[family]],
            }
            for family, row in rows.items()
        },
    }


def _expected(found) -> dict:
    return {
        "words": list(map(shown, found.words)),
        "probabilities": list(found.probabilities),
        "truth": shown(found.truth),
        "probability": found.probability,
        "rank": found.rank,
    }
