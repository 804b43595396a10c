"""The metrics of budgets: what is spent, held and left, what the window's end will bring, what a dollar must earn."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.routing.accounts import Account
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.pacers import CapOutlook, PaceRecord

from .families import Columns, Readings, gauge, table

_BUDGET = ("budget",)

LIMIT = gauge("banditroute_budget_limit_usd", "Dollars that a cap allows in its current window.", *_BUDGET)
SPENT = gauge("banditroute_budget_spent_usd", "Dollars spent in a cap's current window.", *_BUDGET)
RESERVED = gauge("banditroute_budget_reserved_usd", "Dollars that requests in flight hold of a cap.", *_BUDGET)
LEFT = gauge("banditroute_budget_left_usd", "Dollars of a cap that may still be reserved.", *_BUDGET)
OVERRUN = gauge(
    "banditroute_budget_overrun_usd", "Dollars that settled above what was held for them, in the window.", *_BUDGET
)
ENDS = gauge(
    "banditroute_budget_window_end_timestamp_seconds", "When a cap's window ends, seconds since the epoch.", *_BUDGET
)
FORECAST = gauge(
    "banditroute_budget_forecast_usd",
    "Dollars that a paced cap's window is expected to have cost at its end.",
    *_BUDGET,
)
TO_COME = gauge(
    "banditroute_budget_forecast_requests", "Requests expected until the end of a paced cap's window.", *_BUDGET
)
PACE = gauge("banditroute_budget_pace_usd", "Dollars per request that spending is paced to.", *_BUDGET)
LATELY = gauge("banditroute_budget_pace_spent_ratio", "Running mean of dollars per request, over the pace.", *_BUDGET)
PRICE = gauge(
    "banditroute_budget_shadow_price_points",
    "Quality points that one pace-worth of dollars must earn: 0 where money is no object.",
    *_BUDGET,
)

_OF_ACCOUNTS: Columns[Account] = (
    (LIMIT, lambda account: account.usd),
    (SPENT, lambda account: account.spent_usd),
    (RESERVED, lambda account: account.reserved_usd),
    (LEFT, lambda account: account.left_usd),
    (OVERRUN, lambda account: account.overrun_usd),
    (ENDS, lambda account: account.ends_at),
)
_OF_OUTLOOKS: Columns[CapOutlook] = (
    (FORECAST, lambda outlook: outlook.spent_usd),
    (TO_COME, lambda outlook: outlook.to_come),
)

FAMILIES = (
    *(family for family, _ in _OF_ACCOUNTS),
    *(family for family, _ in _OF_OUTLOOKS),
    PACE,
    LATELY,
    PRICE,
)


def readings(decider: Decider, ledger: Ledger, paces: tuple[PaceRecord, ...], now: float) -> Iterator[Readings]:
    """Where every budget stands.

    Args:
        decider: paces them.
        ledger: keeps the caps.
        paces: the decider's records.
        now: the instant, seconds since the epoch.
    """
    yield from table(_OF_ACCOUNTS, [((each.cap.name,), each) for each in ledger.accounts(now)])
    outlooks = decider.pacers.outlooks(ledger, now, look=False)
    yield from table(_OF_OUTLOOKS, [((each.budget,), each) for each in outlooks])
    prices = decider.shadow_prices
    paced = [record for record in paces if record.budget in prices]
    yield Readings(PACE, [((each.budget,), each.usd_per_request or 0.0) for each in paced])
    yield Readings(LATELY, [((each.budget,), each.spend) for each in paced])
    yield Readings(PRICE, [((budget,), price) for budget, price in prices.items()])
