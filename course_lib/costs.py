"""What a model and a calculation cost: parameters, operations, memory that is kept for gradients, seconds.

Parameters are counted by formula, from the sizes alone. The rest is measured: torch counts the operations of
its matrix products, and tells which tensors it keeps for the backward pass.
"""

import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

# ---------------------------------------------------------------- parameters


class Part(NamedTuple):
    """One row of a parameter table."""

    name: str
    each: int  # parameters of one of them
    times: int  # how many of them there are

    @property
    def parameters(self) -> int:
        """All of them together."""
        return self.each * self.times


def count_transformer(config: object, d_k: int | None = None, d_v: int | None = None) -> list[Part]:
    """The parameters of a Transformer, row by row, by formula.

    With d_k = d_v = K and H · K = D:

        attention       4 (D² + D)         W_q, W_k, W_v, W_o, each with its bias
        feed-forward    2 D F + F + D
        norm            2 D                gain and bias; D with RMS norm
        encoder layer   1 attention, feed-forward, 2 norms
        decoder layer   2 attentions, feed-forward, 3 norms
        embedding       V · D              also the scores, where the matrix is shared

    Args:
        config: a `TransformerConfig` or `OneStackConfig`.
        d_k, d_v: features of a query or key, and of a value, in each head; d_model / n_heads when not given.

    Returns:
        the rows; the sum of their `parameters` is `sum(p.numel() for p in model.parameters())`.
    """
    D, F, H = config.d_model, config.d_ff, config.n_heads
    d_k, d_v = (D // H if size is None else size for size in (d_k, d_v))
    attention = 2 * (D + 1) * H * d_k + (D + 1) * H * d_v + (H * d_v + 1) * D  # W_q, W_k; W_v; W_o
    feed_forward = (D + 1) * F + (F + 1) * D
    norm = 2 * D if config.norm == "layer" else D
    encoder_layer = attention + feed_forward + 2 * norm
    decoder_layer = 2 * attention + feed_forward + 3 * norm
    if hasattr(config, "n_layers"):  # one stack
        vocabularies, shared = [("token embedding", config.vocab_size)], bool(config.shared)
        layers = [Part("layer", encoder_layer, config.n_layers)]
        n_stacks, scores = 1, config.vocab_size
    else:
        vocabularies = [("source embedding", config.source_vocab), ("target embedding", config.target_vocab)]
        if config.shared == "all":
            vocabularies = [("shared embedding", config.target_vocab)]
        layers = [
            Part("encoder layer", encoder_layer, config.encoder_layers),
            Part("decoder layer", decoder_layer, config.decoder_layers),
        ]
        n_stacks, scores, shared = 2, config.target_vocab, config.shared is not None
    final_norm = config.norm_first if config.final_norm is None else config.final_norm
    return [
        *(Part(name, size * D, 1) for name, size in vocabularies),
        Part("learned positions", config.max_len * D, n_stacks if config.positions == "learned" else 0),
        *layers,
        Part("final norm", norm, n_stacks if final_norm else 0),
        Part("scores", scores * D, 0 if shared else 1),
    ]


class Printed(NamedTuple):
    """A row of Table 3: what the paper prints, and what the formula gives."""

    changes: str  # against the base model
    printed: int | None  # millions of parameters; None where the paper leaves the cell empty
    ours: int  # parameters
    printed_more: int | None  # millions more than the base model's printed number
    ours_more: int  # parameters more than the base model


TABLE_3 = (  # what changes against the base model, and the printed millions
    ({}, 65),
    ({"n_heads": 1, "d_k": 512, "d_v": 512}, None),
    ({"n_heads": 4, "d_k": 128, "d_v": 128}, None),
    ({"n_heads": 16, "d_k": 32, "d_v": 32}, None),
    ({"n_heads": 32, "d_k": 16, "d_v": 16}, None),
    ({"d_k": 16}, 58),
    ({"d_k": 32}, 60),
    ({"n_layers": 2}, 36),
    ({"n_layers": 4}, 50),
    ({"n_layers": 8}, 80),
    ({"d_model": 256, "d_k": 32, "d_v": 32}, 28),
    ({"d_model": 1024, "d_k": 128, "d_v": 128}, 168),
    ({"d_ff": 1024}, 53),
    ({"d_ff": 4096}, 90),
    ({"d_model": 1024, "d_ff": 4096, "n_heads": 16}, 213),
)


def table_3(vocab_size: int = 37_000) -> list[Printed]:
    """Table 3 of the paper beside the formula, with one matrix for both embeddings and the scores.

    The base model's total cannot be derived: 37,000 tokens ("about 37000", section 5.1) give 63.1 million
    where 65 is printed. The differences between rows of one d_model do not depend on the vocabulary.

    Args:
        vocab_size: V.

    Returns:
        the base model first, then the rows (A) to (C) that change sizes, and the big model.

    Source: Vaswani et al. 2017, Table 3.
    """
    counted = [(changes, printed, _of_the_paper(vocab_size, **changes)) for changes, printed in TABLE_3]
    _, printed_base, base = counted[0]
    return [
        Printed(
            ", ".join(f"{name} {value:,}" for name, value in changes.items()) or "base",
            printed,
            ours,
            None if printed is None else printed - printed_base,
            ours - base,
        )
        for changes, printed, ours in counted
    ]


def _of_the_paper(vocab_size: int, n_layers: int = 6, d_k: int = 64, d_v: int = 64, **changes: int) -> int:
    config = SimpleNamespace(
        **{"d_model": 512, "n_heads": 8, "d_ff": 2048} | changes,
        encoder_layers=n_layers, decoder_layers=n_layers, source_vocab=vocab_size, target_vocab=vocab_size,
        shared="all", norm="layer", norm_first=False, final_norm=False, positions="sinusoidal", max_len=0,
    )  # fmt: skip
    return sum(part.parameters for part in count_transformer(config, d_k, d_v))


# ---------------------------------------------------------------- operations, memory, seconds


def operations(function: Callable, *tensors: Tensor) -> int:
    """How many multiplications and additions the matrix products of one call make.

    Only matrix products are counted: a softmax or a sum over the same table adds far less.

    Args:
        function: called once, as `function(*tensors)`.
        tensors: its arguments.

    Returns:
        the count, the same on every machine.
    """
    with FlopCounterMode(display=False) as work:
        function(*tensors)
    return work.get_total_flops()


def kept_megabytes(function: Callable, *tensors: Tensor) -> float:
    """How much memory torch keeps after one call, so that it can go back through it for the gradients.

    Args:
        function: called once, as `function(*tensors)`.
        tensors: its arguments; at least one must ask for gradients.

    Returns:
        megabytes (2²⁰ bytes): every piece of memory once, inputs and outputs that are needed again included.

    Raises:
        ValueError: no tensor asks for gradients, so that nothing is kept.
    """
    if not any(tensor.requires_grad for tensor in tensors):
        raise ValueError(
            "no tensor has requires_grad=True, expected at least one: without gradients nothing is kept"
        )
    kept: dict[int, int] = {}  # address → bytes: two tensors can share a piece of memory

    def note(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = function(*tensors)  # alive until the sum is taken: freed memory could be used twice
    total = sum(kept.values())
    del output
    return total / 2**20


def fastest(calls: Mapping[object, Callable[[], object]], rounds: int = 12) -> dict[object, float]:
    """The shortest time of each call, in seconds, without gradients.

    The calls take turns, so that a busy moment of the machine meets all of them, and the shortest time is the
    one that other programs have disturbed least.

    Args:
        calls: name -> a function without arguments.
        rounds: how often each is called.
    """
    return {name: min(each) for name, each in seconds_by_round(calls, rounds).items()}


def seconds_by_round(
    calls: Mapping[object, Callable[[], object]], rounds: int = 12
) -> dict[object, list[float]]:
    """The time of each call in each round, in seconds, without gradients; the calls take turns.

    Compare two calls by the median, over the rounds, of the one's time divided by the other's: both stand in
    the same busy or quiet moment. The shortest times need not: where a machine is seldom quiet, one call may
    have met such a moment and the other not.

    Args:
        calls: name -> a function without arguments.
        rounds: how often each is called.
    """
    seconds = {name: [] for name in calls}
    with torch.no_grad():
        for _ in range(rounds):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - start)
    return seconds
