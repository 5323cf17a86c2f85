"""Which packages, in which versions: the pins, the ranges, and what this Python lacks of them.

Standard library only. What is asked is what the packages' metadata says *and* that the files behind it are
there: a removal that was cut short leaves one without the other, and pip believes the metadata.
"""

import importlib
import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path

from course_lib.tools import ROOT

GONE = "whose files are gone"


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version without trailing zeros: '2.13.0+cpu' -> (2, 13)."""
    match = re.match(r"\s*v?(\d+(?:\.\d+)*)", version)
    numbers = [int(part) for part in match.group(1).split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def allows(specifier: str, version: str) -> bool:
    """Whether `version` meets conditions like '>=2.6,<3'. A local part (+cpu) does not count."""
    compare = {
        "==": lambda have, want: have == want,
        "!=": lambda have, want: have != want,
        ">=": lambda have, want: have >= want,
        "<=": lambda have, want: have <= want,
        ">": lambda have, want: have > want,
        "<": lambda have, want: have < want,
    }
    for condition in filter(None, (part.strip() for part in specifier.split(","))):
        match = re.fullmatch(r"(==|!=|>=|<=|>|<)\s*([^\s]+)", condition)
        if not match:
            raise ValueError(
                f"specifier has the condition {condition!r}; expected one like '>=2.6' or '==1.0'"
            )
        if not compare[match.group(1)](release(version), release(match.group(2))):
            return False
    return True


def requirements(lines: Iterable[str]) -> dict[str, str]:
    """Requirement lines as {name: conditions}; comments, options and empty lines are left out."""
    found = {}
    for line in lines:
        line = line.split("#")[0].split(";")[0].strip()
        match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(.*)", line)
        if match and not line.startswith("-"):
            found[match.group(1)] = match.group(2)
    return found


def pins(root: Path = ROOT) -> dict[str, str]:
    """The tested versions: requirements.txt."""
    return requirements((root / "requirements.txt").read_text(encoding="utf-8").splitlines())


def ranges(root: Path = ROOT) -> dict[str, str]:
    """The versions that should work: the dependencies in pyproject.toml."""
    import tomllib

    return requirements(
        tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    )


# -- what this Python has --------------------------------------------------------------------------


def found(name: str) -> tuple[str | None, bool]:
    """(the version of a package here, whether it is sound); (None, True) when the package is missing.

    One that is not sound gives words instead of a version: its metadata stands there without its files, or
    the metadata of two versions stand side by side, and nobody can tell whose files those are.
    """
    here = list(importlib.metadata.distributions(name=name))
    if not here:
        return None, True
    first = here[0]
    beside = [one for one in here if one.locate_file("") == first.locate_file("")]
    versions = sorted({(one.metadata or {}).get("Version") or "without a version" for one in beside})
    if len(versions) > 1:
        return " and ".join(versions) + " at once", False
    if versions == ["without a version"]:
        return versions[0], False
    return (versions[0], True) if has_files(first) else (f"{versions[0]}, {GONE}", False)


def has_files(distribution: importlib.metadata.Distribution) -> bool:
    """Whether the first modules that a package's list of files names are there. Without a list: yes."""
    record = distribution.read_text("RECORD") or ""
    modules = (line.split(",")[0] for line in record.splitlines() if ".py," in line)
    return all(
        Path(distribution.locate_file(one)).exists() for one, _ in zip(modules, range(8), strict=False)
    )


def misfits(wanted: dict[str, str]) -> list[tuple[str, str, str | None]]:
    """What this Python lacks: (name, conditions, what is here or None), in the order of `wanted`."""
    bad = []
    for name, conditions in wanted.items():
        here, sound = found(name)
        if here is None or not sound or not allows(conditions, here):
            bad.append((name, conditions, here))
    return bad


def damaged(wanted: Iterable[str]) -> list[str]:
    """Packages whose metadata and files disagree, each with what is here: pip cannot mend them."""
    looked = ((name, *found(name)) for name in wanted)
    return [f"{name} is {here}" for name, here, sound in looked if not sound]


def modules_of(name: str) -> list[str]:
    """The modules that one imports of a package: 'XStatic-jQuery' -> ['xstatic']."""
    distribution = importlib.metadata.distribution(name)
    named = (distribution.read_text("top_level.txt") or "").split()
    if not named:
        record = distribution.read_text("RECORD") or ""
        places = (line.split(",")[0].split("/") for line in record.splitlines() if ".py," in line)
        named = [place[0].removesuffix(".py") for place in places if len(place) <= 2]
    named = sorted({one for one in named if one.isidentifier() and not one.startswith("_")})
    same = [one for one in named if one.lower() == name.lower().replace("-", "_")]
    return same or named


def broken_imports(wanted: Iterable[str]) -> list[str]:
    """Really import each package of `wanted`; 'torch: OSError: …' for each that fails."""
    bad = []
    for name in wanted:
        try:
            for module in modules_of(name):
                importlib.import_module(module)
        except BaseException as error:  # a broken library may raise anything, SystemExit too
            said = (str(error).strip().splitlines() or [""])[0]
            bad.append(f"{name}: {type(error).__name__}: {said}")
    return bad
