"""What does a month look like? Draws the picture of docs/monthly-report.md.

A router decides on two months of made-up traffic by a clock of its own and writes them into a store, as a live one
does; callers make the calls, for three tenants and three classes. Some answers are judged; a server has a bad day.
Then `banditroute report` is asked for the second month and a headless Chromium looks at its page. Run it with

    python simulations/monthly_report.py [OUT_DIRECTORY [REQUESTS_A_MONTH]]

It needs chromium and takes about a minute.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from banditroute.assemble import decider_of
from banditroute.cli import reporting
from banditroute.config import load_config
from banditroute.observe import NullObserver
from banditroute.records import Alarm, Decision, Incident, Usage
from banditroute.reports.month.month import Month
from banditroute.reports.monthly import write_month_report
from banditroute.router import Router
from banditroute.routing.guards import Switch
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.browser import Browser
from banditroute.testing.manual_clock import ManualClock
from banditroute.workshop import Given, Outside, Workshop

OCTOBER, NOVEMBER, DECEMBER = 1_790_812_800.0, 1_793_491_200.0, 1_796_083_200.0
DAY_S = 86_400.0
TENANTS = {"shop": 0.6, "search": 0.3, "": 0.1}
TASKS = {"qa": 0.5, "code": 0.2, "summary": 0.3}
QUALITY = {
    "small": {"qa": 0.78, "code": 0.45, "summary": 0.82},
    "medium": {"qa": 0.86, "code": 0.68, "summary": 0.86},
    "large": {"qa": 0.90, "code": 0.88, "summary": 0.88},
}
JUDGED = 0.3
FAILING = 0.01
SILENT = 0.02
CONFIG = """
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60

[[models]]
name = "medium"
provider = "far"
input_usd_per_mtok = 0.80
output_usd_per_mtok = 3.20

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00

[[budgets]]
name = "pace"
usd_per_request = 0.003

[[budgets]]
name = "month"
usd = 60.0
per = "month"

[[budgets]]
name = "shop a day"
usd = 1.0
per = "day"
scope = "tenant:shop"

[routing]
seed = 5
explore = { decisions = 0.1, quality = 1.0 }

[store]
path = "store.db"
retention_days = 400
"""


@dataclass
class Books:
    """What was told to the router, added up by hand.

    Attributes:
        usd: dollars by (month, tenant, task, model); requests: likewise.
        judged: of November, how many; quality: the sum.
    """

    usd: dict[tuple[str, str, str, str], float] = field(default_factory=dict)
    requests: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    judged: int = 0
    quality: float = 0.0

    def add(self, key: tuple[str, str, str, str], usd: float) -> None:
        """Takes a request in."""
        self.usd[key] = self.usd.get(key, 0.0) + usd
        self.requests[key] = self.requests.get(key, 0) + 1


def router_of(config: Path, clock: ManualClock) -> Router:
    """The router of a configuration, by a clock of the caller's."""
    plan, numbers = load_config(config, {}), iter(range(10**9))

    def new_id(_: float) -> str:
        return f"decision-{next(numbers):07d}"

    outside = Outside(clock, new_id)
    store = SQLiteStore(plan.store.path)
    workshop = Workshop(plan, {}, NullObserver(), Given(), store, decider_of, outside)
    return Router(workshop.first(), workshop.learner, workshop, clock)


async def live(config: Path, requests: int, *, seed: int = 1) -> Books:
    """Two months of traffic, October and November, of so many requests each, and what they came to."""
    config.write_text(CONFIG)
    chance, clock, books = random.Random(seed), ManualClock(OCTOBER), Books()
    async with router_of(config, clock) as router:
        for month, begin, end in (("2026-10", OCTOBER, NOVEMBER), ("2026-11", NOVEMBER, DECEMBER)):
            for number in range(requests):
                clock.reach(begin + (end - begin) * (number + 0.5) / requests)
                await one(router, month, chance, books)
                if number % 64 == 0:
                    await asyncio.sleep(0)  # what is queued gets written
            await asyncio.sleep(0.2)
    await incidents(config)
    return books


