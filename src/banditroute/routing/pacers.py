"""The paced budgets side by side: what each asks of dollars for a request that it covers; their penalties add.

A pace asks for a mean of dollars per request. A paced cap asks for its allowance: what is left of its window over the
requests that are still to come in it, worked out anew as requests come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.pacer import Pacer
from banditroute.learning.pacing import Pace
from banditroute.learning.policy import PolicySettings
from banditroute.records import Forecast

from .budgets import Cap, PacedBudget, Scope
from .forecasting import SLOT_S, Traffic, allowance_usd, spend_by_end
from .ledger import Ledger
from .saved import SavedPrice
from .tasks import is_judging

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LOOKS = 12  # at a cap's account in each slot of its window, while requests come
_GROWTH = 1.05  # and whenever so many times as many have come as at the last look
_NEWEST = 0.05  # weight of the newest request in what the cheapest answer costs
_TRIED = 16  # requests before whose bills a price is only a first guess
_MOVED = 0.02  # an allowance that moved by less is left as it is


@dataclass(frozen=True, slots=True)
class PaceRecord:
    """Where a paced budget's controller stands.

    Attributes:
        budget: its name.
        log_price, spend, anchor, level: the fields of `learning.pacing.Pace`.
        requests: how many it saw.
        usd_per_request: what it paced to; None where an earlier version wrote the record.
        traffic: of a cap, the requests of its window and of the one before, as `forecasting.Traffic` writes them.
    """

    budget: str
    log_price: float
    spend: float
    anchor: float
    level: float
    requests: int
    usd_per_request: float | None = None
    traffic: str = ""


@dataclass(frozen=True, slots=True)
class CapOutlook:
    """What a paced cap expects of the rest of its window.

    Attributes:
        budget: its name.
        usd_per_request: what it paces to.
        requests: that came in the window since it is watched; to_come: that are expected until its end.
        spent_usd: dollars that the window will have cost by then, if requests go on to cost what they did in it.
        shadow_price: quality points that one allowance of dollars must earn.
    """

    budget: str
    usd_per_request: float
    requests: int
    to_come: float
    spent_usd: float
    shadow_price: float


class Paced:
    """One budget at work.

    Args:
        name: the budget's; scope: the requests that it covers.
        usd_per_request: what to pace to.
        settings: constants of the pacing.
    """

    __slots__ = ("name", "pacer", "scope", "usd_per_request")

    def __init__(self, name: str, scope: Scope, usd_per_request: float, settings: PolicySettings) -> None:
        self.name = name
        self.scope = scope
        self.usd_per_request = usd_per_request
        self.pacer = Pacer(usd_per_request, settings.pacing, settings.resolve_at)

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn now."""
        return float(self.pacer.shadow_price)

    @property
    def usd_price(self) -> float:
        """Quality points that one dollar must earn now."""
        return self.shadow_price / self.usd_per_request

    def offered(self, cheapest_usd: float) -> None:
        """Takes in what the cheapest model would have answered a request for: nothing to a pace."""

    def record(self) -> PaceRecord:
        """Where it stands."""
        log_price, spend, anchor, level = (float(value) for value in self.pacer.pace)
        paid, usd = self.pacer.paid, self.usd_per_request
        return PaceRecord(self.name, log_price, spend, anchor, level, paid, usd)

    def resume(self, record: PaceRecord) -> None:
        """Goes on from where it stood; where it is set to other dollars by now, a dollar keeps the price it had."""
        pace = Pace(*(np.asarray(v) for v in (record.log_price, record.spend, record.anchor, record.level)))
        then, now = record.usd_per_request, self.usd_per_request
        if then is None or math.isclose(then, now):
            self.pacer.resume(pace, record.requests)
        else:
            self.pacer.reallow(then)
            self.pacer.resume(pace, record.requests)
            self.pacer.rebudget(now)


class PacedCap(Paced):
    """A cap at work: what it paces to is what is left of its window over the requests still to come in it.

    Until the first request comes nothing is known of either, and it asks for nothing.

    Args:
        cap: which.
        settings: constants of the pacing.
    """

    __slots__ = (
        "_cheapest_usd",
        "_next_at",
        "_next_requests",
        "_period",
        "_settings",
        "cap",
        "known",
        "traffic",
    )

    def __init__(self, cap: Cap, settings: PolicySettings) -> None:
        super().__init__(cap.name, cap.scope, cap.usd, settings)
        self.cap = cap
        self.traffic = Traffic(cap.per)
        self.known = False
        self._settings = settings
        self._cheapest_usd: float | None = None
        self._period = ""
        self._next_at = -math.inf
        self._next_requests = 0.0

    def count(self, now: float) -> bool:
        """Takes in that a request came; whether it is time to look at the account."""
        self.traffic.count(now)
        return now >= self._next_at or self.traffic.requests >= self._next_requests

    def offered(self, cheapest_usd: float) -> None:
        """Takes in what the cheapest model would have answered a request for: so much is kept for each to come."""
        before = cheapest_usd if self._cheapest_usd is None else self._cheapest_usd
        self._cheapest_usd = before + _NEWEST * (cheapest_usd - before)

    def look(self, ledger: Ledger, now: float) -> CapOutlook:
        """Paces to what the account has left for the requests that are to come, and keeps the least they need."""
        account = ledger.account(self.name, now)
        forecast = self.traffic.forecast(now)
        usd = allowance_usd(account.usd, account.usd - account.spent_usd, forecast)
        if not self.known:
            self._begin(usd)
        elif self.pacer.paid < _TRIED:
            self.pacer.reallow(usd, anew=True)
        elif account.window.period != self._period:
            self.pacer.rebudget(usd)  # what a window saved or overdrew ends with it
        elif abs(usd - self.usd_per_request) > _MOVED * self.usd_per_request:
            self.pacer.reallow(usd)
        else:
            usd = self.usd_per_request
        self.usd_per_request, self._period = usd, account.window.period
        self._next_requests = _GROWTH * forecast.so_far + 1
        self._next_at = min(now + SLOT_S[self.cap.per] / _LOOKS, account.ends_at)
        ledger.keep(self.name, (self._cheapest_usd or 0.0) * forecast.to_come, now)
        return self.outlook(ledger, now)

    def outlook(self, ledger: Ledger, now: float) -> CapOutlook:
        """What it expects of the rest of its window, by what it paces to already: whoever asks changes nothing."""
        account, forecast = ledger.account(self.name, now), self.traffic.forecast(now)
        at_end = spend_by_end(account.spent_usd, account.usd, forecast)
        usd, requests = self.usd_per_request, self.traffic.requests
        return CapOutlook(self.name, usd, requests, forecast.to_come, at_end, self.shadow_price)

    def record(self) -> PaceRecord:
        """Where it stands."""
        return replace(Paced.record(self), traffic=self.traffic.text)

    def resume(self, record: PaceRecord) -> None:
        """Goes on from where it stood; its account is looked at with the next request."""
        if record.usd_per_request is not None:
            self._begin(record.usd_per_request)
            Paced.resume(self, record)
            self.traffic.resume(record.traffic)
            self._period = self.traffic.period

    def _begin(self, usd: float) -> None:
        """Starts from what a pacer knows at first, now that there is something to pace to."""
        self.pacer = Pacer(usd, self._settings.pacing, self._settings.resolve_at)
        self.usd_per_request, self.known = usd, True


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
                log_price = np.asarray(price.log_price)
                paced.pacer.resume(paced.pacer.pace._replace(log_price=log_price, anchor=log_price), 0)

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
