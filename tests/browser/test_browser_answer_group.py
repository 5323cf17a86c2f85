"""AnswerGroup in a real JupyterLab: rewards, advantages and clip are training's; keys, windows."""

import json

from test_browser_accessible import nothing_in_light_and_dark
from test_browser_attention import middle, nothing_is_cut, touch
from test_browser_views import contrast_of, height, wait_for_text

GROUP = """
import json, math, random, torch
from course_lib.training.rewards import group_advantages, grpo
from course_lib.widgets import AnswerGroup
SAID = (["in", "the", "park", "."], ["well", ",", "she", "is", "in", "the", "park", "."], 
        ["at", "the", "farm"], ["the", "story", "does", "not", "say", "that", "."], ["park"])
def draw(seed):
    rng = random.Random(seed)
    answers = [rng.choice(SAID) for _ in range(8)]
    return [(tokens, [math.log(rng.uniform(0.2, 1)) for _ in tokens]) for tokens in answers]
def second(answers, advantages):
    return [[value + 0.12 * a * (1 + t % 3) for t, value in enumerate(log_probs)]
            for (_, log_probs), a in zip(answers, advantages)]
rewards = {
    "right": lambda tokens: float("park" in tokens),
    "right and whole": lambda tokens: ("park" in tokens) * (0.5 + 0.5 * (tokens[-1] == ".")),
    "flawed: the longer the better": len,
    "the same for all": lambda tokens: 1.0,
}
view = AnswerGroup(draw, rewards, "anna is in the park . where is anna ?", second_step=second)
view"""
NUMBERS = "() => document.querySelector('.course-view').numbers()"
ANSWERED = "() => document.querySelector('.course-view').numbers().answered"
LINES = """() => [...document.querySelectorAll('.course-view .answers .answer')].map((line) => [
  [...line.querySelectorAll('.tok bdi')].map((node) => node.innerText),
  Number(line.querySelector('.reward').innerText),
  Number(line.querySelector('.advantage .number').innerText.replace('−', '-').replace('≈', ''))])"""
PYTHON = """
def trained():
    answers, reward = draw(view.seed), rewards[view.reward]
    scores = torch.tensor([[float(reward(tokens)) for tokens, _ in answers]])
    advantages = group_advantages(scores)[0]
    longest = max(len(tokens) for tokens, _ in answers)
    old, now, answer = torch.zeros(8, longest), torch.zeros(8, longest), torch.zeros(8, longest).bool()
    later = second(answers, advantages.tolist())
    for g, (tokens, log_probs) in enumerate(answers):
        n = len(tokens)
        old[g, :n], answer[g, :n] = torch.tensor(log_probs), True
        now[g, :n] = torch.tensor(later[g] if view.step == 2 else log_probs)
    done = grpo(now, old, None, advantages, answer, clip=view.clip, kl_weight=0.0)
    return [[tokens for tokens, _ in answers], scores[0].tolist(), advantages.tolist(),
            -done.loss.item(), done.clipped.item()]
"""


def same_as_training(page) -> dict:
    """Answers, rewards, advantages, objective and clipped share are those of training."""
    page.window.wait_for_function(ANSWERED)
    page.window.wait_for_timeout(150)
    answers, scores, advantages, objective, clipped = json.loads(page.python("print(json.dumps(trained()))"))
    lines, numbers = page.window.evaluate(LINES), page.window.evaluate(NUMBERS)
    assert [tokens for tokens, *_ in lines] == answers
    assert max(abs(mine - score) for (_, mine, _), score in zip(lines, scores, strict=True)) < 0.006
    assert max(abs(mine - value) for (*_, mine), value in zip(lines, advantages, strict=True)) < 0.006
    assert abs(numbers["objective"] - objective) < 1e-5
    assert abs(numbers["held"] / numbers["all"] - clipped) < 1e-5
    return numbers


