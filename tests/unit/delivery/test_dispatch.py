"""The fallback loop, with models that answer or fail by a script."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.delivery.availability import Availability
from banditroute.delivery.dispatch import Answered, Call, Dispatcher, Target
from banditroute.delivery.settings import Breaking, Hedging, Retrying
from banditroute.errors import (
    ConnectionFailedError,
    ContextOverflowError,
    DeadlineError,
    InvalidRequestError,
    OverloadedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    TimedOutError,
    UnansweredError,
)
from banditroute.observe import NullObserver

MODELS = ("small", "medium", "large")
QUICK = Retrying(base_s=0.001, cap_s=0.002)
Script = Mapping[str, list[ProviderError | float | str]]


class ScriptedFlight:
    """A flight over models in a fixed order."""

    decision_id = "d"

    def __init__(self, chosen: str = "small", limit_s: float = 5.0, models: tuple[str, ...] = MODELS) -> None:
        self.chosen = chosen
        self.deadline = asyncio.get_running_loop().time() + limit_s
        self.models = models
        self.called: list[str] = []
        self.calls: list[Call] = []

    def fallback(self, failed: Mapping[str, str]) -> str | None:
        return next((model for model in self.models if model not in failed), None)

    def calling(self, model: str) -> None:
        self.called.append(model)

    def ended(self, call: Call) -> None:
        self.calls.append(call)


class Upstream:
    """Answers each model's calls by its script: an error to raise, seconds to take, a text; the last one for good."""

    def __init__(self, script: Script) -> None:
        self.script: dict[str, Iterator[Any]] = {model: _forever(steps) for model, steps in script.items()}
        self.came_late: list[Answered[str]] = []

    async def ask(self, _: object, upstream: str, deadline: float, on_sent: Callable[[], None]) -> str:
        on_sent()
        step = next(self.script.get(upstream, iter(["fine"])))
        if isinstance(step, ProviderError):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            return f"{upstream} after {step}"
        return f"{upstream}: {step}"

    async def late(self, answered: Answered[str]) -> None:
        self.came_late.append(answered)


def _forever(steps: list[Any]) -> Iterator[Any]:
    yield from steps
    while True:
        yield steps[-1]


def dispatcher(retrying: Retrying = QUICK, hedging: Hedging | None = None, breaking: Breaking | None = None) -> Any:
    availability = Availability(
        dict.fromkeys(MODELS, "p"),
        breaking or Breaking(consecutive=1000, window=1000),
        lambda _m, _n: 0.0,
        NullObserver(),
    )
    targets: dict[str, Any] = {model: Target(None, model) for model in MODELS}  # type: ignore[arg-type]
    clock: Callable[[], float] = lambda: asyncio.get_running_loop().time()  # noqa: E731
    return Dispatcher(targets, availability, retrying, hedging or Hedging(), clock=clock, uniform=lambda: 0.5)


async def deliver(
    script: Script, flight: ScriptedFlight | None = None, **how: Any
) -> tuple[Answered[str], ScriptedFlight]:
    flight = flight or ScriptedFlight()
    upstream = Upstream(script)
    return await dispatcher(**how).deliver(flight, upstream.ask, upstream.late), flight


async def test_the_chosen_model_answers_and_nothing_else_is_called() -> None:
    answered, flight = await deliver({"small": ["hello"]})
    assert (answered.model, answered.result) == ("small", "small: hello")
    assert flight.called == ["small"]
    assert not flight.calls


async def test_a_failure_that_may_pass_is_tried_once_more_on_the_same_model() -> None:
    answered, flight = await deliver({"small": [ConnectionFailedError("reset"), "hello"]})
    assert answered.model == "small"
    assert flight.called == ["small", "small"]


async def test_a_failure_that_lasts_falls_back() -> None:
    answered, flight = await deliver({"small": [ServerFailedError("boom", status=500)]})
    assert answered.model == "medium"
    assert flight.called == ["small", "small", "medium"]
    assert [type(call.error) for call in flight.calls] == [ServerFailedError, ServerFailedError]


