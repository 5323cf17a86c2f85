"""Practice of page 10b: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.chapters import CHAPTERS
from course_lib.models.low_rank import LoRAConfig, LowRank
from course_lib.practice import chapter_10b as b
from course_lib.practice import checking, comparing, desk, recognising, repairing, running
from course_lib.practice.kinds import axis_names
from course_lib.training import preferences, rewards

EXERCISES = {e.id.split(".")[1]: e for e in b.EXERCISES}
QUESTIONS = {p.id: p for p in b.PREDICTIONS}
by_exercise = pytest.mark.parametrize("exercise", b.EXERCISES, ids=lambda e: e.id)


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


def all_cases(name):
    return [*EXERCISES[name].cases(), *(case for case, _ in repairing.further(EXERCISES[name]))]


# --- references and examples --------------------------------------------------------------------------------


def test_the_reward_model_s_loss_is_the_library_s():
    for case in all_cases("bradley-terry"):
        assert torch.allclose(
            b.BRADLEY_TERRY.reference(*case.args), preferences.bradley_terry_loss(*case.args)
        )


def test_dpo_is_the_library_s():
    for case in all_cases("dpo"):
        *tokens, chosen_mask, rejected_mask, beta = case.args
        masks = (chosen_mask, rejected_mask) * 2
        sums = [(x.detach() * mask).sum(1) for x, mask in zip(tokens, masks, strict=True)]
        assert torch.allclose(b.DPO.reference(*case.args), preferences.dpo(*sums, beta).loss)


def test_advantages_are_the_library_s():
    for case in all_cases("advantages"):
        mine = b.ADVANTAGES.reference(*case.args)
        assert torch.allclose(mine, rewards.group_advantages(*case.args), atol=1e-5)


def test_the_step_with_the_clip_is_the_library_s():
    clipped = set()
    for case in all_cases("clipped-ratio"):
        new, old, A, answer, clip = case.args
        theirs = rewards.grpo(new, old, None, A, answer, clip=clip)
        assert torch.allclose(b.CLIPPED_RATIO.reference(*case.args), theirs.loss, atol=1e-6)
        clipped.add(bool(theirs.clipped > 0))
    assert True in clipped


def test_an_adapter_is_the_library_s():
    for case in all_cases("lora"):
        x, W, A, B, alpha = case.args
        adapter = LowRank(W.shape[1], W.shape[0], LoRAConfig(rank=len(A), alpha=alpha))
        with torch.no_grad():
            adapter.A.copy_(A)
            adapter.B.copy_(B)
            y, merged = b.LORA.reference(*case.args)
            assert torch.allclose(y, x @ W.T + adapter(x), atol=1e-4)
            assert torch.allclose(merged, W + adapter.matrix(), atol=1e-4)
        assert torch.allclose(x @ merged.T, y, atol=1e-4) and alpha != len(A)


def test_examples_of_the_statements():
    def numbers(*values):
        return torch.tensor(values)

    loss = b.BRADLEY_TERRY.reference(numbers(2.0, 0.0), numbers(1.0, 0.0))
    assert loss.item() == pytest.approx(0.503, abs=5e-4) and "0.503" in b.BRADLEY_TERRY.statement
    tokens = [numbers(x)[None] for x in (-4.0, -6.0, -5.0, -5.0)]
    open_ = torch.ones(1, 1, dtype=torch.bool)
    loss = b.DPO.reference(*(x[None] if x.dim() == 1 else x for x in tokens), open_, open_, 0.5)
    assert loss.item() == pytest.approx(0.313, abs=5e-4) and "loss 0.313" in b.DPO.statement
    mine = b.ADVANTAGES.reference(numbers(1.0, 0.0, 0.0, 1.0)[None])
    assert mine[0].tolist() == pytest.approx([0.866, -0.866, -0.866, 0.866], abs=5e-4)
    new = numbers(1.1, 0.9, 1.5).log()[None]
    loss = b.CLIPPED_RATIO.reference(new, torch.zeros(1, 3), numbers(1.0), open_.expand(1, 3), 0.2)
    assert loss.item() == pytest.approx(-1.067, abs=5e-4) and "-1.067" in b.CLIPPED_RATIO.statement
    y, merged = b.LORA.reference(*(torch.full((1, 1), v) for v in (1.0, 3.0, 2.0, 5.0)), 0.5)
    assert y.item() == merged.item() == 8 and "merged = 8" in b.LORA.statement


# --- rules that hold for every exercise ---------------------------------------------------------------------


@by_exercise
def test_the_reference_and_the_solution_pass(exercise):
    space = {"torch": torch}
    exec(exercise.solution, space)
    for function in (exercise.reference, space[exercise.function_name]):
        result = checking.run_check(exercise, function)
        assert result.passed and exercise.insight in result.message and result.notes == ()


@by_exercise
def test_each_misconception_gets_its_own_message(exercise):
    cases, seen = exercise.cases(), recognising.through_view(exercise)
    expected = [seen.reference(*map(running.clone, case.args)) for case in cases]
    for misconception in seen.misconceptions:
        for way in misconception.ways:
            outcomes = [running.run_ours(way, case.args) for case in cases]
            name, message = recognising.matching_misconception(seen, cases, outcomes, expected)
            assert name == misconception.name and len(message) > 60


@by_exercise
def test_a_misconception_is_shown_by_the_check(exercise):
    for misconception in exercise.misconceptions[::4]:
        result = checking.run_check(exercise, misconception.ways[0])
        assert (result.kind, result.misconception) == ("misconception", misconception.name), result


@by_exercise
def test_misconceptions_differ_from_each_other_and_from_the_reference(exercise):
    cases, seen = exercise.cases(), recognising.through_view(exercise)
    ways = [("reference", seen.reference), *((m.name, w) for m in seen.misconceptions for w in m.ways)]
    done = [(name, [running.run_ours(way, case.args) for case in cases]) for name, way in ways]
    for (name, outcomes), (other, theirs) in combinations(done, 2):
        same = name != other and recognising.same_outcomes(outcomes, theirs, exercise.tolerance)
        assert not same, f"{name} = {other}"


@by_exercise
def test_an_exercise_is_complete_and_its_inputs_break_symmetry(exercise):
    assert exercise.id.startswith("10b.") and exercise.signature in exercise.statement
    assert exercise.solution.startswith(f"def {exercise.signature}:")
    assert len(exercise.hints) == 2 and len(exercise.statement.split()) < 120
    cases = exercise.cases()
    assert any(len(set(case.sizes.values())) == len(case.sizes) for case in cases)
    axes = {axis for case in cases for axis in case.sizes} - ({"G"} if "adv" in exercise.id else set())
    for axis in axes:
        assert any(case.sizes[axis] == 1 for case in cases) and any(case.sizes[axis] > 1 for case in cases)
    for case in cases:
        for name, value in zip(exercise.parameters, case.args, strict=True):
            if isinstance(value, torch.Tensor) and (named := axis_names(exercise.inputs[name])):
                assert value.shape == tuple(case.sizes[axis] for axis in named)


def in_form(change, value):
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


@by_exercise
@pytest.mark.parametrize(
    "change", [torch.Tensor.double, lambda x: x[None][0], lambda x: torch.stack([x, x], -1)[..., 0]]
)
def test_a_right_answer_passes_in_any_honest_form(exercise, change):
    result = checking.run_check(exercise, lambda *args: in_form(change, exercise.reference(*args)))
    assert result.passed, result


@pytest.mark.parametrize("name", ["bradley-terry", "clipped-ratio"])
@pytest.mark.parametrize("form", [float, np.float64, lambda x: torch.tensor(float(x))])
def test_one_number_may_be_any_kind_of_number(name, form):
    assert run(name, lambda *args: form(EXERCISES[name].reference(*args))).passed


# --- right in other ways ------------------------------------------------------------------------------------


def by_softplus(chosen, rejected):
    return F.softplus(rejected - chosen).mean()


def by_cross_entropy(chosen, rejected):
    scores = torch.stack([chosen, rejected], 1)
    return F.cross_entropy(scores, torch.zeros(len(chosen), dtype=torch.long))


def pair_by_pair(chosen, rejected):
    total = 0.0
    for c, r in zip(chosen.tolist(), rejected.tolist(), strict=True):
        x = c - r
        total += math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)) - x
    return total / len(chosen)


def by_bce(chosen, rejected):
    return F.binary_cross_entropy_with_logits(chosen - rejected, torch.ones_like(chosen))


def as_the_paper_has_it(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    with torch.no_grad():
        ref_log_ratio = (ref_chosen * chosen_mask).sum(-1) - (ref_rejected * rejected_mask).sum(-1)
    log_ratio = (chosen * chosen_mask).sum(-1) - (rejected * rejected_mask).sum(-1)
    return -F.logsigmoid(beta * (log_ratio - ref_log_ratio)).mean()


def pairs_in_a_loop(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    losses = []
    for i in range(len(chosen)):
        better = chosen[i][chosen_mask[i]].sum() - ref_chosen[i][chosen_mask[i]].sum().item()
        worse = rejected[i][rejected_mask[i]].sum() - ref_rejected[i][rejected_mask[i]].sum().item()
        losses.append(torch.log(1 + torch.exp(-beta * (better - worse))))
    return sum(losses) / len(losses)


def filled_and_einsum(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = (chosen - ref_chosen.data).masked_fill(~chosen_mask, 0).sum(1)
    worse = torch.einsum("bs,bs->b", rejected - ref_rejected.detach(), rejected_mask.float())
    return -torch.log(torch.sigmoid(beta * better - beta * worse)).mean()


def added_before_dividing(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)


def nan_to_0(rewards):
    mean, std = rewards.mean(-1)[:, None], rewards.std(-1)[:, None]
    return ((rewards - mean) / std).nan_to_num(0.0)


def compared_with_the_first(rewards):
    above = rewards - rewards.mean(1, keepdim=True)
    equal = (rewards == rewards[:, :1]).all(1, keepdim=True)
    return (above / rewards.std(1, keepdim=True)).masked_fill(equal, 0.0)


def a_millionth_added(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-6)


def with_numpy(rewards):
    r = rewards.numpy()
    std = r.std(axis=1, ddof=1, keepdims=True)
    return torch.from_numpy((r - r.mean(axis=1, keepdims=True)) / np.maximum(std, 1e-6))


def row_by_row(rewards):
    out = torch.zeros_like(rewards)
    for p, row in enumerate(rewards):
        n, mean = len(row), sum(row.tolist()) / len(row)
        var = sum((x - mean) ** 2 for x in row.tolist()) / (n - 1)
        if var > 1e-12:
            out[p] = (row - mean) / math.sqrt(var)
    return out


def through_variance(rewards):
    var, mean = torch.var_mean(rewards, dim=1, keepdim=True)
    return (rewards - mean) * torch.rsqrt(var + 1e-8)


def token_by_token(new, old, advantages, answer, clip):
    total = 0.0
    for i in range(len(new)):
        gains = []
        for t in range(new.shape[1]):
            if answer[i, t]:
                ratio, A = math.exp(new[i, t] - old[i, t]), advantages[i].item()
                gains.append(min(ratio * A, max(1 - clip, min(1 + clip, ratio)) * A))
        total += sum(gains) / len(gains)
    return -total / len(new)


def larger_of_losses(new, old, advantages, answer, clip):
    """As PPO's code is often written: losses, and the larger one."""
    ratio = torch.exp(new - old)
    losses = torch.max(
        -advantages.unsqueeze(1) * ratio, -advantages.unsqueeze(1) * torch.clamp(ratio, 1 - clip, 1 + clip)
    )
    return torch.stack([row[mask].mean() for row, mask in zip(losses, answer, strict=True)]).mean()


