"""Which differences between models are real: paired on the same prompts, corrected for how many were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banditroute.benching.intervals import bounded_mean, mean
from banditroute.benching.results import Difference, Estimate, Measure
from banditroute.benching.wording import verdict

Floats = NDArray[np.float64]

LEVEL = 0.05
_FLIPS = 20_000
_MOST_EXACT = 14  # prompts whose every combination of signs is tried
_BLOCK = 4_000_000  # signs held at a time
_ROUNDING = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models by one measure.

    Attributes:
        measure: by what; first, second: the models; task: the class, or all.
        gaps: (n,) first minus second, prompt by prompt; nan where not both are known.
    """

    measure: Measure
    first: str
    second: str
    task: str
    gaps: Floats

    @property
    def known(self) -> Floats:
        """The gaps that are known."""
        return self.gaps[~np.isnan(self.gaps)]

    def in_order(self) -> Pair:
        """The same with the model first that has the larger mean."""
        known = self.known
        if not len(known) or known.mean() >= 0:
            return self
        return Pair(self.measure, self.second, self.first, self.task, -self.gaps)


def differences(pairs: Sequence[Pair], rng: np.random.Generator) -> tuple[Difference, ...]:
    """What each pair shows, all of them held to be one family of comparisons."""
    if not pairs:
        return ()
    ordered = [pair.in_order() for pair in pairs]
    p_values = holm(sign_flip_p_values(np.column_stack([pair.gaps for pair in ordered]), rng))
    return tuple(_difference(pair, float(p)) for pair, p in zip(ordered, p_values, strict=True))


def sign_flip_p_values(gaps: Floats, rng: np.random.Generator) -> Floats:
    """Two-sided p-values (C,) of the sign-flip test that columns (n, C) have mean 0 (Fisher, 1935); nan = not known.

    Were there no difference between two models, each prompt's gap could as well have come out with the other sign.
    With few prompts every combination of signs is tried, with more a random sample of them, the one that was seen
    counted in.
    """
    n = len(gaps)
    filled = np.nan_to_num(gaps)
    seen = np.abs(filled.sum(axis=0)) * _ROUNDING
    if n <= _MOST_EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return (np.abs(signs @ filled) >= seen).mean(axis=0)
    as_large, rows = np.zeros(gaps.shape[1]), max(_BLOCK // n, 1)
    for begin in range(0, _FLIPS, rows):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(min(rows, _FLIPS - begin), n), dtype=np.int8)
        as_large += (np.abs(signs @ filled) >= seen).sum(axis=0)
    return (as_large + 1) / (_FLIPS + 1)


def holm(p_values: Floats) -> Floats:
    """The p-values corrected for their number, step down (Holm, 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps * p_values[order]), 1.0)
    return corrected


def _difference(pair: Pair, p_value: float) -> Difference:
    known = pair.known
    gap = bounded_mean(known, -1.0, 1.0) if pair.measure == "quality" else mean(known)
    found = Difference(
        measure=pair.measure,
        first=pair.first,
        second=pair.second,
        task=pair.task,
        prompts=len(known),
        mean=Estimate(np.nan, np.nan, np.nan) if gap is None else gap,
        p_value=p_value,
        shown=p_value < LEVEL,
        verdict="",
    )
    return replace(found, verdict=verdict(found))
