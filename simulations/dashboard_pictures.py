"""What does the dashboard look like? Draws the pictures of docs/dashboard.md.

A gateway routes the requests of the demo to servers that answer as the shipped table says, by a clock that runs many
times faster, so that half a day passes within a minute; a headless Chromium looks at it. Run it with

    python simulations/dashboard_pictures.py [OUT_DIRECTORY]

It needs chromium and takes about a minute and a half.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from banditroute.cli.live import servers as demo
from banditroute.cli.live.folder import write_config
from banditroute.cli.live.rows import DemoRow, prompt_of, shipped_rows
from banditroute.cli.live.run import endpoints_of
from banditroute.config import load_config
from banditroute.gateway.serve import Gateway, Place, gateway
from banditroute.testing.browser import Browser, Page

BUDGET_USD = 0.0004
CAP_USD = 3.5
PER_S = 22.0
TIMES_FASTER = 240.0
HURRY_S = 62.0
MIDNIGHT = 1_795_651_200.0  # 2026-11-26, UTC
FROM_S = 4.6 * 3600
CLICK_A_TELLING_ONE = """(() => {
  const rows = [...document.querySelectorAll("#decisions tbody tr")];
  const telling = rows.find((row) => !row.children[3].textContent.includes("99"));
  (telling ?? rows[0]).querySelector("button").click();
})()"""
END = MIDNIGHT + FROM_S + TIMES_FASTER * HURRY_S
MORE = f"""
[[budgets]]
name = "a day"
usd = {CAP_USD}
per = "day"

[guard]
most_exploration = 0.2

[[promises]]
name = "fast enough"
latency_s = 30.0
epsilon = 0.05
"""


def hurry() -> None:
    """Has the clock of this process run faster, from early in a day on; in the end as clocks do."""
    began = time.monotonic()

    def now() -> float:
        passed_s = time.monotonic() - began
        return MIDNIGHT + FROM_S + TIMES_FASTER * min(passed_s, HURRY_S) + max(passed_s - HURRY_S, 0.0)

    time.time = now


async def main(out: Path) -> None:
    """Serves, asks and looks."""
    rows = shipped_rows()
    hurry()
    demo.TIMES_FASTER *= 8.0
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = await stack.enter_async_context(demo.table_servers(rows))
        path = write_config(folder, endpoints_of(servers), BUDGET_USD, features=len(rows[0].features))
        path.write_text(path.read_text() + MORE)
        serving = await stack.enter_async_context(gateway(load_config(path), Place(port=0), {}))
        browser = await stack.enter_async_context(Browser())
        asking = asyncio.create_task(ask(serving, rows))
        await asyncio.sleep(40.0)
        await outage(servers[1])
        await asyncio.sleep(HURRY_S - 40.0 + 4.0)
        try:
            await look(browser, serving, out)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def outage(server) -> None:
    """One server is away for a moment."""
    await server.aclose()
    await asyncio.sleep(1.5)
    await server.open()


async def ask(serving: Gateway, rows: Sequence[DemoRow]) -> None:
    """Sends requests at random instants, and judges answers."""
    chance = random.Random(7)
    async with aiohttp.ClientSession(serving.url) as session, asyncio.TaskGroup() as group:
        while True:
            row = rows[chance.randrange(len(rows))]
            group.create_task(_one(session, row, chance.random()))
            await asyncio.sleep(chance.expovariate(PER_S if time.time() < END else PER_S / 8.0))


async def _one(session: aiohttp.ClientSession, row: DemoRow, u: float) -> None:
    body = {
        "messages": [{"role": "user", "content": prompt_of(row)}],
        "banditroute": {"task": row.task, "features": row.features},
    }
    async with session.post("/v1/chat/completions", json=body) as response:
        if response.status != 200:
            return
        told = response.headers
    await asyncio.sleep(0.05 + 0.3 * u)
    quality = row.outcomes[told["x-banditroute-model"]].quality
    judged = {"decision_id": told["x-banditroute-decision-id"], "quality": quality}
    async with session.post("/v1/feedback", json=judged):
        pass


async def look(browser: Browser, serving: Gateway, out: Path) -> None:
    """Takes the pictures."""
    page = await browser.page(width=1180, height=1260)
    await page.open(f"{serving.url}/dashboard")
    await page.until("document.querySelectorAll('#decisions tbody tr').length > 5")
    await page.click("input[value='24 hours']")
    await asyncio.sleep(6.0)
    await drawn(page)
    (out / "dashboard-light.png").write_bytes(await page.picture())
    await page.click("#edges h2")
    await asyncio.sleep(0.5)
    (out / "dashboard-map.png").write_bytes(await page.picture("#edges", margin_px=20))
    await page.value("scrollTo({top: 0, behavior: 'instant'})")
    await page.prefer(dark=True)
    await asyncio.sleep(1.0)
    (out / "dashboard-dark.png").write_bytes(await page.picture())
    await page.prefer(dark=False)
    await page.value(CLICK_A_TELLING_ONE)
    await page.until("document.querySelector('#why table')")
    await asyncio.sleep(0.5)
    (out / "dashboard-why.png").write_bytes(await page.picture())
    await page.press("Escape", 27)
    await page.resize(360, 780)
    await asyncio.sleep(1.5)
    await drawn(page)
    (out / "dashboard-phone.png").write_bytes(await page.picture("body", most_px=1_900))
    for each in page.complaints:
        print("the page complains:", each)
    print("wider than the phone by", await page.value("document.documentElement.scrollWidth - innerWidth"), "px")


async def drawn(page: Page) -> None:
    """Scrolls by every chart, since what nobody sees is not drawn, and back to the top."""
    for n in range(await page.value("document.querySelectorAll('.chart').length")):
        await page.value(f"document.querySelectorAll('.chart')[{n}].scrollIntoView({{behavior: 'instant'}})")
        await asyncio.sleep(0.2)
    await page.value("scrollTo({top: 0, behavior: 'instant'})")
    await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")))
