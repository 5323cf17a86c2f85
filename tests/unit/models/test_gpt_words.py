"""More words for a GPT: what it says of the old ones stays."""

import pytest
import torch

from course_lib.models import evaluating
from course_lib.models.gpt import GPT, GPTConfig
from course_lib.models.gpt_words import extended
from course_lib.tasks import town_gpt
from course_lib.text.batching import pad
from course_lib.text.tokenizers import PAD_ID

SMALL = {"vocab_size": 30, "d_model": 16, "n_heads": 2, "n_layers": 2, "max_len": 12, "init_std": 0.3}
IDS = torch.randint(0, 30, (3, 12), generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=[{}, {"tied": False, "positions": "rotary", "norm": "rms", "bias": False}])
def model(request):
    torch.manual_seed(1)
    return GPT(GPTConfig(**SMALL, **request.param))


def test_the_logits_of_the_old_words_stay(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    grown = extended(model, 37, generator=torch.Generator().manual_seed(2))
    with evaluating(model), evaluating(grown):
        old, new = model(IDS)[0], grown(IDS)[0]
    assert new.shape == (3, 12, 37) and grown.config.vocab_size == 37
    torch.testing.assert_close(new[..., :30], old, rtol=0, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    same = grown.lm_head.weight is grown.token_embedding.weight
    assert same == model.config.tied and grown.training == model.training


def test_new_words_take_no_more_than_their_share(model):
    with evaluating(model):
        new = extended(model, 37, noise=0.0)(IDS)[0]
    assert (new.softmax(-1)[..., 30:].sum(-1) <= 7 / 37 + 1e-6).all()
    torch.testing.assert_close(new[..., 30:], new[..., :30].mean(-1, keepdim=True).expand(-1, -1, 7))


def test_noise_makes_them_differ_and_depends_on_the_generator_alone(model):
    rows = [
        extended(model, 33, generator=torch.Generator().manual_seed(seed)).token_embedding.weight[30:]
        for seed in (3, 3, 4)
    ]
    assert torch.equal(rows[0], rows[1]) and not torch.equal(rows[0], rows[2])
    assert not torch.equal(rows[0][0], rows[0][1])


def test_with_a_generator_torch_s_own_stays_as_it_is(model):
    before = torch.get_rng_state()
    extended(model, 33, generator=torch.Generator().manual_seed(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_single_word_has_no_spread():
    """The standard deviation of one row would be 0 / 0."""
    grown = extended(GPTConfig(**SMALL | {"vocab_size": 1}).build(), 3)
    rows = grown.token_embedding.weight
    assert torch.equal(rows, rows[:1].expand(3, -1))


def test_the_copy_is_another_model(model):
    grown = extended(model, 30)
    with torch.no_grad():
        grown.token_embedding.weight.zero_()
    assert model.token_embedding.weight.abs().sum() > 0


def test_bad_sizes_are_named(model):
    with pytest.raises(ValueError, match="vocab_size is 29, expected at least the model's own, 30"):
        extended(model, 29)
    with pytest.raises(ValueError, match="noise is -1"):
        extended(model, 31, noise=-1)


def test_the_towns_gpt_goes_on_telling_stories():
    """With the noise that is the default, new words hardly take any of its probability."""
    told = pad([town_gpt.WORDS.encode(story.english_tokens, bos=True) for story in town_gpt.stories(30)])
    grown = extended(town_gpt.load(), 206, generator=torch.Generator().manual_seed(0))
    with evaluating(grown):
        new = grown(told)[0].softmax(-1)[..., 130:].sum(-1)[told != PAD_ID]
    assert new.mean() < 0.02
