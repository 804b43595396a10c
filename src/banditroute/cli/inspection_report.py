"""What a router has done, learned and spent, as a page and as files."""

import time
from pathlib import Path

from banditroute.cli import inspection_json, inspection_view
from banditroute.cli.arguments import check_report
from banditroute.cli.chart_files import check_export, write_export
from banditroute.cli.inspection import narrowed
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import listing_console
from banditroute.errors import InputError
from banditroute.reports import write_report
from banditroute.reports.live import live_report
from banditroute.reports.store.inspection import Inspection, inspected
from banditroute.reports.store.live import LiveStore
from banditroute.reports.store.reading import live_store
from banditroute.storage.protocol import StoreReader


def report_on(config: Path, page: Path | None, folder: Path | None, last: int, *, json: bool) -> None:
    """Writes a page, and charts and tables into a folder, unless they are None; prints the usual view as well.

    Raises:
        ConfigError: the configuration cannot be used.
        InputError: there is no store yet, or the files cannot be written.
        MissingExtraError: jinja2 or matplotlib is not installed.
        StoreError: the store cannot be read.
    """
    check_report(page)
    check_export(folder)
    plan, now = stored_plan(config), time.time()

    async def work(store: StoreReader) -> tuple[Inspection, LiveStore]:
        found = await inspected(plan, store, now=now, last=last)
        return found, await live_store(plan, found, store)

    found, live = look(plan, work)
    report = live_report(live)
    if page is not None:
        write_report(report, page)
    if json:
        inspection_json.print_inspection(narrowed(found, None, last))
    else:
        inspection_view.print_inspection(narrowed(found, None, last))
    if page is not None and not json:
        listing_console().print(f"report: {page}", soft_wrap=True)
    if folder is not None:
        write_export(report, folder, quiet=json)


def refuse_narrowing(**narrowing: str | None) -> None:
    """Raises InputError for an option that asks for a part of the store."""
    for name, value in narrowing.items():
        if value is not None:
            problem = "a report is of the whole store"
            raise InputError(problem, remedy="leave this option out, or --report and --export", field=f"--{name}")
