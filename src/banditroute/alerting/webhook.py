"""Posts alerts to a URL, one after the other and beside all else: nobody waits for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

import aiohttp
import orjson
from yarl import URL

from banditroute._version import __version__
from banditroute.delivery.pool import Client
from banditroute.delivery.settings import Transport
from banditroute.records import Alert

from .signing import signed

_MOST_WAITING = 256
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_CLOSING_S = 3.0
_AGAIN = frozenset((408, 425, 429))

Lost = Callable[[Alert, str], None]
"""Is told of an alert that nobody took, and why."""


class Webhook:
    """Posts alerts in their order; `aclose` waits a moment for those that are on their way.

    Args:
        url: where to; never shown, as it may hold a secret.
        key: posts are signed with it; None = they are not.
        timeout_s: seconds for one attempt.
        attempts: how often a post is tried.
        lost: is told of what nobody took.
        first_wait_s: seconds before the second attempt; each later one waits twice as long.
    """

    def __init__(
        self,
        url: str,
        key: bytes | None,
        timeout_s: float,
        attempts: int,
        lost: Lost,
        first_wait_s: float = _FIRST_WAIT_S,
    ) -> None:
        self._url = URL(url)
        self._key = key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._attempts = attempts
        self._lost = lost
        self._first_wait_s = first_wait_s
        self._client = Client(Transport())
        self._waiting: deque[Alert] = deque()
        self._posting: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, alert: Alert) -> None:
        """Has an alert posted soon; where too many wait, the oldest is given up."""
        if self._closed:
            return
        self._waiting.append(alert)
        if len(self._waiting) > _MOST_WAITING:
            self._lost(self._waiting.popleft(), f"{_MOST_WAITING} others wait as well")
        if self._posting is None or self._posting.done():
            self._posting = asyncio.create_task(self._post_all())

    async def aclose(self) -> None:
        """Posts what waits, for as long as that takes little; a second call does nothing."""
        self._closed = True
        if self._posting is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_S):
                    await asyncio.shield(self._posting)
            self._posting.cancel()
            await asyncio.gather(self._posting, return_exceptions=True)
        while self._waiting:
            self._lost(self._waiting.popleft(), "the router ended before it was posted")
        await self._client.aclose()

    async def _post_all(self) -> None:
        while self._waiting:
            alert = self._waiting[0]
            problem = await self._posted(alert)
            if self._waiting and self._waiting[0] is alert:  # unless it was given up meanwhile
                self._waiting.popleft()
                if problem:
                    self._lost(alert, problem)

    async def _posted(self, alert: Alert) -> str:
        """Why nobody took an alert, however often it was tried; empty where somebody did."""
        body, problem = alert_json(alert), ""
        for attempt in range(self._attempts):
            if attempt:
                wait_s = min(self._first_wait_s * 2.0 ** (attempt - 1), _LONGEST_WAIT_S)
                await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))
            problem, again = await self._tried(alert, body)
            if not again:
                return problem
        return f"{problem}, {self._attempts} times"

    async def _tried(self, alert: Alert, body: bytes) -> tuple[str, bool]:
        """What is wrong, if anything, and whether trying again may help."""
        try:
            response = await self._client.post(self._url, self._headers(alert, body), body, self._timeout)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__, True  # what it says may quote the URL
        response.release()
        if response.status < 300:
            return "", False
        return f"it answered {response.status}", response.status in _AGAIN or response.status >= 500

    def _headers(self, alert: Alert, body: bytes) -> dict[str, str]:
        message_id, now = f"{alert.alert_id}-{alert.state.replace(' ', '-')}-{alert.at:.0f}", int(time.time())
        headers = {"Content-Type": "application/json", "User-Agent": f"banditroute/{__version__}"}
        headers |= {"webhook-id": message_id, "webhook-timestamp": f"{now}"}
        if self._key is not None:
            headers["webhook-signature"] = signed(self._key, message_id, now, body)
        return headers


def alert_json(alert: Alert) -> bytes:
    """The body of a post: all of the alert, as JSON."""
    return orjson.dumps(asdict(alert))
