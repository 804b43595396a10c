"""A server that is killed, a network that loses what is sent: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Feedback
from banditroute.routing.lessons import Edge, lesson_of
from banditroute.storage.protocol import Deleted
from banditroute.storage.sharing import Ask, Report
from banditroute.testing.killing import kill_rounds, store_worker
from banditroute.testing.partition import Partition, partition_before
from banditroute.testing.redis_server import RedisServer, binary, running_redis
from banditroute.testing.store_records import DAY, NOON, a_dispatch, a_settlement, an_alarm, assert_same

pytest.importorskip("redis")

from banditroute.storage.redis.link import UnreachableError
from banditroute.storage.redis.scripts import Command, script
from banditroute.storage.redis.store import RedisStore

_NUMBERS = count()
_EDGE = Edge("qa", "small", "quality", "v1")
_ONES = Evidence(np.eye(5), np.ones(5), np.array(1.0), np.array(1.0))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path_factory.mktemp("redis"), appendfsync="everysec") as server:
        yield server


@pytest.fixture
async def partition(server: RedisServer) -> AsyncIterator[Partition]:
    async with partition_before(server.socket) as partition:
        yield partition


@pytest.fixture
async def store(partition: Partition) -> AsyncIterator[RedisStore]:
    """A store that hears of the server through a network that may be cut."""
    store = RedisStore(f"redis://127.0.0.1:{partition.port}/0", namespace=f"faults-{next(_NUMBERS)}", timeout_s=0.2)
    await store.open()
    yield store
    await store.aclose()


async def written(store: RedisStore, numbers: range) -> None:
    """Waits until decisions of these numbers, and nobody else's, are settled on record."""
    async with asyncio.timeout(8):
        while True:
            try:
                trails = [trail async for trail in store.trails()]
            except StoreError:
                trails = []
            if len([trail for trail in trails if trail.outcome is not None]) >= len(numbers):
                break
            await asyncio.sleep(0.02)
    assert sorted(trail.decision.decision_id for trail in trails) == [f"decision-{n:06d}" for n in numbers]


async def counted(store: RedisStore) -> float:
    """How many outcomes the evidence counts, which has to be what the log says."""
    state = await store.state()
    assert_same(state, await store.rebuilt())
    assert {paid.requests for paid in state.paid.values()} in (set(), {state.paid["paced"].requests})
    return sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "log_tokens")


async def judge(store: RedisStore, number: int) -> bool:
    dispatch = a_dispatch(number)
    feedback = Feedback(dispatch.decision.decision_id, 0.5)
    return await store.judge(feedback, lesson_of(dispatch.decision, a_settlement(dispatch).outcome, feedback))


async def test_a_server_killed_in_full_traffic_loses_and_doubles_nothing(tmp_path: Path) -> None:
    if binary() is None:
        pytest.skip("redis-server is not installed")
    acknowledged: list[int] = []
    numbers = count()
    ended = asyncio.Event()

    async def work(store: RedisStore) -> None:
        while not ended.is_set():
            number = next(numbers)
            store.begin(a_dispatch(number))
            assert await store.settle(a_settlement(a_dispatch(number)))
            assert not await store.settle(a_settlement(a_dispatch(number)))
            assert await judge(store, number)
            acknowledged.append(number)

    with running_redis(tmp_path / "data", appendfsync="always") as server:
        store = RedisStore(server.url)
        await store.open()
        tasks = [asyncio.create_task(work(store)) for _ in range(8)]
        for _ in range(3):
            await asyncio.sleep(0.15)
            server.kill()
            await asyncio.to_thread(server.start)
        await asyncio.sleep(0.1)
        ended.set()
        await asyncio.gather(*tasks)
        total = next(numbers)
        assert len(acknowledged) == total > 0
        assert await counted(store) == total
        assert await store.unsettled() == []
        assert (await store.state()).paid["paced"].requests == total
        await store.aclose()


async def test_replies_that_are_lost_are_answered_as_they_would_have_been(
    store: RedisStore, partition: Partition
) -> None:
    store.begin(a_dispatch(0))
    await store.recent(1)
    partition.swallow_replies = True
    asked = [
        asyncio.create_task(store.settle(a_settlement(a_dispatch(0)))),
        asyncio.create_task(judge(store, 0)),
        asyncio.create_task(store.adjust([an_alarm(1)], {_EDGE: _ONES})),
    ]
    await asyncio.sleep(0.1)
    partition.end()
    assert await asyncio.gather(*asked) == [True, True, None]
    assert not await store.settle(a_settlement(a_dispatch(0)))
    assert not await judge(store, 0)
    assert await counted(store) == 1
    assert float((await store.state()).evidence[_EDGE].n) == 2.0
    assert await store.alarms(5) == [an_alarm(1)]


@pytest.mark.parametrize("forget", [lambda store: store.prune(NOON + 2.0), lambda store: store.delete_tenant("acme")])
async def test_a_forgetting_whose_reply_is_lost_counts_all_that_is_gone(
    store: RedisStore, forget: Callable[[RedisStore], Awaitable[Any]]
) -> None:
    for number in range(2):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
    run, lost = store._link.run, []

    async def losing(commands: Sequence[Command]) -> list[Any]:
        replies = await run(commands)
        if any(command[1] == script("prune").sha.encode() for command in commands) and not lost:
            lost.append(replies)
            raise UnreachableError("the reply was lost")
        return replies

    store._link.run = losing
    assert await forget(store) in (2, Deleted(decisions=2))
    assert lost
    assert await store.recent(1) == []
    assert_same(replace(await store.state(), evidence={}), replace(await store.rebuilt(), evidence={}))


