"""A peer meets the very world that banditroute meets, and hears of what it chose alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from banditroute.simulation.run import simulate
from banditroute.simulation.scenario import AddEvent, Feedback, OutageEvent, PriceEvent, QualityEvent, Scenario
from banditroute.simulation.table import OutcomeTable
from peer_prices import LIST_PRICES, price_of
from peer_world import Request, World, meet, world_of

LLAMA, MISTRAL, GEMINI = LIST_PRICES
CHEAPER = PriceEvent(at=20, model=GEMINI, factor=0.1, announced=True)
DEARER_IN_SILENCE = PriceEvent(at=30, model=LLAMA, factor=5.0, announced=False)
WORSE = QualityEvent(at=30, model=LLAMA, set=0.3)
SEEDS = range(3)


@dataclass
class Stubborn:
    """Always asks for the same model where it is there, and keeps what it hears."""

    model: str
    asked: list[Request] = field(default_factory=list)
    heard: list[tuple[str, int, float]] = field(default_factory=list)

    def choose(self, request: Request) -> str:
        self.asked.append(request)
        return self.model if self.model in request.present else request.present[0]

    def billed(self, request: Request, model: str, cost_usd: float) -> None:
        self.heard.append((f"bill of {model}", request.number, cost_usd))

    def judged(self, request: Request, model: str, quality: float) -> None:
        self.heard.append((f"quality of {model}", request.number, quality))

    def reprice(self, model: str, factor: float) -> None:
        self.heard.append((f"price of {model}", len(self.asked), factor))


def table(requests: int, name: str = "table") -> OutcomeTable:
    chance = np.random.default_rng(requests)
    nothing = np.full((requests, 3), np.nan)
    return OutcomeTable(
        name=name,
        ids=tuple(f"{name}{i}" for i in range(requests)),
        models=tuple(LIST_PRICES),
        tasks=("code", "maths"),
        task_of=chance.integers(2, size=requests),
        input_tokens=np.full(requests, 100.0),
        features=chance.standard_normal((requests, 2)),
        at=np.full(requests, np.nan),
        prompts=tuple(f"{name} prompt {i}" for i in range(requests)),
        quality=chance.random((requests, 3)),
        cost_usd=chance.random((requests, 3)) * 1e-3,
        output_tokens=nothing,
        latency_s=nothing,
    )


def played(scenario: Scenario | None, model: str = LLAMA) -> Stubborn:
    """What a stubborn peer was asked and heard on one order."""
    peer = Stubborn(model)
    meet(world_of(table(60), table(10, "warmup"), scenario), "stubborn", lambda *_: peer, 1e-3, [0])
    return peer


@pytest.mark.parametrize("events", [(), (WORSE, DEARER_IN_SILENCE, CHEAPER)])
def test_a_peer_meets_the_outcomes_that_our_policies_meet(events: tuple[QualityEvent | PriceEvent, ...]) -> None:
    scenario = Scenario(events=events)
    scored, warmup = table(60), table(10, "warmup")
    fixed = {"policies": [f"fixed:{LLAMA}"], "budgets_usd": [1e-3], "seeds": SEEDS, "scenario": scenario}
    [ours] = simulate(scored, warmup=warmup, **fixed).results

    theirs = meet(world_of(scored, warmup, scenario), "stubborn", lambda *_: Stubborn(LLAMA), 1e-3, SEEDS).result

    assert len(theirs.phases) == len(ours.phases)
    for mine, yours in zip(theirs.phases, ours.phases, strict=True):
        np.testing.assert_array_equal(mine.quality, yours.quality)
        np.testing.assert_array_equal(mine.cost_usd, yours.cost_usd)


def test_prompts_features_and_classes_are_those_of_the_row() -> None:
    scored, warmup = table(60), table(10, "warmup")
    peer = played(Scenario(events=(WORSE,)))  # a row's outcomes change on the way, the row does not

    known = dict(zip((*scored.prompts, *warmup.prompts), (*scored.features, *warmup.features), strict=True))
    assert [request.number for request in peer.asked] == list(range(70))
    assert {request.prompt for request in peer.asked} == set(known)
    for request in peer.asked:
        np.testing.assert_array_equal(request.features, known[request.prompt])
    classes = {
        prompt: task for part in (scored, warmup) for prompt, task in zip(part.prompts, part.task_of, strict=True)
    }
    assert all(request.task == classes[request.prompt] for request in peer.asked)


def test_only_announced_prices_are_told() -> None:
    peer = played(Scenario(events=(CHEAPER, DEARER_IN_SILENCE)))

    assert [heard for heard in peer.heard if heard[0].startswith("price")] == [(f"price of {GEMINI}", 30, 0.1)]


def test_bills_come_at_once_and_judgements_late_or_never() -> None:
    peer = played(Scenario(feedback=Feedback(delay_requests=7, missing=0.5)))

    asked_by = {number: place for place, (what, number, _) in enumerate(peer.heard) if what == f"bill of {LLAMA}"}
    assert sorted(asked_by) == list(range(70))
    judged = [(place, number) for place, (what, number, _) in enumerate(peer.heard) if what == f"quality of {LLAMA}"]
    assert 20 < len(judged) < 45
    for place, number in judged:
        billed_since = sum(1 for what, later, _ in peer.heard[:place] if what.startswith("bill") and later > number)
        assert billed_since == 7


def test_models_come_and_go() -> None:
    newcomer = AddEvent(at=15, model="newcomer", like=GEMINI, cost_factor=0.1)
    outage = OutageEvent(at=20, model=MISTRAL, until=40)
    peer = played(Scenario(events=(newcomer, outage)), MISTRAL)

    assert [("newcomer" in request.present) for request in peer.asked] == [False] * 25 + [True] * 45
    served = [what for what, _, _ in peer.heard if what.startswith("bill")]
    assert {place for place, what in enumerate(served) if what != f"bill of {MISTRAL}"} == set(range(30, 50))


def test_a_newcomers_list_price_is_that_of_its_original_times_its_factor() -> None:
    newcomer = AddEvent(at=15, model="newcomer", like=GEMINI, cost_factor=0.1)
    world: World = world_of(table(60), None, Scenario(events=(newcomer,)))

    assert price_of(world, "newcomer") == pytest.approx((0.125, 1.0))
    assert price_of(world, MISTRAL) == LIST_PRICES[MISTRAL]
