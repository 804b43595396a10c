"""What a caller sees of providers in trouble: another model's answer, or one typed error, in time, and nothing left."""

import asyncio
import math
import time
from collections import Counter

import orjson
import pytest

from banditroute.errors import (
    BanditrouteError,
    CoolingDownError,
    DeadlineError,
    RejectedError,
    UnansweredError,
)
from banditroute.observe import Attempted, BreakerChanged, Decided, KeyChanged, Settled
from banditroute.testing.faults import FAULTS, ok
from banditroute.testing.faulty_exchange import TOKENS, Exchange, completion

TEXT = "".join(TOKENS)
CAP = [{"usd": 1.0, "per": "day"}]
NEVER_OPEN = {"consecutive": 10_000, "window": 10_000}
GOOD = {"ok", "json-for-stream", "duplicated-usage", "no-content"}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - GOOD - {"400"}))
async def test_every_fault_of_one_model_is_answered_by_the_next(lab, fault):
    bad, good = await lab.server(fault), await lab.server()
    hasty = {"whole_s": 0.4, "total_s": 0.6}
    router = await lab.router({"bad": bad, "good": good}, budgets=CAP, retry={"same_model": 0}, timeouts=hasty)
    answers = []
    while not bad.requests:
        answers.append(await router.chat("hello"))
    assert {(answer.model, answer.text) for answer in answers} == {("good", TEXT)}
    assert [attempt.model for attempt in answers[-1].outcome.attempts if attempt.failure] in ([], ["bad"])
    await lab.at_rest(router)


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - GOOD))
async def test_every_fault_of_the_only_model_is_one_typed_error_in_time(lab, fault):
    server = await lab.server(fault)
    router = await lab.router({"only": server}, budgets=CAP, breaker=NEVER_OPEN, retry={"rounds": 0})
    before = time.perf_counter()
    with pytest.raises((UnansweredError, RejectedError)) as failed:
        await router.chat("hello", timeout_s=0.3)
    assert time.perf_counter() - before < 1.0
    assert "sk-main" not in f"{failed.value}{failed.value.__cause__}"
    await lab.at_rest(router)


@pytest.mark.parametrize("fault", sorted(GOOD))
async def test_an_odd_answer_is_an_answer(lab, fault):
    router = await lab.router({"only": await lab.server(fault)}, budgets=CAP)
    assert (await router.chat("hello")).text == ("" if fault == "no-content" else TEXT)
    async with router.stream("hello") as stream:
        assert "".join([delta.text async for delta in stream]) == ("" if fault == "no-content" else TEXT)
    await lab.at_rest(router)


@pytest.mark.parametrize(
    "usage",
    [
        b'{"prompt_tokens": -5, "completion_tokens": -5}',
        b'{"prompt_tokens": 1000000000000000000000000000000, "completion_tokens": 1}',
        b'{"prompt_tokens": 18446744073709551615, "completion_tokens": 1}',
        b'{"prompt_tokens": "many", "completion_tokens": null}',
        b'{"prompt_tokens": 1e300, "completion_tokens": 2}',
        b'{"prompt_tokens": true, "completion_tokens": []}',
        b'{"prompt_tokens": 5, "completion_tokens": 5, "cost": -1.0}',
        b'{"prompt_tokens": 5, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": -1000}}',
        b'{"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1000000}}',
        b'"none"',
        b"[]",
    ],
    ids=bytes.decode,
)
async def test_absurd_usage_ends_in_an_answer_or_a_typed_error(lab, usage):
    async def absurd(exchange: Exchange) -> None:
        body = orjson.dumps(completion(usage=None)).replace(b'"usage":null', b'"usage":' + usage)
        assert usage in body
        exchange.reply(200, body)

    router = await lab.router({"only": await lab.server(absurd)}, budgets=CAP)
    try:
        answer = await router.chat("hello")
    except UnansweredError:
        assert all(account.spent_usd == 0 for account in router.learner.ledger.accounts(time.time()))
    else:
        assert 0 <= answer.cost_usd < math.inf
        assert answer.recorded
        assert await router.feedback(answer.decision_id, quality=0.5)
    await lab.at_rest(router)


