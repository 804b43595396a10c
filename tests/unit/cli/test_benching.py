import json
import math
from pathlib import Path

import pytest

from banditroute.benching.estimating import CostEstimate, ModelEstimate
from banditroute.benching.results import BenchResult, BenchRow, Difference, Estimate
from banditroute.benching.worst import NOTHING
from banditroute.cli.app import run
from banditroute.cli.benching_json import estimate_text, result_text
from banditroute.cli.benching_progress import spending_bar
from banditroute.cli.benching_view import print_estimate, print_result

UNKNOWN = Estimate(0.5, math.nan, math.nan)
ESTIMATE = CostEstimate((ModelEstimate("a", 3, 1, 900, 500.0, False, 0.001, 0.002, math.inf),), NOTHING, 0.25)


def row(model: str, task: str = "", *, graded: int = 3) -> BenchRow:
    quality = Estimate(0.8123, 0.7, 0.9) if graded else None
    return BenchRow(
        model,
        task,
        4,
        4,
        3,
        graded,
        quality,
        UNKNOWN,
        0.01,
        UNKNOWN,
        Estimate(2.0, 1.5, math.nan),
        {"RejectedError": 1},
    )


def result(*, graded: int = 3) -> BenchResult:
    quality = Difference("quality", "a", "b", "", 3, Estimate(0.1, -0.1, 0.3), 0.4, False, "no difference shown")
    return BenchResult(
        name="p",
        prompts=4,
        repeats=1,
        models=("a", "b"),
        tasks=("qa",),
        rows=tuple(row(model, task, graded=graded) for task in ("", "qa") for model in "ab"),
        differences=(quality,),
        spent_usd=0.03,
        judging_usd=0.01,
        planned=8,
        done=8,
    )


def test_the_json_has_null_for_what_is_not_known() -> None:
    found = json.loads(result_text(result(), ESTIMATE))
    first = found["rows"][0]
    assert first["task"] is None
    assert first["quality"] == {"value": 0.8123, "ci95": [0.7, 0.9]}
    assert first["cost_usd"] == {"value": 0.5, "ci95": [None, None]}
    assert first["latency_p95_s"]["ci95"] == [1.5, None]
    assert found["rows"][2]["task"] == "qa"
    assert found["differences"][0]["difference"]["ci95"] == [-0.1, 0.3]
    assert found["complete"]
    assert json.loads(estimate_text(ESTIMATE))["estimate"] == found["estimate"]
    assert found["estimate"]["most_usd"] is None
    assert found["estimate"]["models"][0]["unfit"] == 1


def test_what_is_not_known_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(result(), Path("t.jsonl"))
    out = capsys.readouterr().out
    assert ".812" in out
    assert "1.5–?" in out
    assert "1/4" in out
    assert "a failed: 1 RejectedError" in out
    assert "spent: $0.030 in all; a $0.010, b $0.010 and judging $0.010" in out
    assert out.count("quality") == 1  # one class is all prompts: it is not told twice


def test_without_any_quality_no_table_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(result(graded=0), Path("t.jsonl"))
    out = capsys.readouterr().out
    assert "t.jsonl" not in out
    assert "a: 3 answers have no quality" in out


def test_an_estimate_names_what_has_no_limit_and_what_cannot_be_served(capsys: pytest.CaptureFixture[str]) -> None:
    print_estimate(ESTIMATE)
    out = capsys.readouterr().out
    assert "no limit" in out
    assert "1,500?" in out
    assert "a may not serve 1 of the prompts" in out
    assert "spent already, by earlier runs: $0.25" in out


def test_no_bar_where_nobody_looks() -> None:
    with spending_bar("x", None) as progress:
        assert progress is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--max-usd", "0"], "--max-usd: 0 is no limit; give dollars above 0"),
        (["--max-usd", "nan"], "--max-usd: nan is no limit"),
        ([], "missing.toml: cannot be read"),
        (["--repeat", "0"], "--repeat"),
    ],
)
def test_bad_options_are_refused_in_one_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "p.jsonl", "--config", "missing.toml", *options]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
