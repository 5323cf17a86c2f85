"""What our attention costs, beside the bare kernel and beside `torch.nn.MultiheadAttention`.

Both sides of a row run by turns, in short bursts, and the fastest burst of each side counts: what else the
machine does falls on both, and the fastest burst is the one that it disturbed least.

Bounds count with one thread. With two, the rows of small shapes show how long threads wait for one another,
which differs from burst to burst; they are shown, and not judged.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention import MultiHeadAttention, fused_attention
from course_lib.masks import causal_mask, padding_mask, to_torch_mha
from course_lib.tools import parser

SECONDS = 0.6  # for each row
BURST = 0.002  # seconds a burst takes, at least one call
LEAST = 5  # bursts of each side, however long they take

SMALL = (
    (1, 8, 32, 4),
    (4, 16, 64, 4),
)  # (B, T, D, H): what is around the numbers costs more than the numbers
LARGE = ((8, 256, 256, 8),)  # the numbers are what costs


class Row(NamedTuple):
    """Two ways to the same numbers, and how much longer ours may take."""

    name: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    bound: float


def main(arguments: list[str]) -> int:
    """Print the table; with `--check`, exit code 1 where a bound is missed."""
    asked = parser("bench")
    asked.prog += " attention"
    asked.add_argument("--check", action="store_true", help="exit code 1 where a bound is missed")
    asked.add_argument("--seconds", type=float, default=SECONDS, help=f"for each row (default {SECONDS})")
    options = asked.parse_args(arguments)
    before, missed = torch.get_num_threads(), 0
    print(f"{'':66}{'ours':>9}{'theirs':>9}{'ratio':>8}{'bound':>8}")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        print(f"{threads} thread{'s' if threads > 1 else ''}, µs")
        for row in rows():
            ours, theirs = race(row.ours, row.theirs, options.seconds)
            ratio = ours / theirs
            line = f"  {row.name:64}{ours * 1e6:9.1f}{theirs * 1e6:9.1f}{ratio:8.2f}"
            if threads == 1:
                missed += ratio > row.bound
                line += f"{row.bound:7.2f} {'✓' if ratio <= row.bound else '✗'}"
            print(line, flush=True)
    torch.set_num_threads(before)
    print(f"{missed} of the bounds missed" if missed else "every bound is kept")
    return 1 if missed and options.check else 0


def race(ours: Callable[[], object], theirs: Callable[[], object], seconds: float) -> tuple[float, float]:
    """The fastest burst of each side, in seconds a call; the two run by turns."""
    calls = [_calls_in_a_burst(side) for side in (ours, theirs)]
    best, bursts, end = [float("inf"), float("inf")], 0, time.perf_counter() + seconds
    while bursts < LEAST or time.perf_counter() < end:
        bursts += 1
        for i, side in enumerate((ours, theirs)):
            start = time.perf_counter()
            for _ in range(calls[i]):
                side()
            best[i] = min(best[i], (time.perf_counter() - start) / calls[i])
    return best[0], best[1]


def rows() -> Iterator[Row]:
    """The rows of the table, made one after another."""
    yield from _beside_the_kernel()
    yield from _masked_beside_unmasked()
    for shape in SMALL:
        yield from _beside_its_parts(*shape)
    for shapes, bound in ((SMALL, 0.7), (LARGE, 1.05)):
        for shape in shapes:
            yield from _beside_torchs_layer(*shape, bound=bound, training=True)
    for shape in (*SMALL, *LARGE):
        yield from _beside_torchs_layer(*shape, bound=1.5, training=False)


def _beside_the_kernel() -> Iterator[Row]:
    """`fused_attention`, and torch's function with the same mask."""
    for n_queries, n_keys in ((1, 64), (64, 64), (256, 256)):
        q, k, v = (torch.randn(1, 4, n, 32) for n in (n_queries, n_keys, n_keys))
        for name, allowed in _masks(1, n_queries, n_keys).items():
            if allowed is None:
                continue
            shape = f"T={n_queries} S={n_keys} d=128"
            yield Row(
                f"fused_attention, {name} | the kernel, {shape}",
                _quiet(lambda q=q, k=k, v=v, m=allowed: fused_attention(q, k, v, m)),
                _quiet(lambda q=q, k=k, v=v, m=allowed: F.scaled_dot_product_attention(q, k, v, attn_mask=m)),
                1.5,
            )


