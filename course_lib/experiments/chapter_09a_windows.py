"""Chapter 09a: how far back must a model see?

The same small GPT learns stories of Tiny Town with windows of several lengths. What has left the window
cannot be known: who is where, and who holds what.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from course_lib.data import town
from course_lib.experiments.chapter_09a import HELD_OUT, SEEDS, SMALL, STORIES, scheduled, trained
from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.models import evaluating
from course_lib.models.gpt import GPT
from course_lib.tasks import town_gpt
from course_lib.tasks.town_gpt.stories import MAX_LEN, TRAINING_SEED
from course_lib.text.batching import batches_by_length, endless, pad
from course_lib.training.objectives import IGNORE, token_loss
from course_lib.training.recipe import Recipe, Task, vary

WINDOWS = (16, 32, 64, MAX_LEN)  # tokens
WINDOW_STEPS = 400
JUDGED = 200  # stories


def window_rows(seed: int, steps: int) -> list[Row]:
    """Each window, at equal steps of about as many tokens."""
    return [window_row(window, seed, steps) for window in WINDOWS]


def window_row(window: int, seed: int, steps: int) -> Row:
    """One window: the gap, and what the model tells."""
    recipe = scheduled(vary(SMALL, seed=seed, max_len=window), steps)
    model = trained(recipe, Task(pieces, town_gpt.next_word_loss))
    told = town_gpt.write(model, JUDGED, temperature=0.7, seed=seed)
    found = {"gap": windowed_gap(model), "right": right_sentences(told)}
    found |= town_gpt.judge(told)._asdict()
    return {"seed": seed, "step": steps, "window": window} | rounded(found)


def pieces(recipe: Recipe) -> Iterator[Tensor]:
    """Batches of pieces of stories, no longer than the model's window, `(B, T + 1)`; whole where they fit.

    Each story is cut from a random place on, so that each of its words is seen after more and after less.
    """
    window, generator = recipe.model.max_len, torch.Generator().manual_seed(recipe.seed)
    stories = town_gpt.encoded(STORIES, TRAINING_SEED)

    def epoch() -> Iterator[list[list[int]]]:
        cut = []
        for ids in stories:
            first = 0 if len(ids) <= window + 1 else int(torch.randint(window, (), generator=generator))
            starts = sorted({0, *range(first, len(ids) - 1, window)})
            ends = [*starts[1:], len(ids) - 1]
            cut += [ids[start : end + 1] for start, end in zip(starts, ends, strict=True)]
        size = round(recipe.batch_size * len(cut) / len(stories))  # as many tokens as in whole stories
        for rows in batches_by_length(list(map(len, cut)), size, generator):
            yield [cut[i] for i in rows]

    for rows in endless(epoch):
        yield pad(rows)


def windowed_gap(model: GPT, n: int = HELD_OUT) -> float:
    """The gap where each word is guessed from as many words before it as the window holds."""
    window, told = model.config.max_len, town_gpt.stories(n)
    contexts, labels = [], []
    for story in told:
        ids = town_gpt.WORDS.encode(story.english_tokens, bos=True, eos=True)
        if len(ids) <= window + 1:  # one row holds all of its beginnings
            contexts.append(ids[:-1])
            labels.append(ids[1:])
            continue
        contexts.append(ids[:window])
        labels.append(ids[1 : window + 1])
        for end in range(window + 1, len(ids)):
            contexts.append(ids[end - window : end])
            labels.append([IGNORE] * (window - 1) + [ids[end]])
    nats = counted = 0.0
    with evaluating(model):
        for rows in batches_by_length(list(map(len, contexts)), max(1, 8192 // window)):
            wanted = pad([labels[i] for i in rows], IGNORE)
            n_counted = int((wanted != IGNORE).sum())
            logits, _ = model(pad([contexts[i] for i in rows]))
            nats += token_loss(logits, wanted).item() * n_counted
            counted += n_counted
    return nats / counted - town_gpt.floor(told)


def right_sentences(told: Sequence[Sequence[str]]) -> float:
    """How many sentences a story has before the first one that is wrong, on average."""
    ends = []
    for tokens in told:
        verdict = town.score(tuple(tokens))
        right = tokens if verdict.position is None else tokens[: verdict.position]
        ends.append(right.count("."))
    return sum(ends) / len(ends)


EXPERIMENTS = (
    Experiment(
        "context-length",
        "How far back must a model see to tell a story?",
        window_rows,
        group="window",
        measure="gap",
        seeds=SEEDS,
        steps=WINDOW_STEPS,
        live_steps=WINDOW_STEPS,
        tolerance=0.05,
        short_steps=40,
    ),
)
