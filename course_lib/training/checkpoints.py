"""Shipped checkpoints: weights as safetensors, and a card that says where they come from.

The card (JSON) holds the model's configuration, the seed, the steps, the measured metrics and the command
that made it. Weights are stored in half precision, which halves the file; metrics on the card are measured
with the stored weights, not with the ones before rounding. What is not a real number (counts, ids, masks) is
stored as it is, and a matrix that two layers share is stored once. Nothing is ever unpickled.

A model knows ids, not tokens: with another tokenizer it runs, and means nothing. So the card carries the
fingerprint of each of its tokenizers, and weights are given out only to those who show the same ones.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from course_lib.files import write_whole

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"


class Tokenizer(Protocol):
    """Any of `course_lib.text`."""

    fingerprint: str


def save_checkpoint(
    name: str,
    model: nn.Module,
    card: dict,
    folder: Path = FOLDER,
    *,
    tokenizers: Sequence[Tokenizer] = (),
) -> Path:
    """Write `name.safetensors` and `name.json`, each whole or not at all.

    Args:
        name: the checkpoint's name.
        model: a model with a `config` dataclass.
        card: what else to say: command, seed, steps, metrics.
        folder: where it goes.
        tokenizers: those that make the model's ids, such as that of the source and that of the target.

    Returns:
        the path of the weights.

    Raises:
        ValueError: a weight that half precision cannot hold, or NaN; nothing is written.
    """
    weights = model.state_dict()
    tied = _tied(weights)
    stored = {key: _half(value) for key, value in weights.items() if key not in tied}
    _check_numbers(stored, "model", model)
    for key, value in stored.items():
        if not torch.equal(value.isinf(), weights[key].isinf().cpu()):
            raise ValueError(f"model holds numbers in {key} that are too large for half precision (65,504)")
    path = folder / f"{name}.safetensors"
    write_whole(path, save(stored, metadata=tied))
    content = {"name": name, "config": asdict(model.config), **card}
    if tokenizers:
        content["tokenizers"] = [tokenizer.fingerprint for tokenizer in tokenizers]
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_whole(path.with_suffix(".json"), text.encode())
    return path


def load_card(name: str, folder: Path = FOLDER) -> dict:
    """The card of a checkpoint.

    Raises:
        FileNotFoundError: no such checkpoint; names those that are there.
        ValueError: the file is damaged.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        there = ", ".join(sorted(card.stem for card in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"no checkpoint {name!r} (there: {there}): make it with `python -m course_lib train {name}`"
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise ValueError(f"{path.name} is no JSON: {_again(name)}") from error
    if not isinstance(card, dict) or "config" not in card:
        raise ValueError(f"{path.name} has no config, expected a checkpoint's card: {_again(name)}")
    return card


def load_weights(
    name: str, model: nn.Module, folder: Path = FOLDER, *, tokenizers: Sequence[Tokenizer] = ()
) -> None:
    """Put a checkpoint's weights into a model of the card's configuration, and that into evaluation mode.

    Types stay the model's own; what was one matrix for two layers is one again.

    Args:
        name: the checkpoint's name.
        model: gets the weights.
        folder: where the checkpoint lies.
        tokenizers: those whose ids the model will read and write, in the order of the card.

    Raises:
        FileNotFoundError: the weights or the card are missing.
        ValueError: the file is damaged, or the model has other parameters than the checkpoint, or it was
            trained with other tokenizers. The model is as before.
    """
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"no weights at {path.name}: make them with `python -m course_lib train {name}`"
        )
    _check_tokenizers(name, folder, tokenizers)
    try:
        with safe_open(path, "pt") as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            tied = {name: key for name, key in (file.metadata() or {}).items() if key in weights}
    except SafetensorError as error:
        raise ValueError(f"{path.name} is damaged ({error}): {_again(name)}") from error
    _check_numbers(weights, path.name, model)
    weights |= {left_out: weights[key] for left_out, key in tied.items()}
    try:
        check_weights(model, weights)
    except ValueError as error:
        raise ValueError(
            f"model does not fit {path.name}: build it from the config on the card. {error}"
        ) from error
    model.load_state_dict(weights)
    for left_out, key in tied.items():
        module, _, leaf = left_out.rpartition(".")
        home, _, at = key.rpartition(".")
        setattr(model.get_submodule(module), leaf, getattr(model.get_submodule(home), at))
    model.eval()


def check_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Weights for every name of the model, in its shapes, and for no other.

    To be asked first: `load_state_dict` refuses the others too, but not before it has copied all that fit.

    Raises:
        ValueError: other names or shapes.
    """
    own, came = (
        {name: getattr(value, "shape", None) for name, value in held.items()}
        for held in (model.state_dict(), weights)
    )
    if odd := [name for name in own | came if own.get(name, ...) != came.get(name, ...)]:
        others = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
        raise ValueError(
            f"weights have other names or shapes than the model: {', '.join(odd[:3])}{others}, expected "
            "those of a model of the same class and sizes"
        )


def _check_tokenizers(name: str, folder: Path, tokenizers: Sequence[Tokenizer]) -> None:
    """The tokenizers that are shown are those of the card."""
    expected = load_card(name, folder).get("tokenizers", [])
    came = [tokenizer.fingerprint for tokenizer in tokenizers]
    if came == expected:
        return
    if not came:
        raise ValueError(
            f"tokenizers is empty, expected the {len(expected)} with which {name} was trained: "
            "with others its ids would mean other tokens"
        )
    raise ValueError(
        f"tokenizers have the fingerprints {', '.join(came)}, expected {', '.join(expected) or 'none'}, "
        f"those on the card of {name}: its ids mean the tokens of the tokenizer that it was trained with. "
        f"Load that one, or train a model of your own"
    )


def _tied(weights: dict[str, Tensor]) -> dict[str, str]:
    """The name of each tensor that is another one once more → the name under which it is stored."""
    first: dict[tuple, str] = {}
    tied = {}
    for key, value in weights.items():
        if value.numel():
            place = (value.data_ptr(), value.dtype, value.shape, value.stride())
            if (name := first.setdefault(place, key)) != key:
                tied[key] = name
    return tied


def _half(value: Tensor) -> Tensor:
    """Real numbers in half precision; bfloat16 is as small already; the rest as it is."""
    wide = value.is_floating_point() and value.dtype != torch.bfloat16
    return value.detach().cpu().to(torch.float16 if wide else value.dtype, copy=True).contiguous()


def _check_numbers(weights: dict[str, Tensor], what: str, model: nn.Module) -> None:
    """Refuse NaN, and ∞ among the parameters; a buffer may hold it: −∞ is what a mask is made of."""
    parameters = {key for key, _ in model.named_parameters(remove_duplicate=False)}
    bad = [k for k, v in weights.items() if v.isnan().any() or (k in parameters and v.isinf().any())]
    if bad:
        raise ValueError(
            f"{what} holds NaN or infinite weights in {', '.join(bad)}, expected finite numbers, "
            "at most 65,504 in half precision: did the training diverge?"
        )


def _again(name: str) -> str:
    return f"get the file again, or make it with `python -m course_lib train {name}`"
