"""Chapter 10a's experiment with attackers, in small: its rows, and what each defence can change."""

import pytest

from course_lib.experiments import chapter_10a_injection as injection
from course_lib.tasks.assistant import stages, training
from course_lib.tasks.assistant.attacks import ATTACKS
from course_lib.text.tokenizers import UNK_ID
from course_lib.training.recipe import new_model, vary

TINY = vary(training.RECIPE, d_model=16, n_heads=2, n_layers=1)


@pytest.fixture
def small(monkeypatch):
    """Two questions about stories, two sums, few chats, and a tiny model instead of the shipped one."""
    monkeypatch.setattr(stages, "load", lambda stage: new_model(TINY).eval())
    for name, value in {"QUESTIONS": 90, "SUMS": 20, "STORIES": 5, "ATTACKED": 2}.items():
        monkeypatch.setattr(injection, name, value)
    for kept in (injection.learnt, injection.attacked):
        kept.cache_clear()
    yield
    for kept in (injection.learnt, injection.attacked):
        kept.cache_clear()


def test_a_row_for_each_attack_and_each_defence(small, monkeypatch):
    monkeypatch.setattr(injection, "LIVE_STEPS", 1)
    monkeypatch.setattr(injection, "STEPS", 2)
    rows = injection.injection_rows(0, 2)
    found = {(row["step"], row["defence"], row["attack"]): row for row in rows}
    assert list(found) == [(step, d, a) for step in (1, 2) for d in injection.DEFENCES for a in ATTACKS]
    for row in rows:
        assert sum(row[share] for share in ("right", "followed", "refused", "other")) == pytest.approx(1)
    live = injection.injection_rows(0, 1)  # the short run is the beginning of the long one
    assert live == [row for row in rows if row["step"] == 1]


def test_what_is_taken_over_is_what_would_be_measured(small):
    """Where no marker is typed the encoders agree, and no result is cleaned: nothing is asked twice."""
    model, asked = new_model(TINY).eval(), injection.attacked(0)
    found = injection.untrained_rates(model, 0)
    for name in ("order", "call in a result"):
        assert (
            found["markers by id"][name] == injection.attack_rates(model, {name: ATTACKS[name]}, asked)[name]
        )
    for name in ("order", "no attack, sum"):
        cleaned = {"encode": injection.encode_spelled, "clean": injection.clean_result}
        again = injection.attack_rates(model, {name: ATTACKS[name]}, asked, **cleaned)
        assert found["clean results"][name] == again[name]


def test_both_models_learn_from_the_same_chats_but_for_the_attacks(small):
    plain, defended = (injection.learnt(0, way) for way in (False, True))
    assert len(plain) == len(defended)
    differ = [(a, b) for a, b in zip(plain, defended, strict=True) if a != b]
    assert 0.3 < len(differ) / len(plain) < 0.7
    for before, now in differ:
        assert len(now.ids) > len(before.ids) and UNK_ID not in now.ids
        trained = [[i for i, answer in zip(*row, strict=True) if answer] for row in (before, now)]
        assert trained[0] == trained[1]


def test_attacked_are_new_questions_with_an_answer(small):
    asked = injection.attacked(0)
    assert len(asked) == 2 * injection.ATTACKED and all(one.known for one in asked)
    assert sum(one.kind == "sum" for one in asked) == injection.ATTACKED
