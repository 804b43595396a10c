"""A streamed answer on its way to the caller: falls back before the first content, reports after it, settles always."""

from __future__ import annotations

import asyncio
from typing import Protocol

from banditroute.delivery.dispatch import Answered, Call
from banditroute.delivery.streaming import AnswerStream
from banditroute.errors import BanditrouteError, BrokenStreamError, ProviderError
from banditroute.flight import RequestFlight
from banditroute.records import Answer, Completion, Decision, Delta


class StreamService(Protocol):
    """What a stream asks of its router."""

    async def begin_stream(self) -> RequestFlight:
        """Decides; raises what `Router.chat` raises before a call is made."""
        ...

    async def open_stream(self, flight: RequestFlight) -> Answered[AnswerStream]:
        """The first model's stream that shows content; raises what `Router.chat` raises."""
        ...

    async def land(self, flight: RequestFlight, answered: Answered[AnswerStream], completion: Completion) -> Answer:
        """Settles a stream that came to its end."""
        ...

    async def broke(self, flight: RequestFlight, call: Call, partial: Completion) -> None:
        """Settles a stream that did not, by what had arrived."""
        ...

    async def give_up(self, flight: RequestFlight) -> None:
        """Settles a stream that showed no content before the caller left."""
        ...


class RoutedStream:
    """An answer as it is written: `async with` it, then iterate.

    The decision is made on entering; the first call goes out with the first piece asked for.
    """

    def __init__(self, service: StreamService) -> None:
        self._service = service
        self._flight: RequestFlight | None = None
        self._answered: Answered[AnswerStream] | None = None
        self._answer: Answer | None = None
        self._over = False

    @property
    def decision(self) -> Decision:
        """Why the model that is asked first was chosen; known once entered."""
        if self._flight is None:
            raise BanditrouteError("the stream has not been entered; write: async with router.stream(...) as stream")
        return self._flight.decision

    @property
    def decision_id(self) -> str:
        """Names the decision in feedback; known once entered."""
        return self.decision.decision_id

    @property
    def model(self) -> str | None:
        """The model that is answering; None until its first content is there."""
        return None if self._answered is None else self._answered.model

    @property
    def ready(self) -> bool:
        """Whether another piece is there already, so that the next step does not wait."""
        return self._answered is not None and self._answered.result.ready

    @property
    def ttft_s(self) -> float | None:
        """Seconds that the model took to its first content; None until it is there."""
        return None if self._answered is None else self._answered.result.ttft_s

    @property
    def answer(self) -> Answer:
        """The whole answer, recorded; known once the iteration has ended.

        Raises:
            BanditrouteError: the stream is not at its end.
        """
        if self._answer is None:
            raise BanditrouteError("the stream is not at its end; its answer is known once the iteration has ended")
        return self._answer

    async def __aenter__(self) -> RoutedStream:
        if self._flight is not None:
            raise BanditrouteError("a stream is entered once; ask for another one")
        self._flight = await self._service.begin_stream()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> RoutedStream:
        return self

    async def __anext__(self) -> Delta:
        """The next piece.

        Raises:
            BrokenStreamError: it failed after its first content; carries what had arrived.
            UnansweredError, and what else `Router.chat` raises: no model came as far as a first content.
        """
        if self._over:
            raise StopAsyncIteration
        flight = self._entered()
        if self._answered is None:
            self._answered = await self._opened(flight)
        try:
            return await self._answered.result.__anext__()
        except StopAsyncIteration:
            await self._land(flight, self._answered)
            raise
        except ProviderError as error:
            raise await self._broken(flight, self._answered, error) from error

    async def aclose(self) -> None:
        """Hangs up, if the answer is not whole: the call is cancelled and charged by what had arrived."""
        if self._over or self._flight is None:
            return
        self._over = True
        await asyncio.shield(self._hang_up(self._flight))

    def _entered(self) -> RequestFlight:
        if self._flight is None:
            raise BanditrouteError("the stream has not been entered; write: async with router.stream(...) as stream")
        return self._flight

    async def _opened(self, flight: RequestFlight) -> Answered[AnswerStream]:
        """The stream that shows content; where there is none, or the wait is cancelled, all is settled already."""
        try:
            return await self._service.open_stream(flight)
        except BaseException:
            self._over = True
            raise

    async def _land(self, flight: RequestFlight, answered: Answered[AnswerStream]) -> None:
        completion = answered.result.completion
        self._over = True
        self._answer = await self._service.land(flight, answered, completion)

    async def _broken(
        self, flight: RequestFlight, answered: Answered[AnswerStream], error: ProviderError
    ) -> BrokenStreamError:
        """Settles a stream that broke off, and says how much of it there was."""
        self._over = True
        partial = answered.result.partial()
        await self._service.broke(flight, self._call(answered, error), partial)
        return BrokenStreamError(flight.decision_id, partial.text, error)

    async def _hang_up(self, flight: RequestFlight) -> None:
        if self._answered is None:
            await self._service.give_up(flight)
            return
        stream = self._answered.result
        await stream.aclose()
        await self._service.broke(flight, self._call(self._answered, None), stream.partial())

    def _call(self, answered: Answered[AnswerStream], error: ProviderError | None) -> Call:
        return Call(answered.model, answered.result.duration_s, error, answered.probe, answered.hedge)
