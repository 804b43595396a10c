"""An event loop on a thread of its own, to which any other thread hands work and waits for what comes of it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from banditroute.errors import NotOpenError

T = TypeVar("T")

_CLOSED = "the router is closed; open another with open_router(...)"


class LoopThread:
    """One thread with an event loop; every method but `close` may be called by many threads at once.

    A thread does not come along into a process that is forked off: there every call says so.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._process = os.getpid()
        self._ending = threading.Lock()
        self._last = asyncio.Event()
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name=name, daemon=True)
        self._thread.start()
        self._loop = started.result()
        self._ended = False

    def call(self, work: Callable[[], T]) -> T:
        """What a function returns that is called on the loop; it must not wait for anything."""

        async def calling() -> T:
            return work()

        return self.wait_for(calling())

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine brings that runs on the loop; whoever is interrupted while waiting cancels it.

        Raises:
            NotOpenError: the thread has ended, is another process's, or is the caller itself.
        """
        try:
            self._check()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except CancelledError:
            raise NotOpenError("the router was closed while this was under way") from None
        except BaseException:
            future.cancel()  # as of Ctrl-C; of work that is done it changes nothing
            raise

    @property
    def is_ours(self) -> bool:
        """Whether this is the process that started it."""
        return os.getpid() == self._process

    def close(self) -> None:
        """Cancels what is under way and ends the thread; a second call does nothing."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            self._loop.call_soon_threadsafe(self._last.set)
        self._thread.join()

    def _check(self) -> None:
        if not self.is_ours:
            raise NotOpenError(
                f"the router was opened in process {self._process}, and this one, {os.getpid()}, was forked off it: "
                "threads do not come along; open the router after the fork, in the process that uses it"
            )
        if self._ended:
            raise NotOpenError(_CLOSED)
        if threading.current_thread() is self._thread:
            raise NotOpenError("the router's own thread cannot wait for itself; call it from another thread")

    def _run(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._until_last(started))

    async def _until_last(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        started.set_result(asyncio.get_running_loop())
        await self._last.wait()
