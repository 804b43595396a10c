from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from banditroute.errors import StoreError
from banditroute.storage.committing import Committer
from banditroute.storage.operations import Begin, Flush, Operation, Result
from banditroute.storage.writer import Writer


class Recorded(Committer):
    """Writes nothing down, and remembers what it was given at once."""

    def __init__(self) -> None:
        super().__init__("nowhere", fsync=False)
        self.batches: list[int] = []
        self.breaks = False

    def open(self) -> None:
        pass

    def commit(self, operations: Sequence[Operation]) -> list[Result]:
        if self.breaks:
            raise RuntimeError("a defect")
        self.batches.append(len(operations))
        return [True] * len(operations)


def begin(number: int) -> Begin:
    return Begin(str(number), 0.0, "{}", None)


async def test_all_that_waits_is_one_batch() -> None:
    committer = Recorded()
    writer = Writer(committer)
    futures = [writer.ask(begin(number)) for number in range(100)]
    writer.open()
    await asyncio.gather(*futures)
    await writer.aclose()
    assert committer.batches[0] == 100


async def test_what_nobody_waits_for_is_written_soon() -> None:
    committer = Recorded()
    writer = Writer(committer)
    writer.open()
    for number in range(5):
        writer.put(begin(number))
    assert not writer.settled
    async with asyncio.timeout(5.0):
        while not writer.settled:
            await asyncio.sleep(0.005)
    assert committer.batches == [5]
    await writer.aclose()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_breaks_leaves_nobody_waiting() -> None:
    committer = Recorded()
    writer = Writer(committer)
    writer.open()
    committer.breaks = True
    async with asyncio.timeout(5.0):
        with pytest.raises(StoreError, match="writer has ended"):
            await writer.ask(Flush())
        with pytest.raises(StoreError, match="writer has ended"):
            await writer.ask(Flush())
        with pytest.raises(StoreError, match="writer has ended"):
            await writer.aclose()
