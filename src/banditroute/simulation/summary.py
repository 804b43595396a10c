"""From what replications did to what people read: means, traces over time, edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.objective import expected_amount
from banditroute.learning.policy import LearningPolicy

from .frontier import class_choices
from .loop import Played
from .results import ByRequest, Edge, Phase, PolicyResult, Sighting, Trace
from .stages import Script
from .stream import Stream
from .table import OutcomeTable

Floats = NDArray[np.float64]

_TRACE_POINTS = 100


class Learned(NamedTuple):
    """What R replications believe of every edge at the end, each (R, C, K), at the class's mean inputs."""

    quality: Floats
    quality_sd: Floats
    cost_usd: Floats


def learned_edges(policy: LearningPolicy, stream: Stream) -> Learned:
    """The policy's belief of each edge."""
    policy.refresh()
    tasks = len(stream.tasks)
    count = np.maximum(np.bincount(stream.task, minlength=tasks), 1)
    x = np.stack([np.bincount(stream.task, w, minlength=tasks) / count for w in stream.x.T], axis=1)
    quality, log_cost = policy.quality.posterior, policy.log_cost.posterior
    mean = np.einsum("...ckx,cx->...ck", quality.mean, x)
    var = np.einsum("...ckxy,cx,cy->...ck", quality.covariance, x, x)
    spread = np.einsum("...ckxy,cx,cy->...ck", log_cost.covariance, x, x) + log_cost.noise
    cost = expected_amount(np.einsum("...ckx,cx->...ck", log_cost.mean, x), spread)
    return Learned(mean, np.sqrt(np.maximum(var, 0.0)), cost)


def sightings(
    policy: LearningPolicy, stream: Stream, models: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[int, Sighting]]:
    """The changes that the policy noticed, each with the replication that it was noticed in."""
    for request, signal, change in policy.noticed:
        task = None if change.task is None else stream.tasks[change.task]
        yield (
            change.replication,
            Sighting(
                seed=seeds[change.replication],
                request=request - stream.warm,
                model=models[change.arm],
                task=task,
                signal="quality" if signal == "quality" else "cost_usd",
                shift=change.shift,
                seen=int(change.seen),
            ),
        )


def policy_result(
    policy: str,
    budget_usd: float | None,
    seeds: tuple[int, ...],
    stream: Stream,
    script: Script,
    parts: Sequence[tuple[Played, Learned | None]],
    marks: tuple[float, float],
) -> PolicyResult:
    """One policy at one budget, from the parts that hold its seeds in order; marks are (envelope, oracle) quality."""
    row = np.concatenate([played.row for played, _ in parts])[:, stream.warm :]
    arm = np.concatenate([played.arm for played, _ in parts])[:, stream.warm :]
    outcome = row + stream.shift[stream.warm :]
    quality, cost = stream.quality[outcome, arm], stream.cost_usd[outcome, arm]
    outcomes = _Outcomes(arm, quality, cost, stream.latency_s[outcome, arm])
    models = stream.quality.shape[1]
    return PolicyResult(
        policy=policy,
        budget_usd=budget_usd,
        seeds=seeds,
        quality=quality.mean(1),
        cost_usd=cost.mean(1),
        share=_shares(arm, models),
        envelope_quality=marks[0],
        oracle_quality=marks[1],
        phases=tuple(_phase(script, first, last, budget_usd, outcomes, models) for first, last in script.phases),
        trace=_trace(quality, cost, arm, models),
        edges=_edges(stream, script.stages[-1].table, stream.task[row], arm, [learned for _, learned in parts]),
        by_request=_by_request(stream, row - stream.warm, quality, cost),
    )


def _by_request(stream: Stream, row: NDArray[np.int64], quality: Floats, cost: Floats) -> ByRequest:
    """Means over seeds of what each row of the table got; every seed streams every row once."""
    seeds, rows = row.shape
    got, paid = (np.bincount(row.ravel(), values.ravel(), minlength=rows) / seeds for values in (quality, cost))
    return ByRequest(got, paid, stream.tasks, stream.task[stream.warm :])


class _Outcomes(NamedTuple):
    """What R replications got from n requests, each (R, n)."""

    arm: NDArray[np.int64]
    quality: Floats
    cost_usd: Floats
    latency_s: Floats


def _phase(script: Script, first: int, last: int, budget_usd: float | None, outcomes: _Outcomes, models: int) -> Phase:
    stretch = np.s_[:, first:last]
    latency_s = outcomes.latency_s[stretch]
    known = np.isfinite(latency_s)
    seconds = np.where(known, latency_s, 0.0).sum(1)
    return Phase(
        first=first,
        last=last,
        quality=outcomes.quality[stretch].mean(1),
        cost_usd=outcomes.cost_usd[stretch].mean(1),
        budget_usd=script.budget(first, budget_usd),
        share=_shares(outcomes.arm[stretch], models),
        latency_s=seconds / known.sum(1) if known.any(1).all() else None,
    )


def _shares(arm: NDArray[np.int64], models: int) -> Floats:
    return np.bincount(arm.ravel(), minlength=models) / arm.size


def _trace(quality: Floats, cost: Floats, arm: NDArray[np.int64], models: int) -> Trace:
    """Sampled evenly; one point for every request where there are few."""
    n = arm.shape[1]
    ends = np.unique(np.linspace(0, n, min(_TRACE_POINTS, n) + 1).astype(np.int64))[1:]
    starts = np.r_[0, ends[:-1]]
    length = ends - starts
    share = np.stack([np.add.reduceat(arm == k, starts, axis=1).mean(0) / length for k in range(models)], axis=1)
    spend = np.cumsum(cost, axis=1)[:, ends - 1]
    return Trace(ends, spend, np.add.reduceat(quality, starts, axis=1) / length, share)


def _edges(
    stream: Stream,
    table: OutcomeTable,
    task: NDArray[np.int64],
    arm: NDArray[np.int64],
    learned: Sequence[Learned | None],
) -> tuple[Edge, ...]:
    tasks, models = len(stream.tasks), len(table.models)
    counts = np.bincount((task * models + arm).ravel(), minlength=tasks * models).reshape(tasks, models)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    truth = class_choices(table, stream.task[stream.warm :], tasks)
    known = [belief for belief in learned if belief is not None]
    unknown = np.full((tasks, models), np.nan)
    belief = (
        Learned(*(np.concatenate(axis).mean(0) for axis in zip(*known, strict=True)))
        if known
        else Learned(*[unknown] * 3)
    )
    return tuple(
        Edge(
            task=name,
            model=model,
            share=float(share[c, k]),
            quality=float(belief.quality[c, k]),
            quality_sd=float(belief.quality_sd[c, k]),
            cost_usd=float(belief.cost_usd[c, k]),
            true_quality=_finite(truth.quality[c, k]),
            true_cost_usd=_finite(truth.cost_usd[c, k]),
        )
        for c, name in enumerate(stream.tasks)
        if counts[c].any()
        for k, model in enumerate(table.models)
    )


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else float("nan")
