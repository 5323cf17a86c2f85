"""Attention: a weighted sum of what is relevant.

    scores  = how well each key fits the query
    weights = softmax(scores)                     each row sums to 1
    output  = weights @ values

The ideas, in the order in which they were found:

    additive     e_ij = v_aᵀ tanh(W_a s_{i-1} + U_a h_j)    Bahdanau, Cho and Bengio 2015, appendix A.1.2
    dot product  e_ij = s_iᵀ W_a h_j                        Luong, Pham and Manning 2015, section 3.1
    scaled       softmax(q kᵀ / √d_k) v                     Vaswani et al. 2017, section 3.2.1
    heads        H of them, each in a space of its own      Vaswani et al. 2017, section 3.2.2
    fused        the same, and no table of weights is kept  Dao et al. 2022

Every attention returns `(output, weights)`; weights are None where nobody asked for them.

Axes: B batch, H heads, T query positions, S key positions, D features, K features of one head, A features of
the additive score.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import checks
from course_lib.masks import about, masked_softmax, no_leak

HALF = (torch.float16, torch.bfloat16)
ONE_STATE = "for one decoder state a sentence, write s[:, None]"


# ---------------------------------------------------------------- 2015: a small network compares


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
    checks.axes("projected_queries", projected_queries, "(B, T, A)", len(v_a), "W_a s, with v_a's features")
    checks.axes("projected_keys", projected_keys, "(B, S, A)", len(v_a), "U_a h, from project_keys")
    features = torch.tanh(projected_queries[:, :, None] + projected_keys[:, None])  # (B, T, S, A)
    return features @ v_a  # (B, T, S)


@no_leak
def additive_attention(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, *, v_a: Tensor
) -> tuple[Tensor, Tensor]:
    """`softmax(v_aᵀ tanh(q + k)) v`, with queries and keys as `additive_scores` takes them.

    Args:
        q: `W_a s`, `(B, T, A)`.
        k: `U_a h`, `(B, S, A)`.
        v: values, `(B, S, D)`.
        allowed: boolean, broadcastable to `(B, T, S)`; True = may attend.
        v_a: `(A,)`.

    Returns:
        output `(B, T, D)` and weights `(B, T, S)`.

    Raises:
        ValueError: as `additive_scores`, or a mask that does not fit.

    Source: Bahdanau et al. 2015, eq. 5 and 6.
    """
    weights = masked_softmax(additive_scores(q, k, v_a), allowed)  # (B, T, S)
    return weights @ v, weights  # (B, T, D), (B, T, S)


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
        checks.axes("keys", keys, "(B, S, D_k)", self.U_a.in_features, "one encoder state a token")
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
        checks.axes("query", query, "(B, T, D_q)", self.W_a.in_features, ONE_STATE)
        checks.same_batch("query", query, "projected_keys", projected_keys)
        checks.one_value_a_key("projected_keys", projected_keys, "values", values)
        return additive_attention(self.W_a(query), projected_keys, values, allowed, v_a=self.v_a)


# ---------------------------------------------------------------- 2015: a product is enough


class DotProductAttention(nn.Module):
    """Luong's attention: one matrix brings the query to the keys' size, and a dot product compares.

    The paper calls the score "general": `e_ij = s_iᵀ W_a h_j`; here it is divided by √d_k, too. Same calls as
    `AdditiveAttention`, so that a model can take either.

    Source: Luong et al. 2015, section 3.1.
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
        checks.axes("query", query, "(B, T, D_q)", self.W_a.in_features, ONE_STATE)
        checks.same_batch("query", query, "projected_keys", projected_keys)
        return scaled_dot_product_attention(self.W_a(query), projected_keys, values, allowed)


# ---------------------------------------------------------------- 2017: queries, keys, values


@no_leak
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
    checks.attention_inputs(q, k, v, allowed)
    scale = 1 / math.sqrt(k.shape[-1]) if scale is None else scale
    wide = torch.float32 if q.dtype in HALF else q.dtype  # q kᵀ can be beyond 65,504, where float16 ends
    scores = q.to(wide) @ k.to(wide).transpose(-2, -1) * scale  # (..., T, S)
    weights = masked_softmax(scores, allowed).to(q.dtype)  # (..., T, S)
    return weights @ v, weights  # (..., T, D), (..., T, S)


