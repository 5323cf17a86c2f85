"""The arithmetic of attention in numpy and double precision.

The live views compute the same in the browser; tests hold both against each other. Axes: T queries, S keys,
K features of queries and keys, V features of values, D features of the inputs. Rows are queries.
"""

from dataclasses import dataclass

import numpy as np

WHERE = ("before", "after", "none")  # where the mask acts: before the softmax, after it (wrong), nowhere


@dataclass(frozen=True)
class Attended:
    """What one attention gives, and how much of each input arrives in each output."""

    weights: np.ndarray  # (T, S)
    output: np.ndarray  # (T, V)
    leak: np.ndarray  # (T, S): ‖∂output_i / ∂input_j‖


def masked_softmax(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Softmax over the allowed entries of the last axis.

    Args:
        scores: float64 `(..., S)`; −∞ counts as forbidden.
        allowed: booleans of the same shape, True = may attend.

    Returns:
        weights `(..., S)`; a row with nothing to share out is all 0.
    """
    scores = np.where(allowed, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    with np.errstate(over="ignore"):  # a difference beyond the largest number is −∞: its weight is 0
        weights = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1.0, total)


@dataclass(frozen=True)
class Steps:
    """The five steps of scaled dot-product attention, one array each."""

    scores: np.ndarray  # (T, S) 1 MatMul: q · k
    scaled: np.ndarray  # (T, S) 2 Scale: / √K
    masked: np.ndarray  # (T, S) 3 Mask: −∞ where forbidden
    weights: np.ndarray  # (T, S) 4 Softmax
    output: np.ndarray  # (T, V) 5 MatMul: weights · V


def five_steps(
    queries: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    allowed: np.ndarray | None = None,
    scaled: bool = True,
    temperature: float = 1.0,
) -> Steps:
    """MatMul, Scale, Mask, Softmax, MatMul: `softmax(q kᵀ / √K) v` in the order of figure 2.

    Args:
        queries: `(T, K)`; keys: `(S, K)`; values: `(S, V)`; float64.
        allowed: booleans `(T, S)`, True = may attend; None allows everything.
        scaled: whether step 2 divides by √K.
        temperature: what the softmax divides its scores by.

    Source: Vaswani et al. 2017, figure 2 (left) and eq. 1.
    """
    scores = queries @ keys.T  # (T, S)
    divided = scores / np.sqrt(queries.shape[1]) if scaled else scores
    allowed = np.ones(scores.shape, bool) if allowed is None else allowed
    masked = np.where(allowed, divided, -np.inf)
    weights = masked_softmax(masked / temperature, allowed)
    return Steps(scores, divided, masked, weights, weights @ values)


def attend(
    queries: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    w_k: np.ndarray,
    w_v: np.ndarray,
    allowed: np.ndarray,
    where: str = "before",
) -> Attended:
    """Attention, and how much each input that is looked at changes each output.

    The leak is measured, not read off the mask: it is the size (Frobenius norm) of the Jacobian block
    ∂o_i/∂x_j, where x_j is reached through its key `x_j W_k` and its value `x_j W_v`; the query stays.
    With p the softmax, m the mask that is multiplied on *after* it (1 everywhere for a mask before it) and
    w = p·m:

        ∂o_i/∂x_j = w_ij W_vᵀ + p_ij (m_ij v_j − o_i) (W_k q_i)ᵀ / √K

    A mask before the softmax makes p_ij = 0, so the block is exactly 0. A mask after it leaves p_ij in the
    second term: the forbidden key still pushes the others' weights down.

    Args:
        queries: `(T, K)`; keys: `(S, K)`; values: `(S, V)`; w_k: `(D, K)`; w_v: `(D, V)`; float64.
        allowed: booleans `(T, S)`, True = may attend.
        where: "before" the softmax, "after" it (wrong), or "none" (no mask).

    Returns:
        weights `(T, S)`, output `(T, V)`, leak `(T, S)`.

    Raises:
        ValueError: another word for `where`.
    """
    if where not in WHERE:
        raise ValueError(f"where is {where!r}, expected one of {', '.join(map(repr, WHERE))}")
    root = np.sqrt(queries.shape[1])
    scores = queries @ keys.T / root  # (T, S)
    everything = np.ones_like(allowed)
    p = masked_softmax(scores, allowed if where == "before" else everything)
    m = (allowed if where == "after" else everything).astype(float)
    weights = p * m
    output = weights @ values  # (T, V)
    along_key = queries @ w_k.T / root  # (T, D): how the score of row i grows with x_j
    pull = p[:, :, None] * (m[:, :, None] * values[None] - output[:, None])  # (T, S, V): ∂o_i / ∂score_ij
    block = weights[:, :, None, None] * w_v.T + pull[:, :, :, None] * along_key[:, None, None]  # (T, S, V, D)
    return Attended(weights, output, np.sqrt((block**2).sum((2, 3))))
