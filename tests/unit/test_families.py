"""The table of a family, worked out from sizes, is what a real batch finds in a real model."""

import dataclasses

import pytest
import torch

from course_lib.families import FAMILIES, Shape, Sizes, describe, may_look, reach
from course_lib.interpret import sizes_of, trace_shapes
from course_lib.masks import causal_mask, prefix_mask
from course_lib.models.transformer import OneStackConfig, TransformerConfig

SMALL = {"d_model": 16, "n_heads": 4, "d_ff": 24, "max_len": 20}
TWO = {**SMALL, "encoder_layers": 2, "decoder_layers": 3}
MODELS = {
    "base in small": TransformerConfig(**TWO, source_vocab=11, target_vocab=11),
    "pre": TransformerConfig(**TWO, source_vocab=11, target_vocab=11, norm_first=True),
    "two vocabularies": TransformerConfig(**TWO, source_vocab=9, target_vocab=13, shared="target"),
    "nothing shared": TransformerConfig(
        **TWO, source_vocab=9, target_vocab=13, shared=None, final_norm=True, positions="learned"
    ),
    "rotary, rms": TransformerConfig(
        **TWO, source_vocab=11, target_vocab=11, norm="rms", norm_first=True, positions="rotary"
    ),
}
STACKS = {
    "shared": OneStackConfig(**SMALL, vocab_size=11, n_layers=3, norm_first=True),
    "own scores": OneStackConfig(**SMALL, vocab_size=11, n_layers=2, shared=False, positions="learned"),
    "no positions": OneStackConfig(**SMALL, vocab_size=11, n_layers=1, positions=None, final_norm=True),
}
SOURCE = torch.tensor([[4, 5, 6, 7, 8], [5, 8, 3, 0, 0]])
TARGET = torch.tensor([[1, 4, 5, 6, 7, 4, 5], [1, 8, 7, 6, 3, 4, 5]])


def parameters(model) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_an_encoder_decoder_is_what_its_table_says(name):
    model = MODELS[name].build().train()
    traced = trace_shapes(model, SOURCE, TARGET)
    assert traced == describe(sizes_of(model), "encoder-decoder", (2, 5, 7))
    assert traced.total == parameters(model) and model.training
    assert not any(part._forward_hooks for part in model.modules())
    boxes = [row.box for row in traced.rows]
    assert ("decoder.positions" in boxes) == (name != "rotary, rms")
    norm, attention = boxes.index("encoder.self_norm"), boxes.index("encoder.self_attention")
    assert (norm < attention) == model.config.norm_first
    [cross] = [row for row in traced.rows if row.box == "decoder.cross_attention" and row.layer == 3]
    assert [str(shape) for shape in cross.inputs] == ["(B=2, T=7, D=16)", "(B=2, S=5, D=16)"]
    assert cross.inside == Shape("BHTS", (2, 4, 7, 5)) and cross.output == Shape("BTD", (2, 7, 16))


@pytest.mark.parametrize("family", [name for name, kind in FAMILIES.items() if not kind.cross])
@pytest.mark.parametrize("name", STACKS)
def test_a_family_of_one_stack_is_what_its_table_says(name, family):
    model = STACKS[name].build()
    traced = trace_shapes(model, SOURCE, None if family == "encoder-only" else TARGET, family)
    letter, length = ("S", 5) if family == "encoder-only" else ("N", 12)  # N = S + T
    assert traced == describe(sizes_of(model), family, traced.batch)
    assert traced.total == parameters(model)
    assert traced.rows[-1].output == Shape(f"B{letter}V", (2, length, 11))
    assert not any("cross" in row.box for row in traced.rows)


@pytest.mark.parametrize("family", [name for name, kind in FAMILIES.items() if not kind.cross])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_left_of_an_encoder_decoder_is_a_real_model(name, family):
    """The count of the same blocks in another family is that of a `OneStack` of these sizes."""
    config = MODELS[name]
    joined = config.source_vocab + (0 if config.shared == "all" else config.target_vocab)
    same = {
        f.name: getattr(config, f.name) for f in dataclasses.fields(OneStackConfig) if hasattr(config, f.name)
    }
    real = OneStackConfig(
        **same | {
            "shared": config.shared is not None,
            "vocab_size": config.source_vocab if family == "encoder-only" else joined,
            "n_layers": 2 if family == "encoder-only" else 3,
        }
    )  # fmt: skip
    assert describe(sizes_of(config.build()), family).total == parameters(real.build())


def test_the_base_model():
    """Vaswani et al. 2017, Table 3, prints 65 million; a shared vocabulary of 37,000 gives 63.1."""
    base = describe()
    layer = {
        side: sum(row.parameters for row in base.rows if row.layer == 1 and row.box.startswith(side))
        for side in ("encoder", "decoder")
    }
    assert layer == {"encoder": 3_152_384, "decoder": 4_204_032}
    assert base.total == 6 * sum(layer.values()) + 37_000 * 512 == 63_082_496
    assert describe(family="encoder-only").total == describe(family="decoder-only").total == 37_858_304
    both = describe(Sizes(norm_first=True)), describe(Sizes(norm_first=True, final_norm=True))
    assert both[0].total == base.total and both[1].total == base.total + 2 * 1024
    order = [row.box.partition(".")[2] for row in both[0].rows if row.layer == 6 and "decoder" in row.box]
    assert order == [
        "self_norm", "self_attention", "cross_norm", "cross_attention", "feed_norm", "feed_forward"
    ]  # fmt: skip


@pytest.mark.parametrize("n_prefix", [0, 1, 4])
def test_masks_are_those_of_the_library(n_prefix):
    library = {"full": torch.ones(6, 6).bool(), "causal": causal_mask(6), "prefix": prefix_mask(6, n_prefix)}
    for mask, allowed in library.items():
        ours = [[may_look(mask, query, key, n_prefix) for key in range(6)] for query in range(6)]
        assert ours == allowed.tolist(), mask


def test_what_does_not_fit_is_named():
    two, one = MODELS["pre"].build(), STACKS["shared"].build()
    with pytest.raises(ValueError, match="family is 'GPT', expected one of 'encoder-decoder', 'enc"):
        describe(family="GPT")
    with pytest.raises(ValueError, match="family is 'prefix-LM', which a Transformer is not"):
        trace_shapes(two, SOURCE, TARGET, "prefix-LM")
    with pytest.raises(ValueError, match="family is 'encoder-decoder', which a OneStack is not"):
        trace_shapes(one, SOURCE, TARGET, "encoder-decoder")
    for model, family in ((two, None), (one, None), (one, "prefix-LM")):
        with pytest.raises(ValueError, match="target is missing: a model of the family"):
            trace_shapes(model, SOURCE, None, family)


def test_who_is_reached_is_what_the_masks_allow():
    n, n_input = 7, 3
    causal, prefix = causal_mask(n), prefix_mask(n, torch.tensor([n_input]))
    assert reach("decoder-only", n_input, n) == causal.reshape(n, n).tolist()
    assert (
        reach("prefix-LM", n_input, n)
        == prefix.reshape(n, n).tolist()
        == reach("encoder-decoder", n_input, n)
    )
    assert all(map(all, reach("encoder-only", n_input, n)))
    with pytest.raises(ValueError, match="n_input is 8, expected 0 to 7"):
        reach("prefix-LM", 8, 7)
