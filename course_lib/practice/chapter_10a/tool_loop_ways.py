"""10a.tool-loop: loops that end too early, too late or never, and results that are told otherwise."""

from course_lib.practice.chapter_10a.tool_loop_words import WORDS
from course_lib.practice.two_slips import listed, of_parts, single

NO_TOOL, FAILED = "error: no such tool", "error: failed"
WITHOUT_END = 100  # rounds; a model that sees them all gives up long before


def whole(text):
    name, _, given = text.partition(" ")
    return name, given


def told(text):
    return lambda *about: text


def made(
    limit=lambda most: (most + 1, most),
    is_call=lambda role, text, tools: role == "call",
    cut=whole,
    no_tool=lambda name: NO_TOOL,
    failed=lambda error: FAILED,
    result_turn=lambda result: ("tool", result),
    added=lambda turn, runs: True,
    reads=lambda given, chat: chat,
    shown=lambda given, chat: chat,
    after=lambda result: True,
    counts=lambda name, tools, failed: True,
    kept=lambda result: result,
):
    """The loop, each part of which can be another one.

    Args:
        limit: of ``most``: how often the model is asked, how many calls are run.
        is_call: whether a turn is run.
        cut: a call to a name and what the tool gets.
        no_tool: of a name that is not there: the result; None: there is none.
        failed: of the error of a tool: the result; None: there is none.
        result_turn: of a result: the turn, or None.
        added: of a call and whether it is run: whether it comes into the chat.
        reads: of the first chat and the whole one: what the model gets.
        shown: the same: what is returned.
        after: of a result: whether the loop goes on.
        counts: of a call's name, the tools and whether the tool raised: whether it counts towards ``most``.
        kept: of what a tool returns: the result; None: there is none.
    """

    def answer(turns, write, tools, most):
        chat, (asks, runs), n, rounds = list(turns), limit(most), 0, 0
        while n < asks and rounds < WITHOUT_END:
            role, text = write(reads(list(turns), list(chat)))
            call = is_call(role, text, tools)
            if not call or added((role, text), n < runs):
                chat.append((role, text))
            if not call or n >= runs:
                break
            name, given = cut(text)
            result, has_failed = run(tools, name, given, no_tool, failed, kept)
            n, rounds = n + counts(name, tools, has_failed), rounds + 1
            turn = None if result is None else result_turn(result)
            chat += [] if turn is None else [turn]
            if not after(result):
                break
        return shown(list(turns), chat)

    return answer


def run(tools, name, given, no_tool, failed, kept=lambda result: result):
    """The result of a call, and whether the tool raised."""
    if name not in tools:
        return no_tool(name), False
    try:
        return kept(tools[name](given)), False
    except Exception as error:
        return failed(error), True


def raised(name):
    raise KeyError(name)


def caught(*errors):
    """Errors of these kinds alone are caught."""

    def failed(error):
        if isinstance(error, errors):
            return FAILED
        raise error

    return failed


def write_once_more(turns, write, tools, most):
    """One call is run at most, and the model is asked once more, without a loop."""
    turns = list(turns)
    turns.append(write(turns))
    if turns[-1][0] == "call" and most > 0:
        turns.append(("tool", run(tools, *whole(turns[-1][1]), told(NO_TOOL), told(FAILED))[0]))
        turns.append(write(turns))
    return turns


