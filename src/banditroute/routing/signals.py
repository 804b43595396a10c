"""The learned signals of every (task class, model) pair, laid out so that one product forecasts them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence, empty, observe_many
from banditroute.learning.objective import expected_amount
from banditroute.learning.posterior import Posterior, condition, predict, solve
from banditroute.learning.priors import Prior
from banditroute.learning.warm import with_warmth

Floats = NDArray[np.float64]

_BATCH = 256  # observations that are summed up at once
_LIKELY_SDS = 2.326  # of a normal: 99% lie below
_MOST_LOG_TOKENS = 20.0  # e^20 tokens: nobody's answer, and no overflow


class Amounts(NamedTuple):
    """What each of K models is expected to do at one context, each (K,).

    Attributes:
        quality: expected quality, unclipped; quality_sd its posterior standard deviation.
        output_tokens: expected tokens.
        latency_s: expected seconds.
    """

    quality: Floats
    quality_sd: Floats
    output_tokens: Floats
    latency_s: Floats


class Signals:
    """Quality, log output tokens and log latency of every edge: evidence as the truth, posteriors kept current.

    The posteriors lie side by side on the model axis: signal s of model k is column s K + k of one block. Beyond the
    known classes stands one that is never observed; it speaks for every class that is yet unknown.

    Args:
        priors: those of quality, log tokens and log seconds.
        classes: C, the known task classes.
        models: K.
        width: X, inputs of a context.
    """

    def __init__(self, priors: Sequence[Prior], classes: int, models: int, width: int) -> None:
        self._priors = tuple(priors)
        self._models = models
        self._evidence = [empty((classes + 1, models), width) for _ in self._priors]
        self._warm: list[Evidence] | None = None
        self._pending: list[list[_Seen]] = [[] for _ in self._priors]
        self._posterior: Posterior
        self.refresh()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of quality, log tokens and log seconds, each over (C + 1, K) edges."""
        self._sum_up()
        return tuple(self._evidence)

    @property
    def posterior(self) -> Posterior:
        """All signals' posteriors side by side: (C + 1, 3 K) edges."""
        return self._posterior

    def forecast(self, task: int, x: Floats) -> Amounts:
        """What every model is expected to do with inputs x (X,) in a class; the index C means an unknown one."""
        models = self._models
        at = predict(self._posterior, task, x)
        amounts = expected_amount(at.mean[models:], at.var[models:] + self._posterior.noise[task, models:])
        sd = np.sqrt(np.maximum(at.var[:models], 0.0))
        return Amounts(at.mean[:models], sd, amounts[:models], amounts[models:])

    def likely_tokens(self, task: int, x: Floats) -> Floats:
        """Tokens (K,) that 99% of each model's answers are expected to stay below."""
        models = self._models
        at = predict(self._posterior, task, x)
        log_mean = at.mean[models : 2 * models]
        log_var = at.var[models : 2 * models] + self._posterior.noise[task, models : 2 * models]
        return np.exp(np.minimum(log_mean + _LIKELY_SDS * np.sqrt(log_var), _MOST_LOG_TOKENS))

    def add(self, signal: int, edge: tuple[int, int], sums: Evidence) -> None:
        """Adds evidence (X, X), (X,), (), () to one edge of one signal; posteriors hear of it at `refresh`."""
        evidence = self._evidence[signal]
        for mine, theirs in zip(evidence, sums, strict=True):
            mine[edge] += theirs

    def warm(self, signal: int, edge: tuple[int, int], sums: Evidence) -> None:
        """The same of what was measured beforehand, which counts for less once what is seen disagrees."""
        if self._warm is None:
            self._warm = [empty(each.n.shape, each.b.shape[-1]) for each in self._evidence]
        for mine, theirs in zip(self._warm[signal], sums, strict=True):
            mine[edge] += theirs

    def observe(self, task: int, arm: int, x: Floats, values: Sequence[float | None], weight: float = 1.0) -> None:
        """Takes in what one call showed of each signal, None where it did not, in the signals' own (log) units.

        The weight is above 0; 1 counts in full.
        """
        at = predict(self._posterior, task, x)
        for signal, value in enumerate(values):
            if value is not None:
                pending = self._pending[signal]
                pending.append(_Seen(task, arm, x, value, weight))
                if len(pending) == _BATCH:
                    self._sum_up()
                condition(self._posterior, task, signal * self._models + arm, value, at, weight)

    def grow(self) -> int:
        """Makes the class that speaks for unknown ones a known class, puts a new one behind it; returns its index.

        An empty class is the same whichever it is, so its posterior is a copy and nothing need be solved.
        """
        self._sum_up()
        known = self._posterior.noise.shape[0] - 1
        self._evidence = [_with_empty_class(evidence) for evidence in self._evidence]
        self._warm = None if self._warm is None else [_with_empty_class(evidence) for evidence in self._warm]
        block, noise = self._posterior
        self._posterior = Posterior(np.concatenate((block, block[-1:])), np.concatenate((noise, noise[-1:])))
        return known

    def refresh(self) -> None:
        """Solves all posteriors anew from the evidence, so that edges hear of each other."""
        self._sum_up()
        known = self._evidence
        if self._warm is not None:
            each = zip(self._evidence, self._warm, self._priors, strict=True)
            known = [with_warmth(seen, warm, prior) for seen, warm, prior in each]
        solved = [solve(evidence, prior) for evidence, prior in zip(known, self._priors, strict=True)]
        self._posterior = Posterior(
            np.concatenate([one.block for one in solved], axis=1), np.concatenate([one.noise for one in solved], axis=1)
        )

    def _sum_up(self) -> None:
        """Adds up what was observed since; in batches, for one by one it would cost more than deciding does."""
        for evidence, pending in zip(self._evidence, self._pending, strict=True):
            if pending:
                task, arm, x, value, weight = zip(*pending, strict=True)
                edges = np.array(task), np.array(arm)
                observe_many(evidence, edges, np.stack(x), np.array(value), np.array(weight))
                pending.clear()


class _Seen(NamedTuple):
    """One observation of one signal that is not summed up yet."""

    task: int
    arm: int
    x: Floats
    value: float
    weight: float


def _with_empty_class(evidence: Evidence) -> Evidence:
    axes, width = evidence.n.shape, evidence.b.shape[-1]
    padding = empty((1, *axes[1:]), width)
    return Evidence(*(np.concatenate(pair) for pair in zip(evidence, padding, strict=True)))
