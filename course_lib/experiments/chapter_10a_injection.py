"""Chapter 10a: who gives orders to an assistant? Attacks in a story and in a tool's result, and defences.

The shipped assistant goes on learning for a few steps, twice: from chats as before, and from the same chats
of which some hold an attack and the answer that ignores it. Then both are attacked, the first one also behind
defences that need no training. Some attacks are of a sort, in words, or in a place that was never trained.
"""

from functools import cache, partial
from itertools import islice

from course_lib.data.town import stories
from course_lib.data.town.questions import STORY_KINDS, Asked, ask, ask_sums
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models.gpt import GPT
from course_lib.tasks.assistant import rows, stages, training
from course_lib.tasks.assistant.attacks import ATTACKS, KINDS, Attack
from course_lib.tasks.assistant.defences import SHARE, clean_result, defended_conversations
from course_lib.tasks.assistant.injection import Rate, attack_rates, encode_spelled
from course_lib.text.chat import ChatRow
from course_lib.training.optim import MuonAndAdamW
from course_lib.training.recipe import train_in_stages, vary

SEEDS = (0, 1, 2)
STEPS, LIVE_STEPS = 150, 40
QUESTIONS, SUMS, STORIES = 4_500, 700, 250  # to go on learning from: about 2,450 chats and stories
LEARNT_SEED, ATTACKED_SEED = 50, 60
ATTACKED = 60  # questions about stories, and as many sums, for each attack
RECIPE = vary(  # a constant rate, much below that of instruction tuning
    training.RECIPE, steps=STEPS, schedule=None, optimizer=MuonAndAdamW(muon_lr=0.002, lr=8e-4)
)
DEFENCES = ("none", "markers by id", "clean results", "trained", "all three")


def injection_rows(seed: int, steps: int) -> list[Row]:
    """Each attack against each defence."""
    budgets = (LIVE_STEPS, STEPS) if steps == STEPS else (steps,)
    found = [{}, {}]
    for rates, defended in zip(found, (False, True), strict=True):
        model = stages.load("sft")
        recipe = vary(RECIPE, seed=seed, steps=steps)
        for step, _ in train_in_stages(model, recipe, training.task(learnt(seed, defended)), budgets):
            rates[step] = trained_rates(model, seed) if defended else untrained_rates(model, seed)
    return [
        {"seed": seed, "step": step, "defence": defence, "attack": attack, **rounded(rate._asdict())}
        for step in budgets
        for defence, rates in (found[0][step] | found[1][step]).items()
        for attack, rate in rates.items()
    ]


@cache
def learnt(seed: int, defended: bool) -> list[ChatRow]:
    """Chats and some plain stories; the same with attacks in them."""
    start = LEARNT_SEED + seed
    asked = ask(QUESTIONS, start, kinds=STORY_KINDS, per_story=training.PER_STORY)
    asked += ask_sums(SUMS, start, digits=training.DIGITS)
    chats = defended_conversations(asked, start, share=SHARE if defended else 0)
    plain = [training.story_row(story) for story in islice(stories(STORIES, start + 100), STORIES)]
    return rows(chats, RECIPE.model.max_len + 1) + plain


@cache
def attacked(seed: int) -> tuple[Asked, ...]:
    """What is asked while somebody attacks: new stories and new sums, all with an answer."""
    start = ATTACKED_SEED + seed
    about = (one for one in ask(2 * ATTACKED + 10, start, kinds=KINDS) if one.known)
    return (*islice(about, ATTACKED), *ask_sums(ATTACKED, start, with_answer=True))


def untrained_rates(model: GPT, seed: int) -> dict[str, dict[str, Rate]]:
    """Defence → attack → rate of a model that has never been attacked."""
    rate = partial(attack_rates, model, asked=attacked(seed), seed=seed)
    none = rate(ATTACKS, encode=encode_spelled)
    by_id = none | rate(held_by("markers"))  # nothing changes where nobody types a marker
    clean = none | rate(held_by("markers", "result"), encode=encode_spelled, clean=clean_result)
    return {"none": none, "markers by id": by_id, "clean results": clean}


def trained_rates(model: GPT, seed: int) -> dict[str, dict[str, Rate]]:
    """The same of one that was trained against attacks."""
    rate = partial(attack_rates, model, asked=attacked(seed), seed=seed)
    alone = rate(ATTACKS, encode=encode_spelled)
    return {"trained": alone, "all three": alone | rate(held_by("markers", "result"), clean=clean_result)}


def held_by(*places: str) -> dict[str, Attack]:
    """The attacks that stand there."""
    return {name: attack for name, attack in ATTACKS.items() if attack.held_by in places}


EXPERIMENTS = (
    Experiment(
        "injection",
        "How often does an assistant follow an attacker, and what do defences change?",
        injection_rows,
        group="defence",
        measure="followed",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.05,
    ),
)
