"""Connections to one SQLite file, set up alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

BUSY_TIMEOUT_S = 5.0

_STATEMENTS = 64
_CACHE_KIB = 512  # SQLite's own 2,000 make no commit faster: rows are written behind each other, and hardly read
_WAL_LIMIT_BYTES = 64 << 20  # a log that grew beyond this in a burst is cut back afterwards


def connect_to_write(path: str, *, fsync: bool) -> sqlite3.Connection:
    """A connection that writes; makes the file where there is none. It waits for nobody but where it is told to.

    Args:
        path: the file.
        fsync: wait for the disk at each commit, so that a power cut loses nothing either.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = _connect(path)
    try:
        if not connection.execute("PRAGMA page_count").fetchone()[0]:  # binds only before a file's first write
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA fullfsync = {fsync}")  # macOS: through the disk's own cache; nothing elsewhere
        connection.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # it waits for the disk, in the middle of a commit
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        connection.execute("PRAGMA busy_timeout = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: str) -> sqlite3.Connection:
    """A connection that only reads, and waits for no writer.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = _connect(_existing(path), uri=True)
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_alone(path: str) -> sqlite3.Connection:
    """A connection that writes to a file while nobody else has it open, nor can open it before this one is closed.

    Raises:
        sqlite3.Error: it cannot be opened, or somebody has it open; no file is made.
    """
    connection = _connect(_existing(path), uri=True)
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        with transaction(connection):  # the lock is taken by the first use, not by the pragma
            pass
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def waiting(connection: sqlite3.Connection) -> Generator[None]:
    """Has a connection wait for others, inside."""
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
    try:
        yield
    finally:
        connection.execute("PRAGMA busy_timeout = 0")


def checkpoint(path: str) -> None:
    """Copies what the log beside a file holds into the file, as far as nobody reads it; others may write meanwhile.

    Raises:
        sqlite3.Error: it could not.
    """
    connection = _connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Generator[None]:
    """Commits what is done inside; undoes it where an error ends it."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def overwriting(connection: sqlite3.Connection) -> Generator[None]:
    """Has what is deleted overwritten with zeros, inside."""
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = OFF").fetchall()


def _existing(path: str) -> str:
    """The address of a file that is not made where there is none."""
    return Path(path).absolute().as_uri() + "?mode=rw"


def _connect(path: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
        uri=uri,
    )
