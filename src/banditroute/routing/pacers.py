"""The paced budgets side by side: what each asks of dollars for a request that it covers; their penalties add."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.pacer import Pacer
from banditroute.learning.pacing import Pace
from banditroute.learning.policy import PolicySettings

from .budgets import PacedBudget
from .saved import SavedPrice
from .tasks import is_judging

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PaceRecord:
    """Where a paced budget's controller stands: the fields of `learning.pacing.Pace`, and how many requests it saw."""

    budget: str
    log_price: float
    spend: float
    anchor: float
    level: float
    requests: int


@dataclass(frozen=True, slots=True)
class Paced:
    """One budget at work."""

    budget: PacedBudget
    pacer: Pacer

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn now."""
        return float(self.pacer.shadow_price)

    @property
    def usd_price(self) -> float:
        """Quality points that one dollar must earn now."""
        return self.shadow_price / self.budget.usd_per_request

    def record(self) -> PaceRecord:
        """Where it stands."""
        log_price, spend, anchor, level = (float(value) for value in self.pacer.pace)
        return PaceRecord(self.budget.name, log_price, spend, anchor, level, self.pacer.paid)


class Pacers:
    """Every paced budget, each with its pacer.

    Args:
        budgets: names unique.
        settings: constants of the pacing.

    Raises:
        InputError: two budgets have one name.
    """

    def __init__(self, budgets: Sequence[PacedBudget], settings: PolicySettings) -> None:
        self._all = {
            budget.name: Paced(budget, Pacer(budget.usd_per_request, settings.pacing, settings.resolve_at))
            for budget in budgets
        }
        if len(self._all) < len(budgets):
            raise InputError("two budgets have one name", remedy="name each its own", field="budgets")
        self._everywhere = tuple(paced for paced in self._all.values() if paced.budget.scope.kind == "global")
        self._somewhere = tuple(paced for paced in self._all.values() if paced.budget.scope.kind != "global")

    def covering(self, tenant: str, task: str) -> tuple[Paced, ...]:
        """Those that cover a request; none covers a judge's call."""
        if is_judging(task):  # no traffic: as one more request it would raise what the others may cost
            return ()
        if not self._somewhere:
            return self._everywhere
        return (*self._everywhere, *(paced for paced in self._somewhere if paced.budget.scope.covers(tenant, task)))

    def shadow_prices(self) -> dict[str, float]:
        """The shadow price of each, by name."""
        return {name: paced.shadow_price for name, paced in self._all.items()}

    def records(self) -> tuple[PaceRecord, ...]:
        """Where each stands."""
        return tuple(paced.record() for paced in self._all.values())

    def begin_with(self, prices: Mapping[str, SavedPrice]) -> None:
        """Starts each budget at its price; one that is set to other dollars by now starts as if there were none."""
        for name, price in prices.items():
            paced = self._all.get(name)
            if paced is not None and math.isclose(paced.budget.usd_per_request, price.usd_per_request):
                log_price = np.asarray(price.log_price)
                paced.pacer.resume(paced.pacer.pace._replace(log_price=log_price, anchor=log_price), 0)

    def restore(self, records: Iterable[PaceRecord]) -> None:
        """Goes on from where each stood; budgets that no longer exist are passed over."""
        for record in records:
            paced = self._all.get(record.budget)
            if paced is not None:
                pace = Pace(*(np.asarray(v) for v in (record.log_price, record.spend, record.anchor, record.level)))
                paced.pacer.resume(pace, record.requests)


def prices(covering: Sequence[Paced]) -> Mapping[str, float]:
    """The shadow price of each budget by its name."""
    return {paced.budget.name: paced.shadow_price for paced in covering}


def usd_price(covering: Sequence[Paced]) -> float:
    """Quality points that one dollar must earn: the sum over budgets of shadow price / budget."""
    return sum(paced.usd_price for paced in covering)


def tightest_usd(covering: Sequence[Paced]) -> float:
    """The least of the budgets, in dollars per request; infinite where there is none."""
    return min((paced.budget.usd_per_request for paced in covering), default=math.inf)


def remember(covering: Sequence[Paced], worth: Floats, cost_usd: Floats, eligible: Bools) -> None:
    """Keeps a context for pacers that may yet be solved anew, the other budgets' penalties left in its worth (K,)."""
    for paced in covering:
        if paced.pacer.remembers:
            mine = paced.usd_price * cost_usd
            paced.pacer.remember(worth + mine, paced.pacer.share(cost_usd), eligible)
