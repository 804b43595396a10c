"""What the figures of the demo count."""

from collections.abc import Callable
from math import isnan, nan
from typing import Any

import pytest

from banditroute.cli.live.rows import DemoRow
from banditroute.cli.live.tally import Result, Tally, TaskLine
from banditroute.errors import CoolingDownError
from banditroute.records import Answer

Rows = Callable[..., list[DemoRow]]
MakeAnswer = Callable[..., Answer]


@pytest.fixture
def tally(rows: Rows) -> Tally:
    return Tally(rows(4), budget_usd=0.002)


def serve(tally: Tally, answer: MakeAnswer, row: DemoRow, model: str, **details: Any) -> None:
    tally.add_answer(row, answer(row, model, **details), 0.25)


def test_before_the_first_answer_nothing_is_known(tally: Tally) -> None:
    assert (tally.best, tally.cheapest, tally.models) == ("large", "small", ("large", "small"))
    assert tally.routed == pytest.approx(Result(nan, 0.0), nan_ok=True)
    assert isnan(tally.usd_per_request)
    assert isnan(tally.overhead_s)
    assert tally.share("large") == 0.0
    assert tally.tasks() == []


def test_dollars_count_when_answered_and_quality_when_judged(tally: Tally, rows: Rows, answer: MakeAnswer) -> None:
    one, two, *_ = rows(4)
    serve(tally, answer, one, "small")
    serve(tally, answer, two, "large")
    tally.add_judgement(two, 0.9)
    assert tally.routed == pytest.approx(Result(0.9, 0.011))
    assert tally.alone("large") == pytest.approx(Result(0.9, 0.020))
    assert tally.alone("small") == pytest.approx(Result(0.5, 0.002))
    assert tally.usd_per_request == pytest.approx(0.0055)
    assert (tally.answered, tally.judged) == (2, 1)
    assert tally.share("small") == 0.5


def test_a_task_goes_where_most_of_its_latest_requests_went(tally: Tally, rows: Rows, answer: MakeAnswer) -> None:
    for row in rows(60):
        serve(tally, answer, row, "small")
    for row in rows(30):
        serve(tally, answer, row, "large")
        tally.add_judgement(row, 0.9)
    (other,) = rows(1, task="mbpp")
    serve(tally, answer, other, "small")
    gsm8k, mbpp = tally.tasks()
    assert gsm8k == pytest.approx(TaskLine("gsm8k", 90, "large", 0.9))
    assert mbpp[:3] == ("mbpp", 1, "small")


def test_what_the_router_adds_is_the_wait_beside_the_call(tally: Tally, rows: Rows, answer: MakeAnswer) -> None:
    row = rows(1)[0]
    serve(tally, answer, row, "small", attempts=(0.2,))
    serve(tally, answer, row, "small", attempts=(0.1, 0.1))  # a second attempt waits; that is no overhead
    assert tally.overhead_s == pytest.approx(0.05)


def test_fallbacks_failures_and_the_latest_price(tally: Tally, rows: Rows, answer: MakeAnswer) -> None:
    row = rows(1)[0]
    serve(tally, answer, row, "small", chosen="large", shadow_prices={"demo": 0.25})
    tally.add_failure(CoolingDownError({"small": "down"}))
    assert (tally.fallbacks, tally.failed, tally.shadow_price) == (1, 1, 0.25)
    assert dict(tally.failures) == {"CoolingDownError": 1}
