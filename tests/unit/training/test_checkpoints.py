"""Checkpoints: what goes into the file comes back, and cards say what it is."""

import json
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from course_lib.models.seq2seq import Seq2SeqConfig
from course_lib.text.bpe import train_bpe
from course_lib.text.tokenizers import CharacterTokenizer, WordTokenizer
from course_lib.training import checkpoints


class Tiny(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.linear = nn.Linear(3, 2)


def test_checkpoint_and_card_come_back(tmp_path):
    config = Seq2SeqConfig(source_vocab=5, target_vocab=6)
    model = Tiny(config)
    path = checkpoints.save_checkpoint("tiny", model, {"steps": 3}, tmp_path)
    card = checkpoints.load_card("tiny", tmp_path)
    assert Seq2SeqConfig(**card["config"]) == config and card["steps"] == 3
    other = Tiny(config)
    checkpoints.load_weights("tiny", other, tmp_path)
    torch.testing.assert_close(other.linear.weight, model.linear.weight, atol=1e-3, rtol=1e-3)
    assert other.linear.weight.dtype == torch.float32 and not other.training
    assert path.stat().st_size < 500 and json.loads(path.with_suffix(".json").read_text())["name"] == "tiny"
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'big' \(there: tiny\)"):
        checkpoints.load_card("big", tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights at tiny.safetensors"):
        checkpoints.load_weights("tiny", other, tmp_path)


def test_refused_weights_change_nothing(tmp_path):
    """Neither those that fit nor the mode: `load_state_dict` copies what fits before it refuses the rest."""
    checkpoints.save_checkpoint("big", Seq2SeqConfig(5, 6, d_embed=4).build(), {}, tmp_path)
    model = Seq2SeqConfig(5, 7, d_embed=4).build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"does not fit big.safetensors: .*: embed.weight, readout.3.weight"):
        checkpoints.load_weights("big", model, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training


@dataclass(frozen=True)
class Sizes:
    words: int = 6


class Kinds(nn.Module):
    """One tensor of each kind that a model may hold; reader and writer share one matrix."""

    def __init__(self, tie=True):
        super().__init__()
        self.config = Sizes()
        self.reader, self.writer = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
        if tie:
            self.writer.weight = self.reader.weight
        self.wide = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        self.brain = nn.Parameter(torch.zeros(3, dtype=torch.bfloat16))
        self.register_buffer("positions", torch.zeros(3, dtype=torch.int64))
        self.register_buffer("allowed", torch.zeros(2, 2, dtype=torch.bool))
        self.register_buffer("mask", torch.zeros(2, 2))
        self.register_buffer("nothing", torch.zeros(0))


def filled():
    model = Kinds()
    with torch.no_grad():
        nn.init.normal_(model.reader.weight, generator=torch.Generator().manual_seed(0))
        model.wide.copy_(torch.tensor([1.5, -2.25, 1 / 3], dtype=torch.float64))
        model.brain.copy_(torch.tensor([1.0, 3e38, -0.34]))
        model.positions.copy_(torch.tensor([2997, 2998, 2999]))
        model.allowed.copy_(torch.eye(2, dtype=torch.bool))
        model.mask.copy_(torch.tensor([[0.0, -torch.inf], [0.0, 0.0]]))
    return model


def test_every_kind_of_tensor_comes_back(tmp_path):
    model = filled()
    checkpoints.save_checkpoint("kinds", model, {}, tmp_path)
    other = Kinds()
    checkpoints.load_weights("kinds", other, tmp_path)
    for name, value in other.state_dict().items():
        assert value.dtype == model.state_dict()[name].dtype
    assert other.positions.tolist() == [2997, 2998, 2999]
    assert torch.equal(other.allowed, model.allowed) and torch.equal(other.mask, model.mask)
    assert torch.equal(other.brain, model.brain)
    assert torch.equal(other.wide, model.wide.half().double())
    assert torch.equal(other.reader.weight, model.reader.weight.half().float())


@pytest.mark.parametrize("tie", [True, False])
def test_a_tied_matrix_is_stored_once_and_comes_back_tied(tmp_path, tie):
    path = checkpoints.save_checkpoint("kinds", filled(), {}, tmp_path)
    with checkpoints.safe_open(path, "pt") as file:
        assert "reader.weight" in file.keys() and "writer.weight" not in file.keys()  # noqa: SIM118
    other = Kinds(tie)  # whether or not the model is built tied
    checkpoints.load_weights("kinds", other, tmp_path)
    assert other.writer.weight is other.reader.weight
    assert len(list(other.parameters())) == 3


def test_matrices_that_are_equal_but_not_one_stay_two(tmp_path):
    model = Kinds(tie=False)
    with torch.no_grad():
        model.writer.weight.copy_(model.reader.weight)
    checkpoints.save_checkpoint("kinds", model, {}, tmp_path)
    other = Kinds(tie=False)
    checkpoints.load_weights("kinds", other, tmp_path)
    assert other.writer.weight is not other.reader.weight
    assert torch.equal(other.writer.weight, other.reader.weight)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: m.mask.fill_(torch.nan), "model holds NaN or infinite weights in mask"),
        (lambda m: m.reader.weight.data.fill_(-torch.inf), "NaN or infinite weights in reader.weight"),
        (lambda m: m.wide.data.fill_(1e5), "NaN or infinite weights in wide"),
        (lambda m: m.mask.fill_(1e5), "in mask that are too large for half precision"),
        (lambda m: m.mask.fill_(-1e9), "in mask that are too large for half precision"),
    ],
)
def test_what_half_precision_cannot_hold_is_refused(tmp_path, spoil, message):
    model = filled()
    spoil(model)
    with pytest.raises(ValueError, match=message):
        checkpoints.save_checkpoint("kinds", model, {}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_are_given_to_the_tokenizers_of_the_card_only(tmp_path):
    """The sizes fit, the numbers load, and yet another tokenizer is refused."""
    letters, words = CharacterTokenizer("abc"), WordTokenizer(["a", "b", "c"])
    learned, other = train_bpe("aaabdaaabac", 258), train_bpe("bbbaaaddddcccc", 258)
    assert len(learned) == len(other)
    model = filled()
    checkpoints.save_checkpoint("kinds", model, {"steps": 1}, tmp_path, tokenizers=[letters, learned])
    card = checkpoints.load_card("kinds", tmp_path)
    assert card["tokenizers"] == [letters.fingerprint, learned.fingerprint] and card["steps"] == 1
    checkpoints.load_weights("kinds", Kinds(), tmp_path, tokenizers=[letters, learned])
    again = train_bpe("aaabdaaabac", 258)  # learned anew, it is the same
    checkpoints.load_weights("kinds", Kinds(), tmp_path, tokenizers=[CharacterTokenizer("abc"), again])
    for wrong in ([letters, other], [words, learned], [learned, letters], [letters]):
        target = Kinds()
        with pytest.raises(ValueError, match=f"expected {letters.fingerprint}, {learned.fingerprint}, those"):
            checkpoints.load_weights("kinds", target, tmp_path, tokenizers=wrong)
        assert not torch.equal(target.positions, model.positions)  # nothing was loaded
    with pytest.raises(ValueError, match="tokenizers is empty, expected the 2 with which kinds was trained"):
        checkpoints.load_weights("kinds", Kinds(), tmp_path)
    checkpoints.save_checkpoint("kinds", model, {}, tmp_path)
    with pytest.raises(ValueError, match="expected none, those on the card"):
        checkpoints.load_weights("kinds", Kinds(), tmp_path, tokenizers=[letters])


def test_what_is_shipped_is_small():
    """Each checkpoint at most 12 MB, all of them with their cards and tokens at most 40 MB."""
    weights = sorted(checkpoints.FOLDER.glob("*.safetensors"))
    assert weights and all(path.stat().st_size <= 12 * 2**20 for path in weights)
    assert all(path.with_suffix(".json").exists() for path in weights)
    assert sum(path.stat().st_size for path in checkpoints.FOLDER.iterdir()) <= 40 * 2**20
