"""Writing outcome tables: what stands in the file, and that it appears whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from banditroute.errors import TableError
from banditroute.simulation.loading import load_table
from banditroute.simulation.saving import save_table

if TYPE_CHECKING:
    from banditroute.simulation.table import OutcomeTable

LINES = (
    '{"id":"x","task":"qa","prompt":"Why?","input_tokens":12,"at":3.5,"features":[0.5,-1.0],'
    '"outcomes":{"b":{"quality":1.0,"cost_usd":0.125,"output_tokens":40,"latency_s":1.5}}}\n'
    '{"id":"y","features":[2.0,0.25],"outcomes":{"b":{"quality":0.5,"cost_usd":0.0},"a":{"quality":0.0,"cost_usd":0.5}}}\n'
)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OutcomeTable:
    monkeypatch.chdir(tmp_path)
    Path("given.jsonl").write_text(LINES)
    return load_table("given.jsonl")


def test_json_lines_hold_what_is_known_and_nothing_else(table: OutcomeTable) -> None:
    save_table(table, "saved.jsonl")
    assert Path("saved.jsonl").read_text() == LINES


def test_csv_has_a_column_for_all_that_is_known(table: OutcomeTable) -> None:
    save_table(table, Path("saved.csv"))
    assert Path("saved.csv").read_text().splitlines() == [
        "id,task,prompt,input_tokens,at,quality__b,cost_usd__b,output_tokens__b,latency_s__b,"
        "quality__a,cost_usd__a,feature__0,feature__1",
        "x,qa,Why?,12,3.5,1.0,0.125,40,1.5,,,0.5,-1.0",
        "y,,,,,0.5,0.0,,,0.0,0.5,2.0,0.25",
    ]


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv.gz", "parquet"])
def test_equal_tables_make_equal_files(table: OutcomeTable, ending: str) -> None:
    for stem in ("one", "two"):
        save_table(table, f"{stem}.{ending}")
    assert Path(f"one.{ending}").read_bytes() == Path(f"two.{ending}").read_bytes()


def test_a_file_is_replaced_whole_and_no_draft_is_left(table: OutcomeTable) -> None:
    save_table(table, "saved.jsonl")
    save_table(table.select([1]), "saved.jsonl")
    assert load_table("saved.jsonl").ids == ("y",)
    assert sorted(path.name for path in Path().iterdir()) == ["given.jsonl", "saved.jsonl"]


def test_what_cannot_be_loaded_again_is_not_written(table: OutcomeTable) -> None:
    for bad, expected in [
        (table.select([]), "the table has no rows; select at least one"),
        (table.select([0, 0]), "id: an id stands in the table twice; save a table of distinct rows"),
        (table.with_models(["a"]), "outcomes: row 0 (x) has no observed model; leave such rows out"),
        (replace(table, prompts=("\ud800", None)), "a text is not Unicode: surrogates not allowed; mend the text"),
    ]:
        with pytest.raises(TableError) as refused:
            save_table(bad, "saved.csv")
        assert str(refused.value) == f"saved.csv: {expected}"
    assert not Path("saved.csv").exists()


def test_a_place_that_takes_no_file_is_refused(table: OutcomeTable) -> None:
    Path("folder.csv").mkdir()
    for path, expected in {
        "absent/saved.csv": "absent/saved.csv: cannot be written: No such file or directory; check its folder",
        "folder.csv": "folder.csv: cannot be written: Is a directory; check its folder",
        "saved.xlsx": "saved.xlsx: is not named like an outcome table; "
        "end its name in .jsonl, .jsonl.gz, .csv, .csv.gz, .parquet",
    }.items():
        with pytest.raises(TableError) as refused:
            save_table(table, path)
        assert str(refused.value) == expected
    assert sorted(path.name for path in Path().iterdir()) == ["folder.csv", "given.jsonl"]
