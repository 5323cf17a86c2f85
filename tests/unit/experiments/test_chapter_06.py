"""Chapter 06: its records, a cheap slice of each made again, and the numbers that its page says."""

import json
from pathlib import Path

import pytest

from course_lib import experiments
from course_lib.experiments import chapter_06, chapter_06_words
from course_lib.families import describe
from course_lib.tasks import families

ROOT = Path(__file__).parents[3]
NAMES = [one.name for one in (*chapter_06.EXPERIMENTS, *chapter_06_words.EXPERIMENTS)]
WRITERS = [name for name in chapter_06.COMPARED if name != "encoder-only"]


@pytest.fixture(scope="module")
def page():
    cells = json.loads((ROOT / "notebooks" / "06_three_families.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def column(name, measure, **wanted):
    """What was measured at the last step, one value a seed."""
    record = experiments.load(name)
    return [row[measure] for row in record.at(step=record.steps, **wanted)]


def hundredths(values, between=" to "):
    return f"{100 * min(values):.0f}{between}{100 * max(values):.0f}"


# ---------------------------------------------------------------- records


@pytest.mark.parametrize("name", NAMES)
def test_no_seed_is_measured_twice(name):
    record = experiments.load(name)
    columns = (record.group, "step", "seed", "equal")
    measured = [tuple(row.get(column) for column in columns) for row in record.rows]
    assert len(measured) == len(set(measured)) and {row["seed"] for row in record.rows} == {0, 1, 2}


def test_one_variant_of_the_families_is_made_again(monkeypatch):
    monkeypatch.setattr(families, "measure", lambda model, family, seed: {
        "fill": families.fill_accuracy(model, family, families.held_out_examples("fill"))})  # fmt: skip
    monkeypatch.setattr(chapter_06, "_other_starts", lambda model, variant: {})
    live = chapter_06.variant_rows("encoder-decoder, half", 0, chapter_06.LIVE_STEPS)
    recorded = experiments.load("families").at(seed=0, step=100, variant="encoder-decoder, half")
    assert [row["equal"] for row in live] == [row["equal"] for row in recorded] == ["steps", "FLOPs"]
    for now, then in zip(live, recorded, strict=True):
        for same in ("own_steps", "parameters", "targets_a_token", "mflops_a_step"):
            assert now[same] == then[same]
        assert now["fill"] == pytest.approx(then["fill"], abs=0.03)


def test_words_under_one_mask_are_made_again(monkeypatch):
    monkeypatch.setattr(chapter_06_words, "MASKS", {"prefix": "prefix-LM"})
    [live] = experiments.run("prefix-or-causal-words", seed=0)
    [recorded] = experiments.load("prefix-or-causal-words").at(seed=0, step=100, masks="prefix")
    assert live.keys() == recorded.keys() and live["loss"] == pytest.approx(recorded["loss"], abs=0.03)


def test_the_order_of_filling_is_made_again(monkeypatch):
    """One encoder-only model and one order; the others differ in the order alone."""
    monkeypatch.setattr(chapter_06, "BLANKS", {"encoder-only": "15 %"})
    monkeypatch.setattr(families, "ORDERS", ("left to right",))
    live = chapter_06.encoder_rows(0, 10)
    assert [row["way"] for row in live] == ["decoder-only", "left to right (15 %)"]
    assert all(row["consistent"] == row["translate"] == 0 for row in live)
    ways = {row["way"] for row in experiments.load("encoder-writes").rows}
    assert len(ways) == 9 and ways >= {row["way"] for row in live}


def test_parameters_and_operations_are_what_they_are_called():
    record = experiments.load("families")
    for name in chapter_06.COMPARED:
        rows = record.at(step=record.steps, variant=name)
        variant = families.VARIANTS[name]
        assert {row["parameters"] for row in rows} == {families.n_parameters(variant.model.build())}
        for row in rows:
            own = families.equal_steps(variant, record.steps) if row["equal"] == "FLOPs" else record.steps
            assert row["own_steps"] == own
    spent = {
        row["variant"]: row["own_steps"] * row["mflops_a_step"]
        for row in record.at(step=record.steps, equal="FLOPs", seed=0)
    }
    assert max(spent.values()) / min(spent.values()) < 1.002
    sizes = column("families", "parameters", equal="steps", seed=0)
    assert max(sizes[:-1]) / min(sizes[:-1]) < 1.01 and 1.9 < sizes[-1] / sizes[0] < 2


# ---------------------------------------------------------------- what the page says


def test_the_table_of_families(page):
    text = page["equal-read"]
    fill = column("families", "fill", variant="encoder-only", equal="steps")
    others = [x for name in WRITERS for x in column("families", "fill", variant=name, equal="steps")]
    assert min(fill) > max(others)
    best = families.town_fill_accuracy(families.held_out_examples("fill"))  # the blanks of all families
    assert f"gets {100 * best:.0f}:" in text and max(fill) < best
    assert f"gets {100 * best:.0f})" in (ROOT / "README.md").read_text(encoding="utf-8")
    everyone = {
        (name, equal): column("families", "translate", variant=name, equal=equal)
        for name in WRITERS
        for equal in ("steps", "FLOPs")
    }
    half, causal = (everyone[name, "steps"] for name in ("encoder-decoder, half", "decoder-only"))
    assert min(half) < max(causal) and f"*half* the depth, {hundredths(half)}," in text
    assert f"one causal stack, {hundredths(causal)}, overlap" in text
    half = everyone["encoder-decoder, half", "FLOPs"]
    assert f"the first get {hundredths(half)}" in text
    rest = [max(v) for (name, _), v in everyone.items() if name != "encoder-decoder, half"]
    assert min(half) > max(rest)
    means = {name: sum(everyone[name, "steps"]) for name in WRITERS}
    assert min(means, key=means.get) == "encoder-decoder, 2P"
    double = [x for equal in ("steps", "FLOPs") for x in everyone["encoder-decoder, 2P", equal]]
    assert f"last of those that write: {hundredths(double)}" in text
    told = [
        x
        for name in WRITERS
        for x in column("families", "consistent", variant=name, equal="steps")
        if name != "prefix-LM"
    ]
    assert f"close, {hundredths(told)}" in text
    steps = {name: column("families", "own_steps", variant=name, equal="FLOPs")[0] for name in WRITERS}
    said = ", ".join(f"{name} {steps[f'encoder-decoder, {name}']:,}" for name in ("half", "shared", "2P"))
    assert said in page["shares-text"]
    flops = {name: column("families", "mflops_a_step", variant=name, equal="steps")[0] for name in WRITERS}
    assert 0.49 < flops["encoder-decoder, half"] / flops["decoder-only"] < 0.51
    assert 0.95 < flops["encoder-decoder, 2P"] / flops["decoder-only"] < 1.05  # "about as many"


def test_targets_and_all_tokens(page):
    shares = {
        name: families.flow(families.VARIANTS[name]).targets / families.flow(families.VARIANTS[name]).tokens
        for name in ("decoder-only, all tokens", "decoder-only", "encoder-only")
    }
    assert shares["decoder-only, all tokens"] > 0.95 and "nearly every token" in page["targets-read"]
    assert abs(shares["decoder-only"] - 0.5) < 0.01 and "half of them" in page["targets-read"]
    assert abs(shares["encoder-only"] - 1 / 8) < 0.01 and "one in eight" in page["targets-read"]
    everything, output = (
        column("families", "translate", variant=f"decoder-only{end}", equal="steps")
        for end in (", all tokens", "")
    )
    assert max(everything) < min(output)
    assert f"{hundredths(everything)} translated, against {hundredths(output)})" in page["why-read"]


def test_causal_or_prefix(page):
    text = page["prefix-read"]
    for job in ("translate", "fill"):
        causal, prefix = (column("prefix-or-causal", job, masks=mask) for mask in ("causal", "prefix"))
        assert f"{hundredths(causal)}{' of 100' * (job == 'translate')} causal" in text
        assert f"{hundredths(prefix)} prefix" in text
        assert (min(causal) < max(prefix)) == (job == "translate")  # "the ranges overlap"
        for own, read in ((causal, "causal, read prefix"), (prefix, "prefix, read causal")):
            wrong = column("prefix-or-causal", job, masks=read)
            assert all(b < a for a, b in zip(own, wrong, strict=True))
            assert job == "fill" or hundredths(wrong) in text
    words = [column("prefix-or-causal-words", "word_error", masks=mask) for mask in ("causal", "prefix")]
    assert all(a < b for a, b in zip(*words, strict=True))
    assert f"{hundredths(words[1])} of 100 words wrong, causal {hundredths(words[0])}" in page["real-read"]


def test_an_encoder_only_model_asked_to_write(page):
    text, record = page["writes-read"], experiments.load("encoder-writes")
    at_end = record.at(step=record.steps)
    as_bert = [row["consistent"] for row in at_end if row["blanks"] == "15 %"]
    assert f"at most {100 * max(as_bert):.0f} of 100" in text
    any_share = [
        row["consistent"]
        for row in at_end
        if row["blanks"] == "any share" and row["order"] != "mask at the end"
    ]
    assert f"any share of blanks {hundredths(any_share)}" in text
    assert hundredths(column("encoder-writes", "consistent", way="decoder-only")) in text
    assert max(row["translate"] for row in at_end if row["blanks"] != "none") == 0


def test_another_start(page):
    record = experiments.load("families")
    for start in ("eos", "pad"):
        said = [
            row[f"translate_from_{start}"]
            for row in record.at(step=record.steps)
            if row["variant"] in WRITERS
        ]
        assert len(said) == 36 and max(said) <= 0.02


def test_counted_sizes(page):
    sizes = {name: describe(family=name).total for name in ("encoder-decoder", "decoder-only")}
    assert 1.6 < sizes["encoder-decoder"] / sizes["decoder-only"] < 1.7  # embeddings are the same
    assert "two thirds more" in page["count-read"]


T5 = {  # Raffel et al. 2020, table 2, objective: denoising
    "encoder-decoder": ("2P", "M", 83.28, 80.88, 71.36, 26.98),
    "…, shared": ("P", "M", 82.81, 80.63, 70.73, 26.72),
    "…, half as deep": ("P", "M/2", 80.88, 77.59, 68.42, 26.38),
    "one stack, causal": ("P", "M", 74.70, 61.14, 55.02, 25.09),
    "one stack, prefix": ("P", "M", 81.82, 78.94, 68.11, 26.43),
}


def test_the_table_of_t5(page):
    lines = [line.strip("| ") for line in page["t5-text"].splitlines() if line.startswith("|")][2:]
    shown = {name: cells for name, *cells in ([c.strip() for c in line.split("|")] for line in lines)}
    wanted = {name: [*cells[:2], *(f"{x:.2f}" for x in cells[2:])] for name, cells in T5.items()}
    assert shown == wanted
    assert round(T5["one stack, prefix"][2] - T5["one stack, causal"][2]) == 7
    assert round(T5["…, shared"][2] - T5["one stack, prefix"][2]) == 1


def test_the_readme_says_the_same():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    record = experiments.load("encoder-writes")
    as_bert = [row["consistent"] for row in record.at(step=record.steps, blanks="15 %")]
    writes = column("encoder-writes", "consistent", way="decoder-only")
    fill = column("families", "fill", variant="encoder-only", equal="steps")
    assert f"fills blanks best ({hundredths(fill)} of 100" in text
    assert f"at most {100 * max(as_bert):.0f} of 100 of its sentences" in text and hundredths(writes) in text
