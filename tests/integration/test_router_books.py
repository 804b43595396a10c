"""Whatever callers and providers do, the books are closed: dollars, expectations, lessons."""

from __future__ import annotations

import asyncio
import time

import pytest

from banditroute.errors import BrokenStreamError, FeedbackError, InvalidRequestError, NotOpenError, UnansweredError
from banditroute.observe import BreakerChanged, Settled
from banditroute.testing.faulty_exchange import CONTENT, ROLE, Exchange, completion

CAP = [{"usd": 1.0, "per": "day", "on_exhausted": "reject"}]


async def slow(exchange: Exchange) -> None:
    await asyncio.sleep(0.3)
    exchange.reply(200, completion())


async def stalling(exchange: Exchange) -> None:
    exchange.begin_stream()
    exchange.piece(ROLE + CONTENT[0])
    await exchange.hang()


async def test_a_stream_read_again_after_a_cancelled_read_is_broken_and_settled(lab):
    router = await lab.router({"small": await lab.server(stalling)}, budgets=CAP)
    async with router.stream("hello") as stream:
        assert (await stream.__anext__()).text == ""
        await stream.__anext__()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stream.__anext__()
        with pytest.raises(BrokenStreamError):
            await stream.__anext__()
    (trail,) = [trail async for trail in router.learner.store.trails()]
    assert trail.outcome is not None
    assert not trail.outcome.ok
    assert trail.outcome.cost_usd > 0
    await lab.at_rest(router)


@pytest.mark.parametrize("terms", [{"tenant": None}, {"task": 7}, {"session_id": ["s"]}, {"tenant": "\ud800"}])
async def test_names_that_are_no_texts_are_refused_and_hold_nothing(lab, terms):
    router = await lab.router({"small": await lab.server()}, budgets=CAP)
    for _ in range(30):
        with pytest.raises((InvalidRequestError, ValueError)):
            await router.chat("hello", **terms)
    await router.chat("hello")
    await lab.at_rest(router)


async def test_an_impatient_caller_teaches_nothing_of_the_models_speed(lab):
    blind = {"classifier": "none", "encoder": "none"}
    router = await lab.router({"small": await lab.server(slow)}, routing=blind)
    await router.chat("hello")
    before = router.learner.decider.forecasts("general", 5)["small"].latency_s
    for _ in range(10):
        with pytest.raises(UnansweredError):
            await router.chat("hello", timeout_s=0.02)
    router.learner.decider.refresh()
    assert router.learner.decider.forecasts("general", 5)["small"].latency_s == pytest.approx(before, rel=0.2)


async def test_feedback_whose_caller_left_is_learned_if_it_is_written(lab):
    router = await lab.router({"small": await lab.server()})
    answer = await router.chat("hello", task="qa")
    for delay in range(5):
        task = asyncio.create_task(router.feedback(answer.decision_id, quality=1.0, source=f"judge {delay}"))
        for _ in range(delay):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    written = sum(
        float(sums.n)
        for edge, sums in (await router.learner.store.state()).evidence.items()
        if edge.signal == "quality"
    )
    assert float(router.learner.decider.signals.evidence[0].n.sum()) == written


async def embedding(exchange: Exchange) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    exchange.reply(200, {"object": "list", "data": data, "model": "any", "usage": {"prompt_tokens": 3}})


async def test_embeddings_need_no_features(lab):
    router = await lab.router({"small": await lab.server(embedding)}, routing={"features": 2})
    with pytest.raises(InvalidRequestError, match="features"):
        await router.chat("hello")
    embedded = await router.embed(["hello"], model="small")
    assert embedded.model == "small"
    with pytest.raises(InvalidRequestError, match="by name"):
        await router.embed(["hello"], model="auto")


async def test_a_call_that_is_cancelled_in_line_for_a_place_costs_nothing(lab):
    router = await lab.router({"small": await lab.server(slow)}, budgets=CAP, transport={"max_concurrent": 1})
    first = asyncio.create_task(router.chat("hello"))
    await asyncio.sleep(0.05)
    queued = [asyncio.create_task(router.chat("hello")) for _ in range(5)]
    await asyncio.sleep(0.05)
    for task in queued:
        task.cancel()
    await asyncio.gather(*queued, return_exceptions=True)
    answer = await first
    await lab.at_rest(router)
    (account,) = router.learner.ledger.accounts(time.time())
    assert account.spent_usd == pytest.approx(answer.cost_usd)


async def test_requests_under_way_when_the_router_closes_are_settled_and_blame_nobody(lab):
    server = await lab.server("hang-before-head")
    router = await lab.router({"small": server}, budgets=CAP, timeouts={"whole_s": 30.0, "total_s": 30.0})
    waiting = [asyncio.create_task(router.chat("hello")) for _ in range(3)]
    await asyncio.sleep(0.1)
    begun = asyncio.get_running_loop().time()
    await router.aclose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert asyncio.get_running_loop().time() - begun < 1.0
    assert all(isinstance(result, UnansweredError) for result in results)
    assert not lab.events.of(BreakerChanged)
    assert len(lab.events.of(Settled)) == 3


async def test_a_router_is_entered_once_and_says_when_it_is_closed(lab):
    router = await lab.router({"small": await lab.server()})
    with pytest.raises(NotOpenError, match="this one is open"):
        await router.__aenter__()
    assert (await router.chat("hello")).text
    await router.aclose()
    await router.aclose()
    with pytest.raises(NotOpenError, match="closed"):
        await router.chat("hello")
    with pytest.raises(NotOpenError, match="closed"):
        await router.__aenter__()


@pytest.mark.parametrize(
    "terms",
    [
        {"denied": ["smal"]},
        {"allowed": "smal"},
        {"model": 3},
        {"timeout_s": "5"},
        {"max_cost_usd": "1"},
        {"n": "two"},
        {"n": 0},
    ],
    ids=repr,
)
async def test_terms_that_mean_nothing_are_refused(lab, terms):
    router = await lab.router({"small": await lab.server(), "large": await lab.server()})
    with pytest.raises(InvalidRequestError):
        await router.chat("hello", **terms)
    assert (await router.chat("hello", denied="small")).model == "large"
    await lab.at_rest(router)


@pytest.mark.parametrize("quality", [None, "1", [1], float("nan"), 1.5])
async def test_a_quality_that_is_none_is_refused(lab, quality):
    router = await lab.router({"small": await lab.server()})
    answer = await router.chat("hello")
    with pytest.raises(FeedbackError):
        await router.feedback(answer.decision_id, quality=quality)
    assert await router.feedback(answer.decision_id, quality=1)
