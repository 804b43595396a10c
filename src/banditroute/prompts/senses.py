"""What a text is about: a vector from the words that it has, for classes that no training prompt was of.

A text's vector is the sum of its words'; the longer a word's, the more it says. Words are known by their hash alone,
and those that mean much the same share a vector.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import characters_of, codes_of
from .ngrams import words_of

Floats = NDArray[np.float32]

_LEAST_NORM = 1e-6


class Senses(NamedTuple):
    """The m vectors of n words.

    Attributes:
        hashes: (n,) of the words, ascending.
        rows: (n,) which vector each has.
        vectors: (m, d).
        others: (k, d) vectors of prompts of the shipped classes, which own classes are held against.
    """

    hashes: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    vectors: Floats
    others: Floats


class Sense(NamedTuple):
    """What a text is about.

    Attributes:
        vector: (d,), of length 1; 0 where no word is known.
        known: the share of words that are.
    """

    vector: Floats
    known: float


def sense_of(text: str, senses: Senses) -> Sense:
    """What a text is about."""
    kinds, plain = characters_of(codes_of(text.lower()))
    words = np.unique(words_of(plain, kinds))
    at = np.minimum(np.searchsorted(senses.hashes, words), senses.hashes.size - 1)
    known = at[senses.hashes[at] == words]
    placed = senses.vectors[senses.rows[known]].sum(0)
    return Sense(placed / max(math.sqrt(placed @ placed), _LEAST_NORM), known.size / max(words.size, 1))
