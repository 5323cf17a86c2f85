"""Real text that every reader has on disk: the source of Python's own standard library.

About eleven megabytes, written by many people over thirty years: code, comments, English. Nothing is
downloaded and nothing is handed on: the files are read where Python itself keeps them. They differ from
version to version, so what is measured on them is given as a range.

Left out: the library's tests, IDLE, and what was installed beside the library.
"""

import ast
import os
import sysconfig
import tokenize
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_lib.data import town

SPLITS = ("train", "validation")
LEFT_OUT = frozenset(
    ["test", "tests", "idlelib", "idle_test", "site-packages", "dist-packages", "__pycache__"]
)


@dataclass(frozen=True)
class Module:
    """One file: its name as it is imported (`json.decoder`), and its source text."""

    name: str
    text: str


@cache
def modules(folder: Path | None = None) -> tuple[Module, ...]:
    """Every module of the standard library that has a source file, sorted by name.

    Args:
        folder: where to look; this Python's own library when not given.

    Returns:
        the modules; a file that is not text in its own encoding is left out.

    Raises:
        FileNotFoundError: no source files there: some installations ship compiled files or a ZIP only.
    """
    folder = Path(sysconfig.get_paths()["stdlib"]) if folder is None else folder
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = set(folders) - LEFT_OUT  # what is taken out here is not walked into
        for path in (Path(here, name) for name in files if name.endswith(".py")):
            if text := _text(path):
                name = ".".join(path.relative_to(folder).with_suffix("").parts)
                found.append(Module(name.removesuffix(".__init__"), text))
    if not found:
        raise FileNotFoundError(
            f"no Python source in {folder}: this installation ships its library compiled or zipped. "
            "A Python from python.org, conda or a Linux package has it"
        )
    return tuple(sorted(found, key=lambda module: module.name))


def split_of(name: str) -> str:
    """The split a module belongs to, by a fixed hash of its name: 95 % train, 5 % validation."""
    return "validation" if zlib.crc32(name.encode()) % 20 == 0 else "train"


def split(which: str, folder: Path | None = None) -> tuple[Module, ...]:
    """The modules of one split; no module is in two.

    Args:
        which: "train" or "validation".
        folder: as for `modules`.

    Raises:
        ValueError: another split.
        FileNotFoundError: as `modules`.
    """
    if which not in SPLITS:
        raise ValueError(f"which is {which!r}, expected one of {', '.join(SPLITS)}")
    return tuple(module for module in modules(folder) if split_of(module.name) == which)


def text(which: str = "train", *, max_characters: int | None = None, folder: Path | None = None) -> str:
    """One long text: the modules of a split, one after another, in an order that mixes them.

    Sorted by name, the first megabyte would be `asyncio` and `argparse`; sorted by a hash, any part of the
    text holds something of everything.

    Args:
        which: "train" or "validation".
        max_characters: cut here.
        folder: as for `modules`.

    Returns:
        the text; where this Python has no sources, Tiny Town's English stories in the same length
        (a million characters when no length is given), with a warning that says so.

    Raises:
        ValueError: another split, or `max_characters` below 1.
    """
    if max_characters is not None and max_characters < 1:
        raise ValueError(f"max_characters is {max_characters}, expected at least 1")
    try:
        chosen = _mixed(which, folder)
    except FileNotFoundError as error:
        warnings.warn(f"{error}. Tiny Town's stories take its place here", stacklevel=2)
        return _stories(SPLITS.index(which), max_characters or 1_000_000)
    return "\n".join(module.text for module in chosen)[:max_characters]


def docstrings(which: str = "train", *, max_characters: int | None = None, folder: Path | None = None) -> str:
    """English that nobody made for a course: what the modules of a split say about themselves.

    Args:
        which, max_characters, folder: as for `text`.

    Returns:
        the docstrings, one after another, in the order of `text`; where this Python has no sources, Tiny
        Town's English stories, as there.

    Raises:
        ValueError: as `text`.
    """
    try:
        modules(folder)
    except FileNotFoundError:
        return text(which, max_characters=max_characters, folder=folder)
    said: list[str] = []
    length = 0
    for module in _mixed(which, folder):
        with warnings.catch_warnings(action="ignore"):  # old spellings in other people's code
            tree = ast.parse(module.text)
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]
        said += filter(None, found)
        length += sum(map(len, filter(None, found)))
        if max_characters is not None and length > max_characters:
            break
    return "\n\n".join(said)[:max_characters]


def _mixed(which: str, folder: Path | None) -> list[Module]:
    """The modules of a split, sorted by a hash of their names."""
    return sorted(split(which, folder), key=lambda module: zlib.crc32(module.name.encode()))


def _text(path: Path) -> str:
    try:
        with tokenize.open(path) as file:  # in the encoding that the file itself declares
            return file.read()
    except (SyntaxError, UnicodeDecodeError, OSError):  # a file that is wrong on purpose, or not readable
        return ""


def _stories(seed: int, n_characters: int) -> str:
    told: list[str] = []
    length = 0
    for story in town.stories(n_characters, seed):  # more than enough: a story has many characters
        told.append(story.english)
        length += len(story.english) + 1
        if length > n_characters:
            break
    return "\n".join(told)[:n_characters]