def chosen_by_sign(new, old, advantages, answer, clip):
    ratio, A = new.exp() / old.exp(), advantages[:, None].expand(new.shape)
    held = torch.where(A > 0, ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip))
    weights = answer / answer.sum(1, keepdim=True) / len(new)
    return -(held * A * weights).sum()


def one_matrix_for_both(x, W, A, B, alpha):
    merged = W + alpha / A.size(0) * torch.mm(B, A)
    return F.linear(x, merged), merged


def by_einsum(x, W, A, B, alpha):
    scale = alpha / B.shape[-1]
    y = torch.einsum("nd,md->nm", x, W) + scale * torch.einsum("nd,rd,mr->nm", x, A, B)
    return [y, torch.addmm(W, B, A, alpha=scale)]


def adapter_first(x, W, A, B, alpha):
    update = (A.T @ B.T) * (alpha / len(A))
    return x @ (W.T + update), (W.T + update).T


def rank_by_rank(x, W, A, B, alpha):
    merged = W.clone()
    for a, b_ in zip(A, B.T, strict=True):
        merged += alpha / len(A) * torch.outer(b_, a)
    return x @ merged.T, merged


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("bradley-terry", by_softplus),
        ("bradley-terry", by_cross_entropy),
        ("bradley-terry", pair_by_pair),
        ("bradley-terry", by_bce),
        ("dpo", as_the_paper_has_it),
        ("dpo", pairs_in_a_loop),
        ("dpo", filled_and_einsum),
        ("advantages", added_before_dividing),
        ("advantages", compared_with_the_first),
        ("advantages", a_millionth_added),
        ("advantages", with_numpy),
        ("advantages", row_by_row),
        ("advantages", through_variance),
        ("clipped-ratio", token_by_token),
        ("clipped-ratio", larger_of_losses),
        ("clipped-ratio", chosen_by_sign),
        ("lora", one_matrix_for_both),
        ("lora", by_einsum),
        ("lora", adapter_first),
        ("lora", rank_by_rank),
    ],
)
def test_right_is_right_however_it_is_written(name, function):
    result = run(name, function)
    assert result.passed, result


