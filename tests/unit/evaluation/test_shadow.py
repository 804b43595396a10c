"""A shadow by forecasts: shares and changes worked by hand, intervals that own up to what the beliefs do not know."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.evaluation.beside import Beside, Expected, beside_of, beside_of_row
from banditroute.evaluation.results import Interval
from banditroute.evaluation.shadow import Change, by_shadow, compared, in_words, judged
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import a_dispatch, a_settlement

SURE = {"small": Expected(0.6, 0.0, 1e-4), "large": Expected(0.8, 0.0, 1e-3), "twin": Expected(0.8, 0.0, 2e-3)}


def beside(chosen: str, *, expected: dict[str, Expected] = SURE, **propensities: float) -> Beside:
    return Beside("shadow", chosen, False, propensities, expected)


def test_shares_and_changes_by_hand() -> None:
    found = compared([beside("large", small=0.5, large=0.5), beside("small", large=0.25, twin=0.75)])
    assert found is not None
    assert (found.decisions, found.drawn, found.basis) == (2, 0, "forecasts")
    assert found.agreement == pytest.approx((0.5 + 0.0) / 2)
    assert found.win_rate == pytest.approx((0.0 + 1.0) / 2)
    assert found.tie_rate == pytest.approx((0.5 + 0.0) / 2)
    assert found.cheaper_rate == pytest.approx((0.5 + 0.0) / 2)
    assert found.quality_gain.mean == pytest.approx((-0.1 + 0.2) / 2)
    assert found.saved_usd.mean == pytest.approx((0.5 * 9e-4 + (1e-4 - 0.25e-3 - 1.5e-3)) / 2)


def test_a_model_as_good_is_a_tie() -> None:
    found = compared([beside("large", twin=1.0)])
    assert found is not None
    assert (found.agreement, found.tie_rate, found.win_rate, found.quality_gain.mean) == (0.0, 1.0, 0.0, 0.0)


def test_what_was_believed_at_first_is_forgotten() -> None:
    unsure = {"a": Expected(0.5, 0.4, 1e-3), "b": Expected(0.4, 0.4, 1e-4)}
    found = compared([beside("a", b=1.0, expected=unsure)] * 5000 + [beside("large", small=1.0)] * 1000)
    assert found is not None
    assert (found.decisions, found.agreement) == (6000, 0.0)
    assert found.quality_gain.ci95 == pytest.approx((-0.2, -0.2))


def test_numbers_that_round_to_nothing_have_no_sign() -> None:
    words = in_words(Change(-1e-9, Interval(-0.0004, 0.0004)), Change(1e-6, Interval(-3.5e-6, 5.5e-6)))
    assert words == "quality +0.000 (+0.000 to +0.000), $1e-06 saved per request (-$3.5e-06 to $5.5e-06)"


def test_no_decision_is_no_comparison() -> None:
    assert compared([]) is None


def test_the_interval_holds_the_spread_of_the_traffic() -> None:
    gains = np.random.default_rng(1).normal(0.05, 0.1, 400)
    rows = [beside("a", b=1.0, expected={"a": Expected(0, 0, 0), "b": Expected(g, 0, 0)}) for g in gains]
    found = compared(rows)
    assert found is not None
    half = 1.959964 * gains.std(ddof=1) / 20
    assert found.quality_gain.ci95 == pytest.approx((gains.mean() - half, gains.mean() + half))


def test_what_the_beliefs_do_not_know_no_number_of_decisions_makes_up_for() -> None:
    unsure = {"a": Expected(0.7, 0.03, 1e-3), "b": Expected(0.7, 0.4, 1e-4)}
    found = compared([beside("a", b=1.0, expected=unsure)] * 10_000)
    assert found is not None
    half = (found.quality_gain.ci95.high - found.quality_gain.ci95.low) / 2
    assert half == pytest.approx(1.959964 * math.hypot(0.03, 0.4))
    assert found.safe is None
    assert "Not shown to be safe, for it may be worse by more than 0.01" in found.verdict
    assert "not by outcomes of its own choices" in found.verdict


def test_the_same_choice_is_as_uncertain_as_nothing() -> None:
    unsure = {"a": Expected(0.7, 0.4, 1e-3)}
    found = compared([beside("a", a=1.0, expected=unsure)] * 200)
    assert found is not None
    assert found.quality_gain == Change(0.0, Interval(0.0, 0.0))
    assert found.safe is True


@pytest.mark.parametrize(
    ("decisions", "quality", "saved", "safe", "says"),
    [
        (99.9, (0.1, 0.2), (1e-4, 2e-4), None, "No verdict yet: 99 decisions, and 100 are needed"),
        (100, (-0.009, 0.02), (1e-4, 2e-4), True, "Safe to turn on"),
        (100, (-0.011, 0.02), (1e-4, 2e-4), None, "Not shown to be safe"),
        (100, (-0.2, -0.011), (1e-4, 2e-4), False, "Not safe"),
        (100, (-0.005, 0.02), (-2e-4, -1e-4), False, "Not worth turning on"),
        (100, (0.001, 0.02), (-2e-4, -1e-4), True, "Safe to turn on"),
        (100, (math.nan, math.nan), (1e-4, 2e-4), None, "Not shown to be safe"),
    ],
)
def test_verdicts(
    decisions: float, quality: tuple[float, float], saved: tuple[float, float], safe: bool | None, says: str
) -> None:
    changes = [Change(sum(ends) / 2, Interval(*ends)) for ends in (quality, saved)]
    found, words = judged(decisions, *changes, margin=0.01)
    assert (found, says in words) == (safe, True), words


def test_dollars_are_said_as_saved_or_as_more() -> None:
    quality = Change(0.1, Interval(0.05, 0.15))
    assert (
        "$0.0002 saved per request ($0.0001 to $0.0003)"
        in judged(100, quality, Change(2e-4, Interval(1e-4, 3e-4)), 0.01)[1]
    )
    assert (
        "$0.0002 more per request ($0.0001 to $0.0003)"
        in judged(100, quality, Change(-2e-4, Interval(-3e-4, -1e-4)), 0.01)[1]
    )


def test_records_and_rows_of_the_log_say_the_same() -> None:
    dispatch = a_dispatch(1)
    row = log_row(Trail(dispatch, a_settlement(dispatch).outcome))
    assert row is not None
    assert beside_of(dispatch.decision) == beside_of_row(row)
    assert beside_of(a_dispatch(2).decision) is None
    assert beside_of_row({"chosen": "small"}) is None
    assert beside_of_row({"chosen": "a", "shadow": {"policy": "rival", "propensities": {"a": 1.0}}}) is None
    pinned = replace(dispatch.decision, pinned=True)
    found, logged = (
        beside_of(pinned),
        log_row(Trail(replace(dispatch, decision=pinned), a_settlement(dispatch).outcome)),
    )
    assert found is not None
    assert logged is not None
    assert found == beside_of_row(logged)
    assert not found.drawn


@pytest.mark.parametrize(
    "shadow",
    [
        "rival",
        {"policy": "rival", "expected": {}},
        {"policy": "rival", "propensities": {"a": 1.0}, "expected": {}},
        {"policy": "rival", "propensities": {"a": None}, "expected": {"a": {}}},
    ],
)
def test_a_shadow_that_is_none_is_refused(shadow: object) -> None:
    with pytest.raises(InputError, match="shadow"):
        beside_of_row({"chosen": "a", "shadow": shadow})


def test_shadows_are_told_apart_by_name() -> None:
    mine, other = beside("a", a=1.0), replace(beside("a", a=1.0), shadow="other")
    assert by_shadow([mine, other, mine]) == {"shadow": [mine, mine], "other": [other]}
