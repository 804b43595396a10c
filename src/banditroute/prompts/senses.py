"""What a text is about: a vector from the words that it has, for classes that no training prompt was of.

A word's vector says how near it lies to each of a hundred topics, and where it lies among words that occur together; a
text's is the mean of its words', weighted by how rare they are. Words are known by their hash alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import codes_of, kinds_of, plain
from .ngrams import words_of

Floats = NDArray[np.float32]

_LEAST_NORM = 1e-6


class Senses(NamedTuple):
    """The vectors of n words.

    Attributes:
        hashes: (n,) of the words, ascending.
        rarity: (n,) inverse document frequencies, log scale.
        vectors: (n, d); the first half is of topics, the second of company.
        centre: (d,) where texts lie on average.
        sizes: (2,) length that each half of a text's vector is given.
        others: (m, d) vectors of prompts of the shipped classes, which own classes are held against.
    """

    hashes: NDArray[np.uint32]
    rarity: Floats
    vectors: Floats
    centre: Floats
    sizes: Floats
    others: Floats


def sense_of(text: str, senses: Senses) -> Floats:
    """What a text is about, (d,); 0 where no word of it is known."""
    codes = codes_of(text.lower())
    words = words_of(plain(codes), kinds_of(codes))
    at = np.minimum(np.searchsorted(senses.hashes, words), senses.hashes.size - 1)
    known = at[senses.hashes[at] == words]
    if not known.size:
        return np.zeros_like(senses.centre)
    rarity = senses.rarity[known]
    placed = rarity @ senses.vectors[known] / max(math.sqrt(rarity @ rarity), _LEAST_NORM) - senses.centre
    return sized(placed, senses.sizes)


def sized(placed: Floats, sizes: Floats) -> Floats:
    """A vector whose halves are given their lengths."""
    halves = placed.reshape(2, -1)
    norms = np.maximum(np.sqrt((halves**2).sum(1)), _LEAST_NORM)
    return np.asarray((halves * (sizes / norms)[:, None]).ravel(), dtype=np.float32)
