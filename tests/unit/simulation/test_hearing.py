"""When judgements reach a policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.policy import Step
from banditroute.simulation.hearing import Patchy, Prompt

R, K = 2, 2


def step(t: int) -> Step:
    row = np.full(R, t)
    return Step(row, row, np.ones((R, 1)), np.ones((R, K), dtype=np.bool_), np.zeros((R, K)), np.zeros(R))


def heard(ear: Patchy, steps: int, arm: NDArray[np.int64]) -> tuple[list[list[float]], list[list[int]]]:
    """What is heard at once of each step, and the steps that are heard of after it."""
    at_once, late = [], []
    for t in range(steps):
        at_once.append(ear.at_once(step(t), arm, np.full(R, t / 10)).tolist())
        late.append([int(judged.step.row[0]) for judged in ear.late()])
    return at_once, late


def test_prompt_judgements_come_at_once_and_never_again() -> None:
    quality = np.array([0.1, 0.2])
    assert Prompt().at_once(step(0), np.zeros(R, np.int64), quality) is quality
    assert list(Prompt().late()) == []


def test_a_delay_of_two_is_heard_after_two_further_requests() -> None:
    at_once, late = heard(Patchy(2, np.zeros(K), np.zeros((5, R))), 5, np.zeros(R, np.int64))
    assert np.isnan(at_once).all()
    assert late == [[], [], [0], [1], [2]]


def test_what_comes_late_is_what_was_decided_then() -> None:
    ear = Patchy(1, np.zeros(K), np.zeros((2, R)))
    ear.at_once(step(0), np.array([0, 1]), np.array([0.25, 0.75]))
    assert list(ear.late()) == []
    ear.at_once(step(1), np.array([1, 1]), np.array([0.5, 0.5]))
    [judged] = ear.late()
    assert judged.step.row.tolist() == [0, 0]
    assert judged.arm.tolist() == [0, 1]
    assert judged.quality.tolist() == [0.25, 0.75]


def test_each_model_loses_its_own_share() -> None:
    uniform = np.random.default_rng(0).random((4000, R))
    at_once, late = heard(Patchy(0, np.array([0.7, 0.2]), uniform), 4000, np.array([0, 1]))
    missing = np.isnan(np.array(at_once)).mean(0)
    np.testing.assert_allclose(missing, [0.7, 0.2], atol=0.03)
    assert not any(late)
