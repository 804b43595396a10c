"""The hour of traffic, of which this is the first ten seconds: what it finds right, and what it would not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from banditroute.storage.protocol import Charge, Dispatch, Settlement, Window
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import a_dispatch, a_settlement
from gateway_hour import Run, hour, page_of
from hour_books import Books, books_of
from hour_process import Sample
from hour_traffic import Heard

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc on this system")

REQUESTS = 1_000
GAUGES = 'banditroute_budget_spent_usd{{budget="{}"}} {}\nbanditroute_budget_reserved_usd{{budget="{}"}} {}\n'
ALL, ACME = Window("all", "2026-11"), Window("acme", "2026-11-25")


async def test_all_adds_up_after_it(tmp_path: Path) -> None:
    run = await hour(tmp_path, REQUESTS, lambda *_: None)
    assert run.complaints() == []
    assert sum(run.heard.answers.values()) == REQUESTS
    assert {200, 400, 404} <= run.heard.answers.keys()
    assert len(run.heard.served) > 0.9 * REQUESTS
    assert len(run.heard.judged) > 0.2 * REQUESTS
    assert {window.budget for window in run.books.picos} == {"all", "web", "trial"}
    assert min(run.books.picos.values()) > 0
    page = page_of(run, 0.0)
    assert f"| {REQUESTS:,}, at rest |" in page
    assert "Wrong" not in page


@pytest.fixture
async def store(tmp_path: Path) -> Iterator[Path]:
    """A store with three decisions, each charged what it cost."""
    path = tmp_path / "store.db"
    kept = SQLiteStore(path)
    await kept.open()
    for number in range(3):
        dispatch, settlement = charged(number)
        kept.begin(dispatch)
        await kept.settle(settlement)
    await kept.aclose()
    return path


def charged(number: int) -> tuple[Dispatch, Settlement]:
    dispatch = a_dispatch(number)
    settlement = a_settlement(dispatch)
    charges = tuple(Charge(window, settlement.outcome.cost_usd) for window in (ALL, ACME))
    return dispatch, Settlement(settlement.outcome, settlement.lessons, charges, settlement.paces)


async def found(store: Path, *, spent: float = 0.00333, reserved: float = 0.0, heard: Heard | None = None) -> Books:
    gauges = GAUGES.format("all", spent, "all", reserved)
    return await books_of(store, Heard() if heard is None else heard, gauges)


async def test_books_that_agree_are_found_right(store: Path) -> None:
    books = await found(store, heard=Heard(served=["decision-000001"]))
    assert (books.wrong, books.decisions, books.unsettled) == ([], 3, 0)
    assert dict(books.picos) == {ALL: 3_330_000_000, ACME: 3_330_000_000}


async def test_a_picodollar_is_missed(store: Path) -> None:
    assert (await found(store, spent=0.003330000001)).wrong == [
        "all: $0.003330000001 is spent, and the log's charges are 0.00333"
    ]


async def test_dollars_that_are_held_at_rest_are_found(store: Path) -> None:
    assert (await found(store, reserved=1e-12)).wrong == ["all: $1e-12 is held by nobody"]


async def test_what_was_acknowledged_and_is_not_on_record_is_found(store: Path) -> None:
    books = await found(store, heard=Heard(served=["decision-000009"], judged=["decision-000001"]))
    assert [line.partition(" and ")[0] for line in books.wrong] == [
        "1 decisions were acknowledged as served",
        "1 decisions were acknowledged as judged",
    ]


async def test_a_decision_that_was_not_charged_what_it_cost_is_found(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    kept = SQLiteStore(path)
    await kept.open()
    dispatch, settlement = charged(1)
    kept.begin(dispatch)
    await kept.settle(Settlement(settlement.outcome, charges=(Charge(ALL, 0.001), Charge(ACME, 0.001))))
    await kept.aclose()
    assert "decision-000001 cost 1110000000 picodollars and was charged" in (await found(path, spent=0.001)).wrong[0]


def test_memory_and_files_that_grow_are_seen() -> None:
    samples = [Sample(0, 100.0, 20), *(Sample(at, 110.0 + at * 5e-5, 80) for at in range(1000, 9000, 1000))]
    run = Run([*samples, Sample(8000, 110.4, 60)], Heard(), Books(), 1.0, 0, 1.0)
    assert run.slope_mb == pytest.approx(5.0)
    assert run.complaints() == ["60 files are open at rest, 20 were"]
