"""Commands to the server and their replies, with the scripts loaded and faults told apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from banditroute.errors import StoreError

from .address import Address
from .client import Client, clients_of, faults
from .namespace import LAYOUT, Namespace
from .scripts import NAMES, Command, script

_PASSING = (
    faults.BusyLoadingError,
    faults.ClusterDownError,
    faults.OutOfMemoryError,
    faults.ReadOnlyError,
    faults.TryAgainError,
)
_PASSING_CODES = ("BUSY", "LOADING", "MISCONF", "NOREPLICAS", "OOM", "READONLY", "CLUSTERDOWN", "MASTERDOWN")
_OPENING_TIMEOUTS = 5  # a server that reads its log may take as long
_AGAIN_S = 0.1
_RESENT_AFTER_S = (0.05, 0.1, 0.2, 0.4)
_UNREACHED = (faults.ConnectionError, faults.TimeoutError, faults.RedisClusterException, OSError)


class UnreachableError(StoreError):
    """The server did not do what it was asked, and may later: whoever can wait tries again."""


class Link:
    """Sends commands to the server; one that was lost on the way is for whoever sent it to send again.

    Args:
        address: where the server is.
        namespace: whose keys are worked on.
        timeout_s: seconds to wait for a connection, and for a reply.
    """

    def __init__(self, address: Address, namespace: Namespace, timeout_s: float) -> None:
        self.where = f"{address.shown} ({namespace.name})"
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._clients = clients_of(address, timeout_s)
        self._client: Client = self._clients[0]

    async def open(self) -> None:
        """Makes sure that the server is there and that its keys are of this version; one that starts is waited for.

        Raises:
            StoreError: it is not, or they are not.
        """
        meta = self._namespace.key("meta")
        _, layout = await self._patiently([("HSETNX", meta, "layout", LAYOUT), ("HGET", meta, "layout")])
        if layout is None or int(layout) != LAYOUT:
            text = f"{self.where}: its keys are of layout {layout}, this version knows {LAYOUT}"
            raise StoreError(f"{text}; upgrade banditroute, or name another namespace")

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command, in order, in one round trip; a StoreError where the server refused it.

        Raises:
            UnreachableError: the server cannot be reached or cannot write now; none, some or all were done.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                replies = await self._replies(commands)
        except _UNREACHED as error:
            await self._client.aclose()  # the next connection goes to whichever server is in charge then
            raise UnreachableError(f"{self.where}: {_told(error, self._timeout_s)}") from error
        return [self._answer(reply) for reply in replies]

    async def ask(self, command: Command) -> Any:
        """The reply to one command, which done twice does what once would: where it is lost, it is sent again.

        Raises:
            UnreachableError: the server could not be reached several times.
            StoreError: it refused the command.
        """
        for wait_s in (*_RESENT_AFTER_S, None):
            try:
                (reply,) = await self.run([command])
            except UnreachableError:
                if wait_s is None:
                    raise
                await asyncio.sleep(wait_s)
            else:
                if isinstance(reply, StoreError):
                    raise reply
                return reply
        raise AssertionError("the last attempt returns or raises")

    async def aclose(self) -> None:
        """Lets go of the connections."""
        for client in self._clients:
            await client.aclose()

    async def _patiently(self, commands: Sequence[Command]) -> list[Any]:
        give_up_at = time.monotonic() + _OPENING_TIMEOUTS * self._timeout_s
        while True:
            try:
                return await self.run(commands)
            except UnreachableError as error:
                if isinstance(error.__cause__, faults.AuthenticationError) or time.monotonic() > give_up_at:
                    raise
            await asyncio.sleep(_AGAIN_S)

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        """The same where the server can be reached; one that has not met with the scripts, or no more, is told them."""
        replies = await self._sent(commands)
        if any(isinstance(reply, faults.NoScriptError) for reply in replies):
            for name in NAMES:
                await self._client.script_load(script(name).source)
            replies = await self._sent(commands)  # all of them: what was done before is done once
        return replies

    async def _sent(self, commands: Sequence[Command]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        replies = await pipeline.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, _PASSING) or (
                isinstance(reply, faults.ResponseError) and str(reply).startswith(_PASSING_CODES)
            ):
                raise faults.ConnectionError(str(reply))
        return replies

    def _answer(self, reply: Any) -> Any:
        if isinstance(reply, Exception):
            return StoreError(f"{self.where}: {_one_line(reply)}")
        return reply


def _told(error: Exception, timeout_s: float) -> str:
    if isinstance(error, faults.AuthenticationError):
        return "the server refuses the user or the password; mend the store's url"
    if isinstance(error, faults.TimeoutError | TimeoutError):
        return f"the server did not answer within {timeout_s:g} s"
    return f"cannot use the server: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
