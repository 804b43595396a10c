"""Simulating: every policy at every budget on many stream orders, in one process or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.policy import LearningPolicy, PolicySettings
from banditroute.sweeping.choosing import executor_of
from banditroute.sweeping.executor import Executor, Tick, in_order

from . import frontier
from .lived import THOMPSON, Life, check_lived, lateness_of, live, setting_of, windows_of
from .loop import Played, play
from .marks import envelope_over, fixed_over, marks_at, oracle_over
from .policies import make_policy
from .prompted import prompted
from .results import PolicyResult, Sighting, SimulationResult
from .scenario import Scenario
from .scenario_notes import scenario_notes
from .stages import Script, script_of, warmup_of
from .stream import Stream, staged, stream_of
from .summary import Learned, learned_edges, policy_result, sightings
from .table import OutcomeTable
from .warm_start import WarmStart, started_warm

Progress = Callable[[int, int], None]

_BATCH = 70  # replications side by side: enough to share the interpreter's cost, few enough for the processor's cache


@dataclass(frozen=True, slots=True)
class _World:
    """What every batch needs: the same for all."""

    stream: Stream
    script: Script
    settings: PolicySettings
    start: WarmStart | None


class _Batch(NamedTuple):
    """A share of the work: one policy, R replications, each with its budget (None = unconstrained) and its seed."""

    policy: str
    budgets_usd: tuple[float | None, ...]
    seeds: tuple[int, ...]


class _BatchResult(NamedTuple):
    played: Played
    learned: Learned | None
    sightings: tuple[tuple[int, Sighting], ...]  # each with its replication


def simulate(
    table: OutcomeTable,
    *,
    warmup: OutcomeTable | None = None,
    warm_start: OutcomeTable | None = None,
    policies: Sequence[str] = ("thompson",),
    budgets_usd: Sequence[float | None] = (None,),
    seeds: Sequence[int] = range(20),
    features: str = "table",
    classes: str = "table",
    scenario: Scenario | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
    settings: PolicySettings | None = None,
) -> SimulationResult:
    """What each policy would have got on a table, for each budget, as a router that learns online.

    Each seed streams the warm-up table and then the table, each in a random order. The policy sees the outcome of the
    model it chose and of no other; only the table's rows are scored.

    Args:
        table: what is scored.
        warmup: streamed first, not scored.
        warm_start: all its outcomes are known before the first request, as evidence of bounded weight; learning
            policies begin with it. Instead of a warm-up.
        policies: names, see `banditroute.simulation.policies.NAMES`, or `fixed:MODEL`.
        budgets_usd: dollars per request; None = unconstrained.
        seeds: stream orders; results do not depend on how many run together.
        features: "table", "prompt" (by the shipped encoder, from the rows' prompts) or "none".
        classes: "table", "classifier" (by the shipped classifier, likewise) or "none".
        scenario: what changes while the table is streamed; every seed meets the same events at the same requests.
        jobs: processes; the results are the same for any number. 0 = one for each processor.
        executor: who does the work, see `banditroute.sweeping`: a Dask cluster, say; None = so many processes.
        progress: called with decisions made and decisions in all.
        settings: constants of the learning policies; the defaults serve every table.

    Raises:
        InputError: an unknown policy or model, tables that do not fit together, a scenario that does not fit the table,
            or a row without the prompt to read.
    """
    if warm_start is not None and warmup is not None:
        raise InputError("a warm start and a warm-up exclude each other", remedy="give one", field="warm_start")
    reads = {"classes": classes == "classifier", "features": features == "prompt"}
    if any(reads.values()):
        table, warmup = prompted(table, **reads), None if warmup is None else prompted(warmup, **reads)
        warm_start = None if warm_start is None else prompted(warm_start, **reads)
    with_features, with_classes = features != "none", classes != "none"
    script = script_of(table, scenario)
    first, before = script.stages[0].table, warmup_of(warm_start or warmup, scenario)
    stream = stream_of(first, before, features=with_features, classes=with_classes)
    stream, start = (stream, None) if warm_start is None else started_warm(stream)
    world = _World(staged(stream, script), script, settings or PolicySettings(), start)
    plan = [batch for policy in policies for batch in _batches(policy, budgets_usd, seeds)]
    total = stream.task.size * sum(len(batch.seeds) for batch in plan)
    started = time.perf_counter()
    counter = None if progress is None else _Counter(total, progress)
    executor = executor or executor_of(jobs)
    if scenario is not None and scenario.traffic is not None:
        check_lived(scenario, policies, warm=before is not None)
        given = {"features": with_features, "classes": with_classes}
        setting = setting_of(first, script, scenario, world.settings, **given)
        results = _lived(world, live(setting, budgets_usd, seeds, executor, counter), seeds)
    else:
        results = _collect(world, policies, budgets_usd, seeds, plan, _run(world, plan, executor, counter))
    seconds = time.perf_counter() - started
    return SimulationResult(
        table=table.name,
        warmup=None if warmup is None else warmup.name,
        requests=table.requests,
        models=first.models,
        fixed=fixed_over(script.stages),
        envelope=envelope_over(script.stages),
        oracle=oracle_over(script.stages),
        results=results,
        decisions_per_s=total / max(seconds, 1e-9),
        notes=(
            *_notes(table, None if start else before, stream, budgets_usd, with_features, with_classes),
            *(scenario_notes(scenario, policies) if scenario else ()),
        ),
        scenario=None if scenario is None else scenario.name,
    )


class _Counter:
    """Adds up what is done, told on the way or once a share ends, and passes the sum on."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.done, self.ended, self.total, self.progress = 0, 0, total, progress

    def __call__(self, decisions: int) -> None:
        self._reach(self.done + decisions)

    def share_ended(self, decisions: int) -> None:
        self.ended += decisions
        if self.ended > self.done:
            self._reach(self.ended)

    def _reach(self, decisions: int) -> None:
        self.done = min(decisions, self.total)
        self.progress(self.done, self.total)


def _batches(policy: str, budgets_usd: Sequence[float | None], seeds: Sequence[int]) -> Iterator[_Batch]:
    """The policy's replications, budgets slowest, cut into batches; the cut is the same for any number of processes."""
    for constrained in (True, False):
        pairs = [(b, s) for b in budgets_usd if (b is not None) == constrained for s in seeds]
        for first in range(0, len(pairs), _BATCH):
            part = pairs[first : first + _BATCH]
            yield _Batch(policy, tuple(b for b, _ in part), tuple(s for _, s in part))


def _play_batch(world: _World, batch: _Batch, tick: Tick) -> _BatchResult:
    budgets = None if batch.budgets_usd[0] is None else np.array(batch.budgets_usd, dtype=np.float64)
    policy = make_policy(batch.policy, world.stream, world.script.stages, budgets, len(batch.seeds), world.settings)
    if world.start is not None and isinstance(policy, LearningPolicy):
        policy.begin_with(*world.start)
    played = play(world.stream, policy, batch.seeds, tick)
    if not isinstance(policy, LearningPolicy):
        return _BatchResult(played, None, ())
    models = world.script.stages[0].table.models
    seen = tuple(sightings(policy, world.stream, models, batch.seeds))
    return _BatchResult(played, learned_edges(policy, world.stream), seen)


def _run(world: _World, plan: Sequence[_Batch], executor: Executor, counter: _Counter | None) -> Sequence[_BatchResult]:
    with executor.crew(_play_batch, world) as crew:
        return in_order(_counted(plan, crew.sweep(plan, counter), world.stream.task.size, counter))


def _counted(
    plan: Sequence[_Batch], ended: Iterable[tuple[int, _BatchResult]], steps: int, counter: _Counter | None
) -> Iterator[tuple[int, _BatchResult]]:
    for index, result in ended:
        if counter is not None:
            counter.share_ended(len(plan[index].seeds) * steps)
        yield index, result


def _collect(
    world: _World,
    policies: Sequence[str],
    budgets_usd: Sequence[float | None],
    seeds: Sequence[int],
    plan: Sequence[_Batch],
    done: Sequence[_BatchResult],
) -> tuple[PolicyResult, ...]:
    """One result for each policy and budget, in the order asked for."""
    marks = {budget: marks_at(world.script.stages, budget) for budget in budgets_usd}
    results: list[PolicyResult] = []
    for policy in policies:
        for budget in budgets_usd:
            parts = [_replications(b, r, budget) for b, r in zip(plan, done, strict=True) if b.policy == policy]
            result = policy_result(policy, budget, tuple(seeds), world.stream, world.script, parts, marks[budget])
            seen = (
                sighting
                for b, r in zip(plan, done, strict=True)
                if b.policy == policy
                for replication, sighting in r.sightings
                if b.budgets_usd[replication] == budget
            )
            results.append(replace(result, sightings=tuple(seen)))
    return tuple(results)


def _lived(world: _World, lives: Mapping[float | None, list[Life]], seeds: Sequence[int]) -> tuple[PolicyResult, ...]:
    """One result for each budget, of worlds in which requests arrived in time."""
    results: list[PolicyResult] = []
    for budget, mine in lives.items():
        marks = marks_at(world.script.stages, budget)
        parts = [(life.played, None) for life in mine]
        result = policy_result(THOMPSON, budget, tuple(seeds), world.stream, world.script, parts, marks)
        results.append(replace(result, windows=windows_of(mine), lateness=lateness_of(mine)))
    return tuple(results)


def _replications(batch: _Batch, result: _BatchResult, budget: float | None) -> tuple[Played, Learned | None]:
    rows: NDArray[np.int64] = np.flatnonzero([b == budget for b in batch.budgets_usd])
    learned = None if result.learned is None else Learned(*(axis[rows] for axis in result.learned))
    return Played(result.played.row[rows], result.played.arm[rows]), learned


def _notes(
    table: OutcomeTable,
    warmup: OutcomeTable | None,
    stream: Stream,
    budgets_usd: Sequence[float | None],
    features: bool,
    classes: bool,
) -> Iterator[str]:
    """Plain sentences on what was absent, ineligible or out of reach."""
    if features and table.features.shape[1] == 0:
        yield "The table has no features; none were used."
    if classes and not table.tasks:
        yield "The table names no task classes; all requests were one class."
    missing = table.requests - table.observed.sum(0)
    for model, rows in zip(table.models, missing, strict=True):
        if rows:
            yield f"{model} is not observed on {rows} of {table.requests} rows; it was ineligible there."
    if warmup is not None and stream.warm < warmup.requests:
        yield f"{warmup.requests - stream.warm} warm-up rows observe none of the table's models and were left out."
    cheapest = min(frontier.fixed_models(table).values(), key=lambda fixed: fixed.cost_usd).cost_usd
    for budget in budgets_usd:
        if budget is not None and budget < cheapest:
            yield (
                f"A budget of ${budget:.3g} per request is below the cheapest model (${cheapest:.3g}): "
                "it is served by the cheapest and overspent."
            )
