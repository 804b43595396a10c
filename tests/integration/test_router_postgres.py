"""Routers and commands on a PostgreSQL server."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
import tomllib
from itertools import count
from pathlib import Path

import pytest

from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.errors import ConfigError, MissingExtraError
from banditroute.records import Usage
from banditroute.testing.postgres_server import PostgresServer

pytest.importorskip("asyncpg")

import asyncpg

from banditroute.storage.postgres.reader import PostgresReader

_NUMBERS = count()
_QUESTION = [{"role": "user", "content": "Where?"}]


@pytest.fixture
def store(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setenv("THE_STORE", postgres.url)
    return {"kind": "postgres", "url_env": "THE_STORE", "namespace": f"lab_{next(_NUMBERS)}", "tick_s": 0.05}


async def test_a_router_keeps_everything_on_the_server(lab, postgres: PostgresServer, store, capsys) -> None:
    budgets = [{"name": "day", "usd": 1.0, "per": "day"}, {"name": "pace", "usd_per_request": 2e-5}]
    models = {"small": await lab.server()}
    environ = {"LAB_KEY": "sk-main", "THE_STORE": postgres.url}
    async with lab.assembled(models, budgets=budgets, environ=environ, store=store) as router:
        answers = [await router.chat(_QUESTION) for _ in range(5)]
        assert all(answer.recorded for answer in answers)
        assert await router.feedback(answers[0].decision_id, quality=0.75)
        spent = (await router.learner.store.state()).spent_usd
    async with lab.assembled(models, budgets=budgets, environ=environ, store=store) as router:
        assert (await router.learner.store.state()).spent_usd == spent
        assert len(await router.learner.store.recent(10)) == 5
        assert not await router.feedback(answers[0].decision_id, quality=0.25)

    config = str(lab.folder / "router.toml")
    assert await asyncio.to_thread(run, ["inspect", "--config", config, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["decisions"]) == 5
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 0
    assert "log and state agree" in capsys.readouterr().out
    assert await asyncio.to_thread(run, ["keys", "create", "--name", "app", "--config", config]) == 0
    reader = PostgresReader(postgres.url, namespace=str(store["namespace"]))
    await reader.open()
    assert [key.name for key in await reader.keys()] == ["app"]
    await reader.aclose()


async def test_what_the_page_shows_works(lab, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of docs/postgres.md is a store's, and its query finds what a router wrote."""
    page = (Path(__file__).parents[2] / "docs" / "postgres.md").read_text()
    table, query = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("toml", "sql"))
    fields = {**tomllib.loads(table)["store"], "namespace": f"lab_{next(_NUMBERS)}"}
    environ = {"LAB_KEY": "sk-main", "BANDITROUTE_STORE_URL": postgres.url}
    async with lab.assembled({"small": await lab.server()}, environ=environ, store=fields) as router:
        for _ in range(3):
            await router.chat(_QUESTION)
    connection = await asyncpg.connect(postgres.url)
    rows = await connection.fetch(query.replace("banditroute_default", f"banditroute_{fields['namespace']}"))
    await connection.close()
    assert {row["model"] for row in rows} == {"small"}
    assert sum(row["count"] for row in rows) == 3
    assert all(row["usd"] > 0.0 for row in rows)


async def test_two_routers_know_what_each_has_learned(lab, postgres: PostgresServer, store) -> None:
    models = {"good": await lab.server(), "bad": await lab.server()}
    environ = {"LAB_KEY": "sk-main", "THE_STORE": postgres.url}
    async with (
        lab.assembled(models, environ=environ, store=store) as one,
        lab.assembled(models, environ=environ, store=store) as two,
    ):
        for number in range(30):
            answer = await (one, two)[number % 2].chat("hello", task="qa")
            await one.feedback(answer.decision_id, quality={"good": 0.9, "bad": 0.1}[answer.model])
        await asyncio.sleep(0.5)
        state = await one.learner.store.rebuilt()
        total = sum(float(sums.n) for sums in state.evidence.values())
        for router in (one, two):
            learned = router.learner.decider.beliefs.learned
            assert sum(float(sums.n) for sums in learned.values()) == pytest.approx(total)


async def test_rebuild_puts_a_state_right_while_no_router_is_at_work(lab, postgres, store, capsys) -> None:
    environ = {"LAB_KEY": "sk-main", "THE_STORE": postgres.url}
    async with lab.assembled({"small": await lab.server()}, environ=environ, store=store) as router:
        decision = router.decide(_QUESTION)
        router.record(decision, usage=Usage(10, 5), latency_s=1.0)
    connection = await asyncpg.connect(postgres.url)
    await connection.execute(f"UPDATE banditroute_{store['namespace']}.evidence SET sums = NULL")
    await connection.close()
    config = str(lab.folder / "router.toml")
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 1
    assert await asyncio.to_thread(run, ["rebuild", "--config", config]) == 0
    assert "the state is now what the log says" in capsys.readouterr().out
    assert await asyncio.to_thread(run, ["rebuild", "--config", config, "--check"]) == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "postgres"}, "store.url: kind = 'postgres' needs it; write url, or url_env"),
        (
            {"kind": "postgres", "url": "postgresql://u:hidden@h/d"},
            r"store.url: the URL holds a password \(not",
        ),
        (
            {"kind": "postgres", "url": "redis://h"},
            "store.url: it is no URL of a PostgreSQL database; write",
        ),
        ({"kind": "postgres", "url_env": "X", "namespace": "a-b"}, "store.namespace: 'a-b' cannot be the name of a sc"),
        ({"kind": "postgres", "url_env": "X", "fsync": True}, "store.fsync: is of no use to kind = 'postgres'"),
    ],
)
async def test_a_store_that_cannot_be_is_said_in_one_line(lab, fields, problem: str) -> None:
    path = lab.write({"small": await lab.server()}, store=fields)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_config(path)
    assert "hidden" not in str(caught.value)


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "banditroute.storage.postgres.driver")
    with pytest.raises(MissingExtraError, match=r"pip install 'banditroute\[postgres\]'"):
        importlib.import_module("banditroute.storage.postgres.driver")
