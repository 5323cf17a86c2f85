"""A GPT-2 of the `transformers` library and ours give the same numbers, and write the same text."""

import json

import pytest
import torch
import transformers
from gpt2_helpers import WINDOW, close, random_gpt2
from tokenizers import Tokenizer, decoders
from tokenizers import models as tokenizer_models
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from course_lib.data import town
from course_lib.generation import WholeText, sample
from course_lib.masks import causal_mask
from course_lib.models import evaluating
from course_lib.models.gpt import GPTConfig, parameter_count
from course_lib.models.hugging_face import gpt2 as form
from course_lib.models.hugging_face import load_bpe, load_gpt2, load_tokenizer

END = "<|endoftext|>"
KINDS = {
    "tied": {},
    "untied": {"tie_word_embeddings": False},
    "other sizes, ε and GELU": {"n_inner": 40, "layer_norm_epsilon": 1e-2, "activation_function": "gelu"},
}


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
    got = sample(writer, prompt, n, temperature=0, stop_ids=[])
    assert torch.equal(got, expected) and prompt.shape[1] < 30
    assert len(set(got[:, -n:].flatten().tolist())) > 10  # more than one token again and again
    with evaluating(ours):
        best = ours(got)[0].topk(2).values[:, -n - 1 : -1]
    assert (best[..., 0] - best[..., 1]).min() > 1e-4  # nothing hangs on the last bit
    their_tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    said = [their_tokenizer.decode(row) for row in expected.tolist()]
    assert [own_tokenizer.decode(row, skip_special_tokens=False) for row in got.tolist()] == said
    assert [load_bpe(folder).decode(row) for row in got.tolist()] == said


def test_a_stop_token_ends_where_theirs_ends(theirs, folder):
    """With padding behind the end of the shorter texts, as theirs."""
    ours, prompt = load_gpt2(folder), texts(3, 6)
    free = sample(ours, prompt, 20, temperature=0, stop_ids=[])
    written = free[:, 6:].tolist()
    first = {i: [(*row, i).index(i) for row in written] for row in written for i in row}
    stop = max(first, key=lambda i: max(first[i]) - min(first[i]))  # it ends the texts far from one another
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False,
        eos_token_id=stop, pad_token_id=7,
    )  # fmt: skip
    assert torch.equal(sample(ours, prompt, 20, temperature=0, stop_ids=[stop], pad_id=7), expected)
    assert (expected == 7).sum() > 5


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
