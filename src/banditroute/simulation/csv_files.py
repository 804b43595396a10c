"""Outcome tables as CSV."""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from banditroute.simulation.columns import TEXT_COLUMNS, Header, read_header
from banditroute.simulation.rows import PlacedRow, parse_values
from banditroute.simulation.values import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence


class _Record(NamedTuple):
    place: Place
    cells: list[str]


Cell = float | str | None

_LONGEST_CELL = 2**31 - 1  # the most that the csv module takes on every platform


def csv_rows(text: str, path: str) -> list[PlacedRow]:
    """The rows of a CSV text whose first line is the header; blank lines are skipped, empty cells are absent.

    Raises:
        TableError: the quoting is broken, the header lacks a column, a line has another number of cells than the
            header, or a cell is wrong.
    """
    with _cells_of_any_length():
        head, *records = _records(text, path)
    names = [name.lstrip() for name in head.cells]  # "id, task" is how people write headers
    if "features" in names:
        raise head.place.error("a cell cannot hold a list", "features", "write columns feature__0, feature__1, ...")
    header = read_header(names, head.place)
    readers = _cell_readers(names, header)
    return [_row(record, readers, header) for record in records]


def csv_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """A CSV file with these columns, equally long; None makes an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # ends lines with CRLF, which makes it quote lone carriage returns
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _records(text: str, path: str) -> Iterator[_Record]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        place = Place(path, reader.line_num + 1)  # a quoted cell may span lines: a record stands where it begins
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise place.error(
                f"is not CSV: {error}", None, 'quote a cell as "...", and a quote within it as ""'
            ) from None
        if cells:
            yield _Record(place, cells)


@contextmanager
def _cells_of_any_length() -> Generator[None]:
    """Lifts the csv module's limit of 131,072 characters, which long prompts exceed; it is one for the process."""
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _cell_readers(names: Sequence[str], header: Header) -> list[Callable[[str], Cell]]:
    used = header.used
    texts = {header.plain[name] for name in TEXT_COLUMNS if name in header.plain}
    return [_text if index in texts else _number if index in used else _nothing for index in range(len(names))]


def _row(record: _Record, readers: Sequence[Callable[[str], Cell]], header: Header) -> PlacedRow:
    if len(record.cells) != len(readers):
        problem = f"has {len(record.cells)} cells, the header has {len(readers)}"
        raise record.place.error(problem, None, "give every line as many, and quote cells that hold commas or newlines")
    cells = [read(cell) for read, cell in zip(readers, record.cells, strict=True)]
    return parse_values(header.values(cells), record.place, header.name)


def _text(cell: str) -> Cell:
    return cell or None


def _number(cell: str) -> Cell:
    """The number in a cell, None if it is empty, or the cell as it stands: the check of the row says what is wrong."""
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def _nothing(_: str) -> Cell:
    return None
