"""Tuning on an outcome table: the learning policy is replayed at budgets that close in on what is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from banditroute.simulation import frontier
from banditroute.simulation.prompted import prompted
from banditroute.simulation.results import ByRequest
from banditroute.simulation.run import simulate
from banditroute.simulation.table import OutcomeTable
from banditroute.sweeping.choosing import executor_of
from banditroute.sweeping.executor import Crew, Executor, Tick, in_order

from .answering import Bought, answered, split_of
from .curve import Curve, cheapest
from .questions import Questions
from .results import TaskSplit, Tuning
from .runs import KeptRuns, Run, fingerprint, run_of

Progress = Callable[[int, int], None]

_COARSE = 9  # budgets from the cheapest model to the dearest
_CLOSER = (4, 3)  # budgets put inside the bracket of a target, round after round
_TOGETHER = 20  # replications in a share: enough to share the interpreter's cost, few enough to keep and to share out


@dataclass(frozen=True, slots=True)
class Replay:
    """How the policy is replayed.

    Attributes:
        seeds: stream orders for each budget.
        features: "table", "prompt" or "none"; classes: "table", "classifier" or "none".
        jobs: processes; 0 = one for each processor.
        executor: who does the work, see `banditroute.sweeping`; None = so many processes.
        keep: file that finished budgets are kept in, and gone on from.
        progress: called with budgets replayed and budgets in all, as far as known.
    """

    seeds: Sequence[int] = range(20)
    features: str = "table"
    classes: str = "table"
    jobs: int = 1
    keep: Path | None = None
    progress: Progress | None = None
    executor: Executor | None = None


def tune_table(
    table: OutcomeTable, questions: Questions, *, warmup: OutcomeTable | None = None, replay: Replay | None = None
) -> Tuning:
    """What budgets buy on a table, and which budget answers each question.

    Args:
        table: what is scored.
        questions: what is asked.
        warmup: streamed first, not scored: a router that has been at work. None = one that begins with the table.
        replay: how.

    Raises:
        InputError: tables that do not fit together; a file of kept runs that is another tuning's.
    """
    replay = Replay() if replay is None else replay
    ground = _ground(table, warmup, replay)
    with (replay.executor or executor_of(replay.jobs)).crew(_replayed, ground) as crew:
        return _Tuner(table, warmup, questions, replay, crew).tune()


def _ground(table: OutcomeTable, warmup: OutcomeTable | None, replay: Replay) -> _Ground:
    """The tables as the replays know them: prompts are read here, once."""
    reads = {"classes": replay.classes == "classifier", "features": replay.features == "prompt"}
    if any(reads.values()):
        table, warmup = prompted(table, **reads), None if warmup is None else prompted(warmup, **reads)
    features, classes = (how if how == "none" else "table" for how in (replay.features, replay.classes))
    return _Ground(table, warmup, replay.seeds, features, classes)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all replays have in common."""

    table: OutcomeTable
    warmup: OutcomeTable | None
    seeds: Sequence[int]
    features: str
    classes: str


class _Replayed(NamedTuple):
    """Some budgets, replayed; what else the simulation said."""

    runs: tuple[Run, ...]
    requests: ByRequest
    notes: tuple[str, ...]


def _replayed(ground: _Ground, budgets_usd: tuple[float, ...], tick: Tick) -> _Replayed:
    """A share of the work: some budgets in all orders."""
    del tick  # tuning counts budgets
    found = simulate(
        ground.table,
        warmup=ground.warmup,
        budgets_usd=budgets_usd,
        seeds=ground.seeds,
        features=ground.features,
        classes=ground.classes,
    )
    counted = [(result, result.by_request) for result in found.results]
    runs = tuple(run_of(result, requests) for result, requests in counted if requests is not None)
    requests = counted[0][1]
    assert requests is not None, "a simulation counts request by request"
    return _Replayed(runs, requests, found.notes)


