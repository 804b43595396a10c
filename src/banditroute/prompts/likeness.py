"""How like a text is to each of some examples, by the n-grams that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .ngrams import BUCKETS
from .reader import Vector

Floats = NDArray[np.float64]


class Likeness:
    """Holds texts against examples.

    Args:
        examples: as the linear models see them.
    """

    def __init__(self, examples: Sequence[Vector]) -> None:
        known = np.unique(np.concatenate([example.buckets for example in examples]))
        self._row = np.full(2 * BUCKETS, -1, dtype=np.int32)
        self._row[known] = np.arange(known.size)
        self._values = np.zeros((known.size, len(examples)), dtype=np.float32)
        for column, example in enumerate(examples):
            self._values[self._row[example.buckets], column] = example.values

    def cosines(self, text: Vector) -> Floats:
        """Of the text and each example, from 0 to 1."""
        rows = self._row[text.buckets]
        shared = rows >= 0
        length = max(float(text.values @ text.values), 1e-12)  # that of the examples too: blocks have one size each
        return np.asarray(text.values[shared] @ self._values[rows[shared]] / length, dtype=np.float64)
