"""Models that enter while others are in use, on arrays: who they are, and what their rollout makes of each choice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .posterior import Posterior
from .rollout import RolloutSettings, bent, compared, shown_by, surely_worse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Priced = Callable[[Floats], Floats]
"""Quality points (..., C, K) that each model's dollars are worth, at inputs (..., C, X) of each class."""


class Newcomers:
    """The newcomers of R replications, all launched at once; rolled back in each by its own evidence.

    Args:
        replications: R; models: K.
        settings: how they are rolled out.
    """

    def __init__(self, replications: int, models: int, settings: RolloutSettings) -> None:
        self._settings = settings
        self._young = np.zeros(models, dtype=bool)
        self._rolled_back = np.zeros((replications, models), dtype=bool)

    def __bool__(self) -> bool:
        return bool(self._young.any())

    @property
    def arms(self) -> list[int]:
        """Who they are."""
        return np.flatnonzero(self._young).tolist()

    @property
    def rolled_back(self) -> Bools:
        """(R, K) models that lost the benefit of the doubt."""
        return self._rolled_back

    def welcome(self, arm: int) -> None:
        """A model enters."""
        self._young[arm] = True

    def bend(self, eligible: Bools, worth: Floats, cost_share: Floats, pulls: Floats) -> tuple[Bools, Floats]:
        """The models that may be drawn, and the least probability of each, the others too; all (R, K)."""
        barred, floor = bent(self._young, self._rolled_back, pulls, eligible, worth, cost_share, self._settings)
        return eligible & ~barred, floor

    def review(self, evidence: Evidence, quality: Posterior, priced: Priced, others: Bools, pulls: Floats) -> None:
        """Rolls back whoever is surely worse, and takes back whoever is so no longer.

        Args:
            evidence: of quality, over (R, C, K) edges.
            quality: its posterior.
            priced: what dollars are worth.
            others: (R, K) models to compare with, newcomers among them or not.
            pulls: (R, K) requests that each model had.
        """
        for arm in self.arms:
            found = compared(shown_by(arm, evidence, quality, priced, others & ~self._young), self._settings)
            watched = pulls[:, arm] < self._settings.watched_requests
            self._rolled_back[:, arm] = watched & surely_worse(found, self._rolled_back[:, arm], self._settings)
