"""Chapter 10a: what instruction tuning buys, what the loss mask and plain stories are for, what a tool is.

`right` is the share of held-out questions answered exactly; `gap` is the loss on plain stories above the
Town's own, nats a token: what was forgotten.
"""

from functools import cache

from course_lib.data.town import questions
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import Reply, chats, scoring, training
from course_lib.text.chat import ChatRow, Turn
from course_lib.text.chat_rows import stack_chats
from course_lib.training.objectives import answer_loss
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import train, train_in_stages, vary

SEEDS = (0, 1, 2)
CLEAR = {"short": 0.6, "whole": 0.4}  # styles, without fillers

# ---------------------------------------------------------------- what more steps buy

SFT_STEPS, MEASURED_AT = 1200, (200, 400, 800, 1200)
SFT_SCHEDULE = WarmupStableDecay(20, 400, SFT_STEPS)


QUESTIONS, PLAIN = 96_000, 0.1
TUNED, QUESTION_ONLY = "tuned", "sees the question alone"


@cache
def story_examples() -> list[ChatRow]:
    """Chats about stories alone, short answers and whole ones."""
    return training.examples(QUESTIONS, sums=0.0, plain=PLAIN, styles=CLEAR, kinds=questions.STORY_KINDS)


def sft_rows(seed: int, steps: int) -> list[Row]:
    """The base itself, then instruction tuning on the way, and who learns from the same questions alone."""
    model = training.base(seed=seed)
    recipe = vary(
        training.RECIPE, seed=seed, steps=steps, schedule=lambda done: SFT_SCHEDULE(done * steps / SFT_STEPS)
    )
    rows = [{"seed": seed, "step": 0, "what": TUNED} | _scores(model)]
    stages = [step for step in MEASURED_AT if step < steps] + [steps]
    for step, _ in train_in_stages(model, recipe, training.task(story_examples()), stages):
        rows.append({"seed": seed, "step": step, "what": TUNED} | _scores(model))
        rows.append({"seed": seed, "step": step, "what": QUESTION_ONLY} | _question_only(step))
    return rows


def _scores(model: GPT) -> Row:
    return _columns(scoring.score(model)) | rounded({"gap": scoring.story_gap(model)})


def _columns(found: scoring.Score) -> Row:
    kinds = {f"right, {kind}": share for kind, share in found.kinds.items()}
    said = {"right": found.right, "other_forms": found.other_forms, "refused": found.refused}
    return rounded(said | {"falsely": found.falsely} | kinds)


@cache
def _question_only(step: int) -> Row:
    """Who has never seen a story: from as many questions as were read by then."""
    read = round(step * training.RECIPE.batch_size * (1 - PLAIN)) * training.PER_STORY
    learnt = questions.ask(
        min(read, QUESTIONS),
        training.TRAINING_SEED,
        kinds=questions.STORY_KINDS,
        per_story=training.PER_STORY,
    )
    said = questions.by_question(learnt, scoring.held_out())
    replies = [Reply((Turn("assistant", " ".join(words)),), "answer") for words in said]
    return _columns(scoring.summed(scoring.held_out(), replies))


def _falling(steps: int) -> WarmupStableDecay:
    """A short rise, then down to 0 all the way."""
    warmup = min(10, steps // 2)
    return WarmupStableDecay(warmup, steps - warmup, steps)


# ---------------------------------------------------------------- the mask, and stories in between

CHOICE_STEPS = 300
CHOICES = {  # which tokens count; share of plain stories
    "answers only": (True, 0.15),
    "every token": (False, 0.15),
    "answers only, no stories": (True, 0.0),
}


@cache
def mixed_examples(plain: float) -> list[ChatRow]:
    """What is read with this share of plain stories; as many chats with any."""
    return training.examples(24_000, sums=0.0, plain=plain, styles=CLEAR, kinds=questions.STORY_KINDS)


def choice_rows(seed: int, steps: int) -> list[Row]:
    """Each choice at equal steps."""
    return [choice_row(name, seed, steps) for name in CHOICES]


def choice_row(name: str, seed: int, steps: int) -> Row:
    """One choice."""
    masked, plain = CHOICES[name]
    model = training.base(seed=seed)
    recipe = vary(training.RECIPE, seed=seed, steps=steps, schedule=_falling(steps))
    train(model, recipe, training.task(mixed_examples(plain), masked=masked))
    found = scoring.score(model)
    answers = answers_loss(model)
    gap = scoring.story_gap(model)
    kept = {"right": found.right, "refused": found.refused, "answer_loss": answers, "gap": gap}
    return {"seed": seed, "step": steps, "choice": name} | rounded(kept)


@cache
def _held_out_chats() -> tuple:
    asked = scoring.held_out()
    return stack_chats(chats.rows(chats.conversations(asked, 1, styles=CLEAR)))[:2]


def answers_loss(model: GPT) -> float:
    """The loss on held-out answers alone, nats a token, however the model was trained."""
    with evaluating(model):
        return answer_loss(model, _held_out_chats()).item()


# ---------------------------------------------------------------- with a tool, and by heart

TOOL_STEPS, TRAINED_DIGITS = 1000, (1, 3)
ASKED_DIGITS = {"right": (1, 2), "three digits": (3, 3), "four digits": (4, 4)}  # four were never trained


def tool_rows(seed: int, steps: int) -> list[Row]:
    """The same sums, worked out by a call and by heart."""
    return [tool_row(name, seed, steps) for name in ("with the tool", "by heart")]


def tool_row(name: str, seed: int, steps: int) -> Row:
    """One of the two."""
    tools = name == "with the tool"
    asked = questions.ask_sums(32 * TOOL_STEPS, training.TRAINING_SEED, digits=TRAINED_DIGITS)
    learnt = chats.rows(chats.conversations(asked, training.TRAINING_SEED, styles=CLEAR, tools=tools))
    model = training.base(seed=seed)
    recipe = vary(training.RECIPE, seed=seed, steps=steps, schedule=_falling(steps))
    train(model, recipe, training.task(learnt))
    found = {
        column: scoring.sums_right(model, scoring.held_out_sums(digits=digits), tools=tools)
        for column, digits in ASKED_DIGITS.items()
    }
    return {"seed": seed, "step": steps, "how": name} | rounded(found)


EXPERIMENTS = (
    Experiment(
        name="sft",
        question="How many held-out questions does instruction tuning answer, after how many steps?",
        rows=sft_rows,
        group="what",
        measure="right",
        seeds=SEEDS,
        steps=SFT_STEPS,
        live_steps=200,
        tolerance=0.05,
    ),
    Experiment(
        name="answers-only",
        question="What does a loss on every token change, and what do plain stories between the chats?",
        rows=choice_rows,
        group="choice",
        measure="right",
        seeds=SEEDS,
        steps=CHOICE_STEPS,
        live_steps=CHOICE_STEPS,
        tolerance=0.05,
    ),
    Experiment(
        name="tools",
        question="Are sums right more often with a calculator than by heart?",
        rows=tool_rows,
        group="how",
        measure="right",
        seeds=SEEDS,
        steps=TOOL_STEPS,
        live_steps=TOOL_STEPS,
        tolerance=0.1,
    ),
)
