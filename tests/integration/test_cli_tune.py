"""`banditroute tune` as a user runs it: on a table and on a log, killed and gone on from, and its lines pasted."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.routing.budgets import PacedBudget
from banditroute.testing.faulty_server import FaultyServer

MAIN = [sys.executable, "-W", "error", "-c", "from banditroute.cli import main; main()"]
QUALITY = {"large": 0.9, "small": 0.5}
USD = {"large": 0.01, "small": 0.001}
HALF_WAY, HALF_WAY_USD = 0.7, 0.0055

POOL = """
[[providers]]
name = "any"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"

[[models]]
name = "small"
provider = "any"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

"""

SECOND = """
[[models]]
name = "large"
provider = "any"
input_usd_per_mtok = 10.0
output_usd_per_mtok = 20.0

[routing]
seed = 3
explore = { decisions = 0.4, quality = 1.0 }

[store]
path = "store.db"
"""


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Requests that are all alike but for the judge's mood."""
    chance, rows = random.Random(1), []
    for i in range(120):
        mood = chance.gauss(0.0, 0.02)
        outcomes = {model: {"quality": QUALITY[model] + mood, "cost_usd": USD[model]} for model in QUALITY}
        rows.append({"id": f"r{i}", "task": ("qa", "code")[i % 2], "outcomes": outcomes})
    return write(tmp_path / "table.jsonl", rows)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The same kind of requests, drawn by a fair coin; every third answer was not judged."""
    chance, rows = random.Random(2), []
    for i in range(900):
        chosen = chance.choice(list(QUALITY))
        rows.append(
            {
                "decision_id": f"d{i}",
                "task": ("qa", "code")[i % 2],
                "input_tokens": 100,
                "output_tokens": 50,
                "eligible": list(QUALITY),
                "chosen": chosen,
                "served": chosen,
                "propensity": 0.5,
                "quality": None if i % 3 == 0 else QUALITY[chosen] + chance.gauss(0.0, 0.02),
                "cost_usd": USD[chosen],
                "latency_s": 1.0,
                "policy": "coin",
            }
        )
    return write(tmp_path / "log.jsonl", rows)


def found(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    code = run(["tune", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return orjson.loads(out)


def test_a_table_in_a_process_of_its_own(table: Path) -> None:
    command = [*MAIN, "tune", str(table), "--target-quality", str(HALF_WAY), "--seeds", "3", "--jobs", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    document = orjson.loads(done.stdout)
    assert (document["kind"], document["requests"], document["seeds"]) == ("table", 120, 3)
    (answer,) = document["recommendations"]
    assert answer["target"]["budget_usd"] == pytest.approx(HALF_WAY_USD, rel=0.15)
    assert answer["point"]["cost_usd"] == pytest.approx(HALF_WAY_USD, rel=0.05)


def test_the_lines_to_paste_are_a_configuration(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = found(
        capsys, table, "--budget-usd", "0.004", "--requests-per-day", "1000", "--seeds", "2", "--jobs", "1"
    )
    lines = document["recommendations"][0]["config_lines"]
    path = tmp_path / "router.toml"
    path.write_text(POOL + lines, encoding="utf-8")
    paced, cap = load_config(path).budgets
    assert isinstance(paced, PacedBudget)
    month = 0.004 * 1000 * 30.44
    assert tomllib.loads(lines)["budgets"][0] == {"usd_per_request": 0.004}
    assert tomllib.loads(lines)["budgets"][1]["usd"] == pytest.approx(1.1 * month, abs=0.01)
    assert cap != paced


def test_a_log_says_the_same_of_the_same_traffic(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = found(capsys, log, "--target-quality", HALF_WAY, "--requests-per-day", "100")
    assert (document["kind"], document["requests"], document["envelope"]) == ("log", 600, None)
    (answer,) = document["recommendations"]
    target = answer["target"]
    assert target["budget_usd"] == pytest.approx(HALF_WAY_USD, rel=0.05)
    assert target["ci90"][0] < HALF_WAY_USD < target["ci90"][1]
    assert [each["requests_per_day"] for each in document["traffic"]] == [50.0, 100.0, 200.0]
    assert any("300 of 900 decisions took no part" in note for note in document["notes"])


def test_rows_of_a_log_that_are_no_evidence(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    rows[4]["propensity"], rows[7]["decision_id"] = 0.0, rows[6]["decision_id"]
    bad = write(tmp_path / "bad.jsonl", rows)
    assert run(["tune", str(bad), "--target-quality", "0.7"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "2 of 900 rows cannot be evidence" in err
    notes = found(capsys, bad, "--target-quality", "0.7", "--leave-out")["notes"]
    assert sum(note.startswith("1 row left out: ") for note in notes) == 2


def test_a_page_is_written_beside_the_tables(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["tune", str(log), "--target-quality", str(HALF_WAY), "--report", str(page)]) == 0
    said = capsys.readouterr().out
    assert said.rstrip().endswith(f"report: {page}")
    assert "For a quality of 0.7" in page.read_text(encoding="utf-8")


def test_interrupted_it_says_so_and_goes_on(table: Path, tmp_path: Path) -> None:
    keep = tmp_path / "runs.jsonl"
    command = [*MAIN, "tune", str(table), "--target-quality", str(HALF_WAY), "--seeds", "8", "--jobs", "1"]
    command += ["--keep", str(keep), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not keep.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == f"interrupted; finished budgets are kept in {keep}: run it again to go on\n"
    before = keep.read_bytes()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert keep.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert len(keep.read_bytes().splitlines()) == 1 + len(orjson.loads(done.stdout)["frontier"])


async def serve(config: Path, url: str) -> None:
    """Answers and judges requests, many of them left to chance."""
    chance = random.Random(4)
    config.write_text((POOL + SECOND).replace("http://127.0.0.1:9/v1", url), encoding="utf-8")
    async with open_router(config) as router:
        for number in range(120):
            answer = await router.chat("How much is it?", task=("qa", "code")[number % 2])
            await router.feedback(answer.decision_id, quality=QUALITY[answer.model] + chance.gauss(0.0, 0.02))


async def test_the_store_of_a_router_and_its_export_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, exported = tmp_path / "router.toml", tmp_path / "log.jsonl.gz"
    async with FaultyServer() as server:
        await serve(config, server.base_url)
    assert await asyncio.to_thread(run, ["export", "--config", str(config), "--out", str(exported)]) == 0
    capsys.readouterr()
    from_store, from_file = [
        await asyncio.to_thread(found, capsys, log, "--target-quality", "0.7") for log in (config, exported)
    ]
    assert (from_store.pop("source"), from_file.pop("source")) == ("store", "log")
    assert from_store.pop("seconds") > 0 < from_file.pop("seconds")
    assert from_store == from_file
    assert (from_store["kind"], from_store["requests"]) == ("log", 120)
