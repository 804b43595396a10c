"""The live demo from end to end: servers up, router open, stream through, everything closed."""

from __future__ import annotations

import asyncio
import math
import random
import signal
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from banditroute.assemble import open_router
from banditroute.cli.live.drive import Driver, Pace
from banditroute.cli.live.folder import Endpoint, new_folder, write_config
from banditroute.cli.live.listing import LISTED
from banditroute.cli.live.rows import shipped_rows
from banditroute.cli.live.servers import TableServer, table_servers
from banditroute.cli.live.showing import showing
from banditroute.cli.live.tally import Tally
from banditroute.errors import InputError

_MOST_OUTPUT_TOKENS = 16_384  # more than any answer in the table
_OUTAGE = (0.5, 0.7)  # from when to when, as shares of the stream
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How the demo goes.

    Attributes:
        budget_usd: dollars per request to keep to.
        requests: how many to send, the first of the shipped tables.
        seconds: how long they take to be sent.
        outage: the busiest model's server is away for a while.
        seed: of the stand-in for users: when they judge.

    Raises:
        InputError: an amount is not finite.
    """

    budget_usd: float
    requests: int
    seconds: float
    outage: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for field, value in (("--budget-usd", self.budget_usd), ("--seconds", self.seconds)):
            if not math.isfinite(value):
                raise InputError(f"{value} is not an amount", remedy="give a positive number", field=field)


class LiveResult(NamedTuple):
    """What came of it, where the router's configuration is, and whether the user cut it short."""

    tally: Tally
    config: Path
    interrupted: bool


async def run_live(settings: LiveSettings, *, silent: bool) -> LiveResult:
    """Runs the demo; Ctrl-C ends it early, with what was found until then."""
    rows = shipped_rows()[: settings.requests]
    tally = Tally(rows, settings.budget_usd)
    stop = asyncio.Event()
    pace = Pace(len(rows) / settings.seconds)
    async with table_servers(rows) as servers:
        config = write_config(new_folder(), endpoints_of(servers), settings.budget_usd, features=len(rows[0].features))
        async with open_router(config) as router:
            driver = Driver(router, tally, pace, random.Random(settings.seed).random, stop)
            with _stopping_on_interrupt(stop):
                async with showing(tally, silent=silent), _outage(servers, tally, wanted=settings.outage):
                    await driver.run(rows)
    return LiveResult(tally, config, stop.is_set())


def endpoints_of(servers: Sequence[TableServer]) -> list[Endpoint]:
    """The servers' models at their list prices, as the configuration has them."""
    listed = [(server, LISTED[server.model]) for server in servers]
    return [
        Endpoint(server.model, one.maker, server.base_url, server.model, one.price, _MOST_OUTPUT_TOKENS)
        for server, one in listed
    ]


@contextmanager
def _stopping_on_interrupt(stop: asyncio.Event) -> Generator[None]:
    """The first Ctrl-C sets the event, a second one interrupts as ever."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except (NotImplementedError, ValueError):  # Windows, or not the main thread: Ctrl-C interrupts at once
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@asynccontextmanager
async def _outage(servers: Sequence[TableServer], tally: Tally, *, wanted: bool) -> AsyncGenerator[None]:
    """Takes the busiest server away in the middle of the stream and brings it back."""
    if not wanted:
        yield
        return
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_take_away(servers, tally))
        try:
            yield
        finally:
            task.cancel()


async def _take_away(servers: Sequence[TableServer], tally: Tally) -> None:
    away, back = (share * tally.total for share in _OUTAGE)
    while tally.answered < away:
        await asyncio.sleep(_LOOK_EVERY_S)
    busiest = max(servers, key=lambda server: tally.served[server.model])
    await busiest.aclose()
    while tally.answered + tally.failed < back:
        await asyncio.sleep(_LOOK_EVERY_S)
    await busiest.open()
