"""The assistant's words and chats: the Town's ids stay; what a tool says is given, and never trained."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from course_lib.data.town import questions
from course_lib.tasks import assistant, town_gpt
from course_lib.tasks.assistant import WORDS
from course_lib.text.chat import ChatWords, encode_chat
from course_lib.text.tokenizers import UNK_ID

STORIES = questions.ask(300, 4, per_story=3)
SUMS = questions.ask_sums(300, 4)


def test_the_towns_ids_stay_and_new_ones_stand_behind_them():
    assert WORDS.tokens[: len(town_gpt.WORDS)] == town_gpt.WORDS.tokens
    story = town_gpt.stories(1)[0]
    assert WORDS.encode(story.english) == town_gpt.WORDS.encode(story.english_tokens)
    assert min(WORDS.special.values()) == len(WORDS) - len(WORDS.special)
    assert isinstance(WORDS, ChatWords) and WORDS.fingerprint != town_gpt.WORDS.fingerprint


def test_texts_as_people_type_them():
    assert " ".join(WORDS.split("Where is Tom? 17*2 − 8/4")) == "where is tom ? 1 7 × 2 - 8 ÷ 4"
    ids = WORDS.encode("That is 42.")
    assert UNK_ID not in ids and WORDS.decode(ids) == "that is 42 ."
    assert WORDS.unknown("Where is Rome, Tom?") == ["rome"]
    assert assistant.written([]) == "" and assistant.written(["1"]) == "1"


@given(st.lists(st.sampled_from([t for t in WORDS.tokens[4:-6]]), max_size=12))
def test_what_is_written_is_read_again(tokens):
    assert WORDS.encode(assistant.written(tokens)) == WORDS.encode(tokens)


@given(st.text(max_size=30) | st.lists(st.sampled_from(list(WORDS.special)), max_size=3).map("".join))
def test_no_text_spells_a_marker(text):
    assert max(WORDS.encode(text), default=0) < min(WORDS.special.values())


def test_one_story_is_told_once():
    chats = assistant.conversations(STORIES, 0)
    assert len(chats) == 100
    for i, turns in enumerate(chats):
        first, second, third = STORIES[3 * i : 3 * i + 3]
        assert [role for role, _ in turns] == ["user", "assistant"] * 3
        assert turns[0].text == (*first.story, *first.question)
        assert (turns[2].text, turns[4].text) == (second.question, third.question)
        for one, turn in zip((first, second, third), turns[1::2], strict=True):
            assert questions.judge(one, turn.text).right
    used = Counter(
        questions.style_of(turn.text) for turns in chats for turn in turns if turn.role == "assistant"
    )
    assert len(used) == 4
    only = assistant.conversations(STORIES, 0, styles={"short": 1})
    said = [turn.text for turns in only for turn in turns if turn.role == "assistant"]
    assert said == [one.short for one in STORIES]


def test_the_tools_results_are_true_and_never_trained():
    chats = assistant.conversations(SUMS, 0)
    for one, turns in zip(SUMS, chats, strict=True):
        assert [role for role, _ in turns] == ["user", "call", "tool", "assistant"]
        if one.known:
            assert one.short == (*turns[2].text, ".")
        else:
            assert turns[2].text.startswith("error: ")
        assert not set(WORDS.unknown(turns[2].text))
    for row, turns in zip(assistant.rows(chats), chats, strict=True):
        ends = [
            i for i, trained in zip(row.ids, row.answer, strict=True) if trained and i == assistant.END_ID
        ]
        assert len(ends) == 2  # the call and the answer
        start = row.ids.index(WORDS.special["<|tool|>"])
        length = len(WORDS.encode(turns[2].text)) + 2
        assert not any(row.answer[start : start + length])
        read = encode_chat(turns[:3], WORDS, reply=True)
        assert row.ids[: len(read)] == read
    errors = Counter(turns[2].text for turns in chats if "error" in turns[2].text)
    assert set(errors) == {"error: not exact", "error: division by 0", "error: not a sum"}
    by_heart = assistant.conversations(SUMS, 0, tools=False)
    assert all([role for role, _ in turns] == ["user", "assistant"] for turns in by_heart)


def test_chats_longer_than_the_window_are_rare_and_can_be_left_out():
    window = town_gpt.RECIPE.model.max_len
    chats = assistant.conversations(questions.ask(3_000, 4, per_story=3), 0)
    every, short = assistant.rows(chats), assistant.rows(chats, window)
    assert short == [row for row in every if len(row.ids) <= window]
    assert len(chats) == len(every) >= len(short) > 0.99 * len(every)


def test_long_sums_are_sums():
    for one in questions.ask_sums(200, 5, digits=(5, 7), with_answer=True):
        found = assistant.calculate(one.expression)
        assert one.known and found in ("".join(one.short[:-1]), "error: too large")
        assert found != "error: too large" or one.group == "two steps"
