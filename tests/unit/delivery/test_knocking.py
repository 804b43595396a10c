from __future__ import annotations

import asyncio
from collections.abc import Iterable

from banditroute.delivery.availability import Availability
from banditroute.delivery.knocking import Knocker
from banditroute.delivery.settings import Breaking
from banditroute.errors import ConnectionFailedError
from banditroute.observe import NullObserver

NOW = 100.0
DOWN = ConnectionFailedError("refused")


class Door:
    """Answers knocks as it is told to, and then well; an answer of None never comes."""

    def __init__(self, answers: Iterable[bool | None]) -> None:
        self._answers = list(answers)
        self.knocks = 0

    async def answers(self, within_s: float) -> bool:
        self.knocks += 1
        answer = self._answers.pop(0) if self._answers else True
        if answer is None:
            await asyncio.sleep(60.0)
        await asyncio.sleep(0)
        return bool(answer)


class House:
    """Two models behind one door, one behind another; all fail at once where they break."""

    def __init__(self, door: Iterable[bool | None] = (), side_door: Iterable[bool | None] = ()) -> None:
        self.door, self.side_door = Door(door), Door(side_door)
        doors = {"a": self.door, "b": self.door, "c": self.side_door}
        breaking = Breaking(consecutive=1, open_s=5.0)
        self.availability = Availability(dict.fromkeys(doors, "p"), breaking, lambda _m, _n: 0.0, NullObserver())
        self.knocker = Knocker(doors, self.availability, 0.001, lambda: NOW)

    def broken(self, *models: str) -> None:
        for model in models:
            self.availability.failed(model, DOWN, NOW, probe=0)
            self.knocker.knock(model)

    def barred(self, now: float = NOW) -> set[str]:
        return set(self.availability.unavailable(now))

    async def quiet(self) -> None:
        """Waits until nobody knocks."""
        async with asyncio.timeout(5.0):
            while self.knocker._tasks:
                await asyncio.sleep(0.001)


async def test_it_knocks_until_it_is_answered_and_then_the_models_may_be_tried() -> None:
    house = House([False, False, False])
    house.broken("a", "b")
    await house.quiet()
    assert house.door.knocks == 4
    assert house.barred() == set()


async def test_a_door_that_answers_at_once_changes_nothing_and_is_not_asked_again() -> None:
    house = House()
    house.broken("a")
    await house.quiet()
    assert house.door.knocks == 1
    assert house.barred() == {"a"}


async def test_it_stops_once_no_circuit_is_open() -> None:
    house = House([False] * 1000)
    house.broken("a")
    while house.door.knocks < 3:
        await asyncio.sleep(0.001)
    assert house.availability.begin("a", NOW + 100.0)
    house.availability.succeeded("a", probe=1)
    await house.quiet()
    assert house.door.knocks < 1000


async def test_each_door_is_knocked_at_by_one_and_of_its_models_only_the_broken_hear_of_it() -> None:
    house = House([False, None], [False])
    house.broken("a", "c")
    while house.door.knocks < 2 or house.barred() != {"a"}:
        await asyncio.sleep(0.001)
    house.broken("b")
    house.broken("b")
    await asyncio.sleep(0.005)
    assert (house.door.knocks, house.side_door.knocks) == (2, 2)
    assert house.barred(NOW + 10.0) == {"a"}, "b's door has not been heard of since b failed"
    await house.knocker.aclose()


async def test_closing_it_ends_the_wait_for_an_answer_and_nobody_knocks_any_more() -> None:
    house = House([None])
    house.broken("a")
    await asyncio.sleep(0)
    await house.knocker.aclose()
    house.knocker.knock("a")
    await house.quiet()
    assert house.door.knocks == 1
