"""The trace of one step: every stage's probabilities, what each removed, and the token that `draw` draws."""

import json
from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.generation import ORDER, draw, trace_draw


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_a_trace_tells_what_each_stage_did():
    trace = trace_draw(torch.tensor([0.1, 0.4, 0.3, 0.2]).log(), 1.0, 3, 0.75, seeded(0))
    model, temperature, top_k, top_p = trace.stages
    assert [stage.name for stage in trace.stages] == ["model", *ORDER]
    assert model.probabilities == pytest.approx((0.1, 0.4, 0.3, 0.2))
    assert temperature == ("temperature", pytest.approx((0.1, 0.4, 0.3, 0.2)), ())
    assert top_k == ("top-k", pytest.approx((0, 4 / 9, 3 / 9, 2 / 9)), (0,))
    assert top_p == ("top-p", pytest.approx((0, 4 / 7, 3 / 7, 0)), (3,))
    assert trace.kept() == (1, 2) and trace.drawn in (1, 2)


def test_what_is_removed_stands_with_the_likeliest_first():
    logits = torch.tensor([1.0, 4.0, 2.0, -torch.inf, 3.0, 2.0])
    trace = trace_draw(logits, 1.0, 2, None, seeded(0))
    assert trace.stages[2].removed == (2, 5, 0)  # 3 could not come before, either
    assert trace.kept() == (1, 4) and trace.stages[3].removed == ()


def test_temperature_0_leaves_one_token():
    trace = trace_draw(torch.tensor([1.0, 3.0, 3.0, 2.0]), 0, 3, 0.9)
    assert trace.stages[0].probabilities[1] < 0.5
    assert trace.stages[1] == ("temperature", (0, 1, 0, 0), (2, 3, 0))
    assert [stage.removed for stage in trace.stages[2:]] == [(), ()]
    assert trace.drawn == 1 and trace.kept() == (1,)


@settings(max_examples=60, deadline=None)
@given(
    logits=st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=12),
    temperature=st.just(0) | st.floats(0.1, 3),
    top_k=st.none() | st.integers(1, 14),
    top_p=st.none() | st.floats(0.01, 1),
    seed=st.integers(0, 99),
)
def test_a_trace_draws_what_draw_draws_and_its_stages_add_up(logits, temperature, top_k, top_p, seed):
    asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    logits = torch.tensor(logits)
    trace = trace_draw(logits, **asked, generator=seeded(seed))
    assert trace.drawn == draw(logits[None], **asked, generator=seeded(seed)).item()
    gone = [token for stage in trace.stages for token in stage.removed]
    assert sorted([*gone, *trace.kept()]) == list(range(len(logits)))  # each is removed once, or kept
    assert trace.drawn in trace.kept()
    for i, stage in enumerate(trace.stages):
        assert sum(stage.probabilities) == pytest.approx(1, abs=1e-5)
        removed = {token for earlier in trace.stages[: i + 1] for token in earlier.removed}
        assert all(stage.probabilities[token] == 0 for token in removed)
    assert json.loads(json.dumps(asdict(trace)))["drawn"] == trace.drawn  # plain numbers


def test_bad_input_of_a_trace_is_named():
    with pytest.raises(ValueError, match=r"logits has shape \(1, 4\), expected \(V,\)"):
        trace_draw(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="top_p is 2"):
        trace_draw(torch.zeros(4), top_p=2)
    for temperature in (0, 1):
        with pytest.raises(ValueError, match="nothing but −∞ in a row"):
            trace_draw(torch.full((4,), -torch.inf), temperature)
