"""The process that starts workers, hands connections over to them, passes orders on, and replaces who ends."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from banditroute.errors import InputError
from banditroute.gateway.entrance import Place, url_of
from banditroute.gateway.orders import Signals
from banditroute.gateway.workers.channel import END, GIVE_UP, RELOAD
from banditroute.gateway.workers.door import Door
from banditroute.gateway.workers.job import Job
from banditroute.gateway.workers.listeners import bound
from banditroute.gateway.workers.team import Team

_GIVING_UP_S = 10.0
_LONGEST = 70  # characters of a folder's name; the system takes 104 or so of a socket's

Listening = Callable[[str, Sequence[int]], None]


async def supervise(path: Path, place: Place, count: int, listening: Listening) -> None:
    """Serves a router.toml by several processes until SIGTERM or SIGINT; SIGHUP has each reload the file.

    A second signal ends them without waiting for requests in work, whose answers are cut and settled.

    Args:
        path: the file.
        place: where to listen.
        count: how many workers.
        listening: is told the URL and the workers' process ids once all are ready.

    Raises:
        InputError: nobody can listen there, or a worker cannot serve; says why.
    """
    if not hasattr(socket, "send_fds"):
        raise InputError("several workers take a system that is a Unix", remedy="serve with one")
    with bound(place) as listeners, _folder() as folder, Signals() as signals:
        url = url_of(place.host, listeners[0].getsockname()[1])
        team = Team([Job(str(path), place.host, url, number, count, folder) for number in range(1, count + 1)])
        signals.give_up = lambda: _give_up(team)
        directing = asyncio.create_task(
            _direct(team, Door(listeners, team), signals, lambda: listening(url, team.pids))
        )
        try:
            await team.work()
        finally:
            directing.cancel()
            await asyncio.gather(directing, return_exceptions=True)


def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that nobody else may look into, of a name that leaves room for those of sockets."""
    usual = tempfile.gettempdir()
    return tempfile.TemporaryDirectory(prefix="banditroute-", dir=usual if len(usual) <= _LONGEST else "/tmp")


async def _direct(team: Team, door: Door, signals: Signals, listening: Callable[[], None]) -> None:
    """Lets people in once all workers are ready, and passes on what the process is told."""
    reloading = asyncio.create_task(_pass_on(signals.changed, team))
    try:
        if await _first(team.ready(), signals.ended.wait()):
            door.open()
            listening()
        await signals.ended.wait()
    finally:
        reloading.cancel()
        door.close()
        team.order(END)


async def _pass_on(changed: asyncio.Event, team: Team) -> None:
    while True:
        await changed.wait()
        changed.clear()
        team.order(RELOAD)


def _give_up(team: Team) -> None:
    """Has all answers cut; who does not end by that is ended."""
    team.order(GIVE_UP)
    asyncio.get_running_loop().call_later(_GIVING_UP_S, team.kill)


async def _first(one: Coroutine[Any, Any, object], other: Coroutine[Any, Any, object]) -> bool:
    """Whether the one came before the other."""
    tasks = [asyncio.create_task(each) for each in (one, other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[1] not in done
    finally:
        for task in tasks:
            task.cancel()
