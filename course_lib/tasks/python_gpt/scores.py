"""How well is unseen source predicted? Bits a byte: of a GPT, of counted n-grams, of zlib and of xz.

Losses per token cannot be compared between vocabularies, and zlib has no tokens. What all of them can say is
how many bits the text takes, divided by the bytes that it has.

Each module is read from its beginning, with nothing but `[END]` before it, and its own `[END]` is paid for.
The models learned from the training modules and are not changed by what they read. zlib and xz come with
nothing and learn while they read, so they are given three texts: the kept-away modules alone, the whole
library, and (xz, which can look back that far) the kept-away modules after the training modules.
"""

import lzma
import math
import zlib
from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data.python_library import Module
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.models.ngrams import NGrams
from course_lib.tasks.python_gpt.library import encode, modules, stream, tokens

Nats = Callable[[Tensor], Tensor]  # ids (N,) → minus log-probabilities of all but the first, (N − 1,)


@cache
def counted_ngrams(order: int = 5) -> NGrams:
    """The n-grams of the training modules."""
    return NGrams(stream("training"), len(tokens()), order)


@torch.no_grad()
def nats(model: GPT, ids: Tensor, batch_size: int = 32) -> Tensor:
    """Minus the log of the chance of each token, given those before it in the model's window of T.

    The text is read in windows that overlap by half: each token sees at least T / 2 before it, or all there
    are.

    Args:
        model: a trained GPT.
        ids: a text `(N,)`.
        batch_size: windows read at a time.

    Returns:
        `(N − 1,)`: the first token is only read.

    Raises:
        ValueError: fewer than two tokens.
    """
    if ids.dim() != 1 or len(ids) < 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}, expected (N,) with N ≥ 2")
    window, n = model.config.max_len, len(ids) - 1
    half = max(1, window // 2)
    starts = torch.arange(0, max(1, n - window + half), half)  # (W,): where each window begins
    at = starts[:, None] + torch.arange(window + 1)  # (W, T + 1)
    rows = F.pad(ids.long(), (0, max(0, int(at.max()) - n)))[at]
    with evaluating(model):
        parts = [
            F.cross_entropy(model(part[:, :-1])[0].flatten(0, 1), part[:, 1:].flatten(), reduction="none")
            for part in rows.split(batch_size)
        ]
    found = torch.cat(parts).view(-1, window)  # (W, T)
    return torch.cat([found[0], found[1:, window - half :].flatten()])[:n]


def bits_per_byte(nats_of: Nats, some: Sequence[Module]) -> dict[str, float]:
    """How many bits each module takes, divided by its bytes.

    Args:
        nats_of: `partial(nats, model)`, or the `nats` of n-grams.
        some: modules.

    Returns:
        the module's name → bits a byte.
    """
    return {
        module.name: nats_of(torch.tensor(encode(module, tokens()))).sum().item() / math.log(2) / size(module)
        for module in some
    }


def together(bits: dict[str, float], some: Sequence[Module]) -> float:
    """Bits a byte of several modules as one text: all bits divided by all bytes.

    Raises:
        ValueError: no modules.
    """
    if not some:
        raise ValueError("some is empty, expected at least one module")
    return sum(bits[module.name] * size(module) for module in some) / sum(map(size, some))


def of_gpt(model: GPT) -> float:
    """A GPT's bits a byte on all modules that were kept away."""
    return together(bits_per_byte(partial(nats, model), modules("kept away")), modules("kept away"))


def of_ngrams(order: int) -> float:
    """The same of counted n-grams: 2 is a bigram model."""
    return together(bits_per_byte(counted_ngrams(order).nats, modules("kept away")), modules("kept away"))


def size(module: Module) -> int:
    """Bytes of a module, in UTF-8."""
    return len(module.text.encode())


# ---------------------------------------------------------------- compressors


def of_compressors() -> dict[str, float]:
    """What zlib and xz reach, in bits a byte, each at its strongest.

    zlib looks back 32 kilobytes, xz here as far as there is text. "after the training modules": by how much
    the compressed text grows when the kept-away modules are added; what a GPT does is nearest to this.
    """
    kept, training = (text_of(modules(side)) for side in ("kept away", "training"))
    both = packed(training + kept)
    return {
        "zlib, kept-away modules alone": 8 * len(zlib.compress(kept, 9)) / len(kept),
        "xz, kept-away modules alone": 8 * packed(kept) / len(kept),
        "xz, kept-away after training modules": 8 * (both - packed(training)) / len(kept),
        "zlib, whole library": 8 * len(zlib.compress(training + kept, 9)) / len(training + kept),
        "xz, whole library": 8 * both / len(training + kept),
    }


def text_of(some: Sequence[Module]) -> bytes:
    """Modules one after another, in UTF-8."""
    return "".join(module.text for module in some).encode()


def packed(text: bytes) -> int:
    """Bytes of a text that xz has compressed, at its strongest."""
    return len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
