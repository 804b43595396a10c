"""Where imported judgements go: into a store, or to a gateway."""

import time
from dataclasses import replace
from typing import Any, Protocol

import aiohttp

from banditroute.cli.feedback_rows import Row
from banditroute.errors import FeedbackError, InputError, NotServedError, StoreError, UnknownDecisionError
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.routing.trust import Judgement, Trust, TrustSettings
from banditroute.storage.finding import answers_of
from banditroute.storage.judging import judgeable
from banditroute.storage.protocol import Store, StoreReader

_TIMEOUT = aiohttp.ClientTimeout(total=60.0)


class Taker(Protocol):
    """Takes judgements in."""

    async def take(self, row: Row) -> bool:
        """Whether it was new.

        Raises:
            UnknownDecisionError: nothing of that name is on record.
            NotServedError: it has no whole answer.
            FeedbackError: it is none.
        """
        ...


class StoreTaker:
    """Into a store, as its router would: each counts what `[trust]` says of its source; an import is no flood.

    Args:
        reader: of the store.
        store: takes them; None = nobody does, they are only looked up.
        trust: how much to believe whom.
    """

    def __init__(self, reader: StoreReader, store: Store | None, trust: TrustSettings) -> None:
        self._reader = reader
        self._store = store
        self._trust = Trust(replace(trust, most_share=1.0, severity=0.0))

    async def take(self, row: Row) -> bool:
        """Whether it was new, of any of the answers that are meant."""
        decisions = [row.decision_id or ""]
        if row.named is not None:
            decisions = await answers_of(self._reader, row.named, _settled, every=row.every)
        return any([await self._judge(each, row, row.weight / len(decisions)) for each in decisions])

    async def _judge(self, decision_id: str, row: Row, share: float) -> bool:
        trail = await self._reader.trail(decision_id)
        outcome = judgeable(decision_id, trail.outcome)
        sources = tuple(known.source for known in trail.feedback)
        if row.source in sources:
            return False
        if self._store is None:
            return True
        now = time.time()
        weight = share * self._trust.weigh(
            Judgement(trail.decision.tenant, row.source, row.quality, None, sources), now
        )
        feedback = Feedback(decision_id, row.quality, row.source, now if row.at is None else row.at, weight)
        return await self._store.judge(feedback, lesson_of(trail.decision, outcome, feedback))


async def _settled(_: str) -> None:
    """Nothing is being settled by this process."""


class GatewayTaker:
    """To a gateway.

    Args:
        session: with the key, if any, among its headers.
        url: of the gateway.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/").removesuffix("/v1") + "/v1/feedback"

    async def take(self, row: Row) -> bool:
        """Whether it was new."""
        try:
            async with self._session.post(self._url, json=_body(row), timeout=_TIMEOUT) as reply:
                told: Any = await reply.json(content_type=None) if reply.status < 500 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StoreError(f"{self._url}: no answer: {error or type(error).__name__}") from None
        return _meant(self._url, reply.status, told, row)


def _body(row: Row) -> dict[str, Any]:
    names: dict[str, Any] = {"decision_id": row.decision_id, "at": row.at}
    if row.named is not None:
        names |= {"request_id": row.named.request_id or None, "session_id": row.named.session_id or None}
    rest = {"quality": row.quality, "source": row.source, "weight": row.weight, "every": row.every}
    return {**{name: value for name, value in names.items() if value is not None}, **rest}


def _meant(url: str, status: int, told: Any, row: Row) -> bool:
    """What the gateway's reply means."""
    if status == 200:
        return bool(told.get("recorded"))
    error: Any = told.get("error") if isinstance(told, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    problem = str(error.get("message")) if isinstance(error, dict) else f"status {status}"
    name = row.decision_id or (row.named and (row.named.request_id or row.named.session_id)) or ""
    if code == "decision_not_found":
        raise UnknownDecisionError(name, row.what)
    if status == 409:
        raise NotServedError(name, "it has no whole answer (yet)")
    if status in (400, 422):
        raise FeedbackError(problem)
    if status in (401, 403, 404):
        raise InputError(problem, remedy="check --url and --key-env", field=url)
    raise StoreError(f"{url}: {problem}")
