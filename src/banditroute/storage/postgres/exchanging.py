"""What a process tells and hears, as the arguments and the answer of one function in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from banditroute.learning.evidence import Evidence
from banditroute.routing.lessons import Edge
from banditroute.storage.packing import length_of, unpacked
from banditroute.storage.sharing import Ask, Grant, News, OpenCircuit, Paid, Report

from .address import Place
from .driver import Connection
from .folding import Folder
from .pending import Pending
from .sums import NO_SUMS, SumsRow, numbers_of

_EXCHANGE = "SELECT * FROM {schema}.exchange($1, $2, $3)"


class Exchanger:
    """Exchanges reports for news: one statement, or a transaction of four where something was written since.

    Args:
        place: where the store is.
        writer: names this process's store.
        folder: adds up what was written.
    """

    def __init__(self, place: Place, writer: str, folder: Folder) -> None:
        self._sql = place.sql(_EXCHANGE)
        self._writer = writer
        self._folder = folder

    async def exchange(self, connection: Connection, report: Report, pending: Pending) -> News:
        """Adds up what is pending and tells the news at one instant.

        Raises:
            StoreError: a row is damaged.
            asyncpg.PostgresError, OSError: nothing was changed, or all of it and nobody knows.
        """
        if pending.sure and not pending.rows:
            row = await self._ask(connection, NO_SUMS, report)
        else:
            async with connection.transaction():
                row = await self._ask(connection, await self._folder.taken(connection, pending), report)
        if row["orphans"]:
            async with connection.transaction():
                await self._folder.fold_batches(connection, row["orphans"])
        return _news(row, report.asks)

    async def _ask(self, connection: Connection, sums: SumsRow, report: Report) -> Any:
        row = await connection.fetchrow(self._sql, self._writer, sums, _report(report))
        assert row is not None, "a function returns a row"
        return row


def _report(report: Report) -> tuple[Any, ...]:
    asks, circuits = report.asks, report.circuits
    return (
        report.holder,
        report.alive_s,
        report.lease_s,
        report.known,
        report.leaving,
        [ask.window.budget for ask in asks],
        [ask.window.period for ask in asks],
        [ask.cap_usd for ask in asks],
        [ask.held_usd for ask in asks],
        [ask.wanted_usd for ask in asks],
        [circuit.model for circuit in circuits],
        [circuit.for_s for circuit in circuits],
        [circuit.why for circuit in circuits],
    )


def _news(row: Mapping[str, Any], asks: tuple[Ask, ...]) -> News:
    paid = _columns(row, "paid_budgets", "paid_requests", "paid_usd")
    grants = zip(asks, _columns(row, "grants_usd", "spent_usd"), strict=True)
    return News(
        version=row["version"],
        evidence=dict(_evidence(row["changed"])),
        paid={budget: Paid(requests, usd) for budget, requests, usd in paid},
        grants=tuple(Grant(ask.window, usd, spent_usd) for ask, (usd, spent_usd) in grants),
        others=tuple(row["others"] or ()),
        circuits=tuple(OpenCircuit(*each) for each in _columns(row, "open_models", "open_for_s", "open_whys")),
        on_duty=row["on_duty"],
    )


def _columns(row: Mapping[str, Any], *names: str) -> Iterable[tuple[Any, ...]]:
    return zip(*(row[name] or () for name in names), strict=True)


def _evidence(changed: Mapping[str, Any]) -> Iterable[tuple[Edge, Evidence]]:
    names = ("tasks", "models", "signals", "encoder_versions", "widths", "sums")
    for *edge, width, sums in _columns(changed, *names):
        yield Edge(*edge), unpacked(numbers_of(sums if sums is not None else bytes(8 * length_of(width))))
