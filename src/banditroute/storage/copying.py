"""A copy of a store's file as of one instant, made beside the router that writes it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from banditroute.errors import InputError, StoreError

from .connecting import connect_to_read, transaction
from .faults import explained
from .schema import version_of


class Copied(NamedTuple):
    """What a copy holds, as read back from it.

    Attributes:
        path: where it is.
        version: of its tables.
        decisions: how many.
        size_bytes: of the file.
    """

    path: str
    version: int
    decisions: int
    size_bytes: int


def copy(source: str, target: str) -> Copied:
    """Copies a store's file; nobody who writes it waits, and what is written meanwhile is not in the copy.

    The copy is read back whole before it gets its name. It is one file, and may be read by whom the source may.

    Raises:
        InputError: something is there already, or nothing can be made there.
        StoreError: the source cannot be read, is no store or a newer library's, or is damaged.
    """
    if os.path.lexists(target):
        raise InputError("there is a file already, which may be the only good copy", remedy=_ANOTHER, path=target)
    draft = Path(target).with_name(f".{Path(target).name}.{os.getpid()}.part")
    try:
        draft.touch(0o600, exist_ok=False)
        found = _copied(source, draft)
        draft.chmod(Path(source).stat().st_mode & 0o777)
        Path(target).touch(exist_ok=False)  # so that no file's place is taken that came meanwhile
        draft.replace(target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be written: {reason}", remedy=_ANOTHER, path=target) from error
    finally:
        draft.unlink(missing_ok=True)
    return found._replace(path=target)


_ANOTHER = "name another file"


def damages(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What SQLite finds wrong with a file, a line each; it reads all of it."""
    found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check")]
    return () if found == ["ok"] else tuple(found)


def _copied(source: str, draft: Path) -> Copied:
    with explained(source, "copy the store"), closing(connect_to_read(source)) as reading:
        version = version_of(reading, source)
        if not version:
            raise StoreError(f"{source}: no decisions are in it; there is nothing to copy")
        with closing(sqlite3.connect(draft, isolation_level=None)) as writing:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
            return _read_back(writing, source, draft)


def _read_back(connection: sqlite3.Connection, source: str, draft: Path) -> Copied:
    with transaction(connection, "DEFERRED"):
        if wrong := damages(connection):
            raise StoreError(f"{source}: the file is damaged ({wrong[0]}): a copy of it would be of no use")
        decisions = connection.execute("SELECT count(*) FROM decision").fetchone()[0]
        return Copied("", version_of(connection, source), decisions, draft.stat().st_size)
