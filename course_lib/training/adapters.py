"""Adapters in files of their own: a few hundred kilobytes, and a card that says on which base they stand.

An adapter is a change of one certain model. On another base it runs, and means nothing; so its card carries
the fingerprint of the base's parameters, and it is put only on a base with the same one.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from course_lib.models import lora
from course_lib.models.low_rank import Adapter, LoRAConfig
from course_lib.training.checkpoints import FOLDER, Tokenizer, load_card, load_weights, save_checkpoint


def base_fingerprint(model: nn.Module) -> str:
    """Sixteen signs that differ when a parameter of the base does, if only in its last bit.

    Args:
        model: with or without adapters; these change nothing.
    """
    made = hashlib.sha256()
    for name, value in sorted(lora.base_state(model).items()):
        made.update(f"{name} {tuple(value.shape)} ".encode())
        made.update(value.detach().cpu().to(torch.float32).contiguous().numpy().tobytes())
    return made.hexdigest()[:16]


def save_adapter(
    name: str,
    model: nn.Module,
    adapter: Adapter,
    card: dict,
    folder: Path = FOLDER,
    *,
    tokenizers: Sequence[Tokenizer] = (),
) -> Path:
    """Write an adapter without its base: `name.safetensors` and `name.json`.

    Args:
        name: of the files.
        model: the base, as it was loaded; with the adapter in it, or without.
        adapter: from `lora.inject`.
        card, folder, tokenizers: as for `save_checkpoint`; the card gets the base's fingerprint, and the
            size of what the adapter adds to each matrix.

    Returns:
        the path of the parameters.

    Raises:
        ValueError: an adapter that adds nothing: it was not trained; or as for `save_checkpoint`.
    """
    norms = adapter.norms()
    if not any(norms.values()):
        raise ValueError("adapter adds 0 to every matrix (B is still 0), expected one that was trained")
    facts = {"base": base_fingerprint(model), "norms": {path: round(size, 4) for path, size in norms.items()}}
    return save_checkpoint(name, adapter, {**card, **facts}, folder, tokenizers=tokenizers)


def load_adapter(
    name: str,
    model: nn.Module,
    folder: Path = FOLDER,
    *,
    called: str | None = None,
    tokenizers: Sequence[Tokenizer] = (),
) -> Adapter:
    """Put a stored adapter on its base and switch it on.

    Args:
        name: of the files.
        model: the base, with other adapters or without; not merged.
        folder: where they lie.
        called: the adapter's name in the model, a word; when not given, `name` with _ for -.
        tokenizers: as for `load_weights`.

    Raises:
        FileNotFoundError, ValueError: as for `load_weights`; or another base. The model is as before.
    """
    card = load_card(name, folder)
    expected, found = card.get("base"), base_fingerprint(model)
    if found != expected:
        raise ValueError(
            f"model has the fingerprint {found}, expected {expected}, that of the base on the card of "
            f"{name}: an adapter works on the parameters with which it was trained, and on no others"
        )
    called = called or name.replace("-", "_")
    active = {part: part.active for part in lora.adapted(model).values()}
    learning = [p for p in model.parameters() if p.requires_grad]
    adapter = lora.inject(model, LoRAConfig(**card["config"]), called)
    try:
        load_weights(name, adapter, folder, tokenizers=tokenizers)
    except BaseException:
        lora.remove(model, called)
        for part, before in active.items():
            part.active = before
        for p in learning:
            p.requires_grad_(True)
        raise
    return adapter
