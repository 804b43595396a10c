"""Looks whether providers that stopped answering are back, so that no request has to find out.

A circuit breaker alone has to choose: many probes, each of which a request pays for with its time, or few of them, and
a model that is back is not noticed for long. Load balancers part the two by active health checks beside the passive
ones; this is that check, made only while there is something to find out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from .availability import Availability


class Door(Protocol):
    """Where a provider is."""

    async def answers(self, within_s: float) -> bool:
        """Whether anybody is there, and says so in time; never raises for that nobody is."""
        ...


class Knocker:
    """Knocks at the doors of models whose circuits are not closed, until they answer.

    A door that answers at the first knock tells nothing: something behind it fails, and requests have to probe that. So
    a provider is never asked again what it has answered, until another probe fails.

    Args:
        doors: for each model, where its provider is.
        availability: is told what comes of it.
        every_s: time from one knock at a door to the next, and the longest that one is waited for.
        clock: seconds since the epoch.
    """

    def __init__(
        self, doors: Mapping[str, Door], availability: Availability, every_s: float, clock: Callable[[], float]
    ) -> None:
        self._doors = dict(doors)
        self._availability = availability
        self._every_s = every_s
        self._clock = clock
        self._tasks: dict[Door, asyncio.Task[None]] = {}
        self._closed = False

    def knock(self, model: str) -> None:
        """Knocks at a model's door from now on; does nothing where that is done already."""
        door = self._doors[model]
        if not self._closed and door not in self._tasks:
            self._tasks[door] = task = asyncio.get_running_loop().create_task(self._until_answered(door))
            task.add_done_callback(lambda _: self._tasks.pop(door, None))

    async def aclose(self) -> None:
        """Stops."""
        self._closed = True
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_answered(self, door: Door) -> None:
        loop = asyncio.get_running_loop()
        while broken := self._broken(door):
            begun, answered = loop.time(), await door.answers(self._every_s)
            for model in broken:
                self._availability.knocked(model, self._clock(), answered=answered)
            if answered:
                return
            await asyncio.sleep(begun + self._every_s - loop.time())

    def _broken(self, door: Door) -> list[str]:
        return [model for model, its in self._doors.items() if its is door and self._availability.broken(model)]
