"""Trained parameters from elsewhere: a BERT in the form of the `transformers` library, into ours.

    bert = load_bert("a/folder")                                   # config.json and model.safetensors
    bert = load_bert("google-bert/bert-base-uncased", download=True)   # from the Hugging Face hub, when asked

Without `download=True` nothing goes over the network: a name is looked up among what was fetched before.
Only safetensors are read; a file that would have to be unpickled is refused, since it can run any program.

One thing is turned round on the way: in `transformers` the first score of next-sentence prediction stands for
"the second text follows" (its label 0). Ours go by name, in the order of `models.bert.FOLLOWS`.
"""

import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from course_lib.models.bert import FOLLOWS, Bert, BertConfig, BertEncoder

THEIR_FOLLOWS = ("next", "random")  # their labels 0 and 1
FILES = ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt")
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
    folder = _find(where, download)
    model = read_config(folder).build()
    _put(read_parameters(folder), model, folder)
    return model.eval()


def load_encoder(where: str | Path, *, download: bool = False) -> BertEncoder:
    """The encoder alone, for files that hold no heads; arguments and errors as `load_bert`."""
    folder = _find(where, download)
    encoder = BertEncoder(read_config(folder))
    inside = "encoder."
    parameters = read_parameters(folder).items()
    _put({name[len(inside) :]: p for name, p in parameters if name.startswith(inside)}, encoder, folder)
    return encoder.eval()


def read_config(folder: Path) -> BertConfig:
    """Their config.json as ours.

    Raises:
        ValueError: no BERT, or one that ours cannot be.
    """
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"config.json of {folder.name} is no JSON: get the file again") from error
    for name, wanted in (
        ("model_type", "bert"),
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
    ):
        if said.get(name, wanted) != wanted:
            raise ValueError(f"{name} is {said[name]!r} in config.json of {folder.name}, expected {wanted!r}")
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


def read_parameters(folder: Path) -> dict[str, Tensor]:
    """Their model.safetensors under our names, in single precision.

    Raises:
        FileNotFoundError: no such file; ValueError: a damaged one.
    """
    path = folder / "model.safetensors"
    if not path.exists():
        pickled = " (pytorch_model.bin is pickled, and is not opened)" * any(folder.glob("*.bin"))
        raise FileNotFoundError(f"no model.safetensors in {folder.name}{pickled}: save it as safetensors")
    try:
        return ours(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"{path.name} of {folder.name} is damaged ({error}): get the file again") from error


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
        for pattern, new in NAMES:
            if match := re.match(pattern, name):
                rest = {"gamma": "weight", "beta": "bias"}.get(name[match.end() :], name[match.end() :])
                found[match.expand(new) + rest] = value.float()
                break
        else:
            raise ValueError(f"the file holds {name!r}, expected the parameters of a BERT")
    rows = torch.tensor([THEIR_FOLLOWS.index(name) for name in FOLLOWS])
    for name in ("nsp_head.weight", "nsp_head.bias"):
        if name in found:
            found[name] = found[name][rows]  # the flip
    return found


def _put(parameters: dict[str, Tensor], model: Bert | BertEncoder, folder: Path) -> None:
    tied = (
        {"lm_head.weight": parameters.get("encoder.token_embedding.weight")}
        if isinstance(model, Bert)
        else {}
    )
    missing = [name for name in model.state_dict() if name not in parameters and name not in tied]
    if missing:
        parts = ", ".join(sorted({name.split(".")[0] for name in missing}))
        raise ValueError(
            f"{folder.name} has no parameters for {parts}: "
            "was only the encoder saved? Then load_encoder reads it"
        )
    try:
        model.load_state_dict(parameters | tied)
    except RuntimeError as error:
        raise ValueError(f"{folder.name} does not fit its own config.json. {error}") from error


def _find(where: str | Path, download: bool) -> Path:
    """The folder of a name: itself, or what the hub's library has fetched or fetches now."""
    if Path(where).is_dir():
        return Path(where)
    if isinstance(where, Path) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", where):
        raise FileNotFoundError(f"no folder {where}: expected one with config.json and model.safetensors")
    from huggingface_hub import snapshot_download  # late: few readers need it
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(where, allow_patterns=list(FILES), local_files_only=not download))
    except RepositoryNotFoundError as error:
        raise FileNotFoundError(f"the hub has no {where!r}: is it spelled so?") from error
    except LocalEntryNotFoundError as error:
        if not download:
            raise FileNotFoundError(
                f"no folder {where!r}, and it was never fetched: write download=True to get it from the "
                "Hugging Face hub, or give a folder with config.json and model.safetensors"
            ) from error
        raise ConnectionError(_no_network(where)) from error
    except OSError as error:  # what the hub's library raises without a network
        raise ConnectionError(_no_network(where)) from error
    except Exception as error:  # its HTTP library has exceptions of its own
        if "httpx" in type(error).__module__ or "httpcore" in type(error).__module__:
            raise ConnectionError(_no_network(where)) from error
        raise


def _no_network(where: str) -> str:
    return (
        f"the Hugging Face hub cannot be reached, so {where!r} was not fetched: go on without it, or copy a "
        "folder with its config.json and model.safetensors here and give its path"
    )
