from __future__ import annotations

import numpy as np
import pytest

from banditroute.learning.evidence import Evidence, decayed, empty, merged, observe, observe_many, shifted, sound


@pytest.fixture
def evidence() -> Evidence:
    rng = np.random.default_rng(0)
    evidence = empty((2, 3), 2)
    x = np.column_stack([np.ones(40), rng.normal(size=40)])
    observe_many(evidence, (rng.integers(2, size=40), rng.integers(3, size=40)), x, rng.random(40))
    return evidence


def test_sums_of_two_observations_by_hand() -> None:
    evidence = empty((2, 2), 2)
    observe(evidence, (0, 1), np.array([1.0, 2.0]), 0.5)
    observe(evidence, (0, 1), np.array([1.0, -1.0]), 1.0, weight=3.0)
    np.testing.assert_allclose(evidence.A[0, 1], [[4.0, -1.0], [-1.0, 7.0]])
    np.testing.assert_allclose(evidence.b[0, 1], [3.5, -2.0])
    assert evidence.n[0, 1] == 4.0
    assert evidence.s[0, 1] == 3.25
    assert evidence.n.sum() == 4.0


def test_a_batch_hits_the_same_edge_more_than_once() -> None:
    evidence = empty((1, 2), 1)
    arm = np.array([1, 0, 1, 1])
    observe_many(evidence, (np.zeros(4, dtype=np.int64), arm), np.ones((4, 1)), np.array([0.1, 0.2, 0.3, 0.4]))
    np.testing.assert_allclose(evidence.n, [[1, 3]])
    np.testing.assert_allclose(evidence.b[0, :, 0], [0.2, 0.8])
    np.testing.assert_allclose(evidence.s, [[0.04, 0.26]])


def test_a_second_batch_adds_to_the_first() -> None:
    rng = np.random.default_rng(1)
    task, arm, x, y = rng.integers(2, size=30), rng.integers(3, size=30), rng.normal(size=(30, 2)), rng.random(30)
    once, twice = empty((2, 3), 2), empty((2, 3), 2)
    observe_many(once, (task, arm), x, y)
    for part in (slice(0, 12), slice(12, 30)):
        observe_many(twice, (task[part], arm[part]), x[part], y[part])
    for mine, theirs in zip(once, twice, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13)


def test_an_empty_batch_changes_nothing(evidence: Evidence) -> None:
    before = merged(evidence)
    none = np.zeros(0, dtype=np.int64)
    observe_many(evidence, (none, none), np.zeros((0, 2)), np.zeros(0))
    for mine, theirs in zip(before, evidence, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_batch_over_replications_has_one_index_more() -> None:
    evidence = empty((3, 1, 2), 1)
    every = np.arange(3)
    edges = (every, np.zeros(3, dtype=np.int64), np.array([1, 0, 1]))
    observe_many(evidence, edges, np.ones((3, 1)), np.ones(3))
    np.testing.assert_array_equal(evidence.n[:, 0], [[0, 1], [1, 0], [0, 1]])


def test_merging_leaves_its_parts_alone(evidence: Evidence) -> None:
    total = merged(evidence, evidence, evidence)
    np.testing.assert_allclose(total.A, 3 * evidence.A)
    assert evidence.n.sum() == 40


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0])
def test_decay_scales_every_sum(evidence: Evidence, factor: float) -> None:
    for mine, theirs in zip(decayed(evidence, factor), evidence, strict=True):
        np.testing.assert_allclose(mine, factor * theirs)


def test_each_edge_may_decay_by_its_own_factor(evidence: Evidence) -> None:
    factor = np.linspace(0, 1, 6).reshape(2, 3)
    old = decayed(evidence, factor)
    np.testing.assert_allclose(old.A[1, 0], factor[1, 0] * evidence.A[1, 0])
    np.testing.assert_allclose(old.b[0, 2], factor[0, 2] * evidence.b[0, 2])
    np.testing.assert_allclose(old.s, factor * evidence.s)


def test_a_shift_is_what_larger_observations_would_have_left() -> None:
    rng = np.random.default_rng(3)
    task, arm, weight = rng.integers(2, size=50), rng.integers(3, size=50), rng.random(50)
    x, y = np.column_stack([np.ones(50), rng.normal(size=(50, 2))]), rng.normal(size=50)
    before, larger = empty((2, 3), 3), empty((2, 3), 3)
    observe_many(before, (task, arm), x, y, weight)
    observe_many(larger, (task, arm), x, np.where(arm == 1, y - 2.3, y), weight)
    for moved, expected in zip(shifted(before, 1, -2.3), larger, strict=True):
        np.testing.assert_allclose(moved, expected, atol=1e-12)
    for there, back in zip(before, shifted(shifted(before, 1, -2.3), 1, 2.3), strict=True):
        np.testing.assert_allclose(there, back, atol=1e-12)


def test_sums_of_observations_are_sound_however_they_are_moved(evidence: Evidence) -> None:
    assert sound(empty((2, 3), 4)).all()
    assert sound(evidence).all()
    assert sound(shifted(decayed(evidence, 1e-3), 1, -7.5)).all()
    rest = Evidence(*(all_ - part for all_, part in zip(evidence, decayed(evidence, 0.9), strict=True)))
    assert sound(rest).all()
    gone = Evidence(*(all_ - part for all_, part in zip(evidence, merged(evidence), strict=True)))
    assert sound(gone).all()


def test_more_taken_off_than_was_there_is_not_sound(evidence: Evidence) -> None:
    for part in evidence:
        part[1, 2] *= -0.8
    found = sound(evidence)
    assert not found[1, 2]
    assert found.sum() == 5
    few, many = empty((1, 1), 2), empty((1, 1), 2)
    observe(few, (0, 0), np.array([1.0, 3.0]), 0.5)
    observe(many, (0, 0), np.array([1.0, 0.0]), 0.5, weight=5.0)
    assert not sound(Evidence(*(one - two for one, two in zip(many, few, strict=True)))).any(), "no spread below 0"
