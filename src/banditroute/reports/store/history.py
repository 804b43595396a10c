"""What a log says of the time it spans: traffic, dollars, answers and judgements, by bin and by model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.evaluation.results import Z95
from banditroute.reports.store.sources import SourceView

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What one model did.

    Attributes:
        model: its name.
        chosen: decisions that chose it; served: answers that it gave; stood_in: those of them that another was chosen
            for; failed: calls of it that failed.
        spent_usd: dollars of the requests that it answered.
        judged: answers that were judged; quality: the mean of their judgements, nan where there are none.
        latency_p50_s: median seconds to the whole answer; latency_p95_s: what 95% stayed below; nan likewise.
    """

    model: str
    chosen: int
    served: int
    stood_in: int
    failed: int
    spent_usd: float
    judged: int
    quality: float
    latency_p50_s: float
    latency_p95_s: float

    @property
    def usd_per_answer(self) -> float:
        """Mean dollars of a request that it answered; nan where there is none."""
        return self.spent_usd / self.served if self.served else math.nan


@dataclass(frozen=True, slots=True)
class History:
    """A log, summed up; judges' calls count in `judging_usd` and `sources` alone.

    Attributes:
        start_at: when the first bin begins, seconds since the epoch; bin_s: how long a bin is.
        requests: (T,) decisions by bin; answered: (T,) those with an outcome; failed: (T,) of them, without an answer.
        spent_usd: (T,) dollars of answering; judging_usd: (T,) dollars of judging.
        judged: (T,) decisions that were judged; quality: (T,) mean of their judgements, nan where there are none.
        served: (T, K) answers by model.
        models: (K,) from cheap to dear by dollars an answer, those that never answered last.
        shares: for each task class, the answers of each model.
        sources: who judged.
    """

    start_at: float
    bin_s: float
    requests: Ints
    answered: Ints
    failed: Ints
    spent_usd: Floats
    judging_usd: Floats
    judged: Ints
    quality: Floats
    served: Ints
    models: tuple[ModelRecord, ...]
    shares: Mapping[str, Mapping[str, int]]
    sources: tuple[SourceView, ...]

    @property
    def mean_quality(self) -> float:
        """Over all judged decisions; nan where nobody judged."""
        total = int(self.judged.sum())
        return float(np.nansum(self.quality * self.judged)) / total if total else math.nan

    @property
    def usd_per_request(self) -> float:
        """Dollars of answering over decisions with an outcome; nan where there are none."""
        total = int(self.answered.sum())
        return float(self.spent_usd.sum()) / total if total else math.nan

    def quality_ends(self) -> tuple[Floats, Floats]:
        """Both ends (T,) of the 95% interval of each bin's mean quality, nan where nobody judged."""
        return wilson(self.quality, self.judged)


def wilson(mean: Floats, number: Ints) -> tuple[Floats, Floats]:
    """Both ends of the 95% interval of means of numbers in [0, 1] (Wilson, 1927).

    Exact in spirit where the numbers are 0 or 1, and too wide where they lie between.
    """
    n = np.asarray(number, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z2n = Z95**2 / n
        middle = (mean + z2n / 2) / (1 + z2n)
        half = Z95 / (1 + z2n) * np.sqrt(mean * (1 - mean) / n + z2n / (4 * n))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
