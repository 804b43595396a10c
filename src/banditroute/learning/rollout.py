"""How a newcomer is rolled out: a short trial inside the budget, a test that it is not surely worse, a staged canary.

Pure formulas with free leading axes: none live, (R,) when R replications run side by side. They read evidence and
posteriors, and need no other memory than who is new and who was rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .posterior import Posterior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
CanaryFor = Literal["dearer", "all", "none"]

_WATCHED = 20  # trials' worth of requests, after which a newcomer is a model like any other


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How newcomers get their chance.

    Attributes:
        trial_requests: requests that a newcomer is sure to get, if each is expected to fit in the budget.
        trial_share: share of the requests that all trials together take until then.
        tolerance: quality points per request by which traffic may be worse for a newcomer.
        confidence: how sure to be before a newcomer is rolled back, or its canary let go on.
        probe_share: share of the requests that each newcomer gets after that all the same, rolled back or not, if they
            fit in the budget: so that a later improvement is found.
        canary: which newcomers go through stages: those dearer than every model in use, all, or none.
        stages: most of the requests at each stage; after the last it is open.
    """

    trial_requests: int = 10
    trial_share: float = 0.1
    tolerance: float = 0.02
    confidence: float = 0.95
    probe_share: float = 0.001
    canary: CanaryFor = "dearer"
    stages: tuple[float, ...] = (0.01, 0.05, 0.25)

    @property
    def watched_requests(self) -> int:
        """Requests of its own after which a newcomer is one no longer."""
        return _WATCHED * self.trial_requests


class Shown(NamedTuple):
    """What a newcomer showed in each of C task classes, beside the best that was there without it.

    Attributes:
        n: (..., C) judged requests.
        gain: (..., C) its mean utility less what the best other model was expected to have on the same requests;
            whatever where n is 0.
        noise: (..., C) variance of one judgement.
        doubt: (..., C) variance of what is expected of that best model.
    """

    n: Floats
    gain: Floats
    noise: Floats
    doubt: Floats


class Comparison(NamedTuple):
    """A newcomer against the best others, mean over the requests that it served.

    Attributes:
        n: (...) judged requests.
        gain: (...) utility gained by it, quality points per request.
        radius: (...) the true gain lies above `gain - radius`, at every n at once, with the confidence asked for; and
            below `gain + radius` likewise. Infinite while n is 0.
    """

    n: Floats
    gain: Floats
    radius: Floats


def shown_by(
    arm: int, evidence: Evidence, quality: Posterior, priced: Callable[[Floats], Floats], others: Bools
) -> Shown:
    """What an arm showed beside the best of the others, in each class at the mean inputs of the requests it served.

    Means are enough, for what is expected is linear in the inputs.

    Args:
        arm: the newcomer.
        evidence: of quality, over (..., C, K) edges.
        quality: its posterior.
        priced: quality points (..., C, K) that each model's dollars are worth, at inputs (..., C, X).
        others: (..., K) models that could have served in its stead; where there are none, it showed nothing.
    """
    n = np.where(others.any(-1, keepdims=True), evidence.n[..., arm], 0.0)
    many = np.maximum(evidence.n[..., arm], 1e-12)
    x = evidence.A[..., arm, 0, :] / many[..., None]
    price = priced(x)
    worth = np.einsum("...ckx,...cx->...ck", quality.mean, x) - price
    best = np.where(others[..., None, :], worth, -np.inf).argmax(-1)[..., None]
    doubt = np.einsum("...ckxy,...cx,...cy->...ck", quality.covariance, x, x)
    there = others | (np.arange(others.shape[-1]) == arm)
    return Shown(
        n=n,
        gain=evidence.b[..., arm, 0] / many - price[..., arm] - np.take_along_axis(worth, best, -1)[..., 0],
        noise=np.where(there[..., None, :], quality.noise, 0.0).max(-1),  # its own is not known well yet
        doubt=np.take_along_axis(doubt, best, -1)[..., 0],
    )


def compared(shown: Shown, settings: RolloutSettings) -> Comparison:
    """The comparison over all classes."""
    n = shown.n.sum(-1)
    weight = shown.n / np.maximum(n, 1e-12)[..., None]
    gain = (weight * np.where(shown.n > 0, shown.gain, 0.0)).sum(-1)
    variance = (weight * shown.noise).sum(-1) + n * (weight**2 * shown.doubt).sum(-1)
    return Comparison(n, gain, np.sqrt(np.where(n > 0, variance, 1.0)) * sure_within(n, settings))


