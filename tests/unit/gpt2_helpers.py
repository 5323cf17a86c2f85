"""Small GPT-2s of the `transformers` library, whose numbers are all random."""

import torch
import transformers

WINDOW = 128
SIZES = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": WINDOW, "initializer_range": 0.2}


def close(got, expected, tolerance=1e-5):
    torch.testing.assert_close(got, expected, atol=tolerance, rtol=0.0)


def random_gpt2(vocab_size, **changes):
    """Random parameters, biases and norms too, large enough that a swapped one shows."""
    ends = {"bos_token_id": vocab_size - 1, "eos_token_id": vocab_size - 1}
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=vocab_size, **SIZES | ends | changes)
    ).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or ".ln_" in name:
                parameter += 0.2 * torch.randn_like(parameter)
        model.transformer.wpe.weight *= 4  # else a greedy text soon says one token for ever
        model.transformer.ln_f.bias *= 0.2
    return model
