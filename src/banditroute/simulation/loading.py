"""Reading an outcome table from a file, whatever its format."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

from banditroute.errors import TableError
from banditroute.simulation.csv_files import csv_rows
from banditroute.simulation.formats import Layout, TableFormat, format_of
from banditroute.simulation.parquet_files import parquet_rows
from banditroute.simulation.rows import Place, PlacedRow, parse_json
from banditroute.simulation.tabulating import tabulate

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
    _check_file(where)
    file_format = format_of(where)
    rows = _read_rows(where, file_format)
    if not rows:
        raise TableError("has no rows", remedy="give it at least one", path=where)
    return tabulate(file_format.stem, rows)


def _check_file(where: str) -> None:
    try:
        mode = Path(where).stat().st_mode
    except FileNotFoundError:
        raise TableError("there is no such file", remedy="check the path", path=where) from None
    except OSError as error:
        raise _unreadable(where, error) from error
    if S_ISDIR(mode):
        raise TableError("is a directory", remedy="give the path of one file", path=where)


def _unreadable(where: str, error: OSError) -> TableError:
    return TableError(f"cannot be read: {error.strerror}", remedy="check the file and its folder", path=where)


def _read_rows(where: str, file_format: TableFormat) -> Sequence[PlacedRow]:
    if file_format.layout is Layout.PARQUET:
        return parquet_rows(where)
    text = _read_text(where, gzipped=file_format.gzipped)
    if not text.strip():
        return ()
    return csv_rows(text, where) if file_format.layout is Layout.CSV else _json_rows(text, where)


def _json_rows(text: str, where: str) -> Sequence[PlacedRow]:
    # Not splitlines: JSON texts may hold the other line ends of Unicode.
    numbered = enumerate(text.split("\n"), start=1)
    return [parse_json(line, Place(where, number)) for number, line in numbered if line.strip()]


def _read_text(where: str, *, gzipped: bool) -> str:
    data = _read_bytes(where, gzipped=gzipped)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"byte 0x{data[error.start]:02x} is not UTF-8", remedy="save the file as UTF-8", path=where, line=line
        ) from None


def _read_bytes(where: str, *, gzipped: bool) -> bytes:
    try:
        data = Path(where).read_bytes()
    except OSError as error:
        raise _unreadable(where, error) from error
    if not gzipped:
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise TableError("is cut off in the middle of its gzip stream", remedy="copy it again", path=where) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise TableError(f"is not sound gzip: {error}", remedy="copy or compress it again", path=where) from None
