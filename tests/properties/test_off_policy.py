"""Laws of off-policy evaluation, on logs of every kind that a file can hold."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from banditroute.evaluation.estimators import ESTIMATORS, Sample, dr, ips, snips, switch_dr_at
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.results import Evaluation, Value
from banditroute.evaluation.sequences import lower_bound
from banditroute.evaluation.targets import Fixed, Given, Uniform
from banditroute.evaluation.weights import effective_size, importance_weights

Floats = NDArray[np.float64]

MODELS = ("a", "b", "c", "d")
SLOW = settings(max_examples=25, derandomize=True)
QUICK = settings(max_examples=60, derandomize=True)

seeds = st.integers(0, 2**32 - 1)


@st.composite
def logs(draw: st.DrawFn, most: int = 60, *, judged: bool = True) -> LogTable:
    """Logs of one to many decisions: any shape of propensities, outcomes at their ends or between, judged or not."""
    rng = np.random.default_rng(draw(seeds))
    n, K = draw(st.integers(1, most)), draw(st.integers(1, 4))
    eligible = rng.random((n, K)) < draw(st.sampled_from([0.6, 1.0]))
    eligible[np.arange(n), rng.integers(K, size=n)] = True
    p = (rng.gamma(draw(st.sampled_from([0.3, 1.0, 20.0])), size=(n, K)) + 1e-4) * eligible
    p /= p.sum(1, keepdims=True)
    chosen = (rng.random((n, 1)) > p.cumsum(1)).sum(1).clip(max=K - 1)
    assume(eligible[np.arange(n), chosen].all())
    ends = rng.random(n) < draw(st.sampled_from([0.0, 0.5, 0.97, 1.0]))
    quality = np.where(draw(st.booleans()), ends.astype(float), rng.random(n))
    if not judged:
        quality[rng.random(n) < draw(st.sampled_from([0.1, 0.6, 1.0]))] = np.nan
    return LogTable(
        name="log",
        ids=tuple(map(str, range(n))),
        models=MODELS[:K],
        tasks=("x", "y"),
        policies=("",),
        policy_of=np.zeros(n, dtype=np.int64),
        task_of=rng.integers(2, size=n),
        at=np.arange(n, dtype=np.float64),
        input_tokens=np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 5000, size=n)),
        output_tokens=np.full(n, np.nan),
        features=rng.normal(size=(n, draw(st.integers(0, 2)))),
        eligible=eligible,
        chosen=chosen,
        served=chosen,
        propensity=p[np.arange(n), chosen],
        propensities=p,
        quality=quality,
        cost_usd=rng.exponential(0.01, n) * draw(st.sampled_from([0.0, 1.0, 1e6])),
        latency_s=rng.exponential(1.0, n),
    )


def target_for(log: LogTable, seed: int = 0) -> Given:
    p = np.random.default_rng(seed).dirichlet(np.ones(len(log.models)), log.rows) * log.eligible + 1e-9 * log.eligible
    return Given("target", p / p.sum(1, keepdims=True))


def values(found: Evaluation) -> list[tuple[str, str, Value]]:
    return [
        (each.estimator, signal, value)
        for each in found.estimates
        for signal in ("quality", "cost_usd", "latency_s")
        if (value := getattr(each, signal)) is not None
    ]


@SLOW
@given(logs())
def test_the_logging_policy_itself_has_weights_of_one_and_its_own_means(log: LogTable) -> None:
    found = evaluate(log, [Given("itself", log.propensities)], ["ips", "snips", "dr"], number=50)
    [target] = found.targets
    assert (target.max_weight, target.mean_weight) == pytest.approx((1.0, 1.0))
    assert target.ess == pytest.approx(log.rows)
    assert target.unseen_share == 0
    for estimator, signal, value in values(found):
        if estimator != "dr":
            assert value.mean == pytest.approx(getattr(log, signal).mean(), rel=1e-9, abs=1e-12)
            assert value.gain == pytest.approx(0, abs=1e-9 * max(1.0, getattr(log, signal).max()))


@SLOW
@given(logs(), seeds)
def test_the_order_of_rows_does_not_matter(log: LogTable, seed: int) -> None:
    target = target_for(log)
    order = np.random.default_rng(seed).permutation(log.rows)
    model = np.random.default_rng(1).random((log.rows, len(log.models)))
    weight = importance_weights(log, target.p)
    sample = Sample(weight, log.quality, log.chosen, target.p, model)
    shuffled = Sample(*(column[order] for column in sample))
    for estimator in ESTIMATORS.values():
        assert estimator(shuffled).estimate == pytest.approx(
            estimator(sample).estimate, rel=1e-9, abs=1e-12, nan_ok=True
        )
    assert effective_size(shuffled.weight) == pytest.approx(effective_size(weight))


@QUICK
@given(logs(), seeds)
def test_self_normalised_stays_within_what_was_seen(log: LogTable, seed: int) -> None:
    p = target_for(log, seed).p
    sample = Sample(importance_weights(log, p), log.quality, log.chosen, p, p)
    assert log.quality.min() - 1e-12 <= snips(sample).estimate <= log.quality.max() + 1e-12


@QUICK
@given(logs(), seeds)
def test_doubly_robust_without_a_model_is_importance_weighting(log: LogTable, seed: int) -> None:
    p = target_for(log, seed).p
    sample = Sample(importance_weights(log, p), log.quality, log.chosen, p, np.zeros_like(p))
    assert dr(sample).estimate == pytest.approx(ips(sample).estimate, rel=1e-12, abs=1e-12)
    assert switch_dr_at(sample, math.inf).estimate == pytest.approx(ips(sample).estimate, rel=1e-12, abs=1e-12)


@QUICK
@given(logs(), seeds)
def test_doubly_robust_with_the_true_model_owes_nothing_to_the_draw(log: LogTable, seed: int) -> None:
    """Outcomes that a model foretells exactly: whatever was drawn, and however unlikely, the estimate is the truth."""
    p = target_for(log, seed).p
    truth = np.random.default_rng(seed).random(p.shape)
    reward = np.take_along_axis(truth, log.chosen[:, None], 1)[:, 0]
    sample = Sample(importance_weights(log, p), reward, log.chosen, p, truth)
    assert dr(sample).estimate == pytest.approx(float((p * truth).sum(1).mean()), abs=1e-12)
    assert not (dr(sample).numerator - (p * truth).sum(1)).any()


@SLOW
@given(logs())
def test_a_model_that_was_never_drawn_is_worth_nothing_and_gets_no_verdict(log: LogTable) -> None:
    wider = dataclasses.replace(
        log,
        models=(*log.models, "unseen"),
        eligible=np.c_[log.eligible, np.ones(log.rows, dtype=np.bool_)],
        propensities=np.c_[log.propensities, np.zeros(log.rows)],
    )
    found = evaluate(wider, [Fixed("unseen")], number=50)
    [target] = found.targets
    assert (target.ess, target.ess_judged, target.max_weight, target.carries) == (0, 0, 0, False)
    assert target.verdict.startswith("No verdict")
    assert target.unseen_share == 1
    assert [(one.model, one.matched) for one in target.overlap if one.target_share] == [("unseen", 0)]
    for _, _, value in values(found):
        assert all(math.isnan(end) for end in (*value.ci95, *value.gain_ci95)), "no outcome speaks of it: no interval"
        if value.anytime95 is not None:
            assert value.anytime95.low == 0, "nothing is ruled out"


@SLOW
@given(logs(judged=False), st.sampled_from(["target", "uniform", "fixed"]))
def test_intervals_stay_where_values_can_be_and_hold_their_estimate(log: LogTable, kind: str) -> None:
    target = {"target": target_for(log), "uniform": Uniform(), "fixed": Fixed("a")}[kind]
    found = evaluate(log, [target], number=200)
    for estimator, signal, value in values(found):
        most = 1.0 if signal == "quality" else math.inf
        for interval in (value.ci95, value.anytime95):
            if interval is not None and not math.isnan(interval.low):
                assert 0 <= interval.low <= interval.high <= most, (estimator, signal, interval)
        if value.anytime95 is not None and estimator == "ips" and not math.isnan(value.ci95.low):
            assert value.anytime95.low <= max(value.mean, 0) + 1e-9 * (1 + value.mean), (signal, value)
    for logged in found.logged:
        assert 0 <= logged.cost_usd[1].low <= logged.cost_usd[0] <= logged.cost_usd[1].high
        if logged.quality is not None:
            mean, (low, high) = logged.quality
            assert 0 <= low <= mean <= high <= 1


@QUICK
@given(seeds, st.floats(0, 1), st.sampled_from([0.1, 0.5, 1.0]))
def test_confidence_sequences_hold_their_estimate_and_close_in_on_it(seed: int, mean: float, chance: float) -> None:
    rng = np.random.default_rng(seed)
    weighted = (rng.random(4000) < chance) / chance * (rng.random(4000) < mean)
    lows = [lower_bound(weighted[:n], 0.0, 1.0, 0.025, 0.0) for n in (1, 60, 500, 4000)]
    for n, low in zip((1, 60, 500, 4000), lows, strict=True):
        assert 0 <= low <= min(weighted[:n].mean(), 1.0) + 1e-9
    assert weighted.mean() - lows[-1] < 6 * math.sqrt((mean / chance + 0.02) / 4000) + 0.01
    assert lows[0] == 0, "one decision proves nothing"


@QUICK
@given(seeds, st.floats(0.01, 0.2))
def test_confidence_sequences_are_bolder_with_more_risk(seed: int, alpha: float) -> None:
    x = np.random.default_rng(seed).random(200)
    bold, cautious = (lower_bound(x, 0.0, 1.0, each, 0.0) for each in (alpha, alpha / 10))
    assert cautious <= bold


@SLOW
@given(seeds, st.lists(st.floats(0.15, 1.0), min_size=3, max_size=3))
def test_models_that_are_judged_unequally_are_not_taken_for_better(seed: int, shares: list[float]) -> None:
    """Quality that depends on the model alone: whatever share of each model's answers is judged, snips has it right."""
    rng, n, truth = np.random.default_rng(seed), 400, np.array([0.2, 0.5, 0.9])
    p = np.tile([0.5, 0.3, 0.2], (n, 1))
    chosen = rng.choice(3, size=n, p=p[0])
    judged = rng.random(n) < np.array(shares)[chosen]
    assume(all((judged & (chosen == arm)).any() for arm in range(3)))
    log = dataclasses.replace(
        logs_of_size(n),
        chosen=chosen,
        served=chosen,
        propensity=p[np.arange(n), chosen],
        propensities=p,
        quality=np.where(judged, truth[chosen], np.nan),
    )
    found = evaluate(log, [Uniform(), *map(Fixed, log.models)], ["snips", "ips"], number=20)
    for arm, model in enumerate(log.models):
        snip, plain = (found.of(f"fixed:{model}", each).quality for each in ("snips", "ips"))
        assert snip is not None
        assert plain is not None
        assert snip.mean == pytest.approx(truth[arm])
        assert plain.mean == pytest.approx(truth[arm] * (chosen == arm).mean() / p[0, arm]), "as if all were judged"
    [uniform] = [found.of("uniform", "ips").quality]
    assert uniform is not None
    drawn = np.bincount(chosen, minlength=3) / n
    assert uniform.mean == pytest.approx(float((truth * drawn / (3 * p[0])).sum()))


