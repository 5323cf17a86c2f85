"""A BERT in the form of the `transformers` library, into ours.

One thing is turned round on the way: in `transformers` the first score of next-sentence prediction stands for
"the second text follows" (its label 0). Ours go by name, in the order of `models.bert.FOLLOWS`.
"""

from pathlib import Path

import torch
from torch import Tensor

from course_lib.models.bert import FOLLOWS, Bert, BertConfig, BertEncoder
from course_lib.models.hugging_face.folder import Said, find, put, read_tensors, renamed

THEIR_FOLLOWS = ("next", "random")  # their labels 0 and 1
LAYER = r"encoder\.layer\.(\d+)\."
NAMES = (  # their name → ours; the first that fits
    (r"embeddings\.word_embeddings\.", "encoder.token_embedding."),
    (r"embeddings\.position_embeddings\.", "encoder.position_embedding."),
    (r"embeddings\.token_type_embeddings\.", "encoder.segment_embedding."),
    (r"embeddings\.LayerNorm\.", "encoder.norm."),
    (LAYER + r"attention\.self\.query\.", r"encoder.layers.\1.self_attention.W_q."),
    (LAYER + r"attention\.self\.key\.", r"encoder.layers.\1.self_attention.W_k."),
    (LAYER + r"attention\.self\.value\.", r"encoder.layers.\1.self_attention.W_v."),
    (LAYER + r"attention\.output\.dense\.", r"encoder.layers.\1.self_attention.W_o."),
    (LAYER + r"attention\.output\.LayerNorm\.", r"encoder.layers.\1.around_self.norm."),
    (LAYER + r"intermediate\.dense\.", r"encoder.layers.\1.feed_forward.W_1."),
    (LAYER + r"output\.dense\.", r"encoder.layers.\1.feed_forward.W_2."),
    (LAYER + r"output\.LayerNorm\.", r"encoder.layers.\1.around_feed_forward.norm."),
    (r"pooler\.dense\.", "pooler."),
    (r"cls\.predictions\.transform\.dense\.", "before_lm_head.0."),
    (r"cls\.predictions\.transform\.LayerNorm\.", "before_lm_head.2."),
    (r"cls\.predictions\.bias", "lm_head.bias"),
    (r"cls\.seq_relationship\.", "nsp_head."),
)
EXPECTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
COPIES = ("embeddings.position_ids", "cls.predictions.decoder.")  # counted positions; the tied matrix again


def load_bert(where: str | Path, *, download: bool = False) -> Bert:
    """A BERT with the heads of pre-training.

    Args:
        where: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.
        download: fetch it from the hub if it is not there yet.

    Returns:
        the model, in evaluation mode.

    Raises:
        FileNotFoundError: nothing there; the message says what to do.
        ConnectionError: the hub cannot be reached.
        ValueError: another kind of model, or parameters that do not fit.
    """
    folder = find(where, download)
    model, parameters = read_config(folder).build(), ours(read_tensors(folder))
    if "encoder.token_embedding.weight" in parameters:
        parameters["lm_head.weight"] = parameters["encoder.token_embedding.weight"]  # tied
    put(parameters, model, folder, "was only the encoder saved? Then load_encoder reads it")
    return model.eval()


def load_encoder(where: str | Path, *, download: bool = False) -> BertEncoder:
    """The encoder alone, for files that hold no heads; arguments and errors as `load_bert`."""
    folder = find(where, download)
    encoder, inside = BertEncoder(read_config(folder)), "encoder."
    found = ours(read_tensors(folder)).items()
    parameters = {name[len(inside) :]: p for name, p in found if name.startswith(inside)}
    put(parameters, encoder, folder, "expected the parameters of a BERT")
    return encoder.eval()


def read_config(folder: Path) -> BertConfig:
    """Their config.json as ours.

    Raises:
        ValueError: no BERT, or one that ours cannot be.
    """
    said = Said(folder, EXPECTED)
    return BertConfig(
        vocab_size=said["vocab_size"],
        d_model=said["hidden_size"],
        n_heads=said["num_attention_heads"],
        n_layers=said["num_hidden_layers"],
        d_ff=said["intermediate_size"],
        max_len=said["max_position_embeddings"],
        n_segments=said.get("type_vocab_size", 2),
        dropout=said.get("hidden_dropout_prob", 0.1),
        norm_eps=said.get("layer_norm_eps", 1e-12),
        pad_id=said.get("pad_token_id", 0),
    )


def ours(theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `transformers` BERT under our names.

    Raises:
        ValueError: a name that no part of ours has.
    """
    found = {}
    for name, value in theirs.items():
        name = name.removeprefix("bert.")
        if name.startswith(COPIES):
            continue
        new, _, leaf = renamed(name, NAMES, "BERT").rpartition(".")
        leaf = {"gamma": "weight", "beta": "bias"}.get(leaf, leaf)  # in files of the first years
        found[f"{new}.{leaf}"] = value.float()
    rows = torch.tensor([THEIR_FOLLOWS.index(name) for name in FOLLOWS])
    for name in ("nsp_head.weight", "nsp_head.bias"):
        if name in found:
            found[name] = found[name][rows]  # the flip
    return found
