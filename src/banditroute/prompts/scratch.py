"""Arrays that a thread keeps to work in, for new ones for each prompt cost more than what is done in them.

What is large goes back to the operating system when it is let go, and every page of the next one is a fault.
"""

from __future__ import annotations

from threading import local

import numpy as np
from numpy.typing import NDArray

MOST_HASHES = 1 << 16
"""More than a text has: six for each of at most 8,192 characters, and some for its ends."""

_WIDEST = 32
_PLACES = 1 << 17


class _Scratch(local):
    """One thread's; nothing that is found in them may be relied on.

    Attributes:
        hashes, mixed, buckets, met: (MOST_HASHES,) of a text's hashes.
        seen: (2 BUCKETS,) what was met last in each bucket.
        rows: memory for a row of a table for each hash.
    """

    def __init__(self) -> None:
        self.hashes = np.empty(MOST_HASHES, dtype=np.uint32)
        self.mixed = np.empty(MOST_HASHES, dtype=np.uint32)
        self.buckets = np.empty(MOST_HASHES, dtype=np.int64)
        self.met = np.empty(MOST_HASHES, dtype=np.uint16)
        self.seen = np.empty(_PLACES, dtype=np.uint16)
        self.rows = np.empty(MOST_HASHES * _WIDEST, dtype=np.float32)

    def rows_of(self, count: int, width: int) -> NDArray[np.float32]:
        """Memory for so many rows, (count, width)."""
        return self.rows[: count * width].reshape(count, width)


SCRATCH = _Scratch()
