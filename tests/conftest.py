"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from banditroute.testing.postgres_server import PostgresServer, programs, running_postgres
from banditroute.testing.redis_server import RedisServer, binary, running_redis

# A busy machine is no defect: how long an example takes says nothing here.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A private Redis server; each test takes a namespace of its own, and leaves the server as it is."""
    pytest.importorskip("redis")
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path_factory.mktemp("redis"), appendfsync="everysec") as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL server that does not wait for the disk; each test takes a namespace of its own."""
    pytest.importorskip("asyncpg")
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    with running_postgres() as server:
        yield server
