"""Budgets as the dashboard shows them: where each stands, how it came there, and what its window's end will bring."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from banditroute.gateway.dashboard.history import DAY, MONTH, History
from banditroute.gateway.dashboard.ring import Mark, Ring
from banditroute.learner import Learner
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.pacers import CapOutlook, PaceRecord
from banditroute.routing.windows import period_named

_KNOWN_SHARE = 0.02  # of a window that has passed before its spending tells anything of the rest

Point = tuple[float, float]
"""An instant, seconds since the epoch, and a value."""


@dataclass(frozen=True, slots=True)
class CapLine:
    """A cap in its current window; dollars throughout.

    Attributes:
        name, scope, period: as the configuration has them.
        starts_at, ends_at: its window, seconds since the epoch.
        usd: what it allows; spent, reserved, left, overrun, carried: see `routing.accounts.Account`.
        forecast_usd: what the window will have cost at its end; None = nothing is known yet.
        to_come: requests that are expected until then; usd_per_request: what it paces them to; shadow_price: quality
            points that so many dollars must earn. None = it does not pace, or no request has come.
        line: what was spent by when, in this window, since the gateway watches.
    """

    name: str
    scope: str
    period: str
    on_exhausted: str
    starts_at: float
    ends_at: float
    usd: float
    spent_usd: float
    reserved_usd: float
    left_usd: float
    overrun_usd: float
    carried_usd: float
    forecast_usd: float | None
    to_come: float | None
    usd_per_request: float | None
    shadow_price: float | None
    line: list[Point]


@dataclass(frozen=True, slots=True)
class PaceLine:
    """A paced budget.

    Attributes:
        name, scope: as the configuration has them; usd_per_request: what it paces to.
        lately: running mean of spend over budget, None before the first request.
        shadow_price: quality points that one budget of dollars must earn.
        requests: how many it paced.
    """

    name: str
    scope: str
    usd_per_request: float
    lately: float | None
    shadow_price: float
    requests: int


@dataclass(frozen=True, slots=True)
class Budgets:
    """All of them."""

    caps: list[CapLine]
    paces: list[PaceLine]


def marks_of(learner: Learner, now: float) -> dict[str, Mark]:
    """Where every budget stands."""
    decider = learner.decider
    prices = decider.shadow_prices
    marks = {each.budget: Mark(now, each.spend, prices[each.budget]) for each in decider.paces if each.budget in prices}
    for account in learner.ledger.accounts(now):
        name = account.cap.name
        marks[name] = Mark(now, account.spent_usd, prices.get(name, 0.0), account.window.period)
    return marks


def budgets(
    configured: tuple[PacedBudget | Cap, ...], decider: Decider, ledger: Ledger, history: History, now: float
) -> Budgets:
    """Where every budget stands.

    Args:
        configured: budgets of the configuration in force.
        decider: paces them.
        ledger: keeps the caps.
        history: how they came there.
        now: the instant, seconds since the epoch.
    """
    records = {record.budget: record for record in decider.paces}
    outlooks = {outlook.budget: outlook for outlook in decider.pacers.outlooks(ledger, now, look=False)}
    return Budgets(
        [_cap(account, outlooks.get(account.cap.name), history, now) for account in ledger.accounts(now)],
        list(_paces(configured, records, decider.shadow_prices)),
    )


def _cap(account: Account, outlook: CapOutlook | None, history: History, now: float) -> CapLine:
    cap = account.cap
    period = period_named(cap.per, account.window.period)
    assert period is not None, "an account's window is one of its cap's"
    ring = history.ring(DAY if cap.per == "day" else MONTH)
    return CapLine(
        name=cap.name,
        scope=str(cap.scope),
        period=cap.per,
        on_exhausted=cap.on_exhausted,
        starts_at=period.starts_at,
        ends_at=account.ends_at,
        usd=account.usd,
        spent_usd=account.spent_usd,
        reserved_usd=account.reserved_usd,
        left_usd=account.left_usd,
        overrun_usd=account.overrun_usd,
        carried_usd=account.carried_usd,
        forecast_usd=_at_end(account, period.starts_at, now) if outlook is None else outlook.spent_usd,
        to_come=None if outlook is None else outlook.to_come,
        usd_per_request=None if outlook is None else outlook.usd_per_request,
        shadow_price=None if outlook is None else outlook.shadow_price,
        line=[*_points(ring, cap.name, account.window.period, now), (now, account.spent_usd)],
    )


def _at_end(account: Account, starts_at: float, now: float) -> float | None:
    """What the window will have cost if it goes on as it went so far; a cap holds whatever goes on."""
    passed = (now - starts_at) / (account.ends_at - starts_at)
    if passed < _KNOWN_SHARE:
        return None
    return max(min(account.spent_usd / passed, account.usd), account.spent_usd)


def _points(ring: Ring, budget: str, period: str, now: float) -> Iterator[Point]:
    for _, stretch in ring.span(now):
        mark = stretch.marks.get(budget)
        if mark is not None and mark.period == period:
            yield mark.at, mark.spent


def _paces(
    configured: tuple[PacedBudget | Cap, ...], records: Mapping[str, PaceRecord], prices: Mapping[str, float]
) -> Iterator[PaceLine]:
    for budget in configured:
        if isinstance(budget, PacedBudget) and budget.name in prices:
            record = records.get(budget.name)
            known = record is not None and record.requests > 0 and math.isfinite(record.spend)
            yield PaceLine(
                budget.name,
                str(budget.scope),
                budget.usd_per_request,
                record.spend if record is not None and known else None,
                prices[budget.name],
                0 if record is None else record.requests,
            )
