"""Reading an outcome table from a file, whatever its format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from banditroute.errors import TableError
from banditroute.simulation.csv_files import csv_rows
from banditroute.simulation.formats import Layout, TableFormat, format_of
from banditroute.simulation.parquet_files import parquet_rows
from banditroute.simulation.reading import check_file, numbered_lines, read_text
from banditroute.simulation.rows import PlacedRow, parse_json
from banditroute.simulation.tabulating import tabulate
from banditroute.simulation.values import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from banditroute.simulation.table import OutcomeTable


def load_table(path: str | os.PathLike[str]) -> OutcomeTable:
    """The outcome table in a .jsonl, .jsonl.gz, .csv, .csv.gz or .parquet file; it bears the name of the file.

    Models are in the order in which rows first observe them, task classes sorted; a model that no row observed is not
    in the table.

    Raises:
        TableError: the file cannot be read, or something in it is wrong: names file, line, field and remedy.
        MissingExtraError: the file is Parquet and pyarrow is not installed.
    """
    where = os.fspath(path)
    check_file(where)
    file_format = format_of(where)
    rows = _read_rows(where, file_format)
    if not rows:
        raise TableError("has no rows", remedy="give it at least one", path=where)
    return tabulate(file_format.stem, rows)


def _read_rows(where: str, file_format: TableFormat) -> Sequence[PlacedRow]:
    if file_format.layout is Layout.PARQUET:
        return parquet_rows(where)
    text = read_text(where, gzipped=file_format.gzipped)
    if not text.strip():
        return ()
    return csv_rows(text, where) if file_format.layout is Layout.CSV else _json_rows(text, where)


def _json_rows(text: str, where: str) -> Sequence[PlacedRow]:
    return [parse_json(line, Place(where, number)) for number, line in numbered_lines(text)]
