"""What happened to a router, for people and for machines."""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import orjson

from banditroute.cli.exporting import instant
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import listing_console, printable
from banditroute.errors import InputError
from banditroute.reports.store.timeline import Moment, timeline
from banditroute.storage.protocol import StoreReader

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_KIND_WIDTH = 9


def run(config: Path, since: str, *, json: bool) -> None:
    """Prints what happened.

    Raises:
        ConfigError: the configuration cannot be used.
        InputError: there is no store yet, or `since` is neither a stretch of time nor an instant.
        StoreError: the store cannot be read.
    """
    after = begin_of(since, time.time())

    async def work(store: StoreReader) -> tuple[Moment, ...]:
        return await timeline(store, after)

    moments = look(stored_plan(config), work)
    _print_json(moments, after) if json else _print(moments, after)


def begin_of(since: str, now: float) -> float:
    """The instant that `--since` stands for, seconds since the epoch.

    Raises:
        InputError: it is neither a stretch of time nor an instant.
    """
    span = _SPAN.fullmatch(since.strip())
    if span is not None:
        return now - float(span[1]) * _SECONDS[span[2]]
    try:
        return instant(since)
    except InputError:
        problem = f"{since!r} is neither a stretch of time nor an instant"
        raise InputError(problem, remedy="write 24h, 7d, or 2026-11-25", field="--since") from None


def _print(moments: Sequence[Moment], after: float) -> None:
    console = listing_console()
    if not moments:
        console.print(f"nothing happened since {_when(after)} UTC that is on record")
    for each in moments:
        times = f" ({each.times} times)" if each.times > 1 else ""
        line = f"{_when(each.at)}  {each.kind:<{_KIND_WIDTH}} {printable(each.text)}{times}"
        console.print(line, soft_wrap=True)
        if each.cause:
            console.print(f"{'':21}{'':{_KIND_WIDTH}} why: {printable(each.cause)}", soft_wrap=True)


def _print_json(moments: Sequence[Moment], after: float) -> None:
    document = {"since": after, "moments": [asdict(each) for each in moments]}
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
