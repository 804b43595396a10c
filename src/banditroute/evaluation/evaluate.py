"""Evaluating: every target by every estimator on one log, with intervals and a verdict where the log carries one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError

from .bootstrap import resamples
from .estimators import ESTIMATORS
from .log import LogTable
from .outcome_model import cross_fitted, progressive
from .results import Z95, Estimate, Evaluation, Interval, Logged, SetAside, Target
from .targets import TargetPolicy, logging_propensities
from .valuing import HEADROOM, Fits, Part, part_of, value_of
from .verdict import verdict
from .weights import carried_size, effective_size, importance_weights, overlaps, unseen, weights_sd

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RESAMPLES = 2000


def evaluate(
    log: LogTable,
    targets: Sequence[TargetPolicy],
    estimators: Sequence[str] = tuple(ESTIMATORS),
    *,
    set_aside: Sequence[SetAside] = (),
    seed: int = 0,
    number: int = RESAMPLES,
) -> Evaluation:
    """What each target would have got on the log's traffic, by each estimator.

    Only decisions that were left to chance say anything of other policies; the others are summed up as what they got.
    A target that did not decide on all of them, as a shadow of a share of the traffic, is evaluated on those where it
    did; one that decided on none is left out, and a note says so.

    Args:
        log: sound rows, see `loading`.
        targets: whom to evaluate; none = only what was measured.
        estimators: names out of `ESTIMATORS`.
        set_aside: rows that reading left out, carried along into the result.
        seed: chance of the bootstrap.
        number: resamples.

    Raises:
        InputError: no decision was left to chance, or a target cannot decide on this traffic.
    """
    if targets and not log.drawn.any():
        raise _without_chance(log)
    wanted = [(target.name, target.propensities(log)) for target in targets]
    rows_of = [np.isfinite(p).all(1) & log.drawn for _, p in wanted]
    distinct = {rows.tobytes(): rows for rows in rows_of if rows.any()}
    works = {key: _Work(log.select(rows), seed, number) for key, rows in distinct.items()}
    found = [
        works[rows.tobytes()].target(name, p[rows], estimators)
        for (name, p), rows in zip(wanted, rows_of, strict=True)
        if rows.any()
    ]
    undrawn = int((~log.drawn).sum())
    fixed = (SetAside("decided without chance: no propensity", undrawn),) if undrawn else ()
    return Evaluation(
        log=log.name,
        models=log.models,
        rows=log.rows + sum(each.rows for each in set_aside),
        used=log.rows - undrawn,
        logged=tuple(_logged(log.of_policy(name), name) for name in log.policies),
        targets=tuple(target for target, _ in found),
        estimates=tuple(each for _, group in found for each in group),
        set_aside=(*set_aside, *fixed),
        notes=(
            *(_notes(log.select(log.drawn)) if log.drawn.any() else ()),
            *(note for (name, _), rows in zip(wanted, rows_of, strict=True) for note in _part_note(name, rows, log)),
        ),
    )


def _without_chance(log: LogTable) -> InputError:
    return InputError(
        f"none of the {log.rows:,} decisions has a propensity: nothing was left to chance, so they say nothing of "
        "other policies",
        remedy="log decisions that a router draws, or run both policies on the same prompts",
        path=log.name,
        field="propensity",
    )


def _part_note(name: str, rows: Bools, log: LogTable) -> Iterator[str]:
    """That a target decided on a part of what was drawn only."""
    drawn, known = int(log.drawn.sum()), int(rows.sum())
    if not known:
        yield f"{name} decided on none of the {drawn:,} decisions that were left to chance: no outcome speaks of it."
    elif known < drawn:
        yield f"{name} decided on {known:,} of the {drawn:,} decisions; its estimates rest on these."


class _Work:
    """All targets that decided on the same drawn rows: outcome models are fitted and resamples drawn once for them."""

    def __init__(self, log: LogTable, seed: int, number: int) -> None:
        self._log = log
        fits = Fits(cross_fitted(log), progressive(log), logging_propensities(log))
        every = part_of(log, log.cost_usd, fits)
        assert every is not None, "every row knows its dollars"
        self._every = every
        self._judged = every if np.isfinite(log.quality).all() else part_of(log, log.quality, fits)
        judged = 0 if self._judged is None else self._judged.log.rows
        self._drawn = resamples(judged, number, np.random.default_rng(seed)) if judged else None

    def target(self, name: str, p: Floats, estimators: Sequence[str]) -> tuple[Target, list[Estimate]]:
        """One target: how far the log carries it, and its estimates."""
        log, judged = self._log, self._judged
        weight = importance_weights(log, p)
        target = Target(
            policy=name,
            ess=carried_size(log, p, weight),
            ess_judged=0.0 if judged is None else _judged_size(judged, p, weight),
            max_weight=float(weight.max()),
            mean_weight=float(weight.mean()),
            unseen_share=float(unseen(log, p).sum(1).mean()),
            overlap=tuple(overlaps(log, p, weight)),
            carries=False,
            verdict="",
        )
        estimates = [self._estimate(name, each, p, weight) for each in estimators]
        unjudged = 0.0 if judged is None else float(p[:, ~judged.known.models].sum(1).mean())
        return verdict(target, estimates, log.rows, weights_sd(log, p), unjudged), estimates

    def _estimate(self, policy: str, estimator: str, p: Floats, weight: Floats) -> Estimate:
        judged = self._judged
        quality = None if judged is None else value_of(estimator, "quality", judged, p, weight, self._drawn)
        cost, latency = (value_of(estimator, signal, self._every, p, weight) for signal in ("cost_usd", "latency_s"))
        return Estimate(policy, estimator, quality, cost, latency)


def _judged_size(judged: Part, p: Floats, weight: Floats) -> float:
    """The effective number of judged decisions, each standing for others of its model."""
    rows = judged.known.rows
    standing = effective_size(weight[rows] * judged.known.stands_for)
    return min(standing, carried_size(judged.log, p[rows], weight[rows]))


def _logged(log: LogTable, name: str) -> Logged:
    judged = log.quality[np.isfinite(log.quality)]
    return Logged(
        policy=name,
        rows=log.rows,
        drawn=int(log.drawn.sum()),
        quality=_measured(judged, 1.0) if judged.size else None,
        cost_usd=_measured(log.cost_usd, math.inf),
        latency_s=_measured(log.latency_s, math.inf),
        judged=judged.size,
    )


def _measured(values: Floats, most: float) -> tuple[float, Interval]:
    """Mean and 95% interval; where there is a most, one more outcome at either end counts (Agresti and Coull, 1998)."""
    seen = np.r_[values, 0.0, most] if math.isfinite(most) else values
    half = Z95 * float(seen.std(ddof=1)) / math.sqrt(seen.size) if seen.size > 1 else math.inf
    centre = float(seen.mean())
    return float(values.mean()), Interval(max(centre - half, 0.0), min(centre + half, most))


def _notes(log: LogTable) -> Iterator[str]:
    """Plain sentences on what was absent or assumed."""
    judged = int(np.isfinite(log.quality).sum())
    if judged < log.rows:
        yield (
            f"Quality is known of {judged:,} of {log.rows:,} decisions; each stands for others of its model, so "
            "being judged is taken not to depend on how good an answer was."
        )
    if len(set(log.policy_of.tolist())) > 1:
        yield "Several policies logged; each decision is weighed by the propensity that it was drawn with."
    yield (
        "Anytime intervals of dollars and seconds take for granted that no call costs or takes more than "
        f"{HEADROOM:g} times the most that was seen (${log.cost_usd.max():.3g}, {log.latency_s.max():.3g} s)."
    )
