"""The dashboard in a real browser: numbers move, why a model was chosen, themes, a phone, keys, switches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from banditroute.testing.browser import Browser, missing_browser

pytestmark = pytest.mark.skipif(missing_browser() != "", reason=missing_browser())

KEYS = {"LAB_KEY": "sk-main", "OPS": "key-of-ops", "FREE": "key-of-free"}
TABLES = [
    {"name": "ops", "key_env": "OPS", "admin": True},
    {"name": "free", "key_env": "FREE"},
]
BUDGETS = [
    {"name": "day <b>cap</b>", "usd": 20.0, "per": "day"},
    {"name": "pace", "usd_per_request": 0.0005},
]
EVIL = "<img src=x onerror=alert(1)>"
ROWS = "document.querySelectorAll('#decisions tbody tr').length"
REQUESTS = "Number(document.querySelector('.cards .value').textContent)"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as opened:
        yield opened


async def served(lab, **sections):
    models = {"small": await lab.server(), "large": await lab.server()}
    return await lab.gateway(models, budgets=BUDGETS, environ=KEYS, **sections)


async def locked(lab):
    return await served(lab, **{"gateway": {"auth": "keys"}, "gateway.keys": TABLES})


async def ask(gateway, times=1, **terms):
    answers = [await gateway.router.chat("hello", task="qa", **terms) for _ in range(times)]
    for answer in answers:
        await gateway.router.feedback(answer.decision_id, quality=0.75)
    return answers


@asynccontextmanager
async def stream_of_requests(gateway):
    async def forever():
        while True:
            await ask(gateway)
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(forever())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_numbers_move_while_requests_run_and_nothing_complains(lab, browser):
    gateway = await served(lab)
    await ask(gateway, 3, tenant=EVIL)
    page = await browser.page()
    await page.open(f"{gateway.url}/dashboard")
    before = await page.until(REQUESTS)
    assert before == 3
    assert EVIL in await page.value("document.querySelector('#decisions').textContent")
    async with stream_of_requests(gateway):
        await page.until(f"{REQUESTS} > 8 && {ROWS} > 8")
    assert "paced to" not in await page.value("document.body.textContent")
    assert await page.value("document.querySelector('#budgets h3').textContent") == (
        "day <b>cap</b>: $20.00 per day, all requests"
    )
    assert await page.value("document.querySelectorAll('#budgets svg[role=img]').length") >= 2
    assert page.complaints == []


async def test_a_decision_opens_to_why_it_was_made_by_the_keyboard(lab, browser):
    gateway = await served(lab)
    (answer,) = await ask(gateway, denied=("large",))
    page = await browser.page()
    await page.open(f"{gateway.url}/dashboard")
    await page.until(f"{ROWS} === 1")
    await page.value("document.querySelector('#decisions tbody button').focus()")
    await page.press("Enter", 13)
    await page.until("document.querySelector('#why').open && document.querySelector('#why-eligible-caption')")
    told = await page.value("document.querySelector('#why').innerText")
    assert answer.decision_id in told
    assert "small was drawn with probability 100%" in told
    assert "large" in told
    assert await page.value("document.activeElement.id") == "why-heading"
    await page.press("Escape", 27)
    await page.until("!document.querySelector('#why').open")
    assert await page.value("document.activeElement.className") == "link"
    assert page.complaints == []


async def test_it_is_dark_where_the_reader_or_the_button_says_so(lab, browser):
    gateway = await served(lab)
    page = await browser.page(dark=True)
    await page.open(f"{gateway.url}/dashboard")
    paper = "getComputedStyle(document.body).backgroundColor"
    await page.until(f"{paper} === 'rgb(20, 24, 29)'")
    for expected in ("rgb(254, 254, 254)", "rgb(20, 24, 29)", "rgb(20, 24, 29)"):  # light, dark, as the system
        await page.click("#theme")
        await page.until(f"{paper} === '{expected}'")


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(lab, browser):
    gateway = await served(lab)
    await ask(gateway, 5)
    page = await browser.page(width=360, height=780)
    await page.open(f"{gateway.url}/dashboard")
    await page.until(f"{ROWS} === 5")
    assert await page.value("document.documentElement.scrollWidth") <= 360
    await page.click("#decisions tbody button")
    await page.until("document.querySelector('#why-eligible-caption')")
    assert await page.value("document.querySelector('#why').getBoundingClientRect().width") <= 360
    assert await page.value("document.querySelector('#why').scrollWidth") <= 360


async def test_it_asks_for_a_key_and_throws_switches_for_an_admins_alone(lab, browser):
    gateway = await locked(lab)
    await ask(gateway)
    page = await browser.page()
    await page.open(f"{gateway.url}/dashboard")
    for key in ("nonsense", "key-of-ops"):
        await page.until("document.querySelector('#key').open && document.activeElement.id === 'key-input'")
        await page.type(key)
        await page.press("Enter", 13)
    await page.until(f"{ROWS} === 1 && !document.querySelector('.controls').hidden")
    assert await page.value("Object.keys(sessionStorage).length + document.cookie.length") == 0
    await page.value("document.querySelector('#switch-model').value = 'large'")
    await page.click(".controls button.grave")
    await page.until("document.querySelector('#confirm').open")
    assert gateway.router.learner.switches.values["only"] == ""
    await page.click("#confirm button.grave")
    await page.until("document.querySelector('.attention').textContent.includes('Everything is switched to large')")
    assert gateway.router.learner.switches.values["only"] == "large"
    refused = [each for each in page.complaints if "401" not in each]  # the browser itself notes every 401
    assert refused == []


async def test_a_key_that_is_no_admins_sees_and_throws_nothing(lab, browser):
    gateway = await locked(lab)
    await ask(gateway)
    page = await browser.page()
    await page.open(f"{gateway.url}/dashboard")
    await page.until("document.querySelector('#key').open")
    await page.type("key-of-free")
    await page.press("Enter", 13)
    await page.until(f"{ROWS} === 1")
    assert await page.value("document.querySelector('.controls').hidden")
