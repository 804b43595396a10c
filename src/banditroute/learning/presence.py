"""Who is there to serve: tells a model that went away, or came back, from a request that it merely did not suit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

_SETTLED = 4  # requests in a row with the same models eligible


class Presence:
    """The models that serve, for replications side by side (none when live)."""

    def __init__(self) -> None:
        self._last: Bools | None = None
        self._is_quiet = False  # the same models have been eligible for long
        self._serving: Bools
        self._known: Bools
        self._run: NDArray[np.int64]

    def changed(self, eligible: Bools) -> Bools | None:
        """The models (..., K) that had served and went away for good, or came back, by this request; None = none.

        A model that enters for the first time does not count: nobody knows yet what it changes.

        Args:
            eligible: (..., K) models that may serve the request.
        """
        if self._last is None:
            self._last, self._serving, self._known = eligible, eligible, eligible
            self._run = np.ones(eligible.shape[:-1], dtype=np.int64)
            return None
        if self._is_quiet and eligible is self._last:
            return None
        same = eligible is self._last or bool((eligible == self._last).all())
        self._run = self._run + 1 if same else np.where((eligible == self._last).all(-1), self._run + 1, 1)
        self._last = eligible
        settled, self._is_quiet = self._run == _SETTLED, bool((self._run > _SETTLED).all())
        return self._settle(eligible, settled) if settled.any() else None

    def _settle(self, eligible: Bools, settled: Bools) -> Bools | None:
        changed = settled[..., None] & (eligible != self._serving) & self._known
        self._serving = np.where(settled[..., None], eligible, self._serving)
        self._known = self._known | (settled[..., None] & eligible)
        return changed if changed.any() else None
