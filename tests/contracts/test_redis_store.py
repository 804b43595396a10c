from __future__ import annotations

from itertools import count

import pytest

from banditroute.testing.redis_server import RedisServer
from banditroute.testing.store_contract import MakeStore, PromptsContract, SharingContract

pytest.importorskip("redis")

from banditroute.storage.redis.store import RedisStore

_NUMBERS = count()


class TestRedisStore(SharingContract):
    shared = True

    @pytest.fixture
    def make_store(self, redis: RedisServer) -> MakeStore:
        namespace = f"test-{next(_NUMBERS)}"
        return lambda: RedisStore(redis.url, namespace=namespace)


class TestRedisStoreWithPrompts(PromptsContract):
    @pytest.fixture
    def make_store(self, redis: RedisServer) -> MakeStore:
        namespace = f"test-{next(_NUMBERS)}"
        return lambda: RedisStore(redis.url, namespace=namespace, keep_prompts=True)
