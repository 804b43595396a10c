"""Several routers on one store know what each has learned, keep caps together, and outlive each other."""

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import BudgetExceededError, LeaseExceededError, StoreError
from banditroute.observe import PeersChanged, Settled, StoreCrowded, StoreFailed
from banditroute.storage.sharing import Ask, Report
from banditroute.testing.faults import FAULTS

COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6
PROMPT = "What is the capital of France, and since when has it been the capital of it?"
TICK_S = 0.05
SHARED = {"kind": "sqlite", "path": "decisions.db", "shared": True, "tick_s": TICK_S}


async def slowly(exchange):
    await asyncio.sleep(4 * TICK_S)
    await FAULTS["ok"](exchange)


async def ticks(number=4):
    await asyncio.sleep(number * TICK_S)


def evidence_of(router):
    numbers = {}
    for edge, sums in router.learner.decider.beliefs.learned.items():
        for name, values in sums._asdict().items():
            numbers |= {(edge, name, place): float(value) for place, value in enumerate(np.ravel(values))}
    return numbers


def account(router):
    return router.learner.ledger.accounts(time.time())[0]


async def test_what_one_learns_the_other_knows(lab):
    models = {"good": await lab.server(), "bad": await lab.server()}
    one, two = [await lab.router(models, store=SHARED) for _ in range(2)]
    for number in range(40):
        answer = await (one, two)[number % 2].chat("hello", task="qa")
        await one.feedback(answer.decision_id, quality={"good": 0.9, "bad": 0.1}[answer.model])
    await ticks()
    state = await one.learner.store.rebuilt()
    assert len(state.evidence) >= 6
    assert evidence_of(one) == pytest.approx(evidence_of(two), rel=1e-9)
    total = sum(float(sums.n) for sums in state.evidence.values())
    for router in (one, two):
        learned = router.learner.decider.beliefs.learned
        assert sum(float(sums.n) for sums in learned.values()) == pytest.approx(total)
        assert not router.learner.decider.refresh_due


async def test_a_cap_holds_over_both(lab):
    models = {"good": await lab.server(), "cheap": await lab.server()}
    budgets = [{"name": "day", "usd": 60 * COST_USD, "per": "day", "on_exhausted": "reject", "paced": False}]
    one, two = [await lab.router(models, budgets=budgets, store=SHARED) for _ in range(2)]
    answers = await asyncio.gather(
        *((one, two)[number % 2].chat(PROMPT, max_tokens=6) for number in range(200)), return_exceptions=True
    )
    await ticks()
    spent_usd = sum((await one.learner.store.state()).spent_usd.values())
    assert spent_usd <= 60 * COST_USD * (1 + 1e-9)
    assert spent_usd >= 30 * COST_USD
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} & {
        BudgetExceededError,
        LeaseExceededError,
    }
    assert account(one).spent_usd == pytest.approx(account(two).spent_usd) == pytest.approx(spent_usd)


async def test_dollars_of_a_lease_that_is_too_small_are_asked_for_and_the_request_is_served(lab):
    models = {"good": await lab.server()}
    budgets = [{"name": "day", "usd": 5 * COST_USD, "per": "day", "on_exhausted": "reject", "paced": False}]
    slow = SHARED | {"tick_s": 5.0}
    one, two = [await lab.router(models, budgets=budgets, store=slow) for _ in range(2)]
    assert account(one).at_hand_usd < COST_USD
    assert (await one.chat(PROMPT, max_tokens=6)).recorded
    async with two.stream(PROMPT, max_tokens=6) as stream:
        async for _ in stream:
            pass
    assert stream.answer.recorded


@pytest.mark.parametrize(
    ("requests", "elsewhere", "kind"), [(2.5, 0.75, LeaseExceededError), (2.0, 0.1, BudgetExceededError)]
)
async def test_a_lease_that_nobody_has_to_give_is_not_waited_for(lab, requests, elsewhere, kind):
    usd = requests * COST_USD
    budgets = [{"name": "day", "usd": usd, "per": "day", "on_exhausted": "reject", "paced": False}]
    router = await lab.router({"good": await lab.server()}, budgets=budgets, store=SHARED | {"tick_s": 5.0})
    kept = Ask(account(router).window, usd, 0.0, elsewhere * COST_USD)
    await router.learner.store.exchange(Report("killed", 3600.0, 3600.0, (kept,)))
    assert (await router.chat(PROMPT, max_tokens=6)).recorded
    for _ in range(4):
        turn = router.learner.fleet.echoes.turn
        with pytest.raises(BudgetExceededError) as caught:
            await router.chat(PROMPT, max_tokens=6)
        assert type(caught.value) is kind
    assert account(router).elsewhere_usd > 0.0
    assert router.learner.fleet.echoes.turn == turn


async def test_an_embedding_waits_for_its_lease_as_an_answer_does(lab):
    async def embed(exchange):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
        usage = {"prompt_tokens": 8, "total_tokens": 8}
        exchange.reply(200, {"object": "list", "data": data, "model": "vectors", "usage": usage})

    budgets = [{"name": "day", "usd": 5 * COST_USD, "per": "day", "on_exhausted": "reject", "paced": False}]
    router = await lab.router({"good": await lab.server(embed)}, budgets=budgets, store=SHARED | {"tick_s": 5.0})
    assert account(router).at_hand_usd < 1e-6 * len(PROMPT) / 4
    assert (await router.embed(PROMPT, model="good")).model == "good"


