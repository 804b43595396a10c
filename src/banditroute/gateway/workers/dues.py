"""When the requests of each key are due, in memory that workers share: a key's limit holds for all of them together.

A table of fixed size in a mapped file, under the file's lock: some two microseconds a request, and only of keys that
have a limit. The system lets go of the lock of a process that dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path

_SLOT = struct.Struct("=16sd")  # digest of a key's name, when its requests would all have been due
_SLOTS = 8  # in a row; a key has its place in one row
_ROWS = 1024
_ROW_BYTES = _SLOT.size * _SLOTS


class SharedDues:
    """The table in a file, which is made where there is none.

    Instants are of the system's monotonic clock, which is the same in all processes.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, _ROW_BYTES * _ROWS)
        self._table = mmap.mmap(self._file, _ROW_BYTES * _ROWS)

    def move(self, name: str, now: float, to: Callable[[float], float]) -> None:
        """Moves a key's due to what the function makes of it; it stays where the function raises.

        Args:
            name: of the key.
            now: the instant; a due before it is the same as none.
            to: the new due for the old.
        """
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        row = int.from_bytes(digest[:4], "little") % _ROWS * _ROW_BYTES
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            place, due = self._find(digest, row)
            _SLOT.pack_into(self._table, place, digest, to(max(due, now)))
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Lets go of the file."""
        self._table.close()
        os.close(self._file)

    def _find(self, digest: bytes, row: int) -> tuple[int, float]:
        """A key's place and due: its own, or that of whoever is due first, most likely long ago."""
        slots = [(row + at, *_SLOT.unpack_from(self._table, row + at)) for at in range(0, _ROW_BYTES, _SLOT.size)]
        for place, whose, due in slots:
            if whose == digest:
                return place, due
        return min(slots, key=lambda slot: slot[2])[0], 0.0