@pytest.mark.parametrize(
    "error", [RateLimitedError("slow down"), QuotaSpentError("pay"), TimedOutError("first_token", 1)]
)
async def test_what_will_not_pass_falls_back_at_once(error: ProviderError) -> None:
    answered, flight = await deliver({"small": [error]})
    assert answered.model == "medium"
    assert flight.called == ["small", "medium"]


async def test_a_rejected_request_is_not_taken_elsewhere() -> None:
    with pytest.raises(RejectedError):
        await deliver({"small": [RejectedError("bad", status=400)]})


async def test_a_model_that_is_unfit_is_never_asked_again() -> None:
    flight = ScriptedFlight()
    script: Script = {
        "small": [ContextOverflowError("too long")],
        "medium": [OverloadedError("busy"), "hello"],
        "large": [OverloadedError("busy"), "hello"],
    }
    answered, _ = await deliver(script, flight)
    assert answered.model == "medium"
    assert flight.called == ["small", "medium", "large", "medium"]


async def test_when_every_model_failed_the_error_says_why_of_each() -> None:
    script: Script = {model: [ServerFailedError(f"{model} is down", status=500)] for model in MODELS}
    with pytest.raises(UnansweredError) as caught:
        await deliver(script)
    assert set(caught.value.causes) == set(MODELS)
    assert "medium is down" in str(caught.value)
    assert caught.value.decision_id == "d"


async def test_a_retry_after_that_is_too_long_is_not_waited_for_but_told() -> None:
    script: Script = {model: [RateLimitedError("wait", status=429, retry_after_s=500.0)] for model in MODELS}
    with pytest.raises(UnansweredError) as caught:
        await deliver(script)
    assert caught.value.retry_after_s == 500.0


async def test_a_short_retry_after_is_waited_for() -> None:
    script: Script = {model: [RateLimitedError("wait", status=429, retry_after_s=0.05), "hello"] for model in MODELS}
    begun = asyncio.get_running_loop().time()
    answered, flight = await deliver(script)
    assert asyncio.get_running_loop().time() - begun >= 0.05
    assert answered.model == "small"
    assert flight.called == [*MODELS, "small"]


async def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    script: Script = {model: [RateLimitedError("wait", status=429, retry_after_s=60.0)] for model in MODELS}
    begun = asyncio.get_running_loop().time()
    with pytest.raises(UnansweredError) as caught:
        await deliver(script, ScriptedFlight(limit_s=0.5))
    assert asyncio.get_running_loop().time() - begun < 0.5
    assert caught.value.retry_after_s == 60.0


async def test_a_model_that_cannot_be_had_in_a_second_round_may_be_in_a_third() -> None:
    class Shrinking(ScriptedFlight):
        """After the first round only one model can be paid for."""

        def fallback(self, failed: Mapping[str, str]) -> str | None:
            return super().fallback(failed) if len(self.called) < len(MODELS) else self.last_resort(failed)

        def last_resort(self, failed: Mapping[str, str]) -> str | None:
            return None if "large" in failed else "large"

    down = OverloadedError("busy")
    script: Script = {"small": [down], "medium": [down], "large": [down, down, "hello"]}
    flight = Shrinking()
    answered, _ = await deliver(script, flight)
    assert answered.model == "large"
    assert flight.called == [*MODELS, "large", "large"]


async def test_the_callers_own_deadline_ends_it() -> None:
    with pytest.raises(DeadlineError):
        await deliver({"small": [TimedOutError("deadline", 1.0)]})


async def test_a_request_that_cannot_be_written_is_the_callers_error() -> None:
    async def ask(*_: object) -> str:
        raise InvalidRequestError("not JSON")

    with pytest.raises(InvalidRequestError):
        await dispatcher().deliver(ScriptedFlight(), ask, Upstream({}).late)


