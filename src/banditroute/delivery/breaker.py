"""A circuit breaker: a model that keeps failing is left alone for a while, then tried with one call at a time."""

from __future__ import annotations

from collections import deque
from typing import Literal

from banditroute.errors import (
    BrokenEmbeddingsError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    UnfitError,
)

from .settings import Breaking

State = Literal["closed", "open", "half_open"]

PROBE_LIMIT_S = 120.0
"""Seconds after which a probe that has not reported is given up, so that a lost one cannot bar a model for good."""

_OWN_LIMITS = frozenset({"deadline", "queue"})
_NOT_THE_MODELS = (UnfitError, RejectedError, RateLimitedError, BrokenEmbeddingsError)


def counts_against(error: ProviderError) -> bool:
    """Whether a failure speaks against the model.

    A request that cannot be served does not; a rate limit is the key's affair; a server that answers but has no
    embeddings to give may chat well; and a limit of the caller's own, however short, must not cool a model that is
    healthy and slow.
    """
    if isinstance(error, TimedOutError):
        return error.phase not in _OWN_LIMITS
    return not isinstance(error, _NOT_THE_MODELS)


class Breaker:
    """One model's circuit: closed while it answers, open while it is left alone, half-open while one call tries it.

    Calls that began before the circuit opened say nothing about now: unless it is closed, only a probe's outcome moves
    it, and of probes that were overtaken by another only their success. Knocks at its provider time the probes: while
    they are not answered there is no point in one, and once they are again there is no point in waiting. No clock:
    `now` is seconds on any one clock.
    """

    __slots__ = (
        "__weakref__",
        "_availability",
        "_failures",
        "_hearsay",
        "_open_s",
        "_outcomes",
        "_probe",
        "_probe_until",
        "_probes",
        "_row",
        "_settings",
        "_shut",
        "_shut_until",
        "_state",
        "_until",
        "_why",
    )

    def __init__(self, settings: Breaking) -> None:
        self._settings = settings
        self._state: State = "closed"
        self._outcomes: deque[bool] = deque(maxlen=settings.window)
        self._failures = 0  # among the outcomes
        self._row = 0  # failures since the last success
        self._open_s = settings.open_s
        self._until = 0.0  # when it may be tried, while it is open
        self._probes = 0  # that have been made
        self._probe = 0  # the number of the one that is out; 0 = none is
        self._probe_until = 0.0  # when it is given up
        self._shut = False  # the last knock was not answered
        self._shut_until = 0.0  # when it may be tried all the same: a server may be one that answers no knocks
        self._why = ""
        self._hearsay = False  # it is open because others say so
        self._availability = 1.0

    @property
    def state(self) -> State:
        """Closed, open, or half-open: what an open one becomes once a call tries it."""
        return self._state

    @property
    def why(self) -> str:
        """What opened it, as "5 failures in a row (ServerFailedError)"; empty where it is closed."""
        return self._why

    @property
    def availability(self) -> float:
        """Share of calls that were answered, the latest window's worth counting most."""
        return self._availability

    @property
    def retry_at(self) -> float | None:
        """Instant from which a call may try it; None where it is closed."""
        return None if self._state == "closed" else self._until

    @property
    def found_out(self) -> bool:
        """Whether it is not closed, and that was found out here."""
        return self._state != "closed" and not self._hearsay

    def told(self, until: float, why: str) -> None:
        """Others found that the model does not answer: it is left alone until then, and nobody here finds out again."""
        if self._state == "closed" or (self._hearsay and self._state == "open"):
            self._state, self._hearsay = "open", True
            self._until, self._why = until, why

    def untold(self) -> None:
        """Others no longer say so."""
        if self._hearsay and self._state != "closed":
            self._close()

    def waits_for_knock(self, now: float) -> bool:
        """Whether it may not be tried because its provider does not answer."""
        return self._shut and now < self._shut_until

    def follow(self, settings: Breaking) -> None:
        """Goes by other settings from now on; where it stands, it stays."""
        self._settings = settings
        self._outcomes = deque(self._outcomes, maxlen=settings.window)
        self._failures = sum(not answered for answered in self._outcomes)

    def refusal(self, now: float) -> str | None:
        """Why the model may not be called now; None where it may."""
        if self._state == "closed":
            return None
        if now < self._until:
            return f"circuit open for another {self._until - now:.1f} s after {self._why}"
        if self.waits_for_knock(now):
            return f"circuit open until its provider answers again, after {self._why}"
        if self._probe and now < self._probe_until:
            return f"being probed after {self._why}"
        return None

    def begin(self, now: float) -> int:
        """Takes note of a call that is made; the number of the probe, whose outcome decides, or 0 where it is none."""
        if self._state == "closed" or self.refusal(now) is not None:
            return 0
        self._state = "half_open"
        self._probes += 1
        self._probe, self._probe_until = self._probes, now + PROBE_LIMIT_S
        return self._probe

    def knocked(self, now: float, answered: bool) -> None:
        """Its provider was asked whether it is there; that it is after it was not calls for a probe at once."""
        if self._state == "closed":
            return
        if answered and self._shut:
            self._until = min(self._until, now)
            self._probe = 0  # one that is out may have met the closed door, and wait for its time limit
        self._shut = not answered

    def succeeded(self, probe: int) -> None:
        """A call was answered; probe is what its beginning said."""
        self._availability += (1.0 - self._availability) / self._settings.window
        if self._state == "closed":
            self._row = 0
            self._add(True)
        elif probe and self._state == "half_open":
            self._close()

    def failed(self, now: float, why: str, probe: int) -> None:
        """A call failed in a way that counts against the model; why names it."""
        self._availability -= self._availability / self._settings.window
        if self._state == "closed":
            self._row += 1
            self._add(False)
            self._open_if_due(now, why)
        elif probe and probe == self._probe:
            self._open_s = min(2.0 * self._open_s, self._settings.most_open_s)
            self._open(now, f"a failed probe ({why})")

    def abandoned(self, probe: int) -> None:
        """A call ended without telling anything; where it was the probe that is out, the next call is one."""
        if probe == self._probe:
            self._probe = 0

    def _add(self, answered: bool) -> None:
        outcomes = self._outcomes
        if len(outcomes) == outcomes.maxlen and not outcomes[0]:
            self._failures -= 1
        outcomes.append(answered)
        self._failures += not answered

    def _open_if_due(self, now: float, why: str) -> None:
        attempts = len(self._outcomes)
        if self._row >= self._settings.consecutive:
            self._open(now, f"{self._row} failures in a row ({why})")
        elif attempts == self._outcomes.maxlen and self._failures >= self._settings.rate * attempts:
            self._open(now, f"{self._failures} failures in {attempts} attempts ({why})")

    def _open(self, now: float, why: str) -> None:
        self._state, self._hearsay = "open", False
        self._until = now + self._open_s
        self._shut_until = now + self._settings.most_open_s
        self._probe = 0
        self._why = why

    def _close(self) -> None:
        self._state, self._hearsay = "closed", False
        self._open_s = self._settings.open_s
        self._probe = 0
        self._shut = False
        self._why = ""
        self._row = self._failures = 0
        self._outcomes.clear()
