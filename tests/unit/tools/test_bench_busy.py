"""One thread, and threads that do not wait awake: where it is set, who overrules it, the bench."""

import pytest

from course_lib.tools import environment
from course_lib.tools.bench import busy


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "77"}, {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "77"}),
        ({"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": "1000"}),
        ({"OMP_WAIT_POLICY": "active"}, {}),
        ({"OMP_WAIT_POLICY": "active", "OMP_NUM_THREADS": "1"}, {}),
    ],
)
def test_who_has_set_how_threads_wait_keeps_it(monkeypatch, theirs, expected):
    for name in busy.THREADS:
        monkeypatch.delenv(name, raising=False)
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    ours = environment.kernel_variables()
    assert {name: ours[name] for name in busy.THREADS if name in ours} == expected


@pytest.mark.parametrize(("times", "code"), [(2.0, 0), (5.5, 1)])
def test_the_bench_judges_the_course_s_setting(monkeypatch, capsys, times, code):
    """The median of the rounds counts, and what other settings do is shown but not judged."""
    beside, runs = [False], []

    class Neighbours:
        def __init__(self, n):
            assert n == busy.NEIGHBOURS

        def __enter__(self):
            beside[0] = True

        def __exit__(self, *error):
            beside[0] = False

    def run(variables):
        runs.append(variables)
        slow = 40.0 if not variables else times
        odd = 100.0 if len(runs) == 2 else 1.0  # one measurement that a hiccup spoiled
        return {"card game": odd * (slow if beside[0] else 1.0)}

    monkeypatch.setattr(busy, "neighbours", Neighbours)
    monkeypatch.setattr(busy, "_run", run)
    monkeypatch.setenv("GOMP_SPINCOUNT", "1000")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert busy.main([]) == code
    said = capsys.readouterr().out
    assert "the course's setting: OMP_NUM_THREADS=1 GOMP_SPINCOUNT=1000" in said
    assert f"at most {times} times as long" in said and "40.0" in said
    assert {tuple(one) for one in runs} == {(), ("OMP_NUM_THREADS", "GOMP_SPINCOUNT")} and len(runs) == 12


def test_a_training_that_fails_is_told():
    with pytest.raises(SystemExit, match="the training ended with an error"):
        busy._run({"PYTHONHASHSEED": "no number"})  # Python itself refuses to start
