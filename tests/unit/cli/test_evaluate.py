"""`banditroute evaluate`: what it is asked, what it prints, and what it refuses; on small logs made on the spot."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from banditroute.cli.app import run
from banditroute.cli.evaluate import Estimator
from banditroute.evaluation.estimators import ESTIMATORS

MODELS = ("large", "small")
QUALITY = {"large": 0.9, "small": 0.5}
USD = {"large": 0.01, "small": 0.001}

ROUTER = """
[[providers]]
name = "any"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
api_key_env = "A_KEY_THAT_NOBODY_NEEDS"

[[models]]
name = "{model}"
provider = "any"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[[budgets]]
name = "tenant"
usd_per_request = 0.001
scope = "tenant:somebody"

[routing]
features = {features}
"""


def shadow_of(number: int, name: str = "rival") -> Mapping[str, Any]:
    p = 0.8 if number % 2 else 0.6
    expected = {model: {"quality": QUALITY[model], "quality_sd": 0.01, "cost_usd": USD[model]} for model in MODELS}
    return {"policy": name, "propensities": {"large": p, "small": 1 - p}, "expected": expected}


def row(number: int, chance: random.Random, **fields: Any) -> dict[str, Any]:
    chosen = chance.choice(MODELS)
    return {
        "decision_id": f"d{number}",
        "task": "qa",
        "input_tokens": 100,
        "output_tokens": 50,
        "eligible": list(MODELS),
        "chosen": chosen,
        "served": chosen,
        "propensity": 0.5,
        "quality": float(chance.random() < QUALITY[chosen]),
        "cost_usd": USD[chosen],
        "latency_s": 1.0,
        "policy": "uniform",
        **fields,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """400 decisions by a fair coin; a shadow decided on half of them."""
    chance = random.Random(3)
    shadowed = ({"shadow": shadow_of(number)} if number % 4 < 2 else {} for number in range(400))
    return write(tmp_path / "log.jsonl", [row(number, chance, **more) for number, more in enumerate(shadowed)])


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    """200 decisions that callers made, a shadow beside each."""
    chance = random.Random(4)
    small = {"propensity": None, "chosen": "small", "served": "small", "cost_usd": USD["small"]}
    rows = [row(i, chance, shadow=shadow_of(i), **small) for i in range(200)]
    return write(tmp_path / "pinned.jsonl", rows)


def found(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    capsys.readouterr()
    assert run(["evaluate", *map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert run(["evaluate", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_estimators_are_those_that_there_are() -> None:
    assert [each.value for each in Estimator] == list(ESTIMATORS)


def test_by_default_everything_that_the_log_speaks_of(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(capsys, log)
    policies = ["fixed:large", "fixed:small", "uniform", "shadow:rival"]
    assert [each["policy"] for each in answer["policies"]] == policies
    assert [(each["policy"], each["estimator"]) for each in answer["estimates"]] == [
        (policy, estimator) for policy in policies for estimator in ESTIMATORS
    ]
    assert (answer["rows"], answer["used"], answer["models"]) == (400, 400, list(MODELS))


def test_the_json_is_what_was_promised(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(capsys, log, "--policy", "fixed:large", "--estimator", "snips")
    (policy,), (estimate,) = answer["policies"], answer["estimates"]
    assert (answer["ess"], answer["max_weight"]) == (policy["ess"], 2.0)
    assert answer["verdict"] == policy["verdict"] != ""
    assert estimate["quality"]["ci95"][0] < estimate["quality"]["mean"] < estimate["quality"]["ci95"][1]
    assert estimate["cost_usd"]["mean"] == pytest.approx(0.01)
    assert estimate["quality"]["anytime95"] is None  # snips has none
    assert estimate["quality"]["rows"] == 400
    (model,) = (each for each in policy["overlap"] if each["target_share"] > 0)
    assert (model["model"], model["target_share"], model["unseen_share"]) == ("large", 1.0, 0.0)
    (logged,) = answer["logged"]
    assert (logged["policy"], logged["rows"], logged["drawn"], logged["judged"]) == ("uniform", 400, 400, 400)


def test_a_shadow_speaks_on_its_own_decisions_only(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(capsys, log, "--policy", "shadow", "--policy", "uniform", "--estimator", "ips")
    assert [each["cost_usd"]["rows"] for each in answer["estimates"]] == [200, 400]
    assert "shadow:rival decided on 200 of the 400 decisions; its estimates rest on these." in answer["notes"]
    (shadow,) = answer["shadows"]
    assert (shadow["name"], shadow["decisions"], shadow["basis"]) == ("rival", 200, "weights")
    assert shadow["win_rate"] > 0
    assert found(capsys, log, "--policy", "uniform", "--estimator", "ips")["shadows"] == []


def test_without_chance_only_a_shadow_can_be_spoken_of(pinned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(capsys, pinned)
    (shadow,) = answer["shadows"]
    assert (shadow["basis"], shadow["decisions"], shadow["drawn"]) == ("forecasts", 200, 0)
    assert (answer["used"], answer["estimates"], answer["policies"]) == (0, [], [])
    assert (answer["ess"], answer["max_weight"], answer["verdict"]) == (None, None, shadow["verdict"])
    assert answer["logged"][0]["cost_usd"]["mean"] == pytest.approx(USD["small"])
    assert run(["evaluate", str(pinned)]) == 0
    text = capsys.readouterr().out
    assert shadow["verdict"].split(":")[0] in text
    assert "nothing was left to chance" in refused(capsys, pinned, "--policy", "uniform")


def test_a_router_is_led_over_the_log_and_says_what_is_left_out(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    router = tmp_path / "router.toml"
    router.write_text(ROUTER.format(model="large", features=0))
    answer = found(capsys, log, "--policy", router, "--policy", "fixed:large", "--estimator", "dr")
    mine, fixed = answer["estimates"]
    assert mine["policy"] == str(router)
    assert mine["quality"] == fixed["quality"]  # it has no choice
    assert any("budgets of tenants are left out" in note for note in answer["notes"])


def test_a_router_that_cannot_decide_on_it_is_refused(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    router = tmp_path / "router.toml"
    router.write_text(ROUTER.format(model="other", features=0))
    said = refused(capsys, log, "--policy", router)
    assert "400 of 400 decisions are between models none of which" in said
    router.write_text(ROUTER.format(model="large", features=3))
    assert "features: no features a decision" in refused(capsys, log, "--policy", router)
    assert "cannot be read" in refused(capsys, log, "--policy", tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("unifrom", "no policy is called 'unifrom'; did you mean 'uniform'?"),
        ("fixed:", "no policy is called 'fixed:'"),
        ("fixed:lorge", "the log has no model 'lorge'; did you mean 'large'?"),
        ("shadow:nobody", "the log has no shadow 'nobody'; choose from: shadow:rival"),
    ],
)
def test_a_policy_that_is_none_is_refused(
    word: str, problem: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, log, "--policy", word)
    assert said.startswith("--policy: ")
    assert problem in said


def test_a_shadow_where_there_is_none_or_more_than_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(1)
    none = write(tmp_path / "none.jsonl", [row(i, chance) for i in range(9)])
    assert "no policy decided beside the one that logged" in refused(capsys, none, "--policy", "shadow")
    two = [row(i, chance, shadow=shadow_of(i, ("a", "b")[i % 2])) for i in range(9)]
    said = refused(capsys, write(tmp_path / "two.jsonl", two), "--policy", "shadow")
    assert "the log has 2 shadows; choose from: shadow:a, shadow:b" in said


def test_rows_that_are_no_evidence_are_refused_or_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(2)
    rows = [row(i, chance, **({"propensity": 0.0} if i < 3 else {})) for i in range(50)]
    path = write(tmp_path / "odd.jsonl", rows)
    assert "3 of 50 rows cannot be evidence" in refused(capsys, path)
    answer = found(capsys, path, "--leave-out", "--policy", "uniform")
    assert (answer["rows"], answer["used"]) == (50, 47)
    (aside,) = answer["set_aside"]
    assert (aside["rows"], aside["first_line"]) == (3, 1)
    assert run(["evaluate", str(path), "--leave-out"]) == 0
    assert "(first on line 1)" in " ".join(capsys.readouterr().out.split())


def test_only_what_one_policy_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(2)
    rows = [row(i, chance, policy=("a", "b")[i % 2]) for i in range(60)]
    path = write(tmp_path / "two.jsonl", rows)
    answer = found(capsys, path, "--log-policy", "a", "--policy", "uniform")
    assert (answer["rows"], [each["policy"] for each in answer["logged"]]) == (30, ["a"])
    assert "no row was logged by 'c'" in refused(capsys, path, "--log-policy", "c")


def test_the_same_seed_gives_the_same_intervals(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = (log, "--policy", "fixed:small", "--estimator", "dr", "--seed")
    one, again, other = (found(capsys, *options, seed) for seed in (1, 1, 2))
    assert one == again
    assert one["estimates"][0]["quality"]["mean"] == other["estimates"][0]["quality"]["mean"]
    assert one["estimates"][0]["quality"]["ci95"] != other["estimates"][0]["quality"]["ci95"]


def test_a_router_without_a_store_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    router = tmp_path / "router.toml"
    router.write_text(ROUTER.format(model="large", features=0))
    assert "no decisions yet" in refused(capsys, router)
