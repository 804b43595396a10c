"""How many requests are still to come in a day or month: by the curve of the one before, or else by the rate so far.

Requests are counted by slots of the window: hours of a day, days of a month. What is to come is what came after this
time of the window before, times how much busier this one has been so far. The clock is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from .budgets import Per
from .windows import period_at, period_named

SLOT_S: Mapping[Per, float] = {"day": 3_600.0, "month": 86_400.0}
"""Seconds of one slot: 24 of them make a day, 28 to 31 a month."""

_BELIEVED = 0.1  # of the requests of the window before: what its level weighs against what came in this one so far
_FIRST_S = 60.0  # where nothing is known, one request a minute is expected, for as much as one request counts
_LEAST_SEEN = 0.25  # of a slot: one that was watched for less says nothing of its rate
_MOST, _LEAST = 2.0, 0.5  # how far an allowance may be from the even rate


class Forecast(NamedTuple):
    """How many requests a window has.

    Attributes:
        so_far: those that came since it is watched; to_come: those expected until its end, at least one.
    """

    so_far: float
    to_come: float


def allowance_usd(total_usd: float, left_usd: float, forecast: Forecast) -> float:
    """Dollars per request that make what is left of a window last, within half and twice the even rate; above 0.

    Args:
        total_usd: what the window allows in all.
        left_usd: what of that is not spent yet.
        forecast: of the requests that it has.
    """
    even = total_usd / (forecast.so_far + forecast.to_come)
    return min(max(left_usd / forecast.to_come, _LEAST * even), _MOST * even)


def spend_by_end(spent_usd: float, total_usd: float, forecast: Forecast) -> float:
    """Dollars that a window will have cost by its end, if requests go on to cost what they did in it so far.

    Args:
        spent_usd: what it has cost so far.
        total_usd: what it allows in all.
        forecast: of the requests that it has.
    """
    projected = spent_usd * (1.0 + forecast.to_come / max(forecast.so_far, 1.0))
    return max(min(projected, total_usd), spent_usd)


class Curve:
    """The requests of one window by slots, for as long as it was watched.

    Args:
        period: the window's name.
        starts_at: its first instant; ends_at: its end; seconds since the epoch.
        slot_s: seconds of a slot.
        since_s: seconds from its start at which the watch began.
        counts: requests of its slots so far.
    """

    __slots__ = ("_head", "_latest", "_slot_s", "counts", "ends_at", "period", "requests", "since_s", "starts_at")

    def __init__(
        self, period: str, starts_at: float, ends_at: float, slot_s: float, since_s: float, counts: Sequence[int] = ()
    ) -> None:
        self.period = period
        self.starts_at = starts_at
        self.ends_at = ends_at
        self.since_s = since_s
        self._slot_s = slot_s
        self.counts = [*counts, *(0,) * (self._slots - len(counts))][: self._slots]
        self.requests = sum(self.counts)
        self._latest = max((slot for slot, count in enumerate(self.counts) if count), default=0)
        self._head = ""  # the text up to the latest slot, which alone changes from request to request

    @classmethod
    def opened(cls, per: Per, now: float) -> Curve:
        """That of the window that an instant falls in, watched from then on."""
        period = period_at(per, now)
        return cls(period.name, period.starts_at, period.ends_at, SLOT_S[per], now - period.starts_at)

    @classmethod
    def read(cls, per: Per, text: str) -> Curve | None:
        """The curve that a text holds; None where it holds none, as after a cap's period was changed."""
        name, *numbers = text.split(" ")
        period = period_named(per, name)
        try:
            since_s, *counts = map(int, numbers)
        except ValueError:
            return None
        if period is None or min(counts, default=0) < 0:
            return None
        return cls(name, period.starts_at, period.ends_at, SLOT_S[per], float(since_s), counts)

    @property
    def text(self) -> str:
        """All of it in few letters: its period, since when it was watched, and the requests of its slots so far."""
        if not self._head:
            self._head = " ".join((self.period, f"{self.since_s:.0f}", *map(str, self.counts[: self._latest]), ""))
        return f"{self._head}{self.counts[self._latest]}"

    def count(self, now: float, requests: int = 1) -> None:
        """Takes in requests; a clock that is set back out of the window changes nothing."""
        slot = int((now - self.starts_at) // self._slot_s)
        if 0 <= slot < len(self.counts):
            self.counts[slot] += requests
            self.requests += requests
            if slot != self._latest:
                self._latest, self._head = max(slot, self._latest), ""

    def rates(self, slots: int) -> list[float]:
        """Requests of each slot of a window of so many, had it been watched throughout: the mean where it was not."""
        seen = [min(max(slot + 1 - self.since_s / self._slot_s, 0.0), 1.0) for slot in range(len(self.counts))]
        mean = self.requests / max(sum(seen), _LEAST_SEEN)
        known = [n / share if share >= _LEAST_SEEN else mean for n, share in zip(self.counts, seen, strict=True)]
        return [*known, *(mean,) * (slots - len(known))][:slots]

    @property
    def _slots(self) -> int:
        return round((self.ends_at - self.starts_at) / self._slot_s)


class Traffic:
    """Counts the requests of a cap, and says how many are to come in its window; it has no clock.

    Args:
        per: the cap's window.
    """

    def __init__(self, per: Per) -> None:
        self._per: Per = per
        self._now: Curve | None = None
        self._before: Curve | None = None
        self._expected: _Expected | None = None
        self._past = ""
        self._watching = True

    @property
    def requests(self) -> int:
        """Those that came in the current window since it is watched."""
        return 0 if self._now is None else self._now.requests

    @property
    def period(self) -> str:
        """The name of the current window; empty before the first request."""
        return "" if self._now is None else self._now.period

    @property
    def text(self) -> str:
        """All that is known, to go on from after a restart."""
        return "" if self._now is None else self._now.text + self._past

    def count(self, now: float, requests: int = 1) -> None:
        """Takes in one request, or several."""
        self._at(now).count(now, requests)

    def forecast(self, now: float) -> Forecast:
        """How many requests the current window has."""
        curve = self._at(now)
        if self._expected is None:
            elapsed_s, left_s = now - curve.starts_at - curve.since_s, curve.ends_at - now
            to_come = (curve.requests + 1) / (max(elapsed_s, 0.0) + _FIRST_S) * left_s
        else:
            to_come = self._expected.to_come(curve, now)
        return Forecast(curve.requests, max(to_come, 1.0))

    def resume(self, text: str) -> None:
        """Goes on from where an earlier watch of the same cap stood; a text that says nothing of it changes nothing."""
        curves = [Curve.read(self._per, part) for part in text.split(";")]
        if curves[0] is None:
            return
        self._now, self._watching = curves[0], False
        self._remember(curves[1] if len(curves) > 1 else None)

    def _at(self, now: float) -> Curve:
        """The curve of the window that an instant falls in; a clock that is set back leaves it where it is."""
        if self._now is None:
            self._now = Curve.opened(self._per, now)
        elif now >= self._now.ends_at:
            ended, self._now = self._now, Curve.opened(self._per, now)
            if self._watching:
                self._now.since_s = 0.0  # from its start on, though nobody came until now
            if ended.requests:
                self._remember(ended)
        self._watching = True
        return self._now

    def _remember(self, before: Curve | None) -> None:
        assert self._now is not None, "there is a window that it came before"
        self._before = before
        self._past = "" if before is None else f";{before.text}"
        self._expected = None if before is None or not before.requests else _Expected(before, len(self._now.counts))


class _Expected:
    """What the window before says of the current one."""

    def __init__(self, before: Curve, slots: int) -> None:
        self._seen = before.requests
        self._until = [0.0, *accumulate(before.rates(slots))]

    def to_come(self, curve: Curve, now: float) -> float:
        """Requests from an instant to the window's end."""
        slots_s = (curve.ends_at - curve.starts_at) / (len(self._until) - 1)
        since, at = (self._by(s / slots_s) for s in (curve.since_s, now - curve.starts_at))
        weight = _BELIEVED * self._seen
        busier = (curve.requests + weight) / (max(at - since, 0.0) + weight)
        return busier * (self._until[-1] - at)

    def _by(self, slot: float) -> float:
        """Requests until a time of the window, counted in slots."""
        slot = min(max(slot, 0.0), len(self._until) - 1.0)
        whole = min(int(slot), len(self._until) - 2)
        low, high = self._until[whole], self._until[whole + 1]
        return low + (slot - whole) * (high - low)