def sure_within(n: Floats, settings: RolloutSettings) -> Floats:
    """How many sds of one observation the mean of n stays within (one side), at every n at once; infinite at 0.

    Narrowest at the trial's end. Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central
    limit theory and asymptotic confidence sequences, the one-sided normal mixture (after Robbins 1970).
    """
    alpha = 1.0 - settings.confidence
    tuned = -2.0 * np.log(alpha)
    rho2 = (tuned + np.log(tuned + 1.0)) / settings.trial_requests
    spread = n * rho2 + 1.0
    squared = 2.0 * spread / np.maximum(n**2 * rho2, 1e-300) * np.log1p(np.sqrt(spread) / (2.0 * alpha))
    return np.where(n > 0, np.sqrt(squared), np.inf)


def surely_worse(comparison: Comparison, before: Bools | bool, settings: RolloutSettings) -> Bools:
    """Whether (...) a newcomer is rolled back: on average it costs more than the tolerance, for sure.

    One that was so before stays so until it no longer looks that way: doubt alone takes nothing back.
    """
    worse = comparison.gain + comparison.radius < -settings.tolerance
    return worse | (before & (comparison.gain < -settings.tolerance))


def without_doubt(rolled_back: Bools, worth: Floats, best: Floats, settings: RolloutSettings) -> Bools:
    """Where (..., K) a model rolled back may not serve: wherever it is not expected to be as good as the best.

    On average it is surely worse, yet it may be good at something. So what it loses is the benefit of the doubt: it
    serves on where its expected worth (..., K) says so, and is no longer tried where only its uncertainty does.

    Args:
        rolled_back: (..., K).
        worth: (..., K) expected utility.
        best: (..., 1) the greatest worth of the models that may serve.
        settings: the tolerance.
    """
    return rolled_back & (worth < best - settings.tolerance)


def newcomer_floor(
    newcomer: Bools, rolled_back: Bools, pulls: Floats, cost_share: Floats, settings: RolloutSettings
) -> Floats:
    """The least probability (..., K) of newcomers whose requests fit in the budget: a trial, and then rare probes.

    Args:
        newcomer: (..., K) newcomers that may serve.
        rolled_back: (..., K) those whose trial is over before its time.
        pulls: (..., K) requests that each model had.
        cost_share: (..., K) expected dollars over the budget per request; unknown = 1.
        settings: how long, and how much of the traffic.
    """
    within = newcomer & (cost_share <= 1.0)
    on_trial = within & ~rolled_back & (pulls < settings.trial_requests)
    trial = settings.trial_share / np.maximum(on_trial.sum(-1, keepdims=True), 1)
    return np.where(on_trial, trial, np.where(within, settings.probe_share, 0.0))


class Bent(NamedTuple):
    """What a rollout makes of a choice.

    Attributes:
        barred: (..., K) models that may not be drawn, but for their floor.
        floor: (..., K) the least probability of each.
    """

    barred: Bools
    floor: Floats


def bent(
    newcomer: Bools,
    rolled_back: Bools,
    pulls: Floats,
    eligible: Bools,
    worth: Floats,
    cost_share: Floats,
    settings: RolloutSettings,
) -> Bent:
    """What is left of a choice, all (..., K).

    Args:
        newcomer: who is one.
        rolled_back: which of them are.
        pulls: requests that each model had.
        eligible: models that may serve.
        worth: their expected utility.
        cost_share: expected dollars over the budget per request; unknown = 1.
        settings: how newcomers get their chance.
    """
    best = np.where(eligible, worth, -np.inf).max(-1, keepdims=True)
    barred = without_doubt(rolled_back, worth, best, settings)
    return Bent(barred, newcomer_floor(newcomer & eligible, rolled_back, pulls, cost_share, settings))


def stage_of(comparison: Comparison, settings: RolloutSettings) -> Ints:
    """The canary's stage (...): an index of the stages, or their number once it is open.

    It goes on once it had a trial's worth of judged requests for each stage behind it and what it may cost at the next
    share is tolerable for sure: share x (gain - radius) >= -tolerance. Evidence that turns takes it back.
    """
    surely = comparison.gain - comparison.radius
    passed = [
        (share * surely >= -settings.tolerance) & (comparison.n >= (done + 1) * settings.trial_requests)
        for done, share in enumerate((*settings.stages[1:], 1.0))
    ]
    return np.cumprod(np.stack(passed), axis=0).sum(0) if settings.stages else np.zeros(surely.shape, np.int64)
