"""`python3 -m course_lib test [unit|notebooks|browser]`: every test, one summary.

Each part is a pytest of its own process, so that one part cannot break another. Their reports (JUnit XML)
are read for the table at the end; the last line is `N passed, N failed, N skipped`.

All cores work, each on tests of its own with one torch thread: pytest-xdist deals out the unit tests and the
browser tests, and as many pages run at once. That is faster than one test with all threads, since most of
the course's matrices are too small to be shared. Tests that measure time (marked `alone`) come first, with
nothing beside them.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.chapters import number_of
from course_lib.tools import ROOT, Problem, changed, environment, installing, pages, parser, versions
from course_lib.tools.chromium import find_chromium

PARTS = ("unit", "notebooks", "browser")
CELL_SECONDS = 300  # one cell of a page, on a slow machine
GIGABYTES_EACH = 1.5  # memory for one more worker: a page may take 1.2
MOST_WORKERS = 4
UNTOUCHED = "nothing that changed can touch it"
NOTHING = 5  # pytest's exit code where it found no test
NONE_FOUND = "no tests were found"


@dataclass
class Outcome:
    """What one part gave: counts, seconds, why tests were skipped, which failed."""

    part: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reasons: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    asked = parser("test")
    asked.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all of them when none is named)"
    )
    asked.add_argument(
        "--here", action="store_true", help="test with this Python as it is, whatever its versions"
    )
    asked.add_argument("--wheels", metavar="FOLDER", help="install from a folder of wheels, with no network")
    asked.add_argument(
        "--changed", action="store_true", help="only what can be touched by what you changed (git tells)"
    )
    asked.add_argument("--since", metavar="COMMIT", help="the same, compared with this commit")
    asked.add_argument("-k", metavar="WORDS", help="only tests whose name matches (pytest's -k)")
    options = asked.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            asked.error(f"there is no part {part!r}; the parts are {', '.join(PARTS)}")
    installing.check_wheels(options.wheels)
    files = changed.files(options.since) if options.changed or options.since else None
    if options.here:
        os.environ.update(environment.kernel_variables())
    else:
        environment.ensure(versions.pins(), ["test", *arguments], options.wheels)

    chosen = [part for part in PARTS if part in options.parts or not options.parts]
    wanted = None
    check_words(options.k)
    if files is not None:
        if not files:
            print("Nothing has changed: no test to run.")
            return 0
        wanted = changed.Course().touched(files)
        print(changed.explained(files, wanted), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = []
        for part in chosen:
            outcomes += STEPS[part](Path(scratch), ["-k", options.k] if options.k else [], wanted)
    if options.k:  # a part in which no test has that name is left out
        outcomes = [one for one in outcomes if NONE_FOUND not in one.reasons]
        if not outcomes:
            raise Problem("No test has that name.", "name a part of a test's name: -k chat, for example.")
    print(summary(outcomes), flush=True)
    return 1 if any(o.failed for o in outcomes) or not any(o.passed for o in outcomes) else 0


def check_words(words: str | None) -> None:
    """Raise Problem where pytest could not read -k: each of its workers would say so at length."""
    from _pytest.mark.expression import Expression

    try:
        Expression.compile(words or "any")
    except Exception as error:  # of which class depends on pytest's version
        raise Problem(
            f"-k {words!r} cannot be read: {error}.",
            'name parts of tests\' names, with and, or, not and brackets: -k "chat and not story".',
        ) from None


# -- the parts -------------------------------------------------------------------------------------


def workers() -> int:
    """How many tests can run at once on this machine: its cores, as far as its memory goes."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fit = psutil.virtual_memory().total / 2**30 // GIGABYTES_EACH
    return max(1, min(cores, int(fit), MOST_WORKERS))


def under(folder: str, wanted: Iterable[str] | None) -> list[Path]:
    """What to give to pytest: the whole folder, or those of the wanted tests that lie in it."""
    chosen = [folder] if wanted is None else [one for one in wanted if one.startswith(f"{folder}/")]
    return [ROOT / one for one in chosen]


def unit(scratch: Path, more: list[str], wanted: Iterable[str] | None = None) -> list[Outcome]:
    targets = under("tests/unit", wanted)
    if not targets:
        return [skipped("unit", UNTOUCHED)]
    return [spread("unit", targets, scratch, more)]


def notebooks(scratch: Path, more: list[str], wanted: Iterable[str] | None = None) -> list[Outcome]:
    """The guards of the stored pages; then nbval runs each page in a fresh kernel, with fresh progress.

    Cells tagged nbval-check-output must give the stored output.
    """
    outcomes = [pytest("page guards", [ROOT / "tests" / "notebooks"], scratch, more)]
    flags = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        "-o",
        "filterwarnings=",  # nbval's own warnings are not ours to mend; the pages run in their kernels
    ]
    if not pages.originals():
        return [*outcomes, skipped("pages", "there are no pages in notebooks/ yet")]
    found = [page for page in pages.originals() if wanted is None or f"notebooks/{page.name}" in wanted]
    with ThreadPoolExecutor(workers()) as pool:
        many = workers() > 1

        def run(page: Path) -> Outcome:
            return pytest(f"page {number_of(page.name)}", [page], scratch, flags + more, at_once=many)

        return outcomes + list(pool.map(run, found))


