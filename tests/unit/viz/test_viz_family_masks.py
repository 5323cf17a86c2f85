"""The four masks side by side: what is open, what counts, what the alt text says, what is refused."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_lib.families import FAMILIES
from course_lib.viz.diagrams import family_masks
from course_lib.viz.diagrams.family_masks import scene

GIVEN, WRITTEN = ["[FR]", "the", "dog", "."], ["le", "chien", "."]
N = 9  # [FR] the dog . [BOS] le chien . [EOS]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scene_is_what_the_family_reads_and_must_say(family):
    one = scene(family, GIVEN, WRITTEN, blanks=(6,))
    if family == "encoder-only":
        assert one.reads[6] == "[MASK]" and one.kinds == ["given"] * 6 + ["predicted"] + ["given"] * 2
        assert all(map(all, one.open))
        return
    assert one.kinds == ["given"] * 5 + ["predicted"] * 4, "[BOS] is given, the end is said"
    assert one.reads[-1] is None and not any(one.open[-1]) and not any(row[-1] for row in one.open)
    count = [sum(row) for row in one.open]
    assert count == ([1, 2, 3, 4] if family == "decoder-only" else [4] * 4) + [5, 6, 7, 8, 0]


def test_two_stacks_open_the_same_cells_as_a_prefix():
    assert (
        scene("encoder-decoder", GIVEN, WRITTEN).open == scene("prefix-LM", GIVEN, WRITTEN).open
    )  # what differs is who computes it


def test_the_still_says_who_sees_whom():
    still = family_masks(GIVEN, WRITTEN, token=5, title="Who sees whom?")
    assert still.alt.startswith(
        "Who sees whom? Four masks over the row [FR] the dog . [BOS] le chien . [EOS]"
    )
    for words in (
        "decoder-only: one stack, causal: nobody sees the future; a token of the input sees 1 to 4, “[BOS]”",
        "encoder-only: one stack, full: everybody sees everybody; each token sees 9; predicted: “chien”",
        "prefix-LM: one stack: the input is full, the rest is causal; a token of the input sees 4, “[BOS]” 5",
    ):
        assert words in still.alt, words
    assert still.alt.count("Marked: “le” sees 6.") == 3 and "Marked: “le” sees 9." in still.alt
    width, height = still.get_size_inches()
    assert 8.2 <= width <= 10.95 and 6 < height < 9.5, "two and two"
    assert (
        still.png()[:4] == b"\x89PNG"
        and still.png() == family_masks(GIVEN, WRITTEN, token=5, title="Who sees whom?").png()
    )
    names = [text.get_text() for text in still.axes[0].texts]
    for name in (*FAMILIES, "encoder", "cross", "decoder", "query (row)", "key (column)", "[MASK]"):
        assert name in names, name
    longer = family_masks([*GIVEN, *GIVEN], [*WRITTEN, *WRITTEN])
    assert longer.get_size_inches()[0] <= 10.95 and longer.get_size_inches()[1] > height
    renderer = FigureCanvasAgg(still).get_renderer()
    ends = {text.get_text(): text.get_window_extent(renderer).x1 for text in still.axes[0].texts}
    assert max(ends.values()) <= still.bbox.x1, ("words leave the picture", max(ends, key=ends.get))


def test_each_square_names_its_own_rows():
    still = family_masks(GIVEN, WRITTEN, blanks=(6,))
    upright = [text for text in still.axes[0].texts if text.get_rotation() == 0]
    assert sum(text.get_text() == "[MASK]" for text in upright) == 1, "the encoder-only one reads [MASK]"
    assert sum(text.get_text() == "chien" for text in upright) == 3, "the others read the word"
    assert sum(text.get_text() == "[BOS]" for text in upright) == 4


def test_what_is_refused():
    with pytest.raises(ValueError, match="given is empty"):
        scene("prefix-LM", [], WRITTEN)
    with pytest.raises(ValueError, match="blanks is \\[9\\], expected places from 0 to 8"):
        family_masks(GIVEN, WRITTEN, blanks=(9,))
    with pytest.raises(ValueError, match="token is 9, expected a place from 0 to 8"):
        family_masks(GIVEN, WRITTEN, token=9)
    with pytest.raises(ValueError, match="family is 'GPT'"):
        scene("GPT", GIVEN, WRITTEN)
