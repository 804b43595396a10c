import asyncio
import inspect
import socket
from pathlib import Path

import pytest

from banditroute.errors import (
    BrokenStreamError,
    BudgetExceededError,
    CutStreamError,
    DeadlineError,
    KeyRefusedError,
    NotOpenError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    TimedOutError,
    UnansweredError,
)
from banditroute.observe import Attempted, Decided
from banditroute.records import Usage
from banditroute.router import Router
from banditroute.routing.budgets import Cap
from banditroute.routing.catalog import Model, Price
from banditroute.sync import SyncRouter
from banditroute.testing import Asked, Reply, ScriptedRouter, ScriptEndedError, scripted_router

TOML = """
[[providers]]
name = "main"
kind = "anthropic"
base_url = "https://models.example/v1"
api_key_env = "KEY_THAT_IS_NOT_SET"
timeouts = { whole_s = 2.0, first_token_s = 1.0 }

[[models]]
name = "cheap"
provider = "main"
upstream = "vendor/one"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[[models]]
name = "dear"
provider = "main"
upstream = "vendor/one"
input_usd_per_mtok = 10.0
output_usd_per_mtok = 20.0

[store]
kind = "sqlite"
path = "not-made.db"

[gateway]
auth = "keys"
[[gateway.keys]]
name = "app"
key_env = "ANOTHER_KEY_THAT_IS_NOT_SET"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def test_every_public_method_takes_what_the_routers_takes() -> None:
    public = [name for name, _ in inspect.getmembers(Router, callable) if not name.startswith("_")]
    assert {"chat", "stream", "embed", "decide", "record", "feedback", "explain"} <= set(public)
    for name in public:
        assert inspect.signature(getattr(ScriptedRouter, name)) == inspect.signature(getattr(Router, name)), name


async def test_an_answer_has_the_records_of_a_live_one() -> None:
    async with scripted_router("Escrow is money held by a third party.") as router:
        answer = await router.chat("What is escrow?", task="qa", tenant="acme")
        trail = await router.explain(answer.decision_id)
    assert answer.text == "Escrow is money held by a third party."
    assert sum(answer.decision.propensities.values()) == pytest.approx(1.0)
    assert answer.decision.propensity == answer.decision.propensities[answer.decision.chosen]
    assert (trail.decision, trail.outcome) == (answer.decision, answer.outcome)
    price = {"small": (0.15, 0.60), "large": (2.50, 10.0)}[answer.model]
    tokens = answer.usage.input_tokens * price[0] + answer.usage.output_tokens * price[1]
    assert answer.cost_usd == pytest.approx(tokens / 1e6)
    assert answer.completion.body["choices"][0]["message"]["content"] == answer.text


async def test_what_was_asked_is_on_record_for_assertions() -> None:
    async with scripted_router("ok") as router:
        answer = await router.chat("first", task="qa", tenant="acme", temperature=0)
        async with router.stream([{"role": "user", "content": "second"}]) as stream:
            async for _ in stream:
                pass
        await router.embed(["third", "fourth"], model="small")
        decision = router.decide("fifth", task="code", max_tokens=5)
        router.record(decision, usage=Usage(5, 5), latency_s=0.5)
        await router.feedback(answer.decision_id, quality=0.9, source="editor")
        await router.feedback(decision.decision_id, quality=0.1)
    assert [(call.method, call.prompt) for call in router.calls] == [
        ("chat", "first"),
        ("stream", "second"),
        ("embed", "third\nfourth"),
        ("decide", "fifth"),
    ]
    first, last = router.calls[0], router.calls[-1]
    assert (first.terms.task, first.terms.tenant, first.request.params) == ("qa", "acme", {"temperature": 0})
    assert (last.terms.task, last.request.params) == ("code", {"max_tokens": 5})
    assert [each.prompt for each in router.script.asked] == ["first", "second", "third\nfourth"]
    assert [(each.source, each.quality) for each in router.judgements] == [("editor", 0.9), ("user", 0.1)]
    assert len(router.decisions) == len(router.outcomes) == 4


async def test_a_refused_request_is_a_call_as_well() -> None:
    async with scripted_router("ok") as router:
        with pytest.raises(Exception, match="no model"):
            await router.chat("hello", model="no-such")
    assert [call.terms.model for call in router.calls] == ["no-such"]
    assert router.script.asked == []


async def test_replies_of_a_list_are_given_once_each_and_then_the_test_fails() -> None:
    async with scripted_router(["one", Reply("two"), lambda asked: f"{asked.prompt}, three"]) as router:
        texts = [(await router.chat("hello")).text for _ in range(3)]
        with pytest.raises(ScriptEndedError, match=r"no reply left for anybody: model '\w+' is asked 'hello'"):
            await router.chat("hello")
    assert texts == ["one", "two", "hello, three"]


async def test_a_model_in_a_task_comes_before_the_task_and_that_before_the_model() -> None:
    async with scripted_router("anybody") as router:
        router.script.say("small", model="small")
        router.script.say("qa", task="qa")
        router.script.say("small on qa", model="small", task="qa")
        asked = [("large", "code"), ("small", "code"), ("large", "qa"), ("small", "qa")]
        texts = [(await router.chat("x", model=model, task=task)).text for model, task in asked]
    assert texts == ["anybody", "small", "qa", "small on qa"]


async def test_a_function_sees_the_model_the_task_and_the_decision() -> None:
    seen: list[Asked] = []

    def reply(asked: Asked) -> str:
        seen.append(asked)
        return "ok"

    async with scripted_router(reply) as router:
        answer = await router.chat("hello", task="qa")
    assert [(each.model, each.task, each.decision_id, each.stream) for each in seen] == [
        (answer.model, "qa", answer.decision_id, False)
    ]


async def test_a_failing_model_is_replaced_by_another() -> None:
    async with scripted_router("fine", chooses="small") as router:
        router.script.say(ServerFailedError("it is down"), model="small")
        answer = await router.chat("hello")
    assert (answer.decision.chosen, answer.model, answer.text) == ("small", "large", "fine")
    assert [attempt.failure for attempt in answer.outcome.attempts] == ["ServerFailedError", "ServerFailedError", ""]
    assert sum(isinstance(event, Attempted) for event in router.events) == 3


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (RateLimitedError("too fast", retry_after_s=30), UnansweredError),
        (KeyRefusedError("no such key"), UnansweredError),
        (RejectedError("not like this", status=400), RejectedError),
        (DeadlineError({"small": "slow"}), DeadlineError),
        (
            BudgetExceededError("day", cap_usd=1.0, spent_usd=1.0, reserved_usd=0.0, retry_after_s=60.0),
            BudgetExceededError,
        ),
    ],
)
async def test_errors_reach_the_caller_as_they_do_live(failure: Exception, raised: type[Exception]) -> None:
    async with asyncio.timeout(5), scripted_router(failure) as router:  # a Retry-After is not waited for
        with pytest.raises(raised):
            await router.chat("hello")
        assert [outcome.ok for outcome in router.outcomes] == [False]
        assert await router.learner.store.unsettled() == []


async def test_retry_after_reaches_the_caller() -> None:
    async with scripted_router(RateLimitedError("too fast", retry_after_s=30)) as router:
        with pytest.raises(UnansweredError) as caught:
            await router.chat("hello")
    assert caught.value.retry_after_s == 30


async def test_latencies_are_told_and_not_waited_for() -> None:
    async with asyncio.timeout(5), scripted_router(Reply("slow", latency_s=40.0)) as router:
        began = router.clock()
        answer = await router.chat("hello")
        assert (answer.latency_s, router.clock() - began) == (40.0, 40.0)
        both = await asyncio.gather(router.chat("a"), router.chat("b"))
        assert [each.latency_s for each in both] == [40.0, 40.0]  # side by side
        with pytest.raises(DeadlineError):
            await router.chat("hello", timeout_s=39.0)
        with pytest.raises(DeadlineError):
            await streamed(router, timeout_s=39.0)


async def test_time_limits_of_the_configuration_hold(config: Path) -> None:
    async with scripted_router("ok", config=config, chooses="cheap") as router:
        router.script.say(Reply("late", latency_s=2.5), model="cheap")
        answer = await router.chat("hello")
        assert (answer.model, answer.outcome.attempts[0].failure) == ("dear", TimedOutError.__name__)
        assert answer.latency_s >= 2.0


async def streamed(router: ScriptedRouter, **terms: float) -> list[str]:
    """The pieces of a stream."""
    async with router.stream("hello", **terms) as stream:
        return [delta.text async for delta in stream]


async def test_a_stream_comes_word_by_word_and_has_its_first_token_in_time() -> None:
    async with scripted_router(Reply("one two  three", latency_s=4.0, ttft_s=1.0)) as router:
        async with router.stream("hello") as stream:
            texts = [delta.text async for delta in stream]
        answer = stream.answer
    assert [text for text in texts if text] == ["one ", "two  ", "three"]
    assert (answer.text, answer.outcome.ttft_s, answer.latency_s) == ("one two  three", 1.0, 4.0)


async def test_a_stream_breaks_where_the_script_says() -> None:
    async with scripted_router(Reply("half an", breaks=CutStreamError("hung up"))) as router:
        with pytest.raises(BrokenStreamError) as caught:
            await streamed(router)
        assert caught.value.text == "half an"
        assert [outcome.ok for outcome in router.outcomes] == [False]


async def test_a_stream_that_its_caller_leaves_is_settled() -> None:
    async with scripted_router("one two three") as router:
        async with router.stream("hello") as stream:
            await anext(stream)
        assert [outcome.ok for outcome in router.outcomes] == [False]
        assert await router.learner.store.unsettled() == []


async def test_tool_calls_come_whole_and_in_streams() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    async with scripted_router(Reply(tool_calls=(call,), finish_reason="tool_calls")) as router:
        answer = await router.chat("what time is it?")
        async with router.stream("what time is it?") as stream:
            deltas = [delta async for delta in stream]
    assert answer.completion.tool_calls == (call,)
    assert deltas[0].tool_calls == ({"index": 0, **call},)
    assert stream.answer.completion.finish_reason == "tool_calls"


async def test_embeddings_are_the_same_for_the_same_text() -> None:
    async with scripted_router() as router:
        first = await router.embed(["a", "b"], model="small")
        second = await router.embed("a", model="small")
        router.script.vectors = lambda text: [float(len(text))]
        third = await router.embed("four", model="large")
        router.script.say(ServerFailedError("down"), model="large")
        with pytest.raises(UnansweredError):
            await router.embed("four", model="large")
    rows = [row["embedding"] for row in first.embeddings.body["data"]]
    assert rows[0] == second.embeddings.body["data"][0]["embedding"] != rows[1]
    assert sum(number**2 for number in rows[0]) == pytest.approx(1.0)
    assert third.embeddings.body["data"][0]["embedding"] == [4.0]


async def played(seed: int) -> list[tuple[str, str, float]]:
    """Names, choices and propensities of a hundred requests whose answers are judged, drawn from a seed."""
    async with scripted_router("fine", seed=seed) as router:
        for number in range(100):
            answer = await router.chat(f"request {number}", task="qa")
            await router.feedback(answer.decision_id, quality=0.9 if answer.model == "large" else 0.2)
            router.clock.advance(10.0)
        assert all(sum(each.propensities.values()) == pytest.approx(1.0) for each in router.decisions)
        return [(each.decision_id, each.chosen, each.propensity) for each in router.decisions]


async def test_the_same_seed_gives_the_same_decisions_and_another_others() -> None:
    first, again, other = await played(1), await played(1), await played(2)
    assert first == again
    assert [row[1] for row in first] != [row[1] for row in other]
    assert {row[0] for row in first}.isdisjoint(row[0] for row in other)
    learned = [model for _, model, _ in first[-30:]]
    assert learned.count("large") > 20  # it learns, as the live one does


async def test_the_model_may_be_given_and_changed() -> None:
    async with scripted_router(chooses="large") as router:
        chosen = {(await router.chat("x")).model for _ in range(10)}
        await router.switch_to("small")
        chosen_then = {(await router.chat("x")).model for _ in range(10)}
    assert (chosen, chosen_then) == ({"large"}, {"small"})


async def test_budgets_hold_until_their_window_ends() -> None:
    cap = Cap("day", 0.001, "day", on_exhausted="reject", paced=False)
    dear = Reply("x", usage=Usage(10, 10), cost_usd=0.0009)
    async with scripted_router(dear, budgets=[cap], chooses="small") as router:
        await router.chat("hello", max_tokens=100)
        with pytest.raises(BudgetExceededError) as caught:
            await router.chat("hello " * 1000, max_tokens=100)
        assert caught.value.retry_after_s == 12 * 3600  # the clock stands at noon
        router.clock.advance(caught.value.retry_after_s)
        await router.chat("hello " * 1000, max_tokens=100)


async def test_a_configuration_gives_its_models_and_nothing_leaves_the_process(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(config.parent)
    async with scripted_router("ok", config=config) as router:
        router.script.say("I am cheap", model="cheap")  # two models with the same name upstream are told apart
        assert (await router.chat("x", model="cheap")).text == "I am cheap"
        assert (await router.chat("x", model="dear")).text == "ok"
        changes = await router.reload(config)
        assert (await router.chat("x", model="cheap")).text == "I am cheap"
        await router.reprice("cheap", Price(100.0, 200.0))
        assert (await router.chat("x", model="cheap")).cost_usd > 1e-4
    assert list(config.parent.iterdir()) == [config]
    assert str(changes) == "nothing changed"


async def test_it_is_entered_once_like_the_live_one() -> None:
    router = scripted_router()
    with pytest.raises(NotOpenError):
        await router.chat("x")
    async with router:
        assert isinstance(router, Router)
    with pytest.raises(NotOpenError):
        await router.chat("x")


async def test_models_that_are_added_or_renamed_speak_by_their_new_names() -> None:
    async with scripted_router("ok") as router:
        router.script.say("I am new", model="new")
        router.script.say("I was small", model="tiny")
        await router.add_model(Model("new", "scripted", "vendor/new", Price(1.0, 1.0)))
        await router.rename_model("small", "tiny")
        assert (await router.chat("x", model="new")).text == "I am new"
        assert (await router.chat("x", model="tiny")).text == "I was small"


async def test_streams_side_by_side_are_told_apart() -> None:
    async with (
        scripted_router(lambda asked: asked.task) as router,
        router.stream("x", task="one") as one,
        router.stream("x", task="two") as two,
    ):
        router.decide("x", task="three")
        assert [(await anext(each)).text for each in (one, two)] == ["one", "two"]


def test_streams_know_their_task_in_code_that_does_not_await() -> None:
    with SyncRouter(scripted_router(lambda asked: asked.task)) as router, router.stream("x", task="qa") as stream:
        assert "".join(delta.text for delta in stream) == "qa"


def test_it_serves_code_that_does_not_await() -> None:
    scripted = scripted_router("fine")
    with SyncRouter(scripted) as router:
        answer = router.chat("hello", task="qa")
        router.feedback(answer.decision_id, quality=1.0)
    assert answer.text == "fine"
    assert [call.terms.task for call in scripted.calls] == ["qa"]
    assert [each.quality for each in scripted.judgements] == [1.0]
    assert sum(isinstance(event, Decided) for event in scripted.events) == 1
