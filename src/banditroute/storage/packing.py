"""Evidence of one edge as one flat vector: what a database row holds, and what is cheap to add.

The layout for inputs of width X is the upper triangle of A row by row, then b, n and s: X (X + 1) / 2 + X + 2 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import StoreError
from banditroute.learning.evidence import Evidence
from banditroute.routing.lessons import SIGNALS, Edge, Lesson

Floats = NDArray[np.float64]


def packed(evidence: Evidence) -> Floats:
    """The vector of one edge's evidence (X, X), (X,), (), ()."""
    upper = evidence.A[_upper(evidence.b.shape[-1])]
    return np.concatenate((upper, evidence.b, (evidence.n, evidence.s)), dtype=np.float64)


def unpacked(vector: Floats) -> Evidence:
    """The evidence that a vector holds.

    Raises:
        StoreError: no width of inputs gives a vector of that length.
    """
    width = width_of(vector)
    A = np.zeros((width, width))
    A[_upper(width)] = vector[: -width - 2]
    A.T[_upper(width)] = vector[: -width - 2]
    return Evidence(A, vector[-width - 2 : -2].copy(), vector[-2].copy(), vector[-1].copy())


def width_of(vector: Floats) -> int:
    """The width X of the inputs.

    Raises:
        StoreError: no width gives a vector of that length.
    """
    width = (math.isqrt(8 * vector.size - 7) - 3) // 2 if vector.size > 1 else 0
    if width < 1 or length_of(width) != vector.size:
        raise StoreError(f"evidence of {vector.size} numbers fits no width of inputs; the store is damaged")
    return width


def length_of(width: int) -> int:
    """How many numbers the evidence of inputs of that width has."""
    return width * (width + 1) // 2 + width + 2


def edges_of(lesson: Lesson) -> list[Edge]:
    """The edges that a lesson tells something of."""
    task, model, version = lesson.task, lesson.model, lesson.encoder_version
    seen = zip(SIGNALS, lesson.values, strict=True)
    return [Edge(task, model, signal, version) for signal, value in seen if value is not None]


def sums_of(lessons: Iterable[Lesson]) -> Mapping[Edge, Floats]:
    """What lessons add to each edge, as vectors; all lessons of an edge have one width."""
    sums: dict[Edge, Floats] = {}
    for (task, model, version), taught in _grouped(lessons).items():
        for signal, vector in _sums(taught):
            sums[Edge(task, model, signal, version)] = vector
    return sums


def _grouped(lessons: Iterable[Lesson]) -> Mapping[tuple[str, str, str], list[Lesson]]:
    groups: dict[tuple[str, str, str], list[Lesson]] = {}
    for lesson in lessons:
        groups.setdefault((lesson.task, lesson.model, lesson.encoder_version), []).append(lesson)
    return groups


def _sums(lessons: list[Lesson]) -> Iterable[tuple[str, Floats]]:
    """For each signal that was seen, the sums over the lessons of one model in one class."""
    inputs = np.array([lesson.x for lesson in lessons], dtype=np.float64)
    weight = np.array([lesson.weight for lesson in lessons], dtype=np.float64)
    gram: Floats | None = None
    for place, signal in enumerate(SIGNALS):
        values = [lesson.values[place] for lesson in lessons]
        y = np.array([value for value in values if value is not None], dtype=np.float64)
        if y.size == len(values):  # most often all were seen, and then A is the same for every such signal
            gram = _gram(inputs, weight) if gram is None else gram
            yield signal, _joined(gram, inputs, y, weight)
        elif y.size:
            seen = [value is not None for value in values]
            yield signal, _joined(_gram(inputs[seen], weight[seen]), inputs[seen], y, weight[seen])


def _joined(gram: Floats, x: Floats, y: Floats, weight: Floats) -> Floats:
    weighted = weight * y
    return np.concatenate((gram, weighted @ x, np.array((weight.sum(), weighted @ y), dtype=np.float64)))


def _gram(x: Floats, weight: Floats) -> Floats:
    return ((weight[:, None] * x).T @ x)[_upper(x.shape[1])]


@lru_cache(maxsize=16)
def _upper(width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(width)
