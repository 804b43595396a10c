"""All workers of a gateway: started together, each replaced where it ends, ended together."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import sys
import time
from dataclasses import replace

from banditroute.errors import InputError
from banditroute.gateway.workers.channel import END, Order
from banditroute.gateway.workers.job import Job
from banditroute.gateway.workers.worker_process import Worker, started

_STEADY_S = 10.0  # whoever served for so long is replaced at once
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_MOST_FAILURES = 5  # in a row, while nobody serves


class Team:
    """Keeps so many workers at work.

    Args:
        jobs: what each is to do.
    """

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._changed = asyncio.Event()
        self._workers: dict[int, Worker] = {}
        self._last: dict[int, int] = {}
        self._turns = itertools.count(1)
        self._ending = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """The processes' ids, by the workers' numbers."""
        return [self._workers[number].pid for number in sorted(self._workers)]

    async def work(self) -> None:
        """Starts all and replaces whoever ends, until all have ended because they were told to.

        Raises:
            InputError: one cannot serve from the first, or nobody could be made to any more: says why.
        """
        keeping = [asyncio.create_task(self._keep(job)) for job in self._jobs]
        try:
            await asyncio.gather(*keeping)
        finally:
            for task in keeping:
                task.cancel()
            for worker in self._workers.values():
                worker.kill()
            await asyncio.gather(*keeping, *(each.ended() for each in self._workers.values()), return_exceptions=True)

    async def ready(self) -> None:
        """Returns once every worker is ready."""
        while len(self._ready()) < len(self._jobs):
            self._changed.clear()
            await self._changed.wait()

    def hand(self, connection: socket.socket) -> bool:
        """Hands a connection over to the ready worker that has the fewest; False where there is none."""
        for worker in sorted(self._ready(), key=lambda each: (each.connections, self._last[each.job.number])):
            if worker.hand(connection):
                self._last[worker.job.number] = next(self._turns)
                return True
        return False

    @property
    def is_ready(self) -> bool:
        """Whether any worker is."""
        return bool(self._ready())

    def order(self, order: Order) -> None:
        """Gives every worker an order; where it is to end, nobody is replaced any more."""
        if order == END:
            self._ending.set()
        for worker in self._workers.values():
            worker.order(order)

    def kill(self) -> None:
        """Ends all at once."""
        for worker in self._workers.values():
            worker.kill()

    def _ready(self) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.is_ready]

    async def _keep(self, job: Job) -> None:
        """One worker after another does a job."""
        failures = 0
        while not self._ending.is_set():
            worker, code, lasted_s = await self._once(job)
            if self._ending.is_set():
                return
            failures = 0 if worker.was_ready and lasted_s > _STEADY_S else failures + 1
            self._check_hope(worker, code, failures)
            _note({"event": "WorkerEnded", "worker": job.number, "code": code, "problem": worker.problem})
            job = replace(job, again=True)
            await self._pause(failures)

    async def _once(self, job: Job) -> tuple[Worker, int, float]:
        began = time.monotonic()
        worker = self._workers[job.number] = await started(job, self._changed.set)
        self._last.setdefault(job.number, 0)
        if self._ending.is_set():
            worker.order(END)
        return worker, await worker.ended(), time.monotonic() - began

    def _check_hope(self, worker: Worker, code: int, failures: int) -> None:
        """Returns if it makes sense to start another.

        Raises:
            InputError: it does not.
        """
        if worker.was_ready or (worker.job.again and (self._ready() or failures < _MOST_FAILURES)):
            return
        raise InputError(worker.problem or f"worker {worker.job.number} ended with exit code {code} before it served")

    async def _pause(self, failures: int) -> None:
        """Waits longer each time."""
        if failures > 1:
            pause_s = min(_FIRST_PAUSE_S * 2.0 ** (failures - 2), _LONGEST_PAUSE_S)
            await asyncio.wait([ending := asyncio.create_task(self._ending.wait())], timeout=pause_s)
            ending.cancel()


def _note(line: dict[str, object]) -> None:
    """A line on standard error, in the manner of the workers' own."""
    told = {"at": round(time.time(), 3)} | {name: value for name, value in line.items() if value != ""}
    sys.stderr.write(f"{json.dumps(told)}\n")
    sys.stderr.flush()
