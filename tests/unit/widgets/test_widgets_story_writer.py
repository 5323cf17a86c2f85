"""StoryWriter without a browser: draws, verdicts, where a token looks, its still."""

import numpy as np
import pytest
import torch

from course_lib.data import town
from course_lib.generation import trace_draw
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import town_gpt
from course_lib.text.tokenizers import EOS_ID
from course_lib.widgets import StoryWriter

WORDS = town_gpt.WORDS
STORY = next(iter(town.stories(1, seed=2))).english_tokens


@pytest.fixture(scope="module")
def read():
    torch.manual_seed(0)
    sizes = {"d_model": 16, "n_heads": 2, "n_layers": 3, "d_ff": 16, "max_len": 100, "init_std": 0.5}
    return town_gpt.reader(GPTConfig(len(WORDS), **sizes).build())


def test_it_draws_as_the_next_token_view_does(read):
    view = StoryWriter(read, trace_draw, "anna is at", temperature=0.6, seed=7)
    assert view.story() == ("anna", "is", "at") and view.drawn == []
    expected = trace_draw(read("anna is at").logits, 0.6, None, None, 7).drawn
    view.draws = 1
    assert view.drawn == [expected] and view.seed == 8 and view.last["seed"] == 7
    view.set_state({"drawn": [], "text": "quince"})
    assert view.message == "Tiny Town does not know “quince”" and "quince" in view.still().alt
    view.set_state({"text": ""})
    assert view.story() == () and view.ids == [1] and view.message == ""


def test_the_town_judges_each_sentence_and_the_whole(read):
    view = StoryWriter(read, trace_draw, " ".join(STORY), drawn=[EOS_ID])
    assert view.over and view.story() == STORY
    assert view.verdict == {"valid": True, "consistent": True, "error": None}
    assert view.verdicts == town.by_sentence(STORY)
    for sent, verdict in zip(view.sentences, view.verdicts, strict=True):
        assert sent["start"] == verdict.start + 1 and sent["stop"] == verdict.stop + 1  # behind [BOS]
        assert sent["consistent"] is True and sent["error"] is None
    assert view.still().alt.count("✓ valid and consistent") == len(view.verdicts)
    assert "✓ The whole story is valid and consistent." in view.still().alt
    view.drawn = []
    assert not view.over and view.verdict == {}

    view = StoryWriter(read, trace_draw, "anna is at the farm . she takes the ball . tom", drawn=[EOS_ID])
    assert [one.consistent for one in view.verdicts] == [True, False, None]
    assert view.verdict["valid"] is False
    alt = view.still().alt
    assert "she takes the ball . (✗ valid, not consistent: the story knows no ball)" in alt
    assert "tom (… is being told)" in alt and "✗ The story is not valid: " in alt


def test_the_weights_are_the_models(read):
    view = StoryWriter(read, trace_draw, "anna is at the farm .", drawn=[WORDS.ids["she"]])
    weights = read("anna is at the farm .", view.drawn).weights.numpy()  # (L, H, T, T)
    L, H, T, _ = weights.shape
    assert (L, H, T) == (3, 2, 8) == (view.n_layers, view.n_heads, len(view.ids))
    triangle, at = np.frombuffer(view.weights, "<u2") / 65_535, 0
    for q in range(T):
        rows = triangle[at : at + L * H * (q + 1)].reshape(L, H, q + 1)
        np.testing.assert_allclose(rows, weights[:, :, q, : q + 1], atol=1e-5)
        at += rows.size
    assert at == len(triangle)
    np.testing.assert_allclose(view.looks(), weights[-1].mean(0)[-1], rtol=1e-6)
    view.layer, view.head, view.place = 1, 2, 3
    np.testing.assert_allclose(view.looks(), weights[0, 1, 3], rtol=1e-6)
    assert "“at” looks most at “" in view.still().alt
    for name, value in (("layer", 4), ("head", 3), ("head", -1)):
        with pytest.raises(
            ValueError, match=f"{name} is {value}, expected 0 to {3 if name == 'layer' else 2}"
        ):
            setattr(view, name, value)


def test_what_is_wrong_with_a_model_is_said(read):
    def of(weights):
        return lambda text, drawn: ([1, 4], torch.zeros(len(WORDS)), WORDS.tokens, weights)

    view = StoryWriter(of(torch.ones(1, 1, 3, 3) / 3), trace_draw)
    assert view.message == "weights has shape (1, 1, 3, 3), expected (L, H, 2, 2): one row a token"
    view = StoryWriter(of(torch.full((1, 1, 2, 2), torch.nan)), trace_draw)
    assert view.message.startswith("weights has NaN") and "weights has NaN" in view.still().alt
    view = StoryWriter(lambda text, drawn: 1 / 0, trace_draw)
    assert view.message == "The model stopped with ZeroDivisionError: division by zero"
    with pytest.raises(ValueError, match=r"temperature is -1\.0, expected 0 or more"):
        StoryWriter(read, trace_draw, temperature=-1)
