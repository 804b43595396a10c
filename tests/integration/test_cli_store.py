"""inspect, export and rebuild, on the store that a real router has left, and beside one that is at work."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.cli.differences import differences
from banditroute.storage.sqlite_reader import SQLiteReader
from banditroute.testing.faulty_server import FaultyServer

SCRIPT = str(Path(sys.executable).parent / "banditroute")

CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"
api_key_env = "A_KEY_THAT_LOOKING_INSIDE_DOES_NOT_NEED"

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
name = "pace"
usd_per_request = 0.0001

[[budgets]]
name = "day"
usd = 1000.0
per = "day"

[store]
path = "store.db"
"""


async def route(config: Path, requests: int = 40) -> None:
    """Answers requests of two classes and judges all but the last; the last decision is left open."""
    async with FaultyServer() as server:
        config.write_text(CONFIG.format(url=server.base_url))
        async with open_router(config, environ={"A_KEY_THAT_LOOKING_INSIDE_DOES_NOT_NEED": "k"}) as router:
            for number in range(requests):
                answer = await router.chat("How much is it?", task=("qa", "code")[number % 2])
                if number < requests - 1:
                    await router.feedback(answer.decision_id, quality=0.9 if answer.model == "large" else 0.3)
            await router.chat("And this?", model="large", task="qa")
            router.decide("To be called by somebody else", task="qa")


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tmp_path_factory.mktemp("routed") / "router.toml"
    asyncio.run(route(config))
    return config


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_inspect_shows_beliefs_budgets_and_decisions(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "inspect", "--config", str(routed))
    edges = {(edge["task"], edge["model"]): edge for edge in found["edges"]}
    assert set(edges) == {(task, model) for task in ("qa", "code") for model in ("small", "large")}
    assert sum(edge["judged"] for edge in edges.values()) == 39
    assert sum(edge["answered"] for edge in edges.values()) == 41
    for edge in edges.values():
        assert edge["low"] <= edge["quality"] <= edge["high"]
    assert edges["qa", "large"]["cost_usd"] > edges["qa", "small"]["cost_usd"]
    (pace,), (cap,) = found["paces"], found["caps"]
    assert (pace["budget"], pace["requests"]) == ("pace", 41)
    assert cap["spent_usd"] > 0
    assert cap["reserved_usd"] > 0  # of the decision that somebody else is to call
    assert found["open_decisions"] == 1
    assert found["decisions"][0]["served"] is None
    assert found["decisions"][1]["propensity"] is None  # pinned


