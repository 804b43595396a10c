"""How the stream is sent and judged."""

import asyncio
import random
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import pytest

from banditroute.cli.live.drive import Driver, Pace
from banditroute.cli.live.rows import DemoRow
from banditroute.cli.live.tally import Tally
from banditroute.errors import UnansweredError
from banditroute.records import Answer

Rows = Callable[..., list[DemoRow]]
FAST = Pace(per_s=1e6, at_once=4, judged_after_s=(0.0, 0.02))


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


async def test_every_row_is_asked_once_and_judged_out_of_order(
    rows: Rows, table_router: Callable[..., Any], stop: asyncio.Event
) -> None:
    stream = rows(50)
    router, tally = table_router(stream), Tally(stream, 0.01)
    await Driver(router, tally, FAST, random.Random(3).random, stop).run(stream)
    assert router.asked == [row.id for row in stream]
    judged = [decision for decision, _ in router.judged]
    expected = [f"to-{row.id}" for row in stream]
    assert sorted(judged) == sorted(expected)
    assert judged != expected
    assert {quality for _, quality in router.judged} == {0.5}
    assert (tally.answered, tally.judged, tally.failed) == (50, 50, 0)


async def test_a_request_that_nobody_answers_is_counted_and_the_stream_goes_on(
    rows: Rows, table_router: Callable[..., Any], stop: asyncio.Event
) -> None:
    stream = rows(5)
    router, tally = table_router(stream, failing=frozenset({"row2"})), Tally(stream, 0.01)
    await Driver(router, tally, FAST, random.Random(3).random, stop).run(stream)
    assert (tally.answered, tally.judged, dict(tally.failures)) == (4, 4, {"UnansweredError": 1})


async def test_a_stop_sends_no_more_and_judges_at_once_what_is_answered(
    rows: Rows, table_router: Callable[..., Any], stop: asyncio.Event
) -> None:
    stream = rows(1000)
    router, tally = table_router(stream), Tally(stream, 0.01)
    patient = Pace(per_s=100.0, judged_after_s=(60.0, 90.0))
    asyncio.get_running_loop().call_later(0.1, stop.set)
    start = perf_counter()
    await Driver(router, tally, patient, random.Random(3).random, stop).run(stream)
    assert perf_counter() - start < 10
    assert 0 < tally.answered < 1000
    assert tally.judged == tally.answered == len(router.asked)


async def test_no_more_are_under_way_than_the_pace_allows(rows: Rows, stop: asyncio.Event) -> None:
    class Slow:
        under_way = most = 0

        async def chat(
            self, messages: str, *, task: str | None = None, features: Sequence[float] | None = None
        ) -> Answer:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(0.01)
            self.under_way -= 1
            raise UnansweredError({})

        async def feedback(self, decision_id: str, *, quality: float) -> None: ...

    stream, slow = rows(20), Slow()
    tally = Tally(stream, 0.01)
    await Driver(slow, tally, FAST, random.Random(3).random, stop).run(stream)
    assert slow.most == FAST.at_once
    assert tally.failed == 20
