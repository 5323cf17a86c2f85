"""Pronouncer: type a word, see how a model says it, and which letters each sound looks at."""

from collections.abc import Callable, Sequence

import traitlets

from course_lib.viz import attention
from course_lib.viz.still import Still, as_weights, shown
from course_lib.widgets.front import LiveView, packed, script, styles, with_still


class Pronouncer(LiveView):
    """A text box whose word goes through `pronounce` in Python and comes back as sounds with their alignment.

    `word` is what stands in the box; `letters`, `sounds` and `message` are the last answer.
    """

    _esm = script("pronouncer", "grid")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    word = traitlets.Unicode().tag(sync=True)
    answered = traitlets.Unicode().tag(sync=True)  # the word that the rest of the state answers
    letters = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sounds = traitlets.List(traitlets.Unicode()).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # (T, S) float32, T sounds, S letters
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        pronounce: Callable[[str], tuple[Sequence[str], Sequence[str], object]],
        word: str = "attention",
        *,
        clean: Callable[[str], str] = str.strip,
        title: str = "",
    ):
        """pronounce: word -> (letters, sounds, weights (T, S)), T sounds and S letters.

        clean: what was typed -> a word, or a ValueError whose message is shown.
        word: what stands in the box at first.
        """
        self._pronounce, self._clean = pronounce, clean
        self._answer = None
        super().__init__(title=title or "Type a word: each sound looks at its letters")
        self.word = word
        self._say()
        self.observe(self._say, names="word")

    def _say(self, _change=None) -> None:
        """Pronounce `word`; whatever goes wrong becomes a sentence in the view."""
        try:
            word = self._clean(self.word)
            letters, sounds, weights = self._pronounce(word)
            array = as_weights(weights, sounds, letters)
        except ValueError as error:
            with self.hold_sync():
                self.message, self.answered = str(error), self.word
            return
        except Exception as error:  # a broken model must not leave the view silent
            with self.hold_sync():
                self.message = f"The model stopped with {type(error).__name__}: {error}"
                self.answered = self.word
            return
        self._answer = (word, list(letters), list(sounds), array)
        with self.hold_sync():
            self.letters, self.sounds = [shown(x) for x in letters], [shown(x) for x in sounds]
            self.weights, self.message, self.answered = packed(array), "", self.word

    def still(self) -> Still:
        """The alignment of the last word that could be pronounced."""
        if self._answer is None:
            return attention.heatmap([[0.0]], ["∅"], ["∅"], title=self.message or self.title)
        word, letters, sounds, array = self._answer
        return attention.heatmap(
            array,
            sounds,
            letters,
            title=f"“{word}” → {' '.join(sounds)}",
            row_name="sound: query (row)",
            column_name="letter: key (column)",
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
