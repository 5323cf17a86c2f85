"""10a.tool-loop: the model calls, the tool is run, its result is told, and the model goes on."""

from collections.abc import Callable, Sequence

from course_lib.practice.chapter_10a.tool_loop_ways import PAIRS, WAYS
from course_lib.practice.chapter_10a.tool_loop_words import WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def answer(turns, write, tools, most):
    turns = list(turns)
    for n in range(most + 1):
        role, text = write(turns)
        turns.append((role, text))
        if role != "call" or n == most:
            break
        name, _, given = text.partition(" ")
        if name not in tools:
            result = "error: no such tool"
        else:
            try:
                result = tools[name](given)
            except Exception:
                result = "error: failed"
        turns.append(("tool", result))
    return turns


MOST_TURNS = 60  # of a chat: a loop that goes on behind them has no limit


class AskedTooOften(RuntimeError):
    """A model was asked again and again."""


def planned(calls: Sequence[str], then: str) -> Callable[[list[tuple[str, str]]], tuple[str, str]]:
    """A model that calls one tool after the other and then answers; what it knows stands in the chat.

    Args:
        calls: with {0} for the first result since the user spoke, {1} for the second one.
        then: its answer, with the results as well.
    """

    def write(chat):
        try:
            turns = [(str(role), str(text)) for role, text in chat]
        except (TypeError, ValueError):
            raise TypeError(f"write got {chat!r:.60}, expected a list of pairs (role, text)") from None
        if len(turns) > MOST_TURNS:
            raise AskedTooOften(f"the model was asked more than {MOST_TURNS // 2} times")
        last = max((i for i, (role, _) in enumerate(turns) if role == "user"), default=-1)
        results = [text for role, text in turns[last + 1 :] if role == "tool"]
        known = results + ["?"] * 3
        if len(results) < len(calls):
            return "call", calls[len(results)].format(*known)
        return "assistant", then.format(*known)

    return write