async def test_a_request_that_a_provider_finds_wrong_is_raised_as_it_is_and_not_tried_elsewhere(lab):
    a, b = await lab.server("400"), await lab.server("400")
    router = await lab.router({"a": a, "b": b}, budgets=CAP)
    with pytest.raises(RejectedError, match="Invalid value for 'messages'"):
        await router.chat("hello")
    assert a.requests + b.requests == 1
    settled = lab.events.of(Settled)
    assert [(each.outcome.ok, each.outcome.cost_usd) for each in settled] == [(False, 0.0)]
    await lab.at_rest(router)


async def test_a_failure_that_may_pass_is_tried_once_more_at_the_same_model(lab):
    server = await lab.server(script=["500"])
    router = await lab.router({"only": server}, budgets=CAP)
    answer = await router.chat("hello")
    assert [attempt.failure for attempt in answer.outcome.attempts] == ["ServerFailedError", ""]
    assert answer.cost_usd == pytest.approx(3e-5)
    await lab.at_rest(router)


async def test_retry_after_is_waited_for_where_nobody_else_can_answer(lab):
    server = await lab.server(script=["429-float-seconds"])
    router = await lab.router({"only": server})
    before = time.perf_counter()
    answer = await router.chat("hello")
    assert 0.24 <= time.perf_counter() - before < 1.5
    assert answer.text == TEXT


async def test_retry_after_beyond_the_deadline_is_told_at_once(lab):
    router = await lab.router({"only": await lab.server("429-seconds")})
    before = time.perf_counter()
    with pytest.raises(UnansweredError) as failed:
        await router.chat("hello", timeout_s=1.0)
    assert time.perf_counter() - before < 0.9
    assert failed.value.retry_after_s == pytest.approx(2.0, abs=0.5)
    with pytest.raises(CoolingDownError) as cooling:
        await router.chat("hello")
    assert cooling.value.retry_after_s == pytest.approx(2.0, abs=0.7)
    assert list(cooling.value.causes) == ["only"]


async def test_a_deadline_is_told_apart_from_a_failure(lab):
    router = await lab.router({"only": await lab.server("hang-before-head")}, timeouts={"whole_s": 9.0, "total_s": 9.0})
    with pytest.raises(DeadlineError):
        await router.chat("hello", timeout_s=0.1)


async def test_retries_are_a_share_of_requests(lab):
    server = await lab.server("500")
    retry = {"budget_floor": 5, "budget_ratio": 0.1}
    router = await lab.router({"only": server}, breaker=NEVER_OPEN, retry=retry)
    await asyncio.gather(*(router.chat("hello") for _ in range(100)), return_exceptions=True)
    assert 100 <= server.requests <= 100 + 5 + 10


async def test_a_failure_teaches_availability_and_never_quality(lab):
    bad, good = await lab.server("500"), await lab.server()
    router = await lab.router({"bad": bad, "good": good})
    for _ in range(30):
        await router.chat("hello")
    state = await router.learner.store.state()
    assert {edge.model for edge, sums in state.evidence.items() if sums.n} == {"good"}


async def test_a_model_that_timed_out_is_known_to_be_slow(lab):
    slow, good = await lab.server("hang-before-head"), await lab.server()
    router = await lab.router({"slow": slow, "good": good})
    while not slow.requests:
        await router.chat("hello")
    state = await router.learner.store.state()
    assert ("slow", "log_latency") in {(edge.model, edge.signal) for edge, sums in state.evidence.items() if sums.n}


