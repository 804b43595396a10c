"""Fits the classifier's and the encoder's weights to labelled prompts, for the scripts that train and test them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.linalg import svds

from banditroute.prompts.excerpt import cut
from banditroute.prompts.marks import MARKS
from banditroute.prompts.names import SHIPPED
from banditroute.prompts.ngrams import BUCKETS
from banditroute.prompts.reader import vector_of
from banditroute.prompts.rounded import Rounded, rounded
from banditroute.prompts.weights import COARSE, COARSE_BITS, MOST, PromptWeights

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data" / "tasks" / "prompts.jsonl.gz"
OWN = Path(__file__).parent / "prompts"

CLASSES = SHIPPED
BLOCKS = np.array((2.0, 2.0, 1 / 12), dtype=np.float32)
"""How much words, characters and marks count beside each other; by four folds of the project's own prompts."""

RIDGE = 3e-7
STEPS = 60
BALANCE = 0.5
"""The power to which classes are weighted by their rarity; 0 = not at all, 1 = all alike."""

SURENESS_FOLDS = 8
SLOPE_RIDGE = 1e-3
UNLIKE = ("cues", "hard_cases")
"""Own prompts by which nothing is said of how sure the model may be."""

FEATURES = 22
MARKS_IN_PROJECTION = 0.3
"""How much marks count beside words in the projection; by what a router gets on judged9_val with it."""

LABEL_WEIGHT = {"origin_only": 0.05, "dataset_of_origin": 0.15, "template": 0.15}
PUBLIC_WEIGHT = 0.4
"""How much a public row counts whose label follows from where it was found, and one whose label a person gave,
against 1 for the project's own: public prompts are many and alike."""

Floats = NDArray[np.float32]


class Prompt(NamedTuple):
    """A labelled prompt."""

    text: str
    task: str
    source: str
    weight: float = 1.0
    lang: str = "en"


def shared_prompts() -> list[Prompt]:
    """The labelled prompts of public data sets; they are not in the repository."""
    with gzip.open(SHARED, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Prompt(row["text"], row["task"], row["source"], LABEL_WEIGHT.get(row["label_kind"], PUBLIC_WEIGHT), row["lang"])
        for row in rows
    ]


def own_prompts() -> list[Prompt]:
    """The prompts that were written for training, and the cues."""
    return _written() + _cues()


