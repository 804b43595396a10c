"""Routers and commands on a Redis server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.records import Usage
from banditroute.storage.redis.store import RedisReader
from banditroute.testing.redis_server import RedisServer, binary, running_redis

pytest.importorskip("redis")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    if binary() is None:
        pytest.skip("redis-server is not installed")
    with running_redis(tmp_path / "redis", appendfsync="everysec") as server:
        monkeypatch.setenv("THE_STORE", server.url)
        yield server


REDIS = {"kind": "redis", "url_env": "THE_STORE", "namespace": "lab"}


async def test_a_router_keeps_everything_on_the_server(lab, server: RedisServer, capsys) -> None:
    budgets = [{"name": "day", "usd": 1.0, "per": "day"}, {"name": "pace", "usd_per_request": 2e-5}]
    models = {"small": await lab.server()}
    environ = {"LAB_KEY": "sk-main", "THE_STORE": server.url}
    async with lab.assembled(models, budgets=budgets, environ=environ, store=REDIS) as router:
        answers = [await router.chat([{"role": "user", "content": "Where?"}]) for _ in range(5)]
        assert all(answer.recorded for answer in answers)
        assert await router.feedback(answers[0].decision_id, quality=0.75)
        spent = (await router.learner.store.state()).spent_usd
    async with lab.assembled(models, budgets=budgets, environ=environ, store=REDIS) as router:
        assert (await router.learner.store.state()).spent_usd == spent
        assert len(await router.learner.store.recent(10)) == 5
        assert not await router.feedback(answers[0].decision_id, quality=0.25)

    config = str(lab.folder / "router.toml")
    assert await asyncio.to_thread(run, ["inspect", "--config", config, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["decisions"]) == 5
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 0
    assert "log and state agree" in capsys.readouterr().out
    assert await asyncio.to_thread(run, ["keys", "create", "--name", "app", "--config", config]) == 0
    async with asyncio.timeout(5):
        reader = RedisReader(server.url, namespace="lab")
        await reader.open()
        assert [key.name for key in await reader.keys()] == ["app"]
        await reader.aclose()


async def test_rebuild_puts_a_state_right_while_no_router_is_at_work(lab, server: RedisServer, capsys) -> None:
    models = {"small": await lab.server()}
    environ = {"LAB_KEY": "sk-main", "THE_STORE": server.url}
    async with lab.assembled(models, environ=environ, store=REDIS) as router:
        decision = router.decide([{"role": "user", "content": "Where?"}])
        router.record(decision, usage=Usage(10, 5), latency_s=1.0)
    server.command("DEL", "{banditroute:lab}:sums")
    config = str(lab.folder / "router.toml")
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 1
    assert await asyncio.to_thread(run, ["rebuild", "--config", config]) == 0
    assert "the state is now what the log says" in capsys.readouterr().out
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "redis"}, "store.url: kind = 'redis' needs it; write url, or url_env"),
        ({"kind": "redis", "url": "redis://h", "url_env": "X"}, "store.url: is given together with url_env"),
        ({"kind": "redis", "url": "redis://:hidden@h"}, r"store.url: the URL holds a password \(not shown\); put"),
        ({"kind": "redis", "url": "http://h"}, "store.url: a store's URL cannot begin with 'http'; write redis://"),
        ({"kind": "redis", "url": "redis://h", "namespace": "a b"}, "store.namespace: 'a b' is no name"),
        ({"kind": "redis", "url": "redis://h", "fsync": True}, "store.fsync: is of no use to kind = 'redis'"),
    ],
)
async def test_a_store_that_cannot_be_is_said_in_one_line(lab, fields, problem: str) -> None:
    path = lab.write({"small": await lab.server()}, store=fields)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_config(path)
    assert "hidden" not in str(caught.value)


async def test_a_variable_that_is_not_set_is_named(lab) -> None:
    with pytest.raises(ConfigError, match=r"store.url_env: environment variable THE_STORE is not set; export it"):
        lab.assembled({"small": await lab.server()}, store=REDIS)
