"""The state that is kept beside the one that the log amounts to, and the second put in the place of the first."""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple, Protocol

from banditroute.errors import StoreError

from .connecting import connect_alone, transaction
from .faults import explained, is_locked
from .folding import rebuilt_of, replace, state_of
from .protocol import SharedStore, State, StoreReader
from .schema import check_version
from .sharing import Report


class Comparison(NamedTuple):
    """Two states as of one instant.

    Attributes:
        kept: what is kept up to date with the log; rebuilt: the same, computed anew from it.
    """

    kept: State
    rebuilt: State


class ComparingReader(StoreReader, Protocol):
    """Reads a store, and tells whether what is kept is what the log says."""

    async def compared(self) -> Comparison:
        """The state that is kept, and the one computed anew."""
        ...


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


async def put_server_right(store: SharedStore) -> None:
    """Puts what the log amounts to in the place of what is kept, of a store that several processes use.

    Raises:
        StoreError: one of them is at work; or it cannot be written, or a row is damaged. Nothing is changed then.
    """
    others = (await store.exchange(Report("rebuild", 0.0, 0.0, leaving=True))).others
    if others:
        raise StoreError(f"{', '.join(others)} is at work on the store; stop it, then rebuild")
    await store.replace(await store.rebuilt())


def alone(path: str, then: str = "rebuild") -> sqlite3.Connection:
    """A connection that writes to the file while nobody else has it open.

    Args:
        path: the file.
        then: what is to be done once nobody has.

    Raises:
        StoreError: somebody has.
        sqlite3.Error: it cannot be opened.
    """
    try:
        return connect_alone(path)
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        raise StoreError(f"{path}: a router or another program has it open; stop it, then {then}") from error
