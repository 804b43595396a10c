"""A shadow by outcomes: where the router drew, its log speaks; where it did not, forecasts do, and say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.evaluation.beside import Beside, Expected
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.shadow_measured import measured

MODELS = ("large", "small")
QUALITY = np.array([0.9, 0.6])
COST_USD = np.array([1e-3, 1e-4])
WRONG = {"large": Expected(0.5, 0.02, 1e-3), "small": Expected(0.7, 0.02, 1e-4)}  # what the beliefs say: not so


def a_log(rows: int, shadow: tuple[float, float], *, drawn: bool = True, judged: bool = True) -> LogTable:
    """The router draws either model with the same chance; the shadow would with its own."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(2, size=rows)
    quality = (rng.random(rows) < QUALITY[chosen]).astype(float) if judged else np.full(rows, np.nan)
    zeros = np.zeros(rows, dtype=np.int64)
    return LogTable(
        name="log",
        ids=tuple(map(str, range(rows))),
        models=MODELS,
        tasks=("qa",),
        policies=("thompson-1",),
        policy_of=zeros,
        task_of=zeros,
        at=np.arange(rows, dtype=float),
        input_tokens=np.full(rows, 50.0),
        output_tokens=np.full(rows, 50.0),
        features=np.empty((rows, 0)),
        eligible=np.ones((rows, 2), dtype=bool),
        chosen=chosen,
        served=chosen,
        propensity=np.full(rows, 0.5 if drawn else np.nan),
        propensities=np.full((rows, 2), 0.5 if drawn else np.nan),
        quality=quality,
        cost_usd=COST_USD[chosen],
        latency_s=np.ones(rows),
        shadows={"rival": np.tile(shadow, (rows, 1))},
    )


def besides(log: LogTable) -> list[Beside]:
    p = dict(zip(MODELS, log.shadows["rival"][0].tolist(), strict=True))
    return [Beside("rival", MODELS[arm], bool(log.drawn[0]), p, WRONG) for arm in log.chosen]


def test_outcomes_overrule_wrong_forecasts() -> None:
    """In truth always calling small loses .15 of quality; the beliefs expect a gain of .1."""
    log = a_log(2000, (0.0, 1.0))
    found = measured(log, besides(log), number=300)
    assert found is not None
    assert (found.basis, found.safe, found.drawn) == ("weights", False, 2000)
    assert found.quality_gain.ci95.low < -0.15 < found.quality_gain.ci95.high
    assert found.saved_usd.mean == pytest.approx(4.5e-4, rel=0.1)
    assert "By the outcomes of 2,000 decisions" in found.verdict
    assert found.win_rate == pytest.approx((log.chosen[-1000:] == 0).mean())  # the rates stay forecasts


def test_decisions_that_it_did_not_see_are_left_out() -> None:
    log = a_log(1200, (0.5, 0.5))
    p = log.shadows["rival"].copy()
    p[600:] = np.nan
    half = replace(log, shadows={"rival": p})
    found = measured(half, besides(log)[:600], number=100)
    assert found is not None
    assert "By the outcomes of 600 decisions" in found.verdict


def test_where_most_callers_name_the_model_outcomes_speak_of_the_others_alone() -> None:
    log = a_log(1000, (0.0, 1.0))
    named = log.propensity.copy()
    named[:700] = np.nan
    found = measured(replace(log, propensity=named), besides(log), number=100)
    assert found is not None
    assert (found.basis, found.quality_gain.mean > 0) == ("forecasts", True)
    assert (
        "By the outcomes of the 300 that were left to chance, against what was drawn there: quality -0."
        in found.verdict
    )


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (a_log(300, (0.0, 1.0), drawn=False), "The router drew nothing by chance"),
        (a_log(300, (0.0, 1.0), judged=False), "Nobody judged an answer"),
        (a_log(120, (0.0, 1.0)), "By outcomes: No verdict yet"),
        (replace(a_log(300, (0.0, 1.0)), shadows={}), "The router drew nothing by chance"),
    ],
)
def test_where_outcomes_say_too_little_forecasts_speak_and_say_why(log: LogTable, says: str) -> None:
    of = log if log.shadows else a_log(300, (0.0, 1.0))
    found = measured(log, besides(of), number=50)
    assert found is not None
    assert found.basis == "forecasts"
    assert "By forecasts, not by outcomes of its own choices." in found.verdict
    assert says in found.verdict


def test_no_decision_is_no_comparison() -> None:
    assert measured(a_log(10, (0.0, 1.0)), []) is None
