"""`test`: the parts are counted rightly, and the last line says so."""

import sys
from collections import Counter

import nbformat
import pytest
from door_helpers import house, mini_page, run

from course_lib.tools import Problem, build, testing
from course_lib.tools.testing import Outcome

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="worse"><error message="no"/></testcase>
<testcase classname="a" name="later"><skipped message="no Chromium"/></testcase>
<testcase classname="a" name="later still"><skipped message="no Chromium"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted(tmp_path):
    (tmp_path / "r.xml").write_text(REPORT)
    outcome = testing.read_report("unit", tmp_path / "r.xml", 1)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 2)
    assert outcome.failures == ["a::bad", "a::worse"] and outcome.reasons == {"no Chromium": 2}


def test_a_part_that_dies_counts_as_failed(tmp_path):
    outcome = testing.read_report("unit", tmp_path / "none.xml", -11)
    assert outcome.failed == 1 and "code -11" in outcome.failures[0]
    (tmp_path / "r.xml").write_text('<testsuites><testcase classname="a" name="good"/></testsuites>')
    assert testing.read_report("unit", tmp_path / "r.xml", 2).failed == 1  # stopped before its end
    assert testing.read_report("unit", tmp_path / "r.xml", 0).failed == 0


def test_what_measures_time_runs_alone_and_first(monkeypatch, tmp_path):
    """Two runs, one line of the table; the files without such a test are not even read for the first."""
    (tmp_path / "test_slow.py").write_text("@pytest.mark.alone\ndef test_seconds(): pass\n")
    (tmp_path / "test_quick.py").write_text("def test_quick(): pass\n")
    runs = []

    def pytest(part, targets, scratch, more, variables):
        runs.append((part, [target.name for target in targets], more))
        return Outcome(part, 1, 0, 0, 2.0) if len(runs) % 2 else Outcome(part, 3, 1, 0, 4.0, failures=["bad"])

    monkeypatch.setattr(testing, "pytest", pytest)
    monkeypatch.setattr(testing, "workers", lambda: 2)
    whole = testing.spread("unit", [tmp_path], tmp_path, ["-k", "x"])
    assert whole == Outcome("unit", 4, 1, 0, 6.0, failures=["bad"])
    assert runs[0] == ("unit, alone", ["test_slow.py"], ["-m", "alone", "-k", "x"])
    assert runs[1][1] == [tmp_path.name] and runs[1][2][:4] == ["-n", "2", "--dist", "worksteal"]
    monkeypatch.setattr(testing, "workers", lambda: 1)  # one core: one run, as before
    testing.spread("unit", [tmp_path], tmp_path, [])
    assert runs[2] == ("unit", [tmp_path.name], [])


def test_the_summary_ends_in_the_totals():
    parts = [Outcome("unit", 5, 1, 0, 1.0, failures=["a::bad"]), Outcome("browser", skipped=2)]
    parts[1].reasons = Counter({"no Chromium": 2})
    lines = testing.summary(parts).splitlines()
    assert lines[-1] == "5 passed, 1 failed, 2 skipped"
    assert "failed: unit: a::bad" in lines and "skipped: browser: no Chromium (×2)" in lines


def test_a_whole_run_with_something_of_everything(tmp_path):
    """Good and skipped unit tests, a part that dies, a page with one right and one wrong stored output."""
    root = house(tmp_path / "house")
    page = mini_page(
        root / "notebooks" / "00_start_here.ipynb", "print('sum', 1 + 1)", "print('product', 2 * 3)"
    )
    notebook = nbformat.read(page, as_version=4)
    for cell in notebook.cells[1:]:
        cell.metadata["tags"] = ["nbval-check-output"]
    nbformat.write(notebook, page)
    build.build(page)
    page.write_text(page.read_text(encoding="utf-8").replace("product 6", "product 7"), encoding="utf-8")
    for part in ("unit", "browser", "notebooks"):
        (root / "tests" / part).mkdir(parents=True)
    (root / "tests" / "nbval_sanitize.cfg").write_text("")
    (root / "tests" / "browser" / "test_view.py").write_text("def test_view(): pass\n")
    (root / "tests" / "notebooks" / "test_guard.py").write_text("import os\ndef test_dies(): os._exit(9)\n")
    (root / "tests" / "unit" / "test_unit.py").write_text(
        "import os, pytest\n"
        "def test_good(): assert os.environ['COURSE_PROGRESS'] and 'PYTHONPATH' in os.environ\n"
        "@pytest.mark.skip(reason='too dark')\ndef test_later(): pass\n"
    )
    command = [sys.executable, str(root / "course_lib"), "test", "--here"]
    said = run(command, tmp_path, {"CHROMIUM_PATH": str(tmp_path / "none")})
    lines = said.stdout.strip().splitlines()
    assert said.returncode == 1, said.stdout + said.stderr
    assert lines[-1] == "2 passed, 2 failed, 2 skipped"
    assert "failed: page guards: pytest itself ended with code 9 and left no report" in lines
    assert any(line.startswith("failed: page 00: ") for line in lines)
    assert "skipped: unit: too dark" in lines
    assert (
        "skipped: browser: no Chromium or Chrome found (install it, or set CHROMIUM_PATH to its program)"
        in lines
    )


@pytest.mark.parametrize(("passed", "failed", "code"), [(3, 0, 0), (3, 1, 1), (0, 0, 1)])
def test_the_exit_code(monkeypatch, capsys, passed, failed, code):
    """Zero when something passed and nothing failed: a run that tested nothing is no success."""
    monkeypatch.setattr(testing, "STEPS", {"unit": lambda *_: [Outcome("unit", passed, failed)]})
    assert testing.main(["unit", "--here"]) == code
    assert capsys.readouterr().out.endswith(f"\n{passed} passed, {failed} failed, 0 skipped\n")


def test_words_that_cannot_be_read_are_said_once(monkeypatch):
    monkeypatch.setattr(testing, "STEPS", {})
    with pytest.raises(Problem, match=r"^-k '\(' cannot be read: .*\nNext: name parts of tests' names"):
        testing.main(["unit", "--here", "-k", "("])
    testing.check_words("chat and not (story or own)")


def test_a_name_that_no_test_has(monkeypatch, capsys):
    none = Counter([testing.NONE_FOUND])
    parts = [Outcome("page 00", skipped=1, reasons=none), Outcome("page 01", skipped=1, reasons=none)]
    monkeypatch.setattr(testing, "STEPS", {"notebooks": lambda *_: parts})
    with pytest.raises(Problem, match=r"^No test has that name\.\n"):
        testing.main(["notebooks", "--here", "-k", "zzz"])
    assert testing.NONE_FOUND not in capsys.readouterr().out
    parts.append(Outcome("page 02", passed=2))
    assert testing.main(["notebooks", "--here", "-k", "zzz"]) == 0
    said = capsys.readouterr().out
    assert testing.NONE_FOUND not in said and said.endswith("\n2 passed, 0 failed, 0 skipped\n")


def test_an_unknown_part_is_named():
    said = run([sys.executable, "-m", "course_lib", "test", "units"], testing.ROOT)
    assert said.returncode == 2 and "the parts are unit, notebooks, browser" in said.stderr
