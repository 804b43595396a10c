"""Bringing a cheap grader's grades onto the scale of an expensive one, from answers that both have graded.

Isotonic regression (Barlow et al. 1972): the monotone map that fits the shared grades best, drawn towards the identity
while they are few.
"""

from __future__ import annotations

from collections import deque

import numpy as np

_KEPT = 1_000
_PRIOR = 20.0  # shared grades that the identity counts as
_LEAST = 5


class Calibration:
    """Learns the map from grades of answers that both graders have graded; the newest thousand count."""

    def __init__(self) -> None:
        self._shared: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._steps: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def shared(self) -> int:
        """How many grades it has learned from."""
        return len(self._shared)

    def add(self, cheap: float, expensive: float) -> None:
        """Takes in the two graders' grades of one answer."""
        self._shared.append((cheap, expensive))
        self._steps = None

    def apply(self, cheap: float) -> float:
        """What the expensive grader may be expected to say, in [0, 1]."""
        if len(self._shared) < _LEAST:
            return cheap
        if self._steps is None:
            self._steps = self._fitted()
        trust = len(self._shared) / (len(self._shared) + _PRIOR)
        fitted = float(np.interp(cheap, *self._steps))
        return trust * fitted + (1.0 - trust) * cheap

    def error(self) -> tuple[float, float]:
        """Mean absolute error against the expensive grader, uncalibrated and calibrated; the latter in five folds.

        Raises:
            ValueError: fewer than ten shared grades.
        """
        if len(self._shared) < 10:
            raise ValueError("fewer than ten shared grades")
        pairs = np.array(self._shared)
        folds = np.arange(len(pairs)) % 5
        found = np.empty(len(pairs))
        for fold in range(5):
            other = Calibration()
            for cheap, expensive in pairs[folds != fold]:
                other.add(float(cheap), float(expensive))
            found[folds == fold] = [other.apply(float(cheap)) for cheap in pairs[folds == fold, 0]]
        return float(np.abs(pairs[:, 0] - pairs[:, 1]).mean()), float(np.abs(found - pairs[:, 1]).mean())

    def _fitted(self) -> tuple[np.ndarray, np.ndarray]:
        from scipy.optimize import isotonic_regression  # 20 MB and a sixth of a second, which few routers have use for

        pairs = np.array(sorted(self._shared))
        levels, of = np.unique(pairs[:, 0], return_inverse=True)
        counts = np.bincount(of)
        means = np.bincount(of, pairs[:, 1]) / counts
        return levels, isotonic_regression(means, weights=counts).x
