"""Attention: a weighted sum of what is relevant.

    scores  = how well each key fits the query
    weights = softmax(scores)                     each row sums to 1
    output  = weights @ values

Two ways to score, in the order in which they were found:

    additive      e_ij = v_aᵀ tanh(W_a s_{i-1} + U_a h_j)    Bahdanau, Cho and Bengio 2015, appendix A.1.2
    dot product   e_ij = q_i · k_j / √d_k                     Vaswani et al. 2017, eq. 1

A layer asks several questions at once (`MultiHeadAttention`): each head attends in a small space of its own.

Axes: B batch, H heads, T query positions, S key positions, D features, K features of one head, A features of
the additive score.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.masks import check_allowed, masked_softmax

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
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, *, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """`softmax(q kᵀ / √d_k) v`, written out.

    Args:
        q: queries, `(..., T, K)`.
        k: keys, `(..., S, K)`.
        v: values, `(..., S, D)`.
        allowed: boolean, True = may attend, broadcastable to `(..., T, S)`.
        scale: what the scores are multiplied by, 1/√d_k when not given.

    Returns:
        output `(..., T, D)` and weights `(..., T, S)`.

    Raises:
        ValueError: the sizes of `q`, `k` and `v` do not fit together, or `allowed` is no mask for them.

    Source: Vaswani et al. 2017, eq. 1.
    """
    _check_queries_keys_values(q, k, v)
    scale = 1 / math.sqrt(k.shape[-1]) if scale is None else scale
    scores = q @ k.transpose(-2, -1) * scale  # (..., T, S)
    weights = masked_softmax(scores, allowed)  # (..., T, S)
    return weights @ v, weights  # (..., T, D), (..., T, S)


def fused_attention(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, *, scale: float | None = None
) -> Tensor:
    """The same output by torch's fused kernel: faster, and the weights never exist as a whole.

    Arguments and errors as `scaled_dot_product_attention`. Here too a query with no allowed key gets 0.

    Returns:
        output `(..., T, D)`.

    Source: Dao et al. 2022 (FlashAttention) for the idea of the kernel.
    """
    _check_queries_keys_values(q, k, v)
    if allowed is None:
        return F.scaled_dot_product_attention(q, k, v, scale=scale)
    leading = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    check_allowed(allowed, torch.Size((*leading, q.shape[-2], k.shape[-2])))
    allowed = torch.atleast_2d(allowed)  # the kernel wants both axes, also of a mask (S,)
    # What a kernel makes of a row with nothing allowed differs (0 or NaN). Such a row may see everything here
    # and loses its output below, so that neither the values nor the gradients ever pass through a NaN.
    alive = allowed.any(-1, keepdim=True)  # (..., T, 1)
    output = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed | ~alive, scale=scale)
    return output.masked_fill(~alive, 0.0)


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


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut the features into heads: head h gets features h·K to (h + 1)·K − 1 of every token.

    Args:
        x: `(B, T, D)`.
        n_heads: H; D must be a multiple of it.

    Returns:
        `(B, H, T, K)` with K = D / H.

    Raises:
        ValueError: not three axes, or D is no multiple of H.
    """
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (B, T, D): batch, positions, features")
    _check_divisible("the last axis of x", x.shape[-1], n_heads)
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)  # (B, T, H, K), (B, H, T, K)


def merge_heads(x: Tensor) -> Tensor:
    """Lay the heads of each token side by side again: what `split_heads` did, undone.

    Args:
        x: `(B, H, T, K)`.

    Returns:
        `(B, T, D)` with D = H·K.

    Raises:
        ValueError: not four axes.
    """
    if x.dim() != 4:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, expected (B, H, T, K): batch, heads, positions, features"
        )
    return x.transpose(1, 2).flatten(2)  # (B, T, H, K), (B, T, D)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own projection of queries, keys and values.

        head_h = attention(q W_q^h, k W_k^h, v W_v^h)
        output = concat(head_1, …, head_H) W_o

    All heads' projections stand in one matrix each; `split_heads` takes them apart.

    Args:
        d_model: D, features of a token, in and out.
        n_heads: H; each head gets K = d_model / n_heads features (d_k = d_v = K).
        scale: what the scores are multiplied by, 1/√d_k when not given.

    Raises:
        ValueError: `n_heads` is less than 1, or does not divide `d_model`.

    Source: Vaswani et al. 2017, section 3.2.2 (with biases, as in `torch.nn.MultiheadAttention`).
    """

    def __init__(self, d_model: int, n_heads: int, *, scale: float | None = None) -> None:
        super().__init__()
        _check_divisible("d_model", d_model, n_heads)
        self.d_model, self.n_heads, self.d_k = d_model, n_heads, d_model // n_heads
        self.scale = scale
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)
        for projection in (self.w_q, self.w_k, self.w_v, self.w_o):
            nn.init.xavier_uniform_(projection.weight)  # keeps the variance of what passes through
            nn.init.zeros_(projection.bias)

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The queries, keys and values of every head.

        Args:
            query: who asks, `(B, T, D)`.
            key: what is compared, `(B, S, D)`; the same tensor as `query` in self-attention.
            value: what is fetched, `(B, S, D)`; usually the same tensor as `key`.

        Returns:
            `(B, H, T, K)`, `(B, H, S, K)`, `(B, H, S, K)`.

        Raises:
            ValueError: sizes that do not fit.
        """
        hint = "batch, positions, features; for one sentence write x[None]"
        for name, tensor in (("query", query), ("key", key), ("value", value)):
            _check_axes(name, tensor, "(B, T, D)" if name == "query" else "(B, S, D)", self.d_model, hint)
        if not len(query) == len(key) == len(value):
            raise ValueError(
                f"query, key and value hold {len(query)}, {len(key)} and {len(value)} sentences, "
                "expected the same batch: query b looks at key b"
            )
        _check_one_value_a_key("key", key, "value", value)
        projected = self.w_q(query), self.w_k(key), self.w_v(value)
        q, k, v = (split_heads(x, self.n_heads) for x in projected)
        return q, k, v

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        allowed: Tensor | None = None,
        need_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend: self-attention is `attend(x, x, x)`, cross-attention `attend(x, memory, memory)`.

        Args:
            query, key, value: as in `project`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, S)`.
            need_weights: also return the weights. Without them torch's fused kernel computes the same output.

        Returns:
            output `(B, T, D)`; with `need_weights` also weights `(B, H, T, S)`, one matrix a head.

        Raises:
            ValueError: sizes that do not fit, or a mask that could be misread.
        """
        q, k, v = self.project(query, key, value)  # (B, H, T, K), (B, H, S, K), (B, H, S, K)
        if allowed is not None and allowed.dim() == 3:
            raise ValueError(
                f"allowed has shape {tuple(allowed.shape)}: is the first axis the batch or the heads? "
                "Write allowed[:, None] for one mask a sentence, allowed[None] for one mask a head"
            )
        if need_weights:
            heads, weights = scaled_dot_product_attention(q, k, v, allowed, scale=self.scale)
            return self.w_o(merge_heads(heads)), weights  # (B, T, D), (B, H, T, S)
        heads = fused_attention(q, k, v, allowed, scale=self.scale)  # (B, H, T, K)
        return self.w_o(merge_heads(heads))  # (B, T, D)


def _check_queries_keys_values(q: Tensor, k: Tensor, v: Tensor) -> None:
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


def _check_divisible(name: str, size: int, n_heads: int) -> None:
    if n_heads < 1 or size % n_heads:
        raise ValueError(
            f"{name} ({size}) must be divisible by n_heads ({n_heads}): "
            "each head gets d_model / n_heads features"
        )


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
