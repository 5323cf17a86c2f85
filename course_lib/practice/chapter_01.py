"""Practice of chapter 01, Bahdanau attention: five exercises, six predictions, and what chapter 02 recalls.

Each exercise stands in the same order: the reference (which is also the solution shown to learners), the
wrong ways, the inputs, and the Exercise that ties them together. Source: Bahdanau, Cho, Bengio 2015,
section 3 and appendix A.
"""

from __future__ import annotations

import torch
from torch import nn

from course_lib.practice.kinds import Case, Exercise, Misconception, Option, Output, Prediction, Recall

TITLE = "Bahdanau attention"


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


def _padded(*lengths: int) -> torch.Tensor:
    """``allowed`` (B, S) for sentences of these lengths: True on words, False on padding."""
    return torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


# --- 01.scores: eⱼ = v_aᵀ tanh(W_a s + U_a hⱼ) ----------------------------------------------------------


def alignment_scores(s, h, W_a, U_a, v_a):
    query = s @ W_a.T  # (B, A)
    keys = h @ U_a.T  # (B, S, A)
    hidden = torch.tanh(query[:, None, :] + keys)  # (B, S, A)
    return hidden @ v_a  # (B, S)


def _query_and_keys(s, h, W_a, U_a):
    return (s @ W_a.T)[:, None, :], h @ U_a.T  # (B, 1, A), (B, S, A)