def browser(scratch: Path, more: list[str], wanted: Iterable[str] | None = None) -> list[Outcome]:
    if not any((ROOT / "tests" / "browser").glob("test_*.py")):
        return [skipped("browser", "there are no browser tests yet")]
    targets = under("tests/browser", wanted)
    if not targets:
        return [skipped("browser", UNTOUCHED)]
    chromium = find_chromium()
    if chromium is None:
        return [
            skipped(
                "browser", "no Chromium or Chrome found (install it, or set CHROMIUM_PATH to its program)"
            )
        ]
    return [spread("browser", targets, scratch, more, {"CHROMIUM_PATH": chromium})]


STEPS = {"unit": unit, "notebooks": notebooks, "browser": browser}


def skipped(part: str, reason: str) -> Outcome:
    print(f"\n== {part}: skipped: {reason}", flush=True)
    return Outcome(part, skipped=1, reasons=Counter([reason]))


def spread(
    part: str, targets: list[Path], scratch: Path, more: list[str], variables: dict[str, str] | None = None
) -> Outcome:
    """Run pytest on `targets` with all workers, and before that, alone, the tests that measure time."""
    many = workers()
    if many == 1:
        return pytest(part, targets, scratch, more, variables)
    files = [
        file for target in targets for file in (target.rglob("test_*.py") if target.is_dir() else [target])
    ]
    timed = [file for file in files if file.is_file() and "mark.alone" in file.read_text(encoding="utf-8")]
    outcomes = []
    if timed:
        outcomes.append(pytest(f"{part}, alone", timed, scratch, ["-m", "alone", *more], variables))
    dealt = ["-n", str(many), "--dist", "worksteal", "-m", "not alone", *more]
    outcomes.append(pytest(part, targets, scratch, dealt, variables))
    return together(part, [one for one in outcomes if NONE_FOUND not in one.reasons] or outcomes[-1:])


def together(part: str, outcomes: list[Outcome]) -> Outcome:
    """Several runs of one part as one line of the table."""
    whole = Outcome(part)
    for one in outcomes:
        whole.passed, whole.failed = whole.passed + one.passed, whole.failed + one.failed
        whole.skipped, whole.seconds = whole.skipped + one.skipped, whole.seconds + one.seconds
        whole.reasons += one.reasons
        whole.failures += one.failures
    return whole


def pytest(
    part: str,
    targets: list[Path],
    scratch: Path,
    more: list[str],
    variables: dict[str, str] | None = None,
    at_once: bool = False,
) -> Outcome:
    """Run pytest on `targets` in a process of its own and read its report.

    `at_once`: others run at the same time, so it has one thread, and what it prints comes in one piece.
    """
    title = f"\n== {part}"
    if not at_once:
        print(title, flush=True)
    report = scratch / f"{part.replace(' ', '-').replace(',', '')}.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={ROOT}",
        f"--junitxml={report}",
    ]
    idle = "hypothesispytest" if "--nbval-lax" in more else "nbval"  # takes a second or more to load
    command += ["-p", f"no:{idle}", *more, *map(str, targets)]
    environ = {
        **os.environ,
        **environment.kernel_variables(),
        "COURSE_PROGRESS": str(report.with_suffix(".progress.json")),
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"OMP_NUM_THREADS": "1"} if at_once or "-n" in more else {}),
        **(variables or {}),
    }
    start = time.monotonic()
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if at_once else {}
    run = subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, **said)
    if at_once and run.returncode != NOTHING:
        print(f"{title}\n{run.stdout.decode('utf-8', 'replace')}", end="", flush=True)
    outcome = read_report(part, report, run.returncode)
    outcome.seconds = time.monotonic() - start
    return outcome


def read_report(part: str, report: Path, code: int) -> Outcome:
    """The counts of a JUnit report; pytest's exit code `code` tells the cases in which there is none."""
    if code == NOTHING:
        return Outcome(part, skipped=1, reasons=Counter([NONE_FOUND]))
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))
    except (OSError, ET.ParseError):
        return Outcome(part, failed=1, failures=[f"pytest itself ended with code {code} and left no report"])
    outcome = Outcome(part)
    for case in cases:
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
            outcome.failures.append(name)
        elif skip is not None:
            outcome.skipped += 1
            outcome.reasons[skip.get("message") or "no reason given"] += 1
        else:
            outcome.passed += 1
    if code and not outcome.failed:
        outcome.failed += 1
        outcome.failures.append(f"pytest ended with code {code} (stopped before the end?)")
    return outcome


# -- the summary -----------------------------------------------------------------------------------


def summary(outcomes: list[Outcome]) -> str:
    """The table of all parts, the failed tests, the reasons for skipping, the totals on the last line."""
    lines = ["", f"{'part':<13} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}"]
    for o in outcomes:
        lines.append(f"{o.part:<13} {o.passed:>7} {o.failed:>7} {o.skipped:>8} {o.seconds:>8.1f}")
    for o in outcomes:
        lines += [f"failed: {o.part}: {name}" for name in o.failures]
    for o in outcomes:
        for reason, count in o.reasons.items():
            lines.append(f"skipped: {o.part}: {reason}" + (f" (×{count})" if count > 1 else ""))
    total = [sum(getattr(o, what) for o in outcomes) for what in ("passed", "failed", "skipped")]
    lines += ["", "{} passed, {} failed, {} skipped".format(*total)]
    return "\n".join(lines)
