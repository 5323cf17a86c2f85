"""A beam search as a tree: who goes on from whom, who was kept, and how the finished ones rank.

A search comes as plain data: steps with `nodes`, each with `id`, `parent`, `token`, `log_prob`, `length` and
`status`, as attributes (what `course_lib.generation.beam` notes) or as dicts (a file, or made by hand).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from course_lib.viz.still import shown

STATUS = {"running": "running", "kept": "running", "finished": "finished", "dropped": "dropped"}


@dataclass(frozen=True)
class Hypothesis:
    """One text of the search: its last token and what stands before it."""

    id: int  # its place in the tree's list
    parent: int  # the same of what it goes on from; −1: the start
    token: str
    log_prob: float  # raw: the sum over all its tokens, nats
    own: float  # the last token's part of it
    length: int  # tokens, as the search counted them
    status: str  # "running", "finished" or "dropped"
    step: int  # from 1
    rank: int  # from 1: by its raw sum, among those of its step
    greedy: bool = False  # on the path of greedy decoding
    truth: bool = False  # on the path of a right answer


@dataclass(frozen=True)
class SearchTree:
    """All hypotheses of a search, step after step, each step's best first."""

    nodes: tuple[Hypothesis, ...]
    n_steps: int

    def text(self, node: Hypothesis) -> tuple[str, ...]:
        """The tokens of a hypothesis from the start."""
        before = self.text(self.nodes[node.parent]) if node.parent >= 0 else ()
        return (*before, node.token)

    def finished(self, length_penalty: float) -> list[tuple[Hypothesis, float]]:
        """The finished hypotheses with their normalised scores, the best first."""
        scored = [
            (node, node.log_prob / penalty(node.length, length_penalty))
            for node in self.nodes
            if node.status == "finished"
        ]
        return sorted(scored, key=lambda one: -one[1])


def penalty(length: int, length_penalty: float) -> float:
    """What a finished text's raw sum is divided by: `((5 + length) / 6)^α`; 1 for α = 0.

    Source: Wu et al. 2016 (Google's Neural Machine Translation System), eq. 14.
    """
    return ((5 + length) / 6) ** length_penalty


def search_tree(trace, tokens: Sequence[str] | Mapping[int, str], greedy=None, truth=None) -> SearchTree:
    """A search as a tree, each hypothesis with its rank at its step.

    Args:
        trace: a list of steps, or something with `steps`; see the module's docstring.
        tokens: id of a token → its name.
        greedy: the text that greedy decoding writes, as ids or names, with or without the end token.
        truth: the right text likewise, or a list of several.

    Raises:
        ValueError: no steps, a missing field, a token without a name, a parent that is not running at the
            step before, or a status that is none of running, finished, dropped.
    """
    found = [_parts(step, "nodes") for step in _parts(trace, "steps")]
    if not any(found):
        raise ValueError("trace has no nodes: there is no search to draw")
    nodes: list[Hypothesis] = []
    places: dict[object, int] = {}
    for step, given in enumerate(found, start=1):
        given = sorted(given, key=lambda node: -_field(node, "log_prob"))
        for rank, one in enumerate(given, start=1):
            parent = _parent(_field(one, "parent"), places, nodes, step)
            before = nodes[parent].log_prob if parent >= 0 else 0.0
            log_prob, status = float(_field(one, "log_prob")), _field(one, "status")
            if status not in STATUS:
                raise ValueError(f"a node has status {status!r}, expected running, finished or dropped")
            if not (math.isfinite(log_prob) and log_prob <= 1e-9):
                raise ValueError(
                    f"a node has log_prob {log_prob:g}, expected a number of at most 0: "
                    "the sum of its tokens' log-probabilities"
                )
            places[_field(one, "id")] = len(nodes)
            token, length = named(_field(one, "token"), tokens), int(_field(one, "length"))
            nodes.append(
                Hypothesis(
                    len(nodes), parent, token, log_prob, log_prob - before, length, STATUS[status], step, rank
                )
            )
    tree = SearchTree(tuple(nodes), len(found))
    ours, right = texts(greedy, tokens), texts(truth, tokens)
    marked = [replace(node, greedy=_on(tree, node, ours), truth=_on(tree, node, right)) for node in nodes]
    return SearchTree(tuple(marked), len(found))


def texts(value, tokens: Sequence[str] | Mapping[int, str]) -> list[tuple[str, ...]]:
    """One text (a string with spaces, or a list of ids or names) or a list of texts, as tuples of names."""
    if value is None or len(value) == 0:
        return []
    if isinstance(value, str):
        value = value.split()
    if hasattr(value, "tolist"):  # a tensor or an array
        value = value.tolist()
    one = all(isinstance(token, int | str) for token in value)
    if one:
        return [tuple(named(token, tokens) for token in value)]
    return [text for each in value for text in texts(each, tokens)]


def named(token, tokens: Sequence[str] | Mapping[int, str]) -> str:
    """The name of a token; a name stays."""
    if isinstance(token, str):
        return shown(token)
    try:
        return shown(tokens[int(token)])
    except (KeyError, IndexError, TypeError, ValueError):
        raise ValueError(
            f"tokens has no name for token {token!r}: it holds {len(tokens)} names; "
            "is it the vocabulary of the language that is written?"
        ) from None


def _on(tree: SearchTree, node: Hypothesis, wanted: list[tuple[str, ...]]) -> bool:
    """Whether a hypothesis is the beginning of one of these texts; an end token may be missing there."""
    text = tree.text(node)
    ended = text[:-1] if node.status == "finished" else None
    return any(text == one[: len(text)] or ended == one for one in wanted)


def _parent(given, places: dict, nodes: list[Hypothesis], step: int) -> int:
    if given is None or given == -1:
        if step > 1:
            raise ValueError(f"a node of step {step} has no parent; only those of step 1 begin the text")
        return -1
    parent = places.get(given)
    if parent is None or nodes[parent].status != "running" or nodes[parent].step != step - 1:
        raise ValueError(
            f"a node of step {step} has the parent {given!r}, expected the id of a running node of step "
            f"{step - 1}: a finished or dropped text does not go on"
        )
    return parent


def _parts(one, name: str) -> list:
    """What stands under a name, or the thing itself if it is a plain list."""
    return list(one if isinstance(one, list | tuple) and not hasattr(one, name) else _field(one, name))


def _field(one, name: str):
    try:
        return one[name] if isinstance(one, Mapping) else getattr(one, name)
    except (KeyError, AttributeError):
        raise ValueError(f"trace: a {type(one).__name__} without {name!r}; see viz/search_tree.py") from None
