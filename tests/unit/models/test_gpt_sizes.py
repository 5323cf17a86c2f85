"""GPT-1 to GPT-4: parameters counted from the printed shapes, and what is said to be unpublished is."""

import pytest

from course_lib.data import gpt_history
from course_lib.data.gpt_history import GPT_1, GPT_2, GPT_3, GPT_4, MODELS
from course_lib.models.gpt import GPTConfig
from course_lib.models.gpt_sizes import counted, shape, table


def test_the_shapes_give_these_parameters():
    assert counted(GPT_1) == 116_534_784
    assert [counted(model) for model in GPT_2] == [124_439_808, 354_823_168, 774_030_080, 1_557_611_200]
    assert [round(counted(model) / 1e6) for model in GPT_3] == [
        125, 356, 760, 1_316, 2_652, 6_658, 12_953, 174_604,
    ]  # fmt: skip
    assert counted(GPT_4) is shape(GPT_4) is None


def test_a_count_from_a_shape_is_that_of_a_built_model():
    """The largest that is quickly built; by formula the same holds for all (see `test_gpt`)."""
    assert shape(GPT_2[0]) == GPTConfig()
    built = sum(p.numel() for p in shape(GPT_2[0]).build().parameters())
    assert built == counted(GPT_2[0])


def test_printed_and_counted_agree_but_for_gpt_2():
    for model in GPT_3:
        assert counted(model) / 1e6 == pytest.approx(model.printed, rel=0.02), model.name
    for model in GPT_2:
        off = counted(model) / 1e6 - model.printed
        assert 7 < off < 16, model.name  # every one printed too small
    assert round(counted(GPT_1) / 1e6) == GPT_2[0].printed  # the size of the model before it


def test_the_misprints_of_table_2_1_are_kept():
    odd = [model.name for model in GPT_3 if model.n_heads * model.d_k != model.d_model]
    assert odd == ["GPT-3 XL", "GPT-3 13B"]


def test_every_model_has_a_paper_and_every_paper_says_all():
    papers = {paper.name: paper for paper in gpt_history.PAPERS}
    for model in MODELS:
        assert papers[model.name[:5]].year == model.year
    for paper in gpt_history.PAPERS:
        assert all((paper.data, paper.new, paper.not_published, paper.sources))
    assert "size" in papers["GPT-4"].not_published and papers["GPT-4"].data.startswith("not published")


def test_the_table_shows_both_counts_and_a_dash_for_what_is_not_published():
    lines = table().splitlines()
    assert len(lines) == 1 + len(MODELS) and len({len(line) for line in lines}) == 1
    said = {line[:13].strip(): line[13:].split() for line in lines[1:]}
    assert said["GPT-2 small"] == ["2019", "12", "768", "12", "1024", "117", "M", "124.4", "M"]
    assert said["GPT-3 175B"] == ["2020", "96", "12288", "96", "2048", "175", "B", "174.6", "B"]
    assert said["GPT-1"] == ["2018", "12", "768", "12", "512", "–", "116.5", "M"]
    assert said["GPT-4"] == ["2023", *"––––––"]
