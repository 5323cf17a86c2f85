"""What a learner sees and calls: exercise, check, hint, solution, predict, recall, progress."""

import html
import json
import re
import sys
import types
from html.parser import HTMLParser

import pytest

from course_lib.practice import cards, desk, progress_file
from course_lib.practice import chapter_01 as one


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    monkeypatch.setattr(progress_file, "_waiting", {})
    monkeypatch.setattr(progress_file, "_told", set())
    monkeypatch.setattr(desk, "_hints_shown", {})
    return path


@pytest.fixture
def said(capsys):
    return lambda: capsys.readouterr().out


def wrong(s, h, W_a, U_a, v_a):
    return h.sum(-1)


def stub(s, h, W_a, U_a, v_a): ...


class _Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def assert_well_formed(text):
    parser = _Balanced()
    parser.feed(text)
    parser.close()
    assert parser.open == []


# --- check ----------------------------------------------------------------------------------------


def test_check_shows_one_card_returns_nothing_and_records(said, file):
    assert desk.check("01.scores", one.SCORES.reference) is None
    assert said() == f"✓ 01.scores: solved. Right on all 7 inputs. {one.SCORES.insight}\n"
    assert json.loads(file.read_text())["exercises"]["01.scores"]["solved"] is True


def test_check_of_a_stub_records_nothing(said, file):
    desk.check("01.scores", stub)
    assert said() == (
        "○ 01.scores: not attempted yet. Replace the `...` with your lines and run the cell again. "
        'If you are stuck: `hint("01.scores")`.\n'
    )
    assert not file.exists()
    assert desk.attempts("01.scores") == 0


def test_a_later_failure_does_not_take_back_what_is_solved(said):
    desk.check("01.scores", one.SCORES.reference)
    desk.check("01.scores", wrong)
    desk.progress()
    assert re.search(r"01\.scores +12 min  ✓ solved +2 tries", said())


def test_state_is_said_in_words_and_learners_text_is_escaped():
    def function(*args):
        print("<script>alert(1)</script>")
        raise ValueError("<b>bold</b>")

    card = cards.result_card(desk.run_check("01.scores", function))
    assert "not yet" in card.html and "✗" in card.html
    assert "<script>" not in card.html and "<b>bold" not in card.html
    assert "&lt;b&gt;bold" in card.html
    assert_well_formed(card.html)


# --- hints and solutions --------------------------------------------------------------------------


def test_hints_come_in_steps(said):
    nudge, pseudocode = one.SCORES.hints
    desk.hint("01.scores")
    first = said()
    assert nudge in first and pseudocode not in first
    desk.hint("01.scores")
    second = said()
    assert nudge in second and pseudocode in second and "def alignment_scores" not in second
    desk.hint("01.scores")
    third = said()
    assert "def alignment_scores" not in third and "after one try" in third
    assert 'solution("01.scores", anyway=True)' in third
    desk.check("01.scores", wrong)
    said()
    desk.hint("01.scores")
    assert one.SCORES.solution in said()


def test_hints_of_two_exercises_do_not_mix(said):
    desk.hint("01.scores")
    desk.hint("01.context")
    assert one.CONTEXT.hints[1] not in said()


def test_the_solution_waits_for_a_try(said, file):
    desk.solution("01.context")
    text = said()
    assert "def context_vectors" not in text and "anyway=True" in text
    desk.solution("01.context", anyway=True)
    assert "return weights @ h" in said()
    assert json.loads(file.read_text())["exercises"]["01.context"]["solution_seen"] is True
    desk.check("01.scores", wrong)
    desk.solution("01.scores")
    assert one.SCORES.solution in said()


def test_an_exercise_shows_what_to_write(said):
    desk.exercise("01.scores")
    text = said()
    assert text.startswith("Exercise 1.1 · Alignment scores · 12 min · ●●○\n")
    assert "alignment_scores(s, h, W_a, U_a, v_a)\n  s: (B, D_s)\n  h: (B, S, D_h)" in text
    assert "v_a: (A,)\n  returns scores (B, S)" in text


# --- predictions ----------------------------------------------------------------------------------


def test_a_prediction_does_not_give_its_answer_away(said):
    for prediction in desk.predictions().values():
        card = cards.prediction_card(prediction)
        assert prediction.prompt in card.text
        for option in prediction.options:
            assert option.text in card.text
            assert option.explanation not in card.text
            assert option.explanation not in card.html
    desk.predict("01.lag")
    assert said().startswith("Predict first: The query for French word i")


