"""Writing an outcome table to a file, in any format that can be loaded."""

from __future__ import annotations

import gzip
import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import orjson

from banditroute.errors import TableError
from banditroute.simulation.columns import feature_column, outcome_column
from banditroute.simulation.csv_files import csv_bytes
from banditroute.simulation.formats import Layout, format_of
from banditroute.simulation.parquet_files import parquet_bytes
from banditroute.simulation.table import OUTCOME_FIELDS, OutcomeTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from banditroute.simulation.results import Floats

_COUNTS = ("input_tokens", "output_tokens")
_EXACT_INTEGERS = 2**53


def save_table(table: OutcomeTable, path: str | os.PathLike[str]) -> None:
    """Writes a .jsonl, .jsonl.gz, .csv, .csv.gz or .parquet file; it appears whole or not at all.

    What load_table makes of it equals the table, except that models come in the order in which rows first observe
    them, unused task classes and models that no row observed are gone, and an empty prompt is none.

    Raises:
        TableError: the table could not be loaded again (no rows, an id twice, a row without an outcome), or the file
            cannot be written.
        MissingExtraError: the file is Parquet and pyarrow is not installed.
    """
    where = os.fspath(path)
    file_format = format_of(where)
    _check_loadable(table, where)
    data = _ENCODERS[file_format.layout](table)
    # No time stamp: equal tables make equal files.
    _replace(Path(where), gzip.compress(data, mtime=0) if file_format.gzipped else data)


def _check_loadable(table: OutcomeTable, where: str) -> None:
    if not table.requests:
        raise TableError("the table has no rows", remedy="select at least one", path=where)
    if len(set(table.ids)) < table.requests:
        raise TableError(
            "an id stands in the table twice", remedy="save a table of distinct rows", path=where, field="id"
        )
    unobserved = ~table.observed.any(axis=1)
    if unobserved.any():
        row = int(unobserved.argmax())
        raise TableError(
            f"row {row} ({table.ids[row]}) has no observed model",
            remedy="leave such rows out",
            path=where,
            field="outcomes",
        )
    try:
        "".join(chain(table.ids, table.models, table.tasks, filter(None, table.prompts))).encode()
    except UnicodeEncodeError as error:
        raise TableError(f"a text is not Unicode: {error.reason}", remedy="mend the text", path=where) from None


def _json_lines(table: OutcomeTable) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in _row_objects(table))


def _row_objects(table: OutcomeTable) -> Iterator[dict[str, Any]]:
    columns = _plain_columns(table)
    features = table.features.tolist()
    outcomes = [_outcome_rows(table, k) for k in range(len(table.models))]
    for i in range(table.requests):
        row = _given({field: cells[i] for field, cells in columns.items()})
        if features[i]:
            row["features"] = features[i]
        observed = zip(table.models, (rows[i] for rows in outcomes), strict=True)
        yield row | {"outcomes": {model: outcome for model, outcome in observed if outcome}}


def _outcome_rows(table: OutcomeTable, k: int) -> list[dict[str, Any]]:
    columns = _outcome_columns(table, k)
    return [_given({field: cells[i] for field, cells in columns.items()}) for i in range(table.requests)]


def _csv(table: OutcomeTable) -> bytes:
    features = {feature_column(j): values.tolist() for j, values in enumerate(table.features.T)}
    return csv_bytes(_flat_columns(table) | features)


def _parquet(table: OutcomeTable) -> bytes:
    features = {"features": table.features.tolist()} if table.features.size else {}
    return parquet_bytes(_flat_columns(table) | features)


_ENCODERS = {Layout.JSON_LINES: _json_lines, Layout.CSV: _csv, Layout.PARQUET: _parquet}


def _flat_columns(table: OutcomeTable) -> dict[str, list[Any]]:
    """Every column but the features, by the name it has in a file; wholly absent ones are left out."""
    columns = _plain_columns(table)
    for k, model in enumerate(table.models):
        columns |= {outcome_column(field, model): cells for field, cells in _outcome_columns(table, k).items()}
    return {name: cells for name, cells in columns.items() if any(cell is not None for cell in cells)}


def _plain_columns(table: OutcomeTable) -> dict[str, list[Any]]:
    tasks = (*table.tasks, None)  # -1, no class, is the last
    return {
        "id": list(table.ids),
        "task": [tasks[c] for c in table.task_of.tolist()],
        "prompt": [prompt or None for prompt in table.prompts],
        "input_tokens": _cells("input_tokens", table.input_tokens),
        "at": _cells("at", table.at),
    }


def _outcome_columns(table: OutcomeTable, k: int) -> dict[str, list[Any]]:
    return {field: _cells(field, getattr(table, field)[:, k]) for field in OUTCOME_FIELDS}


def _cells(field: str, values: Floats) -> list[Any]:
    """Values as a file holds them: None where absent, counts as integers."""
    cells = [None if np.isnan(value) else value for value in values.tolist()]
    if field not in _COUNTS:
        return cells
    return [int(cell) if cell is not None and cell < _EXACT_INTEGERS else cell for cell in cells]


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None}


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise TableError(f"cannot be written: {error.strerror}", remedy="check its folder", path=str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
