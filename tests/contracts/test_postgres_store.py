from __future__ import annotations

from itertools import count

import pytest

from banditroute.testing.postgres_server import PostgresServer
from banditroute.testing.store_contract import MakeStore, PromptsContract, SharingContract

pytest.importorskip("asyncpg")

from banditroute.storage.postgres.store import PostgresStore

_NUMBERS = count()


class TestPostgresStore(SharingContract):
    shared = True

    @pytest.fixture
    def make_store(self, postgres: PostgresServer) -> MakeStore:
        namespace = f"contract_{next(_NUMBERS)}"
        return lambda: PostgresStore(postgres.url, namespace=namespace, by_day=False)


class TestPostgresStoreWithPrompts(PromptsContract):
    @pytest.fixture
    def make_store(self, postgres: PostgresServer) -> MakeStore:
        namespace = f"contract_{next(_NUMBERS)}"
        return lambda: PostgresStore(postgres.url, namespace=namespace, keep_prompts=True, by_day=False)
