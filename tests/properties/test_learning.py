"""Laws of the learning core: order of a log, floors, draws, the bucket."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence, decayed, empty, merged, observe, observe_many
from banditroute.learning.pacing import Pacing, refilled, shadow_price, started, stepped
from banditroute.learning.posterior import Posterior, condition, condition_each, predict, solve
from banditroute.learning.priors import QUALITY
from banditroute.learning.selection import best_arm_probabilities, draw, exploration_floor, mixed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CLASSES, MODELS = 3, 4
PACING = Pacing()

probabilities = st.floats(0, 1)
shares = st.floats(0, 1000)


class Rows(NamedTuple):
    """A log: edge, inputs and outcome of each observation."""

    task: Ints
    arm: Ints
    x: Floats
    y: Floats

    def take(self, index: Ints) -> Rows:
        return Rows(self.task[index], self.arm[index], self.x[index], self.y[index])


@st.composite
def logs(draw: st.DrawFn, least: int = 1) -> Rows:
    n, features = draw(st.integers(least, 80)), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 1 + features))])
    return Rows(rng.integers(CLASSES, size=n), rng.integers(MODELS, size=n), x, rng.uniform(0, 1, n))


@st.composite
def posteriors(draw: st.DrawFn) -> tuple[Posterior, Floats]:
    """A solved posterior and one context."""
    rows = draw(logs())
    x = np.r_[1.0, draw(arrays(np.float64, rows.x.shape[1] - 1, elements=st.floats(-3, 3)))]
    return solve(in_one_batch(rows), QUALITY), x


@st.composite
def races(draw: st.DrawFn) -> tuple[Floats, Floats, Bools]:
    """Means and widths, certain arms and exact ties among them, and at least one eligible arm."""
    count = draw(st.integers(1, 8))
    mean = draw(arrays(np.float64, count, elements=st.sampled_from([-2.0, 0.0, 0.5, 0.5001]) | st.floats(-3, 3)))
    sd = draw(arrays(np.float64, count, elements=st.just(0.0) | st.floats(1e-6, 2)))
    eligible = draw(arrays(np.bool_, count))
    eligible[draw(st.integers(0, count - 1))] = True
    return mean, sd, eligible


def in_one_batch(rows: Rows) -> Evidence:
    evidence = empty((CLASSES, MODELS), rows.x.shape[1])
    observe_many(evidence, (rows.task, rows.arm), rows.x, rows.y)
    return evidence


def one_by_one(rows: Rows) -> Evidence:
    evidence = empty((CLASSES, MODELS), rows.x.shape[1])
    for task, arm, x, y in zip(*rows, strict=True):
        observe(evidence, (int(task), int(arm)), x, float(y))
    return evidence


def assert_same_posterior(one: Evidence, other: Evidence) -> None:
    for mine, theirs in zip(solve(one, QUALITY), solve(other, QUALITY), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(logs(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_posterior(rows: Rows, random: Random) -> None:
    order = list(range(rows.y.size))
    random.shuffle(order)
    assert_same_posterior(in_one_batch(rows), in_one_batch(rows.take(np.array(order))))


@settings(deadline=None)
@given(logs())
def test_one_by_one_and_in_a_batch_give_the_same_posterior(rows: Rows) -> None:
    assert_same_posterior(in_one_batch(rows), one_by_one(rows))


@settings(deadline=None)
@given(logs(least=4), st.integers(0, 2**32 - 1))
def test_workers_merge_in_any_order_to_the_same_posterior(rows: Rows, seed: int) -> None:
    """Rows go to four workers at random, some of them late, and the workers merge in a random order."""
    rng = np.random.default_rng(seed)
    worker, late = rng.integers(4, size=rows.y.size), rng.random(rows.y.size) < 0.3
    parts = [one_by_one(rows.take(np.flatnonzero((worker == w) & ~late))) for w in range(4)]
    parts.append(in_one_batch(rows.take(np.flatnonzero(late)[::-1])))
    rng.shuffle(parts)
    assert_same_posterior(in_one_batch(rows), merged(*parts))


@given(logs(least=2), st.floats(0, 1), st.integers(1, 79))
def test_forgetting_and_merging_commute(rows: Rows, factor: float, cut: int) -> None:
    cut = min(cut, rows.y.size - 1)
    early, later = in_one_batch(rows.take(np.arange(cut))), in_one_batch(rows.take(np.arange(cut, rows.y.size)))
    together, apart = decayed(merged(early, later), factor), merged(decayed(early, factor), decayed(later, factor))
    for mine, theirs in zip(together, apart, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(posteriors(), st.integers(0, CLASSES - 1), st.integers(0, MODELS - 1), probabilities)
def test_a_rank_one_update_is_bayes_rule(case: tuple[Posterior, Floats], task: int, arm: int, y: float) -> None:
    posterior, x = case
    S, m = posterior.covariance[task, arm].copy(), posterior.mean[task, arm].copy()
    noise = posterior.noise[task, arm]
    updated = np.linalg.inv(np.linalg.inv(S) + np.outer(x, x) / noise)
    condition(posterior, task, arm, y, predict(posterior, task, x))
    np.testing.assert_allclose(posterior.covariance[task, arm], updated, rtol=0, atol=1e-9)
    expected = updated @ (np.linalg.solve(S, m) + x * y / noise)
    np.testing.assert_allclose(posterior.mean[task, arm], expected, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(posteriors(), st.integers(0, 2**32 - 1))
def test_replications_update_as_they_would_alone(case: tuple[Posterior, Floats], seed: int) -> None:
    posterior, x = case
    rng, R = np.random.default_rng(seed), 5
    task, arm, y = rng.integers(CLASSES, size=R), rng.integers(MODELS, size=R), rng.random(R)
    contexts = np.column_stack([np.ones(R), rng.normal(size=(R, x.size - 1))])
    together = Posterior(np.repeat(posterior.block[None], R, 0), np.repeat(posterior.noise[None], R, 0))
    condition_each(together, task, arm, y, predict(together, task, contexts))
    for r in range(R):
        alone = Posterior(posterior.block.copy(), posterior.noise)
        condition(alone, int(task[r]), int(arm[r]), float(y[r]), predict(alone, int(task[r]), contexts[r]))
        np.testing.assert_allclose(together.block[r], alone.block, rtol=0, atol=1e-12)


@given(races())
def test_propensities_sum_to_one_over_the_eligible_arms(race: tuple[Floats, Floats, Bools]) -> None:
    mean, sd, eligible = race
    p = best_arm_probabilities(mean, sd, eligible)
    assert abs(p.sum() - 1) < 1e-10
    assert (p >= 0).all()
    assert not p[~eligible].any()


@given(races(), st.floats(-5, 5), st.floats(0.01, 100))
@example((np.array([-2e-196, 0.0, 0.0]), np.zeros(3), np.ones(3, bool)), 1.0, 1.0)
def test_propensities_know_no_origin_and_no_unit(race: tuple[Floats, Floats, Bools], shift: float, unit: float) -> None:
    mean, sd, eligible = race
    sd = np.maximum(sd, 1e-3)  # shifted means lose digits: what is narrower than rounding may change
    expected = best_arm_probabilities(mean, sd, eligible)
    np.testing.assert_allclose(best_arm_probabilities(unit * (mean + shift), unit * sd, eligible), expected, atol=1e-8)


@given(races(), shares.flatmap(lambda top: arrays(np.float64, 8, elements=st.floats(0, top))), st.data())
def test_the_floor_stays_within_all_three_bounds(
    race: tuple[Floats, Floats, Bools], cost_share: Floats, data: st.DataObject
) -> None:
    mean, sd, eligible = race
    cost_share = cost_share[: mean.size]
    decisions, dollars, quality = (data.draw(st.floats(0, most)) for most in (1, 1, 0.1))
    worth = np.where(eligible, mean, -np.inf)
    gap = worth.max() - worth
    floor = exploration_floor(eligible, gap, cost_share, decisions=decisions, dollars=dollars, quality=quality)
    assert floor.sum() <= decisions + 1e-12
    assert (floor * cost_share).sum() <= dollars + 1e-12
    assert (floor[eligible] * gap[eligible]).sum() <= quality + 1e-12
    assert not floor[~eligible].any()
    p = np.array(mixed(best_arm_probabilities(mean, sd, eligible).tolist(), floor.tolist()))
    assert abs(p.sum() - 1) < 1e-10
    assert (p >= floor - 1e-15).all()


@given(arrays(np.float64, st.integers(1, 8), elements=st.just(0.0) | probabilities), st.floats(0, 1, exclude_max=True))
def test_a_draw_never_returns_what_has_no_probability(p: Floats, u: float) -> None:
    p = p / p.sum() if p.sum() > 1e-300 else np.ones_like(p) / p.size
    for chance in (0.0, u, float(np.nextafter(1, 0))):
        assert p[draw(p, chance)] > 0


@given(st.floats(0, 300), st.floats(1, 300), st.lists(st.floats(0, 400), max_size=200))
def test_a_bucket_that_never_overdraws_bounds_every_window(level: float, capacity: float, wishes: list[float]) -> None:
    """A request is served only when its cost and its refill leave the bucket at zero or above."""
    now = np.array(min(level, capacity))
    costs = []
    for wish in wishes:
        cost = wish if refilled(now, np.array(wish), capacity) >= 0 else 0.0
        now = refilled(now, np.array(cost), capacity)
        costs.append(cost)
        assert 0 <= now <= capacity
    spent = np.r_[0.0, np.cumsum(costs)]
    n = np.arange(spent.size)
    assert (spent[None, :] - spent[:, None] <= (n[None, :] - n[:, None]) + capacity + 1e-9)[
        np.triu_indices(n.size)
    ].all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), shares), max_size=8))
def test_no_history_leaves_the_price_outside_its_bounds(stretches: list[tuple[int, float]]) -> None:
    """After any stretch the price is at least anchor_depth of its anchor, and between its fixed ends."""
    pace = started((), PACING)
    for length, share in stretches:
        for _ in range(length):
            pace = stepped(pace, np.array(share), PACING)
        price = np.exp(pace.log_price)
        assert price >= PACING.anchor_depth * np.exp(pace.anchor) * (1 - 1e-9)
        assert PACING.least_price * (1 - 1e-9) <= price <= PACING.most_price * (1 + 1e-9)
        assert pace.level <= PACING.bucket_requests
        assert 0 < shadow_price(pace, PACING) < np.inf
