"""What a change of a model, or time, does to what is known: told, written, and taken up exactly by the next process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import StoreError
from banditroute.learner import Learner
from banditroute.learning.policy import PolicySettings
from banditroute.observe import Drifted, Event, StoreFailed
from banditroute.records import Context, Demand, Feedback, Outcome, Usage
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch, Store
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import assert_same

NOW = 1_795_600_000.0
DAY_S = 86_400.0
PRICE = Price(1.0, 2.0)
USAGE = Usage(100, 50)


class World:
    """One process: a learner over a store, and a clock that is set by hand."""

    def __init__(self, store: Store, settings: PolicySettings | None = None) -> None:
        self.store = store
        self.now = NOW
        self.events: list[Event] = []
        catalog = Catalog((Model("a", "any", "a", PRICE), Model("b", "any", "b", PRICE)))
        self.decider = Decider(catalog, ("qa",), settings=settings)
        self.learner = Learner(self.decider, Ledger([]), store, self, lambda: self.now)
        self.rng = np.random.default_rng(0)
        self.served = 0

    def notify(self, event: Event) -> None:
        self.events.append(event)

    async def serve(self, count: int, quality: float, model: str = "a", *, billed: float | None = None) -> None:
        """Answers and judgements, one after the other; `billed` is the multiple of the due dollars that is stated."""
        for _ in range(count):
            self.served += 1
            name = f"{id(self)}-{self.served}"
            context = Context(("qa", "code")[self.served % 2], (), 100)
            demand = Demand(100, allowed=frozenset({model}))
            decision = self.decider.decide(context, demand, decision_id=name, now=self.now, u=0.5)
            self.store.begin(Dispatch(decision))
            due_usd = PRICE.cost_usd(USAGE)
            bill = None if billed is None else billed * due_usd
            outcome = Outcome(name, model, self.now, USAGE, bill or due_usd, 1.0, billed_usd=bill)
            await self.learner.settle(decision, outcome, (), first=True)
            judged = float(np.clip(quality + 0.1 * self.rng.standard_normal(), 0.0, 1.0))
            await self.learner.judge(Feedback(name, judged))
        await asyncio.sleep(0)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def running(store: Store, settings: PolicySettings | None = None) -> AsyncIterator[World]:
    world = World(store, settings)
    async with world.learner:
        yield world


def assert_alike(one: Decider, other: Decider) -> None:
    """Two deciders know the same of everything."""
    one.refresh()
    other.refresh()
    assert one.beliefs.learned.keys() == other.beliefs.learned.keys()
    for task in ("qa", "code", "new"):
        for name, forecast in one.forecasts(task, 120).items():
            theirs = other.forecasts(task, 120)[name]
            assert (forecast.quality, forecast.quality_sd) == pytest.approx(
                (theirs.quality, theirs.quality_sd), rel=1e-6
            )


async def test_a_fall_is_told_written_and_taken_up_by_the_next_process(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.db")
    async with running(store) as world:
        await world.serve(60, 0.9)
        await world.serve(30, 0.7, "b")
        assert world.of(Drifted) == []
        await world.serve(40, 0.3)
        (event,) = world.of(Drifted)
        assert isinstance(event, Drifted)
        assert (event.alarm.model, event.alarm.signal, event.alarm.at) == ("a", "quality", NOW)
        assert event.alarm.before > 0.6 > 0.45 > event.alarm.after
    await store.open()
    assert await store.alarms(5) == [event.alarm]
    assert_same(await store.state(), await store.rebuilt())
    known = sum(
        float(s.n) for e, s in (await store.state()).evidence.items() if (e.model, e.signal) == ("a", "quality")
    )
    assert known < 60, "what was known of the model before counts no longer"
    await store.aclose()
    async with running(store) as again:
        assert_alike(again.decider, world.decider)
        assert again.decider.forecasts("qa", 100)["a"].quality < 0.5


async def test_fading_on_probation_is_written_too() -> None:
    store = MemoryStore()
    async with running(store) as world:
        await world.serve(60, 0.9)
        await world.serve(20, 0.3)
        assert len(world.of(Drifted)) == 1
        before = known_of(world.decider, "a")
        await world.serve(200, 0.7, "b")
        assert known_of(world.decider, "a") < 0.7 * before
        assert known_of(world.decider, "b") == pytest.approx(200)
    async with running(store) as again:
        assert_alike(again.decider, world.decider)


def known_of(decider: Decider, model: str) -> float:
    """Judgements' worth of evidence."""
    learned = decider.beliefs.learned
    return sum(float(sums.n) for edge, sums in learned.items() if (edge.model, edge.signal) == (model, "quality"))


