"""How long to wait for a slow call before a second is made beside it."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from .settings import Hedging
from .share import RunningShare

_WINDOW = 512
_STALE = 32


class HedgeClock:
    """Knows how long each model's calls take, and how many may be hedged: never more than the share of all requests."""

    def __init__(self, settings: Hedging) -> None:
        self._settings = settings
        self._share = RunningShare(settings.share)
        self._recent: defaultdict[str, _Recent] = defaultdict(_Recent)

    def inherit(self, before: HedgeClock, same: Mapping[str, str]) -> None:
        """Knows of models what another one knew of them, under the name that each had there."""
        for model, name in same.items():
            if name in before._recent:
                self._recent[model] = _Recent(before._recent[name].durations_s)

    def wait_s(self, model: str) -> float | None:
        """Seconds after which a call of the model is slow; None = do not hedge it.

        That is so where hedging is off, too few of the model's calls are known, or the share is used up.
        """
        if not self._share.available:
            return None
        recent = self._recent.get(model)
        if recent is None or len(recent.durations_s) < self._settings.least_calls:
            return None
        return recent.quantile_s(self._settings.quantile)

    def request(self) -> None:
        """Counts a request, whether or not it may be hedged."""
        self._share.request()

    def hedged(self) -> bool:
        """Whether the second call may be made, others having asked meanwhile; where it may, it counts as made."""
        return self._share.take()

    def seen(self, model: str, duration_s: float) -> None:
        """Takes in how long a call that answered took, from dispatch to what a hedge would wait for."""
        if self._settings.share > 0.0:
            self._recent[model].add(duration_s)


class _Recent:
    """One model's latest durations, and a quantile of them that is worked out anew every few calls."""

    __slots__ = ("_fresh", "_quantile_s", "durations_s")

    def __init__(self, known_s: Iterable[float] = ()) -> None:
        self.durations_s: deque[float] = deque(known_s, _WINDOW)
        self._fresh = 0
        self._quantile_s: float | None = None

    def add(self, duration_s: float) -> None:
        self.durations_s.append(duration_s)
        self._fresh += 1

    def quantile_s(self, quantile: float) -> float:
        """The least duration that at least this share of the calls stayed within."""
        if self._quantile_s is None or self._fresh >= _STALE:
            ordered = sorted(self.durations_s)
            self._quantile_s = ordered[max(math.ceil(quantile * len(ordered)) - 1, 0)]
            self._fresh = 0
        return self._quantile_s
