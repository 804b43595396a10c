"""A table of weights kept as the small integers that its file has: a quarter of what its numbers would take.

What is read of it is a sum of rows, so that the scale of a column is applied once, to the sum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scratch import SCRATCH

Floats = NDArray[np.float32]
Integers = NDArray[np.int8]

_LANES = 16
_KEPT = 0.999
_LEAST = 1e-12


class Rounded(NamedTuple):
    """Rows of integers, and by what each column is multiplied.

    Attributes:
        rows: (n, lanes); columns of nought fill them up, for rows of whole vectors are taken in half the time.
        scale: (width,) of the columns that count.
    """

    rows: Integers
    scale: Floats

    @classmethod
    def of(cls, integers: Integers, scale: Floats) -> Rounded:
        """The table of integers (n, width) and the scale of each column."""
        rows = np.zeros((len(integers), -(-scale.size // _LANES) * _LANES), dtype=np.int8)
        rows[:, : scale.size] = integers
        return cls(rows, scale)

    @property
    def width(self) -> int:
        """How many columns count."""
        return self.scale.size

    @property
    def integers(self) -> Integers:
        """The columns that count, (n, width)."""
        return self.rows[:, : self.width]

    def summed(self, buckets: NDArray[np.int64], values: Floats) -> Floats:
        """The sum of those rows, each times its value, (width,); rows are taken unchecked, for that is faster."""
        taken, rows = SCRATCH.rows_of(buckets.size, self.rows.shape[1])
        self.rows.take(buckets, axis=0, out=taken, mode="clip")
        rows[...] = taken
        return (values @ rows)[: self.width] * self.scale


def rounded(table: Floats, most: float, kept: float = _KEPT) -> tuple[Integers, Floats]:
    """The table as integers of -most to most, and the scale of each column; what is farther out than `kept` is cut."""
    scale = np.maximum(np.quantile(np.abs(table), kept, axis=0), _LEAST) / most
    return np.clip(np.rint(table / scale), -most, most).astype(np.int8), scale.astype(np.float32)
