"""Beliefs, budgets and store stay in step, whoever is cancelled and whatever the store says."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from banditroute.errors import NotServedError, StoreError, UnknownDecisionError
from banditroute.learner import Learner
from banditroute.observe import Event, Judged, Settled, StoreFailed
from banditroute.records import Context, Decision, Demand, Feedback, Outcome, Usage
from banditroute.routing.budgets import Cap, Charge, PacedBudget, Window
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch, Settlement

NOW = 1_795_600_000.0
TODAY = Window("day", "2026-11-25")


class SlowStore(MemoryStore):
    """Takes its time before it writes; what is cancelled meanwhile is not written."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def settle(self, settlement: Settlement) -> bool:
        await self.gate.wait()
        return await super().settle(settlement)


class World:
    """A learner over a store, with what it told."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = MemoryStore() if store is None else store
        self.events: list[Event] = []
        self.decider = Decider(Catalog((Model("a", "any", "a", Price(1.0, 2.0)),)), budgets=[PacedBudget("pace", 0.01)])
        self.ledger = Ledger([Cap("day", 1.0, "day")])
        self.learner = Learner(self.decider, self.ledger, self.store, self, lambda: NOW)

    def notify(self, event: Event) -> None:
        self.events.append(event)

    def decide(self, name: str = "d") -> Decision:
        decision = self.decider.decide(Context("qa", input_tokens=10), Demand(10), decision_id=name, now=NOW, u=0.5)
        self.store.begin(Dispatch(decision))
        return decision

    @property
    def paid(self) -> int:
        """Requests that the paced budget has counted."""
        return self.decider.paces[0].requests

    async def learned(self) -> int:
        """Answers' lengths on record."""
        evidence = (await self.store.state()).evidence
        return sum(int(sums.n) for edge, sums in evidence.items() if edge.signal == "log_tokens")


def served(decision: Decision, cost_usd: float = 0.002) -> Outcome:
    return Outcome(decision.decision_id, "a", NOW, Usage(10, 5), cost_usd, 1.0)


CHARGE = (Charge(TODAY, 0.002),)


async def test_an_outcome_is_learned_of_and_written_once() -> None:
    world = World()
    async with world.learner as learner:
        decision = world.decide()
        assert await learner.settle(decision, served(decision), CHARGE, first=True)
        assert await learner.settle(decision, served(decision), CHARGE, first=False)
        assert (world.paid, await world.learned()) == (1, 1)
        assert (await world.store.state()).spent_usd == {TODAY: 0.002}


async def test_cancelled_in_the_middle_of_the_write_it_is_written_all_the_same_and_once() -> None:
    store = SlowStore()
    world = World(store)
    async with world.learner as learner:
        decision = world.decide()
        settling = asyncio.create_task(learner.settle(decision, served(decision), CHARGE, first=True))
        await asyncio.sleep(0)
        settling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await settling
        assert await store.unsettled() != []
        store.gate.set()
    await store.open()
    assert await store.unsettled() == []
    assert (world.paid, await world.learned()) == (1, 1)
    assert [type(event) for event in world.events] == [Settled]


@pytest.mark.parametrize("error", [StoreError("the disk is full"), UnknownDecisionError("d")])
async def test_what_cannot_be_written_is_learned_of_and_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(settlement: Settlement) -> bool:
        raise error

    world = World()
    async with world.learner as learner:
        decision = world.decide()
        monkeypatch.setattr(world.store, "settle", fail)
        assert not await learner.settle(decision, served(decision), CHARGE, first=True)
        assert world.paid == 1
        assert [type(event) for event in world.events] == [StoreFailed, Settled]
        assert not world.events[-1].recorded


async def test_a_judgement_needs_an_answer() -> None:
    world = World()
    async with world.learner as learner:
        decision = world.decide()
        with pytest.raises(NotServedError, match="no outcome yet"):
            await learner.judge(Feedback("d", 0.5))
        await learner.settle(decision, Outcome("d", "", NOW, None, 0.0, 1.0, ok=False), (), first=True)
        with pytest.raises(NotServedError, match="no whole answer"):
            await learner.judge(Feedback("d", 0.5))


async def test_a_judgement_teaches_the_model_that_served_once() -> None:
    world = World()
    async with world.learner as learner:
        decision = world.decide()
        await learner.settle(decision, served(decision), (), first=True)
        before = world.decide("before").forecasts["a"]
        assert await learner.judge(Feedback("d", 0.1))
        after = world.decide("after").forecasts["a"]
        assert not await learner.judge(Feedback("d", 0.1))
        assert world.decide("again").forecasts["a"] == after
        assert after.quality < before.quality
        assert sum(isinstance(event, Judged) for event in world.events) == 1


async def test_at_start_calls_of_a_dead_process_are_given_up_and_those_of_callers_are_held() -> None:
    world = World()
    await world.store.open()
    ours, theirs, late = (world.decide(name) for name in ("ours", "theirs", "late"))
    world.store = store = MemoryStore()
    await store.open()
    store.begin(Dispatch(ours, 0.1, (TODAY,), NOW + 60))
    store.begin(Dispatch(theirs, 0.2, (TODAY,), NOW + 60, by_caller=True))
    store.begin(Dispatch(late, 0.4, (TODAY,), NOW - 60, by_caller=True))
    again = World(store)
    async with again.learner:
        (account,) = again.ledger.accounts(NOW)
        expected_usd = ours.forecasts["a"].cost_usd
        assert account.reserved_usd == pytest.approx(0.2)
        assert account.spent_usd == pytest.approx(expected_usd)
        trail = await store.trail("ours")
        assert trail.outcome is not None
        assert (trail.outcome.ok, trail.outcome.estimated) == (False, True)
        assert [each.decision.decision_id for each in await store.unsettled()] == ["theirs", "late"]
    final = World(store)
    async with final.learner:
        assert final.ledger.accounts(NOW)[0].spent_usd == pytest.approx(expected_usd)  # given up once


async def test_a_defect_in_house_keeping_is_told_and_the_house_is_kept_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("banditroute.learner._TICK_S", 0.002)
    told: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    looks: list[bool] = []

    def look() -> bool:
        looks.append(True)
        if len(looks) == 1:
            raise ZeroDivisionError
        return False

    world = World()
    world.learner.looks_crowded = look
    async with world.learner, asyncio.timeout(5.0):
        while len(looks) < 3:
            await asyncio.sleep(0.002)
    assert [type(error) for error in told] == [ZeroDivisionError]


@pytest.mark.parametrize(("retention_s", "prompts_s", "left"), [(None, 3600.0, 1), (3600.0, None, 0), (None, None, 1)])
async def test_what_is_too_old_goes_while_it_keeps_house(
    retention_s: float | None, prompts_s: float | None, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banditroute.learner._TICK_S", 0.005)
    world = World(MemoryStore(keep_prompts=True))
    await world.store.open()
    decision = world.decide("old")
    old = replace(decision, decision_id="older", at=NOW - 7200.0)
    world.store.begin(Dispatch(old, prompt=b"[]"))
    await world.store.settle(Settlement(served(old)))
    world.learner = Learner(world.decider, world.ledger, world.store, world, lambda: NOW, retention_s)
    world.learner.prompts_s = prompts_s
    async with world.learner:
        await asyncio.sleep(0.05)
        trails = [trail async for trail in world.store.trails() if trail.decision.decision_id == "older"]
    assert len(trails) == left
    assert all((trail.dispatch.prompt is None) == (prompts_s is not None) for trail in trails)
