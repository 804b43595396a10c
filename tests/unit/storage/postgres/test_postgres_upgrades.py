"""A schema of an earlier version keeps every row, and goes on; it is filled by the functions that it had."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from banditroute.records import Feedback
from banditroute.storage.codec import alarm_json, dispatch_json, feedback_json, settlement_json
from banditroute.testing.postgres_server import PostgresServer
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement, an_alarm, assert_same

pytest.importorskip("asyncpg")

from banditroute.storage.postgres import migrating
from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.connecting import connect
from banditroute.storage.postgres.days import day_of
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.store import PostgresStore

STEPS = migrating.steps()
FIRST_WHOLE = 3  # versions before had no store that was ever used
DISPATCHES = [replace(a_dispatch(number), prompt=b"[]") for number in range(6)]

_LOG = """
SELECT * FROM {schema}.log($1, ROW($2::text[], $3::date[], $4::float8[], $5::text[], $6::bytea[])::{schema}.begins,
    ROW($2::text[], $3::date[], $7::bigint[], $8::bool[], $9::text[])::{schema}.settles,
    ROW($2::text[], $3::date[], $10::bigint[], $11::text[], $12::text[])::{schema}.judges)
"""


async def fill(connection: Connection, place: Place) -> None:
    """Writes decisions, each with an outcome and a judgement, and one of everything else."""
    count, ids = len(DISPATCHES), [each.decision.decision_id for each in DISPATCHES]
    days = [day_of(each.decision.at) for each in DISPATCHES]
    judged = [feedback_json(Feedback(name, 0.5, "user", NOON + 20.0)) for name in ids]
    await connection.execute(place.sql("SELECT {schema}.make_days($1)"), sorted(set(days)))
    await connection.fetchrow(
        place.sql(_LOG),
        uuid.uuid4(),
        ids,
        days,
        [each.decision.at for each in DISPATCHES],
        [dispatch_json(each) for each in DISPATCHES],
        [each.prompt for each in DISPATCHES],
        list(range(count)),
        [True] * count,
        [settlement_json(a_settlement(each)) for each in DISPATCHES],
        list(range(count, 2 * count)),
        ["user"] * count,
        judged,
    )
    for query, *values in (
        ("INSERT INTO {schema}.alarm (alarm) VALUES ($1)", alarm_json(an_alarm(1))),
        ("INSERT INTO {schema}.switch VALUES ('only', 'small', $1, '')", NOON),
        ("INSERT INTO {schema}.gateway_key VALUES ('id', 'app', $1, 'acme', '[]', '[]', 1, false, 1, null)", b"digest"),
    ):
        await connection.execute(place.sql(query), *values)


@pytest.mark.parametrize("version", range(FIRST_WHOLE, len(STEPS)))
async def test_an_earlier_schema_keeps_every_row_and_goes_on(postgres: PostgresServer, version: int) -> None:
    place = Place(postgres.url, f"upgrade_{version}")
    connection = await connect(place)
    await migrating.migrate(connection, place, STEPS[:version])
    await fill(connection, place)
    await connection.close()
    store = PostgresStore(postgres.url, namespace=place.namespace, keep_prompts=True, by_day=False)
    await store.open()
    trails = [trail async for trail in store.trails()]
    assert [trail.dispatch for trail in trails] == DISPATCHES
    assert [trail.outcome for trail in trails] == [a_settlement(each).outcome for each in DISPATCHES]
    assert [len(trail.feedback) for trail in trails] == [1] * len(DISPATCHES)
    state = await store.state()
    assert sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "quality") == len(DISPATCHES)
    assert_same(await store.rebuilt(), state)
    assert await store.alarms(9) == [an_alarm(1)]
    assert [(switch.name, switch.value) for switch in await store.switches()] == [("only", "small")]
    assert [(key.key_id, key.digest) for key in await store.keys()] == [("id", b"digest")]
    store.begin(a_dispatch(9))
    assert await store.settle(a_settlement(a_dispatch(9)))
    assert await store.forget_prompts(NOON + 100.0) == len(DISPATCHES)
    assert (await store.delete_tenant("acme")).decisions == len(DISPATCHES) + 1
    await store.aclose()
