"""The outcome model of dm and dr: the library's own posterior, cross-fitted.

What a fold's decisions are expected to lead to is fitted on the other folds, so that no decision is judged by a model
that has seen its outcome (Chernozhukov et al., 2018, definition 3.1). Evidence adds up, so leaving a fold out is one
subtraction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence, empty, merged, observe_many
from banditroute.learning.inputs import inputs_of_rows
from banditroute.learning.objective import expected_amount
from banditroute.learning.posterior import solve
from banditroute.learning.priors import LOG_COST, LOG_LATENCY, QUALITY, Prior

from .log import LogTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 5
_FIRST = 40  # rows before the first forecast from the past
_LEAST = 1e-9  # dollars and seconds of nothing, on the log scale


class OutcomeModel(NamedTuple):
    """What each of n decisions would be expected to lead to at each of K models, each (n, K).

    Attributes:
        quality: in [0, 1]; cost_usd: dollars; latency_s: seconds.
    """

    quality: Floats
    cost_usd: Floats
    latency_s: Floats


def cross_fitted(log: LogTable, folds: int = FOLDS) -> OutcomeModel:
    """The expectation of every signal at every model, each row's from the folds that it is not in.

    Folds take turns row by row, so that each of them has seen all times alike. A model's outcomes are those of having
    been *chosen*, fallbacks included, for that is what a policy decides on.
    """
    return _model(log, np.arange(log.rows) % max(min(folds, log.rows), 2), _from_others)


def progressive(log: LogTable) -> OutcomeModel:
    """The same from the past alone: refitted each time the log has grown by half.

    Looser than the cross-fitted one, but what confidence sequences need: a forecast made before the outcome.
    """
    return _model(log, _stretches(log.rows), _from_before)


class _Predicted(NamedTuple):
    """A linear signal's expectation and its predictive variance, both (n, K)."""

    mean: Floats
    var: Floats


Parts = list[Evidence]
"""What each part of the log says."""


def _from_others(parts: Parts, mine: int) -> Evidence:
    whole = merged(*parts)
    return Evidence(*(everything - own for everything, own in zip(whole, parts[mine], strict=True)))


def _from_before(parts: Parts, mine: int) -> Evidence:
    axes, width = parts[0].n.shape, parts[0].b.shape[-1]
    return merged(empty(axes, width), *parts[:mine])


def _stretches(rows: int) -> Ints:
    """(n,) which stretch of the log each row is in: each is half as long as all before it."""
    ends = np.unique(np.ceil(_FIRST * 1.5 ** np.arange(60)).clip(max=rows)).astype(np.int64)
    return np.searchsorted(ends, np.arange(rows), side="right")


def _model(log: LogTable, part: Ints, known_to: Callable[[Parts, int], Evidence]) -> OutcomeModel:
    x = inputs_of_rows(log.input_tokens, log.features)
    signals = (
        (QUALITY, log.quality),
        (LOG_COST, np.log(np.maximum(log.cost_usd, _LEAST))),
        (LOG_LATENCY, np.log(np.maximum(log.latency_s, _LEAST))),
    )
    quality, cost, latency = (_predicted(log, x, part, known_to, prior, values) for prior, values in signals)
    return OutcomeModel(np.clip(quality.mean, 0.0, 1.0), _amount(cost), _amount(latency))


def _amount(log_amount: _Predicted) -> Floats:
    return expected_amount(log_amount.mean, log_amount.var)


def _predicted(
    log: LogTable, x: Floats, part: Ints, known_to: Callable[[Parts, int], Evidence], prior: Prior, values: Floats
) -> _Predicted:
    shape = log.rows, len(log.models)
    out = _Predicted(np.empty(shape), np.empty(shape))
    parts = [_evidence(log, x, values, part == each) for each in range(int(part.max(initial=0)) + 1)]
    for each in range(len(parts)):
        mine = part == each
        posterior = solve(known_to(parts, each), prior)
        task, context = log.task_of[mine], x[mine]
        out.mean[mine] = np.einsum("nkx,nx->nk", posterior.mean[task], context)
        spread = np.einsum("nkxy,nx,ny->nk", posterior.covariance[task], context, context, optimize=True)
        out.var[mine] = posterior.noise[task] + spread
    return out


def _evidence(log: LogTable, x: Floats, values: Floats, mine: NDArray[np.bool_]) -> Evidence:
    evidence = empty((len(log.tasks), len(log.models)), x.shape[1])
    rows = np.flatnonzero(mine & np.isfinite(values))
    observe_many(evidence, (log.task_of[rows], log.chosen[rows]), x[rows], values[rows])
    return evidence
