"""What goes on by itself is waited for, in the order in which it was asked for."""

from __future__ import annotations

import asyncio
from typing import cast

from banditroute.delivery.dispatch import Dispatcher
from banditroute.desk import Desk
from banditroute.flight import Tower
from banditroute.learner import Learner
from banditroute.serving import Serving
from banditroute.settling import Settling


def serving() -> Serving:
    parts = cast("Desk", None), cast("Tower", None), cast("Dispatcher", None), cast("Learner", None)
    return Serving(*parts, Settling())


async def test_work_on_one_decision_is_done_one_after_another() -> None:
    done: list[str] = []

    async def work(name: str, turns: int) -> bool:
        for _ in range(turns):
            await asyncio.sleep(0)
        done.append(name)
        return True

    its = serving()
    for name, turns in (("first", 5), ("second", 1), ("third", 3)):
        its.settle_soon("d", work(name, turns))
    its.settle_soon("other", work("elsewhere", 0))
    await its.settled("d")
    assert done == ["elsewhere", "first", "second", "third"]


async def test_closing_waits_for_all_of_it() -> None:
    done: list[int] = []

    async def work(number: int) -> bool:
        await asyncio.sleep(0.001 * (5 - number))
        done.append(number)
        return True

    its = serving()
    for number in range(5):
        its.settle_soon(f"d{number % 2}", work(number))
    await its.aclose()
    assert sorted(done) == [0, 1, 2, 3, 4]


async def test_waiting_that_is_cancelled_does_not_cancel_the_work() -> None:
    done = asyncio.Event()

    async def work() -> bool:
        await asyncio.sleep(0.01)
        done.set()
        return True

    its = serving()
    its.settle_soon("d", work())
    waiting = asyncio.create_task(its.settled("d"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await its.settled("d")
    assert done.is_set()


async def test_a_decision_of_which_nothing_is_going_on_is_not_waited_for() -> None:
    await serving().settled("nobody")
