"""The work of `banditroute report`: reads a month out of a store, writes page and tables, prints."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from banditroute.cli import report_json, report_view
from banditroute.cli.arguments import check_report
from banditroute.cli.progress import progress_bar
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import listing_console
from banditroute.errors import InputError
from banditroute.reports.month.baselines import parsed
from banditroute.reports.month.calendar import month_of
from banditroute.reports.month.month import Month
from banditroute.reports.month.reading import Wanted, read_month
from banditroute.reports.monthly import save_month_tables, write_month_report
from banditroute.storage.protocol import StoreReader


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as typed.

    Attributes:
        config: the router.toml; month: its name; baselines: theirs.
        evidence: the most decisions that these are estimated from.
    """

    config: Path
    month: str
    baselines: tuple[str, ...]
    evidence: int


def run(asked: Asked, *, page: Path | None, tables: Path | None, json: bool) -> None:
    """Writes a page, and tables into a folder, unless they are None; prints the month.

    Raises:
        ConfigError: a configuration cannot be used.
        InputError: the month or a baseline is none, there is no store yet, or the files cannot be written.
        MissingExtraError: jinja2 or matplotlib is not installed.
        StoreError: the store cannot be read.
    """
    check_report(page, "--out")
    _check_folder(tables)
    month = found(asked, time.time())
    if page is not None:
        write_month_report(month, page)
    if tables is not None:
        save_month_tables(month, tables)
    if json:
        report_json.print_month(month)
        return
    report_view.print_month(month)
    console = listing_console()
    for what, place in (("report", page), ("tables", tables)):
        if place is not None:
            console.print(f"{what}: {place}", soft_wrap=True)


def found(asked: Asked, now: float) -> Month:
    """The month as it is on record now, seconds since the epoch.

    Raises:
        ConfigError: a configuration cannot be used.
        InputError: the month or a baseline is none, or there is no store yet.
        StoreError: the store cannot be read.
    """
    wanted = Wanted(month_of(asked.month, now), parsed(asked.baselines), asked.evidence)
    plan = stored_plan(asked.config)

    async def work(store: StoreReader) -> Month:
        return await read_month(plan, store, wanted, now=now, shown=progress_bar)

    return look(plan, work)


def _check_folder(folder: Path | None) -> None:
    """Raises InputError unless files can be put there: better now than after the long work."""
    if folder is None:
        return
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file", remedy="name a directory, such as tables", field="--csv")
    if not os.access(there, os.W_OK):
        raise InputError(f"{there} cannot be written to", remedy="choose another place", field="--csv")
