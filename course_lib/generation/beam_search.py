"""Beam search: several texts grow side by side, and the best of those that have ended is returned."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from course_lib import checks
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID

from .writers import Writer, looking_at


class BeamNode(NamedTuple):
    """One hypothesis of a beam search: a text so far, told by its last token and what stands before it."""

    id: int  # counted from 0, step after step
    parent: int | None  # the hypothesis that it goes on from; None: `[BOS]` alone
    token: int
    log_prob: float  # raw: the sum over all its tokens, nats
    length: int  # tokens, `[EOS]` included
    status: Literal["running", "finished", "dropped"]  # dropped: not among the best at its step
    normalised: float | None  # of a finished one: log_prob / ((5 + length) / 6)^α


class BeamStep(NamedTuple):
    """One step of a beam search."""

    nodes: tuple[BeamNode, ...]  # the best first: those kept, then the nearest of those dropped
    reachable: float | None  # no running hypothesis can end with a normalised score above this


@dataclass(frozen=True)
class BeamTrace:
    """A whole beam search for one source, in plain numbers: what was kept at each step, and what came of it.

    Args:
        steps: one for each token.
        best: id of the node with which the returned text ends.
        stopped: why the search ended: "none running", "none can win" (no running hypothesis can still beat
            the best finished one), or "max_new_tokens".
    """

    steps: tuple[BeamStep, ...]
    best: int
    stopped: Literal["none running", "none can win", "max_new_tokens"]

    def nodes(self) -> list[BeamNode]:
        """Every node; that with id i stands at place i."""
        return [node for step in self.steps for node in step.nodes]

    def finished(self) -> list[BeamNode]:
        """The finished hypotheses, the best first."""
        ends = [node for node in self.nodes() if node.status == "finished"]
        return sorted(ends, key=lambda node: -node.normalised)

    def ids(self, end: int | None = None) -> list[int]:
        """The token ids of the hypothesis that ends at a node; of the best one when not given."""
        nodes, at, ids = self.nodes(), self.best if end is None else end, []
        while at is not None:
            ids.append(nodes[at].token)
            at = nodes[at].parent
        return ids[::-1]


def length_penalty_of(length: int, alpha: float) -> float:
    """What the log-probability of a finished text is divided by: `((5 + length) / 6)^α`; 1 with α = 0.

    Source: Wu et al. 2016 (Google's Neural Machine Translation System), eq. 14.
    """
    return ((5 + length) / 6) ** alpha


def choose_rows(state: object, rows: Tensor) -> object:
    """Some rows of the batch, of everything that a state holds.

    Args:
        state: tensors with the batch first, in tuples (or named tuples) inside of tuples; None stays None.
        rows: whole numbers `(R,)`; a row may be chosen several times.

    Returns:
        the same, with R rows everywhere.

    Raises:
        ValueError: something else inside the state.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.index_select(0, rows)  # (R, …)
    if isinstance(state, tuple):
        parts = [choose_rows(part, rows) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    raise ValueError(f"state holds a {type(state).__name__}, expected tensors and None, in tuples")


def beam(
    model: Writer, source: Tensor, max_new_tokens: int, *, beam_size: int = 4, length_penalty: float = 0.6
) -> tuple[Tensor, list[BeamTrace]]:
    """Keep the `beam_size` best texts at each step, and choose among those that have come to their end.

    A text's score while it grows is the sum of its tokens' log-probabilities. Of all continuations by one
    token the best `beam_size` are kept: what ends in `[EOS]` is finished and put aside, the others run on.
    Only finished texts are normalised, once; the best of them is returned.

    Args:
        model: one that reads a source; a model with modes is used in evaluation mode, and put back.
        source: ids `(B, S)`, padded on the right.
        max_new_tokens: stop here; a text that has not ended is returned only where none has.
        beam_size: how many are kept; with 1 this is `greedy`.
        length_penalty: α of `length_penalty_of`; 0: raw sums, which favour short texts.

    Returns:
        ids `(B, T)` of the best texts, with `[PAD]` after each `[EOS]`, and for each source its search.

    Raises:
        ValueError: `max_new_tokens` or `beam_size` below 1, or a negative `length_penalty`.

    Source: Wu et al. 2016, section 7 (without its coverage penalty); beam 4 and α = 0.6: Vaswani et al. 2017,
    section 6.1.
    """
    checks.at_least_1(max_new_tokens=max_new_tokens, beam_size=beam_size)
    if not length_penalty >= 0:
        raise ValueError(f"length_penalty is {length_penalty}, expected 0 or more: 0 leaves raw sums")
    searches = [_Search(beam_size, max_new_tokens, length_penalty) for _ in source]
    with looking_at(model):
        going_on = searches
        state = model.encode(source)
        tokens = torch.full_like(source[:, :1], BOS_ID)  # (B, n): of n hypotheses each; at first of one
        sums = torch.zeros(tokens.shape, device=source.device)  # (B, n), raw
        while going_on:  # B: sources whose search goes on
            n = tokens.shape[1]
            logits, _, state = model.next_logits(tokens.reshape(-1, 1), state)  # (B · n, V)
            longer = sums[..., None] + logits.log_softmax(-1).unflatten(0, (-1, n))  # (B, n, V)
            sums, order = longer.flatten(1).sort(dim=1, descending=True, stable=True)  # (B, n · V)
            sums, order = sums[:, : 2 * beam_size], order[:, : 2 * beam_size]  # half of them to be shown only
            parents, tokens = order // logits.shape[-1], order % logits.shape[-1]
            found = zip(going_on, sums.tolist(), parents.tolist(), tokens.tolist(), strict=True)
            open_ones = [i for i, (search, *best) in enumerate(found) if search.add(*best)]
            going_on = [going_on[i] for i in open_ones]
            if not going_on:
                break
            kept = torch.tensor(open_ones, device=source.device)
            parents, tokens, sums = (x[kept, :beam_size] for x in (parents, tokens, sums))  # (B, n) each
            sums = sums.masked_fill(tokens == EOS_ID, -torch.inf)  # finished: nothing goes on from here
            state = choose_rows(state, (kept[:, None] * n + parents).flatten())
    traces = [search.trace() for search in searches]
    return pad([trace.ids() for trace in traces]).to(source.device), traces


class _Search:
    """The book of one search: which hypothesis stands in which slot of the beam, and the finished ones."""

    def __init__(self, beam_size: int, max_new_tokens: int, length_penalty: float) -> None:
        self.beam_size, self.max_new_tokens, self.length_penalty = beam_size, max_new_tokens, length_penalty
        self.steps: list[BeamStep] = []
        self.slots: list[int | None] = [None]  # ids; `[BOS]` has none
        self.n_nodes = 0
        self.best: BeamNode | None = None  # finished
        self.stopped = ""

    def add(self, sums: list[float], parents: list[int], tokens: list[int]) -> bool:
        """Note the best continuations, the best first. Does the search go on?"""
        nodes, slots, length = [], [], len(self.steps) + 1
        for place, (log_prob, parent, token) in enumerate(zip(sums, parents, tokens, strict=True)):
            if log_prob == -torch.inf:  # from a finished hypothesis, or impossible
                status = None
            elif place >= self.beam_size:
                status = "dropped"
            else:
                status = "finished" if token == EOS_ID else "running"
            if place < self.beam_size:
                slots.append(self.n_nodes if status else None)
            if status:
                score = log_prob / length_penalty_of(length, self.length_penalty)
                node = BeamNode(
                    self.n_nodes, self.slots[parent], token, log_prob, length, status,
                    score if status == "finished" else None,
                )  # fmt: skip
                self.n_nodes += 1
                nodes.append(node)
                if status == "finished" and (self.best is None or score > self.best.normalised):
                    self.best = node
        running = [node.log_prob for node in nodes if node.status == "running"]
        # A sum only falls, and the penalty helps it most at the greatest length.
        longest = length_penalty_of(self.max_new_tokens, self.length_penalty)
        reachable = max(running) / longest if running else None
        self.steps.append(BeamStep(tuple(nodes), reachable))
        self.slots = slots
        if reachable is None:
            self.stopped = "none running"
        elif self.best is not None and self.best.normalised >= reachable:
            self.stopped = "none can win"
        elif length == self.max_new_tokens:
            self.stopped = "max_new_tokens"
        return not self.stopped

    def trace(self) -> BeamTrace:
        best = self.best or self.steps[-1].nodes[0]  # none has ended: the best that runs
        return BeamTrace(tuple(self.steps), best.id, self.stopped)
