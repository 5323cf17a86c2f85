"""Chapter 09a on real Python: the rows of its record, on a library of a few files; what the record says."""

from pathlib import Path
from statistics import median

import pytest

import course_lib
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
