"""What router.toml says of models that change without a word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.learning.policy import PolicySettings

Written = Callable[[str], Path]


def policy_of(file: Path) -> PolicySettings:
    return load_config(file).routing.policy


def test_models_are_watched_by_default_and_nothing_is_forgotten(written: Written) -> None:
    assert policy_of(written("")) == PolicySettings()
    assert PolicySettings().drift is not None
    assert PolicySettings().half_life_s is None


def test_every_key_reaches_the_policy(written: Written) -> None:
    table = "[routing.drift]\nthreshold = 8\nslack = 0.25\nprobation_requests = 300\nhalf_life_days = 30\n"
    policy = policy_of(written(table))
    assert policy.drift is not None
    assert (policy.drift.threshold, policy.drift.edge_threshold) == (8.0, 10.0)
    assert (policy.drift.slack, policy.drift.probation_requests) == (0.25, 300)
    assert policy.half_life_s == 30 * 86_400.0
    assert policy.jumps == PolicySettings().jumps


def test_watching_may_be_switched_off_whole(written: Written) -> None:
    policy = policy_of(written("[routing.drift]\nwatch = false\nhalf_life_days = 7\n"))
    assert (policy.drift, policy.jumps, policy.half_life_s) == (None, None, 7 * 86_400.0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("threshold = 1", r"routing\.drift\.threshold"),
        ("slack = 0", r"routing\.drift\.slack"),
        ("probation_requests = -1", r"routing\.drift\.probation_requests"),
        ("half_life_days = -0.5", r"routing\.drift\.half_life_days"),
        ("watches = true", r"watches.*did you mean.*watch"),
    ],
)
def test_what_cannot_be_says_which_key_it_is(written: Written, line: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        policy_of(written(f"[routing.drift]\n{line}\n"))
