"""Reads prompts: class probabilities and features of a text, from its n-grams and marks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.records import ChatRequest

from .characters import codes_of, kinds_of
from .excerpt import cut, excerpt_of
from .marks import marks_of
from .ngrams import ngrams_of
from .weights import COARSE_BITS, PromptWeights

Floats = NDArray[np.float32]

_LEAST_NORM = 1e-6


class Vector(NamedTuple):
    """A text as the linear models see it.

    Attributes:
        buckets: (n,) of its n-grams; values: (n,) what each counts; the first `words` are of words.
        marks: (len(MARKS) + 1,), scaled; the last is 1.
    """

    buckets: NDArray[np.int64]
    values: Floats
    words: int
    marks: Floats


class Reading(NamedTuple):
    """A text that was read.

    Attributes:
        text: what was read, cut where it was long.
        vector: the text as the linear models see it.
        probabilities: how likely each shipped class is, (C,).
    """

    text: str
    vector: Vector
    probabilities: NDArray[np.float64]

    @property
    def blank(self) -> bool:
        """Whether there is nothing to go by."""
        return not self.text or self.text.isspace()


class PromptReader:
    """Reads requests with one set of weights; the last one is remembered, for classes and features are asked in turn.

    Args:
        weights: what the models know.
    """

    def __init__(self, weights: PromptWeights) -> None:
        self.weights = weights
        self._request: ChatRequest | None = None
        self._reading: Reading | None = None

    def read(self, request: ChatRequest) -> Reading:
        """The request, read."""
        if self._reading is None or request is not self._request:
            self._request, self._reading = request, self._read(excerpt_of(request))
        return self._reading

    def read_text(self, text: str) -> Reading:
        """A text, read; a long one is cut."""
        return self._read(cut(text))

    def _read(self, text: str) -> Reading:
        weights = self.weights
        vector = vector_of(text, weights.idf, weights.marks, weights.blocks)
        logits = vector.values @ _rows(weights.logits, vector.buckets) + vector.marks @ weights.mark_logits
        odds = np.exp(logits.astype(np.float64) - logits.max())
        return Reading(text, vector, odds / odds.sum())

    def projected(self, vector: Vector) -> Floats:
        """Where the text lies in the feature space, (p,)."""
        weights = self.weights
        rows = _rows(weights.projection, vector.buckets[: vector.words] >> COARSE_BITS)
        placed = vector.values[: vector.words] @ rows + vector.marks @ weights.mark_projection
        return np.asarray(placed, dtype=np.float32)


def vector_of(text: str, idf: Floats, marks: Floats, blocks: Floats) -> Vector:
    """A text as linear models see it.

    Words and characters are weighted by idf (2 BUCKETS,) and each scaled to unit length, then to their block's size.
    """
    written, codes = codes_of(text), codes_of(text.lower())
    kinds = kinds_of(codes)
    capitals = int(np.count_nonzero(written != codes)) if written.size == codes.size else 0
    buckets, words = ngrams_of(codes, kinds)
    values = idf.take(buckets)
    for part, size in ((values[:words], blocks[0]), (values[words:], blocks[1])):
        part *= size / max(math.sqrt(part @ part), _LEAST_NORM)
    scaled = np.ones(marks.shape[1] + 1, dtype=np.float32)
    scaled[:-1] = (marks_of(text, kinds, capitals) - marks[0]) / marks[1] * blocks[2]
    return Vector(buckets, values, words, scaled)


def _rows(table: Floats, buckets: NDArray[np.int64]) -> Floats:
    """Those rows of a table; several times faster than indexing, for it checks nothing."""
    out = np.empty((buckets.size, table.shape[1]), dtype=np.float32)
    return table.take(buckets, axis=0, out=out, mode="clip")
