"""Errors that name the argument: what came, what was expected, and the likely cause.

Every layer and model asks here at its door. What fits costs a few comparisons of whole numbers; the sentences
are put together only for what does not. torch would refuse most of it too, later and in other words; some of
it never: a batch of one spreads over any batch, and numbers pass as a mask.

Axes: B batch, H heads, T query positions, S key positions, D features, K features of one head.
"""

from collections.abc import Collection

import torch
from torch import Tensor


def attention_inputs(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None) -> None:
    """Queries `(..., T, K)`, keys `(..., S, K)`, values `(..., S, D)`, and a mask that fits their scores.

    A value for each key; queries may share both: then keys and values have 1 where the queries have heads.

    Raises:
        ValueError: sizes that do not go together, or no mask for `(..., T, S)`.
    """
    try:
        *leading, n_queries, d_q = q.shape
        *shared, n_keys, d_k = k.shape
        *of_values, n_values, _ = v.shape
        fits = d_q == d_k and n_keys == n_values and shared == of_values
    except ValueError:  # fewer than two axes
        fits = False
    if not fits:
        _explain_attention_inputs(q, k, v)
    if leading != shared:  # heads that share their keys, for example
        try:
            leading = torch.broadcast_shapes(leading, shared)
        except RuntimeError as error:
            raise ValueError(
                f"q and k have shapes {tuple(q.shape)} and {tuple(k.shape)}, expected leading axes that go "
                "together: the same batch and heads, or 1"
            ) from error
    if allowed is not None:
        mask(allowed, (*leading, n_queries, n_keys))


def mask(allowed: Tensor, shape: tuple[int, ...]) -> None:
    """A mask for scores of this shape: boolean, and it broadcasts to them without making them larger.

    Raises:
        ValueError: anything that would be misread.
    """
    if not isinstance(allowed, Tensor) or allowed.dtype is not torch.bool:
        boolean(allowed)
    sizes = allowed.shape
    fits = len(sizes) <= len(shape)
    for i in range(-1, -len(sizes) - 1, -1):
        fits = fits and (sizes[i] == 1 or sizes[i] == shape[i])
    if not fits:
        raise ValueError(
            f"allowed has shape {tuple(sizes)}, which does not broadcast to the scores "
            f"{tuple(shape)}: the last two axes are query positions, then key positions"
        )


def boolean(mask: Tensor, name: str = "allowed", true: str = "may attend") -> None:
    """A boolean tensor; `true` says what True means in it.

    Raises:
        ValueError: no tensor, or one of numbers.
    """
    if not isinstance(mask, Tensor):
        raise ValueError(f"{name} is a {type(mask).__name__}, expected a tensor: write torch.tensor({name})")
    if mask.dtype != torch.bool:
        raise ValueError(
            f"{name} has dtype {mask.dtype}, expected torch.bool (True = {true}): "
            f"for a 0/1 tensor write {name}.bool(); an additive mask of 0 and −∞ is another convention"
        )


def axes(name: str, tensor: Tensor, axes: str, size: int, hint: str) -> None:
    """Three axes, named in `axes` such as `"(B, T, D)"`, of which the last has this size.

    Raises:
        ValueError: other axes, or another size.
    """
    if tensor.dim() != 3 or tensor.shape[-1] != size:
        last = axes.rpartition(", ")[2].rstrip(")")
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}, expected {axes} with {last} = {size}: {hint}"
        )


def one_value_a_key(key_name: str, keys: Tensor, value_name: str, values: Tensor) -> None:
    """As many values as keys: both `(..., S, features)`.

    Raises:
        ValueError: other numbers of positions, or other leading axes.
    """
    if keys.shape[-2] != values.shape[-2]:
        raise ValueError(
            f"{key_name} has {keys.shape[-2]} positions and {value_name} has {values.shape[-2]}, "
            "expected the same number S: each value is fetched through its own key"
        )
    if keys.shape[:-1] != values.shape[:-1]:
        raise ValueError(
            f"{key_name} and {value_name} have shapes {tuple(keys.shape)} and {tuple(values.shape)}, "
            "expected the same batch (and heads): each value is fetched through its own key"
        )


def layer_inputs(query: Tensor, key: Tensor, value: Tensor, d_model: int) -> None:
    """What a multi-head layer is asked: `(B, T, D)`, `(B, S, D)`, `(B, S, D)` with D = d_model.

    Raises:
        ValueError: other axes or sizes, several batches, or not one value for each key.
    """
    asked, keys = query.shape, key.shape
    fits = len(asked) == len(keys) == 3 and asked[2] == keys[2] == d_model
    if fits and asked[0] == keys[0] and value.shape == keys:
        return
    hint = "batch, positions, features; for one sentence write x[None]"
    axes("query", query, "(B, T, D)", d_model, hint)
    axes("key", key, "(B, S, D)", d_model, hint)
    axes("value", value, "(B, S, D)", d_model, hint)
    if not len(query) == len(key) == len(value):
        raise ValueError(
            f"query, key and value hold {len(query)}, {len(key)} and {len(value)} sentences, "
            "expected the same batch: query b looks at key b"
        )
    one_value_a_key("key", key, "value", value)


