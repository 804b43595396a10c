from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.learning.pacing import Pace, Pacing, refilled, resolved, shadow_price, started, stepped

Floats = NDArray[np.float64]

PACING = Pacing()


def after(share: float, requests: int, pace: Pace | None = None, pacing: Pacing = PACING) -> Pace:
    """The pacer after so many requests that cost share budgets each."""
    pace = started((), pacing) if pace is None else pace
    for _ in range(requests):
        pace = stepped(pace, np.array(share), pacing)
    return pace


def test_a_new_pacer_asks_its_start_price() -> None:
    pace = started((3,), PACING)
    np.testing.assert_allclose(shadow_price(pace, PACING), np.full(3, PACING.start_price))


def test_the_price_rises_on_overspend_and_falls_on_underspend() -> None:
    start = shadow_price(started((), PACING), PACING)
    prices = [shadow_price(after(share, 20), PACING) for share in (0.0, 0.5, 1.0, 2.0, 10.0)]
    assert prices == sorted(prices)
    assert prices[1] < start < prices[3]
    assert prices[2] == pytest.approx(float(start))


def test_spending_just_the_budget_changes_nothing() -> None:
    pace = after(1.0, 500)
    np.testing.assert_allclose(pace.level, 0.5 * PACING.bucket_requests)
    np.testing.assert_allclose(np.exp(pace.log_price), PACING.start_price)


def test_one_monstrous_bill_moves_the_log_price_by_a_bounded_step() -> None:
    pace = after(1e6, 1)
    assert pace.log_price - np.log(PACING.start_price) <= PACING.step * PACING.most_overspend + 1e-12
    bend = np.exp(PACING.level_gain * PACING.most_shortfall)
    assert shadow_price(pace, PACING) <= np.exp(pace.log_price) * bend * (1 + 1e-12)


def test_an_emptier_bucket_asks_a_higher_price() -> None:
    pace = started((4,), PACING)._replace(level=PACING.bucket_requests * np.array([1.0, 0.5, 0.0, -0.4]))
    price = shadow_price(pace, PACING)
    assert (np.diff(price) > 0).all()
    assert price[1] == pytest.approx(PACING.start_price)
    assert price[0] == pytest.approx(PACING.start_price * np.exp(-0.5 * PACING.level_gain))


def test_a_cheap_stretch_cannot_wind_the_price_down() -> None:
    """300 free requests leave the price within anchor_depth of where it was needed, but for the anchor's decay."""
    quick = Pacing(step=0.05)
    binding = after(1.0, 400, after(2.5, 100, pacing=quick), quick)
    cheap = after(0.0, 300, binding, quick)
    sunk = np.exp(-300 * quick.anchor_decay)
    assert np.exp(cheap.log_price) >= quick.anchor_depth * np.exp(binding.anchor) * sunk * (1 - 1e-9)
    unguarded = after(0.0, 300, binding, Pacing(step=0.05, anchor_depth=1e-9))
    assert np.exp(unguarded.log_price) < 0.5 * np.exp(cheap.log_price)


def test_the_anchor_sinks_while_the_budget_is_slack_and_follows_while_it_binds() -> None:
    binding = after(2.0, 200)
    assert np.log(PACING.start_price) < binding.anchor < binding.log_price
    assert after(0.0, 200, binding).anchor < binding.anchor


def test_a_slack_budget_ends_almost_free() -> None:
    assert shadow_price(after(0.0, 20_000), PACING) < 1e-5


def test_a_refill_never_passes_capacity() -> None:
    np.testing.assert_allclose(refilled(np.array([9.5, 5.0, 0.0]), np.array([0.0, 3.0, 2.5]), 10.0), [10.0, 3.0, -1.5])


def test_replications_are_paced_as_they_would_be_alone() -> None:
    shares = np.random.default_rng(0).gamma(0.5, 2.0, (100, 3))
    together = started((3,), PACING)
    for share in shares:
        together = stepped(together, share, PACING)
    for r in range(3):
        alone = started((), PACING)
        for share in shares[:, r]:
            alone = stepped(alone, share, PACING)
        np.testing.assert_allclose([field[r] for field in together], alone)


def window(seed: int, dearest: float = 300.0) -> tuple[Floats, Floats]:
    """Quality and budget shares (W, K) of 64 recent contexts: dearer models are better."""
    rng = np.random.default_rng(seed)
    quality = np.sort(rng.random((64, 4)), axis=1)
    return quality, np.array([0.01, 0.5, 5.0, dearest]) * rng.uniform(0.5, 1.5, (64, 4))


def spend_at(price: Floats, quality: Floats, share: Floats) -> float:
    arm = (quality - price * share).argmax(1)
    return float(np.take_along_axis(share, arm[:, None], 1).mean())


@pytest.mark.parametrize("seed", range(10))
def test_a_resolved_price_is_the_least_that_keeps_the_window_within_budget(seed: int) -> None:
    quality, share = window(seed)
    price = np.exp(resolved(started((), PACING), quality, share, PACING).log_price)
    assert spend_at(price, quality, share) <= 1.0
    assert spend_at(price * (1 - 1e-6), quality, share) > 1.0
    grid = np.geomspace(PACING.least_price, PACING.most_price, 2000)
    affordable = [p for p in grid if spend_at(p, quality, share) <= 1.0]
    assert price <= affordable[0]
    assert not [p for p in grid if p < price * (1 - 1e-6) and spend_at(p, quality, share) <= 1.0]


def test_a_budget_that_never_binds_lowers_the_price_by_no_more_than_one_fall() -> None:
    quality, share = window(0)
    pace = resolved(started((), PACING), quality, share / 1e4, PACING)
    assert pace.log_price == pytest.approx(np.log(PACING.start_price) - PACING.most_fall, rel=1e-6)


def test_a_slack_budget_ends_at_the_least_price() -> None:
    quality, share = window(0)
    pace = started((), PACING)
    for _ in range(20):
        pace = resolved(pace, quality, share / 1e4, PACING)
    assert np.exp(pace.log_price) == pytest.approx(PACING.least_price, rel=1e-6)


def test_a_budget_that_cannot_hold_resolves_to_the_highest_price() -> None:
    quality, share = window(0)
    pace = resolved(started((), PACING), quality, share * 1e4, PACING)
    assert np.exp(pace.log_price) == pytest.approx(PACING.most_price)


def test_resolving_ignores_ineligible_arms_and_keeps_the_level() -> None:
    quality, share = window(1)
    pace = started((), PACING)._replace(level=np.array(17.0))
    closed = resolved(pace, np.where([True, True, True, False], quality, -np.inf), share, PACING)
    without = resolved(pace, quality[:, :3], share[:, :3], PACING)
    assert closed.log_price == without.log_price
    assert closed.level == 17.0


def test_each_replication_resolves_on_its_own_window() -> None:
    windows = [window(seed, dearest) for seed, dearest in [(3, 30.0), (4, 3000.0)]]
    quality, share = (np.stack(parts, axis=1) for parts in zip(*windows, strict=True))
    together = resolved(started((2,), PACING), quality, share, PACING)
    alone = [float(resolved(started((), PACING), *w, PACING).log_price) for w in windows]
    np.testing.assert_allclose(together.log_price, alone)


def test_what_is_overdrawn_beyond_the_most_debt_is_forgiven() -> None:
    settings = Pacing(bucket_requests=100.0, most_debt=0.5)
    pace = started((), settings)
    for _ in range(20):
        pace = stepped(pace, np.array(50.0), settings)
    assert float(pace.level) == -50.0
    for _ in range(100):
        pace = stepped(pace, np.array(0.0), settings)
    assert float(pace.level) == 50.0
