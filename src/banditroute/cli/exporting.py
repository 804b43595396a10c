"""The work of `banditroute export`: row by row from the store to a file, with no more than a page in memory."""

import gzip
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple, cast

import orjson

from banditroute.cli.progress import progress_bar
from banditroute.cli.store_file import look, stored_plan
from banditroute.errors import InputError
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import StoreReader

_SHOWN_EVERY = 256  # rows


class Exported(NamedTuple):
    """How many decisions were written, and how many have no outcome yet."""

    rows: int
    still_open: int


def run(config: Path, out: Path | None, since: str | None) -> None:
    """Writes the log; says how much of it there was on standard error.

    Raises:
        InputError: the instant is none, there is no store, or the file cannot be written.
        StoreError: the store cannot be read.
    """
    after = None if since is None else instant(since)
    plan = stored_plan(config)
    if out is not None:
        check_spares(out, config, plan.store.path)
    with written(out) as lines, _progress(out) as show:

        async def work(store: StoreReader) -> Exported:
            return await export(store, lines, after, show)

        done = look(plan, work)
    sys.stderr.write(f"{done.rows:,} decisions written, {done.still_open:,} still open\n")


async def export(
    store: StoreReader,
    lines: IO[bytes],
    after: float | None = None,
    show: Callable[[int, int | None], None] | None = None,
) -> Exported:
    """Writes a row of every decision that has an outcome, in the order in which they were taken in.

    Args:
        store: to read from.
        lines: to write to.
        after: only decisions from this instant on, seconds since the epoch.
        show: is told now and then how many rows there are.

    Raises:
        StoreError: the store cannot be read.
    """
    rows = still_open = 0
    async for trail in store.trails():
        if after is not None and trail.decision.at < after:
            continue
        row = log_row(trail)
        if row is None:
            still_open += 1
            continue
        rows += 1
        lines.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        if show is not None and rows % _SHOWN_EVERY == 0:
            show(rows, None)
    return Exported(rows, still_open)


def check_spares(out: Path, config: Path, store: Path) -> None:
    """Nothing, where what is written there takes the place neither of the store nor of its configuration.

    Raises:
        InputError: it would.
    """
    kept = (config, store, *(store.with_name(store.name + end) for end in ("-wal", "-shm")))
    if out.resolve() in {path.resolve() for path in kept}:
        problem = "the log would take the place of the store or of its configuration"
        raise InputError(problem, remedy="name another file", path=str(out))


def instant(text: str) -> float:
    """Seconds since the epoch of an ISO date or time, taken for UTC where it does not say.

    Raises:
        InputError: it is neither.
    """
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        remedy = "write it as 2026-11-25 or 2026-11-25T08:00"
        raise InputError(f"{text!r} is not an instant", remedy=remedy, field="--since") from None


@contextmanager
def _progress(out: Path | None) -> Generator[Callable[[int, int | None], None] | None]:
    """The bar; none where the rows themselves go to the terminal."""
    if out is None and sys.stdout.isatty():
        yield None
        return
    with progress_bar("exporting") as show:
        yield show


@contextmanager
def written(out: Path | None) -> Generator[IO[bytes]]:
    """Where the rows go: a draft that takes the file's place at the end, if that is reached; None = standard output.

    Raises:
        InputError: it cannot be written.
    """
    if out is None:
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the shell
            raise InputError("standard output is closed", remedy="name a file", field="--out")
        yield sys.stdout.buffer
        return
    try:
        with _opened(out) as file, _packed(out, file) as lines:
            yield lines
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be written: {reason}", remedy="choose another place", path=str(out)) from error


@contextmanager
def _opened(out: Path) -> Generator[IO[bytes]]:
    if out.exists() and not out.is_file():  # a pipe or a device, whose place no file may take
        with out.open("wb") as file:
            yield file
        return
    target = out.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _packed(out: Path, file: IO[bytes]) -> Generator[IO[bytes]]:
    if out.suffix != ".gz":
        yield file
        return
    with gzip.GzipFile(out.stem, "wb", fileobj=file, mtime=0) as packed:  # no time stamp: equal logs make equal files
        yield cast("IO[bytes]", packed)
