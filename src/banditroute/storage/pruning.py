"""Forgetting old rows: what they taught and spent goes to the retired sums in the transaction that deletes them.

The sums have to be up to the log by then: of a row that is gone they could not learn any more.
"""

from __future__ import annotations

import sqlite3

from .connecting import transaction
from .folding import fold
from .reading import settled_before
from .tally import Tally
from .totals import RETIRED, Totals

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
        gone = [(row.seq,) for row in rows]
        connection.executemany("DELETE FROM feedback WHERE decision = ?", gone)
        connection.executemany("DELETE FROM outcome WHERE decision = ?", gone)
        connection.executemany("DELETE FROM decision WHERE seq = ?", gone)
    connection.executescript(f"PRAGMA incremental_vacuum({_FREED_PAGES})")  # `execute` would stop after one page
    return len(rows)
