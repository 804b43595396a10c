"""Settlements that go on by themselves, those of one decision one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Settling:
    """Lets work on decisions go on by itself; one event loop, one owner."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Task[bool]] = {}

    def soon(self, decision_id: str, work: Coroutine[Any, Any, bool]) -> None:
        """Begins the work once all that was asked for before on the same decision is done."""
        task = asyncio.create_task(_after(self._last.get(decision_id), work))
        self._last[decision_id] = task
        task.add_done_callback(lambda done: self._forget(decision_id, done))

    async def of(self, decision_id: str) -> None:
        """Returns once a decision that is being worked on no longer is."""
        task = self._last.get(decision_id)
        if task is not None:
            await asyncio.shield(task)

    async def all(self) -> None:
        """Returns once everything that was asked for is done."""
        await asyncio.gather(*self._last.values(), return_exceptions=True)

    def _forget(self, decision_id: str, task: asyncio.Task[bool]) -> None:
        if self._last.get(decision_id) is task:
            del self._last[decision_id]


async def _after(before: asyncio.Task[bool] | None, work: Coroutine[Any, Any, bool]) -> bool:
    """The work's result, begun once what came before it is over."""
    if before is not None:
        await asyncio.wait((before,))
    return await work
