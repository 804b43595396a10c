"""A whole router at work that says what has returned: python -m ... FOLDER ROUND.

It routes to a loopback server of its own, chats and streams, and judges what it got. Each line that it writes is one
acknowledgement: `settled ID` or `judged ID`. It works until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from banditroute.assemble import open_router
from banditroute.router import Router

from .faulty_server import FaultyServer
from .store_worker import acknowledge

_TASKS = 16
_CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "loopback"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
max_output_tokens = 1000

[[models]]
name = "large"
provider = "loopback"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00
max_output_tokens = 1000

[[budgets]]
name = "pace"
usd_per_request = 0.0001

[[budgets]]
name = "day"
usd = 1000.0
per = "day"

[store]
path = "store.db"
"""


async def work(router: Router) -> None:
    """Asks and judges until the process ends."""
    numbers = count()
    async with asyncio.TaskGroup() as group:
        for _ in range(_TASKS):
            group.create_task(_work(router, numbers))


async def _work(router: Router, numbers: count[int]) -> None:
    for number in numbers:
        decision_id = await (_chat(router) if number % 3 else _stream(router))
        acknowledge(f"settled {decision_id}")
        if await router.feedback(decision_id, quality=(number % 10) / 10):
            acknowledge(f"judged {decision_id}")
        assert not await router.feedback(decision_id, quality=0.5)


async def _chat(router: Router) -> str:
    return (await router.chat("What is the capital of France?", task="qa", max_tokens=100)).decision_id


async def _stream(router: Router) -> str:
    async with router.stream("What is the capital of France?", task="chat") as stream:
        async for _ in stream:
            pass
    return stream.answer.decision_id


async def _main(folder: Path) -> None:
    async with FaultyServer() as server:
        config = folder / "router.toml"
        config.write_text(_CONFIG.format(url=server.base_url), encoding="utf-8")
        async with open_router(config) as router:
            acknowledge("started")
            await work(router)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
