"""Chapter 07: random words, merges and tokens for the further inputs of several exercises."""

import torch


def random_word(g: torch.Generator, n: int, low: int = 97, high: int = 101) -> list[int]:
    """``n`` ids from ``low`` up to ``high`` - 1."""
    return torch.randint(low, high, (n,), generator=g).tolist()


def random_words(g: torch.Generator, n: int, high: int = 101) -> dict[tuple[int, ...], int]:
    """Up to ``n`` different words of 1 to 7 ids, each with how often it occurs."""
    sizes = torch.randint(1, 8, (n,), generator=g).tolist()
    times = torch.randint(1, 6, (n,), generator=g).tolist()
    return {tuple(random_word(g, size, high=high)): many for size, many in zip(sizes, times, strict=True)}
