"""10a.tool-loop: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
endless
    Nothing stops a model that calls again and again. After `most` calls it is asked once more; if it calls
    again, that call is added, it is not run, and the loop ends.
last-result-not-read
    The last result is never read. If `most` calls are run, the model must be asked once more, to answer with
    the last result: `most` + 1 times in all.
one-call-too-many
    One call too many is run. The call behind the last one that may be run is added to the chat, and that is
    all.
one-call-too-few
    One call too few is run. If `most` is 1, one call is run, and then the model is asked again.
unknown-not-counted
    A call of a tool that is not there does not count towards `most`. Each call that gets a result counts, and
    an error is one: else nothing stops a model that keeps to a wrong name.
failures-not-counted
    A call of a tool that raises does not count towards `most`. Each call that gets a result counts, and an
    error is one: else nothing stops a model that calls such a tool again and again.
errors-not-counted
    Only calls that succeed count towards `most`. Each call that gets a result counts, and an error is one:
    else nothing stops a model that makes the same mistake again and again.
one-call-alone
    Only one call is run, whatever `most` is. Behind a result the model may call again: a loop, not an `if`.
not-asked-again
    The loop ends behind the first result, and nobody has answered. The model must be asked again: it has not
    seen the result yet.
result-as-assistant
    The result stands in the chat as if the assistant had said it. Its role is "tool": what a tool says is
    given to the model, not written by it.
result-as-user
    The result stands in the chat as if the user had said it. Its role is "tool".
result-in-another-role
    The result has another role than "tool", so the model does not know it for a result.
result-lost
    The result is not in the chat, so the model cannot know it, and calls again. Add ("tool", result).
call-lost
    The call is not in the chat. What the model wrote is a turn like any other: add it, then its result.
last-call-lost
    The call that is not run any more is not in the chat. It is not run, and it is added: the model wrote it.
old-chat-read
    The model is asked with the chat as it was at the beginning, so it sees neither its call nor the result.
    Give it the chat with all that was added.
last-turn-read
    The model is asked with the last turn alone. What it knows stands in the chat that it gets: give it all.
new-turns-alone
    You return what was added, without the turns that were there. Asked for is the whole chat.
last-turn-returned
    You return the last turn alone. Asked for is the whole chat, calls and results too.
tool-turns-hidden
    Calls and results are missing in what you return. Asked for is the whole chat, with them.
roles-not-looked-at
    An answer is run as a call because it begins with a tool's name. What decides is the role, "call", and
    not what the text looks like.
name-in-what-the-tool-gets
    The tool gets the whole text of the call, its own name included. It should get what stands behind the
    first space.
first-word-alone
    The tool gets one word. It should get all that stands behind the first space: `text.partition(" ")`.
spaces-lost
    The spaces in what the tool gets are changed. Cut once, at the first space: `text.partition(" ")`.
last-word-alone
    The tool gets the last word of the call. It should get all that stands behind the first space, and an
    empty text where there is no space.
error-leaves
    A tool's error leaves your function, and the whole chat is lost. A tool is anybody's code: catch
    `Exception` around it, and let the model read "error: failed".
no-tool-leaves
    A name that is not in `tools` raises an error. A model may write any name: look first, and let it read
    "error: no such tool".
unknown-told-as-failed
    For a name that is not in `tools` the model reads "error: failed". This is for a tool that raises; here
    "error: no such tool" is asked for, so that the model can choose another name.
failed-told-as-unknown
    For a tool that raises the model reads "error: no such tool". The tool is there; asked for is "error:
    failed".
unknown-in-other-words
    For a name that is not in `tools` the model reads another text than "error: no such tool". It was trained
    to read this one.
key-error-of-the-tool
    A tool that raises a `KeyError` is taken for one that is not there. Look the tool up outside of the `try`,
    or with `if name not in tools`.
error-in-its-own-words
    The model reads what Python says of the error. It may be anything, secrets of the tool too, and the model
    was trained to read one text: "error: failed".
failed-in-other-words
    For a tool that raises the model reads another text than "error: failed". It was trained to read this
    one.
nothing-taken-for-an-error
    A tool that returns "" is taken for an error. An empty text is a result like any other (Python holds it
    for False, so `or` and `if result` pass it over): only an error that is raised is told as "error: failed".
nothing-told-lost
    A tool that returns "" gets no turn. An empty text is a result like any other (Python holds it for False,
    so `if result` passes it over): add ("tool", "").
no-result-for-an-unknown-tool
    A call of a tool that is not there gets no result. Each call that is run gets one: "error: no such tool".
no-result-for-a-failure
    A call of a tool that raises gets no result. Each call that is run gets one: "error: failed".
ends-at-an-error
    The loop ends at an error. An error is a result, too: the model must be asked again, and may call better.
""")
