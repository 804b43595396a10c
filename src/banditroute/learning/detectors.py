"""The detectors of one signal for replications side by side: one for every edge, and one for every model as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .drift import Climb, Vigilance, fading, fell, moved, stepped
from .evidence import Evidence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SIGNS = np.array([1.0, -1.0])
_LONG_AGO = -(2**40)


class Change(NamedTuple):
    """A change that was detected.

    Attributes:
        replication: in which.
        task: class of the edge that changed; None = the model as a whole.
        arm: the model.
        shift: how far its signal has moved, in its own unit.
        seen: observations since it began to.
    """

    replication: int
    task: int | None
    arm: int
    shift: float
    seen: float


class Detectors:
    """Watches one signal of R replications, each with C classes and K models.

    Args:
        axes: (R, C, K).
        settings: constants.
    """

    def __init__(self, axes: tuple[int, int, int], settings: Vigilance) -> None:
        replications, classes, models = axes
        self.settings = settings
        self._whole = classes
        self._every = np.arange(replications)
        self._climb = Climb(*(np.zeros((replications, classes + 1, models, 2)) for _ in Climb._fields))
        self._fell_at = np.full((replications, models), _LONG_AGO)
        self._now = 0

    def take(self, task: Ints, arm: Ints, residual: Floats, sd: Floats) -> list[Change]:
        """The changes that come to light with one observation for each replication (R,); nan = none.

        A change of a whole model is told as that alone, not of its edges too.
        """
        changes: list[Change] = []
        for row in (np.full_like(task, self._whole), task):
            where = (self._every, row, arm)
            before = Climb(*(part[where] for part in self._climb))
            after = stepped(before, residual[:, None], sd[:, None], _SIGNS, self.settings)
            heard = np.isfinite(residual)[:, None]
            for part, old, new in zip(self._climb, before, after, strict=True):
                part[where] = np.where(heard, new, old)
            whole = row[0] == self._whole
            over = (after.height > (self.settings.threshold if whole else self.settings.edge_threshold)) & heard
            if over.any():
                changes += self._changes(row, arm, after, over)
        return changes

    def tick(self) -> Bools | None:
        """One more request is over; (R, K) models whose evidence is to fade a little now, None = those of none."""
        self._now += 1
        if self._now % self.settings.probe_every:
            return None
        on_probation = self._now - self._fell_at < self.settings.probation_requests
        return on_probation if on_probation.any() else None

    def _changes(self, row: Ints, arm: Ints, climb: Climb, over: Bools) -> Iterator[Change]:
        """The changes of this observation; their detectors begin anew."""
        for r, direction in zip(*np.nonzero(over), strict=True):
            where = slice(None) if row[r] == self._whole else row[r]
            if self._climb.seen[r, row[r], arm[r], direction] == 0:
                continue
            task = None if row[r] == self._whole else int(row[r])
            yield Change(int(r), task, int(arm[r]), float(climb.shift[r, direction]), float(climb.seen[r, direction]))
            for part in self._climb:
                part[r, where, arm[r]] = 0.0
            self._fell_at[r, arm[r]] = self._now if fell(float(climb.shift[r, direction]), self.settings) else _LONG_AGO


def apply(change: Change, evidence: Evidence, settings: Vigilance) -> None:
    """Moves what was learned of the edges that changed, in place."""
    r, arm = change.replication, slice(change.arm, change.arm + 1)
    tasks = slice(None) if change.task is None else slice(change.task, change.task + 1)
    edges = (r, tasks, arm)
    new = moved(Evidence(*(part[edges] for part in evidence)), change.shift, change.seen, settings)
    for part, values in zip(evidence, new, strict=True):
        part[edges] = values


def fade(evidence: Evidence, on_probation: Bools, settings: Vigilance) -> None:
    """Lets what is known of models on probation (R, K) fade a little, in place."""
    factor = np.where(on_probation, fading(evidence.n.sum(-2), settings), 1.0)[..., None, :]
    for part, trailing in zip(evidence, (2, 1, 0, 0), strict=True):
        part *= factor[(..., *([None] * trailing))]
