"""Which tests a change can have touched: what `test --changed` runs.

A test file depends on the modules and files that its text names, and on what those import, directly or not;
so does a page. Where that cannot be told (the settings of all tests, a file that is gone, a file that nobody
names) everything runs: a test too many costs a minute, a test too few costs the trust in all of them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from course_lib.tools import ROOT, Problem

FOR_ALL = ("pyproject.toml", "requirements.txt", "tests/conftest.py", "course_lib/__init__.py")
ALL_TESTS = "type python3 -m course_lib test."
HOUSE = "test_house.py"  # style and imports of every Python file
PAGES_IN_BROWSER = "test_browser_pages.py"  # one test a page
OUR_PAGES = r"(?<![a-z] / )[\"']notebooks[\"']|originals\(\)"  # `root / "notebooks"` is a made-up course
DOOR = ("course_lib.__main__", "course_lib.files", "course_lib.chapters")  # beside course_lib.tools


def files(since: str | None = None, root: Path = ROOT) -> list[str]:
    """What differs from `since` (a commit; else where this branch left its upstream or main), new files too.

    Returns paths relative to `root`. Raises Problem where git cannot tell.
    """
    if not shutil.which("git"):
        raise Problem("git is not installed, so nothing tells what changed.", ALL_TESTS)
    top = git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top[0]).resolve() != root.resolve():
        raise Problem("This folder is not a git clone, so nothing tells what changed.", ALL_TESTS)
    base = since
    for upstream in () if since else ("@{upstream}", "origin/main", "main"):
        if found := git(root, "merge-base", "HEAD", upstream):
            base = found[0]
            break
    if base is None or git(root, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") is None:
        raise Problem(
            f"There is no commit {since!r} here." if since else "There is no branch to compare with here.",
            "name the commit to compare with: --since HEAD~1, or --since a branch.",
        )
    changed = git(root, "diff", "--name-only", "--no-renames", "-z", base)
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({*(changed or []), *(new or [])})


def explained(changed: list[str], wanted: dict[str, str] | None) -> str:
    """What was chosen and why, a line each."""
    if wanted is None:
        why = next((file for file in changed if file in FOR_ALL), "what one of them touches cannot be told")
        return f"{counted(len(changed))} changed: every test ({why})"
    return "\n".join(
        [f"{counted(len(changed))} changed: {len(wanted)} test files and pages, and the guards of the pages"]
        + [f"  {one:<44} {why}" for one, why in sorted(wanted.items())]
    )


def counted(files: int) -> str:
    return f"{files} file{'s' * (files != 1)}"


def git(root: Path, *arguments: str) -> list[str] | None:
    """The lines (or, after -z, the names) that git prints; None when it fails or is missing."""
    try:
        run = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, encoding="utf-8")
    except OSError:
        return None
    return None if run.returncode else [line for line in re.split("[\0\n]", run.stdout) if line]


class Course:
    """Every module, test file and page under `root`, and what depends on what."""

    def __init__(self, root: Path = ROOT):
        self.root = root
        self.tests = sorted((root / "tests").rglob("test_*.py"))
        self.pages = sorted((root / "notebooks").glob("[0-9][0-9]*_*.ipynb"))

    @cached_property
    def modules(self) -> dict[str, set[str]]:
        """Each module with those that it imports, and the packages around it, whose `__init__` runs too."""
        import grimp

        graph = grimp.build_graph("course_lib", cache_dir=None)
        return {
            name: graph.find_modules_directly_imported_by(name) | set(packages_of(name))
            for name in graph.modules
        }

    def reach(self, modules: Iterable[str]) -> set[str]:
        """These modules and all that they import, directly or not."""
        seen, ahead = set(), list(modules)
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += self.modules[name]
        return seen

    def named(self, text: str) -> set[str]:
        """The modules that a test or a page names: in its imports, or in code that it holds as text."""
        names = set(re.findall(r"\bcourse_lib(?:\.\w+)+", text))
        for package, imported in re.findall(
            r"from (course_lib[\w.]*) import \(?([\w, \t\n\\\"]+)", text.replace("\\n", "\n")
        ):
            names |= {package} | {f"{package}.{name}" for name in re.findall(r"\w+", imported)}
        found = set()
        for name in names - {"course_lib"}:
            while name not in self.modules:  # a function's name, or an attribute
                name = name.rpartition(".")[0]
            found.add(name)
        return found - {"course_lib"}

    def text_of(self, path: Path) -> str:
        """A page's text; a test's with that of the helpers beside it or above it, which it imports."""
        text = path.read_text(encoding="utf-8")
        for folder in path.parents if path in self.tests else ():
            if folder == self.root:
                break
            for helper in folder.glob("*.py"):
                used = helper.stem == "conftest" or re.search(rf"^(from|import) {helper.stem}\b", text, re.M)
                if used and not helper.name.startswith("test_"):
                    text += "\n" + helper.read_text(encoding="utf-8")
        return text

    def needs(self, path: Path) -> set[str]:
        """All modules on which a test file or a page depends."""
        text = self.text_of(path)
        needed = self.reach(self.named(text))
        if re.search(r"[\"']course_lib[\"']", text):  # it starts the door or copies it
            needed |= {name for name in self.modules if name.startswith("course_lib.tools") or name in DOOR}
        return needed

    def module_of(self, file: str) -> set[str] | None:
        """The modules that a file of the library is, or belongs to (a script, a style); None: it is gone."""
        place = Path(file)
        if place.suffix == ".py":
            parts = place.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            return {name} if name in self.modules and (self.root / place).exists() else None
        package = place.parent
        while not (self.root / package / "__init__.py").exists():
            package = package.parent
        name = ".".join(package.parts)
        return {one for one in self.modules if one == name or one.startswith(f"{name}.")}

    def naming(self, file: str) -> set[Path]:
        """The modules, tests and pages whose text names a file, or the folder in which it lies."""
        place = Path(file)
        words = [rf"\b{re.escape(place.name)}\b", rf"[\"'/]{re.escape(place.stem)}[\"']"]
        if len(place.parts) > 2:
            words.append(rf"[\"'/]{re.escape(place.parent.name)}[\"'/]")
        here = [*(self.root / "course_lib").rglob("*.py"), *self.tests, *self.pages]
        return {path for path in here if re.search("|".join(words), path.read_text(encoding="utf-8"))}

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def touched(self, changed: Iterable[str]) -> dict[str, str] | None:
        """What to run after a change of these files: each test file or page with one file that is the reason.

        A page in the browser is one test of its file (`FILE::TEST[PAGE]`). None means everything.
        """
        modules: dict[str, str] = {}  # changed module → the file
        chosen: dict[str, str] = {}
        for file in changed:
            place = Path(file)
            if file in FOR_ALL:
                return None
            if place.parts[0] == "tests":
                if not place.name.startswith("test_"):  # helpers, and settings, of the tests around them
                    pages = self.pages if place.suffix == ".cfg" else []
                    around = self.root / place.parent
                    for path in [t for t in self.tests if around in t.parents] + pages:
                        chosen.setdefault(self.relative(path), file)
                elif (self.root / place).exists():
                    chosen.setdefault(file, file)
            elif place.parts[0] == "notebooks":
                if (self.root / place).exists():
                    chosen.setdefault(file, file)
            elif place.parts[0] == "course_lib":
                its = self.module_of(file)
                if its is None:
                    return None
                modules |= {name: file for name in its if name not in modules}
            elif place.parts[0] == "assets" or place.suffix == ".md":
                naming = self.naming(file)
                if not naming:
                    return None
                for path in naming:
                    if path in self.tests or path in self.pages:
                        chosen.setdefault(self.relative(path), file)
                    else:
                        modules |= {
                            n: file for n in self.module_of(self.relative(path)) or () if n not in modules
                        }
            # what is left (a licence, the settings of CI) is read by the guards, which always run
        return self._with_dependents(modules, chosen)

    def _with_dependents(self, modules: dict[str, str], chosen: dict[str, str]) -> dict[str, str]:
        """The chosen files, and all that depend on the changed modules or on a chosen page."""
        for path in [*self.pages, *self.tests]:
            name = self.relative(path)
            if name in chosen:
                continue
            if path.name == HOUSE and (modules or any(one.endswith(".py") for one in chosen)):
                chosen[name] = next(iter([*modules.values(), *chosen.values()]))
            elif reasons := self.needs(path) & modules.keys():
                chosen[name] = modules[min(reasons)]
        pages = {name: why for name, why in chosen.items() if name.startswith("notebooks/")}
        for path in self.tests:
            name = self.relative(path)
            if not pages or name in chosen or not re.search(OUR_PAGES, path.read_text(encoding="utf-8")):
                continue
            if path.name == PAGES_IN_BROWSER:
                chosen |= {
                    f"{name}::test_a_page_as_stored_and_run[{Path(page).stem}]": why
                    for page, why in pages.items()
                }
            else:
                chosen[name] = next(iter(pages.values()))
        return chosen


def packages_of(module: str) -> list[str]:
    """The packages around a module, whose `__init__` runs when it is imported; course_lib's own is empty."""
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(2, len(parts))]
