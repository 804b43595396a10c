"""Makes the vectors of words by which own classes are told apart.

A word's vector begins between what a sentence encoder says of the word alone and what it says of the topics that
simulations/prompts/topics.txt has it under; then all are moved so that the sums of words come near to what the encoder
says of the sentences of the training prompts. Words whose vectors point the same way share one. Needs the packages of
teacher.py and wordfreq, which says how frequent words are; about ten minutes on one core.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from banditroute.prompts.characters import characters_of, codes_of
from banditroute.prompts.ngrams import words_of
from banditroute.prompts.senses import Senses, sense_of
from prompt_model import OWN, Prompt
from teacher import teacher

WIDTH = 64
MOST_WORDS = 34_000
MOST_VECTORS = 14_000
OTHERS = 600

_WORD = re.compile(r"[a-z]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_LONGEST_WORD = 16
_LANGUAGES = ("es", "fr", "de", "pt", "it", "nl", "pl", "tr", "id", "vi", "sv", "ro")
_FOREIGN = 5_000  # frequent words of each
_RANKED = 60_000  # words beyond are taken to be as rare as the last
_OF_TOPICS = 0.5  # of the vector of a word that a topic lists
_OF_LIKELY_TOPICS = 0.2  # of the vector of any other
_SHARPNESS = 10.0  # of which topics a word is likely of
_ALONE = 0.7  # what a word by itself counts against the topics
_RIDGE = 4.0
_STEPS = 30
_SAMPLES = 24  # of a topic's words, each a text that the encoder reads
_SAME = 0.8  # cosine from which on two words may share a vector, where there are too many

Floats = NDArray[np.float64]


class Words(NamedTuple):
    """Words, the most frequent first.

    Attributes:
        index: place of each word.
        rarity: (n,) how much each counts in a text.
    """

    index: dict[str, int]
    rarity: Floats

    def design(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """What each word counts in each text, (texts, n); rows are of length 1."""
        rows: list[int] = []
        columns: list[int] = []
        for row, text in enumerate(texts):
            known = {self.index[word] for word in _WORD.findall(text.lower()) if word in self.index}
            rows += [row] * len(known)
            columns += sorted(known)
        table = sparse.csr_matrix((self.rarity[columns], (rows, columns)), shape=(len(texts), len(self.index)))
        lengths = np.sqrt(np.asarray(table.multiply(table).sum(1)).ravel())
        return sparse.diags(1 / np.maximum(lengths, 1e-9)) @ table


def senses_of(prompts: Sequence[Prompt]) -> Senses:
    """The vectors, as prompts and topics teach them."""
    texts = [prompt.text for prompt in prompts if prompt.lang == "en"]  # the encoder knows little else
    topics = _topics()
    words = _words(topics, texts)
    vectors = _word_vectors(words, topics, _sentences(texts)) * words.rarity[:, None]
    of_word, shared = _sharing(vectors)
    hashes = np.array([_hash(word) for word in words.index], dtype=np.uint32)
    hashes, first = np.unique(hashes, return_index=True)  # where two collide, the more frequent word's
    senses = Senses(
        hashes=hashes,
        rows=of_word[first].astype(np.uint16),
        vectors=shared.astype(np.float32),
        others=np.zeros((0, WIDTH), dtype=np.float32),
    )
    return senses._replace(others=_others(texts, senses))


def _topics() -> dict[str, list[str]]:
    """The words of each topic."""
    lines = [line for line in (OWN / "topics.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: listed.split() for name, _, listed in (line.partition(":") for line in lines)}


def _words(topics: dict[str, list[str]], texts: Sequence[str]) -> Words:
    """The frequent words, those that topics list, and those of texts that are not too rare."""
    if find_spec("wordfreq") is None:
        sys.exit("needs the package wordfreq (pip install wordfreq)")
    from wordfreq import top_n_list

    foreign = _foreign()
    ranked = [word for word in top_n_list("en", 3 * _RANKED) if _WORD.fullmatch(word) and 1 < len(word) < _LONGEST_WORD]
    ranked = [word for word in ranked if word not in foreign]
    place = {word: rank for rank, word in enumerate(ranked[:_RANKED])}
    listed = {word for words in topics.values() for word in words if _WORD.fullmatch(word)}
    met = {word for text in texts for word in _WORD.findall(text.lower()) if word in place}
    wanted = sorted(listed | met | set(ranked[:MOST_WORDS]), key=lambda word: (place.get(word, _RANKED), word))
    rarity = np.log(np.array([place.get(word, _RANKED) for word in wanted]) + 100.0) - 4.5
    return Words({word: row for row, word in enumerate(wanted)}, rarity)


def _foreign() -> set[str]:
    """Words that are far commoner in another language than in English: they say what language a text is in, no more."""
    from wordfreq import top_n_list, zipf_frequency

    frequent = ((word, language) for language in _LANGUAGES for word in top_n_list(language, _FOREIGN))
    return {word for word, lang in frequent if zipf_frequency(word, lang) > zipf_frequency(word, "en") + 1}


def _sentences(texts: Sequence[str]) -> list[str]:
    """Prompts from their beginning, and their sentences."""
    found: dict[str, None] = {}
    for text in texts:
        found[text[:400]] = None
        parts = _SENTENCE_END.split(text[:3000])[:12]
        found.update(dict.fromkeys(part[:300] for part in parts if len(_WORD.findall(part.lower())) >= 3))
    return list(found)


def _word_vectors(words: Words, topics: dict[str, list[str]], sentences: Sequence[str]) -> Floats:
    """Of each word, (n, WIDTH)."""
    said = teacher().vectors(sentences)
    centre = said.mean(0)
    said -= centre
    axes = np.linalg.svd(said[::2], full_matrices=False)[2][:WIDTH].T
    design = words.design(sentences)
    known = design.getnnz(1) > 0
    begun = _begun(words, topics, centre, axes)
    return begun + _ridge(design[known], (said @ axes - design @ begun)[known])


def _begun(words: Words, topics: dict[str, list[str]], centre: Floats, axes: Floats) -> Floats:
    """Where words begin: between themselves and their topics, (n, WIDTH)."""
    alone = teacher().vectors(list(words.index))
    alone -= alone.mean(0)
    about = np.array([_about(name, listed) for name, listed in topics.items()]) - centre
    likely = np.exp(_SHARPNESS * (_unit(alone) @ _unit(about).T))
    likely /= likely.sum(1, keepdims=True)
    begun = (1 - _OF_LIKELY_TOPICS) * _ALONE * (alone @ axes) + _OF_LIKELY_TOPICS * likely @ about @ axes
    of = np.zeros((len(words.index), len(topics)))
    for column, listed in enumerate(topics.values()):
        of[[words.index[word] for word in listed if word in words.index], column] = 1
    taught = of.any(1)
    shares = of[taught] / of[taught].sum(1, keepdims=True)
    begun[taught] = (1 - _OF_TOPICS) * _ALONE * (alone[taught] @ axes) + _OF_TOPICS * shares @ about @ axes
    return begun


def _about(name: str, listed: Sequence[str]) -> Floats:
    """What the encoder says of a topic: the mean over some handfuls of its words, half of them with its name."""
    chance = np.random.default_rng(0)
    handfuls = [chance.permutation(listed)[: 3 + sample % 6] for sample in range(_SAMPLES)]
    title = name.replace("_", " ") + ": "
    return teacher().vectors([title * (row % 2) + " ".join(words) for row, words in enumerate(handfuls)]).mean(0)


def _ridge(design: sparse.csr_matrix, target: Floats) -> Floats:
    """The table of least squares with a ridge, (columns, WIDTH), by conjugate gradients."""
    left = design.T @ target
    table = np.zeros_like(left)
    step, size = left.copy(), (left**2).sum(0)
    for _ in range(_STEPS):
        turned = design.T @ (design @ step) + _RIDGE * step
        pace = size / (step * turned).sum(0)
        table += pace * step
        left -= pace * turned
        size, before = (left**2).sum(0), size
        step = left + size / before * step
    return table


def _sharing(vectors: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Which vector each word has, (n,), and these vectors, (m, WIDTH), m being MOST_VECTORS at most.

    Leaders (Hartigan 1975): a word joins the nearest that came before, where that is near, and leads otherwise.
    """
    unit = _unit(vectors).astype(np.float32)
    leaders, of = np.zeros((MOST_VECTORS, WIDTH), dtype=np.float32), np.zeros(len(vectors), dtype=np.int64)
    chosen: list[int] = []
    for row, each in enumerate(unit):
        alike = leaders[: len(chosen)] @ each
        nearest = int(alike.argmax()) if chosen else -1
        if len(chosen) == MOST_VECTORS or (chosen and alike[nearest] >= _SAME):
            of[row] = nearest
            continue
        leaders[len(chosen)] = each
        of[row] = len(chosen)
        chosen.append(row)
    return of, vectors[chosen]


def _others(texts: Sequence[str], senses: Senses) -> NDArray[np.float32]:
    """Vectors of some prompts of the shipped classes; those that have a word that is known."""
    chance = np.random.default_rng(0)
    vectors = [sense_of(texts[row][:2400], senses).vector for row in chance.permutation(len(texts))[: 2 * OTHERS]]
    return np.stack([vector for vector in vectors if vector.any()][:OTHERS])


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _hash(word: str) -> int:
    kinds, plain = characters_of(codes_of(word))
    return int(words_of(plain, kinds)[0])
