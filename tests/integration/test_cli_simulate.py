"""The commands as a user runs them, in a process of their own, on the tables that the package ships."""

import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.simulation.loading import load_table

DATA = files("banditroute") / "data"
TABLE, WARMUP = str(DATA / "demo_table.jsonl.gz"), str(DATA / "demo_warmup.jsonl.gz")
BUDGETS_USD = (0.0001, 0.003)
MAIN = [sys.executable, "-c", "from banditroute.cli import main; main()"]


def banditroute(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*MAIN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd, check=False)


def simulated(*arguments: str) -> dict[str, Any]:
    done = banditroute("simulate", TABLE, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return orjson.loads(done.stdout)


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    budgets = [part for budget in BUDGETS_USD for part in ("--budget-usd", str(budget))]
    policies = [
        "--policy",
        "thompson",
        "--policy",
        "mixture",
        "--policy",
        "oracle",
        "--policy",
        "fixed:mistral-large-2512",
    ]
    return simulated("--warmup", WARMUP, "--seeds", "2", "--seed", "5", *policies, *budgets)


def test_every_policy_is_answered_at_every_budget_in_the_order_asked(answer: dict[str, Any]) -> None:
    asked = [(each["policy"], each["budget_usd"]) for each in answer["results"]]
    policies = ("thompson", "mixture", "oracle", "fixed:mistral-large-2512")
    assert asked == [(policy, budget) for policy in policies for budget in BUDGETS_USD]
    assert answer["requests"] == 900
    assert answer["models"] == list(load_table(TABLE).models)
    assert answer["decisions_per_s"] > 0


def test_figures_agree_with_each_other(answer: dict[str, Any]) -> None:
    for result in answer["results"]:
        assert sum(result["share"].values()) == pytest.approx(1)
        assert [one["seed"] for one in result["per_seed"]] == [5, 6]
        for figure in ("quality", "cost_usd"):
            mean = sum(one[figure] for one in result["per_seed"]) / 2
            assert result[figure]["mean"] == pytest.approx(mean)
            low, high = result[figure]["ci95"]
            assert low <= mean <= high
        assert result["utilisation"]["mean"] == pytest.approx(result["cost_usd"]["mean"] / result["budget_usd"])
        assert result["utilisation"]["max"] >= result["utilisation"]["mean"]
        [phase] = result["phases"]
        assert (phase["from"], phase["to"]) == (0, 900)
        assert phase["quality"]["mean"] == pytest.approx(result["quality"]["mean"])
        assert result["envelope_quality"] <= result["oracle_quality"] + 1e-9


def test_a_fixed_model_gets_what_the_table_says(answer: dict[str, Any]) -> None:
    table = load_table(TABLE)
    column = table.models.index("mistral-large-2512")
    expected = {
        "quality": pytest.approx(table.quality[:, column].mean()),
        "cost_usd": pytest.approx(table.cost_usd[:, column].mean()),
        "rows": 900,
    }
    assert answer["fixed"]["mistral-large-2512"] == expected
    for result in answer["results"][-2:]:
        assert result["quality"]["mean"] == expected["quality"]
        assert result["cost_usd"]["mean"] == expected["cost_usd"]


def test_budgets_hold_and_quality_grows_with_them(answer: dict[str, Any]) -> None:
    tight, loose = answer["results"][:2]
    assert tight["utilisation"]["mean"] < 1.1
    assert loose["utilisation"]["mean"] < 1.1
    assert loose["quality"]["mean"] > tight["quality"]["mean"]


def test_the_same_seeds_give_the_same_answer() -> None:
    options = ("--seeds", "1", "--budget-usd", "0.0005")
    first, second = simulated(*options), simulated(*options)
    assert first["results"] == second["results"]


def test_without_a_budget_none_is_used() -> None:
    [result] = simulated("--seeds", "1", "--policy", "random")["results"]
    assert result["budget_usd"] is None
    assert result["utilisation"] is None


def test_two_processes_give_what_one_gives() -> None:
    options = ("--seeds", "2", "--budget-usd", "0.0005")
    assert simulated(*options, "--jobs", "2")["results"] == simulated(*options)["results"]


def test_tables_are_plain_text_of_80_columns_in_a_pipe() -> None:
    done = banditroute("simulate", TABLE, "--seeds", "1", "--budget-usd", "0.0005")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80


SCENARIO = """
feedback = {delay_requests = 10, missing = 0.2}

[[event]]
at = 300
kind = "price"
model = "gemini-2.5-pro"
factor = 0.1

[[event]]
at = 600
kind = "quality"
model = "mistral-large-2512"
set = 0.5
"""


def test_a_scenario_parts_the_results(tmp_path: Path) -> None:
    path = tmp_path / "storm.toml"
    path.write_text(SCENARIO)
    policies = ("--policy", "thompson", "--policy", "fixed:mistral-large-2512")
    answer = simulated("--seeds", "2", "--budget-usd", "0.001", *policies, "--scenario", str(path))
    assert answer["scenario"] == "storm"
    for result in answer["results"]:
        assert [(each["from"], each["to"]) for each in result["phases"]] == [(0, 300), (300, 600), (600, 900)]
        for figure in ("quality", "cost_usd"):
            whole = sum(each[figure]["mean"] for each in result["phases"]) / 3
            assert result[figure]["mean"] == pytest.approx(whole)
    last = answer["results"][1]["phases"][-1]
    assert last["quality"]["mean"] == pytest.approx(0.5, abs=0.05)
    assert last["share"]["mistral-large-2512"] == 1.0


def test_a_report_shows_what_happened(tmp_path: Path) -> None:
    (tmp_path / "storm.toml").write_text(SCENARIO)
    options = ("--seeds", "2", "--budget-usd", "0.001", "--scenario", "storm.toml", "--report", "out.html")
    done = banditroute("simulate", TABLE, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Before and after each event" in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80
    assert "Before and after each event" in (tmp_path / "out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[event]]\nat = 900\nkind = "remove"\nmodel = "gemini-2.5-pro"\n', "storm.toml:1: event[0].at: 900 is not"),
        ("[[event]]\nat = 0\n", "storm.toml:1: event[0]: names no kind; give one of: price, "),
        ("[traffic]\nrate = 2\n", "storm.toml: traffic.arrivals: is missing; give requests a second, or"),
        ("=\n", "storm.toml:1: is not TOML: "),
    ],
)
def test_a_scenario_that_cannot_be_played_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "storm.toml").write_text(text)
    done = banditroute("simulate", TABLE, "--scenario", "storm.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"id": "a", "outcomes": {}}\n')
    done = banditroute("simulate", "broken.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("broken.jsonl:1: ")
    assert done.stderr.count("\n") == 1


def test_the_replayed_demo_writes_a_report_and_ends_with_what_was_saved(tmp_path: Path) -> None:
    done = banditroute("demo", "--replay", "--report", "demo.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "report: demo.html" in done.stdout
    assert done.stdout.rstrip().endswith("saved.")
    assert "</html>" in (tmp_path / "demo.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
@pytest.mark.parametrize("later_s", [0.0, 2.0], ids=["while its workers import", "while they work"])
def test_an_interrupt_ends_it_without_a_traceback(later_s: float) -> None:
    command = [*MAIN, "simulate", TABLE, "--seeds", "2000", "--jobs", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            wait_for_workers(process.pid)
            time.sleep(later_s)
            os.killpg(process.pid, signal.SIGINT)  # the whole group, as a terminal does
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err == ""


def wait_for_workers(pid: int) -> None:
    """Until a process has one that it shares its work with."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        running = subprocess.run(["ps", "-A", "-ww", "-o", "ppid=,args="], capture_output=True, text=True, check=True)
        if any(line.split()[:1] == [str(pid)] and "spawn_main" in line for line in running.stdout.splitlines()):
            return
        time.sleep(0.02)
    raise AssertionError("no worker was started")


def test_arrivals_and_caps_are_played_and_reported(tmp_path: Path) -> None:
    (tmp_path / "storm.toml").write_text("[traffic]\narrivals = 0.008\n[[budgets]]\nusd = 0.6\nper = 'day'\n")
    asked = ("simulate", TABLE, "--scenario", "storm.toml", "--seeds", "1")
    done = banditroute(*asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Caps at the end of their windows" in done.stdout
    assert "global per day  2026-01-01" in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80
    found = orjson.loads(banditroute(*asked, "--json", cwd=tmp_path).stdout)["results"][0]["windows"]
    assert [window["window"] for window in found] == ["2026-01-01", "2026-01-02"]
    assert all(0 < window["share"]["mean"] <= window["share"]["max"] <= 1.01 for window in found)
