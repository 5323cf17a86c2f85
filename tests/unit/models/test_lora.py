"""LoRA: nothing changes at first, only adapters learn, merged is unmerged, several live on one base."""

import copy
import math

import pytest
import torch
from torch import nn

from course_lib.generation import sample
from course_lib.models import lora
from course_lib.models.gpt import MODERN, GPTConfig
from course_lib.models.gpt_layer import project
from course_lib.models.low_rank import LoRAConfig, LowRank, WithAdapters
from course_lib.models.one_token import one_token
from course_lib.training.loop import train
from course_lib.training.objectives import shift, token_loss
from course_lib.training.randomness import seeded

V = 40
SIZES = {"vocab_size": V, "d_model": 16, "n_heads": 2, "n_layers": 2, "max_len": 24, "init_std": 0.3}
KINDS = {"gpt-2": {}, "modern": {**MODERN, "residual": "scaled"}}
SIX = LoRAConfig(rank=2, alpha=6)  # α / r is 3: neither 1 nor r nor α
ALL = LoRAConfig(rank=2, alpha=6, matrices=("W_q", "W_k", "W_v", "W_o", "W_1", "W_2", "lm_head"))
IDS = torch.randint(4, V, (3, 12), generator=torch.Generator().manual_seed(5))


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def model(request):
    with seeded(1):
        return GPTConfig(**SIZES, **request.param).build().eval()


