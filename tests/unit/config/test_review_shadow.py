"""What a usable configuration may still get wrong about its shadow."""

from pathlib import Path

import pytest

from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.config.review import review
from banditroute.config.shadowing import learn_alike, shadow_plan

MODEL = """
[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.2
output_usd_per_mtok = 1.0
max_output_tokens = 1000
"""
CLEAN = f"""\
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"
{MODEL}{MODEL.replace("small", "large").replace("0.2", "2.0")}
[[budgets]]
usd_per_request = 0.0005
"""


def written(tmp_path: Path, shadow: str, rival: str = CLEAN) -> Path:
    (tmp_path / "rival.toml").write_text(rival)
    file = tmp_path / "router.toml"
    file.write_text(f"{CLEAN}\n[shadow]\n{shadow}\n")
    return file


@pytest.mark.parametrize(
    ("shadow", "rival", "words"),
    [
        ("share = 0.0", CLEAN, "it decides on no request"),
        ('policy = "rival.toml"', CLEAN + MODEL.replace("small", "new"), "models that this one has not"),
        ('policy = "rival.toml"', CLEAN + '[[budgets]]\nusd = 9.0\nper = "day"\n', "caps, which are left out"),
        ('policy = "rival.toml"', CLEAN + '[routing]\nclassifier = "none"\n', "task classes in another way"),
    ],
)
def test_findings(tmp_path: Path, shadow: str, rival: str, words: str) -> None:
    found = [each for each in review(load_config(written(tmp_path, shadow, rival)), {}) if each.check == "shadow"]
    assert len(found) == 1
    assert words in found[0].problem
    assert found[0].remedy


@pytest.mark.parametrize("shadow", ["", "share = 0.5", 'policy = "rival.toml"'])
def test_a_clean_file_has_none(tmp_path: Path, shadow: str) -> None:
    assert [each for each in review(load_config(written(tmp_path, shadow)), {}) if each.check == "shadow"] == []


def test_the_other_file_decides_at_this_files_prices(tmp_path: Path) -> None:
    changed = CLEAN.replace("= 2.0", "= 99.0").replace("0.0005", "0.5") + "[routing]\nquality_per_s = 0.25\n"
    only = changed.replace('name = "small"', 'name = "small"\nrouted = false')
    plan = shadow_plan(load_config(written(tmp_path, 'policy = "rival.toml"', only)))
    assert plan is not None
    assert [(model.name, model.routed) for model in plan.catalog] == [("small", False), ("large", True)]
    assert plan.catalog["large"].price.input_usd_per_mtok == 2.0
    assert plan.routing.quality_per_s == 0.25
    assert [budget.name for budget in plan.budgets] == ["global per request"]


@pytest.mark.parametrize(
    ("rival", "alike"),
    [
        (CLEAN.replace("= 2.0", "= 99.0").replace("0.0005", "0.5"), True),
        (CLEAN + "[routing]\nquality_per_s = 0.25\n", True),
        (CLEAN + "[routing.drift]\nhalf_life_days = 9.0\n", False),
        (CLEAN.replace('name = "small"', 'name = "small"\nrouted = false'), False),
    ],
)
def test_what_learns_and_knows_the_same_models_can_share_beliefs(tmp_path: Path, rival: str, alike: bool) -> None:
    config = load_config(written(tmp_path, 'policy = "rival.toml"', rival))
    plan = shadow_plan(config)
    assert plan is not None
    assert learn_alike(config, plan) is alike


def test_a_file_without_a_shadow_has_no_plan(tmp_path: Path) -> None:
    written(tmp_path, "")
    assert shadow_plan(load_config(tmp_path / "rival.toml")) is None


def test_the_check_says_it_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(written(tmp_path, 'share = 0.25\npolicy = "rival.toml"\nname = "thrift"'))
    assert run(["config", "check", file]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "decides beside 25% of the requests, calls nobody" in out
    assert run(["config", "check", file, "--json"]) == 0
    assert '"name": "thrift"' in capsys.readouterr().out


def test_what_is_wrong_with_the_other_file_is_told_by_its_own_name_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, 'policy = "rival.toml"', CLEAN.replace("max_output_tokens", "max_output_tokns", 1))
    assert run(["config", "check", str(file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{file}:" in line
    assert "shadow.policy" in line
    assert "rival.toml:11" in line
    assert "unknown key; did you mean 'max_output_tokens'?" in line
