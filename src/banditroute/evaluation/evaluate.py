"""Evaluating: every target by every estimator on one log, with intervals and a verdict where the log carries one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError

from .anytime import looks
from .bootstrap import Resamples, percentile, replicates, resamples
from .estimators import ESTIMATORS, Sample
from .log import LogTable
from .outcome_model import OutcomeModel, cross_fitted, progressive
from .results import Estimate, Evaluation, Interval, Logged, SetAside, Target, Value
from .targets import TargetPolicy, logging_propensities
from .verdict import verdict
from .weights import effective_size, importance_weights, overlaps, unseen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 2000

_HEADROOM = 2.0  # the most that a call may cost or take, against the most that was seen
_Z95 = 1.959964


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

    Args:
        log: sound rows, see `loading`.
        targets: whom to evaluate.
        estimators: names out of `ESTIMATORS`.
        set_aside: rows that reading left out, carried along into the result.
        seed: chance of the bootstrap.
        number: resamples.

    Raises:
        InputError: no decision was left to chance, or a target cannot decide on this traffic.
    """
    if not log.drawn.any():
        raise InputError(
            f"none of the {log.rows:,} decisions has a propensity: nothing was left to chance, so they say nothing of "
            "other policies",
            remedy="log decisions that a router draws, or run both policies on the same prompts",
            path=log.name,
            field="propensity",
        )
    wanted = [(target.name, target.propensities(log)) for target in targets]
    drawn = log.select(log.drawn)
    work = _Work(drawn, np.random.default_rng(seed), number)
    found = [work.target(name, p[log.drawn], estimators) for name, p in wanted]
    undrawn = log.rows - drawn.rows
    fixed = (SetAside("decided without chance: no propensity", undrawn),) if undrawn else ()
    return Evaluation(
        log=log.name,
        models=log.models,
        rows=log.rows + sum(each.rows for each in set_aside),
        used=drawn.rows,
        logged=tuple(_logged(log.of_policy(name), name) for name in log.policies),
        targets=tuple(target for target, _ in found),
        estimates=tuple(each for _, group in found for each in group),
        set_aside=(*set_aside, *fixed),
        notes=tuple(_notes(drawn)),
    )


class _Part(NamedTuple):
    """The rows that know a signal, and what all targets share on them."""

    rows: Ints
    log: LogTable
    logging: Floats
    fitted: OutcomeModel
    past: OutcomeModel
    drawn: Resamples


class _Work:
    """All targets of one log: the outcome models are fitted and the resamples drawn once."""

    def __init__(self, log: LogTable, rng: np.random.Generator, number: int) -> None:
        self._log = log
        fitted, past = cross_fitted(log), progressive(log)
        logging, judged = logging_propensities(log), np.isfinite(log.quality)

        def part(index: Ints) -> _Part:
            known, before = (OutcomeModel(*(signal[index] for signal in model)) for model in (fitted, past))
            return _Part(index, log.select(index), logging[index], known, before, resamples(index.size, number, rng))

        self._every = part(np.arange(log.rows))
        whole = bool(judged.all())
        self._judged = self._every if whole else part(np.flatnonzero(judged)) if judged.any() else None

    def target(self, name: str, p: Floats, estimators: Sequence[str]) -> tuple[Target, list[Estimate]]:
        """One target: how far the log carries it, and its estimates."""
        log = self._log
        weight = importance_weights(log, p)
        judged = None if self._judged is None else effective_size(weight[self._judged.rows])
        target = Target(
            policy=name,
            ess=effective_size(weight),
            ess_judged=0.0 if judged is None else judged,
            max_weight=float(weight.max()),
            mean_weight=float(weight.mean()),
            unseen_share=float(unseen(log, p).sum(1).mean()),
            overlap=tuple(overlaps(log, p, weight)),
            carries=False,
            verdict="",
        )
        estimates = [self._estimate(name, each, p, weight) for each in estimators]
        return verdict(target, estimates, log.rows, float(weight.std())), estimates

    def _estimate(self, policy: str, estimator: str, p: Floats, weight: Floats) -> Estimate:
        quality = None if self._judged is None else _value(estimator, "quality", self._judged, p, weight)
        cost, latency = (_value(estimator, signal, self._every, p, weight) for signal in ("cost_usd", "latency_s"))
        return Estimate(policy, estimator, quality, cost, latency)


def _value(estimator: str, signal: str, part: _Part, p: Floats, weight: Floats) -> Value:
    """One signal of one target by one estimator."""
    reward: Floats = getattr(part.log, signal)
    bounded = signal == "quality"
    most = 1.0 if bounded else _HEADROOM * max(float(reward.max()), 1e-12)
    sample = Sample(weight[part.rows], reward, part.log.chosen, p[part.rows], getattr(part.fitted, signal))
    terms = ESTIMATORS[estimator](sample)
    ever = looks(estimator, sample._replace(model=getattr(part.past, signal)), part.logging, most)
    mean, logged = terms.estimate, float(reward.mean())
    estimates = replicates(terms, part.drawn, bounded=bounded)
    gains = estimates - part.drawn.sums(reward) / part.drawn.sums(np.ones(reward.size))
    limits = Interval(0.0, 1.0 if bounded else math.inf)
    return Value(
        mean=mean,
        ci95=_within(percentile(estimates), limits),
        anytime95=None if ever is None else ever.value,
        gain=mean - logged,
        gain_ci95=percentile(gains),
        gain_anytime95=None if ever is None else ever.gain,
        rows=reward.size,
    )


def _within(interval: Interval, limits: Interval) -> Interval:
    """The interval without what cannot be; nan stays nan."""
    low, high = (min(max(end, limits.low), limits.high) if math.isfinite(end) else end for end in interval)
    return Interval(low, high)


def _logged(log: LogTable, name: str) -> Logged:
    judged = log.quality[np.isfinite(log.quality)]
    return Logged(
        policy=name,
        rows=log.rows,
        drawn=int(log.drawn.sum()),
        quality=_measured(judged) if judged.size else None,
        cost_usd=_measured(log.cost_usd),
        latency_s=_measured(log.latency_s),
        judged=judged.size,
    )


def _measured(values: Floats) -> tuple[float, Interval]:
    mean = float(values.mean())
    half = _Z95 * float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else math.inf
    return mean, Interval(mean - half, mean + half)


def _notes(log: LogTable) -> Iterator[str]:
    """Plain sentences on what was absent or assumed."""
    judged = int(np.isfinite(log.quality).sum())
    if judged < log.rows:
        yield (
            f"Quality is known of {judged:,} of {log.rows:,} decisions; whether an answer was judged is taken not to "
            "depend on how good it was, its model given."
        )
    if len(set(log.policy_of.tolist())) > 1:
        yield "Several policies logged; each decision is weighed by the propensity that it was drawn with."
    yield (
        "Anytime intervals of dollars and seconds take for granted that no call costs or takes more than "
        f"{_HEADROOM:g} times the most that was seen (${log.cost_usd.max():.3g}, {log.latency_s.max():.3g} s)."
    )
