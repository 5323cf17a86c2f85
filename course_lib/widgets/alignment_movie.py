"""AlignmentMovie: how attention finds the right words while a translator trains."""

from collections.abc import Iterable, Sequence

import anywidget
import numpy as np
import traitlets

from course_lib.viz import attention
from course_lib.viz.still import Still, as_array, as_links, as_weights, shown
from course_lib.widgets.front import packed, script, styles, with_still

FRAMES_ON_THE_STILL = 3


class AlignmentMovie(anywidget.AnyWidget):
    """Frames of one alignment over training, with a slider and a play button; all in the browser.

    `frame` is the frame that is shown, `selected` the pinned cell as [target, source] ([] = none).
    """

    _esm = script("alignment_movie", "grid")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    source = traitlets.List(traitlets.Unicode()).tag(sync=True)
    target = traitlets.List(traitlets.Unicode()).tag(sync=True)
    steps = traitlets.List(traitlets.Int()).tag(sync=True)
    frames = traitlets.Bytes().tag(sync=True)  # (F, T, S) float32
    links = traitlets.List().tag(sync=True)  # [target, source] pairs
    error_rates = traitlets.List(traitlets.Float()).tag(sync=True)  # one a frame, or empty
    frame = traitlets.Int(0).tag(sync=True)
    selected = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        frames,
        steps: Sequence[int],
        source: Sequence[str],
        target: Sequence[str],
        *,
        links: Iterable[tuple[int, int]] | None = None,
        error_rates: Sequence[float] | None = None,
        title: str = "",
    ):
        """frames: (F, T, S) weights, T target and S source tokens; steps: the training step of each frame.

        links: gold (target, source) index pairs. error_rates: alignment error rate of each frame.
        Raises ValueError when numbers of frames, steps, tokens or error rates do not fit.
        """
        if isinstance(frames, (list, tuple)):
            frames = (
                np.stack([as_array(frame, f"frames[{f}]", 2) for f, frame in enumerate(frames)])
                if frames
                else []
            )
        array = as_array(frames, "frames", 3)
        array = np.stack([as_weights(frame, target, source, f"frames[{f}]") for f, frame in enumerate(array)])
        for name, values in (("steps", steps), ("error_rates", error_rates)):
            if values is not None and len(values) != len(array):
                raise ValueError(
                    f"{name} has {len(values)} entries; expected {len(array)}, one for each frame"
                )
        self._array, self._tokens = array, (list(source), list(target))
        self._links = as_links(links, len(target), len(source))
        super().__init__(
            title=title or "Attention finds the right words while it trains",
            source=[shown(token) for token in source],
            target=[shown(token) for token in target],
            steps=[int(step) for step in steps],
            frames=packed(array),
            links=[list(link) for link in self._links],
            error_rates=[float(rate) for rate in error_rates or []],
            frame=len(array) - 1,
        )

    def still(self) -> Still:
        """A few frames side by side, the first and the last among them."""
        source, target = self._tokens
        chosen = sorted({round(f) for f in np.linspace(0, len(self._array) - 1, FRAMES_ON_THE_STILL)})
        names = {f: f"step {self.steps[f]}" for f in chosen}
        if self.error_rates:
            names = {f: f"{name}: error {self.error_rates[f]:.2f}" for f, name in names.items()}
        panels = {names[f]: self._array[f] for f in chosen}
        return attention.compare(panels, target, source, title=self.title, links=self._links)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
