"""Warm evidence: bounded, additive with what is seen, and gone once what is seen disagrees."""

import numpy as np
import pytest

from banditroute.learning.evidence import Evidence, empty, merged, observe_many
from banditroute.learning.priors import QUALITY
from banditroute.learning.warm import capped, credence, lent, with_warmth


def _evidence(levels: np.ndarray, n: int, seed: int = 0) -> Evidence:
    """n observations of each edge around its level, over (C, K) edges."""
    rng = np.random.default_rng(seed)
    classes, models = levels.shape
    evidence = empty((classes, models), 2)
    for c in range(classes):
        for k in range(models):
            x = np.column_stack([np.ones(n), rng.normal(size=n)])
            y = np.clip(levels[c, k] + rng.normal(0.0, 0.2, n), 0.0, 1.0)
            observe_many(evidence, (np.full(n, c), np.full(n, k)), x, y)
    return evidence


LEVELS = np.array([[0.8, 0.6], [0.7, 0.5]])


def test_no_edge_is_worth_more_than_its_cap_and_its_mean_stays():
    whole = _evidence(LEVELS, 400)
    part = capped(whole, 50.0)
    assert part.n == pytest.approx(np.full((2, 2), 50.0))
    assert part.b[..., 0] / part.n == pytest.approx(whole.b[..., 0] / whole.n)
    assert capped(whole, 1000.0).n == pytest.approx(whole.n)


def test_before_anything_is_seen_it_counts_in_full():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    nothing = empty((2, 2), 2)
    assert credence(nothing, warm, QUALITY) == pytest.approx(np.ones(2))
    for mine, theirs in zip(with_warmth(nothing, warm, QUALITY), warm, strict=True):
        assert mine == pytest.approx(theirs)


def test_agreement_costs_it_nothing_to_speak_of():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    seen = _evidence(LEVELS, 300, seed=1)
    assert credence(seen, warm, QUALITY).min() > 0.5


def test_only_the_model_that_disagrees_loses_its_warmth():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    seen = _evidence(LEVELS - np.array([0.4, 0.0]), 60, seed=2)
    fallen, steady = credence(seen, warm, QUALITY)
    assert fallen < 0.01
    assert steady > 0.5


def test_the_more_is_seen_of_a_conflict_the_less_it_counts():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    seen = [_evidence(LEVELS - 0.25, n, seed=3) for n in (5, 20, 80, 320)]
    weights = [float(credence(each, warm, QUALITY)[0]) for each in seen]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 1e-2


def test_a_different_mix_of_classes_is_no_conflict():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    seen = empty((2, 2), 2)
    good = _evidence(LEVELS, 300, seed=4)
    for mine, theirs in zip(seen, good, strict=True):
        mine[1] = theirs[1]
    assert credence(seen, warm, QUALITY).min() > 0.5


def test_the_order_of_what_is_seen_does_not_matter():
    warm = capped(_evidence(LEVELS, 400), 100.0)
    first, second = _evidence(LEVELS - 0.2, 30, seed=5), _evidence(LEVELS - 0.1, 50, seed=6)
    one = with_warmth(merged(first, second), warm, QUALITY)
    other = with_warmth(merged(second, first), warm, QUALITY)
    for mine, theirs in zip(one, other, strict=True):
        assert mine == pytest.approx(theirs)


def test_what_is_lent_is_the_other_models_evidence_capped_and_nothing_else():
    seen = _evidence(LEVELS, 400)
    borrowed = lent(seen, [(0, 1)], 50.0)
    for mine, theirs in zip(borrowed, capped(seen, 50.0), strict=True):
        assert mine[:, 0] == pytest.approx(theirs[:, 1])
        assert not mine[:, 1].any()
