"""Hashed n-grams of a text's words and characters, for the whole text at once.

Feature hashing (Weinberger et al. 2009): an n-gram is the bucket that its hash falls into, so that no vocabulary is
kept. Hashes are polynomials over code points modulo 2^32, so that a word's is the difference of two prefix sums and
no loop runs over words.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import WORD_KINDS, Kind, Kinds
from .scratch import MOST_HASHES, SCRATCH

Hashes = NDArray[np.uint32]
Buckets = NDArray[np.int64]

BUCKET_BITS = 16
BUCKETS = 1 << BUCKET_BITS
"""Buckets of words, and as many of characters."""

CHARACTER_NGRAMS = (2, 3, 4)
ZONE_WORDS = 10
"""So many words at the beginning and at the end of a text are looked at once more: instructions stand there."""

_MOST_CHARACTERS = 1 << 13  # an excerpt in lower case is never longer
_BASE = np.uint32(0x9E3779B1)
_INVERSE = np.uint32(pow(0x9E3779B1, -1, 1 << 32))
_MIX = np.uint32(0x85EBCA6B)
_SALTS = np.array((0xA0761D65, 0xE7037ED1, 0x8EBC6AF1, 0x589965CD), dtype=np.uint32)
_SHIFT = np.uint32(32 - BUCKET_BITS)
_HALF = np.uint32(15)
_OF_RUNS = np.uint32(BUCKETS)


class Ngrams(NamedTuple):
    """The buckets that a text falls into, each once.

    Attributes:
        buckets: those of words, pairs and triples of words and the words at either end, then those of runs of
            characters, which come behind the former: from BUCKETS on.
        words: how many of them are of words.
    """

    buckets: Buckets
    words: int


def ngrams_of(values: Hashes, kinds: Kinds) -> Ngrams:
    """The n-grams of a text whose plain code points and their kinds are given, (n,) each; n is at most 8,192."""
    of_words = _word_hashes(words_of(values, kinds))
    of_runs = _run_hashes(values)
    words, runs = (sum(part.size for part in parts) for parts in (of_words, of_runs))
    hashes = np.concatenate((*of_words, *of_runs), out=SCRATCH.hashes[: words + runs])
    return _distinct(hashes, words)


def _run_hashes(values: Hashes) -> list[Hashes]:
    """Hashes of all runs of characters; the salt tells those of different lengths apart, for it is multiplied along."""
    found: list[Hashes] = []
    runs = values + _SALTS[0]
    for n in range(2, CHARACTER_NGRAMS[-1] + 1):
        runs = runs[:-1] * _BASE
        runs += values[n - 1 :]
        found.append(runs)
    return found


def _word_hashes(words: Hashes) -> list[Hashes]:
    """Hashes of words, of pairs and triples of them, and once more of those at either end."""
    if not words.size:
        return [words]
    pairs = words[:-1] * _BASE
    pairs += words[1:]
    triples = pairs[:-1] * _BASE
    triples += words[2:]
    first = np.concatenate((words[:ZONE_WORDS], pairs[: ZONE_WORDS - 1]))
    last = np.concatenate((words[-ZONE_WORDS:], pairs[1 - ZONE_WORDS :]))
    first *= _SALTS[2]
    last *= _SALTS[3]
    pairs += _SALTS[1]
    triples += _SALTS[1]
    return [words, pairs, triples, first, last, words[:1] + _SALTS[2], words[-1:] + _SALTS[3]]


def words_of(values: Hashes, kinds: Kinds) -> Hashes:
    """A hash of every word of a text, in order; its code points are given as `Characters.plain` has them.

    Runs of letters and digits are words, and so is each ideograph and each sign that means something.
    """
    n = values.size
    group = _GROUPS.take(kinds)
    edge = np.empty(n + 1, dtype=np.bool_)
    edge[0] = edge[n] = True
    np.not_equal(group[1:], group[:-1], out=edge[1:n])
    edge[1:n] |= group[1:] == _ALONE
    bounds = edge.nonzero()[0]
    sums = np.zeros(n + 1, dtype=np.uint32)
    np.add.accumulate(values * _POWERS[:n], dtype=np.uint32, out=sums[1:])
    at, starts = sums.take(bounds), bounds[:-1]
    hashes = (at[1:] - at[:-1]) * _INVERSES.take(starts)
    return hashes[group.take(starts) != _BETWEEN]


def _distinct(hashes: Hashes, words: int) -> Ngrams:
    """The buckets of the hashes, each once, in no particular order; the first `words` hashes are of words."""
    n, scratch = hashes.size, SCRATCH
    mixed = np.right_shift(hashes, _HALF, out=scratch.mixed[:n])
    mixed ^= hashes
    mixed *= _MIX
    mixed >>= _SHIFT
    mixed[words:] += _OF_RUNS
    buckets, order = scratch.buckets[:n], _ORDER[:n]
    buckets[:] = mixed
    scratch.seen[buckets] = order
    once = scratch.seen.take(buckets, out=scratch.met[:n], mode="clip") == order
    return Ngrams(buckets[once], int(np.count_nonzero(once[:words])))


def _powers(base: np.uint32) -> Hashes:
    powers = np.full(_MOST_CHARACTERS, base, dtype=np.uint32)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint32)


def _groups() -> NDArray[np.uint8]:
    groups = np.full(len(Kind), _BETWEEN, dtype=np.uint8)
    groups[list(WORD_KINDS)] = _WITHIN
    groups[[Kind.han, Kind.kana, Kind.question, Kind.operator, Kind.bracket, Kind.symbol]] = _ALONE
    return groups


_POWERS = _powers(_BASE)
_INVERSES = _powers(_INVERSE)
_ORDER = np.arange(MOST_HASHES, dtype=np.uint16)
_BETWEEN, _WITHIN, _ALONE = range(3)
"""What a character is to words: none of any, a part of one, one by itself."""
_GROUPS = _groups()
