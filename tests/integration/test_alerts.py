"""Every alert of a live router fires once on the fault that is injected, is over once, and is in the timeline."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import orjson
import pytest
from aiohttp import ClientSession, web

from banditroute.cli.app import run
from banditroute.errors import BudgetExceededError, ConfigError, StoreError, UnansweredError
from banditroute.observe import Alerted

ASKED = "What is the capital of France?"
SQLITE = {"kind": "sqlite"}


class Inbox:
    """Takes the posts of a webhook."""

    def __init__(self) -> None:
        self.alerts: list[dict] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.alerts.append(orjson.loads(await request.read()))
        return web.Response(status=204)

    def of(self, kind: str) -> list[tuple[str, str]]:
        """Whom the alerts of a kind are about, and their states."""
        return [(each["about"], each["state"]) for each in self.alerts if each["kind"] == kind]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits for what must come to pass soon."""
        async with asyncio.timeout(5.0):
            while not is_so():
                await asyncio.sleep(0.01)


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox, app = Inbox(), web.Application()
    app.router.add_post("/alerts", inbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alerts"
    yield inbox
    await runner.cleanup()


def alerts(inbox: Inbox, **fields) -> dict:
    return {"down_s": 0.1, "over_s": 0.1, **fields, "webhook": {"url": inbox.url}}


async def timeline(lab, capsys, *more: str) -> list[dict]:
    """What `banditroute timeline --json` shows."""
    capsys.readouterr()
    command = ["timeline", "--config", str(lab.folder / "router.toml"), *more]
    assert await asyncio.to_thread(run, [*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["moments"]


async def test_a_provider_that_goes_down_and_comes_back(lab, inbox, capsys) -> None:
    shaky, well = await lab.server(), await lab.server()
    sections = {"store": SQLITE, "alerts": alerts(inbox), "breaker": {"open_s": 0.05, "most_open_s": 0.05}}
    router = await lab.router({"small": shaky, "large": shaky, "other": well}, **sections)
    shaky.default = "500"
    for name in ("small", "large") * 6:
        with suppress(UnansweredError):
            await router.chat(ASKED, model=name)
    await inbox.until(lambda: inbox.of("provider") == [("host0", "began")])
    shaky.default = "ok"
    for name in ("small", "large"):
        async with asyncio.timeout(5.0):
            while not await answered(router, name):
                await asyncio.sleep(0.02)
    await inbox.until(lambda: inbox.of("provider") == [("host0", "began"), ("host0", "over")])
    assert inbox.of("model") == []
    began, over = inbox.alerts
    assert (began["alert_id"], began["text"]) == (
        over["alert_id"],
        "provider host0 is down: small, large cannot be called",
    )
    assert began["cause"] == "5 failures in a row (ServerFailedError)"
    await router.aclose()
    moments = await timeline(lab, capsys)
    assert moments[0]["kind"] == "started"
    assert moments[-1]["kind"] == "stopped"
    told = [each["text"] for each in moments if each["kind"] == "alert"]
    assert told[0].startswith("provider, began: provider host0 is down")
    assert told[1].startswith("provider, over: provider host0 is back")
    circuits = [each["text"] for each in moments if each["kind"] == "circuit" and each["about"] == "small"]
    assert circuits == ["the circuit of small opened", "the circuit of small closed"]


async def answered(router, model: str) -> bool:
    try:
        await router.chat(ASKED, model=model)
    except UnansweredError:
        return False
    return True


async def test_a_cap_that_is_spent_to_its_marks(lab, inbox, capsys) -> None:
    server = await lab.server()
    dear = lab.served(server, ["LAB_KEY"], input_usd_per_mtok=100.0, output_usd_per_mtok=200.0, max_output_tokens=8)
    budget = {"name": "day", "usd": 0.05, "per": "day", "on_exhausted": "reject", "paced": False}
    sections = {"store": SQLITE, "alerts": alerts(inbox, kinds=["budget"])}
    router = await lab.router({"small": dear}, budgets=[budget], **sections)
    spent = 0.0
    for mark in (0.5, 0.8):
        while spent < mark * 0.05:
            spent += (await router.chat(ASKED)).cost_usd
        await inbox.until(lambda mark=mark: len(inbox.alerts) == (1 if mark == 0.5 else 2))
        assert inbox.alerts[-1]["text"].startswith("budget day:")
    while router.learner.ledger.account("day", time.time()).left_usd > 0.004:
        await router.chat(ASKED)
    with pytest.raises(BudgetExceededError):
        await router.chat(ASKED)
    await inbox.until(lambda: len(inbox.alerts) == 3)
    assert inbox.of("budget") == [("day", "began")] * 3
    assert "requests are turned down" in inbox.alerts[-1]["text"]
    await router.aclose()
    told = [each["text"] for each in await timeline(lab, capsys) if each["kind"] == "alert"]
    assert len(told) == 3
    assert all(text.startswith("budget, began: budget day") for text in told)


async def test_a_model_that_falls_and_a_newcomer_that_is_no_good(lab, inbox, capsys) -> None:
    server = await lab.server()
    both, more = {"best": server, "plain": server}, {"best": server, "plain": server, "fresh": server}
    routing = {"deadline_s": 5.0, "seed": 7, "rollout": {"trial_share": 0.5}}
    sections = {"store": SQLITE, "alerts": alerts(inbox), "routing": routing}
    router = await lab.router(both, **sections)
    quality = {"best": 0.9, "plain": 0.6, "fresh": 0.1}
    await judged(router, 120, quality)
    assert inbox.alerts == []
    await router.reload(lab.write(more, **sections))
    await judged(router, 80, quality)
    await inbox.until(lambda: inbox.of("newcomer") == [("fresh", "happened")])
    quality["best"] = 0.3
    await judged(router, 80, quality)
    await inbox.until(lambda: inbox.of("drift") == [("best quality fell", "happened")])
    await router.aclose()
    moments = await timeline(lab, capsys)
    kinds = [each["kind"] for each in moments]
    assert kinds.index("reloaded") < kinds.index("newcomer") < kinds.index("changed")
    reloaded = moments[kinds.index("reloaded")]
    assert "added fresh" in reloaded["cause"]
    changed = moments[kinds.index("changed")]
    assert changed["about"] == "best"
    assert "sure" in changed["cause"]
    assert {each["kind"] for each in inbox.alerts} == {"newcomer", "drift"}


async def judged(router, requests: int, quality: dict[str, float], source: str = "user") -> None:
    for number in range(requests):
        answer = await router.chat(ASKED, task="qa")
        await router.feedback(answer.decision_id, quality=quality[answer.model] + 0.02 * (number % 3), source=source)


async def test_feedback_that_goes_silent_and_comes_back(lab, inbox, capsys) -> None:
    settings = alerts(inbox, silent_times=5.0, silent_least_s=0.0)
    router = await lab.router({"small": await lab.server()}, store=SQLITE, alerts=settings)
    await judged(router, 40, {"small": 0.8}, "thumbs")
    for _ in range(60):
        answer = await router.chat(ASKED, task="qa")
    await inbox.until(lambda: inbox.of("feedback") == [("source thumbs", "began")])
    await router.feedback(answer.decision_id, quality=0.8, source="thumbs")
    await inbox.until(lambda: inbox.of("feedback")[1:] == [("source thumbs", "over")])
    assert len(inbox.alerts) == 2
    await router.aclose()
    again = await lab.router({"small": await lab.server()}, store=SQLITE, alerts=settings)
    assert again.learner.lookout.watch.silence.doubtful(again.learner.lookout.watch.settings) is False
    await again.aclose()
    assert len(inbox.alerts) == 2, "what is usual is known again from the record"
    told = [each for each in await timeline(lab, capsys) if each["kind"] == "alert"]
    assert "would have come by now" in told[0]["cause"]


async def test_a_store_that_fails_and_works_again_and_a_file_that_cannot_be_loaded(
    lab, inbox, capsys, monkeypatch
) -> None:
    models = {"small": await lab.server()}
    sections = {"store": SQLITE, "alerts": alerts(inbox)}
    router = await lab.router(models, **sections)
    store = router.learner.store
    settle = store.settle

    async def full(_):
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "settle", full)
    for _ in range(3):
        assert not (await router.chat(ASKED)).recorded
    await inbox.until(lambda: inbox.of("store") == [("", "began")])
    monkeypatch.setattr(store, "settle", settle)
    await router.chat(ASKED)
    await inbox.until(lambda: inbox.of("store") == [("", "began"), ("", "over")])
    good = (lab.folder / "router.toml").read_text()
    (lab.folder / "router.toml").write_text("nonsense = true\n" + good)
    for _ in range(2):
        with pytest.raises(ConfigError):
            await router.reload()
    (lab.folder / "router.toml").write_text(good.replace("input_usd_per_mtok = 1.0", "input_usd_per_mtok = 3.0"))
    await router.reload()
    await inbox.until(lambda: inbox.of("reload") == [("", "began"), ("", "over")])
    assert len(inbox.alerts) == 4
    await router.aclose()
    moments = await timeline(lab, capsys)
    (price,) = (each for each in moments if each["kind"] == "price")
    assert price["text"] == "the price of small: input_usd_per_mtok 1 -> 3"
    assert [each["cause"] for each in moments if each["text"].startswith("store, began")] == ["the disk is full"]
    assert all("nonsense" in each["cause"] for each in moments if each["kind"] == "reload")


async def test_what_is_silenced_is_told_nowhere_and_on_record_all_the_same(lab, inbox, capsys) -> None:
    models = {"small": await lab.server()}
    router = await lab.router(models, store=SQLITE, alerts=alerts(inbox, kinds=["budget"]))
    with pytest.raises(ConfigError):
        await router.reload(lab.folder / "none.toml")
    await router.aclose()
    assert inbox.alerts == []
    assert lab.events.of(Alerted) == []
    told = [each["text"] for each in await timeline(lab, capsys) if each["kind"] == "alert"]
    assert told == ["reload, began: the configuration was not reloaded: the one before it stays (silenced)"]


async def test_a_gateway_tells_its_log_and_its_dashboard(lab, inbox, capsys) -> None:
    server = await lab.server("500")
    log = lab.folder / "log.jsonl"
    sections = {"gateway": {"auth": "none", "access_log": str(log)}, "alerts": alerts(inbox), "store": SQLITE}
    gateway = await lab.gateway({"small": server}, **sections)
    async with ClientSession() as session:
        for _ in range(8):
            body = {"model": "auto", "messages": [{"role": "user", "content": ASKED}]}
            async with session.post(f"{gateway.url}/v1/chat/completions", json=body) as response:
                assert response.status >= 429
        await inbox.until(lambda: inbox.of("provider") == [("host0", "began")])
        async with session.get(f"{gateway.url}/dashboard/snapshot") as response:
            notices = (await response.json())["notices"]
    assert next(each["text"] for each in notices if each["kind"] == "alert: provider").startswith(
        "provider host0 is down"
    )
    good = (lab.folder / "router.toml").read_text()
    (lab.folder / "router.toml").write_text("nonsense = true\n" + good)
    with pytest.raises(ConfigError):
        await gateway.reload(lab.folder / "router.toml")
    await inbox.until(lambda: inbox.of("reload") == [("", "began")])
    await gateway.front.router.learner.lookout.aclose()
    async with asyncio.timeout(5.0):
        while "reloaded" not in log.read_text():
            await asyncio.sleep(0.05)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [line for line in lines if line.get("event") == "Alerted"]
    assert [(line["alert"], line["state"]) for line in told] == [("provider", "began"), ("reload", "began")]
    (lab.folder / "router.toml").write_text(good)


async def test_a_webhook_that_takes_nothing_hurts_nobody(lab, inbox, capsys) -> None:
    settings = {"webhook": {"url": inbox.url.replace("/alerts", "/none"), "attempts": 1}}
    router = await lab.router({"small": await lab.server()}, store=SQLITE, alerts=settings)
    with pytest.raises(ConfigError):
        await router.reload(lab.folder / "none.toml")
    assert (await router.chat(ASKED)).text
    await router.aclose()
    (unsent,) = (each for each in await timeline(lab, capsys) if each["kind"] == "unsent")
    assert unsent["cause"] == "it answered 404"


async def test_a_process_that_ended_without_a_word_is_told_of_by_the_next(lab, capsys) -> None:
    models = {"small": await lab.server()}
    router = await lab.router(models, store=SQLITE)
    await router.chat(ASKED)
    async with asyncio.timeout(5.0):
        while not await router.learner.store.incidents(0.0, 10):
            await asyncio.sleep(0.01)
    lookout, router.learner.lookout = router.learner.lookout, None
    await router.aclose()
    again = await lab.router(models, store=SQLITE)
    await again.aclose()
    await lookout.aclose()
    moments = await timeline(lab, capsys, "--since", "1h")
    assert [each["kind"] for each in moments] == ["started", "started", "stopped"]
    assert [bool(each["cause"]) for each in moments] == [False, True, True]
    assert "killed" in moments[1]["cause"]
    assert await timeline(lab, capsys, "--since", "2099-01-01") == []
    assert time.time() - moments[0]["at"] < 600.0


async def test_a_secret_that_is_not_there_is_said_before_anything_begins(lab) -> None:
    webhook = {"url": "http://127.0.0.1:9/", "secret_env": "NOT_THERE"}
    with pytest.raises(ConfigError, match="NOT_THERE is not set"):
        lab.assembled({"small": await lab.server()}, alerts={"webhook": webhook})
