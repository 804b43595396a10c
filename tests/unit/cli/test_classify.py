"""`banditroute classify`."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from banditroute.cli.app import run


def test_a_prompt_is_said_in_words_or_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "translate 'cat' into french"]) == 0
    assert capsys.readouterr().out.startswith("translation (")
    assert run(["classify", "--json", "translate 'cat' into french"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["task"] == "translation"
    assert 0.4 <= said["probability"] <= 1.0


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz"])
def test_a_file_gives_a_line_for_each(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = '{"id": 7, "text": "solve 3x = 12"}\n\n{"id": "b", "text": "", "more": 1}\n'
    path = tmp_path / name
    path.write_bytes(gzip.compress(lines.encode()) if name.endswith(".gz") else lines.encode())
    assert run(["classify", str(path)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["id"], first["task"]) == (7, "reasoning_math")
    assert second == {"id": "b", "task": "general", "probability": 0.0}


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b'{"id": 1, "text": "what is the capital of Peru?"}'))
    monkeypatch.setattr(sys, "stdin", stream)
    assert run(["classify", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "qa"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1, "text": "ok"}\n{"id": 2}\n', ":2: text: "),
        ("not json\n", ":1: "),
        ('{"id": 1, "text": 5}\n', ":1: text: "),
    ],
)
def test_bad_lines_are_named(content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(content)
    assert run(["classify", str(path)]) == 2
    problem = capsys.readouterr().err
    assert message in problem
    assert problem.count("\n") == 1


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "nowhere.jsonl"]) == 2
    assert "nowhere.jsonl: cannot be read" in capsys.readouterr().err


def test_rules_of_a_configuration_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "router.toml"
    config.write_text(
        """
[[providers]]
name = "local"
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.2
[[rules]]
task = "billing"
contains = ["Invoice"]
"""
    )
    assert run(["classify", "--config", str(config), "where is my invoice"]) == 0
    assert capsys.readouterr().out == "billing (100%)\n"
