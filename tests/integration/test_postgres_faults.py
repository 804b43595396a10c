"""What a PostgreSQL store makes of servers, connections and processes that end in the middle of work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import numpy as np
import pytest

from banditroute.errors import StoreError
from banditroute.learning.evidence import Evidence
from banditroute.records import Feedback
from banditroute.routing.lessons import Edge, lesson_of
from banditroute.storage.sharing import News, Report
from banditroute.testing.killing import Acknowledged, kill_after, kill_rounds, store_worker
from banditroute.testing.postgres_server import PostgresServer, programs, running_postgres
from banditroute.testing.store_contract import settle
from banditroute.testing.store_records import a_dispatch, a_settlement, an_alarm, assert_same

pytest.importorskip("asyncpg")

import asyncpg

from banditroute.storage.postgres.store import PostgresStore

_NUMBERS = count()
_REPORT = Report("a", 60.0, 60.0)
_EDGE = Edge("qa", "small", "quality", "v1")


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server of its own, that may be killed: what it has told the operating system outlives that."""
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    with running_postgres() as server:
        yield server


@asynccontextmanager
async def _opened(server: PostgresServer, namespace: str = "", **options: Any) -> AsyncGenerator[PostgresStore]:
    store = PostgresStore(server.url, namespace=namespace or f"faults_{next(_NUMBERS)}", by_day=False, **options)
    await store.open()
    try:
        yield store
    finally:
        with contextlib.suppress(StoreError):
            await store.aclose()


class _Traffic:
    """Tasks that settle and judge until they are stopped, and what has returned to them."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._numbers = count()
        self._stopped = False
        self.settled: set[str] = set()
        self.judged: set[str] = set()

    async def work(self) -> None:
        for number in self._numbers:
            if self._stopped:
                return
            dispatch = a_dispatch(number)
            settlement = a_settlement(dispatch)
            self._store.begin(dispatch)
            with contextlib.suppress(StoreError):  # nothing was promised then
                assert await self._store.settle(settlement)
                self.settled.add(dispatch.decision.decision_id)
                feedback = Feedback(dispatch.decision.decision_id, 0.5)
                assert await self._store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback))
                self.judged.add(dispatch.decision.decision_id)

    def stop(self) -> None:
        self._stopped = True


async def _check(store: PostgresStore, traffic: _Traffic) -> None:
    """Everything that was acknowledged is there, and everything that is there counts once."""
    trails = [trail async for trail in store.trails()]
    settled = {trail.decision.decision_id for trail in trails if trail.outcome is not None}
    judged = {trail.decision.decision_id for trail in trails if trail.feedback}
    assert traffic.settled <= settled
    assert traffic.judged <= judged
    state = await store.state()
    assert _count(state.evidence, "log_tokens") == len(settled)
    assert _count(state.evidence, "quality") == len(judged)
    assert state.paid["paced"].requests == len(settled)
    assert_same(state, await store.rebuilt())
    news = await store.exchange(_REPORT)
    assert _count(news.evidence, "log_tokens") == len(settled)
    assert news.paid["paced"].requests == len(settled)


def _count(evidence: Any, signal: str) -> int:
    return round(sum(float(sums.n) for edge, sums in evidence.items() if edge.signal == signal))


async def _tick(store: PostgresStore) -> None:
    while True:
        with contextlib.suppress(StoreError):
            await store.exchange(_REPORT)
        await asyncio.sleep(0.05)


async def test_killed_connections_and_a_crashed_server_lose_and_double_nothing(mortal: PostgresServer) -> None:
    """Connections are ended, one of the server's processes is killed, the server is stopped as by a crash."""
    async with _opened(mortal) as store:
        traffic = _Traffic(store)
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(_tick(store))
            for _ in range(16):
                group.create_task(traffic.work())
            for killing in (False, True, False):
                await asyncio.sleep(0.3)
                await _end_connections(mortal, killing=killing)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(mortal.stop)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(mortal.start)
            before = len(traffic.settled)
            while len(traffic.settled) < before + 50:
                await asyncio.sleep(0.02)
            traffic.stop()
            ticking.cancel()
        assert len(traffic.settled) > 50
        await _check(store, traffic)


async def _end_connections(server: PostgresServer, *, killing: bool) -> None:
    """Ends every connection of stores, or kills the process of one, by which the server restarts all of them."""
    connection = await _connected(server)
    where = "FROM pg_stat_activity WHERE application_name = 'banditroute' AND pid <> pg_backend_pid()"
    if killing:
        server.kill(await connection.fetchval(f"SELECT pid {where} LIMIT 1"))
    else:
        await connection.fetch(f"SELECT pg_terminate_backend(pid) {where}")
    connection.terminate()


async def _connected(server: PostgresServer) -> Any:
    for _ in range(500):
        with contextlib.suppress(asyncpg.CannotConnectNowError):  # it recovers
            return await asyncpg.connect(server.url)
        await asyncio.sleep(0.02)
    raise AssertionError("the server does not come back")


async def test_what_could_not_be_written_is_written_once_the_server_is_back(mortal: PostgresServer) -> None:
    async with _opened(mortal, patience_s=0.2) as store:
        first = await settle(store, a_dispatch(0))
        await asyncio.to_thread(mortal.stop)
        for number in range(1, 20):
            store.begin(a_dispatch(number))
        waiting = [store.settle(a_settlement(a_dispatch(number))) for number in range(1, 20)]
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(each, StoreError) for each in told)
        with pytest.raises(StoreError, match=r"cannot [^\n]*; check that the server runs"):
            await store.exchange(_REPORT)
        await asyncio.to_thread(mortal.start)
        news = await _heard(store)
        assert news.paid["paced"].requests == 20
        assert _count(news.evidence, "log_tokens") == 20
        assert not await store.settle(first)
        assert await store.unsettled() == []
        assert_same(await store.state(), await store.rebuilt())


