"""Hashed n-grams of a text's words and characters, for the whole text at once.

Feature hashing (Weinberger et al. 2009): an n-gram is the bucket that its hash falls into, so that no vocabulary is
kept. Hashes are polynomials over code points modulo 2^32, so that a word's is the difference of two prefix sums and
no loop runs over words.
"""

from __future__ import annotations

from threading import local
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import WORD_KINDS, Codes, Kind, plain

Hashes = NDArray[np.uint32]
Buckets = NDArray[np.int64]

BUCKET_BITS = 16
BUCKETS = 1 << BUCKET_BITS
"""Buckets of words, and as many of characters."""

CHARACTER_NGRAMS = (2, 3, 4, 5)
ZONE_WORDS = 10
"""So many words at the beginning and at the end of a text are looked at once more: instructions stand there."""

_MOST_CHARACTERS = 1 << 13  # an excerpt in lower case is never longer
_BASE = np.uint32(0x9E3779B1)
_INVERSE = np.uint32(pow(0x9E3779B1, -1, 1 << 32))
_MIX = np.uint32(0x85EBCA6B)
_SALTS = np.array((0xA0761D65, 0xE7037ED1, 0x8EBC6AF1, 0x589965CD, 0xC2B2AE35), dtype=np.uint32)
_SHIFT = np.uint32(32 - BUCKET_BITS)
_HALF = np.uint32(15)


class Ngrams(NamedTuple):
    """The buckets that a text falls into, each once.

    Attributes:
        buckets: those of words, pairs and triples of words and the words at either end, then those of runs of
            characters, which come behind the former: from BUCKETS on.
        words: how many of them are of words.
    """

    buckets: Buckets
    words: int


def ngrams_of(codes: Codes, kinds: NDArray[np.uint8]) -> Ngrams:
    """The n-grams of a text whose code points and their kinds are given, (n,) each; n is at most 8,192."""
    values = plain(codes)
    words = _distinct(_word_hashes(values, kinds))
    characters = _distinct(_character_hashes(values, kinds)) + BUCKETS
    return Ngrams(np.concatenate((words, characters)), words.size)


def _character_hashes(values: Hashes, kinds: NDArray[np.uint8]) -> Hashes:
    space = kinds <= Kind.newline
    keep = ~(space[1:] & space[:-1])
    values = np.concatenate((values[:1], values[1:][keep]))
    found: list[Hashes] = []
    runs = values
    for n in range(2, CHARACTER_NGRAMS[-1] + 1):
        if runs.size < 2:
            break
        runs = runs[:-1] * _BASE + values[n - 1 :]
        if n in CHARACTER_NGRAMS:
            found.append(runs ^ _SALTS[n - CHARACTER_NGRAMS[0]])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.uint32)


def _word_hashes(values: Hashes, kinds: NDArray[np.uint8]) -> Hashes:
    words = words_of(values, kinds)
    if not words.size:
        return words
    pairs = words[:-1] * _BASE + words[1:]
    triples = pairs[:-1] * _BASE + words[2:]
    first, last = words[:ZONE_WORDS], words[-ZONE_WORDS:]
    return np.concatenate(
        (
            words,
            pairs + _SALTS[1],
            triples + _SALTS[1],
            first * _SALTS[2],
            (first[:-1] * _BASE + first[1:]) * _SALTS[2],
            last * _SALTS[3],
            (last[:-1] * _BASE + last[1:]) * _SALTS[3],
            _SALTS[2:3] + words[:1],
            _SALTS[3:4] + words[-1:],
        )
    )


def words_of(values: Hashes, kinds: NDArray[np.uint8]) -> Hashes:
    """A hash of every word of a text, in order; its code points are given as `plain` has them.

    Runs of letters and digits are words, and so is each ideograph and each sign that means something.
    """
    n = values.size
    alone = _ALONE.take(kinds)
    within = _WITHIN.take(kinds)
    edge = np.empty(n + 1, dtype=np.bool_)
    edge[0] = edge[n] = True
    edge[1:n] = (within[1:] != within[:-1]) | alone[1:] | alone[:-1]
    bounds = np.flatnonzero(edge)
    starts, ends = bounds[:-1], bounds[1:]
    real = np.flatnonzero((within | alone).take(starts))
    starts, ends = starts.take(real), ends.take(real)
    sums = np.zeros(n + 1, dtype=np.uint32)
    np.cumsum(values * _POWERS[:n], out=sums[1:])
    return (sums.take(ends) - sums.take(starts)) * _INVERSES.take(starts)


def _distinct(hashes: Hashes) -> Buckets:
    """The buckets of the hashes, each once, in no particular order."""
    mixed = (hashes ^ (hashes >> _HALF)) * _MIX
    buckets = (mixed >> _SHIFT).astype(np.int64)
    seen = _scratch()
    order = np.arange(buckets.size, dtype=np.uint16)  # four hashes a character at most
    seen[buckets] = order
    return buckets[seen.take(buckets) == order]


class _Scratch(local):
    """A thread's own table, kept: to get a new one costs more than to use it."""

    def __init__(self) -> None:
        self.seen = np.empty(BUCKETS, dtype=np.uint16)


def _scratch() -> NDArray[np.uint16]:
    """A table in which nothing that is found may be relied on: what is read is written first."""
    return _SCRATCH.seen


def _powers(base: np.uint32) -> Hashes:
    powers = np.full(_MOST_CHARACTERS, base, dtype=np.uint32)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint32)


_POWERS = _powers(_BASE)
_INVERSES = _powers(_INVERSE)
_WITHIN = np.isin(np.arange(len(Kind)), WORD_KINDS)
_SCRATCH = _Scratch()
_ALONE = np.isin(np.arange(len(Kind)), (Kind.han, Kind.kana, Kind.question, Kind.operator, Kind.bracket, Kind.symbol))
