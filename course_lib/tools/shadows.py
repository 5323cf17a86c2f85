"""Files of a learner that stand in the way of a module: random.py, torch.py, a folder numpy/.

Python looks into the page's own folder first, then into the course's, and only then where its own modules
and the packages are. A file random.py there is taken for the module random, by every package that needs it:
the kernel does not start, or torch does not load, with an error that does not name the file.
"""

import os
import re
import sys
from functools import cache
from importlib import machinery, metadata
from pathlib import Path

from course_lib.tools import ROOT, versions

# Python's own, but nothing that the course runs needs them: a file test.py does no harm
NOT_NEEDED = {"antigravity", "idlelib", "lib2to3", "test", "this", "turtledemo", "__hello__", "__phello__"}


def in_the_way() -> list[tuple[Path, str]]:
    """Each file or folder that shadows a module which the course needs, and the name of that module."""
    found = []
    searched = folders()
    elsewhere = [place for place in sys.path if place and Path(place).absolute() not in searched]
    for folder in searched:
        for path, name in modules_in(folder):
            if name in sys.stdlib_module_names:
                wanted = name not in NOT_NEEDED
            elif name == "course_lib":
                wanted = folder != ROOT
            elif machinery.PathFinder.find_spec(name, elsewhere) is None:
                wanted = False  # nobody else has this name
            else:
                wanted = name in required_modules()
            if wanted:
                found.append((path, name))
    return found


def lines() -> list[str]:
    """What to tell a learner at the start of the course: nothing, as a rule."""
    return [
        f"{shown(path)} stands in the way of the module `{name}`: pages that need it stop with an error.\n"
        f"    Next: rename {shown(path)}, for example to my_{path.name}, and restart the kernel."
        for path, name in in_the_way()
    ]


def shown(path: Path) -> str:
    """The path as one finds it from the course's folder."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def folders() -> list[Path]:
    """Where Python looks before it looks at its own modules, in a page or at a command."""
    named = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    try:
        here = [Path.cwd()]
    except OSError:  # the folder was deleted under us
        here = []
    places = [ROOT / "my_course", ROOT / "notebooks", ROOT, *here, *map(Path, named)]
    return list(dict.fromkeys(place.absolute() for place in places))


def modules_in(folder: Path) -> list[tuple[Path, str]]:
    """Files and packages in `folder` that can be imported, each with the name under which."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    endings = sorted(machinery.all_suffixes(), key=len, reverse=True)  # .cpython-313-darwin.so before .so
    found = []
    for path in entries:
        ending = next((ending for ending in endings if path.name.endswith(ending)), None)
        if ending:
            found.append((path, path.name.removesuffix(ending)))
        elif (path / "__init__.py").exists():
            found.append((path, path.name))
    return found


@cache
def required_modules() -> set[str]:
    """Names under which the course's packages, and the packages that those need, are imported."""

    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    needed: set[str] = set()
    ahead = [plain(name) for name in versions.ranges()]
    while ahead:
        name = ahead.pop()
        if name in needed:
            continue
        needed.add(name)
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        ahead += [plain(re.match(r"[\w.-]+", one).group()) for one in asked if "extra ==" not in one]
    return {
        module
        for module, packages in metadata.packages_distributions().items()
        if not needed.isdisjoint(map(plain, packages))
    }
