"""10a.loss-mask: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
prompt-trained
    Turns of all roles are trained, so the model learns to write questions and results, too. What it did not
    write is given: only turns of the role "assistant" are trained.
prompt-alone-trained
    The turns of others are trained, and those of the assistant are not. It is the other way round: what the
    role "assistant" writes is trained.
tool-trained
    What a tool says is trained as if the model had written it. So it learns to invent results. They are
    given: only turns of the role "assistant" are trained.
last-answer-alone
    At most the last answer is trained. A chat may have several turns of the assistant, and calls are among
    them: each is trained.
first-answer-alone
    Only the first turn of the assistant is trained. Each of its turns is.
calls-not-trained
    The assistant's turns that a tool's turn follows are not trained: they are its calls. The model has to
    write them as well, so they are trained like its answers.
all-behind-the-first-answer
    From the first answer on everything is trained, whoever speaks. A chat goes on: later questions and
    results are given, like the first one.
end-not-trained
    The `<|end|>` of the assistant's turns is not trained. Then nobody teaches the model to stop, and it runs
    on. It belongs to the answer.
marker-trained
    The marker of the assistant's turn is trained. It is given: whoever wants an answer puts it in, so the
    model never has to write it.
one-place-early
    Your flags stand one place too early: the marker of the assistant's turn is trained, and its `<|end|>` is
    not. If that comes from the shift: place t asks for the id at t + 1, so one shift is right.
first-word-lost
    The first id behind the marker is not trained, so nobody teaches the model how an answer begins. Only the
    marker itself is given. (A mask without the ends that lies over the inputs comes to the same: two slips.)
end-alone
    Of an assistant's turn only `<|end|>` is trained. What it says is trained as well.
on-the-inputs
    Your mask lies over the inputs: it has True where the model *reads* an id of an answer. It must be True
    where such an id is the *target*, one place earlier. Drop the first flag, not the last one.
assistant-read
    Your mask is True wherever the model *reads* an id of the assistant's turns. When it reads their
    `<|end|>`, the target is the marker of the next turn, whoever speaks there, and this marker is
    trained. A marker is given. Ask of the *target* whether the assistant wrote it.
not-cut
    Your mask has a flag for each of the T + 1 ids. The first one is never a target: drop its flag, and T are
    left, each beside its target.
not-cut-and-shifted
    Your mask is shifted, and still T + 1 long. The model reads T ids only; the last place has no target: cut
    it off.
two-places-late
    Your flags were moved the wrong way, so they stand two places too late. Place t asks for the id at t + 1:
    dropping the first flag is the whole shift.
turned-round
    Your mask is turned round: True must stand for what is trained. (Some libraries mark what is left out.)
labels-returned
    Those are labels: ids where something is trained, and another number elsewhere. Asked for is the mask
    itself, True or False.
all-trained
    Every target is trained, whoever wrote it. Only what the role "assistant" writes is trained, without its
    markers.
ends-of-all
    `<|end|>` is trained in turns of others, too. The end of a question or a result is given, like the rest
    of it: look at the role, not only at the id.
markers-of-all
    All markers are trained, so the model learns to say who speaks next. They are given, all of them.
""")
