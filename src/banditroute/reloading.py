"""Reloading the configuration when the process is told to, as services are by SIGHUP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
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
    following = asyncio.create_task(_follow(router, told))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(router: Router, told: asyncio.Event) -> None:
    while True:
        await told.wait()
        told.clear()
        try:
            await router.reload()
        except BanditrouteError:  # the observer has been told why
            continue
