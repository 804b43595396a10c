"""Writes the outage part of docs/faults.md: a live router whose main model goes down for 300 requests and comes back.

Three models on loopback servers, requests at a steady rate, a paced budget, answers judged at once by a seeded table.
After 400 requests the main model's server fails, in one of several ways, for 300; then it is well again. Asks whether
every request is answered, how many still touch the dead model, how soon it is in use again, and what it all costs.
Time runs faster than in service: the settings are as of a service at some 4 requests a second, sped up tenfold.

SEEDS (5 by default) orders of each way, three at once: two and a half minutes, most of it waiting. A machine that is
busy otherwise disturbs it: a tenth of the default times leaves it little.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from banditroute import Answer, BanditrouteError, Router, open_router
from banditroute.observe import Attempted, BreakerChanged, Event
from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_exchange import Exchange, completion
from banditroute.testing.faulty_server import FaultyServer
from marked_page import footnote, write_part

SEEDS = range(int(os.environ.get("SEEDS", "5")))
AT_ONCE = 3
PER_S, FASTER = 40.0, 10.0  # times a service of 4 requests a second
WARM, STRETCH, RETURN = 100, 300, 100
GONE, BACK = WARM + STRETCH, WARM + 2 * STRETCH
REQUESTS = BACK + RETURN
MAIN = "main"
BUDGET_USD = 1.6e-3

USD_PER_MTOK = {"small": 0.4, MAIN: 4.0, "large": 40.0}  # of output; of input a quarter
QUALITY = {  # by task class
    "chat": {"small": 0.86, MAIN: 0.91, "large": 0.92},
    "code": {"small": 0.55, MAIN: 0.88, "large": 0.93},
    "proof": {"small": 0.30, MAIN: 0.70, "large": 0.95},
}
CONFIG = f"""
[[budgets]]
name = "pace"
usd_per_request = {BUDGET_USD}

[store]
kind = "memory"

[routing]
tasks = {[*QUALITY]}
classifier = "none"
deadline_s = 10.0

[timeouts]
connect_s = 0.5
whole_s = {15.0 / FASTER}
total_s = {15.0 / FASTER}

[retry]
base_s = {0.5 / FASTER}
cap_s = {8.0 / FASTER}

[breaker]
open_s = {5.0 / FASTER}
most_open_s = {60.0 / FASTER}
knock_s = {2.0 / FASTER}
"""


async def close(server: FaultyServer) -> None:
    await server.aclose()


def failing(fault: str) -> Callable[[FaultyServer], Awaitable[None]]:
    """Has a server fail in a way that it knows."""

    async def fail(server: FaultyServer) -> None:
        server.default = fault

    return fail


async def failing_behind_the_door(server: FaultyServer) -> None:
    """Has it answer knocks as if all were well."""
    server.default = FAULTS["503"]


WAYS: dict[str, Callable[[FaultyServer], Awaitable[None]]] = {
    "refuses connections": close,
    "answers 503 to everything": failing("503"),
    "hangs until the time limit": failing("hang-before-head"),
    "answers 503 to chats, and knocks as ever": failing_behind_the_door,
}


class Row(NamedTuple):
    """A request of the seeded table: its class, the tokens of any answer to it, each model's quality and seconds."""

    task: str
    tokens: int
    quality: dict[str, float]
    seconds: float


def table(seed: int) -> list[Row]:
    """What happens to be asked, and how good each model's answer would be."""
    chance = Random(seed)
    return [_row(chance) for _ in range(REQUESTS)]


def _row(chance: Random) -> Row:
    task = chance.choices([*QUALITY], (0.4, 0.4, 0.2))[0]
    quality = {model: min(max(chance.gauss(mean, 0.1), 0.0), 1.0) for model, mean in QUALITY[task].items()}
    return Row(task, int(chance.lognormvariate(5.5, 0.5)), quality, chance.lognormvariate(-2.7, 0.4))


