"""For every test: progress goes to a temporary file, pictures need no screen, and Ctrl-C is heard."""

import os
import signal

import hypothesis
import pytest

# how long one example takes depends on the machine's other work: what must be fast has a test of its own
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")
os.environ.setdefault("MPLBACKEND", "agg")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # so a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_progress_file(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
