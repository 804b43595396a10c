"""Estimators against the Open Bandit Pipeline's own figures, and against each formula written out decision by decision.

The figures are those of obp 0.4.1 on the log below: InverseProbabilityWeighting, its self-normalised kin, DirectMethod,
DoublyRobust and SwitchDoublyRobust with tau = 1.6. They stand here as numbers, for obp brings torch along.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.evaluation.estimators import ESTIMATORS, Sample, Terms, switch_dr_at, switch_threshold
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.outcome_model import cross_fitted
from banditroute.evaluation.targets import Given

Floats = NDArray[np.float64]

N, K, TAU = 24, 3, 1.6
ROWS = np.arange(N)
LOGGED = 1.0 + (ROWS[:, None] * np.array([3, 5, 7]) + np.array([1, 4, 2])) % 11
LOGGED /= LOGGED.sum(1, keepdims=True)
AIMED = 1.0 + (ROWS[:, None] * np.array([2, 9, 4]) + np.array([3, 1, 6])) % 7
AIMED /= AIMED.sum(1, keepdims=True)
CHOSEN = (ROWS * 7 + ROWS // 5) % K
QUALITY = (ROWS * 13 + 5) % 17 / 16
MODEL = ((ROWS[:, None] * np.array([5, 3, 8]) + np.array([2, 7, 1])) % 19) / 18

OBP = {
    "ips": 0.7337182318790392,
    "snips": 0.42620835438521737,
    "dm": 0.47437353027630813,
    "dr": 0.39159138635230945,
    "switch-dr": 0.5447252563644346,
}


def sample() -> Sample:
    weight = AIMED[ROWS, CHOSEN] / LOGGED[ROWS, CHOSEN]
    return Sample(weight, QUALITY, CHOSEN, AIMED, MODEL)


def terms(estimator: str, of: Sample) -> Terms:
    return switch_dr_at(of, TAU) if estimator == "switch-dr" else ESTIMATORS[estimator](of)


@pytest.mark.parametrize("estimator", sorted(OBP))
def test_estimates_are_those_of_the_open_bandit_pipeline(estimator: str) -> None:
    assert terms(estimator, sample()).estimate == pytest.approx(OBP[estimator], abs=1e-12)


def worked_by_hand(estimator: str, p: Floats, q: Floats, chosen: NDArray[np.int64], r: Floats, m: Floats) -> float:
    """Each estimator as its paper writes it: target p, logging q, reward r, model m; a sum over decisions."""
    n, arms = p.shape
    total, weights = 0.0, 0.0
    for i in range(n):
        a = int(chosen[i])
        rho = p[i, a] / q[i, a]
        weights += rho
        if estimator in ("ips", "snips"):  # Dudik et al. (2014), eq. 3; Swaminathan and Joachims (2015), eq. 6
            total += rho * r[i]
            continue
        total += sum(p[i, k] * m[i, k] for k in range(arms))  # Dudik et al. (2014), eq. 2
        if estimator == "dr" or (estimator == "switch-dr" and rho <= TAU):
            total += rho * (r[i] - m[i, a])  # eq. 4; Wang, Agarwal and Dudik (2017), sec. 3.2
    return total / (weights if estimator == "snips" else n)


@pytest.mark.parametrize("estimator", sorted(OBP))
def test_the_formulas_by_hand_agree_too(estimator: str) -> None:
    by_hand = worked_by_hand(estimator, AIMED, LOGGED, CHOSEN, QUALITY, MODEL)
    assert by_hand == pytest.approx(OBP[estimator], abs=1e-12)


def test_two_decisions_on_the_back_of_an_envelope() -> None:
    """Weights 2 and .5, rewards 1 and 0, a model that says .5 everywhere."""
    half = np.full((2, 2), 0.5)
    two = Sample(np.array([2.0, 0.5]), np.array([1.0, 0.0]), np.array([0, 1]), half, half)
    values = {name: ESTIMATORS[name](two).estimate for name in ("ips", "snips", "dm", "dr")}
    assert values == pytest.approx({"ips": 1.0, "snips": 0.8, "dm": 0.5, "dr": 0.875})
    assert switch_dr_at(two, 1.0).estimate == pytest.approx(0.375)
    assert switch_dr_at(two, np.inf).estimate == pytest.approx(0.875)
    assert switch_dr_at(two, 0.0).estimate == pytest.approx(0.5)


def log_of(seed: int) -> LogTable:
    """A log of 300 decisions among three models, some not eligible, two task classes, features and all signals."""
    rng, n = np.random.default_rng(seed), 300
    eligible = rng.random((n, K)) < 0.8
    eligible[np.arange(n), rng.integers(K, size=n)] = True
    logged = rng.dirichlet(np.ones(K), n) * eligible + 0.05 * eligible
    logged /= logged.sum(1, keepdims=True)
    chosen = (rng.random((n, 1)) > logged.cumsum(1)).sum(1).clip(max=K - 1)
    return LogTable(
        name="log",
        ids=tuple(map(str, range(n))),
        models=("large", "mid", "small"),
        tasks=("code", "qa"),
        policies=("router",),
        policy_of=np.zeros(n, dtype=np.int64),
        task_of=rng.integers(2, size=n),
        at=np.arange(n, dtype=np.float64),
        input_tokens=rng.integers(1, 4000, size=n).astype(np.float64),
        output_tokens=rng.integers(1, 900, size=n).astype(np.float64),
        features=rng.normal(size=(n, 2)),
        eligible=eligible,
        chosen=chosen,
        served=chosen,
        propensity=logged[np.arange(n), chosen],
        propensities=logged,
        quality=np.clip(0.5 + 0.1 * chosen + rng.normal(0, 0.2, n), 0, 1),
        cost_usd=rng.lognormal(-7 + chosen, 0.5),
        latency_s=rng.lognormal(0, 0.5, n),
    )


def aimed_at(log: LogTable) -> Floats:
    p = np.random.default_rng(9).dirichlet(np.full(K, 0.7), log.rows) * log.eligible + 1e-3 * log.eligible
    return p / p.sum(1, keepdims=True)


@pytest.mark.parametrize("signal", ["quality", "cost_usd", "latency_s"])
@pytest.mark.parametrize("estimator", ["ips", "snips", "dm", "dr"])
def test_an_evaluation_is_the_formula_on_its_log(estimator: str, signal: str) -> None:
    """From the log to the figure that is printed: nothing is lost, cut or weighed on the way."""
    log = log_of(3)
    p, model = aimed_at(log), getattr(cross_fitted(log), signal)
    found = evaluate(log, [Given("target", p)], [estimator], number=20).of("target", estimator)
    expected = worked_by_hand(estimator, p, log.propensities, log.chosen, getattr(log, signal), model)
    assert getattr(found, signal).mean == pytest.approx(expected, abs=1e-9)
    assert getattr(found, signal).gain == pytest.approx(expected - getattr(log, signal).mean(), abs=1e-9)


def test_switching_takes_a_threshold_of_the_log_itself() -> None:
    log = log_of(4)
    p, model = aimed_at(log), cross_fitted(log).quality
    weight = p[np.arange(log.rows), log.chosen] / log.propensity
    of = Sample(weight, log.quality, log.chosen, p, model)
    threshold = switch_threshold(of)
    assert weight.min() <= threshold <= weight.max()
    found = evaluate(log, [Given("target", p)], ["switch-dr"], number=20).of("target", "switch-dr")
    assert found.quality is not None
    assert found.quality.mean == pytest.approx(switch_dr_at(of, threshold).estimate, abs=1e-9)


def test_only_the_chosen_propensity_is_needed() -> None:
    log = log_of(5)
    alone = dataclasses.replace(log, propensities=np.full_like(log.propensities, np.nan))
    for name in ("ips", "snips", "dr"):
        full, part = (
            evaluate(each, [Given("t", aimed_at(log))], [name], number=20).of("t", name) for each in (log, alone)
        )
        assert full.quality is not None
        assert part.quality is not None
        assert part.quality.mean == pytest.approx(full.quality.mean, abs=1e-12)
