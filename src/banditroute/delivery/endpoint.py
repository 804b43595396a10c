"""One provider, live: its protocol joined to its connections and keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from yarl import URL

from banditroute.delivery.admission import Admission
from banditroute.delivery.clock import loop_time
from banditroute.delivery.exchange import Wire, whole
from banditroute.delivery.holds import Desk, Hold
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.limits import Limits
from banditroute.delivery.pool import ClientPool
from banditroute.delivery.settings import Timeouts, Transport
from banditroute.delivery.streaming import AnswerStream, WholeReader
from banditroute.errors import (
    BrokenEmbeddingsError,
    BrokenReplyError,
    ConfigError,
    KeyRefusedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
)
from banditroute.observe import NullObserver, Observer
from banditroute.providers.protocol import Provider, StreamReader, WireReply, WireRequest
from banditroute.providers.vectors import in_format
from banditroute.records import ChatRequest, Completion, EmbeddingRequest, Embeddings

T = TypeVar("T")

_TRANSPORT = Transport()
_TIMEOUTS = Timeouts()
_NOBODY = NullObserver()
_WHOLE_TYPES = frozenset({"application/json", "text/html"})
_KEY_FAILURES = (RateLimitedError, QuotaSpentError, KeyRefusedError)


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer.

    Attributes:
        completion: the answer.
        duration_s: seconds from dispatch to the whole answer; waiting for a place or a key is left out.
        ttft_s: seconds to the first content; None where it did not come in pieces.
    """

    completion: Completion
    duration_s: float
    ttft_s: float | None


