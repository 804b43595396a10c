"""A paced cap at work: its allowance is what is left of its window over the requests that are still to come in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from banditroute.learning.pacer import Pacer
from banditroute.learning.policy import PolicySettings

from .budgets import Cap
from .forecasting import SLOT_S, Traffic, allowance_usd, spend_by_end
from .ledger import Ledger
from .paced import Paced, PaceRecord

_LOOKS = 12  # at a cap's account in each slot of its window, while requests come
_GROWTH = 1.05  # and whenever so many times as many have come as at the last look
_NEWEST = 0.05  # weight of the newest request in what the cheapest answer costs
_TRIED = 16  # requests before whose bills a price is only a first guess
_MOVED = 0.02  # an allowance that moved by less is left as it is


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

    def hear(self, requests: int, usd: float, now: float) -> None:
        """Takes in what other processes have served under it by now, and what that cost."""
        self.traffic.count(now, requests)
        if self.known:
            super().hear(requests, usd, now)

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
