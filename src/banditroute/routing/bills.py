"""Whether providers bill what the catalog says: stated dollars against those that its prices make of the same usage.

Dollars are computed, never learned, so a price that changes without a word would go unnoticed for ever. Where a
provider states what a call cost, two clear deviations in a row, or a lasting smaller one, are a new price.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from banditroute.learning.drift import FLAT, Climb, Climbs, Vigilance, false_rate
from banditroute.records import Alarm, Outcome

from .catalog import Catalog, Price
from .paced import PaceRecord

BILLS = "bill/"
"""What the names begin with under which it is kept what models are billed at."""

_LEAST_SD = 0.05  # of a log ratio: discounts and roundings that are not worth an alarm
_NEWEST = 0.05  # weight of the newest bill in how much they vary
_MOST_SDS = 3.0  # a bill widens that by no more


class Rebilled(NamedTuple):
    """A model that is billed otherwise than before: the alarm, and by how much its dollars grew."""

    alarm: Alarm
    factor: float


@dataclass(frozen=True, slots=True)
class _Bill:
    """How one model is billed.

    Attributes:
        listed: the catalog's price, which it is held against.
        log_ratio: log of dollars billed over dollars due, as last found; var: the variance about it.
        seen: bills since the first alarm; None = there was none.
        climbs: sums of a rise and of a fall.
    """

    listed: Price
    log_ratio: float = 0.0
    var: float = _LEAST_SD**2
    seen: int | None = None
    climbs: Climbs = FLAT


class Bills:
    """What each model is billed at; one owner, no clock.

    Args:
        catalog: the models at their listed prices.
        settings: how closely to watch; None = not at all.
    """

    def __init__(self, catalog: Catalog, settings: Vigilance | None) -> None:
        self._listed = catalog
        self._settings = settings
        self._bills = {model.name: _Bill(model.price) for model in catalog}

    @property
    def catalog(self) -> Catalog:
        """The models at what they are billed."""
        billed = self._listed
        for name, bill in self._bills.items():
            if bill.log_ratio:
                billed = billed.with_price(name, bill.listed.times(math.exp(bill.log_ratio)))
        return billed

    def take(self, outcome: Outcome) -> Rebilled | None:
        """What comes to light with an outcome, if its provider stated its dollars."""
        billed_usd, usage, settings = outcome.billed_usd, outcome.usage, self._settings
        bill = self._bills.get(outcome.served)
        if bill is None or settings is None or not billed_usd or usage is None or outcome.estimated:
            return None
        due_usd = bill.listed.cost_usd(usage)
        if due_usd <= 0.0:  # of nothing there is no multiple
            return None
        residual = math.log(billed_usd / due_usd) - bill.log_ratio
        bill = _heard(bill, residual, settings)
        self._bills[outcome.served] = bill
        highest = bill.climbs.highest
        if highest.height <= settings.threshold:
            return None
        return self._rebilled(outcome.served, bill, highest, 1.0 - false_rate(_height(highest), settings))

    def records(self) -> tuple[PaceRecord, ...]:
        """Of every model that was ever billed otherwise: at which ratio, and to which listed price that belongs."""
        return tuple(
            PaceRecord(f"{BILLS}{name}", bill.log_ratio, bill.var, *_listed(bill), bill.seen)
            for name, bill in self._bills.items()
            if bill.seen is not None
        )

    def restore(self, records: Iterable[PaceRecord]) -> None:
        """Goes on from where it stood; what was found of a price that has been edited since is given up."""
        found = {record.budget.removeprefix(BILLS): record for record in records if record.budget.startswith(BILLS)}
        for name in sorted(found, key=self._listed.names.__contains__):  # a record under today's name counts
            record, current = found[name], self._listed.current(name)
            if current is not None:
                bill = _Bill(self._listed[current].price, seen=0)
                if _listed(bill) == (record.anchor, record.level):
                    bill = replace(bill, log_ratio=record.log_price, var=record.spend, seen=record.requests)
                self._bills[current] = bill

    def _rebilled(self, name: str, bill: _Bill, climb: Climb, confidence: float) -> Rebilled:
        by = float(climb.shift)
        after = bill.log_ratio + by
        self._bills[name] = replace(bill, log_ratio=after, climbs=FLAT, seen=bill.seen or 0)
        alarm = Alarm(
            at=0.0,
            model=name,
            signal="price",
            task="",
            before=math.exp(bill.log_ratio),
            after=math.exp(after),
            seen=int(climb.seen),
            confidence=confidence,
        )
        return Rebilled(alarm, math.exp(by))


def _heard(bill: _Bill, residual: float, settings: Vigilance) -> _Bill:
    """The state after one more bill, so much off."""
    widest = min(residual**2, _MOST_SDS**2 * bill.var)
    return replace(
        bill,
        var=max(bill.var + _NEWEST * (widest - bill.var), _LEAST_SD**2),
        seen=None if bill.seen is None else bill.seen + 1,
        climbs=bill.climbs.after(residual, math.sqrt(bill.var), settings),
    )


def _listed(bill: _Bill) -> tuple[float, float]:
    """What tells a price from another that a catalog listed."""
    return bill.listed.input_usd_per_mtok, bill.listed.output_usd_per_mtok


def _height(climb: Climb) -> float:
    return float(climb.height)
