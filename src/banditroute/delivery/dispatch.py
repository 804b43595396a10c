"""From a decision to an answer: calls, retries and fallbacks, until a model answers or there is nothing left to try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from banditroute.errors import (
    BudgetExceededError,
    DeadlineError,
    ProviderError,
    Remedy,
    TimedOutError,
    UnansweredError,
)

from .availability import Availability
from .clock import loop_time
from .endpoint import Endpoint
from .hedge import HedgeClock
from .knocking import Knocker
from .retry import RetryBudget, backoff_s, may_pass_at_once
from .settings import Hedging, Retrying

T = TypeVar("T")

Ask = Callable[[Endpoint, str, float, Callable[[], None]], Awaitable[T]]
"""Asks an upstream model at an endpoint, by an instant of the loop's clock, and tells once it is about to be asked."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ended without an answer.

    Attributes:
        model: which was called.
        duration_s: how long it took.
        error: what went wrong; None where the call was given up (the caller left, or a hedge was faster).
        probe: it tested whether the model is back.
        hedge: it was a second call beside a slow first one.
        sent: the provider was asked; False where the call ended in line for a place or a key.
    """

    model: str
    duration_s: float
    error: ProviderError | None
    probe: bool = False
    hedge: bool = False
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """A call that was answered: by which model, how soon, and what came of it."""

    model: str
    result: T
    duration_s: float
    probe: bool = False
    hedge: bool = False


class Flight(Protocol):
    """One request on its way."""

    @property
    def decision_id(self) -> str:
        """Names it in errors."""
        ...

    @property
    def chosen(self) -> str:
        """The model to call first."""
        ...

    @property
    def deadline(self) -> float:
        """The instant of the loop's clock at which its time is up."""
        ...

    def fallback(self, failed: Mapping[str, str]) -> str | None:
        """The next model to call, none of those that failed; None where nobody is left."""
        ...

    def calling(self, model: str) -> None:
        """A call is about to be made: holds its dollars."""
        ...

    def ended(self, call: Call) -> None:
        """A call ended without an answer: settles its dollars."""
        ...


class Target(NamedTuple):
    """Where a model is served, and under which name."""

    endpoint: Endpoint
    upstream: str


