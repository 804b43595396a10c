"""Runs a benchmark: every model on every prompt, each call graded, on record before it counts, and paid once."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.assemble import open_router
from banditroute.benching.asking import Asker, GivenUpError
from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.grading import graded_by, markers_of
from banditroute.benching.journal import Journal
from banditroute.benching.paying import CrowdedError, JudgeGoneError, Payer
from banditroute.benching.planning import BenchPlan
from banditroute.benching.setbacks import FailedAttempts
from banditroute.benching.settings import RunSettings
from banditroute.benching.spending import Purse, SpentError
from banditroute.benching.worst import Reckoner
from banditroute.errors import ConfigError
from banditroute.routing.tasks import NoFeatures, OneTask
from banditroute.sweeping.executor import Executor
from banditroute.sweeping.serial import Serial

_HERE = Serial()


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        done: finished calls, those of earlier runs included; planned: all of them.
        spent_usd: dollars so far, earlier runs included.
    """

    done: int
    planned: int
    spent_usd: float


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended.

    Attributes:
        calls: every finished call, earlier runs' included.
        spent_usd: dollars of all runs, judging and calls of which nothing was heard any more included, the latter at
            their worst; judging_usd: of these, for judges.
        stops: why it ended before all was done, one sentence each; empty where all was.
    """

    calls: Mapping[CallKey, FinishedCall]
    spent_usd: float
    judging_usd: float
    stops: tuple[str, ...]


async def run_bench(
    plan: BenchPlan,
    journal: Journal,
    settings: RunSettings,
    *,
    environ: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor = _HERE,
) -> Ran:
    """Makes the calls that are not on record yet; what was finished is on record, however this ends.

    Args:
        plan: what to run.
        journal: open; what it holds already is not asked again.
        settings: how to run.
        environ: where the keys are; None = the process's environment.
        progress: is told after each call.
        executor: has answers graded, where that needs no judge; the calls are made here, by who pays them.

    Raises:
        ConfigError: a key is missing; or a limit of dollars is set and nothing bounds what a model's answers cost.
        InputError: the executor's workers are not there, or graders cannot be sent to them.
    """
    if settings.most_usd is not None:
        _check_bounded(plan)
    attempts = FailedAttempts()
    router = open_router(plan.router, environ=environ, observer=attempts, classifier=OneTask(), encoder=NoFeatures())
    with (executor if plan.graders else _HERE).crew(graded_by, markers_of(plan.graders)) as crew:
        async with router:
            purse = Purse(settings.most_usd, journal.kept.spent_usd + journal.kept.lost_usd)
            asker = Asker(
                router,
                attempts,
                plan.router.catalog.names,
                pay=purse.pay,
                retrying=plan.retrying,
                uniform=random.Random(plan.router.routing.seed).random,
                patience=settings.patience,
            )
            async with aclosing(Payer(plan, journal, settings, asker, purse, crew)) as payer:
                return await _Run(plan, journal, settings, payer, progress).all()


class _Run:
    """One run of a plan."""

    def __init__(
        self,
        plan: BenchPlan,
        journal: Journal,
        settings: RunSettings,
        payer: Payer,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._concurrency = settings.concurrency
        self._payer = payer
        self._progress = progress
        self._stops: dict[str, None] = {}
        self._stopped = False
        self._given_up: set[str] = set()
        self._put_off: deque[tuple[int, str, int]] = deque()
        keys = {plan.key(row, model, turn) for row, turn in plan.turns() for model in plan.models}
        self._calls = {key: call for key, call in journal.kept.calls.items() if key in keys}

    async def all(self) -> Ran:
        """Makes all calls that are not finished."""
        self._report()
        prompts = self._plan.turns()
        # So many that however many models keep calls waiting, there are enough for those that do not.
        workers = min(self._concurrency * len(self._plan.models), len(self._plan.prompts.rows) * self._plan.repeats)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(prompts))
        except ExceptionGroup as errors:  # a disk that is full, say: one is enough to tell
            raise errors.exceptions[0] from None
        return Ran(self._calls, self._payer.spent_usd, self._payer.judging_usd, tuple(self._stops))

    async def _work(self, prompts: Iterator[tuple[int, int]]) -> None:
        """Puts one prompt after another to every model, one by one; then what was put off meanwhile."""
        for row, turn in prompts:
            for model in self._plan.order(row, turn):
                await self._make(row, model, turn)
        while self._put_off:
            await self._make(*self._put_off.popleft(), may_crowd=True)

    async def _make(self, row: int, model: str, turn: int, *, may_crowd: bool = False) -> None:
        """Makes a call that is not finished, or learns that no more are to be made, of its model or of any."""
        if self._stopped or model in self._given_up or self._plan.key(row, model, turn) in self._calls:
            return
        try:
            call = await self._payer.call(row, model, turn, may_crowd=may_crowd)
        except CrowdedError:
            self._put_off.append((row, model, turn))
        except (SpentError, JudgeGoneError) as error:
            self._stop(error)
        except GivenUpError as error:
            self._given_up.add(model)
            self._stops[str(error)] = None
        else:
            self._calls[call.key] = call
            self._report()

    def _stop(self, error: SpentError | JudgeGoneError) -> None:
        """Begins no more calls, for any model; the first reason is the one to tell."""
        if not self._stopped:
            self._stops[str(error)] = None
        self._stopped = True

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(Progress(len(self._calls), self._plan.planned, self._payer.spent_usd))


def _check_bounded(plan: BenchPlan) -> None:
    """Raises ConfigError where a limit of dollars could not be kept."""
    reckoner = Reckoner(plan.router.catalog, plan.judges)
    for prompt, task in zip(plan.prompts.rows, plan.tasks, strict=True):
        for model in plan.models:
            if math.isinf(reckoner.most_usd(prompt, task, model)):
                raise ConfigError(
                    f"nothing bounds what an answer of {model}, or a judge's reply, costs",
                    remedy="give --max-tokens, or the models' max_output_tokens",
                    path=str(plan.router.path),
                )
