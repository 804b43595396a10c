"""Caps that are spent to a mark, and those whose window is expected to need more than they allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from banditroute.routing.accounts import Account
from banditroute.routing.paced_caps import CapOutlook
from banditroute.routing.windows import period_named

from .holding import Holding
from .register import Finding
from .settings import AlertSettings
from .view import View

_KNOWN_SHARE = 0.2  # of a paced cap's window or dollars, before which its spending tells nothing of the rest
_KNOWN_STRETCH = 0.5  # of a window that has no forecast of its requests: a day is not as busy at noon as at night
_KNOWN_REQUESTS = 50


class Spending:
    """Watches caps; no clock, one owner."""

    def __init__(self) -> None:
        self._waiting: dict[str, bool] = {}  # caps that turned requests away since the last look: were they refused?
        self._turned_away: dict[str, _Away] = {}
        self._windows: dict[str, str] = {}
        self._holding = Holding()

    def exhausted(self, budget: str, *, rejected: bool) -> None:
        """Takes in that a cap turned a request down, or had the cheapest model serve it."""
        self._waiting[budget] = rejected

    def marks(self, view: View, settings: AlertSettings) -> Iterator[Finding]:
        """The highest mark that each cap has come to in its current window."""
        for account in view.accounts:
            name, period = account.cap.name, account.window.period
            if name in self._waiting:
                self._turned_away[name] = _Away(period, self._waiting.pop(name))
            away = self._turned_away.get(name)
            away = away if away is not None and away.period == period else None
            reached = [mark for mark in settings.budget_marks if account.spent_usd >= mark * account.usd]
            if reached or away is not None:
                yield _mark(account, max((*reached, *((1.0,) if away is not None else ()))), away)
        self._waiting.clear()  # of caps that are no longer kept

    def forecasts(self, view: View, settings: AlertSettings, now: float) -> Iterator[Finding]:
        """Caps that are expected not to last, and have been for a while."""
        outlooks = {outlook.budget: outlook for outlook in view.outlooks}
        likely, still = dict[str, float](), dict[str, float]()
        for account in view.accounts:
            self._begin_anew(account)
            usd = expected_usd(account, outlooks.get(account.cap.name), now)
            if usd is not None and usd >= account.usd:
                still[account.cap.name] = usd
            if (
                usd is not None
                and usd > account.usd * (1.0 + settings.forecast_margin)
                and account.spent_usd < account.usd
            ):
                likely[account.cap.name] = usd
        believed = self._holding.look(likely, settings.hold_s, settings.hold_s, now, still)
        for account in view.accounts:
            if account.cap.name in believed:
                yield _forecast(account, still.get(account.cap.name, account.usd))

    def _begin_anew(self, account: Account) -> None:
        """Forgets what was expected of a window that has ended."""
        name, period = account.cap.name, account.window.period
        if self._windows.get(name) != period:
            self._windows[name] = period
            self._holding.forget(name)


class _Away(NamedTuple):
    """A cap turned requests away in a window; some were refused, or the cheapest model served them."""

    period: str
    rejected: bool


def expected_usd(account: Account, outlook: CapOutlook | None, now: float) -> float | None:
    """Dollars that a cap's window would take if requests went on to cost what they did in it, whatever the cap says.

    None where it is too early to tell.

    Args:
        account: where the cap stands.
        outlook: what it expects of its requests; None = it does not pace, so all that is known is the time.
        now: the instant.
    """
    period = period_named(account.cap.per, account.window.period)
    if period is None:
        return None
    passed = (now - period.starts_at) / (account.ends_at - period.starts_at)
    if outlook is None:
        return account.spent_usd / passed if passed >= _KNOWN_STRETCH else None
    known = max(passed, account.spent_usd / account.usd)
    if outlook.requests < _KNOWN_REQUESTS or known < _KNOWN_SHARE:
        return None
    return account.spent_usd * (1.0 + outlook.to_come / outlook.requests)


def _mark(account: Account, mark: float, away: _Away | None) -> Finding:
    name, spent = account.cap.name, f"{account.spent_usd / account.usd:.0%} of {_dollars(account.usd)}"
    cause = f"{_dollars(account.spent_usd)} of {_dollars(account.usd)} are spent in {account.window.period}"
    if away is None:
        text = f"budget {name}: {spent} spent"
    else:
        came = "requests are turned down" if away.rejected else "the cheapest model serves"
        text = f"budget {name} is used up, {came}: {spent} spent"
    over = f"budget {name}: no longer {mark:.0%} spent, as another window has begun or more may be spent"
    return Finding("budget", name, text, cause, over, mark, which=account.window.period)


def _forecast(account: Account, usd: float) -> Finding:
    name = account.cap.name
    needed = f"about {_dollars(usd)} needed, {_dollars(account.usd)} allowed"
    text = f"budget {name} will not last its {account.cap.per}: {needed}"
    cause = f"{_dollars(account.spent_usd)} are spent so far, and requests go on to come and to cost what they did"
    over = f"budget {name} is expected to last again, or another window has begun"
    return Finding("forecast", name, text, cause, over, which=account.window.period)


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 1.0 else f"${usd:.3g}"
