"""PyTorch's own Transformer with our parameters gives our numbers; what it cannot be is refused."""

import pytest
import torch
from torch import nn

from course_lib.models.torch_twin import torch_twin, twin_output
from course_lib.models.transformer import TransformerConfig

SMALL = {"source_vocab": 11, "target_vocab": 9, "d_model": 16, "n_heads": 2, "d_ff": 24, "dropout": 0.3}


def model_of(**settings):
    torch.manual_seed(0)
    model = TransformerConfig(
        **SMALL | {"encoder_layers": 2, "decoder_layers": 3, "shared": "target"} | settings
    )
    model = model.build().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)  # biases and gains too: zeros and ones would hide mistakes
    return model


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("final_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_twin_gives_the_same_logits_with_padding(norm_first, final_norm, activation):
    model = model_of(norm_first=norm_first, final_norm=final_norm, activation=activation)
    source = torch.tensor([[4, 5, 6, 7, 8], [9, 10, 4, 0, 0]])
    target = torch.tensor([[1, 4, 5, 6], [1, 7, 0, 0]])
    logits, _ = model(source, target)
    theirs = twin_output(torch_twin(model), model, source, target)
    words = target != 0
    assert torch.allclose(theirs[words], logits[words], atol=1e-5)


def test_torch_has_one_norm_more_at_the_end_of_each_stack():
    names = {name for name, _ in nn.Transformer(16, 2, 2, 2, 24, batch_first=True).named_parameters()}
    assert {"encoder.norm.weight", "decoder.norm.weight"} <= names
    twin = torch_twin(model_of(final_norm=False))
    assert twin.encoder.norm is None and twin.decoder.norm is None


@pytest.mark.parametrize("settings", [{"norm": "rms"}, {"positions": "rotary"}, {"residual": False}])
def test_what_torch_does_not_have_is_refused(settings):
    with pytest.raises(ValueError, match=r"nn\.Transformer has no others"):
        torch_twin(model_of(**settings))