async def test_retries_have_a_budget() -> None:
    retrying = Retrying(base_s=0.0001, cap_s=0.0001, budget_ratio=0.1, budget_floor=3)
    one, calls = dispatcher(retrying), 0
    for _ in range(200):
        flight = ScriptedFlight(models=("small",))
        upstream = Upstream({"small": [ServerFailedError("down", status=500)]})
        with pytest.raises(UnansweredError):
            await one.deliver(flight, upstream.ask, upstream.late)
        calls += len(flight.called)
    assert 200 <= calls <= 200 * 1.1 + 3


async def test_cancelling_ends_the_call_and_tells_the_flight() -> None:
    flight, upstream = ScriptedFlight(), Upstream({"small": [10.0]})
    task = asyncio.create_task(dispatcher().deliver(flight, upstream.ask, upstream.late))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(call.model, call.error) for call in flight.calls] == [("small", None)]


HEDGED = Hedging(share=0.5, quantile=0.5, least_calls=5)


async def test_a_slow_call_is_hedged_and_the_loser_accounted_for() -> None:
    one = dispatcher(hedging=HEDGED)
    upstream = Upstream({"small": [0.001] * 10 + [5.0]})
    for _ in range(10):
        await one.deliver(ScriptedFlight(), upstream.ask, upstream.late)
    flight = ScriptedFlight()
    answered = await one.deliver(flight, upstream.ask, upstream.late)
    assert (answered.model, answered.hedge) == ("medium", True)
    assert flight.called == ["small", "medium"]
    assert [(call.model, call.error) for call in flight.calls] == [("small", None)]


async def test_where_both_of_a_hedged_pair_answer_the_second_is_handed_over_to_be_settled() -> None:
    one, both = dispatcher(hedging=HEDGED), asyncio.Event()
    upstream = Upstream({"small": [0.001]})
    for _ in range(10):
        await one.deliver(ScriptedFlight(), upstream.ask, upstream.late)

    async def ask(_: object, model: str, deadline: float, on_sent: Callable[[], None]) -> str:
        on_sent()
        if model == "medium":
            both.set()
        await both.wait()
        return model

    flight = ScriptedFlight()
    answered = await one.deliver(flight, ask, upstream.late)
    assert {answered.model, *(each.model for each in upstream.came_late)} == {"small", "medium"}
    assert not flight.calls


async def test_where_both_of_a_hedged_pair_fail_the_next_is_asked() -> None:
    one = dispatcher(hedging=HEDGED)
    upstream = Upstream({"small": [0.001] * 10 + [OverloadedError("busy")], "medium": [OverloadedError("busy")]})
    for _ in range(10):
        await one.deliver(ScriptedFlight(), upstream.ask, upstream.late)
    answered = await one.deliver(ScriptedFlight(), upstream.ask, upstream.late)
    assert answered.model == "large"


FAILURES = st.sampled_from(
    [
        ConnectionFailedError("reset"),
        ServerFailedError("boom", status=500),
        ServerFailedError("no", status=500, retry=False),
        OverloadedError("busy", status=529, retry_after_s=0.001),
        RateLimitedError("slow", status=429, retry_after_s=1000.0),
        QuotaSpentError("pay"),
        ContextOverflowError("long"),
        TimedOutError("first_token", 0.1),
        TimedOutError("deadline", 0.1),
        RejectedError("bad", status=400),
        "hello",
    ]
)


@settings(deadline=None, max_examples=150)
@given(script=st.fixed_dictionaries({model: st.lists(FAILURES, min_size=1, max_size=4) for model in MODELS}))
def test_every_request_ends_in_an_answer_or_one_typed_error(script: Script) -> None:
    """... within its deadline, each call being accounted for once, and in a bounded number of calls."""

    async def run() -> None:
        flight = ScriptedFlight(limit_s=2.0)
        answered = None
        with contextlib.suppress(UnansweredError, RejectedError):
            answered, _ = await deliver(script, flight)
        assert asyncio.get_running_loop().time() < flight.deadline
        assert len(flight.called) == len(flight.calls) + (answered is not None)
        assert len(flight.called) <= len(MODELS) * (1 + QUICK.same_model) * (1 + QUICK.rounds)

    asyncio.run(run())
