"""What is wrong with a copied model is found at the part that has it, and nowhere before or behind it."""

import pytest
import torch
from gpt2_helpers import random_gpt2

from course_lib.models.gpt import GPTConfig
from course_lib.models.hugging_face import first_difference, states_of
from course_lib.models.hugging_face.gpt2 import ours as renamed

V, D, N = 50, 16, 4
PARTS = ["embeddings", *(f"layers.{i}" for i in range(N)), "final_norm", "lm_head"]
IDS = torch.randint(0, V, (3, 9), generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def theirs(request):
    return random_gpt2(V, n_embd=D, n_layer=N, n_head=2, n_positions=12, tie_word_embeddings=request.param)


@pytest.fixture
def ours(theirs):
    """A faithful copy, to be spoilt."""
    config = GPTConfig(
        vocab_size=V, d_model=D, n_heads=2, n_layers=N, max_len=12, tied=theirs.config.tie_word_embeddings
    )
    model = config.build().eval()
    model.load_state_dict(renamed(theirs.state_dict()))
    return model


def look(ours, theirs, **options):
    states, logits = states_of(theirs, IDS)
    return first_difference(ours, states, IDS, logits, **options)


def test_a_faithful_copy_has_none(ours, theirs):
    assert look(ours, theirs, tolerance=1e-5) is None
    with torch.no_grad():
        said = theirs(IDS, output_hidden_states=True)
    assert first_difference(ours, said.hidden_states, IDS, said.logits, tolerance=1e-5) is None
    assert first_difference(ours, said.hidden_states, IDS) is None


def test_states_of_adds_what_the_last_layer_leaves(theirs):
    states, logits = states_of(theirs, IDS)
    assert len(states) == N + 2 and not theirs.transformer.ln_f._forward_pre_hooks
    torch.testing.assert_close(theirs.transformer.ln_f(states[-2]), states[-1])
    torch.testing.assert_close(theirs.lm_head(states[-1]), logits)


def part_of(name):
    first, *rest = name.split(".")
    return "embeddings" if "embedding" in first else f"layers.{rest[0]}" if first == "layers" else first


def test_one_number_of_any_parameter_is_found_at_its_part(ours, theirs):
    """Every parameter of the model, one after the other. Only the bias of the keys shows nowhere."""
    found = {}
    for name, parameter in ours.named_parameters():
        where = (IDS[0, 0].item() if "token_embedding" in name else 0, *([1] * (parameter.dim() - 1)))
        with torch.no_grad():
            parameter[where] += 0.1
            found[name] = look(ours, theirs)
            parameter[where] -= 0.1
    for name, difference in found.items():
        if "W_k.bias" in name:
            assert difference is None, name
        else:
            assert difference.part == part_of(name), (name, difference)
    assert {part_of(name) for name in found} == set(PARTS) - ({"lm_head"} if ours.config.tied else set())


def swap_q_and_k(attention):
    for a, b in zip(attention.W_q.parameters(), attention.W_k.parameters(), strict=True):
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)


FAULTS = {  # what went wrong in a layer: (how, the first position at which it can show)
    "W_o not turned": (lambda layer: layer.self_attention.W_o.weight.copy_(
        layer.self_attention.W_o.weight.T.clone()), 0),
    "W_v not turned": (lambda layer: layer.self_attention.W_v.weight.copy_(
        layer.self_attention.W_v.weight.T.clone()), 0),
    "q and k changed": (lambda layer: swap_q_and_k(layer.self_attention), 1),
    "ε of a norm": (lambda layer: setattr(layer.around_feed_forward.norm, "eps", 1e-2), 0),
    "exact GELU": (lambda layer: setattr(layer.feed_forward, "activation", torch.nn.functional.gelu), 0),
    "ReLU": (lambda layer: setattr(layer.feed_forward, "activation", torch.relu), 0),
    "NaN": (lambda layer: layer.feed_forward.W_2.bias.fill_(torch.nan), 0),
}  # fmt: skip


@pytest.mark.parametrize("k", range(N))
@pytest.mark.parametrize(("spoil", "position"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_at_its_layer(ours, theirs, k, spoil, position):
    with torch.no_grad():
        spoil(ours.layers[k])
    difference = look(ours, theirs, tolerance=1e-5)
    assert difference.part == f"layers.{k}" and difference.position == position
    assert 0 <= difference.text < 3 and 0 <= difference.feature < D


def test_of_two_faults_the_first_is_named(ours, theirs):
    with torch.no_grad():
        for k in (3, 1):
            ours.layers[k].self_attention.W_o.bias += 0.1
    assert look(ours, theirs).part == "layers.1"


def test_the_embeddings_final_norm_and_scores(ours, theirs):
    ours.final_norm.eps = 1e-1
    assert look(ours, theirs).part == "final_norm"
    with torch.no_grad():
        said = theirs(IDS, output_hidden_states=True)  # without what the last layer leaves
        assert first_difference(ours, said.hidden_states, IDS).part == f"layers.{N - 1} + final_norm"
        ours.position_embedding.weight[5, 3] += 2.0
    difference = look(ours, theirs)
    assert difference[:4] == ("embeddings", 0, 5, 3) and difference.size == pytest.approx(2.0, abs=1e-5)
    assert str(difference).startswith("embeddings, text 0, position 5: ours has ")
    assert f"{difference.ours:.6g}, theirs {difference.theirs:.6g} (feature 3)" in str(difference)


def test_the_last_layer_alone_is_named_as_one_with_the_norm(ours, theirs):
    with torch.no_grad():
        ours.layers[N - 1].self_attention.W_o.bias[0] += 0.1
        said = theirs(IDS, output_hidden_states=True)
    assert first_difference(ours, said.hidden_states, IDS).part == f"layers.{N - 1} + final_norm"
    assert look(ours, theirs).part == f"layers.{N - 1}"


def test_tolerance_is_a_share_of_the_tokens_size(ours, theirs):
    states, _ = states_of(theirs, IDS)
    size = states[1][0, 0].square().mean().sqrt()
    with torch.no_grad():
        ours.layers[0].feed_forward.W_2.bias[7] += 0.01 * size  # every token is of about this size
    assert look(ours, theirs, tolerance=0.05) is None
    assert look(ours, theirs, tolerance=0.001).feature == 7


def test_states_that_do_not_belong_to_it(ours, theirs):
    states, logits = states_of(theirs, IDS)
    with pytest.raises(ValueError, match=r"hidden_states holds 3 tensors, expected 5 or 6: embeddings, 4"):
        first_difference(ours, states[:3], IDS)
    with pytest.raises(ValueError, match=r"hidden_states\[0\] has shape \(3, 9, 16\), expected \(3, 4, 16\)"):
        first_difference(ours, states, IDS[:, :4])
    with pytest.raises(ValueError, match=r"theirs has \(3, 9, 49\) at lm_head, expected \(3, 9, 50\)"):
        first_difference(ours, states, IDS, logits[..., :-1])
    with pytest.raises(ValueError, match="ids holds ids from"):
        first_difference(ours, states, IDS + V)