class Dispatcher:
    """Calls models on behalf of flights; one for all requests.

    Args:
        targets: for each model, where it is served.
        availability: which models can be called now.
        retrying: when and how often to ask again.
        hedging: when to make a second call beside a slow first one.
        clock: seconds since the epoch.
        uniform: chance, uniform in [0, 1).
        knocker: looks whether providers that failed are back; None = nobody does.
    """

    def __init__(
        self,
        targets: Mapping[str, Target],
        availability: Availability,
        retrying: Retrying,
        hedging: Hedging,
        *,
        clock: Callable[[], float],
        uniform: Callable[[], float],
        knocker: Knocker | None = None,
    ) -> None:
        self._targets = targets
        self._availability = availability
        self._retrying = retrying
        self._budget = RetryBudget(retrying)
        self._hedge = HedgeClock(hedging)
        self._clock = clock
        self._uniform = uniform
        self._knocker = knocker
        self._closed = False

    def inherit(self, before: Dispatcher, same: Mapping[str, str]) -> None:
        """Goes on with what another one has left of its retries, and with what it knows of models.

        Args:
            before: the other one.
            same: models that are called as they were there, each with its name there.
        """
        if self._retrying == before._retrying:
            self._budget = before._budget
        self._hedge.inherit(before._hedge, same)
        for model in same:
            self._knock(model)

    async def deliver(self, flight: Flight, ask: Ask[T], late: Callable[[Answered[T]], Awaitable[None]]) -> Answered[T]:
        """The first answer; one that comes too late to be it is for `late` to settle.

        Raises:
            RejectedError: a provider says that the request itself is wrong.
            DeadlineError: the flight's time was up.
            UnansweredError: every attempt failed; carries the cause of each.
            BudgetExceededError: the dollars for another attempt are gone, and no model left is free.
        """
        self._budget.request()
        self._hedge.request()
        tries, model = _Tries(), flight.chosen
        while True:
            wait_s = self._hedge.wait_s(model)
            try:
                if wait_s is None:
                    return await self._call(flight, tries, model, ask)
                return await self._hedged(flight, tries, model, ask, late, wait_s)
            except ProviderError:
                model = await self._next(flight, model, tries)
            except BudgetExceededError as error:  # others took the dollars while it waited
                tries.out[model] = str(error)
                other = flight.fallback(tries.out)
                if other is None:
                    raise
                model = other

    def close(self) -> None:
        """From now on a failure is our own doing: nothing is tried again, and nothing counts against a model."""
        self._closed = True

    async def aclose(self) -> None:
        """Ends what runs beside requests; may be called again."""
        self.close()
        if self._knocker is not None:
            await self._knocker.aclose()

    def broke(self, model: str, error: ProviderError) -> None:
        """Counts a failure after a stream's first content against its model."""
        if not self._closed:
            self._failed(model, error, probe=0)

    def _failed(self, model: str, error: ProviderError, *, probe: int) -> None:
        was_broken = self._availability.broken(model)
        self._availability.failed(model, error, self._clock(), probe=probe)
        if probe or not was_broken:
            self._knock(model)

    def _knock(self, model: str) -> None:
        if self._knocker is not None and self._availability.broken(model):
            self._knocker.knock(model)

    async def _call(
        self, flight: Flight, tries: _Tries, model: str, ask: Ask[T], *, hedge: bool = False
    ) -> Answered[T]:
        """One call of one model, accounted for."""
        endpoint, upstream = self._targets[model]
        flight.calling(model)
        probe = self._availability.begin(model, self._clock())
        begun, sent = loop_time(), _Flag()
        try:
            result = await ask(endpoint, upstream, flight.deadline, sent.raise_)
        except ProviderError as error:
            if self._closed:
                self._availability.abandoned(model, probe=probe)
            else:
                self._failed(model, error, probe=probe)
            tries.note(model, error)
            flight.ended(Call(model, loop_time() - begun, error, probe > 0, hedge, sent.up))
            raise
        except asyncio.CancelledError:
            self._availability.abandoned(model, probe=probe)
            flight.ended(Call(model, loop_time() - begun, None, probe > 0, hedge, sent.up))
            raise
        except BaseException:  # the request cannot be put into the protocol's words, or a defect: nobody was asked
            self._availability.abandoned(model, probe=probe)
            raise
        duration_s = loop_time() - begun
        self._availability.succeeded(model, probe=probe)
        self._hedge.seen(model, duration_s)
        return Answered(model, result, duration_s, probe > 0, hedge)

    async def _hedged(
        self,
        flight: Flight,
        tries: _Tries,
        model: str,
        ask: Ask[T],
        late: Callable[[Answered[T]], Awaitable[None]],
        wait_s: float,
    ) -> Answered[T]:
        """The faster of a call and, once it is slow, of a second one of another model."""
        first = asyncio.ensure_future(self._call(flight, tries, model, ask))
        calls, winner = [first], None
        try:
            await asyncio.wait(calls, timeout=wait_s)
            other = None if first.done() else flight.fallback({**tries.out, model: "slow"})
            if other is not None and self._hedge.hedged():
                calls.append(asyncio.ensure_future(self._call(flight, tries, other, ask, hedge=True)))
            winner = await _first_answer(calls)
            return winner
        finally:
            for answered in await _given_up(calls):
                if answered is not winner:
                    await late(answered)

    async def _next(self, flight: Flight, model: str, tries: _Tries) -> str:
        """The model to call next, after the wait that it takes; raises where there is no point in going on."""
        error = tries.last[model]
        if error.remedy is Remedy.NEVER:
            raise error
        if self._closed:
            raise UnansweredError(tries.causes, decision_id=flight.decision_id, failures=tries.last)
        if loop_time() >= flight.deadline or _out_of_time(error):
            raise DeadlineError(tries.causes, decision_id=flight.decision_id, failures=tries.last)
        if self._again(model, tries):
            await self._pause(backoff_s(tries.again(model), self._uniform(), self._retrying), flight, tries)
            if self._available(model):  # others may have opened its circuit meanwhile
                return model
        other = flight.fallback(tries.out)
        return other if other is not None else await self._next_round(flight, tries)

    def _again(self, model: str, tries: _Tries) -> bool:
        """Whether the same model gets another chance before others do."""
        return (
            tries.same.get(model, 0) < self._retrying.same_model
            and may_pass_at_once(tries.last[model])
            and self._available(model)
            and self._budget.withdraw()
        )

    def _available(self, model: str) -> bool:
        return model not in self._availability.unavailable(self._clock())

    async def _next_round(self, flight: Flight, tries: _Tries) -> str:
        """The first model of another round, after waiting for the first to recover."""
        hopeful = tries.hopeful()
        floor_s = self._floor_s(hopeful, tries)
        if (
            hopeful
            and tries.rounds < self._retrying.rounds
            and (floor_s or 0.0) <= self._retrying.longest_retry_after_s
            and self._budget.withdraw()
        ):
            await self._pause(backoff_s(tries.rounds, self._uniform(), self._retrying, floor_s), flight, tries, floor_s)
            tries.next_round(hopeful)
            model = flight.fallback(tries.out)
            if model is not None:
                return model
        raise UnansweredError(tries.causes, decision_id=flight.decision_id, retry_after_s=floor_s, failures=tries.last)

    def _floor_s(self, models: list[str], tries: _Tries) -> float | None:
        """Seconds until the first of the models is worth asking again, where that is known."""
        asked = [tries.last[model].retry_after_s for model in models]
        known = [after for after in asked if after is not None]
        cooling = self._availability.retry_after_s(models, self._clock())
        return max(min(known, default=0.0) if len(known) == len(models) else 0.0, cooling or 0.0) or None

    async def _pause(self, wait_s: float, flight: Flight, tries: _Tries, floor_s: float | None = None) -> None:
        if loop_time() + wait_s >= flight.deadline:
            raise UnansweredError(
                tries.causes, decision_id=flight.decision_id, retry_after_s=floor_s, failures=tries.last
            )
        await asyncio.sleep(wait_s)


