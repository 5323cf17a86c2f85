"""For every test: progress goes to a temporary file, pictures need no screen."""

import os

import hypothesis
import pytest

# how long one example takes depends on the machine's other work: what must be fast has a test of its own
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")
os.environ.setdefault("MPLBACKEND", "agg")


@pytest.fixture(autouse=True)
def own_progress_file(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
