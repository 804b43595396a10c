"""The policies that a log is asked about, as the probabilities that they would have drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError, meant
from banditroute.simulation.values import printable

from .log import LogTable, one_hot

Floats = NDArray[np.float64]


class TargetPolicy(Protocol):
    """A policy that might have served the traffic of a log."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    def propensities(self, log: LogTable) -> Floats:
        """(n, K) probabilities with which it would have drawn each model, 0 where not eligible; rows sum to one.

        A row of nan is one that it did not decide on.

        Raises:
            InputError: it cannot decide on this log's traffic.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always one model; where that was not eligible, whatever the logging policy drew."""

    model: str

    @property
    def name(self) -> str:
        """As people type it."""
        return f"fixed:{self.model}"

    def propensities(self, log: LogTable) -> Floats:
        """Ones at the model.

        Raises:
            InputError: no decision of the log could have drawn it.
        """
        if self.model not in log.models:
            remedy = f"{meant(self.model, log.models)}choose from: {', '.join(map(printable, log.models))}"
            raise InputError(f"the log has no model {self.model!r}", remedy=remedy, field="--policy")
        arm = log.models.index(self.model)
        able = log.eligible[:, arm]
        return np.where(able[:, None], one_hot(np.full(log.rows, arm), len(log.models)), logging_propensities(log))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every eligible model with the same chance."""

    @property
    def name(self) -> str:
        """As people type it."""
        return "uniform"

    def propensities(self, log: LogTable) -> Floats:
        """Even over the eligible models."""
        return log.eligible / log.eligible.sum(1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Given:
    """A policy known by its probabilities on this very log, such as one that decided in its shadow.

    Attributes:
        name: what to call it.
        p: (n, K).
    """

    name: str
    p: Floats

    def propensities(self, log: LogTable) -> Floats:
        """Those given.

        Raises:
            ValueError: they are of another log.
        """
        if self.p.shape != log.eligible.shape:
            raise ValueError(f"{self.p.shape} probabilities for a log of {log.eligible.shape}")
        return self.p


def logging_propensities(log: LogTable) -> Floats:
    """(n, K) what the log was drawn from; where only the chosen model's is known, the rest is spread evenly.

    Where nothing was drawn, the chosen model has all of it.
    """
    known = np.isfinite(log.propensities).all(1)
    chosen = one_hot(log.chosen, len(log.models))
    p = np.expand_dims(np.where(log.drawn, log.propensity, 1.0), 1)
    others = log.eligible & (chosen == 0.0)
    spread = chosen * p + others * (1.0 - p) / np.maximum(others.sum(1, keepdims=True), 1)
    return np.where(np.expand_dims(known, 1), np.nan_to_num(log.propensities), spread)