async def one(router: Router, month: str, chance: random.Random, books: Books) -> None:
    """One request: decided, called, told, perhaps judged."""
    tenant, task = drawn(TENANTS, chance), drawn(TASKS, chance)
    decision = router.decide("x" * chance.randrange(200, 4_000), task=task, tenant=tenant)
    usage = Usage(chance.randrange(100, 1_500), chance.randrange(50, 700))
    ok = chance.random() >= FAILING
    usd = cost_of(decision, usage) if ok else 0.0
    told = None if chance.random() < SILENT or not ok else usage
    router.record(decision, usage=told, latency_s=chance.uniform(0.3, 3.0), cost_usd=usd, ok=ok)
    books.add((month, tenant, task, decision.chosen), usd)
    if ok and chance.random() < JUDGED:
        quality = float(chance.random() < QUALITY[decision.chosen][task])
        await router.feedback(decision.decision_id, quality=quality, source="user")
        books.judged += month == "2026-11"
        books.quality += quality if month == "2026-11" else 0.0


def drawn(shares: Mapping[str, float], chance: random.Random) -> str:
    """One of the names, as often as its share says."""
    return chance.choices(list(shares), list(shares.values()))[0]


def cost_of(decision: Decision, usage: Usage) -> float:
    """Dollars by the price list above."""
    usd_in, usd_out = {"small": (0.15, 0.60), "medium": (0.80, 3.20), "large": (2.50, 10.00)}[decision.chosen]
    return (usage.input_tokens * usd_in + usage.output_tokens * usd_out) / 1e6


async def incidents(config: Path) -> None:
    """What a lookout would have noted in November."""
    store = SQLiteStore(config.parent / "store.db")
    await store.open()
    at = NOVEMBER + 9 * DAY_S + 7_200.0
    for incident in (
        Incident(NOVEMBER - DAY_S, "started", "", "banditroute began to serve by router.toml"),
        Incident(at, "circuit", "large", "the circuit of large opened", "5 of its last 10 calls failed: HTTP 503"),
        Incident(at + 600.0, "circuit", "large", "the circuit of large closed", "a probe was answered"),
        Incident(at + 2 * DAY_S, "price", "small", "the price of small: 0.20 -> 0.15", "the configuration says so"),
        Incident(at + 9 * DAY_S, "alert", "month", "budget, began: half of month is spent", "$30.00 of $60.00"),
    ):
        await store.note(incident)
    await store.throw(Switch("freeze", "exploration", at + 12 * DAY_S))
    await store.adjust((Alarm(at + 5 * DAY_S, "medium", "latency_s", "", 1.1, 2.3, 41, 0.99999),), {})
    await store.aclose()


def november(config: Path, now: float = DECEMBER + 3_600.0, baselines: tuple[str, ...] = ()) -> Month:
    """November as it stands at an instant."""
    return reporting.found(reporting.Asked(config, "2026-11", baselines, 50_000), now)


async def look(page: Path, out: Path) -> None:
    """Takes the picture, and says what the page complains of."""
    async with Browser() as browser:
        seen = await browser.page(width=1_000, height=1_400)
        await seen.open(page.as_uri())
        (out / "monthly-report.png").write_bytes(await seen.picture("body", most_px=1_620))
        for width, dark in ((360, False), (1_000, True)):
            await seen.prefer(dark=dark)
            await seen.resize(width, 900)
            (page.parent / f"{width}-{dark}.png").write_bytes(await seen.picture("body", most_px=9_000))
            wider = await seen.value("document.documentElement.scrollWidth - innerWidth")
            print(f"{width} px wide: the page is wider by {wider} px; complaints: {seen.complaints}")


def main(out: Path, requests: int) -> None:
    """Routes two months, reports the second, looks at it."""
    with tempfile.TemporaryDirectory() as folder:
        config, page = Path(folder) / "router.toml", Path(folder) / "report.html"
        asyncio.run(live(config, requests))
        write_month_report(november(config), page)
        asyncio.run(look(page, out))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"), int(sys.argv[2]) if len(sys.argv) > 2 else 6_000)
