"""Which decisions know their quality, and how many each of them stands for.

Where one model's answers are judged more often than another's, the judged decisions are no fair sample of what was
drawn. So each stands for as many as its model's judged share says (inverse probability of being seen: Robins, Rotnitzky
and Zhao, 1994); what is left to take for granted is that being judged does not depend on how good an answer was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .log import LogTable

Floats = NDArray[np.float64]


class Known(NamedTuple):
    """The decisions that know a signal: m of n.

    Attributes:
        rows: (m,) which they are.
        stands_for: (m,) how many each stands for, 1 on average.
        models: (K,) those of which any is known.
        share: of all decisions, those that drew one of these models.
    """

    rows: NDArray[np.int64]
    stands_for: Floats
    models: NDArray[np.bool_]
    share: float


def known_rows(log: LogTable, values: Floats) -> Known | None:
    """Where values (n,) are known; None where none is."""
    rows = np.flatnonzero(np.isfinite(values))
    if not rows.size:
        return None
    drawn = np.bincount(log.chosen, minlength=len(log.models))
    known = np.bincount(log.chosen[rows], minlength=drawn.size)
    each = (drawn / np.maximum(known, 1))[log.chosen[rows]]
    return Known(rows, each / each.mean(), known > 0, float(drawn[known > 0].sum()) / log.rows)