# --- learners' slips ----------------------------------------------------------------------------------------


def plain_formula(chosen, rejected):
    return -torch.log(1 / (1 + torch.exp(-(chosen - rejected)))).mean()


def clamped_probability(chosen, rejected):
    return -torch.sigmoid(chosen - rejected).clamp(min=1e-7).log().mean()


def a_softmax_of_the_margins(chosen, rejected):
    return -torch.log_softmax(chosen - rejected, dim=0).mean()


def swapped_and_summed(chosen, rejected):
    return sum(F.softplus(chosen - rejected))


def tokens_averaged(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    def mean(x, mask):
        return torch.stack([row[m].mean() for row, m in zip(x, mask, strict=True)])

    better = mean(chosen, chosen_mask) - mean(ref_chosen, chosen_mask).detach()
    worse = mean(rejected, rejected_mask) - mean(ref_rejected, rejected_mask).detach()
    return -F.logsigmoid(beta * (better - worse)).mean()


def averaged_over_rows(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((chosen - ref_chosen.detach()) * chosen_mask).mean(dim=1)
    worse = ((rejected - ref_rejected.detach()) * rejected_mask).mean(dim=1)
    return -F.logsigmoid(beta * (better - worse)).mean()


def reference_forgotten(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    return -F.logsigmoid(beta * ((chosen * chosen_mask).sum(1) - (rejected * rejected_mask).sum(1))).mean()


def reference_first(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((ref_chosen.detach() - chosen) * chosen_mask).sum(1)
    worse = ((ref_rejected.detach() - rejected) * rejected_mask).sum(1)
    return F.softplus(-beta * (better - worse)).mean()


def beta_in_front(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((chosen - ref_chosen.detach()) * chosen_mask).sum(1)
    worse = ((rejected - ref_rejected.detach()) * rejected_mask).sum(1)
    return -beta * F.logsigmoid(better - worse).mean()


def nothing_detached(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((chosen - ref_chosen) * chosen_mask).sum(1)
    worse = ((rejected - ref_rejected) * rejected_mask).sum(1)
    return -F.logsigmoid(beta * (better - worse)).mean()


def half_detached(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    return nothing_detached(
        chosen, rejected, ref_chosen, ref_rejected.detach(), chosen_mask, rejected_mask, beta
    )


def mean_and_no_logarithm(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((chosen - ref_chosen.detach()) * chosen_mask).sum(1) / chosen_mask.sum(1)
    worse = ((rejected - ref_rejected.detach()) * rejected_mask).sum(1) / rejected_mask.sum(1)
    return -torch.sigmoid(beta * (better - worse)).mean()


def masked_on_one_side(of_policy):
    """The mask belongs to the policy's tokens alone, or to the reference's alone."""

    def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        reward = []
        for policy, held, mask in (
            (chosen, ref_chosen, chosen_mask),
            (rejected, ref_rejected, rejected_mask),
        ):
            masked, whole = (policy, held) if of_policy else (held, policy)
            sums = masked.masked_fill(~mask, 0.0).sum(-1), whole.sum(-1)
            now, then = sums if of_policy else sums[::-1]
            reward.append(now - then.detach())
        return -F.logsigmoid(beta * (reward[0] - reward[1])).mean()

    return dpo_loss


def one_zip_for_both(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    losses = []
    for pair in zip(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, strict=True):
        better = worse = 0.0
        for c, r, ref_c, ref_r, c_counts, r_counts in zip(*pair, strict=False):
            better = better + (c - ref_c.item()) * c_counts
            worse = worse + (r - ref_r.item()) * r_counts
        losses.append(F.softplus(beta * (worse - better)))
    return sum(losses) / len(losses)


def added_to_the_variance(rewards):
    above = rewards - rewards.mean(1, keepdim=True)
    return above / (rewards.var(1, keepdim=True) + 1e-4).sqrt()


def hundred_thousandth_in_the_root(rewards):
    above = rewards - rewards.mean(1, keepdim=True)
    return above / torch.sqrt(above.pow(2).sum(1, keepdim=True) / (rewards.shape[1] - 1) + 1e-5)


def above_0_by_hand(rewards):
    above = rewards - rewards.mean(1, keepdim=True)
    std = (above.pow(2).sum(-1, keepdim=True) / (rewards.shape[1] - 1)) ** 0.5
    return torch.where(std > 0, above / std, torch.zeros_like(above))


def too_little_added(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-8)


def equal_groups_skipped(rewards):
    out = []
    for row in rewards.tolist():
        if max(row) == min(row):
            continue
        mean = sum(row) / len(row)
        std = math.sqrt(sum((x - mean) ** 2 for x in row) / (len(row) - 1))
        out.append([(x - mean) / std for x in row])
    return torch.tensor(out)


def equal_groups_not_stacked(rewards):
    return torch.stack([(r - r.mean()) / r.std() for r in rewards if r.max() != r.min()])


def as_a_batch_norm(rewards):
    return (rewards - rewards.mean()) / (rewards.std() + 1e-8)


def as_numpy_has_it(rewards):
    std = torch.tensor(np.std(rewards.numpy(), axis=1, keepdims=True))
    return (rewards - rewards.mean(1, keepdim=True)) / (std + 1e-6)


def as_a_layer_norm(rewards):
    return F.layer_norm(rewards, rewards.shape[1:])


def unguarded(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / rewards.std(1, keepdim=True)


def unguarded_population(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / rewards.std(1, keepdim=True, unbiased=False)


def group_and_batch(rewards):
    return (rewards - rewards.mean(1, keepdim=True)) / rewards.std()


def only_divided(rewards):
    return rewards / (rewards.std(1, keepdim=True) + 1e-6)


def mean_divided_alone(rewards):
    return rewards - rewards.mean(1, keepdim=True) / (rewards.std(1, keepdim=True) + 1e-8)


def nothing_to_compare(rewards):
    above = rewards - rewards.mean(1, keepdim=True)
    return (above / rewards.std(1, keepdim=True)).nan_to_num(0.5)


def mean_of_the_batch_and_population(rewards):
    return (rewards - rewards.mean()) / (rewards.std(1, keepdim=True, correction=0) + 1e-8)


def cut_above_alone(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old), advantages[:, None]
    gain = torch.min(ratio * A, torch.clamp(ratio, max=1 + clip) * A)
    return -((gain * answer).sum(1) / answer.sum(1)).mean()


def clip_typed_in(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old), advantages[:, None]
    gain = torch.min(ratio * A, torch.clamp(ratio, 0.8, 1.2) * A)
    return -((gain * answer).sum(1) / answer.sum(1)).mean()


def two_minuses(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old), advantages[:, None]
    loss = torch.max(-ratio * A, -torch.clamp(ratio, 1 - clip, 1 + clip) * A)
    return -((loss * answer).sum(1) / answer.sum(1)).mean()


def beta_before_the_first(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    better = ((chosen - ref_chosen.detach()) * chosen_mask).sum(1)
    worse = ((rejected - ref_rejected.detach()) * rejected_mask).sum(1)
    return -F.logsigmoid(beta * better - worse).mean()


def references_exchanged(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    with torch.no_grad():
        ref = (ref_chosen * chosen_mask).sum(1), (ref_rejected * rejected_mask).sum(1)
    better, worse = (chosen * chosen_mask).sum(1) - ref[1], (rejected * rejected_mask).sum(1) - ref[0]
    return -F.logsigmoid(beta * (better - worse)).mean()


def of_the_whole_answer(new, old, advantages, answer, clip):
    ratio = torch.exp((new * answer).sum(1) - (old * answer).sum(1))
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


def the_larger(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old), advantages[:, None]
    gain = torch.max(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)
    return -((gain * answer).sum(1) / answer.sum(1)).mean()


def minimum_too_early(new, old, advantages, answer, clip):
    ratio = torch.exp(new - old)
    gain = torch.min(ratio, torch.clamp(ratio, 1 - clip, 1 + clip)) * advantages[:, None]
    return -((gain * answer).sum(1) / answer.sum(1)).mean()


def one_mean_of_all(new, old, advantages, answer, clip):
    ratio = torch.exp(new - old)
    A = advantages[:, None].expand_as(ratio)
    return -torch.min(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)[answer].mean()


def larger_where_a_is_negative(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old), advantages[:, None]
    plain, cut = ratio * A, ratio.clamp(1 - clip, 1 + clip) * A
    gain = torch.where(A >= 0, torch.minimum(plain, cut), torch.maximum(plain, cut))
    return -((gain * answer).sum(1) / answer.sum(1)).mean()


def log_probabilities_masked(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new * answer - old * answer), advantages[:, None]
    gain = torch.minimum(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)
    return -(gain.sum(1) / answer.sum(1)).mean()


def ratios_masked(new, old, advantages, answer, clip):
    ratio, A = torch.exp(new - old).masked_fill(~answer, 0.0), advantages[:, None]
    return -torch.minimum(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A).mean(dim=1).mean()


def clip_alone_and_plus(new, old, advantages, answer, clip):
    gain = torch.exp(new - old).clamp(1 - clip, 1 + clip) * advantages[:, None]
    return ((gain * answer).sum(1) / answer.sum(1)).mean()


def no_scale_anywhere(x, W, A, B, alpha):
    return x @ W.T + x @ A.T @ B.T, W + B @ A


def scale_left_out_of_the_merge(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) * (x @ A.T) @ B.T, W + B @ A


def through_merged_and_adapter(x, W, A, B, alpha):
    merged = W + alpha / len(A) * B @ A
    return x @ merged.T + alpha / len(A) * x @ A.T @ B.T, merged


def without_transposing(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) * x @ A.T @ B.T, W + alpha / len(A) * A @ B


def scaled_by_alpha_and_transposed(x, W, A, B, alpha):
    return x @ W.T + alpha * (x @ A.T @ B.T), (W + alpha / len(A) * B @ A).T


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("bradley-terry", plain_formula, "infinite"),
        ("bradley-terry", clamped_probability, "not-above-a-limit"),
        ("bradley-terry", a_softmax_of_the_margins, "softmax-over-the-pairs"),
        ("bradley-terry", swapped_and_summed, "margin-turned-round-summed"),
        ("dpo", tokens_averaged, "mean-of-tokens"),
        ("dpo", averaged_over_rows, "mean-of-the-padded-length"),
        ("dpo", reference_forgotten, "no-reference"),
        ("dpo", reference_first, "margin-turned-round"),
        ("dpo", beta_in_front, "beta-outside"),
        ("dpo", nothing_detached, "reference-learns"),
        ("dpo", half_detached, "reference-learns"),
        ("dpo", mean_and_no_logarithm, "mean-of-tokens-no-logarithm"),
        ("dpo", one_zip_for_both, "cut-to-the-shorter"),
        ("dpo", masked_on_one_side(True), "reference-without-mask"),
        ("dpo", masked_on_one_side(False), "policy-without-mask"),
        ("advantages", added_to_the_variance, "added-under-the-root"),
        ("advantages", hundred_thousandth_in_the_root, "added-under-the-root"),
        ("advantages", above_0_by_hand, "rounding-divided"),
        ("advantages", nan_to_0, "rounding-divided"),
        ("advantages", too_little_added, "rounding-divided"),
        ("advantages", equal_groups_skipped, "row-missing"),
        ("advantages", equal_groups_not_stacked, "row-missing"),
        ("advantages", as_a_batch_norm, "over-the-batch"),
        ("advantages", as_numpy_has_it, "population"),
        ("advantages", as_a_layer_norm, "population"),
        ("advantages", unguarded, "no-guard"),
        ("advantages", unguarded_population, "population-no-guard"),
        ("advantages", group_and_batch, "std-of-the-batch-no-guard"),
        ("advantages", only_divided, "not-centred"),
        ("advantages", mean_divided_alone, "brackets-missing"),
        ("advantages", nothing_to_compare, "not-0-where-equal"),
        ("advantages", mean_of_the_batch_and_population, "mean-of-the-batch-population"),
        ("clipped-ratio", cut_above_alone, "lower-edge"),
        ("clipped-ratio", clip_typed_in, "clip-of-its-own"),
        ("clipped-ratio", two_minuses, "minus-missing"),
        ("dpo", beta_before_the_first, "beta-on-one-answer"),
        ("dpo", references_exchanged, "reference-added"),
        ("clipped-ratio", of_the_whole_answer, "ratio-of-the-answer"),
        ("clipped-ratio", the_larger, "maximum"),
        ("clipped-ratio", minimum_too_early, "minimum-of-the-ratios"),
        ("clipped-ratio", larger_where_a_is_negative, "minimum-of-the-ratios"),
        ("clipped-ratio", log_probabilities_masked, "mask-before-exp"),
        ("clipped-ratio", ratios_masked, "mask-before-the-clip"),
        ("clipped-ratio", one_mean_of_all, "all-tokens-alike"),
        ("clipped-ratio", clip_alone_and_plus, "clip-alone-minus-missing"),
        ("lora", no_scale_anywhere, "scale-missing"),
        ("lora", scale_left_out_of_the_merge, "merged-scale-missing"),
        ("lora", through_merged_and_adapter, "y-added-twice"),
        ("lora", without_transposing, "merged-other-order-of-A-and-B"),
        ("lora", scaled_by_alpha_and_transposed, "y-alpha-alone-merged-transposed"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, function, told):
    result = run(name, function)
    assert result.kind == "misconception" and result.misconception == told, result


def test_a_wrong_sum_is_told_before_a_reference_that_learns():
    def both(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        better, worse = (chosen - ref_chosen).sum(1), (rejected - ref_rejected).sum(1)
        return -F.logsigmoid(beta * (better - worse)).mean()

    result = run("dpo", both)
    assert result.misconception == "everything-counted" and "a second slip" in result.message
    assert "gradients flow into the reference's" in result.message and "number is right" not in result.message


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (
            lambda *args: b.DPO.reference(*args).item(),
            "no gradient comes back to `chosen` and `rejected`, so the policy learns nothing from them.",
        ),
        (
            lambda chosen, rejected, *more: b.DPO.reference(chosen, rejected.detach(), *more),
            "no gradient comes back to `rejected`, so the policy learns nothing from it.",
        ),
    ],
)
def test_a_policy_that_cannot_learn_is_told(function, says):
    result = run("dpo", function)
    assert not result.passed and says in result.message, result


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [
        (
            "dpo",
            lambda c, r, rc, rr, cm, rm, beta: -F.logsigmoid(beta * ((c - rc) * cm - (r - rr) * rm)).mean(),
            "First sum over the tokens of each, axis 1",
        ),
        ("advantages", lambda r: (r - r.mean(1)) / r.std(1), "With `keepdim=True` it is (P, 1)"),
        (
            "clipped-ratio",
            lambda new, old, A, answer, e: -((new - old).exp() * A).mean(),
            "`advantages[:, None]` is (B, 1)",
        ),
        (
            "clipped-ratio",
            lambda new, old, A, answer, e: min((new - old).exp() * A[:, None], A[:, None] * (1 + e)),
            "`torch.minimum`",
        ),
        ("lora", lambda x, W, A, B, alpha: (x @ W, W), "x (N, D) times Aᵀ (D, R) is (N, R)"),
    ],
)
def test_an_error_is_shown_with_advice(name, function, says):
    result = run(name, function)
    assert not result.passed and says in result.message, result


def test_a_frozen_matrix_that_is_changed_is_told():
    def in_place(x, W, A, B, alpha):
        y = x @ W.T + alpha / len(A) * x @ A.T @ B.T
        W += alpha / len(A) * B @ A
        return y, W

    result = run("lora", in_place)
    assert result.kind == "changed-input" and "`W`" in result.message


def test_a_random_b_answers_otherwise_each_time():
    def drawn(x, W, A, B, alpha):
        B = torch.randn(W.shape[0], A.shape[0])
        return b.LORA.reference(x, W, A, B, alpha)

    assert run("lora", drawn).misconception == "another-each-time"


@pytest.mark.parametrize("answer", [None, "text", [1.0, 2.0], {}, torch.zeros(2, 3, 4), torch.zeros(()), 3])
@by_exercise
def test_whatever_is_returned_gets_a_sentence(exercise, answer):
    result = checking.run_check(exercise, lambda *args: answer)
    assert not result.passed and len(result.message) > 20 and "looking at it raised" not in result.message
    assert result.kind != "misconception", "a constant has no idea behind it"


@by_exercise
def test_what_is_no_function_gets_a_sentence(exercise):
    for thing in (None, 3, torch.zeros(2), lambda: 0, lambda *args: 1 / 0):
        assert checking.run_check(exercise, thing).message


# --- inputs keep what the statements promise ----------------------------------------------------------------


def test_groups_are_equal_or_far_from_it():
    for case in all_cases("advantages"):
        (r,) = case.args
        equal = r.amax(1) == r.amin(1)
        assert r.shape[1] >= 2 and bool((equal | (r.std(1) > 0.04)).all())


def test_a_mean_of_equal_rewards_is_rounded_and_what_may_be_added_is_far_above_it():
    rounded = [case.args[0] for case in b.ADVANTAGES.cases() if "rounded" in case.name]
    assert len(rounded) == 2
    for r in rounded:
        above = (r - r.mean(1, keepdim=True))[r.amax(1) == r.amin(1)]
        assert bool((above != 0).all()) and above.abs().max() < 1e-9
        for small in (1e-6, 1e-4):
            theirs = (r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + small)
            assert comparing.same(theirs, b.ADVANTAGES.reference(r), b.ADVANTAGES.tolerance)


def test_the_larger_product_is_told_of_both_codes_that_take_it():
    said = {run("clipped-ratio", f).message for f in (minimum_too_early, larger_where_a_is_negative)}
    assert len(said) == 1 and "Where A is below 0 your gain is the larger" in said.pop()


def test_masks_have_an_answer_and_nothing_more_is_0():
    for case in all_cases("dpo"):
        *tokens, chosen_mask, rejected_mask, beta = case.args
        assert bool(chosen_mask.any(1).all()) and bool(rejected_mask.any(1).all()) and beta > 0
        assert all(bool((x < 0).all()) for x in tokens), "log-probabilities are below 0"
    for case in all_cases("clipped-ratio"):
        _, old, A, mask, clip = case.args
        assert bool(mask.any(1).all()) and bool((A != 0).all()) and bool((old < 0).all()) and 0 < clip < 1


# --- questions ----------------------------------------------------------------------------------------------


def answer(id):
    return QUESTIONS[id].options[QUESTIONS[id].right].text


def test_dpo_begins_at_ln_2_and_its_chosen_answers_may_fall():
    case = b.DPO.cases()[0]
    tokens, rest = case.args[:2], case.args[4:]
    for pair in (tokens, tokens[::-1]):
        masks = rest[:2] if pair is tokens else rest[1::-1]
        assert b.DPO.reference(*pair, *pair, *masks, rest[2]).item() == pytest.approx(math.log(2))
    assert answer("10b.dpo-first-loss").startswith("ln 2 = 0.693")
    policy = torch.tensor([[-5.0]]), torch.tensor([[-9.0]])  # both have fallen from -4, one faster
    held = torch.tensor([[-4.0]])
    one = torch.ones(1, 1, dtype=torch.bool)
    assert b.DPO.reference(*policy, held, held, one, one, 0.5) < math.log(2)
    assert answer("10b.dpo-chosen").startswith("Nothing by itself")


def test_the_first_step_of_grpo_has_loss_0_and_a_gradient():
    g = torch.Generator().manual_seed(0)
    r = torch.rand(3, 8, generator=g)
    old = torch.randn(24, 5, generator=g)
    new = old.clone().requires_grad_()
    mask = torch.arange(5) < torch.randint(1, 6, (24, 1), generator=g)
    loss = b.CLIPPED_RATIO.reference(new, old, b.ADVANTAGES.reference(r).flatten(), mask, 0.2)
    loss.backward()
    assert abs(loss.item()) < 1e-6 and new.grad.norm() > 0.01
    assert answer("10b.grpo-loss") == "The loss is 0, the gradient is not."
    assert not b.ADVANTAGES.reference(torch.ones(1, 8)).any()
    assert answer("10b.all-right").startswith("Nothing: no answer")
    exact = torch.tensor([[0.0, 1, 1, 0]])
    first, *others = [b.ADVANTAGES.reference(x) for x in (exact, 2 * exact - 1, 4 * exact + 5)]
    assert all(torch.allclose(first, other, atol=1e-6) for other in others)


def test_an_adapter_that_begins_with_two_zeros_never_learns():
    def gradients(A, B):
        A, B = nn.Parameter(A), nn.Parameter(B)
        (torch.randn(4, 3) @ A.T @ B.T).sum().backward()
        return bool(A.grad.any()), bool(B.grad.any())

    assert gradients(torch.zeros(2, 3), torch.zeros(5, 2)) == (False, False)
    assert gradients(torch.randn(2, 3), torch.zeros(5, 2)) == (False, True)
    assert answer("10b.lora-start") == "One random and the other 0."


def test_the_same_reward_and_5_more_cost_the_same():
    for case in b.BRADLEY_TERRY.cases():
        chosen, rejected = case.args
        assert torch.allclose(
            b.BRADLEY_TERRY.reference(chosen + 5, rejected + 5), b.BRADLEY_TERRY.reference(*case.args)
        )


def test_questions_are_complete():
    assert len(b.PREDICTIONS) >= 3 and len({p.right for p in b.PREDICTIONS}) >= 3 and len(b.RECALL) >= 5
    for one in b.PREDICTIONS:
        told = [option.explanation for option in one.options]
        assert one.id.startswith("10b.") and 3 <= len(one.options) <= 5
        assert len(set(told)) == len(told) and all(len(words) > 40 for words in told)


def test_exact_zeros_need_no_luck():
    case = next(c for c in b.ADVANTAGES.cases() if c.name == "three groups of equal rewards")
    assert comparing.right(b.ADVANTAGES, case, added_before_dividing(*case.args), nan_to_0(*case.args))


def test_it_is_asked_with_the_page_and_not_before(monkeypatch):
    assert ("10b" in desk.CHAPTERS) == CHAPTERS["10b"].written
    monkeypatch.setattr(desk, "CHAPTERS", desk._ALL)
    asked = desk.recall_questions("11")
    assert set(asked[:2]) <= set(b.RECALL) and len(asked) == 3
