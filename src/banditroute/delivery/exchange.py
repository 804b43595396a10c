"""One exchange over HTTP: a request goes out, a reply comes back; every way to fail becomes a ProviderError."""

from __future__ import annotations

import asyncio
from weakref import WeakSet

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from banditroute.delivery.pool import Client
from banditroute.errors import BrokenReplyError, ConnectionFailedError, ProviderError, TimedOutError
from banditroute.providers.protocol import Provider, WireReply, WireRequest

MOST_BODY_BYTES = 64 * 2**20
_LAST_BYTES_S = 1.0
_SERVER_FAILED = 500
FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError)


class Wire:
    """The way from one provider's protocol to its server and back.

    Attributes:
        client: whose connections it uses.
    """

    def __init__(self, client: Client, base_url: URL, connect_s: float) -> None:
        self.client = client
        self._base = str(base_url).rstrip("/")
        self._urls: dict[str, URL] = {}
        self._connect_s = connect_s
        # All limits but connect are the caller's to hold: they depend on what arrives, not on whether bytes do.
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_s)
        self._replies: WeakSet[aiohttp.ClientResponse] = WeakSet()

    async def send(self, request: WireRequest) -> aiohttp.ClientResponse:
        """The reply to a request, its head read; the body must be read or the reply closed.

        Raises:
            ConnectionFailedError, TimedOutError, BrokenReplyError: there is no such reply.
        """
        url = self._urls.get(request.path)
        if url is None:  # paths are few: one for each call and, with some providers, model
            url = self._urls[request.path] = URL(self._base + request.path)
        try:
            response = await self.client.post(url, request.headers, request.body, self._timeout)
        except aiohttp.ConnectionTimeoutError:
            raise TimedOutError("connect", self._connect_s) from None
        except FAILURES as error:
            raise failure(error) from None  # aiohttp keeps the request, key and all, in its errors
        self._replies.add(response)
        return response

    async def answers(self, within_s: float) -> bool:
        """Whether anybody is there: whatever the server says to a GET of its models without a key, but for a 5xx."""
        try:
            async with asyncio.timeout(within_s):
                return await self.client.status(URL(f"{self._base}/models"), self._timeout) < _SERVER_FAILED
        except (TimeoutError, *FAILURES):
            return False

    def finish(self, response: aiohttp.ClientResponse) -> None:
        """Leaves a stream that has said its last word to end its connection's turn, which is worth a moment's wait.

        The protocol's end comes before that of HTTP, often in a packet of its own; hanging up between the two would
        cost a new connection for each stream.
        """
        if not response.closed:
            hang_up = asyncio.get_running_loop().call_later(_LAST_BYTES_S, response.close)
            response.content.on_eof(hang_up.cancel)

    def close(self) -> None:
        """Hangs up on every reply that is being read."""
        for response in tuple(self._replies):
            response.close()


async def whole(response: aiohttp.ClientResponse, provider: Provider, now: float) -> WireReply:
    """A reply that is no failure, with its body, its connection free again.

    Raises:
        ProviderError: the reply is a failure, a redirect, too long, or broke off.
    """
    if response.status >= 400:
        raise await _refusal(response, provider, now)
    if response.status >= 300:
        response.close()
        raise BrokenReplyError(
            f"it redirects to {response.headers.get('Location', 'nowhere')!r}; name the final address as base_url",
            status=response.status,
        )
    return WireReply(response.status, response.headers, await body(response))


async def body(response: aiohttp.ClientResponse) -> bytes:
    """The body of a reply; unless it is read to its end, the connection is closed."""
    blocks: list[bytes] = []
    size = response.content_length or 0
    try:
        _check_size(size)
        size = 0
        while block := await response.content.readany():
            blocks.append(block)
            size += len(block)
            _check_size(size)
    except FAILURES as error:
        raise failure(error) from None  # aiohttp keeps the request, key and all, in its errors
    finally:
        if not response.closed:  # at the body's end the connection is back in the pool
            response.close()
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def failure(error: Exception) -> ProviderError:
    """What went wrong between here and the server, as the tree's error; says nothing of headers."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return ConnectionFailedError(f"the proxy refuses: {error.status} {error.message}")
    if isinstance(error, (aiohttp.ClientResponseError, HttpProcessingError)):
        return BrokenReplyError(f"not HTTP: {' '.join(error.message.split())}")
    return ConnectionFailedError(problem(error))


def problem(error: Exception) -> str:
    """An HTTP client's error in one line."""
    if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
        return "the server hung up in the middle of the head"
    return " ".join(str(error).split()) or type(error).__name__


async def _refusal(response: aiohttp.ClientResponse, provider: Provider, now: float) -> ProviderError:
    try:
        content = await body(response)
    except (ConnectionFailedError, BrokenReplyError):
        content = b""  # the status says enough
    return provider.failure(WireReply(response.status, response.headers, content), now)


def _check_size(size: int) -> None:
    if size > MOST_BODY_BYTES:
        raise BrokenReplyError(f"a reply of more than {MOST_BODY_BYTES // 2**20} MiB")
