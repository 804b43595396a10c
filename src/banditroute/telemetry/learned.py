"""The metrics of what is learned: every edge's quality, dollars and seconds, and how sure of them the router is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence
from banditroute.learning.posterior import predict
from banditroute.records import Forecast
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import tokens_of

from .families import Columns, Readings, gauge, table

Floats = NDArray[np.float64]

_EDGE = ("task", "model")
_AT = " at the task class's mean prompt"
_SD = "Posterior standard deviation of the mean {}: how far off what is learned may be."

QUALITY = gauge("banditroute_learned_quality_ratio", f"Expected quality, from 0 to 1,{_AT}.", *_EDGE)
QUALITY_SD = gauge("banditroute_learned_quality_sd_ratio", _SD.format("quality"), *_EDGE)
COST = gauge("banditroute_learned_cost_usd", f"Expected dollars of a request{_AT}.", *_EDGE)
COST_SD = gauge("banditroute_learned_cost_sd_usd", _SD.format("dollars"), *_EDGE)
LATENCY = gauge("banditroute_learned_latency_seconds", f"Expected seconds of an answer, idle,{_AT}.", *_EDGE)
LATENCY_SD = gauge("banditroute_learned_latency_sd_seconds", _SD.format("seconds"), *_EDGE)
JUDGED = gauge("banditroute_learned_judgements", "Judgements, by weight, that the quality rests on.", *_EDGE)
ANSWERED = gauge("banditroute_learned_answers", "Answers that the dollars rest on.", *_EDGE)


class Learned(NamedTuple):
    """What is learned of one edge: means, the standard deviations of these, and how much they rest on."""

    quality: float
    quality_sd: float
    cost_usd: float
    cost_sd_usd: float
    latency_s: float
    latency_sd_s: float
    judged: float
    answered: float


_COLUMNS: Columns[Learned] = (
    (QUALITY, lambda edge: edge.quality),
    (QUALITY_SD, lambda edge: edge.quality_sd),
    (COST, lambda edge: edge.cost_usd),
    (COST_SD, lambda edge: edge.cost_sd_usd),
    (LATENCY, lambda edge: edge.latency_s),
    (LATENCY_SD, lambda edge: edge.latency_sd_s),
    (JUDGED, lambda edge: edge.judged),
    (ANSWERED, lambda edge: edge.answered),
)
FAMILIES = tuple(family for family, _ in _COLUMNS)


def readings(decider: Decider) -> Iterator[Readings]:
    """What a decider has learned, edge by edge."""
    return table(_COLUMNS, list(learned(decider)))


def learned(decider: Decider) -> Iterator[tuple[tuple[str, str], Learned]]:
    """For every (task class, model) pair, what is learned of it."""
    quality, tokens, *_ = decider.signals.evidence
    usual = decider.signals.usual_inputs()
    for row, task in enumerate(decider.tasks):
        x = _mean_inputs(tokens, row, usual)
        beliefs = decider.forecasts(task, tokens_of(x), tuple(x[2:].tolist()))
        sd = _log_sd(decider, row, x)
        counts = zip(quality.n[row].tolist(), tokens.n[row].tolist(), strict=True)
        for (name, belief), widths, seen in zip(beliefs.items(), sd, counts, strict=True):
            varying_usd = belief.cost_usd - decider.catalog[name].price.estimate_usd(tokens_of(x), 0.0)
            yield (task, name), _edge(belief, varying_usd, widths, seen)


def _edge(belief: Forecast, varying_usd: float, log_sd: tuple[float, float], seen: tuple[float, float]) -> Learned:
    """An edge, widths of logs made those of amounts (delta method); of the dollars, of those that the answer costs."""
    tokens_sd, seconds_sd = log_sd
    return Learned(
        belief.quality,
        belief.quality_sd,
        belief.cost_usd,
        max(varying_usd, 0.0) * tokens_sd,
        belief.latency_s,
        belief.latency_s * seconds_sd,
        *seen,
    )


def _mean_inputs(tokens: Evidence, row: int, usual: Floats) -> Floats:
    """The mean inputs (X,) of a class's answers; of all classes' where it has none."""
    n = float(tokens.n[row].sum())
    return tokens.A[row, :, 0, :].sum(0) / n if n > 0.0 else usual


def _log_sd(decider: Decider, row: int, x: Floats) -> list[tuple[float, float]]:
    """For every model, posterior standard deviations of the mean log tokens and of the mean log seconds."""
    models = len(decider.catalog)
    var = predict(decider.signals.posterior, row, x).var.tolist()
    both = zip(var[models : 2 * models], var[2 * models : 3 * models], strict=True)
    return [(math.sqrt(max(tokens, 0.0)), math.sqrt(max(seconds, 0.0))) for tokens, seconds in both]