class _Tuner:
    def __init__(
        self,
        table: OutcomeTable,
        warmup: OutcomeTable | None,
        questions: Questions,
        replay: Replay,
        crew: Crew[tuple[float, ...], _Replayed],
    ) -> None:
        self._table, self._warmup, self._questions, self._replay = table, warmup, questions, replay
        self._crew = crew
        how = f"{replay.features}|{replay.classes}"
        self._kept = KeptRuns(replay.keep, fingerprint(table, warmup, replay.seeds, how))
        self._wanted: set[float] = set()
        self._requests: ByRequest | None = None
        self._notes: dict[str, None] = {}

    def tune(self) -> Tuning:
        started = time.perf_counter()
        questions = self._questions
        self._run(self._coarse())
        for closer in _CLOSER:
            self._run([b for quality in questions.target_quality for b in self._inside(quality, closer)])
        self._run([b for b in (self._found(quality) for quality in questions.target_quality) if b is not None])
        found = answered(self._curve(), self._bought(), questions)
        return Tuning(
            source=self._table.name,
            kind="table",
            warmup=None if self._warmup is None else self._warmup.name,
            requests=self._table.requests,
            models=self._table.models,
            seeds=len(self._replay.seeds),
            frontier=found.frontier,
            envelope=frontier.model_choices(self._table).curve(),
            oracle=frontier.prompt_choices(self._table).curve(),
            targets=found.targets,
            recommendations=found.recommendations,
            traffic=found.traffic,
            seconds=time.perf_counter() - started,
            notes=tuple(self._notes),
        )

    def _coarse(self) -> list[float]:
        costs = [fixed.cost_usd for fixed in frontier.fixed_models(self._table).values()]
        low, high = max(min(costs), 1e-12), max(costs)
        grid = np.geomspace(low, high, _COARSE).tolist() if high > low else [low]
        return [*grid, *self._questions.budget_usd]

    def _run(self, budgets: Sequence[float]) -> None:
        """Replays the budgets that were not replayed yet, some in a share; each share is kept once it is done."""
        self._wanted.update(budgets)
        missing = sorted(set(budgets) - self._kept.runs.keys())
        together = max(_TOGETHER // len(self._replay.seeds), 1)
        shares = [tuple(missing[first : first + together]) for first in range(0, len(missing), together)]
        self._tell()
        for done in in_order(self._taken_in(self._crew.sweep(shares))):
            self._requests = done.requests
            self._notes.update(dict.fromkeys(done.notes))

    def _taken_in(self, ended: Iterable[tuple[int, _Replayed]]) -> Iterator[tuple[int, _Replayed]]:
        """Keeps runs as they end."""
        for index, done in ended:
            for run in done.runs:
                self._kept.add(run)
            self._tell()
            yield index, done

    def _tell(self) -> None:
        if self._replay.progress is not None:
            rounds = len(self._questions.target_quality) * (sum(_CLOSER) + 1)
            total = max(_COARSE + len(self._questions.budget_usd) + rounds, len(self._wanted))
            self._replay.progress(len(self._wanted & self._kept.runs.keys()), total)

    def _runs(self) -> list[Run]:
        return [self._kept.runs[budget] for budget in sorted(self._wanted)]

    def _curve(self) -> Curve:
        runs = self._runs()
        return Curve(
            np.array([run.budget_usd for run in runs]),
            np.stack([run.row_quality for run in runs], axis=1),
            np.stack([run.quality for run in runs], axis=1),
        )

    def _found(self, quality: float) -> float | None:
        curve = self._curve()
        budget = cheapest(curve.budget_usd, curve.means, quality)
        return budget if 0.0 < budget < np.inf else None

    def _inside(self, quality: float, number: int) -> list[float]:
        """Budgets inside the stretch within which the curve reaches a quality."""
        curve = self._curve()
        for (low, _), (high, got) in pairwise(zip(curve.budget_usd, curve.means, strict=True)):
            if got >= quality:
                return np.geomspace(low, high, number + 2)[1:-1].tolist()
        return []

    def _bought(self) -> Bought:
        runs = self._runs()
        return Bought(
            self._table.models,
            np.array([run.cost_usd.mean() for run in runs]),
            np.array([run.cost_usd.max() / run.budget_usd for run in runs]),
            np.stack([run.share for run in runs]),
            tuple(self._split(run) for run in runs),
        )

    def _split(self, run: Run) -> tuple[TaskSplit, ...]:
        requests = self._requests_of()
        shares = [dict(zip(self._table.models, map(float, row), strict=True)) for row in run.task_share]
        return split_of(requests.tasks, requests.task_of, run.row_quality, run.row_cost_usd, shares)

    def _requests_of(self) -> ByRequest:
        """Which class each request is of; where all runs were kept, one more is made to know."""
        if self._requests is None:
            [(_, done)] = self._crew.sweep([(min(self._wanted),)])
            self._requests = done.requests
            self._notes.update(dict.fromkeys(done.notes))
        return self._requests
