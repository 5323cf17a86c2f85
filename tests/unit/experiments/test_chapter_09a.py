"""What chapter 09a's experiments are made of: orders, pieces, windows, kinds of mistakes, leaks."""

from collections import Counter
from itertools import islice, pairwise

import pytest
import torch

from course_lib.data import town
from course_lib.experiments import chapter_09a as page
from course_lib.experiments import chapter_09a_packed as packed
from course_lib.experiments import chapter_09a_training as training
from course_lib.experiments import chapter_09a_windows as windows
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.tasks.town_gpt.stories import TRAINING_SEED
from course_lib.text.packing import pack
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.recipe import new_model, vary


def words(rows):
    """Rows of a batch without their padding."""
    return [[i for i in row if i != PAD_ID] for row in rows.tolist()]


def test_the_page_s_schedule_is_the_same_one_for_other_budgets():
    recipe = town_gpt.RECIPE
    assert page.scheduled(recipe, recipe.steps) == recipe
    for steps in (2, 5, 30, *page.BUDGETS):
        schedule = page.scheduled(recipe, steps).schedule
        assert max(schedule(step / steps) for step in range(steps)) == 1 and schedule(1.0) == 0


@pytest.mark.parametrize("order", training.ORDERS)
def test_every_order_has_each_story_once_in_an_epoch(order):
    batches = training.in_order(vary(page.SMALL, seed=3), order)
    first, second = (list(islice(batches, training.EPOCH)) for _ in range(2))
    known = sorted(town_gpt.encoded(training.N_STORIES, TRAINING_SEED))
    for epoch in (first, second):
        assert sorted(row for batch in epoch for row in words(batch)) == known
    same = all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    assert same == (order != "shuffled")
    lengths = [(batch != PAD_ID).sum(1) for batch in first]
    rising = all(a.max() <= b.min() for a, b in pairwise(lengths))
    assert rising == (order == "by length")
    firsts = [batch[:, 1].tolist() for batch in first]
    assert (order == "by first word") == (max(len(set(some)) for some in firsts) < 8)


@pytest.mark.parametrize("window", [8, 32, 192])
def test_pieces_hold_each_word_once_and_fit_the_window(window, monkeypatch):
    monkeypatch.setattr(windows, "STORIES", 300)
    known = town_gpt.encoded(300, TRAINING_SEED)
    counted, labels, sizes = 0, Counter(), []
    for batch in windows.pieces(vary(page.SMALL, max_len=window)):
        rows = words(batch)
        assert all(2 <= len(row) <= window + 1 for row in rows)
        labels.update(i for row in rows for i in row[1:])
        sizes.append(sum(len(row) - 1 for row in rows))
        counted += sizes[-1]
        if counted >= sum(len(ids) - 1 for ids in known):
            break
    assert labels == Counter(i for ids in known for i in ids[1:])
    mean = sum(len(ids) - 1 for ids in known) / 300
    assert sum(sizes) / len(sizes) == pytest.approx(page.SMALL.batch_size * mean, rel=0.12)


def test_a_window_that_holds_all_is_the_usual_gap_and_a_short_one_is_read_word_by_word():
    whole = new_model(page.SMALL)
    assert windows.windowed_gap(whole, 20) == pytest.approx(town_gpt.gap(whole, 20), abs=1e-5)
    short, told = new_model(vary(page.SMALL, max_len=8)), town_gpt.stories(5)
    nats = n = 0
    for story in told:
        ids = [BOS_ID, *town_gpt.WORDS.encode(story.english_tokens), EOS_ID]
        for end in range(1, len(ids)):
            with torch.no_grad():
                scores = short(torch.tensor([ids[max(0, end - 8) : end]]))[0][0, -1]
            nats -= scores.log_softmax(-1)[ids[end]].item()
            n += 1
    assert windows.windowed_gap(short, 5) == pytest.approx(nats / n - town_gpt.floor(told), abs=1e-4)


