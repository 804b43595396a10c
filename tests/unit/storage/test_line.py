from __future__ import annotations

import asyncio

import pytest

from banditroute.errors import StoreError
from banditroute.storage import line
from banditroute.storage.line import Line


def a_line(patience_s: float = 60.0) -> Line[str]:
    return Line(patience_s, lambda: "somewhere: it is away")


def taken(line: Line[str], most: int = 10) -> list[str]:
    return [asked.operation for asked in line.take(most)]


async def test_what_could_not_be_done_stays_in_front_of_what_came_later() -> None:
    line = a_line()
    for name in "abc":
        line.put(name, 1)
    assert taken(line, 2) == ["a", "b"]
    line.put("d", 1)
    line.put_back()
    assert taken(line) == ["a", "b", "c", "d"]
    assert not line.empty
    line.done()
    assert line.empty


async def test_what_nobody_wants_any_more_is_passed_over_and_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("banditroute.storage.line._MOST_BYTES", 10)
    line = a_line()
    asked = line.ask("large", 9)
    asked.cancel()
    with pytest.raises(StoreError, match=r"^somewhere: it is away; too much waits for it already, this is lost$"):
        await line.ask("more", 2)
    line.put("more", 2)
    assert line.take(10, lambda asked: asked.is_awaited) == ()
    line.put("more", 2)
    assert taken(line) == ["more"]


async def test_who_waits_in_vain_is_told_and_the_next_at_once_until_something_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("banditroute.storage.line._LOOK_EVERY_S", 0.005)
    line = a_line(patience_s=0.01)
    patient = line.ask("patient", 1, patient=True)
    with pytest.raises(StoreError, match=r"away; what waits for it is written as soon as it can be"):
        await line.ask("late", 1)
    assert line.ask("next", 1).exception() is not None
    assert not patient.done()
    asked = line.take(10)
    assert [each.operation for each in asked] == ["patient", "late", "next"]
    line.answer(asked, [1, StoreError("nobody hears of it"), 3])
    line.done()
    assert patient.result() == 1
    assert not line.ask("later", 1).done()
    line.end("it is over")


async def test_at_the_end_whoever_waits_is_told_why_and_nothing_more_is_taken_in() -> None:
    line = a_line()
    asked = [line.ask("under way", 1)]
    line.take(1)
    asked.append(line.ask("waiting", 1))
    line.end("it is over")
    for future in asked:
        with pytest.raises(StoreError, match="it is over"):
            await future
    with pytest.raises(StoreError, match="close the store and open it again"):
        await line.ask("late", 1)
    line.put("late", 1)
    assert line.empty


async def test_decisions_wait_for_company_and_for_nobody_else() -> None:
    line = a_line()
    line.put("begin", 1)
    async with asyncio.timeout(5):
        await line.some()
        assert taken(line) == ["begin"]
        line.done()
        await line.some(0.001)
    assert taken(line) == []


def test_there_is_room_for_an_outage() -> None:
    assert (line._MOST, line._MOST_BYTES) == (20_000, 64 * 2**20), "as docs/redis.md says"
