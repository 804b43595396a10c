"""db check, backup and migrate, tenant export and delete, on a store that a real router leaves or is at work on."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.storage.codec import dispatch_of
from banditroute.storage.schema import MIGRATIONS
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.sqlite_reader import SQLiteReader
from banditroute.testing.faulty_server import FaultyServer

ENVIRON = {"A_KEY": "k"}
SECRET = "a word that only acme would say"
OLD = Path(__file__).parents[1] / "data" / "store_v4.sql"

CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"
api_key_env = "A_KEY"

[[models]]
name = "small"
provider = "loopback"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
max_output_tokens = 1000

[[models]]
name = "large"
provider = "loopback"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00
max_output_tokens = 1000

[[budgets]]
name = "day"
usd = 1000.0
per = "day"

[[budgets]]
scope = "tenant:acme"
usd = 100.0
per = "day"

[[budgets]]
scope = "tenant:acme"
usd_per_request = 0.001

[store]
path = "store.db"
keep_prompts = true
"""


async def serve(config: Path, tenants: tuple[str, ...]) -> None:
    """Answers and judges a request of each tenant in turn."""
    async with FaultyServer() as server:
        config.write_text(CONFIG.format(url=server.base_url))
        async with open_router(config, environ=ENVIRON) as router:
            for number, tenant in enumerate(tenants):
                said = SECRET if tenant == "acme" else "How much is it?"
                answer = await router.chat(said, task="acme's" if number % 4 == 0 else "qa", tenant=tenant)
                await router.feedback(answer.decision_id, quality=0.5)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("duties")
    asyncio.run(serve(folder / "router.toml", ("acme", "other") * 12))
    assert run(["keys", "create", "--config", str(folder / "router.toml"), "--name", "app", "--tenant", "acme"]) == 0
    asyncio.run(folded(folder / "store.db"))
    return folder


async def folded(path: Path) -> None:
    """Brings the sums up to the log, as a router does after a second."""
    store = SQLiteStore(path)
    await store.open()
    await store.prune(0.0)
    await store.aclose()