class TestBreaker:
    async def test_a_dead_model_is_left_alone_until_it_is_back_and_then_used_again(self, lab):
        dead, good = await lab.server("500"), await lab.server()
        breaker = {"consecutive": 3, "open_s": 0.5}
        router = await lab.router({"dead": dead, "good": good}, breaker=breaker, retry={"same_model": 0})
        while not any(event.state == "open" for event in lab.events.of(BreakerChanged)):
            assert (await router.chat("hello")).model == "good"
        asked = dead.requests
        assert asked == 3
        answers, end = [], time.monotonic() + 0.2
        while time.monotonic() < end:
            answers.append(await router.chat("hello"))
        assert {answer.model for answer in answers} == {"good"}
        assert dead.requests == asked
        assert "circuit open" in answers[0].decision.excluded["dead"]
        dead.default = "ok"
        await asyncio.sleep(0.5)
        served = Counter([(await router.chat("hello")).model for _ in range(60)])
        assert served["dead"] >= 10
        assert [event.state for event in lab.events.of(BreakerChanged)] == ["open", "half_open", "closed"]
        probes = [event.attempt.probe for event in lab.events.of(Attempted) if event.attempt.probe]
        assert len(probes) == 1

    async def test_one_call_at_a_time_probes_a_dead_model(self, lab):
        dead, good = await lab.server("500"), await lab.server()
        breaker = {"consecutive": 3, "open_s": 0.05, "most_open_s": 0.05}
        router = await lab.router({"dead": dead, "good": good}, breaker=breaker, retry={"same_model": 0})
        while dead.requests < 3:
            await router.chat("hello")
        before, dead.default = dead.requests, "hang-before-head"
        await asyncio.sleep(0.06)
        await asyncio.gather(*(router.chat("hello") for _ in range(50)))
        assert dead.requests - before == 1

    async def test_a_dead_model_gets_at_most_one_percent_of_requests(self, lab):
        dead, good = await lab.server("500"), await lab.server()
        router = await lab.router({"dead": dead, "good": good}, retry={"same_model": 0})
        for _ in range(600):
            await router.chat("hello")
        assert dead.requests <= 6

    async def test_where_all_cool_down_the_caller_learns_how_long(self, lab):
        servers = [await lab.server("500"), await lab.server("500")]
        breaker = {"consecutive": 1, "open_s": 7.0}
        router = await lab.router(dict(zip("ab", servers, strict=True)), budgets=CAP, breaker=breaker)
        with pytest.raises(UnansweredError) as failed:
            await router.chat("hello")
        assert not isinstance(failed.value, CoolingDownError)
        asked = sum(server.requests for server in servers)
        with pytest.raises(CoolingDownError) as cooling:
            await router.chat("hello")
        assert cooling.value.retry_after_s == pytest.approx(7.0, abs=0.5)
        assert set(cooling.value.causes) == {"a", "b"}
        assert sum(server.requests for server in servers) == asked
        with pytest.raises(CoolingDownError):
            async with router.stream("hello"):
                pass
        await lab.at_rest(router)

    async def test_a_probe_that_is_cancelled_does_not_bar_the_model(self, lab):
        server = await lab.server("500")
        router = await lab.router({"only": server}, breaker={"consecutive": 1, "open_s": 0.05}, retry={"rounds": 0})
        with pytest.raises(UnansweredError):
            await router.chat("hello")
        await asyncio.sleep(0.06)
        server.default = "hang-before-head"
        probe = asyncio.create_task(router.chat("hello"))
        await asyncio.sleep(0.05)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        server.default = "ok"
        assert (await router.chat("hello")).text == TEXT

    @pytest.mark.parametrize("fault", ["400", "context-overflow", "429-bare"])
    async def test_what_does_not_speak_against_the_model_leaves_its_circuit_closed(self, lab, fault):
        router = await lab.router({"only": await lab.server(fault)}, breaker={"consecutive": 2}, retry={"rounds": 0})
        for _ in range(6):
            with pytest.raises(BanditrouteError):
                await router.chat("hello")
        assert lab.events.of(BreakerChanged) == []


