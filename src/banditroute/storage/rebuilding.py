"""The state that is kept beside the one that the log amounts to, and the second put in the place of the first."""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from banditroute.errors import StoreError

from .connecting import connect_alone, transaction
from .faults import explained, is_locked
from .folding import rebuilt_of, replace, state_of
from .protocol import State
from .schema import check_version


class Comparison(NamedTuple):
    """Two states as of one instant.

    Attributes:
        kept: what is kept up to date with the log; rebuilt: the same, computed anew from it.
    """

    kept: State
    rebuilt: State


def compared(connection: sqlite3.Connection) -> Comparison:
    """Both states, inside a transaction.

    Raises:
        StoreError: a row is damaged.
    """
    return Comparison(state_of(connection), rebuilt_of(connection))


def put_right(path: str | os.PathLike[str]) -> Comparison:
    """Puts what the log amounts to in the place of what is kept, all or nothing; both, as they were before.

    Raises:
        StoreError: another connection has the file open, be it idle, as a router at work does; or it cannot be
            written, or a row is damaged. Nothing is changed then.
    """
    where = os.fspath(path)
    with explained(where, "rebuild the store"):
        connection = alone(where)
        try:
            with transaction(connection):
                check_version(connection, where)
                found = compared(connection)
                replace(connection, found.rebuilt)
            return found
        finally:
            connection.close()


def alone(path: str) -> sqlite3.Connection:
    """A connection that writes to the file while nobody else has it open.

    Raises:
        StoreError: somebody has.
        sqlite3.Error: it cannot be opened.
    """
    try:
        return connect_alone(path)
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        raise StoreError(f"{path}: a router or another program has it open; stop it, then rebuild") from error
