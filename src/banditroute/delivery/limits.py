"""When one attempt is out of time, and by which of its limits. Instants of the event loop's clock; no clock here."""

from __future__ import annotations

from typing import NamedTuple

from banditroute.delivery.settings import Timeouts
from banditroute.errors import TimedOutError


class Limit(NamedTuple):
    """An instant, which limit it comes from, and since when that runs.

    The limits are whole, first_token, between_chunks, total and deadline; the last is the caller's own and says nothing
    of the provider.
    """

    at: float
    phase: str
    since: float

    def error(self, now: float) -> TimedOutError:
        """The error of having passed it."""
        return TimedOutError(self.phase, now - self.since)


class Limits:
    """The limits of one attempt that was dispatched at an instant.

    Attributes:
        started: the instant.
        whole: the limit for a reply that is no stream.
        first: the limit for the first content of a stream.
        end: the limit for the end of either.
    """

    __slots__ = ("_between_chunks_s", "end", "first", "started", "whole")

    def __init__(self, started: float, timeouts: Timeouts, deadline: float) -> None:
        self.started = started
        self._between_chunks_s = timeouts.between_chunks_s
        total = Limit(started + timeouts.total_s, "total", started)
        self.end = total if total.at < deadline else Limit(deadline, "deadline", started)
        self.whole = self._within(Limit(started + timeouts.whole_s, "whole", started))
        self.first = self._within(Limit(started + timeouts.first_token_s, "first_token", started))

    def next(self, quiet_since: float) -> Limit:
        """The limit for the next content of a stream whose last came at an instant."""
        return self._within(Limit(quiet_since + self._between_chunks_s, "between_chunks", quiet_since))

    def _within(self, limit: Limit) -> Limit:
        return limit if limit.at < self.end.at else self.end
