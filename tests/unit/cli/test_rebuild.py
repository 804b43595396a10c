"""rebuild: how far apart two states are, and what the command makes of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.cli.app import run
from banditroute.cli.differences import SAME, Difference, differences
from banditroute.learning.evidence import Evidence
from banditroute.routing.budgets import Window
from banditroute.routing.lessons import Edge
from banditroute.routing.pacers import PaceRecord
from banditroute.storage.protocol import State
from banditroute.storage.rebuilding import Comparison
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import a_dispatch, a_settlement

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
EDGE = Edge("qa", "small", "quality", "none")
DAY = Window("day", "2026-11-25")
PACE = PaceRecord("pace", -4.0, 1.0, -4.0, 60.0, 10)


def state(*, b: float = 2.0, usd: float = 5.0, pace: PaceRecord = PACE) -> State:
    sums = Evidence(np.full((2, 2), 3.0), np.array([b, 1.0]), np.array(4.0), np.array(2.5))
    return State({EDGE: sums}, {DAY: usd}, {pace.budget: pace})


def differing(kept: State, rebuilt: State) -> dict[tuple[str, str], float]:
    return {(e.part, e.name): e.relative for e in differences(Comparison(kept, rebuilt)) if e.differs}


def test_a_state_does_not_differ_from_itself() -> None:
    found = differences(Comparison(state(), state()))
    assert {each.relative for each in found} == {0.0}
    assert [(each.part, each.name) for each in found] == [
        ("evidence", "quality"),
        ("evidence", "log_tokens"),
        ("evidence", "log_latency"),
        ("evidence", "log_ttft"),
        ("spending", "day 2026-11-25"),
        ("pace", "pace"),
    ]


def test_each_part_is_named_that_differs() -> None:
    assert differing(state(), state(b=4.0)) == {("evidence", "quality"): pytest.approx(0.5)}
    assert differing(state(), state(usd=4.0)) == {("spending", "day 2026-11-25"): pytest.approx(0.2)}
    assert differing(state(), state(pace=replace(PACE, level=30.0))) == {("pace", "pace"): pytest.approx(0.5)}


def test_what_only_one_of_them_has_differs_wholly() -> None:
    nothing = State({}, {}, {})
    parts = {("evidence", "quality"): 1.0, ("spending", "day 2026-11-25"): 1.0, ("pace", "pace"): 1.0}
    assert differing(state(), nothing) == parts
    assert differing(nothing, state()) == parts


def test_an_edge_that_saw_nothing_is_as_good_as_none() -> None:
    unseen = Evidence(np.zeros((2, 2)), np.zeros(2), np.array(0.0), np.array(0.0))
    assert differing(State({EDGE: unseen}, {}, {}), State({}, {}, {})) == {}


def test_the_rounding_that_is_left_of_evidence_that_was_taken_away_is_no_difference() -> None:
    def left(n: float) -> State:
        return State({EDGE: Evidence(np.full((2, 2), n), np.full(2, n), np.array(n), np.array(n))}, {}, {})

    assert differing(left(1.62e-12), left(1.63e-12)) == {}
    assert differing(left(0.5), left(0.4)) == {("evidence", "quality"): pytest.approx(0.1)}


def test_what_is_not_a_number_differs() -> None:
    assert differing(state(), state(usd=float("nan")))


@given(usd=st.floats(1e-9, 1e9), apart=st.floats(-1e-3, 1e-3))
def test_what_counts_is_the_share_of_the_size(usd: float, apart: float) -> None:
    states = Comparison(state(usd=usd), state(usd=usd * (1 + apart)))
    (found,) = (each for each in differences(states) if each.part == "spending")
    assert found.relative == pytest.approx(abs(apart), rel=0.01, abs=1e-12)
    if abs(apart) < 0.9 * SAME:
        assert not found.differs
    if abs(apart) > 1.1 * SAME:
        assert found.differs


def test_the_limit_itself_is_no_difference() -> None:
    assert not Difference("pace", "x", 1, SAME).differs


@pytest.fixture
def config(tmp_path: Path) -> Path:
    async def writing() -> None:
        store = SQLiteStore(tmp_path / "store.db")
        await store.open()
        for number in range(20):
            store.begin(a_dispatch(number))
            await store.settle(a_settlement(a_dispatch(number)))
        await store.replace(await store.rebuilt())
        await store.aclose()

    asyncio.run(writing())
    path = tmp_path / "router.toml"
    path.write_text(CONFIG)
    return path


def spoil(config: Path) -> None:
    connection = sqlite3.connect(config.with_name("store.db"))
    with connection:
        assert connection.execute("UPDATE spent SET usd = 2 * usd WHERE budget = 'daily'").rowcount == 1
    connection.close()


def test_json_says_what_differs_and_what_was_done(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["rebuild", "--config", str(config), "--json"]
    spoil(config)
    assert run([*command, "--check"]) == 1
    found = json.loads(capsys.readouterr().out)
    (spent,) = [each for each in found["differences"] if each["differs"]]
    assert (spent["part"], spent["name"], spent["relative"]) == ("spending", "daily 2026-11-25", pytest.approx(0.5))
    assert (found["differ"], found["replaced"]) == (True, False)
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["differ"], found["replaced"]) == (True, True)
    assert run([*command, "--check"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["differ"], found["replaced"]) == (False, False)


def test_words_say_which_window_it_is(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(config)
    assert run(["rebuild", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "spending of daily 2026-11-25: largest relative difference 5.0e-01" in lines
    assert "spending, other windows, 1: largest relative difference 0.0e+00" in lines
    assert lines[-1] == "the state is now what the log says"


def test_nothing_is_changed_while_somebody_has_the_store_open(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(config)

    async def beside_a_store() -> int:
        store = SQLiteStore(config.with_name("store.db"))
        await store.open()
        kept = await store.state()
        code = await asyncio.to_thread(run, ["rebuild", "--config", str(config)])
        assert (await store.state()).spent_usd == kept.spent_usd
        store.begin(a_dispatch(99))
        assert await store.settle(a_settlement(a_dispatch(99)))
        await store.aclose()
        return code

    assert asyncio.run(beside_a_store()) == 2
    said = capsys.readouterr()
    assert said.err.endswith("store.db: a router or another program has it open; stop it, then rebuild\n")
    assert run(["rebuild", "--config", str(config)]) == 0
