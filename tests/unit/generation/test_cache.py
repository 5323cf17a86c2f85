"""A cache changes the time, not the text: with filters, in batches, and far past the window's edge."""

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.generation import WholeText, sample
from course_lib.models import evaluating
from course_lib.models.gpt import GPT, GPTConfig, Seen

V, WINDOW = 40, 8
FILTERS = {
    "greedy": {"temperature": 0},
    "top-k": {"top_k": 5},
    "top-p": {"top_p": 0.8},
    "all": {"temperature": 0.8, "top_k": 12, "top_p": 0.9},
}


@cache
def model(positions):
    torch.manual_seed(2)
    sizes = {"vocab_size": V, "d_model": 16, "n_heads": 2, "n_layers": 2, "max_len": WINDOW}
    # Scores of their own: a random model that is tied says one token again and again.
    gpt = GPT(GPTConfig(**sizes, positions=positions, init_std=0.3, tied=False)).eval()
    return gpt.double()  # so that no draw hangs on the last digit of a sum: that of a cache has another order


def texts(n_texts, length, seed=0):
    return torch.randint(4, V, (n_texts, length), generator=torch.Generator().manual_seed(seed))


def reading_anew(gpt):
    return WholeText(lambda ids: gpt(ids)[0], gpt.config.max_len)


def write(writer, prompt, n=2 * WINDOW, seed=5, **asked):
    return sample(writer, prompt, n, generator=torch.Generator().manual_seed(seed), **asked)


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("n_texts", [1, 8])
@pytest.mark.parametrize("asked", FILTERS.values(), ids=FILTERS)
def test_with_filters_cached_text_is_uncached_text_token_for_token(positions, n_texts, asked):
    gpt = model(positions)
    for length in (1, WINDOW - 1, WINDOW, WINDOW + 7):  # the edge is reached late, at once, or behind us
        prompt = texts(n_texts, length, seed=length)
        cached = write(gpt, prompt, stop_ids=(), **asked)
        assert torch.equal(cached, write(reading_anew(gpt), prompt, stop_ids=(), **asked))
        assert cached.shape == (n_texts, length + 2 * WINDOW)
        different = [len(set(row)) for row in cached[:, length:].tolist()]
        assert sum(different) / n_texts > 3  # not a text that says one thing only


@settings(max_examples=15, deadline=None)
@given(
    positions=st.sampled_from(["learned", "rotary"]),
    n_texts=st.integers(1, 8),
    length=st.integers(1, 2 * WINDOW),
    n=st.integers(1, 2 * WINDOW),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    top_k=st.none() | st.integers(1, V),
    top_p=st.none() | st.sampled_from([0.1, 0.5, 0.9, 1.0]),
    stops=st.sets(st.integers(0, V - 1), max_size=4),
    seed=st.integers(0, 99),
)
def test_whatever_is_asked_the_cache_changes_no_token(
    positions, n_texts, length, n, temperature, top_k, top_p, stops, seed
):
    gpt, prompt = model(positions), texts(n_texts, length, seed)
    asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "stop_ids": sorted(stops)}
    cached = write(gpt, prompt, n, seed, **asked)
    assert torch.equal(cached, write(reading_anew(gpt), prompt, n, seed, **asked))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_long_prompt_counts_with_its_last_tokens(positions):
    long = texts(3, WINDOW + 9)
    written = write(model(positions), long, stop_ids=(), top_k=5)
    short = write(model(positions), long[:, -WINDOW:], stop_ids=(), top_k=5)
    assert torch.equal(written[:, 9:], short) and torch.equal(written[:, : WINDOW + 9], long)


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_text_is_the_same_alone_and_among_others(positions):
    """Rows that have ended go on as padding, and disturb nobody."""
    prompts, asked = texts(8, 4), {"temperature": 0, "stop_ids": tuple(range(4, V, 3))}
    together = write(model(positions), prompts, **asked)
    lengths = set()
    for row, prompt in zip(together, prompts, strict=True):
        alone = write(model(positions), prompt[None], **asked)[0]
        assert torch.equal(row[: len(alone)], alone)
        assert not row[len(alone) :].any()  # [PAD]
        lengths.add(len(alone))
    assert len(lengths) > 1


class DropsTheOldest:
    """A cache built wrong: past the edge it forgets the oldest key and keeps the others as they were."""

    def __init__(self, gpt):
        self.gpt = gpt

    def next_logits(self, tokens, state=None):
        if state is not None and state.ids.shape[1] == WINDOW:
            past = tuple(type(layer)(layer.k[..., 1:, :], layer.v[..., 1:, :]) for layer in state.past)
            state = Seen(state.ids[:, 1:], past)
        with evaluating(self.gpt):
            return self.gpt.next_logits(tokens, state)


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_wrong_cache_would_be_noticed_and_only_past_the_edge(positions):
    gpt, prompt = model(positions), texts(8, 3)
    right = write(gpt, prompt, temperature=0, stop_ids=())
    wrong = write(DropsTheOldest(gpt), prompt, temperature=0, stop_ids=())
    assert torch.equal(right[:, : WINDOW + 1], wrong[:, : WINDOW + 1])
    assert (right != wrong).any(dim=1).sum() >= 4


def test_bad_input_of_a_gpt_that_writes_is_named():
    for prompt, words in (
        (torch.empty(1, 0, dtype=torch.long), r"prompt has shape \(1, 0\).*\[BOS\] is a prompt too"),
        (
            torch.tensor([[4, V]]),
            f"tokens holds ids from 4 to {V}, expected 0 to {V - 1}",
        ),
        (torch.tensor([[-1, 4]]), "tokens holds ids from -1"),
        (torch.tensor([[0.5]]), "tokens has dtype"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(model("learned"), prompt, 3)
