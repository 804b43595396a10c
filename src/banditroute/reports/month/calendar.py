"""The month that is asked for, and its weeks, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from banditroute.errors import InputError
from banditroute.routing.windows import Period, period_at, period_named

DAY_S = 86_400.0
_WEEK_S = 7 * DAY_S
_MONDAY_S = 4 * DAY_S  # the epoch was a Thursday
_NAME = re.compile(r"(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}")


class Week(NamedTuple):
    """The part of a calendar week, which begins on Mondays, that lies in a month; seconds since the epoch."""

    starts_at: float
    ends_at: float

    @property
    def name(self) -> str:
        """Its first and last day: 2 to 8 Nov."""
        first, last = (datetime.fromtimestamp(at, UTC) for at in (self.starts_at, self.ends_at - 1.0))
        return f"{last.day} {last:%b}" if first.day == last.day else f"{first.day} to {last.day} {last:%b}"

    @property
    def whole(self) -> bool:
        """Whether all seven days are in the month."""
        return self.ends_at - self.starts_at == _WEEK_S


def month_of(text: str, now: float) -> Period:
    """The month of that name: 2026-11, `this` or `last`.

    Raises:
        InputError: it is no month, or has not begun.
    """
    this = period_at("month", now)
    if text in ("this", "last"):
        return this if text == "this" else before(this)
    found = period_named("month", text) if _NAME.fullmatch(text) else None
    if found is None:
        remedy = f"write {this.name}, this or last"
        raise InputError(f"{text!r} is not a month", remedy=remedy, field="--month")
    if found.starts_at > now:
        raise InputError(f"{text} has not begun", remedy=f"this month is {this.name}, UTC", field="--month")
    return found


def before(month: Period) -> Period:
    """The month before it."""
    return period_at("month", month.starts_at - 1.0)


def title_of(month: Period) -> str:
    """As people write it: November 2026."""
    return f"{datetime.fromtimestamp(month.starts_at, UTC):%B %Y}"


def days_of(month: Period) -> int:
    """How many days it has."""
    return round((month.ends_at - month.starts_at) / DAY_S)


def weeks_of(month: Period) -> tuple[Week, ...]:
    """Its weeks, of which the first and the last may be a part."""
    edges = [month.starts_at]
    monday = (month.starts_at - _MONDAY_S) // _WEEK_S * _WEEK_S + _MONDAY_S + _WEEK_S
    while monday < month.ends_at:
        edges.append(monday)
        monday += _WEEK_S
    return tuple(Week(*ends) for ends in zip(edges, [*edges[1:], month.ends_at], strict=True))
