"""BeamTree: a beam search as a tree that can be played; the length penalty ranks its finished texts anew."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import traitlets

from course_lib.viz.diagrams.beam import beam
from course_lib.viz.search_tree import SearchTree, search_tree, texts
from course_lib.viz.still import Still
from course_lib.widgets.front import LiveView, script, styles, with_still


class BeamTree(LiveView):
    """One beam search, or several with other beam sizes, drawn as trees; all in the browser.

    `beam` (whose tree is shown), `step` (how far the search is seen), `length_penalty` (α) and `selected`
    (a hypothesis' place in the tree's list, −1: none) follow the reader and can be set.
    """

    _esm = script("beam_tree", "painting", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    beams = traitlets.List(traitlets.Unicode()).tag(sync=True)
    trees = traitlets.List().tag(sync=True)  # one list of hypotheses for each beam
    greedy = traitlets.List(traitlets.Unicode()).tag(sync=True)
    has_truth = traitlets.Bool(False).tag(sync=True)
    beam = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    length_penalty = traitlets.Float(0.6).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    def __init__(
        self,
        trace,
        tokens: Sequence[str] | Mapping[int, str],
        greedy=None,
        truth=None,
        *,
        length_penalty: float = 0.6,
        title: str = "",
    ):
        """trace: a search, as `course_lib.generation.beam` notes it or as plain dicts; or beam size → search.

        tokens: id → name. greedy: what greedy decoding writes, ids or names (None: the search with a beam of
        1, if there is one). truth: the right text, or a list of several. length_penalty: α at first.
        Raises ValueError when a search cannot be read, or α is negative.
        """
        several = isinstance(trace, Mapping) and "steps" not in trace
        traces = dict(trace) if several else {"": trace}
        if greedy is None and 1 in traces:
            greedy = _written(search_tree(traces[1], tokens))
        self._traces = {str(name): one for name, one in traces.items()}
        self._arguments = {"tokens": tokens, "greedy": greedy, "truth": truth}
        self._trees = {name: search_tree(one, **self._arguments) for name, one in self._traces.items()}
        if not self._trees:
            raise ValueError("trace is an empty dict, expected beam size → search, for example {1: …, 4: …}")
        last = list(self._trees)[-1]
        longest = max(tree.n_steps for tree in self._trees.values())
        state = {"beam": last, "step": longest, "length_penalty": float(length_penalty)}
        super().__init__(
            title=title or "A beam search",
            beams=list(self._trees),
            trees=[[asdict(node) for node in tree.nodes] for tree in self._trees.values()],
            greedy=[token for text in texts(greedy, tokens)[:1] for token in text],
            has_truth=bool(texts(truth, tokens)),
            start=state,
            **state,
        )

    @traitlets.validate("beam")
    def _known(self, proposal) -> str:
        if proposal.value not in self._trees:
            raise ValueError(f"beam is {proposal.value!r}, expected one of {list(self._trees)}")
        return proposal.value

    @traitlets.validate("length_penalty")
    def _not_negative(self, proposal) -> float:
        if not 0 <= proposal.value < float("inf"):
            raise ValueError(f"length_penalty is {proposal.value}, expected 0 or more: 0 leaves raw sums")
        return proposal.value

    @property
    def tree(self) -> SearchTree:
        """The search that is shown."""
        return self._trees[self.beam]

    def finished(self) -> list[tuple[str, float, float]]:
        """The finished texts as (text, raw sum, normalised score), the best first."""
        ranking = self.tree.finished(self.length_penalty)
        return [(" ".join(self.tree.text(node)), node.log_prob, score) for node, score in ranking]

    def still(self) -> Still:
        """The whole tree and its finished texts, for places where nothing is live."""
        return beam(
            self._traces[self.beam], **self._arguments, length_penalty=self.length_penalty, title=self.title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def _written(tree: SearchTree) -> list[str]:
    """What a search with a beam of 1 writes: its finished text, or as far as it came."""
    kept = [node for node in tree.nodes if node.status != "dropped"]
    return list(tree.text(kept[-1]))
