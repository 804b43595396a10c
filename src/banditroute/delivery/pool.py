"""Connections: one HTTP client per origin and way to it, shared by the providers that live there."""

from __future__ import annotations

import contextvars
import ssl
from collections.abc import Collection, Mapping
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace
from yarl import URL

from banditroute._version import __version__
from banditroute.delivery.settings import Transport
from banditroute.errors import ConfigError

_DNS_S = 60
_LARGE_BYTES = 2**20

_opened: contextvars.ContextVar[bool] = contextvars.ContextVar("connection_opened", default=True)
"""Whether the current task's request went out on a connection that was opened for it."""


class Client:
    """An HTTP client of one origin. It keeps no cookies, follows no redirects and sets no time limits but connect."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._proxy = None if transport.proxy_url is None else URL(transport.proxy_url)
        self._tls = _tls(transport)
        self._closed = False
        self._session: aiohttp.ClientSession | None = None
        self._unshared: aiohttp.ClientSession | None = None

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """The reply to a POST, its head read.

        Raises:
            aiohttp.ClientError, OSError: the connection failed.
        """
        self._check_open()
        if self._session is None:
            self._session = self._open(_Connector)
        _opened.set(False)
        try:
            return await self._send(self._session, url, headers, body, timeout)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A server may close an idle connection at the very moment that a request is put on it. Nothing is wrong
            # then and nothing was served, so as browsers do (RFC 9112, section 9.3.1) the request goes out once more,
            # on a connection that cannot be stale. A new connection that breaks is a failure.
            if _opened.get():
                raise
        self._check_open()
        if self._unshared is None:
            self._unshared = self._open(aiohttp.TCPConnector, force_close=True)
        return await self._send(self._unshared, url, headers, body, timeout)

    async def status(self, url: URL, timeout: aiohttp.ClientTimeout) -> int:
        """The status of the reply to a GET, the rest of which is not read.

        Raises:
            aiohttp.ClientError, OSError: the connection failed.
        """
        self._check_open()
        if self._unshared is None:
            self._unshared = self._open(aiohttp.TCPConnector, force_close=True)
        async with self._unshared.get(url, timeout=timeout, allow_redirects=False, proxy=self._proxy) as response:
            return response.status

    async def get(self, url: URL, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """The reply to a GET on a connection of its own, its head read.

        Raises:
            aiohttp.ClientError, OSError: the connection failed.
        """
        self._check_open()
        if self._unshared is None:
            self._unshared = self._open(aiohttp.TCPConnector, force_close=True)
        return await self._unshared.get(url, headers=headers, timeout=timeout, allow_redirects=False, proxy=self._proxy)

    async def aclose(self) -> None:
        """Closes every connection."""
        self._closed = True
        for session in (self._session, self._unshared):
            if session is not None:
                await session.close()

    def _check_open(self) -> None:
        if self._closed:
            raise aiohttp.ClientConnectionError("the client is closed")

    def _open(self, connector: type[aiohttp.TCPConnector], *, force_close: bool = False) -> aiohttp.ClientSession:
        # The connector's own limits are off: places are given out before, where waiting can be fair and bounded.
        keep_s = None if force_close else self._transport.keep_alive_s
        return aiohttp.ClientSession(
            connector=connector(
                limit=0, ttl_dns_cache=_DNS_S, ssl=self._tls, force_close=force_close, keepalive_timeout=keep_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"banditroute/{__version__}"},
        )

    async def _send(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        headers: Mapping[str, str],
        body: bytes,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        data = body if len(body) <= _LARGE_BYTES else BytesIO(body)  # aiohttp sends a stream piece by piece
        return await session.post(
            url, data=data, headers=headers, timeout=timeout, allow_redirects=False, proxy=self._proxy
        )


class ClientPool:
    """The clients of all providers: those with the same origin and the same way to it share one."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str | None, int | None, Transport], Client] = {}

    def client(self, url: URL, transport: Transport) -> Client:
        """The client for a provider's base URL."""
        way = Transport(
            keep_alive_s=transport.keep_alive_s,
            proxy_url=transport.proxy_url,
            tls_verify=transport.tls_verify,
            tls_ca_file=transport.tls_ca_file,
        )
        place = (url.scheme, url.host, url.port, way)
        client = self._clients.get(place)
        if client is None:
            client = self._clients[place] = Client(transport)
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def keep(self, used: Collection[Client]) -> None:
        """Closes the clients that are not used any more."""
        unused = [client for client in self._clients.values() if client not in used]
        self._clients = {place: client for place, client in self._clients.items() if client in used}
        for client in unused:
            await client.aclose()

    async def aclose(self) -> None:
        """Closes every client; calls in flight fail."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()


class _Connector(aiohttp.TCPConnector):
    """Notes for each request whether its connection is new, which aiohttp otherwise tells only to (costly) tracing."""

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        _opened.set(True)
        return await super()._create_connection(req, traces, timeout)


def _tls(transport: Transport) -> ssl.SSLContext | bool:
    if not transport.tls_verify:
        return False
    if transport.tls_ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=transport.tls_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"no authorities can be read: {error}", path=transport.tls_ca_file, remedy="name a PEM file"
        ) from None
