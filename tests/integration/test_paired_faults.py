"""What a store of two makes of servers and processes that end in the middle of work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from banditroute.errors import StoreError
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.sharing import Ask, News, Report
from banditroute.testing.killing import kill_rounds, store_worker
from banditroute.testing.postgres_server import PostgresServer, programs, running_postgres
from banditroute.testing.redis_server import RedisServer, binary, running_redis
from banditroute.testing.store_contract import settle
from banditroute.testing.store_records import DAY, NOON, a_dispatch, a_settlement, assert_same

pytest.importorskip("asyncpg")
pytest.importorskip("redis")

from banditroute.storage.paired.backlog import Backlog
from banditroute.storage.paired.store import PairedStore
from banditroute.storage.paired.sums import Marked, RedisSums
from banditroute.storage.postgres.store import PostgresStore

_NUMBERS = count()
_REPORT = Report("a", 60.0, 60.0)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that writes everything to its log at once."""
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that comes back with its last snapshot."""
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path / "forgetful", appendonly="no") as server:
        yield server


@pytest.fixture
def namespace() -> str:
    return f"paired_faults_{next(_NUMBERS)}"


def paired(postgres: PostgresServer, redis: RedisServer, namespace: str, **options: Any) -> PairedStore:
    return PairedStore(postgres.url, redis.url, namespace=namespace, by_day=False, timeout_s=0.5, **options)


@asynccontextmanager
async def opened(store: PairedStore) -> AsyncGenerator[PairedStore]:
    await store.open()
    try:
        yield store
    finally:
        with contextlib.suppress(StoreError):
            await store.aclose()


async def abandon(store: PairedStore) -> None:
    """Ends a store as a kill of its process would: nothing is added, nothing is let go of."""
    assert store._keeping_up is not None
    store._keeping_up.cancel()
    await store._editions.aclose()
    assert store._writer is not None
    await store._writer.abort()
    store._keeping_up = store._writer = None
    await store._reader.aclose()
    await store._sums.aclose()


def counted(evidence: Any, signal: str = "log_tokens") -> int:
    return round(sum(float(sums.n) for edge, sums in evidence.items() if edge.signal == signal))


async def exchanged(store: PairedStore, report: Report = _REPORT) -> News:
    """The news, once both servers answer."""
    async with asyncio.timeout(15.0):
        while True:
            with contextlib.suppress(StoreError):
                return await store.exchange(report)
            await asyncio.sleep(0.05)
    raise AssertionError


async def check(store: PairedStore, settled: int) -> None:
    """Everything counts once: in the sums with the log, in the news, and in the log alone."""
    for _ in range(2):  # before and after what waits is added
        state = await store.state()
        assert counted(state.evidence) == settled
        assert state.paid["paced"].requests == settled
        assert_same(state, await store.rebuilt())
        news = await exchanged(store)
        assert (counted(news.evidence), news.paid["paced"].requests) == (settled, settled)


async def work(store: PairedStore, numbers: range) -> None:
    for number in numbers:
        await settle(store, a_dispatch(number))


class Traffic:
    """Tasks that settle and judge until they are stopped, and what has returned to them."""

    def __init__(self, store: PairedStore, first: int = 0) -> None:
        self._store = store
        self._numbers = count(first)
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

    async def tick(self) -> None:
        while not self._stopped:
            with contextlib.suppress(StoreError):
                await self._store.exchange(_REPORT)
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        self._stopped = True


@asynccontextmanager
async def under_load(*stores: PairedStore) -> AsyncGenerator[list[Traffic]]:
    """Stores at work; afterwards all that was acknowledged is there, and all that is there counts once."""
    several = [Traffic(store, 1_000_000 * place) for place, store in enumerate(stores)]
    async with asyncio.TaskGroup() as group:
        for each in several:
            group.create_task(each.tick())
            for _ in range(6):
                group.create_task(each.work())
        try:
            yield several
        finally:
            for each in several:
                each.stop()
    trails = [trail async for trail in stores[0].trails()]
    settled = {trail.decision.decision_id for trail in trails if trail.outcome is not None}
    judged = {trail.decision.decision_id for trail in trails if trail.feedback}
    for each in several:
        assert each.settled <= settled
        assert each.judged <= judged
        assert each.settled
    for store in stores:
        await exchanged(store)
    await check(stores[0], len(settled))
    assert counted((await stores[0].state()).evidence, "quality") == len(judged)


@pytest.mark.parametrize("server", ["redis", "forgetful"])
async def test_a_killed_redis_loses_and_doubles_nothing(
    server: str, postgres: PostgresServer, namespace: str, request: pytest.FixtureRequest
) -> None:
    redis: RedisServer = request.getfixturevalue(server)
    one, two = paired(postgres, redis, namespace), paired(postgres, redis, namespace)
    async with opened(one), opened(two), under_load(one, two) as several:
        for turn in range(3):
            await asyncio.sleep(0.3)
            if turn == 1 and server == "forgetful":
                redis.command("SAVE")
                await asyncio.sleep(0.1)
            redis.kill()
            before = [len(each.settled) for each in several]
            async with asyncio.timeout(10):  # all the same it is logged
                while not all(len(each.settled) > settled for each, settled in zip(several, before, strict=True)):
                    await asyncio.sleep(0.02)
            await asyncio.to_thread(redis.start)
        await asyncio.sleep(0.3)


async def test_a_stopped_postgres_loses_and_doubles_nothing(redis: RedisServer, namespace: str) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    with running_postgres() as postgres:
        store = paired(postgres, redis, namespace)
        async with opened(store), under_load(store):
            for _ in range(2):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(postgres.stop)
                await asyncio.sleep(0.1)
                await asyncio.to_thread(postgres.start)
            await asyncio.sleep(0.5)


async def test_what_a_process_logged_and_did_not_add_is_added_by_another_and_keeps_its_leases(
    redis: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    dead = paired(postgres, redis, namespace)
    await dead.open()
    (lease,) = (await dead.exchange(Report("dead", 0.1, 0.2, (Ask(DAY, 8.0, 0.0, 4.0),)))).grants
    await work(dead, range(5))
    await abandon(dead)
    spent_usd = sum(a_settlement(a_dispatch(number)).outcome.cost_usd for number in range(5))
    async with opened(paired(postgres, redis, namespace)) as store:
        assert counted((await store.state()).evidence) == 5
        await asyncio.sleep(0.3)  # it counts as gone; nobody has heard of what it spent
        news = await store.exchange(Report("a", 60.0, 60.0, (Ask(DAY, 8.0, 0.0, 8.0),)))
        assert lease.usd == 4.0
        assert news.grants[0].spent_usd == pytest.approx(spent_usd)
        assert news.grants[0].usd == pytest.approx((8.0 - spent_usd) / 2), "its lease is back, and what it spent is not"
        await check(store, 5)


async def test_a_lease_stays_while_nobody_can_tell_what_waits_in_the_log(
    redis: RedisServer, postgres: PostgresServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = paired(postgres, redis, namespace)
    await dead.open()
    async with opened(paired(postgres, redis, namespace)) as store:
        await dead.exchange(Report("dead", 0.1, 0.2, (Ask(DAY, 8.0, 0.0, 4.0),)))
        await work(dead, range(5))
        await abandon(dead)
        await asyncio.sleep(0.3)
        ask = Report("a", 60.0, 60.0, (Ask(DAY, 8.0, 0.0, 8.0),))
        with monkeypatch.context() as patched:
            patched.setattr(Backlog, "bring_up", _fails)
            (grant,) = (await store.exchange(ask)).grants
        assert (grant.usd, grant.spent_usd) == (pytest.approx(2.0), 0.0), "half of what the dead one does not hold"
        (grant,) = (await store.exchange(ask)).grants
        assert grant.spent_usd > 0.0
        assert grant.usd == pytest.approx((8.0 - grant.spent_usd) / 2)


async def _fails(*_: Any, **__: Any) -> Any:
    raise StoreError("injected")


@pytest.mark.parametrize("point", ["before the sums", "after the sums", "after letting go"])
async def test_a_crash_between_any_two_steps_counts_all_once(
    point: str, redis: RedisServer, postgres: PostgresServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = paired(postgres, redis, namespace)
    await store.open()
    await work(store, range(3))
    await store.exchange(_REPORT)
    await work(store, range(3, 7))
    with monkeypatch.context() as patched:
        if point == "before the sums":
            patched.setattr(RedisSums, "gain", _fails)
        if point == "after the sums":
            patched.setattr(Backlog, "let_go", _fails)
        with contextlib.suppress(StoreError):
            await store.exchange(_REPORT)
        await abandon(store)
    async with opened(paired(postgres, redis, namespace)) as next_one:
        await check(next_one, 7)
        await work(next_one, range(7, 9))
        await check(next_one, 9)
        async with opened(paired(postgres, redis, namespace)) as another:
            await work(another, range(9, 12))
            await check(another, 12)


async def test_an_answer_that_was_lost_on_the_way_is_asked_for_again(
    redis: RedisServer, postgres: PostgresServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gain = RedisSums.gain

    async def gains_unheard(self: RedisSums, *args: Any) -> Marked:
        await gain(self, *args)
        raise StoreError("injected")

    async with opened(paired(postgres, redis, namespace)) as store:
        for first in (0, 3):
            await work(store, range(first, first + 3))
            with monkeypatch.context() as patched:
                patched.setattr(RedisSums, "gain", gains_unheard)
                with pytest.raises(StoreError, match="injected"):
                    await store.exchange(_REPORT)
            await work(store, range(10 + first, 12 + first))  # before anybody knows whether it was done
        await check(store, 10)


async def test_two_that_add_for_each_other_count_all_once(
    redis: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    """Another one adds what a process that lives has logged, at any moment of its own adding."""
    one, two = paired(postgres, redis, namespace), paired(postgres, redis, namespace)
    async with opened(one), opened(two):
        for turn in range(30):
            first = 10 * turn
            await asyncio.gather(
                work(one, range(first, first + 4)),
                work(two, range(first + 4, first + 8)),
                two._bring_up(two._edition(), one._id),
                exchanged(one),
                one._bring_up(one._edition(), two._id),
                one.prune(0.0),
            )
        await check(one, 240)
        await check(two, 240)


async def test_sums_that_redis_has_lost_are_computed_anew_and_said_to_be(
    forgetful: RedisServer, postgres: PostgresServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(paired(postgres, forgetful, namespace)) as store:
        await work(store, range(20))
        await store.prune(NOON + 10.0)
        await work(store, range(20, 24))
        known = (await store.exchange(_REPORT)).version
    forgetful.kill()
    forgetful.start()
    with caplog.at_level(logging.WARNING, "banditroute"):
        async with opened(paired(postgres, forgetful, namespace)) as store:
            await check(store, 24)
            news = await store.exchange(Report("a", 60.0, 60.0, known=known))
            assert counted(news.evidence) == 24, "told to those who heard of the lost ones too"
    assert "computed anew from the log" in caplog.text


async def test_sums_that_have_lost_their_latest_part_are_found_out(
    forgetful: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    async with opened(paired(postgres, forgetful, namespace)) as store:
        await work(store, range(4))
        await store.exchange(_REPORT)
        forgetful.command("SAVE")
        await work(store, range(4, 9))
        await store.exchange(_REPORT)
        forgetful.kill()
        forgetful.start()
        await check(store, 9)


async def test_what_redis_acknowledged_and_lost_before_it_was_let_go_of_is_added_again(
    forgetful: RedisServer, postgres: PostgresServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(paired(postgres, forgetful, namespace)) as store:
        await work(store, range(4))
        await store.exchange(_REPORT)
        forgetful.command("SAVE")
        with monkeypatch.context() as patched:
            patched.setattr(Backlog, "let_go", _fails)
            await work(store, range(4, 9))
            await exchanged(store)
        forgetful.kill()
        forgetful.start()
        edition = store._edition()
        await check(store, 9)
        assert store._edition() == edition + 1, "nothing had to be computed anew"


async def test_what_an_earlier_life_acknowledged_is_not_let_go_of_after_it(
    forgetful: RedisServer, postgres: PostgresServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is slow to let go of what it added, and by then another one has taken what is left for whole."""
    let_go, may_go, waits = Backlog.let_go, asyncio.Event(), asyncio.Event()

    async def slow(self: Backlog, *args: Any, **named: Any) -> bool:
        waits.set()
        await may_go.wait()
        return await let_go(self, *args, **named)

    one, two = paired(postgres, forgetful, namespace), paired(postgres, forgetful, namespace)
    async with opened(one), opened(two):
        await work(one, range(4))
        await one.exchange(_REPORT)
        forgetful.command("SAVE")
        await work(one, range(4, 9))
        with monkeypatch.context() as patched:
            patched.setattr(Backlog, "let_go", slow)
            exchanging = asyncio.create_task(exchanged(one))
            await waits.wait()
        forgetful.kill()
        forgetful.start()
        await exchanged(two)
        edition = two._edition()
        may_go.set()
        await exchanging
        assert one._edition() == two._edition() == edition, "nothing had to be computed anew"
        await check(two, 9)
        await check(one, 9)


