"""Rollouts, a GRPO step and a DPO epoch on a tiny GPT: what is compared with what, and that it learns."""

import math
import signal

import pytest
import torch

from course_lib.models import lora
from course_lib.models.gpt import GPTConfig
from course_lib.models.low_rank import LoRAConfig
from course_lib.training.objectives import answer_log_probs
from course_lib.training.post_training import Preference, dpo_epoch, dpo_margins, dpo_step, grpo_step
from course_lib.training.randomness import seeded
from course_lib.training.rewards import group_advantages
from course_lib.training.rollouts import frozen_copy, reference_log_probs, roll_out

V, EOS, GOOD = 12, 2, 7
PROMPTS = [[4, 5, 6], [8], [9, 10, 11], [6]]  # of two lengths
PAIRS = [
    Preference([4, 5], [7, EOS], [8, 9, EOS]),
    Preference([6], [7, 7, 7, EOS], [10, EOS]),
    Preference([9, 8, 5], [11, 7, EOS], [11, 6, 4, 4, EOS]),
]


def new_model(**changes):
    sizes = {"vocab_size": V, "d_model": 16, "n_heads": 2, "n_layers": 2, "max_len": 12, "init_std": 0.2}
    with seeded(0):
        return GPTConfig(**sizes | changes).build()


@pytest.fixture
def model():
    return new_model().eval()


def adamw(model, lr=1e-2):
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr, weight_decay=0.0)


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def share_of_good(i, answer):
    return answer.count(GOOD) / len(answer)


# ---------------------------------------------------------------- references


def test_a_frozen_copy_stays_as_it_is(model):
    reference = frozen_copy(model.train())
    before = {name: value.clone() for name, value in reference.state_dict().items()}
    assert model.training and not reference.training
    assert not any(p.requires_grad for p in reference.parameters())
    assert reference.lm_head.weight is reference.token_embedding.weight  # tied as in the model
    dpo_epoch(model, reference, PAIRS, adamw(model))
    assert all(torch.equal(before[name], value) for name, value in reference.state_dict().items())
    assert not torch.equal(model.lm_head.weight, reference.lm_head.weight)


def test_a_reference_is_read_without_dropout_and_without_gradients():
    model = new_model(dropout=0.5).train()
    ids = torch.randint(4, V, (2, 6), generator=dice())
    answer = torch.ones_like(ids, dtype=torch.bool).index_fill(1, torch.tensor(0), False)
    first, second = (reference_log_probs(model, ids, answer) for _ in range(2))
    assert torch.equal(first, second) and not first.requires_grad
    assert model.training  # and put back
    assert not torch.equal(answer_log_probs(model, ids, answer), first)


def test_the_policy_itself_is_no_reference(model):
    with pytest.raises(ValueError, match=r"reference is the policy itself.*frozen_copy"):
        dpo_step(model, model, PAIRS, adamw(model))
    rollouts = roll_out(model, PROMPTS, share_of_good, group=2, generator=dice(), max_new_tokens=4)
    with pytest.raises(ValueError, match="reference is the policy itself"):
        grpo_step(model, model, rollouts, adamw(model))


# ---------------------------------------------------------------- preferences


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_ln_2_at_step_0_and_the_margin_grows(dropout):
    """With dropout, too: the policy is read without it."""
    model = new_model(dropout=dropout).train()
    reference, optimizer = frozen_copy(model), adamw(model)
    first = dpo_step(model, reference, PAIRS, optimizer)
    assert first.loss == pytest.approx(math.log(2), abs=1e-6)
    assert (first.margin, first.chosen, first.rejected) == pytest.approx((0, 0, 0), abs=1e-6)
    assert first.right == 0  # no margin that is more than rounding
    later = [dpo_step(model, reference, PAIRS, optimizer) for _ in range(20)][-1]
    assert later.margin > 0.5 and later.loss < 0.5 and later.right == 1
    assert later.margin == pytest.approx(later.chosen - later.rejected, abs=1e-5)


