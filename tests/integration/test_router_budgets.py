"""Caps hold when many ask at once, at the cap and after a restart; what they hold for requests returns to zero."""

import asyncio
import time

import pytest

from banditroute.errors import BudgetExceededError, NoEligibleModelError, UnansweredError
from banditroute.observe import BudgetExhausted
from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import TOKENS, Exchange, completion

TEXT = "".join(TOKENS)
PROMPT = "What is the capital of France, and since when has it been the capital of it?"  # over 18 tokens, as is billed
COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6
IN_FLIGHT = 256
PATIENT = {"connect_s": 30.0, "whole_s": 30.0, "first_token_s": 30.0, "total_s": 30.0}  # so many at once take a moment


def account(router, name="day"):
    return next(each for each in router.learner.ledger.accounts(time.time()) if each.cap.name == name)


def cap(usd, name="day", **fields):
    return {"name": name, "usd": usd, "per": "day", **fields}


async def slowly(exchange: Exchange) -> None:
    await asyncio.sleep(0.01)
    await ok(exchange)


async def many(router, count=IN_FLIGHT, *, timeout_s=60.0, **terms):
    """What becomes of requests made at once; after each, whether the cap holds is looked at."""

    async def one():
        try:
            return await router.chat(PROMPT, max_tokens=6, timeout_s=timeout_s, **terms)
        finally:
            assert_holds(router)

    return await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)


async def outcome(asked):
    """What becomes of one request: an answer, or the error."""
    (result,) = await asyncio.gather(asked, return_exceptions=True)
    return result


def assert_holds(router):
    for each in router.learner.ledger.accounts(time.time()):
        assert each.spent_usd + each.reserved_usd <= each.cap.usd + each.overrun_usd + 1e-12


class TestManyAtOnce:
    async def test_never_pass_a_cap_that_rejects(self, lab):
        usd = 50 * COST_USD
        router = await lab.router(
            {"small": await lab.server(slowly)}, budgets=[cap(usd, on_exhausted="reject")], timeouts=PATIENT
        )
        results = await many(router)
        answered = [result for result in results if not isinstance(result, Exception)]
        refused = [result for result in results if isinstance(result, BudgetExceededError)]
        assert len(answered) + len(refused) == IN_FLIGHT
        assert 30 <= len(answered) <= 50
        assert account(router).spent_usd == pytest.approx(len(answered) * COST_USD)
        assert account(router).overrun_usd == 0.0
        assert (refused[0].budget, refused[0].cap_usd) == ("day", usd)
        assert 0 < refused[0].retry_after_s <= 86_400
        assert {event.rejected for event in lab.events.of(BudgetExhausted)} == {True}
        await lab.at_rest(router)

    async def test_use_the_cap_up_before_it_rejects(self, lab):
        router = await lab.router({"small": await lab.server()}, budgets=[cap(20 * COST_USD, on_exhausted="reject")])
        results = [await outcome(router.chat(PROMPT, max_tokens=6)) for _ in range(30)]
        answered = [isinstance(result, BudgetExceededError) for result in results].index(True)
        assert 17 <= answered <= 20
        assert {type(result) for result in results[answered:]} == {BudgetExceededError}

    async def test_are_served_by_the_cheapest_where_the_cap_says_so(self, lab):
        server = await lab.server(slowly)
        dear = lab.served(server, input_usd_per_mtok=10.0, output_usd_per_mtok=20.0)
        router = await lab.router({"dear": dear, "cheap": server}, budgets=[cap(50 * COST_USD)], timeouts=PATIENT)
        assert {result.text for result in await many(router)} == {TEXT}
        over = [await router.chat(PROMPT, max_tokens=6) for _ in range(10)]
        assert {answer.model for answer in over} == {"cheap"}
        assert account(router).spent_usd > account(router).cap.usd
        assert {event.rejected for event in lab.events.of(BudgetExhausted)} == {False}
        await lab.at_rest(router)

    async def test_go_on_with_a_free_model_at_the_cap(self, lab):
        server = await lab.server(slowly)
        free = lab.served(server, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)
        budgets = [cap(20 * COST_USD, on_exhausted="reject", paced=False)]
        router = await lab.router({"priced": server, "free": free}, budgets=budgets, timeouts=PATIENT)
        results = await many(router)
        assert {result.text for result in results} == {TEXT}
        assert 0 < sum(result.model == "priced" for result in results) <= 20
        assert account(router).overrun_usd == 0.0
        pinned = [await outcome(router.chat(PROMPT, max_tokens=6, model="priced")) for _ in range(30)]
        assert isinstance(pinned[-1], BudgetExceededError)
        await lab.at_rest(router)

    async def test_whose_prompts_cost_more_than_estimated_stay_within_the_overrun_that_is_told(self, lab):
        async def longer(exchange: Exchange) -> None:
            await asyncio.sleep(0.01)
            exchange.reply(200, completion(usage={"prompt_tokens": 400, "completion_tokens": 300}))

        usd = 0.02
        budgets = [cap(usd, on_exhausted="reject")]
        router = await lab.router({"small": await lab.server(longer)}, budgets=budgets, timeouts=PATIENT)
        await many(router)
        assert account(router).spent_usd > usd
        assert account(router).spent_usd <= usd + account(router).overrun_usd
        await lab.at_rest(router)

    async def test_that_fail_hang_or_are_cancelled_give_back_what_they_held(self, lab):
        models = {
            "failing": await lab.server("500"),
            "hanging": await lab.server("hang-before-head"),
            "cut": await lab.server("cut-after-token"),
            "good": await lab.server(slowly),
        }
        router = await lab.router(models, budgets=[cap(0.05, on_exhausted="reject")])
        asked = asyncio.gather(many(router, 120), *(many(router, 40, timeout_s=0.05 * n) for n in range(1, 4)))
        cancelled = [asyncio.create_task(router.chat(PROMPT, max_tokens=6)) for _ in range(40)]
        for task in cancelled:
            await asyncio.sleep(0.002)
            task.cancel()
        await asyncio.gather(asked, *cancelled, return_exceptions=True)
        assert_holds(router)
        await lab.at_rest(router)


