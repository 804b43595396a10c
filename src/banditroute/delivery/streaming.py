"""A streamed answer: from its first content to its end, however it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import aiohttp

from banditroute.delivery.clock import loop_time
from banditroute.delivery.exchange import FAILURES, problem
from banditroute.delivery.holds import Hold
from banditroute.delivery.limits import Limits
from banditroute.errors import CutStreamError, ProviderError
from banditroute.providers.protocol import StreamReader
from banditroute.records import Completion, Delta


class AnswerStream:
    """The pieces of a streamed answer: an async iterator that is closed when done with.

    It ends with the answer, or raises one ProviderError. However it ends, by cancellation too, the connection is then
    back in the pool or closed, and the place among the provider's calls is given up.

    Attributes:
        ttft_s: seconds from dispatch to the first content, or to the end of a stream that has none.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        reader: StreamReader,
        limits: Limits,
        hold: Hold,
        finish: Callable[[aiohttp.ClientResponse], None],
        first: Iterable[Delta] = (),
    ) -> None:
        self.ttft_s = 0.0
        self._response = response
        self._reader = reader
        self._limits = limits
        self._hold = hold
        self._finish = finish
        self._ready: deque[Delta] = deque(first)
        self._completion: Completion | None = None
        self._ended_at: float | None = None
        self._answering = False
        self._broken = False
        self._quiet_since = self._read_at = limits.started

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        while not self._ready:
            if self._ended_at is not None:
                if self._broken:  # a read was cancelled, or failed; asking again does not bring it back
                    raise CutStreamError("the stream was given up before its end")
                raise StopAsyncIteration
            await self._advance()
        return self._ready.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Hangs up, unless the stream has ended; may be called again."""
        self._ready.clear()
        self._end()

    @property
    def ready(self) -> bool:
        """Whether another piece is there already."""
        return bool(self._ready)

    @property
    def completion(self) -> Completion:
        """The whole answer, once the stream has ended.

        Raises:
            CutStreamError: it has not, or not well.
        """
        if self._completion is None:
            raise CutStreamError("the stream was not read to its end")
        return self._completion

    def partial(self) -> Completion:
        """What has arrived so far."""
        return self._completion or self._reader.partial()

    @property
    def duration_s(self) -> float:
        """Seconds from dispatch to the end, or to now."""
        return (loop_time() if self._ended_at is None else self._ended_at) - self._limits.started

    async def begin(self) -> None:
        """Reads until the first content or the end.

        Raises:
            ProviderError: the stream failed before either.
        """
        while not self._answering and self._ended_at is None:
            await self._advance()
        self.ttft_s = loop_time() - self._limits.started

    async def _advance(self) -> None:
        try:
            if not self._reader.finished and (data := await self._read()):
                self._take(data)
            else:
                self._complete()
        except BaseException as error:
            if isinstance(error, ProviderError):
                self._hold.failed(error)
            self._broken = True
            self._end()
            raise

    async def _read(self) -> bytes:
        try:
            return self._response.content.read_nowait() or await self._wait()
        except FAILURES as error:
            raise CutStreamError(problem(error)) from None

    async def _wait(self) -> bytes:
        limit = self._limits.first
        if self._answering:
            # What the caller took its time for is not the provider's silence.
            self._quiet_since += loop_time() - self._read_at
            limit = self._limits.next(self._quiet_since)
        try:
            async with asyncio.timeout_at(limit.at):
                return await self._response.content.readany()
        except TimeoutError:
            raise limit.error(loop_time()) from None
        finally:
            self._read_at = loop_time()

    def _take(self, data: bytes) -> None:
        deltas = self._reader.feed(data)
        self._ready.extend(deltas)
        if any(delta.content for delta in deltas):
            self._answering = True
            self._quiet_since = self._read_at = loop_time()

    def _complete(self) -> None:
        self._completion = self._reader.close()
        self._hold.used(self._completion.usage)
        self._finish(self._response)
        self._end()

    def _end(self) -> None:
        if self._ended_at is None:
            self._ended_at = loop_time()
            if self._completion is None:
                self._response.close()
            self._hold.release()


class WholeReader:
    """The reader of a stream whose answer came whole, as some servers reply whatever is asked."""

    finished = True

    def __init__(self, completion: Completion) -> None:
        self._completion = completion

    def feed(self, data: bytes) -> list[Delta]:  # noqa: ARG002 - there are no pieces
        """Nothing: see `delta`."""
        return []

    def close(self) -> Completion:
        """The whole answer."""
        return self._completion

    def partial(self) -> Completion:
        """The whole answer."""
        return self._completion

    @property
    def delta(self) -> Delta:
        """The answer as one piece."""
        answer = self._completion
        calls = tuple({"index": index, **call} for index, call in enumerate(answer.tool_calls))
        message = {"role": "assistant", "content": answer.text, **({"tool_calls": calls} if calls else {})}
        chunk = {name: answer.body[name] for name in ("id", "created", "model", "usage") if name in answer.body}
        chunk["object"] = "chat.completion.chunk"
        chunk["choices"] = [{"index": 0, "delta": message, "finish_reason": answer.finish_reason}]
        native = () if answer.native is None else (answer.native,)
        return Delta(chunk, answer.text, tool_calls=calls, finish_reason=answer.finish_reason, native=native)