async def test_after_a_loss_nobody_is_granted_more_than_it_has_until_no_lost_lease_holds(
    forgetful: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    async with opened(paired(postgres, forgetful, namespace)) as store:
        await work(store, range(2))
        await store.exchange(Report("b", 60.0, 2.0, (Ask(DAY, 8.0, 0.0, 8.0),)))
        forgetful.kill()
        forgetful.start()
        (mine,) = (await exchanged(store, Report("a", 60.0, 0.2, (Ask(DAY, 8.0, 0.5, 8.0),)))).grants
        assert mine.usd == 0.5
        await asyncio.sleep(2.3)  # the instant of the loss is known to the second
        (mine,) = (await exchanged(store, Report("a", 60.0, 0.2, (Ask(DAY, 8.0, 0.5, 8.0),)))).grants
        assert mine.usd > 2.0


async def test_killed_processes_lose_and_double_nothing(
    redis: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    store = paired(postgres, redis, namespace)
    async with opened(store):
        pass  # the tables are there: the processes have their time for work
    command = store_worker(f"{postgres.url} {redis.url} {namespace}")
    damage = await kill_rounds(store, command, range(3), most_s=1.5, rng=random.Random(20261126))
    assert damage.kills == 3
    assert damage.settled > 5
    assert damage.lost == 0


async def test_a_server_without_redis_still_logs(redis: RedisServer, postgres: PostgresServer, namespace: str) -> None:
    async with opened(paired(postgres, redis, namespace)) as store:
        redis.kill()
        await work(store, range(5))
        for asked in (store.state(), store.exchange(_REPORT)):
            with pytest.raises(StoreError):
                await asked
        assert counted((await store.rebuilt()).evidence) == 5
        redis.start()
        await check(store, 5)


async def test_a_store_in_postgres_alone_leaves_such_a_log_alone(
    redis: RedisServer, postgres: PostgresServer, namespace: str
) -> None:
    plain = PostgresStore(postgres.url, namespace=namespace)
    await plain.open()
    await settle(plain, a_dispatch(1))  # type: ignore[arg-type]
    async with opened(paired(postgres, redis, namespace)) as store:
        assert counted((await store.state()).evidence) == 1
        await settle(plain, a_dispatch(2))  # type: ignore[arg-type]
        with pytest.raises(StoreError, match="are kept in Redis"):
            await plain.exchange(_REPORT)
        with contextlib.suppress(StoreError):
            await plain.aclose()
        with pytest.raises(StoreError, match="kept in Redis"):
            await PostgresStore(postgres.url, namespace=namespace).open()
        await store._bring_up(store._edition(), plain._id)
        await check(store, 2)
