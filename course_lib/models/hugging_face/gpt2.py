"""A GPT-2 in the form of the `transformers` library, into our `GPT`.

    gpt2 = load_gpt2("a/folder")                                # config.json and model.safetensors
    gpt2 = load_gpt2("openai-community/gpt2", download=True)    # from the Hugging Face hub, when asked

Two things are stored in another way there, as in the authors' own code:

    transposed     a matrix W makes x W, where that of `nn.Linear` makes x Wᵀ; embeddings are as ours
    side by side   c_attn holds the matrices of queries, keys and values next to one another: (D, 3 D)

Many of these matrices are square. So one that was not turned, or q and k the wrong way round, fits, and the
model writes gibberish. `first_difference` names the part at which that begins.
"""

import re
from pathlib import Path

import torch
from torch import Tensor

from course_lib.models.gpt import GPT, GPTConfig
from course_lib.models.hugging_face.folder import Said, find, name_of, put, read_tensors, renamed

LAYER = r"h\.(\d+)\."
NAMES = (  # their name → ours; the first that fits
    (r"wte\.", "token_embedding."),
    (r"wpe\.", "position_embedding."),
    (LAYER + r"ln_1\.", r"layers.\1.around_self.norm."),
    (LAYER + r"attn\.c_attn\.", r"layers.\1.self_attention.W_qkv."),
    (LAYER + r"attn\.c_proj\.", r"layers.\1.self_attention.W_o."),
    (LAYER + r"ln_2\.", r"layers.\1.around_feed_forward.norm."),
    (LAYER + r"mlp\.c_fc\.", r"layers.\1.feed_forward.W_1."),
    (LAYER + r"mlp\.c_proj\.", r"layers.\1.feed_forward.W_2."),
    (r"ln_f\.", "final_norm."),
    (r"lm_head\.", "lm_head."),
)
MASK = re.compile(LAYER + r"attn\.(masked_)?bias$")  # old files hold the causal mask itself
TURNED = re.compile(r"W_\w+\.weight$")
ACTIVATIONS = {  # their word → ours
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}
EXPECTED = {  # ours can be nothing else
    "model_type": "gpt2",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "reorder_and_upcast_attn": False,
    "add_cross_attention": False,
}


def load_gpt2(where: str | Path, *, download: bool = False) -> GPT:
    """A GPT-2 with its scores.

    Args:
        where: a folder with config.json and model.safetensors, or a name on the Hugging Face hub.
        download: fetch it from the hub if it is not there yet.

    Returns:
        the model, in evaluation mode.

    Raises:
        FileNotFoundError: nothing there; the message says what to do.
        ConnectionError: the hub cannot be reached.
        ValueError: another kind of model, one that ours cannot be, or parameters that do not fit.
    """
    folder = find(where, download)
    model = read_config(folder).build()
    parameters = ours(read_tensors(folder))
    if model.config.tied:
        embedding = parameters.get("token_embedding.weight")
        head = parameters.setdefault("lm_head.weight", embedding)
        if embedding is not None and not torch.equal(head, embedding):
            raise ValueError(
                f"{name_of(folder)} has an lm_head of its own, and tie_word_embeddings is True in its "
                "config.json, expected one of the two: was it trained untied?"
            )
    put(parameters, model, folder, "was it saved without its head? Untied scores need a matrix of their own")
    return model.eval()


def read_config(folder: Path) -> GPTConfig:
    """Their config.json as ours. Of their three shares for dropout ours has one: that of the sub-layers.

    Raises:
        ValueError: no GPT-2, or one that ours cannot be.
    """
    said = Said(folder, EXPECTED)
    return GPTConfig(
        vocab_size=said["vocab_size"],
        d_model=said["n_embd"],
        n_heads=said["n_head"],
        n_layers=said["n_layer"],
        d_ff=said.get("n_inner"),
        max_len=said["n_positions"],
        dropout=said.get("resid_pdrop", 0.1),
        norm_eps=said.get("layer_norm_epsilon", 1e-5),
        activation=said.one_of("activation_function", ACTIVATIONS, "gelu_new"),
        tied=said.get("tie_word_embeddings", True),
    )


def ours(theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `transformers` GPT-2 under our names, in single precision.

    Raises:
        ValueError: a name that no part of ours has.
    """
    found = {}
    for name, value in theirs.items():
        name = name.removeprefix("transformer.")
        if MASK.match(name):
            continue
        new = renamed(name, NAMES, "GPT-2")
        parts = {new: value}
        if "W_qkv" in new:
            thirds = value.chunk(3, dim=-1)  # (D, D) each, or (D,)
            parts = {new.replace("qkv", which): third for which, third in zip("qkv", thirds, strict=False)}
        for new, part in parts.items():
            found[new] = (part.T if TURNED.search(new) else part).float().contiguous()
    return found
