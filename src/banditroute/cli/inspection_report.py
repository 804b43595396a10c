"""What a router has done, learned and spent, as a page and as files."""

import time
from dataclasses import dataclass
from pathlib import Path

from banditroute.cli import inspection_json, inspection_view
from banditroute.cli.arguments import check_report
from banditroute.cli.inspection import Inspection, inspected
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import listing_console
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.reports import format as form
from banditroute.reports.live import save_live_figures, write_live_report
from banditroute.reports.store.gathering import gathered
from banditroute.reports.store.live import LiveStore
from banditroute.storage.protocol import StoreReader


@dataclass(frozen=True, slots=True)
class Files:
    """Where to write: a page, and a folder for charts and tables; None = not at all."""

    report: Path | None
    export: Path | None


def report_on(config: Path, files: Files, last: int, *, task: str | None, decision: str | None, json: bool) -> None:
    """Writes what is asked for and prints the usual view as well.

    Raises:
        ConfigError: the configuration cannot be used.
        InputError: there is no store yet, the files cannot be written, or options exclude each other.
        MissingExtraError: jinja2 or matplotlib is not installed.
        StoreError: the store cannot be read.
    """
    _check(files, task=task, decision=decision)
    plan, now = stored_plan(config), time.time()

    async def work(store: StoreReader) -> tuple[Inspection, LiveStore]:
        found = await inspected(plan, store, now=now, task=None, last=last)
        return found, await live_store(plan, found, store)

    found, live = look(plan, work)
    _write(live, files)
    if json:
        inspection_json.print_inspection(found)
        return
    inspection_view.print_inspection(found)
    for kind, path in (("report", files.report), ("charts and tables", files.export)):
        if path is not None:
            listing_console().print(f"{kind}: {path}", soft_wrap=True)


async def live_store(plan: RouterConfig, found: Inspection, store: StoreReader) -> LiveStore:
    """All that a report is made of; reads the whole log, a page of it at a time.

    Raises:
        StoreError: the store cannot be read.
    """
    return LiveStore(
        name=plan.store.path.name,
        at=found.at,
        edges=found.edges,
        prompt=found.prompt,
        paces=found.paces,
        accounts=found.accounts,
        open_decisions=found.open_decisions,
        history=await gathered(store.trails()),
        remarks=_remarks(found),
        notes=_notes(found),
    )


def _check(files: Files, **narrowing: str | None) -> None:
    """Makes sure that the files can be written before the store is read, and that they are of the whole store."""
    for name, value in narrowing.items():
        if value is not None:
            problem = "a report is of the whole store"
            raise InputError(problem, remedy="leave this option out, or --report and --export", field=f"--{name}")
    check_report(files.report)


def _write(live: LiveStore, files: Files) -> None:
    if files.report is not None:
        write_live_report(live, files.report)
    if files.export is not None:
        save_live_figures(live, files.export)


def _remarks(found: Inspection) -> tuple[str, ...]:
    shadow = found.shadow
    if shadow is None or shadow.comparison is None:
        return ()
    return (f"Shadow {shadow.name}, by the newest decisions: {shadow.comparison.verdict}",)


def _notes(found: Inspection) -> tuple[str, ...]:
    left_out = form.plural(found.judged_elsewhere, "judgement")
    words = f"{left_out} of models or features that the configuration does not have stand outside the beliefs."
    return (words,) if found.judged_elsewhere > 0 else ()
