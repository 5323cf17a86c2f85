"""Wordings. Each kind of question has its plain form and others; two of these are never trained.

What is held out for one kind is trained for others, so that every word is known and only its use is new.
"""

from course_lib.data.town.questions.facts import STORY_KINDS, Fact, Words

PLAIN = "plain"
FORMS = {  # what stands before the question; whether it is then asked indirectly; the sign at its end
    PLAIN: ((), False, "?"),
    "tell me": (("tell", "me"), True, "."),
    "do you know": (("do", "you", "know"), True, "?"),
    "can you say": (("can", "you", "say"), True, "?"),
    "i want to know": (("i", "want", "to", "know"), True, "."),
    "please": (("please", ",", "say"), True, "."),
}
OTHER_KINDS = ("sum", "rewrite")
REWRITE_FORMS = {  # the sentence that is said otherwise brings its own full stop
    PLAIN: (),
    "please": ("please", ","),
    "can you": ("can", "you"),
}
CHOICES = ("trained", "held out", "all")


def held_out_forms(kind: str) -> tuple[str, ...]:
    """The forms of a kind that are never trained."""
    if kind == "rewrite":
        return ("can you",)
    others, place = [form for form in FORMS if form != PLAIN], (*STORY_KINDS, *OTHER_KINDS).index(kind)
    return others[place % 5], others[(place + 2) % 5]


def trained_forms(kind: str) -> tuple[str, ...]:
    """The forms of a kind that are trained; the plain one is."""
    held_out = held_out_forms(kind)
    return tuple(form for form in _forms_of(kind) if form not in held_out)


def choice_of(kind: str, forms: str) -> tuple[str, ...]:
    """The forms to draw from.

    Args:
        kind: of the question.
        forms: "trained", "held out" or "all".

    Raises:
        ValueError: another word.
    """
    if forms not in CHOICES:
        raise ValueError(f"forms is {forms!r}, expected one of {', '.join(CHOICES)}")
    if forms == "all":
        return tuple(_forms_of(kind))
    return trained_forms(kind) if forms == "trained" else held_out_forms(kind)


def word(fact: Fact, form: str) -> Words:
    """The question in a form, with the sign at its end."""
    if fact.kind == "rewrite":
        return (*REWRITE_FORMS[form], *fact.direct)
    before, indirectly, end = FORMS[form]
    return (*before, *(fact.indirect if indirectly else fact.direct), end)


def _forms_of(kind: str) -> dict:
    return REWRITE_FORMS if kind == "rewrite" else FORMS
