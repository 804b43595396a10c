"""Writes the measured part of docs/faults.md: what a caller sees of every fault that the faulty server knows.

Each fault meets a router with short time limits four times: asked for a whole answer and for a stream, with the faulty
model alone and with a healthy one beside it. Where a request does not end by its deadline, or leaves a call, a
connection, dollars or an open decision behind, nothing is written. About half a minute on one core.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from banditroute import Router, open_router
from banditroute.errors import BanditrouteError, BrokenStreamError
from banditroute.records import Attempt
from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_server import FaultyServer, closed_port
from marked_page import write_part

REFUSED = "refused-connection"
DEADLINE_S = 3.0
GRACE_S = 0.5  # a busy machine's own delays
AT_ONCE = 6
TRIES = 30  # until the faulty model is drawn first: one in a thousand million runs needs more

SETTINGS = f"""
[timeouts]
connect_s = 0.5
whole_s = 0.5
first_token_s = 0.3
between_chunks_s = 0.3
total_s = 1.0

[retry]
base_s = 0.05

[routing]
deadline_s = {DEADLINE_S}

[store]
kind = "memory"

[[budgets]]
name = "cap"
usd = 1.0
per = "day"
"""


class Ending(NamedTuple):
    """What a caller saw of one request."""

    seen: str
    attempts: tuple[Attempt, ...]
    seconds: float

    def __str__(self) -> str:
        calls = len(self.attempts)
        return f"{self.seen}; {calls} call{'s' if calls != 1 else ''}; {self.seconds:.2f} s"


async def chat(router: Router) -> str:
    """Who gave a whole answer."""
    return (await router.chat("What is the capital of France?")).model


async def stream(router: Router) -> str:
    """Who streamed an answer."""
    async with router.stream("What is the capital of France?") as deltas:
        async for _ in deltas:
            pass
    return deltas.answer.model


Ask = Callable[[Router], Awaitable[str]]


async def ending(router: Router, ask: Ask) -> Ending:
    """What came of one request, by the caller's clock and the record."""
    begun = time.perf_counter()
    try:
        seen = f"`{await ask(router)}` answers"
    except BrokenStreamError as error:
        seen = f"`BrokenStreamError` ({type(error.cause).__name__}), text kept"
    except BanditrouteError as error:
        seen = f"`{type(error).__name__}`"
    seconds = time.perf_counter() - begun
    (trail,) = await router.learner.store.recent(1)
    if trail.outcome is None:
        sys.exit(f"{trail.decision.decision_id} has no outcome")
    attempts = trail.outcome.attempts
    if seen == "`UnansweredError`":
        seen = f"{seen} ({attempts[-1].failure})"
    if seconds > DEADLINE_S + GRACE_S:
        sys.exit(f"{seen} came after {seconds:.2f} s")
    return Ending(seen, attempts, seconds)


async def case(fault: str, ask: Ask, *, spare: bool) -> Ending:
    """What a caller sees of a fault, with or without a healthy model to fall back to."""
    async with FaultyServer(default="ok" if fault == REFUSED else fault) as faulty, FaultyServer() as healthy:
        url = f"http://127.0.0.1:{closed_port()}/v1" if fault == REFUSED else faulty.base_url
        models = {"faulty": url, "healthy": healthy.base_url} if spare else {"faulty": url}
        with TemporaryDirectory() as folder:
            async with open_router(written(Path(folder), models)) as router:
                found = await ending(router, ask)
                for _ in range(TRIES):
                    if found.attempts[0].model == "faulty":
                        break
                    found = await ending(router, ask)
                await check(router, fault)
        if not (await faulty.settled() and await healthy.settled()):
            sys.exit(f"{fault}: a connection is left open")
    return found


async def check(router: Router, fault: str) -> None:
    """Ends the run where a request left anything behind."""
    held_usd = sum(account.reserved_usd for account in router.learner.ledger.accounts(time.time()))
    if held_usd or await router.learner.store.unsettled():
        sys.exit(f"{fault}: {held_usd} dollars are held, or a decision is open")


def written(folder: Path, models: dict[str, str]) -> Path:
    """A router.toml for models by their servers' addresses."""
    tables = [
        f'[[providers]]\nname = "{name}"\nkind = "openai"\nbase_url = "{url}"\n\n'
        f'[[models]]\nname = "{name}"\nprovider = "{name}"\ninput_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\n'
        for name, url in models.items()
    ]
    path = folder / "router.toml"
    path.write_text("\n".join([*tables, SETTINGS]), encoding="utf-8")
    return path


async def row(fault: str, places: asyncio.Semaphore) -> str:
    """A fault's row of the table."""
    async with places:
        cells = [await case(fault, ask, spare=spare) for ask in (chat, stream) for spare in (False, True)]
    return f"| {fault} | {' | '.join(map(str, cells))} |"


async def rows() -> list[str]:
    """The table's rows, some measured at once."""
    places = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(row(fault, places) for fault in (*FAULTS, REFUSED)))


def heading() -> list[str]:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return [
        f"Written by `simulations/faults.py` on {date.today().isoformat()} ({machine}). Every request ended within",
        f"its deadline of {DEADLINE_S:g} s; after each, no call, connection, reservation or open decision was left.",
        "Limits: whole reply .5 s, first token .3 s, between pieces .3 s, in all 1 s. *Alone*: the faulty model is the",
        "only one; *beside*: a healthy one may answer instead, and the faulty one was asked first. Calls are attempts",
        "on record, failed ones included; in brackets, what the last of them failed of.",
        "",
        "| fault | chat, alone | chat, beside | stream, alone | stream, beside |",
        "|---|---|---|---|---|",
    ]


def main() -> None:
    section = "\n".join([*heading(), *asyncio.run(rows())])
    write_part("faults.md", "measured", section)
    print(section)


if __name__ == "__main__":
    main()
