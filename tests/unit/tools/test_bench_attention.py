"""`bench attention`: the table, its marks, and that both sides of a row compute the same."""

import torch

from course_lib.tools.bench import attention
from course_lib.tools.bench.attention import Row


def fake_rows(ours: float, bound: float = 1.0):
    return lambda: iter([Row("a row", lambda: ours, lambda: 1.0, bound)])


def run(monkeypatch, capsys, ours: float, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(attention, "rows", fake_rows(ours))
    monkeypatch.setattr(attention, "race", lambda ours, theirs, seconds: (ours() * 1e-6, theirs() * 1e-6))
    return attention.main(list(arguments)), capsys.readouterr().out


def test_the_table_marks_what_is_kept_and_what_is_missed(monkeypatch, capsys):
    code, said = run(monkeypatch, capsys, 0.5, "--check")
    assert code == 0 and "0.50   1.00 ✓" in said and "every bound is kept" in said
    code, said = run(monkeypatch, capsys, 1.5, "--check")
    assert code == 1 and "1.50   1.00 ✗" in said and "1 of the bounds missed" in said  # judged with 1 thread
    assert run(monkeypatch, capsys, 1.5)[0] == 0  # without --check the table is all


def test_a_race_runs_by_turns_and_keeps_the_fastest():
    order = []
    ours, theirs = attention.race(lambda: order.append("ours"), lambda: order.append("theirs"), 0.01)
    assert 0 < ours < 1 and 0 < theirs < 1 and {"ours", "theirs"} == set(order)


def test_both_sides_of_a_row_compute_numbers_of_one_shape(monkeypatch):
    """Each row is called once; the rows beside the bare kernel must give the same numbers."""
    monkeypatch.setattr(attention, "LARGE", ((2, 8, 16, 2),))
    torch.manual_seed(0)
    bounds = set()
    for row in attention.rows():
        ours, theirs = row.ours(), row.theirs()
        bounds.add(row.bound)
        if "the kernel" in row.name:
            torch.testing.assert_close(ours, theirs)
        elif ours is not None:
            assert ours.shape == theirs.shape
    assert bounds == {1.5, 1.15, 1.35, 0.7, 1.05}