def test_inspect_in_words_fits_eighty_columns(
    routed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["inspect", "--config", str(routed), "--last", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for word in ("Learned", "Paced budgets", "Caps", "Newest decisions", "qa", "small", "pinned", "open"):
        assert word in text


def test_one_class_alone_and_one_that_is_unknown(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "inspect", "--config", str(routed), "--task", "code")
    assert {edge["task"] for edge in found["edges"]} == {"code"}
    assert {decision["task"] for decision in found["decisions"]} == {"code"}
    assert run(["inspect", "--config", str(routed), "--task", "cooking"]) == 2
    assert capsys.readouterr().err == "--task: nothing is learned of a class 'cooking'; known: qa, code\n"


def test_the_whole_why_of_one_decision(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = as_json(capsys, "inspect", "--config", str(routed), "--last", "5")["decisions"]
    judged = next(each for each in newest if each["quality"] is not None)
    found = as_json(capsys, "inspect", "--config", str(routed), "--decision", judged["decision_id"])
    assert sum(found["decision"]["propensities"].values()) == pytest.approx(1.0)
    assert found["outcome"]["served"] == judged["served"]
    assert [each["quality"] for each in found["feedback"]] == [judged["quality"]]
    assert run(["inspect", "--config", str(routed), "--decision", judged["decision_id"]]) == 0
    text = capsys.readouterr().out
    for word in (judged["decision_id"], "probability", "shadow price of pace", "answered in", "judged"):
        assert word in text


def test_an_unknown_decision_is_one_line(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "--config", str(routed), "--decision", "nobody"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "nobody" in said.err


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_export_writes_a_row_for_every_decision_that_ended(
    routed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / name
    assert run(["export", "--config", str(routed), "--out", str(out)]) == 0
    assert capsys.readouterr().err == "41 decisions written, 1 still open\n"
    text = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 41
    assert sum("quality" in row for row in rows) == 39
    for row in rows[:-1]:
        assert row["chosen"] in row["eligible"]
        assert row["propensity"] == row["propensities"][row["chosen"]]
    assert rows[-1]["propensity"] is None


def test_export_goes_to_standard_output_and_can_begin_later(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", "--config", str(routed)]
    done = subprocess.run([SCRIPT, *command], capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.splitlines()) == 41
    assert run([*command, "--since", "2999-01-01"]) == 0
    assert capsys.readouterr() == ("", "0 decisions written, 0 still open\n")
    assert run([*command, "--since", "noon"]) == 2
    assert capsys.readouterr().err.startswith("--since: 'noon' is not an instant")


def test_rebuild_finds_and_mends_a_state_that_is_not_the_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "router.toml"
    asyncio.run(route(config, requests=10))
    assert run(["rebuild", "--config", str(config), "--check"]) == 0
    assert capsys.readouterr().out.endswith("log and state agree\n")
    assert run(["rebuild", "--config", str(config)]) == 0
    spoil(tmp_path / "store.db")
    assert run(["rebuild", "--config", str(config), "--check"]) == 1
    assert "log and state differ" in capsys.readouterr().out
    assert run(["rebuild", "--config", str(config)]) == 0
    assert "the state is now what the log says" in capsys.readouterr().out
    assert run(["rebuild", "--config", str(config), "--check"]) == 0


def spoil(path: Path) -> None:
    """Has one window's spending be twice what it was, or something where it was nothing."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("INSERT INTO spent (budget, period, usd) VALUES ('day', '1999-12-31', 5.0)")
    connection.close()


@pytest.mark.parametrize(
    "arguments", [("inspect", "--json"), ("export", "--out", "log.jsonl"), ("rebuild", "--check", "--json")]
)
def test_looking_inside_disturbs_no_router_at_work(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    config = tmp_path / "router.toml"

    async def work() -> None:
        async with FaultyServer() as server:
            config.write_text(CONFIG.format(url=server.base_url))
            async with open_router(config, environ={"A_KEY_THAT_LOOKING_INSIDE_DOES_NOT_NEED": "k"}) as router:
                await router.chat("How much is it?", task="qa")
                command = [SCRIPT, *arguments, "--config", str(config)]
                process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=tmp_path)
                looking = asyncio.create_task(process.communicate())
                while not looking.done():
                    answer = await router.chat("And this?", task="qa")
                    assert answer.recorded
                    await router.feedback(answer.decision_id, quality=0.5)
                out, err = await looking
                assert process.returncode == 0, (out, err)
                assert not await learned_differently(config)

    asyncio.run(work())


async def learned_differently(config: Path) -> bool:
    """Whether the store says otherwise than its log, as of one instant, while the router has it open."""
    reader = SQLiteReader(config.with_name("store.db"))
    await reader.open()
    found = differences(await reader.compared())
    await reader.aclose()
    return any(each.differs for each in found)


def test_rebuild_changes_nothing_beside_a_router_at_work(tmp_path: Path) -> None:
    config = tmp_path / "router.toml"

    async def work() -> tuple[int | None, bytes]:
        async with FaultyServer() as server:
            config.write_text(CONFIG.format(url=server.base_url))
            async with open_router(config, environ={"A_KEY_THAT_LOOKING_INSIDE_DOES_NOT_NEED": "k"}) as router:
                await router.chat("How much is it?", task="qa")
                spoil(tmp_path / "store.db")
                command = [SCRIPT, "rebuild", "--config", str(config)]
                process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
                _, err = await process.communicate()
                assert await learned_differently(config)
                return process.returncode, err

    code, err = asyncio.run(work())
    assert code == 2
    assert b"a router or another program has it open; stop it, then rebuild" in err
    assert run(["rebuild", "--config", str(config)]) == 0


def test_the_database_of_another_program_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, path = tmp_path / "router.toml", tmp_path / "store.db"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9/v1"))
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (name)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for command in ("inspect", "export", "rebuild"):
        assert run([command, "--config", str(config)]) == 2
        assert "no decisions are in it" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["inspect", "export", "rebuild"])
@pytest.mark.parametrize(
    ("store", "problem"),
    [('kind = "memory"', "a memory store ends with its process"), ('path = "none.db"', "no decisions yet: ")],
)
def test_where_nothing_is_kept_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, store: str, problem: str
) -> None:
    config = tmp_path / "router.toml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9/v1").replace('path = "store.db"', store))
    assert run([command, "--config", str(config)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert problem in said.err
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "router.toml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9/v1"))
    (tmp_path / "store.db").write_text("this is a letter, and a long one, " * 100)
    assert run(["inspect", "--config", str(config)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "no SQLite database" in said.err


def test_export_spares_what_it_is_made_from(routed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for victim in (routed, routed.with_name("store.db")):
        before = victim.read_bytes()
        assert run(["export", "--config", str(routed), "--out", str(victim)]) == 2
        assert "take the place" in capsys.readouterr().err
        assert victim.read_bytes() == before
