"""What SQLite reports, in one line that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from banditroute.errors import StoreError

_REMEDIES = (
    ("SQLITE_FULL", "the disk is full; free some space, the process can go on meanwhile"),
    ("SQLITE_BUSY", "another process holds it locked; see which one has it open and writes for seconds"),
    ("SQLITE_LOCKED", "another process holds it locked; see which one has it open and writes for seconds"),
    ("SQLITE_READONLY", "it may not be written; check the permissions of the file and its folder"),
    ("SQLITE_CANTOPEN", "it cannot be opened; check that its folder exists and may be written"),
    ("SQLITE_PERM", "it may not be opened; check the permissions of the file and its folder"),
    ("SQLITE_CORRUPT", "the file is damaged; put a backup in its place, or move it away to begin anew"),
    ("SQLITE_NOTADB", "this is no SQLite database; give another path, or move the file away"),
    ("SQLITE_IOERR", "the disk fails to read or write; check it and the space that is left"),
)

_PASSING = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR_WRITE")


def may_pass(error: sqlite3.Error) -> bool:
    """Whether the connection that met with the error is as good as before."""
    return getattr(error, "sqlite_errorname", "").startswith(_PASSING)


def is_locked(error: Exception) -> bool:
    """Whether another connection stood in the way."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def store_error(path: str, doing: str, error: sqlite3.Error) -> StoreError:
    """The error to raise for one of SQLite's: what failed, where, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    remedy = next((remedy for code, remedy in _REMEDIES if name.startswith(code)), "")
    what = " ".join(str(error).split())
    return StoreError(f"{path}: cannot {doing}: {what}; {remedy}" if remedy else f"{path}: cannot {doing}: {what}")


@contextmanager
def explained(path: str, doing: str) -> Generator[None]:
    """Raises StoreError for what SQLite reports inside."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(path, doing, error) from error
