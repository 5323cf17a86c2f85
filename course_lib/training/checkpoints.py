"""Shipped checkpoints: weights as safetensors, and a card that says where they come from.

The card (JSON) holds the model's configuration, the seed, the steps, the measured metrics and the command
that made it. Weights are stored in half precision, which halves the file; metrics on the card are measured
with the stored weights, not with the ones before rounding. Nothing is ever unpickled.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from course_lib.files import write_whole

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"


def save_checkpoint(name: str, model: nn.Module, card: dict, folder: Path = FOLDER) -> Path:
    """Write `name.safetensors` and `name.json`, each whole or not at all.

    Args:
        name: the checkpoint's name.
        model: a model with a `config` dataclass.
        card: what else to say: command, seed, steps, metrics.
        folder: where it goes.

    Returns:
        the path of the weights.

    Raises:
        ValueError: a weight that half precision cannot hold, or NaN; nothing is written.
    """
    weights = {
        key: value.detach().to(torch.float16).contiguous() for key, value in model.state_dict().items()
    }
    _check_finite(weights, "model")
    path = folder / f"{name}.safetensors"
    write_whole(path, save(weights))
    text = (
        json.dumps({"name": name, "config": asdict(model.config), **card}, indent=2, ensure_ascii=False)
        + "\n"
    )
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


def load_weights(name: str, model: nn.Module, folder: Path = FOLDER) -> None:
    """Put a checkpoint's weights into a model of the card's configuration, in float32 and evaluation mode.

    Raises:
        FileNotFoundError: the weights are missing.
        ValueError: the file is damaged, or the model has other parameters than the checkpoint.
    """
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"no weights at {path.name}: make them with `python -m course_lib train {name}`"
        )
    try:
        weights = {key: value.float() for key, value in load_file(path).items()}
    except SafetensorError as error:
        raise ValueError(f"{path.name} is damaged ({error}): {_again(name)}") from error
    _check_finite(weights, path.name)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"model does not fit {path.name}: build it from the config on the card. {error}"
        ) from error
    model.eval()


def _check_finite(weights: dict[str, Tensor], what: str) -> None:
    bad = [key for key, value in weights.items() if not value.isfinite().all()]
    if bad:
        raise ValueError(
            f"{what} holds NaN or infinite weights in {', '.join(bad)}, expected finite numbers, "
            "at most 65,504 in half precision: did the training diverge?"
        )


def _again(name: str) -> str:
    return f"get the file again, or make it with `python -m course_lib train {name}`"