class _Flag:
    """Something that happens once."""

    def __init__(self) -> None:
        self.up = False

    def raise_(self) -> None:
        self.up = True


class _Tries:
    """What one flight has tried."""

    def __init__(self) -> None:
        self.last: dict[str, ProviderError] = {}
        self.out: dict[str, str] = {}  # not to be asked in this round
        self.same: dict[str, int] = {}
        self.rounds = 0

    @property
    def causes(self) -> dict[str, str]:
        return {model: str(error) for model, error in self.last.items()}

    def note(self, model: str, error: ProviderError) -> None:
        self.last[model] = error
        self.out[model] = str(error)

    def again(self, model: str) -> int:
        """How often the model was asked again before in this round; counts this time."""
        before = self.same.get(model, 0)
        self.same[model] = before + 1
        return before

    def hopeful(self) -> list[str]:
        """Models that may answer in another round."""
        return [model for model, error in self.last.items() if _may_recover(error)]

    def next_round(self, hopeful: list[str]) -> None:
        self.rounds += 1
        self.same.clear()
        for model in hopeful:
            self.out.pop(model, None)  # one that failed in a round before this one is back already


def _may_recover(error: ProviderError) -> bool:
    return error.retry is not False and error.remedy in (Remedy.ELSEWHERE, Remedy.LATER) and not error.needs_mending


def _out_of_time(error: ProviderError) -> bool:
    return isinstance(error, TimedOutError) and error.phase == "deadline"


async def _first_answer(calls: Sequence[asyncio.Future[Answered[T]]]) -> Answered[T]:
    """The first call that is answered; where none is, raises what the first of them failed of."""
    pending = set(calls)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if call.exception() is None:
                return call.result()
    return calls[0].result()


async def _given_up(calls: Sequence[asyncio.Future[Answered[T]]]) -> list[Answered[T]]:
    """Cancels what still runs; the calls that were answered all the same."""
    for call in calls:
        call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    return [result for result in results if isinstance(result, Answered)]
