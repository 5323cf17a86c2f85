"""LoRA: adapters go into a model, are switched while it runs, are laid together with it, and come out again.

    inject        puts an adapter beside the named matrices and freezes all else; at first it changes nothing
    use, using    switch between several adapters on one base, or to the base alone
    merge         W + (α / r) · B A as one plain matrix, as fast as the base; `unmerge` puts everything back

What an adapter adds at a matrix is told in `models.low_rank`.

Source: Hu et al. 2021 (LoRA, arXiv 2106.09685), section 4.1.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.models.low_rank import Adapter, LoRAConfig, LowRank, WithAdapters


def inject(model: nn.Module, config: LoRAConfig, name: str = "adapter", seed: int = 0) -> Adapter:
    """Put a new adapter beside the named matrices, switch it on, and freeze everything but adapters.

    Args:
        model: changed in place; it may have other adapters already.
        config: which matrices, which rank.
        name: of the adapter.
        seed: of A's random numbers.

    Returns:
        the adapter: `adapter.parameters()` is what learns.

    Raises:
        ValueError: a name that is taken or is no name, or matrices that the model does not have.
    """
    if not name.isidentifier() or hasattr(nn.ModuleDict, name):
        raise ValueError(f"name is {name!r}, expected a word of letters, digits and _ such as 'polite'")
    found = _matrices(model)
    if name in names(model):
        raise ValueError(f"the model has an adapter {name!r} already, expected a new name")
    leaves = dict.fromkeys(path.rpartition(".")[2] for path in found)
    if missing := [matrix for matrix in config.matrices if matrix not in leaves]:
        raise ValueError(
            f"the model has no matrix {', '.join(missing)}, expected some of {', '.join(leaves)}"
        )
    generator = torch.Generator().manual_seed(seed)
    if not names(model):
        model.requires_grad_(False)
    parts = {}
    for path, part in found.items():
        if path.rpartition(".")[2] in config.matrices:
            if not isinstance(part, WithAdapters):
                part = WithAdapters(part).train(part.training)
                _put(model, path, part)
            base = part.base
            low_rank = LowRank(base.in_features, base.out_features, config, generator)
            parts[path] = part.adapters[name] = low_rank.to(base.weight).train(part.training)
    use(model, name)
    return Adapter(config, parts)


def remove(model: nn.Module, name: str) -> None:
    """Take an adapter out; with the last one a matrix is plain again. What is frozen stays so.

    Raises:
        ValueError: the model has no such adapter.
    """
    checks.one_of("name", name, names(model))
    for path, part in adapted(model).items():
        if name in part.adapters:
            del part.adapters[name]
        if not part.adapters:
            _put(model, path, part.base)


def names(model: nn.Module) -> list[str]:
    """The adapters of a model, in the order in which they came."""
    return list(dict.fromkeys(name for part in adapted(model).values() for name in part.adapters))


def use(model: nn.Module, name: str | None) -> None:
    """Switch to another adapter; None: the base alone.

    Raises:
        ValueError: the model has no such adapter.
    """
    if name is not None:
        checks.one_of("name", name, names(model))
    for part in adapted(model).values():
        part.active = name


@contextmanager
def using(model: nn.Module, name: str | None) -> Iterator[None]:
    """Inside the block another adapter is on, or none; then the one that was.

    Raises:
        ValueError: the model has no such adapter.
    """
    before = {part: part.active for part in adapted(model).values()}
    use(model, name)
    try:
        yield
    finally:
        for part, active in before.items():
            part.active = active


def seen_with(model: nn.Module, name: str | None) -> Callable[[Tensor], tuple]:
    """The model as it is with another adapter, or with none, as a function: a reference without a copy."""

    def read(*inputs: Tensor) -> tuple:
        with using(model, name):
            return model(*inputs)

    return read


def merge(model: nn.Module) -> dict[str, WithAdapters]:
    """Lay the active adapter and the base together: each adapted matrix becomes an `nn.Linear` again.

    Args:
        model: changed in place.

    Returns:
        what was taken out, for `unmerge`; the base's own matrices are in there, untouched.
    """
    taken = adapted(model)
    for path, part in taken.items():
        _put(model, path, part.merged())
    return taken


def unmerge(model: nn.Module, taken: dict[str, WithAdapters]) -> None:
    """Undo `merge`: base and adapters are as they were, to the last bit; a mode set meanwhile is kept.

    Raises:
        ValueError: a model that is not merged, or another one.
    """
    found = _matrices(model)
    for path in taken:
        if not isinstance(found.get(path), nn.Linear):
            raise ValueError(
                f"the model has no merged matrix at {path}, expected one that `merge` has changed"
            )
    for path, part in taken.items():
        mode = found[path].training
        _put(model, path, part if part.training == mode else part.train(mode))


# ---------------------------------------------------------------- to be counted


def base_state(model: nn.Module) -> dict[str, Tensor]:
    """The parameters of the base, under the names that they have in a model without adapters."""
    with using(model, None):
        taken = merge(model)
        try:
            return model.state_dict()
        finally:
            unmerge(model, taken)


def share(model: nn.Module, adapter: Adapter) -> float:
    """How many parameters an adapter has, as a share of its base's."""
    added = sum(p.numel() for part in adapted(model).values() for p in part.adapters.parameters())
    return sum(p.numel() for p in adapter.parameters()) / (sum(p.numel() for p in model.parameters()) - added)


def adapted(model: nn.Module) -> dict[str, WithAdapters]:
    """Path → matrix that has adapters."""
    return {path: part for path, part in model.named_modules() if isinstance(part, WithAdapters)}


def _matrices(model: nn.Module) -> dict[str, nn.Linear | WithAdapters]:
    """Path → matrix; one with adapters counts once."""
    bases = {part.base for part in adapted(model).values()}
    kinds = nn.Linear | WithAdapters
    return {
        path: part for path, part in model.named_modules() if isinstance(part, kinds) and part not in bases
    }


def _put(model: nn.Module, path: str, part: nn.Module) -> None:
    home, _, leaf = path.rpartition(".")
    setattr(model.get_submodule(home), leaf, part)
