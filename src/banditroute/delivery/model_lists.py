"""Which models a provider says it serves: one GET, without a router."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import aiohttp
from yarl import URL

from banditroute.delivery.exchange import FAILURES, failure, whole
from banditroute.delivery.pool import Client
from banditroute.delivery.settings import Transport
from banditroute.errors import TimedOutError
from banditroute.providers.model_lists import ListCall, ListedModel, list_call, listed_models
from banditroute.providers.protocol import WireReply
from banditroute.providers.registry import NO_OPTIONS, ProviderOptions, provider_of

_TRANSPORT = Transport()


class Server(NamedTuple):
    """Where a provider is, and how it is spoken to.

    Attributes:
        kind: its protocol, a name in `providers.registry.KINDS`.
        base_url: what the protocol's paths are added to.
        options: how it departs from its protocol.
        transport: the way to it.
    """

    kind: str
    base_url: str
    options: ProviderOptions = NO_OPTIONS
    transport: Transport = _TRANSPORT


class ModelList(NamedTuple):
    """What came back.

    Attributes:
        models: what it serves.
        latency_s: seconds until that was whole.
        ahead_s: seconds that its clock is ahead of this machine's, to a second or so; None = it does not tell the time.
    """

    models: tuple[ListedModel, ...]
    latency_s: float
    ahead_s: float | None


async def ask_models(server: Server, key: str | None, within_s: float, clock: Callable[[], float]) -> ModelList:
    """The provider's models; clock is seconds since the epoch.

    Raises:
        ProviderError: nobody is there, the key is refused, or the reply is no list of models.
        ConfigError: the transport's authorities cannot be read.
    """
    began = clock()
    reply = await _got(server, list_call(server.kind, server.options, key), within_s, began)
    ended = clock()
    ahead_s = _ahead_s(reply.headers.get("Date"), began, ended)
    return ModelList(listed_models(server.kind, reply.body), ended - began, ahead_s)


async def _got(server: Server, call: ListCall, within_s: float, now: float) -> WireReply:
    url = URL(server.base_url.rstrip("/") + call.path)
    async with aclosing(Client(server.transport)) as client:
        try:
            async with asyncio.timeout(within_s):
                response = await client.get(url, call.headers, aiohttp.ClientTimeout(total=None))
                return await whole(response, provider_of(server.kind, server.options), now)
        except TimeoutError:
            raise TimedOutError("whole", within_s) from None
        except FAILURES as error:
            raise failure(error) from None  # aiohttp keeps the request, key and all, in its errors


def _ahead_s(date: str | None, began: float, ended: float) -> float | None:
    """How far a Date header is from the instants between which it was written; it is cut to whole seconds."""
    try:
        told = None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    if told is None:
        return None
    return max(told - ended, 0.0) if told > began else min(told + 1.0 - began, 0.0)