class Endpoint:
    """One provider, live.

    Every call ends in an answer or in one ProviderError, within the time limits; cancelling it closes its connection
    and gives up its place. A key that is refused or has used up its limit is replaced by the next, each tried at most
    once for a call.
    """

    def __init__(
        self,
        name: str,
        provider: Provider,
        base_url: str,
        keys: KeyRing,
        *,
        transport: Transport = _TRANSPORT,
        timeouts: Timeouts = _TIMEOUTS,
        observer: Observer = _NOBODY,
        clock: Callable[[], float] = time.time,
        pool: ClientPool | None = None,
    ) -> None:
        """An endpoint that connects when it is first asked; nothing is opened here.

        Args:
            name: what reports call it.
            provider: its protocol.
            base_url: what paths are added to.
            keys: its keys.
            transport: limits of concurrency and the way to it.
            timeouts: time limits of one attempt.
            observer: is told of keys that go out of use.
            clock: seconds since the epoch; rate limits are told in them.
            pool: connections that are shared with others and closed by their owner; None = its own.

        Raises:
            ConfigError: the base URL is not an absolute http(s) URL, or the CA file cannot be read.
        """
        url = _checked(base_url)
        self.name = name
        self._provider = provider
        self._timeouts = timeouts
        self._clock = clock
        self._own_pool = ClientPool() if pool is None else None
        self._wire = Wire((pool or self._own_pool or ClientPool()).client(url, transport), url, timeouts.connect_s)
        admission = Admission(
            keys, max_concurrent=transport.max_concurrent, longest_wait_s=transport.longest_wait_s, clock=clock
        )
        self._desk = Desk(name, keys, admission, observer, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Hangs up on everything in flight and closes the connections; may be called again."""
        self._wire.close()
        if self._own_pool is not None:
            await self._own_pool.aclose()

    def speaking(self, provider: Provider) -> Endpoint:
        """The same endpoint, its keys, places and connections shared, that speaks another protocol."""
        other = copy(self)
        other._provider = provider
        return other

    def pardon(self) -> None:
        """Puts keys that are out of use for good back in use, for it may be known that they have been mended."""
        self._desk.pardon()

    @property
    def wire(self) -> Wire:
        """Its way to the server; two endpoints with one wire are the same but for the protocol."""
        return self._wire

    @property
    def in_flight(self) -> int:
        """Calls under way, streams being read included."""
        return self._desk.admission.in_flight

    @property
    def waiting(self) -> int:
        """Calls that wait for a place or a key."""
        return self._desk.admission.waiting

    def cooling_until(self, now: float, model: str | None = None) -> float:
        """The instant from which it may be asked, seconds since the epoch: 0.0 = now, math.inf = never.

        Args:
            now: seconds since the epoch.
            model: the upstream model, whose rate limits count by themselves; None = any of them.
        """
        return self._desk.keys.usable_at(now, model or "")

    async def chat(
        self, request: ChatRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> Reply:
        """A whole answer.

        Args:
            request: what is asked.
            model: the upstream model.
            deadline: instant of the event loop's clock at which the caller gives up; math.inf = never.
            on_sent: is called when the wait for a place and a key is over and the provider is about to be asked.

        Raises:
            ProviderError: there is none.
        """

        async def ask(hold: Hold) -> Reply:
            limits = self._limits(deadline)
            call = self._provider.chat(request, model=model, key=hold.key.secret, stream=False)
            reply = await self._reply(hold, call, limits)
            completion = (call.completion or self._provider.completion)(reply, self._clock())
            hold.used(completion.usage)
            return Reply(completion, _since(limits), None)

        return await self._with_keys(ask, model, deadline, on_sent)

    async def open_stream(
        self, request: ChatRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> AnswerStream:
        """An answer in pieces, once its first content, or its end, has arrived; close it when done with.

        Args:
            request: what is asked.
            model: the upstream model.
            deadline: instant of the event loop's clock at which the caller gives up; math.inf = never.
            on_sent: is called when the wait for a place and a key is over and the provider is about to be asked.

        Raises:
            ProviderError: it failed before that.
        """

        async def ask(hold: Hold) -> AnswerStream:
            limits = self._limits(deadline)
            call = self._provider.chat(request, model=model, key=hold.key.secret, stream=True)
            return await self._stream(hold, call, limits)

        return await self._with_keys(ask, model, deadline, on_sent)

    async def embed(
        self, request: EmbeddingRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> tuple[Embeddings, float]:
        """Embeddings, and the seconds that they took.

        Args:
            request: what to embed.
            model: the upstream model.
            deadline: instant of the event loop's clock at which the caller gives up; math.inf = never.
            on_sent: is called when the wait for a place and a key is over and the provider is about to be asked.

        Raises:
            ProviderError: there are none.
        """

        async def ask(hold: Hold) -> tuple[Embeddings, float]:
            limits = self._limits(deadline)
            call = self._provider.embed(request, model=model, key=hold.key.secret)
            reply = await self._reply(hold, call, limits)
            embeddings = self._embeddings(reply, request.params.get("encoding_format"))
            hold.used(embeddings.usage)
            return embeddings, _since(limits)

        return await self._with_keys(ask, model, deadline, on_sent)

    async def _with_keys(
        self, ask: Callable[[Hold], Awaitable[T]], model: str, deadline: float, on_sent: Callable[[], None]
    ) -> T:
        tried: frozenset[str] = frozenset()
        while True:
            hold = await self._desk.hold(model, deadline, tried)
            on_sent()
            try:
                return await ask(hold)
            except ProviderError as error:
                hold.failed(error)  # before the place is given up, lest the next in line gets a key that is no use
                tried |= {hold.key.label}
                if not isinstance(error, _KEY_FAILURES) or not self._desk.other_key(model, tried):
                    raise
            finally:
                if not hold.kept:
                    hold.release()

    def _embeddings(self, reply: WireReply, encoding_format: str | None) -> Embeddings:
        try:
            return in_format(self._provider.embeddings(reply, self._clock()), encoding_format)
        except BrokenReplyError as error:
            raise BrokenEmbeddingsError(error.problem, status=error.status) from None

    def _limits(self, deadline: float) -> Limits:
        return Limits(loop_time(), self._timeouts, deadline)

    async def _reply(self, hold: Hold, call: WireRequest, limits: Limits) -> WireReply:
        try:
            async with asyncio.timeout_at(limits.whole.at):
                response = await self._wire.send(call)
                reply = await whole(response, self._provider, self._clock())
        except TimeoutError:
            raise limits.whole.error(loop_time()) from None
        hold.seen(self._provider.rate_limits(reply.headers, self._clock()))
        return reply

    async def _stream(self, hold: Hold, call: WireRequest, limits: Limits) -> AnswerStream:
        try:
            async with asyncio.timeout_at(limits.first.at):
                response = await self._wire.send(call)
                reader = await self._reader(response, call)
        except TimeoutError:
            raise limits.first.error(loop_time()) from None
        hold.seen(self._provider.rate_limits(response.headers, self._clock()))
        first = (reader.delta,) if isinstance(reader, WholeReader) else ()
        stream = AnswerStream(response, reader, limits, hold, self._wire.finish, first)
        hold.kept = True
        await stream.begin()
        return stream

    async def _reader(self, response: aiohttp.ClientResponse, call: WireRequest) -> StreamReader:
        """What reads the stream; a reply that is none is read here and now."""
        if response.status < 300 and response.content_type not in _WHOLE_TYPES:
            return (call.reader or self._provider.reader)()
        reply = await whole(response, self._provider, self._clock())
        return WholeReader((call.completion or self._provider.completion)(reply, self._clock()))


def _since(limits: Limits) -> float:
    return loop_time() - limits.started


def _checked(base_url: str) -> URL:
    try:
        url = URL(base_url)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise ConfigError(
            f"{base_url!r} is no base URL", field="base_url", remedy="write it as https://host[:port]/path"
        )
    return url
