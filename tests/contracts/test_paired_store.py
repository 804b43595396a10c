from __future__ import annotations

from itertools import count

import pytest

from banditroute.testing.postgres_server import PostgresServer
from banditroute.testing.redis_server import RedisServer
from banditroute.testing.store_contract import MakeStore, SharingContract

pytest.importorskip("asyncpg")
pytest.importorskip("redis")

from banditroute.storage.paired.store import PairedStore

_NUMBERS = count()


class TestPairedStore(SharingContract):
    shared = True

    @pytest.fixture
    def make_store(self, postgres: PostgresServer, redis: RedisServer) -> MakeStore:
        namespace = f"paired_{next(_NUMBERS)}"
        return lambda: PairedStore(postgres.url, redis.url, namespace=namespace, by_day=False)
