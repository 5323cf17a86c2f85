"""Question: options, “how sure are you?”, one button; the explanation comes from Python after the answer."""

import html
import re
from collections.abc import Callable, Sequence

import traitlets

from course_lib.widgets.front import LiveView, script, styles

CONFIDENCE = ("guessing", "unsure", "rather sure", "certain")


class Question(LiveView):
    """A question to answer before the run.

    `answer` is [option, confidence], both from 0 ([] = not answered yet); `feedback` the HTML shown under it.
    """

    _esm = script("question", "controls")
    _css = styles()

    prompt = traitlets.Unicode().tag(sync=True)  # HTML, made from the text by `_marked`
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)  # HTML too
    confidence = traitlets.List(traitlets.Unicode(), default_value=list(CONFIDENCE)).tag(sync=True)
    before = traitlets.Unicode().tag(sync=True)  # HTML
    answer = traitlets.List(traitlets.Int()).tag(sync=True)
    feedback = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, prompt: str, options: Sequence[str], on_answer: Callable[[int, int], str], *, before: str = ""
    ):
        """prompt, options: plain text; `code` in backticks and **bold** are set, everything else is escaped.
        before: a line under the options: what was answered when this was asked before.

        on_answer: (option, confidence 0 to 3) -> HTML to show; it is trusted, so escape what a learner wrote.
        """
        if len(options) < 2:
            raise ValueError(f"options has {len(options)} entries; a question needs at least 2")
        self._on_answer = on_answer
        super().__init__(
            prompt=_marked(prompt), options=[_marked(option) for option in options], before=_marked(before)
        )
        self.observe(self._answered, names="answer")

    def _answered(self, change) -> None:
        if not change.new:
            self.feedback = ""
            return
        option, confidence = change.new
        if not (0 <= option < len(self.options) and 0 <= confidence < len(CONFIDENCE)):
            raise ValueError(f"answer is {change.new}; expected [option, confidence] with existing numbers")
        try:
            # never empty: the browser takes an answer as given when its explanation is there
            self.feedback = self._on_answer(option, confidence) or "Noted."
        except Exception as error:  # shown in the view: a callback's traceback would go to a log nobody reads
            self.feedback = html.escape(f"The answer could not be checked: {type(error).__name__}: {error}")

    def still_html(self) -> str:
        """The question as plain HTML, for places where nothing is live."""
        options = "".join(f"<li>○ {option}</li>" for option in self.options)
        return (
            f"<div><p><strong>Predict first.</strong> {self.prompt}</p>"
            f'<ul style="list-style:none;padding-left:1em">{options}</ul>'
            f"<p>How sure are you? {' · '.join(CONFIDENCE)}</p></div>"
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        plain = html.unescape(re.sub(r"<[^>]+>", "", self.prompt + " " + " / ".join(self.options)))
        return {**data, "text/html": self.still_html(), "text/plain": plain}, metadata


def _marked(text: str) -> str:
    """Escaped text in which `code` and **bold** are set."""
    text = html.escape(str(text))
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*\n]+)\*\*", r"<strong>\1</strong>", text)
