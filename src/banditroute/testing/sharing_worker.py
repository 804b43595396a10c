"""One of several routers on one store, doing what it is told: python -m ... CONFIG.

It reads commands, each a line: `work N` asks so many times, some at once, and judges what it got; `tell` writes what it
believes. Each line that it writes is an acknowledgement, as `settled ID` and `judged ID`, or the end of a command. It
leaves when there are no more commands.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

import numpy as np
import orjson

from banditroute.assemble import open_router
from banditroute.errors import BanditrouteError
from banditroute.router import Router

from .store_worker import acknowledge

_AT_ONCE = 8
_PROMPT = "What is the capital of France, and since when has it been the capital of it?"


async def work(router: Router, numbers: count[int], requests: int) -> None:
    """Asks so many times; a request that is turned down is one too."""
    left = iter(range(requests))

    async def some() -> None:
        for _ in left:
            await _ask(router, next(numbers))

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def _ask(router: Router, number: int) -> None:
    try:
        answer = await router.chat(_PROMPT, task=("qa", "code")[number % 2], max_tokens=10)
    except BanditrouteError as error:
        acknowledge(f"refused {type(error).__name__}")
        return
    acknowledge(f"settled {answer.decision_id}" if answer.recorded else f"unrecorded {answer.decision_id}")
    if await router.feedback(answer.decision_id, quality=(number % 10) / 10):
        acknowledge(f"judged {answer.decision_id}")


def told(router: Router) -> str:
    """What it believes, as JSON: for each edge, its sums one after another."""
    learned = router.learner.decider.beliefs.learned
    sums = {
        "/".join(edge): [value for part in each for value in np.ravel(part).tolist()] for edge, each in learned.items()
    }
    return orjson.dumps(sums).decode()


async def _main(config: Path) -> None:
    loop, numbers = asyncio.get_running_loop(), count()
    async with open_router(config) as router:
        acknowledge("started")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            command, *amount = line.split()
            if command == "work":
                await work(router, numbers, int(amount[0]))
                acknowledge("done")
            else:
                acknowledge(f"told {told(router)}")


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
