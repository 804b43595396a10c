"""Outcome tables as Parquet; needs pyarrow."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from itertools import repeat
from typing import TYPE_CHECKING, Any

from banditroute.errors import MissingExtraError, TableError
from banditroute.simulation.columns import read_header
from banditroute.simulation.rows import PlacedRow, parse_values
from banditroute.simulation.values import Place

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence


def parquet_rows(path: str) -> list[PlacedRow]:
    """The rows of a Parquet file; places count rows from 1, nulls are absent.

    Raises:
        TableError: the file is not Parquet, a column is missing, or a value is wrong.
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _pyarrow("reading Parquet")
    with _explained(arrow, path), arrow.parquet.ParquetFile(path) as file:
        table = file.read()
    header = read_header(table.column_names, Place(path, None))
    used = header.used
    with _explained(arrow, path):
        columns = [
            _values(arrow, column) if index in used else repeat(None) for index, column in enumerate(table.columns)
        ]
    return [
        parse_values(header.values(cells), Place(path, number), header.name)
        for number, cells in enumerate(zip(*columns, strict=False), start=1)
    ]


def parquet_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """A Parquet file with these columns, equally long; None makes a null.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _pyarrow("writing Parquet")
    sink = arrow.BufferOutputStream()
    arrow.parquet.write_table(arrow.table(dict(columns)), sink)
    return sink.getvalue().to_pybytes()


def _pyarrow(needed_for: str) -> Any:
    """The pyarrow package; it ships no types, hence Any."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        raise MissingExtraError(needed_for, "parquet") from None


def _values(arrow: Any, column: Any) -> list[Any]:
    # Databases write plain literals such as 0.001 as decimals.
    numbers = column.cast(arrow.float64()) if arrow.types.is_decimal(column.type) else column
    return numbers.to_pylist()


@contextmanager
def _explained(arrow: Any, path: str) -> Generator[None]:
    """Turns what pyarrow raises for an unreadable file into a TableError."""
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise TableError(f"is not readable as Parquet: {reason}", remedy="write it again", path=path) from error
