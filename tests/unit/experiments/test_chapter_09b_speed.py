"""The speed run: each variant is one change, time and loss come from one run, and what the record says."""

from dataclasses import asdict, fields

import pytest
import torch
from torch import nn

from course_lib import experiments
from course_lib.experiments import chapter_09b_speed as speed
from course_lib.experiments import records
from course_lib.models.gpt import GPT, GPTConfig
from course_lib.tasks import characters_gpt
from course_lib.training.muon import Muon
from course_lib.training.optim import MuonAndAdamW
from course_lib.training.recipe import new_model, vary

TINY = {"d_model": 16, "n_heads": 2, "n_layers": 2}


@pytest.fixture
def text(tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text("the cat saw a dog\nand the dog saw the cat: who saw whom?\n" * 60)
    monkeypatch.setenv("COURSE_TEXT", str(path))
    return speed.text()


def test_without_a_text_the_error_says_how_to_give_one(monkeypatch):
    monkeypatch.delenv("COURSE_TEXT", raising=False)
    with pytest.raises(ValueError, match=r"COURSE_TEXT=a/file\.txt"):
        speed.text()


def test_each_variant_is_the_fast_recipe_with_one_thing_changed(text):
    found = speed.variants(text)
    fast = found[speed.FAST]
    for name, recipe in found.items():
        if name in (speed.PLAIN, speed.FAST):
            continue
        changed = [f.name for f in fields(recipe) if getattr(recipe, f.name) != getattr(fast, f.name)]
        assert len(changed) == 1, name
        if changed == ["model"]:
            ours, theirs = asdict(recipe.model), asdict(fast.model)
            different = {key for key in ours if ours[key] != theirs[key]}
            assert len(different) == 1 or different <= set(speed.SIZES), name


def test_rows_tell_loss_and_time_along_one_run(text, monkeypatch):
    """A short run is the beginning of the long one, and the clock stands while a loss is measured."""
    recipe = vary(characters_gpt.fast(text), **TINY, steps=10, batch_size=2)
    whole = speed.run(recipe, text, [50, 100], "x")
    rows = [next(whole), next(whole)]
    assert [(row["step"], row["steps"], row["seed"], row["variant"]) for row in rows] == [
        (50, 5, 0, "x"), (100, 10, 0, "x"),
    ]  # fmt: skip
    assert next(speed.run(recipe, text, [50], "x"))["loss"] == rows[0]["loss"]
    assert 0 < rows[0]["core_seconds"] <= rows[1]["core_seconds"]
    assert 0 < rows[0]["seconds"] <= rows[1]["seconds"]
    assert rows[1]["parameters"] == sum(p.numel() for p in recipe.model.build().parameters())


def test_a_seed_has_every_variant_at_every_stage(text, monkeypatch):
    tiny = {
        name: vary(recipe, d_model=8, n_heads=2, n_layers=1, steps=10, batch_size=1)
        for name, recipe in speed.variants(text).items()
    }
    monkeypatch.setattr(speed, "variants", lambda text: tiny)
    rows = speed.speed_rows(1, 100)
    assert [(row["step"], row["variant"]) for row in rows] == [
        (stage, name) for stage in speed.STAGES for name in tiny
    ]
    assert {row["seed"] for row in rows} == {1}
    assert {row["step"] for row in speed.speed_rows(1, 50)} == {50}


def test_together_is_muon_on_one_matrix_of_three():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=11, max_len=8, bias=False, **TINY))
    attention = model.layers[1].self_attention
    parts = [attention.W_q, attention.W_k, attention.W_v]
    joined = nn.Parameter(torch.cat([part.weight.detach() for part in parts]))
    out = nn.Parameter(attention.W_o.weight.detach().clone())
    usual = Muon([joined, out], 0.02)
    other = speed.MuonAs(MuonAndAdamW(), "together")(model)
    for _ in range(3):
        for p in model.parameters():
            p.grad = torch.randn_like(p)
        joined.grad = torch.cat([part.weight.grad for part in parts])
        out.grad = attention.W_o.weight.grad.clone()
        usual.step()
        other.step()
    torch.testing.assert_close(torch.cat([part.weight for part in parts]), joined, atol=1e-5, rtol=0)
    torch.testing.assert_close(attention.W_o.weight, out, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("way", "n_muon"), [("together", 12), ("everywhere", 14)])
