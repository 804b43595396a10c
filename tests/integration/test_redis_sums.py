"""What a Redis server adds up is what is added up here."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count

import pytest

from banditroute.learning.evidence import decayed
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.protocol import Dispatch, State, Switch
from banditroute.storage.sharing import Report
from banditroute.testing.redis_server import RedisServer
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement, assert_same

pytest.importorskip("redis")

from banditroute.storage.redis import operations
from banditroute.storage.redis.pruning import prune
from banditroute.storage.redis.reading import Reader
from banditroute.storage.redis.store import RedisStore
from banditroute.storage.redis.sundries import switch_bytes

_NUMBERS = count()


@pytest.fixture
async def store(redis: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis.url, namespace=f"sums-{next(_NUMBERS)}")
    await store.open()
    yield store
    await store.aclose()


async def judge(store: RedisStore, dispatch: Dispatch, quality: float, weight: float, source: str = "user") -> None:
    feedback = Feedback(dispatch.decision.decision_id, quality, source, NOON, weight=weight)
    await store.judge(feedback, lesson_of(dispatch.decision, a_settlement(dispatch).outcome, feedback))


@pytest.mark.parametrize(("width", "requests"), [(0, 20), (3, 150), (130, 8)])
async def test_folded_sums_are_those_of_the_log(store: RedisStore, width: int, requests: int) -> None:
    """With 132 inputs an edge has 8,912 numbers, more than a script can have on its stack at once."""
    rng = random.Random(width)
    for number in range(requests):
        dispatch = a_dispatch(number, width=width)
        store.begin(dispatch)
        await store.settle(a_settlement(dispatch))
        await judge(store, dispatch, rng.random(), rng.choice((0.0, 1e-3, 0.25, 1.0)))
    pending = await store.state()
    news = await store.exchange(Report("a", 60.0, 60.0))
    folded, rebuilt = await store.state(), await store.rebuilt()
    assert_same(pending, rebuilt)
    assert_same(folded, rebuilt)
    assert_same(replace(rebuilt, evidence=news.evidence), rebuilt)
    assert sum(float(sums.n) for edge, sums in folded.evidence.items() if edge.signal == "log_tokens") == requests


async def test_dollars_are_added_as_doubles(store: RedisStore) -> None:
    settlements = [a_settlement(a_dispatch(number)) for number in range(60)]
    for number, settlement in enumerate(settlements):
        store.begin(a_dispatch(number))
        await store.settle(settlement)
    expected = 0.0
    for settlement in settlements:
        expected += settlement.charges[0].usd
    state = await store.state()
    assert state.spent_usd[settlements[0].charges[0].window] == expected
    assert math.isclose(state.paid["paced"].usd, expected, rel_tol=1e-12)


async def test_what_was_judged_since_it_was_read_is_not_pruned(redis: RedisServer, store: RedisStore) -> None:
    dispatch = a_dispatch(0)
    store.begin(dispatch)
    await store.settle(a_settlement(dispatch))
    reader: Reader = await store._flushed()
    rows = await reader.page("settled", "-inf", "+inf")
    await judge(store, dispatch, 0.5, 1.0)
    assert not await store._writer.ask(prune(store._namespace, rows))
    assert_same(await store.state(), await store.rebuilt())
    assert await store.prune(NOON + 1e6) == 1
    assert not await store._writer.ask(prune(store._namespace, rows))
    assert_same(await store.state(), await store.rebuilt())


async def test_what_moves_the_sums_while_a_tenant_is_deleted_is_not_taken_off_twice(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of an edge fades after a deletion has read it and before it writes."""
    for number in range(4):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
    read, moved = Reader.state, []

    async def state(reader: Reader) -> State:
        found = await read(reader)
        if not moved:
            moved.append({edge: decayed(sums, -0.5) for edge, sums in found.evidence.items()})
            await store.adjust([], moved[0])
        return found

    monkeypatch.setattr(Reader, "state", state)
    assert (await store.delete_tenant("acme")).decisions == 4
    monkeypatch.undo()
    left = await store.state()
    assert moved[0]
    assert all(abs(float(sums.n)) < 1e-9 for sums in left.evidence.values())
    assert_same(left, await store.rebuilt())


async def test_a_write_that_comes_late_and_again_changes_nothing(store: RedisStore) -> None:
    """What a network has held up may reach the server after what was sent later."""
    first, last = Switch("only", "small", NOON, ""), Switch("only", "", NOON + 1.0, "")
    late = [
        operations.keep(store._namespace, "switches", "only", switch_bytes(first)),
        operations.replace(store._namespace, State({}, {}, {})),
    ]
    for operation in late:
        await store._writer.ask(operation)
    await store.throw(last)
    store.begin(a_dispatch(0))
    await store.settle(a_settlement(a_dispatch(0)))
    state = await store.state()
    for operation in late:
        await store._writer.ask(operation)
    assert await store.switches() == [last]
    assert_same(await store.state(), state)
    assert state.evidence
