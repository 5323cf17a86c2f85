"""Every command of `python3 -m course_lib`.

Each reads what was typed first, with Python's standard library alone; only then it looks for the Python that
has the packages, and installs them where there is none. So `--help`, or a typing mistake, costs nothing.
"""

import os
import sys

from course_lib.tools import COMMANDS, ROOT, Problem, Stopped, unknown


def main(arguments: list[str]) -> int:
    """Run one command; when nobody reads on what it prints (`doctor | head`), it ends without a word."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old Windows console has no ✓
    try:
        try:
            return answered(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not unread():
            raise  # another pipe than that of the output
        return 141  # as if SIGPIPE had ended it


def unread() -> bool:
    """Whether the reader of our output has gone; the rest then goes nowhere, and Python may flush it."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
        return False
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True


def answered(arguments: list[str]) -> int:
    """Run one command; a Problem becomes its two lines and the exit code 1, Ctrl-C the code 130."""
    try:
        return run(arguments)
    except Problem as problem:
        sys.stdout.flush()
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        sys.stdout.flush()
        told = stopped if isinstance(stopped, Stopped) else "Stopped."
        print(f"\n{told}", file=sys.stderr)
        return 130


def run(arguments: list[str]) -> int:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name in ("help", "-h", "--help"):
        print(listing())
        return 0
    if name not in COMMANDS:
        raise Problem(unknown("command", name, COMMANDS), f"type one of these.\n{listing()}")
    for needed in ("requirements.txt", "pyproject.toml"):
        if not (ROOT / needed).exists():
            raise Problem(
                f"{ROOT} is not the course's own folder: {needed} is missing.",
                "get the whole course (git clone, or the ZIP file), and start it in its folder.",
            )
    if name == "lab":
        from course_lib.tools import lab

        return lab.main(rest)
    if name == "test":
        from course_lib.tools import testing

        return testing.main(rest)
    if name == "doctor":
        from course_lib.tools import doctor

        return doctor.main(rest)
    if name == "build":
        from course_lib.tools import build

        return build.main(rest)
    if name == "chat":
        from course_lib.tools import chat

        return chat.main(rest)
    if name == "train":
        from course_lib.tools import train

        return train.main(rest)
    if name == "bench":
        from course_lib.tools import bench

        return bench.main(rest)
    from course_lib.tools import experiment

    return experiment.main(rest)


def listing() -> str:
    rows = [f"  python3 -m course_lib {name:<11} {does}" for name, does in COMMANDS.items()]
    return "The commands (add --help to one of them to see its options):\n" + "\n".join(rows)
