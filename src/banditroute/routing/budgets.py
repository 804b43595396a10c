"""What may be spent, on whose behalf and in which stretch of time: values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from banditroute.errors import ConfigError

Per = Literal["day", "month"]
OnExhausted = Literal["cheapest", "reject"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests that a budget covers.

    Attributes:
        kind: all of them, one tenant's, or those of one task class.
        name: the tenant's or the task's; empty for all.
    """

    kind: Literal["global", "tenant", "task"] = "global"
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Scope:
        """The scope that a file writes as global, tenant:NAME or task:NAME.

        Raises:
            ConfigError: it is none of these.
        """
        kind, _, name = text.partition(":")
        if kind == "global" and not name:
            return cls()
        if kind == "tenant" and name:
            return cls("tenant", name)
        if kind == "task" and name:
            return cls("task", name)
        raise ConfigError(f"{text!r} is not a scope", remedy="write global, tenant:NAME or task:NAME", field="scope")

    def covers(self, tenant: str, task: str) -> bool:
        """Whether a request of that tenant and task falls under it."""
        if self.kind == "global":
            return True
        return self.name == (tenant if self.kind == "tenant" else task)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True, slots=True)
class PacedBudget:
    """Dollars per request to pace the spending to: it steers choices and never refuses a request.

    Attributes:
        name: unique among budgets.
        usd_per_request: the mean to hold.
        scope: which requests it covers.

    Raises:
        ConfigError: the amount is not a positive number.
    """

    name: str
    usd_per_request: float
    scope: Scope = Scope()

    def __post_init__(self) -> None:
        _check_amount(self.usd_per_request, "usd_per_request")


def global_budget(usd_per_request: float) -> PacedBudget:
    """The budget that all requests share.

    Raises:
        ConfigError: the amount is not a positive number.
    """
    _check_amount(usd_per_request, "budget_usd")
    return PacedBudget("global", usd_per_request)


@dataclass(frozen=True, slots=True)
class Cap:
    """Dollars that may be spent in a day or a month (UTC): it holds, request by request.

    Attributes:
        name: unique among budgets.
        usd: what may be spent in one window.
        per: the window.
        scope: which requests it covers.
        on_exhausted: what becomes of a request that no longer fits and that no free model may serve: `cheapest`
            serves it with the cheapest eligible model all the same, `reject` raises BudgetExceededError.
        paced: it steers choices too, so that its money lasts until its window ends; otherwise it flows until it is out.
        carry: what a window leaves unspent is added to the next one, at most one window's worth.

    Raises:
        ConfigError: the amount is not a positive number.
    """

    name: str
    usd: float
    per: Per
    scope: Scope = Scope()
    on_exhausted: OnExhausted = "cheapest"
    paced: bool = True
    carry: bool = False

    def __post_init__(self) -> None:
        _check_amount(self.usd, "usd")


class Window(NamedTuple):
    """One stretch of one cap: the cap's name and its window's, as 2026-11-25 or 2026-11."""

    budget: str
    period: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Dollars to add to what is spent in a window."""

    window: Window
    usd: float


def default_name(scope: str, per: str | None) -> str:
    """The name of a budget that has none: without its amount, so that a changed cap goes on with what is spent."""
    return f"{scope} per {per or 'request'}"


def budget_of(
    *,
    scope: str,
    name: str | None = None,
    usd_per_request: float | None = None,
    usd: float | None = None,
    per: Per | None = None,
    on_exhausted: OnExhausted | None = None,
    paced: bool | None = None,
    carry: bool | None = None,
) -> PacedBudget | Cap:
    """The budget that a file's table describes; None = the key is left out.

    Raises:
        ConfigError: the keys make no budget; names the one to mend.
    """
    covers, name = Scope.parse(scope), name or default_name(scope, per)
    if usd is not None:
        if usd_per_request is not None:
            remedy = "make them two budgets: both hold at once"
            raise ConfigError("a budget is a pace or a cap, not both", remedy=remedy, field="usd_per_request")
        if per is None:
            raise ConfigError("missing", remedy='write "day" or "month"', field="per")
        return Cap(name, usd, per, covers, on_exhausted or "cheapest", paced is not False, bool(carry))
    if usd_per_request is None:
        remedy = 'give usd_per_request (a pace), or usd and per = "day" (a cap)'
        raise ConfigError("a budget without an amount", remedy=remedy)
    for key, value in {"per": per, "on_exhausted": on_exhausted, "paced": paced, "carry": carry}.items():
        if value is not None:
            remedy = "take it out, or give usd instead of usd_per_request"
            raise ConfigError("is for caps", remedy=remedy, field=key)
    return PacedBudget(name, usd_per_request, covers)


def _check_amount(usd: float, field: str) -> None:
    if not 0 < usd < math.inf:
        raise ConfigError(f"{usd} is not a budget", remedy="give a positive number of dollars", field=field)
