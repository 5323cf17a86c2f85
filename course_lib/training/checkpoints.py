"""Shipped checkpoints: weights as safetensors, and a card that says where they come from.

The card (JSON) holds the model's configuration, the seed, the steps, the measured metrics and the command
that made it. Weights are stored in half precision, which halves the file; metrics on the card are measured
with the stored weights, not with the ones before rounding. Nothing is ever unpickled.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import nn

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
    """
    weights = {
        key: value.detach().to(torch.float16).contiguous() for key, value in model.state_dict().items()
    }
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
    """
    path = folder / f"{name}.json"
    if not path.exists():
        there = ", ".join(sorted(card.stem for card in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"no checkpoint {name!r} (there: {there}): make it with `python -m course_lib train {name}`"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def load_weights(name: str, model: nn.Module, folder: Path = FOLDER) -> None:
    """Put a checkpoint's weights into a model of the card's configuration, in float32 and evaluation mode.

    Raises:
        FileNotFoundError: the weights are missing.
        RuntimeError: the model has other parameters than the checkpoint.
    """
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"no weights at {path.name}: make them with `python -m course_lib train {name}`"
        )
    model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    model.eval()
