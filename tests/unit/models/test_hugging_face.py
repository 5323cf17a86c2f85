"""A BERT of the `transformers` library and ours give the same numbers, layer for layer."""

import json

import huggingface_hub
import pytest
import torch
import transformers
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from course_lib.models import evaluating, hugging_face
from course_lib.models.bert import FOLLOWS
from course_lib.models.hugging_face import load_bert, load_encoder
from course_lib.text.segments import join, stack

ROWS = stack([join(range(7, 19), range(20, 27)), join([30, 31, 32]), join([33], range(40, 52))])
ALLOWED = (ROWS.ids != 0)[:, None, None]


def close(got, expected, tolerance):
    torch.testing.assert_close(got, expected, atol=tolerance, rtol=0.0)


def theirs_read(model, rows=ROWS):
    with torch.no_grad():
        return model(
            input_ids=rows.ids,
            token_type_ids=rows.segments,
            attention_mask=(rows.ids != 0).long(),
            output_hidden_states=True,
        )


@pytest.fixture(scope="module")
def theirs():
    """Random parameters, biases and norms too, large enough that a swapped one shows."""
    config = transformers.BertConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=32, initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.BertForPreTraining(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "LayerNorm" in name:
                parameter += 0.3 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module")
def folder(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small-bert")
    theirs.save_pretrained(folder)
    return folder


def test_every_layer_and_both_heads(theirs, folder):
    expected = theirs_read(theirs)
    ours = load_bert(folder)
    with evaluating(ours):
        read = ours.encoder(ids=ROWS.ids, segments=ROWS.segments)
        scores, _ = ours(ids=ROWS.ids, segments=ROWS.segments)
        slow, _ = ours(ids=ROWS.ids, segments=ROWS.segments, need_weights=True)
    assert len(read.hidden) == len(expected.hidden_states) == 4
    for got, wanted in zip(read.hidden, expected.hidden_states, strict=True):
        close(got, wanted, 1e-5)
    close(scores.words, expected.prediction_logits, 1e-5)
    close(slow.words, expected.prediction_logits, 1e-5)
    assert expected.prediction_logits.abs().max() > 1  # numbers worth comparing


def test_next_is_their_label_0(theirs, folder):
    """Labels go by name; only here are they turned round."""
    expected = theirs_read(theirs).seq_relationship_logits
    ours = load_bert(folder)
    with evaluating(ours):
        got = ours(ids=ROWS.ids, segments=ROWS.segments)[0].follows
    close(got[:, FOLLOWS.index("next")], expected[:, 0], 1e-5)
    close(got[:, FOLLOWS.index("random")], expected[:, 1], 1e-5)
    assert (expected[:, 0] - expected[:, 1]).abs().min() > 0.01


def test_the_same_losses_and_gradients(theirs, folder):
    """Their loss with labels -100 and "next" = 0 is ours; and so is the gradient of the tied matrix."""
    labels = ROWS.ids.masked_fill(
        (torch.rand(ROWS.ids.shape, generator=torch.Generator().manual_seed(1)) < 0.7) | (ROWS.ids == 0), -100
    )
    follows = torch.tensor([FOLLOWS.index(name) for name in ("next", "random", "next")])
    theirs.zero_grad()
    loss = theirs(
        input_ids=ROWS.ids, token_type_ids=ROWS.segments, attention_mask=(ROWS.ids != 0).long(),
        labels=labels, next_sentence_label=torch.tensor([0, 1, 0]),
    ).loss  # fmt: skip
    loss.backward()
    ours = load_bert(folder)
    scores, _ = ours(ids=ROWS.ids, segments=ROWS.segments)
    cross_entropy = torch.nn.functional.cross_entropy
    own = cross_entropy(scores.words.flatten(0, 1), labels.flatten()) + cross_entropy(scores.follows, follows)
    own.backward()
    close(own, loss.detach(), 1e-5)
    close(ours.encoder.token_embedding.weight.grad, theirs.bert.embeddings.word_embeddings.weight.grad, 1e-4)


def test_a_changed_padded_token_moves_nothing(folder):
    ours = load_bert(folder)
    other = torch.where(ROWS.ids == 0, 50, ROWS.ids)
    with evaluating(ours):
        before, _ = ours(ids=ROWS.ids, segments=ROWS.segments)
        after, _ = ours(ids=other, segments=ROWS.segments, allowed=ALLOWED)
    words = ROWS.ids != 0
    assert torch.equal(before.words[words], after.words[words]) and torch.equal(before.follows, after.follows)


def test_an_encoder_without_heads(theirs, tmp_path):
    theirs.bert.save_pretrained(tmp_path / "body")
    encoder = load_encoder(tmp_path / "body")
    with evaluating(encoder):
        got = encoder(ids=ROWS.ids, segments=ROWS.segments).tokens
    close(got, theirs_read(theirs).hidden_states[-1], 1e-5)
    with pytest.raises(
        ValueError, match=r"body has no parameters for before_lm_head, lm_head, nsp_head: was only"
    ):
        load_bert(tmp_path / "body")


def test_old_names_of_a_norm(folder, tmp_path):
    """Files of the first years say gamma and beta."""
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in load_file(folder / "model.safetensors").items()
    }
    save_file(old, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    for a, b in zip(load_bert(tmp_path).parameters(), load_bert(folder).parameters(), strict=True):
        assert torch.equal(a, b)


def changed(folder, target, **changes):
    target.mkdir(exist_ok=True)
    (target / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text()) | changes
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "model_type is 'roberta' in config.json of odd, expected 'bert'"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"vocab_size": 61}, "odd does not fit its own config.json"),
        ({"num_hidden_layers": 4}, "odd has no parameters for encoder"),
    ],
)
def test_what_does_not_fit(folder, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        load_bert(changed(folder, tmp_path / "odd", **changes))


def test_damaged_missing_or_pickled(folder, tmp_path):
    odd = changed(folder, tmp_path / "odd")
    (odd / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"model.safetensors of odd is damaged"):
        load_bert(odd)
    (odd / "model.safetensors").unlink()
    (odd / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"pytorch_model.bin is pickled, and is not opened"):
        load_bert(odd)
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere/at/all"):
        load_bert("nowhere/at/all")


def test_a_hub_name_without_being_asked_says_what_to_do(monkeypatch):
    asked = []

    def not_there(name, **arguments):
        asked.append(arguments["local_files_only"])
        raise LocalEntryNotFoundError("not in the cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", not_there)
    with pytest.raises(FileNotFoundError, match="never fetched: write download=True to get it"):
        load_bert("google-bert/bert-base-uncased")
    with pytest.raises(ConnectionError, match=r"hub cannot be reached.*go on without it"):
        load_bert("google-bert/bert-base-uncased", download=True)
    assert asked == [True, False]  # nothing over the network unless asked


def test_a_hub_name_that_was_fetched_is_read(monkeypatch, folder):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(folder))
    assert load_bert("somebody/small-bert").config.d_model == 32
    assert hugging_face.read_config(folder).norm_eps == 1e-12
