"""Instruction tuning (SFT): the Town's GPT learns to answer. Where it begins, what it reads, how it learns.

base        the Town's GPT with rows for the new words; it has never seen a chat
examples    chats about stories, sums with their calls, and some plain stories against forgetting
task        batches of these; the loss counts what the model has to write
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

import torch
from torch import Tensor, nn

from course_lib import checks
from course_lib.data.town import questions, stories
from course_lib.models.gpt import GPT
from course_lib.models.gpt_words import extended
from course_lib.tasks import town_gpt
from course_lib.tasks.assistant.chats import MIXED, conversations, rows
from course_lib.tasks.assistant.words import WORDS
from course_lib.text.batching import batches_by_length, endless
from course_lib.text.chat import ChatRow
from course_lib.text.chat_rows import stack_chats
from course_lib.text.tokenizers import PAD_ID
from course_lib.training.objectives import answer_loss
from course_lib.training.optim import MuonAndAdamW, WarmupStableDecay
from course_lib.training.recipe import Recipe, Task, vary

QUESTIONS = 24_000
PER_STORY = 3  # questions
TRAINING_SEED = 10
SUMS, STORIES = 0.25, 0.15  # of all rows
DIGITS = 1, 6  # of a number in a sum

RECIPE = Recipe(  # a minute; a page varies it
    replace(town_gpt.RECIPE.model, vocab_size=len(WORDS)),
    steps=200,
    batch_size=32,
    lr=4e-3,
    schedule=WarmupStableDecay(10, 190, 200),
    optimizer=MuonAndAdamW(muon_lr=0.01, lr=4e-3),
)
LONGEST = RECIPE.model.max_len + 1  # ids in a row
SHIPPED = vary(RECIPE, steps=6_000, schedule=WarmupStableDecay(20, 2_000, 6_000))
SHIPPED_QUESTIONS = 240_000


def base(model: GPT | None = None, seed: int = 0) -> GPT:
    """The Town's GPT with rows for the words of questions, sums and chats; trained on stories alone.

    Args:
        model: your own GPT of the Town; None: the shipped one. It stays as it is.
        seed: of the new rows.

    Raises:
        ValueError: a model with another vocabulary.
    """
    model = town_gpt.load() if model is None else model
    if model.config.vocab_size != len(town_gpt.WORDS):
        raise ValueError(
            f"model has {model.config.vocab_size} words, expected {len(town_gpt.WORDS)}, those of the Town: "
            "does it answer already?"
        )
    return extended(model, len(WORDS), generator=torch.Generator().manual_seed(seed))


def examples(
    n: int = QUESTIONS,
    seed: int = TRAINING_SEED,
    *,
    sums: float = SUMS,
    plain: float = STORIES,
    styles: Mapping[str, float] = MIXED,
    kinds: Sequence[str] = questions.KINDS,
    tools: bool = True,
    digits: tuple[int, int] = DIGITS,
) -> list[ChatRow]:
    """What is read: a row a story with its questions, a row a sum, a row a plain story.

    In a third of the chats about stories a sum is asked, too.

    Args:
        n: questions about stories, three a story.
        seed: of all draws.
        sums: their share of all rows.
        plain: share of plain stories, in which every token counts, as in pretraining.
        styles: how answers are said.
        kinds: of questions.
        tools: sums are worked out by a call.
        digits: the fewest and the most digits of a number in a sum.

    Raises:
        ValueError: shares that are none, or leave nothing for questions.
    """
    checks.share("sums", sums)
    checks.share("plain", plain)
    if sums + plain >= 1:
        raise ValueError(f"sums is {sums} and plain {plain}, expected less than 1 together")
    asked = questions.ask(n, seed, kinds=kinds, per_story=min(PER_STORY, len(kinds)))
    n_chats = len({one.number for one in asked})
    total = n_chats / (1 - sums - plain)
    alone = questions.ask_sums(round(total * sums), seed, digits=digits)
    between = questions.ask_sums(n_chats if sums else 0, seed + 1, digits=(digits[0], min(digits[1], 3)))
    chats = conversations([*asked, *alone], seed, styles=styles, tools=tools, between=between)
    return rows(chats, LONGEST) + [story_row(story) for story in stories(round(total * plain), seed + 1)]


def kept_rows(n: int, seed: int) -> list[ChatRow]:
    """What later stages mix in: sums alone, sums behind a story, plain stories, a third each, in turn.

    Args:
        n: rows.
        seed: of all draws.
    """
    each = n // 3 + 1 + n // 20  # a few stories are too long for a sum behind them
    alone = questions.ask_sums(each, seed, digits=DIGITS)
    behind = questions.ask_sums(each, seed + 1, digits=(DIGITS[0], 3))
    told = questions.ask(each, seed, kinds=questions.STORY_KINDS)
    behind = [one._replace(story=other.story) for one, other in zip(behind, told, strict=True)]
    plain = [story_row(story) for story in stories(each, seed + 1)]
    made = [rows(conversations(some, seed)) for some in (alone, behind)] + [plain]
    return [row for three in zip(*made, strict=True) for row in three if len(row.ids) <= LONGEST][:n]


def story_row(story) -> ChatRow:
    """A story as the base has read it: every token counts but the first."""
    ids = WORDS.encode(story.english_tokens, bos=True, eos=True)
    return ChatRow(ids, [False] + [True] * (len(ids) - 1))


@cache
def shared_examples() -> list[ChatRow]:
    """`examples` as they are when nothing is asked for, made once."""
    return examples()


def batches(recipe: Recipe, learnt: Sequence[ChatRow] | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Epoch after epoch of ids and flags, `(B, T + 1)` each, in an order that the recipe's seed decides."""
    learnt = shared_examples() if learnt is None else learnt
    generator = torch.Generator().manual_seed(recipe.seed)
    lengths = [len(row.ids) for row in learnt]
    for chosen in endless(partial(batches_by_length, lengths, recipe.batch_size, generator)):
        made = stack_chats([learnt[i] for i in chosen])
        yield made.ids, made.answer


def everything_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The loss with the mask lost: every token counts, the user's and the tool's, too."""
    ids, _ = batch
    told = ids != PAD_ID
    told[:, 0] = False
    return answer_loss(model, (ids, told))


def task(learnt: Sequence[ChatRow] | None = None, *, masked: bool = True) -> Task:
    """Learn to answer.

    Args:
        learnt: from `examples`; None: the usual ones.
        masked: only what the model has to write counts; False: every token, as when the mask is lost.
    """
    return Task(partial(batches, learnt=learnt), answer_loss if masked else everything_loss)
