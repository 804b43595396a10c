"""A streamed answer: known by name at once, replaced while nothing was shown, kept where it breaks, never left open."""

import asyncio
import time

import pytest

from banditroute.errors import (
    BanditrouteError,
    BrokenStreamError,
    CutStreamError,
    NotServedError,
    RejectedError,
    ServerFailedError,
    TimedOutError,
    UnansweredError,
)
from banditroute.observe import Settled
from banditroute.records import Usage
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, TOKENS, USAGE_FRAME, Exchange

TEXT = "".join(TOKENS)
COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6
CAP = [{"usd": 1.0, "per": "day"}]
NEVER_OPEN = {"consecutive": 1000, "window": 1000}


async def late(exchange: Exchange) -> None:
    """The first token takes its time, and every other a little."""
    exchange.begin_stream()
    exchange.piece(ROLE)
    await asyncio.sleep(0.1)
    for piece in CONTENT:
        exchange.piece(piece)
        await asyncio.sleep(0.02)
    for piece in (STOP, USAGE_FRAME, DONE):
        exchange.piece(piece)
    exchange.end_stream()


async def text_of(stream) -> str:
    return "".join([delta.text async for delta in stream])


async def first_asking(router, model):
    """A stream whose first call goes to that model."""
    while True:
        stream = await router.stream("hello").__aenter__()
        if stream.decision.chosen == model:
            return stream
        await stream.aclose()


async def reading(stream, shown):
    """Reads to the end, and keeps what was shown."""
    async for delta in stream:
        shown.append(delta.text)


async def stumbling(router):
    """A caller that fails over the first piece."""
    async with router.stream("hello") as stream:
        async for delta in stream:
            raise ZeroDivisionError(delta.text)


async def test_it_is_known_before_its_first_token_and_whole_at_its_end(lab):
    server = await lab.server()
    router = await lab.router({"small": server}, budgets=CAP)
    async with router.stream("What is the capital of France?", task="qa") as stream:
        decision_id = stream.decision_id
        assert stream.decision.chosen == "small"
        assert stream.model is None
        with pytest.raises(BanditrouteError, match="not at its end"):
            _ = stream.answer
        assert await text_of(stream) == TEXT
        answer = stream.answer
    assert (answer.decision_id, answer.model, answer.text, answer.task) == (decision_id, "small", TEXT, "qa")
    assert answer.usage == Usage(18, 6)
    assert answer.cost_usd == pytest.approx(COST_USD)
    assert answer.recorded
    assert answer.completion.finish_reason == "stop"
    assert (await router.explain(decision_id)).outcome == answer.outcome
    assert await router.feedback(decision_id, quality=1.0)
    assert await text_of(stream) == ""  # it stays ended
    await lab.at_rest(router)


async def test_its_connection_serves_the_next_one(lab):
    server = await lab.server()
    router = await lab.router({"small": server})
    for _ in range(5):
        async with router.stream("hello") as stream:
            await text_of(stream)
    assert server.connections_opened == 1


async def test_the_time_to_the_first_token_is_told_apart_from_the_whole(lab):
    router = await lab.router({"small": await lab.server(late)})
    async with router.stream("hello") as stream:
        await text_of(stream)
    outcome = stream.answer.outcome
    assert outcome.ttft_s >= 0.09
    assert outcome.ttft_s + 0.08 < outcome.latency_s


async def test_usage_that_never_comes_is_estimated_and_marked(lab):
    async def silent(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in (ROLE, *CONTENT, STOP, DONE):
            exchange.piece(piece)
        exchange.end_stream()

    router = await lab.router({"small": await lab.server(silent)})
    async with router.stream("What is the capital of France?") as stream:
        await text_of(stream)
    assert stream.answer.outcome.estimated
    assert stream.answer.cost_usd > 0


@pytest.mark.parametrize(
    "fault", ["500", "529", "401", "cut-before-token", "hang-after-head", "error-event-before-token", "garbage"]
)
async def test_a_model_that_fails_before_its_first_content_is_replaced(lab, fault):
    bad, good = await lab.server(fault), await lab.server()
    router = await lab.router({"bad": bad, "good": good}, budgets=CAP, breaker={"consecutive": 100})
    while not bad.requests:
        async with router.stream("hello") as stream:
            assert await text_of(stream) == TEXT
    assert stream.decision.chosen == "bad"
    assert stream.model == stream.answer.model == "good"
    assert stream.answer.outcome.attempts[0].failure
    assert stream.answer.outcome.attempts[-1].failure == ""
    await lab.at_rest(router)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("cut-after-token", CutStreamError),
        ("end-without-done", CutStreamError),
        ("error-event-after-token", ServerFailedError),
        ("stall-between-tokens", TimedOutError),
        ("pings-after-token", TimedOutError),
    ],
)
async def test_a_model_that_fails_after_its_first_content_is_reported_and_charged_an_estimate(lab, fault, cause):
    bad, spare = await lab.server(fault), await lab.server()
    router = await lab.router({"bad": bad, "spare": spare}, budgets=CAP)
    shown = []
    stream = await first_asking(router, "bad")
    with pytest.raises(BrokenStreamError) as broken:
        await reading(stream, shown)
    error = broken.value
    assert isinstance(error.cause, cause)
    assert error.text == "".join(shown) == TOKENS[0]
    assert spare.requests == 0
    assert error.decision_id == stream.decision_id
    outcome = (await router.explain(error.decision_id)).outcome
    assert (outcome.ok, outcome.served, outcome.estimated) == (False, "", True)
    assert 0 < outcome.cost_usd < COST_USD
    assert [attempt.failure for attempt in outcome.attempts] == [cause.__name__]
    with pytest.raises(NotServedError):
        await router.feedback(error.decision_id, quality=1.0)
    await lab.at_rest(router)


