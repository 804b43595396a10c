"""Intervals hold what they say they hold. Seeds are fixed; false-alarm rates hold for a fresh seed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.results import Value
from banditroute.evaluation.sequences import lower_bound
from banditroute.evaluation.targets import Fixed, TargetPolicy, Uniform

Floats = NDArray[np.float64]

FALSE_ALARM = 1e-5
LOGS, ROWS = 80, 500
MODELS = ("cheap", "good", "strange")
QUALITY = np.array([0.6, 0.97, 0.8])
MEAN_USD = np.array([0.002, 0.006, 0.02])
TRUTH = {"fixed:good": (0.97, 0.006), "uniform": (QUALITY.mean(), MEAN_USD.mean())}


def log_of(seed: int, quality: Floats = QUALITY) -> LogTable:
    """Decisions drawn by changing chances with a floor of .05; what they lead to depends on the model and on luck."""
    rng = np.random.default_rng(seed)
    p = 0.05 + 0.85 * rng.dirichlet(np.full(3, 1.5), ROWS)
    chosen = (rng.random((ROWS, 1)) > p.cumsum(1)).sum(1).clip(max=2)
    return LogTable(
        name="log",
        ids=tuple(map(str, range(ROWS))),
        models=MODELS,
        tasks=("all",),
        policies=("router",),
        policy_of=np.zeros(ROWS, dtype=np.int64),
        task_of=np.zeros(ROWS, dtype=np.int64),
        at=np.arange(ROWS, dtype=np.float64),
        input_tokens=np.full(ROWS, 200.0),
        output_tokens=np.full(ROWS, 100.0),
        features=np.zeros((ROWS, 0)),
        eligible=np.ones((ROWS, 3), dtype=np.bool_),
        chosen=chosen,
        served=chosen,
        propensity=p[np.arange(ROWS), chosen],
        propensities=p,
        quality=(rng.random(ROWS) < quality[chosen]).astype(np.float64),
        cost_usd=rng.gamma(4.0, MEAN_USD[chosen] / 4.0),
        latency_s=rng.gamma(2.0, 1.0, ROWS),
    )


class Held(NamedTuple):
    """Whether an interval held the truth, and by how much the estimate missed it."""

    one_look: bool
    every_look: bool
    error: float


Held_by = dict[tuple[str, str, str], list[Held]]


def held(value: Value, truth: float) -> Held:
    always = value.anytime95 is None or value.anytime95.low <= truth <= value.anytime95.high
    return Held(value.ci95.low <= truth <= value.ci95.high, always, value.mean - truth)


@pytest.fixture(scope="module")
def outcome() -> Held_by:
    found: Held_by = {}
    targets: list[TargetPolicy] = [Fixed("good"), Uniform()]
    for seed in range(LOGS):
        for each in evaluate(log_of(seed), targets, ["ips", "snips", "dr"], number=400).estimates:
            quality, usd = TRUTH[each.policy]
            assert each.quality is not None
            found.setdefault((each.policy, each.estimator, "quality"), []).append(held(each.quality, quality))
            found.setdefault((each.policy, each.estimator, "cost_usd"), []).append(held(each.cost_usd, usd))
    return found


@pytest.mark.statistical
def test_intervals_for_one_look_hold_the_truth_as_often_as_they_say(outcome: Held_by) -> None:
    """False-alarm rate 1.2e-4 (twelve intervals), if they hold it 93 times in a hundred."""
    least = stats.binom.ppf(FALSE_ALARM, LOGS, 0.93)
    for key, logs in outcome.items():
        assert sum(one.one_look for one in logs) >= least, key
    wide = sum(one.one_look for logs in outcome.values() for one in logs) / (LOGS * len(outcome))
    assert wide < 0.99, "intervals that always hold the truth are too wide to be of use"


@pytest.mark.statistical
def test_intervals_for_every_look_miss_the_truth_less_often_than_one_time_in_twenty(outcome: Held_by) -> None:
    """False-alarm rate 1.2e-4, if they miss it five times in a hundred; they should miss it far less at one look."""
    most = stats.binom.isf(FALSE_ALARM, LOGS, 0.05)
    for key, logs in outcome.items():
        assert sum(not one.every_look for one in logs) <= most, key


@pytest.mark.statistical
def test_doubly_robust_errs_less_than_importance_weighting(outcome: Held_by) -> None:
    """Root mean squares differ by a factor of three here: a false alarm has no chance worth naming."""

    def size(policy: str, estimator: str, signal: str) -> float:
        return math.sqrt(np.mean([one.error**2 for one in outcome[policy, estimator, signal]]))

    for policy in TRUTH:
        for signal in ("quality", "cost_usd"):
            assert size(policy, "dr", signal) <= size(policy, "ips", signal)


@pytest.mark.statistical
def test_a_model_that_never_failed_may_still_fail_three_times_in_a_hundred() -> None:
    """Every matched outcome is 1: no interval is without width, and each holds .97 (chance has no part in it)."""
    log = log_of(8, np.array([0.6, 1.0, 0.8]))
    found = evaluate(log, [Fixed("good")], number=2000)
    [target] = found.targets
    assert target.carries
    assert 100 <= target.ess < 110, "as few as carry a verdict"
    for estimator in ("ips", "snips", "dm", "dr", "switch-dr"):
        value = found.of("fixed:good", estimator).quality
        assert value is not None
        low, high = value.ci95
        assert 0.7 < low < 0.97 < high, (estimator, value.ci95)
        assert low <= min(value.mean, 1.0) <= high
        if estimator == "snips":  # the exact binomial end: .025 ** (1 / n)
            assert low == pytest.approx(0.025 ** (1 / target.ess), abs=0.004)
        if value.anytime95 is not None:
            assert value.anytime95.low < 0.97 < value.anytime95.high


@pytest.mark.statistical
@pytest.mark.parametrize("chance", [0.05, 0.3, 1.0])
def test_confidence_sequences_hold_at_every_look_at_once(chance: float) -> None:
    """300 streams of weighted outcomes, looked at 16 times each; false-alarm rate 1e-5 if one end misses 5% of them."""
    looks, streams, missed = np.unique(np.geomspace(10, 3000, 16).astype(int)), 300, 0
    rng = np.random.default_rng(7)
    for _ in range(streams):
        x = (rng.random(3000) < chance) / chance * (rng.random(3000) < 0.6)
        missed += any(lower_bound(x[:n], 0.0, 1.0, 0.05, 0.0) > 0.6 for n in looks)
    assert missed <= stats.binom.isf(FALSE_ALARM, streams, 0.05)


@pytest.mark.statistical
def test_confidence_sequences_hold_the_average_of_means_that_move() -> None:
    """A gain that a learning router eats up: nine tenths at first, none in the end; bets on a constant would miss it.

    False-alarm rate 1e-5 if 5% of the streams are missed.
    """
    rng, streams, missed = np.random.default_rng(8), 300, 0
    means = np.r_[np.full(1000, 0.9), np.zeros(1000)]
    for _ in range(streams):
        x = (rng.random(2000) < means).astype(np.float64)
        missed += lower_bound(x, 0.0, 1.0, 0.05, 0.0) > means.mean()
    assert missed <= stats.binom.isf(FALSE_ALARM, streams, 0.05)


@pytest.mark.statistical
def test_unequal_judging_leaves_intervals_honest() -> None:
    """Answers of one model judged often, of another seldom; false-alarm rate 3e-5 if 93 in a hundred hold the truth."""
    hits = dict.fromkeys(("ips", "snips", "dr"), 0)
    logs = 40
    for seed in range(logs):
        log, rng = log_of(1000 + seed), np.random.default_rng(seed)
        judged = rng.random(ROWS) < np.array([0.9, 0.8, 0.3])[log.chosen]
        found = evaluate(
            replace(log, quality=np.where(judged, log.quality, np.nan)), [Uniform()], list(hits), number=400
        )
        for estimator in hits:
            value = found.of("uniform", estimator).quality
            assert value is not None
            hits[estimator] += value.ci95.low <= QUALITY.mean() <= value.ci95.high
    assert min(hits.values()) >= stats.binom.ppf(FALSE_ALARM, logs, 0.93), hits


@pytest.mark.statistical
def test_propensities_that_were_not_drawn_with_are_found_out() -> None:
    """A log that says one half where a tenth was drawn: the weights' mean gives it away."""
    rng, n = np.random.default_rng(11), ROWS
    drawn = np.tile([0.1, 0.8, 0.1], (n, 1))
    chosen = rng.choice(3, size=n, p=drawn[0])
    said = np.tile([0.5, 0.25, 0.25], (n, 1))
    log = replace(log_of(0), chosen=chosen, propensity=said[np.arange(n), chosen], propensities=said)
    for target in evaluate(log, [Fixed("cheap"), Fixed("good")], ["dr"], number=50).targets:
        assert not target.carries
        assert "propensities" in target.verdict
