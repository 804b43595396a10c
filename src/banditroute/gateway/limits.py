"""How much is taken in at once, how fast, and how long: what comes beyond it is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from aiohttp import web

from banditroute.gateway.auth import Caller
from banditroute.gateway.refusals import later, refused

_MINUTE_S = 60.0
_SOON_S = 1.0


class Gate:
    """Bounds the requests that are being answered at once.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.in_work = 0

    @contextmanager
    def entered(self) -> Generator[None]:
        """Inside it, one more request is being answered.

        Raises:
            RefusedError: there are as many as there may be.
        """
        if self.in_work >= self.most:
            raise later(f"{self.in_work} requests are being answered already; ask again", "gateway_busy", _SOON_S)
        self.in_work += 1
        try:
            yield
        finally:
            self.in_work -= 1


class Dues(Protocol):
    """For each key, when the requests that it made would all have been due."""

    def move(self, name: str, now: float, to: Callable[[float], float]) -> None:
        """Moves a key's due, which is no earlier than now, to what the function makes of it.

        It stays where it is where the function raises.
        """
        ...


class OwnDues:
    """Dues that nobody else goes by."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def move(self, name: str, now: float, to: Callable[[float], float]) -> None:
        """Moves a key's due to what the function makes of it; it stays where the function raises."""
        self._due[name] = to(max(self._due.get(name, now), now))


class Turnstile:
    """Bounds how many requests each key makes in a minute, by the generic cell rate algorithm (ITU-T I.371, annex A).

    A key that was quiet for a minute may make all of its requests at once.

    Args:
        dues: what the keys asked for so far; None = nothing, and nobody else goes by it.
    """

    def __init__(self, dues: Dues | None = None) -> None:
        self._dues: Dues = OwnDues() if dues is None else dues

    def turn(self, caller: Caller, now: float) -> None:
        """Lets one request through; now is in seconds, of a clock that never goes back.

        Raises:
            RefusedError: the key has made as many as it may.
        """
        if caller.requests_per_minute is None:
            return
        each_s = _MINUTE_S / caller.requests_per_minute

        def one_more(due: float) -> float:
            too_soon_s = due + each_s - now - max(_MINUTE_S, each_s)
            if too_soon_s > 1e-9:
                problem = f"key {caller.name!r} may make {caller.requests_per_minute:g} requests a minute"
                raise later(problem, "rate_limit_exceeded", too_soon_s)
            return due + each_s

        self._dues.move(caller.name, now, one_more)


async def body_of(request: web.Request, most_bytes: int, within_s: float) -> bytes:
    """A request's body, whole.

    Raises:
        RefusedError: it is too long, takes too long to come, or is not what its head says.
    """
    if (request.content_length or 0) > most_bytes:
        raise _too_long(most_bytes)
    try:
        if request.content.is_eof():  # it came with the head, as nearly every one does
            return await request.read()
        async with asyncio.timeout(within_s):
            return await request.read()
    except TimeoutError:
        raise refused(408, f"the body did not come within {within_s:g} s", "request_timeout") from None
    except web.RequestPayloadError:
        raise refused(400, "the body broke off, or is not as its head says", "invalid_body") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_long(most_bytes) from None


def _too_long(most_bytes: int) -> Exception:
    return refused(413, f"the body is longer than {most_bytes / 2**20:g} MiB", "request_too_large")
