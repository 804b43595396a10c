"""`banditroute config check`: what it prints for people and for machines."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.cli.app import run

FILE = """\
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"
api_key_env = ["FAR_1", "FAR_2"]

[[providers]]
name = "near"
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"

[[models]]
name = "large"
provider = "far"
upstream = "gpt-4o"
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10
context_window = 128000
max_output_tokens = 16384
vision = true

[[models]]
name = "own"
provider = "near"
input_usd_per_mtok = 0
output_usd_per_mtok = 0
tools = false
json = false

[[budgets]]
usd_per_request = 0.0005

[[budgets]]
usd = 20
per = "day"
scope = "tenant:acme"
on_exhausted = "reject"

[store]
path = "kept.db"
retention_days = 7

[hedge]
share = 0.02
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAR_1", "hunter2")
    monkeypatch.delenv("FAR_2", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "router.toml"
    path.write_text(FILE)
    return path


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_what_every_part_means(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "check", str(file)]) == 0
    printed = capsys.readouterr()
    out = squeezed(printed.out)
    for words in (
        "far openai https://far.example/v1 FAR_1 (set), FAR_2 (missing)",
        "near openai http://127.0.0.1:8000/v1 none is sent",
        "dollars per million tokens, a typical request has 500 tokens in, 300 out",
        "large far gpt-4o $2.50 $10.00 $0.0043",
        "own near own $0.00 $0.00 $0.0000",
        "large 128,000 16,384 tools, images, JSON, streams",
        "own – – streams",
        "$0.00050 a request on average, all requests; steers, never refuses; worth any number of own or 0.12 of large",
        "at most $20.00 a day (UTC), tenant acme; at the cap it refuses; worth any number of own or 4,705 of large",
        "decisions kept 7 days; what they taught stays",
        "deadline 600 s a request, retries and fallbacks included",
        "hedging at most 2% of calls, after their 95% quantile",
    ):
        assert words in out
    assert "hunter2" not in printed.out
    assert printed.err == ""
    assert printed.out.splitlines()[-1] == f"{file}: can be used, 1 warning"


GRADING = """
[[graders]]
name = "valid"
kind = "json"
tasks = ["extraction", "code"]
weight = 0.5
calibrate_to = "wins"

[[graders]]
name = "brief"
kind = "length"
when = "background"
options = { most = 100 }

[[judges]]
name = "wins"
model = "large"
baseline_model = "own"
share = 0.02
usd_per_day = 1.0
"""


def test_who_grades(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE + GRADING)
    assert run(["config", "check", str(file)]) == 0
    out = squeezed(capsys.readouterr().out)
    for words in (
        "valid grades answers of extraction, code, before they are given, on the scale of wins; counts 0.5",
        "brief grades all answers, just after they are given",
        "wins large judges 2% of all answers against those of own, in both orders, 8 at a time; $0.0067 for a typical "
        "answer, at most $1.00 a day",
        "at most $1.00 a day (UTC), task judge:wins; at the cap it refuses; worth 149 typical answers judged",
    ):
        assert words in out


def test_who_grades_in_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE + GRADING)
    config = as_json(file, capsys, 0)["config"]
    assert [(each["name"], each["when"], each["weight"], each["calibrate_to"]) for each in config["graders"]] == [
        ("valid", "inline", 0.5, "wins"),
        ("brief", "background", 1.0, None),
    ]
    (judge,) = config["judges"]
    assert (judge["model"], judge["baseline_model"], judge["share"]) == ("large", "own", 0.02)
    assert judge["budgets"] == ["task:judge:wins per day"]
    assert judge["typical_answer_usd"] == pytest.approx(2 * (1_300 * 2.5 + 10 * 10) / 1e6)


def test_where_nobody_grades(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["config", "check", str(file)])
    assert "nobody grades: quality comes from feedback alone" in squeezed(capsys.readouterr().out)


def test_warnings_stand_on_a_line_each(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["config", "check", str(file)])
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    remedy = "export it before the router starts, which needs it"
    assert warnings == [f"warning: provider 'far': environment variable FAR_2 is not set; {remedy}"]


def test_what_is_wrong_is_on_standard_error_and_the_exit_is_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE.replace("2.5", "-2.5").replace("[hedge]", "[hegde]"))
    assert run(["config", "check", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f'{file}:16: [[models]] "large".input_usd_per_mtok: expected at least 0, got -2.5',
        f"{file}:{FILE.splitlines().index('[hedge]') + 1}: hegde: unknown key; did you mean 'hedge'?",
    ]


def as_json(file: Path, capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    assert run(["config", "check", str(file), "--json"]) == code
    return orjson.loads(capsys.readouterr().out)


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = as_json(file, capsys, 0)
    assert (document["file"], document["usable"], document["errors"]) == (str(file), True, [])
    assert [(each["check"], each["place"]) for each in document["warnings"]] == [("key", "provider 'far'")]
    config = document["config"]
    assert config["providers"][0]["keys"] == [{"variable": "FAR_1", "set": True}, {"variable": "FAR_2", "set": False}]
    assert config["models"][0]["input_usd_per_mtok"] == 2.5
    assert config["models"][0]["typical_request_usd"] == pytest.approx(0.00425)
    assert config["budgets"] == [
        {"name": "global per request", "scope": "global", "usd_per_request": 0.0005},
        {"name": "tenant:acme per day", "scope": "tenant:acme", "usd": 20.0, "per": "day", "on_exhausted": "reject"},
    ]
    assert config["store"]["retention_s"] == 7 * 86400
    assert config["hedge"]["share"] == 0.02
    assert config["routing"]["explore"]["sampled"] == 0.5


def test_json_of_a_file_that_cannot_be_used(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE.replace("2.5", "-2.5"))
    document = as_json(file, capsys, 2)
    assert (document["usable"], document["config"]) == (False, None)
    assert document["errors"] == [
        {
            "line": 16,
            "key": '[[models]] "large".input_usd_per_mtok',
            "problem": "expected at least 0, got -2.5",
            "remedy": "",
        }
    ]


def test_figures_are_never_cut_in_80_columns(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "a-model-with-a-name-that-goes-on-for-ever-and-ever"
    file.write_text(FILE.replace('"large"', f'"{name}"'))
    assert run(["config", "check", str(file)]) == 0
    out = capsys.readouterr().out
    assert all(len(line.rstrip()) <= 80 for line in out.splitlines() if not line.startswith(("warning", str(file))))
    assert "$10.00" in out
    assert "…" not in out
