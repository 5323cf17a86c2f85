"""Temperature, top-k, top-p: which tokens stay, with which probability, and in which order it is decided."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course_lib.generation import check_settings, draw, keep_top_k, keep_top_p, with_temperature

MODERATE = settings(max_examples=60, deadline=None)
# Sixteenths: two logits are equal, or so far apart that no rounding makes them equal.
LOGITS = st.lists(st.integers(-128, 128).map(lambda n: n / 16), min_size=1, max_size=12)
P = st.floats(0.01, 1)


def rows(*probabilities):
    return torch.tensor(probabilities).log()


def filtered(logits, temperature=1.0, top_k=None, top_p=None):
    """The definition once more, number by number and slowly: id → probability of the tokens that stay."""
    largest = max(logits)
    mass = {i: math.exp((x - largest) / temperature) for i, x in enumerate(logits)}
    ranked = sorted(mass, key=lambda i: -logits[i])[:top_k]  # stable: of equals the lower id first
    total = sum(mass[i] for i in ranked)
    stay, reached = [], 0.0
    for i in ranked:
        if top_p is not None and top_p < 1 and reached >= top_p * (1 - 1e-6):
            break
        stay.append(i)
        reached += mass[i] / total
    total = sum(mass[i] for i in stay)
    return {i: mass[i] / total for i in stay}


def kept(logits):
    """Ids that stay, of the only row."""
    return set(torch.isfinite(logits[0]).nonzero()[:, 0].tolist())


# ---------------------------------------------------------------- top-p


@pytest.mark.parametrize(
    ("probabilities", "p", "expected"),
    [
        ([0.5, 0.41, 0.09], 0.9, {0, 1}),  # the token that crosses stays
        ([0.09, 0.41, 0.5], 0.9, {1, 2}),  # in any order of the ids
        ([0.95, 0.03, 0.02], 0.9, {0}),  # the first one alone is enough
        ([0.5, 0.4, 0.1], 0.9, {0, 1}),  # reached exactly is reached, whatever the rounding
        ([0.5, 0.3, 0.2], 0.8, {0, 1}),
        ([0.3, 0.25, 0.25, 0.2], 0.8, {0, 1, 2}),  # as floats their sum falls short of it
        ([0.4, 0.2, 0.2, 0.2], 0.6, {0, 1}),
        ([1 - 1e-8, 1e-8], 1, {0, 1}),  # all is all
        ([0.5, 0.41, 0.09], 1e-9, {0}),
        ([0.5, 0.41, 0.09], 1, {0, 1, 2}),
        ([0.25, 0.25, 0.25, 0.25], 0.5, {0, 1}),  # of equals the lower ids
        ([0.2, 0.2, 0.2, 0.2, 0.2], 0.41, {0, 1, 2}),
    ],
)
def test_top_p_keeps_the_token_that_crosses(probabilities, p, expected):
    assert kept(keep_top_p(rows(probabilities), p)) == expected


def test_top_p_shares_out_what_it_removes():
    left = keep_top_p(rows([0.5, 0.41, 0.09]), 0.9).softmax(-1)
    torch.testing.assert_close(left, torch.tensor([[0.5 / 0.91, 0.41 / 0.91, 0.0]]))


@MODERATE
@given(logits=LOGITS, p=P)
def test_top_p_is_the_smallest_set_that_reaches_p(logits, p):
    probabilities = torch.tensor(logits, dtype=torch.float64).softmax(-1)
    stay = sorted(kept(keep_top_p(torch.tensor([logits]), p)))
    others = [i for i in range(len(logits)) if i not in stay]
    mass = probabilities[stay]
    assert mass.sum() >= p * (1 - 3e-6)
    # Fewer tokens have no more than the largest of them have together, and that is too little.
    if len(stay) > 1 and p < 1:
        assert mass.sum() - mass.min() < p * (1 + 3e-6)
    if others:
        assert probabilities[others].max() <= mass.min()


# ---------------------------------------------------------------- top-k


@MODERATE
@given(logits=st.lists(st.integers(-3, 3), min_size=1, max_size=12), k=st.integers(1, 14))
def test_top_k_keeps_exactly_k_and_of_equals_the_lower_ids(logits, k):
    ranked = sorted(range(len(logits)), key=lambda i: -logits[i])  # stable
    assert kept(keep_top_k(torch.tensor([logits]).float(), k)) == set(ranked[:k])


def test_each_row_is_filtered_for_itself():
    logits = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    for keep, setting in ((keep_top_k, 3), (keep_top_p, 0.7)):
        together = keep(logits, setting)
        assert torch.equal(together, torch.cat([keep(row[None], setting) for row in logits]))
        assert (keep_top_k(logits, 3).isfinite().sum(-1) == 3).all()


def test_a_token_that_cannot_come_never_comes():
    logits = torch.tensor([[-torch.inf, 2.0, -torch.inf, 1.0]])
    for top_k, top_p in ((3, None), (None, 0.999), (3, 0.999), (None, 1.0)):
        drawn = draw(logits.expand(300, -1), 5.0, top_k, top_p, torch.Generator().manual_seed(0))
        assert set(drawn.tolist()) == {1, 3}


# ---------------------------------------------------------------- all of them, in their order


@MODERATE
@given(
    logits=LOGITS,
    temperature=st.floats(0.1, 3),
    top_k=st.none() | st.integers(1, 14),
    top_p=st.none() | P,
)
def test_the_order_is_temperature_top_k_top_p(logits, temperature, top_k, top_p):
    expected = filtered(logits, temperature, top_k, top_p)
    if top_p is not None and top_p < 1:  # not where rounding decides
        sums = torch.tensor(list(filtered(logits, temperature, top_k).values())).cumsum(0)
        assume(((sums - top_p).abs() > 1e-5).all())
    left = with_temperature(torch.tensor([logits]), temperature)
    left = left if top_k is None else keep_top_k(left, top_k)
    left = left if top_p is None else keep_top_p(left, top_p)
    assert kept(left) == set(expected)
    probabilities = left.softmax(-1)[0].tolist()
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert probabilities == pytest.approx([expected.get(i, 0) for i in range(len(logits))], abs=2e-5)
    drawn = draw(torch.tensor([logits] * 30), temperature, top_k, top_p, torch.Generator().manual_seed(1))
    assert set(drawn.tolist()) <= set(expected)


def test_another_order_would_be_another_set():
    """The case that shows it: top-p counts with what temperature and top-k have left."""
    logits = rows([0.4, 0.3, 0.2, 0.1])

    def drawn(**asked):
        many = draw(logits.expand(2000, -1), generator=torch.Generator().manual_seed(0), **asked)
        return set(many.tolist())

    assert drawn(top_p=0.75) == {0, 1, 2}
    assert drawn(top_k=3, top_p=0.75) == {0, 1}  # 0.4 and 0.3 are 7/9 of what top-k has left
    assert drawn(temperature=0.5, top_p=0.75) == {0, 1}  # 0.53 and 0.30
    assert drawn(temperature=1.0, top_p=0.775) == {0, 1, 2}
    assert drawn(temperature=9.0, top_p=0.775) == {0, 1, 2, 3}  # the first three: 0.772


@MODERATE
@given(seed=st.integers(0, 999), temperature=st.floats(0.1, 3), top_k=st.integers(1, 30), top_p=P)
def test_the_filters_are_those_of_transformers(seed, temperature, top_k, top_p):
    """Where the two definitions agree: no equal logits, and p < 1."""
    logits = torch.randn(4, 25, generator=torch.Generator().manual_seed(seed)) * 3
    cooled = with_temperature(logits, temperature)
    assert torch.equal(cooled, TemperatureLogitsWarper(temperature)(None, logits))
    among_k = keep_top_k(cooled, top_k)
    assert torch.equal(among_k, TopKLogitsWarper(top_k)(None, cooled))
    sums = among_k.softmax(-1).sort(-1, descending=True).values.cumsum(-1)
    assume(((sums - top_p).abs() > 1e-5).all() and top_p < 1)
    assert torch.equal(keep_top_p(among_k, top_p), TopPLogitsWarper(top_p)(None, among_k))


# ---------------------------------------------------------------- the draw


@pytest.mark.parametrize("temperature", [0.3, 0.8, 1.0, 2.5])
def test_without_filters_the_draws_are_those_of_the_softmax_bit_for_bit(temperature):
    logits = torch.randn(64, 50, generator=torch.Generator().manual_seed(3)) * 3
    plain = torch.multinomial((logits / temperature).softmax(-1), 1, generator=seeded(7))[:, 0]
    assert torch.equal(draw(logits, temperature, generator=seeded(7)), plain)
    assert torch.equal(draw(logits, temperature, 50, 1.0, seeded(7)), plain)  # filters that remove nothing


def test_draws_are_as_frequent_as_the_probabilities_that_are_left():
    drawn = draw(rows([0.4, 0.1, 0.3, 0.2]).expand(4000, -1), 1.0, 3, 0.75, seeded(0))
    shares = drawn.bincount(minlength=4) / 4000
    torch.testing.assert_close(shares, torch.tensor([4 / 7, 0, 3 / 7, 0]), atol=0.03, rtol=0)


@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (3, None), (None, 0.5), (3, 0.5)])
def test_temperature_0_takes_the_likeliest_and_uses_no_chance(top_k, top_p):
    logits, generator = torch.tensor([[0.0, 5.0, 5.0, 1.0]]), seeded(0)
    before = generator.get_state()
    assert draw(logits, 0, top_k, top_p, generator).tolist() == [1]
    assert draw(logits, 1e-40, top_k, top_p, generator).tolist() == [1]  # no float could hold the quotients
    assert torch.equal(generator.get_state(), before)


def test_a_set_of_one_is_greedy():
    logits = torch.randn(20, 30, generator=seeded(1))
    for asked in ({"top_k": 1}, {"top_p": 1e-6}):
        assert torch.equal(draw(logits, 2.0, **asked, generator=seeded(2)), logits.argmax(-1))


def test_half_precision_is_summed_in_full_precision():
    """20,000 equal tokens: in 8 bits their sum would stand still long before 0.9."""
    logits = torch.zeros(1, 20_000, dtype=torch.bfloat16)
    left = keep_top_p(with_temperature(logits, 1.0), 0.9)
    assert left.isfinite().sum().item() == pytest.approx(18_000, abs=2)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"temperature": -1.0}, "temperature is -1.0, expected 0 or more"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"temperature": "hot"}, "temperature is hot"),
        ({"temperature": None}, "temperature is None"),
        ({"top_k": 0}, "top_k is 0, expected a whole number of at least 1"),
        ({"top_k": -3}, "top_k is -3"),
        ({"top_k": 1.5}, "top_k is 1.5"),
        ({"top_k": True}, "top_k is True"),
        ({"top_p": 0}, "top_p is 0, expected above 0 and at most 1"),
        ({"top_p": -1}, "top_p is -1"),
        ({"top_p": 2}, "top_p is 2"),
        ({"top_p": math.nan}, "top_p is nan"),
        ({"top_p": "0.9"}, "top_p is 0.9"),
    ],
)
def test_settings_without_a_meaning_are_named(asked, words):
    with pytest.raises(ValueError, match=words):
        draw(torch.zeros(1, 5), **asked)
    with pytest.raises(ValueError, match=words):
        check_settings(**{"temperature": 0, "top_k": None, "top_p": None} | asked)


def test_a_generator_in_the_place_of_top_k_is_named():
    with pytest.raises(ValueError, match="top_k is <torch"):
        draw(torch.zeros(1, 5), 1.0, torch.Generator())


@pytest.mark.parametrize("shape", [(5,), (1, 2, 5)])
def test_logits_of_other_axes_are_named(shape):
    with pytest.raises(ValueError, match=r"logits has shape .* expected \(B, V\)"):
        draw(torch.zeros(shape))


@pytest.mark.parametrize(
    "settings", [{}, {"top_k": 2}, {"top_p": 0.5}, {"top_k": 2, "top_p": 0.5}, {"temperature": 0}]
)
@pytest.mark.parametrize("row", [[0.0, math.nan, 1.0, 2.0], [0.0, math.inf, 1.0, 2.0], [-math.inf] * 4])
def test_logits_from_which_nothing_can_be_drawn_are_named(row, settings):
    with pytest.raises(ValueError, match="logits hold NaN"):
        draw(torch.tensor([[0.0, 1.0, 2.0, 3.0], row]), **settings)


def test_logits_decide_who_is_likelier_even_where_the_softmax_rounds_them_together():
    near = torch.tensor([[1.0, 1.0 + 2e-7, 1.0 + 1e-7 - 1e-7]])
    assert near[0, 1] > near[0, 0]
    assert kept(keep_top_p(near, 0.2)) == kept(keep_top_k(near, 1)) == {1}