def test_every_parameter_is_in_one_optimizer(way, n_muon):
    model = GPT(GPTConfig(vocab_size=11, max_len=8, bias=False, **TINY))
    both = speed.MuonAs(MuonAndAdamW(), way)(model)
    held = [id(p) for group in both.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert len(both.param_groups[0]["params"]) == n_muon  # 6 matrices a layer; both embeddings


def made_up(losses):
    rows = [
        {"seed": seed, "step": step, "variant": "x", "seconds": 10.0 * step, "loss": losses[seed][i]}
        for seed in (0, 1)
        for i, step in enumerate((50, 100))
    ]
    return records.Record(
        name="speed", question="", group="variant", measure="loss", rows=rows, command="", seeds=[0, 1],
        steps=100, tolerance=0.1, versions={}, machine="", seconds=1,
    )  # fmt: skip


def test_results_say_when_the_target_was_reached_or_that_it_was_not():
    found = speed.results(made_up([(1.88, 1.80), (1.95, 1.89)]))["x"]
    assert found == speed.Result([500.0, None], [1.80, 1.89])


def test_adamw_gets_each_rate_beside_muon(text, monkeypatch):
    tiny = vary(characters_gpt.fast(text), d_model=8, n_heads=2, n_layers=1, steps=10, batch_size=1)
    monkeypatch.setattr(characters_gpt, "fast", lambda text: tiny)
    rows = speed.rate_rows(1, 100)
    assert [(row["rate"], row["step"]) for row in rows] == [
        (rate, stage) for rate in (0.0, *speed.RATES) for stage in speed.STAGES
    ]
    assert {row["seed"] for row in rows} == {1} and rows[0]["variant"] == speed.MUON_STEPS
    again = {row["loss"] for row in speed.rate_rows(1, 50)}
    assert again == {row["loss"] for row in rows if row["step"] == 50}
    optimizer = speed.AdamWAlone(0.004)(new_model(tiny))
    assert {group["lr"] for group in optimizer.param_groups} == {0.004}


def test_the_record_s_first_half_is_made_again_where_its_text_is_at_hand():
    record = experiments.load("speed")
    try:
        own = speed.text()
    except ValueError:
        own = None
    if own is None or speed.about(own) != record.about:
        pytest.skip("COURSE_TEXT does not name the text that was recorded")
    now = next(speed.run(speed.variants(own)[speed.FAST], own, [50], speed.FAST))
    (then,) = record.at(variant=speed.FAST, seed=0, step=50)
    assert now["loss"] == pytest.approx(then["loss"], abs=0.005)


# ---------------------------------------------------------------- the record


def test_the_fast_recipe_reaches_the_target_in_a_fifth_of_the_plain_one_s_time():
    record = experiments.load("speed")
    found = speed.results(record)
    assert record.about.startswith("1,115,394 characters")  # Tiny Shakespeare, of which nothing is here
    assert all(row["parameters"] <= 850_000 for row in record.rows)
    for seed, seconds, loss in zip(record.seeds, *found[speed.FAST], strict=True):
        [plain] = record.at(seed=seed, variant=speed.PLAIN, step=100)
        [fast] = record.at(seed=seed, variant=speed.FAST, step=100)
        assert seconds <= plain["seconds"] / 5 and fast["seconds"] <= plain["seconds"] / 6.9
        assert loss <= speed.TARGET < plain["loss"]


def test_what_the_changes_buy():
    found = speed.results(experiments.load("speed"))
    for name in ("AdamW", "AdamW at Muon's rate", "plain's batch", "plain"):
        assert found[name].seconds == [None] * 3, name
    assert found["learned positions"].seconds[:2] == [None, None]
    fast = found[speed.FAST]
    assert all(
        large > 2 * small for large, small in zip(found["plain's size"].seconds, fast.seconds, strict=True)
    )
    assert all(large < small for large, small in zip(found["plain's size"].loss, fast.loss, strict=True))
    for name in (
        "LayerNorm",
        "no QK-norm",
        "GELU",
        "cosine",
        "Muon for the embedding too",
        "Q, K, V together",
    ):
        assert found[name].loss == pytest.approx(fast.loss, abs=0.03), name  # no change to speak of
