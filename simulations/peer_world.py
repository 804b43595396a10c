"""The world in which peers and banditroute meet: one table under one scenario, the same streams for all of them.

A peer decides one request at a time. Wrapped as a policy of one replication it goes through the simulator's own loop,
so that every seed brings it the same order of rows, the same outcomes, news and gaps in its feedback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute import OutcomeTable
from banditroute.learning.policy import Step
from banditroute.simulation.loop import Played, play
from banditroute.simulation.results import PolicyResult
from banditroute.simulation.scenario import Scenario
from banditroute.simulation.stages import Script, script_of, warmup_of
from banditroute.simulation.stream import Stream, staged, stream_of
from banditroute.simulation.summary import policy_result

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Request(NamedTuple):
    """What a peer sees of one request.

    Attributes:
        number: counts the requests of a run from 0, warm-up included.
        prompt: its text.
        task: index of its class.
        features: (p,) the table's encoded prompt.
        present: the models that may serve.
    """

    number: int
    prompt: str
    task: int
    features: Floats
    present: tuple[str, ...]


class Peer(Protocol):
    """A router that is not ours: it chooses, and hears of what it chose alone."""

    def choose(self, request: Request) -> str:
        """The model that serves the request."""
        ...

    def billed(self, request: Request, model: str, cost_usd: float) -> None:
        """Hears the dollars, as soon as the request is served."""
        ...

    def judged(self, request: Request, model: str, quality: float) -> None:
        """Hears the quality, at once or later."""
        ...

    def reprice(self, model: str, factor: float) -> None:
        """Is told that a model's price list changed."""
        ...


class MakePeer(Protocol):
    """Makes a peer for one run."""

    def __call__(self, world: World, budget_usd: float, seed: int) -> Peer:
        """The peer as it is before the first request of the warm-up."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """One table under one scenario.

    Attributes:
        stream: the warm-up and the table as every policy of the simulator gets them.
        script: the scenario's stages.
        prompts: (n,) texts of the stream's rows.
        models: (K,) names, newcomers last.
        newcomers: those of them that the table lacks, with the model they copy and their price over its price.
    """

    stream: Stream
    script: Script
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    newcomers: dict[str, tuple[str, float]]

    def request(self, number: int, step: Step) -> Request:
        """The request that a step of one replication is."""
        stream, outcome = self.stream, int(step.row[0])
        scored = stream.task.size - stream.warm
        row = outcome if outcome < stream.warm else stream.warm + (outcome - stream.warm) % scored
        present = tuple(self.models[k] for k in np.flatnonzero(step.eligible[0]))
        return Request(number, self.prompts[row], int(step.task[0]), step.x[0, 2:], present)


class Met(NamedTuple):
    """What a peer got at one budget, and the processor seconds of its own code for each request."""

    result: PolicyResult
    seconds: float


def world_of(table: OutcomeTable, warmup: OutcomeTable | None, scenario: Scenario | None) -> World:
    """The world of a table under a scenario, with classes and features."""
    script = script_of(table, scenario)
    first, before = script.stages[0].table, warmup_of(warmup, scenario)
    stream = staged(stream_of(first, before, features=True, classes=True), script)
    texts = [*(before.prompts if before else ()), *table.prompts]
    newcomers = {
        add.model: (str(add.like), add.cost_factor or 1.0) for add in (scenario.newcomers() if scenario else ())
    }
    return World(stream, script, tuple(text or "" for text in texts), first.models, newcomers)


def meet(world: World, name: str, make: MakePeer, budget_usd: float, seeds: Sequence[int]) -> Met:
    """What a peer gets in a world at a budget, one run for each seed."""
    runs = [_run(world, make, budget_usd, seed) for seed in seeds]
    parts = [(played, None) for played, _ in runs]
    result = policy_result(name, budget_usd, tuple(seeds), world.stream, world.script, parts, (np.nan, np.nan))
    return Met(result, float(np.mean([seconds for _, seconds in runs])))


def _run(world: World, make: MakePeer, budget_usd: float, seed: int) -> tuple[Played, float]:
    alone = _Alone(world, make(world, budget_usd, seed))
    return play(world.stream, alone, [seed]), alone.seconds / world.stream.task.size


class _Alone:
    """A peer as a policy of one replication; it keeps the processor time that the peer takes."""

    def __init__(self, world: World, peer: Peer) -> None:
        self.seconds = 0.0
        self._world, self._peer = world, peer
        self._number = 0
        self._asked: dict[int, Request] = {}  # by id of the step, until it is judged

    def choose(self, step: Step) -> Ints:
        request = self._world.request(self._number, step)
        self._number += 1
        self._asked[id(step)] = request
        began = process_time()
        model = self._peer.choose(request)
        self.seconds += process_time() - began
        return np.array([self._world.models.index(model)])

    def learn(self, step: Step, arm: Ints, quality: Floats, cost_usd: Floats) -> None:
        began = process_time()
        self._peer.billed(self._asked[id(step)], self._world.models[arm[0]], float(cost_usd[0]))
        self.seconds += process_time() - began
        self.judge(step, arm, quality)

    def judge(self, step: Step, arm: Ints, quality: Floats) -> None:
        if np.isnan(quality[0]):
            return
        request = self._asked.pop(id(step))
        began = process_time()
        self._peer.judged(request, self._world.models[arm[0]], float(quality[0]))
        self.seconds += process_time() - began

    def reprice(self, arm: int, factor: float) -> None:
        self._peer.reprice(self._world.models[arm], factor)

    def welcome(self, arm: int) -> None:
        """A peer sees newcomers among the models that are present."""

    def rebudget(self, budget_usd: float) -> None:
        raise NotImplementedError(f"no shipped scenario sets a budget; this one sets {budget_usd}")
