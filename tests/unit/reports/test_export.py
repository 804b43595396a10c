import csv

import pytest

from banditroute.errors import InputError
from banditroute.reports import save_figures


@pytest.fixture(scope="module")
def small(usual):
    from dataclasses import replace

    return replace(usual, results=usual.results[:1])


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "new"
    written = save_figures(small, folder)
    assert sorted(written) == sorted(folder.iterdir())
    return folder


def test_each_chart_becomes_svg_png_and_csv_and_each_table_csv(folder):
    names = {file.name for file in folder.iterdir()}
    for chart in ("quality-spend", "spend-over-time", "model-share", "edge-map-0"):
        assert {f"{chart}.svg", f"{chart}.png", f"{chart}.csv"} <= names
    assert {"results.csv", "edges-0.csv"} <= names


def test_pictures_stand_alone(folder):
    svg = (folder / "quality-spend.svg").read_text(encoding="utf-8")
    assert "var(--" not in svg
    assert "<text" in svg
    assert (folder / "quality-spend.png").read_bytes().startswith(b"\x89PNG")


def test_tables_hold_numbers_in_full(folder, small):
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    one = small.results[0]
    assert [row["policy"] for row in rows] == [one.policy]
    assert float(rows[0]["quality"]) == float(one.quality.mean())
    assert float(rows[0]["budget_usd"]) == one.budget_usd


def test_the_same_result_gives_the_same_bytes(folder, small, tmp_path):
    for path in save_figures(small, tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_a_file_in_the_way_is_bad_input(small, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="cannot be made: file exists; name a directory"):
        save_figures(small, tmp_path / "taken")
