"""How the stages are made, measured and stored; `python -m course_lib train assistant-sft` and the rest."""

from dataclasses import asdict
from pathlib import Path

from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import aligning, preferring, rewards, scoring, training
from course_lib.tasks.assistant.stages import NAMES, load
from course_lib.tasks.assistant.words import WORDS
from course_lib.training import checkpoints
from course_lib.training.adapters import save_adapter
from course_lib.training.recipe import Recipe, train

DPO = aligning.Preferring()
GRPO = aligning.Rewarding(steps=300, lr=5e-4, mix=24)
SCORED = "shares of held-out questions and sums (course_lib/tasks/assistant/shipping.py, measure)"


def measure(model: GPT) -> dict[str, float]:
    """What a card says of a stage: exact match on held-out questions, refusals, sums, what was forgotten."""
    found = scoring.score(model)
    metrics = {name: value for name, value in found._asdict().items() if name != "kinds"} | found.kinds
    metrics["sums"] = scoring.sums_right(model, scoring.held_out_sums(digits=training.DIGITS))
    metrics["longer sums"] = scoring.sums_right(model, scoring.longer_sums())
    after = scoring.after_stories(scoring.held_out_sums(digits=(1, 2)))
    metrics["sums after a story"] = scoring.sums_right(model, after)
    liked = preferring.preferred(model)
    metrics |= {f"preferred {name}": share for name, share in liked.items()}
    metrics |= {"story gap": scoring.story_gap(model), "story KL": scoring.story_kl(model, training.base())}
    return {name: round(value, 4) for name, value in metrics.items()}


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
        "scored": SCORED,
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    checkpoints.save_checkpoint(name, model, card, folder, tokenizers=[WORDS])
    stored = load("sft", folder)
    card["metrics"] = measure(stored)
    checkpoints.save_checkpoint(name, stored, card, folder, tokenizers=[WORDS])
    return card


def ship_dpo(work: Path, folder: Path = checkpoints.FOLDER, how: aligning.Preferring = DPO) -> dict:
    """Learn preferences on top of the stored `sft`; a minute, so nothing is kept on the way."""
    model = load("sft", folder)
    aligning.learn_preferences(model, how)
    what = "the same, said in one whole sentence: an adapter on assistant-sft, made with DPO"
    return _store("dpo", model, folder, {"what": what, "recipe": asdict(how)})


def ship_grpo(work: Path, folder: Path = checkpoints.FOLDER, how: aligning.Rewarding = GRPO) -> dict:
    """Learn from a checkable reward on top of the stored `dpo`; minutes, so nothing is kept on the way."""
    model = load("dpo", folder)

    def report(step, done, _) -> None:
        if step % 20 == 0:
            print(f"step {step} of {how.steps} · reward {done.reward:.2f} · KL {done.kl:.3f}", flush=True)

    aligning.learn_from_rewards(model, rewards.as_liked, how, start="dpo", on_step=report)
    what = "the same, with fewer false refusals: an adapter on assistant-sft, begun as dpo, made with GRPO"
    return _store("grpo", model, folder, {"what": what, "recipe": asdict(how)})


def _store(stage: str, model: GPT, folder: Path, told: dict) -> dict:
    """Store the adapter of a stage, measure what is stored, and write the card."""
    name = NAMES[stage]
    adapter = aligning.taken_out(model, stage)
    card = told | {"command": f"python -m course_lib train {name}", "scored": SCORED}
    card |= {"seed": told["recipe"]["seed"], "steps": told["recipe"]["steps"]}
    save_adapter(name, model, adapter, card, folder, tokenizers=[WORDS])
    card["metrics"] = measure(load(stage, folder))
    save_adapter(name, model, adapter, card, folder, tokenizers=[WORDS])
    return card
