"""export: rows as they come, a file whole or not at all."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Thread

import pytest

from banditroute.cli.app import run
from banditroute.cli.exporting import Exported, export, instant
from banditroute.errors import InputError
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Trail
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement

CONFIG = """
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60

[store]
path = "store.db"
"""
ROWS = 5


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.toml"
    path.write_text(CONFIG)
    asyncio.run(filled(SQLiteStore(tmp_path / "store.db")))
    return path


async def filled(store: SQLiteStore | MemoryStore) -> None:
    await store.open()
    for number in range(ROWS):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
    store.begin(a_dispatch(ROWS))
    await store.aclose()


async def test_quality_is_the_mean_of_all_judgements() -> None:
    store, lines = MemoryStore(), io.BytesIO()
    await filled(store)
    await store.open()
    for source, quality in (("user", 0.2), ("grader", 0.9)):
        trail = await store.trail("decision-000001")
        assert trail.outcome is not None
        feedback = Feedback("decision-000001", quality, source, NOON)
        await store.judge(feedback, lesson_of(trail.decision, trail.outcome, feedback))
    assert await export(store, lines) == Exported(rows=5, still_open=1)
    rows = {row["decision_id"]: row for row in map(json.loads, lines.getvalue().splitlines())}
    assert rows["decision-000001"]["quality"] == pytest.approx(0.55)
    assert all("quality" not in row for name, row in rows.items() if name != "decision-000001")


async def test_it_begins_where_it_is_told_to() -> None:
    store, lines = MemoryStore(), io.BytesIO()
    await filled(store)
    await store.open()
    assert await export(store, lines, after=NOON + 3) == Exported(rows=2, still_open=1)
    assert [json.loads(line)["at"] for line in lines.getvalue().splitlines()] == [NOON + 3, NOON + 4]


class Endless(MemoryStore):
    """Has every row be written before the next is asked for."""

    def __init__(self, lines: io.BytesIO) -> None:
        super().__init__()
        self._lines = lines

    async def trails(self) -> AsyncIterator[Trail]:
        for number in range(1_000):
            assert self._lines.getvalue().count(b"\n") == number
            yield Trail(a_dispatch(number), a_settlement(a_dispatch(number)).outcome)


async def test_nothing_piles_up_and_the_count_is_told() -> None:
    shown: list[tuple[int, int | None]] = []
    lines = io.BytesIO()
    done = await export(Endless(lines), lines, show=lambda rows, total: shown.append((rows, total)))
    assert done.rows == 1_000
    assert shown == [(256, None), (512, None), (768, None)]


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_what_fails_midway_leaves_the_earlier_file(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "out" / name
    out.parent.mkdir()
    assert run(["export", "--config", str(config), "--out", str(out)]) == 0
    before = out.read_bytes()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("UPDATE decision SET dispatch = '{}' WHERE decision_id = 'decision-000003'")
    connection.close()
    capsys.readouterr()
    assert run(["export", "--config", str(config), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "damaged" in said.err
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


def test_equal_logs_make_equal_files(config: Path, tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        assert run(["export", "--config", str(config), "--out", str(tmp_path / name)]) == 0
    one, two = (gzip.decompress((tmp_path / name).read_bytes()) for name in ("one.jsonl.gz", "two.jsonl.gz"))
    assert one == two
    assert len(one.splitlines()) == ROWS


def test_where_there_is_no_store_nothing_is_touched(tmp_path: Path) -> None:
    config, out = tmp_path / "router.toml", tmp_path / "log.jsonl"
    config.write_text(CONFIG)
    out.write_text("an earlier one")
    assert run(["export", "--config", str(config), "--out", str(out)]) == 2
    assert out.read_text() == "an earlier one"


def test_a_named_pipe_is_written_to_and_stays_one(config: Path, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert run(["export", "--config", str(config), "--out", str(pipe)]) == 0
    reader.join(timeout=10)
    assert pipe.is_fifo()
    assert len(read[0].splitlines()) == ROWS


def test_a_place_that_cannot_be_written_is_one_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nowhere" / "log.jsonl"
    assert run(["export", "--config", str(config), "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"{out}: cannot be written: no such file or directory; choose another place\n"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-25", 1_795_564_800.0),
        ("2026-11-25T12:00", NOON),
        ("2026-11-25T14:00+02:00", NOON),
        ("2026-11-25T12:00:00Z", NOON),
    ],
)
def test_an_instant_is_utc_unless_it_says_otherwise(text: str, at: float) -> None:
    assert instant(text) == at


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--since: .* is not an instant"):
        instant(text)
