"""What a usable configuration may still get wrong about its guards."""

from pathlib import Path

import pytest

from banditroute.config import load_config
from banditroute.config.review import review

FILE = """\
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.2
output_usd_per_mtok = 1.0
max_output_tokens = 1000

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 20.0
output_usd_per_mtok = 100.0
max_output_tokens = 1000

[[budgets]]
usd_per_request = 0.005

[guard]
"""


def found(tmp_path: Path, lines: str) -> list[str]:
    file = tmp_path / "router.toml"
    file.write_text(FILE + lines)
    return [f"{each.place}: {each.problem}" for each in review(load_config(file), {}) if each.check == "guard"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("alpha = 0.1", "guard: alpha, confidence and saved_requests have no effect without baseline"),
        ('baseline = "large"', "guard.baseline: a typical request of the baseline, 'large', costs"),
        ('only = "large"', "guard.only: a typical request of the one model, 'large', costs"),
        ('only = "small"\nbaseline = "small"', "guard: everything goes to 'small'"),
    ],
)
def test_findings(tmp_path: Path, lines: str, words: str) -> None:
    (problem,) = found(tmp_path, lines)
    assert problem.startswith(words)


@pytest.mark.parametrize(
    "lines", ["", "freeze = true", 'baseline = "small"\nalpha = 0.1', "most_exploration = 0.0\nexplore_usd_per_day = 1"]
)
def test_a_clean_file_has_none(tmp_path: Path, lines: str) -> None:
    assert found(tmp_path, lines) == []
