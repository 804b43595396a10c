"""One paced budget at work, and what of it outlives the process."""

from __future__ import annotations

import math
from dataclasses import dataclass

from banditroute.learning.pacer import Pacer
from banditroute.learning.pacing import Pace
from banditroute.learning.policy import PolicySettings

from .budgets import Scope


@dataclass(frozen=True, slots=True)
class PaceRecord:
    """Where a paced budget's controller stands; rules and bills keep numbers of their own under its names.

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

    @classmethod
    def of(cls, name: str, pacer: Pacer, usd_per_request: float | None = None) -> PaceRecord:
        """Where the pacer of one budget stands."""
        log_price, spend, anchor, level = (float(value) for value in pacer.pace)
        return cls(name, log_price, spend, anchor, level, pacer.paid, usd_per_request)

    @property
    def pace(self) -> Pace:
        """The controller's state."""
        return Pace(self.log_price, self.spend, self.anchor, self.level)


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

    def hear(self, requests: int, usd: float, now: float) -> None:  # noqa: ARG002  # caps mind when they came
        """Takes in what other processes have served under it by now, and what that cost."""
        self.pacer.hear(requests, usd)

    def record(self) -> PaceRecord:
        """Where it stands."""
        return PaceRecord.of(self.name, self.pacer, self.usd_per_request)

    def resume(self, record: PaceRecord) -> None:
        """Goes on from where it stood; where it is set to other dollars by now, a dollar keeps the price it had."""
        then, now = record.usd_per_request, self.usd_per_request
        if then is None or math.isclose(then, now):
            self.pacer.resume(record.pace, record.requests)
        else:
            self.pacer.reallow(then)
            self.pacer.resume(record.pace, record.requests)
            self.pacer.rebudget(now)