async def test_a_partition_is_told_and_caught_up_with(store: RedisStore, partition: Partition) -> None:
    store.begin(a_dispatch(0))
    assert await store.settle(a_settlement(a_dispatch(0)))
    partition.begin()
    began = asyncio.get_running_loop().time()
    for number in range(1, 40):
        store.begin(a_dispatch(number))
        with pytest.raises(StoreError, match="what waits for it is written as soon as it can be"):
            await store.settle(a_settlement(a_dispatch(number)))
    with pytest.raises(StoreError):
        await store.exchange(Report("a", 60.0, 60.0))
    with pytest.raises(StoreError):
        await store.trail("decision-000000")
    assert asyncio.get_running_loop().time() - began < 4.0, "the first has waited in vain; the next need not wait too"
    partition.end()
    await written(store, range(40))
    assert await counted(store) == 40
    news = await store.exchange(Report("a", 60.0, 60.0, asks=(Ask(DAY, 8.0, 0.0, 1.0),)))
    assert news.paid["paced"].requests == 40
    assert news.grants[0].spent_usd == pytest.approx((await store.state()).spent_usd[DAY])


async def test_what_waits_is_bounded(store: RedisStore, partition: Partition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("banditroute.storage.line._MOST", 20)
    partition.begin()
    for number in range(40):
        store.begin(a_dispatch(number))
        with pytest.raises(StoreError):
            await store.settle(a_settlement(a_dispatch(number)))
    partition.end()
    async with asyncio.timeout(8):
        while await lost(store):
            await asyncio.sleep(0.02)
    total = await counted(store)
    assert 10 <= total <= 11
    assert len(await store.recent(100)) == total
    assert await store.unsettled() == []


async def lost(store: RedisStore) -> bool:
    try:
        return len(await store.recent(100)) < 10
    except StoreError:
        return True


async def test_scripts_that_the_server_forgot_are_loaded_again(store: RedisStore, server: RedisServer) -> None:
    store.begin(a_dispatch(0))
    assert await store.settle(a_settlement(a_dispatch(0)))
    assert server.command("SCRIPT", "FLUSH").startswith(b"+OK")
    store.begin(a_dispatch(1))
    assert await store.settle(a_settlement(a_dispatch(1)))
    assert await counted(store) == 2


async def test_a_server_that_takes_no_writes_is_waited_for(store: RedisStore, server: RedisServer) -> None:
    store.begin(a_dispatch(0))
    await store.recent(1)
    server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(StoreError, match="maxmemory"):
            await store.settle(a_settlement(a_dispatch(0)))
    finally:
        server.command("CONFIG", "SET", "maxmemory", "0")
    await written(store, range(1))
    assert await counted(store) == 1


async def test_closing_without_a_server_says_what_is_lost(server: RedisServer, partition: Partition) -> None:
    url = f"redis://127.0.0.1:{partition.port}/0"
    store = RedisStore(url, namespace=f"faults-{next(_NUMBERS)}", timeout_s=0.2)
    await store.open()
    partition.begin()
    store.begin(a_dispatch(0))
    with pytest.raises(StoreError):
        await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        store.begin(a_dispatch(1))


async def test_what_is_asked_in_one_turn_is_one_transmission(server: RedisServer) -> None:
    store = RedisStore(server.url, namespace=f"faults-{next(_NUMBERS)}")
    await store.open()
    for number in range(50):
        store.begin(a_dispatch(number))
    sent = []
    run = store._link.run

    async def counting(commands):
        sent.append(len(commands))
        return await run(commands)

    store._link.run = counting
    await asyncio.gather(*(store.settle(a_settlement(a_dispatch(number))) for number in range(50)))
    assert sent == [100]
    await store.aclose()


async def test_nobody_is_there_to_open() -> None:
    with pytest.raises(
        StoreError, match=r"^redis://127\.0\.0\.1:1/0 \(default\): cannot use the server: [^\n]*$"
    ) as caught:
        await RedisStore("redis://user:secret@127.0.0.1:1/0", timeout_s=0.05).open()
    assert "secret" not in str(caught.value)


async def test_an_unknown_decision_stays_unknown(store: RedisStore) -> None:
    with pytest.raises(UnknownDecisionError):
        await store.settle(a_settlement(a_dispatch(3)))


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_cancelled_while_reading_stays_cancelled(store: RedisStore, turns: int) -> None:
    reading = asyncio.create_task(store.prune(0.0))
    for _ in range(turns):
        await asyncio.sleep(0)
    if reading.cancel():
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert await store.recent(1) == []


async def test_a_server_that_starts_is_waited_for(tmp_path: Path) -> None:
    if binary() is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path / "data")
    store = RedisStore(server.url)
    try:
        opening = asyncio.create_task(store.open())
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.start)
        await opening
        assert await store.recent(1) == []
        await store.aclose()
    finally:
        server.close()


async def test_what_a_killed_process_acknowledged_is_on_record(tmp_path: Path) -> None:
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path / "data", appendfsync="everysec") as server:
        command = store_worker(server.url)
        damage = await kill_rounds(RedisStore(server.url), command, range(2), most_s=0.8, rng=random.Random(5))
    assert (damage.kills, damage.lost) == (2, 0)
