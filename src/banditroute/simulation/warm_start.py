"""A warm start in a simulation: every outcome of another table, as evidence of bounded weight before the first request.

Unlike a warm-up, nothing is streamed and nothing is spent: the outcomes were measured beforehand, all models on each
prompt, as `banditroute bench` does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence, empty, observe_many
from banditroute.learning.warm import ESS, capped

from .stream import Stream

Floats = NDArray[np.float64]

_LEAST_USD = 1e-9
_CONTEXTS = 256  # that a price is solved from


class WarmStart(NamedTuple):
    """What a learning policy begins with; see `learning.policy.LearningPolicy.begin_with`.

    Attributes:
        quality: (C, K) edges; log_cost likewise.
        task: (T,) classes of requests such as will come; x: (T, X) their inputs.
        eligible: (T, K) models that may serve them.
    """

    quality: Evidence
    log_cost: Evidence
    task: NDArray[np.int64]
    x: Floats
    eligible: NDArray[np.bool_]


def started_warm(stream: Stream, ess: float = ESS) -> tuple[Stream, WarmStart]:
    """The stream without its warm-up rows, and these as evidence; before a scenario puts its stages in."""
    rows = np.arange(stream.warm)
    some = rows[:: max(stream.warm // _CONTEXTS, 1)]
    quality = _evidence(stream, stream.quality)
    log_cost = _evidence(stream, np.log(np.maximum(stream.cost_usd, _LEAST_USD)))
    start = WarmStart(
        capped(quality, ess), capped(log_cost, ess), stream.task[some], stream.x[some], stream.observed[some]
    )
    scored = slice(stream.warm, None)
    rest = replace(
        stream,
        task=stream.task[scored],
        x=stream.x[scored],
        quality=stream.quality[scored],
        cost_usd=stream.cost_usd[scored],
        latency_s=stream.latency_s[scored],
        shift=stream.shift[scored],
        warm=0,
    )
    return rest, start


def _evidence(stream: Stream, values: Floats) -> Evidence:
    """Every outcome (n, K) of the warm-up rows, summed over (C, K) edges."""
    evidence = empty((len(stream.tasks), values.shape[1]), stream.x.shape[1])
    row, arm = np.nonzero(np.isfinite(values[: stream.warm]))
    observe_many(evidence, (stream.task[row], arm), stream.x[row], values[row, arm])
    return evidence
