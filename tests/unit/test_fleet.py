"""What processes on one store tell each other counts once, at every instant and however long the store takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random

import numpy as np
import pytest

from banditroute.errors import StoreError
from banditroute.fleet import Fleet, Tempo
from banditroute.learner import Learner
from banditroute.learning.evidence import Evidence, sound
from banditroute.observe import NullObserver
from banditroute.records import Attempt, Context, Demand, Feedback, Outcome, Usage
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.lessons import Edge
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch, State
from banditroute.storage.sharing import News
from banditroute.testing.store_records import assert_same

NOON = 1_795_608_000.0
REQUESTS = 16
CATALOG = Catalog((Model("a", "p", "a", Price(1.0, 2.0)), Model("b", "p", "b", Price(1.0, 2.0))))


class SlowStore(MemoryStore):
    """Does at once what it is asked, and takes its time to say so; now and then it fails."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.chance = chance
        self.fails = False

    async def settle(self, settlement):
        return await self._later(super().settle(settlement))

    async def judge(self, feedback, lesson):
        return await self._later(super().judge(feedback, lesson))

    async def adjust(self, alarms, sums):
        await self._later(super().adjust(alarms, sums))

    async def exchange(self, report):
        if self.fails:
            raise StoreError("out of reach")
        return await self._later(super().exchange(report))

    async def _later(self, work):
        done = await work
        for _ in range(self.chance.randrange(6)):
            await asyncio.sleep(0)
        return done


def learner_on(store: MemoryStore) -> Learner:
    """A learner that sees which request is which: each has a feature of its own."""
    decider = Decider(CATALOG, ("qa",), REQUESTS, encoder_version="v1")
    ledger = Ledger([])
    fleet = Fleet(store, ledger, NullObserver(), lambda: NOON, Tempo(tick_s=3600.0))
    return Learner(decider, ledger, store, NullObserver(), lambda: NOON, fleet=fleet)


async def serve(learner: Learner, number: int, chance: Random, served_by: dict[int, Learner] | None = None) -> None:
    """One request, its outcome and its judgement; who served it, once its outcome is taken in."""
    for _ in range(chance.randrange(60)):
        await asyncio.sleep(0)
    context = Context("qa", tuple(float(number == place) for place in range(REQUESTS)), 10, "v1")
    name = f"{number:03d}"
    decision = learner.decider.decide(context, Demand(10), decision_id=name, now=NOON, u=chance.random())
    learner.store.begin(Dispatch(decision, holder=learner.holder))
    served = decision.chosen
    outcome = Outcome(name, served, NOON, Usage(10, 20), 1e-5, 1.0, ok=True, attempts=(Attempt(served, 1.0, 1e-5),))
    await learner.settle(decision, outcome, (), first=chance.random() < 0.7)
    if served_by is not None:
        served_by[number] = learner
    await learner.judge(Feedback(name, chance.random(), "user", NOON))


def counted(learner: Learner, signal: int) -> np.ndarray:
    """How often each request counts in what is believed."""
    evidence = learner.decider.signals.evidence[signal]
    return np.diagonal(evidence.A.sum((0, 1)))[2:]


@pytest.mark.parametrize("seed", range(12))
async def test_a_lesson_counts_once_at_every_instant(seed: int) -> None:
    chance = Random(seed)
    store = SlowStore(chance)
    await store.open()
    learners = [learner_on(store), learner_on(store)]
    for learner in learners:
        await learner.fleet.join(learner)

    async def exchange(learner: Learner) -> None:
        for _ in range(8):
            for _ in range(chance.randrange(10)):
                await asyncio.sleep(0)
            await learner.fleet.exchange()

    served_by: dict[int, Learner] = {}
    serving = [serve(chance.choice(learners), number, chance, served_by) for number in range(REQUESTS)]
    tasks = [asyncio.ensure_future(work) for work in (*serving, *map(exchange, learners))]
    while not all(task.done() for task in tasks):
        for learner in learners:
            for signal in range(4):
                assert np.all(counted(learner, signal) <= 1.0 + 1e-9)
            own = [number for number, by in served_by.items() if by is learner]
            assert counted(learner, 1)[own] == pytest.approx(1.0)
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    for learner in learners:
        await learner.fleet.exchange()
        assert counted(learner, 1) == pytest.approx(1.0)
        assert_same(State(learner.decider.beliefs.learned, {}, {}), State((await store.state()).evidence, {}, {}))
    assert_same(await store.state(), await store.rebuilt())
    for learner in learners:
        await learner.aclose()


