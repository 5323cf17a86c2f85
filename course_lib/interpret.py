"""Looking into a model: what its heads look at, what is lost without them, which shapes pass through it.

Axes: B batch, H heads, T query positions, S key positions, Q questions that are asked at each position,
N = S + T positions of a row that holds source and target.
"""

import copy
from collections.abc import Sequence
from dataclasses import fields

import torch
from torch import Tensor, nn

from course_lib.attention import MultiHeadAttention
from course_lib.families import Description, Row, Shape, Sizes, family_of
from course_lib.masks import causal_mask, prefix_mask
from course_lib.models import evaluating
from course_lib.models.attention_only import AttentionOnly
from course_lib.models.transformer import OneStack, Transformer


def head_weights(model: AttentionOnly, ids: Tensor, allowed: Tensor | None = None) -> list[Tensor]:
    """The attention weights of every layer, `(B, H, T, S)` each, from ids `(B, T)`."""
    with evaluating(model):
        return model(ids, allowed, need_weights=True)[1]


def weight_on(weights: Tensor, places: Tensor) -> Tensor:
    """Does a head look where an answer stands?

    Args:
        weights: of one layer, `(B, H, T, S)`.
        places: where the answers stand, boolean `(Q, T, S)`: usually one place a question and query. A query
            without any does not count.

    Returns:
        `(H, Q)`: the mean weight that head h puts on the places of question q. 1 is a perfect look-up; with
        one place a query, 1/S is what a head gives that looks everywhere alike. nan: no query has a place.
    """
    asked = len(weights) * places.any(-1).sum(-1)  # (Q,): B · queries that have a place
    return torch.einsum("bhts,qts->hq", weights, places.to(weights)) / asked


def share_on(weights: Tensor, places: Tensor, allowed: Tensor) -> tuple[Tensor, float]:
    """How much of its weight does each head put on places of one kind, and what would even weights put there?

    Only queries count for which there is such a place.

    Args:
        weights: of one layer, `(B, H, T, S)`.
        places: where places of this kind are, boolean `(B, T, S)`; forbidden ones do not count.
        allowed: which keys each query may see, boolean, broadcastable to `(B, T, S)`.

    Returns:
        the mean share of each head, `(H,)`, and that of a head that looks at all it may see alike.

    Raises:
        ValueError: no query has such a place.
    """
    allowed = allowed.expand_as(places)
    places = places & allowed
    asked = places.any(-1)  # (B, T)
    if not asked.any():
        raise ValueError("places has no allowed place, expected at least one query that has one")
    shares = torch.einsum("bhts,bts->bth", weights, places.to(weights))[asked]  # (queries, H)
    even = places.sum(-1) / allowed.sum(-1)  # (B, T)
    return shares.mean(0), even[asked].mean().item()


def without_heads(model: AttentionOnly, heads: Sequence[tuple[int, int]]) -> AttentionOnly:
    """A copy of a model in which some heads say nothing.

    The columns h·K to (h + 1)·K − 1 of W_o are all that ever reads head h: with zeros there, its slice of the
    merged output counts for nothing. (In the paper's order, x W_o, they are rows.)

    Args:
        model: stays as it is.
        heads: (layer, head) pairs; layers in the order in which the model has them.

    Returns:
        the copy.

    Raises:
        ValueError: a layer or a head that the model does not have.
    """
    model = copy.deepcopy(model)
    layers = [layer for layer in model.modules() if isinstance(layer, MultiHeadAttention)]
    for number, head in heads:
        if not 0 <= number < len(layers) or not 0 <= head < layers[number].n_heads:
            raise ValueError(
                f"heads has ({number}, {head}), expected layers 0 to {len(layers) - 1} and heads 0 to "
                f"{layers[0].n_heads - 1}: pairs are (layer, head)"
            )
        layer = layers[number]
        with torch.no_grad():
            layer.W_o.weight[:, head * layer.d_k : (head + 1) * layer.d_k] = 0.0
    return model


# ---------------------------------------------------------------- which shapes pass through a model


def trace_shapes(
    model: Transformer | OneStack,
    source: Tensor,
    target: Tensor | None = None,
    family: str | None = None,
) -> Description:
    """Send a real batch through a model, and write down what comes out of each box.

    Args:
        model: stays as it is.
        source: ids `(B, S)`.
        target: ids of the decoder's inputs `(B, T)`. A model of one stack reads source and target as one
            text; an encoder-only one reads the source alone, and needs no target.
        family: which mask a `OneStack` reads under: "encoder-only", "decoder-only" or "prefix-LM". A
            `Transformer` is an "encoder-decoder".

    Returns:
        a row for each box, in the order in which the batch passes; `total` is the model's number of
        parameters.

    Raises:
        ValueError: a family that the model is not of, or a target that is missing.
    """
    two = isinstance(model, Transformer)
    kind = family_of(family or ("encoder-decoder" if two else "decoder-only"))
    if kind.cross != two:
        raise ValueError(f"family is {kind.name!r}, which a {type(model).__name__} is not")
    if target is None and (two or kind.reads == "both"):
        raise ValueError(f"target is missing: a model of the family {kind.name!r} reads source and target")
    target = source if target is None else target
    batch = (*source.shape, target.shape[1])
    calls = _Calls(model)
    if two:
        logits, looks = calls.run(source, target)
        rows = calls.embedded("encoder", "S", model.embed_source, source)
        rows += calls.layers("encoder", "S", model.encoder, looks.encoder)
        rows += calls.embedded("decoder", "T", model.embed_target, target)
        rows += calls.layers("decoder", "T", model.decoder, looks.decoder)
        side, letter = "decoder", "T"
    else:
        ids = source if kind.reads == "source" else torch.cat([source, target], 1)  # (B, N)
        allowed = {
            "full": lambda: None,
            "causal": lambda: causal_mask(ids.shape[1], device=ids.device),
            "prefix": lambda: prefix_mask(ids.shape[1], source.shape[1], device=ids.device),
        }
        [(side, mask)], letter = kind.masks.items(), kind.letter
        logits, looks = calls.run(ids, allowed[mask]())
        rows = calls.embedded(side, letter, model.embed, ids) + calls.layers(side, letter, model.stack, looks)
    rows += calls.scores(side, letter, model.lm_head, logits)
    return Description(kind.name, sizes_of(model), batch, tuple(rows))


