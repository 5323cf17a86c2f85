"""`bench bpe`: the table, its marks, and that the three learn the same."""

import pytest

from course_lib.tools.bench import bpe
from course_lib.tools.bench.bpe import Seconds

GOOD = {
    "learn": Seconds(0.02, 0.01),
    "learn from a part": Seconds(0.02, 0.01, 0.9),
    "encode, words known": Seconds(0.002, 0.05),
    "encode 100,000 letters": Seconds(0.5, 0.1),
}


def run(monkeypatch, capsys, rows: dict[str, Seconds], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(bpe, "measure", lambda text, vocab_size: GOOD | rows)
    return bpe.main(["--characters", "10000", *arguments]), capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({}, "45.00   at least 30 ✓"),
        ({"learn": Seconds(0.2, 0.01)}, "at most 10 ✗ (aim 3)"),
        ({"learn from a part": Seconds(0.02, 0.01, 0.5)}, "25.00   at least 30 ✗"),
        ({"encode, words known": Seconds(0.02, 0.05)}, "at least 1 ✗ (aim 3)"),
        ({"encode 100,000 letters": Seconds(6.0, 0.1)}, "6.00   at most 5 ✗"),
    ],
)
def test_each_bound_can_be_kept_and_missed(monkeypatch, capsys, rows, said):
    code, out = run(monkeypatch, capsys, rows, "--check")
    assert code == bool(rows) and said in out and out.count("✗") == len(rows) and "nan" not in out
    assert run(monkeypatch, capsys, rows)[0] == 0  # without --check the table is all


def test_all_three_do_the_same_work(monkeypatch):
    text = bpe.python_library.text(max_characters=20_000)
    rows = bpe.measure(text, 400)
    assert all(0 < seconds < 60 for row in rows.values() for seconds in row if seconds == seconds)
    encoded = ["encode, the first time", "encode, words known", "encode 100,000 letters"]
    assert list(rows) == ["learn", "learn from a part", *encoded]
    monkeypatch.setattr(bpe, "textbook", lambda text, vocab_size: [(1, 2)])
    with pytest.raises(RuntimeError, match="the merges differ"):
        bpe.measure("abab " * 20, 600)