PARTS = {
    "limit": {
        "endless": lambda most: (WITHOUT_END, WITHOUT_END),
        "last-result-not-read": (lambda most: (most, most), lambda most: (max(most, 1), most)),
        "one-call-too-many": (lambda most: (most + 1, most + 1), lambda most: (most + 2, most + 1)),
        "one-call-too-few": lambda most: (max(most, 1), most - 1),
        "one-call-alone": lambda most: (2, min(most, 1)),
    },
    "is_call": {
        "roles-not-looked-at": (
            lambda role, text, tools: role == "call" or text.split(" ")[0] in tools,
            lambda role, text, tools: text.split(" ")[0] in (*tools, "calculator", "nothing"),
        ),
    },
    "cut": {
        "name-in-what-the-tool-gets": lambda text: (text.split(" ")[0], text),
        "first-word-alone": lambda text: (text.split(" ")[0], [*text.split(" "), ""][1]),
        "spaces-lost": (
            lambda text: (text.split()[0], " ".join(text.split()[1:])),
            lambda text: (text.split()[0], "".join(text.split()[1:])),
        ),
        "last-word-alone": lambda text: (text.split(" ")[0], text.split(" ")[-1]),
    },
    "no_tool": {
        "no-tool-leaves": raised,
        "unknown-told-as-failed": told(FAILED),
        "no-result-for-an-unknown-tool": told(None),
        "unknown-in-other-words": (told("error"), told(""), told("error: unknown tool")),
    },
    "failed": {
        "error-leaves": (
            caught(),
            caught(ValueError),
            caught(ZeroDivisionError),
            caught(ValueError, ZeroDivisionError),
        ),
        "key-error-of-the-tool": lambda error: NO_TOOL if isinstance(error, KeyError) else FAILED,
        "failed-told-as-unknown": told(NO_TOOL),
        "error-in-its-own-words": (
            str,
            lambda error: f"error: {error}",
            repr,
            lambda error: f"error: {error!r}",
            lambda error: f"error: {type(error).__name__}",
        ),
        "failed-in-other-words": (told("error"), told("error:failed"), told("failed"), told("")),
        "no-result-for-a-failure": told(None),
    },
    "counts": {
        "unknown-not-counted": lambda name, tools, failed: name in tools,
        "failures-not-counted": lambda name, tools, failed: not failed,
        "errors-not-counted": lambda name, tools, failed: name in tools and not failed,
    },
    "kept": {
        "nothing-taken-for-an-error": (lambda result: result or FAILED, lambda result: result or NO_TOOL),
        "nothing-told-lost": lambda result: result or None,
    },
    "result_turn": {
        "result-as-assistant": lambda result: ("assistant", result),
        "result-as-user": lambda result: ("user", result),
        "result-in-another-role": (lambda result: ("result", result), lambda result: ("call", result)),
        "result-lost": told(None),
    },
    "added": {
        "call-lost": (lambda turn, runs: not runs, lambda turn, runs: False),
        "last-call-lost": lambda turn, runs: runs,
    },
    "reads": {
        "old-chat-read": lambda given, chat: given,
        "last-turn-read": lambda given, chat: chat[-1:],
    },
    "shown": {
        "new-turns-alone": lambda given, chat: chat[len(given) :],
        "last-turn-returned": lambda given, chat: chat[-1:],
        "tool-turns-hidden": lambda given, chat: (
            given + [turn for turn in chat[len(given) :] if turn[0] not in ("call", "tool")]
        ),
    },
    "after": {
        "not-asked-again": told(False),
        "ends-at-an-error": (
            lambda result: not (result is None or result.startswith("error")),
            lambda result: result != FAILED,
            lambda result: result != NO_TOOL,
        ),
    },
}

ALONE = single(PARTS, made)
WAYS = {
    **ALONE,
    "one-call-alone": (*ALONE["one-call-alone"], write_once_more),
    "no-result-for-an-unknown-tool": (
        *ALONE["no-result-for-an-unknown-tool"],
        made(no_tool=told(None), after=lambda result: result is not None),
    ),
    "no-result-for-a-failure": (
        *ALONE["no-result-for-a-failure"],
        made(failed=told(None), after=lambda result: result is not None),
    ),
}

SKIP = {
    ("unknown-told-as-failed", "failed-told-as-unknown"),
    ("no-result-for-an-unknown-tool", "ends-at-an-error"),
    ("no-result-for-a-failure", "ends-at-an-error"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
