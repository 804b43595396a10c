"""The client of redis-py for an address, and what of it is used here."""

from __future__ import annotations

from typing import Any, Protocol, cast

from banditroute.errors import ConfigError, MissingExtraError

from .address import Address
from .wording import Argument

try:
    from redis import exceptions as faults
    from redis.asyncio import Redis, RedisCluster, Sentinel
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
except ImportError as error:
    raise MissingExtraError('store.kind = "redis"', "redis") from error


__all__ = ["Client", "Pipeline", "clients_of", "faults"]


class Pipeline(Protocol):
    """Commands that go in one transmission."""

    def execute_command(self, *args: Argument) -> object:
        """Adds a command."""
        ...

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The replies, errors among them where they are not to be raised."""
        ...


class Client(Protocol):
    """Commands to one server, or to a cluster."""

    def pipeline(self, transaction: bool = ...) -> Pipeline:
        """An empty pipeline."""
        ...

    async def script_load(self, script: str) -> Any:
        """Makes a script known to the server."""
        ...

    async def aclose(self) -> None:
        """Closes the connections; the next command opens others."""
        ...


def clients_of(address: Address, timeout_s: float) -> tuple[Client, ...]:
    """The client for an address, and those of the sentinels that it asks; not connected yet.

    They try nothing again by themselves.

    Raises:
        ConfigError: the URL has an option that there is not.
    """
    # No time limit of its own on what is sent: for each it takes a task, which may swallow its sender's cancellation.
    patient: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": timeout_s}
    once: Any = Retry(NoBackoff(), 0)
    options: dict[str, Any] = dict(address.options)
    try:
        if address.way == "cluster":
            return (cast("Client", RedisCluster.from_url(address.url, retry=once, **patient)),)
        if address.way == "sentinel":
            sentinels = Sentinel([*address.hosts], sentinel_kwargs={**patient, "retry": once}, **patient)
            server = sentinels.master_for(address.service, retry=once, **options)
            return tuple(cast("Client", each) for each in (server, *sentinels.sentinels))
        return (cast("Client", Redis.from_url(address.url, retry=once, **patient)),)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{address.shown}: {error}", remedy="mend the store's url", field="store.url") from None
