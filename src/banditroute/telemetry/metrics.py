"""A router's metrics: an observer that counts, and that looks at the router itself when it is asked for readings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from banditroute._version import __version__
from banditroute.observe import Attempted, Decided, Drifted, Event, Judged, Settled
from banditroute.router import Router

from . import budgets, delivering, learned, rare, steered, told
from .counting import Counts
from .families import Family, Readings, gauge
from .rare import Incidents

INFO = gauge("banditroute_info", "1, with the version that runs.", "version")

FAMILIES: tuple[Family, ...] = (
    INFO,
    *told.FAMILIES,
    *rare.FAMILIES,
    *budgets.FAMILIES,
    *learned.FAMILIES,
    *delivering.FAMILIES,
    *steered.FAMILIES,
)
"""Every metric there is."""


class Metrics:
    """An observer that counts what happens, and has readings for a scrape; one router's, and on its event loop.

    Hand it to `open_router(..., observer=metrics)`, then `watch` the router, for what is read off its state.

    Args:
        by_tenant: count requests and dollars for each tenant too, up to a hundred of them.
        clock: seconds since the epoch.
    """

    def __init__(self, *, by_tenant: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._router: Router | None = None
        self._counts = counts = Counts(by_tenant=by_tenant)
        self._incidents = incidents = Incidents()
        self._takes: Mapping[type[Any], Callable[[Any], None]] = {
            Decided: counts.decided,
            Attempted: counts.attempted,
            Settled: self._settled,
            Judged: counts.judged,
            Drifted: incidents.drifted,
        }

    def watch(self, router: Router) -> None:
        """Reads off that router from now on what is learned, what is left of budgets, and who can be called."""
        self._router = router
        self._counts.worth_of = lambda decision: router.learner.decider.worth(decision)

    def notify(self, event: Event) -> None:
        """Counts an event."""
        self._takes.get(type(event), self._incidents.take)(event)

    def readings(self) -> Iterator[Readings]:
        """What every metric shows now; those of the router's state only while one is watched."""
        yield Readings(INFO, [((__version__,), 1)])
        yield from told.readings(self._counts, self._provider_of)
        yield from self._incidents.readings()
        if self._router is not None:
            yield from _state(self._router, self._clock())

    def _settled(self, event: Settled) -> None:
        self._counts.settled(event)
        self._incidents.settled(event)

    def _provider_of(self, model: str) -> str:
        """A model's provider; empty where it is not known (any more)."""
        if self._router is None or model not in self._router.catalog:
            return ""
        return self._router.catalog[model].provider


def _state(router: Router, now: float) -> Iterator[Readings]:
    learner = router.learner
    decider, paces = learner.decider, learner.decider.paces
    yield from budgets.readings(decider, learner.ledger, paces, now)
    yield from learned.readings(decider)
    yield from delivering.readings(router.works, now)
    yield from steered.readings(decider, learner.switches.values, paces, now)
