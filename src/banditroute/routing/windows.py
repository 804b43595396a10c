"""Days and months of UTC as the stretches of time that caps run over; the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from .budgets import Per

_DAY_S = 86_400
_UNITS: Mapping[Per, Literal["D", "M"]] = {"day": "D", "month": "M"}


class Period(NamedTuple):
    """One day or month.

    Attributes:
        name: as 2026-11-25 or 2026-11, so that names sort as the periods follow each other.
        ends_at: its end, which is the next one's first instant; seconds since the epoch.
    """

    name: str
    ends_at: float

    @property
    def starts_at(self) -> float:
        """Its first instant; seconds since the epoch."""
        return float(np.datetime64(self.name, "s").astype(np.int64))


def period_at(per: Per, at: float) -> Period:
    """The period that an instant falls in, at being seconds since the epoch."""
    return _period(np.datetime64(int(at // _DAY_S), "D").astype(f"datetime64[{_UNITS[per]}]"))


def period_named(per: Per, name: str) -> Period | None:
    """The period of that name; None where it is no name of such a period, as after a cap's period was changed."""
    try:
        start = np.datetime64(name, _UNITS[per])
    except (ValueError, TypeError):
        return None
    return _period(start) if str(start) == name and not np.isnat(start) else None


def _period(start: np.datetime64) -> Period:
    days = (start + 1).astype("datetime64[D]").astype(np.int64)
    return Period(str(start), float(days * _DAY_S))
