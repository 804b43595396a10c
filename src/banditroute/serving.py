"""Serves one request after another: decision, delivery, outcome; and whatever happens, the books are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from banditroute.delivery.dispatch import Answered, Call, Dispatcher
from banditroute.delivery.endpoint import Endpoint, Reply
from banditroute.delivery.streaming import AnswerStream
from banditroute.desk import Desk, Terms
from banditroute.errors import BanditrouteError, StoreError, UnknownDecisionError
from banditroute.flight import RequestFlight, Tower
from banditroute.grading.protocol import Item
from banditroute.learner import Learner
from banditroute.marking import Marker
from banditroute.observe import StoreFailed
from banditroute.providers.writing import json_bytes
from banditroute.records import (
    Answer,
    ChatRequest,
    Completion,
    Decision,
    Embedded,
    EmbeddingRequest,
    Embeddings,
    Grade,
    Outcome,
)
from banditroute.routing.budgets import Charge
from banditroute.routing.tasks import is_judging
from banditroute.settling import Settling
from banditroute.storage.protocol import Dispatch

T = TypeVar("T")

_CLOSING_S = 1.0


class Serving:
    """Serves requests; one event loop, one owner.

    Args:
        desk: decides.
        tower: what every flight needs.
        dispatcher: calls models.
        learner: what is learned and spent.
        settling: lets settlements go on by themselves.
        keep_prompts: the store keeps the messages of every request.

    Attributes:
        marker: has answers graded; None = nobody grades them.
    """

    def __init__(
        self,
        desk: Desk,
        tower: Tower,
        dispatcher: Dispatcher,
        learner: Learner,
        settling: Settling,
        *,
        keep_prompts: bool = False,
    ) -> None:
        self._desk = desk
        self._tower = tower
        self._dispatcher = dispatcher
        self._learner = learner
        self._keep_prompts = keep_prompts
        self._settling = settling
        self._under_way: dict[str, RequestFlight] = {}
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self.marker: Marker | None = None

    async def answer(self, request: ChatRequest, terms: Terms) -> Answer:
        """The whole answer, on record."""
        flight = await self.leased(lambda: self._desk.take_off(request, terms))
        self.begin(request, flight)

        async def ask(endpoint: Endpoint, upstream: str, deadline: float, on_sent: Callable[[], None]) -> Reply:
            return await endpoint.chat(request, model=upstream, deadline=deadline, on_sent=on_sent)

        async def late(answered: Answered[Reply]) -> None:
            flight.lost(_given_up(answered), answered.result.completion)

        answered = await self._delivered(flight, self._dispatcher.deliver(flight, ask, late))
        reply = answered.result
        return await self._land(flight, answered, reply.completion, terms, reply.duration_s, None, request)

    async def embed(self, request: EmbeddingRequest, terms: Terms) -> Embedded:
        """Embeddings, on record."""
        sized = _sized(request)
        flight = await self.leased(lambda: self._desk.take_off(sized, terms))
        self.begin(sized, flight)

        async def ask(
            endpoint: Endpoint, upstream: str, deadline: float, on_sent: Callable[[], None]
        ) -> tuple[Embeddings, float]:
            return await endpoint.embed(request, model=upstream, deadline=deadline, on_sent=on_sent)

        async def late(answered: Answered[tuple[Embeddings, float]]) -> None:
            flight.ended(_given_up(answered))

        answered = await self._delivered(flight, self._dispatcher.deliver(flight, ask, late))
        embeddings, duration_s = answered.result
        completion = Completion(embeddings.body, "", embeddings.usage, cost_usd=embeddings.cost_usd)
        answer = await self._land(flight, answered, completion, terms, duration_s, None, None)
        return Embedded(answer.decision_id, answer.model, embeddings, answer.cost_usd, answer.latency_s)

    async def leased(self, take_off: Callable[[], RequestFlight]) -> RequestFlight:
        """A flight; it may have to wait for dollars that a cap has left and other processes might be spending."""
        return await self._learner.leased(take_off)

    def begin(self, request: ChatRequest, flight: RequestFlight, *, by_caller: bool = False) -> None:
        """Puts a decision on its way on record.

        Raises:
            InputError: it cannot be written down; its dollars are let go.
            StoreError: the store is closed.
        """
        hold = flight.first_hold
        try:
            prompt = json_bytes(request.messages) if self._keep_prompts else None
            holder = self._learner.holder
            names = flight.asked.request_id or "", flight.asked.session_id or ""
            kept = hold.usd, hold.windows, flight.expires_at, by_caller, prompt, holder, *names
            dispatch = Dispatch(flight.decision, *kept)
            self._learner.store.begin(dispatch)
        except BaseException:  # whatever it is, it must not hold dollars
            flight.let_go()
            raise
        if by_caller:
            self._learner.decider.steering.decided(flight.decision)
            return
        flight.expected_usd = self._learner.decider.expect(flight.decision)
        self._under_way[flight.decision_id] = flight
        self._at_rest.clear()

    def take_off(self, request: ChatRequest, terms: Terms) -> RequestFlight:
        """A streamed request's flight, its decision on its way on record."""
        flight = self._desk.take_off(request, terms, streaming=True)
        self.begin(request, flight)
        return flight

    async def open_stream(self, request: ChatRequest, flight: RequestFlight) -> Answered[AnswerStream]:
        """The first stream that shows content."""

        async def ask(endpoint: Endpoint, upstream: str, deadline: float, on_sent: Callable[[], None]) -> AnswerStream:
            return await endpoint.open_stream(request, model=upstream, deadline=deadline, on_sent=on_sent)

        async def late(answered: Answered[AnswerStream]) -> None:
            await answered.result.aclose()
            flight.lost(_given_up(answered), answered.result.partial())

        return await self._delivered(flight, self._dispatcher.deliver(flight, ask, late))

    async def land_stream(
        self,
        flight: RequestFlight,
        answered: Answered[AnswerStream],
        completion: Completion,
        terms: Terms,
        request: ChatRequest,
    ) -> Answer:
        """The whole answer of a stream that came to its end, on record."""
        stream = answered.result
        return await self._land(flight, answered, completion, terms, stream.duration_s, stream.ttft_s, request)

    async def broke(self, flight: RequestFlight, call: Call, partial: Completion) -> None:
        """Settles a stream that did not come to its end, by what had arrived."""
        if call.error is not None:
            self._dispatcher.broke(call.model, call.error)
        flight.lost(call, partial)
        await self.give_up(flight)

    async def give_up(self, flight: RequestFlight) -> bool:
        """Settles a request that nobody answered."""
        outcome = flight.outcome(latency_s=self._tower.clock() - flight.decision.at)
        return await self._settle(flight, outcome)

    def settle_soon(self, decision_id: str, work: Coroutine[Any, Any, bool]) -> None:
        """Lets the settling of a decision go on by itself; `settled` and `aclose` wait for it."""
        self._settling.soon(decision_id, work)

    async def settled(self, decision_id: str) -> None:
        """Returns once a decision that is being settled has been."""
        await self._settling.of(decision_id)

    async def graded(
        self, decision: Decision, request: ChatRequest, completion: Completion, expected: str | None
    ) -> tuple[Grade, ...]:
        """The grades that are given at once; a judge's own answer and one from a cache are not graded."""
        task = decision.context.task
        if self.marker is None or completion.from_cache or is_judging(task):
            return ()
        return await self.marker.mark(Item(decision.decision_id, task, request, completion, expected))

    @property
    def under_way(self) -> tuple[RequestFlight, ...]:
        """Requests that have begun and are not settled."""
        return tuple(self._under_way.values())

    async def landed(self) -> None:
        """Returns once every request is settled and every answer graded."""
        while True:
            await self._at_rest.wait()
            if self.marker is not None:
                await self.marker.settled()
            if not self._under_way:  # a judge's call is one
                return

    async def stop_grading(self) -> None:
        """Lets graders finish what they can by themselves, and gives up what judges have not answered."""
        if self.marker is not None:
            await self.marker.aclose()

    def close(self) -> None:
        """From now on what fails is given up at once: the connections are about to be closed."""
        self._dispatcher.close()

    async def aclose(self) -> None:
        """Waits for what is being settled, and a moment for requests under way to notice that they are cut off.

        A stream that nobody reads does not notice; it is found open and charged by the next router on the store.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await self._at_rest.wait()
        await self._settling.all()

    async def record(self, decision: Decision, outcome: Outcome, *, expected: bool) -> bool:
        """Takes in the outcome of a decision whose call the caller made.

        One that is not expected was decided by another process, or is recorded again: then the store knows.
        """
        if not expected and await self._is_known(decision.decision_id):
            return True
        charges = self._charged(decision, outcome.cost_usd)
        return await self._learner.settle(decision, outcome, charges, first=expected)

    async def _is_known(self, decision_id: str) -> bool:
        """Whether an outcome need not be taken in: the decision has one, or is not on record, which is reported."""
        try:
            return (await self._learner.store.trail(decision_id)).outcome is not None
        except (StoreError, UnknownDecisionError) as error:
            self._tower.observer.notify(StoreFailed("record an outcome", str(error)))
            return True

    def _charged(self, decision: Decision, cost_usd: float) -> tuple[Charge, ...]:
        ledger, now, name = self._tower.ledger, self._tower.clock(), decision.decision_id
        charges = ledger.settle(name, cost_usd)
        if charges:
            return charges
        ledger.reserve(name, cost_usd, decision.tenant, decision.context.task, now, now, force=True)
        return ledger.settle(name, cost_usd)

    async def _delivered(self, flight: RequestFlight, delivery: Awaitable[Answered[T]]) -> Answered[T]:
        """What a delivery brings; where it fails, that is settled before it is raised."""
        try:
            return await delivery
        except BanditrouteError:
            await self.give_up(flight)
            raise
        except BaseException:  # a cancellation, or a defect: neither waits, and neither may hold dollars
            self.settle_soon(flight.decision_id, self.give_up(flight))
            raise

    async def _settle(self, flight: RequestFlight, outcome: Outcome) -> bool:
        expected_usd, flight.expected_usd = flight.expected_usd, None
        try:
            return await self._learner.settle(
                flight.decision, outcome, flight.charges, first=True, expected_usd=expected_usd
            )
        finally:
            self._under_way.pop(flight.decision_id, None)
            if not self._under_way:
                self._at_rest.set()

    async def _land(
        self,
        flight: RequestFlight,
        answered: Answered[Any],
        completion: Completion,
        terms: Terms,
        duration_s: float,
        ttft_s: float | None,
        request: ChatRequest | None,
    ) -> Answer:
        """Settles an answer: dollars at once, then the record, then the grades; no request: nothing to be graded."""
        decision, model = flight.decision, answered.model
        cost_usd, usage, estimated = flight.cost_usd(model, completion)
        flight.landed(answered, cost_usd, duration_s, ttft_s)
        outcome = flight.outcome(
            latency_s=self._tower.clock() - decision.at,
            served=model,
            usage=usage,
            ttft_s=ttft_s,
            estimated=estimated,
            from_cache=completion.from_cache,
            billed_usd=None if completion.from_cache else completion.cost_usd,
        )
        self._desk.answered(terms, model, usage.input_tokens)
        recorded = await self._settle(flight, outcome)
        grades = () if request is None else await self.graded(decision, request, completion, terms.expected)
        return Answer(
            decision_id=decision.decision_id,
            model=model,
            text=completion.text,
            task=decision.context.task,
            usage=usage,
            cost_usd=outcome.cost_usd,
            latency_s=outcome.latency_s,
            completion=completion,
            decision=decision,
            outcome=outcome,
            recorded=recorded,
            grades=grades,
        )


class StreamServing:
    """One streamed request; it is the `StreamService` of its stream.

    Args:
        now: what serves a request that begins now; it goes on with that whatever serves those that begin later.
        request: what is asked; terms: on which terms.
    """

    def __init__(self, now: Callable[[], Serving], request: ChatRequest, terms: Terms) -> None:
        self._now = now
        self._serving = now()
        self._request = request
        self._terms = terms

    async def begin_stream(self) -> RequestFlight:
        """The request's flight, its decision on its way to the record."""
        return await self._serving.leased(self._take_off)

    async def open_stream(self, flight: RequestFlight) -> Answered[AnswerStream]:
        """The first stream that shows content."""
        return await self._serving.open_stream(self._request, flight)

    async def land(self, flight: RequestFlight, answered: Answered[AnswerStream], completion: Completion) -> Answer:
        """The whole answer, on record."""
        return await self._serving.land_stream(flight, answered, completion, self._terms, self._request)

    async def broke(self, flight: RequestFlight, call: Call, partial: Completion) -> None:
        """Settles a stream that broke off or that the caller left."""
        await self._serving.broke(flight, call, partial)

    async def give_up(self, flight: RequestFlight) -> None:
        """Settles a stream that showed no content before the caller left."""
        await self._serving.give_up(flight)

    def _take_off(self) -> RequestFlight:
        self._serving = self._now()
        return self._serving.take_off(self._request, self._terms)


def _given_up(answered: Answered[Any]) -> Call:
    """The call of an answer that came too late."""
    return Call(answered.model, answered.duration_s, None, answered.probe, answered.hedge)


def _sized(request: EmbeddingRequest) -> ChatRequest:
    """A chat request as long as the texts to embed, whose answer costs nothing: by it the call is measured."""
    return ChatRequest(({"role": "user", "content": str(request.inputs)},), {"max_tokens": 1})
