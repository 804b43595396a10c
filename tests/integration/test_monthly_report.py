"""A month of a live router's store as its report: numbers equal the log's, and the page opens in a browser."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "simulations"))

import monthly_report as world
from banditroute.cli.app import run
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.sqlite_reader import SQLiteReader
from banditroute.testing.browser import Browser, missing_browser

REQUESTS = 500


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, world.Books]:
    config = tmp_path_factory.mktemp("month") / "router.toml"
    return config, asyncio.run(world.live(config, REQUESTS))


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: world.DECEMBER + 3_600.0)


def reported(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str | Path) -> Any:
    capsys.readouterr()
    assert run(["report", "--config", str(config), "--json", *map(str, arguments)]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_numbers_equal_what_was_told_to_the_router(routed, capsys) -> None:
    config, books = routed
    found = reported(capsys, config, "--month", "2026-11")
    mine = {key: usd for key, usd in books.usd.items() if key[0] == "2026-11"}
    for place, (part, key) in enumerate((("tenants", "tenant"), ("tasks", "task"), ("models", "model")), start=1):
        assert {each[key] for each in found[part]} == {name[place] for name in mine}
        for each in found[part]:
            keys = [name for name in mine if name[place] == each[key]]
            assert each["spent_usd"] == pytest.approx(sum(mine[name] for name in keys), abs=1e-9)
            assert each["requests"] == sum(books.requests[name] for name in keys)
    assert found["total"]["requests"] == REQUESTS
    assert found["total"]["judged"] == books.judged
    assert found["total"]["quality"] == pytest.approx(books.quality / books.judged)
    assert sum(found["days_usd"]) == pytest.approx(sum(mine.values()))


def test_the_total_is_what_the_store_has_spent_to_the_cent(routed, capsys) -> None:
    config, _ = routed
    found = reported(capsys, config, "--month", "2026-11")

    async def spent() -> dict[str, float]:
        reader = SQLiteReader(config.parent / "store.db")
        await reader.open()
        state = await reader.state()
        await reader.aclose()
        return {f"{window.budget} {window.period}": usd for window, usd in state.spent_usd.items()}

    store = asyncio.run(spent())
    caps = {each["budget"]: each for each in found["caps"]}
    assert found["total"]["spent_usd"] == pytest.approx(store["month 2026-11"], abs=0.005)
    assert caps["month"]["spent_usd"] == store["month 2026-11"]
    days = {name: usd for name, usd in store.items() if name.startswith("shop a day 2026-11-")}
    shop = next(each for each in found["tenants"] if each["tenant"] == "shop")
    assert shop["spent_usd"] == pytest.approx(sum(days.values()), abs=0.005)
    assert caps["shop a day"]["recorded_usd"] == pytest.approx(caps["shop a day"]["spent_usd"], abs=1e-9)


def test_what_happened_in_the_month_is_told_and_nothing_else(routed, capsys) -> None:
    config, _ = routed
    found = reported(capsys, config, "--month", "last")
    kinds = ["circuit", "circuit", "price", "changed", "alert", "switch"]
    assert [each["kind"] for each in found["incidents"]] == kinds
    assert found["incidents"][-1]["text"] == "switch freeze was thrown: exploration"
    assert found["incidents"][0]["cause"] == "5 of its last 10 calls failed: HTTP 503"


def test_the_first_month_has_nothing_to_be_compared_with(routed, capsys) -> None:
    config, _ = routed
    found = reported(capsys, config, "--month", "2026-10", "--baseline", "last-month", "--baseline", str(config))
    before, router = found["comparison"]["baselines"]
    assert before["verdict"] == "No verdict: no decision of the month before is on record."
    assert router["meaning"] == f"the router of {config}, led over the same decisions"
    assert router["baseline_usd"] is not None or router["verdict"]


def test_an_empty_month_gets_a_sentence(routed, capsys, tmp_path) -> None:
    config, _ = routed
    page = tmp_path / "empty.html"
    assert run(["report", "--config", str(config), "--month", "2026-09", "--out", str(page)]) == 0
    assert "No decision of September 2026 is on record." in capsys.readouterr().out
    assert "No decision of September 2026 is on record." in page.read_text()
    assert reported(capsys, config, "--month", "2026-09")["comparison"] is None


def test_a_month_under_way_says_so(routed, capsys, monkeypatch) -> None:
    config, _ = routed
    monkeypatch.setattr(time, "time", lambda: world.NOVEMBER + 12 * world.DAY_S)
    assert run(["report", "--config", str(config), "--month", "this"]) == 0
    assert "The month is not over: numbers are of 13 Nov 2026 00:00 UTC." in capsys.readouterr().out


def test_rows_that_are_gone_are_missed(routed, capsys, tmp_path) -> None:
    config, books = routed
    copy = tmp_path / "router.toml"
    copy.write_text(config.read_text().replace("retention_days = 400", "retention_days = 20"))

    async def pruned() -> None:
        store = SQLiteStore(tmp_path / "store.db")
        (tmp_path / "store.db").write_bytes((config.parent / "store.db").read_bytes())
        await store.open()
        await store.prune(world.DECEMBER - 20 * world.DAY_S)
        await store.aclose()

    asyncio.run(pruned())
    found = reported(capsys, copy, "--month", "2026-11")
    month = found["caps"][0]
    whole = sum(usd for key, usd in books.usd.items() if key[0] == "2026-11")
    assert month["spent_usd"] == pytest.approx(whole)
    assert month["recorded_usd"] == pytest.approx(found["total"]["spent_usd"])
    assert month["recorded_usd"] < 0.8 * whole
    assert run(["report", "--config", str(copy), "--month", "2026-11"]) == 0
    assert "past their retention and may be gone ($" in capsys.readouterr().out


def test_tables_as_files_have_units_and_no_totals(routed, tmp_path, capsys) -> None:
    config, books = routed
    folder = tmp_path / "tables"
    assert run(["report", "--config", str(config), "--month", "2026-11", "--csv", str(folder)]) == 0
    assert f"tables: {folder}" in capsys.readouterr().out
    names = {path.name for path in folder.iterdir()}
    wanted = ("tenants", "tasks", "models", "days", "caps", "paces", "baselines", "weeks", "sources", "incidents")
    assert names == {f"{name}.csv" for name in wanted}
    whole = sum(usd for key, usd in books.usd.items() if key[0] == "2026-11")
    for name in ("tenants", "tasks", "models", "days", "weeks"):
        with (folder / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert sum(float(row["spent_usd"]) for row in rows) == pytest.approx(whole)
    with (folder / "baselines.csv").open() as file:
        assert {"saved_usd", "saved_usd_low95", "saved_usd_high95", "quality_0_to_1"} <= set(next(csv.reader(file)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--month", "2026-31"), "--month: '2026-31' is not a month"),
        (("--month", "2027-01"), "--month: 2027-01 has not begun"),
        (("--month", "last", "--baseline", "bets"), "--baseline: no baseline is called 'bets'"),
        (("--month", "last", "--out", "nowhere/r.html"), "--out: there is no directory nowhere"),
    ],
)
def test_bad_input_is_one_line(routed, arguments, said, capsys) -> None:
    config, _ = routed
    assert run(["report", "--config", str(config), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.skipif(missing_browser() != "", reason=missing_browser())
async def test_the_page_opens_on_a_phone_and_complains_of_nothing(routed, tmp_path) -> None:
    config, _ = routed
    page = tmp_path / "report.html"
    month = await asyncio.to_thread(world.november, config)
    world.write_month_report(month, page)
    async with Browser() as browser:
        seen = await browser.page(width=360, height=780, dark=True)
        await seen.open(page.as_uri())
        assert await seen.value("document.title") == "November 2026: store.db"
        assert await seen.value("document.documentElement.scrollWidth") <= 360
        spent = await seen.value("document.querySelector('#tenants tbody tr:last-child td').textContent")
        assert spent.strip() == f"${month.traffic.total.usd:.2f}"
        assert await seen.value("document.querySelectorAll('section').length") == 7
        assert seen.complaints == []
