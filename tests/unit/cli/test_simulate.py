from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.cli import replay
from banditroute.cli.app import run
from banditroute.simulation.results import SimulationResult
from banditroute.sweeping.dask_cluster import DaskCluster
from banditroute.sweeping.processes import Processes
from banditroute.sweeping.serial import Serial

BuildResult = Callable[..., SimulationResult]

ROWS = [
    {
        "id": "a",
        "outcomes": {"small": {"quality": 0.5, "cost_usd": 0.001}, "large": {"quality": 1.0, "cost_usd": 0.01}},
    },
    {
        "id": "b",
        "outcomes": {"small": {"quality": 1.0, "cost_usd": 0.001}, "large": {"quality": 1.0, "cost_usd": 0.01}},
    },
]


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "table.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ROWS))
    return str(path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, build_result: BuildResult) -> dict[str, Any]:
    """What the command asked of the simulation, which answers with a result built by hand."""
    given: dict[str, Any] = {}

    def simulate(scored: object, **settings: Any) -> SimulationResult:
        given.update(settings, scored=scored)
        return build_result(settings["policies"], settings["budgets_usd"], settings["seeds"])

    monkeypatch.setattr(replay, "simulate", simulate)
    return given


def test_the_defaults_are_the_documented_ones(table: str, asked: dict[str, Any]) -> None:
    assert run(["simulate", table]) == 0
    assert asked.pop("scored").models == ("small", "large")
    assert asked == {
        "warmup": None,
        "policies": ("thompson",),
        "budgets_usd": (None,),
        "seeds": range(20),
        "features": "table",
        "classes": "table",
        "scenario": None,
        "executor": Serial(),
        "progress": None,
    }


def test_options_reach_the_simulation(table: str, asked: dict[str, Any]) -> None:
    options = "--policy mixture --policy fixed:large --budget-usd 0.002 --budget-usd 0.005 --seeds 4 --seed 3"
    others = f"--warmup {table} --features none --classes none --jobs 2"
    assert run(["simulate", table, *options.split(), *others.split()]) == 0
    assert asked["policies"] == ("mixture", "fixed:large")
    assert asked["budgets_usd"] == (0.002, 0.005)
    assert asked["seeds"] == range(3, 7)
    assert asked["warmup"].requests == 2
    assert (asked["features"], asked["classes"], asked["executor"]) == ("none", "none", Processes(2))
    assert run(["simulate", table, "--cluster", "tcp://host:1"]) == 0
    assert asked["executor"] == DaskCluster("tcp://host:1")


SCENARIO = """
[[event]]
at = 1
kind = "add"
model = "copy"
like = "large"

[[event]]
at = 1
kind = "price"
model = "MODEL"
factor = 0.5
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], str]:
    def write(model: str) -> str:
        path = tmp_path / "storm.toml"
        path.write_text(SCENARIO.replace("MODEL", model))
        return str(path)

    return write


def test_a_scenario_reaches_the_simulation_and_its_newcomer_may_be_fixed(
    table: str, asked: dict[str, Any], scenario: Callable[[str], str]
) -> None:
    assert run(["simulate", table, "--scenario", scenario("copy"), "--policy", "fixed:copy"]) == 0
    assert asked["scenario"].name == "storm"
    assert [event.kind for event in asked["scenario"].events] == ["add", "price"]


def test_a_scenario_that_does_not_fit_the_table_is_refused_before_the_long_work(
    table: str, asked: dict[str, Any], scenario: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = scenario("larg")
    assert run(["simulate", table, "--scenario", path]) == 2
    problem = "event[1].model: the table has no model 'larg'; did you mean 'large'? choose from: small, large, copy"
    assert capsys.readouterr().err == f"{path}:8: {problem}\n"
    assert asked == {}


@pytest.mark.usefixtures("asked")
def test_tables_end_with_the_finding(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", table]) == 0
    out, err = capsys.readouterr()
    assert "Where requests went" in out
    assert "always calling large" in out.splitlines()[-2] + out.splitlines()[-1]
    assert err == ""


@pytest.mark.usefixtures("asked")
def test_json_stands_alone_on_standard_output(table: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["simulate", table, "--json", "--report", str(tmp_path / "report.html")]) == 0
    out, err = capsys.readouterr()
    assert orjson.loads(out)["results"][0]["policy"] == "thompson"
    assert err == ""


@pytest.mark.usefixtures("asked")
def test_a_report_is_written_and_named(table: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    assert run(["simulate", table, "--budget-usd", "0.005", "--report", str(report)]) == 0
    assert f"report: {report}\n" in capsys.readouterr().out
    assert report.read_text().lstrip().lower().startswith("<!doctype html")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--budget-usd", "0"], "--budget-usd: 0 is not a budget"),
        (["--budget-usd", "cheap"], "Invalid value for '--budget-usd'"),
        (["--seeds", "0"], "--seeds: 0 is not a number of stream orders"),
        (["--jobs", "-1"], "--jobs: -1 is not a number of processes"),
        (["--jobs", "2", "--cluster", "tcp://host:1"], "--cluster: --jobs and --cluster exclude each other"),
        (["--policy", "tompson"], "did you mean 'thompson'?"),
        (["--policy", "fixed:huge"], "the table has no model 'huge'; choose from: small, large"),
        (["--features", "tables"], "Invalid value for '--features'"),
        (["--scenario", "storm.toml"], "storm.toml: cannot be read: no such file"),
        (["--report", "/nowhere/at/all/report.html"], "--report: there is no directory /nowhere/at/all"),
        (["--warmup", "missing.jsonl"], "missing.jsonl"),
    ],
)
def test_bad_input_gets_one_line_and_exit_2(
    table: str, asked: dict[str, Any], capsys: pytest.CaptureFixture[str], options: list[str], problem: str
) -> None:
    assert run(["simulate", table, *options]) == 2
    out, err = capsys.readouterr()
    assert problem in err
    assert err.count("\n") == 1
    assert out == ""
    assert asked == {}, "the long work must not start"


def test_a_table_that_is_broken_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"id": "a", "outcomes": {"small": {"quality": 1.5, "cost_usd": 0.001}}}\n')
    assert run(["simulate", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{path}:1: ")
    assert err.count("\n") == 1
