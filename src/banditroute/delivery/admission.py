"""Who may call a provider now: a place among its concurrent calls and a key, or a wait in line for both."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping

from banditroute.delivery.keys import Key, KeyRing
from banditroute.errors import KeyRefusedError, RateLimitedError, TimedOutError

_NONE: frozenset[str] = frozenset()
_LONGEST_SLEEP_S = 60.0


class Admission:
    """The door to one provider: who may not pass at once stands in line, first come, first served.

    Waiting is bounded: by the caller's deadline for a place, and by `longest_wait_s` as well for a key whose rate limit
    is used up. A place is handed over by the call that leaves, so that no newcomer can slip in between.
    """

    def __init__(
        self, keys: KeyRing, *, max_concurrent: int, longest_wait_s: float, clock: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._max_concurrent = max_concurrent
        self._longest_wait_s = longest_wait_s
        self._clock = clock
        self._line: deque[_Place] = deque()
        self.in_flight = 0

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return len(self._line)

    async def enter(self, model: str, deadline: float, but: frozenset[str] = _NONE) -> Key:
        """A key to call with, once there is room; give it to `leave` when the call has ended.

        Args:
            model: what is asked, by its upstream name.
            deadline: instant of the event loop's clock at which the wait is over.
            but: labels of keys that are not wanted.

        Raises:
            RateLimitedError: every key waits for longer than is worth waiting.
            KeyRefusedError: every key is out of use.
            TimedOutError: the deadline passed in line.
        """
        key = self._admit(model, but)
        return await self._queue(model, deadline, but) if key is None else key

    def leave(self, key: Key, model: str) -> None:
        """Ends a call; who waits longest and may pass is next."""
        self.in_flight -= 1
        self._keys.give_back(key.label, model)
        if self._line:
            self._hand_over()

    def recheck(self) -> None:
        """Makes everyone in line see whether waiting is still of use; call it when a key stops being usable."""
        for place in self._line:
            place.settle(None)

    def _admit(self, model: str, but: frozenset[str]) -> Key | None:
        if self.in_flight >= self._max_concurrent:
            return None
        key = self._keys.pick(self._clock(), model, but=but)
        if key is not None:
            self.in_flight += 1
            self._keys.take(key.label, model)
        return key

    def _hand_over(self) -> None:
        passed_over: list[_Place] = []
        while self._line and self.in_flight < self._max_concurrent:
            place = self._line.popleft()
            if place.key.done():
                continue
            key = self._admit(place.model, place.but)
            if key is None:
                passed_over.append(place)
            else:
                place.settle(key)
        self._line.extendleft(reversed(passed_over))

    async def _queue(self, model: str, deadline: float, but: frozenset[str]) -> Key:
        loop = asyncio.get_running_loop()
        since = now = loop.time()
        while now < deadline:
            wait_s = self._worthwhile_wait_s(model, but, min(deadline, since + self._longest_wait_s) - now)
            key = await self._stand_in_line(model, but, min(deadline, now + wait_s)) or self._admit(model, but)
            if key is not None:
                return key
            now = loop.time()
        raise TimedOutError("queue", now - since)

    def _worthwhile_wait_s(self, model: str, but: frozenset[str], patience_s: float) -> float:
        """Seconds after which to look again even if nobody leaves."""
        now = self._clock()
        wait_s = self._keys.usable_at(now, model, but=but) - now
        if wait_s == math.inf:
            raise KeyRefusedError("no key may be used: " + _listed(self._keys.out_of_use))
        if wait_s > patience_s:
            raise RateLimitedError("every key waits for its rate limit", retry_after_s=wait_s)
        loaded_s = self._keys.usable_at(now, model, but=but, loaded=True) - now
        return min(loaded_s, _LONGEST_SLEEP_S) if loaded_s > 0.0 else _LONGEST_SLEEP_S

    async def _stand_in_line(self, model: str, but: frozenset[str], until: float) -> Key | None:
        """The key that a leaving call handed over; None where the time came first."""
        loop = asyncio.get_running_loop()
        place = _Place(model, but, loop.create_future())
        self._line.append(place)
        timer = loop.call_at(until, place.settle, None)
        try:
            return await place.key
        except asyncio.CancelledError:
            if (key := place.granted) is not None:
                self.leave(key, model)  # handed over in the very moment of cancellation: pass it on
            raise
        finally:
            timer.cancel()
            if place in self._line:
                self._line.remove(place)


class _Place:
    """One call in line."""

    __slots__ = ("but", "key", "model")

    def __init__(self, model: str, but: frozenset[str], key: asyncio.Future[Key | None]) -> None:
        self.model = model
        self.but = but
        self.key = key

    @property
    def granted(self) -> Key | None:
        return self.key.result() if self.key.done() and not self.key.cancelled() else None

    def settle(self, key: Key | None) -> None:
        if not self.key.done():
            self.key.set_result(key)


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{label}: {reason}" for label, reason in reasons.items())