class TestKeys:
    async def test_a_key_that_is_rate_limited_rests_while_the_next_one_works(self, lab):
        seen: list[str] = []

        async def per_key(exchange: Exchange) -> None:
            seen.append(exchange.headers["authorization"])
            await (FAULTS["429-seconds"] if seen[-1] == "Bearer sk-main" else ok)(exchange)

        server = await lab.server(per_key)
        router = await lab.router({"only": lab.served(server, ["LAB_KEY", "LAB_SPARE"])})
        for _ in range(10):
            assert (await router.chat("hello")).text == TEXT
        assert seen.count("Bearer sk-main") == 1
        changes = lab.events.of(KeyChanged)
        assert [(change.key, change.until is not None) for change in changes] == [("LAB_KEY", True)]
        assert "sk-main" not in repr(changes)

    async def test_a_key_without_money_is_out_of_use_for_good(self, lab):
        async def per_key(exchange: Exchange) -> None:
            spent = exchange.headers["authorization"] == "Bearer sk-main"
            await (FAULTS["insufficient-quota"] if spent else ok)(exchange)

        server = await lab.server(per_key)
        router = await lab.router({"only": lab.served(server, ["LAB_KEY", "LAB_SPARE"])})
        for _ in range(10):
            assert (await router.chat("hello")).text == TEXT
        assert server.requests <= 11
        assert [(change.key, change.until) for change in lab.events.of(KeyChanged)] == [("LAB_KEY", None)]

    async def test_a_provider_without_a_usable_key_is_passed_over(self, lab):
        broke, good = await lab.server("insufficient-quota"), await lab.server()
        router = await lab.router({"broke": broke, "good": good})
        answers = [await router.chat("hello") for _ in range(20)]
        assert {answer.model for answer in answers} == {"good"}
        assert broke.requests == 1
        assert "no key of provider" in answers[-1].decision.excluded["broke"]
        with pytest.raises(CoolingDownError) as cooling:
            await router.chat("hello", model="broke")
        assert cooling.value.retry_after_s is None


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_cancelled_at_any_moment_a_chat_leaves_nothing_behind(lab, store):
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.03)
        await ok(exchange)

    flaky = await lab.server("500")
    models = {"slow": await lab.server(slow), "flaky": flaky, "hanging": await lab.server("hang-before-head")}
    router = await lab.router(models, budgets=CAP, store={"kind": store}, breaker=NEVER_OPEN)

    async def cancelled_after(delay_s: float) -> None:
        task = asyncio.create_task(router.chat("hello"))
        await asyncio.sleep(delay_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(cancelled_after(step * 0.001) for step in range(150)))
    await lab.at_rest(router)
    assert len(lab.events.of(Settled)) == len([trail async for trail in router.learner.store.trails()])
    assert len(lab.events.of(Settled)) == len({event.decision.decision_id for event in lab.events.of(Decided)})
    charged = sum(event.outcome.cost_usd for event in lab.events.of(Settled))
    assert [each.spent_usd for each in router.learner.ledger.accounts(time.time())] == [pytest.approx(charged)]


class TestHedging:
    async def test_is_off_unless_asked_for(self, lab):
        patient = {"whole_s": 30.0, "total_s": 30.0}
        router = await lab.router(
            {"slow": await lab.server(at_times_slow()), "fast": await lab.server()}, timeouts=patient
        )
        await asyncio.gather(*(router.chat("hello") for _ in range(200)))
        assert not any(event.attempt.hedge for event in lab.events.of(Attempted))

    async def test_overtakes_a_slow_call_and_charges_the_loser(self, lab):
        slow = await lab.server(at_times_slow())
        hedge = {"share": 0.05, "quantile": 0.9, "least_calls": 20}
        models = {"slow": slow, "fast": await lab.server()}
        router = await lab.router(models, budgets=CAP, hedge=hedge)
        answers = [await router.chat("hello", denied=[] if n > 40 else ["fast"]) for n in range(300)]
        await lab.at_rest(router)
        hedged = [answer for answer in answers if any(each.hedge for each in answer.outcome.attempts)]
        assert 1 <= len(hedged) <= 0.05 * 300
        won = [answer for answer in hedged if answer.outcome.attempts[-1].hedge and answer.model == "fast"]
        assert won
        for answer in won:
            lost, served = answer.outcome.attempts
            assert (lost.model, lost.failure, lost.hedge, served.model) == ("slow", "Abandoned", False, "fast")
            assert lost.cost_usd > 0
            assert answer.cost_usd == pytest.approx(lost.cost_usd + served.cost_usd)
        assert slow.hung_up_on >= len(won)

    async def test_works_for_streams(self, lab):
        slow = await lab.server(at_times_slow())
        hedge = {"share": 0.05, "quantile": 0.9, "least_calls": 20}
        router = await lab.router({"slow": slow, "fast": await lab.server()}, budgets=CAP, hedge=hedge)
        models = []
        for n in range(200):
            async with router.stream("hello", denied=[] if n > 40 else ["fast"]) as stream:
                assert "".join([delta.text async for delta in stream]) == TEXT
            models.append(stream.answer)
        hedged = [answer for answer in models if any(each.hedge for each in answer.outcome.attempts)]
        assert 1 <= len(hedged) <= 10
        await lab.at_rest(router)


def at_times_slow(every=10):
    """A server of which every tenth call takes long."""
    calls = iter(range(1, 10_000))

    async def fault(exchange: Exchange) -> None:
        if next(calls) % every == 0:
            await asyncio.sleep(0.2)
        await ok(exchange)

    return fault
