"""A policy that keeps to given shares of the models in each task class, such as those of another month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .log import LogTable
from .targets import logging_propensities

Floats = NDArray[np.float64]

_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Mix:
    """Draws each class's models in proportion to how often they were chosen elsewhere.

    A class without counts has those of all classes together. Models that were not eligible leave their share to the
    others in proportion; where none of the mix was, it does as the logging policy did.

    Attributes:
        name: what to call it.
        counts: by task class, how often each model was chosen.
    """

    name: str
    counts: Mapping[str, Mapping[str, int]]

    def propensities(self, log: LogTable) -> Floats:
        """(n, K) the shares among the eligible models."""
        overall = Counter[str]()
        for counts in self.counts.values():
            overall.update(counts)
        by_task = [[self.counts.get(task, overall).get(model, 0) for model in log.models] for task in log.tasks]
        p = np.array(by_task, dtype=np.float64)[log.task_of] * log.eligible
        total = p.sum(axis=1, keepdims=True)
        return np.where(total > 0.0, p / np.maximum(total, _LEAST), logging_propensities(log))

    def lost_share(self, log: LogTable) -> float:
        """The share of its choices that went to models which the log does not have."""
        total = sum(sum(counts.values()) for counts in self.counts.values())
        known = sum(
            number for counts in self.counts.values() for model, number in counts.items() if model in log.models
        )
        return 1.0 - known / total if total else 0.0
