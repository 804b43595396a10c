"""Forgetting old rows: what they taught and spent goes to the retired sums in the transaction that deletes them.

The sums have to be up to the log by then: of a row that is gone they could not learn any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from .connecting import overwriting, transaction
from .folding import fold
from .reading import PAGE, Logged, settled_before
from .tally import Tally
from .totals import RETIRED, Totals

_FORGET_PROMPTS = (
    "UPDATE decision SET prompt = NULL WHERE seq IN (SELECT seq FROM decision INDEXED BY decision_prompt "
    "WHERE prompt IS NOT NULL AND at < ? AND EXISTS (SELECT 1 FROM outcome WHERE decision = seq) ORDER BY at LIMIT ?)"
)
_FREED_PAGES = 512  # given back to the disk after each step, about what a step frees


def prune_page(connection: sqlite3.Connection, before: float) -> int:
    """Forgets one page of settled decisions older than an instant; returns how many there were, 0 at the end.

    Raises:
        StoreError: a row is damaged; nothing was forgotten.
        sqlite3.Error: it cannot be written; nothing was forgotten.
    """
    with transaction(connection):
        fold(connection)
        rows = settled_before(connection, before)
        tally = Tally()
        for row in rows:
            row.add_to(tally)
        Totals(connection, RETIRED).add(tally)
        forget_rows(connection, rows)
    give_back(connection)
    return len(rows)


def forget_prompts(connection: sqlite3.Connection, before: float) -> int:
    """Forgets one page of settled decisions' prompts older than an instant; returns how many, 0 at the end.

    Raises:
        sqlite3.Error: it cannot be written; nothing was forgotten.
    """
    with overwriting(connection), transaction(connection):
        forgotten = connection.execute(_FORGET_PROMPTS, (before, PAGE)).rowcount
    give_back(connection)
    return forgotten


def give_back(connection: sqlite3.Connection) -> None:
    """Gives the disk back some of the room that deleted rows took, about as much as a step frees."""
    connection.executescript(f"PRAGMA incremental_vacuum({_FREED_PAGES})")  # `execute` would stop after one page


def forget_rows(connection: sqlite3.Connection, rows: Sequence[Logged]) -> None:
    """Deletes settled decisions with their outcomes and judgements, inside a transaction."""
    gone = [(row.seq,) for row in rows]
    connection.executemany("DELETE FROM feedback WHERE decision = ?", gone)
    connection.executemany("DELETE FROM outcome WHERE decision = ?", gone)
    connection.executemany("DELETE FROM decision WHERE seq = ?", gone)
