"""ArchitectureView without a browser: what it says of each box, its sums, its traits."""

import json

import pytest
import torch

from course_lib.families import FAMILIES, describe
from course_lib.interpret import trace_shapes
from course_lib.models.transformer import OneStackConfig, TransformerConfig
from course_lib.widgets import ArchitectureView
from course_lib.widgets.architecture_view import table

SMALL = {"d_model": 16, "n_heads": 4, "d_ff": 24, "max_len": 20}
SOURCE, TARGET = torch.full((2, 5), 4), torch.full((2, 7), 5)


def traced(**more):
    sizes = {
        "source_vocab": 9,
        "target_vocab": 13,
        "shared": "target",
        "encoder_layers": 2,
        "decoder_layers": 3,
    }
    model = TransformerConfig(**SMALL, **sizes, **more).build()
    return model, trace_shapes(model, SOURCE, TARGET)


def number(text: str) -> int:
    return 0 if text == "—" else int(text.replace(",", ""))


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_models_own_numbers_and_what_its_families_leave_out(norm_first):
    model, description = traced(norm_first=norm_first)
    view = ArchitectureView(description)
    assert not view.switchable and view.norm_first == norm_first and len(view.tables) == 4
    own = view.tables[f"{'pre' if norm_first else 'post'} encoder-decoder"]
    assert number(own["total"]) == sum(p.numel() for p in model.parameters())
    assert own["origin"].startswith("shapes and parameters of a real forward pass")
    cross = own["boxes"]["decoder.cross_attention"]
    assert cross["in"] == ["(B=2, T=7, D=16)", "(B=2, S=5, D=16)"] and cross["out"] == "(B=2, T=7, D=16)"
    assert cross["inside"] == "weights (B=2, H=4, T=7, S=5)" and cross["layer"] == "layer 1 of 3"
    assert cross["parameters"] == "1,088 in each layer, × 3 = 3,264"
    assert ("The norm before it is for the queries alone." in cross["says"]) == norm_first
    order = own["order"]
    assert (order.index("decoder.cross_norm") < order.index("decoder.cross_attention")) == norm_first
    for name, each in view.tables.items():
        assert sum(number(many) for _, many in each["sum"]) == number(each["total"]), name
        assert set(each["order"]) == set(each["boxes"]) and not set(each["boxes"]) & set(each["missing"])
        assert len(each["boxes"]) + len(each["missing"]) == 22
    alone = next(each for name, each in view.tables.items() if name.endswith("decoder-only"))
    assert any("without cross-attention (−1,120 each)" in what for what, _ in alone["sum"])
    assert alone["boxes"]["decoder.tokens"]["count"] == "(B=2, N=12)" and alone["prefix"] == 5
    assert alone["origin"] == "worked out from the sizes"


def test_without_a_model_it_is_the_papers_and_the_norms_move():
    view = ArchitectureView()
    assert view.switchable and set(view.plans) == {"post", "pre"} and len(view.tables) == 8
    assert view.description == describe() and view.tables["post encoder-decoder"]["total"] == "63,082,496"
    view.norm_first = True
    assert view.description.total == 63_082_496 + 2 * 1024
    assert "Xiong et al. 2020" in view.tables["pre encoder-decoder"]["boxes"]["encoder.final_norm"]["source"]
    assert len(json.dumps(view.get_state()["tables"])) < 100_000


def test_steps_and_families():
    view = ArchitectureView(family="prefix-LM")
    assert view.family == "prefix-LM" and "prefix-LM" in view.still().alt
    view.family, view.step = "encoder-decoder", 18
    for wrong in (0, 19):
        with pytest.raises(ValueError, match=f"step is {wrong}, expected 1 to 18"):
            view.step = wrong
    view.family = "decoder-only"
    assert view.step == 9, "the last box that this family has"
    for order in (1, -1):  # both arrive in one message
        state = [("family", "encoder-decoder"), ("step", 17)]
        view.set_state(dict(state[::order]))
        assert (view.family, view.step) == ("encoder-decoder", 17)
        view.family = "decoder-only"
    with pytest.raises(ValueError, match="family is 'GPT', expected one of"):
        view.family = "GPT"


def test_what_does_not_fit_is_named():
    model, description = traced()
    with pytest.raises(ValueError, match=r"description is a Transformer, expected what .*trace_shapes"):
        ArchitectureView(model)
    with pytest.raises(ValueError, match="norm_first is True, expected False: as the model has it"):
        ArchitectureView(description).norm_first = True
    with pytest.raises(ValueError, match="family is 'BERT'"):
        ArchitectureView(description, family="BERT")


def test_a_model_of_one_stack_begins_with_its_own_family():
    model = OneStackConfig(**SMALL, vocab_size=13, n_layers=2, positions="rotary", norm="rms").build()
    view = ArchitectureView(trace_shapes(model, SOURCE, TARGET, "prefix-LM"))
    own = view.tables["post prefix-LM"]
    assert view.family == "prefix-LM" and number(own["total"]) == sum(p.numel() for p in model.parameters())
    assert "(rotary)" in own["missing"]["decoder.positions"]["says"]
    assert "mean square 1" in own["boxes"]["decoder.self_norm"]["says"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("norm_first", [False, True])
def test_each_box_has_words(family, norm_first):
    sizes = ArchitectureView()._description(family, norm_first).sizes
    described = describe(sizes, family)
    found = table(described, describe(sizes))
    for box in found["boxes"].values():
        assert box["says"].endswith(".") and box["name"] and box["source"] and len(box["says"]) < 190
    for box in found["missing"].values():
        assert box["says"].endswith(".") and box["name"]
