"""ParetoBandit (PyPI `paretobandit`) by the protocol of its own published experiments.

Those route on 25 whitened components of all-MiniLM-L6-v2 and a bias, which are the features of judged9; start from the
priors that the package ships, learned with every model's outcome on 8,373 further prompts; stream val, then score test.
Its pacer is adaptive (ceiling and penalty) with the package's constants, its static cost penalty is off. A newcomer
gets the first 20 requests after it is registered, whatever they are: without that its router would never ask one.
"""

from __future__ import annotations

import logging

import numpy as np
from pareto_bandit import BanditRouter
from pareto_bandit.budget_pacer import BudgetPacer, PacingMode
from pareto_bandit.config import (
    BEST_K3_HPARAMS,
    BEST_K3_TABULA_RASA_HPARAMS,
    DEFAULT_PACER_EMA_ALPHA,
    DEFAULT_PACER_LAMBDA_MAX,
    DEFAULT_PACER_LR,
)
from pareto_bandit.feature_service import FeatureService
from pareto_bandit.storage import EphemeralContextStore
from pareto_bandit.types import RoutingLog

from peer_prices import LIST_PRICES, ListPrice, price_of
from peer_world import Floats, Request, World

VENDORS = {
    "llama-3.1-8b-instruct": "meta-llama",
    "mistral-large-2512": "mistralai",
    "gemini-2.5-pro": "google",
}
"""What its priors put before each model's name."""

FORCED_REQUESTS = 20
"""How many a newcomer gets unasked in the experiment that its authors published; its router has no such trial."""


class ParetoBandit:
    """Its router, told of prices and models as its documentation says.

    Args:
        world: where it plays.
        budget_usd: its pacer's target.
        seed: breaks its ties.
        classes: one further input for each task class. The shipped priors have none, so it starts cold then, with the
            constants that the package gives for a cold start.
        bills_at_once: its pacer hears each bill when it comes. By its documented way it hears of one only together with
            a judgement, in `process_feedback`.
    """

    def __init__(
        self, world: World, budget_usd: float, seed: int, *, classes: bool = False, bills_at_once: bool = False
    ) -> None:
        logging.getLogger("pareto_bandit").setLevel(logging.ERROR)
        self._world, self._bills_at_once = world, bills_at_once
        self._classes = np.eye(len(world.stream.tasks)) if classes else np.zeros((len(world.stream.tasks), 0))
        self._pacer = BudgetPacer(
            budget_usd,
            mode=PacingMode.ADAPTIVE,
            lr=DEFAULT_PACER_LR,
            ema_alpha=DEFAULT_PACER_EMA_ALPHA,
            lambda_max=DEFAULT_PACER_LAMBDA_MAX,
        )
        tuned = BEST_K3_TABULA_RASA_HPARAMS if classes else BEST_K3_HPARAMS
        features = world.stream.x.shape[1] - 2
        self._router = BanditRouter.create(
            model_registry={_id(model): _costs(price) for model, price in LIST_PRICES.items()},
            feature_service=FeatureService.for_precomputed(features + self._classes.shape[1] + 1),
            context_store=EphemeralContextStore(),
            priors="none" if classes else "warmup",
            prior_n_effective=tuned["prior_n_effective"],
            alpha=tuned["alpha"],
            forgetting_factor=tuned["forgetting_factor"],
            cost_penalty=0.0,
            budget_pacer=self._pacer,
            bandit_seed=seed,
        )
        self._away: dict[str, dict] = {}
        self._present: tuple[str, ...] = tuple(LIST_PRICES)
        self._logs: dict[int, RoutingLog] = {}
        self._forced: list[str] = []

    def choose(self, request: Request) -> str:
        if request.present != self._present:
            self._keep_up(request.present)
        if self._forced:
            return self._forced.pop()
        chosen, log = self._router.route(self._vector(request))
        self._logs[request.number] = log
        return chosen.rpartition("/")[2]

    def billed(self, request: Request, model: str, cost_usd: float) -> None:  # noqa: ARG002
        log = self._logs.get(request.number)
        if log is not None:
            log.cost_usd = cost_usd
        if log is None or self._bills_at_once:
            self._pacer.observe(cost_usd)

    def judged(self, request: Request, model: str, quality: float) -> None:
        log = self._logs.pop(request.number, None)
        if log is None or self._bills_at_once:
            self._router.update(_id(model), self._vector(request), quality, advance_time=log is None)
        else:
            self._router.process_feedback(log.request_id, reward=quality)

    def reprice(self, model: str, factor: float) -> None:
        costs = self._router.registry[_id(model)]
        new = {field: costs[field] * factor for field in ("input_cost_per_m", "output_cost_per_m")}
        self._router.update_model_pricing(_id(model), **new)

    def _vector(self, request: Request) -> Floats:
        return np.concatenate([request.features, self._classes[request.task], [1.0]])

    def _keep_up(self, present: tuple[str, ...]) -> None:
        """Models that are away leave its registry and return to it as they were; new ones are registered."""
        registry = self._router.registry
        for model in set(self._present) - set(present):
            self._away[model] = registry.pop(_id(model))
        for model in present:
            if model in self._away:
                registry[_id(model)] = self._away.pop(model)
            elif _id(model) not in registry:
                self._router.register_model(_id(model), speed="fast", **_costs(price_of(self._world, model)))
                self._forced = [model] * FORCED_REQUESTS
        self._present = present


def _id(model: str) -> str:
    return f"{VENDORS[model]}/{model}" if model in VENDORS else model


def _costs(price: ListPrice) -> dict[str, float]:
    return {"input_cost_per_m": price.input_usd_per_mtok, "output_cost_per_m": price.output_usd_per_mtok}