class Serving:
    """A well model: answers the row that a prompt names, after its seconds."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    async def __call__(self, exchange: Exchange) -> None:
        row = self._rows[int(exchange.body["messages"][0]["content"])]
        await asyncio.sleep(row.seconds)
        usage = {"prompt_tokens": 100, "completion_tokens": row.tokens, "total_tokens": 100 + row.tokens}
        exchange.reply(200, completion(usage=usage))


class Touch(NamedTuple):
    """A call of the main model, and when it began."""

    decision_id: str
    at: float
    failure: str


@dataclass
class Watch:
    """Sees calls of the main model begin, and its circuit open; all by one clock."""

    touches: list[Touch] = field(default_factory=list)
    opened_at: list[float] = field(default_factory=list)

    def notify(self, event: Event) -> None:
        now = time.perf_counter()
        if isinstance(event, Attempted) and event.attempt.model == MAIN:
            self.touches.append(Touch(event.decision_id, now - event.attempt.duration_s, event.attempt.failure))
        elif isinstance(event, BreakerChanged) and (event.model, event.state) == (MAIN, "open"):
            self.opened_at.append(now)


@dataclass
class Run:
    """What one seed showed of one way to fail.

    Attributes:
        answers: by request; None where there was none.
        gone_at, back_at: when the main model's server failed, and when it was well again.
    """

    watch: Watch = field(default_factory=Watch)
    answers: list[Answer | None] = field(default_factory=lambda: [None] * REQUESTS)
    gone_at: float = 0.0
    back_at: float = 0.0

    @property
    def answered(self) -> int:
        return sum(answer is not None for answer in self.answers)

    @property
    def opened_at(self) -> float:
        """When its circuit opened, after its server had failed."""
        return next((at for at in self.watch.opened_at if at > self.gone_at), self.back_at)

    @property
    def touched(self) -> int:
        """Requests that called the main model between the opening of its circuit and its return."""
        return len({each.decision_id for each in self.watch.touches if self.opened_at < each.at < self.back_at})

    @property
    def before_open(self) -> list[float]:
        """Seconds of the requests whose call had failed when the circuit opened, or was under way then."""
        failed = {each.decision_id for each in self.watch.touches if each.failure and each.at <= self.opened_at}
        return [answer.latency_s for answer in self.answers[GONE:] if answer and answer.decision_id in failed]

    @property
    def usual_s(self) -> float:
        """Median seconds of an answer before the outage."""
        return statistics.median(answer.latency_s for answer in self.answers[WARM:GONE] if answer)

    @property
    def away(self) -> int:
        """Requests from the return until the main model answers one."""
        answers = self.answers[BACK:]
        return next((n for n, answer in enumerate(answers) if answer and answer.model == MAIN), len(answers))

    def share(self, first: int, last: int) -> float:
        """The main model's share of requests."""
        return statistics.fmean(answer is not None and answer.model == MAIN for answer in self.answers[first:last])

    def spent(self, first: int, last: int) -> float:
        """Dollars over budget."""
        return statistics.fmean(answer.cost_usd if answer else 0.0 for answer in self.answers[first:last]) / BUDGET_USD


async def run(seed: int, fail: Callable[[FaultyServer], Awaitable[None]]) -> Run:
    """One seed of one way to fail."""
    rows, found = table(seed), Run()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        servers = {m: await stack.enter_async_context(FaultyServer(default=Serving(rows))) for m in USD_PER_MTOK}
        config = written(Path(folder), servers, seed)
        router = await stack.enter_async_context(open_router(config, observer=found.watch))
        tasks: list[asyncio.Task[None]] = []
        per_s = PER_S * Random(seed).uniform(0.75, 1.25)  # lest the outage end when a probe happens to be due
        begun = time.perf_counter()
        for number, row in enumerate(rows):
            await asyncio.sleep(begun + number / per_s - time.perf_counter())
            if number == GONE:
                found.gone_at = time.perf_counter()
                await fail(servers[MAIN])
            elif number == BACK:
                await mend(servers[MAIN], Serving(rows))
                found.back_at = time.perf_counter()
            tasks.append(asyncio.create_task(ask(router, number, row, found.answers)))
        await asyncio.gather(*tasks)
    return found


async def mend(server: FaultyServer, serving: Serving) -> None:
    server.default = serving
    await server.aclose()  # does nothing to one that is closed
    await server.open()


