"""What learners and maintainers run: the commands behind `python3 -m course_lib`.

Until the environment exists there is only Python's standard library: every module here imports the rest
inside functions. What all commands share stands in this file, so that none of them imports the module that
calls them.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # where README.md and course_lib/ stand

COMMANDS = {
    "lab": "start the course: JupyterLab opens on chapter 00",
    "chat": "talk with the assistant of chapter 10",
    "test": "run every test: unit, notebooks, browser",
    "doctor": "look at this machine, and say how to mend what is wrong",
    "build": "run pages in a fresh kernel and save them (maintainers)",
    "train": "make a shipped checkpoint again (maintainers)",
    "experiment": "record a 'why?' experiment again (maintainers)",
    "bench": "measure how fast the library is, beside its peers (maintainers)",
}


class _InTwoLines:
    """What an exception says at the keyboard: one line says what, one says what to do next."""

    def __init__(self, what: str, next_step: str):
        super().__init__(what)
        self.what, self.next_step = what, next_step

    def __str__(self) -> str:
        return f"{self.what}\nNext: {self.next_step}"


class Problem(_InTwoLines, Exception):
    """Something the person at the keyboard can mend."""


class Stopped(_InTwoLines, KeyboardInterrupt):
    """Ctrl-C: what it left, and what to type next."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not among the known ones: there is none, and which was perhaps meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1)
    return f"There is no {kind} `{name}`" + (f"; did you mean `{near[0]}`?" if near else ".")


def check_names(command: str, kind: str, typed: Iterable[str], known: Iterable[str]) -> None:
    """Raise Problem at the first typed name that is not known."""
    for name in typed:
        if name not in known:
            raise Problem(
                unknown(kind, name, known), f"type python3 -m course_lib {command} to see what there is."
            )


def parser(name: str, listing: dict[str, str] | None = None) -> argparse.ArgumentParser:
    """An argument parser that names its command the way people type it.

    Args:
        name: of the command, in `COMMANDS`.
        listing: what can be named after it, each with its line of help.
    """
    rows = "".join(f"\n  {one}: {does}" for one, does in (listing or {}).items())
    return argparse.ArgumentParser(
        prog=f"python3 -m course_lib {name}",
        description=COMMANDS[name] + ("\n" + rows if rows else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
