"""What a usable configuration may still get wrong about graders and judges."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from banditroute.config import RouterConfig, load_config
from banditroute.config.findings import Finding
from banditroute.config.review import review
from banditroute.config.review_grading import judging_usd, known_tasks
from banditroute.errors import ConfigError

CLEAN = """\
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"
api_key_env = "FAR"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.2
output_usd_per_mtok = 1.0
max_output_tokens = 1000

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 2
output_usd_per_mtok = 10
context_window = 10500

[[budgets]]
usd_per_request = 0.001

[[graders]]
name = "valid"
kind = "json"
tasks = ["extraction"]

[[judges]]
name = "judge"
model = "large"
tasks = ["qa", "contracts"]
usd_per_day = 1.0

[[rules]]
task = "contracts"
contains = ["whereas"]
"""


def loaded(tmp_path: Path, text: str) -> RouterConfig:
    file = tmp_path / "router.toml"
    file.write_text(text)
    return load_config(file)


def found(tmp_path: Path, text: str) -> list[Finding]:
    return list(review(loaded(tmp_path, text), {"FAR": "x"}))


def test_a_clean_file_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN) == []


CAP = '[[budgets]]\nscope = "task:judge:judge"\nusd = 1.0\nper = "month"\n'
FREE = """\
[[models]]
name = "free"
provider = "far"
input_usd_per_mtok = 0
output_usd_per_mtok = 0
max_output_tokens = 9

"""


@pytest.mark.parametrize(
    ("old", "new", "check", "words"),
    [
        ("usd_per_day = 1.0", "", "judge", "no cap of its own: it costs $0.0021 for each typical answer"),
        ("usd_per_day = 1.0", "usd_per_day = 0.01", "small", "may cost: up to $0.012"),
        ("usd_per_day = 1.0", "usd_per_day = 1.0\nusd_per_month = 1.0", "unreachable", "its month is over at $1.00"),
        ('["extraction"]', '["extractoin"]', "task", "no class is called 'extractoin'"),
        ('"contracts"]', '"contract"]', "task", "no class is called 'contract'"),
        ("[[budgets]]\nusd_per_request = 0.001", "", "unlimited", "nothing bounds what is spent"),
        ("[[rules]]", CAP.replace("judge:judge", "judge:jugde") + "[[rules]]", "scope", "'judge:jugde'"),
    ],
)
def test_findings(old: str, new: str, check: str, words: str, tmp_path: Path) -> None:
    assert old in CLEAN
    (finding,) = found(tmp_path, CLEAN.replace(old, new, 1))
    assert finding.check == check
    assert words in finding.problem
    assert finding.remedy


def test_a_grader_that_fails_on_a_plain_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_graders")
    module.broken = lambda item: item.request.params["tools"]
    module.fine = lambda item: float(item.task == "extraction")
    monkeypatch.setitem(sys.modules, "my_graders", module)
    assert found(tmp_path, CLEAN.replace('"json"', '"my_graders:fine"')) == []
    (finding,) = found(tmp_path, CLEAN.replace('"json"', '"my_graders:broken"'))
    assert (finding.check, finding.place) == ("grader", "grader 'valid'")
    assert "the grader failed: KeyError" in finding.problem


def test_a_grader_that_is_not_there_is_named_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"graders.*kind: the grader 'my_graders:absent' is not found"):
        loaded(tmp_path, CLEAN.replace('"json"', '"my_graders:absent"'))


def test_a_pace_is_held_against_models_that_may_be_drawn(tmp_path: Path) -> None:
    text = FREE + CLEAN.replace('name = "large"', 'name = "large"\nrouted = false')
    (finding,) = found(tmp_path, text)
    assert finding.check == "idle"
    assert "of the dearest model, 'small'" in finding.problem


def test_a_budget_of_the_budgets_table_bounds_a_judge_too(tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN.replace("usd_per_day = 1.0", "").replace("[[rules]]", CAP + "[[rules]]")) == []


def test_a_free_judge_needs_no_cap(tmp_path: Path) -> None:
    text = FREE + CLEAN.replace('model = "large"', 'model = "free"').replace("usd_per_day = 1.0", "")
    assert [finding for finding in found(tmp_path, text) if finding.check == "judge"] == []


def test_where_no_model_may_be_drawn(tmp_path: Path) -> None:
    text = CLEAN.replace('provider = "far"', 'provider = "far"\nrouted = false')
    assert "unrouted" in [finding.check for finding in found(tmp_path, text)]


def test_a_pair_costs_its_baseline_and_two_calls(tmp_path: Path) -> None:
    alone = loaded(tmp_path, CLEAN)
    pair = loaded(tmp_path, CLEAN.replace('model = "large"', 'model = "large"\nbaseline_model = "small"', 1))
    assert judging_usd(alone, alone.judges[0]) == pytest.approx((1_000 * 2 + 10 * 10) / 1e6)
    baseline_usd = (500 * 0.2 + 300 * 1.0) / 1e6
    assert judging_usd(pair, pair.judges[0]) == pytest.approx(baseline_usd + 2 * (1_300 * 2 + 10 * 10) / 1e6)


def test_classes_that_requests_may_be_of(tmp_path: Path) -> None:
    assert {"qa", "contracts", "general", "judge:judge"} <= known_tasks(loaded(tmp_path, CLEAN))
    without = CLEAN + '[routing]\nclassifier = "none"\ntasks = ["mine"]\n'
    assert known_tasks(loaded(tmp_path, without)) == {"mine", "contracts", "general", "embeddings", "judge:judge"}
