"""The owner of a paced budget: its shadow price now, and how spending moves it; one budget live, R in a simulation."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError

from . import pacing
from .kinds import ARRAYS, NUMBERS
from .pacing import Amount, Pace, Pacing
from .presence import Presence

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_WINDOW = 256  # recent contexts kept for a re-solve of the price
_ENOUGH = 64  # contexts that a price may be solved from without a bound on how far it falls


class Pacer:
    """Paces spending to a mean of so many dollars per request; without a budget nothing costs anything.

    Args:
        budget_usd: dollars per request: a number live, (R,) for R replications; None = unconstrained.
        settings: constants of the pacing.
        resolve_at: numbers of requests after which the price is solved anew from recent contexts.

    Raises:
        InputError: a budget is not a positive number.
    """

    def __init__(self, budget_usd: float | Floats | None, settings: Pacing, resolve_at: tuple[int, ...] = ()) -> None:
        self.budget_usd = None if budget_usd is None else _checked(budget_usd)
        self._settings = settings
        self._resolve_at = frozenset(resolve_at)
        self._paid = 0
        self._awaited_usd = 0.0  # what requests in flight are expected to cost
        self._in_flight = 0
        self._recent: deque[_Asked] = deque(maxlen=_WINDOW)
        self._presence = Presence()
        shape = () if self.budget_usd is None else self.budget_usd.shape
        self._kind = ARRAYS if shape else NUMBERS
        self._budget: Amount = self.budget_usd if shape or self.budget_usd is None else float(self.budget_usd)
        self._pace = self._of_kind(pacing.started(shape, settings))
        self._price: Amount | None = None

    @property
    def price(self) -> Floats:
        """Shadow price (..., 1), quality points that one budget-worth of dollars must earn; 0 without a budget."""
        return np.zeros(1) if self.budget_usd is None else np.asarray(self.shadow_price)[..., None]

    @property
    def shadow_price(self) -> Amount:
        """The same, a number live and (R,) for R replications."""
        if self._price is None:
            pace = self._pace
            if self._in_flight:
                awaited = self._awaited_usd / self._budget - self._in_flight  # each brings a budget of its own
                pace = pace._replace(level=pace.level - awaited)
            self._price = pacing.shadow_price(pace, self._settings, self._kind)
        return self._price

    @property
    def pace(self) -> Pace:
        """Where the pacing stands."""
        return self._pace

    @property
    def paid(self) -> int:
        """Requests that were paid for."""
        return self._paid

    def resume(self, pace: Pace, paid: int) -> None:
        """Goes on from where an earlier pacer of the same budget stood."""
        self._pace, self._paid = self._of_kind(pace), paid
        self._recent.clear()
        self._price = None

    def share(self, cost_usd: Floats) -> Floats:
        """Dollars (..., K) as shares of the budget per request; zeros without one."""
        return np.zeros_like(cost_usd) if self.budget_usd is None else cost_usd / self.budget_usd[..., None]

    def remember(self, quality: Floats, sd: Floats, cost_share: Floats, eligible: Bools) -> None:
        """Keeps a context's forecasts (..., K), to solve the price anew from when prices, models or the budget change.

        The arrays are kept as they are: whoever hands them in leaves them alone from now on.

        Args:
            quality: expected.
            sd: what scores are drawn around it with.
            cost_share: expected dollars over the budget.
            eligible: models that may serve.
        """
        if self.budget_usd is None:
            return
        self._recent.append(_Asked(quality, sd, cost_share, eligible))
        changed = self._presence.changed(eligible)
        if changed is not None:
            present = (asked.among(changed, eligible) for asked in self._recent)
            self._recent = deque(present, maxlen=_WINDOW)
            self._solve_anew(np.asarray(changed.any(-1)), owing=False)

    def recall(self, before: Pacer, arms: Mapping[int, int], models: int) -> None:
        """Keeps the contexts that another pacer keeps.

        Args:
            before: the other, of as many replications.
            arms: where each of its models is here; others are gone.
            models: K, how many there are here.
        """
        if self.budget_usd is None or before.budget_usd is None:
            return
        ratio = (before.budget_usd / self.budget_usd)[..., None]
        there, here = list(arms), list(arms.values())
        for asked in before._recent:
            if asked.eligible[..., there].any(-1).all():
                quality, sd, cost_share, eligible = (_placed(part[..., there], here, models) for part in asked)
                self._recent.append(_Asked(quality, sd, cost_share * ratio, eligible.astype(bool)))

    def foresee(self, quality: Floats, cost_share: Floats) -> None:
        """Starts at the price that T requests such as will come would have needed.

        Args:
            quality: (T, ..., K) expected, -inf where not eligible.
            cost_share: (T, ..., K) expected dollars over the budget.
        """
        if self.budget_usd is not None:
            self._pace = self._of_kind(pacing.resolved(self._as_arrays(), quality, cost_share, self._settings))
            self._price = None

    def expect(self, cost_usd: float) -> None:
        """Takes in what a request that was just decided is expected to cost: its bill comes later, its price now.

        Dear models are often slow ones. Were they counted only when they answer, many could be under way before the
        first of them is felt. Tell `spend` the same amount when the bill is there.
        """
        if self.budget_usd is not None:
            self._awaited_usd += cost_usd
            self._in_flight += 1
            self._price = None

    def spend(self, cost_usd: float | Floats, expected_usd: float | None = None) -> None:
        """Takes in what one request of each replication cost, in dollars, finite and not negative.

        Args:
            cost_usd: the bill.
            expected_usd: what `expect` was told of it before; None = nothing.
        """
        if self.budget_usd is None:
            return
        if expected_usd is not None:
            self._awaited_usd -= expected_usd
            self._in_flight -= 1
        self._pace = pacing.stepped(self._pace, cost_usd / self._budget, self._settings, self._kind)
        self._price = None
        self._paid += 1
        if self._paid in self._resolve_at and self._recent:
            self._pace = self._solved()

    def hear(self, requests: int, usd: float) -> None:
        """Takes in what so many requests cost together that other processes served under the same budget."""
        if self.budget_usd is None or requests <= 0:
            return
        cost_share = usd / requests / self._budget
        for _ in range(requests):
            self._pace = pacing.stepped(self._pace, cost_share, self._settings, self._kind)
        self._price = None
        before, self._paid = self._paid, self._paid + requests
        if self._recent and any(before < at <= self._paid for at in self._resolve_at):
            self._pace = self._solved()

    def rebudget(self, budget_usd: float | Floats) -> None:
        """Paces to another budget from now on, of the same shape.

        Dollars keep the price that they had, and the bucket starts anew. Where recent contexts are kept, the price is
        then solved anew from them, for the new budget; it falls no further at once than a re-solve may.

        Raises:
            InputError: a budget is not a positive number, or there was none before.
        """
        self._rescale(budget_usd)
        if self._recent:
            self._pace = self._solved()

    def reprice(self, arm: int, factor: float | Floats, *, announced: bool = True) -> None:
        """Takes in that a model's dollars are a multiple of what they were, () or (R,): where 1, nothing changes.

        The shadow price is solved anew from the contexts that are kept, and what cheap dollars left unspent is not
        carried over to dear ones. What a change that nobody announced has overspent by the time it is noticed is asked
        back at once.
        """
        if not self._recent or self.budget_usd is None:
            return
        for asked in self._recent:
            asked.cost_share[..., arm] *= factor
        self._solve_anew(np.not_equal(factor, 1.0), owing=not announced)

    def reallow(self, budget_usd: float | Floats, *, anew: bool = False) -> None:
        """Paces to a budget that moved a little, as one that is worked out anew from what is left of a window does.

        Dollars keep the price that they had and the bucket its level, and nothing is solved: what was learned holds.

        Args:
            budget_usd: the budget from now on.
            anew: hardly anything was learned, and of another budget's worth: the price of a budget-worth stays.

        Raises:
            InputError: a budget is not a positive number, or there was none before.
        """
        before = self._pace
        self._rescale(budget_usd)
        self._pace = before if anew else self._pace._replace(level=before.level)

    def _rescale(self, budget_usd: float | Floats) -> None:
        if self.budget_usd is None:
            raise InputError("there is no budget to change", remedy="make a pacer", field="budget_usd")
        new = _checked(budget_usd)
        ratio = self.budget_usd / new
        self.budget_usd, self._budget = new, new if new.shape else float(new)
        self._pace = self._of_kind(pacing.rescaled(self._as_arrays(), ratio, self._settings))
        for asked in self._recent:
            asked.cost_share[...] *= ratio[..., None]
        self._price = None

    def _solve_anew(self, where: Bools, *, owing: bool) -> None:
        """Sets the price (where so) to what recent contexts need in another world; debts are asked back at once or not.

        What was saved in the world before is not carried over.
        """
        settings = self._settings
        if len(self._recent) >= _ENOUGH:  # so many contexts tell the price they need, however far away it is
            settings = replace(settings, most_fall=np.inf)
        new = pacing.spent(self._solved(settings, nearest=True), settings)
        new = new if owing else pacing.unbent(new, settings)
        pace = (np.where(where, changed, kept) for changed, kept in zip(new, self._pace, strict=True))
        self._pace = self._of_kind(Pace(*pace))

    def _solved(self, settings: Pacing | None = None, *, nearest: bool = False) -> Pace:
        """The pace at the price that recent contexts would have needed."""
        quality, sd, cost_share, eligible = (np.stack(part) for part in zip(*self._recent, strict=True))
        quality = np.where(eligible, pacing.as_drawn(quality, sd), -np.inf)
        self._price = None
        settings = settings or self._settings
        solved = pacing.resolved(self._as_arrays(), quality, cost_share, settings, nearest=nearest)
        return self._of_kind(solved)

    def _of_kind(self, pace: Pace) -> Pace:
        return pace if self._kind is ARRAYS else Pace(*(float(value) for value in pace))

    def _as_arrays(self) -> Pace:
        return Pace(*(np.asarray(value) for value in self._pace))


class _Asked(NamedTuple):
    """What one request had to choose from: forecasts and who was eligible, each (..., K)."""

    quality: Floats
    sd: Floats
    cost_share: Floats
    eligible: Bools

    def among(self, changed: Bools, eligible: Bools) -> _Asked:
        """The same request, had models that went or came (..., K) been there or not as they are now."""
        return self._replace(eligible=np.where(changed, eligible, self.eligible))


def _placed(values: Floats | Bools, places: list[int], models: int) -> Floats:
    """Values (..., k) of models put at their places among so many; those of others are 0."""
    placed = np.zeros((*values.shape[:-1], models))
    placed[..., places] = values
    return placed


def _checked(budget_usd: float | Floats) -> Floats:
    budgets = np.asarray(budget_usd, dtype=np.float64)
    if not (np.isfinite(budgets) & (budgets > 0)).all():
        raise InputError(f"{budget_usd} is not a budget", remedy="give dollars per request", field="budget_usd")
    return budgets
