"""When one attempt is out of time, and by which of its limits. Instants of the event loop's clock; no clock here."""

from __future__ import annotations

from typing import NamedTuple

from banditroute.delivery.settings import Timeouts
from banditroute.errors import TimedOutError


class Limit(NamedTuple):
    """An instant, and which limit it comes from: first_token, between_chunks, total or deadline.

    A deadline is the caller's own and says nothing of the provider.
    """

    at: float
    phase: str

    def error(self, waited_s: float) -> TimedOutError:
        """The error of having passed it."""
        return TimedOutError(self.phase, waited_s)


class Limits:
    """The limits of one attempt that was dispatched at an instant."""

    __slots__ = ("_between_chunks_s", "end", "first", "started")

    def __init__(self, started: float, timeouts: Timeouts, deadline: float) -> None:
        self.started = started
        self._between_chunks_s = timeouts.between_chunks_s
        self.end = Limit(deadline, "deadline")
        """The end of the whole reply."""
        if started + timeouts.total_s < deadline:
            self.end = Limit(started + timeouts.total_s, "total")
        self.first = self._within(started + timeouts.first_token_s, "first_token")
        """The first content of a stream, or the head of a whole reply."""

    def next(self, quiet_since: float) -> Limit:
        """The next content of a stream whose last came, or was first waited for, at an instant."""
        return self._within(quiet_since + self._between_chunks_s, "between_chunks")

    def _within(self, at: float, phase: str) -> Limit:
        return Limit(at, phase) if at < self.end.at else self.end
