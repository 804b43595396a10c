"""Several observers as one: what one does wrong neither reaches the router nor keeps the others from hearing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from banditroute.observe import Event, Observer

OnFailure = Callable[[Observer, Event, Exception], None]
"""Is told which observer failed, at which event, and how."""

_LOG = logging.getLogger("banditroute.telemetry")


class Observers:
    """An observer that tells others, in order.

    Args:
        observers: the others.
        on_failure: is told of those that raise; None = the first failure of each is logged.
    """

    def __init__(self, *observers: Observer, on_failure: OnFailure | None = None) -> None:
        self._observers = observers
        self._on_failure = self._log_once if on_failure is None else on_failure
        self._logged: set[int] = set()

    def notify(self, event: Event) -> None:
        """Tells everybody."""
        for observer in self._observers:
            try:
                observer.notify(event)
            except Exception as error:  # noqa: BLE001 - an edge: whoever watches must not break what is watched
                self._on_failure(observer, event, error)

    def _log_once(self, observer: Observer, event: Event, error: Exception) -> None:
        """Logs a failure; not every one of them, for there may be as many as requests."""
        if id(observer) not in self._logged:
            self._logged.add(id(observer))
            where = f"{type(observer).__name__} failed at {type(event).__name__}"
            _LOG.error("%s; its next failures are not logged", where, exc_info=error)