async def test_a_stream_that_keeps_breaking_opens_the_circuit_of_its_model(lab):
    router = await lab.router({"bad": await lab.server("cut-after-token"), "good": await lab.server()})
    for _ in range(60):
        try:
            async with router.stream("hello") as stream:
                await text_of(stream)
        except BrokenStreamError:
            pass
    async with router.stream("hello") as stream:
        await text_of(stream)
    assert stream.answer.model == "good"
    assert "circuit open" in stream.decision.excluded["bad"]


async def test_a_request_that_a_provider_refuses_is_not_tried_elsewhere(lab):
    bad, spare = await lab.server("400"), await lab.server("400")
    router = await lab.router({"bad": bad, "spare": spare}, budgets=CAP)
    async with router.stream("hello") as stream:
        with pytest.raises(RejectedError):
            await text_of(stream)
    assert bad.requests + spare.requests == 1
    assert not (await router.explain(stream.decision_id)).outcome.ok
    await lab.at_rest(router)


async def test_where_nobody_answers_every_cause_is_told(lab):
    router = await lab.router({"a": await lab.server("500"), "b": await lab.server("garbage")}, budgets=CAP)
    async with router.stream("hello") as stream:
        with pytest.raises(UnansweredError) as failed:
            await text_of(stream)
    assert set(failed.value.causes) == {"a", "b"}
    assert failed.value.decision_id == stream.decision_id
    assert await text_of(stream) == ""
    await lab.at_rest(router)


class TestLeaving:
    async def test_early_closes_the_connection_and_charges_what_had_arrived(self, lab):
        server = await lab.server("stall-between-tokens")
        router = await lab.router({"small": server}, budgets=CAP)
        async with router.stream("What is the capital of France?") as stream:
            async for _ in stream:
                if stream.model:
                    break
        outcome = (await router.explain(stream.decision_id)).outcome
        assert (outcome.ok, outcome.estimated) == (False, True)
        assert 0 < outcome.cost_usd < COST_USD
        assert [attempt.failure for attempt in outcome.attempts] == ["Abandoned"]
        assert await server.settled(connections=0)
        spent = [account.spent_usd for account in router.learner.ledger.accounts(time.time())]
        assert spent == [pytest.approx(outcome.cost_usd)]
        await lab.at_rest(router)

    async def test_before_asking_for_anything_calls_nobody_and_costs_nothing(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server}, budgets=CAP)
        async with router.stream("hello") as stream:
            pass
        outcome = (await router.explain(stream.decision_id)).outcome
        assert (outcome.ok, outcome.cost_usd, outcome.attempts) == (False, 0.0, ())
        assert server.requests == 0
        await lab.at_rest(router)

    async def test_after_the_whole_answer_changes_nothing(self, lab):
        router = await lab.router({"small": await lab.server()}, budgets=CAP)
        async with router.stream("hello") as stream:
            await text_of(stream)
            await stream.aclose()
            await stream.aclose()
        assert stream.answer.outcome.ok
        assert len(lab.events.of(Settled)) == 1

    async def test_by_an_error_of_the_callers_own_settles_all_the_same(self, lab):
        server = await lab.server(late)
        router = await lab.router({"small": server}, budgets=CAP)
        with pytest.raises(ZeroDivisionError):
            await stumbling(router)
        (settled,) = lab.events.of(Settled)
        assert not settled.outcome.ok
        await lab.at_rest(router)


@pytest.mark.parametrize("fault", [pytest.param(late, id="late"), "hang-before-head", "500", "stall-between-tokens"])
async def test_cancelled_at_any_moment_it_leaves_nothing_behind(lab, fault):
    server = await lab.server(fault)
    models = {"a": server, "b": server}
    router = await lab.router(models, budgets=CAP, store={"kind": "sqlite"}, breaker=NEVER_OPEN)

    async def read() -> None:
        async with router.stream("hello") as stream:
            await text_of(stream)

    async def cancelled_after(delay_s: float) -> None:
        task = asyncio.create_task(read())
        await asyncio.sleep(delay_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(cancelled_after(step * 0.004) for step in range(80)))
    await lab.at_rest(router)
    assert len(lab.events.of(Settled)) == len([trail async for trail in router.learner.store.trails()])
    server.default = "ok"
    assert (await router.chat("hello")).text == TEXT


async def test_asking_a_stream_that_was_not_entered_says_so(lab):
    router = await lab.router({"small": await lab.server()})
    stream = router.stream("hello")
    with pytest.raises(BanditrouteError, match="has not been entered"):
        _ = stream.decision_id
    with pytest.raises(BanditrouteError, match="has not been entered"):
        await anext(stream)
    await stream.aclose()


async def test_entering_a_stream_twice_is_refused(lab):
    router = await lab.router({"small": await lab.server()}, budgets=CAP)
    async with router.stream("hello") as stream:
        with pytest.raises(BanditrouteError, match="entered once"):
            await stream.__aenter__()
        assert await text_of(stream) == TEXT
    await lab.at_rest(router)


async def test_a_router_that_closes_hangs_up_on_its_streams(lab):
    server = await lab.server("stall-between-tokens")
    router = await lab.router({"small": server}, budgets=CAP)
    stream = await router.stream("hello").__aenter__()
    await anext(stream)
    await router.aclose()
    assert await server.settled(connections=0)
    await stream.aclose()
