"""The faulty server in a thread of its own, for tests that have no event loop, or keep theirs busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from banditroute.testing.faulty_server import FaultyServer

_STARTS_WITHIN_S = 10.0


@contextmanager
def threaded_server(**settings: Any) -> Generator[FaultyServer]:
    """A server that answers while the context is open; its counters may be read from outside.

    Args:
        settings: as for `FaultyServer`.

    Raises:
        TimeoutError: it does not start.
    """
    started, ended = threading.Event(), threading.Event()
    made: list[FaultyServer] = []

    async def serve() -> None:
        async with FaultyServer(**settings) as server:
            made.append(server)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        if not started.wait(_STARTS_WITHIN_S):
            raise TimeoutError("the server did not start")
        yield made[0]
    finally:
        ended.set()
        thread.join()
