"""Conservative choosing: how far what was served stands above a share of what a baseline model would have got.

Both totals are linear in the models' weights, so that what is believed of them now says all of it at once, judged or
not: a lower bound of their difference is the harm that may yet be done. The lower bound of the sum is taken, not the
sum of lower bounds, after Kazerouni, Ghavamzadeh, Abbasi-Yadkori and Van Roy (2017), Conservative Contextual Linear
Bandits, eq. 4, and Wu, Shariff, Lattimore and Szepesvari (2016), Conservative Bandits, eq. 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from .posterior import Posterior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Index = int | Ints


@dataclass(frozen=True, slots=True)
class Conservative:
    """What is promised against a baseline.

    Attributes:
        alpha: share of the baseline's quality that may be lost.
        confidence: of the promise, at any one instant.
        saved_requests: requests whose alpha may be saved up; what was earned beyond it allows no harm later.
    """

    alpha: float = 0.02
    confidence: float = 0.95
    saved_requests: float = 1000.0

    @property
    def most(self) -> float:
        """Quality points that may be saved up."""
        return self.alpha * self.saved_requests


class Margin(NamedTuple):
    """Quality served above the share of the baseline's, over a class or all of them: its mean and variance (...)."""

    mean: Floats
    variance: Floats


class HarmAccount:
    """What was served against what a baseline would have got; leading axes are free: none live, (R,) in a simulation.

    Args:
        axes: (..., C, K): replications, task classes and models.
        width: X, inputs of a context.
        baseline: the arm that is held against.
        terms: what is promised.

    Posteriors may have further arms behind the K, which are passed over; their classes are those of the account. What
    is believed of two classes is taken to be independent.
    """

    def __init__(self, axes: tuple[int, ...], width: int, baseline: int, terms: Conservative) -> None:
        *lead, classes, _ = axes
        self._lead = tuple(np.arange(size) for size in lead)
        self._baseline = baseline
        self._share = 1.0 - terms.alpha
        self._z = float(ndtri(terms.confidence))
        self._most = terms.most
        self._played = np.zeros((*axes, width))
        self._margin = Margin(np.zeros((*lead, classes)), np.zeros((*lead, classes)))
        self._past = Margin(np.zeros(lead), np.zeros(lead))

    @property
    def total(self) -> Margin:
        """The margin (...) over all classes, and all that is past: it errs with the present, so deviations add."""
        sd = np.sqrt(self._past.variance) + np.sqrt(self._margin.variance.sum(-1))
        return Margin(self._past.mean + self._margin.mean.sum(-1), sd * sd)

    @property
    def lower(self) -> Floats:
        """Quality points (...) that are surely left."""
        mean, variance = self.total
        return mean - self._z * np.sqrt(variance)

    def resume(self, past: Margin) -> None:
        """Goes on from a margin of before, which nothing that is learned from now on can change."""
        self._past = past

    def close(self) -> None:
        """Leaves what was served so far as it is valued now, for good."""
        self._past = self.total
        for each in (self._played, *self._margin):
            each[...] = 0.0

    def grow(self, classes: int) -> None:
        """Has so many task classes from now on, no fewer than before; live only."""
        new = classes - self._played.shape[0]
        if new > 0:
            self._played = np.concatenate((self._played, np.zeros((new, *self._played.shape[1:]))))
            self._margin = Margin(*(np.concatenate((each, np.zeros(new))) for each in self._margin))

    def after(self, posterior: Posterior, task: Index, x: Floats) -> Floats:
        """What would surely be left (..., K) after each arm's serving one more request (X,) of a class."""
        where, b, share = (*self._lead, task), self._baseline, self._share
        arms = self._played.shape[-2]
        block, noise, played = posterior.block[where], posterior.noise[where], self._played[where]
        block, noise = block[..., :arms, :, :], noise[..., :arms]
        S, m = block[..., :-1, :], block[..., -1, :]
        steps = np.eye(arms)
        steps[:, b] -= share  # row k: what serving with arm k adds to each arm's sum, in units of x
        weights = _weights(played, b, share)
        Sx = np.matmul(S, x[..., None, :, None])[..., 0]
        gain = (m * x[..., None, :]).sum(-1) @ steps.T
        cross = (Sx * weights).sum(-1) @ (2.0 * steps.T)
        own = (Sx * x[..., None, :]).sum(-1) @ (steps * steps).T
        chance = _noise(noise, b, share)
        now, past = self._margin, self._past
        variance = np.maximum(now.variance.sum(-1)[..., None] + cross + own + chance, 0.0)
        sd = np.sqrt(past.variance)[..., None] + np.sqrt(variance)
        return (past.mean + now.mean.sum(-1))[..., None] + gain - self._z * sd

    def serve(self, posterior: Posterior, task: Index, arm: Index, x: Floats, times: float = 1.0) -> None:
        """Takes in that an arm serves a request (..., X) of a class; times = -1 takes it back."""
        self._played[(*self._lead, task, arm)] += times * x
        self.review(posterior, task)
        over = np.maximum(self.lower - self._most, 0.0)
        self._past = self._past._replace(mean=self._past.mean - over)

    def review(self, posterior: Posterior, task: Index | None = None) -> None:
        """Values what was served by what is believed now: in one class, or in all."""
        where = ... if task is None else (*self._lead, task)
        arms = self._played.shape[-2]
        block, noise = posterior.block[where][..., :arms, :, :], posterior.noise[where][..., :arms]
        found = margin(block, noise, self._played[where], self._baseline, self._share)
        self._margin.mean[where], self._margin.variance[where] = found


def margin(block: Floats, noise: Floats, played: Floats, baseline: int, share: float) -> Margin:
    """Quality served above a share of the baseline's in a class, as it is believed.

    Args:
        block: (..., K, X+1, X) covariances of the weights, each with its mean as an extra row.
        noise: (..., K) variance of one quality.
        played: (..., K, X) inputs of what each arm served, added up; the first input is 1.
        baseline: its arm.
        share: of the baseline's quality.
    """
    weights = _weights(played, baseline, share)
    mean = (block[..., -1, :] * weights).sum((-2, -1))
    spread = np.matmul(block[..., :-1, :], weights[..., None])[..., 0]
    chance = (_noise(noise, baseline, share) * played[..., 0]).sum(-1)
    return Margin(mean, (spread * weights).sum((-2, -1)) + chance)


def _noise(noise: Floats, baseline: int, share: float) -> Floats:
    """Variance (..., K) of one answer of each arm against the share of the baseline's, by the chance of both.

    Of the baseline's own it is left out: it comes to (1 - share)^2 of a variance.
    """
    apart = noise + share * share * noise[..., baseline, None]
    return np.where(np.arange(noise.shape[-1]) == baseline, 0.0, apart)


def _weights(played: Floats, baseline: int, share: float) -> Floats:
    weights = played.copy()
    weights[..., baseline, :] -= share * played.sum(-2)
    return weights
