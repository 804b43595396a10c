"""What `banditroute tune` prints of a result made by hand: what to do first, nothing cut, nothing wider than asked."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import orjson
import pytest

from banditroute.cli import tuning_json, tuning_view
from banditroute.evaluation.results import Interval
from banditroute.simulation.results import Frontier
from banditroute.tuning.results import FrontierPoint, Recommendation, TargetBudget, TaskSplit, Traffic, Tuning

MODELS: tuple[str, ...] = ("a-model-with-a-rather-long-name-2512", "small")


def a_point(budget_usd: float, quality: float) -> FrontierPoint:
    ends = Interval(quality - 0.01, quality + 0.01)
    share = dict(zip(MODELS, (0.75, 0.25), strict=True))
    return FrontierPoint(budget_usd, quality, ends, 0.99 * budget_usd, 1.012, 20.0, share)


POINTS = (a_point(2.84e-5, 0.8), a_point(0.0004123456, 0.92), a_point(0.01, 0.94))
TASKS = (
    TaskSplit("multiple_choice_questions", 0.6, 0.2, 0.0001, 0.95, {MODELS[0]: 0.1, MODELS[1]: 0.9}),
    TaskSplit("code", 0.4, 0.8, 0.0008, 0.88, {MODELS[0]: 1.0, MODELS[1]: 0.0}),
)
TARGET = TargetBudget(0.92, 0.00041, Interval(0.0003, math.inf), None, 0.9, 0.94)


def a_tuning(kind: str = "table") -> Tuning:
    curve = Frontier(np.array([0.001, 0.01]), np.array([0.8, 0.93]))
    sentences = ("$0.00041 per request buys a quality of 0.920.", "No budget reaches it with 90% confidence.")
    config = "[[budgets]]\nusd_per_request = 0.000410\n"
    return Tuning(
        source="traffic\x1b[31m",
        kind=kind,
        warmup="before" if kind == "table" else None,
        requests=1785,
        models=MODELS,
        seeds=20 if kind == "table" else 0,
        frontier=POINTS,
        envelope=curve if kind == "table" else None,
        oracle=curve if kind == "table" else None,
        targets=(),
        recommendations=(Recommendation("quality of 0.92", POINTS[1], 149.0, sentences, config, TASKS, TARGET),),
        traffic=(Traffic(500.0, (1.0, 2.0, 3000.0)), Traffic(1000.0, (2.0, 4.0, 6000.0))),
        seconds=41.3,
        notes=("No budget reaches a quality of 0.99 here.",),
    )


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    tuning_view.print_tuning(a_tuning(), Path("page.html"))
    return capsys.readouterr().out


def test_what_to_do_comes_first(printed: str) -> None:
    parts = (
        "1,785 requests, 20 orders, after before, 3 budgets tried",
        "For a quality of 0.92",
        "$0.00041 per request buys",
        "usd_per_request = 0.000410",
        "What each budget buys",
        "Where the dollars go, for a quality of 0.92",
        "Dollars a month",
        "note: No budget reaches",
        "report: page.html",
    )
    places = [printed.index(part) for part in parts]
    assert places == sorted(places)


def test_no_line_is_wider_than_80_columns_and_no_name_is_cut(printed: str) -> None:
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    letters = "".join(printed.split())
    assert all(model in letters for model in MODELS)


def test_the_budget_that_answers_is_marked(printed: str) -> None:
    table = printed.split("What each budget buys")[1].split("Where the dollars go")[0]
    (marked,) = (line for line in table.splitlines() if line.startswith(">"))
    assert marked.split() == [">", "$0.000412", ".920", ".910", "to", ".930", "$0.000408", "101.2%", "2.00"]


def test_dollars_a_month_are_those_of_the_answer_and_of_the_ends(printed: str) -> None:
    table = printed.split("Dollars a month")[1].split("note:")[0]
    assert "$3,000" in table
    assert [line.split()[0] for line in table.splitlines()[2:] if line.strip()] == ["$0.0000284", ">", "$0.0100"]


def test_signs_that_move_a_terminal_are_not_printed(printed: str) -> None:
    assert "\x1b" not in printed


def test_the_config_lines_stand_as_they_are(printed: str) -> None:
    shown = [line.strip() for line in printed.splitlines()]
    at = shown.index("[[budgets]]")
    assert shown[at : at + 2] == ["[[budgets]]", "usd_per_request = 0.000410"]


def test_the_json_is_what_was_promised() -> None:
    document = orjson.loads(orjson.dumps(tuning_json.tuning_json(a_tuning())))
    assert list(document) == [
        "source",
        "kind",
        "warmup",
        "requests",
        "models",
        "seeds",
        "frontier",
        "envelope",
        "oracle",
        "targets",
        "recommendations",
        "traffic",
        "seconds",
        "notes",
    ]
    (answer,) = document["recommendations"]
    assert answer["target"]["ci90"] == [0.0003, None]  # no budget that was tried bounds it
    assert answer["target"]["confident_usd"] is None
    assert answer["point"] == document["frontier"][1]
    assert answer["tasks"][1]["dollars_share"] == 0.8
    assert document["envelope"] == {"cost_usd": [0.001, 0.01], "quality": [0.8, 0.93]}
    assert document["traffic"][1] == {"requests_per_day": 1000.0, "usd_per_month": [2.0, 4.0, 6000.0]}


def test_a_log_has_no_orders_and_no_frame(capsys: pytest.CaptureFixture[str]) -> None:
    document = tuning_json.tuning_json(a_tuning("log"))
    assert (document["envelope"], document["oracle"], document["seeds"]) == (None, None, 0)
    tuning_view.print_tuning(a_tuning("log"), None)
    title = capsys.readouterr().out.splitlines()[0]
    assert title.endswith("1,785 requests, 3 budgets tried")
