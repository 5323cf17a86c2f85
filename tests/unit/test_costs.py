"""What models and calculations cost: parameters and operations counted, memory that is kept, seconds."""

import itertools
import time
from dataclasses import replace

import pytest
import torch

from course_lib import costs
from course_lib.attention import fused_attention, scaled_dot_product_attention
from course_lib.models.transformer import OneStackConfig, TransformerConfig
from course_lib.tasks import pronunciation


def counted(config):
    return sum(part.parameters for part in costs.count_transformer(config))


def built(config):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in config.build().parameters())


def test_parameters_by_formula_are_those_of_the_model():
    small = {"d_model": 12, "n_heads": 3, "d_ff": 20, "max_len": 9}
    two = TransformerConfig(source_vocab=7, target_vocab=7, encoder_layers=2, decoder_layers=3, **small)
    one = OneStackConfig(vocab_size=7, n_layers=2, **small)
    frames = [
        ("layer", False, None, "learned"),
        ("rms", True, None, "rotary"),
        ("rms", False, True, "sinusoidal"),
        ("layer", True, False, None),
    ]
    for norm, norm_first, final_norm, positions in frames:
        options = {"norm": norm, "norm_first": norm_first, "final_norm": final_norm, "positions": positions}
        for shared in ("all", "target", None):
            config = replace(two, shared=shared, target_vocab=7 if shared == "all" else 5, **options)
            assert counted(config) == built(config)
        for shared in (True, False):
            config = replace(one, shared=shared, **options)
            assert counted(config) == built(config)
    for config in (TransformerConfig(), OneStackConfig(), pronunciation.TRANSFORMER.model):
        assert counted(config) == built(config)


def test_the_base_model_row_by_row():
    rows = {part.name: (part.each, part.times) for part in costs.count_transformer(TransformerConfig())}
    assert rows == {
        "shared embedding": (37_000 * 512, 1),
        "learned positions": (512 * 512, 0),
        "encoder layer": (3_152_384, 6),
        "decoder layer": (4_204_032, 6),
        "final norm": (1024, 0),
        "scores": (37_000 * 512, 0),
    }
    assert counted(TransformerConfig()) == 63_082_496


def test_table_3_total_and_differences():
    base, *rows = costs.table_3()
    assert (base.changes, base.printed, base.ours, base.ours_more) == ("base", 65, 63_082_496, 0)
    rows = {row.changes: row for row in rows}
    assert len(rows) == 14
    for changes, row in rows.items():
        if row.printed is None:
            assert "n_heads" in changes and row.ours_more == 0  # heads alone cost nothing
        elif "d_model" not in changes:
            # both printed numbers are rounded to a million, so their difference is, to within one
            assert abs(row.ours_more / 1e6 - row.printed_more) < 1
    by_layers = [rows["n_layers 2"].ours, rows["n_layers 4"].ours, base.ours, rows["n_layers 8"].ours]
    assert {b - a for a, b in itertools.pairwise(by_layers)} == {2 * (3_152_384 + 4_204_032)}  # 14.71 M
    assert rows["d_k 16"].ours_more == -18 * 2 * (512 + 1) * 8 * 48  # 18 attentions: W_q and W_k get thinner
    printed = {"d_model 256, d_k 32, d_v 32": 28, "d_model 1,024, d_k 128, d_v 128": 168}
    for changes, millions in printed.items():
        assert rows[changes].printed == millions and rows[changes].ours / 1e6 < millions  # V is larger there
    assert rows["d_model 1,024, d_ff 4,096, n_heads 16"].ours == 214_245_376


def test_differences_at_one_d_model_do_not_depend_on_the_vocabulary():
    for ours, other in zip(costs.table_3(), costs.table_3(41_000), strict=True):
        assert ("d_model" in ours.changes) == (ours.ours_more != other.ours_more)
    assert costs.table_3(41_000)[0].ours == 63_082_496 + 4_000 * 512  # 65.1 M: fits base, not "big"
    assert round(costs.table_3(41_000)[-1].ours / 1e6) == 218


@pytest.mark.parametrize("changes", [row for row, _ in costs.TABLE_3 if set(row) <= {"n_layers", "d_ff"}])
def test_rows_of_the_table_are_models_that_can_be_built(changes):
    changes = dict(changes)
    layers = changes.pop("n_layers", 6)
    config = TransformerConfig(encoder_layers=layers, decoder_layers=layers, **changes)
    assert built(config) in {row.ours for row in costs.table_3()}


def vectors(T, grad=True):
    return torch.randn(3, 1, 2, T, 16, requires_grad=grad)


@pytest.mark.parametrize("T", [8, 64])
def test_the_two_products_of_attention_are_counted(T):
    # 2 heads × two products, each T · T · 16 multiplications and as many additions
    assert costs.operations(scaled_dot_product_attention, *vectors(T)) == 2 * 2 * 2 * T * T * 16


def test_the_table_of_weights_is_kept_unless_the_kernel_is_fused():
    T = 256
    table = 2 * T * T * 4 / 2**20  # 2 heads, 4 bytes a number
    inputs = 3 * 2 * T * 16 * 4 / 2**20
    written_out = costs.kept_megabytes(scaled_dot_product_attention, *vectors(T))
    fused = costs.kept_megabytes(fused_attention, *vectors(T))
    assert written_out >= table + inputs / 3
    assert fused < inputs * 2 < table


def test_memory_is_counted_once():
    x = torch.randn(1000, requires_grad=True)
    assert costs.kept_megabytes(lambda x: x * x, x) == pytest.approx(4000 / 2**20)


def test_without_gradients_nothing_is_kept_and_it_says_so():
    with pytest.raises(ValueError, match="requires_grad=True"):
        costs.kept_megabytes(fused_attention, *vectors(8, grad=False))


def test_calls_take_turns_and_every_round_is_told():
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "ab"}
    seconds = costs.seconds_by_round(calls, rounds=3)
    assert order == [*"ababab"] and list(seconds) == [*"ab"]
    assert all(len(each) == 3 and min(each) > 0 for each in seconds.values())


def test_the_fastest_of_several_calls():
    calls = {"short": lambda: time.sleep(0.001), "long": lambda: time.sleep(0.01)}
    seconds = costs.fastest(calls, rounds=3)
    assert list(seconds) == ["short", "long"] and 0.001 <= seconds["short"] < seconds["long"]
    grads = []
    costs.fastest({"a": lambda: grads.append(torch.is_grad_enabled())}, rounds=2)
    assert grads == [False, False]
