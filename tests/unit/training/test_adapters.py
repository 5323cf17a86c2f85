"""Adapters in files of their own: they come back on their base, and on no other."""

import json

import pytest
import torch

from course_lib.models import lora
from course_lib.models.gpt import GPTConfig
from course_lib.models.low_rank import LoRAConfig
from course_lib.text.tokenizers import WordTokenizer
from course_lib.training.adapters import base_fingerprint, load_adapter, save_adapter
from course_lib.training.randomness import seeded

CONFIG = LoRAConfig(rank=2, alpha=6, matrices=("W_q", "W_v"))
WORDS = WordTokenizer(["here", "there"])
IDS = torch.randint(4, 40, (2, 9), generator=torch.Generator().manual_seed(5))


def base(seed=1):
    with seeded(seed):
        return GPTConfig(40, d_model=16, n_heads=2, n_layers=2, max_len=24, init_std=0.3).build().eval()


def trained(model, name="adapter", seed=0):
    """An adapter whose numbers half precision holds: what comes back is what went in."""
    adapter = lora.inject(model, CONFIG, name)
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in adapter.parameters():
            p.copy_((torch.randn(p.shape, generator=g) * 0.3).half().float())
    return adapter


def says(model):
    with torch.no_grad():
        return model(IDS)[0]


def test_an_adapter_comes_back_on_its_base(tmp_path):
    model = base()
    adapter = trained(model)
    path = save_adapter("sft-where", model, adapter, {"steps": 7}, tmp_path, tokenizers=[WORDS])
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["base"] == base_fingerprint(base()) and card["steps"] == 7
    assert card["config"] == {"rank": 2, "alpha": 6, "matrices": ["W_q", "W_v"]}
    assert set(card["norms"]) == set(adapter.norms()) and all(card["norms"].values())
    assert path.stat().st_size < 3_000  # 256 numbers of 2 bytes, and their names
    other = base()
    loaded = load_adapter("sft-where", other, tmp_path, tokenizers=[WORDS])
    assert lora.names(other) == ["sft_where"] and loaded.config == CONFIG
    assert torch.equal(says(other), says(model))


def test_two_adapters_stand_side_by_side(tmp_path):
    model = base()
    said = {}
    for i, name in enumerate(("polite", "brief")):
        save_adapter(name, model, trained(model, name, i), {}, tmp_path)
        said[name] = says(model)
    other = base()
    for name in said:
        load_adapter(name, other, tmp_path, called=f"my_{name}")
    for name, wanted in said.items():
        with lora.using(other, f"my_{name}"):
            assert torch.equal(says(other), wanted)


def test_another_base_is_refused_and_stays_as_it_is(tmp_path):
    model = base()
    save_adapter("sft", model, trained(model), {}, tmp_path, tokenizers=[WORDS])
    other = base(seed=2)
    before = says(other)
    with pytest.raises(
        ValueError, match=r"model has the fingerprint \w{16}, expected \w{16}, that of the base"
    ):
        load_adapter("sft", other, tmp_path, tokenizers=[WORDS])
    mine = base()
    for wrong in ([], [WordTokenizer(["there", "here"])]):
        with pytest.raises(ValueError, match="tokenizers"):
            load_adapter("sft", mine, tmp_path, tokenizers=wrong)
    assert lora.names(mine) == lora.names(other) == []
    assert torch.equal(says(other), before) and torch.equal(says(mine), says(base()))
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'dpo' \(there: sft\)"):
        load_adapter("dpo", mine, tmp_path)


@pytest.mark.parametrize("other", [None, "polite"])
def test_a_damaged_adapter_leaves_the_model_as_it_was(tmp_path, other):
    model = base()
    path = save_adapter("brief", model, trained(base()), {}, tmp_path)
    path.write_bytes(path.read_bytes()[:-8])
    if other:
        trained(model, other)
    said, learning = says(model), [p.requires_grad for p in model.parameters()]
    with pytest.raises(ValueError, match=r"brief.safetensors is damaged"):
        load_adapter("brief", model, tmp_path)
    assert lora.names(model) == ([other] if other else [])
    assert torch.equal(says(model), said)  # what was on is on
    assert [p.requires_grad for p in model.parameters()] == learning and any(learning)


def test_an_adapter_that_was_never_trained_is_called_out(tmp_path):
    model = base()
    with pytest.raises(ValueError, match="adapter adds 0 to every matrix"):
        save_adapter("sft", model, lora.inject(model, CONFIG), {}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_fingerprint_is_the_base_s_alone():
    model = base()
    before = base_fingerprint(model)
    trained(model)
    assert base_fingerprint(model) == before
    taken = lora.merge(model)
    assert base_fingerprint(model) != before  # merged: another base
    lora.unmerge(model, taken)
    assert base_fingerprint(model) == before
    with torch.no_grad():
        model.final_norm.weight[3] = torch.nextafter(model.final_norm.weight[3], torch.tensor(2.0))
    assert base_fingerprint(model) != before  # one bit
