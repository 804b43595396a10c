"""`banditroute export`: the decision log as JSON lines."""

import gzip
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from banditroute.config import RouterConfig
    from banditroute.storage.protocol import Store


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl[.gz]", help="Write it there instead of standard output.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only decisions from then on: 2026-11-25 or 2026-11-25T08:00.")
    ] = None,
) -> None:
    """Write the decision log: one JSON line a decision that has come to its end.

    Quality is the mean of a decision's judgements. How many decisions are still open is told on standard error.
    """
    from banditroute.cli.store_file import with_store  # numpy and pydantic, which --help can do without

    after = None if since is None else _instant(since)
    with _written(out) as lines:

        async def work(_: "RouterConfig", store: "Store") -> tuple[int, int]:
            return await _export(store, lines, after)

        rows, still_open = with_store(config, work)
    sys.stderr.write(f"{rows} decisions written, {still_open} still open\n")


async def _export(store: "Store", lines: IO[bytes], after: float | None) -> tuple[int, int]:
    """Writes every row; how many there were, and how many decisions have no outcome yet."""
    import orjson

    from banditroute.storage.decision_log import log_row

    rows = still_open = 0
    async for trail in store.trails():
        if after is not None and trail.decision.at < after:
            continue
        row = log_row(trail)
        if row is None:
            still_open += 1
        else:
            rows += 1
            lines.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return rows, still_open


@contextmanager
def _written(out: Path | None) -> Generator[IO[bytes]]:
    from banditroute.errors import InputError

    if out is None:
        yield sys.stdout.buffer
        return
    try:
        with out.open("wb") as file:
            if out.suffix == ".gz":
                with gzip.GzipFile(out.stem, "wb", fileobj=file) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield file
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", remedy="choose another place", path=str(out)) from None


def _instant(text: str) -> float:
    """Seconds since the epoch of an ISO date or time, taken for UTC where it does not say."""
    from datetime import UTC, datetime

    from banditroute.errors import InputError

    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write it as 2026-11-25 or 2026-11-25T08:00"
        raise InputError(f"{text!r} is not an instant", remedy=remedy, field="--since") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
