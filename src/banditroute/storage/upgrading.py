"""Bringing a store's file from an earlier version of the library up to date, with a copy of it as it was."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

from banditroute.errors import StoreError

from .connecting import connect_to_read
from .copying import Copied, copy
from .faults import explained
from .rebuilding import alone
from .schema import MIGRATIONS, migrate, version_of


class Upgrade(NamedTuple):
    """What a file's tables were and are.

    Attributes:
        before: their version.
        after: the one that this library reads.
        copied: the file as it was; None = no copy was made.
    """

    before: int
    after: int
    copied: Copied | None = None

    @property
    def is_due(self) -> bool:
        """Whether there is anything to be done."""
        return self.before != self.after


def upgrade_of(path: str) -> Upgrade:
    """What is to be done to a file; nothing is.

    Raises:
        StoreError: it cannot be read, is no store, or a newer version of the library wrote it.
    """
    with explained(path, "read the store"), closing(connect_to_read(path)) as connection:
        before = version_of(connection, path)
    if not before:
        raise StoreError(f"{path}: no decisions are in it; run the router first, or check the path")
    return Upgrade(before, len(MIGRATIONS))


def upgraded(path: str, backup: str | None) -> Upgrade:
    """Brings a file up to date, all or nothing; one that is so already is left alone.

    Args:
        path: the file; nobody else may have it open.
        backup: where to copy it to before; None = nowhere.

    Raises:
        InputError: the copy cannot be made there.
        StoreError: somebody has it open; or it cannot be written. Nothing is changed then.
    """
    due = upgrade_of(path)
    if not due.is_due:
        return due
    with explained(path, "bring the store up to date"):
        alone(path, "migrate").close()  # before a copy is made for nothing
        copied = None if backup is None else copy(path, backup)
        with closing(alone(path, "migrate")) as connection:
            migrate(connection, path)
    return due._replace(copied=copied)
