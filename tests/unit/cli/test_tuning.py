"""`banditroute tune`: what it asks of tuning, which files it takes for what, and what it refuses before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.cli import tuning
from banditroute.cli.app import run
from banditroute.sweeping.choosing import executor_of, processors
from banditroute.sweeping.serial import Serial
from banditroute.tuning.from_table import Replay
from banditroute.tuning.questions import Questions

OUTCOMES = {"small": {"quality": 0.5, "cost_usd": 0.001}, "large": {"quality": 1.0, "cost_usd": 0.01}}

ROW = {
    "decision_id": "d0",
    "task": "qa",
    "input_tokens": 100,
    "eligible": ["small", "large"],
    "chosen": "small",
    "propensity": 0.5,
    "quality": None,
    "cost_usd": 0.001,
    "latency_s": 1.0,
    "policy": "prod",
}


def write(path: Path, *rows: object) -> str:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return str(path)


@pytest.fixture
def table(tmp_path: Path) -> str:
    return write(tmp_path / "table.jsonl", {"id": "a", "outcomes": OUTCOMES}, {"id": "b", "outcomes": OUTCOMES})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a table was tuned with; the work itself is left out, and ends as an interruption does."""
    given: dict[str, Any] = {}

    def tune_table(scored: object, questions: Questions, **more: Any) -> None:
        given.update(more, scored=scored, questions=questions)
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "tune_table", tune_table)
    return given


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(["tune", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_the_defaults_are_the_documented_ones(table: str, asked: dict[str, Any]) -> None:
    assert run(["tune", table, "--target-quality", "0.92"]) == 130
    assert asked["questions"] == Questions(target_quality=(0.92,), confidence=0.9)
    assert asked["warmup"] is None
    assert asked["scored"].models == ("small", "large")
    assert asked["replay"] == Replay(range(20), executor=executor_of(min(2, processors())))


def test_options_reach_the_work_and_questions_asked_twice_count_once(table: str, asked: dict[str, Any]) -> None:
    questions = "--target-quality .9 --target-quality .8 --target-quality .9 --budget-usd .002 --budget-usd .002"
    replay = f"--seeds 3 --seed 7 --features none --classes none --jobs 1 --warmup {table}"
    rest = f"--confidence .8 --requests-per-day 50 {replay}"
    assert run(["tune", table, *questions.split(), *rest.split()]) == 130
    assert asked["questions"] == Questions((0.9, 0.8), (0.002,), 0.8, 50.0)
    assert asked["replay"] == Replay(range(7, 10), "none", "none", executor=Serial())
    assert asked["warmup"].name == "table"


@pytest.mark.usefixtures("asked")
def test_an_interruption_says_how_to_go_on(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = tmp_path / "runs.jsonl"
    assert run(["tune", table, "--target-quality", "0.9", "--keep", str(keep)]) == 130
    assert capsys.readouterr().err == f"interrupted; finished budgets are kept in {keep}: run it again to go on\n"
    assert run(["tune", table, "--target-quality", "0.9"]) == 130
    assert capsys.readouterr().err == ""  # nothing is kept


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("", "give --target-quality Q or --budget-usd X"),
        ("--target-quality 92", "--target-quality: 92 is not a quality"),
        ("--budget-usd -1", "--budget-usd: -1 is not a budget"),
        ("--budget-usd 1 --confidence 1", "--confidence"),
        ("--budget-usd 1 --requests-per-day 0", "--requests-per-day"),
        ("--budget-usd 1 --seeds 0", "--seeds"),
        ("--budget-usd 1 --seed -1", "--seed"),
        ("--budget-usd 1 --jobs -1", "--jobs"),
        ("--budget-usd 1 --jobs 2 --cluster tcp://host:1", "--cluster: --jobs and --cluster exclude each other"),
        ("--budget-usd 1 --report nowhere/page.html", "--report"),
        ("--budget-usd 1 --keep nowhere/runs.jsonl", "--keep: there is no directory nowhere"),
        ("--budget-usd 1 --log-policy x", "--log-policy: an outcome table was not logged"),
        ("--budget-usd 1 --leave-out", "--leave-out: an outcome table was not logged"),
        ("--budget-usd 1 --warmup missing.jsonl", "missing.jsonl"),
    ],
)
def test_bad_options_are_one_line(
    table: str, options: str, named: str, asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert named in refused(capsys, table, *options.split())
    assert asked == {}  # no work was begun


@pytest.mark.parametrize("option", ["--warmup", "--keep"])
def test_a_log_is_not_replayed(tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.jsonl", ROW)
    said = refused(capsys, log, "--budget-usd", "1", option, tmp_path / "other")
    assert f"{option}: a decision log is not replayed" in said


def test_a_log_that_nobody_judged_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.jsonl", ROW)
    assert "no decision was both left to chance and judged" in refused(capsys, log, "--budget-usd", "1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("table.jsonl", b""),
        ("table.jsonl", b"nonsense\n"),
        ("table.jsonl", b"[1]\n"),
        ("table.jsonl.gz", b"not gzip"),
        ("table.csv", b"id\n"),
        ("table.txt", b"{}\n"),
    ],
)
def test_neither_a_table_nor_a_log(tmp_path: Path, name: str, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(text)
    assert str(path) in refused(capsys, path, "--budget-usd", "1")


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no such file" in refused(capsys, tmp_path / "x.jsonl", "--budget-usd", "1")
    assert "x.toml" in refused(capsys, tmp_path / "x.toml", "--budget-usd", "1")