async def test_what_was_missed_is_caught_up_with() -> None:
    chance = Random(1)
    store = SlowStore(chance)
    await store.open()
    one, two = learner_on(store), learner_on(store)
    for learner in (one, two):
        await learner.fleet.join(learner)
    store.fails = True
    for number in range(8):
        await serve((one, two)[number % 2], number, chance)
        with pytest.raises(StoreError):
            await one.fleet.exchange()
    assert counted(one, 1).sum() == pytest.approx(4.0)
    store.fails = False
    await one.fleet.exchange()
    assert counted(one, 1)[:8] == pytest.approx(1.0)
    for learner in (one, two):
        await learner.aclose()


async def test_an_outage_is_remembered_no_longer_than_it_takes() -> None:
    store = SlowStore(Random(1))
    await store.open()
    learner = learner_on(store)
    await learner.fleet.join(learner)
    store.fails = True
    for number in range(REQUESTS):
        await serve(learner, number, Random(number))
        with pytest.raises(StoreError):
            await learner.fleet.exchange()
    assert learner.fleet.echoes.heard() == ([], [])
    await learner.aclose()


async def test_a_defect_is_told_once_and_the_next_exchange_is_made_all_the_same() -> None:
    store = SlowStore(Random(1))
    await store.open()
    ledger = Ledger([])
    fleet = Fleet(store, ledger, NullObserver(), lambda: NOON, Tempo(tick_s=0.002))
    told: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    heard: list[bool] = []

    class Home:
        async def give_up(self, alive: frozenset[str]) -> None:
            """Nothing is on its way."""

        def hear(self, news: News, *, everything: bool) -> None:
            heard.append(everything)
            if 1 < len(heard) < 5:
                raise ZeroDivisionError(len(heard))

    await fleet.join(Home())
    fleet.begin()
    async with asyncio.timeout(5.0):
        while len(heard) < 8:
            await asyncio.sleep(0.002)
    assert [str(error) for error in told] == ["2"]
    await fleet.leave()


async def test_others_moves_are_heard_of_and_detectors_begin_anew() -> None:
    chance = Random(2)
    store = SlowStore(chance)
    await store.open()
    one, two = learner_on(store), learner_on(store)
    for learner in (one, two):
        await learner.fleet.join(learner)
    for number in range(8):
        await serve(one, number, chance)
    await two.fleet.exchange()
    one.decider.signals.fade(0.5)
    await one.fleet.exchange()
    await asyncio.sleep(0)
    await two.fleet.exchange()
    for learner in (one, two):
        assert counted(learner, 1)[:8] == pytest.approx(0.5)
    assert_same(await store.state(), await store.rebuilt())
    for learner in (one, two):
        await learner.aclose()


def test_a_lease_outlives_whatever_its_holder_may_have_under_way() -> None:
    tempo = Tempo(tick_s=1.0, longest_s=600.0)
    assert tempo.lease_s >= tempo.alive_s + 600.0
    assert tempo.alive_s > 10.0


async def test_what_two_processes_move_at_once_begins_anew_for_all() -> None:
    chance = Random(2)
    store = SlowStore(chance)
    await store.open()
    one, two = learner_on(store), learner_on(store)
    for learner in (one, two):
        await learner.fleet.join(learner)
    for number in range(12):
        await serve((one, two)[number % 2], number, chance)
    for learner in (one, two, one):
        await learner.fleet.exchange()
    for learner in (one, two):  # both find the same change, before they hear of each other
        learner.decider.signals.fade(0.2)
        learner._raise_alarms()
        await asyncio.gather(*learner._writing)
    assert min(float(sums.n) for sums in (await store.state()).evidence.values()) < 0.0
    for _ in range(3):
        for learner in (one, two):
            await learner.fleet.exchange()
            assert all(sound(evidence).all() for evidence in learner.decider.signals.evidence)
            for _ in learner.refreshing():
                pass
            await asyncio.gather(*learner._writing)
    assert all(sound(sums).all() for sums in (await store.state()).evidence.values())
    await serve(one, 12, chance)
    for learner in (one, two):
        await learner.fleet.exchange()
        assert counted(learner, 1).sum() == pytest.approx(1.0)
        kept = nonzero((await store.state()).evidence)
        assert_same(State(learner.decider.beliefs.learned, {}, {}), State(kept, {}, {}))
    for learner in (one, two):
        await learner.aclose()


def nonzero(evidence: Mapping[Edge, Evidence]) -> dict[Edge, Evidence]:
    return {edge: sums for edge, sums in evidence.items() if sums.n > 1e-9}