def test_a_step_is_the_summed_log_probabilities_of_each_answer_alone(model):
    """Unequal lengths in one batch: padding and the neighbours do not count."""
    reference = frozen_copy(new_model(init_std=0.3))

    def log_prob(model, prompt, answer):
        with torch.no_grad():
            rows = model(torch.tensor([[*prompt, *answer]]))[0][0].log_softmax(-1)
        return sum(rows[len(prompt) + t - 1, i].item() for t, i in enumerate(answer))

    expected = []
    for prompt, chosen, rejected in PAIRS:
        rewards = [
            0.3 * (log_prob(model, prompt, a) - log_prob(reference, prompt, a)) for a in (chosen, rejected)
        ]
        expected.append(rewards)
    chosen, rejected = (sum(column) / 3 for column in zip(*expected, strict=True))
    step = dpo_step(model, reference, PAIRS, adamw(model), beta=0.3)
    assert (step.chosen, step.rejected) == pytest.approx((chosen, rejected), abs=1e-5)
    assert step.loss == pytest.approx(sum(math.log1p(math.exp(r - c)) for c, r in expected) / 3, abs=1e-5)
    assert step.right == sum(c > r for c, r in expected) / 3


def test_margins_are_those_of_the_next_step_and_nothing_is_learned(model):
    reference, optimizer = frozen_copy(model), adamw(model)
    assert dpo_margins(model, reference, PAIRS) == pytest.approx([0.0] * len(PAIRS), abs=1e-5)
    for _ in range(3):
        dpo_step(model, reference, PAIRS, optimizer, beta=0.3)
    before = [p.clone() for p in model.parameters()]
    margins = dpo_margins(model, reference, PAIRS, beta=0.3)
    assert len(margins) == len(PAIRS) and min(margins) > 0
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    step = dpo_step(model, reference, PAIRS, optimizer, beta=0.3)
    assert sum(margins) / len(margins) == pytest.approx(step.margin, abs=1e-5)
    with pytest.raises(ValueError, match="pairs is empty"):
        dpo_margins(model, reference, [])


def test_margins_leave_the_mode_as_it_is():
    model = new_model(dropout=0.5).train()
    first, second = (dpo_margins(model, None, PAIRS[:4]) for _ in range(2))
    assert first == second and model.training  # without dropout all the same


def test_without_a_reference_the_first_loss_is_not_ln_2(model):
    step = dpo_step(model, None, PAIRS, adamw(model))
    assert abs(step.loss - math.log(2)) > 0.01 and step.chosen < 0


