"""Our own live decider as a peer, to take its time for the same requests; what it gets, the simulator's rows say."""

from __future__ import annotations

import numpy as np

from banditroute.records import Context, Demand
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from peer_prices import LIST_PRICES
from peer_world import Request, World

_INPUT_TOKENS = 100  # of every prompt: the time does not depend on it


class Live:
    """The decider that a router asks, with classes and features, under a paced budget."""

    def __init__(self, world: World, budget_usd: float, seed: int) -> None:
        models = (
            Model(name, "any", name, Price(*price), Capabilities(1_000_000)) for name, price in LIST_PRICES.items()
        )
        self._tasks, self._chance = world.stream.tasks, np.random.default_rng(seed)
        self._decider = Decider(Catalog(tuple(models)), self._tasks, world.stream.x.shape[1] - 2, budget_usd=budget_usd)

    def choose(self, request: Request) -> str:
        return self._decider.decide(
            self._context(request),
            Demand(_INPUT_TOKENS),
            decision_id=str(request.number),
            now=float(request.number),
            u=self._chance.random(),
        ).chosen

    def billed(self, request: Request, model: str, cost_usd: float) -> None:
        output_tokens = max(1, round(cost_usd / LIST_PRICES[model].output_usd_per_mtok * 1e6))
        self._decider.learn(self._context(request), model, output_tokens=output_tokens)
        self._decider.spend(cost_usd)

    def judged(self, request: Request, model: str, quality: float) -> None:
        self._decider.learn(self._context(request), model, quality=quality)
        if self._decider.refresh_due:
            self._decider.refresh()

    def reprice(self, model: str, factor: float) -> None:
        raise NotImplementedError(f"only its time is taken, where no price changes; {model} times {factor:g}")

    def _context(self, request: Request) -> Context:
        return Context(self._tasks[request.task], tuple(request.features.tolist()), _INPUT_TOKENS)
