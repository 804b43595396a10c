"""Reloading the configuration when the process is told to, as services are by SIGHUP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from banditroute.errors import BanditrouteError
from banditroute.router import Router


@asynccontextmanager
async def reload_on_sighup(router: Router) -> AsyncGenerator[None]:
    """Inside it, SIGHUP has the router reload its file; a file that cannot be used is an event and changes nothing.

    Signals that come while one is followed are followed once, after it.

    Raises:
        NotImplementedError: the platform has no such signal.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    if not hasattr(signal, "SIGHUP"):
        raise NotImplementedError("this platform has no SIGHUP; call router.reload() instead")
    loop.add_signal_handler(signal.SIGHUP, told.set)
    following = asyncio.create_task(follow(told, router.reload))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def follow(told: asyncio.Event, reload: Callable[[], Awaitable[object]]) -> None:
    """Reloads whenever the event is set, for ever; a reload tells the observer itself how it ended.

    Args:
        told: is set where there is something to reload.
        reload: reloads.
    """
    while True:
        await told.wait()
        told.clear()
        try:
            await reload()
        except BanditrouteError:  # the observer has been told why
            continue
        # The edge of a loop that nobody waits for: users' modules may raise anything as they are imported, and the next
        # signal is to be heard all the same. The loop's handler shows the traceback, which the observer was not given.
        except Exception as error:  # noqa: BLE001
            context = {"message": "the configuration was not reloaded", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
