"""The stages of an assistant, as the course ships them: each is the one before it, taught one thing more.

base    tells stories; it has rows for the new words and has never seen a chat
sft     answers: instruction tuning of every parameter
dpo     answers as people here like it: an adapter on sft
grpo    is right more often: an adapter on sft, begun as a copy of that of dpo
"""

from pathlib import Path

from course_lib import checks
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import training
from course_lib.tasks.assistant.words import WORDS
from course_lib.tasks.stage_names import STAGES
from course_lib.training import checkpoints
from course_lib.training.adapters import load_adapter

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
    model = training.RECIPE.model.build()
    checkpoints.load_weights(NAMES["sft"], model, folder, tokenizers=[WORDS])
    if stage != "sft":
        load_adapter(NAMES[stage], model, folder, called=stage, tokenizers=[WORDS])
    return model.eval()


def measured(stage: str, folder: Path = checkpoints.FOLDER) -> dict[str, float]:
    """What the card of a shipped stage says of it."""
    return checkpoints.load_card(NAMES[stage], folder)["metrics"]
