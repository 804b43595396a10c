from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from banditroute.errors import StoreError
from banditroute.storage.committing import Committer, LockedError
from banditroute.storage.operations import Alone, Begin, Flush, Operation, Result
from banditroute.storage.writer import Writer


class Recorded(Committer):
    """Writes nothing down, and remembers what it was given at once, and whether it might wait."""

    def __init__(self, locked: int = 0) -> None:
        super().__init__("nowhere", fsync=False)
        self.batches: list[tuple[int, bool]] = []
        self.locked = locked
        self.breaks = False
        self.checkpoints = 0

    def open(self) -> None:
        pass

    def commit(self, operations: Sequence[Operation], *, wait: bool = True) -> list[Result]:
        if self.breaks:
            raise RuntimeError("a defect")
        if not wait and self.locked:
            self.locked -= 1
            raise LockedError
        self.batches.append((len(operations), wait))
        return [True] * len(operations)

    def checkpoint(self) -> None:
        self.checkpoints += 1


def begin(number: int) -> Begin:
    return Begin(str(number), 0.0, "{}", None)


async def opened(committer: Committer, *, in_loop: bool = True) -> Writer:
    writer = Writer(committer, in_loop=in_loop)
    await writer.open()
    return writer


async def test_all_that_is_asked_for_in_one_turn_is_one_batch() -> None:
    committer = Recorded()
    writer = await opened(committer)
    await asyncio.gather(*(writer.ask(begin(number)) for number in range(20)))
    await writer.aclose()
    assert committer.batches == [(20, False), (1, False)]


async def test_large_batches_and_those_that_wait_for_the_disk_go_to_the_thread() -> None:
    committer = Recorded()
    writer = await opened(committer)
    await asyncio.gather(*(writer.ask(begin(number)) for number in range(100)))
    await writer.aclose()
    assert committer.batches[0] == (100, True)
    patient = Recorded()
    writer = await opened(patient, in_loop=False)
    await writer.ask(begin(1))
    await writer.aclose()
    assert all(wait for _, wait in patient.batches)


async def test_what_comes_while_the_thread_works_is_written_after_it() -> None:
    release, order = threading.Event(), list[str]()

    class Slow(Recorded):
        def commit(self, operations: Sequence[Operation], *, wait: bool = True) -> list[Result]:
            if wait:
                release.wait(5.0)
            order.append("thread" if wait else "loop")
            return super().commit(operations, wait=wait)

    writer = await opened(Slow())
    first = writer.ask(Alone(lambda _: 0))
    await asyncio.sleep(0)
    second = writer.ask(begin(2))
    await asyncio.sleep(0.01)
    assert not second.done()
    release.set()
    await asyncio.gather(first, second)
    assert order == ["thread", "loop"]
    await writer.aclose()


async def test_a_locked_file_is_waited_for_in_the_thread() -> None:
    committer = Recorded(locked=1)
    writer = await opened(committer)
    assert await writer.ask(begin(1))
    assert committer.batches == [(1, True)]
    await writer.aclose()


async def test_what_nobody_waits_for_is_written_soon() -> None:
    committer = Recorded()
    writer = await opened(committer)
    for number in range(5):
        writer.put(begin(number))
    assert not writer.settled
    async with asyncio.timeout(5.0):
        while not writer.settled:
            await asyncio.sleep(0.005)
    assert committer.batches == [(5, False)]
    await writer.aclose()


async def test_the_log_beside_the_file_is_copied_into_it_now_and_then() -> None:
    committer = Recorded()
    writer = await opened(committer)
    for number in range(1100):
        await writer.ask(begin(number))
    await writer.aclose()
    assert committer.checkpoints == 2


@pytest.mark.parametrize("in_loop", [True, False])
async def test_a_committer_that_breaks_leaves_nobody_waiting(in_loop: bool) -> None:
    committer = Recorded()
    writer = await opened(committer, in_loop=in_loop)
    committer.breaks = True
    async with asyncio.timeout(5.0):
        with pytest.raises(StoreError, match="writer failed"):
            await writer.ask(Flush())
        with pytest.raises(StoreError, match="writer failed"):
            await writer.aclose()
        with pytest.raises(StoreError, match="has ended"):
            await writer.ask(Flush())