def test_kinds_of_mistakes_and_sentences_before_the_first_one():
    [story] = town.stories(1, 5)
    right = list(story.english_tokens)
    assert set(page.kinds([right]).values()) == {0.0}
    sentences = right.count(".")
    assert windows.right_sentences([right]) == sentences
    broken = [*right[:-1], "the", "."]  # the last sentence ends wrong
    found = page.kinds([right, broken])
    assert found["no sentence"] == 0.5 and sum(found.values()) == 0.5
    assert windows.right_sentences([right, broken]) == sentences - 0.5
    short = right[: right.index(".") + 1]
    assert page.kinds([short])["how many sentences"] == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("sentence 2, word 14: found 'the', expected 'a' to agree with the words around it", "no sentence"),
        ("9 sentences, expected one of 4, 5, 6, 7, 8", "how many sentences"),
        ("sentence 3: the story knows no red drum", "no such thing"),
        ("sentence 3: the story knows more than one drum", "which thing"),
        ("sentence 4: 'she' is not clear here", "pronoun"),
        ("sentence 4: 'give' cannot happen: tom holds nothing", "not possible now"),
        ("sentence 5: this is not where they are", "where"),
        ("sentence 5: the red drum is at the park, which does not fit", "where"),
        ("sentence 5: the story gave different weather earlier", "other"),
    ],
)
def test_kinds_by_the_town_s_words(monkeypatch, error, kind):
    monkeypatch.setattr(town_gpt, "mistakes", lambda told: Counter({error: 3}))
    found = page.kinds([["tom"]] * 4)
    assert found.pop(kind) == 0.75 and set(found.values()) == {0.0}


@pytest.mark.parametrize(
    "last",
    [
        "anna gives the ball to tom .",
        "anna is at the farm .",
        "anna goes to the park .",
    ],
)
def test_what_the_town_says_of_a_place_is_of_that_kind(last):
    """Its own words, not ours: were they changed, the share would move to "other" unseen."""
    begin = "anna is in the park . anna has a blue key . tom is in the park . tom has a red ball . "
    assert page.kinds([(begin + last).split()])["where"] == 1


# ---------------------------------------------------------------- packed


def some_rows(restart: bool = False):
    documents = [ids[1:-1] for ids in town_gpt.encoded(3, TRAINING_SEED)]
    return pack(documents, 256, EOS_ID, restart=restart), len(documents)


@pytest.mark.parametrize("restart", [False, True])
def test_a_leak_is_stopped_by_the_mask_and_not_by_positions(restart):
    torch.manual_seed(0)
    model = GPTConfig(
        len(town_gpt.WORDS), d_model=32, n_heads=2, n_layers=2, max_len=256, init_std=0.2
    ).build()
    rows, n = some_rows(restart)
    open_, closed = (packed.leak(model, rows, masked=masked)[:n, :n] for masked in (False, True))
    later, earlier = torch.ones(n, n).triu(1) > 0, torch.ones(n, n).tril(-1) > 0
    assert (open_[later] > 1e-4).all() and (open_[earlier] < 1e-6).all()
    assert (closed[later | earlier] < 1e-6).all() and (closed.diagonal() > 1e-2).all()


def test_a_model_without_learned_positions_is_refused():
    with pytest.raises(ValueError, match="model has rotary positions, expected learned ones"):
        packed.leak(new_model(page.SMALL), some_rows()[0])


def test_with_rotary_positions_the_mask_alone_makes_a_packed_story_one_that_stands_alone():
    model = new_model(vary(page.SMALL, init_std=0.3, residual="scaled", max_len=256))
    rows, n = some_rows()
    with torch.no_grad():
        together = model(rows.inputs, packed.document_mask(rows.documents))[0][0]
        for number in range(n):
            inside = rows.documents[0] == number
            alone = model(rows.inputs[:1, inside])[0][0]
            assert torch.allclose(together[inside], alone, atol=1e-4)


def test_packed_batches_are_whole_epochs():
    recipe = vary(page.SMALL, batch_size=packed.ROWS)
    rows = packed.stories(200)
    n = -(-len(rows.inputs) // packed.ROWS)
    epoch = list(islice(packed.batches(recipe, 200), n))
    for part in ("inputs", "labels", "documents"):
        seen = torch.cat([getattr(batch, part) for batch in epoch])
        assert sorted(seen.tolist()) == sorted(getattr(rows, part).tolist())


def test_the_gap_of_stories_that_stand_alone():
    model = new_model(page.SMALL)
    told = town_gpt.stories(3)
    nats = n = 0
    for story in told:
        ids = torch.tensor([EOS_ID, *town_gpt.WORDS.encode(story.english_tokens), EOS_ID])
        with torch.no_grad():
            scores = model(ids[None, :-1])[0][0].log_softmax(-1)
        nats -= scores.gather(1, ids[1:, None]).sum().item()
        n += len(ids) - 1
    assert packed.gap_alone(model, 3) == pytest.approx(nats / n - town_gpt.floor(told), abs=1e-4)
