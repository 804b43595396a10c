"""What is read of the log, and what it amounts to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

from banditroute.records import Alarm, Incident
from banditroute.routing.lessons import Edge
from banditroute.storage.codec import (
    alarm_of,
    dispatch_of,
    feedback_of,
    incident_of,
    name_json,
    names_of,
    pace_of,
    settled_of,
)
from banditroute.storage.protocol import Dispatch, Named, Paid, State, StoredKey, Switch, Trail, Window
from banditroute.storage.reading import PAGE, STRETCH, Logged
from banditroute.storage.tally import LoggedPace, Tally

from .address import Place
from .days import suffix_of
from .driver import Connection
from .folding import Folder
from .sums import numbers_of

_NO_PLACE = 2**63 - 1

_ROW = """
SELECT d.seq, d.dispatch, d.prompt, o.settlement, o.number, (
    SELECT array_agg(f.feedback ORDER BY f.seq) FROM {schema}.feedback{suffix} f
    WHERE f.decision = d.seq AND f.day = d.day
)
FROM {schema}.decision{suffix} d
LEFT JOIN {schema}.outcome{suffix} o ON o.decision = d.seq AND o.day = d.day
"""
_UPTO = "SELECT max(seq) FROM (SELECT seq FROM {schema}.decision WHERE seq > $1 ORDER BY seq LIMIT $2) AS stretch"
_UNSETTLED = """
SELECT d.dispatch, d.prompt FROM {schema}.unsettled u
JOIN {schema}.decision d ON d.seq = u.decision AND d.day = u.day ORDER BY d.seq
"""
_EVIDENCE = (
    "SELECT task, model, signal, encoder_version, sums FROM {schema}.evidence "
    "WHERE retired = $1 AND sums IS NOT NULL ORDER BY task, model, signal, encoder_version"
)
_SPENT = "SELECT budget, period, usd FROM {schema}.spent WHERE retired = $1"
_PACES = "SELECT budget, number, pace FROM {schema}.pace WHERE retired = $1"
_PAID = "SELECT budget, requests, usd FROM {schema}.paid WHERE retired = $1"
_DETACHED = "SELECT day FROM {schema}.detached ORDER BY day"
_ALARMS = "SELECT alarm FROM {schema}.alarm ORDER BY seq DESC LIMIT $1"
_INCIDENTS = "SELECT incident FROM {schema}.incident WHERE at >= $1 ORDER BY at DESC LIMIT $2"
_SWITCHES = 'SELECT name, value, at, configured FROM {schema}.switch ORDER BY name COLLATE "C"'
_KEYS = (
    "SELECT key_id, name, digest, tenant, models, tasks, requests_per_minute, admin, created_at, revoked_at "
    'FROM {schema}.gateway_key ORDER BY created_at, key_id COLLATE "C"'
)


class Reading:
    """The queries; each reads through a connection that it is given.

    Args:
        place: where the store is.
    """

    def __init__(self, place: Place) -> None:
        self._sql = place.sql
        self._folder = Folder(place, "")

    async def find(self, connection: Connection, decision_id: str) -> Logged | None:
        """A decision by its id; None where it is not on record."""
        found = await self._logged(connection, "WHERE d.decision_id = $1 LIMIT 1", decision_id)
        return found[0] if found else None

    async def named(self, connection: Connection, by: Named, limit: int) -> list[Logged]:
        """The newest decisions that their caller named so, newest first."""
        which, name = ("request_of", by.request_id) if by.request_id else ("session_of", by.session_id)
        tail = f"WHERE {{schema}}.{which}(d.dispatch) = $1 AND d.seq < $2 ORDER BY d.seq DESC LIMIT {PAGE}"
        found: list[Logged] = []
        before = _NO_PLACE
        while len(found) < limit and (rows := await self._logged(connection, tail, name_json(name), before)):
            found += [row for row in rows if by.fits(row.trail.dispatch)]
            before = rows[-1].seq
        return found[:limit]

    async def page(self, connection: Connection, after: int, day: date | None = None) -> list[Logged]:
        """The rows that follow a place in the log, as many as make a page; of a detached day, where one is given."""
        tail = f"WHERE d.seq > $1 ORDER BY d.seq LIMIT {PAGE}"
        return await self._logged(connection, tail, after, suffix="" if day is None else suffix_of(day))

    async def newest(self, connection: Connection, limit: int) -> list[Logged]:
        """The rows that were taken in last, newest first."""
        return await self._logged(connection, "ORDER BY d.seq DESC LIMIT $1", limit)

    async def settled_before(self, connection: Connection, before: float, since: date, until: date) -> list[Logged]:
        """The first decisions of some days that were made before an instant and have an outcome; a page of them."""
        tail = f"WHERE d.at < $1 AND d.day BETWEEN $2 AND $3 AND o.number IS NOT NULL ORDER BY d.seq LIMIT {PAGE}"
        return await self._logged(connection, tail, before, since, until)

    async def naming(self, connection: Connection, text: str, after: int) -> tuple[list[Logged], int | None]:
        """Of the stretch of the log after a place the rows whose decision holds a text, and its end; None = no more."""
        upto: int | None = await connection.fetchval(self._sql(_UPTO), after, STRETCH)
        tail = "WHERE d.seq > $1 AND d.seq <= $2 AND position($3 in d.dispatch) > 0 ORDER BY d.seq"
        return ([] if upto is None else await self._logged(connection, tail, after, upto, text)), upto

    async def those(self, connection: Connection, seqs: Sequence[int]) -> list[Logged]:
        """The rows at these places, as far as they are there."""
        return await self._logged(connection, "WHERE d.seq = ANY($1) ORDER BY d.seq", list(seqs))

    async def unsettled(self, connection: Connection) -> list[Dispatch]:
        """Decisions without an outcome, oldest first."""
        return [dispatch_of(*row.values()) for row in await connection.fetch(self._sql(_UNSETTLED))]

    async def state(self, connection: Connection) -> State:
        """What the log amounts to, by the sums and the rows that are in none yet; in a transaction."""
        tally = await self.totals(connection, retired=False)
        tally.merge((await self._folder.rows(connection)).tally)
        return tally.state()

    async def rebuilt(self, connection: Connection) -> State:
        """The same, computed anew; in a transaction."""
        return (await self.recounted(connection)).state()

    async def recounted(self, connection: Connection) -> Tally:
        """The sums of every row and of those that are gone; in a transaction."""
        tally = await self.totals(connection, retired=True)
        detached = [row[0] for row in await connection.fetch(self._sql(_DETACHED))]
        for day in (*detached, None):
            async for logged in self.pages(connection, day):
                logged.add_to(tally)
        return tally

    async def pages(self, connection: Connection, day: date | None = None) -> AsyncIterator[Logged]:
        """Every row, in the order of the log; of a detached day, where one is given."""
        after = 0
        while rows := await self.page(connection, after, day):
            for row in rows:
                yield row
            after = rows[-1].seq

    async def totals(self, connection: Connection, *, retired: bool) -> Tally:
        """The sums as they are kept.

        Raises:
            StoreError: a row is damaged.
        """
        evidence = await connection.fetch(self._sql(_EVIDENCE), retired)
        spent = await connection.fetch(self._sql(_SPENT), retired)
        paces = await connection.fetch(self._sql(_PACES), retired)
        paid = await connection.fetch(self._sql(_PAID), retired)
        return Tally(
            {Edge(*edge): numbers_of(sums) for *edge, sums in (row.values() for row in evidence)},
            {Window(budget, period): usd for budget, period, usd in (row.values() for row in spent)},
            {budget: LoggedPace(number, pace_of(pace)) for budget, number, pace in (row.values() for row in paces)},
            {budget: Paid(requests, usd) for budget, requests, usd in (row.values() for row in paid)},
        )

    async def alarms(self, connection: Connection, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        return [alarm_of(row[0]) for row in await connection.fetch(self._sql(_ALARMS), limit)]

    async def incidents(self, connection: Connection, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        rows = await connection.fetch(self._sql(_INCIDENTS), since, max(limit, 0))
        return [incident_of(row[0]) for row in rows]

    async def switches(self, connection: Connection) -> list[Switch]:
        """Every switch."""
        return [Switch(*row.values()) for row in await connection.fetch(self._sql(_SWITCHES))]

    async def keys(self, connection: Connection) -> list[StoredKey]:
        """Every key, oldest first."""
        return [_key(*row.values()) for row in await connection.fetch(self._sql(_KEYS))]

    async def _logged(self, connection: Connection, tail: str, *values: object, suffix: str = "") -> list[Logged]:
        query = self._sql(_ROW.replace("{suffix}", suffix) + tail)
        return [_row(*row.values()) for row in await connection.fetch(query, *values)]


def _row(
    seq: int,
    dispatch: str,
    prompt: bytes | None,
    settlement: str | None,
    number: int | None,
    judged: Sequence[str] | None,
) -> Logged:
    begun = dispatch_of(dispatch, prompt)
    if settlement is None:
        return Logged(seq, Trail(begun), (), 0)
    outcome, charges, paces = settled_of(settlement)
    feedback = tuple(feedback_of(text) for text in judged or ())
    return Logged(seq, Trail(begun, outcome, charges, feedback), paces, number or 0)


def _key(key_id: str, name: str, digest: bytes, tenant: str, models: str, tasks: str, *rest: Any) -> StoredKey:
    return StoredKey(key_id, name, digest, tenant, names_of(models), names_of(tasks), *rest)
