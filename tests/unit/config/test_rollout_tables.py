"""What router.toml says of newcomers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from banditroute.assemble import decider_of
from banditroute.config import check_config, load_config
from banditroute.learning.rollout import RolloutSettings
from banditroute.routing.rollout import Rollout

Written = Callable[[str], Path]


def test_every_key_reaches_the_policy(written: Written) -> None:
    file = written(
        """
[routing.rollout]
trial_requests = 20
trial_share = 0.2
tolerance = 0.05
confidence = 0.9
probe_share = 0.0
canary = "all"
stages = [0.1]
"""
    )
    settings = load_config(file).routing.policy.rollout
    assert settings == RolloutSettings(20, 0.2, 0.05, 0.9, 0.0, "all", (0.1,))


@pytest.mark.parametrize(("line", "canary"), [("", None), ("canary = true\n", True), ("canary = false\n", False)])
def test_a_model_may_ask_for_a_canary_or_be_spared_it(written: Written, line: str, canary: bool | None) -> None:
    config = load_config(written(line))
    assert config.catalog["small"].canary is canary
    assert any(isinstance(rule, Rollout) for rule in decider_of(config).steering.rules)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stages = [0.05, 0.05]", "routing.rollout.stages: a stage is no larger than the one before"),
        ("stages = [0.5, 1.0]", "routing.rollout.stages[1]"),
        ("trial_requests = 0", "routing.rollout.trial_requests"),
        ("confidence = 0.3", "routing.rollout.confidence"),
        ('canary = "some"', "routing.rollout.canary"),
        ("trail_share = 0.1", "routing.rollout.trail_share"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_line(written: Written, line: str, said: str) -> None:
    file = written(f"\n[routing.rollout]\n{line}\n")
    (problem,) = check_config(file).problems
    number = file.read_text().splitlines().index(line) + 1
    assert str(problem).startswith(f"{file}:{number}: {said}"), problem
