"""Deleting everything of one tenant from a SQLite file, step by step.

What is deleted is overwritten with zeros, and the log beside the file, which holds what was there before, is emptied at
the end as far as nobody reads it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from .connecting import overwriting, transaction
from .folding import fold
from .protocol import Deleted
from .pruning import forget_rows, give_back
from .reading import Logged, naming
from .tally import Tally
from .totals import RETIRED, Totals
from .withdrawing import Withdrawn, needle_of, withdrawal

_KEYS = "DELETE FROM gateway_key WHERE tenant = ?"
_LEASES = "DELETE FROM lease WHERE budget = ?"


class Deletion:
    """One tenant's deletion: `begin`, `step` until it returns 0, `end`.

    Args:
        tenant: whose.
        budgets: those that are the tenant's alone.
    """

    def __init__(self, tenant: str, budgets: Collection[str]) -> None:
        self._tenant = tenant
        self._needle = needle_of(tenant)
        self._budgets = budgets
        self._after = 0
        self._counted = Withdrawn()
        self._keys = self._left = 0

    @property
    def deleted(self) -> Deleted:
        """What is gone so far."""
        counted = self._counted
        return Deleted(counted.decisions, counted.judgements, counted.prompts, self._keys, self._left)

    def begin(self, connection: sqlite3.Connection) -> int:
        """Takes the keys back first, so that nothing new comes; returns how many there were."""
        with overwriting(connection), transaction(connection):
            self._keys = connection.execute(_KEYS, (self._tenant,)).rowcount
        return self._keys

    def step(self, connection: sqlite3.Connection) -> int:
        """Deletes what a stretch of the log has; 0 at the end of the log.

        Raises:
            StoreError: a row is damaged; nothing of the stretch was deleted.
            sqlite3.Error: it cannot be written; nothing of the stretch was deleted.
        """
        found = naming(connection, self._needle, self._after)  # without keeping others from writing
        if any(self._is_own(row) for row in found.rows):
            with overwriting(connection), transaction(connection):
                fold(connection)
                rows = [row for row in naming(connection, self._needle, self._after).rows if self._is_own(row)]
                self._delete(connection, rows)
            give_back(connection)
        self._after = found.upto
        return int(not found.is_last)

    def end(self, connection: sqlite3.Connection) -> int:
        """Forgets what the tenant's own budgets have spent; returns how many budgets there were."""
        with overwriting(connection), transaction(connection):
            fold(connection)
            for prefix in ("", RETIRED):
                Totals(connection, prefix).drop(self._budgets)
            connection.executemany(_LEASES, [(budget,) for budget in self._budgets])
        give_back(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(self._budgets)

    def _is_own(self, row: Logged) -> bool:
        return row.trail.decision.tenant == self._tenant

    def _delete(self, connection: sqlite3.Connection, rows: Sequence[Logged]) -> None:
        gone = [row for row in rows if row.trail.outcome is not None]
        taught = Tally()
        for row in gone:
            row.add_to(taught)
        totals, retired = Totals(connection), Totals(connection, RETIRED)
        off = withdrawal(taught.evidence, totals.of(taught.evidence), retired.of(taught.evidence))
        totals.add(Tally(off.kept))
        retired.add(Tally(off.retired, taught.spent_usd, taught.paces, taught.paid))
        forget_rows(connection, gone)
        self._left += len(rows) - len(gone)
        for row in gone:
            self._counted.count(row.trail)
