"""inspect --report and --export: files of the whole store, beside the usual view."""

import asyncio
import json
from pathlib import Path

import pytest

from banditroute.cli.app import run
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

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00

[[budgets]]
name = "paced"
usd_per_request = 0.001

[routing]
features = 3

[store]
path = "store.db"
retention_days = 30
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A router that made four decisions, of which one is still open."""
    path = tmp_path / "router.toml"
    path.write_text(CONFIG)

    async def writing() -> None:
        store = SQLiteStore(tmp_path / "store.db")
        await store.open()
        for number in range(4):
            store.begin(a_dispatch(number))
            if number:
                assert await store.settle(a_settlement(a_dispatch(number)))
        await store.aclose()

    asyncio.run(writing())
    return path


def called(*words: object) -> int:
    return run([str(word) for word in words])


def test_a_page_and_files_are_written_beside_the_usual_view(config, tmp_path, capsys) -> None:
    page, folder = tmp_path / "r.html", tmp_path / "files"
    assert called("inspect", "--config", config, "--report", page, "--export", folder) == 0
    said = capsys.readouterr().out
    assert "Newest decisions" in said
    assert f"report: {page}" in said.replace("\n", "")
    assert "3 requests answered for $0.0034" in page.read_text(encoding="utf-8")
    assert (folder / "spend-over-time.csv").is_file()


def test_json_stands_alone_on_standard_output(config, tmp_path, capsys) -> None:
    assert called("inspect", "--config", config, "--report", tmp_path / "r.html", "--json") == 0
    assert json.loads(capsys.readouterr().out)["open_decisions"] == 1
    assert (tmp_path / "r.html").is_file()


def test_charts_alone_come_without_a_page(config, tmp_path, capsys) -> None:
    folder = tmp_path / "deep" / "charts"
    assert called("inspect", "--config", config, "--export", folder) == 0
    assert f"charts and tables: {folder}" in capsys.readouterr().out
    kinds = {path.suffix for path in folder.iterdir()}
    assert kinds == {".svg", ".png", ".csv"}


@pytest.mark.parametrize("narrowing", ["--task", "--decision"])
def test_a_report_of_a_part_is_refused(config, tmp_path, capsys, narrowing) -> None:
    assert called("inspect", "--config", config, "--report", tmp_path / "r.html", narrowing, "qa") == 2
    assert f"{narrowing}: a report is of the whole store" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_place_that_is_not_there_is_refused_before_the_store_is_read(config, tmp_path, capsys) -> None:
    assert called("inspect", "--config", config, "--report", tmp_path / "absent" / "r.html") == 2
    assert "there is no directory" in capsys.readouterr().err
