"""A Transformer as PyTorch's own class, with the same parameters: to see that both compute the same."""

import warnings

import torch
from torch import Tensor, nn

from course_lib.attention import MultiHeadAttention
from course_lib.layers import FeedForward, SubLayer
from course_lib.masks import causal_mask
from course_lib.models.transformer import Transformer
from course_lib.text.tokenizers import PAD_ID


def torch_twin(model: Transformer) -> nn.Transformer:
    """`torch.nn.Transformer` with the layers of a model, in evaluation mode.

    PyTorch's class has no embeddings, no positions and no scores; and it ends each stack with one more norm,
    whether `norm_first` is set or not (pytorch issue 50086). Where the model has no such norm, neither has
    the twin.

    Args:
        model: one with layer norms and without rotary positions, which PyTorch's class does not have.

    Returns:
        the twin; its parameters are copies.

    Raises:
        ValueError: a model that PyTorch's class cannot be.
    """
    config = model.config
    if config.norm != "layer" or config.positions == "rotary" or not config.residual:
        raise ValueError(
            f"model has norm {config.norm!r}, positions {config.positions!r} and residual {config.residual}; "
            "expected layer norms, residual connections and no rotary positions: nn.Transformer has no others"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="enable_nested_tensor")  # a fast road is off: no matter
        twin = nn.Transformer(
            config.d_model,
            config.n_heads,
            config.encoder_layers,
            config.decoder_layers,
            config.d_ff,
            dropout=config.dropout,
            activation=config.activation,
            batch_first=True,
            norm_first=config.norm_first,
        )
    with torch.no_grad():
        for ours, theirs in ((model.encoder, twin.encoder), (model.decoder, twin.decoder)):
            for layer, copy in zip(ours.layers, theirs.layers, strict=True):
                _copy_layer(layer, copy)
            if isinstance(ours.final_norm, nn.Identity):
                theirs.norm = None
            else:
                theirs.norm.load_state_dict(ours.final_norm.state_dict())
    return twin.eval()


def twin_output(twin: nn.Transformer, model: Transformer, source: Tensor, target: Tensor) -> Tensor:
    """The scores that PyTorch's layers give between the model's embeddings and its last matrix.

    Args:
        twin: from `torch_twin(model)`.
        model: embeds and scores.
        source, target: ids `(B, S)` and `(B, T)`, as for the model.

    Returns:
        logits `(B, T, V)`.
    """
    closed = source == PAD_ID  # (B, S); PyTorch's convention: True = blocked
    x = twin(
        model.embed_source(source),
        model.embed_target(target),
        tgt_mask=~causal_mask(target.shape[1]),
        src_key_padding_mask=closed,
        memory_key_padding_mask=closed,
    )
    return model.lm_head(x)


def _copy_layer(layer: nn.Module, copy: nn.Module) -> None:
    _copy_attention(layer.self_attention, copy.self_attn)
    norms = [layer.around_self]
    if hasattr(layer, "cross_attention"):
        _copy_attention(layer.cross_attention, copy.multihead_attn)
        norms.append(layer.around_cross)
    norms.append(layer.around_feed_forward)
    _copy_feed_forward(layer.feed_forward, copy)
    for number, frame in enumerate(norms, 1):
        _copy_norm(frame, getattr(copy, f"norm{number}"))


def _copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    three = ours.W_q, ours.W_k, ours.W_v  # PyTorch keeps three matrices in one
    theirs.in_proj_weight.copy_(torch.cat([projection.weight for projection in three]))
    theirs.in_proj_bias.copy_(torch.cat([projection.bias for projection in three]))
    theirs.out_proj.load_state_dict(ours.W_o.state_dict())


def _copy_feed_forward(ours: FeedForward, copy: nn.Module) -> None:
    copy.linear1.load_state_dict(ours.W_1.state_dict())
    copy.linear2.load_state_dict(ours.W_2.state_dict())


def _copy_norm(frame: SubLayer, norm: nn.LayerNorm) -> None:
    norm.load_state_dict(frame.norm.state_dict())
