"""Ways to repair 04.leak's function, right and wrong ones: its lines, exchanged."""

import torch


def repair(
    *steps,
    diagonal=1,
    late=False,
    scale=lambda x, k: k.shape[-1] ** 0.5,
    axis=-1,
    made=lambda x: x,
    made_values=None,
    values=None,
):
    """The function with ``steps`` in place of its first line, and other lines where repairs are tried.

    ``made`` is done to queries, keys and values, or ``made_values`` to the values; ``values`` says from what
    the values are made (first, x).
    """

    def attend(x, W_q, W_k, W_v):
        first = x
        for step in steps:
            x = step(x)
        q, k = made(x @ W_q.T), made(x @ W_k.T)
        v = (made_values or made)((values(first, x) if values else x) @ W_v.T)
        scores = q @ k.transpose(1, 2) / scale(x, k)
        future = torch.ones_like(scores[0]).triu(diagonal=diagonal).bool()
        if late:
            return torch.softmax(scores, dim=axis).masked_fill(future, 0.0) @ v
        return torch.softmax(scores.masked_fill(future, float("-inf")), dim=axis) @ v

    return attend


def centred(axis):
    return lambda x: x - x.mean(dim=axis, keepdim=True)


def to_size_one(axis):
    return lambda x: x / x.std(dim=axis, correction=0, keepdim=True)


def to_length_one(x):
    return torch.nn.functional.normalize(x, dim=-1)


def normalised(mean, std, correction=0):
    """Mean 0 and std 1, each over axes of its own."""
    return lambda x: centred(mean)(x) / x.std(dim=std, correction=correction, keepdim=True)


def half(axes):
    """One of mean and std over each token's features, the other one over ``axes``."""
    ways = ((centred(-1), to_size_one(axes)), (centred(axes), to_size_one(-1)))
    return (repair(normalised(-1, axes)), repair(normalised(axes, -1)), *(repair(*steps) for steps in ways))


def both(**more):
    """A repair that spoils another line, with the first line mended and with the old one."""
    return tuple(repair(normalised(axis, axis), **more) for axis in (-1, 1))


def running(x):
    count = torch.arange(1, x.shape[1] + 1)[:, None]
    mean = x.cumsum(dim=1) / count
    square = (x * x).cumsum(dim=1) / count
    return (x - mean) / (square - mean * mean + 1e-5).sqrt()


def by_all_so_far(x):
    """One mean and one std at each position, of all features of all tokens up to it."""
    pasts = [x[:, : t + 1].flatten(1) for t in range(x.shape[1])]
    mean, std = (
        torch.stack([f(past) for past in pasts], dim=1)[..., None]
        for f in (lambda past: past.mean(dim=1), lambda past: past.std(dim=1, correction=0))
    )
    return (x - mean) / std
