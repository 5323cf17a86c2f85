"""The stages of an assistant, as the course ships them: each is the one before it, taught one thing more.

base    tells stories; it has rows for the new words and has never seen a chat
sft     answers: instruction tuning of every parameter
dpo     answers as people here like it: an adapter on sft
grpo    is right more often: an adapter on sft, begun as a copy of that of dpo
"""

from dataclasses import asdict
from pathlib import Path

from course_lib import checks
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import preferring, scoring, training
from course_lib.tasks.assistant.words import WORDS
from course_lib.training import checkpoints
from course_lib.training.adapters import load_adapter
from course_lib.training.recipe import Recipe, train

STAGES = ("base", "sft", "dpo", "grpo")
SUMS = {"sums": (1, 4), "longer sums": (7, 7)}  # digits of a number; the longer ones were never trained
NAMES = {stage: f"assistant-{stage}" for stage in STAGES[1:]}  # of the checkpoints


def load(stage: str = "sft", folder: Path = checkpoints.FOLDER) -> GPT:
    """A shipped stage, ready to use, in evaluation mode.

    Args:
        stage: one of STAGES.
        folder: where the checkpoints are.

    Raises:
        ValueError: another stage, a damaged file, or one that was trained on other ids.
        FileNotFoundError: it is not there.
    """
    checks.one_of("stage", stage, STAGES)
    if stage == "base":
        return training.base().eval()
    model = training.config().build()
    checkpoints.load_weights(NAMES["sft"], model, folder, tokenizers=[WORDS])
    if stage != "sft":
        load_adapter(NAMES[stage], model, folder, called=stage, tokenizers=[WORDS])
    return model.eval()


def measure(model: GPT) -> dict[str, float]:
    """What a card says of a stage: exact match and refusals on held-out questions, sums, what was forgotten."""
    found = scoring.score(model)
    metrics = {name: value for name, value in found._asdict().items() if name != "kinds"} | found.kinds
    for name, digits in SUMS.items():
        metrics[name] = scoring.sums_right(model, scoring.held_out_sums(digits=digits))
    liked = preferring.preferred(model)
    metrics |= {f"preferred {name}": share for name, share in liked.items()}
    metrics |= {"story gap": scoring.story_gap(model), "story KL": scoring.story_kl(model, training.base())}
    return {name: round(value, 4) for name, value in metrics.items()}


def measured(stage: str, folder: Path = checkpoints.FOLDER) -> dict[str, float]:
    """What the card of a shipped stage says of it."""
    return checkpoints.load_card(NAMES[stage], folder)["metrics"]


# ---------------------------------------------------------------- how they are made


def ship_sft(
    work: Path,
    folder: Path = checkpoints.FOLDER,
    recipe: Recipe = training.SHIPPED,
    n_questions: int = training.SHIPPED_QUESTIONS,
) -> dict:
    """Train, store, measure with the stored parameters, and write the card; goes on where it was stopped.

    Args:
        work: where unfinished training is kept.
        folder: where the checkpoint goes.
        recipe: what to train.
        n_questions: about stories, that it learns from.

    Returns:
        the card.
    """
    name, model = NAMES["sft"], training.base()

    def report(step: int, loss: float) -> None:
        if step % 250 == 0:
            print(f"step {step:6,} of {recipe.steps:,} · loss {loss:.3f} nats a token", flush=True)

    learnt = training.task(training.examples(n_questions))
    history = train(model, recipe, learnt, on_step=report, save_to=work / f"{name}.state")
    card = {
        "what": "answers questions about stories of Tiny Town, and sums with a calculator",
        "command": f"python -m course_lib train {name}",
        "data": f"{n_questions:,} questions, sums and plain stories (course_lib/tasks/assistant/training.py)",
        "scored": "shares of held-out questions and sums (course_lib/tasks/assistant/stages.py, measure)",
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    checkpoints.save_checkpoint(name, model, card, folder, tokenizers=[WORDS])
    stored = load("sft", folder)
    card["metrics"] = measure(stored)
    checkpoints.save_checkpoint(name, stored, card, folder, tokenizers=[WORDS])
    return card
