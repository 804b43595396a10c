"""The work of `banditroute feedback import`: every row to where it goes, and what became of how many."""

import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import orjson
import typer

from banditroute.assemble import open_store, open_store_reader
from banditroute.cli import event_loop
from banditroute.cli.feedback_rows import Line, lines_of
from banditroute.cli.feedback_takers import GatewayTaker, StoreTaker, Taker
from banditroute.cli.store_file import stored_plan
from banditroute.config import RouterConfig
from banditroute.errors import FeedbackError, InputError, NotServedError, UnknownDecisionError

TOOK, KNOWN, UNKNOWN, UNSERVED, WRONG = "took", "known", "unknown", "unserved", "wrong"
_WORDS = {
    TOOK: "taken in",
    KNOWN: "known already",
    UNKNOWN: "of what is not on record",
    UNSERVED: "of what has no whole answer",
    WRONG: "wrong",
}
_MOST_TOLD = 1000
_SHOWN = 20


class Asked(NamedTuple):
    """What to import, from where and to where: see the command."""

    file: Path
    config: Path | None
    url: str | None
    key_env: str | None
    source: str
    dry_run: bool


class Refused(NamedTuple):
    """A line that was not taken in, and why."""

    line: int
    what: str
    problem: str


class Report(NamedTuple):
    """What became of how many rows, and of which lines nothing."""

    counts: Counter[str]
    refused: list[Refused]

    @property
    def whole(self) -> bool:
        """Whether every row is in the record now, or was before."""
        return not any(self.counts[what] for what in (UNKNOWN, UNSERVED, WRONG))


def run(asked: Asked, *, json: bool) -> bool:
    """Whether every row was taken in, or known.

    Raises:
        InputError: it is not clear where they go, or the file cannot be read.
        StoreError: the store or the gateway does not take them.
    """
    if (asked.config is None) == (asked.url is None):
        raise InputError("give the store's router.toml, or else a gateway's URL", field="--config or --url")
    if asked.url is not None and asked.dry_run:
        raise InputError("a gateway can only be told", remedy="use --config to look up", field="--dry-run")
    plan = None if asked.config is None else stored_plan(asked.config)
    report = event_loop.run(_imported(asked, plan))
    _print_json(report, asked) if json else _print(report, asked, plan)
    return report.whole


async def _imported(asked: Asked, plan: RouterConfig | None) -> Report:
    report = Report(Counter(), [])
    async with _taker_of(asked, plan) as taker:
        for line in lines_of(asked.file, asked.source):
            what, problem = await _taken(taker, line)
            report.counts[what] += 1
            if problem and len(report.refused) < _MOST_TOLD:
                report.refused.append(Refused(line.number, what, problem))
    return report


async def _taken(taker: Taker, line: Line) -> tuple[str, str]:
    """What became of a line, and what was wrong with it."""
    if line.row is None:
        return WRONG, line.problem
    try:
        return (TOOK if await taker.take(line.row) else KNOWN), ""
    except UnknownDecisionError as error:
        return UNKNOWN, str(error)
    except NotServedError as error:
        return UNSERVED, str(error)
    except FeedbackError as error:
        return WRONG, str(error)


@asynccontextmanager
async def _taker_of(asked: Asked, plan: RouterConfig | None) -> AsyncGenerator[Taker]:
    if plan is None:
        headers = {"Authorization": f"Bearer {_key(asked.key_env)}"} if asked.key_env else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            yield GatewayTaker(session, asked.url or "")
    elif asked.dry_run:
        async with aclosing(open_store_reader(plan.store)) as reader:
            await reader.open()
            yield StoreTaker(reader, None, plan.trust)
    else:
        async with aclosing(open_store(plan.store)) as store:
            await store.open()
            yield StoreTaker(store, store, plan.trust)


def _key(variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key:
        raise InputError(f"the variable {variable} is not set", remedy="set it to the gateway's key", field="--key-env")
    return key


def _print(report: Report, asked: Asked, plan: RouterConfig | None) -> None:
    for refused in report.refused[:_SHOWN]:
        typer.echo(f"{asked.file}:{refused.line}: {refused.problem}", err=True)
    silent = sum(report.counts[what] for what in (UNKNOWN, UNSERVED, WRONG)) - len(report.refused[:_SHOWN])
    if silent:
        typer.echo(f"and {silent:,} more lines", err=True)
    told = [f"{report.counts[what]:,} {word}" for what, word in _WORDS.items() if report.counts[what] or what == TOOK]
    typer.echo(f"{', '.join(told)}{'; nothing was written' if asked.dry_run else ''}")
    if plan is not None and plan.store.kind == "sqlite" and not plan.store.shared and not asked.dry_run:
        typer.echo("a router at work on this store learns of them as it starts anew; --url tells it at once", err=True)


def _print_json(report: Report, asked: Asked) -> None:
    counts = {what: report.counts[what] for what in _WORDS}
    told = {**counts, "dry_run": asked.dry_run, "refused": [each._asdict() for each in report.refused]}
    sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
