"""10b.dpo: direct preference optimization, from the log-probabilities of tokens to one loss."""

import torch

from course_lib.practice.chapter_10b.dpo_ways import TWO, WAYS
from course_lib.practice.chapter_10b.dpo_words import REFERENCE_LEARNS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import CannotCompare, Case, Exercise, Output, View
from course_lib.practice.words import advice, lines, misconceptions, prose


def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
    def reward(policy, reference, mask):
        return beta * ((policy - reference.detach()) * mask).sum(dim=1)  # (B,)

    better = reward(chosen, ref_chosen, chosen_mask)
    worse = reward(rejected, ref_rejected, rejected_mask)
    return -torch.nn.functional.logsigmoid(better - worse).mean()


NAMES = ("chosen", "rejected", "ref_chosen", "ref_rejected")


def loss_with_gradients(loss, args):
    """The loss; where log-probabilities ask for gradients, it is looked at where gradients go as well."""
    if not args[0].requires_grad or loss.numel() != 1:
        return loss
    # check hands out clones; what they have in common is the tensor that they were cloned from.
    origins = [x if x.is_leaf else x.grad_fn.next_functions[0][0].variable for x in args[:4]]
    came = [None] * 4
    if loss.requires_grad:
        try:
            came = torch.autograd.grad(loss.sum(), origins, allow_unused=True, retain_graph=True)
        except RuntimeError as error:
            raise CannotCompare("Gradients cannot find their way back through your loss.") from error
    there = [name for name, grad in zip(NAMES, came, strict=True) if grad is not None and bool(grad.any())]
    if wanted := [f"`{name}`" for name in NAMES[:2] if name not in there]:
        raise CannotCompare(
            f"No gradient comes back to {' and '.join(wanted)}, so the policy learns nothing from "
            f"{'it' if len(wanted) == 1 else 'them'}. Is there a `detach()`, a `no_grad`, an `.item()`, a "
            "`.tolist()`, a `torch.tensor(...)` or NumPy on the way?"
        )
    if any(name in there for name in NAMES[2:]):
        raise CannotCompare(REFERENCE_LEARNS)
    return loss


def cases() -> list[Case]:
    g = seeded(1002)

    def masks(B: int, longest: int, lengths: list[int], prompt: int) -> torch.Tensor:
        place = torch.arange(longest)
        return torch.stack([(place >= prompt) & (place < prompt + n) for n in lengths])

    def case(
        name: str, chosen: list[int], rejected: list[int], beta: float, prompt: int = 2, spare: int = 1
    ) -> Case:
        """``chosen``, ``rejected``: tokens in each answer; ``prompt``: places in front; ``spare``: behind."""
        B, T, S = len(chosen), prompt + max(chosen) + spare, prompt + max(rejected) + spare
        policy = [-(random(g, B, n).abs() + 0.2) for n in (T, S)]
        near = [-(x.neg() + 0.5 * random(g, *x.shape)).abs() - 0.05 for x in policy]
        both = [masks(B, T, chosen, prompt), masks(B, S, rejected, prompt)]
        return Case(name, (*policy, *near, *both, beta), {"B": B, "T": T, "S": S})

    asks = case("log-probabilities that ask for gradients", [2, 4], [3, 2], 0.5)
    turned = case("log-probabilities that are not contiguous", [3, 2, 4], [2, 2, 2], 0.5, spare=0)
    return [
        case("three pairs", [4, 2, 3], [2, 6, 1], 0.5),
        case("chosen answers that are longer", [7, 5], [2, 1], 0.1, prompt=3),
        case("a large β", [2, 3, 1, 2], [3, 1, 2, 4], 2.0),
        case("one pair", [3], [5], 0.3, prompt=1, spare=2),
        case("answers of one token", [1, 1, 1], [1, 1, 1], 0.7, prompt=0, spare=0),
        case("no prompt, no padding", [4, 4], [3, 3], 0.2, prompt=0, spare=0),
        case("as many pairs as places", [2, 1, 2, 1], [1, 2, 2, 1], 0.5, prompt=1, spare=1),
        Case(turned.name, tuple(map(not_contiguous, turned.args[:6])) + turned.args[6:], turned.sizes),
        Case(asks.name, (*(x.requires_grad_() for x in asks.args[:4]), *asks.args[4:]), asks.sizes),
    ]


DPO = Exercise(
    id="10b.dpo",
    title="The loss of DPO",
    minutes=12,
    difficulty=3,
    statement=prose("""
        Write `dpo_loss(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta)` for B
        pairs. `chosen` (B, T) and `rejected` (B, S) are the policy's log-probabilities of the tokens, `ref_…`
        the reference's. The masks are True at an answer's tokens; prompt and padding do not count.

        log π of an answer is the sum over its tokens, its reward β (log π - log π_ref). Return the mean over
        the pairs of -log σ(reward of chosen - reward of rejected), a tensor: gradients must flow back to the
        policy, and none to the reference.

        Example: one pair, sums -4 (chosen) and -6, the reference's -5 and -5, β = 0.5: margin 0.5 · (1 + 1) =
        1, loss 0.313.
    """),
    inputs={
        "chosen": "B, T",
        "rejected": "B, S",
        "ref_chosen": "B, T",
        "ref_rejected": "B, S",
        "chosen_mask": "B, T",
        "rejected_mask": "B, S",
        "beta": "a number",
    },
    outputs=(Output("loss", ()),),
    reference=dpo_loss,
    cases=cases,
    view=View(Output("loss", ()), loss_with_gradients),
    hints=(
        prose("""
            Four numbers belong to each pair: the log-probability of each of its two answers, under each of
            the two models. A mask times a row, summed over axis 1, gives one of them. What does
            `.detach()` do to the reference's?
        """),
        lines("""
            log π of an answer = sum over axis 1 of (log-probabilities times mask)      (B,)
            reward = beta · (the policy's minus the reference's, detached)              (B,), for both answers
            margin = reward of chosen minus reward of rejected                          (B,)
            return the mean of minus logsigmoid of margin
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *TWO),
    insight=prose("""
        If policy and reference are the same, all rewards are 0 and the loss is ln 2, with the pairs in either
        order: a swapped pair does not show at step 0. Look at the margin after one step, too.
    """),
    advice=advice(r"""
must match the size|broadcast
    `chosen` and `rejected` have different lengths, T and S, and each has its own mask. First sum over the
    tokens of each, axis 1: then there is one number for each of B answers.
Boolean value of Tensor
    There is one margin for each pair. `logsigmoid` takes all B at once.
must be Tensor, not
    `torch` functions want a tensor. Has a mean or `.item()` been taken too early?
"""),
)
