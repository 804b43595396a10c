"""Which format a table's file has: its name's ending says so, for reading and writing alike."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath
from typing import NamedTuple

from banditroute.errors import TableError


class Layout(Enum):
    """How rows are laid out in a file."""

    JSON_LINES = ".jsonl"
    CSV = ".csv"
    PARQUET = ".parquet"


class TableFormat(NamedTuple):
    """A file's layout, whether gzip is around it, and its name without the ending."""

    layout: Layout
    gzipped: bool
    stem: str


_ENDINGS = {
    ".jsonl": (Layout.JSON_LINES, False),
    ".jsonl.gz": (Layout.JSON_LINES, True),
    ".csv": (Layout.CSV, False),
    ".csv.gz": (Layout.CSV, True),
    ".parquet": (Layout.PARQUET, False),
}


def format_of(path: str) -> TableFormat:
    """The format that the ending of a file's name promises; case does not matter.

    Raises:
        TableError: the ending is none of .jsonl, .jsonl.gz, .csv, .csv.gz and .parquet.
    """
    name = PurePath(path).name
    for ending, (layout, gzipped) in _ENDINGS.items():
        if name.lower().endswith(ending):
            return TableFormat(layout, gzipped, name[: -len(ending)])
    raise TableError("is not named like an outcome table", remedy=f"end its name in {', '.join(_ENDINGS)}", path=path)
