"""A shadow held against the router by outcomes: where the router drew by chance, its log says what others would get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .beside import Beside
from .evaluate import RESAMPLES, evaluate
from .log import LogTable
from .results import Interval, Target, Value
from .shadow import MARGIN, Change, ShadowComparison, compared, in_words, judged
from .targets import Given

_ESTIMATOR = "dr"


def measured(
    log: LogTable,
    besides: Sequence[Beside],
    *,
    margin: float = MARGIN,
    seed: int = 0,
    number: int = RESAMPLES,
) -> ShadowComparison | None:
    """The comparison by importance weights where the log carries one, else by forecasts, saying why; None without any.

    Where callers named the model of most decisions, forecasts speak of these and outcomes only of the others: then the
    comparison is by forecasts, and the verdict adds what outcomes say.

    Quality and dollars are then what the outcomes say (doubly robust); the rates stay forecasts, for of two choices on
    one request only one outcome is ever seen.

    Args:
        log: the decision log.
        besides: its decisions that one shadow decided on too, oldest first.
        margin: quality points by which a policy that is called safe may be worse.
        seed: chance of the bootstrap.
        number: its resamples.
    """
    found = compared(besides, margin=margin)
    if found is None:
        return None
    known = _known(log, found.shadow)
    if known is None:
        return replace(found, verdict=f"{found.verdict} {_PINNED}")
    p = known.shadows[found.shadow]
    evaluation = evaluate(known, [Given(found.shadow, p)], (_ESTIMATOR,), seed=seed, number=number)
    target, estimate = evaluation.targets[0], evaluation.of(found.shadow, _ESTIMATOR)
    if not target.carries or estimate.quality is None:
        return replace(found, verdict=f"{found.verdict} {_why(target)}")
    quality_gain, saved_usd = _gain(estimate.quality), _less(estimate.cost_usd)
    if 2 * known.rows < len(besides):
        return replace(found, verdict=f"{found.verdict} {_apart(known, quality_gain, saved_usd)}")
    safe, verdict = judged(min(target.ess, target.ess_judged), quality_gain, saved_usd, margin)
    return replace(
        found,
        quality_gain=quality_gain,
        saved_usd=saved_usd,
        basis="weights",
        safe=safe,
        verdict=f"{verdict} By the outcomes of {evaluation.used:,} decisions that were left to chance.",
    )


_PINNED = "The router drew nothing by chance on these decisions: callers named the model, or it knew but one."


def _apart(known: LogTable, quality_gain: Change, saved_usd: Change) -> str:
    """What outcomes say of the decisions that were drawn, where they are the lesser part."""
    changes = in_words(quality_gain, saved_usd)
    return f"By the outcomes of the {known.rows:,} that were left to chance, against what was drawn there: {changes}."


def _known(log: LogTable, shadow: str) -> LogTable | None:
    """The decisions that were drawn and that the shadow decided on; None where there are none."""
    p = log.shadows.get(shadow)
    if p is None:
        return None
    rows = np.isfinite(p).all(1) & log.drawn
    return log.select(rows) if rows.any() else None


def _why(target: Target) -> str:
    if target.carries:
        return "Nobody judged an answer, so outcomes say nothing of quality."
    return f"By outcomes: {target.verdict}"


def _gain(value: Value) -> Change:
    return Change(value.gain, value.gain_ci95)


def _less(value: Value) -> Change:
    low, high = value.gain_ci95
    return Change(-value.gain, Interval(-high, -low))
