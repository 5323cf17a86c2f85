"""A GPT-2 of the `transformers` library and ours give the same numbers, and write the same text."""

import json

import huggingface_hub
import pytest
import torch
import transformers
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders
from tokenizers import models as tokenizer_models
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from course_lib.data import town
from course_lib.generation import WholeText
from course_lib.masks import causal_mask
from course_lib.models import evaluating, hugging_face
from course_lib.models.gpt import GPTConfig, parameter_count
from course_lib.models.hugging_face import gpt2 as form
from course_lib.models.hugging_face import load_bpe, load_gpt2, load_tokenizer

END = "<|endoftext|>"
WINDOW = 128
SIZES = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": WINDOW, "initializer_range": 0.2}
KINDS = {
    "tied": {},
    "untied": {"tie_word_embeddings": False},
    "other sizes, ε and GELU": {"n_inner": 40, "layer_norm_epsilon": 1e-2, "activation_function": "gelu"},
}


def close(got, expected, tolerance=1e-5):
    torch.testing.assert_close(got, expected, atol=tolerance, rtol=0.0)


def random_gpt2(vocab_size, **changes):
    """Random parameters, biases and norms too, large enough that a swapped one shows."""
    ends = {"bos_token_id": vocab_size - 1, "eos_token_id": vocab_size - 1}
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=vocab_size, **SIZES | ends | changes)
    ).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or ".ln_" in name:
                parameter += 0.2 * torch.randn_like(parameter)
        model.transformer.wpe.weight *= 4  # else a greedy text soon says one token for ever
        model.transformer.ln_f.bias *= 0.2
    return model


