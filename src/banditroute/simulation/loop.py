"""The loop: a policy meets the streams of many seeds and budgets side by side, and sees only what it chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.policy import Policy, Step

from .hearing import Ear, Patchy, Prompt
from .stream import Stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Played(NamedTuple):
    """What R replications did: rows and arms, each (R, n) in the order of time, warm-up first."""

    row: Ints
    arm: Ints


def play(stream: Stream, policy: Policy, seeds: Sequence[int], tick: Callable[[int], None] | None = None) -> Played:
    """Replays the stream once for each replication.

    A replication's chance depends on its seed alone, so neither its neighbours in the batch nor the number of processes
    changes what it does, and all budgets of a seed meet the same luck.

    Args:
        stream: what happens.
        policy: made for len(seeds) replications.
        seeds: (R,) stream order and chance of each replication; the same seed may stand more than once.
        tick: called now and then with the number of decisions made since the last call.
    """
    unique, position = np.unique(np.asarray(seeds), return_inverse=True)
    row = np.stack([stream.order(int(seed)) for seed in unique])[position]
    normal, uniform = _chance(unique, row.shape[1], stream.quality.shape[1])
    arm = np.empty_like(row)
    observed, every = stream.observed, max(1, row.shape[1] // 100)
    outcome, ear = row + stream.shift, _ear(stream, unique, position)
    for t in range(row.shape[1]):
        for news in stream.news.get(t, ()):
            news.tell(policy)
        rows, now = row[:, t], outcome[:, t]
        noise = normal[:, t][position]
        step = Step(now, stream.task[rows], stream.x[rows], observed[now], noise, uniform[:, t][position])
        chosen = policy.choose(step)
        heard = ear.at_once(step, chosen, stream.quality[now, chosen])
        policy.learn(step, chosen, heard, stream.cost_usd[now, chosen])
        for judged in ear.late():
            policy.judge(*judged)
        arm[:, t] = chosen
        if tick is not None and (t + 1) % every == 0:
            tick(every * row.shape[0])
    return Played(row, arm)


def _ear(stream: Stream, seeds: Ints, position: Ints) -> Ear:
    """How judgements come; which are missing depends on a replication's seed alone."""
    if stream.delay_requests == 0 and not stream.missing.any():
        return Prompt()
    uniform = np.stack([np.random.default_rng([int(seed), 2]).random(stream.task.size) for seed in seeds], axis=1)
    return Patchy(stream.delay_requests, stream.missing, uniform[:, position])


def _chance(seeds: Ints, steps: int, models: int) -> tuple[Floats, Floats]:
    """Normals (S, n, K) and uniforms (S, n), a generator of its own for each seed."""
    generators = [np.random.default_rng([int(seed), 1]) for seed in seeds]
    normal = np.stack([rng.standard_normal((steps, models)) for rng in generators])
    return normal, np.stack([rng.random(steps) for rng in generators])
