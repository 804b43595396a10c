"""What a service that embeds the router relies on: answers, records, judgements, limits and its own client."""

import asyncio
import math
from collections import Counter
from typing import Any

import pytest

from banditroute.desk import MOST_TASKS
from banditroute.errors import (
    BanditrouteError,
    ConfigError,
    FeedbackError,
    InputError,
    InvalidRequestError,
    NoEligibleModelError,
    NotServedError,
    UnansweredError,
    UnknownDecisionError,
)
from banditroute.observe import Attempted, Decided, Judged, Settled
from banditroute.records import Usage
from banditroute.routing.tasks import GENERAL
from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import TOKENS, Exchange, completion

TEXT = "".join(TOKENS)
COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6  # 18 tokens of prompt and 6 of answer at the usual prices
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
HISTORY = "word " * 2400
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


class Seen:
    """A good server that keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(exchange.body)
        await ok(exchange)


async def test_an_answer_says_who_gave_it_what_it_cost_and_is_on_record(lab):
    server = await lab.server()
    router = await lab.router({"small": server})
    answer = await router.chat("What is the capital of France?", task="qa")
    assert (answer.text, answer.model, answer.task) == (TEXT, "small", "qa")
    assert answer.usage == Usage(18, 6)
    assert answer.cost_usd == pytest.approx(COST_USD)
    assert answer.latency_s > 0
    assert answer.recorded
    assert answer.completion.finish_reason == "stop"
    trail = await router.explain(answer.decision_id)
    assert (trail.decision, trail.outcome, trail.feedback) == (answer.decision, answer.outcome, ())
    assert trail.outcome.ok
    assert [attempt.model for attempt in trail.outcome.attempts] == ["small"]
    await lab.at_rest(router)


async def test_cached_and_reasoning_tokens_are_billed_at_their_own_prices(lab):
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 800},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }

    async def cached(exchange: Exchange) -> None:
        exchange.reply(200, completion(usage=usage))

    prices = {"cached_input_usd_per_mtok": 0.1, "reasoning_usd_per_mtok": 3.0}
    router = await lab.router({"small": lab.served(await lab.server(cached), **prices)})
    answer = await router.chat("again")
    assert answer.usage == Usage(1000, 100, cached_input_tokens=800, reasoning_tokens=40)
    assert answer.cost_usd == pytest.approx((200 * 1.0 + 800 * 0.1 + 60 * 2.0 + 40 * 3.0) / 1e6)


async def test_usage_that_the_provider_keeps_to_itself_is_estimated_and_marked(lab):
    async def silent(exchange: Exchange) -> None:
        exchange.reply(200, completion(usage=None))

    router = await lab.router({"small": await lab.server(silent)})
    answer = await router.chat("What is the capital of France?")
    assert answer.outcome.estimated
    assert answer.usage is not None
    assert answer.usage.output_tokens == pytest.approx(len(TEXT) / 4, abs=1)
    assert answer.cost_usd > 0
    assert router.learner.decider.signals is not None


class TestFeedback:
    async def test_is_applied_once_for_each_source(self, lab):
        router = await lab.router({"small": await lab.server()})
        answer = await router.chat("hello", task="qa")
        assert await router.feedback(answer.decision_id, quality=0.25)
        assert not await router.feedback(answer.decision_id, quality=0.9)
        assert await router.feedback(answer.decision_id, quality=1.0, source="grader")
        judged = (await router.explain(answer.decision_id)).feedback
        assert {each.source: each.quality for each in judged} == {"user": 0.25, "grader": 1.0}
        state = await router.learner.store.state()
        quality = [sums for edge, sums in state.evidence.items() if edge.signal == "quality"]
        assert [float(sums.n) for sums in quality] == [1.5]  # a second unknown source counts half
        assert len(lab.events.of(Judged)) == 2

    async def test_given_by_many_at_once_counts_once(self, lab):
        router = await lab.router({"small": await lab.server()}, store={"kind": "sqlite"})
        answer = await router.chat("hello")
        applied = await asyncio.gather(*(router.feedback(answer.decision_id, quality=0.5) for _ in range(8)))
        assert sorted(applied) == [False] * 7 + [True]

    @pytest.mark.parametrize("quality", [math.nan, math.inf, -0.01, 1.01])
    async def test_out_of_range_is_refused_and_the_right_one_still_counts(self, lab, quality):
        router = await lab.router({"small": await lab.server()})
        answer = await router.chat("hello")
        with pytest.raises(FeedbackError, match="not a quality"):
            await router.feedback(answer.decision_id, quality=quality)
        assert await router.feedback(answer.decision_id, quality=1.0)

    async def test_for_an_unknown_decision_says_so(self, lab):
        router = await lab.router({"small": await lab.server()})
        with pytest.raises(UnknownDecisionError, match="no decision 'nobody'"):
            await router.feedback("nobody", quality=1.0)
        with pytest.raises(UnknownDecisionError):
            await router.explain("nobody")

    async def test_on_a_request_that_nobody_answered_is_refused(self, lab):
        router = await lab.router({"small": await lab.server("401")})
        with pytest.raises(UnansweredError) as failed:
            await router.chat("hello")
        assert failed.value.decision_id is not None
        with pytest.raises(NotServedError):
            await router.feedback(failed.value.decision_id, quality=1.0)


class TestLearning:
    async def test_moves_traffic_to_the_model_that_is_judged_better(self, lab):
        server = await lab.server()
        router = await lab.router({"bad": server, "good": server})
        served = await judged(router, {"good": 0.9, "bad": 0.1}, requests=300)
        assert Counter(served[-200:])["good"] >= 180

    async def test_holds_a_paced_budget_from_the_first_request_on(self, lab):
        """The dear model costs 100 times the cheap one and is better; the budget allows it for 30% of the requests."""
        spent_usd, budget_usd = await paced(lab, share=0.3, requests=600)
        assert sum(spent_usd) / 600 == pytest.approx(budget_usd, rel=0.05)

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
    async def test_holds_a_paced_budget_closely_once_it_knows_the_models(self, lab, share):
        spent_usd, budget_usd = await paced(lab, share=share, requests=600)
        assert sum(spent_usd[200:]) / 400 == pytest.approx(budget_usd, rel=0.05)

    async def test_keeps_task_classes_apart(self, lab):
        server = await lab.server()
        router = await lab.router({"poet": server, "coder": server}, routing={"tasks": ["poem", "code"]})
        qualities = {"poem": {"poet": 0.9, "coder": 0.1}, "code": {"poet": 0.1, "coder": 0.9}}
        served = {"poem": [], "code": []}
        for _ in range(150):
            for task in served:
                served[task] += await judged(router, qualities[task], requests=1, task=task)
        assert Counter(served["poem"][-75:])["poet"] >= 65
        assert Counter(served["code"][-75:])["coder"] >= 65


async def streamed(router, messages, **terms):
    """The answer of a stream that is read to its end."""
    async with router.stream(messages, **terms) as stream:
        async for _ in stream:
            pass
    return stream.answer


async def judged(router, qualities, *, requests, prompt="What is the capital of France?", **terms):
    """The models that served, each answer judged by its model."""
    served = []
    for _ in range(requests):
        answer = await router.chat(prompt, **terms)
        await router.feedback(answer.decision_id, quality=qualities[answer.model])
        served.append(answer.model)
    return served


async def paced(lab, *, share, requests):
    """Dollars of each request, the budget being enough for that share of them to be served by the dear, good model."""
    server = await lab.server()
    prices = {"dear": 100, "cheap": 1}
    models = {
        name: lab.served(server, input_usd_per_mtok=1.0 * times, output_usd_per_mtok=2.0 * times, max_output_tokens=50)
        for name, times in prices.items()
    }
    budget_usd = (1 + 99 * share) * COST_USD
    router = await lab.router(models, budgets=[{"usd_per_request": budget_usd}])
    served = await judged(router, {"dear": 0.9, "cheap": 0.1}, requests=requests)
    return [prices[model] * COST_USD for model in served], budget_usd


class TestSessions:
    async def test_stay_where_the_prompt_is_cached_while_others_are_free_to_go(self, lab):
        """Dollars are scarce, and a model that has the prompt in its cache costs a tenth: leaving it is dear."""
        server = await lab.server(long_prompt)
        good = lab.served(server, input_usd_per_mtok=10.0, cached_input_usd_per_mtok=1.0, max_output_tokens=50)
        poor = lab.served(server, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)
        models = {"one": good, "two": good, "poor": poor}
        router = await lab.router(models, budgets=[{"usd_per_request": 0.015}])
        qualities = {"one": 0.8, "two": 0.8, "poor": 0.1}
        free = await judged(router, qualities, requests=200, prompt=HISTORY)
        first = await router.chat(HISTORY, session_id="s", denied=["poor"])
        stayed = [(await router.chat(f"{HISTORY} again", session_id="s")).model for _ in range(30)]
        assert Counter(stayed)[first.model] >= 28
        assert min(Counter(free[-100:]).values()) >= 10

    async def test_are_left_when_their_model_may_not_be_used(self, lab):
        server = await lab.server()
        router = await lab.router({"one": server, "two": server})
        first = await router.chat("hello", session_id="s")
        other = {"one": "two", "two": "one"}[first.model]
        assert (await router.chat("hello", session_id="s", denied=[first.model])).model == other


async def long_prompt(exchange: Exchange) -> None:
    """A server that has a prompt in its cache where it comes again."""
    cached = 2900 if exchange.body["messages"][0]["content"].endswith("again") else 0
    details = {"cached_tokens": cached}
    exchange.reply(
        200, completion(usage={"prompt_tokens": 3000, "completion_tokens": 6, "prompt_tokens_details": details})
    )


class TestLimitsOfARequest:
    async def test_max_cost_excludes_models_whose_worst_case_is_above_it(self, lab):
        server = await lab.server()
        dear = lab.served(server, input_usd_per_mtok=100.0, output_usd_per_mtok=200.0)
        router = await lab.router({"dear": dear, "cheap": server})
        answers = [await router.chat("hello", max_cost_usd=0.001, max_tokens=100) for _ in range(20)]
        assert {answer.model for answer in answers} == {"cheap"}
        assert "may cost $0.02" in answers[0].decision.excluded["dear"]
        with pytest.raises(NoEligibleModelError) as refused:
            await router.chat("hello", max_cost_usd=1e-9, max_tokens=100)
        assert set(refused.value.reasons) == {"dear", "cheap"}

    async def test_max_latency_excludes_models_known_to_be_slow(self, lab):
        async def slow(exchange: Exchange) -> None:
            await asyncio.sleep(0.15)
            await ok(exchange)

        patient = {"whole_s": 30.0, "total_s": 30.0}
        router = await lab.router({"slow": await lab.server(slow), "fast": await lab.server()}, timeouts=patient)
        for model in ("slow", "fast"):
            for _ in range(10):
                await asyncio.gather(*(router.chat("hello", model=model) for _ in range(6)))
        router.learner.decider.refresh()
        answers = [await router.chat("hello", max_latency_s=0.08) for _ in range(20)]
        assert {answer.model for answer in answers} == {"fast"}
        assert "expected to take" in answers[0].decision.excluded["slow"]

    async def test_allowed_and_denied_models_hold(self, lab):
        server = await lab.server()
        router = await lab.router({"a": server, "b": server, "c": server})
        for _ in range(10):
            assert (await router.chat("hello", allowed=["b"])).model == "b"
            assert (await router.chat("hello", denied=["a", "b"])).model == "c"
        with pytest.raises(NoEligibleModelError) as refused:
            await router.chat("hello", allowed=["a"], denied=["a"])
        assert refused.value.reasons == {
            "a": "the caller denies it",
            "b": "not among the models the caller allows",
            "c": "not among the models the caller allows",
        }

    async def test_hold_for_fallbacks_too(self, lab):
        bad, good = await lab.server("500"), await lab.server()
        router = await lab.router({"bad": bad, "good": good})
        with pytest.raises(UnansweredError) as failed:
            await router.chat("hello", denied=["good"])
        assert list(failed.value.causes) == ["bad"]
        assert good.requests == 0

    @pytest.mark.parametrize(
        "limits",
        [{"max_cost_usd": -1.0}, {"max_latency_s": math.nan}, {"timeout_s": 0.0}, {"timeout_s": math.nan}],
    )
    async def test_that_are_none_are_refused(self, lab, limits):
        router = await lab.router({"small": await lab.server()})
        with pytest.raises(InputError, match=next(iter(limits))):
            await router.chat("hello", **limits)
        assert (await router.chat("hello")).text == TEXT

    async def test_timeout_is_the_whole_time(self, lab):
        router = await lab.router({"small": await lab.server("hang-before-head")})
        before = asyncio.get_running_loop().time()
        with pytest.raises(UnansweredError):
            await router.chat("hello", timeout_s=0.15)
        assert asyncio.get_running_loop().time() - before < 1.0
        await lab.at_rest(router)


class TestNamingTheModel:
    async def test_a_name_pins_it(self, lab):
        server = await lab.server()
        router = await lab.router({"a": server, "b": server})
        answers = [await router.chat("hello", model="b") for _ in range(10)]
        assert {answer.model for answer in answers} == {"b"}
        assert all(answer.decision.pinned for answer in answers)
        assert answers[0].decision.propensity == 1.0

    async def test_a_pinned_model_is_not_replaced(self, lab):
        bad, good = await lab.server("500"), await lab.server()
        router = await lab.router({"bad": bad, "good": good})
        with pytest.raises(UnansweredError):
            await router.chat("hello", model="bad")
        assert good.requests == 0

    async def test_auto_leaves_it_to_the_router(self, lab):
        server = await lab.server()
        router = await lab.router({"a": server, "b": server})
        answers = [await router.chat("hello", model="auto") for _ in range(40)]
        assert {answer.model for answer in answers} == {"a", "b"}
        assert not answers[0].decision.pinned

    async def test_auto_with_a_task_names_the_class(self, lab):
        routing = {"tasks": ["code"], "classifier": "none"}
        router = await lab.router({"a": await lab.server()}, routing=routing)
        assert (await router.chat("hello", model="auto:code")).task == "code"
        assert (await router.chat("hello")).task == "general"

    async def test_an_unknown_name_is_refused_with_those_that_there_are(self, lab):
        router = await lab.router({"a": await lab.server()})
        with pytest.raises(InvalidRequestError, match="no model is named 'gpt-9'; use auto or a"):
            await router.chat("hello", model="gpt-9")


class TestWhatARequestNeeds:
    @pytest.mark.parametrize(
        ("cannot", "request_fields"),
        [
            ("tools", {"tools": [TOOL]}),
            ("json", {"response_format": {"type": "json_object"}}),
        ],
    )
    async def test_tools_and_json_go_to_models_that_take_them(self, lab, cannot, request_fields):
        server = await lab.server()
        router = await lab.router({"plain": lab.served(server, **{cannot: False}), "able": server})
        answers = [await router.chat("hello", **request_fields) for _ in range(15)]
        assert {answer.model for answer in answers} == {"able"}
        with pytest.raises(NoEligibleModelError, match="plain: does not"):
            await router.chat("hello", denied=["able"], **request_fields)

    async def test_images_go_to_models_that_declare_vision(self, lab):
        seen = Seen()
        server = await lab.server(seen)
        router = await lab.router({"blind": server, "seeing": lab.served(server, vision=True)})
        messages = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}]
        answers = [await router.chat(messages) for _ in range(15)]
        assert {answer.model for answer in answers} == {"seeing"}
        assert seen.bodies[0]["messages"] == messages

    async def test_streams_go_to_models_that_stream(self, lab):
        server = await lab.server()
        router = await lab.router({"whole": lab.served(server, streaming=False), "able": server})
        async with router.stream("hello") as stream:
            assert "".join([delta.text async for delta in stream]) == TEXT
        assert stream.answer.model == "able"
        assert stream.decision.excluded == {"whole": "does not stream"}

    async def test_a_prompt_too_long_for_all_is_refused_with_each_ones_reason(self, lab):
        server = await lab.server()
        windows = {name: lab.served(server, context_window=size) for name, size in (("a", 1000), ("b", 2000))}
        router = await lab.router(windows)
        with pytest.raises(NoEligibleModelError) as refused:
            await router.chat("word " * 20_000)
        assert list(refused.value.reasons) == ["a", "b"]
        assert "leaves no room in its context window of 2000" in refused.value.reasons["b"]
        assert (await router.chat("word " * 1200)).model == "b"
        assert server.requests == 1

    async def test_a_prompt_that_one_provider_finds_too_long_goes_to_another(self, lab):
        short, long = await lab.server("context-overflow"), await lab.server()
        router = await lab.router({"short": short, "long": long})
        answers = [await router.chat("hello") for _ in range(12)]
        assert {answer.model for answer in answers} == {"long"}
        assert 0 < short.requests <= 12

    async def test_fields_that_the_router_does_not_know_reach_the_server_untouched(self, lab):
        seen = Seen()
        router = await lab.router({"small": await lab.server(seen)})
        fields = {"temperature": 0.3, "seed": 7, "guided_regex": "[a-z]+", "metadata": {"deep": [1, None, {"x": "ü"}]}}
        messages = [
            {"role": "system", "content": "Be brief.", "name": "ops"},
            {"role": "user", "content": "hello", "cache_control": {"type": "ephemeral"}},
        ]
        await router.chat(messages, max_completion_tokens=32, **fields)
        body = seen.bodies[0]
        assert body["messages"] == messages
        assert {name: body[name] for name in fields} == fields
        assert body["max_completion_tokens"] == 32
        assert body["model"] == "small"


class TestBadRequests:
    @pytest.mark.parametrize(
        "messages",
        [
            [],
            (),
            None,
            42,
            b"bytes",
            ["hello"],
            [{"role": "wizard", "content": "hello"}],
            [{"content": "hello"}],
            [{"role": ["user"], "content": "hello"}],
            [{"role": "user"}],
            [{"role": "user", "content": 7}],
            [{"role": "user", "content": ["part"]}],
            [{"role": "user", "content": "caf\ud83d"}],
            "lone \udc00 surrogate",
            [{"role": "user", "content": "fine", "name": "\ud800"}],
            [{"role": "user", "content": [{"type": "text", "text": "\ud800"}]}],
            [{"role": "user", "content": "fine", "extra": {1, 2}}],
        ],
        ids=repr,
    )
    async def test_messages_that_are_none_are_refused_and_the_router_goes_on(self, lab, messages):
        server = await lab.server()
        router = await lab.router({"small": server}, budgets=[{"usd": 1.0, "per": "day"}])
        with pytest.raises(InvalidRequestError):
            await router.chat(messages)
        with pytest.raises(InvalidRequestError):
            await streamed(router, messages)
        assert server.requests == 0
        assert (await router.chat("hello")).text == TEXT
        await lab.at_rest(router)

    @pytest.mark.parametrize(
        "params",
        [
            {"logit_bias": {1: ...}},
            {"stop": {"a"}},
            {"user": "\ud83d"},
            {"metadata": {"x": b"bytes"}},
            {"seed": 2**70},
            {"max_tokens": "many"},
            {"max_tokens": 0},
            {"max_tokens": True},
        ],
        ids=repr,
    )
    async def test_fields_that_no_json_can_say_are_refused_and_the_router_goes_on(self, lab, params):
        server = await lab.server()
        router = await lab.router({"a": server, "b": server}, budgets=[{"usd": 1.0, "per": "day"}])
        with pytest.raises(InvalidRequestError):
            await router.chat("hello", **params)
        assert server.requests == 0
        assert (await router.chat("hello")).text == TEXT
        await lab.at_rest(router)


class TestOwnClient:
    async def test_decide_and_record(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server}, budgets=[{"name": "day", "usd": 1.0, "per": "day"}])
        decision = router.decide("hello", task="qa")
        assert decision.chosen == "small"
        router.record(decision, usage=Usage(1000, 500), latency_s=1.25)
        assert await router.feedback(decision.decision_id, quality=0.75)  # right after: it waits for the record
        trail = await router.explain(decision.decision_id)
        assert trail.outcome.cost_usd == pytest.approx(0.002)
        assert (trail.outcome.served, trail.outcome.latency_s, trail.outcome.ok) == ("small", 1.25, True)
        assert [charge.usd for charge in trail.charges] == [pytest.approx(0.002)]
        assert server.requests == 0
        await lab.at_rest(router)

    @pytest.mark.parametrize("store", ["memory", "sqlite"])
    async def test_recording_twice_counts_once(self, lab, store):
        budgets = [{"name": "day", "usd": 1.0, "per": "day"}]
        router = await lab.router({"small": await lab.server()}, budgets=budgets, store={"kind": store})
        decision = router.decide("hello")
        for _ in range(3):
            router.record(decision, usage=Usage(1000, 500), latency_s=1.25)
        await router.feedback(decision.decision_id, quality=1.0)
        router.record(decision, usage=Usage(1000, 500), latency_s=1.25)
        await router.aclose()
        again = await lab.router({"small": await lab.server()}, budgets=budgets, store={"kind": store})
        for each in (router, again) if store == "sqlite" else (router,):
            spent = [account.spent_usd for account in each.learner.ledger.accounts(decision.at)]
            assert spent == [pytest.approx(0.002)]

    async def test_another_model_may_have_served(self, lab):
        server = await lab.server()
        dear = lab.served(server, input_usd_per_mtok=100.0, output_usd_per_mtok=200.0)
        router = await lab.router({"small": server, "dear": dear})
        decision = router.decide("hello", model="small")
        router.record(decision, usage=Usage(1000, 500), latency_s=1.0, served="dear")
        await router.feedback(decision.decision_id, quality=0.9)
        assert (await router.explain(decision.decision_id)).outcome.cost_usd == pytest.approx(0.2)
        state = await router.learner.store.state()
        assert {edge.model for edge, sums in state.evidence.items() if sums.n} == {"dear"}

    async def test_a_call_that_failed_teaches_and_costs_what_is_said(self, lab):
        router = await lab.router({"small": await lab.server()})
        decision = router.decide("hello")
        router.record(decision, latency_s=0.5, ok=False)
        with pytest.raises(NotServedError):
            await router.feedback(decision.decision_id, quality=1.0)
        trail = await router.explain(decision.decision_id)
        assert (trail.outcome.ok, trail.outcome.served, trail.outcome.cost_usd) == (False, "", 0.0)

    async def test_feedback_before_the_record_is_refused(self, lab):
        router = await lab.router({"small": await lab.server()})
        decision = router.decide("hello")
        with pytest.raises(NotServedError, match="record one first"):
            await router.feedback(decision.decision_id, quality=1.0)

    async def test_what_is_never_recorded_holds_its_dollars_only_for_so_long(self, lab):
        router = await lab.router({"small": await lab.server()}, budgets=[{"usd": 1.0, "per": "day"}])
        decision = router.decide("hello", max_tokens=1000)
        ledger, held_usd = router.learner.ledger, (6 * 1.0 + 1000 * 2.0) / 1e6
        assert [each.reserved_usd for each in ledger.accounts(decision.at)] == [pytest.approx(held_usd, rel=0.01)]
        ledger.expire(decision.at + 3601)
        assert [each.reserved_usd for each in ledger.accounts(decision.at)] == [0.0]
        router.record(decision, usage=Usage(6, 1000), latency_s=5000.0)  # late, and charged all the same
        await router.feedback(decision.decision_id, quality=1.0)
        assert [each.spent_usd for each in ledger.accounts(decision.at)] == [pytest.approx(held_usd)]

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"latency_s": -1.0}, InputError),
            ({"latency_s": math.nan}, InputError),
            ({"latency_s": math.inf}, InputError),
            ({"latency_s": 1.0, "cost_usd": math.nan}, InputError),
            ({"latency_s": 1.0, "cost_usd": -1.0}, InputError),
            ({"latency_s": 1.0, "ttft_s": math.nan}, InputError),
            ({"latency_s": 1.0, "served": "nobody"}, ConfigError),
            ({"latency_s": 1.0, "usage": Usage(-5, 1)}, InputError),
        ],
    )
    async def test_amounts_that_are_none_are_refused_and_the_right_ones_still_count(self, lab, wrong, error):
        router = await lab.router({"small": await lab.server()}, budgets=[{"usd": 1.0, "per": "day"}])
        decision = router.decide("hello")
        with pytest.raises(error):
            router.record(decision, **wrong)
        router.record(decision, usage=Usage(1000, 500), latency_s=1.0)
        assert await router.feedback(decision.decision_id, quality=1.0)
        await lab.at_rest(router)


class TestEmbeddings:
    async def test_come_from_the_pinned_model_and_are_charged(self, lab):
        seen: list[Any] = []

        async def embed(exchange: Exchange) -> None:
            seen.append(exchange.body)
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}]
            usage = {"prompt_tokens": 8, "total_tokens": 8}
            exchange.reply(200, {"object": "list", "data": data, "model": "vectors", "usage": usage})

        budgets = [{"usd": 1.0, "per": "day"}]
        server = await lab.server(embed)
        router = await lab.router({"vectors": server, "other": server}, budgets=budgets)
        embedded = await router.embed(["hello"], model="vectors", dimensions=2)
        assert embedded.embeddings.body["data"][0]["embedding"] == [0.5, -0.25]
        assert (embedded.model, embedded.cost_usd) == ("vectors", pytest.approx(8e-6))
        assert (seen[0]["input"], seen[0]["dimensions"]) == (["hello"], 2)
        assert (await router.explain(embedded.decision_id)).decision.context.task == "embeddings"
        await lab.at_rest(router)

    async def test_by_an_unknown_model_are_refused(self, lab):
        router = await lab.router({"vectors": await lab.server()})
        with pytest.raises(InvalidRequestError, match="no model is named 'other'"):
            await router.embed("hello", model="other")

    @pytest.mark.parametrize("reply", [b"not json", {"data": "none"}, {"data": [{"embedding": None}]}])
    async def test_that_are_none_say_nothing_of_how_the_model_chats(self, lab, reply):
        async def nonsense(exchange: Exchange) -> None:
            exchange.reply(200, reply if "input" in exchange.body else completion())

        router = await lab.router({"small": await lab.server(nonsense)}, breaker={"consecutive": 2, "window": 4})
        for _ in range(6):
            with pytest.raises(UnansweredError):
                await router.embed("hello", model="small")
        assert [each.state for each in router.works[-1].availability.health(0.0)] == ["closed"]
        assert (await router.chat("hello")).model == "small"
        await lab.at_rest(router)

    async def test_of_a_server_that_fails_do(self, lab):
        router = await lab.router({"small": await lab.server("500")}, breaker={"consecutive": 2, "window": 4})
        with pytest.raises(UnansweredError):
            await router.embed("hello", model="small")
        assert [each.state for each in router.works[-1].availability.health(0.0)] == ["open"]


@pytest.mark.parametrize("named", [{"task": ""}, {"model": "auto:"}, {"task": "", "model": "auto:"}])
async def test_an_empty_task_is_none(lab, named):
    router = await lab.router({"small": await lab.server()})
    unnamed = router.decide("Translate into French: the cat sleeps.").context.task
    assert unnamed
    assert router.decide("Translate into French: the cat sleeps.", **named).context.task == unnamed
    assert (await router.chat("Translate into French: the cat sleeps.", **named)).task == unnamed
    async with router.stream("Translate into French: the cat sleeps.", **named) as stream:
        assert stream.decision.context.task == unnamed


async def test_the_observer_is_told_of_decisions_attempts_outcomes_and_judgements(lab):
    bad, good = await lab.server("500"), await lab.server()
    router = await lab.router({"bad": bad, "good": good}, retry={"same_model": 0})
    while not bad.requests:
        lab.events.all.clear()
        answer = await router.chat("hello")
    await router.feedback(answer.decision_id, quality=1.0)
    assert [type(event) for event in lab.events.all] == [Decided, Attempted, Decided, Attempted, Settled, Judged]
    first, failed, second, served, settled, judgement = lab.events.all
    assert (first.fallback_from, second.fallback_from) == ((), ("bad",))
    assert (failed.attempt.model, failed.attempt.failure) == ("bad", "ServerFailedError")
    assert (served.attempt.model, served.attempt.failure) == ("good", "")
    assert settled.outcome == answer.outcome
    assert judgement.feedback.quality == 1.0


async def test_an_error_of_the_library_is_caught_by_its_root(lab):
    router = await lab.router({"small": await lab.server("500")})
    with pytest.raises(BanditrouteError):
        await router.chat("hello")


class TestClosing:
    async def test_twice_does_nothing(self, lab):
        router = await lab.router({"small": await lab.server()})
        await router.chat("hello")
        await router.aclose()
        await router.aclose()

    async def test_ends_requests_on_their_way_with_a_typed_error(self, lab):
        server = await lab.server("stall-between-tokens")
        router = await lab.router({"small": server, "other": server}, store={"kind": "sqlite"})
        asked = [asyncio.create_task(router.chat("hello")) for _ in range(5)]
        asked += [asyncio.create_task(streamed(router, "hello")) for _ in range(5)]
        await asyncio.sleep(0.1)
        await router.aclose()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(result, BanditrouteError) for result in results), results
        assert await server.settled(connections=0)

    async def test_ends_with_every_later_request_refused(self, lab):
        router = await lab.router({"small": await lab.server()}, budgets=[{"usd": 1.0, "per": "day"}])
        await router.aclose()
        for ask in (router.chat, lambda text: streamed(router, text), lambda text: router.embed(text, model="small")):
            with pytest.raises(BanditrouteError):
                await ask("hello")
        with pytest.raises(BanditrouteError):
            router.decide("hello")
        assert [each.reserved_usd for each in router.learner.ledger.accounts(0.0)] == [0.0]


class TestFeatures:
    async def test_tell_prompts_apart(self, lab):
        server = await lab.server()
        router = await lab.router({"poet": server, "coder": server}, routing={"features": 1})
        served = {-1.0: [], 1.0: []}
        for _ in range(150):
            for side in served:
                qualities = {"poet": 0.5 + 0.4 * side, "coder": 0.5 - 0.4 * side}
                served[side] += await judged(router, qualities, requests=1, features=[side])
        assert Counter(served[1.0][-75:])["poet"] >= 65
        assert Counter(served[-1.0][-75:])["coder"] >= 65

    @pytest.mark.parametrize("features", [None, [], [0.5], [0.5, 0.5, 0.5], [math.nan, 0.5], [math.inf, -math.inf]])
    async def test_that_are_not_as_agreed_are_refused(self, lab, features):
        router = await lab.router({"small": await lab.server()}, routing={"features": 2})
        with pytest.raises(InputError, match="feature"):
            await router.chat("hello", features=features)
        assert (await router.chat("hello", features=[0.1, 0.2])).text == TEXT


async def test_a_missing_key_is_named_before_anything_is_opened(lab):
    with pytest.raises(ConfigError, match="LAB_SPARE of provider 'host0' is not set"):
        lab.assembled(
            {"small": lab.served("http://127.0.0.1:9/v1", ["LAB_KEY", "LAB_SPARE"])}, environ={"LAB_KEY": "k"}
        )


async def test_names_made_up_for_each_request_are_no_classes(lab):
    """Beliefs do not grow without end where a caller takes the task for a comment."""
    router = await lab.router({"small": await lab.server()})
    for number in range(MOST_TASKS + 20):
        await router.chat("hello", task=f"request {number}")
    assert len(router.learner.decider.tasks) <= MOST_TASKS + 1
    assert (await router.chat("hello", task="yet another")).task == GENERAL
    assert (await router.chat("hello", task="request 3")).task == "request 3"
