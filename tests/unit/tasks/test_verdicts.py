"""The Town's word on an answer: every question that it asks is found again, and others are not judged."""

import random

import pytest

from course_lib.data import town
from course_lib.data.town import questions
from course_lib.data.town.questions import REFUSAL
from course_lib.tasks.assistant import WORDS, find, verdict, verdicts, why_unread

ASKED = (
    *questions.ask(700, 11, forms="all"),
    *questions.ask_sums(300, 11, digits=(1, 6), forms="all"),
)
TOLD = WORDS.split("Tom is in the park. He has a red ball. There is a blue cup near the bench.")


def said(question, answer, story=TOLD):
    found = verdict(story, WORDS.split(question), WORDS.split(answer))
    return found and found.text


def test_every_question_of_the_town_is_found_again():
    for one in ASKED:
        found = find(one.story, one.question)
        assert found, one
        assert (found.kind, found.plain, found.short, found.whole) == (
            one.kind, one.plain, one.short, one.whole
        ), one  # fmt: skip
        assert found.known == one.known and found.expression == one.expression
        if one.kind in questions.STORY_KINDS:
            assert find(one.story, one.question[:-1]).short == one.short  # without a sign at its end
        assert find(one.story, WORDS.split(" ".join(one.question))) == found  # as typed


def test_right_answers_are_right_and_others_wrong():
    rng = random.Random(0)
    for one in ASKED:
        for style in questions.STYLES:
            answer = questions.say(one, style, rng)
            assert verdict(one.story, one.question, answer).right
        assert not verdict(one.story, one.question, ()).right
        assert not verdict(one.story, one.question, ("the", ".")).right
        refused = verdict(one.story, one.question, REFUSAL)
        assert refused.refused and refused.right == (not one.known and one.kind != "sum")


@pytest.mark.parametrize(
    ("question", "answer", "text"),
    [
        ("Where is Tom?", "in the park .", "right"),
        ("where is tom", "well , tom is in the park .", "right"),
        ("Tell me where is Tom.", "in the park .", "right"),  # asked directly where the Town asks indirectly
        ("where is tom ?", "at the beach .", "wrong: tom is in the park ."),
        ("where is tom ?", "the story does not say .", "wrong, this can be known: tom is in the park ."),
        ("where is anna ?", "the story does not say .", "right: the story does not say ."),
        ("where is anna ?", "in the park .", "wrong: the story does not say ."),
        ("is tom at the beach ?", "no .", "right"),  # of the beach the story does not speak
        ("does anna have the red ball ?", "no .", "wrong: the story does not say ."),
        ("who has the blue cup ?", "nobody .", "right"),
        ("how many things does tom have ?", "one .", "right"),
        ("what is 17*25?", "that is 4 2 5 .", "right"),
        ("what is 17 + 25 ?", "45 .", "wrong: that is 42 ."),
        ("what is 17÷0?", "the tool does not say .", "right: the tool does not say ."),
        ("say it with he : tom is in the park", "he is in the park .", "right"),
    ],
)
def test_what_is_said(question, answer, text):
    assert said(question, answer) == text


@pytest.mark.parametrize(
    "question",
    (
        *("", "?", ".", "is", "where ?", "what is", "what is ?", "what is tom ?", "what ( ) is", "tell me"),
        *("hello", "where is the ball ?", "what colour is the", "what is 1 + tom"),
        "say it with she : tom is in the park .",
    ),
)
def test_what_is_no_question_of_the_town_is_not_judged(question):
    assert said(question, "yes .") is None


def test_two_balls_have_no_colour():
    story = WORDS.split("Tom has a red ball. Anna is in the park. She has a blue ball.")
    assert why_unread(story) is None
    assert said("what colour is the ball ?", "red .", story) is None


def test_a_story_that_the_town_cannot_read_has_no_verdict_but_sums_have():
    story = WORDS.split("Tom is on the moon.")
    assert "moon" in why_unread(story) or "on" in why_unread(story)
    assert said("where is tom ?", "in the park .", story) is None
    assert said("what is 1 + 1 ?", "2 .", story) == "right"
    assert said("where is tom ?", "in the park .", ()) is None and why_unread(())


def test_a_told_story_reads_as_it_was_told():
    for story in town.stories(200, 12):
        read = verdicts._read(story.english_tokens)
        assert read.state == story.state and read.coreference == story.coreference
