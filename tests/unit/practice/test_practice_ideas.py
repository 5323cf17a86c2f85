"""Ideas that return are told once, and every exercise that they fit uses them."""

import pytest
import torch

from course_lib.practice import (
    chapter_05,
    chapter_06,
    chapter_09a,
    chapter_09b,
    chapter_10b,
    desk,
    ideas,
    parts,
)

CHAPTERS = (chapter_05, chapter_06, chapter_09a, chapter_09b, chapter_10b)
EXERCISES = desk.exercises() | {e.id: e for one in CHAPTERS for e in one.EXERCISES}


def names(id):
    return {m.name for m in EXERCISES[id].misconceptions}


@pytest.mark.parametrize(
    ("idea", "exercises"),
    [
        ("softmax-over-queries", "01.weights 02.attention 03.layer 04.softmax 04.leak 09a.cached-step"),
        ("softmax-over-heads", "02.attention 03.layer 04.softmax"),
        (
            "softmax-over-batch",
            "01.weights 02.attention 03.layer 04.softmax 08.fill 08.mlm-loss 09a.next-token-loss "
            "09a.draw-order 09a.cached-step",
        ),
        ("softmax-over-table", "01.weights 02.attention 03.layer 04.softmax"),
        (
            "softmax-twice",
            "01.weights 01.context 02.soft-dict 02.attention 03.layer 04.softmax 05.smoothing 08.mlm-loss "
            "09a.next-token-loss 09a.draw-order 09a.cached-step",
        ),
        ("no-softmax", "01.weights 02.soft-dict 02.attention 03.layer 04.softmax 09a.cached-step"),
        ("hard-choice", "01.weights 01.context 02.soft-dict 02.attention 03.layer 04.softmax"),
        ("mask-after-softmax", "01.weights 02.attention 03.layer 04.softmax"),
        (
            "mask-inverted",
            "01.weights 01.decoder-step 02.attention 03.layer 04.softmax 05.encoder-layer 08.input-triple",
        ),
        ("mask-unused", "01.weights 02.attention 03.layer 04.softmax"),
        ("mask-added", "01.weights 02.attention 03.layer 04.softmax"),
        ("score-of-zero", "01.weights 02.attention 03.layer 04.softmax"),
        ("not-low-enough", "01.weights 02.attention 03.layer 04.softmax 09a.draw-order"),
        ("renormalised-afterwards", "01.weights 02.attention 03.layer 04.softmax"),
        ("exponentials-overflow", "01.weights 02.soft-dict 02.attention 03.layer 04.softmax"),
        ("rows-too-small", "01.weights 04.softmax"),
        ("no-scale", "02.attention 03.layer 09a.cached-step"),
        ("scaled-by-d-model", "02.attention 03.layer"),
        ("scaled-by-positions", "02.attention 03.layer"),
        ("scale-after-softmax", "02.attention 03.layer"),
        ("plain-mean", "00.weighted-mean 01.context 02.soft-dict 02.attention 09a.cached-step"),
        ("no-sum", "01.context 02.soft-dict 02.attention"),
        ("divided-by-length", "01.context 02.soft-dict 02.attention"),
        ("one-short", "00.weighted-mean 01.context 02.soft-dict 02.attention 03.layer"),
        ("last-one-only", "00.weighted-mean 01.context 02.soft-dict 02.attention 03.layer"),
        ("weights-on-keys", "02.soft-dict 02.attention 09a.cached-step"),
        ("inverted", "04.causal 04.padding 04.prefix 04.packed 06.family-masks 06.three-masks"),
        ("additive", "04.causal 04.padding 04.prefix 04.packed 06.family-masks 06.three-masks"),
        ("mirrored", "04.causal 04.prefix 04.packed 06.family-masks"),
        ("sum-goes-on", "01.context 02.attention 03.layer"),
        ("same-row-for-all", "01.context 02.attention 03.layer"),
        ("all-rows-added", "01.context 02.attention 03.layer"),
        ("same-keys-for-all-heads", "02.attention 03.layer"),
        ("one-mask-for-all-heads", "02.attention 03.layer"),
        ("mask-of-the-first-sentence", "02.attention 03.layer"),
        ("power-before-division", "02.attention 03.layer"),
        ("pieces-overlap", "03.split 03.merge"),
        ("parts-of-the-mask", "04.causal 04.prefix 04.packed"),
        ("causal-always", "02.attention 03.layer 05.encoder-layer"),
        ("divided-by-d-model", "02.attention 03.layer"),
        (
            "other-order",
            "01.decoder-step 05.decoder-inputs 05.beam-step 09a.pack 09a.decay-groups 09a.clip "
            "09a.accumulate 09a.cached-step 10b.lora",
        ),
        ("whole-numbers", "05.sinusoidal"),
        ("view-without-transpose", "01.scores 01.context 03.split 03.merge"),
        (
            "squeezed",
            "01.scores 01.weights 01.context 02.soft-dict 02.attention 03.split 03.merge 03.layer 04.causal "
            "04.padding 04.prefix 04.packed 04.softmax 04.leak 05.sinusoidal 05.sublayer 05.encoder-layer "
            "05.greedy 06.family-masks 06.strip 06.three-masks 08.choose 08.mean-vector 08.fill 08.cls-head "
            "09a.top-p 09a.draw-order 09b.rotary 09b.newton-schulz 09b.sync 10b.advantages",
        ),
    ],
)
def test_each_exercise_that_an_idea_fits_uses_it(idea, exercises):
    assert {id for id in EXERCISES if idea in names(id)} == set(exercises.split())


def test_slips_in_a_loop_are_named():
    def one_short(weights, h):
        total = torch.zeros(*weights.shape[:2], h.shape[2])
        for j in range(h.shape[1] - 1):
            total = total + weights[:, :, j, None] * h[:, None, j]
        return total

    def equals(query, keys, values):
        weights = torch.softmax(keys @ query, dim=0)
        for j in range(len(keys)):
            found = weights[j] * values[j]
        return found

    assert desk.run_check("01.context", one_short).misconception == "one-short"
    result = desk.run_check("02.soft-dict", equals)
    assert result.misconception == "last-one-only" and "`total = total + …`" in result.message


def test_a_mask_between_two_softmaxes_is_not_told_that_its_rows_are_too_small():
    def twice(q, k, v, allowed):
        weights = torch.softmax(q @ k.mT / k.shape[-1] ** 0.5, dim=-1)
        return torch.softmax(weights.masked_fill(~allowed, -torch.inf), dim=-1) @ v

    result = desk.run_check("02.attention", twice)
    assert result.misconception == "softmax-twice" and "sums to" not in result.message


def test_the_parts_make_attention():
    q, k, v, allowed = EXERCISES["02.attention"].cases()[0].args
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    assert torch.allclose(parts.attend(q, k, v, allowed), theirs, atol=1e-6)
    for case in EXERCISES["03.layer"].cases():
        assert torch.allclose(
            parts.multi_head(*case.args), EXERCISES["03.layer"].reference(*case.args), atol=1e-5
        )


def test_an_unknown_idea_is_refused():
    with pytest.raises(ValueError, match=r"there is no idea \['upside-down'\]; expected some of"):
        ideas.weighted_sum(
            lambda mix: mix, lambda w, v: v, leave=("upside-down",), weights="w", values="v", unused=""
        )
