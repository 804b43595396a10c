"""The partitions of the log: one a day of the instants at which decisions were made."""

from __future__ import annotations

from datetime import date, timedelta

KEPT = date(1970, 1, 1)
"""Stands for rows that outlived their day, and for instants of before 1970."""

_DAY_S = 86_400.0
_AHEAD = 2
_LAST = (date.max - KEPT).days - _AHEAD - 1


def day_of(at: float) -> date:
    """The day (UTC) of an instant."""
    days = int(min(at // _DAY_S, float(_LAST)))
    return KEPT + timedelta(days=days) if days > 0 else KEPT


def start_of(day: date) -> float:
    """The instant at which a day begins."""
    return (day - KEPT).days * _DAY_S


def suffix_of(day: date) -> str:
    """How the tables of a day's partitions are named, after the name of the whole."""
    return f"_{day:%Y%m%d}"


def days_ahead(day: date) -> list[date]:
    """The days that follow a day, for which partitions are made before they come."""
    return [day + timedelta(days=ahead) for ahead in range(1, _AHEAD + 1)]
