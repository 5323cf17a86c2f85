"""Files of a GPT-2: old, damaged, missing, or of a model that ours cannot be; and names on the hub."""

import json

import huggingface_hub
import pytest
import torch
from gpt2_helpers import WINDOW, close, random_gpt2
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from course_lib.models import hugging_face
from course_lib.models.hugging_face import load_bpe, load_gpt2, load_tokenizer


def changed(folder, target, **changes):
    target.mkdir(exist_ok=True)
    (target / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text()) | changes
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A tied one, without a tokenizer."""
    folder = tmp_path_factory.mktemp("plain-gpt2")
    random_gpt2(60).save_pretrained(folder)
    return folder


def parameters(folder):
    return list(load_gpt2(folder).state_dict().values())


def rewrite(folder, new):
    save_file(new, folder / "model.safetensors")
    return folder


def test_old_files(plain, tmp_path):
    """Names without a prefix, the causal mask among the parameters, the tied matrix twice, half precision."""
    target = changed(plain, tmp_path / "old")
    old = {
        name.removeprefix("transformer."): value
        for name, value in load_file(plain / "model.safetensors").items()
    }
    old |= {f"h.{i}.attn.bias": torch.ones(1, 1, WINDOW, WINDOW).tril() for i in range(3)}
    old |= {f"h.{i}.attn.masked_bias": torch.tensor(-1e4) for i in range(3)}
    old |= {"lm_head.weight": old["wte.weight"].clone()}
    for a, b in zip(parameters(rewrite(target, old)), parameters(plain), strict=True):
        assert torch.equal(a, b)
    half = {name: value.half() for name, value in load_file(plain / "model.safetensors").items()}
    for a, b in zip(parameters(rewrite(target, half)), parameters(plain), strict=True):
        assert a.dtype == torch.float32
        close(a, b, 2e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "bert"}, "model_type is 'bert' in config.json of odd, expected 'gpt2'"),
        ({"scale_attn_weights": False}, "scale_attn_weights is False in config.json of odd, expected True"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ({"reorder_and_upcast_attn": True}, "reorder_and_upcast_attn is True .* expected False"),
        ({"add_cross_attention": True}, "add_cross_attention is True .* expected False"),
        ({"activation_function": "silu"}, "activation_function is 'silu' .* expected one of 'gelu_new'"),
        ({"activation_function": ["relu"]}, r"activation_function is \['relu'\]"),
        ({"n_head": 5}, r"d_model \(32\) must be divisible by n_heads \(5\)"),
        ({"vocab_size": 61}, "odd does not fit its own config.json"),
        ({"n_layer": 2}, "odd does not fit its own config.json"),
        ({"n_layer": 4}, "odd has no parameters for layers: do its config.json and its parameters belong to"),
        ({"tie_word_embeddings": False}, "odd has no parameters for lm_head: was it saved without its head"),
    ],
)  # fmt: skip
def test_what_ours_cannot_be_is_named(plain, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        load_gpt2(changed(plain, tmp_path / "odd", **changes))


def test_two_heads_in_one(tmp_path):
    """The config says tied, and the file has another matrix: nobody guesses which one counts."""
    random_gpt2(60, tie_word_embeddings=False).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="odd has an lm_head of its own, and tie_word_embeddings is True"):
        load_gpt2(changed(tmp_path, tmp_path / "odd", tie_word_embeddings=True))


def test_damaged_missing_or_foreign(plain, tmp_path):
    odd = changed(plain, tmp_path / "odd")
    new = load_file(plain / "model.safetensors") | {"score.weight": torch.ones(2, 32)}
    with pytest.raises(
        ValueError, match=r"the file holds 'score.weight', expected the parameters of a GPT-2"
    ):
        load_gpt2(rewrite(odd, new))
    (odd / "model.safetensors").unlink()
    (odd / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(
        FileNotFoundError, match=r"no model.safetensors in odd \(it comes in several pieces\)"
    ):
        load_gpt2(odd)
    (odd / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match=r"config.json of odd does not say vocab_size"):
        load_gpt2(odd)
    for content in ("[1]", "no"):
        (odd / "config.json").write_text(content)
        with pytest.raises(ValueError, match=r"config.json of odd is no JSON"):
            load_gpt2(odd)
    (odd / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no config.json of odd"):
        load_gpt2(odd)
    with pytest.raises(FileNotFoundError, match=r"no tokenizer.json in odd"):
        load_tokenizer(odd)
    (odd / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"tokenizer.json of odd cannot be read"):
        load_tokenizer(odd)


def test_a_hub_name_without_being_asked_says_what_to_do(monkeypatch):
    asked = []

    def not_there(name, **arguments):
        asked.append((arguments["local_files_only"], arguments["allow_patterns"][:2]))
        raise LocalEntryNotFoundError("not in the cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", not_there)
    with pytest.raises(FileNotFoundError, match="never fetched: write download=True to get it"):
        load_gpt2("openai-community/gpt2")
    with pytest.raises(ConnectionError, match=r"hub cannot be reached.*go on without it.*model.safetensors"):
        load_gpt2("openai-community/gpt2", download=True)
    with pytest.raises(ConnectionError, match=r"a folder with its tokenizer.json here"):
        load_tokenizer("openai-community/gpt2", download=True)
    with pytest.raises(FileNotFoundError, match=r"or give a folder with vocab.json and merges.txt"):
        load_bpe("openai-community/gpt2")
    model = ["config.json", "model.safetensors"]
    assert asked == [
        (True, model), (False, model), (False, ["tokenizer.json"]), (True, ["vocab.json", "merges.txt"])
    ]  # fmt: skip


def test_a_hub_name_that_was_fetched_is_read_and_called_by_its_name(monkeypatch, plain, tmp_path):
    kept = tmp_path / "models--somebody--small-gpt2" / "snapshots" / "607a30d783"
    kept.parent.mkdir(parents=True)
    changed(plain, kept)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(kept))
    assert load_gpt2("somebody/small-gpt2").config.d_model == 32
    (kept / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model.safetensors in somebody/small-gpt2"):
        load_gpt2("somebody/small-gpt2")


def test_the_package_offers_the_names_of_both():
    assert set(hugging_face.__all__) >= {"load_bert", "load_encoder", "load_gpt2", "ours", "read_config"}
