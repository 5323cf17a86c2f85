"""The Transformer as a still: its numbers are those of its table, its plan fits every width."""

import pytest

from course_lib.families import FAMILIES, Sizes, describe
from course_lib.viz.diagrams import architecture
from course_lib.viz.diagrams.architecture import counted
from course_lib.viz.diagrams.blueprint import plan
from course_lib.viz.still import SMALL

SIZES = Sizes(
    d_model=64, n_heads=4, d_ff=96, encoder_layers=2, decoder_layers=3, norm_first=True, final_norm=True
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_box_has_its_count_and_what_is_missing_is_pale(family):
    described = describe(SIZES, family, (2, 5, 7))
    still = architecture(described)
    texts = [text.get_text() for text in still.axes[0].texts]
    assert all(text.get_fontsize() >= SMALL for text in still.axes[0].texts)
    missing = sum(box.key not in counted(described) for box in plan(True).boxes)
    hidden = 0 if family == "encoder-only" else 2  # the scores of an encoder alone
    assert texts.count("—") == missing - hidden
    assert ("16,640 × 3" in texts) == ("decoder" in FAMILIES[family].masks)
    assert texts.count("16,640 × 3") == {"encoder-decoder": 2, "encoder-only": 0}.get(family, 1)
    assert f"{described.total:,} parameters" in still.alt and family in still.alt
    assert ("What this family does not have is pale." in still.alt) == (family != "encoder-decoder")
    assert ("cross-attention 16,640 × 3" in still.alt) == (family == "encoder-decoder")
    assert "The norm stands before each sub-layer." in still.alt
    assert ("Masked attention" in texts) == (family != "encoder-only")
    letters = {
        "encoder-decoder": "S=5 source and T=7 target positions.",
        "encoder-only": "B=2 texts, S=5 positions.",
    }
    one_row = "S=5 source and T=7 target positions, one row of N = S + T = 12."
    assert any(text.endswith(letters.get(family, one_row)) for text in texts)
    assert ("(B=2, N=12)" in texts) == (FAMILIES[family].reads == "both")
    assert not any("T=12" in text for text in texts), "T is one number in a picture"


@pytest.mark.parametrize("norm_first", [False, True])
def test_letters_below_an_attention_keep_off_its_edge_and_off_the_line(norm_first):
    picture, half = plan(norm_first), 5.5  # half the height of a letter, in pixels
    boxes = {box.key: box.y for box in picture.boxes}
    below = [sign for sign in picture.signs if sign.kind != "plus" and sign.y < boxes[sign.needs]]
    assert [sign.text for sign in below] == [*"QKV"] * 2 + ["Q"]
    for sign in below:
        line = max(y for road in picture.roads if road.to == sign.needs and road.kind == "query"
                   for _, y in road.points if y < sign.y)  # fmt: skip
        assert sign.y + half < boxes[sign.needs] - 4 and sign.y - half > line + 2


def test_the_base_model_and_equal_bytes():
    still = architecture()
    assert "63,082,496 parameters" in still.alt and "4,204,032 parameters each" in still.alt
    assert "(B=2, T=7, V=37000)" in still.alt and still.png() == architecture().png()


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_boxes_of_a_plan_do_not_touch(norm_first, narrow):
    picture = plan(norm_first, narrow)
    assert len(picture.boxes) == 10 + 12 and len({box.key for box in picture.boxes}) == 22
    assert picture.height == plan(not norm_first, narrow).height, "the switch moves nothing below the picture"
    for width in (260, 360) if narrow else (720, 1000):
        sides = {box.key: [x[0] * width + x[1] for x in (box.left, box.right)] for box in picture.boxes}
        for box in picture.boxes:
            left, right = sides[box.key]
            assert 0 <= left < right <= width and right - left > 170
            assert box.y >= 0 and box.y + box.height <= picture.height
            for other in picture.boxes:
                beside = sides[other.key][0] >= right or left >= sides[other.key][1]
                apart = other.y >= box.y + box.height or box.y >= other.y + other.height
                assert other is box or beside or apart, (box.key, other.key)
    keys = {box.key for box in picture.boxes}
    assert {road.needs for road in picture.roads} | {road.to for road in picture.roads} <= keys
    order = [box.key for box in sorted(picture.boxes, key=lambda box: box.y) if "decoder.self" in box.key]
    assert order == ["decoder.self_norm", "decoder.self_attention"][:: 1 if norm_first else -1]
