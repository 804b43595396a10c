"""A month of a router's store: all that its report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.month.budgets import CapMonth, PaceMonth
from banditroute.reports.month.calendar import Week
from banditroute.reports.month.comparing import Comparison
from banditroute.reports.month.sums import Sums
from banditroute.reports.store.sources import SourceView
from banditroute.reports.store.timeline import Moment
from banditroute.routing.windows import Period


@dataclass(frozen=True, slots=True)
class WeekSums:
    """One week of the month, and what its decisions amount to."""

    week: Week
    sums: Sums


@dataclass(frozen=True, slots=True)
class Traffic:
    """The decisions of a month, summed up: each of them is once in each of these partitions.

    Attributes:
        total: all of them.
        tenants, tasks, models: by tenant (empty = the caller named none), by task class, by model. Of models, each
            failed call's dollars are those of the model that was called; requests are those of the model that answered,
            or that was chosen where none did.
        days_usd: (D,) dollars of each day; weeks: in order.
        sources: who judged.
        first_at, last_at: instants of the first and the last decision, seconds since the epoch; None where there is
            none.
    """

    total: Sums
    tenants: Mapping[str, Sums]
    tasks: Mapping[str, Sums]
    models: Mapping[str, Sums]
    days_usd: NDArray[np.float64]
    weeks: tuple[WeekSums, ...]
    sources: tuple[SourceView, ...]
    first_at: float | None
    last_at: float | None


@dataclass(frozen=True, slots=True)
class Month:
    """All of it.

    Attributes:
        store: the store's name.
        period: which month; at: when it was read, seconds since the epoch.
        traffic: its decisions.
        caps, paces: against what is configured now.
        comparison: what other policies would have spent and got; None = none was asked for, or nothing was answered.
        moments: what happened, oldest first; moments_cut: the store keeps no more, so that earlier ones may be missing.
        kept_since: decisions from before it are on record no more, seconds since the epoch; None = all are.
    """

    store: str
    period: Period
    at: float
    traffic: Traffic
    caps: tuple[CapMonth, ...]
    paces: tuple[PaceMonth, ...]
    comparison: Comparison | None
    moments: tuple[Moment, ...]
    moments_cut: bool
    kept_since: float | None

    @property
    def is_over(self) -> bool:
        """Whether the month had ended when it was read."""
        return self.at >= self.period.ends_at

    @property
    def is_empty(self) -> bool:
        """Whether there is no decision on record of it."""
        return not (self.traffic.total.requests or self.traffic.total.judge_calls)

    @property
    def gone_before(self) -> float | None:
        """Until when decisions of the month are gone, seconds since the epoch; None where none need be."""
        since = self.kept_since
        return since if since is not None and since > self.period.starts_at else None
