"""What the demo ships and says."""

import gzip
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.cli import replay
from banditroute.cli.app import run
from banditroute.cli.demo import savings
from banditroute.cli.live import command
from banditroute.cli.live.run import LiveSettings
from banditroute.simulation.results import SimulationResult

BuildResult = Callable[..., SimulationResult]

DATA = files("banditroute") / "data"
TABLES = {"demo_warmup.jsonl.gz": 600, "demo_table.jsonl.gz": 900}


def rows(name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress((DATA / name).read_bytes()).splitlines()]


@pytest.mark.parametrize(("name", "count"), TABLES.items())
def test_the_shipped_tables_hold_numbers_and_no_prompts(name: str, count: int) -> None:
    found = rows(name)
    assert len({row["id"] for row in found}) == len(found) == count
    for row in found:
        assert set(row) == {"id", "task", "input_tokens", "features", "outcomes"}
        assert len(row["features"]) == 25
        assert all(value == round(value, 3) for value in row["features"])
        assert all(set(outcome) == {"quality", "cost_usd"} for outcome in row["outcomes"].values())


def test_both_tables_have_the_same_classes_in_much_the_same_proportion() -> None:
    shares = [
        {task: n / count for task, n in Counter(row["task"] for row in rows(name)).items()}
        for name, count in TABLES.items()
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert len(shares[0]) == 9


def test_no_request_is_both_warm_up_and_scored() -> None:
    warmup, scored = ({row["id"] for row in rows(name)} for name in TABLES)
    assert not warmup & scored


def test_the_tables_are_small_and_attributed() -> None:
    assert sum(len((DATA / name).read_bytes()) for name in TABLES) < 300_000
    assert "Apache License 2.0" in (DATA / "ATTRIBUTION.md").read_text(encoding="utf-8")


def test_savings_are_against_the_best_model_for_every_request(build_result: BuildResult) -> None:
    assert savings(build_result(budgets_usd=[0.002])) == (
        "These 100 requests would have cost you $0.20 instead of $1.00 with large for all: $0.80 saved."
    )


@pytest.mark.usefixtures("simulated")
def test_the_replay_ends_with_what_was_saved(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--replay"]) == 0
    out, err = capsys.readouterr()
    assert "saved." in out.splitlines()[-1]
    assert err == ""


@pytest.mark.usefixtures("simulated")
def test_the_replay_has_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--replay", "--json"]) == 0
    results = orjson.loads(capsys.readouterr().out)["results"]
    assert len({result["budget_usd"] for result in results}) == 3


@pytest.mark.usefixtures("simulated")
def test_a_report_of_the_simulation_can_follow_the_live_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[LiveSettings] = []
    monkeypatch.setattr(command, "live_demo", lambda settings, *, json: asked.append(settings))
    report = tmp_path / "demo.html"
    assert run(["demo", "--requests", "50", "--outage", "--report", str(report)]) == 0
    assert asked == [LiveSettings(budget_usd=0.001, requests=50, seconds=16.0, outage=True)]
    assert capsys.readouterr().out.rstrip().endswith(f"report: {report}")
    assert "</html>" in report.read_text(encoding="utf-8")


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch, build_result: BuildResult) -> None:
    def simulate(_: object, **settings: Any) -> SimulationResult:
        return build_result(settings["policies"], settings["budgets_usd"], settings["seeds"])

    monkeypatch.setattr(replay, "simulate", simulate)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--budget-usd", "0"], "budget-usd"),
        (["--requests", "0"], "requests"),
        (["--requests", "1501"], "requests"),
        (["--seconds", "-1"], "seconds"),
        (["--seconds", "inf"], "seconds"),
        (["--budget-usd", "nan"], "budget-usd"),
        (["--replay", "--local-model"], "--replay"),
        (["--replay", "--outage"], "--outage"),
        (["--report", "no/such/folder/demo.html"], "no/such/folder"),
    ],
)
def test_what_the_demo_cannot_do_is_one_line(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert problem in err