async def test_time_that_has_passed_counts_by_the_half_life_also_where_the_process_ends_soon() -> None:
    settings = replace(PolicySettings(), half_life_s=DAY_S)
    store = MemoryStore()
    for day in range(3):
        async with running(store, settings) as world:
            world.now = NOW + 2 * day * DAY_S
            world.learner._faded_at = world.now
            assert known_of(world.decider, "a") == pytest.approx(64 * 0.5**day if day else 0.0)
            if day == 0:
                await world.serve(64, 0.8)
            world.now += DAY_S
        await world.learner.aclose()
    await store.open()
    assert_same(await store.state(), await store.rebuilt())


async def test_without_a_half_life_nothing_is_written() -> None:
    store = MemoryStore()
    async with running(store) as world:
        await world.serve(10, 0.8)
        world.now += 1_000 * DAY_S
        before = await store.state()
    await store.open()
    assert_same(await store.state(), before, rtol=0)


async def test_a_store_that_fails_is_told_and_the_change_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    store = MemoryStore()
    async with running(store) as world:
        await world.serve(60, 0.9)
        monkeypatch.setattr(store, "adjust", fail)
        await world.serve(30, 0.3)
        assert len(world.of(Drifted)) == 1
        (failed,) = world.of(StoreFailed)
        assert failed == StoreFailed("write what a change of a model teaches", "the disk is full")
        assert world.decider.forecasts("qa", 100)["a"].quality < 0.5


async def test_a_bill_that_grew_is_told_at_once_and_outlives_the_process() -> None:
    store = MemoryStore()
    async with running(store) as world:
        await world.serve(20, 0.8, billed=1.0)
        expected_usd = world.decider.forecasts("qa", 100)["a"].cost_usd
        await world.serve(3, 0.8, billed=10.0)
        (event,) = world.of(Drifted)
        assert isinstance(event, Drifted)
        assert (event.alarm.signal, event.alarm.before, event.alarm.after) == ("price", 1.0, pytest.approx(10.0))
        assert await store.alarms(1) == [event.alarm]
    async with running(store) as again:
        assert again.decider.forecasts("qa", 100)["a"].cost_usd == pytest.approx(10.0 * expected_usd, rel=0.05)
        await again.serve(20, 0.8, billed=10.0)
        assert again.of(Drifted) == []


async def test_two_processes_that_take_off_the_same_leave_a_store_that_can_be_used() -> None:
    store = MemoryStore()
    async with running(store) as world:
        await world.serve(200, 0.9)
        async with running(store) as other:
            for each in (world, other):
                await each.serve(40, 0.3)
                assert len(each.of(Drifted)) == 1
    await store.open()
    shares = {edge: float(sums.n) for edge, sums in (await store.state()).evidence.items() if edge.signal == "quality"}
    assert min(shares.values()) < 0.0, "both of them took off what both had known"
    async with running(store) as again:
        assert known_of(again.decider, "a") >= 0.0
        await again.serve(60, 0.3)
        assert again.decider.forecasts("qa", 100)["a"].quality == pytest.approx(0.3, abs=0.1)
    async with running(store) as last:
        assert known_of(last.decider, "a") == pytest.approx(60.0)