def test_an_epoch_sees_each_pair_once_in_an_order_of_its_own(model, monkeypatch):
    pairs = [Preference([4 + i % 8], [4 + i // 8, EOS], [11, EOS]) for i in range(10)]
    seen = []
    real = dpo_step

    def watched(model, reference, batch, optimizer, **settings):
        seen.append(batch)
        return real(model, reference, batch, optimizer, **settings)

    monkeypatch.setattr("course_lib.training.post_training.dpo_step", watched)
    shown = []
    reference, optimizer = frozen_copy(model), adamw(model)
    steps = dpo_epoch(
        model,
        reference,
        pairs,
        optimizer,
        batch_size=4,
        generator=dice(),
        on_step=lambda *s: shown.append(s),
        beta=0.2,
    )
    assert [len(batch) for batch in seen] == [4, 4, 2] and shown == list(enumerate(steps, 1))
    flat = [pair for batch in seen for pair in batch]
    assert flat != pairs and sorted(flat) == sorted(pairs)
    with pytest.raises(ValueError, match="pairs is empty"):
        dpo_epoch(model, reference, [], optimizer)


def test_an_interrupt_ends_the_epoch_after_the_step_under_way(model, capsys):
    def press(n, step):
        if n == 2:
            signal.raise_signal(signal.SIGINT)

    steps = dpo_epoch(model, frozen_copy(model), PAIRS * 3, adamw(model), batch_size=1, on_step=press)
    assert len(steps) == 2
    assert "stopped by you after 2 steps" in capsys.readouterr().out


# ---------------------------------------------------------------- rollouts


def test_rollouts_are_what_the_policy_wrote(model):
    given = []

    def reward_of(i, answer):
        given.append((i, answer))
        return i + len(answer) / 10

    found = roll_out(model, PROMPTS, reward_of, group=3, max_new_tokens=5, generator=dice(1))
    assert found.rewards.shape == (4, 3) and len(found.answers) == 12
    assert [i for i, _ in given] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [answer for _, answer in given] == found.answers
    lengths = torch.tensor([len(answer) for answer in found.answers]).view(4, 3)
    torch.testing.assert_close(found.rewards, torch.arange(4.0)[:, None] + lengths / 10)
    for row, flags, answer, place in zip(found.ids, found.answer, found.answers, range(12), strict=True):
        prompt = PROMPTS[place // 3]
        assert row[: len(prompt)].tolist() == prompt
        assert row[flags].tolist() == answer and flags.sum() == len(answer)
        assert EOS not in answer[:-1] and (answer[-1] == EOS or len(answer) == 5)
    assert (lengths < 5).any() and (lengths == 5).any()  # some ended, some were cut


def test_each_answer_stands_behind_its_own_prompt(model, monkeypatch):
    """Prompts of equal length are answered together, in any order: here each answer repeats its prompt."""

    def parrot(model, prompt, max_new_tokens, **asked):
        return torch.cat([prompt, prompt[:, -1:], torch.full_like(prompt[:, :1], EOS)], dim=1)

    monkeypatch.setattr("course_lib.training.rollouts.sample", parrot)
    prompts = [[4, 5], [6], [7, 8], [9, 10], [11]]
    found = roll_out(model, prompts, share_of_good, group=2, max_new_tokens=5)
    assert found.answers == [[prompt[-1], EOS] for prompt in prompts for _ in range(2)]


def test_log_probabilities_are_those_of_the_policy_token_by_token(model):
    """Written with the cache, read at once: the same probabilities, whatever stands beside a row."""
    found = roll_out(model, PROMPTS, share_of_good, group=2, max_new_tokens=5, generator=dice(1))
    for i, answer in enumerate(found.answers):
        prompt = PROMPTS[i // 2]
        with torch.no_grad():
            state, tokens, log_probs = None, torch.tensor([prompt]), []
            for token in answer:
                logits, _, state = model.next_logits(tokens, state)
                log_probs.append(logits.log_softmax(-1)[0, token].item())
                tokens = torch.tensor([[token]])
        kept = found.log_probs[i][found.answer[i, 1:]]
        assert kept.tolist() == pytest.approx(log_probs, abs=1e-5)
    assert not found.log_probs[~found.answer[:, 1:]].any()


def test_other_stop_tokens_and_the_same_dice(model):
    asked = {"group": 4, "max_new_tokens": 6, "stop_ids": (5, 9)}
    first, again = (roll_out(model, PROMPTS, share_of_good, generator=dice(3), **asked) for _ in range(2))
    assert first.answers == again.answers
    assert {answer[-1] for answer in first.answers if len(answer) < 6} == {5, 9}


@pytest.mark.parametrize(
    ("prompts", "asked", "words"),
    [
        ([], {}, "prompts is empty"),
        (
            [[4, 5], [4] * 9],
            {},
            r"one of 9 tokens, expected at most 8: with 5 new ones .* max_len \(12\)",
        ),
        ([[4, EOS, 5]], {}, "the stop token 2 in it"),
        ([[4]], {"group": 0}, "group is 0"),
        ([[4], []], {}, "prompt has shape"),
    ],
)
def test_prompts_that_cannot_be_answered_are_named(model, prompts, asked, words):
    with pytest.raises(ValueError, match=words):
        roll_out(model, prompts, share_of_good, **{"max_new_tokens": 5} | asked)
    longest = roll_out(model, [[4] * 8], share_of_good, max_new_tokens=5, group=2, stop_ids=())
    assert longest.ids.shape == (2, 13)  # the last token is never read


# ---------------------------------------------------------------- rewards


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_on_policy_step_has_loss_0_and_a_gradient(dropout):
    model = new_model(dropout=dropout).train()
    reference = frozen_copy(model)
    rollouts = roll_out(model, PROMPTS, share_of_good, max_new_tokens=5, generator=dice())
    step = grpo_step(model, reference, rollouts, adamw(model))
    assert step.loss == pytest.approx(0, abs=1e-6) and step.gradient > 0.05
    assert step.kl < 1e-9 and step.clipped == 0 and 0 < step.reward < 1
    again = grpo_step(model, reference, rollouts, adamw(model))
    assert again.loss < -1e-3 and again.kl > 0  # a second step on the same rollouts: ratios are not 1


def test_a_step_is_a_mean_over_each_answer_s_own_tokens(model):
    """By hand, with ratios that are not 1: a log-probability stands one place before its token."""
    rollouts = roll_out(model, PROMPTS, share_of_good, group=3, max_new_tokens=5, generator=dice(1))
    changed, reference = (new_model(init_std=std).eval() for std in (0.21, 0.25))
    advantages = group_advantages(rollouts.rewards).flatten().tolist()
    total = 0.0
    for i, answer in enumerate(rollouts.answers):
        start = len(PROMPTS[i // 3])
        row = rollouts.ids[i : i + 1, : start + len(answer)]
        with torch.no_grad():
            own, old, ref = (
                torch.tensor(
                    [m(row)[0][0].log_softmax(-1)[start + t - 1, token] for t, token in enumerate(answer)]
                )
                for m in (changed, model, reference)
            )
        ratio = (own - old).exp()
        gain = torch.minimum(ratio * advantages[i], ratio.clamp(0.95, 1.05) * advantages[i])
        total += (gain - 0.3 * ((ref - own).exp() - (ref - own) - 1)).mean().item() / 12
    step = grpo_step(changed, reference, rollouts, adamw(changed), clip=0.05, kl_weight=0.3)
    assert step.loss == pytest.approx(-total, abs=1e-5) and 0 < step.clipped < 1


def test_equal_rewards_move_nothing(model):
    rollouts = roll_out(model, PROMPTS, lambda i, answer: i / 3, max_new_tokens=5, generator=dice())
    before = [p.clone() for p in model.parameters()]
    step = grpo_step(model, None, rollouts, torch.optim.SGD(model.parameters(), lr=1.0))
    assert step.no_signal == 1 and step.gradient == 0 and step.loss == 0
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_the_reward_rises(model):
    """Answers of the good token alone: within 40 steps most are; the KL grows on the way."""
    reference, optimizer, generator = frozen_copy(model), adamw(model), dice()
    steps = []
    for _ in range(40):
        rollouts = roll_out(model, PROMPTS, share_of_good, max_new_tokens=5, generator=generator)
        steps.append(grpo_step(model, reference, rollouts, optimizer, kl_weight=0.01))
    assert steps[0].reward < 0.2 and steps[-1].reward > 0.6
    assert steps[-1].kl > 0.1
    assert all(abs(step.loss - 0.01 * step.kl) < 1e-5 for step in steps)  # on-policy: the KL is all of it


# ---------------------------------------------------------------- with adapters


def test_with_adapters_the_base_is_the_reference_without_a_copy(model):
    base = {name: value.clone() for name, value in model.state_dict().items()}
    adapter = lora.inject(model, LoRAConfig(rank=2, alpha=6), "dpo")
    reference = lora.seen_with(model, None)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=3e-2)
    first = dpo_step(model, reference, PAIRS, optimizer)
    assert first.loss == pytest.approx(math.log(2), abs=1e-6)
    later = [dpo_step(model, reference, PAIRS, optimizer) for _ in range(30)][-1]
    assert later.margin > 0.3
    assert all(torch.equal(base[name], value) for name, value in lora.base_state(model).items())
    rollouts = roll_out(model, PROMPTS, share_of_good, max_new_tokens=5, generator=dice())
    step = grpo_step(model, reference, rollouts, optimizer)
    assert step.kl > 0 and step.gradient > 0
    assert step.loss == pytest.approx(0.04 * step.kl, abs=1e-5)


# ---------------------------------------------------------------- what is mixed in


def test_a_mix_adds_its_gradients_and_stays_out_of_the_numbers(model):
    """One plain step of SGD moves by the gradients of both losses."""
    reference, start = frozen_copy(new_model(init_std=0.3)), frozen_copy(model)
    rollouts = roll_out(model, PROMPTS, share_of_good, group=2, generator=dice(), max_new_tokens=4)

    def stepped(step, mix):
        policy = frozen_copy(start).requires_grad_(True)
        loss = None if mix is None else lambda: 0.5 * mix(policy)
        sgd = torch.optim.SGD(policy.parameters(), lr=1.0)
        numbers = step(policy, sgd, max_norm=math.inf, mix=loss)
        named = zip(policy.parameters(), start.parameters(), strict=True)
        return numbers, torch.cat([(before - after).flatten() for after, before in named])

    def by_pairs(policy, sgd, **settings):
        return dpo_step(policy, reference, PAIRS, sgd, **settings)

    def by_rewards(policy, sgd, **settings):
        return grpo_step(policy, reference, rollouts, sgd, **settings)

    def kept(policy):
        return policy.lm_head.weight.pow(2).sum()

    twice = start.lm_head.weight.detach()  # of half a square the gradient is the weight itself
    for step in (by_pairs, by_rewards):
        numbers, alone = stepped(step, None)
        mixed_numbers, mixed = stepped(step, kept)
        pairs = zip(numbers, mixed_numbers, strict=True)
        changed = [i for i, (a, b) in enumerate(pairs) if not math.isclose(a, b, abs_tol=1e-6)]
        assert changed == ([] if step is by_pairs else [1])  # the gradient's norm is that of both
        difference = mixed - alone
        assert difference.norm().item() == pytest.approx(twice.norm().item(), rel=1e-4)
