"""A router that grades answers as it gives them, and says which it gave: python grading_worker.py FOLDER."""

import asyncio
import sys
from pathlib import Path

from banditroute import open_router
from banditroute.router import Router
from banditroute.testing.faulty_server import FaultyServer

CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "loopback"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[[graders]]
name = "short"
kind = "length"
options = {{ most = 3 }}

[routing]
classifier = "none"
encoder = "none"

[store]
path = "store.db"
"""


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


async def work(router: Router) -> None:
    while True:
        say((await router.chat("hello")).decision_id)


async def main(folder: Path) -> None:
    async with FaultyServer() as server:
        config = folder / "router.toml"
        config.write_text(CONFIG.format(url=server.base_url))
        async with open_router(config) as router:
            say("started")
            await asyncio.gather(*(work(router) for _ in range(4)))


asyncio.run(main(Path(sys.argv[1])))
