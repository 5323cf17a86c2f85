"""Trained models of the families as small files, for a page that shows them without training them."""

from dataclasses import asdict
from pathlib import Path

from course_lib.families import FAMILIES
from course_lib.models.transformer import OneStack, Transformer
from course_lib.tasks.families.scores import measure
from course_lib.tasks.families.wiring import VARIANTS, recipe_of, task
from course_lib.training import checkpoints
from course_lib.training.recipe import Recipe, new_model, train

SHIPPED = {f"family-{VARIANTS[name].family}": name for name in ("decoder-only", "prefix-LM", "encoder-only")}
SHIPPED |= {"family-encoder-decoder": "encoder-decoder, half"}


def load(name: str, folder: Path = checkpoints.FOLDER) -> OneStack | Transformer:
    """A shipped model, ready to use.

    Args:
        name: "family-decoder-only", "family-prefix-LM", "family-encoder-only" or "family-encoder-decoder".
        folder: where it lies.

    Raises:
        FileNotFoundError: no such checkpoint.
        ValueError: a damaged one.
    """
    card = checkpoints.load_card(name, folder)
    model = type(VARIANTS[card["variant"]].model)(**card["config"]).build()
    checkpoints.load_weights(name, model, folder)
    return model


def shipped(folder: Path = checkpoints.FOLDER) -> dict[str, OneStack | Transformer]:
    """The shipped model of each family, by the family's name."""
    return {family: load(f"family-{family}", folder) for family in FAMILIES}


def ship(name: str, work: Path, folder: Path = checkpoints.FOLDER, recipe: Recipe | None = None) -> dict:
    """Train, store, measure with the stored numbers, and write the card; goes on where it was stopped.

    Args:
        name: one of SHIPPED.
        work: where unfinished training is kept.
        folder: where the checkpoint goes.
        recipe: what to train; the variant's own when not given.

    Returns:
        the card.
    """
    variant = VARIANTS[SHIPPED[name]]
    recipe = recipe or recipe_of(variant)
    model = new_model(recipe)
    history = train(model, recipe, task(variant), save_to=work / f"{name}.state")
    card = {
        "what": f"three jobs of Tiny Town: {SHIPPED[name]}",
        "variant": SHIPPED[name],
        "command": f"python -m course_lib train {name}",
        "data": "one-sentence stories of Tiny Town (course_lib/tasks/families/examples.py)",
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    checkpoints.save_checkpoint(name, model, card, folder)
    stored = load(name, folder)
    card["metrics"] = {key: round(value, 4) for key, value in measure(stored, variant.family).items()}
    checkpoints.save_checkpoint(name, stored, card, folder)
    return card