@no_leak
def fused_attention(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, *, scale: float | None = None
) -> Tensor:
    """The same output by torch's fused kernel: faster, and the weights never exist as a whole.

    Arguments and errors as `scaled_dot_product_attention`. Here too a query with no allowed key gets 0.

    Returns:
        output `(..., T, D)`.

    Source: Dao et al. 2022 (FlashAttention) for the idea of the kernel.
    """
    checks.attention_inputs(q, k, v, allowed)
    if allowed is None:
        return F.scaled_dot_product_attention(q, k, v, scale=scale)
    known = about(allowed)
    if known.is_causal and allowed.shape == (q.shape[-2], k.shape[-2]):  # a mask that the kernel knows
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
    mask = known.kernel_mask(allowed, q.dtype)
    output = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    return output if known.dead is None else output.masked_fill(known.dead, 0.0)


# ---------------------------------------------------------------- 2017: several heads


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
    if x.dim() != 3 or n_heads < 1 or x.shape[-1] % n_heads:
        checks.refuse_to_split(x, n_heads)
    B, T, D = x.shape
    return x.view(B, T, n_heads, D // n_heads).transpose(1, 2)  # (B, T, H, K), (B, H, T, K)


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
        checks.refuse_to_merge(x)
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
        bias: False leaves the biases out.

    Raises:
        ValueError: `n_heads` is less than 1, or does not divide `d_model`.

    Source: Vaswani et al. 2017, section 3.2.2 (with biases, as in `torch.nn.MultiheadAttention`).
    """

    def __init__(self, d_model: int, n_heads: int, *, scale: float | None = None, bias: bool = True) -> None:
        super().__init__()
        checks.heads("d_model", d_model, n_heads)
        self.d_model, self.n_heads, self.d_k = d_model, n_heads, d_model // n_heads
        self.scale = scale
        self.W_q = nn.Linear(d_model, d_model, bias)
        self.W_k = nn.Linear(d_model, d_model, bias)
        self.W_v = nn.Linear(d_model, d_model, bias)
        self.W_o = nn.Linear(d_model, d_model, bias)
        for projection in (self.W_q, self.W_k, self.W_v, self.W_o):
            nn.init.xavier_uniform_(projection.weight)  # keeps the variance of what passes through
            if bias:
                nn.init.zeros_(projection.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        allowed: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Self-attention is `layer(x, x, x)`, cross-attention `layer(x, memory, memory)`.

        Args:
            query, key, value: as in `project`.
            allowed: boolean, True = may attend, broadcastable to `(B, H, T, S)`.
            need_weights: also return the weights. Without them torch's fused kernel computes the same output.

        Returns:
            output `(B, T, D)` and, with `need_weights`, weights `(B, H, T, S)`, one matrix a head; else None.

        Raises:
            ValueError: sizes that do not fit, or a mask that could be misread.
        """
        q, k, v = self.project(query, key, value)  # (B, H, T, K), (B, H, S, K), (B, H, S, K)
        heads, weights = self.attend(q, k, v, allowed, need_weights)  # (B, H, T, K), (B, H, T, S) or None
        return self.W_o(merge_heads(heads)), weights  # (B, T, D)

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
        checks.layer_inputs(query, key, value, self.d_model)
        q = split_heads(self.W_q(query), self.n_heads)
        k = split_heads(self.W_k(key), self.n_heads)
        v = split_heads(self.W_v(value), self.n_heads)
        return q, k, v

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Every head on its own; the seam of the layer: what stands between projection and `W_o`.

        Rotary positions, normalised queries and keys, a cache, a fault on purpose: each is another `attend`
        (in a subclass, or for a while with `attending`).

        Args:
            q, k, v: what `project` returned.
            allowed, need_weights: as in `forward`.

        Returns:
            heads `(B, H, T, K)`, and weights `(B, H, T, S)` or None.
        """
        checks.layer_mask(allowed)
        if need_weights:
            return scaled_dot_product_attention(q, k, v, allowed, scale=self.scale)
        return fused_attention(q, k, v, allowed, scale=self.scale), None


Attend = Callable[
    [MultiHeadAttention, Tensor, Tensor, Tensor, Tensor | None, bool], tuple[Tensor, Tensor | None]
]


@contextmanager
def attending(model: nn.Module, attend: Attend) -> Iterator[None]:
    """Inside the block, every multi-head layer of a model attends by another function.

    Args:
        model: stays as it is otherwise.
        attend: called as `attend(layer, q, k, v, allowed, need_weights)` in place of the layer's own.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, MultiHeadAttention)]
    before = [vars(layer).get("attend") for layer in layers]
    for layer in layers:
        layer.attend = partial(attend, layer)
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            del layer.attend
            if own is not None:  # one block inside another
                layer.attend = own
