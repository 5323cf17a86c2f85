"""The rates of ScheduleExplorer are those of the training loop, and no number that is not 0 reads as 0."""

import numpy as np
import pytest

from course_lib.training.optim import PaperSchedule, WarmupThenCosine
from course_lib.viz import rates


@pytest.mark.parametrize(
    ("d_model", "warmup", "steps"),
    [(512, 4000, 100_000), (256, 4000, 20_000), (64, 1, 50), (4096, 700, 700), (512, 10, 1_000_000)],
)
def test_both_rates_are_those_of_the_training_loop(d_model, warmup, steps):
    paper, cosine = PaperSchedule(warmup, steps), WarmupThenCosine((warmup - 1) / (steps - 1))
    peak = rates.peak_rate(d_model, warmup)
    assert peak == paper.peak(d_model)
    looked = np.unique([1, 2, warmup, min(warmup + 1, steps), steps // 2, steps - 1, steps])
    progress = [(step - 1) / (steps - 1) for step in looked]
    np.testing.assert_allclose(
        rates.paper_rate(looked, d_model, warmup), [peak * paper(p) for p in progress], rtol=1e-9
    )
    np.testing.assert_allclose(
        rates.cosine_rate(looked, d_model, warmup, steps),
        [peak * cosine(p) for p in progress],
        rtol=1e-9,
        atol=1e-20,
    )


def test_the_peaks_that_are_known():
    peaks = [rates.rate_text(rates.peak_rate(*run)) for run in ((512, 4000), (512, 8000), (256, 4000))]
    assert peaks == ["7.0e-4", "4.9e-4", "9.9e-4"]


def test_a_warm_up_longer_than_the_run_never_reaches_the_peak():
    for rate in (rates.paper_rate(1000, 512, 4000), rates.cosine_rate(1000, 512, 4000, 1000)):
        assert 0 < rate < 0.3 * rates.peak_rate(512, 4000)
    still = rates.schedules(512, 4000, 1000, 25_000, title="Too short")
    assert "the run ends before the peak 7.0e-4 is reached" in still.alt and "400 % of the run" in still.alt


def test_only_what_is_0_reads_as_0():
    assert rates.rate_text(0) == "0" and rates.percent_text(0) == "0 %"
    for value in (1e-12, 3e-9, 1.7e-7, 0.02):
        assert float(rates.rate_text(value)) == pytest.approx(value, rel=0.05)
        assert float(rates.percent_text(value).split()[0]) == pytest.approx(100 * value, rel=0.05)
    assert [rates.percent_text(share) for share in (0.04, 0.0001, 1)] == ["4.0 %", "0.010 %", "100 %"]
    assert [rates.count_text(n) for n in (25_000, 1e8, 2.5e9)] == ["25,000", "100 million", "2.5 billion"]


@pytest.mark.parametrize("log", [False, True], ids=["steps", "log-steps"])
def test_the_still_says_the_peak_the_warm_up_and_the_end(log):
    still = rates.schedules(512, 4000, 100_000, 25_000, log=log, title="Rates")
    for words in (
        "100 million tokens, 4.0 % of the run",
        "7.0e-4 at step 4,000",
        "1.4e-4",
        "cosine’s 0.",
    ):
        assert words in still.alt, words
    lines = still.axes[0].lines
    assert all(max(line.get_ydata()) == pytest.approx(6.987712e-4) for line in lines[:2])
    assert still.axes[0].get_xscale() == ("log" if log else "linear")
    assert still.png()[:4] == b"\x89PNG"