def layer_mask(allowed: Tensor | None) -> None:
    """A mask for `(B, H, T, S)`: one of three axes could mean a mask a sentence or a mask a head.

    Raises:
        ValueError: three axes.
    """
    if isinstance(allowed, Tensor) and allowed.dim() == 3:
        raise ValueError(
            f"allowed has shape {tuple(allowed.shape)}: is the first axis the batch or the heads? "
            "Write allowed[:, None] for one mask a sentence, allowed[None] for one mask a head"
        )


def heads(name: str, size: int, n_heads: int) -> None:
    """Features that can be shared out among the heads.

    Raises:
        ValueError: `n_heads` is less than 1, or does not divide the size.
    """
    at_least_1(n_heads=n_heads)
    if size % n_heads:
        raise ValueError(
            f"{name} ({size}) must be divisible by n_heads ({n_heads}): "
            "each head gets d_model / n_heads features"
        )


def refuse_to_split(x: Tensor, n_heads: int) -> None:
    """Say why features cannot be cut into heads: other axes than `(B, T, D)`, or no multiple of H.

    Raises:
        ValueError: always.
    """
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (B, T, D): batch, positions, features")
    heads("the last axis of x", x.shape[-1], n_heads)


def refuse_to_merge(x: Tensor) -> None:
    """Say why heads cannot be laid side by side: other axes than `(B, H, T, K)`.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f"x has shape {tuple(x.shape)}, expected (B, H, T, K): batch, heads, positions, features"
    )


def refuse_to_rotate(x: Tensor, start: int) -> None:
    """Say why features cannot be turned by their positions: they are no pairs, or stand before position 0.

    Raises:
        ValueError: always.
    """
    if start < 0:
        raise ValueError(
            f"start is {start}, expected 0 or more: are there more queries than keys? With rotary positions "
            "the queries stand at the last of the keys' positions"
        )
    even("the last axis of x", x.shape[-1], "rotary positions turn pairs of features")


def token_ids(name: str, ids: Tensor, axes: str, vocab_size: int, max_len: int | None = None) -> None:
    """Token ids, two axes: what an embedding would refuse, and what it would not.

    Args:
        name: of the argument.
        ids: what came.
        axes: such as `"(B, T)"`.
        vocab_size: ids are below it.
        max_len: so many positions the model reads at once; None where that is looked at later.

    Raises:
        ValueError: other axes, an empty one, no whole numbers, ids that the vocabulary does not have, or more
            positions than `max_len`.
    """
    if ids.dim() != 2 or ids.numel() == 0:
        raise ValueError(
            f"{name} has shape {tuple(ids.shape)}, expected {axes}, neither of them 0: one row a sentence; "
            f"for one text write {name}[None]"
        )
    if ids.dtype not in (torch.int64, torch.int32):
        whole = ids.dtype in (torch.uint8, torch.int8, torch.int16)
        hint = f"write {name}.long()" if whole else "token ids, not embeddings, and no mask"
        raise ValueError(f"{name} has dtype {ids.dtype}, expected whole numbers of type torch.long: {hint}")
    if max_len is not None and ids.shape[1] > max_len:
        raise ValueError(
            f"{name} has {ids.shape[1]} positions, expected at most max_len ({max_len}): the model reads no "
            "more at once; take a shorter text, or a model with a larger max_len"
        )
    known_ids(name, ids, vocab_size)


def known_ids(name: str, ids: Tensor, vocab_size: int) -> None:
    """Ids of a vocabulary, in any shape.

    Raises:
        ValueError: one that the vocabulary does not have.
    """
    if ids.numel() == 0:
        return
    low, high = (int(edge) for edge in ids.aminmax())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name} holds ids from {low} to {high}, expected 0 to {vocab_size - 1}: "
            "were they made with another tokenizer?"
        )


def positions(end: int, max_len: int) -> None:
    """A text that ends where there still is a vector for its last position.

    Raises:
        ValueError: a longer one.
    """
    if end > max_len:
        raise ValueError(
            f"the text has {end} positions, expected at most max_len ({max_len}): there is no vector for "
            "later ones; take a shorter text, or a model with a larger max_len"
        )


def at_least_1(**sizes: int) -> None:
    """Sizes of a model.

    Raises:
        ValueError: one below 1.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}, expected at least 1")


def even(name: str, size: int, reason: str) -> None:
    """Features that come in pairs.

    Raises:
        ValueError: an odd number, or less than 2.
    """
    if size < 2 or size % 2:
        raise ValueError(f"{name} is {size}, expected an even number: {reason}")


def same_batch(name: str, rows: Tensor, other_name: str, other: Tensor) -> None:
    """As many rows here as there.

    Raises:
        ValueError: other numbers of rows.
    """
    if rows.shape[0] != other.shape[0]:
        raise ValueError(
            f"{name} has {len(rows)} rows and {other_name} has {len(other)}, "
            "expected as many: row b of the one belongs to row b of the other"
        )


def one_of(name: str, value: object, known: Collection) -> None:
    """One of some named choices.

    Raises:
        ValueError: another one.
    """
    if value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")


def share(name: str, value: float) -> None:
    """A share of what is there: at least 0 and below 1.

    Raises:
        ValueError: anything else.
    """
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value}, expected a share of at least 0 and below 1")


def _explain_attention_inputs(q: Tensor, k: Tensor, v: Tensor) -> None:
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
    one_value_a_key("k", k, "v", v)