def logs_of_size(n: int) -> LogTable:
    return LogTable(
        name="log",
        ids=tuple(map(str, range(n))),
        models=MODELS[:3],
        tasks=("x",),
        policies=("",),
        policy_of=np.zeros(n, dtype=np.int64),
        task_of=np.zeros(n, dtype=np.int64),
        at=np.arange(n, dtype=np.float64),
        input_tokens=np.full(n, 100.0),
        output_tokens=np.full(n, 100.0),
        features=np.zeros((n, 0)),
        eligible=np.ones((n, 3), dtype=np.bool_),
        chosen=np.zeros(n, dtype=np.int64),
        served=np.zeros(n, dtype=np.int64),
        propensity=np.ones(n),
        propensities=np.ones((n, 3)),
        quality=np.ones(n),
        cost_usd=np.ones(n),
        latency_s=np.ones(n),
    )


def test_the_same_seed_gives_the_same_answer() -> None:
    log = dataclasses.replace(logs_of_size(30), propensity=np.full(30, 1 / 3), propensities=np.full((30, 3), 1 / 3))
    first, second, other = (evaluate(log, [Uniform()], number=50, seed=seed) for seed in (0, 0, 1))
    assert first == second
    same = [a[2].ci95 == b[2].ci95 for a, b in itertools.zip_longest(values(first), values(other))]
    assert not all(same)
