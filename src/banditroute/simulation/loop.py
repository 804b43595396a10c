"""The loop: a policy meets the streams of many seeds and budgets side by side, and sees only what it chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.policy import Policy, Step

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
    for t in range(row.shape[1]):
        rows = row[:, t]
        noise = normal[:, t][position]
        step = Step(rows, stream.task[rows], stream.x[rows], observed[rows], noise, uniform[:, t][position])
        chosen = policy.choose(step)
        policy.learn(step, chosen, stream.quality[rows, chosen], stream.cost_usd[rows, chosen])
        arm[:, t] = chosen
        if tick is not None and (t + 1) % every == 0:
            tick(every * row.shape[0])
    return Played(row, arm)


def _chance(seeds: Ints, steps: int, models: int) -> tuple[Floats, Floats]:
    """Normals (S, n, K) and uniforms (S, n), a generator of its own for each seed."""
    generators = [np.random.default_rng([int(seed), 1]) for seed in seeds]
    normal = np.stack([rng.standard_normal((steps, models)) for rng in generators])
    return normal, np.stack([rng.random(steps) for rng in generators])