def sizes_of(model: Transformer | OneStack) -> Sizes:
    """The sizes of a model, as `course_lib.families` counts with them."""
    config = model.config
    known = {each.name: getattr(config, each.name) for each in fields(Sizes) if hasattr(config, each.name)}
    known["final_norm"] = config.norm_first if config.final_norm is None else config.final_norm
    if isinstance(model, Transformer):
        return Sizes(**known | {"one_vocabulary": config.shared == "all"})
    one = {"source_vocab": config.vocab_size, "target_vocab": config.vocab_size}
    one |= {"encoder_layers": config.n_layers, "decoder_layers": config.n_layers}
    return Sizes(**known | one | {"shared": "all" if config.shared else None})


class _Calls:
    """What went into and out of each part of a model in one forward pass; which parameters were counted."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.counted, self.seen = model, set(), {}

    def run(self, *inputs):
        """One forward pass with its weights; each part's calls are kept in `seen`."""

        def keep(part, given, output):
            shape = tuple(output.shape) if isinstance(output, Tensor) else None
            self.seen.setdefault(part, []).append((tuple(given[0].shape), shape))

        hooks = [part.register_forward_hook(keep) for part in self.model.modules()]
        try:
            with evaluating(self.model):
                return self.model(*inputs, need_weights=True)
        finally:
            for hook in hooks:
                hook.remove()

    def row(self, box, letter, part, shapes, *, layer=0, inputs=(), inside=None, last="D") -> Row:
        """One box: what went in and came out of `part`'s (input, output) shapes, and its new parameters."""
        given, output = shapes
        names = f"B{letter}"
        new = [] if part is None else [p for p in part.parameters() if id(p) not in self.counted]
        self.counted |= {id(p) for p in new}
        first = Shape((names + "DV"[box.endswith("softmax")])[: len(given)], given)
        return Row(
            box, layer, (first, *inputs), inside, Shape((names + last)[: len(output)], output),
            sum(p.numel() for p in new),
        )  # fmt: skip

    def embedded(self, side: str, letter: str, part: nn.Module, ids: Tensor) -> list[Row]:
        """Ids, their vectors, and the positions where a vector is added for them."""
        tokens, [(_, output)] = part.token_embedding, self.seen[part]
        rows = [self.row(f"{side}.tokens", letter, None, (tuple(ids.shape),) * 2)]
        rows.append(self.row(f"{side}.embedding", letter, tokens, self.seen[tokens].pop(0)))
        if part.config.positions in ("sinusoidal", "learned"):
            rows.append(self.row(f"{side}.positions", letter, part, (output, output)))
        return rows

    def layers(self, side: str, letter: str, stack: nn.Module, looks: Sequence) -> list[Row]:
        """Every sub-layer of every layer, and the final norm."""
        rows = []
        for number, (layer, seen) in enumerate(zip(stack.layers, looks, strict=True), 1):
            own, cross = (seen, None) if isinstance(seen, Tensor) else seen
            inside = Shape(f"BH{letter * 2}", tuple(own.shape))
            rows += self._framed(
                f"{side}.self", letter, layer.around_self, layer.self_attention, number, inside
            )
            if cross is not None:
                memory = Shape("BSD", self.seen[layer.cross_attention.W_k][0][0])
                rows += self._framed(
                    f"{side}.cross", letter, layer.around_cross, layer.cross_attention, number,
                    Shape("BHTS", tuple(cross.shape)), (memory,),
                )  # fmt: skip
            middle = Shape(f"B{letter}F", self.seen[layer.feed_forward.W_1][0][1])
            rows += self._framed(
                f"{side}.feed", letter, layer.around_feed_forward, layer.feed_forward, number, middle
            )
        norm = stack.final_norm
        if not isinstance(norm, nn.Identity):
            rows.append(self.row(f"{side}.final_norm", letter, norm, self.seen[norm][0]))
        return rows

    def _framed(self, name, letter, frame, part, layer, inside, inputs=()) -> list[Row]:
        """A sub-layer and its norm, in the order in which they come."""
        first, last = (part.W_1, part.W_2) if name.endswith("feed") else (part.W_q, part.W_o)
        shapes = self.seen[first][0][0], self.seen[last][0][1]
        kind = "forward" if name.endswith("feed") else "attention"
        here = {"layer": layer}
        rows = [
            self.row(f"{name}_{kind}", letter, part, shapes, inputs=inputs, inside=inside, **here),
            self.row(f"{name}_norm", letter, frame.norm, self.seen[frame.norm][0], **here),
        ]
        return rows[::-1] if frame.norm_first else rows

    def scores(self, side: str, letter: str, lm_head: nn.Module, logits: Tensor) -> list[Row]:
        """Scores and probabilities."""
        chances = tuple(logits.softmax(-1).shape)
        rows = [self.row(f"{side}.scores", letter, lm_head, self.seen[lm_head][0], last="V")]
        return [*rows, self.row(f"{side}.softmax", letter, None, (tuple(logits.shape), chances), last="V")]
