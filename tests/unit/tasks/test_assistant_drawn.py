"""A group of answers as the view shows it: the numbers are those of training."""

import pytest
import torch

from course_lib.data.town import questions
from course_lib.tasks.assistant import END_ID, WORDS, drawn, rewards, training
from course_lib.training.rewards import group_advantages
from course_lib.widgets import AnswerGroup


@pytest.fixture(scope="module")
def one():
    model = training.base().eval()
    return model, questions.ask(1, 3, kinds=questions.STORY_KINDS)[0]


def test_a_group_is_drawn_from_its_seed_alone(one):
    draw = drawn.drawer(*one, group=3)
    first, again, other = draw(1), draw(1), draw(2)
    assert first == again != other and len(first) == 3
    assert all(len(tokens) == len(values) and max(values) <= 0 for tokens, values in first)


def test_a_reward_reads_an_answers_tokens(one):
    _, asked = one
    pay = drawn.paid(asked, rewards.as_liked)
    assert pay([*asked.whole, WORDS.tokens[END_ID]]) == 1 and pay([*asked.short, WORDS.tokens[END_ID]]) == 0


def test_a_step_makes_what_did_better_likelier_and_leaves_the_model(one):
    model, asked = one
    before = {name: value.clone() for name, value in model.state_dict().items()}
    answers = drawn.drawer(model, asked, group=2)(0)
    after = drawn.stepper(model, asked)(answers, group_advantages(torch.tensor([[1.0, 0.0]]))[0].tolist())
    grown = [sum(now) - sum(then) for now, (_, then) in zip(after, answers, strict=True)]
    assert grown[0] > 0 > grown[1]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_view_shows_them(one):
    model, asked = one
    pay = {"right": drawn.paid(asked, rewards.right)}
    view = AnswerGroup(drawn.drawer(model, asked, 2), pay, second_step=drawn.stepper(model, asked))
    view.step = 2
    assert not view.message and len(view.ratio) == 2
