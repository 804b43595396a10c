"""The gateway of the hour of traffic: a process of its own, and how much of the machine it has in use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from hour_traffic import ADMIN_KEY, KEYS

START_S, END_S = 60.0, 120.0
CONFIG = """
[[providers]]
name = "upstream"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "upstream"
input_usd_per_mtok = 0.10
output_usd_per_mtok = 0.40
max_output_tokens = 1000

[[models]]
name = "middle"
provider = "upstream"
input_usd_per_mtok = 0.80
output_usd_per_mtok = 3.20
max_output_tokens = 1000

[[models]]
name = "large"
provider = "upstream"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00
max_output_tokens = 1000

[[models]]
name = "vectors"
provider = "upstream"
input_usd_per_mtok = 0.02
output_usd_per_mtok = 0.0

[[budgets]]
name = "pace"
usd_per_request = 0.0001

[[budgets]]
name = "all"
usd = 1000.0
per = "month"

[[budgets]]
name = "web"
scope = "tenant:web"
usd = 500.0
per = "day"

[[budgets]]
name = "trial"
scope = "tenant:trial"
usd = {trial_usd}
per = "day"
paced = false
on_exhausted = "reject"

[timeouts]
whole_s = 5.0
first_token_s = 3.0
between_chunks_s = 2.0

[retry]
base_s = 0.01

[store]
kind = "sqlite"
path = "store.db"

[gateway]
auth = "keys"
"""
KEY = '\n[[gateway.keys]]\nname = "{name}"\nkey_env = "{variable}"\ntenant = "{name}"\n'
ADMIN = '\n[[gateway.keys]]\nname = "ops"\nkey_env = "KEY_OPS"\nadmin = true\n'


class Sample(NamedTuple):
    """What the process has in use after so many requests: resident memory in MB, open files and sockets."""

    requests: int
    rss_mb: float
    fds: int


class Serving(NamedTuple):
    """A gateway that listens: its process and its URL."""

    process: Process
    url: str

    def sample(self, requests: int) -> Sample:
        """What it has in use now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        rss_kb = int(status.partition("VmRSS:")[2].split()[0])
        return Sample(requests, rss_kb / 1024, sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir()))

    async def end(self) -> int:
        """Tells it to end as an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_S):
            return await self.process.wait()


@asynccontextmanager
async def serving(folder: Path, upstream_url: str, trial_usd: float) -> AsyncIterator[Serving]:
    """The gateway, its store in a folder; killed at the end where it still runs."""
    config = folder / "router.toml"
    keys = (KEY.format(name=name, variable=_variable(name)) for name in KEYS)
    config.write_text("".join((CONFIG.format(url=upstream_url, trial_usd=trial_usd), *keys, ADMIN)), encoding="utf-8")
    environ = {**os.environ, **{_variable(name): key for name, key in KEYS.items()}, "KEY_OPS": ADMIN_KEY}
    command = (sys.executable, "-m", "banditroute", "serve", "--config", str(config), "--port", "0", "--json")
    with (folder / "stderr.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=log, env=environ, cwd=folder)
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        yield Serving(process, json.loads(line)["url"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _variable(name: str) -> str:
    return f"KEY_{name.upper()}"