def _masked_beside_unmasked() -> Iterator[Row]:
    """Our layer with a mask, and without."""
    for n_queries, n_keys in ((1, 64), (64, 64)):
        layer = MultiHeadAttention(128, 4)
        x, memory = torch.randn(1, n_queries, 128), torch.randn(1, n_keys, 128)
        for name, allowed in _masks(1, n_queries, n_keys).items():
            if allowed is None:
                continue

            def forward(allowed: Tensor | None, layer=layer, x=x, memory=memory) -> Tensor:
                return layer(x, memory, memory, allowed)[0]

            for wrap, what in ((_quiet, "forward"), (_trained, "forward + backward")):
                yield Row(
                    f"layer, {name} | no mask, {what}, T={n_queries} S={n_keys} d=128",
                    wrap(lambda forward=forward, m=allowed: forward(m)),
                    wrap(lambda forward=forward: forward(None)),
                    1.15,
                )


def _beside_its_parts(B: int, T: int, D: int, H: int) -> Iterator[Row]:
    """Our layer, and its four matrices with the kernel between them: no layer of four matrices costs less."""
    layer, x = MultiHeadAttention(D, H), torch.randn(B, T, D)
    for name, allowed in _masks(B, T, T).items():

        def forward(allowed: Tensor | None = allowed) -> Tensor:
            return layer(x, x, x, allowed)[0]

        def parts(allowed: Tensor | None = allowed) -> Tensor:
            q, k, v = (W(x).view(B, T, H, D // H).transpose(1, 2) for W in (layer.W_q, layer.W_k, layer.W_v))
            heads = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
            return layer.W_o(heads.transpose(1, 2).flatten(2))

        for wrap, what in ((lambda f: f, "forward"), (_trained, "forward + backward")):
            yield Row(
                f"layer, {name} | its parts, {what}, B={B} T={T} d={D}",
                wrap(forward),
                wrap(parts),
                1.35,
            )


def _beside_torchs_layer(B: int, T: int, D: int, H: int, *, bound: float, training: bool) -> Iterator[Row]:
    """Our layer, and torch's with the same sizes, in self-attention."""
    ours = MultiHeadAttention(D, H).train(training)
    theirs = nn.MultiheadAttention(D, H, batch_first=True).train(training)
    x = torch.randn(B, T, D)
    for name, allowed in _masks(B, T, T).items():
        blocked = {} if allowed is None else to_torch_mha(allowed, H)

        def our_forward(allowed: Tensor | None = allowed) -> Tensor:
            return ours(x, x, x, allowed)[0]

        def their_forward(blocked: dict = blocked) -> Tensor:
            return theirs(x, x, x, need_weights=False, **blocked)[0]

        shape = f"B={B} T={T} d={D}"
        if not training:
            row = f"layer, {name} | torch's in evaluation mode, {shape}"
            yield Row(row, _quiet(our_forward), _quiet(their_forward), bound)
            continue
        for wrap, what in ((lambda f: f, "forward"), (_trained, "forward + backward")):
            yield Row(
                f"layer, {name} | torch's, {what}, {shape}", wrap(our_forward), wrap(their_forward), bound
            )


def _masks(B: int, T: int, S: int) -> dict[str, Tensor | None]:
    """None, causal, and padding: the last two tokens of the last sentence are none."""
    ids = torch.ones(B, S, dtype=torch.long)
    ids[-1, -2:] = 0
    return {"no mask": None, "causal": causal_mask(T, S), "padding": padding_mask(ids, 0)}


def _quiet(forward: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Without gradients."""
    return torch.no_grad()(forward)


def _trained(forward: Callable[[], Tensor]) -> Callable[[], None]:
    """Forward, and backward to every parameter."""
    return lambda: forward().sum().backward()


def _calls_in_a_burst(side: Callable[[], object]) -> int:
    """How many calls fill a burst; warms up, too."""
    fastest = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        side()
        fastest = min(fastest, time.perf_counter() - start)
    return max(1, int(BURST / fastest))
