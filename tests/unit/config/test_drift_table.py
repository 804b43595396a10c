"""What router.toml says of models that change without a word."""

from pathlib import Path

import pytest

from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.learning.policy import PolicySettings

LEAST = """\
[[providers]]
name = "local"
kind = "openai"

[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
"""


def policy_of(folder: Path, table: str) -> PolicySettings:
    file = folder / "router.toml"
    file.write_text(LEAST + table)
    return load_config(file).routing.policy


def test_models_are_watched_by_default_and_nothing_is_forgotten(tmp_path: Path) -> None:
    assert policy_of(tmp_path, "") == PolicySettings()
    assert PolicySettings().drift is not None
    assert PolicySettings().half_life_s is None


def test_every_key_reaches_the_policy(tmp_path: Path) -> None:
    table = "[routing.drift]\nthreshold = 8\nslack = 0.25\nprobation_requests = 300\nhalf_life_days = 30\n"
    policy = policy_of(tmp_path, table)
    assert policy.drift is not None
    assert (policy.drift.threshold, policy.drift.edge_threshold) == (8.0, 10.0)
    assert (policy.drift.slack, policy.drift.probation_requests) == (0.25, 300)
    assert policy.half_life_s == 30 * 86_400.0
    assert policy.jumps == PolicySettings().jumps


def test_watching_may_be_switched_off_whole(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, "[routing.drift]\nwatch = false\nhalf_life_days = 7\n")
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
def test_what_cannot_be_says_which_key_it_is(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        policy_of(tmp_path, f"[routing.drift]\n{line}\n")