def shake(adapter, seed=0):
    """As if it had been trained."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in adapter.parts.values():
            part.B.copy_(torch.randn(part.B.shape, generator=g) * 0.3)
    return adapter


def says(model):
    with torch.no_grad():
        return model(IDS)[0]


def loss_of(model, ids):
    inputs, labels = shift(ids)
    return token_loss(model(inputs)[0], labels)


# ---------------------------------------------------------------- one matrix


def test_what_an_adapter_adds_by_hand():
    """r = 2, α = 6: 3 · B A x, with other numbers of features in and out."""
    part = LowRank(3, 4, SIX)
    with torch.no_grad():
        part.A.copy_(torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))
        part.B.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, -1.0]]))
    x = torch.tensor([[1.0, 10.0, 100.0]])  # A x = 201, 10
    expected = torch.tensor([[603.0, 30.0, 633.0, -30.0]])
    torch.testing.assert_close(part(x), expected)
    torch.testing.assert_close(x @ part.matrix().T, expected)


def test_a_starts_at_random_and_b_at_0():
    part = LowRank(400, 300, LoRAConfig(rank=8), torch.Generator().manual_seed(0))
    assert part.A.shape == (8, 400) and part.B.shape == (300, 8)
    assert not part.B.any() and part.A.var().item() == pytest.approx(1 / 400, rel=0.1)


# ---------------------------------------------------------------- at first


@pytest.mark.parametrize("config", [SIX, ALL], ids=["q v", "all"])
def test_at_first_the_model_says_exactly_what_it_said(model, config):
    before = says(model)
    adapter = lora.inject(model, config)
    assert torch.equal(says(model), before)
    assert set(adapter.norms().values()) == {0.0}
    model.train()  # three matrices laid together, or one after the other: the last bits may differ
    torch.testing.assert_close(says(model), before, atol=1e-5, rtol=1e-5)


def test_with_a_random_b_it_would_not(model):
    before = says(model)
    shake(lora.inject(model, SIX))
    assert (says(model) - before).abs().max() > 0.01


def test_the_named_matrices_and_no_others(model):
    adapter = lora.inject(model, SIX)
    found = [path for path, part in model.named_modules() if isinstance(part, WithAdapters)]
    assert found == [f"layers.{i}.self_attention.W_{m}" for i in range(2) for m in "qv"]
    assert list(adapter.norms()) == found
    learning = {id(p) for p in model.parameters() if p.requires_grad}
    assert learning == {id(p) for p in adapter.parameters()}
    assert sum(p.numel() for p in adapter.parameters()) == 2 * 2 * 2 * (
        16 + 16
    )  # layers, matrices, r (in + out)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda m: lora.inject(m, LoRAConfig(matrices=("W_q", "Wv"))),
            "no matrix Wv, expected some of W_q, W_k",
        ),
        (lambda m: lora.inject(m, SIX, "a"), "has an adapter 'a' already"),
        (lambda m: lora.inject(m, SIX, "a.b"), "name is 'a.b', expected a word"),
        (lambda m: lora.inject(m, SIX, "keys"), "name is 'keys', expected a word"),
        (lambda m: lora.use(m, "b"), "name is 'b', expected one of 'a'"),
        (lambda m: lora.remove(m, "b"), "name is 'b', expected one of 'a'"),
        (lambda m: LoRAConfig(rank=0), "rank is 0"),
        (lambda m: LoRAConfig(alpha=0), "alpha is 0"),
        (lambda m: LoRAConfig(matrices=()), "matrices is empty"),
    ],
)
def test_what_does_not_fit_is_named(model, change, words):
    lora.inject(model, SIX, "a")
    with pytest.raises(ValueError, match=words):
        change(model)
    assert lora.names(model) == ["a"]


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("config", [SIX, ALL], ids=["q v", "all"])
def test_only_a_and_b_learn(model, config):
    adapter = lora.inject(model, config)
    frozen = {name: value.clone() for name, value in lora.base_state(model).items()}
    a, b = (adapter.parts["layers/0/self_attention/W_q"].get_parameter(name).clone() for name in "AB")
    history = train(model, iter(lambda: IDS, None), loss_of, steps=40, lr=3e-2, weight_decay=0.1)
    assert history.losses[-1] < history.losses[0] - 0.3
    for name, value in lora.base_state(model).items():
        assert torch.equal(value, frozen[name]), name
    trained = adapter.parts["layers/0/self_attention/W_q"]
    assert not torch.equal(trained.A, a) and not torch.equal(trained.B, b)
    assert min(adapter.norms().values()) > 0


def test_the_first_step_moves_b_alone(model):
    """While B is 0, nothing reaches A."""
    adapter = lora.inject(model.train(), SIX)
    loss_of(model, IDS).backward()
    for part in adapter.parts.values():
        assert part.B.grad.any() and not part.A.grad.any()


# ---------------------------------------------------------------- the fast roads of a GPT


def test_training_and_writing_see_the_adapter(model):
    """Both roads of `project`, one token at a time with a cache, and the whole text at once: one model."""
    shake(lora.inject(model, ALL))
    expected = says(model)
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    attention = model.layers[0].self_attention
    quiet = project(attention, x)
    model.train()
    for found, wanted in zip(project(attention, x), quiet, strict=True):
        torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(says(model), expected, atol=1e-5, rtol=1e-5)
    model.eval()
    assert one_token(model) is None
    with model.writing():
        state, found = None, []
        for t in range(IDS.shape[1]):
            logits, _, state = model.next_logits(IDS[:, t : t + 1], state)
            found.append(logits)
    torch.testing.assert_close(torch.stack(found, dim=1), expected, atol=1e-4, rtol=1e-4)


# ---------------------------------------------------------------- merged


@pytest.mark.parametrize("config", [SIX, ALL], ids=["q v", "all"])
def test_merged_is_unmerged_and_comes_apart_again(model, config):
    """In double precision, as through several layers rounding grows; one matrix alone: see below."""
    plain = copy.deepcopy(model.double())
    adapter = shake(lora.inject(model, config))
    expected = says(model)
    taken = lora.merge(model)
    assert not any(isinstance(part, WithAdapters) for part in model.modules())
    torch.testing.assert_close(says(model), expected, atol=1e-6, rtol=0)
    path = "layers.1.self_attention.W_v"
    added = model.get_submodule(path).weight - plain.get_submodule(path).weight
    part = adapter.parts[path.replace(".", "/")]
    torch.testing.assert_close(added, 3 * part.B @ part.A)
    assert one_token(model) is not None  # the fast road is open
    greedy = sample(model, IDS, 6, temperature=0, stop_ids=())
    lora.unmerge(model, taken)
    assert torch.equal(says(model), expected)
    assert torch.equal(sample(model, IDS, 6, temperature=0, stop_ids=()), greedy)
    with lora.using(model, None):
        assert torch.equal(says(model), says(plain))


def test_looking_at_the_base_changes_neither_modes_nor_torch_s_generator(model):
    shake(lora.inject(model, SIX))
    model.train()
    model.layers[0].eval()
    next(iter(lora.adapted(model).values())).adapters.eval()
    modes, state = [part.training for part in model.modules()], torch.get_rng_state()
    lora.base_state(model)
    assert [part.training for part in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)


def test_a_mode_that_is_set_while_merged_is_kept(model):
    lora.inject(model, SIX)
    taken = lora.merge(model.train())
    model.eval()
    lora.unmerge(model, taken)
    assert not any(part.training for part in model.modules())


def test_one_matrix_merged_is_unmerged_to_a_millionth():
    with seeded(0):
        base = nn.Linear(64, 48)
    part = WithAdapters(base)
    part.adapters["a"] = LowRank(64, 48, SIX, torch.Generator().manual_seed(0))
    part.active = "a"
    nn.init.normal_(part.adapters["a"].B, std=0.05, generator=torch.Generator().manual_seed(1))
    x = torch.randn(10, 64, generator=torch.Generator().manual_seed(2)) / 8
    assert (part(x) - part.merged()(x)).abs().max() < 1e-6
    forgotten = part.base.weight + part.adapters["a"].B @ part.adapters["a"].A  # without α / r
    assert (x @ forgotten.T + base.bias - part(x)).abs().max() > 0.01


def test_merging_what_is_not_there_and_unmerging_what_is_not_merged(model):
    before = says(model)
    assert lora.merge(model) == {}
    assert torch.equal(says(model), before)
    lora.inject(model, SIX)
    taken = lora.merge(model)
    lora.unmerge(model, taken)
    with pytest.raises(ValueError, match=r"no merged matrix at layers\.0\.self_attention\.W_q"):
        lora.unmerge(model, taken)


def test_a_merged_adapter_can_carry_another_one(model):
    shake(lora.inject(model, SIX, "first"))
    first = says(model)
    lora.merge(model)
    lora.inject(model, SIX, "second")
    torch.testing.assert_close(says(model), first, atol=1e-5, rtol=1e-5)
    assert lora.names(model) == ["second"]


# ---------------------------------------------------------------- several


def test_several_adapters_on_one_base_switched_live(model):
    base = says(model)
    shake(lora.inject(model, SIX, "polite", seed=1), 1)
    polite = says(model)
    assert torch.equal(says(model), polite)
    shake(lora.inject(model, ALL, "brief", seed=2), 2)  # it stands at other matrices, too
    brief = says(model)
    assert lora.names(model) == ["polite", "brief"]
    assert not torch.equal(polite, base) and not torch.equal(polite, brief)
    for name, wanted in (("polite", polite), (None, base), ("brief", brief)):
        lora.use(model, name)
        assert torch.equal(says(model), wanted)
        assert torch.equal(says(lora.seen_with(model, "polite")), polite)
        with lora.using(model, None):
            assert torch.equal(says(model), base)
        assert torch.equal(says(model), wanted)
    with model.writing():  # while it writes
        lora.use(model, "polite")
        assert torch.equal(says(model), polite)
    lora.remove(model, "polite")
    assert lora.names(model) == ["brief"]
    lora.use(model, "brief")
    assert torch.equal(says(model), brief)
    lora.remove(model, "brief")
    assert torch.equal(says(model), base) and one_token(model) is not None


def test_an_adapter_that_is_off_does_not_learn(model):
    first = lora.inject(model, SIX, "first")
    lora.inject(model, SIX, "second")
    before = [p.clone() for p in first.parameters()]
    train(model, iter(lambda: IDS, None), loss_of, steps=3, lr=1e-2, weight_decay=0.1)
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), before, strict=True))


# ---------------------------------------------------------------- counted


def test_the_base_keeps_its_names(model):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    shake(lora.inject(model, ALL))
    found = lora.base_state(model)
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)
    assert lora.names(model) == ["adapter"]  # and it is back in its place


def test_share_of_the_parameters(model):
    n_base = sum(p.numel() for p in model.parameters())
    adapter = lora.inject(model, SIX)
    other = lora.inject(model, LoRAConfig(rank=4), "other")
    assert lora.share(model, adapter) == pytest.approx(256 / n_base)
    assert lora.share(model, other) == pytest.approx(512 / n_base)


def test_gpt_2_with_rank_4_on_queries_and_values():
    """By formula: 12 layers, 2 matrices, 4 · (768 + 768) each: 0.12 % of 124 million."""
    assert 12 * 2 * 4 * 2 * 768 == 147_456
    assert math.isclose(147_456 / 124_439_808, 0.00118, rel_tol=5e-3)