@pytest.fixture
def config(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / "router.toml"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A configuration whose store an earlier version wrote."""
    config = tmp_path / "router.toml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9/v1"))
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return config


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(arguments) == code
    captured = capsys.readouterr()
    return captured.err if code == 2 else captured.out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(told(capsys, *arguments, "--json", code=code))


def parts(found: Any, state: str) -> set[str]:
    return {line["part"] for line in found["lines"] if line["state"] == state}


# db


def test_a_sound_store_passes_the_check(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "db", "check", "--config", str(config))
    assert found["ok"]
    assert not parts(found, "wrong")
    assert parts(found, "ok") >= {"version", "file", "rows", "evidence", "spending", "pace", "unsettled"}
    assert found["file"]["rows"] == {"decision": 24, "outcome": 24, "feedback": 24, "prompt": 24}
    assert "24 decisions, 24 outcomes, 24 judgements, 24 prompts" in told(
        capsys, "db", "check", "--config", str(config)
    )


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        ("UPDATE spent SET usd = usd + 1 WHERE budget = 'day'", "spending"),
        ("DELETE FROM evidence WHERE task = 'qa' AND signal = 'quality'", "edge"),
        ("UPDATE pace SET pace = json_set(pace, '$.requests', 999)", "pace"),
    ],
)
def test_what_is_not_what_the_log_says_is_found(
    config: Path, capsys: pytest.CaptureFixture[str], damage: str, part: str
) -> None:
    with closing(sqlite3.connect(config.with_name("store.db"), isolation_level=None)) as connection:
        assert connection.execute(damage).rowcount
    found = as_json(capsys, "db", "check", "--config", str(config), code=1)
    assert part in parts(found, "wrong")
    if part == "edge":
        assert any(line["told"].startswith("qa / ") for line in found["lines"] if line["part"] == "edge")


def test_an_older_store_is_not_sound_until_it_is_migrated(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parts(as_json(capsys, "db", "check", "--config", str(old), code=1), "wrong") == {"version"}
    dry = told(capsys, "db", "migrate", "--config", str(old), "--dry-run")
    assert f"version 4 to {len(MIGRATIONS)}" in dry
    assert "store.db.v4.backup first" in dry
    assert not old.with_name("store.db.v4.backup").exists()
    done = as_json(capsys, "db", "migrate", "--config", str(old))
    assert (done["from"], done["to"], done["done"], done["backup"]["version"]) == (4, len(MIGRATIONS), True, 4)
    assert old.with_name("store.db.v4.backup").exists()
    assert as_json(capsys, "db", "check", "--config", str(old))["ok"]
    assert "nothing to do" in told(capsys, "db", "migrate", "--config", str(old))


async def test_a_backup_beside_a_router_at_work_opens_as_a_store(config: Path, tmp_path: Path) -> None:
    async with FaultyServer() as server:
        config.write_text(CONFIG.format(url=server.base_url))
        async with open_router(config, environ=ENVIRON) as router:
            await router.chat("And this?", task="qa")
            copy = tmp_path / "copy.db"
            assert await asyncio.to_thread(run, ["db", "backup", str(copy), "--config", str(config)]) == 0
            assert await asyncio.to_thread(run, ["db", "backup", str(copy), "--config", str(config)]) == 2
            await router.chat("And that?", task="qa")
    reader = SQLiteReader(copy)
    await reader.open()
    assert len([trail async for trail in reader.trails()]) == 25
    await reader.aclose()


def test_a_server_has_tools_of_its_own(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text().partition("[store]")[0]
    config.write_text(f'{text}[store]\nkind = "postgres"\nurl = "postgresql://127.0.0.1:9/x"\nnamespace = "live"\n')
    line = told(capsys, "db", "backup", "x.db", "--config", str(config), code=2)
    assert line.count("\n") == 1
    assert "pg_dump --format=custom --schema=banditroute_live" in line


COMMANDS = [
    ["db", "check"],
    ["db", "backup", "copy.db"],
    ["db", "migrate"],
    ["db", "migrate", "--dry-run"],
    ["tenant", "export", "acme"],
    ["tenant", "delete", "acme", "--yes"],
    ["inspect"],
    ["export"],
    ["rebuild"],
    ["rebuild", "--check"],
    ["rebuild", "--reencode"],
    ["keys", "list"],
    ["keys", "create", "--name", "new"],
    ["keys", "revoke", "--name", "app"],
    ["timeline"],
    ["report", "--month", "2026-11"],
    ["ask", "hi"],
    ["serve", "--port", "0"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_newer_store_is_refused_in_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    monkeypatch.setenv("A_KEY", "k")
    store = config.with_name("store.db")
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = store.read_bytes()
    line = told(capsys, *command, "--config", str(config), code=2)
    assert line.count("\n") == 1
    assert f"its tables are of version 99, this banditroute knows {len(MIGRATIONS)}; upgrade banditroute" in line
    assert store.read_bytes() == before
    assert not config.with_name("copy.db").exists()


@pytest.mark.parametrize(
    "command",
    [["evaluate"], ["tune", "--target-quality", "0.5"], ["warm-start", "--out", "x.policy.json"]],
    ids=" ".join,
)
def test_so_it_is_where_its_log_is_read(
    config: Path, capsys: pytest.CaptureFixture[str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    with closing(sqlite3.connect(config.with_name("store.db"), isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    name, *rest = command
    assert "upgrade banditroute" in told(capsys, name, str(config), *rest, code=2)


# tenant


def test_an_export_has_everything_of_the_tenant_and_nobody_elses(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.loads(line) for line in told(capsys, "tenant", "export", "acme", "--config", str(config)).splitlines()
    ]
    decisions, keys = [line for line in lines if line["kind"] == "decision"], lines[-1:]
    assert len(decisions) == 12
    for line in decisions:
        assert line["decision"]["tenant"] == "acme"
        assert line["messages"][0]["content"] == SECRET
        assert line["outcome"]["decision_id"] == line["decision"]["decision_id"]
        assert [each["quality"] for each in line["feedback"]] == [0.5]
        assert {charge[0] for charge in line["charges"]} == {"day", "tenant:acme per day"}
    assert [(key["kind"], key["name"]) for key in keys] == [("key", "app")]
    assert "digest" not in keys[0]


def test_a_deleted_tenant_is_in_no_byte_of_the_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = config.with_name("store.db")
    before = as_json(capsys, "inspect", "--config", str(config))
    done = as_json(capsys, "tenant", "delete", "acme", "--yes", "--config", str(config))
    assert (done["decisions"], done["judgements"], done["prompts"], done["keys"], done["left"]) == (12, 12, 12, 1, 0)
    assert done["budgets"] == ["tenant:acme per day", "tenant:acme per request"]
    everything = b"".join(path.read_bytes() for path in config.parent.glob("store.db*"))
    assert SECRET.encode() not in everything
    assert b'"tenant":"acme"' not in everything
    assert b"tenant:acme" not in store.read_bytes()
    assert b'"tenant":"other"' in everything
    after = as_json(capsys, "inspect", "--config", str(config))
    spent = {cap["budget"]: cap["spent_usd"] for cap in before["caps"]}
    assert {cap["budget"]: cap["spent_usd"] for cap in after["caps"]} == pytest.approx(
        {"day": spent["day"], "tenant:acme per day": 0.0}
    )
    assert {edge["task"] for edge in after["edges"] if edge["judged"]} == {"qa"}, "acme's own class is unknown again"
    assert sum(edge["judged"] for edge in after["edges"]) == pytest.approx(12)
    assert as_json(capsys, "db", "check", "--config", str(config))["ok"]
    assert as_json(capsys, "keys", "list", "--config", str(config))["keys"] == []
    assert as_json(capsys, "tenant", "delete", "acme", "--yes", "--config", str(config))["decisions"] == 0


def test_nothing_is_deleted_that_nobody_said_yes_to(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = told(capsys, "tenant", "delete", "acme", "--config", str(config), code=2)
    assert "12 decisions and 1 key of 'acme' would be deleted, and nobody is there to be asked" in line
    assert "has a name" in told(capsys, "tenant", "delete", "", "--yes", "--config", str(config), code=2)
    assert as_json(capsys, "db", "check", "--config", str(config))["file"]["rows"]["decision"] == 24


async def test_beside_a_router_at_work_what_is_on_its_way_stays_until_it_has_come(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delete = ["tenant", "delete", "acme", "--yes", "--config", str(config)]
    async with FaultyServer() as server:
        config.write_text(CONFIG.format(url=server.base_url))
        async with open_router(config, environ=ENVIRON) as router:
            decision = router.decide("By somebody else", task="qa", tenant="acme")
            assert await asyncio.to_thread(run, delete) == 1
            assert "on their way: 1 decision;" in capsys.readouterr().out
            router.record(decision, cost_usd=0.5, latency_s=1.0)
            answer = await router.chat("How much is it?", task="qa", tenant="other")
            await router.learner.store.trail(answer.decision_id)
            assert await asyncio.to_thread(run, delete) == 0
            assert (await router.feedback(answer.decision_id, quality=1.0)) is True
    assert (await asyncio.to_thread(as_json, capsys, "db", "check", "--config", str(config)))["ok"]


async def test_routers_that_share_a_store_hear_that_a_tenant_is_gone(config: Path) -> None:
    async with FaultyServer() as server:
        text = CONFIG.format(url=server.base_url)
        config.write_text(f"{text}shared = true\ntick_s = 0.05\n")
        async with open_router(config, environ=ENVIRON) as router:
            beliefs = router.learner.decider.beliefs
            assert any(edge.task == "acme's" for edge in beliefs.learned)
            assert await asyncio.to_thread(run, ["tenant", "delete", "acme", "--yes", "--config", str(config)]) == 0
            for _ in range(100):
                if not any(edge.task == "acme's" and sums.n > 1e-6 for edge, sums in beliefs.learned.items()):
                    break
                await asyncio.sleep(0.02)
            else:
                raise AssertionError("it goes on with what a deleted tenant has taught")


async def test_a_call_whose_process_died_is_charged_and_deleted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SQLiteStore(config.with_name("store.db"))
    await store.open()
    with closing(sqlite3.connect(store.path)) as connection:
        (text,) = connection.execute("SELECT dispatch FROM decision WHERE dispatch LIKE '%\"acme\"%'").fetchone()
    dispatch = dispatch_of(text.replace('"decision_id":"', '"decision_id":"dead-'))
    expected = dispatch.decision.forecasts[dispatch.decision.chosen].cost_usd
    spent = (await store.state()).spent_usd
    (day,) = [window for window in dispatch.windows if window.budget == "day"]
    store.begin(dispatch)
    await store.aclose()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:  # long ago
        connection.execute("UPDATE decision SET dispatch = json_set(dispatch, '$.expires_at', 1.0) WHERE seq = 25")
    done = await asyncio.to_thread(as_json, capsys, "tenant", "delete", "acme", "--yes", "--config", str(config))
    assert (done["decisions"], done["left"]) == (13, 0)
    await store.open()
    assert (await store.state()).spent_usd[day] == pytest.approx(spent[day] + expected)
    await store.aclose()
