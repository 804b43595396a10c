"""LiteLLM's adaptive router (PyPI `litellm`, `router_strategy/adaptive_router`), driven without its proxy.

A Beta distribution for each of seven request types and each model, one draw of each for a request, the best of
`quality weight x draw + cost weight x (1 - scaled input price)` serves. Its classes, priors, draws, scores and its cap
(what takes a cell beyond alpha + beta = 200 is dropped) are LiteLLM's own code. It reads satisfaction from the words of
a user's next message, of which tables know nothing: here a judged quality q reaches the same update as q successes and
1 - q failures, which tells it more than it would hear live.
"""

from __future__ import annotations

import os
import random
from collections.abc import Coroutine
from functools import cache

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else importing it asks the network for prices

from litellm.router_strategy.adaptive_router.adaptive_router import AdaptiveRouter
from litellm.router_strategy.adaptive_router.bandit import apply_delta
from litellm.router_strategy.adaptive_router.classifier import classify_prompt
from litellm.types.router import AdaptiveRouterConfig, AdaptiveRouterPreferences, AdaptiveRouterWeights, RequestType

from peer_prices import price_of
from peer_world import Request, World

TIERS = {"llama-3.1-8b-instruct": 1, "mistral-large-2512": 2, "gemini-2.5-pro": 3}
"""The quality tiers that its operator declares; a newcomer has none, which LiteLLM takes for the second."""

SHIPPED_WEIGHT = AdaptiveRouterWeights().quality


@cache  # it is most of what a request takes; every order of a process meets the same prompts
def type_of(prompt: str) -> RequestType:
    """The request type that LiteLLM reads from a prompt."""
    return classify_prompt(prompt)


class Adaptive:
    """Its adaptive router; a model that comes or goes is a reload of its configuration, its cells kept.

    Args:
        world: where it plays.
        budget_usd: not known to it.
        seed: of its draws.
        weight: of quality; the rest is that of cheapness.
    """

    def __init__(self, world: World, budget_usd: float, seed: int, *, weight: float = SHIPPED_WEIGHT) -> None:
        del budget_usd
        random.seed(seed)  # it draws from the interpreter's generator
        self._world = world
        self._weights = AdaptiveRouterWeights(quality=weight, cost=1.0 - weight)
        self._cost = {model: price_of(world, model).input_usd_per_mtok * 1e-6 for model in world.models}
        self._router = self._loaded(tuple(TIERS))
        self._kept = dict(self._router._cells)
        self._present = tuple(TIERS)

    def choose(self, request: Request) -> str:
        if request.present != self._present:
            self._reload(request.present)
        return _done(self._router.pick_model(type_of(request.prompt)))

    def billed(self, request: Request, model: str, cost_usd: float) -> None:
        """Bills do not interest it."""

    def judged(self, request: Request, model: str, quality: float) -> None:
        cells, cell = self._router._cells, (type_of(request.prompt), model)
        if cell in cells:
            cells[cell] = apply_delta(cells[cell], quality, 1.0 - quality)
        else:  # judged while the model is away: it counts when the model is back
            self._kept[cell] = apply_delta(self._kept[cell], quality, 1.0 - quality)

    def reprice(self, model: str, factor: float) -> None:
        self._cost[model] *= factor
        self._reload(self._present)

    def _reload(self, present: tuple[str, ...]) -> None:
        self._kept |= self._router._cells
        self._router = self._loaded(present)
        self._router._cells |= {cell: self._kept[cell] for cell in self._router._cells if cell in self._kept}
        self._present = present

    def _loaded(self, models: tuple[str, ...]) -> AdaptiveRouter:
        tiers = {model: AdaptiveRouterPreferences(quality_tier=TIERS[model]) for model in models if model in TIERS}
        config = AdaptiveRouterConfig(available_models=list(models), weights=self._weights)
        return AdaptiveRouter("peer", config, tiers, {model: self._cost[model] for model in models})


def _done(coroutine: Coroutine[None, None, str]) -> str:
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise RuntimeError("LiteLLM's pick_model waits for something; it did not when this was written")