def _no_tanh(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return (query + keys) @ v_a


def _matrices_swapped(s, h, W_a, U_a, v_a):
    return alignment_scores(s, h, U_a, W_a, v_a)


def _not_transposed(s, h, W_a, U_a, v_a):
    return torch.tanh((s @ W_a)[:, None, :] + h @ U_a) @ v_a


def _summed_over_words(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return (torch.tanh(query + keys) * v_a).sum(dim=1)


def _summed_over_batch(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return (torch.tanh(query + keys) * v_a).sum(dim=0)


def _tanh_last(s, h, W_a, U_a, v_a):
    return torch.tanh(_no_tanh(s, h, W_a, U_a, v_a))


def _tanh_on_each(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return (torch.tanh(query) + torch.tanh(keys)) @ v_a


def _without_v(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return torch.tanh(query + keys).sum(dim=-1)


def _without_v_mean(s, h, W_a, U_a, v_a):
    query, keys = _query_and_keys(s, h, W_a, U_a)
    return torch.tanh(query + keys).mean(dim=-1)


def _first_query_for_all(s, h, W_a, U_a, v_a):
    return alignment_scores(s[:1].expand_as(s), h, W_a, U_a, v_a)


def _query_without_new_axis(s, h, W_a, U_a, v_a):
    return torch.tanh(s @ W_a.T + h @ U_a.T) @ v_a  # (B, A) + (B, S, A): only runs if B = S


def _weights_already(s, h, W_a, U_a, v_a):
    return torch.softmax(alignment_scores(s, h, W_a, U_a, v_a), dim=-1)


def _without_query(s, h, W_a, U_a, v_a):
    return torch.tanh(h @ U_a.T) @ v_a


def _scores_cases() -> list[Case]:
    g = torch.Generator().manual_seed(101)

    def case(name: str, sizes: dict[str, int]) -> Case:
        b, s, d_s, d_h, a = (sizes[axis] for axis in ("B", "S", "D_s", "D_h", "A"))
        states = _random(g, b, s, d_h)
        states[0, s - 1] = states[0, 0]  # a repeated word
        args = (_random(g, b, d_s), states, _random(g, a, d_s), _random(g, a, d_h), _random(g, a))
        return Case(name, args, sizes)

    plain = case("five different sizes", {"B": 2, "S": 5, "D_s": 3, "D_h": 6, "A": 4})
    square = case("square matrices", {"B": 2, "S": 5, "D_s": 4, "D_h": 4, "A": 4})
    words = case("as many sentences as words", {"B": 3, "S": 3, "D_s": 4, "D_h": 6, "A": 5})
    sizes = {"B": 3, "S": 7, "D_s": 4, "D_h": 6, "A": 5}
    s, h, *rest = case("", sizes).args
    strided = (s.T.contiguous().T, h.transpose(0, 1).contiguous().transpose(0, 1), *rest)
    return [plain, square, words, Case("tensors that are not contiguous", strided, sizes)]


SCORES = Exercise(
    id="01.scores",
    title="Alignment scores",
    minutes=10,
    difficulty=2,
    statement=(
        "Write `alignment_scores(s, h, W_a, U_a, v_a)`. For each sentence of the batch, score its "
        "decoder state `s` against each of its S encoder states: eⱼ = v_aᵀ tanh(W_a s + U_a hⱼ). There "
        "is no softmax yet."
    ),
    inputs={"s": "B, D_s", "h": "B, S, D_h", "W_a": "A, D_s", "U_a": "A, D_h", "v_a": "A"},
    outputs=(Output("scores", ("B", "S")),),
    reference=alignment_scores,
    cases=_scores_cases,
    hints=(
        "W_a s is one vector of length A for each sentence; U_a hⱼ is one for each word. They must be "
        "added, so the query needs an axis for the words. Which shape must it have, so that (B, ?, A) "
        "meets (B, S, A)?",
        "query  = s times W_a transposed            (B, A)\n"
        "keys   = h times U_a transposed            (B, S, A)\n"
        "hidden = tanh(query with a new axis in the middle + keys)   (B, S, A)\n"
        "return hidden times v_a                    (B, S)",
    ),
    misconceptions=(
        Misconception(
            "missing-tanh",
            (_no_tanh,),
            "The tanh is missing. Without it the score falls apart into v·W s + v·U hⱼ: the first part "
            "is the same for every word, and the softmax takes it out again. The decoder would have no "
            "say in where it looks.",
        ),
        Misconception(
            "matrices-swapped",
            (_matrices_swapped,),
            "W_a and U_a are exchanged: W_a belongs to the decoder state s, U_a to the encoder states h. "
            "It only runs where both states have the same length, so the shapes do not always warn you.",
        ),
        Misconception(
            "not-transposed",
            (_not_transposed,),
            "The matrices are not transposed. W_a has shape (A, D_s), and the rows of `s` stand on the "
            "left, so W_a s is written `s @ W_a.T`. With a square matrix both ways run, and only one is "
            "right.",
        ),
        Misconception(
            "summed-over-words",
            (_summed_over_words,),
            "You sum over the words (axis S). The sum belongs over the A features, one score for each "
            "word: after the tanh you have (B, S, A), and A is the axis that must go.",
        ),
        Misconception(
            "summed-over-batch",
            (_summed_over_batch,),
            "You sum over the batch (axis B), so sentences that have nothing to do with each other are "
            "mixed. After the tanh you have (B, S, A), and A is the axis that must go.",
        ),
        Misconception(
            "tanh-last",
            (_tanh_last,),
            "The tanh comes too late, after v_a. Then the order of the words is decided before the tanh, "
            "where query and key never meet, and no score can leave -1 … 1. Add, tanh, and v_a last.",
        ),
        Misconception(
            "tanh-on-each",
            (_tanh_on_each,),
            "You take the tanh of each part and add afterwards. Add first: only inside one tanh can the "
            "query change how much a key counts. Apart, the query adds the same to every word, and the "
            "softmax takes it out.",
        ),
        Misconception(
            "without-v",
            (_without_v, _without_v_mean),
            "v_a has no effect yet: you give all A features the same say. v_a is learned, and it decides "
            "which features speak for a match and which against it.",
        ),
        Misconception(
            "first-query-for-all",
            (_first_query_for_all,),
            "All sentences use the decoder state of the first one. Each sentence has its own `s`: keep "
            "axis B of the query, and put the new axis after it.",
        ),
        Misconception(
            "query-without-new-axis",
            (_query_without_new_axis,),
            "The query needs a new axis for the words: (B, A) becomes (B, 1, A). Without it torch lines "
            "up B with S: most inputs fail, and where B = S it runs and pairs sentence number i with "
            "word number i.",
        ),
        Misconception(
            "query-unused",
            (_without_query,),
            "The decoder state has no effect: you score the encoder states alone. Then every step of the "
            "decoder would look at the same place. W_a s belongs inside the tanh.",
        ),
        Misconception(
            "weights-already",
            (_weights_already,),
            "These are weights already: your rows sum to 1. The scores come before the softmax; the next "
            "exercise turns them into weights, after the padding is masked.",
        ),
    ),
    insight="The tanh is where query and key meet; W_a, U_a and v_a are learned with the translator.",
    advice=(
        (
            r"W_a\s*@\s*s|U_a\s*@\s*h",
            "`W_a @ s` is for one sentence. Here each row of `s` belongs to another sentence: write "
            "`s @ W_a.T` and `h @ U_a.T`.",
        ),
    ),
)


# --- 01.weights: softmax over the words, padding left out -------------------------------------------------


def attention_weights(scores, allowed):
    scores = scores.masked_fill(~allowed[:, None, :], float("-inf"))  # padding cannot win anything
    return torch.softmax(scores, dim=-1)  # (B, T, S)


def _softmax_over(axis: int, fill: float | None):
    def weights(scores, allowed):
        if fill is not None:
            scores = scores.masked_fill(~allowed[:, None, :], fill)
        return torch.softmax(scores, dim=axis)

    return weights


def _masked_after(scores, allowed):
    return torch.softmax(scores, dim=-1) * allowed[:, None, :]


def _filled(fill: float):
    return lambda scores, allowed: torch.softmax(scores.masked_fill(~allowed[:, None, :], fill), dim=-1)


def _inverted(fill: float):
    return lambda scores, allowed: torch.softmax(scores.masked_fill(allowed[:, None, :], fill), dim=-1)


def _masked_queries(fill: float):
    return lambda scores, allowed: torch.softmax(scores.masked_fill(~allowed[:, :, None], fill), dim=-1)


def _no_softmax(scores, allowed):
    return scores.masked_fill(~allowed[:, None, :], float("-inf"))


def _log_softmax(scores, allowed):
    return torch.log_softmax(_no_softmax(scores, allowed), dim=-1)


def _rows_after_masking(expected, got, args):
    short = got.sum(dim=-1).min().item()
    return (
        "You mask after the softmax. Your padding gets 0, and the rest of the row keeps its old share: "
        f"one row sums to {short:.2f}. Put -inf into the scores before the softmax; then the words share "
        "the whole 1."
    )


def _weight_on_padding(expected, got, args):
    allowed = args[1]
    lost = (got * ~allowed[:, None, :]).sum(dim=-1).max().item()
    return (
        f"The padding is not masked: in one row it takes {lost:.0%} of the weight. Padding is no word, it "
        "only fills the batch up. Set its scores to -inf before the softmax, where `allowed` is False."
    )


def _score_of_zero(expected, got, args):
    lost = (got * ~args[1][:, None, :]).sum(dim=-1).max().item()
    return (
        "The padding's scores are 0, or next to it: -1e-9 is a slip for -1e9. A score of 0 is an "
        f"ordinary score, and exp(0) = 1: in one row the padding takes {lost:.0%} of the weight. The "
        "score that means 'nothing' is -inf."
    )


def _weights_cases() -> list[Case]:
    g = torch.Generator().manual_seed(102)
    scores = 1.5 * _random(g, 3, 4, 5)
    scores[1, 2, 3] = scores[1, 2, 0]  # a repeated word
    square = 1.5 * _random(g, 2, 4, 4)
    strided = (1.5 * _random(g, 2, 6, 3)).transpose(1, 2)  # (2, 3, 6), not contiguous
    return [
        Case("three sentences, two of them padded", (scores, _padded(5, 3, 4)), {"B": 3, "T": 4, "S": 5}),
        Case("as many target words as source words", (square, _padded(2, 4)), {"B": 2, "T": 4, "S": 4}),
        Case("scores that are not contiguous", (strided, _padded(6, 1)), {"B": 2, "T": 3, "S": 6}),
    ]


_INFINITY = float("-inf")

WEIGHTS = Exercise(
    id="01.weights",
    title="Weights with padding",
    minutes=8,
    difficulty=2,
    statement=(
        "Write `attention_weights(scores, allowed)`. Turn scores into weights: each row over the S "
        "source words sums to 1, and padding gets exactly 0. `allowed` is True on words and False on "
        "padding. Every sentence has at least one word."
    ),
    inputs={"scores": "B, T, S", "allowed": "B, S"},
    outputs=(Output("weights", ("B", "T", "S"), rows_sum_to_one=True),),
    reference=attention_weights,
    cases=_weights_cases,
    hints=(
        "A softmax gives every finite score a share. Which score gets a share of exactly 0? Put that "
        "score where `allowed` is False, and only then take the softmax. `allowed` has no axis T yet.",
        "mask    = not allowed, with a new axis for T       (B, 1, S)\n"
        "scores  = scores, but -inf where mask is True      (B, T, S)\n"
        "return softmax of scores over the last axis, S     (B, T, S)",
    ),
    misconceptions=(
        Misconception(
            "softmax-over-batch",
            tuple(_softmax_over(0, fill) for fill in (_INFINITY, -1e9, None)),
            "Your softmax runs over the batch (axis 0), so sentences that know nothing of each other "
            "share one budget of attention. Each row belongs to one target word and runs over the source "
            "words: `dim=-1`.",
        ),
        Misconception(
            "softmax-over-decoder",
            tuple(_softmax_over(1, fill) for fill in (_INFINITY, -1e9, None)),
            "Your softmax runs over the target words (axis T): each source word shares itself out. It "
            "must be the other way round: each target word shares its attention over the source words, "
            "`dim=-1`.",
        ),
        Misconception(
            "padding-not-masked",
            (_softmax_over(-1, None),),
            _weight_on_padding,
        ),
        Misconception(
            "masked-after",
            (_masked_after,),
            _rows_after_masking,
        ),
        Misconception(
            "mask-inverted",
            (_inverted(_INFINITY), _inverted(-1e9)),
            "Your mask is inverted: the words are blocked and the padding is open. `allowed` is True "
            "where attention may go; `masked_fill` fills where its mask is True, so it needs `~allowed`.",
        ),
        Misconception(
            "score-of-zero",
            (
                _filled(-1e-9),
                _filled(0.0),
                lambda scores, allowed: torch.softmax(scores * allowed[:, None, :], dim=-1),
            ),
            _score_of_zero,
        ),
        Misconception(
            "masked-queries",
            (_masked_queries(_INFINITY), _masked_queries(-1e9)),
            "Your mask lies along the target words (T), not along the source words (S). The padding is "
            "in the source: `allowed[:, None, :]` blocks columns, `allowed[:, :, None]` blocks rows.",
        ),
        Misconception(
            "no-softmax",
            (_no_softmax,),
            "The padding is masked well, and the softmax is still to come: these are scores. Weights are "
            "between 0 and 1 and each row sums to 1.",
        ),
        Misconception(
            "log-softmax",
            (_log_softmax,),
            "These are the logarithms of the weights. log_softmax is made for losses; a weighted sum "
            "needs the weights themselves: softmax.",
        ),
    ),
    insight="-inf before the softmax: the padding gets exactly 0 and the words share the whole 1.",
    advice=(
        (
            r"must match the size|broadcast",
            "`allowed` is (B, S) and the scores are (B, T, S): give it an axis for T, `allowed[:, None, :]`.",
        ),
        (
            r"not allowed|Boolean value",
            "`not` is for one truth value; for a tensor of them write `~allowed`.",
        ),
    ),
)


# --- 01.context: cᵢ = Σⱼ αᵢⱼ hⱼ -----------------------------------------------------------------


def context_vectors(weights, h):
    return weights @ h  # (B, T, S) @ (B, S, D) -> (B, T, D): S is summed away


def _mean_expanded(weights, h):
    return h.mean(dim=1, keepdim=True).expand(-1, weights.shape[1], -1)


def _hard_choice(weights, h):
    best = weights.argmax(dim=-1)  # (B, T)
    return h.gather(1, best[..., None].expand(-1, -1, h.shape[-1]))


def _products(weights, h):
    return weights[..., None] * h[:, None]  # (B, T, S, D)


def _too_small(expected, got, args):
    return (
        f"You sum and then divide by the number of source words: your vectors are {args[0].shape[-1]} "
        "times too small. The weights of a row sum to 1 already, so the weighted sum is a mean as it "
        "stands."
    )


def _context_cases() -> list[Case]:
    g = torch.Generator().manual_seed(103)

    def weights(scores: torch.Tensor, lengths: tuple[int, ...]) -> torch.Tensor:
        return attention_weights(2 * scores, _padded(*lengths))

    states = _random(g, 3, 5, 6) + 0.5
    states[1, 2] = states[1, 0]  # a repeated word
    plain = (weights(_random(g, 3, 4, 5), (5, 5, 3)), states)
    square = (weights(_random(g, 2, 4, 4), (4, 4)), _random(g, 2, 4, 3) + 0.5)
    strided = (weights(_random(g, 2, 3, 5), (5, 2)), (_random(g, 2, 6, 5) + 0.5).transpose(1, 2))
    return [
        Case("four different sizes and a padded sentence", plain, {"B": 3, "T": 4, "S": 5, "D": 6}),
        Case("as many target words as source words", square, {"B": 2, "T": 4, "S": 4, "D": 3}),
        Case("encoder states that are not contiguous", strided, {"B": 2, "T": 3, "S": 5, "D": 6}),
    ]


CONTEXT = Exercise(
    id="01.context",
    title="Context vectors",
    minutes=6,
    difficulty=1,
    statement=(
        "Write `context_vectors(weights, h)`. For each target word, return the weighted sum of the "
        "encoder states: cᵢ = Σⱼ αᵢⱼ hⱼ. Row i of `weights` belongs to target word i."
    ),
    inputs={"weights": "B, T, S", "h": "B, S, D"},
    outputs=(Output("context", ("B", "T", "D")),),
    reference=context_vectors,
    cases=_context_cases,
    hints=(
        "Write one context vector with a pencil: three weights, three vectors. Which axis is summed "
        "away, and where does it stand in `weights` and in `h`?",
        "for each target word i:\n"
        "    context i = sum over source words j of weight i,j times h j\n"
        "S is the last axis of weights and the middle axis of h:\n"
        "one matrix product does it for all sentences at once",
    ),
    misconceptions=(
        Misconception(
            "plain-mean",
            (
                _mean_expanded,
                lambda weights, h: h.mean(dim=1, keepdim=True),
                lambda weights, h: h.mean(dim=1),
            ),
            "This is the plain mean of the encoder states: `weights` has no effect, and every target "
            "word gets the same vector. That is the bottleneck again. Multiply each state by its weight "
            "before you sum.",
        ),
        Misconception(
            "plain-sum",
            (
                lambda weights, h: h.sum(dim=1, keepdim=True).expand(-1, weights.shape[1], -1),
                lambda weights, h: h.sum(dim=1, keepdim=True),
                lambda weights, h: h.sum(dim=1),
            ),
            "You sum the encoder states without their weights, so every target word gets the same "
            "vector. Multiply each state by its weight before you sum.",
        ),
        Misconception(
            "queries-and-keys-swapped",
            (lambda weights, h: weights.transpose(1, 2) @ h,),
            "Target and source words have changed places: `weights` is transposed. Row i belongs to "
            "target word i and runs over the source words. It only runs where T = S, so the shapes do "
            "not always warn you.",
        ),
        Misconception(
            "no-sum",
            (_products, lambda weights, h: _products(weights, h).transpose(2, 3)),
            "The products are right and the sum is missing: you have one vector for each pair of target "
            "and source word. Sum over the source words (S); what is left is one vector for each target "
            "word.",
        ),
        Misconception(
            "summed-over-targets",
            (lambda weights, h: _products(weights, h).sum(dim=1),),
            "You sum over the target words (T). The mixture is made of source words, so S is the axis to "
            "sum away: one vector is left for each target word.",
        ),
        Misconception(
            "summed-over-features",
            (lambda weights, h: _products(weights, h).sum(dim=-1),),
            "You sum over the features (D), and the vectors become single numbers. A context vector is "
            "as long as an encoder state: sum over the source words (S).",
        ),
        Misconception(
            "divided-by-length",
            (lambda weights, h: _products(weights, h).mean(dim=2),),
            _too_small,
        ),
        Misconception(
            "hard-choice",
            (_hard_choice,),
            "You take the one state with the largest weight. It looks sharp, and no gradient can flow "
            "through a choice, so it could not be learned this way. Mix all states, each with its weight.",
        ),
        Misconception(
            "softmax-twice",
            (lambda weights, h: torch.softmax(weights, dim=-1) @ h,),
            "You take a softmax of the weights, and they had one already. The second softmax makes them "
            "almost equal, and even padding gets a share. Use the weights as they are.",
        ),
        Misconception(
            "features-before-targets",
            (lambda weights, h: (weights @ h).transpose(1, 2),),
            "The numbers are right and two axes are exchanged: you return (B, D, T). Each target word "
            "gets a row: (B, T, D).",
        ),
    ),
    insight="Attention in one line: a weighted sum of what is relevant, one mixture for each target word.",
    advice=(
        (
            r"weights\s*\*\s*h",
            "`*` multiplies cell by cell; `@` multiplies and sums over the source words: use that one.",
        ),
    ),
)


# --- 01.decoder-step: look, then step ---------------------------------------------------------------------


def decoder_step(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)  # (B, D_h), (B, S): look with the state we have
    s = cell(torch.cat([y_prev, context], dim=-1), s_prev)  # (B, D): then step to the next state
    return s, context, weights


def _step_then_look(y_prev, s_prev, h, allowed, attend, cell):
    nothing = h.new_zeros(h.shape[0], h.shape[-1])
    s = cell(torch.cat([y_prev, nothing], dim=-1), s_prev)
    context, weights = attend(s, h, allowed)
    return s, context, weights


def _look_twice(y_prev, s_prev, h, allowed, attend, cell):
    context, _ = attend(s_prev, h, allowed)
    s = cell(torch.cat([y_prev, context], dim=-1), s_prev)
    context, weights = attend(s, h, allowed)
    return s, context, weights


def _step_look_step(y_prev, s_prev, h, allowed, attend, cell):
    _, context, weights = _step_then_look(y_prev, s_prev, h, allowed, attend, cell)
    return cell(torch.cat([y_prev, context], dim=-1), s_prev), context, weights


def _context_first(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([context, y_prev], dim=-1), s_prev), context, weights


def _context_unused(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([y_prev, torch.zeros_like(context)], dim=-1), s_prev), context, weights


def _word_unused(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([torch.zeros_like(y_prev), context], dim=-1), s_prev), context, weights


def _state_not_passed(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)
    return cell(torch.cat([y_prev, context], dim=-1)), context, weights


def _padding_open(y_prev, s_prev, h, allowed, attend, cell):
    return decoder_step(y_prev, s_prev, h, torch.ones_like(allowed), attend, cell)


def _old_state_returned(y_prev, s_prev, h, allowed, attend, cell):
    _, context, weights = decoder_step(y_prev, s_prev, h, allowed, attend, cell)
    return s_prev, context, weights


def _word_as_query(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(y_prev, h, allowed)
    return cell(torch.cat([y_prev, context], dim=-1), s_prev), context, weights


def _in_order(*order: int):
    def step(*args):
        answer = decoder_step(*args)
        return tuple(answer[i] for i in order)

    return step


def make_attend(W_a, U_a, v_a):
    """The attention that a decoder step is given: ``attend(s (B, D), h (B, S, D_h), allowed (B, S))``.

    It returns (context (B, D_h), weights (B, S)), and is made of the three exercises before.
    """

    def attend(s, h, allowed=None):
        if allowed is None:
            allowed = torch.ones(h.shape[:2], dtype=torch.bool)
        scores = alignment_scores(s, h, W_a, U_a, v_a)  # (B, S)
        weights = attention_weights(scores[:, None, :], allowed)  # (B, 1, S)
        return context_vectors(weights, h)[:, 0], weights[:, 0]  # (B, D_h), (B, S)

    return attend


def _make_cell(generator: torch.Generator, inputs: int, states: int) -> nn.GRUCell:
    """A GRU cell with random matrices and biases that are not zero; the global random state is left alone."""
    cell = nn.utils.skip_init(nn.GRUCell, inputs, states)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(0.6 * _random(generator, *parameter.shape))
    return cell


def _decoder_cases() -> list[Case]:
    g = torch.Generator().manual_seed(104)

    def case(name: str, lengths: tuple[int, ...], e: int, d: int, d_h: int, a: int) -> Case:
        b, s = len(lengths), max(lengths)
        attend = make_attend(1.5 * _random(g, a, d), 1.5 * _random(g, a, d_h), 2 * _random(g, a))
        states = _random(g, b, s, d_h)
        states[0, 1] = states[0, 0]  # a repeated word
        args = (
            _random(g, b, e),
            _random(g, b, d),
            states,
            _padded(*lengths),
            attend,
            _make_cell(g, e + d_h, d),
        )
        return Case(name, args, {"B": b, "S": s, "E": e, "D": d, "D_h": d_h})

    return [
        case("three sentences, two of them padded", (5, 2, 4), e=4, d=6, d_h=7, a=8),
        case("word vectors as long as the states", (3, 6), e=4, d=4, d_h=5, a=7),
    ]


DECODER_STEP = Exercise(
    id="01.decoder-step",
    title="One decoder step",
    minutes=10,
    difficulty=2,
    statement=(
        "Write `decoder_step(y_prev, s_prev, h, allowed, attend, cell)`, one step of Bahdanau's decoder. "
        "First look at the source with the state before this step, sᵢ₋₁. Then feed the GRU cell with the "
        "previous word's vector followed by the context, and with sᵢ₋₁ as its state. "
        "Return `s, context, weights`.\n\n"
        "`attend(s, h, allowed)` gives `(context, weights)`; `cell(input, state)` gives the next state."
    ),
    inputs={
        "y_prev": "B, E",
        "s_prev": "B, D",
        "h": "B, S, D_h",
        "allowed": "B, S",
        "attend": "a function, attend(s, h, allowed) -> (context, weights)",
        "cell": "a torch.nn.GRUCell from E + D_h features to D",
    },
    outputs=(Output("s", ("B", "D")), Output("context", ("B", "D_h")), Output("weights", ("B", "S"), True)),
    reference=decoder_step,
    cases=_decoder_cases,
    hints=(
        "Two things happen, and the order is the point. The new state needs the context; so what can be "
        "the query when the new state is not there yet?",
        "context, weights = attend with s_prev as the query\n"
        "input = y_prev and context, joined along the last axis   (B, E + D_h)\n"
        "s     = cell of input and s_prev                         (B, D)\n"
        "return s, context, weights",
    ),
    misconceptions=(
        Misconception(
            "query-is-new-state",
            (_step_then_look, _look_twice, _step_look_step),
            "Your query is the new state sᵢ: you step first and look afterwards. In Bahdanau's decoder "
            "the old state sᵢ₋₁ looks, and what it finds goes into the cell that makes sᵢ. (Looking "
            "with sᵢ is Luong's way; the page runs both.)",
        ),
        Misconception(
            "context-first",
            (_context_first,),
            "The two parts are joined in the other order: context, then word. The cell's columns were "
            "made for the word's vector first. The sizes add up both ways, so only the numbers tell.",
        ),
        Misconception(
            "context-unused",
            (_context_unused,),
            "The context never reaches the cell. You look at the source and then step without what you "
            "saw: the decoder is back at the bottleneck.",
        ),
        Misconception(
            "word-unused",
            (_word_unused,),
            "The previous word never reaches the cell, so the decoder does not know what it has written. "
            "Join `y_prev` and the context, in this order.",
        ),
        Misconception(
            "state-not-passed",
            (_state_not_passed,),
            "The cell gets no previous state, so it starts from zeros at every step and forgets the "
            "sentence so far. Pass `s_prev` as its second argument.",
        ),
        Misconception(
            "padding-open",
            (_padding_open,),
            "`allowed` does not reach `attend`, so padding takes part of the attention. The same "
            "sentence would be translated differently in a batch with longer ones. Pass it as the third "
            "argument.",
        ),
        Misconception(
            "old-state-returned",
            (_old_state_returned,),
            "You return the old state, `s_prev`. The step is computed and then lost, and the decoder "
            "never moves on. Return what the cell gives.",
        ),
        Misconception(
            "word-as-query",
            (_word_as_query,),
            "Your query is the previous word's vector. It runs where word vectors and states have the "
            "same length. The query is the decoder's state: it knows the whole sentence so far, the word "
            "alone does not.",
        ),
        Misconception(
            "other-order",
            (
                _in_order(1, 0, 2),
                _in_order(0, 2, 1),
                _in_order(1, 2, 0),
                _in_order(2, 1, 0),
                _in_order(2, 0, 1),
            ),
            "All three things are right, and they come back in another order. Return `s, context, weights`.",
        ),
    ),
    insight="Look with sᵢ₋₁, then step to sᵢ: the context is part of what the new state is made of.",
    advice=(
        (
            r"input_size|inconsistent",
            "Look at the order: `cell` takes (input, state), and `attend` gives (context, weights).",
        ),
    ),
)


# --- 01.aer: how far is a guessed alignment from the true one? --------------------------------------------


def alignment_error_rate(guessed, sure):
    guessed, sure = set(guessed), set(sure)  # a link counts once
    if not guessed and not sure:
        return 0.0  # nothing to find, nothing wrong
    return 1 - 2 * len(guessed & sure) / (len(guessed) + len(sure))


def _rate(formula):
    """A formula of (hits, |A|, |S|) in three ways: with an error, 0 or 1 where it would divide by zero."""

    def way(when_empty):
        def rate(guessed, sure):
            guessed, sure = set(guessed), set(sure)
            try:
                return formula(len(guessed & sure), len(guessed), len(sure))
            except ZeroDivisionError:
                if when_empty is None:
                    raise
                return when_empty

        return rate

    return tuple(way(when_empty) for when_empty in (None, 0.0, 1.0))


def _links_turned(guessed, sure):
    return alignment_error_rate({(j, i) for i, j in guessed}, sure)


def _duplicates_count(guessed, sure):
    if not guessed and not sure:
        return 0.0
    return 1 - 2 * len(set(guessed) & set(sure)) / (len(guessed) + len(sure))


def _duplicates_hit(guessed, sure):
    if not guessed and not sure:
        return 0.0
    hits = sum(link in sure for link in guessed)
    return 1 - 2 * hits / (len(guessed) + len(sure))


def _no_guard(guessed, sure):
    guessed, sure = set(guessed), set(sure)
    return 1 - 2 * len(guessed & sure) / (len(guessed) + len(sure))


def _aer_cases() -> list[Case]:
    crossing = {(0, 0), (1, 1), (2, 3), (3, 2)}  # the small red ball / le petit ballon rouge
    return [
        Case("three of five links right", ({(0, 0), (1, 1), (2, 3), (2, 2), (4, 3)}, crossing)),
        Case("one link of four found", ({(2, 3)}, crossing)),
        Case("one link that lies the other way round", ({(0, 1), (2, 2)}, {(1, 0), (2, 2), (3, 3)})),
        Case(
            "a list in which a link stands twice",
            ([(0, 0), (0, 0), (1, 2), (3, 1)], [(0, 0), (1, 2), (2, 1)]),
        ),
        Case("no guess at all", (set(), {(0, 0), (1, 1)})),
        Case("nothing guessed and nothing to find", (set(), set())),
    ]


AER = Exercise(
    id="01.aer",
    title="Alignment error rate",
    minutes=8,
    difficulty=2,
    statement=(
        "Write `alignment_error_rate(guessed, sure)`. Both are sets or lists of links (source word, "
        "target word). With A the guessed links and S the true ones, AER = 1 - 2·|A ∩ S| / (|A| + |S|): "
        "0 is perfect, 1 is all wrong. A link that stands twice counts once. If both are empty the rate "
        "is 0. (Och & Ney 2003, for the case that every true link is sure.)"
    ),
    inputs={"guessed": "set or list of (source, target) pairs", "sure": "the same"},
    outputs=(Output("rate"),),
    reference=alignment_error_rate,
    cases=_aer_cases,
    hints=(
        "Python's sets know intersection: `a & b`. Which two sizes are added in the denominator, and "
        "what happens to the formula when both are 0?",
        "make sets of both\nif both are empty: return 0.0\nhits = how many links are in both\n"
        "return 1 - 2 * hits / (size of guessed + size of sure)",
    ),
    misconceptions=(
        Misconception(
            "product-of-sizes",
            _rate(lambda hits, a, s: 1 - 2 * hits / (a * s)),
            "You multiply |A| and |S|. The denominator is their sum: 2·hits / (|A| + |S|) is 1 exactly "
            "when both sets are the same.",
        ),
        Misconception(
            "precision-only",
            _rate(lambda hits, a, s: 1 - hits / a),
            "You divide by the guessed links alone: that is one minus precision. One careful, right "
            "guess would then be perfect, however many links it misses.",
        ),
        Misconception(
            "recall-only",
            _rate(lambda hits, a, s: 1 - hits / s),
            "You divide by the true links alone: that is one minus recall. Guessing every possible link "
            "would then be perfect.",
        ),
        Misconception(
            "jaccard",
            _rate(lambda hits, a, s: 1 - hits / (a + s - hits)),
            "You divide by the union: that is one minus the Jaccard index, a fair measure and another "
            "one. AER divides twice the hits by |A| + |S|, where links in both sets count twice.",
        ),
        Misconception(
            "f1-not-error",
            _rate(lambda hits, a, s: 2 * hits / (a + s)),
            "This is the F1 score: how much is right. The error rate is what is missing to 1, so that 0 "
            "is perfect: 1 minus yours.",
        ),
        Misconception(
            "factor-two-missing",
            _rate(lambda hits, a, s: 1 - hits / (a + s)),
            "The factor 2 is missing. A perfect guess would get 0.5: each common link stands in both "
            "sets, so it must count twice above as it does below.",
        ),
        Misconception(
            "links-turned",
            (_links_turned,),
            "In one of the sets source and target have changed places. A link is (source, target) in "
            "both; on a symmetric alignment nobody notices, on crossing adjectives it counts.",
        ),
        Misconception(
            "duplicates-count",
            (_duplicates_count, _duplicates_hit),
            "A link that stands twice in a list is counted twice. Make sets first: a link is there or it "
            "is not.",
        ),
        Misconception(
            "empty-fails",
            (_no_guard,),
            "The formula is right, and it divides 0 by 0 when both sets are empty. Nothing was to be "
            "found and nothing is wrong: return 0.0 in that case.",
        ),
    ),
    insight="Because we know the true links, attention can be scored and not only admired.",
)

EXERCISES = (SCORES, WEIGHTS, CONTEXT, DECODER_STEP, AER)


# --- predictions ------------------------------------------------------------------------------------------
# The right answers to 01.bottleneck, 01.scale and 01.lag follow the recorded experiments of the chapter.

PREDICTIONS = (
    Prediction(
        id="01.bottleneck",
        prompt=(
            "A translator reads the whole English sentence into one vector of fixed length, and writes "
            "French from this vector alone. What happens to its translations when the sentences get "
            "longer?"
        ),
        options=(
            Option(
                "Nothing: the vector is long enough for any sentence.",
                "The vector has the same length for 5 words and for 20, so each word's share of it "
                "shrinks. Some length must be too much; the picture shows where it begins here.",
            ),
            Option(
                "They get worse with length: more words must fit into the same vector.",
                "The vector does not grow with the sentence, so what it can say about each word shrinks. "
                "This is the bottleneck.",
            ),
            Option(
                "They get better: longer sentences hold more context.",
                "More context helps to understand a word, and here all of it must first pass through one "
                "vector. What is lost there cannot help.",
            ),
            Option(
                "They are equally bad at every length.",
                "That would be a weak model in general. A vector of fixed length is no problem for three "
                "words; it becomes one as the words become more.",
            ),
        ),
        right=1,
    ),
    Prediction(
        id="01.untrained-map",
        prompt=(
            "Before any training, all parameters of the model are small random numbers. What will the "
            "attention map of a sentence with S source words look like?"
        ),
        options=(
            Option(
                "A diagonal: word 1 looks at word 1, word 2 at word 2.",
                "A diagonal would mean that the model knows about word order already. It has seen "
                "nothing yet.",
            ),
            Option(
                "A few dark cells at random places.",
                "Random, yes, but not dark. Small numbers give small scores, and the softmax turns "
                "scores that are close together into shares that are almost equal.",
            ),
            Option(
                "All cells 0: it has not learned to look at anything.",
                "Each row is a softmax and must sum to 1, trained or not. Attention has to go somewhere.",
            ),
            Option(
                "Almost even: every cell near 1/S.",
                "Scores near 0 differ little, and the softmax of equal scores is 1/S each. Training has "
                "to make the differences.",
            ),
        ),
        right=3,
    ),
    Prediction(
        id="01.article",
        prompt=(
            "'to the farm' becomes 'à la ferme'. At the moment when the model writes 'la', which English "
            "word does it look at most?"
        ),
        options=(
            Option(
                "'to'",
                "'to' is what 'à' translates, and 'à' stands there already. It says nothing about le or la.",
            ),
            Option(
                "'the': it is the word that 'la' translates.",
                "So one would think. But 'the' does not tell whether to write le, la, l' or les.",
            ),
            Option(
                "'farm': the noun.",
                "Its gender and its first letter decide among le, la, l' and les. The word to look at is the "
                "one that answers the question.",
            ),
            Option(
                "All three alike.",
                "Rows can be that soft. This one has a clear question to ask, le or la, and one word answers "
                "it.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="01.cost",
        prompt=(
            "The source has S = 10 words and the decoder takes T = 12 steps. How many products U_a hⱼ "
            "are computed if every step computes its own, and how many if they are computed once and "
            "kept?"
        ),
        options=(
            Option(
                "22 and 10",
                "Steps and words do not add up, they multiply: each of the 12 steps would compute all 10 "
                "products.",
            ),
            Option(
                "120 and 12",
                "120 is right. Kept, there is one product for each source word: 10. U_a hⱼ does not "
                "know of the decoder's steps.",
            ),
            Option(
                "120 and 10",
                "12 steps times 10 words, or each word once. U_a hⱼ does not depend on the decoder's "
                "state, so nothing is lost by keeping it.",
            ),
            Option(
                "120 and 120: the decoder's state changes at every step.",
                "The state changes, and with it W_a s. But U_a hⱼ holds only the source word, which "
                "stays the same.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="01.scale",
        prompt=(
            "Two translators differ in their score only: additive, v·tanh(W s + U h), or a dot product, "
            "s·(W h). The training is the same: 500 steps. How many sentences will each translate without a "
            "wrong word?"
        ),
        options=(
            Option(
                "Additive is clearly better: it has a tanh and more parameters.",
                "The tanh can express more, but a match between two vectors needs little. Look at the spread "
                "of the seeds before you name a winner.",
            ),
            Option(
                "The dot product is clearly better: it is simpler.",
                "It is cheaper, and the picture shows that it finds the alignment sooner. The finished "
                "translations, though, differ by less than the seeds do.",
            ),
            Option(
                "About the same, within the spread of the seeds.",
                "After 500 steps both get 94 to 97 of 100 sentences right. The way there differs, and so do "
                "the maps: look at the picture.",
            ),
            Option(
                "The dot product cannot learn an alignment: it has no v_a.",
                "v_a is needed to turn A features into one number. A dot product is one number already.",
            ),
        ),
        right=2,
    ),
    Prediction(
        id="01.lag",
        prompt=(
            "The query for French word i is the state sᵢ₋₁. This state was made before the decoder "
            "read the word yᵢ₋₁ that it wrote last. Which worry about the map is sound?"
        ),
        options=(
            Option(
                "None: sᵢ₋₁ has read yᵢ₋₁.",
                "The word yᵢ₋₁ was chosen with the help of sᵢ₋₁, and it goes into the cell only at "
                "the next step, together with the context. When the query is made, it has not been read.",
            ),
            Option(
                "The rows do not sum to 1.",
                "The softmax makes every row sum to 1, whatever the query is.",
            ),
            Option(
                "It could look ahead at French words that are not written yet.",
                "The map runs over source words only. Nothing in it can see the translation's future.",
            ),
            Option(
                "It has to look without knowing which word came last, so a row may be vague or off by a "
                "word.",
                "If several words were possible at i-1, the state only knows what was likely. The choice "
                "itself arrives one step late. Does it matter? The page compares both queries.",
            ),
        ),
        right=3,
    ),
)


# --- questions that chapter 02 (and later ones) ask at the door -------------------------------------------

RECALL = (
    Recall(
        "What is the difference between scores and weights?",
        "Scores come before the softmax and can be any number. Weights come after it: they are between 0 "
        "and 1, and each row sums to 1.",
    ),
    Recall(
        "In eᵢⱼ = v_aᵀ tanh(W_a sᵢ₋₁ + U_a hⱼ): which part can be computed once for the whole "
        "translation, and why?",
        "U_a hⱼ. It depends on the source word only, and the source does not change while the decoder "
        "writes.",
    ),
    Recall(
        "A batch holds sentences of different lengths. What happens to the scores of padding, and when?",
        "They are set to -inf before the softmax. Then padding gets a weight of exactly 0 and the words "
        "share the whole 1.",
    ),
    Recall(
        "What is the bottleneck of a translator without attention?",
        "Everything the decoder knows of the source must fit into one vector of fixed length, however "
        "long the sentence is.",
    ),
    Recall(
        "What is the context vector, and is it the same at every step?",
        "The weighted sum of the encoder states. Each step has its own weights, so each step has its own "
        "context.",
    ),
    Recall(
        "How do we know whether an attention map is right?",
        "We compare it with known links between the words: the alignment error rate counts how far the "
        "guessed links are from the true ones. 0 is perfect.",
    ),
)