async def _heard(store: PostgresStore) -> News:
    for _ in range(200):
        with contextlib.suppress(StoreError):
            return await store.exchange(_REPORT)
        await asyncio.sleep(0.05)
    raise AssertionError("the server is back, and the store does not notice")


async def test_nobody_waits_for_a_server_that_says_nothing(postgres: PostgresServer) -> None:
    """As behind a cut line: the connection is there, and no answer comes. What was asked for is written later, once."""
    async with _opened(postgres, patience_s=0.3) as store:
        await settle(store, a_dispatch(0))
        for pid in await _pids(postgres):
            os.kill(pid, signal.SIGSTOP)
        try:
            for number in (1, 2):
                store.begin(a_dispatch(number))
                with pytest.raises(StoreError, match="the database does not answer; what waits for it is written"):
                    await store.settle(a_settlement(a_dispatch(number)))
        finally:
            for pid in await _pids(postgres):
                os.kill(pid, signal.SIGCONT)
        news = await _heard(store)
        assert news.paid["paced"].requests == 3
        assert_same(await store.state(), await store.rebuilt())


async def _pids(server: PostgresServer) -> list[int]:
    """The server's processes that work for stores."""
    connection = await _connected(server)
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = 'banditroute'")
    await connection.close()
    return [row[0] for row in rows]


async def test_a_lost_answer_counts_nothing_twice(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third statement that changes something is done and its answer lost, commits of transactions too."""
    monkeypatch.setattr("banditroute.storage.postgres.session._FIRST_WAIT_S", 0.0)
    async with _opened(postgres) as store:
        for number in range(3):
            await settle(store, a_dispatch(number))
        await store.exchange(_REPORT)
        lost = _lose_answers(monkeypatch)
        for number in range(3, 12):
            dispatch = a_dispatch(number)
            settlement = await settle(store, dispatch)
            feedback = Feedback(dispatch.decision.decision_id, 0.5)
            assert await store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback))
            assert not await store.settle(settlement)
            sums = Evidence(np.eye(5), np.ones(5), np.array(1.0), np.array(1.0))
            await store.adjust([an_alarm(number)], {_EDGE: sums})
            news = await store.exchange(_REPORT)
            assert news.paid["paced"].requests == number + 1
        monkeypatch.undo()
        state = await store.state()
        assert lost[0] > 10
        assert _count(state.evidence, "log_tokens") == 12
        assert _count(state.evidence, "quality") == 9 + 9
        assert len(await store.alarms(100)) == 9
        assert_same(state, await store.rebuilt())


def _lose_answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has every third answer of functions and commits lost; how many were."""
    turns, lost = count(), [0]
    kind = asyncpg.connection.Connection

    def losing(plain: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(self: Any, query: str, *values: Any, **rest: Any) -> Any:
            answer = await plain(self, query, *values, **rest)
            if ("COMMIT" in query or ".log(" in query or ".exchange(" in query) and next(turns) % 3 == 1:
                lost[0] += 1
                raise ConnectionResetError("the answer was lost")
            return answer

        return call

    monkeypatch.setattr(kind, "fetchrow", losing(kind.fetchrow))
    monkeypatch.setattr(kind, "execute", losing(kind.execute))
    return lost


async def test_a_process_that_died_is_added_up_by_another(postgres: PostgresServer) -> None:
    """Its leases stay until then: what it spent is not on record as spent before."""
    namespace = f"faults_{next(_NUMBERS)}"
    async with _opened(postgres, namespace) as dead, _opened(postgres, namespace) as other:
        for number in range(5):
            await settle(dead, a_dispatch(number))
        connection = await asyncpg.connect(postgres.url)
        late = f"UPDATE banditroute_{namespace}.unfolded SET written_at = written_at - interval '1 minute'"
        await connection.execute(late)
        await connection.close()
        assert (await other.exchange(Report("other", 60.0, 60.0))).paid == {}
        assert (await other.exchange(Report("other", 60.0, 60.0))).paid["paced"].requests == 5
        back = await dead.exchange(Report("dead", 60.0, 60.0))
        assert back.paid["paced"].requests == 5, "it was not dead after all"
        assert_same(await dead.state(), await dead.rebuilt())


async def test_killed_processes_lose_and_double_nothing(postgres: PostgresServer) -> None:
    async with _opened(postgres, "default"):
        pass  # the tables are there: the processes have their time for work
    damage = await kill_rounds(
        PostgresStore(postgres.url, by_day=False),
        store_worker(postgres.url),
        range(2),
        most_s=0.8,
        rng=random.Random(20261126),
    )
    assert damage.kills == 2
    assert damage.settled > 5
    assert damage.lost == 0


async def test_two_processes_write_at_once_and_are_killed(postgres: PostgresServer) -> None:
    command = store_worker(postgres.url)
    outputs = await asyncio.gather(kill_after(command(101), 0.7), kill_after(command(102), 0.7))
    said = [Acknowledged.parse(output) for output in outputs]
    assert len(said[0].settled | said[1].settled) > 5
    async with _opened(postgres, "default") as store:
        on_record = {trail.decision.decision_id async for trail in store.trails() if trail.outcome is not None}
        assert said[0].settled | said[1].settled <= on_record
        assert_same(await store.state(), await store.rebuilt())
