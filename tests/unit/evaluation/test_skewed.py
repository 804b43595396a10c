"""Intervals of dollars and seconds: what was seen, what could have been drawn, and which way they lean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.evaluation.estimators import Sample, dr, ips, snips
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.results import Interval
from banditroute.evaluation.skewed import Draws, Estimator, draws, offsets

Floats = NDArray[np.float64]
ESTIMATORS = [ips, snips, dr]


class Logged(NamedTuple):
    """What an estimator sees of a log, and what else could have been drawn."""

    sample: Sample
    drawn: Draws


def logged(p: Floats, target: Floats, chosen: NDArray[np.int64], reward: Floats, model: Floats) -> Logged:
    weight = target / p
    rows = np.arange(chosen.size)
    return Logged(Sample(weight[rows, chosen], reward, chosen, target, model), Draws(p, weight))


def dear_and_rare(rng: np.random.Generator, n: int = 1000, share: float = 0.04) -> Logged:
    """A dear model that is drawn rarely and wanted half the time; each call costs 1 or 20, give or take a lot."""
    p = np.tile([1.0 - share, share], (n, 1))
    chosen = (rng.random(n) < share).astype(np.int64)
    reward = np.array([1.0, 20.0])[chosen] * np.exp(rng.normal(-0.32, 0.8, n))
    return logged(p, np.full((n, 2), 0.5), chosen, reward, np.tile([1.0, 20.0], (n, 1)))


def only(rows: NDArray[np.int64], sample: Sample, drawn: Draws) -> Logged:
    chosen = sample.chosen[rows]
    kept = Sample(sample.weight[rows], sample.reward[rows], chosen, sample.target[rows], sample.model[rows])
    return Logged(kept, Draws(drawn.p[rows], drawn.weight[rows]))


def table(log: Logged, propensities: Floats) -> LogTable:
    n = log.sample.chosen.size
    return LogTable(
        name="log",
        ids=tuple(map(str, range(n))),
        models=("cheap", "dear"),
        tasks=("all",),
        policies=("",),
        policy_of=np.zeros(n, np.int64),
        task_of=np.zeros(n, np.int64),
        at=np.arange(n, dtype=np.float64),
        input_tokens=np.full(n, 100.0),
        output_tokens=np.full(n, 100.0),
        features=np.zeros((n, 0)),
        eligible=np.ones((n, 2), np.bool_),
        chosen=log.sample.chosen,
        served=log.sample.chosen,
        propensity=np.take_along_axis(log.drawn.p, log.sample.chosen[:, None], 1)[:, 0],
        propensities=propensities,
        quality=np.ones(n),
        cost_usd=log.sample.reward,
        latency_s=np.ones(n),
    )


def width(interval: Interval) -> float:
    return interval.high - interval.low


def test_even_amounts_under_the_logging_policy_get_the_interval_of_a_mean() -> None:
    n = 500
    reward = np.where(np.arange(n) % 2 == 0, 1.0, 3.0)
    log = logged(np.ones((n, 1)), np.ones((n, 1)), np.zeros(n, np.int64), reward, np.full((n, 1), 2.0))
    half = 1.96 * reward.std() / np.sqrt(n)
    for estimator in ESTIMATORS:
        assert offsets(estimator, *log).value == pytest.approx((-half, half), rel=1e-3)


def test_the_logging_policy_gains_nothing_over_itself_for_sure() -> None:
    sample, drawn = dear_and_rare(np.random.default_rng(0))
    itself = Sample(np.ones_like(sample.weight), sample.reward, sample.chosen, drawn.p, sample.model)
    for estimator in (ips, snips):
        found = offsets(estimator, itself, Draws(drawn.p, np.ones_like(drawn.p)))
        assert found.gain == pytest.approx((0.0, 0.0), abs=1e-12)
        assert width(found.value) > 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_intervals_lean_to_where_rare_dear_calls_would_move_the_truth(estimator: Estimator) -> None:
    low, high = offsets(estimator, *dear_and_rare(np.random.default_rng(1))).value
    assert high > -1.2 * low > 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_amounts_in_another_unit_have_intervals_in_that_unit(estimator: Estimator) -> None:
    sample, drawn = dear_and_rare(np.random.default_rng(2))
    cents = offsets(estimator, sample._replace(reward=100 * sample.reward, model=100 * sample.model), drawn)
    dollars = offsets(estimator, sample, drawn)
    assert cents.value == pytest.approx([100 * end for end in dollars.value], rel=1e-9)
    assert cents.gain == pytest.approx([100 * end for end in dollars.gain], rel=1e-9)


def test_rare_draws_that_happened_not_to_fall_are_missed() -> None:
    """Of forty dear calls expected only the two cheapest fell: what is seen looks sure, what could fall does not."""
    sample, drawn = dear_and_rare(np.random.default_rng(3))
    dear = np.flatnonzero(sample.chosen == 1)
    kept = np.sort(np.r_[np.flatnonzero(sample.chosen == 0), dear[np.argsort(sample.reward[dear])[:2]]])
    lucky = only(kept, sample, drawn)
    known = draws(table(lucky, lucky.drawn.p), lucky.sample)
    unknown = draws(table(lucky, np.full_like(lucky.drawn.p, np.nan)), lucky.sample)
    assert known.weight == pytest.approx(lucky.drawn.weight)
    assert (unknown.p[np.arange(kept.size), lucky.sample.chosen] == 1).all()
    assert width(offsets(ips, lucky.sample, known).value) > 2 * width(offsets(ips, lucky.sample, unknown).value)


def test_what_costs_nothing_costs_nothing_for_sure() -> None:
    sample, drawn = dear_and_rare(np.random.default_rng(4))
    free = sample._replace(reward=np.zeros_like(sample.reward), model=np.full_like(sample.model, 1e-9))
    for estimator in (ips, snips):
        assert offsets(estimator, free, drawn) == ((0.0, 0.0), (0.0, 0.0))


def test_a_model_drawn_once_is_as_unsure_as_the_others() -> None:
    """One outcome has no spread of its own; taken for sure, the dear model would look so."""
    sample, drawn = dear_and_rare(np.random.default_rng(5), n=400, share=0.005)
    dear = np.flatnonzero(sample.chosen == 1)
    kept = np.setdiff1d(np.arange(400), dear[1:])
    assert width(offsets(dr, *only(kept, sample, drawn)).value) > 5.0


def test_draws_that_nine_logs_in_ten_lack_do_not_widen_intervals() -> None:
    sample, drawn = dear_and_rare(np.random.default_rng(7), n=200)
    weight = drawn.weight.copy()
    p = drawn.p.copy()
    p[0], weight[0] = (1.0 - 1e-6, 1e-6), (0.5, 0.5e6)
    sample.weight[0], sample.chosen[0], sample.reward[0] = 0.5, 0, 1.0
    log = table(Logged(sample, Draws(p, weight)), p)
    found = draws(log, sample)
    assert found.p[0].tolist() == [1.0 - 1e-6, 0.0]
    assert 0 < (p - found.p).sum() <= 0.1
    assert width(offsets(ips, sample, Draws(p, weight)).value) > 10 * width(offsets(ips, sample, found).value)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_truth_is_held_about_as_often_as_said(estimator: Estimator) -> None:
    """Forty dear calls a log. Of 300 logs, an honest interval holds it in 270 at least but for one run in 10,000."""
    held = 0
    for seed in range(300):
        log = dear_and_rare(np.random.default_rng([6, seed]))
        low, high = offsets(estimator, *log).value
        error = 10.5 - estimator(log.sample).estimate
        held += low <= error <= high
    assert 270 <= held < 299