def calculate(text: str) -> str:
    """Two whole numbers with a sign between them. Raises ValueError or ZeroDivisionError."""
    sign = next((sign for sign in "+*/" if sign in text), "+")
    a, b = map(int, text.split(sign))
    return str({"+": a + b, "*": a * b}[sign] if sign != "/" else a // b)


def clock(text: str) -> str:
    return "noon" if not text else "late"


def shout(text: str) -> str:
    return text.upper() + "!"


def torn(text: str) -> str:
    """It looks something up that is not there, so it raises KeyError."""
    return {"here": "there"}["nothing here"]


def hush(text: str) -> str:
    return ""


TOOLS = {"calculate": calculate, "clock": clock, "shout": shout, "torn": torn, "hush": hush}


def asked(name: str, question: str, *calls: str, then: str, most: int = 3, before=()) -> Case:
    """``calls``: what the model plans to call, with {0} for the first result; ``then``: its answer."""
    return Case(name, ([*before, ("user", question)], planned(calls, then), TOOLS, most))


def cases() -> list[Case]:
    former = (
        ("user", "what is 1+2 ?"),
        ("call", "calculate 1+2"),
        ("tool", "3"),
        ("assistant", "that is 3 ."),
    )
    for_ever = ("calculate 1+1",) * 1000
    return [
        asked("one sum", "what is 17+25 ?", "calculate 17+25", then="that is {0} ."),
        asked("no call", "where is anna ?", then="in the park ."),
        asked(
            "two calls, the second one with the first result",
            "17+25, and that times 2 ?",
            "calculate 17+25",
            "calculate {0}*2",
            then="{0}, then {1} .",
        ),
        asked("spaces in what the tool gets", "shout !", "shout a b  c", then="{0}"),
        asked("a tool that gets nothing", "how late is it ?", "clock", then="it is {0} ."),
        asked("no such tool", "what is 2+2 ?", "calculator 2+2", then="i cannot : {0} ."),
        asked(
            "a wrong name, then the right one",
            "what is 2+2 ?",
            "calculator 2+2",
            "calculate 2+2",
            then="that is {1} .",
        ),
        asked("a tool that raises an error", "what is 7/0 ?", "calculate 7/0", then="{0}"),
        asked("a tool that raises a KeyError", "and torn ?", "torn x", then="{0} !"),
        asked(
            "an answer that begins like a call",
            "what does calculate mean ?",
            then="calculate 1+1 is a sum .",
        ),
        asked("as many calls as may be", "three !", *for_ever[:3], then="{0}, {1}, {2} ."),
        asked("a model that calls for ever", "go on", *for_ever, then="never", most=3),
        asked("a model that calls for ever, one call", "go on", *for_ever, then="never", most=1),
        asked(
            "as many wrong names as may be, then a right one",
            "what is 2+2 ?",
            "calculator 2+2",
            "sum 2+2",
            "calculate 2+2",
            then="that is {2} .",
            most=2,
        ),
        asked(
            "as many calls that raise as may be, then one that does not",
            "what is 7/0 ?",
            "calculate 7/0",
            "torn x",
            "clock",
            then="{2} .",
            most=2,
        ),
        asked("a model that calls a wrong name for ever", "go on", *["sum 1+1"] * 1000, then="never", most=2),
        asked("a model that divides by 0 for ever", "go on", *["calculate 1/0"] * 1000, then="never", most=2),
        asked("a tool that returns an empty text", "hush !", "hush now", then="it said : {0} ."),
        asked("a call where none may be run", "what is 1+1 ?", "calculate 1+1", then="that is {0} .", most=0),
        asked(
            "a chat with a sum before",
            "and 3+4 ?",
            "calculate 3+4",
            then="that is {0} .",
            before=former,
        ),
    ]


def further() -> list[Case]:
    return [
        asked("other sums", "what is 9+9 ?", "calculate 9+9", then="{0} it is ."),
        asked("other calls", "a", "shout a", "nothing", "clock", then="{2}, {1}, {0}"),
        asked("other errors", "b", "torn", "calculate 1/0", then="{0} {1}", most=2),
        asked("errors alone", "d", "nobody x", "torn", "nobody", then="{0} {1}", most=2),
        asked("an empty text, then a call", "e", "hush", "shout {0}", then="{1}{0}"),
        asked("a call too many", "c", "clock", "clock", "clock", then="late", most=2),
    ]


TOOL_LOOP = Exercise(
    id="10a.tool-loop",
    title="Call, result, answer",
    minutes=15,
    difficulty=3,
    statement=prose("""
        Write `answer(turns, write, tools, most)`. `turns` is a chat, a list of pairs (role, text). `write` is
        the model: `write(chat)` reads a whole chat and returns the pair that it writes next, ("assistant",
        text) or ("call", text). An answer ends the loop. A call is a tool's name and, behind one space, what
        the tool gets; a name alone gives it an empty text. `tools` is a dict, name → function from text to
        text, which may raise any `Exception`.

        Run the call, add ("tool", result), ask the model again. For a name that is not in `tools` the
        result is "error: no such tool"; for a tool that raises, "error: failed". At most `most` calls get a
        result, errors too; the call after them is added without one, and the loop ends. Return the whole
        chat; leave `turns` as is. ("call", "calculate 1+2") is followed by ("tool", "3").
    """),
    inputs={
        "turns": "a list of (role, text)",
        "write": "a function: chat → (role, text)",
        "tools": "a dict: name → function",
        "most": "a number, 0 or more",
    },
    outputs=(Output("turns", form="turns"),),
    reference=answer,
    cases=cases,
    further=further,
    hints=(
        prose("""
            How often is the model asked if `most` is 1: once, or twice? Who reads the last result otherwise?
            And what does the model know of a call if the chat that it gets does not hold it?
        """),
        lines("""
            turns = a copy
            for n = 0 … most:                       the model is asked most + 1 times
                add what write(turns) returns
                stop if it is no call, or if n is most
                name, given = its text, cut at the first space
                result = "error: no such tool"      if name is not in tools
                         tools[name](given)         else; "error: failed" if that raises
                add ("tool", result)
            return turns
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS),
    pairs=PAIRS,
    insight=prose("""
        However a model writes, the loop ends, and each call that is run has a result. An error is one, too: a
        model that was trained to read it can try again, or say that it does not know.
    """),
    advice=advice(r"""
asked more than
    The model calls a tool again and again, and nothing stops it. After `most` calls it is asked once more,
    and then the loop ends.
write got
    `write` reads a whole chat, a list of pairs (role, text).
KeyError
    `tools[name]` raises for a name that is not there. Look first: `if name not in tools`.
not enough values to unpack|too many values to unpack
    A call may be a name alone, and there may be more than one space: `name, _, given = text.partition(" ")`
    always gives three parts.
division by zero|nothing here
    A tool may raise. Put `tools[name](given)` into a `try`, and let the model read "error: failed".
list index out of range
    A call may be a name alone: `text.partition(" ")` gives an empty text then.
"""),
)
