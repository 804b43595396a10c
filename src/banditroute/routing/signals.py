"""The learned signals of every (task class, model) pair, laid out so that one product forecasts them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.drift import Vigilance, faded, moved
from banditroute.learning.evidence import Evidence, decayed, empty, merged, observe_many, sound
from banditroute.learning.objective import expected_amount
from banditroute.learning.posterior import Posterior, condition, predict, solve
from banditroute.learning.priors import Prior
from banditroute.learning.warm import lent, with_warmth

from .hearsay import change
from .watching import Shift, Watch

Floats = NDArray[np.float64]

_BATCH = 256  # observations that are summed up at once
_MUCH = 0.1  # of all that is known of a signal: so much told by others is worth solving it anew
_NEW = 1.5  # times what was known of an edge: the same
_MOVED_TO = 0.8  # of its weight: evidence that lost more was moved by a change; what fades loses less at a time
_LIKELY_SDS = 2.326  # of a normal: 99% lie below
_MOST_LOG_TOKENS = 20.0  # e^20 tokens: nobody's answer, and no overflow


class Amounts(NamedTuple):
    """What each of K models is expected to do at one context, each (K,).

    Attributes:
        quality: expected quality, unclipped; quality_sd its posterior standard deviation.
        output_tokens: expected tokens.
        latency_s: expected seconds.
        log_latency: expected log of the seconds; log_latency_var its variance, noise of one call included.
        log_ttft, log_ttft_var: the same of seconds to the first token.
    """

    quality: Floats
    quality_sd: Floats
    output_tokens: Floats
    latency_s: Floats
    log_latency: Floats
    log_latency_var: Floats
    log_ttft: Floats
    log_ttft_var: Floats


class Signals:
    """What is learned of every edge, signal by signal: evidence as the truth, posteriors kept current.

    The posteriors lie side by side on the model axis: signal s of model k is column s K + k of one block. Beyond the
    known classes stands one that is never observed; it speaks for every class that is yet unknown.

    Args:
        priors: those of quality, log tokens, log seconds and log seconds to the first token.
        classes: C, the known task classes.
        models: K.
        width: X, inputs of a context.
        likes: models that start from what another has shown, each with the position of that other.
        vigilances: how closely each signal is watched for changes; None or left out = not at all.

    """

    def __init__(
        self,
        priors: Sequence[Prior],
        classes: int,
        models: int,
        width: int,
        likes: Sequence[tuple[int, int]] = (),
        vigilances: Sequence[Vigilance | None] = (),
    ) -> None:
        self._priors = tuple(priors)
        self._models = models
        self._likes = tuple(likes)
        self._evidence = [empty((classes + 1, models), width) for _ in self._priors]
        self._warm: list[Evidence] | None = None
        self._pending: list[list[_Seen]] = [[] for _ in self._priors]
        self._moved = [empty((classes + 1, models), width) for _ in self._priors]
        self._watch = Watch(vigilances or [None] * len(self._priors))
        self._told = [0.0] * len(self._priors)  # observations that others told since each signal was solved
        self._unheard: set[int] = set()  # signals of which evidence was moved since they were solved
        self._unsound: set[tuple[int, tuple[int, int]]] = set()  # edges whose sums elsewhere are of no observations
        columns = len(self._priors) * models
        self._posterior = Posterior(
            np.zeros((classes + 1, columns, width + 1, width)), np.zeros((classes + 1, columns))
        )
        self.refresh()

    @property
    def stale(self) -> bool:
        """Whether what was learned was moved, which posteriors have not heard of yet."""
        return bool(self._unheard)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of each signal, over (C + 1, K) edges."""
        self._sum_up()
        return tuple(self._evidence)

    @property
    def posterior(self) -> Posterior:
        """All signals' posteriors side by side: (C + 1, 4 K) edges."""
        return self._posterior

    def forecast(self, task: int, x: Floats) -> Amounts:
        """What every model is expected to do with inputs x (X,) in a class; the index C means an unknown one."""
        models = self._models
        at = predict(self._posterior, task, x)
        mean, var = at.mean[models:], at.var[models:] + self._posterior.noise[task, models:]
        two, last = 2 * models, slice(2 * models, None)
        tokens, seconds = expected_amount(mean[:two], var[:two]).reshape(2, models)
        sd = np.sqrt(np.maximum(at.var[:models], 0.0))
        times = (mean[models:two], var[models:two], mean[last], var[last])
        return Amounts(at.mean[:models], sd, tokens, seconds, *times)

    def usual_inputs(self) -> Floats:
        """The mean inputs (X,) of the calls so far, whatever their class or model."""
        tokens = self.evidence[1]
        x = tokens.A[..., 0, :].sum((0, 1))
        return x / tokens.n.sum() if tokens.n.sum() > 0.0 else np.eye(1, x.size)[0]

    def likely_tokens(self, task: int, x: Floats) -> Floats:
        """Tokens (K,) that 99% of each model's answers are expected to stay below."""
        models = self._models
        at = predict(self._posterior, task, x)
        log_mean = at.mean[models : 2 * models]
        log_var = at.var[models : 2 * models] + self._posterior.noise[task, models : 2 * models]
        return np.exp(np.minimum(log_mean + _LIKELY_SDS * np.sqrt(log_var), _MOST_LOG_TOKENS))

    def add(self, signal: int, edge: tuple[int, int], sums: Evidence) -> None:
        """Adds evidence (X, X), (X,), (), () to one edge of one signal; posteriors hear of it at `refresh`."""
        for mine, theirs in zip(self._evidence[signal], sums, strict=True):
            mine[edge] += theirs
        self._unheard.add(signal)

    def put(self, signal: int, edge: tuple[int, int], sums: Evidence, *, mend: bool = False) -> Evidence | None:
        """Puts sums in the place of those of one edge; the difference, None where it is no more than rounding.

        Posteriors hear of it at `refresh`, for which there is reason once it is much beside what was known. Where
        another process has moved it, detectors begin anew: what they have found so far is why it was moved. Where two
        have, each what both knew, the sums are none that observations can have, and the edge begins anew too.

        Args:
            signal: which.
            edge: class and model.
            sums: (X, X), (X,), (), ().
            mend: sums that begin anew are taken off what all processes know, which one of them has to do.
        """
        self._sum_up()
        kept = self._evidence[signal]
        if float(sums.n) < float(kept.n[edge]) or (signal, edge) in self._unsound:  # observations only add
            sums = self._mended(signal, edge, sums, mend=mend)
        difference = change(Evidence(*(part[edge] for part in kept)), sums)
        known = float(kept.n[edge])
        for mine, theirs in zip(kept, sums, strict=True):
            mine[edge] = theirs
        if difference is not None:
            self._note(signal, edge[1], known, float(sums.n))
        return difference

    def _mended(self, signal: int, edge: tuple[int, int], sums: Evidence, *, mend: bool) -> Evidence:
        """The sums of an edge, or nothing where they are none that observations can have."""
        if sound(sums).all():
            self._unsound.discard((signal, edge))
            return sums
        self._unsound.add((signal, edge))
        if mend:
            for difference, theirs in zip(self._moved[signal], sums, strict=True):
                difference[edge] -= theirs
        return Evidence(*(np.zeros_like(part) for part in sums))

    def _note(self, signal: int, arm: int, before: float, after: float) -> None:
        """Takes note of how much was told of an edge."""
        moved_elsewhere = after < _MOVED_TO * before
        if moved_elsewhere:
            self._watch.begin_anew(signal, arm)
        self._told[signal] += abs(after - before)
        much = self._told[signal] > _MUCH * float(self._evidence[signal].n.sum())
        if much or moved_elsewhere or after > _NEW * before:
            self._unheard.add(signal)

    def warm(self, signal: int, edge: tuple[int, int], sums: Evidence) -> None:
        """The same of what was measured beforehand, which counts for less once what is seen disagrees."""
        if self._warm is None:
            self._warm = [empty(each.n.shape, each.b.shape[-1]) for each in self._evidence]
        for mine, theirs in zip(self._warm[signal], sums, strict=True):
            mine[edge] += theirs
        self._unheard.add(signal)

    def observe(
        self, task: int, arm: int, x: Floats, values: Sequence[float | None], weight: float = 1.0
    ) -> Sequence[Shift]:
        """Takes in what one call showed of each signal, None where it did not, in the signals' own (log) units.

        The weight is above 0; 1 counts in full. Returns the changes that it brings to light; what was learned of those
        edges has been moved, and posteriors hear of it at `refresh`.
        """
        at = predict(self._posterior, task, x)
        shifts: list[Shift] = []
        for signal, value in enumerate(values):
            if value is not None:
                column = signal * self._models + arm
                var = max(float(at.var[column]), 0.0) + float(self._posterior.noise[task, column]) / weight
                shifts += self._watch.take(signal, task, arm, float(at.mean[column]), value, var)
                pending = self._pending[signal]
                pending.append(_Seen(task, arm, x, value, weight))
                if len(pending) == _BATCH:
                    self._sum_up()
                condition(self._posterior, task, column, value, at, weight)
        for shift in shifts:
            self._move(shift)
        return shifts

    def tick(self) -> None:
        """One more request is over: now and then, what is known of models that fell not long ago fades a little."""
        self._watch.count()
        for signal in range(len(self._priors)):
            for arm, vigilance in self._watch.fading(signal):
                self._replace(signal, arm, slice(None), partial(faded, settings=vigilance))

    def fade(self, factor: float) -> None:
        """Lets all that is known fade, the priors never."""
        for signal, arm in product(range(len(self._priors)), range(self._models)):
            self._replace(signal, arm, slice(None), partial(decayed, factor=factor))

    def mend(self) -> None:
        """Begins anew where sums are none that observations can have: two processes moved what both of them knew."""
        self._sum_up()
        for signal, evidence in enumerate(self._evidence):
            for task, arm in np.argwhere(~sound(evidence)).tolist():
                self._replace(signal, arm, slice(task, task + 1), partial(decayed, factor=0.0))

    def watch_like(self, before: Signals, tasks: Mapping[int, int], arms: Mapping[int, int]) -> None:
        """Goes on watching where another has come to; its classes and models map to those here."""
        self._watch.inherit(before._watch, tasks, arms)

    def take_moves(self) -> Iterator[tuple[int, tuple[int, int], Evidence]]:
        """What changes have added to evidence since this was last asked: signal, edge, sums (they may be negative)."""
        for signal, sums in enumerate(self._moved):
            for task, arm in np.argwhere((sums.n != 0.0) | (sums.b[..., 0] != 0.0)).tolist():
                yield signal, (task, arm), Evidence(*(part[task, arm].copy() for part in sums))
            for part in sums:
                part[...] = 0.0

    def _move(self, shift: Shift) -> None:
        """Moves what was learned by a change; what was measured beforehand is of another model by now."""
        tasks = slice(None) if shift.task is None else slice(shift.task, shift.task + 1)
        self._replace(
            shift.signal, shift.arm, tasks, partial(moved, shift=shift.by, seen=shift.seen, settings=shift.vigilance)
        )
        if self._warm is not None:
            for part in self._warm[shift.signal]:
                part[tasks, shift.arm] = 0.0

    def _replace(self, signal: int, arm: int, tasks: slice, change: Callable[[Evidence], Evidence]) -> None:
        """Puts other evidence of a model in the place of what is there, and takes note of the difference."""
        self._sum_up()
        edges = (tasks, slice(arm, arm + 1))
        kept, differences = self._evidence[signal], self._moved[signal]
        before = Evidence(*(part[edges].copy() for part in kept))
        for part, difference, old, new in zip(kept, differences, before, change(before), strict=True):
            part[edges] = new
            difference[edges] += new - old
        self._unheard.add(signal)

    def grow(self) -> int:
        """Makes the class that speaks for unknown ones a known class, puts a new one behind it; returns its index.

        An empty class is the same whichever it is, so its posterior is a copy and nothing need be solved.
        """
        self._sum_up()
        known = self._posterior.noise.shape[0] - 1
        self._evidence = [_with_empty_class(evidence) for evidence in self._evidence]
        self._moved = [_with_empty_class(evidence) for evidence in self._moved]
        self._warm = None if self._warm is None else [_with_empty_class(evidence) for evidence in self._warm]
        block, noise = self._posterior
        self._posterior = Posterior(np.concatenate((block, block[-1:])), np.concatenate((noise, noise[-1:])))
        return known

    def refresh(self) -> None:
        """Solves all posteriors anew from the evidence, so that edges hear of each other."""
        self.doubt()
        self.catch_up()

    def doubt(self) -> None:
        """Has all posteriors count as stale."""
        self._unheard.update(range(len(self._priors)))

    def catch_up(self) -> None:
        """Solves the posteriors of signals of which evidence was moved, and no others."""
        for _ in self.catching_up():
            pass

    def catching_up(self) -> Iterator[None]:
        """The same, one signal a step; whatever is learned between two steps is in."""
        while self._unheard:
            signal = min(self._unheard)
            self._unheard.discard(signal)
            self._told[signal] = 0.0
            self._sum_up()
            columns = slice(signal * self._models, (signal + 1) * self._models)
            for part, solved in zip(self._posterior, solve(self._known(signal), self._priors[signal]), strict=True):
                part[:, columns] = solved
            yield

    def _known(self, signal: int) -> Evidence:
        """A signal's evidence, with what was measured beforehand and what models have from those they are like."""
        seen = self._evidence[signal]
        warm = None if self._warm is None else self._warm[signal]
        if self._likes:
            warm = lent(seen, self._likes) if warm is None else merged(warm, lent(merged(seen, warm), self._likes))
        return seen if warm is None else with_warmth(seen, warm, self._priors[signal])

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