async def ask(router: Router, number: int, row: Row, answers: list[Answer | None]) -> None:
    """One request, judged at once."""
    try:
        answer = await router.chat(str(number), task=row.task)
    except BanditrouteError as error:
        logging.warning("request %d: %s", number, error)
        return
    answers[number] = answer
    await router.feedback(answer.decision_id, quality=row.quality[answer.model])


def written(folder: Path, servers: dict[str, FaultyServer], seed: int) -> Path:
    """router.toml of models by their servers."""
    tables = [
        f'[[providers]]\nname = "{name}"\nkind = "openai"\nbase_url = "{server.base_url}"\n\n'
        f'[[models]]\nname = "{name}"\nprovider = "{name}"\n'
        f"input_usd_per_mtok = {USD_PER_MTOK[name] / 4}\noutput_usd_per_mtok = {USD_PER_MTOK[name]}\n"
        for name, server in servers.items()
    ]
    path = folder / "router.toml"
    seeded = CONFIG.replace("[routing]", f"[routing]\nseed = {seed}")
    path.write_text("\n".join([*tables, seeded]), encoding="utf-8")
    return path


async def measured() -> dict[str, list[Run]]:
    """The runs of each way to fail, a few at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def placed(seed: int, fail: Callable[[FaultyServer], Awaitable[None]]) -> Run:
        async with places:
            return await run(seed, fail)

    runs = await asyncio.gather(*(placed(seed, fail) for fail in WAYS.values() for seed in SEEDS))
    return {way: runs[n * len(SEEDS) : (n + 1) * len(SEEDS)] for n, way in enumerate(WAYS)}


def main() -> None:
    """Measures and writes."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a server that is hung up on warns of every write
    started = time.perf_counter()
    found = asyncio.run(measured())
    lines = [
        "| the main model | answered | met the failure first: requests, extra wait of each | touched it later "
        "| until it served again | its share before and after | dollars over budget before, meanwhile, after |",
        "|---|---|---|---|---|---|---|",
        *(line(way, runs) for way, runs in found.items()),
        "",
        f"{footnote(started, __file__)}: {len(SEEDS)} orders of each, a cell their mean (the worst of them). "
        f"*Before* is the {STRETCH} requests before, *after* the {RETURN} from its return; *later* "
        f"is from the opening of its circuit to its return. Every setting of time is a tenth of the default, and "
        f"`whole_s` of 15 s, at 30 to 50 requests a second: as the defaults are at 3 to 5. Waits are told as of then.",
    ]
    text = "\n".join(lines)
    print(text)
    write_part("faults.md", "outage", text)


def line(way: str, runs: Sequence[Run]) -> str:
    """A way's row of the table."""
    first = [len(each.before_open) for each in runs]
    waits = [FASTER * (seconds - each.usual_s) for each in runs for seconds in each.before_open]
    before, after = ([each.share(*span) for each in runs] for span in ((WARM, GONE), (BACK, BACK + RETURN)))
    kept = min(a / b for a, b in zip(after, before, strict=True))
    spans = ((WARM, GONE), (GONE, BACK), (BACK, REQUESTS))
    spent = ", ".join(_worst([each.spent(*span) for each in runs], ".2f") for span in spans)
    cells = (
        f"{sum(each.answered for each in runs):,} of {len(runs) * REQUESTS:,}",
        f"{_worst(first)}, {_worst(waits)} s",
        f"{_worst([each.touched for each in runs])} of {STRETCH}",
        f"{_worst([each.away for each in runs])} requests",
        f"{statistics.fmean(before):.2f}, {statistics.fmean(after):.2f}: {_mean_ratio(before, after):.0%} ({kept:.0%})",
        spent,
    )
    return f"| {way} | {' | '.join(cells)} |"


def _mean_ratio(before: Sequence[float], after: Sequence[float]) -> float:
    return statistics.fmean(after) / statistics.fmean(before)


def _worst(values: Sequence[float], form: str = ".1f") -> str:
    """The mean, and the greatest in brackets."""
    return f"{statistics.fmean(values):{form}} ({max(values):{form if form != '.1f' else '.3g'}})"


if __name__ == "__main__":
    main()
