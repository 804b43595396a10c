"""Where evaluating, tuning and warm starts take their data from: a table, a decision log, or the log in a store."""

import os
from pathlib import Path
from typing import NamedTuple

import orjson

from banditroute.cli.store_file import look, stored_plan
from banditroute.config import StoreConfig
from banditroute.evaluation.loading import LoadedLog, log_of
from banditroute.records import Json
from banditroute.simulation.reading import check_file, numbered_lines, read_text
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import StoreReader


class StoredLog(NamedTuple):
    """The log in a router's store, as loaded and row by row."""

    loaded: LoadedLog
    rows: list[Json]


def is_router(path: Path) -> bool:
    """Whether a router.toml is meant, which stands for the log in its store."""
    return path.suffix == ".toml"


def is_log(path: Path) -> bool:
    """Whether the file's first row is a decision, rather than outcomes of several models.

    Raises:
        TableError: the file cannot be read.
    """
    where = os.fspath(path)
    check_file(where)
    if not where.lower().endswith((".jsonl", ".jsonl.gz")):
        return False
    _, line = next(numbered_lines(read_text(where, gzipped=where.lower().endswith(".gz"))), (0, ""))
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False  # the reader of tables says what is wrong
    return isinstance(first, dict) and "decision_id" in first and "outcomes" not in first


def _name(store: StoreConfig) -> str:
    return store.path.stem if store.kind == "sqlite" else store.namespace


def stored_log(config: Path, *, policy: str | None = None, leave_out: bool = False) -> StoredLog:
    """The log in the store of a router, which may be at work on it.

    Raises:
        InputError: there is no store, or its rows cannot be evidence.
        StoreError: the store cannot be read.
    """

    async def work(store: StoreReader) -> list[Json]:
        return [row async for trail in store.trails() if (row := log_row(trail)) is not None]

    plan = stored_plan(config)
    rows = look(plan, work)
    return StoredLog(log_of(rows, _name(plan.store), policy=policy, leave_out=leave_out), rows)
