"""The peers' own code behind our wrappers; skipped where the dependency group `peers` is not installed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from banditroute.simulation.scenario import AddEvent, Scenario
from banditroute.simulation.table import OutcomeTable
from peer_live import Live
from peer_prices import LIST_PRICES
from peer_world import MakePeer, Request, World, world_of

LLAMA, MISTRAL, GEMINI = LIST_PRICES
FEATURES = 25


@pytest.fixture(params=[("pareto_bandit", "peer_pareto", "ParetoBandit"), ("litellm", "peer_litellm", "Adaptive")])
def make(request: pytest.FixtureRequest) -> MakePeer:
    package, module, name = request.param
    pytest.importorskip(package)
    return getattr(importlib.import_module(module), name)


@pytest.fixture
def world() -> World:
    """Three models, and a newcomer that the scenario brings."""
    nothing = np.full((4, 3), np.nan)
    table = OutcomeTable(
        name="table",
        ids=tuple("abcd"),
        models=tuple(LIST_PRICES),
        tasks=("code", "maths"),
        task_of=np.array([0, 1, 0, 1]),
        input_tokens=np.full(4, 100.0),
        features=np.zeros((4, FEATURES)),
        at=np.full(4, np.nan),
        prompts=("What is a monad?",) * 4,
        quality=np.full((4, 3), 0.5),
        cost_usd=np.full((4, 3), 1e-3),
        output_tokens=nothing,
        latency_s=nothing,
    )
    newcomer = AddEvent(at=2, model="newcomer", like=GEMINI, cost_factor=0.1)
    return world_of(table, None, Scenario(events=(newcomer,)))


class Traffic:
    """Requests one after the other, each answer of the quality that its model has now."""

    def __init__(self, make: MakePeer, world: World, budget_usd: float = 1.0) -> None:
        self.peer, self.number = make(world, budget_usd, 0), 0
        self.present: tuple[str, ...] = tuple(LIST_PRICES)
        self.chance = np.random.default_rng(0)

    def served(self, requests: int, quality: dict[str, float], cost_usd: float = 1e-6) -> list[str]:
        """The models that served."""
        models: list[str] = []
        for _ in range(requests):
            features = 0.3 * self.chance.standard_normal(FEATURES)
            request = Request(self.number, "What is a monad?", 0, features, self.present)
            models.append(self.peer.choose(request))
            self.peer.billed(request, models[-1], cost_usd)
            self.peer.judged(request, models[-1], quality[models[-1]])
            self.number += 1
        return models


GOOD_MISTRAL = {LLAMA: 0.1, MISTRAL: 1.0, GEMINI: 0.1, "newcomer": 0.1}


def test_it_learns_which_model_is_good(make: MakePeer, world: World) -> None:
    served = Traffic(make, world).served(300, GOOD_MISTRAL)

    assert served[-50:].count(MISTRAL) >= 45


def test_our_own_live_decider_does(world: World) -> None:
    served = Traffic(Live, world).served(300, GOOD_MISTRAL)

    assert served[-50:].count(MISTRAL) >= 45


def test_a_model_that_is_away_is_never_asked_and_comes_back_as_it_was(make: MakePeer, world: World) -> None:
    traffic = Traffic(make, world)
    traffic.served(300, GOOD_MISTRAL)

    traffic.present = (LLAMA, GEMINI)
    assert MISTRAL not in traffic.served(30, GOOD_MISTRAL)
    traffic.present = tuple(LIST_PRICES)
    assert traffic.served(30, GOOD_MISTRAL).count(MISTRAL) >= 25


def test_a_newcomer_can_be_asked(make: MakePeer, world: World) -> None:
    traffic = Traffic(make, world)
    poor = dict.fromkeys((*LIST_PRICES, "newcomer"), 0.05) | {"newcomer": 1.0}
    traffic.served(200, poor)

    traffic.present = (*LIST_PRICES, "newcomer")
    assert "newcomer" in traffic.served(400, poor)


def test_pareto_bandit_gives_a_newcomer_its_trial(world: World) -> None:
    pytest.importorskip("pareto_bandit")
    from peer_pareto import FORCED_REQUESTS, ParetoBandit

    traffic = Traffic(ParetoBandit, world)
    traffic.served(50, GOOD_MISTRAL)
    traffic.present = (*LIST_PRICES, "newcomer")
    assert traffic.served(100, GOOD_MISTRAL).count("newcomer") == FORCED_REQUESTS


def test_pareto_bandit_hears_of_overspending_and_turns_to_the_cheap(world: World) -> None:
    pytest.importorskip("pareto_bandit")
    from peer_pareto import ParetoBandit

    traffic = Traffic(ParetoBandit, world, budget_usd=1e-4)
    traffic.served(300, GOOD_MISTRAL, cost_usd=1e-2)
    assert traffic.served(20, GOOD_MISTRAL, cost_usd=1e-2).count(LLAMA) == 20


def test_litellm_stops_learning_at_two_hundred(world: World) -> None:
    pytest.importorskip("litellm")
    from peer_litellm import Adaptive

    traffic = Traffic(Adaptive, world)
    traffic.served(600, GOOD_MISTRAL)
    bad_mistral = GOOD_MISTRAL | {MISTRAL: 0.0}
    assert traffic.served(200, bad_mistral)[-50:].count(MISTRAL) >= 45
