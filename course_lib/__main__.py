"""The door: python3 -m course_lib lab | chat | test | doctor | build | train.

This file must be readable by every Python, even 2.7, because its first work is to say in one clear line
that a Python is too old. So: no f-strings, no type hints, ASCII only. The commands: tools/commands.py.
"""

import os
import subprocess
import sys

NEEDED = (3, 11)


def newer_python():
    """The command of a Python on this machine that is new enough, or None."""
    for name in ("python3.13", "python3.12", "python3.11"):
        try:
            with open(os.devnull, "w") as nowhere:
                if subprocess.call([name, "-c", "pass"], stdout=nowhere, stderr=nowhere) == 0:
                    return name
        except OSError:  # there is no such program
            continue
    return None


def main():
    if sys.version_info[:2] < NEEDED:
        found = newer_python()
        sys.stderr.write(
            "This course needs Python %d.%d or newer; this one is %d.%d (%s).\n"
            % (NEEDED + tuple(sys.version_info[:2]) + (sys.executable,))
        )
        if found:
            sys.stderr.write("Next: you have a newer one, so type: %s -m course_lib lab\n" % found)
        else:
            sys.stderr.write("Next: install Python 3.13: https://www.python.org/downloads/\n")
        return 1
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(root, "course_lib")  # first on the path after `python3 /path/to/course_lib`
    others = [path for path in sys.path if os.path.normpath(path) not in (root, inside)]
    sys.path[:] = [root] + others
    import course_lib  # noqa: F401  (this one, and not one that another folder names)

    # then the folder comes last, so that a file random.py in it cannot stop the command that names it
    sys.path[:] = others + [root]
    from course_lib.tools import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:  # while it loads; tools/commands.py answers the later ones
        sys.stderr.write("\nStopped.\n")
        code = 130
    sys.exit(code)
