"""Hashed n-grams beside the same made one by one."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.prompts import ngrams
from banditroute.prompts.characters import characters_of, codes_of
from banditroute.prompts.ngrams import BUCKETS, CHARACTER_NGRAMS, ngrams_of

MODULUS = 1 << 32
BASE = int(ngrams._BASE)
SALTS = [int(salt) for salt in ngrams._SALTS]


def found(text: str) -> tuple[set[int], set[int]]:
    buckets, words = ngrams_of(*_plain(text))
    assert len(set(buckets.tolist())) == buckets.size
    return set(buckets[:words].tolist()), set((buckets[words:] - BUCKETS).tolist())


def bucket(value: int) -> int:
    mixed = (value ^ (value >> int(ngrams._HALF))) * int(ngrams._MIX) % MODULUS
    return mixed >> int(ngrams._SHIFT)


def of_word(word: str) -> int:
    """Its polynomial, written out: the sum of code times BASE to the power of the place."""
    return sum(ord(sign) * pow(BASE, place, MODULUS) for place, sign in enumerate(word)) % MODULUS


def of_run(run: str) -> int:
    value = ord(run[0]) + SALTS[0]
    for sign in run[1:]:
        value = (value * BASE + ord(sign)) % MODULUS
    return value


@given(st.text(alphabet="abz09 ,\n", max_size=60))
def test_words_and_runs_are_those_that_are_made_one_by_one(text: str) -> None:
    plain = re.sub(r"[0-9]", "0", re.sub(r"\s", " ", text))
    words = [of_word(word) for word in re.findall(r"[a-z0]+", plain)]
    got_words, got_runs = found(text)
    assert {bucket(word) for word in words} <= got_words
    pairs = {bucket((a * BASE + b + SALTS[1]) % MODULUS) for a, b in pairwise(words)}
    assert pairs <= got_words
    assert got_runs == {bucket(of_run(plain[i : i + n])) for n in CHARACTER_NGRAMS for i in range(len(plain) - n + 1)}


def test_where_a_word_stands_does_not_change_it() -> None:
    assert found("word")[0] <= found("some other words before it, then word")[0] | found("word")[0]
    alone, later = ngrams.words_of(*_plain("zebra")), ngrams.words_of(*_plain("a striped zebra"))
    assert alone[0] == later[-1]


def test_a_sign_that_means_something_is_a_word() -> None:
    assert ngrams.words_of(*_plain("a + b?")).size == 4
    assert ngrams.words_of(*_plain("漢字かな")).size == 4
    assert ngrams.words_of(*_plain("a, b.")).size == 2


@pytest.mark.parametrize("text", ["", "a", " ", "\ud800", "🙂🙂", "a" * 8192, "\n" * 8192])
def test_any_text_has_buckets_in_range(text: str) -> None:
    words, runs = found(text)
    assert all(0 <= each < BUCKETS for each in words | runs)


def test_what_was_read_before_leaves_no_trace() -> None:
    alone = found("one text")
    found("another, much longer text: 漢字 " * 100)
    assert found("one text") == alone


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f"text number {chr(97 + i)} " * (10 + i) for i in range(8)]
    expected = [found(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(found, texts * 20)) == expected * 20


def _plain(text: str) -> tuple[np.ndarray, np.ndarray]:
    kinds, plain = characters_of(codes_of(text))
    return plain, kinds
