"""Arrays that a thread keeps to work in, for new ones for each prompt cost more than what is done in them.

What is large goes back to the operating system when it is let go, and every page of the next one is a fault.
"""

from __future__ import annotations

from threading import local

import numpy as np
from numpy.typing import NDArray

MOST_HASHES = 1 << 16
"""More than a text has: six for each of at most 8,192 characters, and some for its ends."""

_CELLS = 50_000 * 16
"""For a row of 16 for each hash, and one of 32 for each of a word, which are half of them.

Numpy asks for huge pages from 4 MB on, and one of them is 2 MB of memory for the shortest text; this is below that.
"""

_PLACES = 1 << 17


class _Scratch(local):
    """One thread's; nothing that is found in them may be relied on.

    Attributes:
        hashes, mixed, buckets, met: (MOST_HASHES,) of a text's hashes.
        seen: (2 BUCKETS,) what was met last in each bucket.
        taken, rows: memory for a row of a table for each hash, as it is kept and as numbers to count with.
    """

    def __init__(self) -> None:
        self.hashes = np.empty(MOST_HASHES, dtype=np.uint32)
        self.mixed = np.empty(MOST_HASHES, dtype=np.uint32)
        self.buckets = np.empty(MOST_HASHES, dtype=np.int64)
        self.met = np.empty(MOST_HASHES, dtype=np.uint16)
        self.seen = np.empty(_PLACES, dtype=np.uint16)
        self.taken = np.empty(_CELLS, dtype=np.int8)
        self.rows = np.empty(_CELLS, dtype=np.float32)

    def rows_of(self, count: int, width: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Memory for so many rows as they are kept and as numbers, (count, width) each."""
        size = count * width
        return self.taken[:size].reshape(count, width), self.rows[:size].reshape(count, width)


SCRATCH = _Scratch()
