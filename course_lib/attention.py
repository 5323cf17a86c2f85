"""Attention: a weighted sum of what is relevant.

    scores  = how well each key fits the query
    weights = softmax(scores)                     each row sums to 1
    output  = weights @ values

Two ways to score, in the order in which they were found:

    additive      e_ij = v_aᵀ tanh(W_a s_{i-1} + U_a h_j)    Bahdanau, Cho and Bengio 2015, appendix A.1.2
    dot product   e_ij = q_i · k_j / √d_k                     Vaswani et al. 2017, eq. 1

Axes: B batch, T query positions, S key positions, D features, A features of the additive score.
"""

import math

import torch
from torch import Tensor, nn

from course_lib.masks import masked_softmax

ONE_STATE = "for one decoder state a sentence, write s[:, None]"


def additive_scores(projected_queries: Tensor, projected_keys: Tensor, v_a: Tensor) -> Tensor:
    """How well each key fits each query: `v_aᵀ tanh(W_a s + U_a h)`.

    Args:
        projected_queries: `W_a s`, `(B, T, A)`.
        projected_keys: `U_a h`, `(B, S, A)`.
        v_a: `(A,)`.

    Returns:
        scores, `(B, T, S)`.

    Raises:
        ValueError: not three axes each, or another number of features than `v_a` has.

    Source: Bahdanau et al. 2015, appendix A.1.2.
    """
    _check_axes("projected_queries", projected_queries, "(B, T, A)", len(v_a), "W_a s, with v_a's features")
    _check_axes("projected_keys", projected_keys, "(B, S, A)", len(v_a), "U_a h, from project_keys")
    features = torch.tanh(projected_queries[:, :, None] + projected_keys[:, None])  # (B, T, S, A)
    return features @ v_a  # (B, T, S)


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`softmax(q kᵀ / √d_k) v`, written out.

    Args:
        q: queries, `(..., T, K)`.
        k: keys, `(..., S, K)`.
        v: values, `(..., S, D)`.
        allowed: boolean, True = may attend, broadcastable to `(..., T, S)`.

    Returns:
        output `(..., T, D)` and weights `(..., T, S)`.

    Raises:
        ValueError: the sizes of `q`, `k` and `v` do not fit together, or `allowed` is no mask for them.

    Source: Vaswani et al. 2017, eq. 1.
    """
    if min(q.dim(), k.dim(), v.dim()) < 2:
        raise ValueError(
            f"q, k, v have shapes {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}, "
            "expected two axes at least: positions, then features; for one query write q[None]"
        )
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(
            f"q has {q.shape[-1]} features and k has {k.shape[-1]}, expected the same number d_k: "
            "a score is the dot product of a query with a key"
        )
    _check_one_value_a_key("k", k, "v", v)
    scores = q @ k.transpose(-2, -1) / math.sqrt(k.shape[-1])  # (..., T, S)
    weights = masked_softmax(scores, allowed)  # (..., T, S)
    return weights @ v, weights  # (..., T, D), (..., T, S)


class DotProductAttention(nn.Module):
    """Dot-product attention for vectors of unlike sizes: one matrix brings the query to the keys' size.

    Luong et al. 2015 call the score "general": `e_ij = s_iᵀ W_a h_j`. It stands beside `AdditiveAttention`
    with the same calls, so that a model can take either.
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__()
        self.W_a = nn.Linear(d_query, d_key, bias=False)

    def project_keys(self, keys: Tensor) -> Tensor:
        """Nothing to prepare here: the keys are compared as they are, `(B, S, D_k)`."""
        return keys

    def forward(
        self, query: Tensor, projected_keys: Tensor, values: Tensor, allowed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As `AdditiveAttention.forward`."""
        _check_axes("query", query, "(B, T, D_q)", self.W_a.in_features, ONE_STATE)
        return scaled_dot_product_attention(self.W_a(query), projected_keys, values, allowed)


class AdditiveAttention(nn.Module):
    """Bahdanau's attention: a small network compares a decoder state with every encoder state.

    Args:
        d_query: size of the decoder state `s`.
        d_key: size of one encoder state `h_j`.
        d_attn: size A of the space in which the two are compared.

    Source: Bahdanau et al. 2015, appendix A.1.2 (no biases, as there).
    """

    def __init__(self, d_query: int, d_key: int, d_attn: int) -> None:
        super().__init__()
        self.W_a = nn.Linear(d_query, d_attn, bias=False)
        self.U_a = nn.Linear(d_key, d_attn, bias=False)
        self.v_a = nn.Parameter(torch.empty(d_attn).uniform_(-1, 1) / math.sqrt(d_attn))

    def project_keys(self, keys: Tensor) -> Tensor:
        """`U_a h_j` for every j: the same at every decoder step, so computed once a sentence.

        Args:
            keys: encoder states, `(B, S, D_k)`.

        Returns:
            `(B, S, A)`.

        Raises:
            ValueError: keys of another size than the layer was made for.
        """
        _check_axes("keys", keys, "(B, S, D_k)", self.U_a.in_features, "one encoder state a token")
        return self.U_a(keys)  # (B, S, A)

    def forward(
        self, query: Tensor, projected_keys: Tensor, values: Tensor, allowed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Look back at the sentence once for each query.

        Args:
            query: decoder states, `(B, T, D_q)`; T = 1 inside a decoder that goes word by word.
            projected_keys: what `project_keys` returned, `(B, S, A)`.
            values: what is summed, usually the encoder states themselves, `(B, S, D)`.
            allowed: boolean, broadcastable to `(B, T, S)`; True = may attend.

        Returns:
            context vectors `(B, T, D)` and weights `(B, T, S)`.

        Raises:
            ValueError: a query without its T axis, sizes that do not fit, or a mask that does not.
        """
        _check_axes("query", query, "(B, T, D_q)", self.W_a.in_features, ONE_STATE)
        _check_one_value_a_key("projected_keys", projected_keys, "values", values)
        scores = additive_scores(self.W_a(query), projected_keys, self.v_a)  # (B, T, S)
        weights = masked_softmax(scores, allowed)  # (B, T, S)
        return weights @ values, weights  # (B, T, D), (B, T, S)


def _check_axes(name: str, tensor: Tensor, axes: str, size: int, hint: str) -> None:
    """Refuse what has other axes than the three of `axes`, or a last one of another size."""
    if tensor.dim() != 3 or tensor.shape[-1] != size:
        last = axes.rpartition(", ")[2].rstrip(")")
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}, expected {axes} with {last} = {size}: {hint}"
        )


def _check_one_value_a_key(key_name: str, keys: Tensor, value_name: str, values: Tensor) -> None:
    if keys.shape[-2] != values.shape[-2]:
        raise ValueError(
            f"{key_name} has {keys.shape[-2]} positions and {value_name} has {values.shape[-2]}, "
            "expected the same number S: each value is fetched through its own key"
        )