def test_a_group_by_mouse_and_keys(lab, open_page):
    page = open_page(lab.write("group.ipynb", [GROUP]), dark=True)
    page.run_all()
    page.python(PYTHON)
    window, view = page.window, page.window.locator(".course-view")
    tokens, answers = view.locator(".answers .tok"), view.locator("[role=listbox]")
    tokens.first.wait_for()
    before = height(view)
    numbers = same_as_training(page)
    assert numbers["up"] and numbers["down"] and not numbers["held"] and abs(numbers["objective"]) < 1e-6
    wait_for_text(page, ".counted", "the objective is the mean advantage: 0. Its gradient is not 0")
    assert view.locator(".answer .up .arrow").first.inner_text() == "▲"
    assert view.locator(".answer .down .arrow").first.inner_text() == "▼"

    # draw again, by the mouse and by keys
    again = view.locator("button.main")
    again.click()
    page.python_becomes("view.seed", "1")
    same_as_training(page)
    again.focus()
    window.keyboard.press("Enter")
    page.python_becomes("view.seed", "2")
    same_as_training(page)
    assert height(view) == before

    # each reward; equal ones give no signal
    names = view.locator("[aria-label=reward] label")
    for place in range(4):
        names.nth(place).click()
        page.python_becomes("list(rewards).index(view.reward)", str(place))
        numbers = same_as_training(page)
        assert height(view) == before
    assert numbers["group"]["no_signal"] and numbers["up"] == numbers["down"] == 0
    wait_for_text(page, ".counted", "All 8 rewards are 1: no signal. All advantages are 0")
    assert view.locator(".tok.none").count() == tokens.count()

    # a step later: ratios, and the clip holds back
    names.nth(1).click()
    view.locator("[aria-label=step] label").nth(1).click()
    page.python_becomes("view.step, view.reward", "2 right and whole")
    wait_for_text(page, ".counted", "One step later the objective is +")
    assert same_as_training(page)["held"] > 0
    assert view.locator(".tok.held").count() == window.evaluate(NUMBERS)["held"]
    slider = view.locator("input[type=range]")
    slider.focus()
    window.keyboard.press("End")
    page.python_becomes("view.clip", "0.99")
    assert same_as_training(page)["held"] < tokens.count()
    window.keyboard.press("Home")
    page.python_becomes("view.clip", "0.0")
    assert same_as_training(page)["held"] > 0 and height(view) == before

    # one token by keys and by the mouse
    answers.focus()
    window.keyboard.press("Home")
    window.keyboard.press("ArrowDown")
    page.python_becomes("view.answer, view.token", "1 0")
    window.keyboard.press("End")
    last = int(page.python("print(len(view.answers[1].tokens) - 1)"))
    page.python_becomes("view.token", str(last))
    wait_for_text(page, ".readout", "Answer 2: “")
    active = answers.get_attribute("aria-activedescendant")
    assert view.locator(f"[id={active}]").get_attribute("aria-selected") == "true"
    tokens.first.hover()
    wait_for_text(page, ".readout", "Answer 1: “")
    window.mouse.move(5, 5)
    wait_for_text(page, ".readout", "Answer 2: “")
    assert height(view) == before
    for place in (".tok bdi", ".tok .id-of", ".up .arrow", ".down .arrow", ".counted .soft", ".asked .soft"):
        if view.locator(place).count():
            assert contrast_of(page, f".course-view {place}") > 4.5, place

    # undo, reset, code that says the same
    view.locator("button", has_text="Undo").click()
    page.python_becomes("view.token", "0")
    view.locator("button", has_text="Reset").click()
    page.python_becomes("view.seed, view.reward, view.step, view.clip", "0 right 1 0.2")
    same_as_training(page)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.locator("button", has_text="Copy").click()
    wait_for_text(page, ".state", "Copied")
    said = page.python(window.evaluate("navigator.clipboard.readText()")).splitlines()
    shown = window.evaluate(LINES)
    assert [line.split()[2:] for line in said] == [tokens for tokens, *_ in shown]
    assert [float(line.split()[1]) for line in said] == [advantage for *_, advantage in shown]

    # without the kernel: the other rewards are known here, a new draw is not
    page.restart()
    names.nth(2).click()
    wait_for_text(page, ".counted", "Mean reward ")
    wait_for_text(page, ".corner-line", "run this cell again")
    assert again.get_attribute("aria-disabled") == "true"


def test_a_group_in_every_window_and_by_finger(lab, open_page):
    page = open_page(lab.write("group_small.ipynb", [GROUP]))
    page.finger()
    page.run_all()
    window, view = page.window, page.window.locator(".course-view")
    tokens = view.locator(".answers .tok")
    tokens.first.wait_for()
    window.evaluate("jupyterapp.shell.collapseLeft()")
    changes = ("seed = 1", "reward = 'the same for all'", "step = 2", "reward = 'right'", "answer = 3")
    changes += ("step = 1", "seed = 0")
    for width in (1400, 1000, 700, 400):
        window.set_viewport_size({"width": width, "height": 1000})
        window.wait_for_timeout(300)
        nothing_is_cut(page)
        box = view.bounding_box()
        parts = [one.bounding_box() for one in view.locator(".tok, .track, .number, .chips label").all()]
        assert all(one["x"] + one["width"] <= box["x"] + box["width"] for one in parts), width
        before = height(view)
        for change in changes:
            page.python(f"view.{change}")
            window.wait_for_function(ANSWERED)
            window.wait_for_timeout(100)
            assert height(view) == before, (width, change)
    token = tokens.nth(1)
    token.scroll_into_view_if_needed()
    touch(page, middle(token))
    page.python_becomes("view.answer, view.token", "0 1")
    window.set_viewport_size({"width": 1000, "height": 1000})
    nothing_in_light_and_dark(page)
    page.python("view.step = 2")
    window.wait_for_function(ANSWERED)
    nothing_in_light_and_dark(page)


def test_what_goes_wrong_is_said(lab, open_page):
    broken = GROUP.replace('float("park" in tokens)', "float('park')")
    page = open_page(lab.write("group_broken.ipynb", [broken]))
    page.run_all()
    wait_for_text(page, ".hint-line", "could not convert string to float: 'park'")
    view = page.window.locator(".course-view")
    assert view.locator(".tok").count() > 8 and view.locator(".counted div").count() == 0
    nothing_in_light_and_dark(page)
