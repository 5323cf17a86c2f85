"""What learners and maintainers run: the commands behind `python3 -m course_lib`.

Until the environment exists there is only Python's standard library: every module here imports the rest
inside functions.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # where README.md and course_lib/ stand


class Problem(Exception):
    """Something the person at the keyboard can mend: one line says what, one says what to do next."""

    def __init__(self, what: str, next_step: str):
        super().__init__(what)
        self.what, self.next_step = what, next_step

    def __str__(self) -> str:
        return f"{self.what}\nNext: {self.next_step}"