async def test_who_may_not_wait_for_a_lease_has_it_asked_for_and_may_try_again_soon(lab):
    budgets = [{"name": "day", "usd": 5 * COST_USD, "per": "day", "on_exhausted": "reject", "paced": False}]
    router = await lab.router({"good": await lab.server()}, budgets=budgets, store=SHARED | {"tick_s": 30.0})
    with pytest.raises(LeaseExceededError):
        router.decide(PROMPT, max_tokens=6)
    async with asyncio.timeout(10.0):
        while account(router).at_hand_usd < COST_USD:
            await asyncio.sleep(0.05)
    assert router.decide(PROMPT, max_tokens=6).chosen == "good"


async def test_who_comes_and_goes_is_told(lab):
    models = {"good": await lab.server()}
    one = await lab.router(models, store=SHARED)
    two = await lab.router(models, store=SHARED)
    assert (one.learner.fleet.on_duty, two.learner.fleet.on_duty) == (True, False)
    await ticks()
    await one.aclose()
    await ticks()
    assert two.learner.fleet.on_duty
    told = [(event.joined, event.left) for event in lab.events.of(PeersChanged)]
    first, second = one.learner.holder, two.learner.holder
    assert told == [((first,), ()), ((second,), ()), ((), (first,))]


async def test_a_model_that_one_finds_not_to_answer_is_left_alone_by_the_other(lab):
    broken = await lab.server("500")
    models = {"broken": broken, "good": await lab.server()}
    config = {"store": SHARED, "retry": {"same_model": 1}, "breaker": {"consecutive": 2, "open_s": 60.0}}
    one, two = [await lab.router(models, **config) for _ in range(2)]
    while one.works[-1].availability.health(time.time())[0].state == "closed":
        await one.chat("hello")
    await ticks()
    asked = broken.requests
    for _ in range(20):
        assert (await two.chat("hello")).model == "good"
    assert broken.requests == asked
    assert two.works[-1].availability.health(time.time())[0].state == "open"
    await one.aclose()
    await ticks()
    assert two.works[-1].availability.health(time.time())[0].state == "closed"


async def test_only_what_nobody_serves_any_more_is_given_up(lab):
    """Who starts beside another leaves its requests alone; what a process began that is gone is ended, once."""
    models = {"good": await lab.server(slowly)}
    one = await lab.router(models, store=SHARED)
    asking = asyncio.create_task(one.chat("hello"))
    await asyncio.sleep(TICK_S)
    (mine,) = await one.learner.store.unsettled()
    assert mine.holder == one.learner.holder
    left = replace(mine, decision=replace(mine.decision, decision_id="left behind"), holder="who is gone")
    two = await lab.router(models, store=SHARED)
    two.learner.store.begin(left)
    assert (await asking).recorded
    await one.aclose()
    await ticks(6)
    assert await two.learner.store.unsettled() == []
    ended = [event.outcome.ok for event in lab.events.of(Settled) if event.decision.decision_id == "left behind"]
    assert ended == [False]


async def test_an_outage_is_told_once_and_caught_up_with(lab, monkeypatch):
    models = {"good": await lab.server()}
    budgets = [{"name": "day", "usd": 1.0, "per": "day", "on_exhausted": "reject"}]
    one, two = [await lab.router(models, budgets=budgets, store=SHARED) for _ in range(2)]
    exchange = one.learner.store.exchange

    async def fails(_):
        raise StoreError("gone")

    monkeypatch.setattr(one.learner.store, "exchange", fails)
    await ticks(3)
    await two.chat("hello", task="qa")
    answer = await one.chat("hello", task="qa")
    await ticks(16)
    with pytest.raises(LeaseExceededError):
        await one.chat("hello", task="qa")
    assert len([event for event in lab.events.of(StoreFailed) if "other processes" in event.doing]) == 1
    monkeypatch.setattr(one.learner.store, "exchange", exchange)
    await ticks(3)
    assert (await one.chat("hello", task="qa")).model == answer.model
    await ticks()
    assert evidence_of(one) == pytest.approx(evidence_of(two), rel=1e-9)
    assert account(one).spent_usd == pytest.approx(3 * COST_USD)


async def test_a_router_that_does_not_share_says_so_once(lab, monkeypatch):
    monkeypatch.setattr("banditroute.learner._TICK_S", TICK_S)
    models = {"good": await lab.server()}
    alone = {"kind": "sqlite", "path": "decisions.db"}
    one, two = [await lab.router(models, store=alone) for _ in range(2)]
    await one.chat("hello")
    await ticks()
    assert lab.events.of(StoreCrowded) == []
    for router in (two, one, two, one):
        await router.chat("hello")
    await ticks()
    assert len(lab.events.of(StoreCrowded)) == 2
    assert "shared = true" in lab.events.of(StoreCrowded)[0].remedy


async def test_the_paces_of_all_feel_what_each_spends(lab):
    models = {"good": await lab.server()}
    one, two = [await lab.router(models, store=SHARED, budgets=[{"usd_per_request": COST_USD / 3}]) for _ in range(2)]
    for _ in range(30):
        await one.chat("hello")
    await ticks()
    assert two.learner.decider.paces[0].requests == 30
    assert two.learner.decider.shadow_price == pytest.approx(one.learner.decider.shadow_price, rel=1e-6)