def test_each_answer_gets_its_own_explanation(said, file):
    lag = desk.predictions()["01.lag"]
    desk.predict("01.lag", "a", confidence=2)
    text = said()
    assert text.startswith("✗ not this one: " + lag.options[0].explanation)
    assert lag.options[lag.right].text in text
    entry = json.loads(file.read_text())["predictions"]["01.lag"]
    assert (entry["choice"], entry["right"], entry["confidence"]) == (0, False, 2)
    desk.predict("01.lag", lag.right)
    text = said()
    assert text.startswith(f"✓ right: {lag.options[lag.right].explanation}\n")
    first = f"Your first answer: (a) “{lag.options[0].text.rstrip('.')}”, rather sure: not right."
    assert text.strip().endswith(f"{first} It stands in your progress.")
    desk.predict("01.lag")  # asked again: the first answer is shown
    assert first in said()


def test_certain_and_wrong_is_another_card_than_guessing():
    lag = desk.predictions()["01.lag"]
    wrong = (lag.right + 1) % len(lag.options)
    texts = [
        cards.answer_card(lag, option, sure).text for option in (wrong, lag.right) for sure in (0, 1, 2, 3)
    ]
    assert "you were certain. Such a mistake teaches the most" in texts[3]
    assert "You were guessing" in texts[0] and texts[1] == texts[2] == cards.answer_card(lag, wrong).text
    assert "by a guess" in texts[4] and "certain" in texts[7] and texts[5] == texts[6]
    assert len(set(texts)) == 6
    assert all(lag.options[wrong].explanation in text for text in texts[:4])


def test_the_widget_asks_in_the_words_of_practice():
    from course_lib.practice.kinds import CONFIDENCE
    from course_lib.widgets import question

    assert question.CONFIDENCE == CONFIDENCE


@pytest.mark.parametrize("answer", ["e", "", "ab", 4, -1, True, 1.0])
def test_an_answer_that_is_no_option(answer):
    with pytest.raises(ValueError, match="expected a letter from a to d, or 0 to 3"):
        desk.predict("01.lag", answer)


def test_the_live_question_gets_the_options_and_answers(monkeypatch, file):
    asked = []
    fake = types.ModuleType("course_lib.widgets")
    fake.Question = lambda prompt, options, on_answer, before: (
        asked.append((prompt, options, on_answer)) or "a question"
    )
    monkeypatch.setitem(sys.modules, "course_lib.widgets", fake)
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    desk.predict("01.cost")
    cost = desk.predictions()["01.cost"]
    ((prompt, options, on_answer),) = asked
    assert shown == ["a question"]
    assert (prompt, list(options)) == (cost.prompt, [o.text for o in cost.options])
    feedback = on_answer(0, 1)
    assert cost.options[0].explanation in feedback
    assert_well_formed(feedback)
    assert json.loads(file.read_text())["predictions"]["01.cost"]["confidence"] == 1


