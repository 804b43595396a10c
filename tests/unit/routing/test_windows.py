from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.routing.windows import period_at, period_named

INSTANTS = st.integers(0, 4_102_444_799)  # 1970 to 2099


def epoch(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[arg-type]


@given(INSTANTS)
def test_periods_are_those_of_the_calendar(at: int) -> None:
    when = datetime.fromtimestamp(at, UTC)
    assert period_at("day", at).name == when.strftime("%Y-%m-%d")
    assert period_at("month", at).name == when.strftime("%Y-%m")


@given(INSTANTS, st.sampled_from(["day", "month"]))
def test_a_period_ends_where_the_next_one_begins(at: int, per: str) -> None:
    period = period_at(per, at)  # type: ignore[arg-type]
    assert period_at(per, period.ends_at - 1e-3) == period  # type: ignore[arg-type]
    assert period_at(per, period.ends_at).name > period.name  # type: ignore[arg-type]
    assert period_named(per, period.name) == period  # type: ignore[arg-type]


def test_boundaries_are_exact() -> None:
    midnight = epoch(2027, 1, 1)
    assert period_at("day", midnight - 1e-6) == ("2026-12-31", midnight)
    assert period_at("day", midnight).name == "2027-01-01"
    assert period_at("month", midnight - 1e-6) == ("2026-12", midnight)
    assert period_at("month", epoch(2028, 2, 29)).ends_at == epoch(2028, 3, 1)


@pytest.mark.parametrize(
    ("per", "name"), [("day", "2026-11"), ("month", "2026-11-25"), ("day", "2026-02-30"), ("day", "")]
)
def test_other_names_are_no_periods(per: str, name: str) -> None:
    assert period_named(per, name) is None  # type: ignore[arg-type]
