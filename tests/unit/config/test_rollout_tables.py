"""What router.toml says of newcomers."""

from pathlib import Path

import pytest

from banditroute.assemble import decider_of
from banditroute.config import check_config, load_config
from banditroute.learning.rollout import RolloutSettings
from banditroute.routing.rollout import Rollout

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


def test_every_key_reaches_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "router.toml"
    file.write_text(
        LEAST
        + """
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
def test_a_model_may_ask_for_a_canary_or_be_spared_it(tmp_path: Path, line: str, canary: bool | None) -> None:
    file = tmp_path / "router.toml"
    file.write_text(LEAST + line)
    config = load_config(file)
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
def test_what_cannot_be_meant_is_said_in_a_line(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "router.toml"
    file.write_text(f"{LEAST}\n[routing.rollout]\n{line}\n")
    (problem,) = check_config(file).problems
    assert str(problem).startswith(f"{file}:{LEAST.count(chr(10)) + 3}: {said}"), problem