def test_the_course_has_a_live_question_and_it_hides_the_answer(monkeypatch, file):
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    lag = desk.predictions()["01.lag"]
    question = desk._live_question(lag)
    bundle = question._repr_mimebundle_()
    still = (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"]
    assert all(html.escape(o.text) in still for o in lag.options)
    assert not any(o.explanation[:30] in still for o in lag.options)
    assert question.before == ""
    question.answer = [lag.right, 3]
    assert "✓ right" in question.feedback
    assert json.loads(file.read_text())["predictions"]["01.lag"]["right"] is True
    again = desk._live_question(lag, desk._first_answer(lag))
    assert again.before.startswith("Your first answer: (") and again.before.endswith(", certain: right.")
    assert again.answer == [] and again.feedback == "", "she may answer anew; the first answer stands"
    again.answer = [(lag.right + 1) % len(lag.options), 0]
    assert "Your first answer: (" in again.feedback
    assert json.loads(file.read_text())["predictions"]["01.lag"]["right"] is True


# --- recall ---------------------------------------------------------------------------------------


def test_recall_asks_three_questions_and_hides_the_answers(said):
    desk.recall("02")
    text = said()
    questions = desk.recall_questions("02")
    assert len(questions) == 3 and set(questions) <= set(one.RECALL)
    assert all(q.question in text and q.answer not in text for q in questions)
    shown = cards.recall_card(questions).html
    assert shown.count("<details>") + shown.count("<details style") == 3
    assert "<details open" not in shown
    assert_well_formed(shown)


def test_recall_of_other_pages():
    assert desk.recall_questions("01") == desk.CHAPTERS["00"].RECALL
    assert not set(desk.recall_questions("02")) & set(desk.recall_questions("03"))
    for bad in ("00", "2", 2, "xx", None, "13"):
        with pytest.raises(ValueError, match="expected two digits"):
            desk.recall_questions(bad)


def test_recall_takes_the_last_question_from_an_older_chapter(monkeypatch):
    class Two:
        RECALL = ("two a", "two b", "two c", "two d")

    monkeypatch.setitem(desk.CHAPTERS, "02", Two)
    assert desk.recall_questions("03") == ("two a", "two b", one.RECALL[-1])


# --- progress -------------------------------------------------------------------------------------


def test_progress_before_anything_is_the_same_everywhere(said):
    desk.progress()
    text = said()
    every = desk.exercises()
    minutes = sum(exercise.minutes for exercise in every.values())
    assert text.splitlines()[0] == f"0 of {len(every)} exercises solved · 0 of {minutes} minutes"
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  ")] == list(desk.exercises())
    assert text.count("○ not yet") == len(every)
    assert "01 Bahdanau attention · predictions: 0 right of 0 answered, 6 in all" in text


def test_progress_counts(said):
    desk.check("01.scores", one.SCORES.reference)
    desk.check("01.context", lambda weights, h: h)
    desk.predict("01.cost", 2)
    desk.predict("01.scale", 0)
    said()
    desk.progress()
    text = said()
    every = desk.exercises()
    minutes = sum(exercise.minutes for exercise in every.values())
    assert text.startswith(f"1 of {len(every)} exercises solved · {one.SCORES.minutes} of {minutes} minutes")
    assert "predictions: 1 right of 2 answered, 6 in all" in text
    assert re.search(r"01\.scores +12 min  ✓ solved +1 try\n", text)
    assert re.search(r"01\.context +5 min  ✗ tried +1 try\n", text)


def test_progress_shows_how_well_confidence_fits():
    """How often she was right at each level, and from how many answers; a word only from four answers on."""

    def of(*answers):
        entries = {f"q{i}": {"right": right, "confidence": sure} for i, (right, sure) in enumerate(answers)}
        return cards.calibration({"predictions": entries})

    assert of() == [] and of((True, None), (True, "x")) == []
    assert of((True, 0), (False, 3), (True, 3)) == [
        "How sure you were, and how often you were right. guessing: right 1 of 1 · certain: right 1 of 2"
    ]
    assert "certain more often than right" in of(*[(False, 3)] * 2, *[(True, 3)] * 2)[1]
    assert len(of(*[(True, 3)] * 9, (False, 3))) == 1
    assert "you know more than you think" in of(*[(True, 0)] * 4)[1]


def test_progress_counts_confidence_from_the_file(said):
    lag = desk.predictions()["01.lag"]
    desk.predict("01.lag", lag.right, confidence=3)
    said()
    desk.progress()
    assert "certain: right 1 of 1" in said().splitlines()[-1]


def test_every_card_is_well_formed_and_fit_for_a_dark_page():
    data = progress_file.empty()
    everything = [cards.progress_card(desk.CHAPTERS, data)]
    for exercise in desk.exercises().values():
        everything += [cards.exercise_card(exercise, "1.1"), cards.solution_card(exercise, True)]
        everything += [cards.solution_card(exercise, False), cards.hint_card(exercise, 2, None)]
        everything += [cards.hint_card(exercise, 3, exercise.solution), cards.hint_card(exercise, 3, None)]
        everything += [cards.result_card(desk.run_check(exercise.id, None))]
    for prediction in desk.predictions().values():
        everything += [cards.prediction_card(prediction)]
        everything += [
            cards.answer_card(prediction, i, i % 4, {"choice": i}) for i in range(len(prediction.options))
        ]
    data["predictions"]["x"] = {"right": True, "confidence": 3}
    everything += [cards.progress_card(desk.CHAPTERS, data)]
    for card in everything:
        assert_well_formed(card.html)
        colours = re.findall(r"(?<!-)\b(?:background|color):(?!inherit)|black", card.html)
        assert not colours, "text takes the page's own colours"
        assert card.text and "<" not in re.sub(r"->|<[^a-z]", "", card.text)
        assert set(card._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_a_card_shows_code_and_stress_and_leaves_products_alone():
    html = cards.inline("Each *token* counts, not `a *b* c`; 2 * d * d and *a word* stay.")
    assert html == "Each <em>token</em> counts, not <code>a *b* c</code>; 2 * d * d and <em>a word</em> stay."
    assert cards.inline("a < b") == "a &lt; b"
