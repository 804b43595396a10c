import asyncio
import logging
from collections.abc import Mapping

import pytest

from banditroute import observe
from banditroute.alerting.lookout import Lookout
from banditroute.alerting.settings import AlertSettings
from banditroute.delivery.availability import Health
from banditroute.errors import StoreError
from banditroute.learning.policy import PolicySettings
from banditroute.routing.budgets import Cap
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.storage.memory import MemoryStore

NINE = 1_764_147_600.0
SETTINGS = AlertSettings(down_s=30.0)
FAILED = observe.StoreFailed("settle a decision", "disk full")


class Circuits:
    """Health as a test has it."""

    def __init__(self) -> None:
        self.down: Mapping[str, str] = {}

    def health(self, now: float) -> tuple[Health, ...]:
        return tuple(
            Health(name, "open" if name in self.down else "closed", 1.0, self.down.get(name, "")) for name in "ab"
        )


class Process:
    """One process of several on a store, and what it tells."""

    def __init__(self, store: MemoryStore, holder: str, *, on_duty: bool) -> None:
        self.store, self.holder, self.on_duty = store, holder, on_duty
        self.ledger = Ledger([Cap("day", 10.0, "day")])
        self.decider = Decider(
            Catalog((Model("a", "p", "a", Price(1.0, 1.0)), Model("b", "q", "b", Price(1.0, 1.0)))),
            (),
            0,
            PolicySettings(),
        )
        self.told: list[tuple[str, str, str]] = []
        self.now = NINE
        self.circuits = Circuits()
        self.lookout = Lookout(SETTINGS, self, lambda: self.now, lambda *_: None)
        self.lookout.follow(SETTINGS, self.circuits, {"a": "p", "b": "q"}, "router.toml")

    def notify(self, event: observe.Event) -> None:
        if isinstance(event, observe.Alerted):
            self.told.append((event.alert.kind, event.alert.about, event.alert.state))

    def look(self, at: float) -> None:
        self.now = at
        self.lookout.look(at)


@pytest.fixture
async def store():
    store = MemoryStore()
    await store.open()
    return store


@pytest.fixture
async def process(store):
    """Makes processes whose lookouts are at work, and end with the test."""
    made: list[Process] = []

    async def make(holder: str, *, on_duty: bool) -> Process:
        made.append(Process(store, holder, on_duty=on_duty))
        await made[-1].lookout.begin(made[-1])
        return made[-1]

    yield make
    for each in made:
        await each.lookout.aclose()


async def test_of_several_processes_the_one_on_duty_tells(process, store) -> None:
    duty, other = await process("x", on_duty=True), await process("y", on_duty=False)
    for each in (duty, other):
        each.circuits.down = {"a": "open"}
        each.ledger.reserve("r", 6.0, "", "qa", NINE, NINE + 60.0)
        each.ledger.settle("r", 6.0)
        for at in (NINE, NINE + 30.0):
            each.look(at)
    assert duty.told == [("budget", "day", "began"), ("provider", "p", "began")]
    assert other.told == []


async def test_who_takes_over_tells_the_end_and_not_the_beginning_again(process) -> None:
    other = await process("y", on_duty=False)
    other.circuits.down = {"a": "open"}
    for at in (NINE, NINE + 30.0):
        other.look(at)
    other.on_duty, other.circuits.down = True, {}
    for at in (NINE + 40.0, NINE + 120.0):
        other.look(at)
    assert other.told == [("provider", "p", "over")]


async def test_each_tells_of_its_own_store(process) -> None:
    other = await process("y", on_duty=False)
    other.lookout.notify(FAILED)
    other.lookout.notify(FAILED)
    assert other.told == [("store", "", "began")]


async def test_what_cannot_be_kept_now_is_kept_later(process, store, monkeypatch) -> None:
    alone = await process("", on_duty=True)
    note, refused = store.note, []

    async def full(incident):
        refused.append(incident)
        raise StoreError("disk full")

    monkeypatch.setattr(store, "note", full)
    alone.lookout.notify(FAILED)
    async with asyncio.timeout(5.0):
        while not refused:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(store, "note", note)
    await alone.lookout.aclose()
    kinds = [each.kind for each in await store.incidents(0.0, 10)]
    assert sorted(kinds) == ["alert", "started", "stopped"]


async def test_closing_twice_does_nothing(process, store) -> None:
    alone = await process("", on_duty=True)
    await alone.lookout.aclose()
    await alone.lookout.aclose()
    assert [each.kind for each in await store.incidents(0.0, 10)].count("stopped") == 1


async def test_without_an_observer_the_logger_says_it(caplog) -> None:
    caplog.set_level(logging.INFO, "banditroute.alerts")
    lookout = Lookout(SETTINGS, observe.NullObserver(), lambda: NINE, lambda *_: None)
    lookout.notify(FAILED)
    assert caplog.messages == ["store, began: the store fails: it could not settle a decision (disk full)"]


async def test_every_event_is_passed_on() -> None:
    seen: list[observe.Event] = []

    class Sees:
        def notify(self, event: observe.Event) -> None:
            seen.append(event)

    lookout = Lookout(AlertSettings(kinds=frozenset()), Sees(), lambda: NINE, lambda *_: None)
    lookout.notify(FAILED)
    assert seen == [FAILED], "and nothing is told that is silenced"
