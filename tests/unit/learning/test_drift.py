"""Detectors stay quiet while forecasts hold and climb when they do not; moved evidence keeps what it may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.learning.detectors import Detectors, apply, fade
from banditroute.learning.drift import FLAT, PRICES, QUALITIES, Climb, faded, moved, stepped
from banditroute.learning.evidence import Evidence, empty, observe_many

residuals = st.floats(-5.0, 5.0)


@given(st.lists(residuals, min_size=1, max_size=40), st.floats(0.1, 2.0), st.sampled_from((1.0, -1.0)))
def test_numbers_and_arrays_climb_alike(seen: list[float], sd: float, sign: float) -> None:
    number, array = FLAT, Climb(*(np.zeros(2) for _ in Climb._fields))
    for residual in seen:
        number = number.after(residual, sd, QUALITIES)
        array = stepped(array, np.full(2, residual), np.full(2, sd), np.full(2, sign), QUALITIES)
    for one, two in zip(number.up if sign > 0 else number.down, array, strict=True):
        assert two == pytest.approx([one, one])


@given(st.lists(residuals, min_size=1, max_size=40))
def test_a_climb_is_the_highest_sum_of_recent_surpluses(seen: list[float]) -> None:
    climbs = FLAT
    for residual in seen:
        climbs = climbs.after(residual, 1.0, QUALITIES)
    steps = [min(max(residual, -3.0), 3.0) - QUALITIES.slack for residual in seen]
    assert climbs.up.height == pytest.approx(max([0.0, *(sum(steps[first:]) for first in range(len(steps)))]))


def edge_sums(means: list[float], count: int = 40, seed: int = 0) -> Evidence:
    """One model's evidence over classes (C, 1) with these means."""
    rng, found = np.random.default_rng(seed), empty((len(means), 1), 3)
    for task, mean in enumerate(means):
        x = np.column_stack([np.ones(count), rng.normal(size=(count, 2))])
        edges = np.full(count, task), np.zeros(count, np.int64)
        observe_many(found, edges, x, mean + 0.1 * rng.normal(size=count))
    return found


def means_of(evidence: Evidence) -> list[float]:
    return (evidence.b[:, 0, 0] / evidence.n[:, 0]).tolist()


def test_moved_evidence_keeps_its_classes_apart_and_is_worth_what_the_shift_is() -> None:
    before = edge_sums([0.9, 0.7])
    after = moved(before, -0.2, 16.0, QUALITIES)
    by = -0.2 * 16 / (16 + QUALITIES.shift_weight)
    assert means_of(after) == pytest.approx([mean + by for mean in means_of(before)])
    assert after.n.sum() == pytest.approx(16.0)
    assert moved(before, -0.2, 2.0, QUALITIES).n.sum() == pytest.approx(QUALITIES.least_carried)


def test_fading_changes_no_mean_and_ends_at_what_stays_known() -> None:
    before = after = edge_sums([0.9, 0.7])
    for _ in range(200):
        after = faded(after, QUALITIES)
    assert means_of(after) == pytest.approx(means_of(before))
    assert after.n.sum() == pytest.approx(QUALITIES.least_known)


def played(detectors: Detectors, shift_at: int, shift: float, steps: int = 400, seed: int = 0) -> dict[int, int]:
    """When each of 30 replications first heard of a change of arm 1, whose residuals move at a step."""
    rng, first = np.random.default_rng(seed), dict[int, int]()
    for t in range(steps):
        task = rng.integers(0, 3, 30)
        residual = rng.normal(scale=0.3, size=30) + (shift if t >= shift_at else 0.0)
        for change in detectors.take(task, np.ones(30, np.int64), residual, np.full(30, 0.3)):
            first.setdefault(change.replication, t)
        detectors.tick()
    return first


def test_a_fall_of_half_a_standard_deviation_and_more_is_found_and_quiet_stays_quiet() -> None:
    quiet = played(Detectors((30, 3, 2), QUALITIES), 10_000, 0.0)
    assert quiet == {}  # 30 x 400 observations; by Siegmund's approximation one alarm is expected in 500,000
    found = played(Detectors((30, 3, 2), QUALITIES), 100, -0.3)
    assert len(found) == 30
    assert max(found.values()) < 100 + 60


def test_two_absurd_bills_are_a_new_price() -> None:
    detectors = Detectors((1, 1, 1), PRICES)
    here, sd = np.zeros(1, np.int64), np.full(1, 0.3)
    assert detectors.take(here, here, np.full(1, 2.3), sd) == []
    (change,) = detectors.take(here, here, np.full(1, 2.3), sd)
    assert (change.task, change.arm, change.seen) == (None, 0, 2.0)
    assert change.shift == pytest.approx(2.3)


def test_what_is_not_judged_moves_no_detector() -> None:
    detectors = Detectors((1, 1, 1), QUALITIES)
    here = np.zeros(1, np.int64)
    for _ in range(100):
        assert detectors.take(here, here, np.full(1, np.nan), np.ones(1)) == []
        assert detectors.tick() is None


def test_only_the_edges_that_changed_are_moved_and_only_a_fall_is_on_probation() -> None:
    detectors = Detectors((2, 2, 2), QUALITIES)
    evidence = empty((2, 2, 2), 3)
    for part, sums in zip(evidence, edge_sums([0.9, 0.8]), strict=True):
        part[...] = sums[None]
    before = Evidence(*(part.copy() for part in evidence))
    changes = []
    while not changes:
        changes = detectors.take(np.zeros(2, np.int64), np.array([1, 0]), np.array([-0.5, 0.0]), np.full(2, 0.3))
    apply(changes[0], evidence, QUALITIES)
    assert evidence.n[0, :, 1].sum() < before.n[0, :, 1].sum()
    for kept, was in ((evidence.n[1], before.n[1]), (evidence.n[0, :, 0], before.n[0, :, 0])):
        assert kept.tolist() == was.tolist()
    probation = None
    while probation is None:
        probation = detectors.tick()
    assert probation.tolist() == [[False, True], [False, False]]
    known = evidence.n.sum()
    fade(evidence, probation, QUALITIES)
    assert evidence.n.sum() < known
