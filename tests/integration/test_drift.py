"""A live router notices that a model, or its bill, is no longer what it was, and goes where it now fares better."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from banditroute.observe import Drifted, Reloaded
from banditroute.testing.faulty_exchange import USAGE, Exchange, completion

ASKED = "What is the capital of France?"


class Traffic:
    """Requests one after the other, each judged as good as its model is meant to be, give or take."""

    def __init__(self, router, seed: int = 0, **quality: float) -> None:
        self.router, self.quality = router, quality
        self.rng = np.random.default_rng(seed)
        self.judged = Counter[str]()

    async def run(self, requests: int) -> Counter[str]:
        """How often each model served."""
        served = Counter[str]()
        for number in range(requests):
            answer = await self.router.chat(ASKED, task=("qa", "code")[number % 2])
            quality = self.quality[answer.model] + 0.15 * self.rng.standard_normal()
            await self.router.feedback(answer.decision_id, quality=float(np.clip(quality, 0.0, 1.0)))
            served[answer.model] += 1
        self.judged += served
        return served


async def test_a_silent_fall_is_noticed_traffic_moves_and_recovery_is_found(lab) -> None:
    router = await lab.router({"best": await lab.server(), "plain": await lab.server()})
    traffic = Traffic(router, best=0.9, plain=0.7)
    assert (await traffic.run(250))["best"] > 200
    assert lab.events.of(Drifted) == []
    traffic.quality["best"] = 0.5
    before = traffic.judged["best"]
    while not lab.events.of(Drifted) and traffic.judged["best"] - before < 60:
        await traffic.run(5)
    (event,) = lab.events.of(Drifted)
    assert (event.alarm.model, event.alarm.signal) == ("best", "quality")
    assert event.alarm.after == pytest.approx(0.5, abs=0.15)
    assert event.alarm.confidence > 0.999
    await traffic.run(60)
    assert (await traffic.run(100))["plain"] > 70
    traffic.quality["best"] = 0.9
    await traffic.run(900)
    assert (await traffic.run(100))["best"] > 70
    assert await router.learner.store.alarms(100) == [event.alarm for event in lab.events.of(Drifted)][::-1]


async def test_nothing_is_noticed_where_nothing_changes(lab) -> None:
    router = await lab.router({"best": await lab.server(), "plain": await lab.server()})
    await Traffic(router, seed=1, best=0.9, plain=0.8).run(1_500)
    assert lab.events.of(Drifted) == []


class Billing:
    """Good answers whose bills are so many times what the catalog makes of their usage."""

    def __init__(self) -> None:
        self.times = 1.0

    async def __call__(self, exchange: Exchange) -> None:
        due_usd = (USAGE["prompt_tokens"] * 1.0 + USAGE["completion_tokens"] * 2.0) / 1e6
        exchange.reply(200, completion(usage={**USAGE, "cost": self.times * due_usd}))


async def test_a_bill_that_grows_without_a_word_is_a_new_price_until_the_file_says_another(lab) -> None:
    billing = Billing()
    models = {"best": await lab.server(billing), "plain": await lab.server()}
    pace = {"name": "pace", "usd_per_request": 2e-5}
    router = await lab.router(models, budgets=[pace])
    traffic = Traffic(router, best=0.9, plain=0.7)
    await traffic.run(60)
    expected_usd = router.learner.decider.forecasts("qa", 10)["best"].cost_usd
    billing.times = 10.0
    before = traffic.judged["best"]
    while traffic.judged["best"] < before + 2:
        await traffic.run(1)
    (event,) = lab.events.of(Drifted)
    assert (event.alarm.model, event.alarm.signal, event.alarm.seen) == ("best", "price", 2)
    assert event.alarm.text == "best: price moved from 1 to 10, by its last 2 observations"
    assert router.learner.decider.forecasts("qa", 10)["best"].cost_usd == pytest.approx(10.0 * expected_usd, rel=0.1)
    assert (await traffic.run(100))["best"] < 30
    edited = {**models, "best": lab.served(models["best"], input_usd_per_mtok=10.0, output_usd_per_mtok=20.0)}
    await router.reload(lab.write(edited, budgets=[pace]))
    assert len(lab.events.of(Reloaded)) == 1
    assert router.catalog["best"].price.input_usd_per_mtok == 10.0, "the multiple is given up"
    await traffic.run(60)
    assert len(lab.events.of(Drifted)) == 1, "bills are what the file says"