def _written() -> list[Prompt]:
    """The prompts that were written for training."""
    return [
        Prompt(row["text"], row["task"], path.stem, lang=row["lang"])
        for path in sorted((OWN / "training").glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def _cues() -> list[Prompt]:
    """Phrases by which people say what they want, as prompts of a few words."""
    found: list[Prompt] = []
    for line in (OWN / "cues.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            head, _, phrases = line.partition(":")
            task, lang = head.split()
            found += [Prompt(phrase.strip(), task, "cues", lang=lang) for phrase in phrases.split(";")]
    return found


def held_out_prompts() -> list[Prompt]:
    """The prompts that were written for testing, by somebody who had not seen the others."""
    rows = map(json.loads, (OWN / "held_out.jsonl").read_text(encoding="utf-8").splitlines())
    return [Prompt(row["text"], row["task"], "held_out", lang=row["lang"]) for row in rows]


class Design(NamedTuple):
    """Prompts as the linear models see them.

    Attributes:
        ngrams: (n, 2 BUCKETS) values of n-grams.
        marks: (n, len(MARKS) + 1) scaled marks, the last 1.
        rarity: (n, 2) what else of a text tells how sure its logits may be.
    """

    ngrams: sparse.csr_matrix
    marks: Floats
    rarity: Floats

    def rows(self, mask: NDArray[np.bool_]) -> Design:
        """Some of the prompts."""
        return Design(self.ngrams[mask], self.marks[mask], self.rarity[mask])


class Scales(NamedTuple):
    """What weights n-grams and marks: of one training set, applied to any other."""

    idf: Floats
    marks: Floats


def scales_of(texts: Sequence[str]) -> Scales:
    """Inverse document frequencies, and centre and scale of each mark."""
    unit = Scales(np.ones(2 * BUCKETS, dtype=np.float32), np.stack((np.zeros(len(MARKS)), np.ones(len(MARKS)))))
    raw = design_of(texts, unit)
    seen = np.bincount(raw.ngrams.indices, minlength=2 * BUCKETS)
    idf = np.log((1 + len(texts)) / (1 + seen)) + 1
    marks = raw.marks[:, :-1] / BLOCKS[2]
    centred = np.stack((marks.mean(0), marks.std(0) + 1e-3))
    return Scales(idf.astype(np.float32), centred.astype(np.float32))


def design_of(texts: Sequence[str], scales: Scales) -> Design:
    """The prompts as the linear models see them."""
    vectors = [vector_of(cut(text), scales.idf, scales.marks.astype(np.float32), BLOCKS) for text in texts]
    ends = np.cumsum([0, *(vector.buckets.size for vector in vectors)])
    columns = np.concatenate([vector.buckets for vector in vectors])
    values = np.concatenate([vector.values for vector in vectors])
    ngrams = sparse.csr_matrix((values, columns, ends), shape=(len(texts), 2 * BUCKETS))
    rarity = np.array([vector.rarity for vector in vectors], dtype=np.float32)
    return Design(ngrams, np.stack([vector.marks for vector in vectors]), rarity)


def fitted_logits(design: Design, labels: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
    """Weights of the multinomial linear model: of n-grams and of marks.

    Ridge-penalised maximum likelihood by L-BFGS; deterministic.
    """
    inputs = sparse.hstack((design.ngrams, sparse.csr_matrix(design.marks)), format="csr", dtype=np.float32)
    turned = inputs.T.tocsr()
    share = (weight / weight.sum()).astype(np.float32)
    shape = (inputs.shape[1], len(CLASSES))
    rows = np.arange(len(labels))

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(shape).astype(np.float32)
        logits = inputs @ table
        odds = np.exp(logits - logits.max(1, keepdims=True))
        likely = odds / odds.sum(1, keepdims=True)
        surprise = -float(share @ np.log(likely[rows, labels] + 1e-12))
        likely[rows, labels] -= 1
        slope = turned @ (likely * share[:, None]) + RIDGE * table
        return surprise + RIDGE / 2 * float((table**2).sum()), slope.ravel().astype(np.float64)

    start = np.zeros(shape[0] * shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 8})
    table = found.x.reshape(shape).astype(np.float32)
    return table[: 2 * BUCKETS], table[2 * BUCKETS :]


def sureness_of(logits: Floats, rarity: Floats, labels: NDArray[np.int64]) -> Floats:
    """The (3,) `sureness` with which logits say how sure they may be; of most likelihood, slopes held back a little."""
    rows, centre, spread = np.arange(len(labels)), rarity.mean(0), rarity.std(0)
    inputs = np.hstack((np.ones((len(labels), 1)), (rarity - centre) / spread))

    def surprise(found: NDArray[np.float64]) -> float:
        scaled = logits * np.exp(inputs @ found)[:, None]
        scaled = scaled - scaled.max(1, keepdims=True)
        missed = np.log(np.exp(scaled).sum(1)) - scaled[rows, labels]
        return float(missed.mean() + SLOPE_RIDGE * (found[1:] ** 2).sum())

    found = minimize(surprise, np.zeros(inputs.shape[1]), method="L-BFGS-B").x
    slopes = found[1:] / spread
    return np.array((found[0] - slopes @ centre, *slopes), dtype=np.float32)


def folds_of(count: int, seed: int = 0, folds: int = 5) -> NDArray[np.int64]:
    """Which of the folds each row is in."""
    return np.random.default_rng(seed).permutation(count) % folds


def fitted_sureness(prompts: Sequence[Prompt]) -> Floats:
    """The `sureness` of weights that prompts teach, from folds of those that are like what people write.

    These are neither public ones, which are many and alike, nor cues, nor the hard cases: those were written to be
    unclear, and how many of them there are says nothing of how often people are. What the logits' scale may depend on
    was chosen by leaving out one author of the project's own prompts after the other: so fitted, the surprise at the
    prompts of an author who is unknown falls from .715 to .705 a prompt.
    """
    asked = np.array([prompt.weight == 1.0 and prompt.source not in UNLIKE for prompt in prompts])
    folds = np.full(len(prompts), -1)
    folds[asked] = folds_of(int(asked.sum()), folds=SURENESS_FOLDS)
    logits = np.zeros((len(prompts), len(CLASSES)), dtype=np.float32)
    rarity = np.zeros((len(prompts), 2), dtype=np.float32)
    for fold in range(SURENESS_FOLDS):
        model = Model.of([prompt for prompt, of in zip(prompts, folds, strict=True) if of != fold])
        design = design_of([p.text for p, of in zip(prompts, folds, strict=True) if of == fold], model.scales)
        logits[folds == fold], rarity[folds == fold] = model.judged(design), design.rarity
    return sureness_of(logits[asked], rarity[asked], labels_of(prompts)[asked])


class Model(NamedTuple):
    """A classifier in the making: scales and logits."""

    scales: Scales
    ngrams: Floats
    marks: Floats

    @classmethod
    def of(cls, prompts: Sequence[Prompt]) -> Model:
        """What prompts teach."""
        texts = [prompt.text for prompt in prompts]
        scales = scales_of(texts)
        return cls(scales, *fitted_logits(design_of(texts, scales), labels_of(prompts), weights_of(prompts)))

    def logits(self, texts: Sequence[str]) -> Floats:
        """Of texts, (n, C)."""
        return self.judged(design_of(texts, self.scales))

    def judged(self, design: Design) -> Floats:
        """Of texts as the model sees them, (n, C)."""
        return np.asarray(design.ngrams @ self.ngrams + design.marks @ self.marks)


def projection_of(design: Design) -> tuple[Floats, Floats]:
    """The whitened projection: of words, folded to coarse buckets, and of marks (the last row centres).

    Latent semantic analysis (Deerwester et al. 1990): the leading directions of the training prompts.
    """
    table = design.ngrams[:, :BUCKETS].tocsr()
    folded = sparse.csr_matrix((table.data, table.indices >> COARSE_BITS, table.indptr), shape=(table.shape[0], COARSE))
    folded.sum_duplicates()
    scale = MARKS_IN_PROJECTION * BLOCKS[0] / BLOCKS[2]
    marks = design.marks[:, :-1] * scale
    inputs = sparse.hstack((folded, sparse.csr_matrix(marks)), format="csr", dtype=np.float64)
    _, _, turned = svds(inputs, FEATURES + 1, random_state=0)
    axes = turned[::-1][1:].T  # the first is what all prompts share
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(FEATURES)])
    placed = inputs @ axes
    axes /= placed.std(0)
    of_marks = np.vstack((axes[COARSE:] * scale, -(placed / placed.std(0)).mean(0)))
    return axes[:COARSE].astype(np.float32), of_marks.astype(np.float32)


def trained(prompts: Sequence[Prompt], version: str, sureness: Floats) -> PromptWeights:
    """The weights that prompts teach."""
    texts = [prompt.text for prompt in prompts]
    scales = scales_of(texts)
    design = design_of(texts, scales)
    logits, mark_logits = fitted_logits(design, labels_of(prompts), weights_of(prompts))
    public = np.array([prompt.weight < 1.0 for prompt in prompts])  # long and varied: they span the space better
    projection, mark_projection = projection_of(design.rows(public))
    return PromptWeights(
        version=version,
        classes=CLASSES,
        idf=scales.idf,
        marks=scales.marks,
        blocks=BLOCKS,
        sureness=sureness,
        logits=Rounded.of(*rounded(logits, MOST)),
        mark_logits=mark_logits,
        projection=Rounded.of(*rounded(projection, MOST)),
        mark_projection=mark_projection,
    )


def weights_of(prompts: Sequence[Prompt]) -> Floats:
    """How much each prompt counts, rare classes more."""
    labels, weight = labels_of(prompts), np.array([prompt.weight for prompt in prompts])
    totals = np.maximum(np.bincount(labels, weight, len(CLASSES)), 1e-9)
    return np.asarray(weight * (totals.mean() / totals)[labels] ** BALANCE, dtype=np.float32)


def labels_of(prompts: Sequence[Prompt]) -> NDArray[np.int64]:
    """The index of each prompt's class."""
    return np.array([CLASSES.index(prompt.task) for prompt in prompts])
