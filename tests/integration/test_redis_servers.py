"""A cluster, and a server that sentinels know: the same store."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from banditroute.testing.redis_server import RedisServer, binary, running_redis
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same

pytest.importorskip("redis")

from banditroute.storage.redis.store import RedisStore

_SLOTS = 16384


@pytest.fixture(autouse=True)
def _there_is_a_server() -> None:
    if binary() is None:
        pytest.skip("redis-server is not installed")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def until(done: object, what: str) -> None:
    give_up_at = time.monotonic() + 10
    while not done():  # type: ignore[operator]
        assert time.monotonic() < give_up_at, what
        time.sleep(0.02)


async def works(store: RedisStore) -> None:
    await store.open()
    for number in range(5):
        store.begin(a_dispatch(number))
        assert await store.settle(a_settlement(a_dispatch(number)))
    assert len(await store.recent(10)) == 5
    assert_same(await store.state(), await store.rebuilt())
    await store.aclose()


async def test_a_cluster_keeps_a_store_on_one_shard(tmp_path: Path) -> None:
    port = free_port()
    with running_redis(tmp_path / "data", port=port, cluster_enabled="yes", cluster_port=free_port()) as server:
        assert server.command("CLUSTER", "ADDSLOTSRANGE", "0", str(_SLOTS - 1)).startswith(b"+OK")
        until(lambda: b"cluster_state:ok" in server.command("CLUSTER", "INFO"), "the cluster has all slots")
        await works(RedisStore(f"redis+cluster://127.0.0.1:{port}", namespace="here"))
        keys = server.command("KEYS", "*")
        slots = {
            server.command("CLUSTER", "KEYSLOT", key) for key in keys.decode().split("\r\n") if key.startswith("{")
        }
        assert len(slots) == 1


@pytest.fixture
def sentinel_port(tmp_path: Path) -> Iterator[str]:
    with running_redis(tmp_path / "data", port=(port := free_port())):
        mine = free_port()
        file = tmp_path / "sentinel.conf"
        file.write_text(f"port {mine}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor main 127.0.0.1 {port} 1\n")
        program = binary()
        assert program is not None
        with (tmp_path / "log").open("wb") as log:
            sentinel = subprocess.Popen([program, str(file), "--sentinel"], stdout=log, stderr=log)
        try:
            until(lambda: _listens(int(mine)), (tmp_path / "log").read_text())
            yield mine
        finally:
            sentinel.kill()
            sentinel.wait()


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


async def test_sentinels_say_where_the_server_is(sentinel_port: str) -> None:
    await works(RedisStore(f"redis+sentinel://127.0.0.1:{sentinel_port}/main/0"))


async def test_a_server_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    with running_redis(tmp_path / "data", port=(port := free_port())) as server:
        server.command("CONFIG", "SET", "requirepass", "let me in")
        await works(RedisStore(f"redis://:let%20me%20in@127.0.0.1:{port}/3"))
        with pytest.raises(Exception, match="the server refuses the user or the password"):
            await RedisStore(f"redis://:wrong@127.0.0.1:{port}/3").open()


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="appendfsync"):
        RedisServer(tmp_path, appendfsync="often").start()
