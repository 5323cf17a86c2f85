"""`python3 -m course_lib test [unit|notebooks|browser]`: every test, one summary.

Each part is a pytest of its own process, so that one part cannot break another. Their reports (JUnit XML)
are read for the table at the end; the last line is `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.tools import ROOT, environment, pages, parser
from course_lib.tools.chromium import find_chromium

PARTS = ("unit", "notebooks", "browser")
CELL_SECONDS = 300  # one cell of a page, on a slow machine


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
    asked.add_argument("-k", metavar="WORDS", help="only tests whose name matches (pytest's -k)")
    options = asked.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            asked.error(f"there is no part {part!r}; the parts are {', '.join(PARTS)}")
    if options.here:
        os.environ.update(environment.kernel_variables())
    else:
        environment.ensure(environment.pins(), ["test", *arguments], options.wheels)

    chosen = [part for part in PARTS if part in options.parts or not options.parts]
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = []
        for part in chosen:
            outcomes += STEPS[part](Path(scratch), ["-k", options.k] if options.k else [])
    print(summary(outcomes), flush=True)
    return 1 if any(o.failed for o in outcomes) or not any(o.passed for o in outcomes) else 0


# -- the parts -------------------------------------------------------------------------------------


def unit(scratch: Path, more: list[str]) -> list[Outcome]:
    return [pytest("unit", [ROOT / "tests" / "unit"], scratch, more)]


def notebooks(scratch: Path, more: list[str]) -> list[Outcome]:
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
    for page in pages.originals():
        outcomes.append(pytest(f"page {page.name[:2]}", [page], scratch, flags + more))
    return (
        outcomes
        if len(outcomes) > 1
        else [*outcomes, skipped("pages", "there are no pages in notebooks/ yet")]
    )


def browser(scratch: Path, more: list[str]) -> list[Outcome]:
    folder = ROOT / "tests" / "browser"
    if not any(folder.glob("test_*.py")):
        return [skipped("browser", "there are no browser tests yet")]
    chromium = find_chromium()
    if chromium is None:
        return [
            skipped(
                "browser", "no Chromium or Chrome found (install it, or set CHROMIUM_PATH to its program)"
            )
        ]
    return [pytest("browser", [folder], scratch, more, {"CHROMIUM_PATH": chromium})]


STEPS = {"unit": unit, "notebooks": notebooks, "browser": browser}


def skipped(part: str, reason: str) -> Outcome:
    print(f"\n== {part}: skipped: {reason}", flush=True)
    return Outcome(part, skipped=1, reasons=Counter([reason]))


def pytest(
    part: str, targets: list[Path], scratch: Path, more: list[str], variables: dict[str, str] | None = None
) -> Outcome:
    """Run pytest on `targets` in a process of its own and read its report."""
    print(f"\n== {part}", flush=True)
    report = scratch / f"{part.replace(' ', '-')}.xml"
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
    command += [*more, *map(str, targets)]
    environ = {
        **os.environ,
        **environment.kernel_variables(),
        "COURSE_PROGRESS": str(report.with_suffix(".progress.json")),
        "PYTHONDONTWRITEBYTECODE": "1",
        **(variables or {}),
    }
    start = time.monotonic()
    code = subprocess.call(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL)
    outcome = read_report(part, report, code)
    outcome.seconds = time.monotonic() - start
    return outcome


def read_report(part: str, report: Path, code: int) -> Outcome:
    """The counts of a JUnit report; pytest's exit code `code` tells the cases in which there is none."""
    if code == 5:
        return Outcome(part, skipped=1, reasons=Counter(["no tests were found"]))
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
