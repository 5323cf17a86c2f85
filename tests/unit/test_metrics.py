"""Metrics, on cases small enough to count by hand."""

import pytest
import torch

from course_lib import metrics


def test_alignment_error_rate_by_hand():
    # 2 of 3 proposed links are right, 2 of 4 true links are found: 1 − 2·2/(3+4)
    assert metrics.alignment_error_rate(
        [{(0, 0), (1, 1), (2, 2)}], [{(0, 0), (1, 1), (1, 2), (3, 3)}]
    ) == pytest.approx(3 / 7)
    assert metrics.alignment_error_rate([{(0, 0)}], [{(0, 0)}]) == 0
    assert metrics.alignment_error_rate([{(0, 1)}], [{(1, 0)}]) == 1
    assert metrics.alignment_error_rate([set()], [set()]) == 0


def test_a_leak_is_0_only_where_nothing_comes_through():
    """The square of a weight of e⁻⁶⁰ is beyond float32; the weight is not."""
    weights = torch.tensor([[0.0, -60.0, -torch.inf], [0.0, 0.0, 0.0]]).softmax(-1)  # (T, S)
    leak = metrics.leak_matrix(lambda x: weights @ x, torch.ones(3, 2))
    assert torch.equal(leak > 0, weights > 0) and leak.dtype == torch.float32
    torch.testing.assert_close(leak, weights * 2**0.5)  # two features, each with this slope


def test_alignment_error_rate_counts_links_not_sentences():
    guessed, sure = [{(0, 0)}, {(i, i) for i in range(9)}], [{(0, 1)}, {(i, i) for i in range(9)}]
    assert metrics.alignment_error_rate(guessed, sure) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="guessed has 1 items and sure has 2"):
        metrics.alignment_error_rate([set()], [set(), set()])


def test_links_point_where_the_weight_is_largest():
    weights = torch.tensor([[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]])  # (T, S)
    assert metrics.links_from_weights(weights) == {(1, 0), (0, 1), (1, 2)}


def test_diagonal_is_a_diagonal():
    assert metrics.diagonal_links(4, 4) == {(i, i) for i in range(4)}
    assert metrics.diagonal_links(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert max(s for s, _ in metrics.diagonal_links(3, 7)) == 2


@pytest.mark.parametrize(
    ("guess", "truth", "distance"),
    [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("x", "x", 0)],
)
def test_edit_distance(guess, truth, distance):
    assert metrics.edit_distance(guess, truth) == distance


def test_error_rates_take_the_nearest_listed_pronunciation():
    guesses = [["R", "EH", "D"], ["K", "AE"]]
    references = [[("R", "IY", "D"), ("R", "EH", "D")], [("K", "AE", "T")]]
    assert metrics.phoneme_error_rate(guesses, references) == pytest.approx(1 / 6)
    assert metrics.word_error_rate(guesses, references) == 0.5


@pytest.mark.parametrize(
    ("guess", "truth", "edits"),
    [
        ("abc", "abc", []),
        ("abc", "axc", [("b", "x")]),
        ("ac", "abc", [("", "b")]),
        ("abbc", "abc", [("b", "")]),
        ("", "ab", [("", "a"), ("", "b")]),
    ],
)
def test_differences_name_each_edit(guess, truth, edits):
    assert metrics.differences(guess, truth) == edits


def test_differences_are_as_many_as_the_edit_distance():
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        a, b = ("".join("abc"[i] for i in torch.randint(3, (n,), generator=generator)) for n in (6, 4))
        assert len(metrics.differences(a, b)) == metrics.edit_distance(a, b)


def test_sharing_out_gives_each_source_token_to_who_looks_at_it_most():
    weights = torch.tensor([[0.30, 0.69, 0.01], [0.01, 0.98, 0.01], [0.01, 0.02, 0.97]])
    assert metrics.links_from_weights(weights) == {(1, 0), (1, 1), (2, 2)}
    shared = metrics.share_out(weights)
    assert metrics.links_from_weights(shared) == {(0, 0), (1, 1), (2, 2)}
    torch.testing.assert_close(shared.sum(1), torch.ones(3))
    torch.testing.assert_close(shared.sum(0), torch.ones(3), atol=0.05, rtol=0)


def test_sharing_out_bears_a_source_token_that_nobody_looks_at():
    shared = metrics.share_out(torch.tensor([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0]]))
    assert (shared > 0).all()
    torch.testing.assert_close(shared.sum(1), torch.ones(2))
