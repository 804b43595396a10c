"""The rollout's formulas: who is on trial, who is surely worse, how far a canary may go."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.learning.evidence import empty, observe_many
from banditroute.learning.posterior import solve
from banditroute.learning.priors import QUALITY
from banditroute.learning.rollout import (
    Comparison,
    RolloutSettings,
    Shown,
    compared,
    newcomer_floor,
    shown_by,
    stage_of,
    sure_within,
    surely_worse,
    without_doubt,
)

SETTINGS = RolloutSettings()


def comparison(n: float, gain: float, radius: float) -> Comparison:
    return Comparison(np.array(n), np.array(gain), np.array(radius))


def test_a_mean_stays_within_its_radius_at_every_n_at_once() -> None:
    """2,000 newcomers that are just as bad as is tolerated, judged by coin and looked at after every judgement."""
    rng, looks = np.random.default_rng(1), 400
    coins = rng.random((2_000, looks)) < 0.7
    n = np.arange(1, looks + 1.0)
    mean = np.cumsum(coins, axis=1) / n
    radius = np.sqrt(0.7 * 0.3) * sure_within(n, SETTINGS)
    ever = ((mean + radius < 0.7).any(1)).mean()
    assert ever <= 1.0 - SETTINGS.confidence
    once = (mean + np.sqrt(0.7 * 0.3 / n) * 1.645 < 0.7).any(1).mean()
    assert once > 3 * (1.0 - SETTINGS.confidence), "a bound for one look would not have done"


@given(n=st.floats(1, 1e5), more=st.floats(1.1, 10), confidence=st.floats(0.6, 0.999))
def test_more_judgements_say_more_and_more_confidence_asks_for_more(n: float, more: float, confidence: float) -> None:
    settings = replace(SETTINGS, confidence=confidence)
    assert sure_within(np.array(n * more), settings) < sure_within(np.array(n), settings)
    surer = replace(SETTINGS, confidence=0.5 + confidence / 2)
    assert sure_within(np.array(n), surer) > sure_within(np.array(n), settings)


def test_nothing_judged_says_nothing() -> None:
    nothing = compared(Shown(*np.zeros((4, 3))), SETTINGS)
    assert nothing.n == nothing.gain == 0.0
    assert np.isinf(nothing.radius)
    assert not surely_worse(nothing, True, SETTINGS)
    assert stage_of(nothing, SETTINGS) == 0


def test_classes_count_by_their_judgements() -> None:
    shown = Shown(np.array([30.0, 10.0, 0.0]), np.array([-0.1, 0.3, np.inf]), np.full(3, 0.04), np.zeros(3))
    found = compared(shown, SETTINGS)
    assert found.n == 40.0
    assert found.gain == pytest.approx(0.0)
    assert found.radius == pytest.approx(0.2 * sure_within(np.array(40.0), SETTINGS))
    doubted = compared(shown._replace(doubt=np.full(3, 0.01)), SETTINGS)
    assert doubted.radius > found.radius, "what the best is expected to do is not known for sure either"


def test_what_is_shown_is_measured_on_the_newcomers_own_requests() -> None:
    """Two incumbents, one better at each class and worse the longer the prompt: the newcomer got the long ones."""
    rng = np.random.default_rng(2)
    evidence = empty((2, 3), 2)
    task, arm = rng.integers(2, size=4_000), rng.integers(2, size=4_000)
    x = np.stack([np.ones(4_000), rng.standard_normal(4_000)], axis=1)
    level = np.where(task == arm, 0.9, 0.5)
    observe_many(evidence, (task, arm), x, level - 0.1 * x[:, 1] + 0.05 * rng.standard_normal(4_000))
    long = np.stack([np.ones(40), np.full(40, 2.0)], axis=1)
    observe_many(evidence, (np.arange(40) % 2, np.full(40, 2)), long, np.full(40, 0.6))
    posterior = solve(evidence, QUALITY)
    shown = shown_by(2, evidence, posterior, lambda at: np.zeros((*at.shape[:-1], 3)), np.arange(3) < 2)
    assert shown.n.tolist() == [20.0, 20.0]
    assert shown.gain == pytest.approx([0.6 - 0.7] * 2, abs=0.02)
    dear, others = np.array([0.0, 0.0, 0.25]), np.array([True, True, False])
    priced = shown_by(2, evidence, posterior, lambda at: np.tile(dear, (*at.shape[:-1], 1)), others)
    assert priced.gain == pytest.approx(shown.gain - 0.25)
    alone = shown_by(2, evidence, posterior, lambda at: np.zeros((*at.shape[:-1], 3)), np.zeros(3, dtype=bool))
    assert alone.n.tolist() == [0.0, 0.0]


def test_replications_side_by_side_are_each_by_itself() -> None:
    rng = np.random.default_rng(3)
    evidence = empty((4, 2, 3), 3)
    edges = tuple(rng.integers(size, size=300) for size in (4, 2, 3))
    x = np.concatenate([np.ones((300, 1)), rng.standard_normal((300, 2))], axis=1)
    observe_many(evidence, edges, x, rng.random(300))
    others = np.array([True, True, False])

    def priced(at: np.ndarray) -> np.ndarray:
        return np.stack([at[..., 1], at[..., 1] / 2, at[..., 0]], axis=-1)

    posterior = solve(evidence, QUALITY)
    together = compared(shown_by(2, evidence, posterior, priced, np.tile(others, (4, 1))), SETTINGS)
    for r in range(4):
        one = type(evidence)(*(part[r] for part in evidence))
        alone = compared(shown_by(2, one, solve(one, QUALITY), priced, others), SETTINGS)
        assert [each[r] for each in together] == pytest.approx(list(alone))


def test_a_trial_is_few_requests_inside_the_budget_and_probes_come_after_it() -> None:
    newcomer = np.array([True, True, True, True, False, True])
    rolled_back = np.array([False, False, False, False, False, True])
    pulls, share = np.array([0.0, 9.0, 10.0, 3.0, 0.0, 5.0]), np.array([1.0, 0.2, 0.2, 1.5, 0.2, 0.2])
    floor = newcomer_floor(newcomer, rolled_back, pulls, share, SETTINGS)
    probe = SETTINGS.probe_share
    assert floor.tolist() == [0.05, 0.05, probe, 0.0, 0.0, probe], "two on trial share what trials may take"


def test_who_is_rolled_back_serves_where_it_is_expected_to_be_as_good() -> None:
    worth, best = np.array([[0.90, 0.89, 0.5]]), np.array([[0.9]])
    barred = without_doubt(np.array([[False, True, True]]), worth, best, SETTINGS)
    assert barred.tolist() == [[False, False, True]]


def test_surely_worse_is_beyond_tolerance_and_radius() -> None:
    assert surely_worse(comparison(20, -0.30, 0.2), False, SETTINGS)
    assert not surely_worse(comparison(20, -0.20, 0.2), False, SETTINGS)
    assert not surely_worse(comparison(20, -0.21, 0.2), False, SETTINGS), "tolerated"


def test_doubt_alone_takes_no_roll_back_back() -> None:
    assert surely_worse(comparison(21, -0.20, 0.3), True, SETTINGS)
    assert not surely_worse(comparison(40, -0.01, 0.2), True, SETTINGS), "tolerable by what was seen"


@pytest.mark.parametrize(
    ("n", "gain", "radius", "stage"),
    [
        (9, 0.0, 0.01, 0),  # too few outcomes yet
        (10, 0.0, 0.3, 1),  # .05 x -.3 is tolerable
        (10, -0.2, 0.3, 0),  # .05 x -.5 is not
        (20, 0.0, 0.07, 2),  # nor is .25 x -.09
        (20, 0.0, 0.09, 1),
        (30, 0.0, 0.015, 3),
        (300, -0.01, 0.02, 2),  # as good, but not surely
    ],
)
def test_a_canary_goes_as_far_as_its_losses_are_tolerable(n: float, gain: float, radius: float, stage: int) -> None:
    assert stage_of(comparison(n, gain, radius), SETTINGS) == stage


def test_without_stages_a_canary_is_open() -> None:
    assert stage_of(comparison(0, 0.0, np.inf), replace(SETTINGS, stages=())) == 0
