"""What was spent in a month against caps and paced budgets: by the store's own books, and by the rows on record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from banditroute.config import RouterConfig
from banditroute.reports.month.sums import Sums
from banditroute.routing.accounts import PICOS
from banditroute.routing.budgets import Cap, PacedBudget, Window
from banditroute.routing.windows import Period

_NOTICED_USD = 0.005  # half a cent


@dataclass(frozen=True, slots=True)
class CapMonth:
    """One cap in a month.

    Attributes:
        cap: as configured now.
        windows: dollars of its window, or of each of its days on which it spent, by their names, as the store has it.
        recorded_usd: dollars of the same windows by the rows on record.
    """

    cap: Cap
    windows: Mapping[str, float]
    recorded_usd: float

    @property
    def spent_usd(self) -> float:
        """Dollars of the month."""
        return math.fsum(self.windows.values())

    @property
    def gone_usd(self) -> float:
        """Dollars whose rows are gone, by their age or with their tenant; 0 for less than half a cent."""
        gone = self.spent_usd - self.recorded_usd
        return gone if abs(gone) >= _NOTICED_USD else 0.0

    @property
    def fullest(self) -> tuple[str, float]:
        """The window in which most was spent and how much of the cap that is; an empty name where nothing was."""
        name = max(self.windows, key=lambda each: self.windows[each], default="")
        return name, self.windows.get(name, 0.0) / self.cap.usd

    def windows_above(self, share: float) -> int:
        """In how many windows at least that share of the cap was spent."""
        return sum(usd >= share * self.cap.usd for usd in self.windows.values())


@dataclass(frozen=True, slots=True)
class PaceMonth:
    """One paced budget in a month: its requests that came to an end, judges' calls left out."""

    budget: PacedBudget
    sums: Sums

    @property
    def share(self) -> float:
        """Dollars per request over what the budget allows; nan where there were none."""
        return self.sums.usd_per_request / self.budget.usd_per_request


def caps_of(
    plan: RouterConfig, period: Period, spent_usd: Mapping[Window, float], charged: Mapping[Window, int]
) -> tuple[CapMonth, ...]:
    """Every cap of the configuration in the month."""
    caps = (budget for budget in plan.budgets if isinstance(budget, Cap))
    return tuple(_cap(each, period, spent_usd, charged) for each in caps)


def paces_of(plan: RouterConfig) -> tuple[PacedBudget, ...]:
    """Every paced budget of the configuration."""
    return tuple(budget for budget in plan.budgets if isinstance(budget, PacedBudget))


def _cap(cap: Cap, period: Period, spent_usd: Mapping[Window, float], charged: Mapping[Window, int]) -> CapMonth:
    mine = {window.period: usd for window, usd in spent_usd.items() if _is_of(window, cap, period)}
    recorded = sum(amount for window, amount in charged.items() if _is_of(window, cap, period))
    return CapMonth(cap, dict(sorted(mine.items())), recorded / PICOS)


def _is_of(window: Window, cap: Cap, period: Period) -> bool:
    """Whether it is the month's window of a monthly cap, or one of the month's days of a daily one."""
    if window.budget != cap.name:
        return False
    return window.period == period.name if cap.per == "month" else window.period.startswith(f"{period.name}-")


def gone_usd(caps: Iterable[CapMonth]) -> float:
    """Dollars of the month whose rows are gone, as far as a cap that covers all requests can tell."""
    return max((each.gone_usd for each in caps if each.cap.scope.kind == "global"), default=0.0)