@pytest.fixture(scope="module")
def tokenizer():
    """A byte-level BPE in GPT-2's form, learned from stories of the Town."""
    tokenizer = Tokenizer(tokenizer_models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = BpeTrainer(vocab_size=340, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    texts = [text for story in town.stories(100, seed=3) for text in (story.english, story.french)]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([END])
    return tokenizer


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def theirs(request, tokenizer):
    return random_gpt2(tokenizer.get_vocab_size(), **request.param)


@pytest.fixture(scope="module")
def folder(theirs, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small-gpt2")
    theirs.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json, merges.txt; GPT-2's vocab.json has its special token, too
    (folder / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    return folder


def texts(n_texts=4, length=50, vocab_size=340):
    return torch.randint(0, vocab_size, (n_texts, length), generator=torch.Generator().manual_seed(1))


# ---------------------------------------------------------------- numbers


def test_every_layer_and_the_logits(theirs, folder):
    ids, ours = texts(), load_gpt2(folder)
    with torch.no_grad():
        expected = theirs(ids, output_hidden_states=True)
    assert not ours.training
    with evaluating(ours):
        logits, _ = ours(ids)
        slow, _ = ours(ids, need_weights=True)
        hidden = [ours.embed(ids)]
        for layer in ours.layers:
            hidden.append(layer(hidden[-1], causal_mask(50))[0])
        hidden[-1] = ours.final_norm(hidden[-1])  # as theirs: the last one has passed the final norm
    assert len(expected.hidden_states) == 4
    for got, wanted in zip(hidden, expected.hidden_states, strict=True):
        close(got, wanted)
    close(logits, expected.logits)
    close(slow, expected.logits)
    assert expected.logits.std() > 0.5  # numbers worth comparing


def test_the_same_loss_and_gradients(theirs, folder):
    """Their labels are shifted inside; the gradient of a turned matrix is turned, too."""
    ids, ours = texts(2, 20), load_gpt2(folder)
    theirs.zero_grad()
    loss = theirs(ids, labels=ids).loss
    loss.backward()
    own = torch.nn.functional.cross_entropy(ours(ids[:, :-1])[0].flatten(0, 1), ids[:, 1:].flatten())
    own.backward()
    close(own, loss.detach())
    close(ours.token_embedding.weight.grad, theirs.transformer.wte.weight.grad)
    block, layer = theirs.transformer.h[1], ours.layers[1]
    close(layer.feed_forward.W_1.weight.grad, block.mlp.c_fc.weight.grad.T)
    close(layer.self_attention.W_k.weight.grad, block.attn.c_attn.weight.grad[:, 32:64].T)


def test_no_parameter_is_forgotten_and_none_counts_twice(theirs, folder):
    ours = load_gpt2(folder)
    assert sum(p.numel() for p in ours.parameters()) == theirs.num_parameters()
    assert sum(parameter_count(ours.config).values()) == theirs.num_parameters()
    assert (ours.lm_head.weight is ours.token_embedding.weight) == theirs.config.tie_word_embeddings


def test_what_is_not_said_is_the_small_gpt_2(tmp_path):
    transformers.GPT2Config().save_pretrained(tmp_path)
    assert form.read_config(tmp_path) == GPTConfig(dropout=0.1)
    with torch.device("meta"):  # shapes without numbers
        theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config())
        ours = GPTConfig().build()
    assert theirs.num_parameters() == sum(p.numel() for p in ours.parameters()) == 124_439_808
    named = {name: tuple(value.shape) for name, value in form.ours(theirs.state_dict()).items()}
    assert named == {name: tuple(value.shape) for name, value in ours.state_dict().items()}


# ---------------------------------------------------------------- text


def write(model, prompt, n):
    """The likeliest token, n times: `(B, T)` to `(B, T + n)`; and its lead over the next, at least."""
    written, tokens, state, lead = [prompt], prompt, None, float("inf")
    with torch.no_grad():
        for _ in range(n):
            logits, _, state = model.next_logits(tokens, state)
            best = logits.topk(2).values
            lead = min(lead, (best[:, 0] - best[:, 1]).min().item())
            tokens = logits.argmax(-1)[:, None]
            written.append(tokens)
    return torch.cat(written, dim=1), lead


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "uncached"])
def test_greedy_ids_and_texts_are_those_of_generate(theirs, folder, cached):
    own_tokenizer, ours = load_tokenizer(folder), load_gpt2(folder)
    prompts = ["Anna gives the red ball to", "Tom et Lisa sont dans le", "In the kitchen there is a 小"]
    rows = [own_tokenizer.encode(prompt).ids for prompt in prompts]
    prompt = torch.tensor([row[: min(map(len, rows))] for row in rows])  # no padding
    n = WINDOW - prompt.shape[1] if cached else 30
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=n, do_sample=False, use_cache=cached,
        eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    writer = ours if cached else WholeText(lambda ids: ours(ids)[0], WINDOW)
    got, lead = write(writer, prompt, n)
    assert lead > 1e-4  # nothing hangs on the last bit
    assert torch.equal(got, expected) and prompt.shape[1] < 30
    assert len(set(got[:, -n:].flatten().tolist())) > 10  # more than one token again and again
    their_tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    said = [their_tokenizer.decode(row) for row in expected.tolist()]
    assert [own_tokenizer.decode(row, skip_special_tokens=False) for row in got.tolist()] == said
    assert [load_bpe(folder).decode(row) for row in got.tolist()] == said


def test_three_tokenizers_give_the_same_ids(folder):
    own, ours = load_tokenizer(folder), load_bpe(folder)
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), split_special_tokens=True
    )
    assert len(ours) == own.get_vocab_size() > 300
    for text in ("Anna's dog isn't here.", "L'été, à Zoé ?", " \n\t x  y", "小 👍🏽", f"a{END}b", ""):
        assert own.encode(text).ids == ours.encode(text) == theirs.encode(text)
        assert ours.decode(ours.encode(text)) == text
    end = len(ours) - 1
    assert ours.special == {END: end} and own.token_to_id(END) == end
    assert end not in own.encode(f"a{END}b").ids  # a special token by its id only
    assert ours.decode([end]) == own.decode([end], skip_special_tokens=False) == END


# ---------------------------------------------------------------- files


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