async def test_streams_reserve_and_settle_as_whole_answers_do(lab):
    budgets = [cap(30 * COST_USD, on_exhausted="reject")]
    router = await lab.router({"small": await lab.server(slowly)}, budgets=budgets, timeouts=PATIENT)

    async def one():
        async with router.stream(PROMPT, max_tokens=6, timeout_s=60.0) as stream:
            assert account(router).reserved_usd > 0
            return "".join([delta.text async for delta in stream])

    results = await asyncio.gather(*(one() for _ in range(100)), return_exceptions=True)
    assert 15 <= results.count(TEXT) <= 30
    assert {type(result) for result in results} == {str, BudgetExceededError}
    assert account(router).spent_usd == pytest.approx(results.count(TEXT) * COST_USD)
    await lab.at_rest(router)


async def test_decisions_for_a_client_of_its_own_hold_their_dollars_too(lab):
    budgets = [cap(10 * COST_USD, on_exhausted="reject")]
    router = await lab.router({"small": await lab.server()}, budgets=budgets)
    for _ in range(5):
        router.decide(PROMPT, max_tokens=6)
    assert account(router).reserved_usd > 4 * COST_USD
    results = await many(router, 10)
    assert 1 <= sum(isinstance(result, BudgetExceededError) for result in results) <= 9
    assert account(router).reserved_usd <= account(router).cap.usd


async def test_caps_of_two_tenants_are_apart(lab):
    budgets = [
        cap(10 * COST_USD, "a", scope="tenant:a", on_exhausted="reject"),
        cap(1.0, "b", scope="tenant:b", on_exhausted="reject"),
    ]
    router = await lab.router({"small": await lab.server()}, budgets=budgets, timeouts=PATIENT)
    results = await many(router, 30, tenant="a")
    assert sum(isinstance(result, BudgetExceededError) for result in results) >= 20
    assert {result.text for result in await many(router, 30, tenant="b")} == {TEXT}
    assert {result.text for result in await many(router, 10)} == {TEXT}
    assert account(router, "b").spent_usd == pytest.approx(30 * COST_USD)
    assert account(router, "a").spent_usd <= 10 * COST_USD
    await lab.at_rest(router)


