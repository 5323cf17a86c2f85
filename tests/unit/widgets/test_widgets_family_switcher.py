"""FamilySwitcher without a browser: what it holds, follows, refuses, and shows as a still."""

from types import SimpleNamespace

import pytest

from course_lib.families import FAMILIES
from course_lib.widgets import FamilySwitcher

EXPECTED = SimpleNamespace(
    words=("le", "la"), probabilities=(0.75, 0.25), truth="le", probability=0.75, rank=1
)


def switch(job="translate", given="[FR] the dog .", written="le chien ."):
    given, written = given.split(), written.split()
    tokens = (*given, "[BOS]", *written, "[EOS]")
    places = tuple(range(len(given) + 1, len(tokens)))
    writes = {name: (*tokens[:-1], None) for name in FAMILIES if name != "encoder-only"}
    return SimpleNamespace(
        job=job,
        input=given,
        output=written,
        tokens=tokens,
        reads=writes | {"encoder-only": tokens},
        counted=dict.fromkeys(FAMILIES, places) | {"encoder-only": (1,)},
        expected=dict.fromkeys(FAMILIES, (EXPECTED,) * (len(written) + 1)),
    )


TWO = [switch(), switch("tell", "[TELL]", "a .")]


def test_it_begins_where_the_output_begins_and_says_who_is_seen():
    view = FamilySwitcher(TWO)
    assert (view.family, view.example, view.token) == ("encoder-decoder", 0, 4)
    assert view.sees() == ["[FR]", "the", "dog", ".", "[BOS]"]
    assert view.start == {"family": "encoder-decoder", "example": 0, "token": 4}
    view.family, view.token = "decoder-only", 1
    assert view.sees() == ["[FR]", "the"]
    view.family = "encoder-only"
    assert len(view.sees()) == 9
    assert [one["name"] for one in view.scenes] == ["translate", "tell"]
    sent = view.scenes[0]["families"]["prefix-LM"]
    assert sent["open"][0] == "111100000" and sent["open"][8] == "0" * 9 and sent["kinds"][8] == "predicted"
    assert sent["expected"][0]["words"] == ["le", "la"]
    assert [one["writes"] for one in view.families] == [True, False, True, True]


def test_another_example_keeps_the_token_inside():
    view = FamilySwitcher(TWO, family="prefix-LM", token=8)
    assert view.sees() == []  # [EOS] is said, never read
    view.example = 1
    assert view.token == 4 and view.still().alt.startswith("One sentence, four families.")
    assert "[TELL] [BOS] a . [EOS]" in view.still().alt
    names = [one["name"] for one in FamilySwitcher([TWO[0], TWO[0], TWO[1]]).scenes]
    assert names == ["translate 1", "translate 2", "tell"]


def test_a_token_that_would_turn_the_page_round_is_drawn_as_a_sign():
    view = FamilySwitcher([switch(written="a\u202eb .")])
    assert "a·b" in view.scenes[0]["tokens"]


def test_what_is_refused():
    with pytest.raises(ValueError, match="switches is empty"):
        FamilySwitcher([])
    with pytest.raises(ValueError, match="switches holds a str, expected what"):
        FamilySwitcher(["max has a coat"])
    with pytest.raises(ValueError, match="family is 'GPT', expected one of"):
        FamilySwitcher(TWO, family="GPT")
    with pytest.raises(ValueError, match="example is 2, expected 0 to 1"):
        FamilySwitcher(TWO, example=2)
    with pytest.raises(ValueError, match="token is 9, expected a place from 0 to 8"):
        FamilySwitcher(TWO, token=9)
