"""The paced budgets side by side: what each asks of dollars for a request that it covers; their penalties add.

A pace asks for a mean of dollars per request. A paced cap asks for its allowance: what is left of its window over the
requests that are still to come in it, worked out anew as requests come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.policy import PolicySettings
from banditroute.records import Forecast

from .budgets import Cap, PacedBudget
from .ledger import Ledger
from .paced import Paced, PaceRecord
from .paced_caps import CapOutlook, PacedCap
from .saved import SavedPrice
from .tasks import is_judging

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Pacers:
    """Every paced budget, each with its pacer.

    Args:
        budgets: names unique, among the caps too.
        settings: constants of the pacing.
        caps: those that are to be paced.

    Raises:
        InputError: two budgets have one name.
    """

    def __init__(self, budgets: Sequence[PacedBudget], settings: PolicySettings, caps: Sequence[Cap] = ()) -> None:
        paces = [Paced(budget.name, budget.scope, budget.usd_per_request, settings) for budget in budgets]
        self._caps = {cap.name: PacedCap(cap, settings) for cap in caps}
        self._all = {paced.name: paced for paced in (*paces, *self._caps.values())}
        if len(self._all) < len(budgets) + len(caps):
            raise InputError("two budgets have one name", remedy="name each its own", field="budgets")
        self._arriving = _Scoped(self._caps.values())
        self._at_work = _Scoped(paces)

    def arrived(self, tenant: str, task: str, now: float, ledger: Ledger) -> None:
        """Takes in that a request came: caps that cover it pace to what the ledger has left for those to come."""
        if not self._caps or is_judging(task):
            return
        for cap in self._arriving.covering(tenant, task):
            if cap.count(now):
                known = cap.known
                cap.look(ledger, now)
                if not known:
                    self._set_to_work()

    def outlooks(self, ledger: Ledger, now: float, *, look: bool = True) -> tuple[CapOutlook, ...]:
        """What every cap expects that a request has come to; unless told not to, it looks at its account first."""
        known = (cap for cap in self._caps.values() if cap.known)
        return tuple(cap.look(ledger, now) if look else cap.outlook(ledger, now) for cap in known)

    def covering(self, tenant: str, task: str) -> tuple[Paced, ...]:
        """Those that cover a request; none covers a judge's call."""
        if is_judging(task):  # no traffic: as one more request it would raise what the others may cost
            return ()
        return self._at_work.covering(tenant, task)

    def reprice(self, arm: int, factor: float, *, announced: bool) -> None:
        """Takes in that a model's dollars are a multiple of what they were; shadow prices are solved for it at once."""
        for paced in self._all.values():
            paced.pacer.reprice(arm, factor, announced=announced)

    def recall(self, before: Pacers, arms: Mapping[int, int], models: int) -> None:
        """Keeps the contexts that budgets of the same names keep; their models are at other places here, or gone."""
        for name, paced in self._all.items():
            if name in before._all:
                paced.pacer.recall(before._all[name].pacer, arms, models)

    def hear(self, name: str, requests: int, usd: float, now: float) -> None:
        """Takes in what other processes have served under a budget and what that cost; one that is not kept is none."""
        paced = self._all.get(name)
        if paced is not None:
            paced.hear(requests, usd, now)

    def shadow_prices(self) -> dict[str, float]:
        """The shadow price of each, by name."""
        return {name: paced.shadow_price for name, paced in self._known()}

    def records(self) -> tuple[PaceRecord, ...]:
        """Where each stands."""
        return tuple(paced.record() for _, paced in self._known())

    def begin_with(self, prices: Mapping[str, SavedPrice]) -> None:
        """Starts each budget at its price; one that is set to other dollars by now starts as if there were none."""
        for name, price in prices.items():
            paced = self._all.get(name)
            if paced is not None and math.isclose(paced.usd_per_request, price.usd_per_request):
                pace = paced.pacer.pace._replace(log_price=price.log_price, anchor=price.log_price)
                paced.pacer.resume(pace, 0)

    def restore(self, records: Iterable[PaceRecord]) -> None:
        """Goes on from where each stood; budgets that no longer exist are passed over."""
        for record in records:
            paced = self._all.get(record.budget)
            if paced is not None:
                paced.resume(record)
        self._set_to_work()

    def _set_to_work(self) -> None:
        self._at_work = _Scoped(paced for _, paced in self._known())

    def _known(self) -> list[tuple[str, Paced]]:
        """All but caps that no request has come to yet."""
        return [(name, paced) for name, paced in self._all.items() if name not in self._caps or self._caps[name].known]


_Each = TypeVar("_Each", bound=Paced)


class _Scoped(Generic[_Each]):
    """Budgets, found by the requests that they cover."""

    def __init__(self, paced: Iterable[_Each]) -> None:
        self._everywhere: tuple[_Each, ...] = ()
        self._somewhere: dict[tuple[str, str], tuple[_Each, ...]] = {}
        for each in paced:
            scope = each.scope
            if scope.kind == "global":
                self._everywhere += (each,)
            else:
                mine = self._somewhere.get((scope.kind, scope.name), ())
                self._somewhere[scope.kind, scope.name] = (*mine, each)

    def covering(self, tenant: str, task: str) -> tuple[_Each, ...]:
        """Those that cover a request."""
        if not self._somewhere:
            return self._everywhere
        find = self._somewhere.get
        return self._everywhere + find(("tenant", tenant), ()) + find(("task", task), ())


def prices(covering: Sequence[Paced]) -> Mapping[str, float]:
    """The shadow price of each budget by its name."""
    return {paced.name: paced.shadow_price for paced in covering}


def usd_price(covering: Sequence[Paced]) -> float:
    """Quality points that one dollar must earn: the sum over budgets of shadow price / budget."""
    return sum(paced.usd_price for paced in covering)


def offer(covering: Sequence[Paced], forecasts: Iterable[Forecast]) -> None:
    """Tells those that cover a request for how little it could have been answered, by the models that may serve it."""
    if covering:
        cheapest_usd = min(forecast.cost_usd for forecast in forecasts)
        for paced in covering:
            paced.offered(cheapest_usd)


def tightest_usd(covering: Sequence[Paced]) -> float:
    """The least of the budgets, in dollars per request; infinite where there is none."""
    return min((paced.usd_per_request for paced in covering), default=math.inf)


def remember(covering: Sequence[Paced], worth: Floats, sd: Floats, cost_usd: Floats, eligible: Bools) -> None:
    """Keeps a context for prices to be solved anew from, the other budgets' penalties left in its worth (K,).

    Scores are drawn around the worth with the standard deviation (K,).
    """
    for paced in covering:
        mine = paced.usd_price * cost_usd
        paced.pacer.remember(worth + mine, sd, paced.pacer.share(cost_usd), eligible)
