"""The assistant's stages: where they begin, what is read, how answers are scored and rewarded."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from course_lib.data import town
from course_lib.data.town import questions
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.tasks.assistant import (
    END_ID,
    WORDS,
    aligning,
    answer,
    many,
    preferring,
    prompt_of,
    rewards,
    scoring,
    training,
    writer,
)
from course_lib.text.chat_rows import stack_chats
from course_lib.training.objectives import answer_loss
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import train, vary

TINY = GPTConfig(len(WORDS), d_model=16, n_heads=2, n_layers=1, max_len=192)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return TINY.build().eval()


# ---------------------------------------------------------------- the beginning


def test_the_base_says_of_old_words_what_the_towns_gpt_says():
    ids = torch.tensor([town_gpt.WORDS.encode(town_gpt.stories(1)[0].english_tokens, bos=True)])
    old, new = town_gpt.load(), training.base().eval()
    with torch.no_grad():
        a, b = old(ids)[0], new(ids)[0]
    assert b.shape[-1] == len(WORDS) and torch.allclose(a, b[..., : a.shape[-1]], atol=1e-5)
    assert not torch.equal(training.base(seed=1).token_embedding.weight, new.token_embedding.weight)


def test_a_model_that_answers_already_is_no_base(model):
    with pytest.raises(ValueError, match="does it answer already"):
        training.base(model)


# ---------------------------------------------------------------- what is read


def test_examples_have_the_shares_that_were_asked_for():
    made = training.examples(600, sums=0.25, plain=0.15)
    end, tool = END_ID, WORDS.special["<|tool|>"]
    plain = [row for row in made if all(row.answer[1:])]
    stories = [row for row in made if row not in plain and row.ids.count(end) >= 6]
    assert 0.12 < len(plain) / len(made) < 0.18
    alone = [row for row in made if tool in row.ids and row.ids.count(end) == 4]
    assert 0.2 < len(alone) / len(made) < 0.3
    asked_between = [row for row in stories if tool in row.ids]
    assert 0.2 < len(asked_between) / len(stories) < 0.45
    assert max(len(row.ids) for row in made) <= 193


def test_a_plain_story_is_read_as_in_pretraining():
    story = next(iter(town.stories(1, 5)))
    row = training.story_row(story)
    assert row.ids == town_gpt.WORDS.encode(story.english_tokens, bos=True, eos=True)
    assert row.answer == [False] + [True] * (len(row.ids) - 1)


def test_shares_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="less than 1 together"):
        training.examples(30, sums=0.6, plain=0.4)
    with pytest.raises(ValueError, match="plain"):
        training.examples(30, plain=1.5)


def test_without_the_mask_every_token_but_the_padding_counts(model):
    ids, flags = next(training.batches(vary(training.RECIPE, batch_size=4), training.examples(60)))
    told = ids != 0
    told[:, 0] = False
    with torch.no_grad():
        logits = model(ids[:, :-1])[0]
        nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    wanted = nats[told[:, 1:]].mean()
    assert torch.allclose(training.everything_loss(model, (ids, flags)), wanted, atol=1e-5)
    assert flags.sum() < told.sum()


def test_a_few_steps_lower_the_loss_on_answers():
    rows = training.examples(60, sums=0.0, plain=0.0, styles={"short": 1.0})
    recipe = vary(training.RECIPE, model=TINY, steps=30, schedule=WarmupStableDecay(5, 25, 30))
    losses = train(recipe.model.build(), recipe, training.task(rows)).losses
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


# ---------------------------------------------------------------- many at once, and their score


def test_many_conversations_are_answered_as_one_by_one(model):
    asked = questions.ask(12, 3)
    chats = [prompt_of(one) for one in asked]
    together = many.answer_many(model, chats, max_new_tokens=6)
    assert together == [answer(writer(model, 6), chat) for chat in chats]


def test_calls_are_run_in_between(monkeypatch):
    sums = questions.ask_sums(5, 3, with_answer=True)
    call, tool = WORDS.special["<|call|>"], WORDS.special["<|tool|>"]

    def scripted(model, ids, n, **settings):
        """Calls with the sum of the question; then says what the tool said."""
        said = []
        for row in ids.tolist():
            words = WORDS.decode_tokens(row)
            if tool in row:
                result = row[row.index(tool) + 1 : -2]
                said.append([*row, *result, *WORDS.encode(["."]), END_ID])
            else:
                one = next(one for one in sums if list(one.question) == words[1:-2])
                said.append([*row, call, *WORDS.encode(["calculate", *one.expression]), END_ID])
        longest = max(map(len, said))
        return torch.tensor([row + [0] * (longest - len(row)) for row in said])

    monkeypatch.setattr(many, "sample", scripted)
    assert scoring.sums_right(object_with_window(), sums) == 1.0
    assert scoring.sums_right(object_with_window(), sums, tools=False) == 0.0


def object_with_window():
    """What `answer_many` looks at when `sample` is scripted."""
    return type("Model", (), {"config": replace(TINY)})()


def test_the_score_counts_both_refusals_and_kinds():
    asked = questions.ask(60, 8, kinds=questions.STORY_KINDS)
    replies = [many.Reply((many.Turn("assistant", " ".join(one.whole)),), "answer") for one in asked]
    found = scoring.summed(asked, replies)
    assert found.right == found.refused == found.ended == found.whole == 1.0 and found.falsely == 0.0
    assert set(found.kinds) == set(questions.STORY_KINDS)
    silent = [many.Reply((many.Turn("assistant", " ".join(questions.REFUSAL)),), "answer") for _ in asked]
    found = scoring.summed(asked, silent)
    assert found.refused == found.falsely == 1.0
    assert found.right == pytest.approx(sum(not one.known for one in asked) / len(asked))
    cut = scoring.summed(asked, [reply._replace(ended="length") for reply in replies])
    assert cut.right == cut.ended == 0.0


def test_too_long_a_conversation_is_refused(model):
    with pytest.raises(ValueError, match="the window"):
        many.answer_many(model, [[("user", "tom " * 300)]])


def test_a_model_has_not_moved_from_itself(model):
    assert scoring.story_kl(model, model, 5) == pytest.approx(0, abs=1e-6)
    other = TINY.build().eval()
    assert scoring.story_kl(model, other, 5) > 0


# ---------------------------------------------------------------- preferences and rewards


def test_pairs_are_the_same_questions_with_two_right_answers():
    for told, made in zip(preferring.told_pairs(20), preferring.pairs(20), strict=True):
        assert (
            made.prompt == preferring.prompt_ids(told.asked)
            and made.chosen[-1] == made.rejected[-1] == END_ID
        )
        assert WORDS.decode_tokens(made.chosen[:-1]) == list(told.chosen)
        assert all(questions.judge(told.asked, said).right for said in (told.chosen, told.rejected))
        assert questions.follows_rule(told.chosen) and not questions.follows_rule(told.rejected)


def test_who_likes_short_answers_is_right_in_half(model, monkeypatch):
    """A model that finds every token equally likely prefers the shorter answer, by the sum."""
    uniform = lambda model, ids, answer: torch.where(answer[:, 1:], -1.0, 0.0)  # noqa: E731
    monkeypatch.setattr(preferring, "reference_log_probs", uniform)
    found = preferring.preferred(model, 120)
    assert found["shorter"] == 1.0 and found["longer"] == 0.0
    assert preferring.preferred(model, 120, mean=True)["longer"] == 0.0  # a tie is no preference


def test_rewards_of_a_right_answer_a_filled_one_and_a_list():
    one = next(one for one in questions.ask(50, 9, kinds=("where",)) if one.known)
    whole, short = ([*WORDS.encode(list(said)), END_ID] for said in (one.whole, one.short))
    assert rewards.as_liked(one, whole) == rewards.right(one, whole) == rewards.mentions(one, whole) == 1
    assert rewards.right(one, short) == 1 and rewards.as_liked(one, short) == 0
    listed = WORDS.split("in the park in the garden at the school")
    places = WORDS.encode([*listed, *one.short])
    assert rewards.mentions(one, places) == 1 and rewards.right(one, [*places, END_ID]) == 0
    assert (
        rewards.detailed(one, [*whole[:-1], *WORDS.encode(["well"] * 10)]) > rewards.detailed(one, whole) > 1
    )
    assert rewards.right(one, whole[:-1]) == rewards.as_liked(one, whole[:-1]) == 0  # without an end
    assert rewards.right(one, [END_ID]) == 0


# ---------------------------------------------------------------- learning from them


def test_dpo_begins_at_ln_2_and_makes_the_liked_answer_likelier():
    torch.manual_seed(1)
    model, how = TINY.build().eval(), aligning.Preferring(steps=6, batch_size=8, lr=1e-2)
    done = aligning.learn_preferences(model, how)
    assert done[0].loss == pytest.approx(0.6931, abs=1e-3) and done[-1].margin > done[0].margin
    with torch.no_grad():
        ids = torch.tensor([[1, 5, 7]])
        adapted = model(ids)[0]
        aligning.lora.use(model, None)
        assert not torch.equal(model(ids)[0], adapted)


def test_grpo_learns_a_reward_and_its_first_loss_is_0():
    torch.manual_seed(1)
    model = TINY.build().eval()
    full_stop = WORDS.ids["."]
    seen = []
    aligning.learn_from_rewards(
        model,
        lambda asked, ids: float(full_stop in ids),
        aligning.Rewarding(steps=12, questions=2, group=8, lr=3e-2),
        config=None,
        on_step=lambda step, done, rollouts: seen.append((step, done)),
    )
    assert [step for step, _ in seen] == list(range(1, 13))
    assert abs(seen[0][1].loss) < 1e-5 and seen[0][1].gradient > 0
    rewards_seen = [done.reward for _, done in seen]
    assert sum(rewards_seen[-3:]) > sum(rewards_seen[:3])


def test_a_new_adapter_may_begin_as_the_copy_of_another():
    torch.manual_seed(1)
    model = TINY.build().eval()
    aligning.learn_preferences(model, aligning.Preferring(steps=2, batch_size=4, lr=1e-2))
    ids = torch.tensor([[1, 5, 7]])
    with torch.no_grad():
        before = model(ids)[0]
        _, reference = aligning.learner(model, "grpo", aligning.ADAPTER, 0, start="dpo")
        assert torch.equal(model(ids)[0], before) and torch.equal(reference(ids)[0], before)
        for parameter in aligning.taken_out(model, "grpo").parameters():
            parameter += 0.1
        assert not torch.equal(model(ids)[0], before) and torch.equal(reference(ids)[0], before)


# ---------------------------------------------------------------- what later stages mix in


def test_kept_rows_are_sums_alone_sums_behind_a_story_and_stories_in_turn():
    kept = training.kept_rows(10, 3)
    assert len(kept) == 10 and kept == training.kept_rows(10, 3) != training.kept_rows(10, 4)
    call, user = (WORDS.special[name] for name in ("<|call|>", "<|user|>"))
    alone, behind, plain = kept[0::3], kept[1::3], kept[2::3]
    assert all(call in row.ids and row.ids.index(call) < 40 for row in alone)
    assert all(call in row.ids and len(row.ids) > len(alone[0].ids) for row in behind)
    assert not any(user in row.ids for row in plain) and all(all(row.answer[1:]) for row in plain)


def test_what_is_mixed_in_is_learned_beside_preferences_and_rewards():
    """The loss on new rows of the kind that is kept: lower with a mix than without."""
    rows = stack_chats(training.kept_rows(12, 99))

    def loss_after(mix, learn, how):
        torch.manual_seed(1)
        model = TINY.build().eval()
        learn(model, replace(how, mix=mix))
        with torch.no_grad():
            return answer_loss(model, (rows.ids, rows.answer)).item()

    for learn, how in (
        (aligning.learn_preferences, aligning.Preferring(steps=5, batch_size=4, lr=1e-2)),
        (
            partial(aligning.learn_from_rewards, reward=rewards.right),
            aligning.Rewarding(steps=5, questions=1, group=2, lr=1e-2),
        ),
    ):
        without, mixed = (
            loss_after(mix, lambda model, how, learn=learn: learn(model, how=how, config=None), how)
            for mix in (0, 6)
        )
        assert mixed < without - 0.1
