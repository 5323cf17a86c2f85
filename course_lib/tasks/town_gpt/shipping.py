"""The GPT that comes with the course: how it is made, measured and loaded."""

from dataclasses import asdict
from pathlib import Path

from course_lib.models.gpt import GPT, GPTConfig
from course_lib.tasks.town_gpt.scores import floor, gap, judge, write
from course_lib.tasks.town_gpt.stories import RECIPE, WORDS, stories, task
from course_lib.training import checkpoints, distributed
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import Recipe, new_model, train, vary

NAME = "town-gpt"
SHIPPED_STORIES = 300_000
SHIPPED = vary(RECIPE, steps=42_000, schedule=WarmupStableDecay(20, 21_000, 42_000))  # 85 million tokens
TEMPERATURES = (1.0, 0.7)


def load(folder: Path = checkpoints.FOLDER) -> GPT:
    """The shipped GPT, ready to use.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a damaged file, or one that was trained on other ids.
    """
    model = GPTConfig(**checkpoints.load_card(NAME, folder)["config"]).build()
    checkpoints.load_weights(NAME, model, folder, tokenizers=[WORDS])
    return model


def measured(folder: Path = checkpoints.FOLDER) -> dict[str, float]:
    """What the card of the shipped GPT says of it, by the names that `measure` gives."""
    return checkpoints.load_card(NAME, folder)["metrics"]


def measure(model: GPT, n: int = 2_000, n_written: int = 1_000) -> dict[str, float]:
    """Loss beside the floor on held-out stories, and the Town's verdict on what the model writes.

    Args:
        model: a trained model.
        n: held-out stories.
        n_written: stories that it writes at each temperature.
    """
    metrics = {"floor": floor(stories(n)), "gap": gap(model, n)}
    for temperature in TEMPERATURES:
        shares = judge(write(model, n_written, temperature=temperature))
        metrics |= {f"{name}_at_{temperature}": share for name, share in shares._asdict().items()}
    return metrics


def ship(
    work: Path, folder: Path = checkpoints.FOLDER, recipe: Recipe = SHIPPED, n_stories: int = SHIPPED_STORIES
) -> dict:
    """Train, store, measure with the stored parameters, and write the card; goes on where it was stopped.

    Args:
        work: where unfinished training is kept.
        folder: where the checkpoint goes.
        recipe: what to train.
        n_stories: how many stories it learns from.

    Returns:
        the card; of several processes only the first one writes it.
    """
    model = new_model(recipe)

    def report(step: int, loss: float) -> None:
        if step % 250 == 0 and distributed.is_first():
            print(f"step {step:6,} of {recipe.steps:,} · loss {loss:.3f} nats a token", flush=True)

    history = train(model, recipe, task(n_stories), on_step=report, save_to=work / f"{NAME}.state")
    card = {
        "what": "tells stories of Tiny Town, word by word: a small GPT",
        "command": f"python -m course_lib train {NAME}",
        "data": f"{n_stories:,} stories (course_lib/tasks/town_gpt/stories.py)",
        "scored": "gap: loss above the Town's own, nats a token, on held-out stories; valid and consistent: "
        "the Town's verdict on stories that it writes, at two temperatures",
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    if not distributed.is_first():
        return card
    checkpoints.save_checkpoint(NAME, model, card, folder, tokenizers=[WORDS])
    stored = load(folder)
    card["metrics"] = {key: round(value, 4) for key, value in measure(stored).items()}
    checkpoints.save_checkpoint(NAME, stored, card, folder, tokenizers=[WORDS])
    return card
