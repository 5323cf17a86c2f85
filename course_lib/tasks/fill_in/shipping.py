"""The BERT that comes with the course: how it is made, measured and loaded."""

from dataclasses import asdict
from pathlib import Path

from course_lib.models.bert import Bert, BertConfig
from course_lib.tasks.fill_in.scores import BASELINES, baseline, filled, held_out, nsp_accuracy, pronouns
from course_lib.tasks.fill_in.stories import AGAIN, GRAMMAR, RECIPE, STORIES, WORDS, stories, task
from course_lib.training import checkpoints
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import Recipe, new_model, train, vary

NAME = "bert"
SHIPPED_STORIES = 60_000
SHIPPED = vary(  # 0.9 million parameters: 1.7 MB in half precision
    RECIPE,
    d_model=128,
    n_layers=4,
    d_ff=512,
    steps=5_000,
    lr=1.5e-3,
    schedule=WarmupThenCosine(0.05, 0.01),
)


def load(folder: Path = checkpoints.FOLDER) -> Bert:
    """The shipped BERT, ready to use.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a damaged file, or one that was trained on other ids.
    """
    card = checkpoints.load_card(NAME, folder)
    if card.get("tokenizer") != WORDS.fingerprint:
        raise ValueError(
            f"{NAME}.json was made with tokenizer {card.get('tokenizer')}, expected {WORDS.fingerprint}: "
            f"its ids mean other words today; make it again with `python -m course_lib train {NAME}`"
        )
    model = BertConfig(**card["config"]).build()
    checkpoints.load_weights(NAME, model, folder)
    return model


def measure(model: Bert, n: int = 1_000, n_counted: int = STORIES) -> dict[str, float]:
    """Accuracy at `[MASK]`, at pairs and at pronouns, on held-out stories; and guesses without a model.

    Args:
        model: a trained model.
        n: held-out stories.
        n_counted: training stories whose neighbours the guesses count.
    """
    blanks = held_out(n)
    found, told = filled(model, blanks), pronouns(model, stories(n))
    metrics = {
        "masked_loss": found.loss,
        "masked_accuracy": found.accuracy,
        "next_accuracy": nsp_accuracy(model, n),
        "pronoun_accuracy": told.pronoun,
        "pronoun_of_the_nearest_name": told.pronoun_nearest,
        "name_accuracy": told.name,
        "nearest_name": told.name_nearest,
    }
    return metrics | {
        f"{kind.replace(' ', '_')}_accuracy": baseline(kind, blanks, n_counted).accuracy for kind in BASELINES
    }


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
        the card.
    """
    model = new_model(recipe)

    def report(step: int, loss: float) -> None:
        if step % 250 == 0:
            print(f"step {step:6,} of {recipe.steps:,} · loss of words and pairs {loss:.3f} nats", flush=True)

    history = train(model, recipe, task(n_stories), on_step=report, save_to=work / f"{NAME}.state")
    card = {
        "what": "fill in blanks, and say whether a text follows, in stories of Tiny Town: a small BERT",
        "command": f"python -m course_lib train {NAME}",
        "data": f"{n_stories:,} stories of {min(GRAMMAR.sentences)} to {max(GRAMMAR.sentences)} sentences, "
        f"and up to {AGAIN} that say something again (course_lib/tasks/fill_in/stories.py)",
        "scored": "on held-out stories with [MASK] at 15 % of the words; names and pronouns: each he and she "
        "hidden by itself",
        "tokenizer": WORDS.fingerprint,
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    checkpoints.save_checkpoint(NAME, model, card, folder)
    stored = load(folder)
    card["metrics"] = {key: round(value, 4) for key, value in measure(stored).items()}
    checkpoints.save_checkpoint(NAME, stored, card, folder)
    return card
