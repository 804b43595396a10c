"""Writes the live part of docs/budgets.md: does a cap hold when real requests go over real sockets?

Ten thousand requests, 256 at once, a third of them streams, go through a Router with a SQLite store to a loopback
server that charges what it likes (prices jump tenfold, unannounced), hangs, fails and cuts answers short. After every
request the account of the cap is checked; at the end the server's own bill, the store and the ledger are compared.
About a minute on two cores.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from banditroute import BanditrouteError, BudgetExceededError, Router, open_router
from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, Exchange, chunk, completion, data_frame
from banditroute.testing.faulty_server import FaultyServer
from marked_page import write_part

REQUESTS, AT_ONCE, CAP_USD = 10_000, 256, 200.0
TROUBLE = ("hang-before-head", "hang-after-head", "500", "cut-before-token", "cut-after-token", "error-in-200")
USD_PER_MTOK = {"small": (0.5, 2.0), "large": (5.0, 20.0)}

CONFIG = """
[[providers]]
name = "moody"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "moody"
input_usd_per_mtok = 0.5
output_usd_per_mtok = 2.0
max_output_tokens = 2000

[[models]]
name = "large"
provider = "moody"
input_usd_per_mtok = 5.0
output_usd_per_mtok = 20.0
max_output_tokens = 2000

[[budgets]]
name = "day"
usd = {cap}
per = "day"
paced = false                  # the cap alone: how it holds, not how it steers
on_exhausted = "reject"

[store]
kind = "sqlite"
path = "live.db"

[timeouts]
whole_s = 0.5
first_token_s = 0.5
between_chunks_s = 0.5
total_s = 1.0

[retry]
base_s = 0.01
cap_s = 0.05

[breaker]
consecutive = 1000
rate = 1.0
window = 1000
"""


@dataclass
class Moody:
    """A provider with moods; keeps the bill of every answer that it sent whole."""

    chance: Random
    billed_usd: float = 0.0
    served: int = 0
    troubles: Counter[str] = field(default_factory=Counter)

    async def __call__(self, exchange: Exchange) -> None:
        if self.chance.random() < 0.12:
            trouble = self.chance.choice(TROUBLE)
            self.troubles[trouble] += 1
            await FAULTS[trouble](exchange)
            return
        await asyncio.sleep(self.chance.uniform(0.0, 0.05))
        self._answer(exchange)

    def _answer(self, exchange: Exchange) -> None:
        tokens = self.chance.randint(1, int(exchange.body.get("max_tokens", 2000)))
        per_input, per_output = USD_PER_MTOK[exchange.body["model"]]
        jump = 10.0 if (self.served // 500) % 2 else 1.0
        cost = jump * (20 * per_input + tokens * per_output) / 1e6
        usage = {"prompt_tokens": 20, "completion_tokens": tokens, "total_tokens": 20 + tokens, "cost": cost}
        if exchange.stream:
            exchange.begin_stream()
            for piece in (ROLE, *CONTENT, STOP, data_frame(chunk(choices=[], usage=usage)), DONE):
                exchange.piece(piece)
            exchange.end_stream()
        else:
            exchange.reply(200, completion(usage=usage))
        self.served += 1
        self.billed_usd += cost


@dataclass
class Watch:
    """Asks one request after another and checks the account after each."""

    router: Router
    chance: Random
    left: int = REQUESTS
    endings: Counter[str] = field(default_factory=Counter)
    answered_usd: float = 0.0
    violations: int = 0
    checks: int = 0

    async def work(self) -> None:
        while self.left > 0:
            self.left -= 1
            self.endings[await self._ended()] += 1
            self._check()

    async def _ended(self) -> str:
        limit = {"max_tokens": self.chance.randint(50, 1000)} if self.chance.random() < 0.7 else {}
        streamed, left_early = self.chance.random() < 0.33, self.chance.random() < 0.05
        try:
            if not streamed:
                self.answered_usd += (await self.router.chat("How much is it?", **limit)).cost_usd
                return "answered"
            async with self.router.stream("How much is it?", **limit) as stream:
                async for _ in stream:
                    if left_early:
                        return "left early"
            self.answered_usd += stream.answer.cost_usd
            return "answered"
        except BudgetExceededError:
            return "turned down at the cap"
        except BanditrouteError as error:
            return type(error).__name__

    def _check(self) -> None:
        (account,) = self.router.learner.ledger.accounts(time.time())
        bound_usd = account.cap.usd + account.overrun_usd + 1e-9
        self.checks += 1
        self.violations += account.spent_usd + account.reserved_usd > bound_usd


async def measured(folder: Path) -> str:
    moody = Moody(Random(1))
    async with FaultyServer(default=moody) as server:
        config = folder / "router.toml"
        config.write_text(CONFIG.format(url=server.base_url, cap=CAP_USD), encoding="utf-8")
        begun = time.perf_counter()
        async with open_router(config) as router:
            watch = Watch(router, Random(2))
            await asyncio.gather(*(watch.work() for _ in range(AT_ONCE)))
            seconds = time.perf_counter() - begun
            (account,) = router.learner.ledger.accounts(time.time())
            stored_usd = sum((await router.learner.store.state()).spent_usd.values())
            unsettled = len(await router.learner.store.unsettled())
    if watch.violations or account.reserved_usd or unsettled or abs(stored_usd - account.spent_usd) > 1e-9:
        raise SystemExit(f"broken: {watch}, {account}, stored {stored_usd}, unsettled {unsettled}")
    return page(watch, moody, account.spent_usd, account.overrun_usd, seconds)


def page(watch: Watch, moody: Moody, spent_usd: float, overrun_usd: float, seconds: float) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    endings = ", ".join(f"{count:,} {ending}" for ending, count in watch.endings.most_common())
    troubles = ", ".join(f"{count} {name}" for name, count in sorted(moody.troubles.items()))
    return (
        f"Written by `simulations/live_budget.py` on {date.today().isoformat()} ({machine}; {seconds:.0f} s). "
        f"{REQUESTS:,} requests, {AT_ONCE} at once, to a loopback server: {endings}. "
        f"Its troubles: {troubles}; its prices jumped tenfold and back every 500 answers.\n\n"
        f"| cap | spent | overrun | the server's own bill | checks | violations | still reserved |\n"
        f"|---|---|---|---|---|---|---|\n"
        f"| ${CAP_USD:.2f} | ${spent_usd:.4f} | ${overrun_usd:.4f} | ${moody.billed_usd:.4f} | {watch.checks:,} "
        f"| {watch.violations} | $0 |\n"
    )


def main() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a server that is hung up on warns of every write
    with tempfile.TemporaryDirectory() as folder:
        text = asyncio.run(measured(Path(folder)))
    write_part("budgets.md", "live", text.rstrip("\n"))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
