"""Chapter 09a on real Python: the rows of its record, on a library of a few files; what the record says."""

from pathlib import Path
from statistics import median

import pytest

import course_lib
from course_lib import experiments
from course_lib.data import python_library
from course_lib.data.python_library import Module
from course_lib.experiments import chapter_09a_python
from course_lib.tasks import python_gpt
from course_lib.tasks.python_gpt import library, scores, writing
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import new_model, train, vary

HERE = Path(course_lib.__file__).parent
TINY = vary(
    python_gpt.RECIPE, d_model=16, n_heads=2, n_layers=1, max_len=32, batch_size=8, steps=3,
    schedule=WarmupStableDecay(1, 1, 3),
)  # fmt: skip
CACHES = (
    library.tokens, library.stream, scores.counted_ngrams,
    chapter_09a_python.shipped, chapter_09a_python.bits_of_the_others,
)  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    """A library of seven files, a recipe of three steps, blocks of a few tokens."""
    found = tuple(
        Module(f"{package}.{name}", (HERE / f"{name}.py").read_text(encoding="utf-8"))
        for package, names in (("json", ("attention", "layers", "checks")), ("html", ("masks", "files")))
        for name in names
    )
    other = new_model(vary(TINY, seed=9))
    monkeypatch.setattr(python_library, "modules", lambda folder=None: found)
    monkeypatch.setattr(python_gpt, "RECIPE", TINY)
    monkeypatch.setattr(python_gpt, "load", lambda: other)
    monkeypatch.setattr(writing, "MAX_TOKENS", 12)
    monkeypatch.setattr(chapter_09a_python, "BLOCKS", 6)
    for kept in CACHES:
        kept.cache_clear()
    yield other
    monkeypatch.undo()
    for kept in CACHES:
        kept.cache_clear()


def test_a_row_has_what_its_model_has(small):
    rows = {row["model"]: row for row in chapter_09a_python.python_rows(0, 3)}
    writers = ("a minute", "shipped", "bigram", "5-gram")
    assert list(rows) == [*writers, *chapter_09a_python.COMPRESSORS, "the library"]
    for name, row in rows.items():
        assert (row["seed"], row["step"]) == (0, 3)
        assert ("bits" in row) == (name != "the library")
        assert ("parses" in row) == ("match" in row) == (name in writers or name == "the library")
        if "parses" in row:
            assert row["parses"] + row["cut"] + row["wrong"] == pytest.approx(1, abs=2e-4)
    learner = new_model(TINY)
    train(learner, TINY, python_gpt.task())
    assert rows["a minute"]["bits"] == pytest.approx(python_gpt.of_gpt(learner), abs=1e-4)
    assert rows["shipped"]["bits"] == pytest.approx(python_gpt.of_gpt(small), abs=1e-4)
    assert rows["5-gram"]["bits"] == pytest.approx(python_gpt.of_ngrams(5), abs=1e-4)
    assert rows["xz"]["bits"] == pytest.approx(
        python_gpt.of_compressors()["xz, kept-away modules alone"], abs=1e-4
    )


def test_matches_are_those_of_each_model_alone(small):
    blocks = {
        "library": python_gpt.real_blocks(4, "training"),
        "nothing": ["§ § § § § § § §"],
        "5-gram": python_gpt.write_blocks(python_gpt.counted_ngrams(5), 3),
    }
    files = python_gpt.training_files()
    found = chapter_09a_python.longest(blocks)
    assert found == {name: python_gpt.longest_matches(some, files) for name, some in blocks.items()}
    assert found["nothing"] == [0] and median(found["library"]) == median(map(len, blocks["library"]))


# ---------------------------------------------------------------- the record


def test_what_a_minute_and_half_an_hour_reach_beside_those_that_count():
    record = experiments.load("python-bits")
    for seed in record.seeds:
        rows = {row["model"]: row for row in record.at(seed=seed)}
        bits = {name: row["bits"] for name, row in rows.items() if "bits" in row}
        order = ("shipped", "xz, after the training modules", "xz", "5-gram", "zlib", "a minute", "bigram")
        assert [bits[name] for name in order] == sorted(bits[name] for name in order)
        assert bits["shipped"] < min(bits[name] for name in bits if name != "shipped") - 0.04
        parses, match = ({name: row.get(what) for name, row in rows.items()} for what in ("parses", "match"))
        assert parses["bigram"] <= parses["5-gram"] < parses["a minute"] <= 0.05
        assert 0.38 < parses["shipped"] < 0.43 and 0.57 < parses["the library"] < 0.63
        assert rows["the library"]["wrong"] == 0
        assert match["5-gram"] > 50 and max(match["shipped"], match["a minute"]) <= match["the library"]
        longest = {name: row.get("longest_match") for name, row in rows.items()}
        assert longest["a minute"] < longest["shipped"] < 1.4 * longest["the library"]


def test_what_no_training_changes_is_made_again():
    record = experiments.load("python-bits")
    if record.about != chapter_09a_python.about():
        pytest.skip("the record is of the library of another Python")
    [bigram], [library] = (record.at(seed=0, model=name) for name in ("bigram", "the library"))
    assert python_gpt.of_ngrams(2) == pytest.approx(bigram["bits"], abs=2e-3)
    shares = python_gpt.judge(python_gpt.real_blocks(chapter_09a_python.BLOCKS, seed=0))
    assert shares._asdict() == pytest.approx({kind: library[kind] for kind in shares._fields}, abs=1e-3)
    again = python_gpt.write_blocks(python_gpt.load(), 40, temperature=chapter_09a_python.TEMPERATURE)
    [shipped] = record.at(seed=0, model="shipped")
    assert python_gpt.judge(again).parses == pytest.approx(shipped["parses"], abs=0.25)
