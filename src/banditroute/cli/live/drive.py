"""Sending the stream: requests at a steady pace, and the judgements of a stand-in for users, later and out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from banditroute.cli.live.rows import DemoRow, prompt_of
from banditroute.cli.live.seam import Chats
from banditroute.cli.live.tally import Tally
from banditroute.errors import RequestError, UnansweredError
from banditroute.records import Answer


@dataclass(frozen=True, slots=True)
class Pace:
    """How the stream comes.

    Attributes:
        per_s: requests a second.
        at_once: most requests under way; a slow router is not sent more.
        judged_after_s: the shortest and the longest time from an answer to its feedback.
    """

    per_s: float
    at_once: int = 32
    judged_after_s: tuple[float, float] = (0.1, 1.5)


class Driver:
    """Sends requests and judges answers.

    Args:
        router: what is driven.
        tally: what came of it.
        pace: how fast.
        uniform: chance, uniform in [0, 1).
        stop: set it, and no more requests are sent; what is under way is finished and judged at once.
    """

    def __init__(
        self, router: Chats, tally: Tally, pace: Pace, uniform: Callable[[], float], stop: asyncio.Event
    ) -> None:
        self._router = router
        self._tally = tally
        self._pace = pace
        self._uniform = uniform
        self._stop = stop
        self._slots = asyncio.Semaphore(pace.at_once)

    async def run(self, rows: Sequence[DemoRow]) -> None:
        """Sends one request per row; returns when all are answered and judged."""
        start = perf_counter()
        async with asyncio.TaskGroup() as group:
            for place, row in enumerate(rows):
                await self._pause(start + place / self._pace.per_s - perf_counter())
                await self._slots.acquire()
                if self._stop.is_set():
                    break
                group.create_task(self._serve(row))

    async def _serve(self, row: DemoRow) -> None:
        try:
            answer = await self._ask(row)
        finally:
            self._slots.release()
        if answer is not None:
            await self._judge(row, answer)

    async def _ask(self, row: DemoRow) -> Answer | None:
        start = perf_counter()
        try:
            answer = await self._router.chat(prompt_of(row), task=row.task, features=row.features)
        except (RequestError, UnansweredError) as error:
            self._tally.add_failure(error)
            return None
        self._tally.add_answer(row, answer, perf_counter() - start)
        return answer

    async def _judge(self, row: DemoRow, answer: Answer) -> None:
        soonest, latest = self._pace.judged_after_s
        await self._pause(soonest + (latest - soonest) * self._uniform())
        quality = row.outcomes[answer.model].quality
        await self._router.feedback(answer.decision_id, quality=quality)
        self._tally.add_judgement(row, quality)

    async def _pause(self, seconds: float) -> None:
        """Sleeps, but not beyond the instant at which the demo is stopped."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
