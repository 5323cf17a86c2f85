"""A terminal, or a pipe, for `chat`: lines in, lines out, an answer that appears piece by piece.

Colours only where somebody sees them: to a file or a pipe no escape code is written. Where nobody types, the
lines that are read are written, too, so that the output reads as a conversation.
"""

import os
import sys
from types import ModuleType

COLOURS = {"note": "2", "call": "35", "tool": "36", "right": "32", "wrong": "31", "assistant": "1"}


class Screen:
    """Standard input and output.

    Args:
        colour: may be used where there is a terminal that knows it.
    """

    def __init__(self, colour: bool = True) -> None:
        for stream in (sys.stdin, sys.stdout):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # bytes that are no text are words that nobody knows
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        self.colour = colour and sys.stdout.isatty() and not dumb
        self._editor = _editor() if self.interactive else None
        self._to_mend = ""

    def line(self, text: str) -> None:
        """Write a line."""
        print(text, flush=True)

    def note(self, text: str) -> None:
        """Write what the program has to say."""
        self.line(self.painted(f"({printable(text)})", "note"))

    def verdict(self, text: str, right: bool) -> None:
        """Write what the Town says."""
        self.line(self.painted(text, "right" if right else "wrong"))

    def turn(self, stage: str) -> "Turning":
        """An answer begins."""
        return Turning(self, stage)

    def painted(self, text: str, name: str) -> str:
        """A text in its colour, where there are colours."""
        return f"\033[{COLOURS[name]}m{text}\033[0m" if self.colour else text

    @property
    def gives_back(self) -> bool:
        """Whether a line that is given back (`mend`) can be changed where it stands."""
        return self._editor is not None

    def mend(self, text: str) -> None:
        """Give a typed line back: it stands there when the next one is asked for."""
        if not self.interactive:
            return  # it stands in the output, just above
        if self._editor:
            self._to_mend = text
        else:
            self.line(f"you typed: {printable(text)}")

    def read(self, prompt: str) -> str:
        """A line that is typed.

        Raises:
            EOFError: there are no more.
            KeyboardInterrupt: Ctrl+C was pressed.
        """
        if not self.interactive:
            typed = sys.stdin.readline()
            if not typed:
                raise EOFError
            self.line(prompt + printable(typed.rstrip("\r\n")))
            return typed
        text, self._to_mend = self._to_mend, ""
        if not self._editor:
            return input(prompt)
        self._editor.set_startup_hook(lambda: self._editor.insert_text(text))
        try:
            return input(prompt)
        finally:
            self._editor.set_startup_hook()

    def close(self) -> None:
        """Nobody reads any more: what is still to be written goes nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Turning:
    """The turns of an answer on the screen: each begins on a line of its own, with its mark."""

    def __init__(self, screen: Screen, stage: str) -> None:
        self.screen, self.stage, self.role = screen, stage, ""

    def show(self, role: str, piece: str) -> None:
        """Write a piece of a turn."""
        if role != self.role:
            self.end()
            mark = f"{self.stage}> " if role == "assistant" else f"  [{role}] "
            self.role = role
            print(self.screen.painted(mark, role), end="")
        print(piece, end="", flush=True)

    def end(self) -> None:
        """End the line, if one was begun."""
        if self.role:
            print(flush=True)
        self.role = ""


def printable(text: str) -> str:
    """A text without what would move the cursor or change a colour."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def shortened(text: str, most: int = 40) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _editor() -> ModuleType | None:
    """What edits a typed line; Windows has none."""
    try:
        import readline
    except ImportError:
        return None
    return readline
