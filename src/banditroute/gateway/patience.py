"""New connections that say nothing, or say it ever so slowly: they are hung up on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class Patience:
    """Gives each new connection a while to send the head of its first request; one event loop, one owner.

    Between two requests it is aiohttp that hangs up, after `idle_s`.

    Args:
        head_s: how long.
    """

    def __init__(self, head_s: float) -> None:
        self.head_s = head_s
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def with_each(self, made: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Makes a connection's protocol as `made` does, and begins to wait for what it has to say."""

        def make() -> asyncio.Protocol:
            protocol = made()
            loop = asyncio.get_running_loop()
            self._silent[protocol] = loop.call_later(self.head_s, self._hang_up, protocol)
            return protocol

        return make

    def heard(self, protocol: asyncio.BaseProtocol) -> None:
        """The head of a request has come."""
        waiting = self._silent.pop(protocol, None)
        if waiting is not None:
            waiting.cancel()

    def _hang_up(self, protocol: asyncio.BaseProtocol) -> None:
        self._silent.pop(protocol, None)
        transport = cast("asyncio.Transport | None", getattr(protocol, "transport", None))
        if transport is not None:  # the other side may have hung up first
            transport.abort()