async def test_every_cap_that_covers_a_request_is_charged(lab):
    budgets = [cap(1.0, "all"), cap(1.0, "acme", scope="tenant:acme"), cap(1.0, "code", scope="task:code")]
    router = await lab.router({"small": await lab.server()}, budgets=budgets)
    await router.chat(PROMPT, tenant="acme", task="code")
    await router.chat(PROMPT, tenant="acme", task="qa")
    await router.chat(PROMPT)
    spent = {name: round(account(router, name).spent_usd / COST_USD) for name in ("all", "acme", "code")}
    assert spent == {"all": 3, "acme": 2, "code": 1}


async def test_a_retry_whose_dollars_others_took_meanwhile_goes_to_a_free_model(lab):
    flaky = await lab.server(default="hang-before-head", script=["500"])
    free = lab.served(await lab.server(), input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)
    retry = {"base_s": 0.2, "cap_s": 0.2, "same_model": 1}
    budgets = [cap(1.5 * COST_USD, on_exhausted="reject", paced=False)]
    router = await lab.router({"priced": flaky, "free": free}, budgets=budgets, retry=retry, routing={"seed": 1})
    while not flaky.requests:
        first = asyncio.create_task(router.chat(PROMPT, max_tokens=6))
        await asyncio.sleep(0.02)
    taken = router.decide(PROMPT, max_tokens=6, model="priced")
    answer = await first
    assert (answer.model, answer.text) == ("free", TEXT)
    assert account(router).reserved_usd > 0
    router.record(taken, latency_s=1.0, cost_usd=0.0)
    await router.feedback(taken.decision_id, quality=1.0)
    await lab.at_rest(router)


async def test_a_fallback_stays_within_the_cap(lab):
    broken, server = await lab.server("500"), await lab.server()
    dear = lab.served(server, input_usd_per_mtok=100.0, output_usd_per_mtok=200.0)
    budgets = [cap(5 * COST_USD, on_exhausted="reject")]
    router = await lab.router({"broken": broken, "dear": dear}, budgets=budgets, retry={"rounds": 0})
    with pytest.raises(UnansweredError) as failed:
        await router.chat(PROMPT, max_tokens=6)
    assert list(failed.value.causes) == ["broken"]
    assert server.requests == 0


async def test_a_cap_does_not_hide_why_else_nobody_may_serve(lab):
    router = await lab.router({"small": await lab.server()}, budgets=[cap(1.0, on_exhausted="reject")])
    with pytest.raises(NoEligibleModelError) as refused:
        await router.chat(PROMPT, denied=["small"])
    assert refused.value.reasons == {"small": "the caller denies it"}


async def test_answers_of_unknown_length_use_no_more_of_a_cap_than_what_is_likely(lab):
    """Without a limit the model could write for 100,000 tokens; what is learned of its answers bounds what is held."""
    budgets = [cap(0.05, on_exhausted="reject")]
    router = await lab.router({"small": lab.served(await lab.server(), max_output_tokens=100_000)}, budgets=budgets)
    for _ in range(60):
        assert (await router.chat(PROMPT)).text == TEXT
    assert account(router).spent_usd == pytest.approx(60 * COST_USD)


async def test_at_a_cap_that_may_be_passed_another_that_may_not_still_holds(lab):
    budgets = [cap(COST_USD, "soft"), cap(6 * COST_USD, "hard", scope="tenant:a", on_exhausted="reject")]
    router = await lab.router({"small": await lab.server()}, budgets=budgets)
    results = [await outcome(router.chat(PROMPT, max_tokens=6, tenant="a")) for _ in range(10)]
    answered = [result for result in results if not isinstance(result, BudgetExceededError)]
    assert 4 <= len(answered) <= 6
    assert account(router, "hard").spent_usd <= 6 * COST_USD
    assert {result.budget for result in results[len(answered) :]} == {"hard"}
    assert (await router.chat(PROMPT, max_tokens=6)).text == TEXT
    await lab.at_rest(router)
