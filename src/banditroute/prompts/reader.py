"""Reads prompts: class probabilities and features of a text, from its n-grams and marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.records import ChatRequest

from .characters import characters_of, codes_of
from .excerpt import cut, excerpt_of
from .marks import marks_of
from .ngrams import ngrams_of
from .weights import COARSE_BITS, PromptWeights

Floats = NDArray[np.float32]

_LEAST_NORM = 1e-6
_REMEMBERED = 64  # readings, of at most some 50 KB each
_MOST_SHARP = 0.7  # about half or twice: no text is so unlike the others that more is known of it


class Vector(NamedTuple):
    """A text as the linear models see it.

    Attributes:
        buckets: (n,) of its n-grams; values: (n,) what each counts; the first `words` are of words.
        marks: (len(MARKS) + 1,), scaled; the last is 1.
        rarity: root mean square idf of the words, and the log of how many n-grams there are.
    """

    buckets: NDArray[np.int64]
    values: Floats
    words: int
    marks: Floats
    rarity: tuple[float, float]


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
    """Reads requests with one set of weights.

    The last readings are remembered: classes and features are asked in turn, and while an agent calls its tools, the
    user's last turn stays what it was.

    Args:
        weights: what the models know.
    """

    def __init__(self, weights: PromptWeights) -> None:
        self.weights = weights
        self._sureness: list[float] = weights.sureness.tolist()
        self._request: ChatRequest | None = None
        self._reading: Reading | None = None
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._read)

    def read(self, request: ChatRequest) -> Reading:
        """The request, read."""
        if self._reading is None or request is not self._request:
            self._request, self._reading = request, self._remembered(excerpt_of(request))
        return self._reading

    def read_text(self, text: str) -> Reading:
        """A text, read; a long one is cut."""
        return self._read(cut(text))

    def _read(self, text: str) -> Reading:
        weights = self.weights
        vector = vector_of(text, weights.idf, weights.marks, weights.blocks)
        logits = weights.logits.summed(vector.buckets, vector.values) + vector.marks @ weights.mark_logits
        odds = np.exp((logits - logits.max()) * _sharpness(self._sureness, vector.rarity))
        return Reading(text, vector, odds / odds.sum())

    def projected(self, vector: Vector) -> Floats:
        """Where the text lies in the feature space, (p,)."""
        weights = self.weights
        buckets, values = vector.buckets[: vector.words] >> COARSE_BITS, vector.values[: vector.words]
        placed = weights.projection.summed(buckets, values) + vector.marks @ weights.mark_projection
        return np.asarray(placed, dtype=np.float32)


def vector_of(text: str, idf: Floats, marks: Floats, blocks: Floats) -> Vector:
    """A text as linear models see it.

    Words and characters are weighted by idf (2 BUCKETS,) and each scaled to unit length, then to their block's size.
    """
    written, codes = codes_of(text), codes_of(text.lower())
    kinds, plain = characters_of(codes)
    capitals = int(np.count_nonzero(written != codes)) if written.size == codes.size else 0
    buckets, words = ngrams_of(plain, kinds)
    values = idf.take(buckets)
    rarity = _resized(values[:words], blocks[0])
    _resized(values[words:], blocks[1])
    scaled = np.ones(marks.shape[1] + 1, dtype=np.float32)
    np.subtract(marks_of(text, kinds, capitals), marks[0], out=scaled[:-1])
    scaled[:-1] *= blocks[2] / marks[1]
    return Vector(buckets, values, words, scaled, (rarity, math.log(buckets.size + 1)))


def _sharpness(sureness: Sequence[float], rarity: tuple[float, float]) -> float:
    """By what a text's logits are multiplied, so that they say how sure they may be.

    A temperature (Guo et al. 2017) that depends on the text: words that were seldom seen have small weights, for the
    ridge holds them back, and are right more often than they say; of long texts it is the other way round.
    """
    wanted = sureness[0] + sureness[1] * rarity[0] + sureness[2] * rarity[1]
    return math.exp(min(max(wanted, -_MOST_SHARP), _MOST_SHARP))


def _resized(values: Floats, size: float) -> float:
    """The root mean square of the values, which are brought to a length of `size` in place."""
    length = math.sqrt(values @ values)
    values *= size / max(length, _LEAST_NORM)
    return length / math.sqrt(max(values.size, 1))
